"""What the task library says: every relation typed, every phrase usable as the start of a sentence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from jinja2.sandbox import SandboxedEnvironment

import mto

LIBRARY = Path(mto.__file__).parent / "tasks" / "library"
FILLING = {
    "household": {"AtLocation", "ObjectUse", "HasProperty", "CapableOf", "xAttr"},
    "atomic2020": {
        "AtLocation", "CapableOf", "HasProperty", "ObjectUse", "isFilledBy", "xAttr", "oReact", "NotDesires", "Causes",
    },
}  # fmt: skip
MAPPING = {
    "household": {"xIntent", "xNeed", "xWant", "xEffect"},
    "atomic2020": {"xIntent", "xNeed", "xWant", "oWant", "xEffect", "oEffect", "xReason", "isAfter"},
}
HEADS = ("oven mitts", "PersonX accepts another ___", "eat quickly")


def load(name: str) -> dict[str, Any]:
    return yaml.safe_load((LIBRARY / f"{name}.yaml").read_text(encoding="utf-8"))


def phrases() -> list[tuple[str, str, str]]:
    return [
        (name, relation, phrase)
        for name in FILLING
        for relation, entry in load(name)["relations"].items()
        for phrase in entry["phrases"]
    ]


@pytest.mark.parametrize("name", FILLING)
def test_file_has_the_fields_of_the_schema(name: str) -> None:
    task = load(name)
    assert list(task) == ["name", "kind", "title", "licence", "source", "data", "relations"]
    assert task["name"] == name
    assert task["kind"] == "completion"
    assert all(isinstance(task[key], str) and task[key].strip() for key in ("title", "licence", "source"))
    data = task["data"]
    assert list(data) == ["folder", "format", "columns", "splits", "drop_tails"]
    assert data["format"] == "tsv"
    assert data["columns"] == {"head": "head", "relation": "relation", "tail": "tail"}
    assert data["splits"] == {"train": "train.tsv", "dev": "dev.tsv", "test": "test.tsv"}


def test_household_is_embedded_and_atomic_is_the_users() -> None:
    household, atomic = load("household")["data"], load("atomic2020")
    for file in household["splits"].values():
        assert (LIBRARY / household["folder"] / file).is_file()
    assert atomic["data"]["folder"] is None
    assert atomic["data"]["drop_tails"] == ["none"]
    assert "https://allenai.org/data/atomic-2020" in atomic["source"]


@pytest.mark.parametrize("name", FILLING)
def test_every_relation_is_there_with_its_type(name: str) -> None:
    types = {relation: entry["type"] for relation, entry in load(name)["relations"].items()}
    expected = dict.fromkeys(FILLING[name], "mask-filling") | dict.fromkeys(MAPPING[name], "map-phrasal")
    assert types == expected


@pytest.mark.parametrize("name", FILLING)
def test_every_relation_has_a_description_and_two_or_more_phrases(name: str) -> None:
    for relation, entry in load(name)["relations"].items():
        assert list(entry)[:3] == ["type", "description", "phrases"], relation
        assert set(entry) <= {"type", "description", "phrases", "wordings"}, relation
        assert entry["description"].strip() and "\n" not in entry["description"], relation
        assert len(entry["phrases"]) >= 2, relation
        assert len({phrase.lower() for phrase in entry["phrases"]}) == len(entry["phrases"]), relation


@pytest.mark.parametrize(("name", "relation", "phrase"), phrases())
def test_phrase_holds_the_head_once_and_ends_where_the_answer_begins(
    name: str, relation: str, phrase: str
) -> None:
    assert re.findall(r"{{.*?}}", phrase) == ["{{ head }}"]
    assert phrase == phrase.strip()
    assert "  " not in phrase
    assert phrase[-1] not in ".:;!?", "the answer continues the phrase"


@pytest.mark.parametrize(("name", "relation", "phrase"), phrases())
def test_phrase_renders_in_the_sandbox_with_a_head_and_nothing_else(
    name: str, relation: str, phrase: str
) -> None:
    template = SandboxedEnvironment(undefined=jinja2.StrictUndefined).from_string(phrase)
    for head in HEADS:
        text = template.render(head=head)
        assert head in text
        assert text.replace(head, "", 1).strip(), "a phrase says something about the head"


@pytest.mark.parametrize(("name", "relation", "phrase"), phrases())
def test_no_verb_that_needs_agreement_follows_a_head(name: str, relation: str, phrase: str) -> None:
    """Heads are singular, plural or mass: "{{ head }} is used for" is wrong around "scissors".

    The heads of HasProperty and CapableOf in household are all singular or mass nouns.
    """
    if (name, relation) in {("household", "HasProperty"), ("household", "CapableOf")}:
        return
    assert not re.match(r"(The )?{{ head }} (is|are|was|has|have|does|do|causes|cause)\b", phrase)


def test_shared_relations_have_the_same_event_phrases() -> None:
    """The events of both data sets have one form, so a study can carry phrases over."""
    household, atomic = load("household")["relations"], load("atomic2020")["relations"]
    for relation in ("xAttr", "xIntent", "xNeed", "xWant", "xEffect"):
        assert household[relation]["phrases"] == atomic[relation]["phrases"], relation
