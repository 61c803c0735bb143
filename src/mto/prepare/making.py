"""Pairs from selected sentences: split, check, route, and cut the controls at random. The maker named ``splitter``."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import PositiveInt

from mto.config import Strict, parse
from mto.families import load_model
from mto.match.guidelines import get_tagger
from mto.prepare.controls import random_prefix, random_span
from mto.prepare.maker import Made, MakerOrder
from mto.prepare.pairs import Objective, Pair, PairSet
from mto.prepare.router import Router
from mto.prepare.sentence import GENERAL, Selected
from mto.prepare.splitting.build import SplitterConfig, build_splitter, learning_triples
from mto.prepare.splitting.found import FIRST_WORDS, LABEL_WORD, Found, Splitter
from mto.prepare.splitting.model import FILE, ModelSplitter, train_splitter
from mto.prepare.splitting.places import cut, words_of
from mto.prepare.splitting.rules import Hints
from mto.prepare.splitting.ways import told, way_of
from mto.tasks import Split, Task
from mto.templates.language import parse_text

FOLDER = "splitter"
"""Where a prepared folder keeps its trained splitters."""
SHORT, WHOLE, LONG = "source too short", "whole sentence as target", "target too long"
UNLIKE = "target longer than the words of labels"
_UNROUTED: Objective = "lm"  # until the router has spoken


class MakingConfig(Strict):
    """How pairs are made; ``making`` of a preparation."""

    splitter: SplitterConfig = SplitterConfig()
    """What finds the target."""
    model: str = "mini"
    """Checkpoint that the splitter is tuned from and whose encoder the router reads with."""
    least_source: PositiveInt = 2
    """Fewest words of a source."""
    longest_target: PositiveInt = 20
    """Most words of a target; what is longer is rather a sentence than an answer."""


class SplitMaker:
    """Makes the pairs of the tasks and their controls.

    Args:
        splitter: finds the targets.
        router: gives each pair its objective.
        config: limits of a pair.
        controls: whether the control sets are made.
        longest: most words of a target of some tasks, by name: of a classification as many as its labels have.
    """

    def __init__(
        self,
        splitter: Splitter,
        router: Router,
        config: MakingConfig,
        *,
        controls: bool = True,
        longest: Mapping[str, int] | None = None,
    ) -> None:
        self._splitter, self._router, self._config, self._controls = splitter, router, config, controls
        self._longest = longest or {}

    def make(self, batch: Sequence[Selected], *, seed: int, number: int) -> Made:
        """As `PairMaker`; the pairs do not depend on the number of the shard.

        A sentence of a task gives at most one pair in each of the sets ``task``, ``random-spans`` and ``random-prefixes``: the controls
        are cut from the sentences that gave a task pair, and no others. General sentences give pairs of the set ``general``.
        """
        counts: Counter[str] = Counter()
        made: list[tuple[Selected, Pair]] = []
        for one, found in zip(batch, self._splitter.split(batch), strict=True):
            which = "task" if one.task != GENERAL else "general"
            counts[f"{which}: sentences"] += 1
            pair = self._pair(one, found)
            if isinstance(pair, str):
                counts[f"{which}: {pair}"] += 1
            else:
                counts[f"{which}: pairs by {pair.by}"] += 1
                if pair.by == LABEL_WORD:
                    counts[f"{which}: label-word '{pair.target.lower()}'"] += 1
                made.append((one, pair))
        routed = self._routed([pair for _, pair in made])
        for pair in routed:
            counts[f"{'task' if pair.task != GENERAL else 'general'}: {pair.objective}"] += 1
        pairs: dict[PairSet, tuple[Pair, ...]] = {"task": tuple(p for p in routed if p.task != GENERAL)}
        general = tuple(p for p in routed if p.task == GENERAL)
        if self._controls or general:
            pairs["general"] = general
        if self._controls:
            spans, prefixes = _controls([(one, pair) for one, pair in made if one.task != GENERAL], seed)
            pairs |= {"random-spans": spans, "random-prefixes": prefixes}
        return Made(pairs, dict(sorted(counts.items())))

    def _pair(self, one: Selected, found: Found) -> Pair | str:
        """The pair, not routed yet, or why there is none."""
        if found.place is None:
            return found.why
        text = one.sentence.text
        before, target, after = cut(text, found.place)
        left = len(words_of(before)) + len(words_of(after))
        if not left:
            return WHOLE
        if left < self._config.least_source:
            return SHORT
        long = len(words_of(target))
        if long > self._longest.get(one.task, long):
            return UNLIKE
        if found.by != FIRST_WORDS and long > self._config.longest_target:
            return LONG
        return Pair(
            before=before, target=target, after=after, objective=_UNROUTED, probability=0.0, task=one.task, by=found.by,
            score=one.score, sentence=text, where=one.sentence.where,
        )  # fmt: skip

    def _routed(self, pairs: Sequence[Pair]) -> list[Pair]:
        """The pairs with their objectives; what continues its first words is language modelling, whatever a classifier says."""
        asked = [number for number, pair in enumerate(pairs) if pair.by != FIRST_WORDS]
        if not asked:
            return list(pairs)
        some = [pairs[number] for number in asked]
        ways = self._router.route([(pair.source, pair.target) for pair in some], [pair.task for pair in some])
        routed = list(pairs)
        for number, way in zip(asked, ways, strict=True):
            routed[number] = replace(pairs[number], objective=way.objective, probability=way.probability)
        return routed


def _controls(made: Sequence[tuple[Selected, Pair]], seed: int) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    spans = (random_span(one, len(words_of(pair.target)), seed=seed) for one, pair in made)
    prefixes = (random_prefix(one, seed=seed) for one, _ in made)
    return tuple(p for p in spans if p is not None), tuple(p for p in prefixes if p is not None)


class SplitterKind:
    """The kind of maker ``splitter``: trains the model splitter where one is wanted, and loads it in each worker."""

    def set_up(self, order: MakerOrder) -> dict[str, Any]:
        """Train the splitter into the prepared folder; one that stands there for the same order is used again.

        Raises:
            ConfigError: the maker's settings are wrong.
            DataError: a model is wanted and there is nothing that it could learn from.
            TrainingError: the training diverges.
        """
        config = parse(MakingConfig, dict(order.settings), source="making")
        hints = [_hints(task, split, config) for task, split in zip(order.tasks, order.splits, strict=True)]
        model = config.splitter.kind != "rules"
        notes = [
            note
            for task, one in zip(order.tasks, hints, strict=True)
            for note in told(task, one.way, model=model)
        ]
        given: dict[str, Any] = {
            "config": config.model_dump(mode="json"),
            "controls": order.controls,
            "hints": [one.model_dump(mode="json") for one in hints],
            "model": None,
        }
        if notes:
            given["notes"] = notes
        learn = [n for n, one in enumerate(hints) if one.way != "first-words"]
        if model and learn:
            given["model"] = str(_trained(config, order, learn).relative_to(order.folder))
        return given

    def load(self, folder: Path, order: Mapping[str, Any]) -> SplitMaker:
        """The maker, from what `set_up` gave.

        Raises:
            RunError: the trained splitter is gone from the folder.
        """
        config = parse(MakingConfig, order["config"], source="making")
        hints = [parse(Hints, one, source="making") for one in order["hints"]]

        def model() -> ModelSplitter:
            return ModelSplitter.load(folder / str(order["model"]))

        splitter = build_splitter(config.splitter, hints, model if order["model"] else None)
        longest = {one.task: _most_words(one.labels) for one in hints if one.labels}
        return SplitMaker(
            splitter,
            Router(load_model(config.model)),
            config,
            controls=bool(order["controls"]),
            longest=longest,
        )


KIND = SplitterKind()


def _hints(task: Task, split: Split, config: MakingConfig) -> Hints:
    """What the splitter is told of a task."""
    targets = tuple(row.target for row in split.train)
    phrases = (*task.phrases, *task.wordings)
    if task.kind == "completion":
        return Hints(task=task.name, phrases=phrases, fields=task.fields, targets=targets)
    # The rules read literal words alone, so it does not matter what an input looks like; a phrase that writes choices has none in raw text.
    plain = tuple(phrase for phrase in phrases if not parse_text(phrase).names & {"choice", "choices"})
    return Hints(
        task=task.name, phrases=plain, fields=(*task.fields, "head"), targets=targets, labels=task.form.labels,
        way=way_of(task, targets, get_tagger(config.splitter.tagger)),
    )  # fmt: skip


def _most_words(labels: Mapping[str, Sequence[str]]) -> int:
    return max(len(words_of(word)) for words in labels.values() for word in words)


def _trained(config: MakingConfig, order: MakerOrder, learn: Sequence[int]) -> Path:
    """The trained splitter's folder; `learn` are the numbers of the tasks whose rows teach it."""
    settings = config.splitter.training
    triples = learning_triples(
        [order.tasks[n] for n in learn], [order.splits[n] for n in learn],
        library=config.splitter.library, rows=settings.rows, seed=settings.seed,
    )  # fmt: skip
    base = load_model(config.model)
    known = [
        base.revision,
        settings.model_dump(mode="json"),
        [[t.sentence, t.target, t.task] for t in triples],
    ]
    path = order.folder / FOLDER / hashlib.sha256(json.dumps(known).encode()).hexdigest()[:12]
    if not (path / FILE).is_file():
        train_splitter(base, triples, settings).save(path)
    return path
