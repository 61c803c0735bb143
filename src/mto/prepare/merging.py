"""From the candidates of all parts to the chosen sentences: the best of each task, random general ones, no near-duplicates; in batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from mto.prepare.config import PrepareConfig
from mto.prepare.dedup import NearDuplicates
from mto.prepare.making_shards import BATCHES, batch_json
from mto.prepare.selecting import FOUND, spare
from mto.prepare.sentence import GENERAL, Selected, Sentence
from mto.prepare.words import Normaliser
from mto.runs import read_json, write_json

RANDOM = "random"


@dataclass(frozen=True)
class Candidate:
    """A sentence that a part proposed.

    Attributes:
        rank: sorts the candidates of one task, and the general ones.
        place: part and place, which tell it from all others.
    """

    rank: tuple[float, int, int]
    place: tuple[int, int]
    selected: Selected


@dataclass
class Chosen:
    """The chosen sentences.

    Attributes:
        task: of all tasks, mixed by lot.
        mixed: general ones that go into the task's set.
        general: those of the control set, as many as of the tasks where there are enough.
        held_out: those that no pair is made of.
        near: near-duplicates that were left out, by task; under `GENERAL` the general ones.
    """

    task: list[Selected] = field(default_factory=list)
    mixed: list[Selected] = field(default_factory=list)
    general: list[Selected] = field(default_factory=list)
    held_out: list[Selected] = field(default_factory=list)
    near: dict[str, int] = field(default_factory=dict)

    def batches(self, size: int) -> Iterator[dict[str, list[list[Any]]]]:
        """Batches of `size` task sentences, each with its share of the others."""
        count = -(-len(self.task) // size)
        for n in range(count):
            yield {
                "task": batch_json(self.task[n * size : (n + 1) * size]),
                "general": batch_json(_share(self.general, n, count)),
                "mixed": batch_json(_share(self.mixed, n, count)),
            }


def _share(rows: Sequence[Selected], number: int, count: int) -> Sequence[Selected]:
    return rows[len(rows) * number // count : len(rows) * (number + 1) // count]


def wanted_general(config: PrepareConfig, chosen: int) -> tuple[int, int, int]:
    """How many general sentences are wanted for so many task sentences: held out, mixed in, for the control."""
    share = config.select.general_share
    return config.select.held_out, round(chosen * share / (1 - share)), chosen if config.controls else 0


def merge(work: Path, parts: Sequence[dict[str, Any]], tasks: Sequence[str], config: PrepareConfig) -> Chosen:
    """Merge what the parts proposed.

    Tasks take turns, each with its best candidate that is left; then the general sentences follow in the order of their lots. A sentence that
    is nearly one that was taken before is left out.

    Raises:
        DataError: datasketch is not installed, and near-duplicates are to be found.
    """
    chosen = Chosen()
    taken = _Taken(config)
    columns, others = _candidates(work, parts, tasks, config)
    left = [config.select.per_task] * len(tasks)
    queues = [iter(column) for column in columns]
    while any(left):
        for n, queue in enumerate(queues):
            found = _next(queue, taken, chosen.near, tasks[n]) if left[n] else None
            if found is not None:
                chosen.task.append(found)
            left[n] = left[n] - 1 if found is not None else 0
    general = iter(others)
    places = wanted_general(config, len(chosen.task))
    for rows, count in zip((chosen.held_out, chosen.mixed, chosen.general), places, strict=True):
        while len(rows) < count:
            found = _next(general, taken, chosen.near, GENERAL)
            if found is None:
                break
            rows.append(found)
    chosen.task.sort(key=lambda s: (_lot(config.seed, s), s.task))
    return chosen


def write_batches(work: Path, chosen: Chosen, size: int) -> list[str]:
    """Write the batches; gives a hash of each."""
    digests = []
    for number, batch in enumerate(chosen.batches(size)):
        path = write_json(work / BATCHES / f"{number:05d}.json", batch)
        digests.append(hashlib.sha256(path.read_bytes()).hexdigest())
    return digests


class _Taken:
    """Sentences that are taken."""

    def __init__(self, config: PrepareConfig) -> None:
        threshold = config.select.near_duplicates
        self._near = NearDuplicates(threshold) if threshold is not None else None
        self._shared = config.select.shared
        self._places: set[tuple[int, int]] = set()
        self._left_out: set[tuple[int, int]] = set()
        self._normalise = Normaliser()

    def known(self, candidate: Candidate) -> bool:
        """Whether it is taken already, by another task or for another purpose."""
        return candidate.place in self._places

    def take(self, candidate: Candidate) -> bool:
        """Take it, unless it is nearly another one."""
        text = candidate.selected.sentence.text
        if self._near is not None and not self._near.add(self._normalise(text)):
            self._left_out.add(candidate.place)
            return False
        self._places.add(candidate.place)
        return True

    def left_out(self, candidate: Candidate) -> bool:
        """Whether it was found to be a near-duplicate before, so that it is counted once."""
        return candidate.place in self._left_out

    @property
    def shared(self) -> bool:
        """Whether several tasks may have one sentence."""
        return self._shared


def _next(queue: Iterator[Candidate], taken: _Taken, near: dict[str, int], task: str) -> Selected | None:
    for candidate in queue:
        if taken.left_out(candidate):
            continue
        if taken.known(candidate):
            if taken.shared and task != GENERAL:
                return candidate.selected
            continue
        if taken.take(candidate):
            return candidate.selected
        near[task] = near.get(task, 0) + 1
    return None


def _candidates(
    work: Path, parts: Sequence[dict[str, Any]], tasks: Sequence[str], config: PrepareConfig
) -> tuple[list[list[Candidate]], list[Candidate]]:
    """The best candidates of each task, those of its labels in turn, and all general ones, in order."""
    most = spare(config.select.per_task)
    best: list[dict[str, list[Candidate]]] = [{} for _ in tasks]
    general: list[Candidate] = []
    for n, part in enumerate(parts):
        found = read_json(work / FOUND / f"{part['name']}.json")
        for task, name in enumerate(tasks):
            for score, place, by, text, line, label in found["tasks"][task]:
                selected = Selected(_sentence(part, text, line), name, score, by)
                candidate = Candidate((-score, n, place), (n, place), selected)
                best[task].setdefault(label, []).append(candidate)
            for label, rows in best[task].items():
                if len(rows) > 4 * most:
                    best[task][label] = _sorted(rows)[:most]
        for lot, place, text, line in found["general"]:
            selected = Selected(_sentence(part, text, line), GENERAL, 0.0, RANDOM)
            general.append(Candidate((lot, n, place), (n, place), selected))
    return [_in_turn({label: _sorted(rows)[:most] for label, rows in one.items()}) for one in best], _sorted(
        general
    )


def _in_turn(groups: Mapping[str, Sequence[Candidate]]) -> list[Candidate]:
    """The best of each label in turn, as even as the text allows; then those that hold no word of a label."""
    labelled = [groups[label] for label in sorted(groups) if label]
    rounds = zip_longest(*labelled)
    return [one for several in rounds for one in several if one is not None] + list(groups.get("", ()))


def _sentence(part: dict[str, Any], text: str, line: int) -> Sentence:
    return Sentence(text, f"{part['file']}:{part['before'] + line}")


def _sorted(rows: list[Candidate]) -> list[Candidate]:
    return sorted(rows, key=lambda candidate: candidate.rank)


def _lot(seed: int, selected: Selected) -> str:
    return hashlib.sha256(f"{seed} {selected.sentence.text}".encode()).hexdigest()
