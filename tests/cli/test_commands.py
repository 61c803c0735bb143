"""The commands end to end on a tiny checkpoint: what they print, write and refuse."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from mto.pipeline import load
from mto.prompts.aligned import soft_family
from mto.templates import get_family
from tests.cli.conftest import Mto
from tests.conftest import ROOT
from tests.pipeline.small import WORDS, rows, write_task


@pytest.fixture
def tools(tmp_path: Path) -> str:
    """A task file in the folder of the command."""
    return write_task(tmp_path / "data").relative_to(tmp_path).as_posix()


@pytest.fixture
def tuned(mto: Mto, mini: str, tools: str) -> str:
    """The folder of a tuned model."""
    told = mto("tune", tools, "--shots", "4", "--rates", "1e-3", "--steps", "0,1", "--out", "runs/t", "-q")
    assert told.exit_code == 0, told.output
    return "runs/t"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("tasks", "household/ObjectUse"), ("families", "masked-prompting"), ("templates", "choice-prompting"), ("models", "mini"),
        ("objectives", "denoising"), ("metrics", "rouge_l"),
    ],
)  # fmt: skip
def test_ls(mto: Mto, mini: str, kind: str, name: str) -> None:
    assert name in mto("ls", kind).stdout
    assert name in [row["name"] for row in json.loads(mto("ls", kind, "--json").stdout)]


def test_ls_leaves_columns_out_before_it_breaks_words(mto: Mto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    narrow = mto("ls", "tasks").stdout
    assert "multiple-choice" in narrow and "questions of school science" in narrow
    assert "no room for: data, type (--json has all)" in narrow and "mask-filling" not in narrow
    monkeypatch.setenv("COLUMNS", "160")
    wide = mto("ls", "tasks").stdout
    assert "no room for" not in wide and "mask-filling" in wide
    monkeypatch.delenv("COLUMNS")  # into a pipe: each row on one line
    rows = mto("ls", "tasks").stdout.splitlines()
    assert len(rows) == 1 + len(json.loads(mto("ls", "tasks", "--json").stdout))


@pytest.mark.parametrize("width", [40, 60])
@pytest.mark.parametrize("kind", ["tasks", "templates", "families", "models"])
def test_ls_loses_no_letters_on_a_narrow_terminal(
    mto: Mto, mini: str, monkeypatch: pytest.MonkeyPatch, kind: str, width: int
) -> None:
    rows = json.loads(mto("ls", kind, "--json").stdout)
    monkeypatch.setenv("COLUMNS", str(width))
    told = mto("ls", kind).stdout
    letters = Counter("".join(told.partition("no room for")[0].split()))
    left_out = " ".join(told.split()).partition("no room for: ")[2].partition(" (")[0].split(", ")
    shown = (
        str(value)
        for row in rows
        for name, value in row.items()
        if name not in left_out and value is not None
    )
    assert not Counter("".join("".join(shown).split())) - letters


def test_show_prints_text_and_ids(mto: Mto, mini: str) -> None:
    told = mto("show", "household/ObjectUse", "--family", "masked-prompting", "--head", "bib")
    assert told.exit_code == 0
    assert "the bib can be used for" in told.stdout and "MaskedPrompting" in told.stdout
    shown = json.loads(mto("show", "household/ObjectUse", "--head", "bib", "-n", "2", "--json").stdout)
    (example,) = shown["examples"]
    assert [one["family"]["name"] for one in example["families"]] == [
        "mapping", "masked-mapping", "prompting", "masked-prompting",
    ]  # fmt: skip
    last = example["families"][-1]
    assert len(last["source"]["ids"]) == len(last["source"]["tokens"]) and last["answer"]
    assert mto("show", "household/ObjectUse", "--head", "bibb").exit_code == 2
    assert mto("show", "household/ObjectUse", "--phrase", "99").exit_code == 2


def test_show_writes_a_phrase_of_ones_own(mto: Mto, mini: str, tmp_path: Path) -> None:
    (tmp_path / "tools.csv").write_text(rows(0, 9))
    told = mto("show", "tools.csv", "--family", "prompting", "--phrase", "the {{ head }} is used for")
    assert "the hammer is used for" in told.stdout


def test_run_says_its_plan_works_and_shows_the_table(mto: Mto, mini: str, tools: str) -> None:
    dry = mto("run", tools, *WORDS, "--out", "runs/x", "--workers", "1", "--dry-run")
    assert dry.exit_code == 0, dry.output
    for said in (
        "2 families x 2 seeds x 1 task = 4 cells",
        "4 shots, 4 dev rows, 4 test heads",
        "of disk",
        "1 worker",
    ):
        assert said in dry.stdout
    assert not Path("runs").exists()
    planned = json.loads(mto("run", tools, *WORDS, "--out", "runs/x", "--dry-run", "--json", "-q").stdout)
    assert planned["cells"] == 4 and planned["seconds"] > 0
    told = mto("run", tools, *WORDS, "--out", "runs/x", "--workers", "1")
    assert told.exit_code == 0, told.output
    assert "MaskedPrompting" in told.stdout and "report: runs/x/report.html" in told.stdout
    assert "4/4 cells" in told.stderr and "about" in told.stderr
    again = mto("run", tools, *WORDS, "--out", "runs/x", "--json")
    assert again.exit_code == 0 and json.loads(again.stdout)["worked"] is False
    assert "nothing to do" in again.stderr
    other = mto("run", tools, *WORDS, "--out", "runs/x", "--max-test", "3")
    assert other.exit_code == 2 and "max_test: 4 there, 3 now" in other.stderr
    # The report again, from its results alone.
    report = Path("runs/x/report.html").read_bytes()
    Path("runs/x/report.html").unlink()
    assert "MaskedPrompting" in mto("report", "runs/x").stdout
    assert Path("runs/x/report.html").read_bytes() == report
    assert json.loads(mto("report", "runs/x", "--json").stdout)["whole"]["heads"] == 4
    page = mto("report", "runs/x", "--page", "page.md", "--title", "A page")
    assert page.exit_code == 0 and "# A page" in Path("page.md").read_text()


def test_run_takes_a_configuration_file(mto: Mto, mini: str, tools: str, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(
        f"tasks: [{tools}]\nshots: 4\nmax_test: 2\ntune: {{rates: [1.0e-3], ladder: [0, 1]}}\n"
    )
    told = mto("run", "--config", "run.yaml", "--seeds", "1", "seeds=2", "--dry-run", "--json", "-q")
    assert told.exit_code == 0, told.output
    planned = json.loads(told.stdout)
    assert (planned["cells"], planned["tasks"][0]["test"], planned["settings"]["ladder"]) == (
        6,
        2,
        [0, 1],
    )  # Mapping, Prompting and the one to be chosen


def test_auto_takes_the_families_of_a_configuration_file_away(
    mto: Mto, mini: str, tools: str, tmp_path: Path
) -> None:
    (tmp_path / "run.yaml").write_text(
        f"tasks: [{tools}]\nfamilies: [mapping, masked-mapping]\nshots: 4\nseeds: 1\n"
        "tune: {rates: [1.0e-3], ladder: [0, 1]}\n"
    )
    named = mto("run", "--config", "run.yaml", "--dry-run", "-q")
    assert "(mapping, masked-mapping)" in named.stdout and "stands for" not in named.stdout
    auto = mto("run", "--config", "run.yaml", "--families", "auto", "--dry-run", "-q")
    assert "(mapping, prompting, masked-prompting)" in auto.stdout
    assert "masked-prompting stands for what matching will choose" in auto.stdout


@pytest.mark.parametrize("file", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_run_configuration_of_the_project_runs(
    mto: Mto, mini: str, file: Path, request: pytest.FixtureRequest
) -> None:
    small = ["seeds=1", "shots=4", "max_test=2", "tune.rates=[1e-3]", "tune.ladder=[0, 1]"]
    if "\ndata:" in file.read_text():
        small += ["--data", str(request.getfixturevalue("shared_dir") / "data" / "atomic2020")]
    told = mto("run", "--config", str(file), *small, "--out", file.stem, "--workers", "1", "-q")
    assert told.exit_code == 0, told.output
    assert "An illustration, not evidence" in told.stdout and f"{file.stem}/report.html" in told.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run"], "tasks: required"),
        (["run", "household/ObjectUse", "--rates", "fast"], "tune.rates"),
        (["run", "household/ObjectUse", "shotz=3"], "did you mean 'shots'"),
        (["run", "household/ObjectUse", "--keep", "some"], "keep"),
        (["run", "atomic2020/xWant"], "--data FOLDER"),
        (["run", "nothing.csv"], "nothing.csv: no such"),
        (["tune", "household/ObjectUse", "--family", "promting"], "did you mean 'prompting'"),
        (["predict", "--run", "nowhere", "--input", "x.csv"], "no such folder"),
        (["report", "nowhere"], "no such file"),
        (["pretrain", "nothing.yaml"], "no such file"),
    ],
)
def test_mistakes_are_named(mto: Mto, mini: str, words: list[str], said: str) -> None:
    told = mto(*words)
    assert told.exit_code == 2 and said in told.stderr and "Traceback" not in told.output


def test_tune_tells_what_dev_chose_and_does_not_overwrite(
    mto: Mto, mini: str, tools: str, tuned: str
) -> None:
    again = mto("tune", tools, "--out", tuned)
    assert again.exit_code == 2 and "--overwrite" in again.stderr
    words = ["--shots", "4", "--rates", "1e-3", "--steps", "0,1", "extend=false"]
    told = mto("tune", tools, *words, "--out", tuned, "--overwrite", "--json", "-q")
    value = json.loads(told.stdout)
    assert value["family"] == "masked-prompting" and len(value["sweep"]["points"]) == 2
    Path("other").mkdir()
    Path("other/notes.txt").write_text("mine")
    assert mto("tune", tools, "--out", "other", "--overwrite").exit_code == 2
    assert Path("other/notes.txt").read_text() == "mine"


def test_a_soft_prompt_is_tuned_saved_and_predicts(mto: Mto, mini: str, tools: str) -> None:
    words = ["--method", "prompt", "--shots", "4", "--rates", "0.1", "--steps", "0,1", "extend=false"]
    told = mto(
        "tune", tools, *words, "--vectors", "2,3", "--encoder", "embedding", "--out", "runs/p", "--json", "-q"
    )
    assert told.exit_code == 0, told.output
    value = json.loads(told.stdout)
    assert (value["family"], value["encoder"]) == ("masked-post-pt", "embedding")
    assert value["vectors"] in ({"#1": 2}, {"#1": 3})
    assert sorted(p.name for p in Path("runs/p").iterdir()) == [
        "prompt.json",
        "prompt.safetensors",
        "tuned.json",
    ]
    Path("new.csv").write_text("head\nhammer\n")
    answered = mto("predict", "--run", "runs/p", "--input", "new.csv", "--output", "out.csv", "-q")
    assert answered.exit_code == 0, answered.output
    assert len(Path("out.csv").read_text().splitlines()) == 2
    auto = mto("tune", tools, *words, "--family", "auto", "--out", "runs/q", "--json", "-q")
    match = json.loads(Path("runs/q/match.json").read_text())["models"][0]["family"]["family"]
    assert json.loads(auto.stdout)["family"] == soft_family(get_family(match))
    text = mto("tune", tools, *words, "--out", "runs/p", "--overwrite", "-q")
    assert "soft prompt: 20 vectors, residual-mlp" in text.stdout
    wrong = mto("tune", tools, *words, "--family", "mapping", "--out", "runs/r")
    assert wrong.exit_code == 2 and "holds no soft prompt" in wrong.stderr


def test_tune_takes_the_family_that_matching_chooses(mto: Mto, mini: str, tools: str) -> None:
    words = ["--family", "auto", "--shots", "4", "--rates", "1e-3", "--steps", "0,1"]
    told = mto("tune", tools, *words, "--out", "runs/a", "--json", "-q")
    assert told.exit_code == 0, told.output
    value = json.loads(told.stdout)
    match = json.loads(Path(value["match"]).read_text())
    assert value["family"] == match["models"][0]["family"]["family"] and match["train_rows"] == 4
    # An answer that is there already decides, even when another one would be given now.
    names = [f["family"] for f in match["models"][0]["scores"]["families"]]
    match["models"][0]["family"]["family"] = next(name for name in names if name != value["family"])
    Path("mine.json").write_text(json.dumps(match))
    again = mto(
        "tune", tools, *words, "--match", "mine.json", "--out", "runs/a", "--overwrite", "--json", "-q"
    )
    assert json.loads(again.stdout)["family"] == match["models"][0]["family"]["family"]
    text = mto("tune", tools, *words, "--match", "mine.json", "--out", "runs/b", "-q")
    assert "matching: " in text.stdout
    plain = mto("tune", tools, *words[2:], "--out", "runs/a", "--overwrite", "--json", "-q")
    assert json.loads(plain.stdout)["match"] is None and not Path("runs/a/match.json").exists()


def test_tune_refuses_an_answer_of_matching_about_something_else(mto: Mto, mini: str, tools: str) -> None:
    made = mto("match", tools, "--shots", "4", "--out", "match.json", "-q")
    assert made.exit_code == 0, made.output
    other = mto("tune", "household/xWant", "--family", "auto", "--match", "match.json")
    assert other.exit_code == 2 and "not household/xWant" in other.stderr
    Path("own.csv").write_text("head,tail\na,b\n")
    wrong = mto("tune", tools, "--family", "auto", "--match", "own.csv")
    assert wrong.exit_code == 2 and "own.csv: is no answer of mto match\n" in wrong.stderr
    assert "mto match --out" in wrong.stderr and "delete" not in wrong.stderr
    assert "no.json: no such file" in mto("tune", tools, "--family", "auto", "--match", "no.json").stderr
    named = mto("tune", tools, "--family", "mapping", "--match", "match.json")
    assert named.exit_code == 2 and "--family auto" in named.stderr


def test_predict_adds_a_column_in_every_format(mto: Mto, tuned: str) -> None:
    Path("new.csv").write_text('\ufeffhead,shop\n"dog, big",here\nred car,there\n', encoding="utf-8")
    told = mto("predict", "--run", tuned, "--input", "new.csv", "--output", "out.csv")
    assert told.exit_code == 0, told.output
    with Path("out.csv").open(newline="") as file:
        answered = list(csv.DictReader(file))
    assert [(row["head"], row["shop"]) for row in answered] == [("dog, big", "here"), ("red car", "there")]
    expected = [answer.text for answer in load(tuned).predict(["dog, big", "red car"])]
    assert [row["prediction"] for row in answered] == expected
    Path("new.jsonl").write_text('{"head": "dog, big", "n": 1}\n\n{"head": "red car"}\n')
    assert (
        mto("predict", "--run", tuned, "-i", "new.jsonl", "-o", "out.jsonl", "--column", "a").exit_code == 0
    )
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert lines == [{"head": "dog, big", "n": 1, "a": expected[0]}, {"head": "red car", "a": expected[1]}]
    piped = mto("predict", "--run", tuned, "--input", "-", "--format", "tsv", input="head\nred car\n")
    assert piped.stdout == f"head\tprediction\nred car\t{expected[1]}\n"


def test_predict_reads_and_writes_in_chunks(mto: Mto, tuned: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mto.pipeline.predicting.CHUNK", 2)
    Path("new.csv").write_text(rows(0, 5))
    told = mto("predict", "--run", tuned, "--input", "new.csv", "--output", "out.csv")
    assert "4 rows" in told.stderr and "5 rows: out.csv" in told.stdout
    assert len(Path("out.csv").read_text().splitlines()) == 6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("haed\ndog\n", "new.csv: column 'head' is missing (found: haed)"),
        ("head,prediction\ndog,x\n", "column 'prediction' is there already"),
        ("head\ndog\n\n''\n \nx,y\n", "new.csv:6: 1 cells expected"),
        ("head,b\ndog,1\n,2\n", "new.csv:3: expected text under 'head', found an empty cell"),
        ("", "is empty"),
        ('head\n"dog', "not valid CSV"),
    ],
)
def test_a_wrong_row_names_its_line_and_leaves_no_output(mto: Mto, tuned: str, text: str, said: str) -> None:
    Path("new.csv").write_text(text)
    told = mto("predict", "--run", tuned, "--input", "new.csv", "--output", "out.csv")
    assert told.exit_code == 2 and said in told.stderr
    assert not Path("out.csv").exists()


def test_predict_leaves_odd_rows_empty_where_asked(mto: Mto, tuned: str) -> None:
    Path("new.csv").write_text("head,b\ndog,1\n,2\n")
    told = mto("predict", "--run", tuned, "-i", "new.csv", "-o", "out.csv", "--odd-rows", "blank")
    assert told.exit_code == 0 and "left empty: new.csv:3: expected text under 'head'" in told.stderr
    assert "2 rows, 1 of them left empty: out.csv" in told.stdout
    words = ["predict", "--run", tuned, "-i", "new.csv", "-o", "-", "--odd-rows", "blank", "--json", "-q"]
    value = json.loads(mto(*words).stdout)
    assert value["rows"] == 2 and len(value["left_empty"]) == 1 and value["answers"][1]["prediction"] == ""
    assert mto("predict", "--run", tuned, "-i", "new.csv", "-o", "new.csv", "--column", "c").exit_code == 2
    assert Path("new.csv").read_text() == "head,b\ndog,1\n,2\n"


def test_predict_says_what_is_wrong_with_its_files(mto: Mto, tuned: str) -> None:
    Path("latin.csv").write_bytes("head\ncaf\xe9\n".encode("latin-1"))
    assert "not UTF-8" in mto("predict", "--run", tuned, "--input", "latin.csv").stderr
    assert "tells no format" in mto("predict", "--run", tuned, "--input", "new.xlsx").stderr
    assert "no such file" in mto("predict", "--run", tuned, "--input", "no.csv").stderr
    Path("new.csv").write_text("head\ndog\n")
    told = mto("predict", "--run", tuned, "--input", "new.csv", "--output", "no/such/out.csv")
    assert told.exit_code == 2 and "no such folder" in told.stderr
    Path("half").mkdir()
    Path("half/config.yaml").write_text("shots: 3\n")
    assert "not finished" in mto("predict", "--run", "half", "--input", "new.csv").stderr
