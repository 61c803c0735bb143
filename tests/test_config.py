"""Strict configuration: every problem at once, each with its line and the likely fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from mto.config import Strict, load_config, override, read_yaml
from mto.errors import ConfigError


class Inner(Strict):
    rate: float = 0.1
    steps: int


class Outer(Strict):
    name: str
    parts: dict[str, Inner] = {}
    rows: tuple[Inner, ...] = ()


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    return path


def test_all_problems_at_once_with_lines_and_suggestions(tmp_path: Path) -> None:
    path = write(tmp_path, "name: x\nparts:\n  a:\n    stepz: 3\nrows:\n  - steps: many\n    rat: 1\n")
    with pytest.raises(ConfigError) as caught:
        load_config(Outer, path)
    text = str(caught.value)
    assert "a.yaml:3: parts.a.steps: required, but not given" in text
    assert "a.yaml:4: parts.a.stepz: unknown key; did you mean 'steps'?" in text
    assert "a.yaml:6: rows.0.steps: input should be a valid integer" in text and "(found 'many')" in text
    assert "did you mean 'rate'?" in text and text.startswith("4 problems")


def test_overrides_reach_into_mappings_and_lists(tmp_path: Path) -> None:
    path = write(tmp_path, "name: x\nrows:\n  - steps: 1\n")
    config = load_config(Outer, path, ["rows.0.steps=5", "parts.b.steps=2", "name='007'"])
    assert (config.rows[0].steps, config.parts["b"].steps, config.name) == (5, 2, "007")


@pytest.mark.parametrize("change", ["name", "=3", "rows.7.steps=1", "name.x=1", "rows.x=1"])
def test_an_override_that_fits_nowhere_is_refused(change: str) -> None:
    with pytest.raises(ConfigError):
        override({"name": "x", "rows": [{"steps": 1}]}, [change])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", r"a\.yaml:2: key 'a' stands twice"),
        ("a: [1\n", r"a\.yaml:2: not valid YAML"),
        ("- 1\n", "expected a mapping at the top, found list"),
        ("", "found NoneType"),
        ("a: !!python/object/apply:os.getcwd []\n", "not valid YAML|could not determine a constructor"),
    ],
)
def test_files_that_are_no_configuration(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(Outer, write(tmp_path, text))


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_yaml(tmp_path / "none.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path / "b.yaml")


def test_values_never_change_after_loading() -> None:
    config = Outer(name="x")
    with pytest.raises(Exception, match="frozen"):
        config.name = "y"  # type: ignore[misc]


def test_a_file_takes_from_another_what_it_does_not_give_itself(tmp_path: Path) -> None:
    write(tmp_path, "name: base\nrows:\n  - steps: 1\n")
    child = tmp_path / "b.yaml"
    child.write_text("extends: a.yaml\nname: child\n")
    config = load_config(Outer, child)
    assert (config.name, config.rows[0].steps) == ("child", 1)
    child.write_text("extends: b.yaml\nname: child\n")
    with pytest.raises(ConfigError, match="extends itself"):
        load_config(Outer, child)
