"""Families in YAML: a user's own, and what is said when it does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from mto.errors import ConfigError, TemplateError, UnknownNameError
from mto.templates import BASIC, compile_template, get_family, list_families, load_family, plain_text

GOOD = """
name: cloze
title: Cloze
objective: denoising
fields: [place]
source: "In {{ place }}, {{ phrase }} {{ mask }} ."
target: "{{ mask }} {{ answer }}"
"""


def test_the_library_is_listed_in_the_order_of_the_method() -> None:
    assert [family.name for family in list_families()][:4] == list(BASIC)
    assert [family.title for family in list_families()][:4] == [
        "Mapping", "MaskedMapping", "Prompting", "MaskedPrompting"
    ]  # fmt: skip
    assert all(family.description for family in list_families())


@pytest.mark.parametrize("name", BASIC)
def test_every_shipped_family_works_on_every_tiny_model(name: str, tiny) -> None:
    compile_template(name, phrase="{{ head }} is used for", adapter=tiny.adapter)


def test_a_family_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "cloze.yaml"
    path.write_text(GOOD)
    template = compile_template(path, phrase="{{ head }} is used for", fields=("head", "place"))
    rendered = template.render({"head": "a pot", "place": "the kitchen"}, "soup")
    assert plain_text(rendered.source) == "In the kitchen, a pot is used for [M0] ."


def test_a_field_that_the_task_has_not_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cloze.yaml"
    path.write_text(GOOD)
    with pytest.raises(TemplateError, match=r"cloze\.yaml:6: unknown field 'place'"):
        compile_template(path, phrase="{{ head }} is used for")


def test_schema_problems_come_all_at_once_with_lines(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("name: Own Name\nsorce: '{{ head }}'\ntarget: '{{ answer }}'\nobjective: denoise\n")
    with pytest.raises(ConfigError) as caught:
        load_family(path)
    text = str(caught.value)
    assert f"{path}:1: name" in text
    assert f"{path}:2: sorce: unknown key; did you mean 'source'?" in text
    assert f"{path}:4: objective" in text
    assert "source: required, but not given" in text


def test_template_problems_name_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("name: own\n\nsource: '{{ haed }}'\ntarget: 'no slot'\n")
    with pytest.raises(TemplateError) as caught:
        load_family(path)
    assert f"{path}:3: unknown field 'haed'" in str(caught.value)
    assert f"{path}:4: the target has no answer slots" in str(caught.value)


def test_a_wrong_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'masked-prompting'"):
        get_family("maskedprompting")


def test_a_list_is_no_family(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("- a\n")
    with pytest.raises(ConfigError, match="expected a mapping"):
        load_family(path)
