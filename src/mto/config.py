"""Strict configuration: frozen pydantic models, YAML with line numbers, dotted overrides, all errors at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from mto.errors import ConfigError
from mto.registry import suggest


class Strict(BaseModel):
    """Base of every configuration: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


M = TypeVar("M", bound=BaseModel)
Lines = dict[tuple[str | int, ...], int]
MOST_PLACES = 100_000
"""Values of one YAML file: more stand in none that a person wrote."""


def read_yaml(path: str | Path) -> tuple[Any, Lines]:
    """Read a YAML file safely.

    Returns:
        The data, and for every key or list item its line (from 1), by its path such as ``("relations", "A")``.

    Raises:
        ConfigError: the file is missing, not UTF-8, not YAML, or holds a key twice.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError("no such file", where=str(path), hint="check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path)) from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        lines: Lines = {}
        for at, line in _walk(node, (), str(path)) if node is not None else ():
            lines[at] = line
            if len(lines) > MOST_PLACES:
                hint = "anchors (&a, *a) that hold each other multiply; write the values out"
                raise ConfigError(f"holds more than {MOST_PLACES:,} values", where=str(path), hint=hint)
        return yaml.safe_load(text), lines
    except RecursionError:
        hint = "write lists and mappings one in the other only a few times"
        raise ConfigError(
            "is nested too deeply, or an anchor holds itself", where=str(path), hint=hint
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigError(f"not valid YAML: {getattr(error, 'problem', error)}", where=where) from error


def _walk(
    node: yaml.Node, at: tuple[str | int, ...], source: str
) -> Iterator[tuple[tuple[str | int, ...], int]]:
    yield at, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[Any] = set()
        for key, value in node.value:
            if key.value in seen:
                raise ConfigError(
                    f"key '{key.value}' stands twice", where=f"{source}:{key.start_mark.line + 1}"
                )
            seen.add(key.value)
            yield from _walk(value, (*at, key.value), source)
            yield (*at, key.value), key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(value, (*at, index), source)


def override(data: Mapping[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """Apply ``a.b=value`` changes (values are YAML) to nested data; the input is left as it is.

    >>> override({"a": {"b": 1}}, ["a.b=2", "c=[x]"])
    {'a': {'b': 2}, 'c': ['x']}
    """
    result: dict[str, Any] = _copy(data)
    for change in changes:
        dotted, equals, text = change.partition("=")
        if not equals or not dotted:
            raise ConfigError(f"'{change}' is not of the form key.path=value")
        *parents, last = dotted.split(".")
        place: Any = result
        for key in parents:
            place = _child(place, key, change)
        value = yaml.safe_load(text)
        if isinstance(place, list):
            place[_index(place, last, change)] = value
        elif isinstance(place, dict):
            place[last] = value
        else:
            raise ConfigError(f"'{change}': '{last}' is not inside a mapping or list")
    return result


def _child(place: Any, key: str, change: str) -> Any:
    if isinstance(place, list):
        return place[_index(place, key, change)]
    if not isinstance(place, dict):
        raise ConfigError(f"'{change}': '{key}' is not inside a mapping or list")
    return place.setdefault(key, {})


def _index(place: list[Any], key: str, change: str) -> int:
    if not key.isdigit() or int(key) >= len(place):
        raise ConfigError(f"'{change}': '{key}' is no index of a list of {len(place)}")
    return int(key)


def _copy(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _copy(value) for key, value in data.items()}
    return [_copy(value) for value in data] if isinstance(data, list) else data


def parse(model: type[M], data: Any, *, source: str = "configuration", lines: Lines | None = None) -> M:
    """Validate data against a model and report *all* problems at once, each with its path and line.

    Raises:
        ConfigError: one line a problem: where, what was found, what was expected.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_describe(model, error, source, lines or {})) from None


def load_config(model: type[M], path: str | Path, changes: Sequence[str] = ()) -> M:
    """Read a YAML file, apply overrides and validate it.

    A file may begin with ``extends: other.yaml`` (relative to itself): it then takes every top-level key of that
    file which it does not give itself.
    """
    data, lines = _extended(Path(path), ())
    return parse(model, override(data, changes), source=str(path), lines=lines)


def _extended(path: Path, below: tuple[Path, ...]) -> tuple[dict[str, Any], Lines]:
    data, lines = read_yaml(path)
    if not isinstance(data, dict):
        raise ConfigError(f"expected a mapping at the top, found {type(data).__name__}", where=str(path))
    if "extends" not in data:
        return data, lines
    base = (path.parent / str(data.pop("extends"))).resolve()
    if base in below:
        raise ConfigError(f"extends itself, by way of {base.name}", where=str(path))
    return _extended(base, (*below, path.resolve()))[0] | data, lines


def _describe(model: type[BaseModel], error: ValidationError, source: str, lines: Lines) -> str:
    rows = []
    for problem in error.errors():
        at = tuple(problem["loc"])
        line = next((lines[at[:n]] for n in range(len(at), 0, -1) if at[:n] in lines), None)
        where = f"{source}:{line}" if line else source
        text = problem["msg"][0].lower() + problem["msg"][1:]
        if problem["type"] == "extra_forbidden":
            text = f"unknown key; {suggest(str(at[-1]), _siblings(model, at))}"
        elif problem["type"] == "missing":
            text = "required, but not given"
        else:
            text += f" (found {problem['input']!r})"
        rows.append(f"{where}: {'.'.join(map(str, at)) or 'top level'}: {text}")
    head = f"{len(rows)} problems in {source}:\n" if len(rows) > 1 else ""
    return head + "\n".join(rows)


def _siblings(model: type[BaseModel], at: tuple[str | int, ...]) -> list[str]:
    """Names that could have been meant where the unknown key `at` stands."""
    here: list[type[BaseModel]] = [model]
    for key in at[:-1]:
        fields = [m.model_fields[key].annotation for m in here if key in m.model_fields]
        # A key that is no field is an item of a list or mapping, or a union's tag: the models stay.
        here = [found for annotation in fields for found in _models_in(annotation)] if fields else here
    return sorted({name for m in here for name in m.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]
