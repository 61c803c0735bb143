"""The page of the study of the task classifiers, made from its committed results file alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mto.match.classifier.crossval import VOTERS, LeaveOneOut
from mto.match.evidence import Span
from mto.report.markdown import bullets, escape, pairs, table
from mto.report.recipe import Recipe
from mto.report.tables import Row, Table
from mto.study.classifiers.results import ClassifierResults, read_classifiers
from mto.study.page import StudyPage

SHIPPED = ("fast", "household and atomic2020", "atomic2020")
"""Classifier, what it learned from and what it is judged on: what `classify` does for an embedded checkpoint."""


def _blocks(file: Path) -> Iterator[str]:
    results = read_classifiers(file)
    tables = results.tables()
    for model in results.revisions:
        yield from _figures(model, {row[1:]: found for row, found in tables.items() if row[0] == model})
    yield from _made(results)


def _figures(model: str, tables: dict[tuple[str, str, str], LeaveOneOut]) -> Iterator[str]:
    yield f"## {escape(model)}"
    rows = [
        Row(
            "classifier",
            None,
            (
                *at,
                _percent(found.examples),
                f"{found.tasks.value * len(found.relations):.0f} of {len(found.relations)}",
                f"{sum(r.few_right for r in found.relations) / len(found.relations):.0%}",
                f"{found.nats.value:.2f}",
            ),
        )
        for at, found in tables.items()
    ]
    columns = (
        "classifier", "learned from", "judged on", "examples right [95 %]", "relations right by vote",
        f"votes of {VOTERS} heads right", "nats an example",
    )  # fmt: skip
    yield table(Table(columns, tuple(rows)))
    chances = {at[2]: found.chance for at, found in tables.items()}
    yield bullets(
        [
            "Every relation is judged by classifiers that never saw a relation of its name, in any data set. "
            "Intervals resample relations, and heads inside each.",
            "Always saying the commoner type is right for "
            + " and ".join(f"{chance:.0%} of the relations of {name}" for name, chance in chances.items())
            + ". A coin's loss is 0.69 nats.",
        ]
    )
    for name, at in (
        ("The fast classifier as it is shipped", SHIPPED),
        ("The paper's classifier", _seq2seq(tables)),
    ):
        if at in tables:
            yield f"### {name}, relation by relation ({escape(model)})"
            yield _relations(tables[at])


def _seq2seq(tables: dict[tuple[str, str, str], LeaveOneOut]) -> tuple[str, str, str]:
    return next((at for at in tables if at[0] == "seq2seq"), ("", "", ""))


def _relations(found: LeaveOneOut) -> str:
    rows = [
        Row(
            "relation",
            None,
            (
                one.relation.rpartition("/")[2],
                one.type,
                _percent(one.examples),
                f"{one.mean:.2f}",
                "right" if one.vote_right else "wrong",
                f"{one.few_right:.0%}",
            ),
        )
        for one in found.relations
    ]
    columns = (
        "relation", "type", "examples right [95 %]", "mean probability of mask-filling", "vote of all heads",
        f"votes of {VOTERS} heads right",
    )  # fmt: skip
    return table(Table(columns, tuple(rows)))


def _percent(span: Span) -> str:
    return f"{100 * span.value:.1f} % [{100 * span.low:.0f}, {100 * span.high:.0f}]"


def _made(results: ClassifierResults) -> Iterator[str]:
    yield "## How it was made"
    found = results.environment
    yield pairs(
        [
            ("command", results.command),
            ("hours of work", f"{results.hours:.1f}"),
            ("commit", str(found.get("commit", ""))),
            ("machine", f"{found.get('cores')} cores, {found.get('cpu')}"),
            *((f"weights of {model}", revision) for model, revision in results.revisions.items()),
        ]
    )


PAGE = StudyPage(Recipe("classifier page"), _blocks)
