"""The part of the page that says what the checkpoints were adapted on, and what that did to their losses."""

from __future__ import annotations

from collections.abc import Iterator

from mto.report.markdown import bullets, table
from mto.report.numbers import thousands
from mto.report.tables import Row, Table
from mto.study.adaptation.results import AdaptationResults, AdaptedArm
from mto.study.matching.results import relation


def blocks(results: AdaptationResults) -> Iterator[str]:
    """Markdown blocks: losses, pairs, splitters."""
    yield from _losses(results)
    yield from _pairs(results)
    yield from _splitters(results)


def _losses(results: AdaptationResults) -> Iterator[str]:
    yield "## What adaptation did to the losses"
    names = list(dict.fromkeys(name for arm in results.arms for name in arm.before))
    rows = [
        Row(
            "arm",
            None,
            (
                arm.name, thousands(arm.counts.get("trained", 0)), f"{arm.kept_step:,} of {arm.steps:,}",
                *(_change(arm, name) for name in names),
            ),
        )
        for arm in results.arms
    ]  # fmt: skip
    yield table(Table(("adapted with", "rows trained", "kept step", *names), tuple(rows)))
    yield bullets(
        [
            "Nats a token on held-out text, before -> after. `pairs` are held-out pairs of the arm's own set, written as each objective; "
            "`general` are sentences of the same files that were chosen for no task.",
        ]
    )


def _change(arm: AdaptedArm, name: str) -> str:
    if name not in arm.before:
        return "–"
    return f"{arm.before[name]:.2f} -> {arm.after[name]:.2f}"


def _pairs(results: AdaptationResults) -> Iterator[str]:
    for prepared in results.prepared:
        kept = prepared.steps.get("kept", 0)
        yield f"## Pairs: {prepared.name}"
        yield (
            f"From {', '.join(prepared.files)}: {kept:,} clean sentences, "
            f"{prepared.pairs.get('task', 0):,} task pairs."
        )
        rows = [
            Row(
                "task",
                None,
                (
                    relation(one.task), f"{one.pairs:,}", f"{one.from_phrase:,}",
                    *(f"{one.by.get(how, 0):,}" for how in ("phrase", "model", "last-phrase")),
                    f"{100 * one.denoising:.0f} %", f"{100 * one.leaked:.0f} %",
                    f"{sum(one.met)} of {len(one.met)}",
                ),
            )
            for one in prepared.tasks
        ]  # fmt: skip
        yield table(
            Table(
                (
                    "relation", "pairs", "chosen by a phrase", "split by phrase", "by model", "by last phrase",
                    "routed to denoising", "dev and test triples that stood in the text", "test heads met in a pair",
                ),
                tuple(rows),
            )
        )  # fmt: skip


def _splitters(results: AdaptationResults) -> Iterator[str]:
    if not results.splitters:
        return
    yield "## How well targets are found"
    yield "From the [study of the splitters](splitter.md), on verbalised test triples:"
    rows = [
        Row(
            "splitter",
            None,
            (
                one.splitter, "in the training" if one.seen else "left out", f"{100 * one.figures.kept:.0f} %",
                f"{100 * one.figures.exact:.1f} % [{100 * one.figures.exact_low:.0f}, {100 * one.figures.exact_high:.0f}]",
                f"{100 * one.figures.overlap:.1f} %",
            ),
        )
        for one in results.splitters
    ]  # fmt: skip
    yield table(Table(("splitter", "relations", "kept", "exact [95 %]", "overlap"), tuple(rows)))
