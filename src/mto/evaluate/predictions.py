"""predictions.parquet: one row a prediction, and the score matrices that statistics want."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mto.errors import DataError, RunError
from mto.evaluate.options import Options
from mto.evaluate.scores import FLAGS, Scores
from mto.runs import write_bytes
from mto.runs.atomic import BROKEN

_OPTIONS = ("options", "right", "option_written", "near", "nats_sum", "nats_token", "nats_byte", "nats_prior")
"""Columns of tasks with options: names, number of the right one and of the written one (from 0), and nats of each."""
_TEXTS = ("family", "seed", "relation", "head", "prediction", "references")


@dataclass(frozen=True)
class Scored:
    """The scores of one family (or baseline) on one relation with one data seed."""

    family: str
    seed: int
    relation: str
    scores: Scores


def write_predictions(path: str | Path, groups: Sequence[Scored]) -> Path:
    """Write all predictions, atomically; equal groups give equal bytes.

    Columns: family, seed, relation, head, prediction, references (a list), each metric (0-100), empty,
    unasked_sentinel. A metric that a group lacks is null there. Where a task has options also: options, right,
    option_written, near, nats_sum, nats_token, nats_byte and nats_prior; null for baselines.

    Raises:
        DataError: no groups, or one family, seed and relation twice.
        RunError: the disk is full.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not groups:
        raise DataError("no predictions to write")
    keys = [(g.family, g.seed, g.relation) for g in groups]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise DataError("family '{}', seed {}, relation '{}' stands twice".format(*twice))
    names = list(dict.fromkeys(name for group in groups for name in group.scores.values))
    columns: dict[str, list] = {name: [] for name in (*_TEXTS, *names, *FLAGS)}
    for group in groups:
        scores, n = group.scores, len(group.scores)
        columns["family"] += [group.family] * n
        columns["seed"] += [group.seed] * n
        columns["relation"] += [group.relation] * n
        columns["head"] += scores.heads
        columns["prediction"] += scores.predictions
        columns["references"] += [list(several) for several in scores.references]
        for name in names:
            columns[name] += scores.values[name].tolist() if name in scores.values else [None] * n
        for flag in FLAGS:
            columns[flag] += getattr(scores, flag).tolist()
    types = {"seed": pa.int64(), "references": pa.list_(pa.string())}
    types |= dict.fromkeys(names, pa.float64()) | dict.fromkeys(FLAGS, pa.bool_())
    if any(group.scores.options is not None for group in groups):
        columns |= _option_columns(groups)
        types |= {
            "options": pa.list_(pa.string()),
            "right": pa.int64(),
            "option_written": pa.int64(),
            "near": pa.bool_(),
        }
        types |= {name: pa.list_(pa.float64()) for name in _OPTIONS if name.startswith("nats")}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in columns])
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), buffer, compression="zstd")
    return write_bytes(path, buffer.getvalue())


def read_predictions(path: str | Path) -> list[Scored]:
    """Read what `write_predictions` wrote, groups in their order of writing.

    Raises:
        RunError: no such file, or not such a file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # A local file object: a relative path or one with a colon is never taken for an address.
        with Path(path).open("rb") as file:
            table = pq.read_table(file)
    except FileNotFoundError:
        raise RunError("no such file", where=str(path)) from None
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"cannot be read: {error}", where=str(path), hint=BROKEN) from error
    missing = [name for name in (*_TEXTS, *FLAGS) if name not in table.column_names]
    if missing:
        raise RunError(f"lacks the columns {', '.join(missing)}", where=str(path))
    data = table.to_pydict()
    rows: dict[tuple[str, int, str], list[int]] = {}
    for row, key in enumerate(zip(data["family"], data["seed"], data["relation"], strict=True)):
        rows.setdefault(key, []).append(row)
    names = [name for name in table.column_names if name not in (*_TEXTS, *FLAGS, *_OPTIONS)]
    return [
        Scored(
            *key,
            Scores(
                heads=tuple(data["head"][r] for r in group),
                predictions=tuple(data["prediction"][r] for r in group),
                references=tuple(tuple(data["references"][r]) for r in group),
                values={
                    name: np.array([data[name][r] for r in group], dtype=np.float64)
                    for name in names
                    if all(data[name][r] is not None for r in group)
                },
                empty=np.array([data["empty"][r] for r in group], dtype=bool),
                unasked_sentinel=np.array([data["unasked_sentinel"][r] for r in group], dtype=bool),
                options=_read_options(data, group),
            ),
        )
        for key, group in rows.items()
    ]


def _option_columns(groups: Sequence[Scored]) -> dict[str, list]:
    columns: dict[str, list] = {name: [] for name in _OPTIONS}
    for group in groups:
        value = group.scores.options.to_json() if group.scores.options is not None else None
        for name in _OPTIONS:
            if value is None:
                columns[name] += [None] * len(group.scores)
            elif name.startswith("nats_"):
                columns[name] += value["nats"][name.removeprefix("nats_")]
            else:
                columns[name] += value[{"options": "names", "option_written": "written"}.get(name, name)]
    return columns


def _read_options(data: dict[str, list], rows: Sequence[int]) -> Options | None:
    if "options" not in data or any(data["options"][r] is None for r in rows):
        return None
    found = {name: [data[name][r] for r in rows] for name in _OPTIONS}
    return Options.from_json(
        {
            "names": found["options"], "written": found["option_written"], "right": found["right"], "near": found["near"],
            "nats": {by: found[f"nats_{by}"] for by in ("sum", "token", "byte", "prior")},
        }
    )  # fmt: skip


def score_matrix(groups: Sequence[Scored], family: str, relation: str, metric: str) -> NDArray[np.float64]:
    """Scores ``[seeds, heads]`` of one family on one relation, seeds ascending, as the statistics want them.

    Raises:
        DataError: nothing there, a group without the metric, or seeds that differ in their heads.
    """
    mine = sorted(
        (g for g in groups if g.family == family and g.relation == relation), key=lambda group: group.seed
    )
    if not mine:
        raise DataError(f"no predictions of family '{family}' on relation '{relation}'")
    for group in mine:
        if metric not in group.scores.values:
            raise DataError(f"family '{family}', relation '{relation}', seed {group.seed} has no '{metric}'")
        if group.scores.heads != mine[0].scores.heads:
            raise DataError(
                f"family '{family}', relation '{relation}': seeds {mine[0].seed} and {group.seed} have other heads",
                hint="evaluate every seed on the same test heads in the same order",
            )
    return np.stack([group.scores.values[metric] for group in mine])
