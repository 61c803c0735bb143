"""`Comparison`: everything that a comparison of template families found out, as one strict, versioned file.

It is written to ``results.json`` in a run folder and, as it stands, under ``docs/results/data``. Tables, plots and
pages are made from it alone. Numbers are rounded when a value is made (scores to 0.01 points), so that a report
from memory and one from the file have the same bytes.

What it does not hold on purpose: means and intervals (`mto.report.summarise` makes them), and the list of missing
cells (`Comparison.missing` works it out from tasks, families and seeds).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from mto.config import Strict
from mto.errors import DataError
from mto.runs import read_json, write_text

FORMAT = 1
RESULTS = "results.json"  # its name in a run folder

Stage = Literal["tuned", "zero-shot"]
BaselineName = Literal["most frequent tail", "nearest head", "most frequent answer", "guessing"]


def _rounded(digits: int) -> AfterValidator:
    return AfterValidator(lambda value: round(value, digits) + 0.0)  # + 0.0 turns -0.0 into 0.0


Points = Annotated[float, Field(ge=0, le=100), _rounded(2)]
"""A score from 0 to 100."""
Share = Annotated[float, Field(ge=0, le=1), _rounded(4)]
"""A share from 0 to 1."""
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False), _rounded(1)]
Number = Annotated[float, Field(allow_inf_nan=False), _rounded(4)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A learning rate; never rounded."""
Scores = dict[str, tuple[Points, ...]]
"""Metric name to one score a head, in the order of `TaskInfo.test_heads`."""


class ModelInfo(Strict):
    """The checkpoint that every family was tuned from."""

    ref: str
    revision: str = ""
    parameters: int | None = None
    tokens_seen: int | None = None
    objectives: dict[str, Number] = {}
    """What it was pre-trained with, such as ``{"denoising": 0.5, "lm": 0.5}``."""
    latest: dict[str, Number] = {}
    """The same of the last stage alone, where that is known."""


class TaskInfo(Strict):
    """One task (for completion: one relation)."""

    name: str
    """As asked for, such as ``household/ObjectUse``; cells name their task by it."""
    relation: str
    type: str | None = None
    phrase: str = ""
    train_rows: int
    dev_rows: int
    test_heads: tuple[str, ...]
    """The items of all statistics. Under k-fold these are the heads of the rows themselves."""
    folds: int | None = None
    warnings: int = 0
    kind: Literal["completion", "multiple-choice", "classification", "text-to-text"] = "completion"


class FamilyInfo(Strict):
    """One template family; `source` and `target` are its templates as the reader should see them."""

    name: str
    title: str
    objective: str | None = None
    conventional: bool = False
    source: str = ""
    target: str = ""


class Trained(Strict):
    """What was trained in place of all weights: a soft prompt, or low-rank updates.

    Attributes:
        what: in words, such as ``20 vectors, residual-mlp``.
        numbers: how many numbers were trained.
        kept: how many of one's own an answer needs, four bytes each; None: a whole checkpoint.
    """

    what: str
    numbers: int
    kept: int | None = None


class Cell(Strict):
    """What one family scored on the test heads of one task with the split of one seed."""

    task: str
    family: str
    seed: int
    stage: Stage = "tuned"
    scores: Scores
    empty: Share = 0.0
    unasked: Share = 0.0
    distinct: Share = 0.0
    words_lost: int = 0
    seconds: Seconds = 0.0
    dev: dict[str, Number] | None = None
    """Dev scores of the chosen point, such as ``{"nats_per_byte": 0.9, "rouge_l": 21.0}``."""
    trained: Trained | None = None
    """None: all weights."""
    corpus: dict[str, Number] = {}
    """Measures of all predictions together, such as ``{"macro_f1": 71.2, "ece": 8.0}``; empty where there are none."""


class Baseline(Strict):
    """What copying the few-shot rows, or guessing, scores, without a model."""

    task: str
    name: BaselineName
    seed: int
    scores: Scores
    distinct: Share = 0.0
    corpus: dict[str, Number] = {}


class SweepPoint(Strict):
    """Dev values at one rate after so many steps; `metric` is `Comparison.metric` in points."""

    rate: Rate
    steps: int = Field(ge=0)
    nats_per_byte: Number
    metric: Points
    seconds: Seconds = 0.0


