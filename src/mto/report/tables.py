"""The tables of a report as plain text cells; Markdown, HTML and the terminal all draw these."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mto.report import numbers
from mto.report.chance import chance_metrics
from mto.report.dev import dev_curves
from mto.report.numbers import NONE, points
from mto.report.results import Comparison
from mto.report.titles import metric_title
from mto.report.values import Line, Scope


@dataclass(frozen=True)
class Row:
    """Cells in the order of the columns; `kind` and `family` say how to mark the row."""

    kind: str
    family: str | None
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Column heads and rows; the first column is text, the others are figures."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


CORPUS = {
    "macro_f1": "macro F1",
    "written_f1": "macro F1 (written)",
    "ece": "calibration error %",
    "near": "near misses %",
    "no_option": "no option %",
    "corpus_bleu": "BLEU of all",
    "corpus_chrf": "chrF of all",
}
"""Measures of all predictions together, in the order of the columns."""
HEADS = {"accuracy": "written", "exact_match": "exact", "rank_sum": "ranked"}  # for the terminal
ASKED = ("near", "no_option")
"""Of them those of answers that were asked to be an option."""
SHORT = {"zero-shot": "aligned, untuned", "most frequent tail": "frequent tail"}  # for the terminal


def score_table(comparison: Comparison, scope: Scope) -> Table:
    """Families, the aligned and the conventional way, and baselines, with everything that counts about them."""
    main = comparison.metric
    chance = chance_metrics(comparison, scope.tasks)
    shown = {name for line in scope.lines for name in line.metrics} | set(chance)
    others: list[str] = [
        name for name in ("rouge_l", "rouge_l3", "exact_match") if name in shown and name != main
    ]
    others += sorted(shown - {main, *others})
    tuned = comparison.stage == "tuned"
    columns = ["", f"{metric_title(main)} [95 %]", *map(metric_title, others)]
    free = all(task.kind == "completion" for task in comparison.tasks)  # then no answer had to be an option
    together = [
        name
        for name in CORPUS
        if any(line.corpus and name in line.corpus for line in scope.lines) and not (free and name in ASKED)
    ]
    columns += [CORPUS[name] for name in together]
    columns += ["empty %", "unasked sentinel %", "distinct %"]
    columns += ["chosen", "zero-shot", "rate × steps"] if tuned else []
    rows = []
    for line in scope.lines:
        cells = [line.label, numbers.estimate(line.score)]
        cells += [points(line.metrics.get(name)) for name in others]
        cells += [points((line.corpus or {}).get(name)) for name in together]
        cells += [points(line.empty), points(line.unasked), points(line.distinct)]
        if tuned:
            cells += [_chosen(line), points(line.zero_shot), _points(line)]
        rows.append(Row(line.kind, line.family, tuple(cells)))
    return Table(tuple(columns), (*rows, *_chance_row(chance, others, len(columns))))


def _chance_row(chance: Mapping[str, float], others: Sequence[str], width: int) -> list[Row]:
    """Guessing, where it has no score of the main metric."""
    cells = ["guessing", NONE, *(points(chance.get(name)) for name in others)]
    return [Row("baseline", None, (*cells, *[NONE] * (width - len(cells))))] if chance else []


def brief_table(comparison: Comparison, scope: Scope) -> Table:
    """The same with short heads, one further metric and no chosen points, for a terminal of 80 columns."""
    tuned = comparison.stage == "tuned"
    chance = chance_metrics(comparison, scope.tasks)
    second = _second(comparison, {name for line in scope.lines for name in line.metrics} | set(chance))
    columns = ["", f"{metric_title(comparison.metric)} [95 %]"]
    columns += [HEADS.get(name, metric_title(name)) for name in second]
    columns += ["empty %", "unasked %", "distinct %"]
    columns += ["chosen", "zero shot"] if tuned else []
    rows = []
    for line in scope.lines:
        short = line.label if line.kind == "family" else SHORT.get(line.key, line.key)
        cells = [short, numbers.estimate(line.score), *(points(line.metrics.get(name)) for name in second)]
        cells += [points(line.empty), points(line.unasked), points(line.distinct)]
        cells += [_chosen(line).replace(" of ", "/"), points(line.zero_shot)] if tuned else []
        rows.append(Row(line.kind, line.family, tuple(cells)))
    return Table(tuple(columns), (*rows, *_chance_row(chance, second, len(columns))))


def _second(comparison: Comparison, shown: Collection[str]) -> list[str]:
    """The metric beside the main one: what was written beside a ranking, a ranking beside what was written.

    Where it was not measured, the next one that was; none where there is no other.
    """
    order = [name for name in comparison.signatures if name in shown]
    others = [name for name in (*order, *sorted(set(shown) - set(order))) if name != comparison.metric]
    ranked = comparison.metric.startswith("rank_")
    wanted = [name for name in others if name == "accuracy" or (not ranked and name.startswith("rank_"))]
    return [*wanted, *(name for name in others if name == "exact_match"), *others][:1]


def _chosen(line: Line) -> str:
    return NONE if line.chosen is None else f"{line.chosen} of {line.cells}"


def _points(line: Line) -> str:
    """The point that dev data chose most often, with how often."""
    if not line.points:
        return NONE
    rate, steps, n = line.points[0]
    what = f"{numbers.rate(rate)} × {steps}" if steps else "no tuning"
    times = sum(times for _, _, times in line.points)
    return what if n == times else f"{what} ({n}/{times})"


def pair_table(scope: Scope) -> Table:
    """Every pair tested, the better one first."""
    rows = []
    for test in scope.tests:
        verdict = (
            "shown" if test.shown else "these seeds only" if test.only_these_seeds else "too close to call"
        )
        rows.append(
            Row(
                "shown" if test.shown else "open",
                None,
                (
                    f"{test.labels[0]} − {test.labels[1]}",
                    numbers.estimate(test.difference, sign=True),
                    numbers.p_value(test.p).removeprefix("= "),
                    numbers.p_value(test.holm).removeprefix("= "),
                    verdict,
                ),
            )
        )
    return Table(("pair", "difference [95 %]", "p", "p (Holm)", "verdict"), tuple(rows))


def gain_lines(scope: Scope) -> tuple[tuple[str, str], ...]:
    """The gain of docs/method.md 9 as label and value, or why there is none."""
    if scope.gain is None:
        return (("Gain", f"none: {scope.no_gain}"),) if scope.no_gain else ()
    gain = scope.gain
    ratio = numbers.percent_gain(gain.ratio) if gain.ratio is not None else f"no ratio: {gain.reason}"
    return (
        ("Gain, aligned over conventional", ratio),
        ("Difference in points", numbers.estimate(gain.difference, sign=True)),
        ("Aligned", numbers.estimate(gain.aligned)),
        ("Conventional", numbers.estimate(gain.conventional)),
    )


def dev_table(comparison: Comparison, tasks: Sequence[str] | None = None) -> Table | None:
    """Dev metric and nats a byte by rate, with how many sweeps tried and chose it; None without sweeps."""
    curves = dev_curves(comparison, tasks)
    if not curves:
        return None
    rates = sorted({point.rate for curve in curves for point in curve.points})
    rows = []
    for curve in curves:
        by_rate = {point.rate: point for point in curve.points}
        cells = [curve.title]
        for point in [curve.untuned, *(by_rate.get(rate) for rate in rates)]:
            if point is None:
                cells.append(NONE)
                continue
            extra = [f"{point.sweeps}/{curve.sweeps}"] if point.sweeps < curve.sweeps else []
            extra += [f"{point.chosen}×"] if point.chosen else []
            text = f"{points(point.metric)} · {point.nats_per_byte:.2f}"
            cells.append(f"{text} ({', '.join(extra)})" if extra else text)
        rows.append(Row("family", curve.family, tuple(cells)))
    return Table(("", "no tuning", *(numbers.rate(rate) for rate in rates)), tuple(rows))


def asked(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """What was asked, as label and value, without tasks, families and the command."""
    model = comparison.model
    said = [model.ref]
    if model.parameters:
        said.append(f"{model.parameters / 1e6:.1f} M parameters")
    if model.tokens_seen:
        said.append(f"pre-trained on {model.tokens_seen / 1e6:,.1f} M tokens")
    if model.objectives:
        said.append(f"objectives {_shares(model.objectives)}")
    if model.latest and model.latest != model.objectives:
        said.append(f"in the last stage {_shares(model.latest)}")
    if model.revision:
        said.append(f"revision {model.revision[:16]}")
    shots = (
        "all labelled rows" if comparison.shots is None else numbers.count(comparison.shots, "labelled row")
    )
    tails = ", one tail a head" if any(task.kind == "completion" for task in comparison.tasks) else ""
    rows = [
        ("Model", "; ".join(said)),
        ("Shots", f"{shots} a split{tails}" if comparison.shots else shots),
        ("Seeds", ", ".join(map(str, comparison.seeds))),
        ("Metric", comparison.signatures.get(comparison.metric) or metric_title(comparison.metric)),
    ]
    return (
        *rows,
        *((key.replace("_", " ").capitalize(), _setting(v)) for key, v in comparison.settings.items()),
    )


def _setting(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key} {_setting(one)}" for key, one in value.items() if one is not None)
    if isinstance(value, list | tuple):
        return ", ".join(map(_setting, value))
    return numbers.rate(value) if isinstance(value, float) else str(value)


def _shares(objectives: Mapping[str, float]) -> str:
    return ", ".join(f"{100 * share:.0f} % {name}" for name, share in sorted(objectives.items()))


def machine(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """Machine, versions and time, as label and value."""
    known = comparison.environment
    packages = known.get("packages") or {}
    rows = [
        ("Time", numbers.duration(comparison.hours)),
        (
            "Processor",
            f"{known['cpu']}, {numbers.count(known.get('cores') or 1, 'core')}" if known.get("cpu") else "",
        ),
        ("Accelerator", str(known.get("gpu") or "")),
        ("System", " ".join(str(known[key]) for key in ("system",) if known.get(key))),
        ("Python", str(known.get("python") or "")),
        ("Packages", ", ".join(f"{name} {version}" for name, version in sorted(packages.items()) if version)),
        ("Commit", str(known.get("commit") or "")),
    ]
    return tuple((label, value) for label, value in rows if value)


def task_rows(comparison: Comparison) -> Table:
    """The tasks as they were asked."""
    rows = []
    for task in comparison.tasks:
        test = f"{len(task.test_heads)}" + (f" ({task.folds}-fold over the rows)" if task.folds else "")
        cells = (
            task.name,
            task.type or NONE,
            task.phrase or NONE,
            str(task.train_rows),
            str(task.dev_rows),
            test,
            str(task.warnings),
        )
        rows.append(Row("task", None, cells))
    columns = ("task", "type", "phrase", "train rows", "dev rows", "test heads", "warnings")
    return Table(columns, tuple(rows))


def family_table(comparison: Comparison) -> Table:
    """The families with their templates, and what was trained of them where that is not all weights."""
    rows, soft = [], any(cell.trained for cell in comparison.cells)
    for family in comparison.families:
        cells = [
            family.title + (" (conventional)" if family.conventional else ""),
            family.objective or NONE,
            family.source or NONE,
            family.target or NONE,
        ]
        cells += _trained(comparison, family.name) if soft else []
        rows.append(Row("family", family.name, tuple(cells)))
    more = ("trained", "trained numbers", "kept a task, kB") if soft else ()
    return Table(("family", "looks like", "source", "target", *more), tuple(rows))


def _trained(comparison: Comparison, family: str) -> list[str]:
    """In words, how many numbers, and how large; each of them once where cells differ."""
    found = [cell.trained for cell in comparison.cells if cell.family == family and cell.trained]
    whats = dict.fromkeys(one.what for one in found)
    counts = sorted({one.numbers for one in found})
    sizes = sorted({f"{4 * one.kept / 1000:.1f}" for one in found if one.kept}, key=float)
    return [
        "; ".join(whats) or NONE,
        " / ".join(map(numbers.thousands, counts)) or NONE,
        " / ".join(sizes) or NONE,
    ]
