"""Files of new rows: columns that are remembered, interrupted work that goes on, rows that cannot be read."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mto.errors import ConfigError, DataError
from mto.pipeline import load
from mto.pipeline.loaded_run import LoadedRun
from mto.pipeline.predicting import predict_file
from mto.tasks import load_task, task_from_rows
from mto.tune import TuneConfig, TunedModel, tune

QUICK = TuneConfig(rates=(1e-3,), ladder=(0, 1), extend=False)
FORMS = {".csv": ",", ".tsv": "\t"}


@pytest.fixture(scope="module")
def heads(tiny_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> LoadedRun:
    """A model for heads."""
    task = task_from_rows([{"head": f"thing {n}", "tail": "use"} for n in range(8)])
    folder = tmp_path_factory.mktemp("heads") / "t"
    tune(str(tiny_dir), task, family="mapping", shots=None, config=QUICK).save(folder)
    return load(folder)


@pytest.fixture(scope="module")
def asking(tiny_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> LoadedRun:
    """A model for questions whose labelled rows had columns of other names."""
    folder = tmp_path_factory.mktemp("asking")
    rows = "".join(f"why,thing {n}?,here {n},there,far,B\n" for n in range(8))
    (folder / "q.csv").write_text("kind,ask,one,two,three,key\n" + rows)
    (folder / "q.yaml").write_text(
        "name: q\nkind: multiple-choice\ndata:\n  splits: {train: q.csv}\n  answers: letter\n"
        "  columns: {context: kind, question: ask, choices: [one, two, three], answer: key}\n"
        "  values: {context: {why: Tell the place.}}\n"
    )
    config = QUICK.model_copy(update={"metric": "rank_sum"})
    tuned = tune(
        str(tiny_dir), load_task(folder / "q.yaml"), family="answer-prompting", shots=None, config=config
    )
    tuned.save(folder / "t")
    return load(folder / "t")


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Rows in the format of the ending."""
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        lines = [list(rows[0]), *(list(map(str, row.values())) for row in rows)]
        path.write_text("".join(FORMS[path.suffix].join(line) + "\n" for line in lines))
    return path


