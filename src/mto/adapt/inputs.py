"""Everything that an adaptation reads, loaded and checked before a file is written.

In: the configuration. Out: checkpoint, readers of training rows, held-out sets, and a fingerprint of all of it. Fails where there are
no pairs, a shard is half-written, a file is missing, or the checkpoint cannot write what is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mto.adapt.choosing import choose_objectives, read_matches, span_setting
from mto.adapt.config import ON_SENTENCES, AdaptConfig
from mto.adapt.drawing import draw_limit, split_pairs
from mto.adapt.masking import sentence_objective, taught_objective
from mto.adapt.material import Fixed, Masked, Reader, Rows, usable_sentences
from mto.adapt.retention import retention_file, retention_sentences, retention_sets
from mto.adapt.writing import Written, write_pairs
from mto.errors import DataError
from mto.families import LoadedModel, load_model, word_start_rows
from mto.match import Match
from mto.objectives import Ragged
from mto.prepare.opening import read_lines
from mto.prepare.pairs import Objective, Pair, pairs_folder, read_pairs
from mto.runs import read_json
from mto.train.held_out import HeldOut, held_out_set

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Inputs:
    """What was read.

    Attributes:
        loaded: the checkpoint that is adapted, fp32.
        readers: of training rows; the second one, if any, reads general text.
        held_out: sets that are measured; the one called `watched` is what early stopping looks at.
        reasons: task to what decided its objective; empty where whole sentences are read.
        counts: pairs read, trained and held out, left out, sentences of replay and retention.
        fingerprint: what the result depends on besides the settings: of the checkpoint, the pairs and the other files.
    """

    loaded: LoadedModel
    readers: tuple[Reader, ...]
    held_out: tuple[HeldOut, ...]
    watched: str
    reasons: Mapping[str, str]
    counts: Mapping[str, int]
    fingerprint: Mapping[str, Any]


def read_inputs(config: AdaptConfig, say: Say = lambda _: None) -> Inputs:
    """Read and write everything once.

    Raises:
        DataError: no such pairs, a shard that is not finished or has changed, too few of them, or a file that cannot be read.
        FamilyError: the checkpoint cannot be loaded, or has no sentinels where masks are asked for.
        RunError: a match file is missing.
    """
    pairs = draw_limit(_asked_for(config), config.limit, config.seed)
    matches, retained = read_matches(config), retention_sentences(config)
    train, held = split_pairs(pairs, config.held_out, config.held_out_most, config.seed)
    loaded = load_model(config.model)
    starts = word_start_rows(loaded.adapter.tokenizer)
    work = _Work(config, loaded, starts, matches)
    reader, watched, written = (
        work.sentences(train, held) if config.objective in ON_SENTENCES else work.pairs(train, held)
    )
    sets = [*work.pair_sets(held), *written, *retention_sets(
        retained, loaded.adapter, starts, batch_tokens=config.batch_tokens
    )]  # fmt: skip
    if watched not in {one.name for one in sets}:
        raise DataError(
            "no held-out pair fits the checkpoint", hint="raise max_tokens, or prepare other text"
        )
    replay = work.replay(len(reader), {pair.sentence for pair in held} | set(retained))
    if not retained:
        say("no general held-out text: retention is not measured (give --retention FILE)")
    counts = work.counts | {
        "pairs": len(pairs), "replay": len(replay.sentences) if replay else 0, "retention": len(retained),
    }  # fmt: skip
    unique = {one.name: one for one in sets}
    return Inputs(
        loaded, (reader, replay) if replay else (reader,), tuple(unique.values()), watched, work.reasons, counts,
        _fingerprint(config, loaded, matches),
    )  # fmt: skip


def _asked_for(config: AdaptConfig) -> list[Pair]:
    found = list(read_pairs(config.pairs, config.set))
    if not config.tasks:
        return found
    kept = [pair for pair in found if pair.task in ("", *config.tasks)]
    if not kept:
        have = sorted({pair.task for pair in found})
        raise DataError(
            f"holds no pair of {', '.join(config.tasks)} (found: {', '.join(have) or 'none'})",
            where=str(config.pairs),
            hint="name tasks that the text was prepared for",
        )
    return kept


class _Work:
    """The steps of `read_inputs`, with what they share."""

    def __init__(
        self, config: AdaptConfig, loaded: LoadedModel, starts: np.ndarray, matches: Sequence[Match]
    ) -> None:
        self.config, self.loaded, self.starts, self.matches = config, loaded, starts, matches
        self.adapter = loaded.adapter
        self.reasons: Mapping[str, str] = {}
        self.counts: dict[str, int] = {}

    def pairs(self, train: Sequence[Pair], held: Sequence[Pair]) -> tuple[Reader, str, list[HeldOut]]:
        """Reader of written pairs, the name of the watched set, and that set."""
        choice = choose_objectives([*train, *held], self.config, self.matches)
        self.reasons = choice.reasons
        written = self._write(train, choice.objectives[: len(train)])
        kept = self._write(held, choice.objectives[len(train) :])
        self.counts |= {
            "trained": len(written), "held_out": len(kept),
            "too_long": written.too_long + kept.too_long, "empty": written.empty + kept.empty,
        }  # fmt: skip
        kinds = {*np.unique(written.masked).tolist(), *np.unique(kept.masked).tolist()}
        name = "mixed" if len(kinds) > 1 else "denoising" if True in kinds else "lm"
        rows = Rows(written.source, written.target, written.masked)
        return Fixed(rows), f"pairs/{name}", self._set(f"pairs/{name}", kept.source, kept.target)

    def sentences(self, train: Sequence[Pair], held: Sequence[Pair]) -> tuple[Reader, str, list[HeldOut]]:
        """The same for an objective that reads whole sentences."""
        name = self.config.objective
        objective = sentence_objective(name, self.adapter, *span_setting(self.config, self.matches))
        texts = [list(dict.fromkeys(pair.sentence for pair in part)) for part in (train, held)]
        batch, kept = (
            usable_sentences(t, self.adapter, objective, self.starts, max_tokens=self.config.max_tokens)
            for t in texts
        )
        self.counts |= {
            "trained": len(batch), "held_out": len(kept),
            "too_long": sum(map(len, texts)) - len(batch) - len(kept), "empty": 0,
        }  # fmt: skip
        held_out: list[HeldOut] = []
        if len(kept):
            drawn = objective(kept, np.random.default_rng([self.config.seed, 7]), self.starts[kept.values])
            held_out = self._set(f"sentences/{name}", drawn.source, drawn.target)
        return Masked(batch, self.starts, objective), f"sentences/{name}", held_out

    def pair_sets(self, held: Sequence[Pair]) -> list[HeldOut]:
        """Held-out pairs written in each way that the checkpoint can write, whatever is trained."""
        sets = []
        names: tuple[Objective, ...] = ("denoising", "lm") if self.adapter.writes_masks else ("lm",)
        for name in names:
            written = self._write(held, (name,) * len(held))
            sets += self._set(f"pairs/{name}", written.source, written.target)
        return sets

    def replay(self, rows: int, unwanted: set[str]) -> Masked | None:
        """Reader of general text, as many sentences an epoch as the share asks for; None where none is given."""
        config = self.config
        if not config.replay:
            return None
        texts = dict.fromkeys(line for path in config.replay for line in read_lines(path))
        objective = taught_objective(self.adapter, self.loaded.metadata.speaks)
        usable = usable_sentences(
            [t for t in texts if t not in unwanted],
            self.adapter,
            objective,
            self.starts,
            max_tokens=config.max_tokens,
        )
        if not len(usable):
            raise DataError("holds no sentence that can be read", where=", ".join(map(str, config.replay)))
        count = max(1, round(rows * config.replay_share / (1 - config.replay_share)))
        return Masked(usable, self.starts, objective, count)

    def _write(self, pairs: Sequence[Pair], objectives: Sequence[Objective]) -> Written:
        return write_pairs(pairs, objectives, self.adapter, max_tokens=self.config.max_tokens)

    def _set(self, name: str, source: Ragged, target: Ragged) -> list[HeldOut]:
        if not len(source):
            return []
        return [held_out_set(name, source, target, self.adapter, batch_tokens=self.config.batch_tokens)]


def pairs_digest(config: AdaptConfig) -> str:
    """Hash over the shards of the set, from what their manifests say (`read_pairs` has checked the bytes)."""
    manifests = sorted(pairs_folder(config.pairs, config.set).glob("part-*.json"))
    sums = [f"{path.name} {read_json(path)['sha256']}" for path in manifests]
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()[:16]


def inputs_digest(config: AdaptConfig) -> dict[str, Any]:
    """What an adaptation depends on besides its settings and its checkpoint, without loading the checkpoint.

    Raises:
        RunError, DataError: a file is missing or is not what it should be.
    """
    return _files(config, read_matches(config))


def _fingerprint(config: AdaptConfig, loaded: LoadedModel, matches: Sequence[Match]) -> dict[str, Any]:
    return {"model": loaded.revision, **_files(config, matches)}


def _files(config: AdaptConfig, matches: Sequence[Match]) -> dict[str, Any]:
    retained = retention_file(config)
    said = [[found.task, found.objective, *span_setting(config, [found])] for found in matches]
    return {
        "pairs": pairs_digest(config),
        "match": said,
        "replay": [_file_digest(path) for path in config.replay],
        "retention": None if retained is None else _file_digest(retained),
    }


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
