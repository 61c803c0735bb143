"""Further sections of the page: regret, checkpoints, soft prompts, every family, and how it was made."""

from __future__ import annotations

from collections.abc import Iterator

from mto.evaluate.statistics import gain
from mto.report.markdown import bullets, escape, pairs, table
from mto.report.numbers import NONE, estimate, join, percent_gain
from mto.report.tables import CORPUS, Row, Table
from mto.study.every_task.config import Part
from mto.study.every_task.judged import (
    SYSTEMS,
    done_by,
    done_by_all,
    first_model,
    gains,
    of_metric,
    points,
    rules,
    sides,
    tested_families,
)
from mto.study.every_task.results import EveryTaskResults, Facts, Method
from mto.study.every_task.writing import (
    KINDS,
    first_name,
    kinds,
    mean,
    metrics,
    model_name,
    of_kind,
    said,
    short,
    title,
)


def regret(results: EveryTaskResults) -> Iterator[str]:
    """How good each way of choosing a family is, kind by kind."""
    judged = {kind: found for kind in kinds(results) if (found := rules(results, kind))}
    if not judged:
        return
    yield f"## How good the choice of a family is, checkpoint {escape(first_name(results))}"
    yield (
        "Regret is what a way of choosing loses against the family that turned out best on a task, in points. Intervals resample tasks, of which "
        "a kind has few. The noise floor chooses on half of the test items and is judged on the other."
    )
    for kind, found in judged.items():
        rows = [
            Row(
                "aligned" if rule.name == "matching" else "rule",
                None,
                (
                    rule.name,
                    f"{100 * rule.best.value:.0f} %",
                    f"{rule.regret.value:.2f} [{rule.regret.low:.2f}, {rule.regret.high:.2f}]",
                ),
            )
            for rule in found
        ]
        yield f"### Choosing for {KINDS[kind].lower()}"
        yield table(Table(("way of choosing", "the best family", "regret, points"), tuple(rows)))


def checkpoints(results: EveryTaskResults) -> Iterator[str]:
    """Systems by checkpoints (part *others*)."""
    if "others" in results.parts:
        yield "## By checkpoint"
        yield from _by_model(
            results, "finetune", ("checkpoint", *SYSTEMS, "gain over conventional", "in points")
        )
        yield bullets(
            [
                f"The best families by dev data are those of {first_name(results)} on every checkpoint; matching was asked on each."
            ]
        )
        yield from _beside_first(results)


def _beside_first(results: EveryTaskResults) -> Iterator[str]:
    """Of every further checkpoint, task by task: aligned against conventional, and each of them against the first checkpoint's."""
    first = first_name(results)
    for model in results.revisions:
        if short(model) == first:
            continue
        rows = []
        for metric in metrics(results):
            tasks = done_by(results, model, of_metric(results, metric))
            for some in (*([task] for task in tasks), *([tasks] if len(tasks) > 1 else [])):
                name = some[0].name if len(some) == 1 else f"all {len(some)}"
                plain, aligned = (sides(results, system, model, some) for system in SYSTEMS[:2])
                before = [sides(results, system, first_model(results), some) for system in SYSTEMS[:2]]
                pairs = ((aligned, plain), (plain, before[0]), (aligned, before[1]), (aligned, before[0]))
                cells = (estimate(gain(a, b).difference, sign=True) if a and b else NONE for a, b in pairs)
                rows.append(Row("task", None, (escape(name), escape(said(metric)), *cells)))
        if rows:
            heads = (
                "task", "measured by", "aligned − conventional", f"conventional − that of {first}",
                f"aligned − that of {first}", f"aligned − conventional of {first}",
            )  # fmt: skip
            yield f"{escape(short(model))}, differences in points:"
            yield table(Table(heads, tuple(rows)))


def soft(results: EveryTaskResults) -> Iterator[str]:
    """Systems with soft prompts (part *soft*)."""
    if "soft" in results.parts:
        yield "## With soft prompts"
        yield from _by_model(
            results, "prompt", ("checkpoint", "PT (conventional)", *SYSTEMS[1:], "gain over PT", "in points")
        )
        yield from _task_by_task(results)
        config = results.config
        yield bullets(
            [
                f"The checkpoint is frozen; {config['vectors']} vectors ({config['encoder']}) are trained. Each family is the one with soft prompts "
                "that stands for the fine-tuned one.",
            ]
        )


