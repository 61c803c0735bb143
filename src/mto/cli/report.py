"""`mto report`: the report of a run again, or one page from several results files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mto.cli.frame import Json, emit, examples, guarded

if TYPE_CHECKING:
    from mto.report.whole import WholeResults


@guarded
def report(
    paths: Annotated[list[Path], typer.Argument(help="A run folder, or results files for --page.")],
    page: Annotated[
        Path | None, typer.Option(help="Write one Markdown page from all the results files.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
    remarks: Annotated[Path | None, typer.Option(help="Markdown file that stands after the page's title.")] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Make the report of a run again from its results, and show its table; or a page from several runs."""
    from mto.pipeline.reporting import report_run, report_whole_run

    if page is not None:
        name = title or page.stem.replace("-", " ").capitalize()
        written = _write_page(page, paths, name, remarks)
        emit({"page": written}) if as_json else typer.echo(str(written))
        return
    for path in paths:
        if (whole := report_whole_run(path)) is not None:
            _whole(whole, path, as_json=as_json)
            continue
        comparison = report_run(path)
        if as_json:
            from mto.report import summarise

            emit(summarise(comparison).to_dict())
            continue
        from rich.console import Console

        from mto.report import render_terminal

        console = Console()
        console.print(render_terminal(comparison, width=console.width))
        if path.is_dir():
            typer.echo(f"report: {path / 'report.html'}")


def _whole(results: WholeResults, path: Path, *, as_json: bool) -> None:
    from mto.report.whole import render_whole_terminal, summarise_whole

    if as_json:
        emit(summarise_whole(results).to_dict())
        return
    from rich.console import Console

    console = Console()
    console.print(render_whole_terminal(results, width=console.width))
    if path.is_dir():
        typer.echo(f"report: {path / 'report.html'}")


def _write_page(page: Path, paths: list[Path], title: str, remarks: Path | None) -> Path:
    """A page from the results of runs, or from the results file of a study."""
    from mto.study.pages import page_of

    found = page_of(paths[0]) if len(paths) == 1 else None
    if found is not None:
        return found.write(page, paths[0], title, remarks=remarks)
    from mto.report import write_page

    return write_page(page, paths, title, remarks=remarks)


report.epilog = examples(  # type: ignore[attr-defined]
    "mto report runs/demo",
    "mto report runs/demo --json",
    "mto report runs/a runs/b --page docs/results/foundation.md",
    "mto report runs/matching/results.json --page docs/results/matching.md",
)
