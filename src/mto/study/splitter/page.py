"""The page of the study of the splitters, made from its committed results file alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mto.report.markdown import bullets, escape, pairs, table
from mto.report.recipe import Recipe
from mto.report.tables import Row, Table
from mto.study.page import StudyPage
from mto.study.splitter.results import Figures, Judged, SplitterResults, figures, interval, read_splitters

_COLUMNS = (
    "splitter", "kept", "exact, of all sentences [95 %]", "overlap [95 %]", "exact, of the spans that were kept",
)  # fmt: skip


def _blocks(file: Path) -> Iterator[str]:
    results = read_splitters(file)
    unseen, seen = results.rows(seen=False), results.rows(seen=True)
    yield "## Relations that were left out of the training"
    yield _figures(unseen)
    yield bullets(
        [
            "One test sentence a head: head, phrase and tail. Exact: the span has the words of the tail, no more and no fewer. Overlap: F1 of "
            "the words, 0 where no span is kept. Means of relation means; intervals resample the sentences of each relation.",
            "The rules are not told the relation here, so they know neither its phrases nor what its targets are like.",
            "Free: the model writes, and what it writes must stand in the sentence. Spans: the likeliest span of the sentence itself.",
        ]
    )
    yield "## Relations of the training, other heads"
    yield _figures(seen)
    yield bullets(
        [
            "This is how a splitter is used: it has learned from the labelled rows of the task, and the rules know its phrases. "
            "The sentences are written with these very phrases, so the rules find them too easily; in raw text most sentences hold no phrase.",
        ]
    )
    yield "## Relation by relation: exact spans"
    yield _relations(unseen, "left out of the training")
    yield _relations(seen, "in the training")
    yield from _made(results)


def _name(at: tuple[str, str]) -> str:
    model, splitter = at
    return f"{splitter} ({model})" if model else splitter


def _figures(found: dict[tuple[str, str], tuple[Judged, ...]]) -> str:
    rows = [Row("splitter", None, (_name(at), *_cells(figures(some)))) for at, some in found.items()]
    return table(Table(_COLUMNS, tuple(rows)))


def _cells(found: Figures) -> tuple[str, ...]:
    return (
        f"{100 * found.kept:.0f} %",
        _percent(found.exact, found.exact_low, found.exact_high),
        _percent(found.overlap, found.overlap_low, found.overlap_high),
        "" if found.precision is None else f"{100 * found.precision:.0f} %",
    )


def _relations(found: dict[tuple[str, str], tuple[Judged, ...]], title: str) -> str:
    relations = list(dict.fromkeys(one.relation for some in found.values() for one in some))
    of = {at: {one.relation: one for one in some} for at, some in found.items()}
    rows = []
    for relation in relations:
        cells = []
        for some in of.values():
            one = some.get(relation)
            exact = interval([[float(hit == 1.0) for hit in one.overlap]]) if one else None
            cells.append(_percent(exact.mean, exact.low, exact.high) if exact else "")
        rows.append(Row("relation", None, (relation.rpartition("/")[2], *cells)))
    return table(Table((title, *(_name(at) for at in of)), tuple(rows)))


def _percent(mean: float, low: float, high: float) -> str:
    return f"{100 * mean:.1f} % [{100 * low:.0f}, {100 * high:.0f}]"


def _made(results: SplitterResults) -> Iterator[str]:
    yield "## How it was made"
    found = results.environment
    yield pairs(
        [
            ("command", results.command),
            ("hours of work", f"{results.hours:.1f}"),
            ("commit", str(found.get("commit", ""))),
            ("machine", f"{found.get('cores')} cores, {found.get('cpu')}"),
            *((f"weights of {escape(model)}", revision) for model, revision in results.revisions.items()),
        ]
    )


PAGE = StudyPage(Recipe("splitter page"), _blocks)
"""The results file of the study of the splitters to its page."""
