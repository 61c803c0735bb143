"""The library's tasks of other kinds: on the real files where they are there, and on rows with the public data sets' columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mto.errors import DataError
from mto.tasks import ItemFile, Task, draw_split, list_tasks, load_task, read_any_task_file, task_files
from mto.tasks.sources import CONVERTED
from mto.templates import BASIC, CHOICE, compile_template

FOLDERS = {
    "commonsenseqa": ("commonsenseqa", 500, False),
    "openbookqa": ("openbookqa", 500, True),
    "openbookqa-fact": ("openbookqa", 500, True),
    "piqa": ("piqa", 500, False),
    "socialiqa": ("socialiqa", 500, False),
    "copa": ("copa", 500, True),
    "csqa2": ("csqa2", 500, False),
    "comve": ("comve", 500, True),
    "creak": ("creak", 500, False),
    "sst2": ("sst2", 500, True),
    "rotten-tomatoes": ("rt_polarity", 500, True),
    "snli": ("snli_small", 500, False),
    "rte": ("superglue_few/rte", 277, True),
    "cb": ("superglue_few/cb", 56, True),
    "commongen": ("commongen", 500, False),
    "e2e": ("e2e_clean", 500, False),
}
"""Name: folder of the shared data, test rows, and whether there is a dev file."""


def test_every_task_of_another_kind_is_tested() -> None:
    assert {task.name for task in list_tasks() if task.kind != "completion"} == set(FOLDERS)
    for name in FOLDERS:
        file, _ = read_any_task_file(task_files.get(name))
        assert isinstance(file, ItemFile) and file.licence and file.source and file.notes and file.description


@pytest.mark.parametrize("name", list(FOLDERS))
def test_the_real_files_are_read(name: str, shared_dir: Path) -> None:
    folder, test, dev = FOLDERS[name]
    task = load_task(name, data=shared_dir / "data" / folder)
    known = {example.id for example in (*task.train, *task.dev)}
    assert len(task.test) == test and bool(task.dev) == dev
    shots = 16 if name in ("cb", "rte") else 30
    split = draw_split(task, shots=shots, seed=0, max_test=500)
    assert (len(split.train), len(split.dev)) == (shots, shots)
    assert not {example.id for example in split.test} & known
    for example in (*split.train, *split.test):
        answers = (example.target,) if hasattr(example, "target") else example.targets
        options = task.form.names(example.fields)
        assert not options or set(answers) <= set(options)
    families = (*BASIC, *CHOICE) if task.kind == "multiple-choice" else BASIC
    for family in families:
        if "prompting" in family and "choice" not in family and "answer" not in family and not task.phrases:
            continue
        template = task.form.template(family, phrase=next(iter(task.phrases), None), fields=task.fields)
        for example in split.test[:3]:
            assert template.render(example.fields, "x", 0).source


def rows(**columns: list[Any]) -> list[dict[str, Any]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


NLI = {"premise": ["It rains.", "He is in."], "hypothesis": ["It is wet.", "He is out."]}
REVIEWS = {"text": ["a joy .", "a bore ."], "label": [1, 0]}
HUB: dict[str, tuple[list[dict[str, Any]], list[str], str | None]] = {
    "commonsenseqa": (
        rows(
            id=["1"], question=["Where is a book?"], question_concept=["book"],
            choices=[{"label": list("ABCDE"), "text": ["library", "pot", "sea", "sky", "car"]}], answerKey=["A"],
        ),
        ["library"], "question: Where is a book? choice1: library choice2: pot",
    ),
    "openbookqa": (
        rows(id=["1"], question_stem=["Ice is"], choices=[{"text": ["hot", "cold", "red", "loud"], "label": list("ABCD")}], answerKey=["B"]),
        ["cold"], "question: Ice is choice1: hot",
    ),
    "openbookqa-fact": (
        rows(
            id=["1"], question_stem=["Ice is"], choices=[{"text": ["hot", "cold", "red", "loud"], "label": list("ABCD")}],
            answerKey=["B"], fact1=["ice is frozen water"], humanScore=[1.0], clarity=[2.0], turkIdAnonymized=["x"],
        ),
        ["cold"], "fact: ice is frozen water question: Ice is choice1: hot",
    ),
    "piqa": (
        rows(goal=["Boil an egg", "Open a door"], sol1=["use water", "push"], sol2=["use sand", "eat"], label=[0, -1]),
        ["use water"], "question: Boil an egg choice1: use water choice2: use sand",
    ),
    "socialiqa": (
        rows(context=["Tracy left."], question=["Why?"], answerA=["tired"], answerB=["hungry"], answerC=["late"], label=["3"]),
        ["late"], "context: Tracy left. question: Why? choice1: tired",
    ),
    "copa": (
        rows(premise=["It rained.", "It froze."], choice1=["wet", "clouds"], choice2=["dry", "ice"], question=["effect", "effect"], idx=[0, 1], label=[0, 1]),
        ["wet", "ice"], "context: It rained. question: What happened as a result? choice1: wet choice2: dry",
    ),
    "csqa2": (rows(question=["A cat is a fish?", "Ice is cold?"], answer=["no", "yes"], confidence=[0.9, 0.8]), ["no", "yes"], "A cat is a fish?"),
    "creak": (
        rows(ex_id=["1", "2"], sentence=["Ice is hot.", "Ice is cold."], explanation=["no", "so"], label=["false", "true"], entity=["Ice"] * 2),
        ["false", "true"], "Ice is hot.",
    ),
    "sst2": (rows(idx=[0, 1], sentence=["a joy", "a bore"], label=[1, 0]), ["positive", "negative"], "a joy"),
    "rotten-tomatoes": (rows(**REVIEWS), ["positive", "negative"], "a joy ."),
    "snli": (rows(**NLI, label=[0, 2]), ["entailment", "contradiction"], "premise: It rains. hypothesis: It is wet."),
    "rte": (rows(**NLI, idx=[0, 1], label=[0, 1]), ["entailment", "not_entailment"], "premise: It rains. hypothesis: It is wet."),
    "cb": (rows(**NLI, idx=[0, 1], label=[1, 2]), ["contradiction", "neutral"], "premise: It rains. hypothesis: It is wet."),
    "commongen": (
        rows(concept_set_idx=[0, 0], concepts=[["ski", "hill"], ["ski", "hill"]], target=["One skis.", "A hill to ski."]),
        ["One skis.", "A hill to ski."], "ski, hill",
    ),
    "e2e": (
        rows(meaning_representation=["name[Blue]", "name[Blue]"], human_reference=["Blue is a pub.", "It is Blue."]),
        ["Blue is a pub.", "It is Blue."], "name[Blue]",
    ),
}  # fmt: skip
"""Rows with the columns of the public data set, the targets that must come out, and how the input begins."""


def check(task: Task, name: str) -> None:
    _, targets, start = HUB[name]
    assert [target for example in task.train for target in example.targets] == targets
    assert task.test or name not in ("commonsenseqa",)
    template = task.form.template("masked-mapping", phrase=None, fields=task.fields)
    written = template.render(task.train[0].fields).source[0].text  # type: ignore[union-attr]
    assert written.startswith(f"{task.relation}: {start}")


@pytest.mark.parametrize("name", [name for name in FOLDERS if name != "comve"])
def test_the_public_data_sets_columns_are_read(name: str) -> None:
    import datasets

    given = datasets.Dataset.from_list(HUB[name][0])
    file, _ = read_any_task_file(task_files.get(name))
    assert isinstance(file, ItemFile) and file.hub is not None
    splits = file.hub.splits.named()
    check(load_task(name, data=datasets.DatasetDict(dict.fromkeys(splits.values(), given))), name)


def test_a_data_set_that_was_saved_is_read(tmp_path: Path) -> None:
    import datasets

    given = datasets.Dataset.from_list(HUB["piqa"][0])
    datasets.DatasetDict({"train": given, "validation": given}).save_to_disk(str(tmp_path / "piqa"))
    check(load_task("piqa", data=tmp_path / "piqa"), "piqa")


def test_where_no_data_are_given_the_hub_is_asked(monkeypatch) -> None:
    import datasets

    asked = []

    def load(*args: Any, **kwargs: Any) -> Any:
        asked.append(args)
        given = datasets.Dataset.from_list(HUB["cb"][0])
        return datasets.DatasetDict({"train": given, "validation": given})

    monkeypatch.setattr(datasets, "load_dataset", load)
    check(load_task("cb"), "cb")
    assert asked == [("aps/super_glue", "cb")]
    with pytest.raises(DataError, match="the data of 'comve' is not part of the package"):
        load_task("comve")


ASKED: dict[str, tuple[str, str | None, str | None]] = {
    "commonsenseqa": ("tau/commonsense_qa", None, None),
    "openbookqa": ("allenai/openbookqa", "main", None),
    "openbookqa-fact": ("allenai/openbookqa", "additional", None),
    "piqa": ("ybisk/piqa", None, CONVERTED),
    "socialiqa": ("lighteval/siqa", None, None),
    "copa": ("aps/super_glue", "copa", None),
    "csqa2": ("tasksource/commonsense_qa_2.0", None, None),
    "creak": ("amydeng2000/CREAK", None, None),
    "sst2": ("stanfordnlp/sst2", None, None),
    "rotten-tomatoes": ("cornell-movie-review-data/rotten_tomatoes", None, None),
    "snli": ("stanfordnlp/snli", None, None),
    "rte": ("aps/super_glue", "rte", None),
    "cb": ("aps/super_glue", "cb", None),
    "commongen": ("allenai/common_gen", None, None),
    "e2e": ("tuetschek/e2e_nlg_cleaned", None, CONVERTED),
}
"""Name, configuration and revision that the hub is asked for: none of them is a loading script, which `datasets` refuses."""


@pytest.mark.parametrize("name", list(ASKED))
def test_the_hub_is_asked_for_what_it_can_give(name: str, monkeypatch) -> None:
    import datasets

    asked = []
    file, _ = read_any_task_file(task_files.get(name))
    assert isinstance(file, ItemFile) and file.hub is not None
    splits = file.hub.splits.named().values()

    def load(path: str, config: str | None, *, revision: str | None) -> Any:
        asked.append((path, config, revision))
        return datasets.DatasetDict(dict.fromkeys(splits, datasets.Dataset.from_list(HUB[name][0])))

    monkeypatch.setattr(datasets, "load_dataset", load)
    check(load_task(name), name)
    assert asked == [ASKED[name]]


CONVERTED_SETS = {
    "piqa": (
        "plain_text",
        {"label": ["0", "1"]},
        {"test": [{"goal": "g", "sol1": "a", "sol2": "b", "label": -1}]},
    ),
    "e2e": ("default", {}, {"test": HUB["e2e"][0]}),
}
"""Of data sets that the hub converted: the name of their configuration, their class labels, and further rows."""


@pytest.mark.parametrize("name", list(CONVERTED_SETS))
def test_what_the_hub_converted_is_read(name: str, monkeypatch, tmp_path: Path) -> None:
    """The conversion is a folder ``CONFIGURATION/SPLIT/0000.parquet`` a split, where labels are numbers that have names."""
    import datasets

    configuration, labels, more = CONVERTED_SETS[name]
    for split, given in {"train": HUB[name][0], "validation": HUB[name][0], **more}.items():
        rows = datasets.Dataset.from_list(given)
        for column, names in labels.items():
            rows = rows.cast_column(column, datasets.ClassLabel(names=names))
        folder = tmp_path / "hub" / configuration / split
        folder.mkdir(parents=True)
        rows.to_parquet(str(folder / "0000.parquet"))
    real = datasets.load_dataset

    def load(path: str, config: str | None, *, revision: str | None) -> Any:
        assert revision == CONVERTED
        return real(str(tmp_path / "hub"), config, cache_dir=str(tmp_path / "cache"))

    monkeypatch.setattr(datasets, "load_dataset", load)
    check(load_task(name), name)


@pytest.mark.parametrize("said", ["Dataset scripts are no longer supported, but found own.py", "not there"])
def test_a_loading_script_is_told_with_the_way_round_it(said: str, monkeypatch, tmp_path: Path) -> None:
    import datasets

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(said)

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    own = tmp_path / "own.yaml"
    own.write_text(
        "name: own\nkind: text-to-text\ndata: {format: huggingface, dataset: some/own, splits: {train: train}}\n"
    )
    with pytest.raises(DataError, match=said) as caught:
        load_task(own)
    assert (f"data.revision: {CONVERTED}" in str(caught.value)) == ("scripts" in said)


def test_conceptnet_leaves_out_what_is_labelled_false(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "conceptnet100k"
    task = load_task("conceptnet100k/UsedFor", data=folder)
    false = {
        (head, tail)
        for head, relation, tail, label in (
            line.split("\t") for line in (folder / "dev1.tsv").read_text().splitlines()
        )
        if relation == "UsedFor" and label == "0"
    }
    assert false and not false & {(e.head, tail) for e in task.dev for tail in e.targets}
    assert task.dev and len(task.test) > 50
    for entry in list_tasks():
        if entry.name.startswith("conceptnet100k/"):
            relation = load_task(entry.name, data=folder)
            assert len(relation.test) >= 4 and len(relation.phrases) == 3
            for phrase in relation.phrases:
                compile_template("masked-prompting", phrase=phrase, fields=relation.fields)


def test_usual_shots_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(
        "".join(f'{{"text": "text {n}", "label": "{"good" if n % 2 else "bad"}"}}\n' for n in range(40))
    )
    own = tmp_path / "own.yaml"
    text = "name: own\nkind: classification\nlabels: {good: {words: [great]}, bad: {words: [awful]}}\ndata:\n  splits: {train: rows.jsonl}\n"
    for told, shots in (("", 30), ("shots: 12\n", 12), ("shots: 50\n", 40)):
        own.write_text(text + told)
        assert load_task(own).usual_shots == shots
