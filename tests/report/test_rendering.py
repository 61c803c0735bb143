from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mto.errors import DataError
from mto.report import (
    Baseline,
    Comparison,
    FamilyInfo,
    ModelInfo,
    Summary,
    dev_plot,
    means_plot,
    pick_examples,
    remake_page,
    render_html,
    render_markdown,
    render_page,
    render_terminal,
    summarise,
    write_page,
    write_report,
    write_results,
)
from mto.report.markdown import fenced
from mto.report.notes import ranked_note
from mto.report.plots import DIGIT, number_place
from mto.report.svg import standalone
from mto.report.tables import brief_table, score_table
from mto.report.theme import KNOWN, family_marks
from tests.report.synthetic import synthetic

VOID = {"meta", "br", "img", "link", "hr", "input"}


class Checker(HTMLParser):
    """Collects the text, the tags and every address, and fails on tags that do not match."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.addresses += [v for n, v in attrs if n in ("src", "href", "xlink:href") and v]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    assert checker.open == []
    return checker


def test_html_is_whole_self_contained_and_escaped(comparison: Comparison, summary: Summary) -> None:
    html = render_html(comparison, summary)
    page = parsed(html)
    assert "script" not in page.tags and "link" not in page.tags and "img" not in page.tags
    assert all(address.startswith("#") for address in page.addresses)
    assert not re.search(r"url\((?!#)|@import", html)
    assert len(page.ids) == len(set(page.ids))
    assert {a[1:] for a in page.addresses} <= set(page.ids)
    text = " ".join("".join(page.text).split())
    assert "old <b>lamp</b>" in text and "a <script>alert(1)</script> reference" in text
    assert summary.reading[0].split(" (")[0] in text.replace("\xa0", " ")
    for wanted in (
        "Dev score by rate",
        "What was asked",
        "Made-up CPU",
        "made-up-mini",
        "p (Holm)",
        "{{ phrase }}",
    ):
        assert wanted in text


@pytest.mark.parametrize(
    "made",
    [
        synthetic(shots=0, heads=5),
        synthetic(relations=("xWant",), heads=4, seeds=1, shots=None),
        synthetic(
            heads=4, cells=(), baselines=(), choices=(), sweeps=(), shown=(), environment={}, settings={}
        ),
        synthetic(heads=4, choices=(), baselines=(), sweeps=()),
        synthetic(heads=3, seeds=1, title="<>|_*`", command="mto run '```'", model=ModelInfo(ref="a|b<c>")),
    ],
)
def test_every_kind_of_comparison_renders(made: Comparison) -> None:
    summary = summarise(made)
    text = " ".join("".join(parsed(render_html(made, summary)).text).split()).replace("\xa0", " ")
    assert " ".join(made.title.split()) in text
    if made.missing:
        assert f"Unfinished: {len(made.missing)} cells are missing" in text
    if summary.illustration:
        assert summary.illustration in text
    markdown = render_markdown(made, summary, plots="plots")
    for block in re.findall(r"(?:^\|.*\n)+", markdown, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.strip().splitlines()}
        assert len(widths) == 1
    assert "<script" not in markdown


def test_markdown_shows_user_text_as_it_stands(comparison: Comparison, summary: Summary) -> None:
    text = render_markdown(comparison, summary)
    assert r"PersonX a\|b 2" in text or r"PersonX a\|b 3" in text
    assert "&lt;script&gt;" in text and r"snake\_case" not in text.split("## Examples")[0]
    assert text.startswith("# Synthetic numbers for tests\n\n**The aligned way wins")
    assert "plots/" not in text and "plots/means.svg" in render_markdown(comparison, summary, plots="plots")
    assert fenced("a ``` b") == "````\na ``` b\n````"


def test_the_terminal_shows_user_text_as_it_stands(comparison: Comparison, summary: Summary) -> None:
    from rich.console import Console

    odd = comparison.model_copy(update={"title": "[bold]not markup[/]"})
    for width in (60, 80, 180):
        console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system="truecolor")
        console.print(render_terminal(odd, summary, width=width))
        shown = console.file.getvalue()  # type: ignore[attr-defined]
        assert "[bold]not markup[/]" in shown and "aligned" in shown
        assert max(len(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in shown.splitlines()) <= width


def test_plots_are_well_formed_and_the_same_every_time(comparison: Comparison, summary: Summary) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    for make in (lambda: means_plot(comparison, summary, width=380), lambda: dev_plot(comparison)):
        svg = make()
        assert svg is not None and svg == make()
        root = ET.fromstring(svg)
        assert root.get("width") is None and root.get("viewBox")
        texts = {"".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")}
        assert texts
        assert not re.search(r"#0[1-9a-f][0-9a-f]{2}0[0-9]|#0[1-3]0[1-3]0[1-3]", svg)  # no stand-in is left
        assert "var(--family-3" in svg and "dc:date" not in svg
        assert "#ffffff" in standalone(svg)
        ET.fromstring(standalone(svg))
    mpl.rcParams["font.size"] = 30
    try:
        assert means_plot(comparison, summary) == means_plot(comparison, summary)
        changed = means_plot(comparison, summary)
    finally:
        mpl.rcParams.update(before)
    assert means_plot(comparison, summary) == changed  # a user's settings do not matter
    assert dict(mpl.rcParams) == before


def test_colours_are_fixed_for_a_family(comparison: Comparison) -> None:
    own = tuple(FamilyInfo(name=n, title=n) for n in ("mine", "masked-prompting", "yours"))
    marks = family_marks(comparison.model_copy(update={"families": own}))
    assert (
        marks["masked-prompting"] == KNOWN["masked-prompting"] == family_marks(comparison)["masked-prompting"]
    )
    assert len({(m.light, m.dark, m.shape) for m in marks.values()}) == 3
    assert len({m.shape for m in KNOWN.values()}) == len(KNOWN)  # told apart without colour


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_can_be_read_on_both_pages() -> None:
    from mto.report.theme import OTHERS

    for mark in (*KNOWN.values(), *OTHERS):
        assert 1.05 / (luminance(mark.light) + 0.05) >= 4.5  # on white (WCAG AA for text)
        assert (luminance(mark.dark) + 0.05) / (luminance("#1b1f25") + 0.05) >= 4.5


def test_a_folder_is_written_the_same_twice(comparison: Comparison, tmp_path: Path) -> None:
    write_report(comparison, tmp_path / "a")
    write_report(comparison, tmp_path / "b")
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    names = ["metrics.json", "plots/dev.svg", "plots/means.svg", "report.html", "report.md", "results.json"]
    assert [file.as_posix() for file in files] == names
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_page_can_be_made_again_from_its_first_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for number, name in enumerate(("mini", "mini-lm")):
        write_results(synthetic(heads=8, random=number, model=ModelInfo(ref=name)), data / f"{name}.json")
    remarks = tmp_path / "remarks.md"
    remarks.write_text("What we think.\n")
    files = [data / "mini.json", data / "mini-lm.json"]
    path = write_page(tmp_path / "page.md", files, "Models -->", remarks=remarks)
    text = path.read_text()
    assert text.splitlines()[0].count("-->") == 1 and "# Models --&gt;" in text and "What we think." in text
    assert "## Model by family, ROUGE-L over all tasks" in text
    row = next(line for line in text.splitlines() if line.startswith("| mini-lm |"))
    assert "(highest)" in row and "%" in row
    for made, content in remake_page(path).items():
        assert made.read_text() == content
    (data / "mini.json").write_text((data / "mini-lm.json").read_text())
    assert remake_page(path)[path] != text
    with pytest.raises(DataError, match="was not made by"):
        remake_page(remarks)


def test_pages_need_files_with_one_metric(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no results files"):
        render_page([], "x")
    a = write_results(synthetic(heads=3, seeds=1), tmp_path / "a.json")
    b = write_results(synthetic(heads=3, seeds=1, metric="exact_match"), tmp_path / "b.json")
    with pytest.raises(DataError, match="different main metrics"):
        render_page([a, b], "x")


def test_committed_pages_are_what_their_files_give() -> None:
    for page in sorted((Path(__file__).parents[2] / "docs" / "results").glob("*.md")):
        if page.read_text(encoding="utf-8").startswith("<!-- mto page "):
            for path, text in remake_page(page).items():
                assert path.read_text(encoding="utf-8") == text, f"{path}: make {page.name} again"


def test_examples_are_best_worst_and_blind() -> None:
    heads = [f"h{n}" for n in range(10)]
    scores = {"f": [10.0 * n for n in range(10)], "g": [0.0] * 10}
    texts = {"f": [f"p{n}" for n in range(10)], "g": [""] * 10}
    references = [["r"]] * 10
    shown = pick_examples("t", heads, references, texts, scores, by="f", each=2)
    kinds = [(e.kind, e.head) for e in shown]
    assert kinds[:4] == [("good", "h9"), ("good", "h8"), ("bad", "h0"), ("bad", "h1")]
    assert [kind for kind, _ in kinds[4:]] == ["drawn"] * 2 and len({head for _, head in kinds}) == 6
    assert shown == pick_examples("t", heads, references, texts, scores, by="f", each=2)
    assert len(pick_examples("t", heads[:1], references[:1], {"f": ["x"]}, {"f": [1.0]}, by="f")) == 1
    with pytest.raises(DataError, match="chosen by 'x'"):
        pick_examples("t", heads, references, texts, scores, by="x")
    with pytest.raises(DataError, match="10 heads"):
        pick_examples("t", heads, references, texts | {"g": [""]}, scores, by="f")


def test_the_examples_of_the_docs_run(
    comparison: Comparison, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    write_results(comparison, tmp_path / "results.json")
    exec(compile(code.replace("runs/tools", str(tmp_path)), "docs/reports.md", "exec"), {})  # noqa: S102
    assert "The aligned way wins" in capsys.readouterr().out
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize("beyond", [-30.0, 0.0, 4.0, 12.0, 28.0, 90.0])
def test_the_number_of_a_row_never_stands_on_its_hollow_mark(summary: Summary, beyond: float) -> None:
    line = next(line for line in summary.whole.lines if line.kind == "family")  # type: ignore[union-attr]
    pixel = 0.05
    hollow = replace(line, zero_shot=line.score.high + beyond * pixel)
    place, gap = number_place(hollow, pixel)
    begin = (place - line.score.high) / pixel + gap
    end = begin + 4 * DIGIT  # such as 17.1
    assert begin >= 6 and (beyond + 4 <= begin or beyond - 4 >= end)
    if beyond in (-30.0, 90.0):  # nothing in its way: where it always stands
        assert begin == pytest.approx(6)


def test_the_note_names_the_ranking_that_measures_are_of() -> None:
    usual, bytewise = ranked_note("rank_sum", "sum"), ranked_note("rank_byte", "byte")
    assert "nats in all (the first column)" in usual and usual.endswith("by nats in all, ten bins.")
    assert "first column" not in bytewise and "by nats a byte, ten bins, and so is macro F1" in bytewise


def drawn(comparison: Comparison, width: int = 80) -> list[str]:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=width)
    console.print(render_terminal(comparison, width=width))
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("title", ["Mapping", "My long family of a name", "An-unbroken-name-" * 5])
def test_a_long_family_name_leaves_every_figure_in_a_terminal(title: str) -> None:
    given = synthetic(relations=("ObjectUse",))
    first = given.families[0].model_copy(update={"title": title})
    lines = drawn(given.model_copy(update={"families": (first, *given.families[1:])}))
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines[next(n for n, line in enumerate(lines) if "n = 40" in line) :])
    score = summarise(given).whole.line("mapping")
    assert f"{score.score.mean:.1f} [{score.score.low:.1f}, {score.score.high:.1f}]" in text
    assert f" {score.zero_shot:.1f}" in text and "…" not in text
    for word in ("exact", "empty", "unasked", "distinct", "chosen", "zero", "shot"):
        assert word in text


def with_scores(comparison: Comparison, metric: str, *names: str) -> Comparison:
    """The same with the main scores under these names."""

    def changed(entry):
        return entry.model_copy(update={"scores": dict.fromkeys(names, entry.scores["rouge_l"])})

    return comparison.model_copy(
        update={
            "metric": metric, "signatures": dict.fromkeys(names, ""),
            "cells": tuple(map(changed, comparison.cells)), "baselines": tuple(map(changed, comparison.baselines)),
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("names", "beside"),
    [
        (("rouge_l", "exact_match"), "exact"),
        (("rouge_l", "exact_match", "rank_sum"), "ranked"),
        (("rank_sum", "accuracy", "rank_byte"), "written"),
        (("rank_byte", "rank_sum"), "ranked"),
        (("rank_sum", "rank_byte"), "ranked a byte"),
        (("rouge_l",), None),
    ],
)
def test_beside_the_main_metric_stands_one_that_was_measured(names, beside: str | None) -> None:
    given = with_scores(synthetic(relations=("ObjectUse",)), names[0], *names)
    scope = summarise(given).whole
    columns = brief_table(given, scope).columns
    assert columns[2 : columns.index("empty %")] == ((beside,) if beside else ())
    assert all(row.cells[2] != "–" for row in brief_table(given, scope).rows) or not beside


def test_guessing_stands_beside_scores_that_it_has_no_part_in() -> None:
    given = with_scores(
        synthetic(relations=("ObjectUse",), seeds=1, shots=0), "rouge_l", "rouge_l", "rank_sum"
    )
    heads = len(given.tasks[0].test_heads)
    guess = Baseline(task=given.tasks[0].name, name="guessing", seed=0, scores={"rank_sum": (10.0,) * heads})
    given = Comparison(**{**dict(given), "baselines": (guess,)})
    summary = summarise(given)
    assert summary.whole.line("guessing") is None and "uessing" not in " ".join(summary.reading)
    for table in (score_table(given, summary.whole), brief_table(given, summary.whole)):
        row = table.rows[-1]
        assert (row.cells[0], row.cells[1], len(row.cells)) == ("guessing", "–", len(table.columns))
        assert (
            row.cells[table.columns.index("ranked" if "ranked" in table.columns else "Accuracy (ranked)")]
            == "10.0"
        )
    copy = guess.model_copy(update={"name": "nearest head"})
    with pytest.raises(ValueError, match="has no rouge_l"):
        Comparison(**{**dict(given), "baselines": (copy,)})


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("completion", "the tail of the nearest few-shot head"),
        ("classification", "the label of the nearest few-shot row"),
        ("text-to-text", "the answer of the nearest few-shot row"),
    ],
)
def test_the_headline_says_what_the_nearest_row_gives(kind: str, words: str) -> None:
    given = synthetic(relations=("ObjectUse",), nearest=90.0)
    tasks = tuple(task.model_copy(update={"kind": kind}) for task in given.tasks)
    assert f"copying: {words} scores" in summarise(given.model_copy(update={"tasks": tasks})).reading[0]


def test_free_answers_are_not_told_to_be_no_option() -> None:
    given = synthetic(relations=("ObjectUse",))
    cells = tuple(
        cell.model_copy(update={"corpus": {"no_option": 100.0, "ece": 5.0}}) for cell in given.cells
    )
    for kind, told in (("completion", False), ("classification", True)):
        tasks = tuple(task.model_copy(update={"kind": kind}) for task in given.tasks)
        of_kind = given.model_copy(update={"cells": cells, "tasks": tasks})
        columns = score_table(of_kind, summarise(of_kind).whole).columns
        assert "calibration error %" in columns and ("no option %" in columns) == told


def test_columns_that_do_not_fit_are_left_out_and_told() -> None:
    from rich.console import Console

    from mto.report.tables import Row, Table
    from mto.report.terminal import draw_table

    figure = "14.6 [6.0, 24.1]"
    heads = ("", *(f"column {n}" for n in range(9)))
    table = Table(heads, (Row("family", None, ("Mapping (conventional)", *[figure] * 9)),))
    out = io.StringIO()
    console = Console(file=out, width=80)
    console.print(draw_table(synthetic(), "T", table, 80))
    lines = out.getvalue().splitlines()
    text = "\n".join(lines)
    whole = text.count(figure)
    assert 2 <= whole < 9 and "column 0" in text and "(convention" in text and "…" not in text
    assert f"{9 - whole} more columns stand in the report" in text and max(map(len, lines)) <= 80
