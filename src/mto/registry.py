"""One lazy, typed registry per kind of plug-in: names to objects, with suggestions and origins."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from mto.errors import UnknownNameError

T = TypeVar("T")


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest of `known`, and otherwise lists the first twenty.

    >>> suggest("promting", ["mapping", "prompting"])
    "did you mean 'prompting'? Known: mapping, prompting"
    """
    names = sorted(known)
    listed = ", ".join(names[:20]) + (" …" if len(names) > 20 else "") if names else "none"
    by_fold = {n.casefold(): n for n in names}
    near = difflib.get_close_matches(name.casefold(), list(by_fold), n=1, cutoff=0.6)
    return f"did you mean '{by_fold[near[0]]}'? Known: {listed}" if near else f"known: {listed}"


class Registry(Generic[T]):
    """Names to plug-ins of one kind; a target may be the object itself or ``"module:attribute"``, loaded on use.

    >>> tools = Registry[int]("tool")
    >>> tools.register("one", 1)
    >>> tools.get("one")
    1
    >>> tools.get("on")
    Traceback (most recent call last):
    mto.errors.UnknownNameError: no tool is named 'on'
      -> did you mean 'one'? Known: one
    """

    def __init__(self, kind: str, base: type | None = None) -> None:
        self.kind = kind
        self._base = base
        self._targets: dict[str, T | str] = {}
        self._help: dict[str, str] = {}

    def register(self, name: str, target: T | str, *, summary: str = "") -> None:
        """Add a plug-in. Raises `ValueError` when the name is taken by another target."""
        old = self._targets.get(name)
        if old is not None and old != target:
            raise ValueError(f"{self.kind} '{name}' is registered twice: {old!r} and {target!r}")
        self._targets[name] = target
        self._help[name] = summary

    def get(self, name: str) -> T:
        """Return the plug-in, importing it when needed. Raises `UnknownNameError` with a suggestion."""
        if name not in self._targets:
            raise UnknownNameError(f"no {self.kind} is named '{name}'", hint=suggest(name, self._targets))
        target = self._targets[name]
        if isinstance(target, str) and ":" in target:
            module, _, attribute = target.partition(":")
            target = cast(T, getattr(importlib.import_module(module), attribute))
            self._targets[name] = target
        if self._base is not None and not isinstance(target, self._base):
            raise TypeError(f"{self.kind} '{name}' is a {type(target).__name__}, not a {self._base.__name__}")
        return cast(T, target)

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._targets))

    def summary(self, name: str) -> str:
        """The one line that was given at registration."""
        self.get(name)
        return self._help[name]

    def origin(self, name: str) -> str:
        """``file:line`` where the plug-in is defined, or its module when it is not a function or class."""
        target: Any = self.get(name)
        thing = target if inspect.isclass(target) or inspect.isroutine(target) else type(target)
        try:
            return f"{Path(inspect.getsourcefile(thing) or '').name}:{inspect.getsourcelines(thing)[1]}"
        except (OSError, TypeError):
            return str(getattr(thing, "__module__", "unknown"))

    def __contains__(self, name: str) -> bool:
        return name in self._targets

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self._targets)
