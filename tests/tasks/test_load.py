"""Tasks from the library, from a user's own files, from data sets and from rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from mto.errors import ConfigError, DataError, TemplateError, UnknownNameError
from mto.tasks import Task, fold_case, list_tasks, load_task, read_task_file, task_from_rows
from mto.tasks.load import LIBRARY
from mto.templates import BASIC, compile_template, encode_many

ROWS = "head,tail\nhammer,pounding nails\nsaw,cutting wood\nhammer,breaking glass\n"
FILE = """
name: workshop
title: Workshop
data:
  splits: {train: uses.csv}
relations:
  ObjectUse:
    type: mask-filling
    phrases: ["{{ head }} is used for", "People use {{ head }} for"]
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    (tmp_path / "uses.csv").write_text(ROWS)
    (tmp_path / "workshop.yaml").write_text(FILE)
    return tmp_path / "workshop.yaml"


def heads(task: Task) -> list[str]:
    return [example.head for example in task.train]


# The library


def test_every_task_of_the_library_is_listed_with_its_type() -> None:
    entries = {entry.name: entry for entry in list_tasks()}
    assert sum(name.startswith("household/") for name in entries) == 9
    assert sum(name.startswith("atomic2020/") for name in entries) == 17
    assert entries["household/ObjectUse"].type == "mask-filling"
    assert entries["atomic2020/xIntent"].type == "map-phrasal"
    assert entries["atomic2020/xIntent"].needs_data and not entries["household/ObjectUse"].needs_data
    assert all(entry.description for entry in entries.values())
    typed = [entry for name, entry in entries.items() if name.startswith(("household/", "atomic2020/"))]
    assert all(entry.type for entry in typed)


COMPLETION = [p for p in sorted(LIBRARY.glob("*.yaml")) if "\nkind: completion\n" in p.read_text()]


@pytest.mark.parametrize("path", COMPLETION, ids=lambda path: path.stem)
def test_every_shipped_task_file_has_two_phrases_that_compile(path: Path, tiny_bart) -> None:
    file, _ = read_task_file(path)
    for relation in file.relations.values():
        assert len(set(relation.phrases)) >= 2
        for phrase in relation.phrases:
            for family in BASIC:
                compile_template(family, phrase=phrase, adapter=tiny_bart.adapter)


@pytest.mark.parametrize("entry", [e.name for e in list_tasks() if not e.needs_data])
def test_every_embedded_task_loads_clean_and_encodes(entry: str, tiny_t5) -> None:
    task = load_task(entry)
    assert task.warnings == () and min(len(task.train), len(task.dev), len(task.test)) > 0
    splits = [{fold_case(e.head) for e in split} for split in (task.train, task.dev, task.test)]
    assert sum(map(len, splits)) == len(set().union(*splits)) >= 60
    template = compile_template("masked-prompting", phrase=task.phrases[0], fields=task.fields)
    rendered = [template.render(e.fields, e.targets[0]) for e in task.train]
    assert len(encode_many(rendered, tiny_t5.adapter)) == len(task.train)


def test_atomic_loads_from_the_folder_given(shared_dir: Path) -> None:
    task = load_task("atomic2020/AtLocation", data=shared_dir / "data" / "atomic2020")
    assert task.name == "atomic2020/AtLocation" and len(task.train) > 100
    assert not any(target.casefold() == "none" for e in task.train for target in e.targets)
    assert set(task.source.files) == {"train", "dev", "test"}


def test_names_can_be_written_with_a_colon() -> None:
    assert (
        load_task("household:xWant")
        == load_task("household/xWant")
        == load_task("household", relation="xWant")
    )


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("houshold/ObjectUse", "did you mean 'household'"),
        ("household/ObjectUses", "did you mean 'ObjectUse'"),
        ("household", "write household/RELATION; relations: "),
        ("../tasks/household", "no task is named"),
    ],
)
def test_wrong_names_get_a_suggestion(ref: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        load_task(ref)


def test_two_relations_for_one_task_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="'xNeed' was asked for as well"):
        load_task("household/xWant", relation="xNeed")


def test_data_that_is_not_in_the_package_is_asked_for() -> None:
    with pytest.raises(DataError, match=r"not part of the package\n.*train\.tsv, dev\.tsv, test\.tsv"):
        load_task("atomic2020/AtLocation")


