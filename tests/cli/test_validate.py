"""`mto validate`: all that is wrong or odd, at once, each with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Mto

BAD = """text,label
good film,good
bad film,bad
bad film,bad
,good
lovely film,lovely
bad  FILM,good

nice thing,good
"""
TASK = """name: bad
kind: classification
labels: {good: {words: [great]}, bad: {}, odd: {}}
phrases: ["{{ text }} It was", "{{ txt }} is", "nothing"]
data:
  splits: {train: bad.csv, test: test.csv, dev: missing.csv}
"""


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A folder with a task that is wrong in many ways."""
    (tmp_path / "bad.csv").write_text(BAD)
    (tmp_path / "test.csv").write_text("text,label\ngood film!,good\nbad film,bad\n")
    (tmp_path / "bad.yaml").write_text(TASK)
    return tmp_path


def places(findings: list[dict[str, str]], check: str) -> list[str]:
    """Where findings of one sort stand."""
    return [one["where"] for one in findings if one["check"] == check]


def test_everything_is_said_at_once_with_lines(bad: Path, mto: Mto) -> None:
    told = mto("validate", "bad.yaml", "--model", "none", "--json")
    assert told.exit_code == 2
    value = json.JSONDecoder().raw_decode(told.stdout)[0]
    assert places(value["errors"], "phrase") == ["bad.yaml:4", "bad.yaml:4"]
    assert places(value["errors"], "file") == ["missing.csv"]
    assert places(value["errors"], "odd-row") == ["bad.csv:6", "bad.csv:7"]
    for check, where in (
        ("duplicate-row", ["bad.csv:4"]),
        ("empty-cell", ["bad.csv:5"]),
        ("empty-row", ["bad.csv:8"]),
        ("overlap", ["test.csv:3", "test.csv:2"]),  # the second but for a mark
        ("few-rows", ["bad.csv:2"]),
        ("labels", ["bad.csv:2"]),
        ("rare-label", ["bad.csv:2", "bad.csv:3"]),
        ("phrase", []),  # wrong phrases are told above
    ):
        assert places(value["warnings"], check) == where, check
    shown = mto("validate", "bad.yaml", "--model", "none")
    assert shown.exit_code == 2 and "bad.yaml: 5 errors" in shown.stderr
    assert "odd row (2)" in shown.stdout and "did you mean 'text'" in shown.stdout


def test_warnings_are_errors_where_asked(mto: Mto, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("head,tail\n" + "".join(f"thing {n},use\n" for n in range(9)))
    assert mto("validate", "a.csv", "--model", "none").exit_code == 0
    told = mto("validate", "a.csv", "--model", "none", "--strict")
    assert told.exit_code == 2 and "9 inputs to learn from" in told.stdout


def test_uneven_rows_are_told(mto: Mto, tmp_path: Path) -> None:
    lines = [{"question": f"Q {n}?", "choices": ["x", f"y {n}"], "answer": int(n == 3)} for n in range(20)]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "q.yaml").write_text("name: q\nkind: multiple-choice\ndata: {splits: {train: q.jsonl}}\n")
    told = mto("validate", "q.yaml", "--model", "none")
    assert told.exit_code == 0, told.output
    assert "19 of 20 train rows have choice1 as the right one (95 %)" in told.stdout


@pytest.mark.parametrize(
    ("counts", "test", "said"),
    [
        ((70, 29, 1), False, ["the label 'odd' stands in 1 of 100 train rows"]),
        ((70, 26, 4), False, ["the label 'odd' stands in 4 of 100 train rows"]),
        ((70, 25, 5), False, []),  # k-fold: all rows are drawn, and none is dev
        (
            (70, 20, 10),
            True,
            [
                "the label 'odd' stands in 10 of 100 train rows: 30 shots, drawn evenly over labels, take them all, and dev has none"
            ],
        ),
        ((60, 29, 11), True, []),
        ((8, 7, 5), True, []),  # fewer rows than shots: there is no dev at all
    ],
)
def test_labels_that_hardly_occur_are_told(
    mto: Mto, tmp_path: Path, counts: tuple[int, ...], test: bool, said: list[str]
) -> None:
    labels = [name for name, count in zip(("good", "bad", "odd"), counts, strict=True) for _ in range(count)]
    lines = [f"text number {n},{label}\n" for n, label in enumerate(labels)]
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(lines))
    (tmp_path / "b.csv").write_text("text,label\nnew text,good\nother text,odd\n")
    splits = "{train: a.csv, test: b.csv}" if test else "{train: a.csv}"
    (tmp_path / "a.yaml").write_text(
        f"name: a\nkind: classification\nlabels: {{good: {{}}, bad: {{}}, odd: {{}}}}\ndata: {{splits: {splits}}}\n"
    )
    value = json.JSONDecoder().raw_decode(mto("validate", "a.yaml", "--model", "none", "--json").stdout)[0]
    found = [one for one in value["warnings"] if one["check"] == "rare-label"]
    assert [one["message"] for one in found] == said
    assert all(one["where"] == f"a.csv:{sum(counts[:2]) + 2}" and one["hint"] for one in found)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (
            "a shelf in the back room",
            "a box",
            "longer than wrong ones: 23.5 against 5.5 characters, mean of 40 train rows",
        ),
        (
            "a box",
            "a shelf in the back room",
            "shorter than wrong ones: 5.5 against 23.5 characters, mean of 40 train rows",
        ),
        ("a box", "a jar", ""),
    ],
)
def test_choices_given_away_by_their_length_are_told(
    mto: Mto, tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    # One row is the other way round, so that the lengths differ from row to row.
    rows = (
        [(wrong, right) if n == 7 else (right, wrong) for n in range(40)] if said else [(right, wrong)] * 40
    )
    lines = [{"question": f"Q {n}?", "choices": row, "answer": 0} for n, row in enumerate(rows)]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "q.yaml").write_text("name: q\nkind: multiple-choice\ndata: {splits: {train: q.jsonl}}\n")
    told = mto("validate", "q.yaml", "--model", "none", "--json")
    value = json.JSONDecoder().raw_decode(told.stdout)[0]
    found = [one for one in value["warnings"] if one["check"] == "lengths"]
    assert len(found) == bool(said), value
    if said:
        assert found[0]["message"] == f"right choices are {said}"
        assert "rank_byte" in found[0]["hint"]