class Stops:
    """Lets a model answer some chunks, and is then interrupted."""

    def __init__(self, model: TunedModel, chunks: int) -> None:
        self.left, self.asked, self._answer = chunks, 0, type(model).predict

    def __call__(self, model: TunedModel, rows: Sequence[Any]) -> Any:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        self.asked += len(rows)
        return self._answer(model, rows)


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl"])
def test_interrupted_work_goes_on_behind_the_last_chunk(
    heads: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr("mto.pipeline.predicting.CHUNK", 2)
    rows = [{"head": f"red thing {n}", "n": str(n)} for n in range(7)]
    source, target = write(tmp_path / f"new{ending}", rows), tmp_path / f"out{ending}"
    assert predict_file(heads, source, tmp_path / f"whole{ending}") == 7
    stops = Stops(heads.model(), 2)
    monkeypatch.setattr(TunedModel, "predict", lambda model, rows: stops(model, rows))
    with pytest.raises(KeyboardInterrupt):
        predict_file(heads, source, target)
    part = target.with_name(target.name + ".part")
    assert not target.exists() and part.exists()
    with part.open("a") as file:
        file.write("a torn li")
    told: list[int] = []
    stops.left, stops.asked = 9, 0
    assert predict_file(heads, source, target, resumed=told.append) == 7
    assert told == [4] and stops.asked == 3
    assert target.read_bytes() == (tmp_path / f"whole{ending}").read_bytes()
    assert {path.name for path in tmp_path.glob("out*")} == {target.name}


@pytest.mark.parametrize("change", ["an earlier row", "fewer rows", "the column", "the note", "the answers"])
def test_what_does_not_fit_is_begun_anew(
    heads: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr("mto.pipeline.predicting.CHUNK", 2)
    rows = [{"head": f"red thing {n}"} for n in range(5)]
    source, target = write(tmp_path / "new.csv", rows), tmp_path / "out.csv"
    stops = Stops(heads.model(), 2)
    monkeypatch.setattr(TunedModel, "predict", lambda model, rows: stops(model, rows))
    with pytest.raises(KeyboardInterrupt):
        predict_file(heads, source, target)
    part = tmp_path / "out.csv.part"
    if change == "an earlier row":
        rows[1] = {"head": "a blue thing"}
    elif change == "fewer rows":
        rows = rows[:3]
    elif change == "the note":
        (tmp_path / "out.csv.part.json").write_text('{"key"')
    elif change == "the answers":
        part.write_text(part.read_text()[:-10])
    write(source, rows)
    told: list[int] = []
    stops.left = 9
    column = "said" if change == "the column" else "prediction"
    assert predict_file(heads, source, target, resumed=told.append, column=column) == len(rows)
    assert told == []
    assert target.read_text().splitlines()[0] == f"head,{column}"
    assert [line.split(",")[0] for line in target.read_text().splitlines()[1:]] == [
        row["head"] for row in rows
    ]


def test_rows_that_cannot_be_read_stay_empty_where_asked(heads: LoadedRun, tmp_path: Path) -> None:
    source = write(
        tmp_path / "new.csv", [{"head": "dog", "n": 1}, {"head": "", "n": 2}, {"head": "cat", "n": 3}]
    )
    with pytest.raises(DataError, match=r"new.csv:3: expected text under 'head', found an empty cell"):
        predict_file(heads, source, tmp_path / "out.csv")
    told: list[str] = []
    assert predict_file(heads, source, tmp_path / "out.csv", odd=told.append) == 3
    assert len(told) == 1 and "new.csv:3: expected text" in told[0]
    assert (tmp_path / "out.csv").read_text().splitlines()[2] == ",2,"
    with pytest.raises(DataError, match="the same file"):
        predict_file(heads, source, source, column="other")
    assert source.read_text().startswith("head,n\n")


@pytest.mark.parametrize(
    ("name", "text", "delimiter", "out"),
    [
        ("a.csv", "head;n\nthing, a;1\n", None, "head;n;prediction"),
        ("a.csv", 'head,"note; a; b"\nthing,1\n', None, 'head,note; a; b,prediction'),
        ("a.csv", "head,note (a; b; c)\nthing,1\n", None, "head,note (a; b; c),prediction"),
        ("a.csv", '\nhead;"two\nlines"\nthing;1\n', None, 'head;"two'),
        ("a.csv", "head\nthing\n", None, "head,prediction"),
        ("a.csv", "head,n;m\nthing,1\n", ",", "head,n;m,prediction"),
        ("a.tsv", "head\tn\nthing\t1\n", None, "head,n,prediction"),
        ("a.tsv", "head\tn\nthing\t1\n", ";", "head;n;prediction"),
        ("a.jsonl", '{"head": "thing"}\n', None, "head,prediction"),
        ("a.jsonl", '{"head": "thing"}\n', ";", "head;prediction"),
    ],
)  # fmt: skip
def test_what_stands_between_cells(
    heads: LoadedRun, tmp_path: Path, name: str, text: str, delimiter: str | None, out: str
) -> None:
    (tmp_path / name).write_text(text)
    assert predict_file(heads, tmp_path / name, tmp_path / "out.csv", delimiter=delimiter) == 1
    assert (tmp_path / "out.csv").read_text().splitlines()[0] == out


def test_standard_input_may_begin_with_the_mark_of_a_file(
    heads: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\ufeffhead;n\nthing;1\n"))
    assert predict_file(heads, "-", tmp_path / "out.csv") == 1
    assert (tmp_path / "out.csv").read_text().startswith("head;n;prediction\n")


def test_standard_input_may_be_jsonl(
    heads: LoadedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "sys.stdin", io.StringIO('\n{"head": "the \\"thing\\"", "n": 1}\n{"head": "a", "n": 2}\n')
    )
    assert predict_file(heads, "-", tmp_path / "out.jsonl") == 2
    assert [json.loads(line)["n"] for line in (tmp_path / "out.jsonl").read_text().splitlines()] == [1, 2]


def test_new_rows_may_have_fewer_choices(asking: LoadedRun, tmp_path: Path) -> None:
    row = {"kind": "why", "ask": "thing 9?", "one": "here 9", "two": "there"}  # no column "three"
    assert predict_file(asking, write(tmp_path / "new.csv", [row]), tmp_path / "out.csv") == 1
    with pytest.raises(DataError, match="there are no choices"):
        predict_file(
            asking,
            write(tmp_path / "one.csv", [{k: row[k] for k in ("kind", "ask", "one")}]),
            tmp_path / "o.csv",
        )


def test_columns_of_the_labelled_rows_are_found_again(asking: LoadedRun, tmp_path: Path) -> None:
    row = {"kind": "why", "ask": "thing 9?", "one": "here 9", "two": "there", "three": ""}
    source = write(tmp_path / "new.csv", [row])
    assert predict_file(asking, source, tmp_path / "out.jsonl") == 1
    answer = json.loads((tmp_path / "out.jsonl").read_text())
    fields = {"context": "Tell the place.", "question": "thing 9?", "choices": ["here 9", "there"]}
    (chosen,) = asking.model().choose([fields])
    # The mapping is an object where cells may hold one.
    assert (answer["prediction"], answer["probabilities"]) == (chosen.name, chosen.probabilities)
    named = {"kind": "why", "ask": "thing 9?", "A": "here 9", "B": "there"}
    for columns in ({"choices": "A+B"}, {"choice1": "A", "choice2": "B"}):
        told = predict_file(
            asking, write(tmp_path / "named.csv", [named]), tmp_path / "again.jsonl", columns=columns
        )
        assert told == 1
        again = json.loads((tmp_path / "again.jsonl").read_text())
        assert again["probabilities"] == chosen.probabilities
    own = {"context": "Tell the place.", "question": "thing 9?", "choices": ["here 9", "there"]}
    predict_file(asking, write(tmp_path / "own.jsonl", [own]), tmp_path / "own.csv")
    assert json.dumps(chosen.probabilities).replace('"', '""') in (tmp_path / "own.csv").read_text()


@pytest.mark.parametrize(
    ("columns", "error", "said"),
    [
        ({"bogus": "A"}, ConfigError, "'bogus' is no field of 'q'"),
        ({"choices": "A+Z"}, DataError, "column 'Z' is missing"),
        ({"question": "Q"}, DataError, "column 'Q' is missing"),
    ],
)
def test_columns_that_are_not_there(
    asking: LoadedRun, tmp_path: Path, columns: dict[str, str], error: type[Exception], said: str
) -> None:
    source = write(tmp_path / "new.csv", [{"kind": "why", "ask": "thing 9?", "A": "here 9", "B": "there"}])
    with pytest.raises(error, match=said) as caught:
        predict_file(asking, source, tmp_path / "out.csv", columns=columns)
    assert "question" in str(caught.value) or "A" in str(caught.value)
    assert not list(tmp_path.glob("out*"))


def test_a_source_may_be_a_list(tiny_dir: Path, tmp_path: Path) -> None:
    rows = [{"source": ["dog", f"house {n}"], "target": "the dog"} for n in range(6)]
    task = task_from_rows(rows, kind="text-to-text", name="words")
    tune(str(tiny_dir), task, family="mapping", shots=None, config=QUICK).save(tmp_path / "t")
    run = load(tmp_path / "t")
    predict_file(
        run, write(tmp_path / "a.jsonl", [{"source": ["dog", "red house"]}]), tmp_path / "a.out.jsonl"
    )
    answer = json.loads((tmp_path / "a.out.jsonl").read_text())
    assert answer["source"] == ["dog", "red house"]
    assert answer["prediction"] == run.predict([{"source": "dog, red house"}])[0].text