def _task_by_task(results: EveryTaskResults) -> Iterator[str]:
    """Systems with soft prompts beside the aligned family by fine-tuning."""
    for model in results.revisions:
        rows = []
        for task in done_by(results, model, results.tasks, "prompt"):
            own = [mean(sides(results, system, model, [task], "prompt")) for system in SYSTEMS]
            full = mean(sides(results, "aligned", model, [task]))
            rows.append(Row("task", None, (escape(task.name), escape(said(task.metric)), *own, full)))
        if rows:
            heads = ("task", "measured by", "PT (conventional)", *SYSTEMS[1:], "aligned, fine-tuned")
            yield f"Task by task, {escape(short(model))}:"
            yield table(Table(heads, tuple(rows)))


def _by_model(results: EveryTaskResults, method: Method, heads: tuple[str, ...]) -> Iterator[str]:
    for metric in metrics(results):
        tasks, rows = done_by_all(results, of_metric(results, metric), method), []
        for model in results.revisions:
            own = [mean(sides(results, system, model, tasks, method)) for system in SYSTEMS]
            if set(own) == {NONE}:
                continue
            found = gains(results, model, tasks, method)
            ratio = percent_gain(found[-1].found.ratio) if found and found[-1].found.ratio else NONE
            difference = estimate(found[-1].found.difference, sign=True) if found else NONE
            rows.append(Row("model", None, (model_name(results, model), *own, ratio, difference)))
        if rows:
            yield f"{escape(said(metric))}, mean over {', '.join(escape(task.name) for task in tasks)}:"
            yield table(Table(heads, tuple(rows)))


def details(results: EveryTaskResults) -> Iterator[str]:
    """Every family on every task, and what else was measured."""
    yield "## Family by family"
    for model in results.revisions:
        for kind in kinds(results):
            rows = [row for task in of_kind(results, kind) for row in _family_rows(results, model, task)]
            if not rows:
                continue
            told = [name for name in CORPUS if any(name in row[1] for row in rows)]
            filled = [
                Row("family", None, (*cells, *(_figure(of, name) for name in told))) for cells, of in rows
            ]
            heads = (
                "task, family", "untuned", "tuned", "right as written, %", "bits a byte, dev", "steps at rate",
                *(CORPUS[name] for name in told),
            )  # fmt: skip
            yield f"<details><summary>{escape(model_name(results, model))}: {KINDS[kind].lower()}</summary>"
            yield table(Table(heads, tuple(filled)))
            yield "</details>"


def _family_rows(
    results: EveryTaskResults, model: str, task: Facts
) -> Iterator[tuple[tuple[str, ...], dict[str, float]]]:
    for family in tested_families(results, model, task.name):
        cells = results.cells(model=model, method="finetune", family=family, task=task.name)
        untuned, n = results.before(model, family, task.name), len(cells)
        measures = {
            name: sum(c.measures.get(name, 0.0) for c in cells) / n for c in cells for name in c.measures
        }
        written = [100 * c.written.count("1") / len(c.written) for c in cells if c.written]
        before = [c.dev_bits_before for c in cells if c.dev_bits_before is not None]
        yield (
            (
                f"{task.name}, {title(family)}",
                mean([untuned.points[None]]) if untuned else NONE,
                mean([points(cells)]),
                f"{sum(written) / n:.1f}" if written else NONE,
                f"{sum(before) / n:.2f} → {sum(c.dev_bits for c in cells) / n:.2f}" if before else NONE,
                f"{cells[0].steps} at {cells[0].rate:g}",
            ),
            measures,
        )


def _figure(measures: dict[str, float], name: str) -> str:
    return f"{measures[name]:.1f}" if name in measures else NONE


def _part(results: EveryTaskResults, part: Part) -> str:
    """A part, with its tasks where it took only some."""
    some = results.config.get("tasks_of", {}).get(part)
    return f"{part} (on {join(some)})" if some else part


def made(results: EveryTaskResults) -> Iterator[str]:
    """Command, machine and settings."""
    yield "## How it was made"
    found, config = results.environment, results.config
    yield pairs(
        [
            ("command", results.command),
            ("hours of sweeps, tuning and testing", f"{results.hours:.1f}"),
            ("commit", str(found.get("commit", ""))),
            ("machine", f"{found.get('cores')} cores, {found.get('cpu')}"),
            ("seeds", str(len(config["seeds"]))),
            ("parts", ", ".join(_part(results, part) for part in results.parts)),
            *((f"weights of {short(model)}", revision) for model, revision in results.revisions.items()),
        ]
    )
    rows = [
        Row("task", None, (task.name, KINDS[task.kind].lower(), str(task.shots), str(task.items), said(task.metric)))
        for task in results.tasks
    ]  # fmt: skip
    yield table(Table(("task", "kind", "shots", "test items", "first metric"), tuple(rows)))
    yield (
        "Rate and steps were chosen once for each checkpoint, family and task, on the dev rows of one seed: the best mean rank by likelihood and "
        "first metric. With 0 steps dev preferred the checkpoint as it is."
    )