def test_relations_that_the_file_does_not_name_are_told(mto: Mto, tmp_path: Path) -> None:
    rows = "".join(f"thing {n}\t{'Use' if n < 18 else 'Usee'}\tuse {n}\n" for n in range(20))
    (tmp_path / "r.tsv").write_text("head\trelation\ttail\n" + rows)
    (tmp_path / "r.yaml").write_text(
        "name: r\ndata: {splits: {train: r.tsv}}\nrelations: {Use: {phrases: ['{{ head }} is']}, Other: {phrases: ['{{ head }} is']}}\n"
    )
    value = json.JSONDecoder().raw_decode(mto("validate", "r.yaml", "--model", "none", "--json").stdout)[0]
    assert places(value["warnings"], "relation") == ["r.tsv:20"]
    assert [one["message"] for one in value["errors"]] == ["no usable row for 'Other' in train"]


def test_lengths_and_strange_characters(mto: Mto, mini: str, tmp_path: Path) -> None:
    rows = [[f"find the book number {n}", "red"] for n in range(20)]
    rows[4] = ["find the book " * 60, "red"]
    rows[7] = ["a 电影 here", "red"]
    rows[9] = ["x" * 250_000, "red"]
    rows[11] = ["the dog", "eat food " * 500]
    (tmp_path / "a.tsv").write_text("head\ttail\n" + "".join("\t".join(row) + "\n" for row in rows))
    told = mto("validate", "a.tsv", "--phrase", "{{ head }} is", "--max-source", "64", "--json")
    value = json.JSONDecoder().raw_decode(told.stdout)[0]
    assert told.exit_code == 2, told.output
    assert places(value["warnings"], "too-long") == ["a.tsv:6", "a.tsv:11"]
    assert "over 200,000 characters" in told.stdout
    assert places(value["warnings"], "unknown-characters") == ["a.tsv:9"]
    assert places(value["errors"], "too-long") == ["a.tsv:13"]
    lengths = value["tasks"][0]["lengths"]
    assert lengths["source_most"] > 64 == lengths["limit"] and lengths["rows"] == 19


def test_a_wrong_choice_that_cannot_be_written_is_an_error_of_validate_and_run(
    mto: Mto, mini: str, tmp_path: Path
) -> None:
    rows = [{"question": f"find {n}", "choices": ["red", "dog", "book"], "answer": n % 3} for n in range(30)]
    rows[21]["choices"] = ["red", "dog", "eat food " * 500]  # the first one is right
    for name, some in (("train", rows[:20]), ("test", rows[20:])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in some))
    (tmp_path / "q.yaml").write_text(
        "name: q\nkind: multiple-choice\nphrases: ['{{ question }} is']\ndata: {splits: {train: train.jsonl, test: test.jsonl}}\n"
    )
    told = mto("validate", "q.yaml", "--json")
    value = json.JSONDecoder().raw_decode(told.stdout)[0]
    assert told.exit_code == 2 and places(value["errors"], "too-long") == ["test.jsonl:2"], told.output
    assert "the choice 'eat food" in value["errors"][0]["message"]
    ran = mto("run", "q.yaml", "--shots", "4", "--seeds", "1", "--choose", "dev", "--families", "mapping")
    assert ran.exit_code == 2 and "test.jsonl:2: the target is" in ran.output, ran.output
    assert "leave its row out" in ran.output


@pytest.mark.parametrize("ref", ["household", "household/xWant"])
def test_the_library_is_clean(mto: Mto, ref: str) -> None:
    told = mto("validate", ref, "--model", "none")
    assert told.exit_code == 0 and "nothing to complain of" in told.stdout


def test_what_is_not_there(mto: Mto) -> None:
    for ref, said in (
        ("nothing.yaml", "no such file"),
        ("nothing.csv", "no such file"),
        ("househol", "did you mean 'household'"),
    ):
        told = mto("validate", ref, "--model", "none")
        assert told.exit_code == 2 and said in told.output, told.output


def test_a_phrase_that_leaves_a_text_out_is_told(mto: Mto, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(
        "text,text2,label\n"
        + "".join(f"it rained {n},the road was wet {n},{'good' if n % 2 else 'bad'}\n" for n in range(30))
    )
    (tmp_path / "p.yaml").write_text(
        "name: p\nkind: classification\nlabels: {good: {}, bad: {}}\n"
        "phrases: ['{{ text }} So {{ text2 }}?', '{{ text }} The answer is', '{{ head }} Is it so?']\n"
        "data: {splits: {train: p.csv}, columns: {text: text, text2: text2, label: label}}\n"
    )
    told = mto("validate", str(tmp_path / "p.yaml"), "--model", "none")
    assert told.exit_code == 0
    assert "phrase 1 of p leaves {{ text2 }} out" in told.stdout + told.stderr
    assert "phrase 0" not in told.stdout + told.stderr and "phrase 2" not in told.stdout + told.stderr
