"""A page of results from several results files: models side by side, then relation by relation.

The page is made from the committed files alone, so a test can make it again and compare it byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mto.errors import DataError
from mto.report import notes
from mto.report.markdown import bullets, escape, fenced, pairs, scope_blocks, table
from mto.report.numbers import NONE, estimate, percent_gain, points
from mto.report.plots import means_plot
from mto.report.recipe import Recipe
from mto.report.results import Comparison, read_results
from mto.report.summary import summarise
from mto.report.svg import standalone
from mto.report.tables import Row, Table, asked, dev_table, family_table, machine, task_rows
from mto.report.titles import metric_title, model_name, task_labels
from mto.report.values import Line, Scope, Summary
from mto.runs import write_text

RECIPE = Recipe("page")
Entry = tuple[Path, Comparison, Summary]


def render_page(
    files: Sequence[str | Path], title: str, *, remarks: str = "", plots: Mapping[Path, str] | None = None
) -> str:
    """Markdown with a table model x family over all tasks, tables by task, and how each file was made.

    Args:
        files: results files or run folders, one a model (a model may come twice with different settings).
        title: of the page.
        remarks: Markdown of what a person has to say about the figures; it stands after the title.
        plots: results file to its picture of means, as seen from the page.

    Raises:
        RunError, DataError: a file that is missing or no results file; files with different metrics.
    """
    entries = _read(files)
    blocks = [f"# {escape(title)}"]
    if remarks.strip():
        blocks.append(remarks.strip())
    blocks += [*_models(entries), *_tasks(entries), *_single(entries, plots or {}), *_made(entries)]
    return "\n\n".join(blocks) + "\n"


def write_page(
    path: str | Path, files: Sequence[str | Path], title: str, *, remarks: str | Path | None = None
) -> Path:
    """Write a page with its pictures beside it, under ``plots/``.

    The page's first line says what it was made from, so that `remake_page` can make it again.

    Args:
        path: the page, such as ``docs/results/foundation.md``.
        files, title: as for `render_page`.
        remarks: a Markdown file for `render_page`'s remarks.
    """
    path = Path(path)
    for file, text in _page_files(
        path, [Path(f) for f in files], title, Path(remarks) if remarks else None
    ).items():
        write_text(file, text)
    return path


def remake_page(path: str | Path) -> dict[Path, str]:
    """The texts of a page that `write_page` wrote and of its pictures, made again from its results files.

    Raises:
        DataError: the page does not say what it was made from.
    """
    path = Path(path)
    told = RECIPE.read(path)
    return _page_files(path, told["files"], told["title"], told["remarks"])


def _page_files(path: Path, files: Sequence[Path], title: str, remarks: Path | None) -> dict[Path, str]:
    """Every file of a page with its text; the paths in the recipe are as seen from the page."""
    plots, out = {}, {}
    for number, (file, comparison, summary) in enumerate(_read(files), start=1):
        if (svg := means_plot(comparison, summary)) is not None:
            name = f"plots/{path.stem}-{number}.svg"
            plots[file] = name
            out[path.parent / name] = standalone(svg)
    text = render_page(
        files, title, remarks=remarks.read_text(encoding="utf-8") if remarks else "", plots=plots
    )
    return {path: f"{RECIPE.line(path, title, files, remarks)}\n{text}"} | out


def _read(files: Sequence[str | Path]) -> list[Entry]:
    if not files:
        raise DataError("no results files", hint="give at least one results.json or run folder")
    comparisons = [read_results(file) for file in files]
    if len({c.metric for c in comparisons}) > 1:
        raise DataError(f"the files have different main metrics: {sorted({c.metric for c in comparisons})}")
    return [(Path(f), c, summarise(c)) for f, c in zip(files, comparisons, strict=True)]


def _models(entries: Sequence[Entry]) -> Iterator[str]:
    metric = metric_title(entries[0][1].metric)
    yield f"## Model by family, {metric} over all tasks"
    yield table(_side_by_side(entries, None))
    yield bullets(
        [
            *notes.score_notes(entries[0][1]),
            "“Highest” is a mean, not a test; the tests stand with each model below.",
        ]
    )
    for _, comparison, summary in entries:
        yield f"### Reading for {escape(model_name(comparison))}"
        warnings = [w for w in (summary.illustration, notes.missing_note(summary)) if w]
        yield bullets([*warnings, *summary.reading])


def _tasks(entries: Sequence[Entry]) -> Iterator[str]:
    labels = dict.fromkeys(scope.name for _, _, summary in entries for scope in summary.tasks)
    if len(labels) < 2:
        return
    shown = {name: label for _, comparison, _ in entries for name, label in task_labels(comparison).items()}
    yield "## Task by task"
    for name in labels:
        yield f"### {escape(shown[name])}"
        yield table(_side_by_side(entries, name))


def _side_by_side(entries: Sequence[Entry], task: str | None) -> Table:
    """One row a model: every family, the aligned and the conventional way, the gain, and copying."""
    families = dict.fromkeys((f.name, f.title) for _, c, _ in entries for f in c.families)
    columns = ["model", *(title for _, title in families), "aligned", "gain", "copy: nearest head"]
    rows = []
    for _, comparison, summary in entries:
        scope = _scope(summary, task)
        if scope is None:
            rows.append(Row("open", None, (model_name(comparison), *[NONE] * (len(columns) - 1))))
            continue
        best = max(scope.families, key=lambda line: line.score.mean).key
        cells = [model_name(comparison)]
        for name, _ in families:
            line = scope.line(name)
            mark = " (highest)" if name == best and len(scope.families) > 1 else ""
            cells.append(_cell(line) + mark)
        ratio = scope.gain.ratio if scope.gain is not None else None
        cells += [_cell(scope.line("aligned")), percent_gain(ratio) if ratio else NONE]
        nearest = scope.line("nearest head")
        cells.append(points(nearest.score.mean) if nearest else NONE)
        rows.append(Row("model", None, tuple(cells)))
    return Table(tuple(columns), tuple(rows))


def _scope(summary: Summary, task: str | None) -> Scope | None:
    if task is None:
        return summary.whole
    return next((scope for scope in summary.tasks if scope.name == task), None)


def _cell(line: Line | None) -> str:
    return NONE if line is None else estimate(line.score)


def _single(entries: Sequence[Entry], plots: Mapping[Path, str]) -> Iterator[str]:
    for path, comparison, summary in entries:
        if summary.whole is None:
            continue
        yield f"## Model {escape(model_name(comparison))}"
        if path in plots:
            yield f"![Means with intervals for each family]({plots[path]})"
        yield from scope_blocks(comparison, summary.whole)
        yield bullets(notes.pair_notes(summary))
        if len(summary.tasks) > 1:
            yield f"<details><summary>{escape(model_name(comparison))}, task by task</summary>"
            for scope in summary.tasks:
                yield from scope_blocks(comparison, scope)
            yield "</details>"
        if (found := dev_table(comparison)) is not None:
            yield "### Dev score by rate"
            yield table(found)
            yield bullets(notes.dev_notes(comparison))


def _made(entries: Sequence[Entry]) -> Iterator[str]:
    yield "## How it was made"
    yield table(task_rows(entries[0][1]))
    yield table(family_table(entries[0][1]))
    for path, comparison, _ in entries:
        name = path.name if path.suffix else f"{path.name}/results.json"
        yield f"### {escape(name)}"
        yield fenced(comparison.command)
        yield pairs([*asked(comparison), *machine(comparison)])
