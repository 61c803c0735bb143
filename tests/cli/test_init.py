"""`mto init`: a file of rows becomes a task file that works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mto.tasks import load_task

if TYPE_CHECKING:
    from tests.cli.conftest import Mto

REVIEWS = "id,review,sentiment\n" + "".join(
    f"{n},film number {n} was {'fine' if n % 2 else 'poor'} to see,{'positive' if n % 2 else 'negative'}\n"
    for n in range(150)
)
FILES = {
    "tools.csv": "thing;use\nhammer;pounding nails\nsaw;cutting wood\n\"broom, old\";sweeping\n",
    "relations.tsv": "head\trelation\ttail\nhammer\tUsedFor\tnails\noven\tAtLocation\tkitchen\n",
    "quiz.jsonl": "".join(
        json.dumps({"question": f"What is {n}?", "options": ["this", "that"], "answer": n % 2}) + "\n" for n in range(4)
    ),
    "pairs.csv": "premise,hypothesis,label\n" + "".join(
        f"it rained {n},the road was wet,{['entailment', 'neutral', 'contradiction'][n % 3]}\n" for n in range(9)
    ),
    "sums.csv": "document,summary\n" + "".join(f"a long story about {n},story {n}\n" for n in range(5)),
}  # fmt: skip


def test_a_file_of_reviews_becomes_a_task(mto: Mto) -> None:
    Path("reviews.csv").write_text(REVIEWS)
    told = mto("init", "reviews.csv")
    assert told.exit_code == 0, told.output
    assert "classification, 150 inputs, scored on: 50 inputs held out" in told.stdout
    assert told.stdout.count("[reviews.csv:") == 3 and "It was [M0]" in told.stdout
    assert "'sentiment' holds 2 labels" in told.stderr and "not read: id" in told.stderr
    task = load_task("reviews.yaml")
    assert (len(task.train), len(task.test), len(task.phrases)) == (100, 50, 2)
    assert not {one.id for one in task.train} & {one.id for one in task.test}
    assert task.form.labels == {"negative": ("terrible", "bad"), "positive": ("great", "good")}
    assert "    # 75 rows" in Path("reviews.yaml").read_text()
    again = mto("init", "reviews.csv")
    assert again.exit_code == 2 and "reviews.yaml: is there already" in again.stderr
    assert mto("init", "reviews.csv", "--force", "--json").exit_code == 0


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_kind_loads_as_it_was_written(mto: Mto, name: str) -> None:
    Path("in").mkdir()
    Path("in", name).write_text(FILES[name])
    told = mto("init", f"in/{name}", "--out", "tasks/own.yaml", "--json")
    assert told.exit_code == 0, told.output
    value = json.loads(told.stdout)
    assert len(value["phrases"]) == 2 and value["examples"] and not value["warnings"]
    task = load_task(value["task"])
    assert task.kind == value["kind"] and task.phrases == tuple(value["phrases"])
    assert Path("tasks/own.yaml").read_text().count("# ") > 5


def test_columns_with_marks_of_yaml_are_quoted(mto: Mto) -> None:
    text = 'what: # "is"\tit {{ x }}\n' + "".join(f"word {n}\t'tail': {n}\n" for n in range(3))
    Path("odd #1 - rows.tsv").write_text(text)
    told = mto("init", "odd #1 - rows.tsv", "--json")
    assert told.exit_code == 0, told.output
    task = load_task("odd #1 - rows.yaml")
    assert task.train[0].targets == ("'tail': 0",) and task.name.startswith("odd-1-rows")


def test_rows_that_cannot_be_used_are_told_and_the_file_is_written(mto: Mto) -> None:
    lines = [
        {"question": f"What is {n}?", "choices": ["x", "y"], "answer": "x" if n else "z"} for n in range(6)
    ]
    Path("quiz.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    told = mto("init", "quiz.jsonl")
    assert told.exit_code == 0, told.output
    assert "quiz.jsonl:1: the answer 'z' is none of the choices (x, y), row left out" in told.stderr
    assert "odd_rows: error" in Path("quiz.yaml").read_text()


def test_rows_of_a_label_are_those_that_are_used(mto: Mto) -> None:
    """Rows that stand twice or have no text are not counted; `mto validate` says the same numbers."""
    rows = [f"text {n % 10},{'good' if n % 2 else 'bad'}" for n in range(14)] + [",good", " ,bad"]
    Path("a.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    assert "classification, 10 inputs" in mto("init", "a.csv").stdout
    assert Path("a.yaml").read_text().count("    # 5 rows") == 2
    assert "bad 5, good 5" in mto("validate", "a.yaml", "--model", "none").stdout


def test_questions_that_differ_in_their_choices_are_different_inputs(mto: Mto) -> None:
    rows = [
        {"question": "Which makes sense?", "choices": [f"a {n}", f"b {n}"], "answer": n % 2}
        for n in range(150)
    ]
    Path("q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "150 inputs, scored on: 50 inputs held out" in mto("init", "q.jsonl").stdout


def test_references_in_columns_of_their_own(mto: Mto) -> None:
    Path("a.csv").write_text("src,ref1,ref2\n" + "".join(f"text {n},one {n},two {n}\n" for n in range(4)))
    told = mto("init", "a.csv", "--columns", "source=src,target=ref1+ref2", "--json")
    assert told.exit_code == 0, told.output
    task = load_task("a.yaml")
    assert (task.kind, task.train[0].targets) == ("text-to-text", ("one 0", "two 0"))
    assert task.phrases[0] == "{{ source }} The answer:"
    told = mto("init", "a.csv", "--columns", "source=src,target=ref1+ref3", "--force")
    assert told.exit_code == 2 and "no column 'ref3' for target" in told.stderr


def test_errors_of_the_file_to_be_do_not_name_a_file_that_is_gone(mto: Mto) -> None:
    Path("a.csv").write_text("text,label\na,0\nb,1\nc,0\nd,1\n")
    told = mto("init", "a.csv", "--labels", "0=same,1=same")
    assert told.exit_code == 2 and "two labels or more" in told.stderr and ".new" not in told.stderr


def test_a_wrong_phrase_is_named_itself(mto: Mto) -> None:
    for name, text in (("a", "text,label\na,x\nb,y\nc,x\nd,y\n"), ("b", "head,tail\na,b\n")):
        Path(f"{name}.csv").write_text(text)
        told = mto("init", f"{name}.csv", "--phrase", "{{ txt }} is")
        assert told.exit_code == 2 and "phrase '{{ txt }} is': unknown field 'txt'" in told.stderr, (
            told.output
        )
        assert ".yaml" not in told.stderr and not list(Path().glob("*.yaml"))


def test_files_of_other_splits(mto: Mto) -> None:
    for name, start in (("train", 0), ("test", 20)):
        Path(f"{name}.csv").write_text(
            "head,tail\n" + "".join(f"thing {n},use {n}\n" for n in range(start, start + 9))
        )
    told = mto("init", "train.csv", "--test", "test.csv", "--phrase", "{{ head }} is used for", "--json")
    value = json.loads(told.stdout)
    assert value["scored"] == "test file" and value["phrases"] == ["{{ head }} is used for"]
    assert len(load_task("train.yaml").test) == 9


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        (["a.csv"], "text,label\na b,0\nc d,1\ne f,0\ng h,1\n", "--labels 0=WORD,1=WORD"),
        (["a.csv"], "x,y,z\na b c d,e f g h,i j\nk l m n,o p,q r\n", "--kind"),
        (["a.csv", "--kind", "classifikation"], "x,y\na,b\n", "did you mean 'classification'"),
        (["a.csv", "--labels", "x"], "x,y\na,b\n", "write --labels VALUE=NAME"),
        (["a.csv", "--phrase", "is used for"], "head,tail\na,b\n", "holds no input"),
        (["a.csv", "--out", "a.txt"], "head,tail\na,b\n", "ends in .yaml"),
        (["a.csv"], "text,label\na,good\nb,good\n", "all 2 rows have the label 'good'"),
        (["nothing.csv"], "", "nothing.csv: no such file"),
        (["."], "", "name the file of rows"),
    ],
)
def test_what_cannot_be_done_leaves_no_file(mto: Mto, words: list[str], text: str, said: str) -> None:
    Path("a.csv").write_text(text)
    told = mto("init", *words)
    assert told.exit_code == 2 and said in told.stderr, told.output
    assert not list(Path().glob("*.yaml")) and not list(Path().glob(".*.yaml"))


def test_words_of_inference_are_not_those_of_moods(mto: Mto) -> None:
    Path("pairs.csv").write_text(FILES["pairs.csv"])
    told = mto("init", "pairs.csv")
    assert "True, false or neither?" in told.stdout
    assert load_task("pairs.yaml").form.labels["neutral"] == ("neither", "maybe")


def test_a_file_that_cannot_be_run_yet_says_so(mto: Mto) -> None:
    Path("quiz.csv").write_text(
        "question,A,B,answer\n"
        + "".join(f"What is {n}?,this {n},that,{'A' if n else 'E'}\n" for n in range(9))
    )
    told = mto("init", "quiz.csv")
    assert (
        told.exit_code == 0 and "it cannot be run yet: mend these rows, or set odd_rows: drop" in told.stderr
    )
    assert "--families prompting" in told.stdout
    assert mto("validate", "quiz.yaml", "--model", "none").exit_code == 2
    text = Path("quiz.yaml").read_text()
    Path("quiz.yaml").write_text(text.replace("odd_rows: error", "odd_rows: drop"))
    assert mto("validate", "quiz.yaml", "--model", "none").exit_code == 0
