"""What `mto run` can be told. Light to import: no torch here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from mto.config import Strict, override, parse, read_yaml
from mto.errors import ConfigError
from mto.match.config import MatchConfig
from mto.tune.config import TuneConfig

"""Labelled rows where nobody says how many (the authors' number, docs/method.md 8)."""
SEEDS = 3
"""The authors' number of seeds (docs/method.md 8)."""
METRICS = ("rouge_l", "rouge_l3", "exact_match")


LATER = ("columns", "delimiter", "rank_tails")
"""Settings that came later than the first runs."""


class CompareConfig(Strict):
    """One comparison of template families on one task or more."""

    tasks: tuple[str, ...] = Field(min_length=1)
    """Names (``household/ObjectUse``), task files or files of rows."""
    data: str | None = None
    """Folder or file of the rows, for tasks whose data are not in the package."""
    relation: str | None = None
    """The relation, for a file of rows that holds several."""
    columns: dict[str, str] | None = None
    """Which column holds which field, for files of rows with other names: ``{head: QUESTION, tail: ANSWER}``."""
    delimiter: str | None = None
    """Between the cells of CSV files of rows; None: found from their first line."""
    phrase: int | str = 0
    """Number of the task's phrase (from 0), or a phrase of your own such as ``{{ head }} is used for``."""
    model: str = "mini"
    """Embedded name, folder or hub name."""
    weights: str | None = None
    """Folder of the checkpoint, where `model` is no more than what it is called. Where it lies makes no other run; its weights do."""
    families: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Template families by name, or their YAML files. None: with `choose` ``match`` the conventional one, Prompting
    (AnswerPrompting where rows have choices) and those that matching chose; with ``dev`` the usual ones of the kind of task, without
    those that need a phrase where a task has none. Where soft prompts are tuned: PT and those that stand for what matching chose,
    or all families with soft prompts for this kind."""
    choose: Literal["match", "dev"] = "match"
    """What names the aligned family of each task and seed: matching, before anything is tuned, or the dev scores of the
    tuned families. Without labelled rows nothing does; a task without test data is left to dev (see `mto.pipeline.aligned`)."""
    matching: MatchConfig = MatchConfig(denoiser=False)
    """The signals that matching asks. Its families are those of the run, or those of the kind of task where none are named or soft prompts are tuned."""
    shots: NonNegativeInt | None = None
    """Labelled rows; 0: no tuning; None: 30, or every row of a task without test data."""
    seeds: tuple[NonNegativeInt, ...] = Field(default=tuple(range(SEEDS)), min_length=1)
    """Data seeds; a single number n stands for 0 to n-1. Left out with 0 shots: one, since nothing is drawn."""
    dev: NonNegativeInt | None = None
    """Rows for choosing settings; None: as many as there are, up to the shots."""
    max_test: PositiveInt | None = 100
    """Most test heads a task, drawn by `test_seed`; None: all."""
    test_seed: NonNegativeInt = 0
    rank_tails: Annotated[int, Field(ge=2, le=10)] | None = None
    """Of completion tasks: so many tails that each family ranks for each dev and test head, a right one and those of other heads;
    None: tails are written only."""
    folds: Annotated[int, Field(ge=2)] = 5
    """Parts of the cross-validation of a task without test data."""
    metrics: tuple[str, ...] = Field(default=METRICS, min_length=1)
    """The first one decides and is tested on."""
    tune: TuneConfig = TuneConfig()
    """The sweep, the same for every family; its `method` says what is trained."""
    zero_shot: bool = True
    """Whether every family is also scored without tuning; never where soft prompts are tuned, which say nothing before."""
    keep: Literal["chosen", "all", "none"] = "chosen"
    """Weights that stay: of the aligned family (first seed), of all cells, or none."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: PositiveInt = 1
    """Threads of each worker; results belong to a number of threads."""
    workers: PositiveInt | None = None
    """Worker processes; None: as many as there are cores and memory. Results do not depend on it."""
    title: str = ""

    @model_validator(mode="before")
    @classmethod
    def _one_seed_is_enough(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("shots") == 0 and "seeds" not in given:
            return {**given, "seeds": 1}
        return given

    @field_validator("seeds", mode="before")
    @classmethod
    def _count(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return tuple(range(value))
        return value

    @field_validator("tasks", "families", "metrics", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("tasks", "families", "metrics", "seeds")
    @classmethod
    def _no_double(cls, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        twice = next((value for value in values or () if (values or ()).count(value) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} stands twice")
        return values

    @field_validator("matching")
    @classmethod
    def _no_families(cls, value: MatchConfig) -> MatchConfig:
        if value.families is not None:
            raise ValueError("the families of a run are given once, by families")
        return value

    @model_validator(mode="after")
    def _has_shots(self) -> Self:
        if self.soft and self.shots == 0:
            raise ValueError("a soft prompt says nothing before it is trained, so give some shots")
        return self

    @property
    def soft(self) -> bool:
        """Whether soft prompts are tuned, with the families that hold them."""
        return self.tune.method == "prompt"

    @property
    def with_zero_shot(self) -> bool:
        """Whether families are also scored without tuning."""
        return self.zero_shot and not self.soft

    @property
    def metric(self) -> str:
        """The metric that decides: on dev, in tests and in tables."""
        return self.metrics[0]

    def fixed(self) -> dict[str, Any]:
        """What makes two runs the same run: everything but where the data lie and how the work is shared out."""
        values = self.model_dump(mode="json", exclude={"data", "workers", "weights"})
        # Left out where nobody said so: runs from before there were such settings stay the same runs.
        return {k: v for k, v in values.items() if k not in LATER or v is not None}


C = TypeVar("C", bound=CompareConfig)


def read_compare_config(
    path: str | Path | None = None, changes: Sequence[str] = (), **options: Any
) -> CompareConfig:
    """A configuration from a YAML file, options and ``key.path=value`` changes; the later wins.

    Raises:
        ConfigError: all problems at once, with their lines.
    """
    return read_run_config(CompareConfig, path, changes, options)


def read_run_config(
    kind: type[C],
    path: str | Path | None,
    changes: Sequence[str],
    options: Mapping[str, Any],
    *,
    parts: Sequence[str] = ("tune",),
) -> C:
    """`read_compare_config` for any kind of run.

    Args:
        parts: sections whose options are laid over those of the file one by one.
    """
    options = dict(options)
    data, lines = read_yaml(path) if path is not None else ({}, {})
    if not isinstance(data, dict):
        raise ConfigError(f"expected a mapping at the top, found {type(data).__name__}", where=str(path))
    given = {name: options.pop(name, None) or {} for name in parts}
    merged = override({**data, **options}, changes)
    for name, part in given.items():
        if part:
            inner = merged.get(name) or {}
            # A change such as tune.rates=[…] is the last word, so options come in below it.
            last = [c for c in changes if c.startswith(f"{name}.")]
            merged[name] = override({name: {**inner, **part}}, last)[name]
    if "tune" in merged and "metrics" in merged and isinstance(merged["tune"], dict):
        merged["tune"].setdefault("metric", _first(merged["metrics"]))
    elif "metrics" in merged and "tune" not in merged:
        merged["tune"] = {"metric": _first(merged["metrics"])}
    source = str(path) if path is not None else "the command line"
    return parse(kind, merged, source=source, lines=lines)


def _first(metrics: Any) -> Any:
    return metrics[0] if isinstance(metrics, list | tuple) and metrics else metrics


def default_out(config: CompareConfig) -> Path:
    """Where a run goes when nobody says: a name of tasks, model and shots under ``runs``.

    >>> default_out(CompareConfig(tasks=("household/ObjectUse",), shots=16))
    PosixPath('runs/household-ObjectUse-mini-16')
    >>> default_out(CompareConfig(tasks=("household/ObjectUse",), tune={"method": "prompt"}))
    PosixPath('runs/household-ObjectUse-mini-prompt')
    """
    names = [slug(re.sub(r"\.[a-z]+$", "", _tail(task))) for task in config.tasks]
    told = "-".join(names[:2]) + (f"-and-{len(names) - 2}-more" if len(names) > 2 else "")
    shots = "" if config.shots is None else f"-{config.shots}"
    method = "" if config.tune.method == "finetune" else f"-{config.tune.method}"
    return Path("runs") / f"{told}-{slug(Path(config.model).name)}{shots}{method}"


def _tail(task: str) -> str:
    """A path's last part; a library name as it is."""
    return Path(task).name if task.startswith((".", "/", "~")) or task.count("/") > 1 else task


def slug(text: str) -> str:
    """A text as one safe part of a path.

    >>> slug("household/Object Use"), slug("../x")
    ('household-Object-Use', 'x')
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "task"
