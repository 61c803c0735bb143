"""Who competes: each checkpoint with each family that can be written for it, its rows encoded once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mto.errors import DataError, FamilyError, TemplateError
from mto.families import LoadedModel
from mto.match.probe.checkpoints import Checkpoints
from mto.match.probe.config import ProbeConfig
from mto.match.probe.result import Arm, LeftOut
from mto.tasks import Row, Split, Task, folds
from mto.templates import TemplateFamily, get_family
from mto.tune.cell import cell_template
from mto.tune.config import Settled
from mto.tune.rows import LIKELIHOOD_REFERENCES, Asked, CellRows, encode_cell

Ints = NDArray[np.int64]
NOBODY = Asked((), (), ())


@dataclass(frozen=True)
class Rows:
    """The rows of a probe: the labelled ones first, then the further held-out ones.

    Attributes:
        labelled: how many of `all` may be learned from.
        fold: int64 [all], the fold in which a row is held out. Further rows go round the folds, so that each row is
            scored once.
        folds: number of folds.
        heads: int64 [all], the head of each row, from 0.
        bytes: float64 [all], UTF-8 bytes of the targets that a row is scored by.
        owner: int64 [pairs], the row of each of its references.
        notes: what was odd.
    """

    all: tuple[Row, ...]
    labelled: int
    fold: Ints
    folds: int
    heads: Ints
    bytes: NDArray[np.float64]
    owner: Ints
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Contestant:
    """An arm with its encoded rows: all as train (the labelled ones) and all as dev (every row)."""

    arm: Arm
    settled: Settled
    rates: tuple[float, ...]
    encoded: CellRows
    rows: Rows

    def part(self, fold: int) -> CellRows:
        """What one fold learns from, and what it is scored on."""
        rows, encoded = self.rows, self.encoded
        held = rows.fold == fold
        dev = np.flatnonzero(held)
        return replace(
            encoded,
            train=tuple(encoded.train[n] for n in np.flatnonzero(~held[: rows.labelled])),
            dev=Asked(
                tuple(encoded.dev.heads[n] for n in dev),
                tuple(encoded.dev.references[n] for n in dev),
                tuple(encoded.dev.questions[n] for n in dev),
                tuple(encoded.dev.options[n] for n in dev if encoded.dev.options),
            ),
            dev_pairs=tuple(encoded.dev_pairs[n] for n in np.flatnonzero(held[rows.owner])),
        )


def arrange_rows(task: Task, rows: Sequence[Row], dev: Sequence[Row], k: int, seed: int) -> Rows:
    """Cut the labelled rows into folds by head, and spread the further rows over them.

    Raises:
        DataError: fewer than two labelled heads, or a row with an empty target.
    """
    ids = list(dict.fromkeys(row.id for row in rows))
    if len(ids) < 2:
        raise DataError(
            f"{task.name}: {len(ids)} labelled head{'' if len(ids) == 1 else 's'}; a probe learns from some and is "
            "scored on others",
            hint="give two rows with different heads or more (ten or more for an answer that means something), "
            "or use the signals that need no training",
        )
    notes = []
    further = [row for row in dev if row.id not in set(ids)]
    if len(further) < len(dev):
        notes.append(
            f"{len(dev) - len(further)} of {len(dev)} dev rows have a head that is labelled too: left out"
        )
    everything = (*rows, *further)
    for row in everything:
        if not row.references or not all(text.strip() for text in _scored(row)):
            raise DataError("a row has an empty target", where=row.where, hint="drop the row")
    k = min(k, len(ids))
    if len(ids) < 5:
        notes.append(f"only {len(ids)} labelled heads: folds of one or two rows decide")
    if len({row.target.strip() for row in everything}) == 1:
        notes.append(
            f"all {len(everything)} targets are equal ({everything[0].target!r}): the scores tell how fast each arm "
            "learns to say one thing, not what fits the task"
        )
    split = Split(
        task=task.name, relation=task.relation, shots=len(rows), seed=seed, test_seed=0, max_test=None, source={},
        train=tuple(rows), dev=(), test=(),
    )  # fmt: skip
    fold_of = {example.id: number for number, part in enumerate(folds(split, k)) for example in part.test} | {
        row.id: n % k for n, row in enumerate({row.id: row for row in further}.values())
    }
    number = {key: n for n, key in enumerate(dict.fromkeys(row.id for row in everything))}
    return Rows(
        all=everything,
        labelled=len(rows),
        fold=np.array([fold_of[row.id] for row in everything], dtype=np.int64),
        folds=k,
        heads=np.array([number[row.id] for row in everything], dtype=np.int64),
        bytes=np.array(
            [sum(len(t.strip().encode()) for t in _scored(row)) for row in everything], dtype=np.float64
        ),
        owner=np.repeat(np.arange(len(everything)), [len(_scored(row)) for row in everything]),
        notes=tuple(notes),
    )


def find_contestants(
    checkpoints: Checkpoints,
    task: Task,
    rows: Rows,
    families: Sequence[str | Path | TemplateFamily] | None,
    config: ProbeConfig,
    seed: int,
) -> tuple[list[Contestant], list[LeftOut]]:
    """Every (checkpoint, family, phrase) that can be written, in that order, and those that cannot with the reason.

    Args:
        families: None: those of docs/method.md 3 for tasks of this kind.

    Raises:
        UnknownNameError: no such family.
        DataError: no family was given, or two different ones have one name.
        TemplateError: none can be written; with all reasons.
    """
    known: dict[str, TemplateFamily] = {}
    for family in map(get_family, task.form.families if families is None else families):
        if known.setdefault(family.name, family) != family:
            raise DataError(f"two different families are named '{family.name}'", hint="rename one")
    if not known:
        raise DataError("no template family was given", hint="leave the list out to try all")
    found: list[Contestant] = []
    out: list[LeftOut] = []
    for model in checkpoints.names:
        loaded = checkpoints.get(model)
        settled = _settle(loaded, config, seed)
        rates = config.rates or (settled.rates[len(settled.rates) // 2],)
        for family in known.values():
            name = family.name if len(checkpoints.names) == 1 else f"{model}/{family.name}"
            for count, phrase in enumerate(task.phrases[: config.phrases] or (None,), 1):
                called = name if count == 1 else f"{name}#{count}"
                try:
                    arm, encoded = _write(loaded, task, family, phrase, called, model, rows, settled)
                except (TemplateError, FamilyError) as error:
                    if not any(left.name == name and left.why == error.message for left in out):
                        out.append(LeftOut(name=called, why=error.message))
                    continue
                found.append(Contestant(arm, settled, rates, encoded, rows))
                if arm.phrase is None:
                    break
    if not found:
        reasons = "; ".join(f"{left.name}: {left.why}" for left in out)
        raise TemplateError(f"{task.name}: no family can be written: {reasons}")
    return found, out


def _write(
    loaded: LoadedModel,
    task: Task,
    family: TemplateFamily,
    phrase: str | None,
    name: str,
    model: str,
    rows: Rows,
    settled: Settled,
) -> tuple[Arm, CellRows]:
    template = cell_template(loaded, task, family, phrase)
    split = Split(
        task=task.name, relation=task.relation, shots=rows.labelled, seed=0, test_seed=0, max_test=None, source={},
        train=rows.all[: rows.labelled], dev=rows.all, test=(),
    )  # fmt: skip
    encoded = encode_cell(loaded, template, split, settled, test=(), form=task.form)
    masked = encoded.dev.questions[0].masks_asked > 0
    return Arm(name=name, model=model, family=family.name, phrase=template.phrase, masked=masked), encoded


def _settle(loaded: LoadedModel, config: ProbeConfig, seed: int) -> Settled:
    settled = config.tuning.resolve(loaded.adapter.name)
    # The grid is that of the checkpoint's kind: `ProbeConfig.rates` says so if it is to be another.
    table = type(config.tuning)().resolve(loaded.adapter.name)
    return settled.model_copy(update={"seed": seed, "rates": table.rates})


def _scored(row: Row) -> tuple[str, ...]:
    """The targets that a row is scored by, as `encode_cell` takes them."""
    return row.references[:LIKELIHOOD_REFERENCES]


def arms_by_model(names: Sequence[str], arms: Mapping[str, Arm]) -> dict[str, list[str]]:
    """Names of arms by checkpoint, so that each checkpoint is taken up once a rung."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(arms[name].model, []).append(name)
    return found
