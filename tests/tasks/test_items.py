"""Multiple choice, classification and text to text: what is read, what is refused, and with which line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mto.errors import ConfigError, DataError, TemplateError, UnknownNameError
from mto.tasks import draw_split, load_task, read_split, task_from_rows, write_split

QUESTIONS = [
    {
        "question": f"What is thing {n}?",
        "choices": ["red", "green", "blue"],
        "answer": ["red", "green", "blue"][n % 3],
    }
    for n in range(12)
]
TEXTS = [{"text": f"text {n}", "label": "good" if n % 4 else "bad"} for n in range(16)]


def write(folder: Path, kind: str, rows: list[dict[str, Any]], more: str = "", data: str = "") -> Path:
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = folder / "own.yaml"
    path.write_text(f"name: own\nkind: {kind}\n{more}data:\n  splits: {{train: train.jsonl}}\n{data}")
    return path


def test_a_question_has_its_choices_as_fields() -> None:
    task = task_from_rows(QUESTIONS, kind="multiple-choice", name="colours")
    example = task.train[1]
    assert (task.kind, task.fields) == ("multiple-choice", ("question", "relation"))
    assert (example.head, example.targets, example.choices) == (
        "What is thing 1?",
        ("green",),
        ("red", "green", "blue"),
    )
    assert task.form.options(example.fields, natural=False) == (("red",), ("green",), ("blue",))


@pytest.mark.parametrize(
    ("answers", "answer"), [("index", 1), ("index", "1"), ("number", 2), ("letter", "B"), ("text", "Green ")]
)
def test_answers_are_given_in_four_ways(tmp_path: Path, answers: str, answer: object) -> None:
    rows = [{"question": "Which?", "choices": ["red", "green"], "answer": answer}]
    task = load_task(write(tmp_path, "multiple-choice", rows, data=f"  answers: {answers}\n"))
    assert task.train[0].targets == ("green",)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"choices": ["red", "Red ", "blue"], "answer": 2}, "the choice 'Red' stands twice"),
        ({"choices": ["red", "red", "blue"], "answer": 0}, "the right choice 'red' stands twice"),
        ({"choices": ["red", "blue"], "answer": 2}, r"the answer '2' \(index\) is none of the 2 choices"),
        ({"choices": ["red", "blue"], "answer": "x"}, "the answer 'x' is no index of a choice"),
        ({"choices": ["red"], "answer": 0}, "1 choices; a question has 2 to 10"),
        ({"choices": [str(n) for n in range(11)], "answer": 0}, "11 choices"),
        (
            {"choices": ["red", "blue"], "answer": 1, "question": "Q0"},
            r"stands in train.jsonl:1 with another answer",
        ),
    ],
)
def test_odd_questions_are_refused_with_their_line(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    rows = [{"question": "Q0", "choices": ["red", "blue"], "answer": 0}, {"question": "Q1", **row}]
    path = write(tmp_path, "multiple-choice", rows)
    with pytest.raises(DataError, match=message) as caught:
        load_task(path)
    assert "train.jsonl:2" in str(caught.value)
    path.write_text(path.read_text() + "  odd_rows: drop\n")
    dropped = load_task(path)
    assert [warning.kind for warning in dropped.warnings] == ["odd-row"]
    assert len(dropped.train) == (2 if "the choice" in message else 1)


def test_a_wrong_choice_that_stands_twice_is_mended(tmp_path: Path) -> None:
    rows = [{"question": "Q", "choices": ["red", "red", "blue"], "answer": 2}]
    task = load_task(write(tmp_path, "multiple-choice", rows, data="  odd_rows: drop\n"))
    assert (task.train[0].choices, task.train[0].targets) == (("red", "blue"), ("blue",))


def test_choices_in_columns_of_their_own_values_and_nested_columns(tmp_path: Path) -> None:
    rows = [{"p": "It rained.", "q": "cause", "a": {"x": "clouds"}, "b": {"x": "sun"}, "label": 0}]
    data = "  columns: {question: q, context: p, choices: [a.x, b.x], answer: label}\n  values: {question: {cause: 'Why?'}}\n"
    task = load_task(write(tmp_path, "multiple-choice", rows, data=data))
    assert dict(task.train[0].fields) == {
        "context": "It rained.", "question": "Why?", "relation": "own", "choice1": "clouds", "choice2": "sun",
    }  # fmt: skip
    assert task.fields == ("context", "question", "relation")


def questions_of_columns(tmp_path: Path, *rows: str, answers: str = "letter") -> Path:
    """A task of questions in a CSV file with four columns of choices."""
    (tmp_path / "q.csv").write_text("\n".join(["question,A,B,C,D,answer", *rows]) + "\n")
    path = tmp_path / "q.yaml"
    path.write_text(
        "name: q\nkind: multiple-choice\ndata:\n  splits: {train: q.csv}\n  columns: {choices: [A, B, C, D]}\n"
        f"  answers: {answers}\n"
    )
    return path


def test_empty_choices_at_the_end_mean_fewer_choices(tmp_path: Path) -> None:
    path = questions_of_columns(
        tmp_path, "Q1,red,green,blue,black,D", "Q2,red,green,blue, ,C", "Q3,red,green,,,A"
    )
    task = load_task(path)
    assert not task.warnings
    assert [(len(one.choices), one.targets) for one in task.train] == [
        (4, ("black",)), (3, ("blue",)), (2, ("red",)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Q2,red,,blue,black,A", "empty choice, row left out"),
        ("Q2,,red,,,B", "empty choice, row left out"),
        ("Q2,,,,,A", "empty choice, row left out"),
    ],
)
def test_an_empty_choice_before_others_is_left_out(tmp_path: Path, row: str, message: str) -> None:
    task = load_task(questions_of_columns(tmp_path, "Q1,red,green,blue,black,D", row))
    assert [(one.where.rpartition("/")[2], one.message) for one in task.warnings] == [("q.csv:3", message)]
    assert len(task.train) == 1


@pytest.mark.parametrize(
    ("answers", "row", "message"),
    [
        ("letter", "Q2,red,green,,,C", r"q.csv:3: the answer 'C' \(letter\) is none of the 2 choices"),
        ("number", "Q2,red,green,,,4", r"q.csv:3: the answer '4' \(number\) is none of the 2 choices"),
        ("text", "Q2,red,green,,,blue", r"q.csv:3: the answer 'blue' is none of the choices"),
        ("letter", "Q2,red,,,,A", "q.csv:3: 1 choices; a question has 2 to 10"),
    ],
)
def test_the_answer_is_among_the_choices_that_are_left(
    tmp_path: Path, answers: str, row: str, message: str
) -> None:
    first = {"letter": "D", "number": "4", "text": "black"}[answers]
    with pytest.raises(DataError, match=message):
        load_task(questions_of_columns(tmp_path, f"Q1,red,green,blue,black,{first}", row, answers=answers))


LABELS = (
    "labels:\n  positive: {data: ['1'], words: [great, good]}\n  negative: {data: ['0'], words: [awful]}\n"
)


def test_labels_have_names_and_words(tmp_path: Path) -> None:
    rows = [{"text": "nice", "label": 1}, {"text": "dull", "label": 0}, {"text": "lost", "label": -1}]
    task = load_task(write(tmp_path, "classification", rows, LABELS, data="  drop: ['-1']\n"))
    assert [example.targets for example in task.train] == [("positive",), ("negative",)]
    assert task.form.options({}, natural=True) == (("great", "good"), ("awful",))
    assert task.form.options({}, natural=False) == (("positive",), ("negative",))
    assert task.form.written("positive", natural=True) == "great"
    assert task.warnings == ()


def test_a_label_without_an_entry_and_one_class_only_are_refused(tmp_path: Path) -> None:
    rows = [{"text": "nice", "label": 1}, {"text": "so", "label": 2}]
    with pytest.raises(
        DataError, match=r"train.jsonl:2: the label '2' has no entry under labels \(there are: positive"
    ):
        load_task(write(tmp_path, "classification", rows, LABELS))
    with pytest.raises(DataError, match="all 2 rows have the label 'positive'"):
        load_task(write(tmp_path, "classification", [{"text": t, "label": 1} for t in "ab"], LABELS))


def test_sources_that_stand_twice_have_several_targets(tmp_path: Path) -> None:
    rows = [
        {"source": ["ski", "hill"], "target": "One skis."},
        {"source": "ski, hill", "target": ["One skis.", "A hill."]},
    ]
    task = load_task(write(tmp_path, "text-to-text", rows))
    assert [(example.head, example.targets) for example in task.train] == [
        ("ski, hill", ("One skis.", "A hill."))
    ]


def test_references_may_stand_in_columns_of_their_own(tmp_path: Path) -> None:
    rows = [
        {"s": "ski", "a": "One skis.", "b": "A hill."},
        {"s": "sit", "a": "One sits.", "b": None},
        {"s": "run", "a": "", "b": "One runs."},
        {"s": "eat", "a": "", "b": ""},
    ]
    columns = "  columns: {source: s, target: [a, b]}\n"
    task = load_task(write(tmp_path, "text-to-text", rows, data=columns))
    assert [one.targets for one in task.train] == [("One skis.", "A hill."), ("One sits.",), ("One runs.",)]
    assert [(one.where.rpartition("/")[2], one.message) for one in task.warnings] == [
        ("train.jsonl:4", "empty target, row left out")
    ]
    with pytest.raises(DataError, match="column 'c' is missing"):
        load_task(write(tmp_path, "text-to-text", rows, data=columns.replace("a, b", "a, c")))


def test_a_question_that_stands_twice_is_told_with_its_choices(tmp_path: Path) -> None:
    rows = [
        {"question": "Which makes sense?", "choices": ["He ate soup.", f"He ate {what}."], "answer": 0}
        for what in ("a house", "a car", "a house")
    ]
    task = load_task(write(tmp_path, "multiple-choice", rows))
    assert [warning.message for warning in task.warnings] == [
        "'Which makes sense? (He ate soup. / He ate a house.)' stands here again, left out"
    ]


@pytest.mark.parametrize(
    ("kind", "more", "data", "message"),
    [
        ("multiple", "", "", r"own.yaml:2: no kind of task is named 'multiple'"),
        (
            "multiple-choice",
            "",
            "  columns: {text: a}\n",
            "columns.text: multiple-choice has the fields question",
        ),
        ("multiple-choice", LABELS, "", "labels and input belong to the kind classification"),
        ("classification", "", "", "two labels or more"),
        ("classification", "labels: {a: {words: [x]}, b: {words: [X]}}\n", "", "stands for 'a' and for 'b'"),
        (
            "text-to-text",
            "phrases: ['{{ soruce }}']\n",
            "",
            r"own.yaml:3: unknown field 'soruce'; .*|own.yaml:3: unknown",
        ),
        ("text-to-text", "phrases: ['nothing']\n", "", "holds no input"),
        ("text-to-text", "frases: [x]\n", "", "frases: unknown key; did you mean 'phrases'"),
    ],
)
def test_task_files_are_strict(tmp_path: Path, kind: str, more: str, data: str, message: str) -> None:
    with pytest.raises((ConfigError, TemplateError), match=message):
        load_task(write(tmp_path, kind, [{"source": "a", "target": "b"}], more, data))


def test_a_missing_column_is_named_with_the_columns_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"train.jsonl:1: columns 'text' and 'label' are missing \(found: 'txt'\)"
    ):
        load_task(write(tmp_path, "classification", [{"txt": "a"}], LABELS))


def test_what_only_completion_has_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "text-to-text", [{"source": "a", "target": "b"}])
    with pytest.raises(UnknownNameError, match="has no relations"):
        load_task(path, relation="x")
    with pytest.raises(DataError, match="columns and a delimiter"):
        load_task(path, columns={"source": "x"})


def test_shots_are_spread_over_the_right_answers() -> None:
    task = task_from_rows(TEXTS, kind="classification", name="t")
    split = draw_split(task, shots=6, seed=3)
    assert sorted(row.target for row in split.train) == ["bad"] * 3 + ["good"] * 3
    assert [row.target for row in draw_split(task, shots=2, seed=3).train] == [
        row.target for row in split.train[:2]
    ]
    assert not {row.id for row in split.train} & {row.id for row in split.dev}
    assert [row.target for row in split.dev].count("bad") == 1  # one is left of four
    questions = draw_split(task_from_rows(QUESTIONS, kind="multiple-choice", name="q"), shots=6, seed=0)
    assert sorted(row.choices.index(row.target) for row in questions.train) == [0, 0, 1, 1, 2, 2]


def test_splits_are_written_and_read_back(tmp_path: Path) -> None:
    task = task_from_rows({"train": QUESTIONS[:8], "test": QUESTIONS[8:]}, kind="multiple-choice", name="q")
    split = draw_split(task, shots=4, seed=1)
    assert read_split(write_split(split, tmp_path / "s")) == split
    assert split.test[0].choices == ("red", "green", "blue")


def test_the_test_file_is_cut_by_a_fixed_draw(tmp_path: Path) -> None:
    path = write(tmp_path, "text-to-text", [{"source": "s", "target": "t"}], data="  max_test: 5\n")
    (tmp_path / "test.jsonl").write_text(
        "".join(json.dumps({"source": str(n), "target": "t"}) + "\n" for n in range(20))
    )
    path.write_text(
        path.read_text().replace("{train: train.jsonl}", "{train: train.jsonl, test: test.jsonl}")
    )
    heads = [example.head for example in load_task(path).test]
    assert len(heads) == 5 and heads == sorted(heads, key=int)
    assert heads == [example.head for example in load_task(path).test]


def test_fields_that_a_kind_may_have_are_read_under_their_own_names() -> None:
    rows = [
        {"text": "A dog runs.", "text2": "It moves.", "label": "yes"},
        {"text": "A dog runs.", "text2": "It flies.", "label": "no"},
    ]
    task = task_from_rows(rows, kind="classification", input="premise: {{ text }} hypothesis: {{ text2 }}")
    assert task.fields == ("text", "text2", "relation") and len(task.train) == 2
    assert task.train[1].fields["text2"] == "It flies."
    asked = [{"context": "It rains.", "question": "Why?", "choices": ["so", "no"], "answer": "so"}]
    assert task_from_rows(asked, kind="multiple-choice").fields == ("context", "question", "relation")
