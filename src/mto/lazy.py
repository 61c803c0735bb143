"""Names of a room that are looked up when they are first asked for, so that importing it stays cheap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(room: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A module's ``__getattr__`` (PEP 562).

    Args:
        room: the module's name, ``__name__``.
        homes: public name to the file of the room that holds it.

    >>> lazily("mto", {"MtoError": "errors"})("MtoError").__module__
    'mto.errors'
    """

    def find(name: str) -> Any:
        if name in homes:
            return getattr(import_module(f"{room}.{homes[name]}"), name)
        raise AttributeError(f"module '{room}' has no attribute '{name}'")

    return find
