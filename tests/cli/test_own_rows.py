"""Files of rows as people have them: other names of columns, other delimiters, odd rows, no phrase."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Mto
from tests.pipeline.small import THINGS, USES, rows

FAST = ["--rates", "1e-3", "--steps", "0,1"]
NAMED = ["--columns", "head=QUESTION,tail=ANSWER"]


@pytest.fixture
def asked(tmp_path: Path) -> str:
    """Eight rows with a semicolon between the cells, and columns of other names."""
    lines = [f"{thing.replace('_', ' ')};{USES[n % 6]}" for n, thing in enumerate(THINGS[:8])]
    (tmp_path / "asked.csv").write_text("\n".join(["QUESTION;ANSWER", *lines]) + "\n")
    return "asked.csv"


def test_every_command_takes_columns_of_other_names(mto: Mto, mini: str, asked: str) -> None:
    for words in (["show"], ["match"], ["tune", "-f", "mapping"], ["run", "-f", "mapping", "--dry-run"]):
        told = mto(words[0], asked, *words[1:])
        assert told.exit_code == 2 and "--columns head=COLUMN,tail=COLUMN" in told.stderr
    assert "head: hammer" in mto("show", asked, *NAMED, "-f", "mapping").stdout
    assert mto("match", asked, *NAMED, "--signals", "guidelines", "-q", "--json").exit_code == 0
    matched = mto("match", asked, *NAMED, "--signals", "guidelines,depthrank", "-q", "--json")
    assert matched.exit_code == 0 and json.loads(matched.stdout)["train_rows"] == 8
    words = ["run", asked, "-f", "mapping", "--dry-run", "-q", "--json", *FAST]
    planned = mto(*words, *NAMED, "--delimiter", ";")
    assert json.loads(planned.stdout)["tasks"][0]["test"] == 8
    # A wrong delimiter is taken at its word.
    assert "'QUESTION;ANSWER'" in mto(*words, *NAMED, "--delimiter", "tab").stderr
    made = mto("tune", asked, *NAMED, "-f", "mapping", *FAST, "--out", "t", "-q")
    assert made.exit_code == 0, made.output
    Path("new.csv").write_text("QUESTION;shop\nred car;here, there\n")
    words = ["predict", "--run", "t", "--input", "new.csv", "--output", "out.csv", "-q"]
    refused = mto(*words, "--delimiter", ",")
    assert refused.exit_code == 2 and "--columns" in refused.stderr and "--delimiter" in refused.stderr
    assert mto(*words).exit_code == 0  # found from the first line, as in the labelled rows
    with Path("out.csv").open(newline="") as file:
        (answer,) = csv.DictReader(file, delimiter=";")
    assert (answer["QUESTION"], answer["shop"]) == ("red car", "here, there") and "prediction" in answer


@pytest.mark.parametrize(
    "text",
    ["text,label\na film,good\na bore,bad\n", "question,A,B,answer\nWhich?,this,that,A\nWhy?,so,no,B\n"],
)
def test_rows_of_another_kind_lead_to_init(mto: Mto, mini: str, text: str) -> None:
    Path("a.csv").write_text(text)
    for words in (["validate", "a.csv", "--model", "none"], ["run", "a.csv", "--dry-run"]):
        told = mto(*words)
        assert told.exit_code == 2 and "mto init a.csv" in " ".join(told.output.split()), told.output
    Path("a.csv").write_text("head,use\na,b\n")
    assert "mto init" not in mto("validate", "a.csv", "--model", "none").output


def test_more_shots_than_rows_are_refused_without_test_rows_too(mto: Mto, mini: str, tmp_path: Path) -> None:
    lines = [f"{thing.replace('_', ' ')},{USES[n % 6]}\n" for n, thing in enumerate(THINGS[:8])]
    Path("a.csv").write_text("head,tail\n" + "".join(lines))
    words = ["run", "a.csv", "-f", "mapping", "--dry-run", "-q", "--json", *FAST]
    told = mto(*words, "--shots", "9")
    assert told.exit_code == 2 and "9 shots asked for, the train data have 8 heads" in told.stderr
    assert json.loads(mto(*words, "--shots", "8").stdout)["tasks"][0]["train"] == 8


def test_shots_of_a_task_file_are_never_too_many(mto: Mto, mini: str, tmp_path: Path) -> None:
    Path("a.csv").write_text("source,target\n" + "".join(f"the {t},{t}\n" for t in THINGS[:8]))
    Path("a.yaml").write_text("name: a\nkind: text-to-text\nshots: 16\ndata: {splits: {train: a.csv}}\n")
    told = mto("run", "a.yaml", "-f", "mapping", "--dry-run", "-q", "--json", *FAST)
    assert told.exit_code == 0 and json.loads(told.stdout)["tasks"][0]["train"] == 8, told.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--columns", "head"], "'head' is not of the form FIELD=COLUMN"),
        (["--columns", "head=a,head=b"], "stands twice"),
        (["--columns", "head=QUESTION,Place!=x"], "columns"),
        (["--delimiter", ";;"], "no single character"),
    ],
)
def test_wrong_columns_are_named(mto: Mto, mini: str, asked: str, words: list[str], said: str) -> None:
    told = mto("show", asked, *words)
    assert told.exit_code == 2 and said in told.stderr and "Traceback" not in told.output


def test_a_run_with_other_columns_is_another_run(mto: Mto, mini: str, asked: str) -> None:
    words = [
        "run",
        asked,
        "-f",
        "mapping",
        "--seeds",
        "1",
        *FAST,
        "--workers",
        "1",
        "--keep",
        "none",
        "-o",
        "r",
        "-q",
    ]
    made = mto(*words, *NAMED)
    assert made.exit_code == 0, made.output
    again = mto(*words, *NAMED, "--json")
    assert json.loads(again.stdout)["worked"] is False
    other = mto(*words, "--columns", "head=ANSWER,tail=QUESTION")
    assert other.exit_code == 2 and "another configuration" in other.stderr
    none = mto(*words)
    assert none.exit_code == 2 and "columns.head: QUESTION there, null now" in none.stderr


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """Rows without a phrase."""
    (tmp_path / "bare.csv").write_text(rows(0, 8))
    return "bare.csv"


@pytest.mark.parametrize(
    "words",
    [
        ["show", "-f", "prompting"],
        ["show", "-f", "mapping", "-f", "masked-prompting"],
        ["match", "-f", "prompting,masked-prompting"],
        ["tune", "-f", "masked-prompting"],
        ["run", "-f", "mapping,prompting", "--dry-run"],
    ],
)
def test_a_family_that_needs_a_phrase_says_how_to_give_one(
    mto: Mto, mini: str, bare: str, words: list[str]
) -> None:
    told = mto(words[0], bare, *words[1:])
    assert told.exit_code == 2 and "error: bare: " in told.stderr
    assert "a natural phrase and the task has none" in told.stderr
    assert "--phrase '{{ head }} is used for'" in told.stderr and "head: hammer" not in told.stdout


def test_a_task_without_a_phrase_is_told_what_it_misses(mto: Mto, mini: str, bare: str) -> None:
    shown = mto("show", bare)
    assert "without prompting and masked-prompting" in shown.stderr and "--phrase" in shown.stderr
    assert json.loads(mto("show", bare, "--json").stdout)["left_out"] == ["prompting", "masked-prompting"]
    matched = mto("match", bare, "--signals", "guidelines,depthrank")
    assert matched.exit_code == 0 and "only Mapping and MaskedMapping take part" in matched.stderr
    made = mto("tune", bare, *FAST, "--out", "t", "--json")
    assert json.loads(made.stdout)["family"] == "masked-mapping"
    assert "masked-mapping is tuned; with --phrase" in made.stderr
    phrase = ["--phrase", "the {{ head }} is used to"]
    for command in (["show", bare], ["match", bare, "--signals", "guidelines"]):
        assert "--phrase" not in mto(*command, *phrase).stderr
    own = mto("tune", bare, *phrase, *FAST, "--out", "u", "--json")
    assert json.loads(own.stdout)["family"] == "masked-prompting" and "--phrase" not in own.stderr


def test_odd_rows_are_told_with_their_lines(mto: Mto, mini: str, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text(rows(0, 4) + "red car,\nred car,wash\n\nred car,Wash\nhammer,\n")
    lines = ["odd: 4 rows were mended or left out", "  odd.csv:6: empty tail, row left out", "  and 1 more"]
    for words in (["show"], ["match", "--signals", "guidelines"], ["tune", *FAST, "--out", "t"]):
        told = mto(words[0], "odd.csv", *words[1:])
        assert told.exit_code == 0 and set(lines) < set(told.stderr.splitlines())
        assert "odd.csv:10" not in told.output
    assert len(json.loads(mto("show", "odd.csv", "--json").stdout)["warnings"]) == 4
    assert "mended" not in mto("match", "odd.csv", "--signals", "guidelines", "-q").output
    assert "mended" not in mto("match", "odd.csv", "--signals", "guidelines", "--json").stderr
    words = ["run", "odd.csv", "-f", "mapping", *FAST, "--dry-run"]
    dry = mto(*words)
    assert set(lines) < set(dry.stderr.splitlines())
    assert "4 rows were mended or left out" in dry.stdout and "inputs.json" not in dry.stdout
    assert "mended" not in mto(*words, "-q").stderr
    assert json.loads(mto(*words, "-q", "--json").stdout)["tasks"][0]["warnings"] == 4


def test_a_plan_says_how_many_folds_there_can_be(mto: Mto, mini: str, tmp_path: Path) -> None:
    for heads, folds in ((3, 3), (9, 5)):
        (tmp_path / "few.csv").write_text(rows(0, heads))
        told = mto("run", "few.csv", "-f", "mapping", *FAST, "--dry-run", "-q")
        assert f"{folds}-fold over {heads} heads" in told.stdout


def test_predict_gives_json_where_no_file_is_named(mto: Mto, mini: str, bare: str) -> None:
    made = mto("tune", bare, "-f", "mapping", *FAST, "--out", "t", "-q")
    assert made.exit_code == 0, made.output
    words = ["predict", "--run", "t", "--input", "-", "-q"]
    told = json.loads(mto(*words, "--json", input="head,shop\nred car,here\n").stdout)
    (answer,) = told["answers"]
    assert told["rows"] == 1 and (answer["head"], answer["shop"]) == ("red car", "here")
    table = mto(*words, input="head,shop\nred car,here\n").stdout
    assert table == f"head,shop,prediction\nred car,here,{answer['prediction']}\n"
    # With a file the answers stand there.
    saved = mto(*words, "--json", "--output", "out.csv", input="head\nred car\n")
    assert json.loads(saved.stdout) == {"rows": 1, "output": "out.csv"}


def test_names_are_checked_before_anything_heavy_is_imported() -> None:
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from mto.cli.app import app\n"
        "for words in (['tune', 'household/ObjctUse'], ['match', 'household/ObjctUse'],\n"
        "              ['run', 'household/ObjectUse', '-f', 'promting'], ['tune', 'household/xWant', '-f', 'promting'],\n"
        "              ['match', 'household/xWant', '-f', 'promting']):\n"
        "    told = CliRunner().invoke(app, words)\n"
        "    assert told.exit_code == 2 and 'did you mean' in told.output, (words, told.output)\n"
        "    assert 'torch' not in sys.modules, words\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def test_rows_that_nothing_is_done_with_are_told(mto: Mto, mini: str, asked: str) -> None:
    words = ["run", asked, *NAMED, "-f", "mapping", "--dry-run", *FAST]
    few = mto(*words, "--shots", "6")
    assert few.exit_code == 0
    told = " ".join((few.stdout + few.stderr).split())
    assert "rows-unused: 2 of 8 rows of asked are neither learned from nor scored on" in told
    for shots in ([], ["--shots", "8"]):
        told = mto(*words, *shots)
        assert told.exit_code == 0 and "rows-unused" not in told.stdout + told.stderr