class SweepInfo(Strict):
    """The sweep of one cell on dev data."""

    task: str
    family: str
    seed: int
    points: tuple[SweepPoint, ...]
    chosen: SweepPoint
    extended: tuple[Rate, ...] = ()
    """Rates that were added because the best one stood at an edge of the grid."""
    fold: int | None = None
    """The outer fold (from 0) when the score is k-fold; one sweep a fold then."""
    reason: str = ""


class Choice(Strict):
    """The aligned family of a task and seed, and what chose it: dev data, or matching before anything was tuned."""

    task: str
    seed: int
    family: str
    reason: str = ""
    by: Literal["dev", "match"] = "dev"


class Forecast(Strict):
    """What matching expected of one family: score above or below the mean of all, in percent, with its 80 % interval."""

    family: str
    expected: Number
    low: Number
    high: Number
    best: Share
    """Probability that no other family scores higher."""


class MatchInfo(Strict):
    """What matching said about a task and seed, from labelled rows alone. The whole of it stands in the run's ``match`` folder."""

    task: str
    seed: int
    family: str
    too_close: bool
    verdict: tuple[str, ...]
    evidence: tuple[str, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    """The best expected first; also of families that were not tuned."""
    seconds: Seconds = 0.0


class Shown(Strict):
    """An example for the reader, of one seed: what each family wrote beside the references."""

    task: str
    head: str
    references: tuple[str, ...]
    predictions: dict[str, str]
    """Family name to what it wrote."""
    scores: dict[str, Points] = {}
    """Family name to its score of `Comparison.metric`."""
    kind: Literal["good", "bad", "drawn"] = "drawn"
    """Best or worst of the aligned family, or drawn blindly."""
    seed: int = 0


class Comparison(Strict):
    """All results of one comparison. See the module for what is left out on purpose."""

    format: Literal[1] = 1
    title: str
    command: str
    environment: dict[str, Any] = {}
    """As `mto.runs.environment` gives it."""
    settings: dict[str, Any] = {}
    """How tuning was done, the same for every family: rates, ladder, batch, optimiser, select, beams, …"""
    hours: Annotated[float, Field(ge=0), _rounded(4)] = 0.0
    """Time from start to end by the clock, interruptions left out."""
    model: ModelInfo
    shots: int | None = Field(ge=0)
    """Labelled rows of a split; 0: no tuning; None: every row of the train file."""
    seeds: tuple[int, ...] = Field(min_length=1)
    zero_shot: bool = True
    """Whether families were also scored without tuning."""
    metric: str = "rouge_l"
    """The metric that decides and that tests are made on."""
    ranking: str = "sum"
    """The ranking that calibration error and macro F1 in `Cell.corpus` are of; ``sum`` where nothing is said."""
    signatures: dict[str, str] = {}
    """Metric name to what computed it (`Metric.signature()`)."""
    tasks: tuple[TaskInfo, ...] = Field(min_length=1)
    families: tuple[FamilyInfo, ...] = Field(min_length=1)
    cells: tuple[Cell, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    sweeps: tuple[SweepInfo, ...] = ()
    choices: tuple[Choice, ...] = ()
    matches: tuple[MatchInfo, ...] = ()
    shown: tuple[Shown, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Comparison:
        heads = {task.name: len(task.test_heads) for task in self.tasks}
        families = {family.name for family in self.families}
        seeds = set(self.seeds)
        if len(heads) < len(self.tasks) or len(families) < len(self.families):
            raise ValueError("two tasks or two families have the same name")
        if len(seeds) < len(self.seeds):
            raise ValueError(f"a seed stands twice in {list(self.seeds)}")
        if sum(family.conventional for family in self.families) > 1:
            raise ValueError("more than one family is marked as conventional")
        seen: set[tuple[object, ...]] = set()
        for kind, key, entry in self._entries():
            if entry.task not in heads or entry.seed not in seeds:
                raise ValueError(f"{kind} of an unknown task or seed: {key}")
            if (family := getattr(entry, "family", None)) is not None and family not in families:
                raise ValueError(f"{kind} of an unknown family: {key}")
            if (kind, key) in seen:
                raise ValueError(f"{kind} stands twice: {key}")
            seen.add((kind, key))
            if isinstance(entry, Cell | Baseline):
                # Guessing among tails that were ranked beside: it writes nothing that the main metric could score.
                guessed = isinstance(entry, Baseline) and entry.name == "guessing"
                if self.metric not in entry.scores and not guessed:
                    raise ValueError(f"{kind} {key} has no {self.metric}, only {sorted(entry.scores)}")
                for metric, values in entry.scores.items():
                    if len(values) != heads[entry.task]:
                        raise ValueError(
                            f"{kind} {key} has {len(values)} scores of {metric} for {heads[entry.task]} heads"
                        )
        return self

    def _entries(
        self,
    ) -> Iterator[tuple[str, tuple[object, ...], Cell | Baseline | Choice | MatchInfo | SweepInfo]]:
        for cell in self.cells:
            yield "cell", (cell.task, cell.family, cell.seed, cell.stage), cell
        for baseline in self.baselines:
            yield "baseline", (baseline.task, baseline.name, baseline.seed), baseline
        for choice in self.choices:
            yield "choice", (choice.task, choice.seed), choice
        for match in self.matches:
            yield "match", (match.task, match.seed), match
        for sweep in self.sweeps:
            yield "sweep", (sweep.task, sweep.family, sweep.seed, sweep.fold), sweep

    @property
    def stage(self) -> Stage:
        """The stage that the comparison is about: ``zero-shot`` where no example was given."""
        return "zero-shot" if self.shots == 0 else "tuned"

    @property
    def missing(self) -> tuple[str, ...]:
        """Cells that are not there yet, as ``task, family, seed n[, zero-shot]``; empty for a finished run.

        Zero-shot cells may be there for one seed only, because no data are drawn for them.
        """
        there = {(c.task, c.family, c.seed, c.stage) for c in self.cells}
        once = {(c.task, c.family) for c in self.cells if c.stage == "zero-shot"}
        out = []
        for task in self.tasks:
            for family in self.families:
                for seed in self.seeds:
                    if self.stage == "tuned" and (task.name, family.name, seed, "tuned") not in there:
                        out.append(f"{task.name}, {family.name}, seed {seed}")
                wanted = self.zero_shot or self.stage == "zero-shot"
                if wanted and (task.name, family.name) not in once:
                    out.append(f"{task.name}, {family.name}, zero-shot")
        return tuple(out)

    @property
    def conventional(self) -> FamilyInfo | None:
        """The family marked as conventional, if it takes part."""
        return next((family for family in self.families if family.conventional), None)


def write_results(comparison: Comparison, path: str | Path) -> Path:
    """Write the file atomically, one entry a line, so that it is small and a diff can be read.

    Equal comparisons give equal bytes.

    Raises:
        RunError: the disk is full, or the path cannot be written.
    """
    return write_text(path, dump(comparison))


def read_results(path: str | Path) -> Comparison:
    """Read a results file, or the ``results.json`` of a run folder.

    Raises:
        RunError: no such file, or not JSON.
        DataError: not a results file of this format; the first problems, each with its path in the file.
    """
    path = Path(path)
    file = path / RESULTS if path.is_dir() else path
    data = read_json(file)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise DataError(
            f"is no results file of format {FORMAT} (found: {found!r})",
            where=str(file),
            hint="make it again with this version of mto, or read it with the version that wrote it",
        )
    try:
        return Comparison.model_validate(data)
    except ValidationError as error:
        raise DataError(
            problems(error), where=str(file), hint="make the file again; do not edit it by hand"
        ) from None


def problems(error: ValidationError) -> str:
    """The first problems, without the values: a whole results file may stand behind one of them."""
    found = [f"{'.'.join(map(str, p['loc'])) or 'whole file'}: {p['msg']}" for p in error.errors()]
    more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""
    return "; ".join(found[:5]) + more


def dump(comparison: Comparison) -> str:
    """The text of a results file."""
    return dump_lines(comparison, {"format": comparison.format})


def dump_lines(results: Strict, first: Mapping[str, Any]) -> str:
    """Results as text, one entry of each list a line. `first` says what file it is."""
    rows = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in first.items()]
    for key, value in results.model_dump(mode="json", exclude_defaults=True).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines = ",\n  ".join(_compact(entry) for entry in value)
            rows.append(f"{json.dumps(key)}: [\n  {lines}\n ]")
        else:
            rows.append(f"{json.dumps(key)}: {_compact(value)}")
    return "{" + ",\n ".join(rows) + "}\n"


def _compact(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """Whole numbers without ``.0``: a third of the bytes of scores, most of which are 0 or 100."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value