# A user's own files


def test_one_csv_of_two_columns_is_enough(workshop: Path) -> None:
    task = load_task(workshop)
    assert (task.name, task.relation, task.type) == ("workshop/ObjectUse", "ObjectUse", "mask-filling")
    assert [(e.head, e.targets, e.where) for e in task.train] == [
        ("hammer", ("pounding nails", "breaking glass"), "uses.csv:2"),
        ("saw", ("cutting wood",), "uses.csv:3"),
    ]
    assert task.dev == task.test == () and task.warnings == ()
    assert task.train[0].fields == {"head": "hammer", "relation": "ObjectUse"}
    assert load_task(f"{workshop}/ObjectUse") == load_task(f"{workshop}:ObjectUse") == task


def test_a_csv_alone_with_a_phrase(workshop: Path) -> None:
    task = load_task(workshop.parent / "uses.csv", phrases=["{{ head }} is for"], type="mask-filling")
    assert (task.name, task.relation, task.phrases) == ("uses", "uses", ("{{ head }} is for",))
    assert heads(task) == ["hammer", "saw"]


def test_a_csv_alone_with_several_relations(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("head,relation,tail\na,Use,b\nc,Place,d\n")
    with pytest.raises(UnknownNameError, match=r"choose one with --relation \(relation=…\): Use, Place"):
        load_task(path)
    assert heads(load_task(path, relation="Place")) == ["c"]
    with pytest.raises(DataError, match="no row has the relation 'Plase': did you mean 'Place'"):
        load_task(path, relation="Plase")


def test_own_columns_fields_and_delimiter(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("thing;room;use\npot;kitchen;soup\npot;garden;herbs\n")
    (tmp_path / "a.yaml").write_text(
        "name: own\ndata:\n  delimiter: ';'\n  splits: {train: a.csv}\n"
        "  columns: {head: thing, tail: use, others: {place: room}}\n"
        "relations: {Use: {phrases: ['In the {{ place }}, {{ head }} is for']}}\n"
    )
    task = load_task(tmp_path / "a.yaml")
    assert task.fields == ("head", "place", "relation")
    assert [(e.fields["place"], e.targets) for e in task.train] == [
        ("kitchen", ("soup",)),
        ("garden", ("herbs",)),
    ]


def test_a_misspelt_relation_of_the_library_tells_no_path_of_the_package() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ObjectUse'") as caught:
        load_task("household/ObjctUse")
    assert str(caught.value).startswith("'household' has no relation 'ObjctUse'")


def test_a_file_alone_with_columns_of_other_names(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("QUESTION;ANSWER;room\npot, big;soup;kitchen\n")
    with pytest.raises(
        DataError, match=r"found: 'QUESTION', 'ANSWER', 'room'(.|\n)*--columns head=COLUMN,tail="
    ):
        load_task(path)
    task = load_task(path, columns={"head": "QUESTION", "tail": "ANSWER", "place": "room"})
    assert task.fields == ("head", "place", "relation")
    assert [(e.head, e.fields["place"], e.targets) for e in task.train] == [
        ("pot, big", "kitchen", ("soup",))
    ]
    # The library's phrases and types with rows of one's own.
    path.write_text("QUESTION;ANSWER;kind\npot;soup;ObjectUse\n")
    named = {"head": "QUESTION", "tail": "ANSWER", "relation": "kind"}
    own = load_task("household/ObjectUse", data=path, columns=named)
    assert heads(own) == ["pot"] and own.phrases
    with pytest.raises(DataError, match="there is none"):
        load_task("household/ObjectUse", columns={"head": "QUESTION"})
    with pytest.raises(ConfigError, match="the name 'mask' is taken"):
        load_task(path, columns={**named, "mask": "room"})
    path.write_text("head,tail:more\na,b:c\n")
    with pytest.raises(DataError, match="--columns tail=COLUMN"):
        load_task(path)
    assert load_task(path, columns={"head": "head,tail", "tail": "more"}, delimiter=":").train[0].targets == (
        "c",
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("heads,tail\na,b\n", r"uses\.csv:1: column 'head' is missing \(found: 'heads', 'tail'\)\n.*'heads'"),
        ("a,b\nc,d\n", "columns 'head' and 'tail' are missing(.|\n)*first line must name"),
        ("head;tail\na;b\n", "data.delimiter"),
        ("head,tail\n,\n,b\na,\n", "no usable row"),
    ],
)
def test_wrong_rows_name_the_file(workshop: Path, rows: str, message: str) -> None:
    (workshop.parent / "uses.csv").write_text(rows)
    with pytest.raises(DataError, match=message):
        load_task(workshop)


def test_a_relation_column_is_needed_only_where_there_is_a_choice(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ROWS)
    body = "name: own\ndata: {splits: {train: a.csv}}\nrelations: {Use: {}, Place: {}}\n"
    (tmp_path / "a.yaml").write_text(body)
    with pytest.raises(DataError, match="column 'relation' is missing"):
        load_task(tmp_path / "a.yaml/Use")
    (tmp_path / "a.yaml").write_text(body.replace("{splits", "{columns: {relation: null}, splits"))
    assert heads(load_task(tmp_path / "a.yaml/Use")) == ["hammer", "saw"]


def test_odd_rows_are_dropped_and_told(workshop: Path) -> None:
    path = workshop.parent / "uses.csv"
    path.write_text("head,tail\nhammer,nails\n Hammer ,NAILS\n\nsaw,\n,wood\nsaw,wood\n")
    task = load_task(workshop)
    assert [(w.kind, w.where) for w in task.warnings] == [
        ("duplicate-row", f"{path}:3"),
        ("empty-row", f"{path}:4"),
        ("empty-cell", f"{path}:5"),
        ("empty-cell", f"{path}:6"),
    ]
    assert heads(task) == ["hammer", "saw"]
    assert "empty tail" in str(task.warnings[2]) and "empty head" in str(task.warnings[3])


def test_a_head_in_two_splits_is_told(workshop: Path) -> None:
    (workshop.parent / "test.csv").write_text("head,tail\nSaw,more wood\naxe,wood\n")
    workshop.write_text(FILE.replace("uses.csv}", "uses.csv, test: test.csv}"))
    (warning,) = load_task(workshop).warnings
    assert warning.kind == "head-in-two-splits"
    assert str(warning) == f"{workshop.parent / 'test.csv'}:2: 'Saw' stands in train as well as in test"


def test_tails_that_say_nothing_are_left_out(workshop: Path) -> None:
    (workshop.parent / "uses.csv").write_text("head,tail\na,None\na,b\nc,none\n")
    workshop.write_text(FILE.replace("data:\n", "data:\n  drop_tails: [none]\n"))
    task = load_task(workshop)
    assert [(e.head, e.targets) for e in task.train] == [("a", ("b",))] and task.warnings == ()


def test_schema_problems_come_all_at_once(workshop: Path) -> None:
    workshop.write_text(FILE.replace("type: mask-filling", "tipe: mask").replace("title", "titel"))
    with pytest.raises(ConfigError) as caught:
        load_task(workshop)
    assert f"{workshop}:3: titel: unknown key; did you mean 'title'?" in str(caught.value)
    assert f"{workshop}:8: relations.ObjectUse.tipe: unknown key" in str(caught.value)


def test_a_taken_field_name_is_refused(workshop: Path) -> None:
    workshop.write_text(FILE.replace("data:\n", "data:\n  columns: {others: {mask: m}}\n"))
    with pytest.raises(ConfigError, match="the name 'mask' is taken"):
        load_task(workshop)


def test_wrong_phrases_name_their_line(workshop: Path) -> None:
    workshop.write_text(
        FILE.replace('"{{ head }} is', '"{{ haed }} is').replace("People use {{ head }}", "used")
    )
    with pytest.raises(TemplateError) as caught:
        load_task(workshop)
    assert f"{workshop}:9: unknown field 'haed'" in str(caught.value)
    assert "'used for' holds no input" in str(caught.value)
    with pytest.raises(TemplateError) as caught:
        load_task("household/ObjectUse", phrases=["{{ hed }} is for"])
    assert "unknown field 'hed'" in str(caught.value) and "holds no input" not in str(caught.value)
    with pytest.raises(TemplateError, match="holds no input"):
        load_task("household/xWant", phrases=["wants"])


# Data sets and rows


def test_a_saved_data_set(workshop: Path) -> None:
    import datasets

    rows = [{"head": "hammer", "tail": "nails"}, {"head": "saw", "tail": "wood"}]
    pair = datasets.DatasetDict(
        {"train": datasets.Dataset.from_list(rows), "val": datasets.Dataset.from_list(rows[:1])}
    )
    pair.save_to_disk(str(workshop.parent / "saved"))
    data = "format: huggingface\n  dataset: saved\n  splits: {train: train, dev: val}"
    workshop.write_text(FILE.replace("splits: {train: uses.csv}", data))
    task = load_task(workshop)
    assert heads(task) == ["hammer", "saw"] and [e.head for e in task.dev] == ["hammer"]
    assert task.warnings[0].kind == "head-in-two-splits"
    workshop.write_text(FILE.replace("splits: {train: uses.csv}", data.replace("val", "validation")))
    with pytest.raises(DataError, match="no split 'validation'"):
        load_task(workshop)


def test_data_in_memory_takes_the_place_of_files(workshop: Path) -> None:
    import datasets

    rows = [{"head": "axe", "tail": "wood"}]
    assert heads(load_task(workshop, data=rows)) == ["axe"]
    assert heads(load_task(workshop, data=datasets.Dataset.from_list(rows))) == ["axe"]
    both = load_task(workshop, data={"train": rows, "validation": [{"head": "pot", "tail": ["soup", "tea"]}]})
    assert [e.targets for e in both.dev] == [("soup", "tea")]
    other = workshop.parent / "other.csv"
    other.write_text("head,tail\nknife,bread\n")
    assert heads(load_task(workshop, data=other)) == ["knife"]


@pytest.mark.parametrize("data", [{"dev": []}, 3, object()])
def test_data_in_memory_that_cannot_be_used(workshop: Path, data: object) -> None:
    with pytest.raises(DataError, match=r"no split 'train'|expected rows"):
        load_task(workshop, data=data)


def test_rows_with_keys_of_ones_own() -> None:
    rows = [{"thing": "pot", "use": "soup", "room": "kitchen"}]
    task = task_from_rows(
        rows,
        name="Use",
        columns={"head": "thing", "tail": "use", "place": "room"},
        phrases=["{{ head }} in {{ place }}"],
    )
    assert task.train[0].fields == {"head": "pot", "place": "kitchen", "relation": "Use"}
    assert load_task(task) is task


def test_importing_tasks_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    heavy = "torch transformers datasets pandas pyarrow"
    code = f"import sys, mto.tasks, mto.templates; print([m for m in '{heavy}'.split() if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_wordings_are_read_checked_and_no_phrases(workshop: Path) -> None:
    text = workshop.read_text(encoding="utf-8")
    workshop.write_text(
        text.replace("    phrases: [", "    wordings: ['{{ head }} serves to']\n    phrases: [", 1),
        encoding="utf-8",
    )
    task = load_task(workshop)
    assert task.wordings == ("{{ head }} serves to",)
    assert not set(task.wordings) & set(task.phrases)
    workshop.write_text(
        text.replace("    phrases: [", "    wordings: ['{{ hed }} serves to']\n    phrases: [", 1),
        encoding="utf-8",
    )
    with pytest.raises(TemplateError, match=r"hed"):
        load_task(workshop)


def test_inputs_are_held_out_where_there_is_no_test_file(tmp_path: Path) -> None:
    lines = "".join(f"thing {n},use {n}\nthing {n},other {n}\n" for n in range(10))
    (tmp_path / "a.csv").write_text("head,tail\n" + lines)
    (tmp_path / "b.csv").write_text("head,tail\n" + "".join(reversed(lines.splitlines(keepends=True))))

    def load(file: str, count: int) -> Task:
        path = tmp_path / "own.yaml"
        data = f"data: {{splits: {{train: {file}}}, hold_out: {count}}}"
        path.write_text(f"name: own\n{data}\nrelations: {{Use: {{}}}}\n")
        return load_task(path)

    task, turned = load("a.csv", 4), load("b.csv", 4)
    assert (len(task.train), len(task.test)) == (6, 4) and not task.dev
    assert all(len(example.targets) == 2 for example in task.test)
    assert {one.id for one in task.test} == {one.id for one in turned.test}
    with pytest.raises(DataError, match=r"set data\.hold_out to 5 or less"):
        load("a.csv", 6)
