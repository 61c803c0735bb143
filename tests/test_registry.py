"""The registry: lazy, typed, helpful."""

from __future__ import annotations

import fractions

import pytest

from mto.errors import UnknownNameError
from mto.registry import Registry, suggest


def test_a_lazy_target_is_imported_on_use_and_checked() -> None:
    things: Registry = Registry("thing", base=type)
    things.register("fraction", "fractions:Fraction", summary="exact numbers")
    assert things.get("fraction") is fractions.Fraction
    assert things.summary("fraction") == "exact numbers" and things.origin("fraction").startswith(
        "fractions.py:"
    )
    things.register("gcd", "math:gcd")
    with pytest.raises(TypeError, match="not a type"):
        things.get("gcd")


def test_two_targets_for_one_name_are_refused_but_the_same_twice_is_not() -> None:
    things: Registry[int] = Registry("thing")
    things.register("a", 1)
    things.register("a", 1)
    with pytest.raises(ValueError, match="registered twice"):
        things.register("a", 2)
    assert things.names() == ("a",) and "a" in things and len(things) == 1 and list(things) == ["a"]


def test_unknown_names_get_a_suggestion() -> None:
    things: Registry[int] = Registry("thing")
    for name in ("Mapping", "prompting"):
        things.register(name, 1)
    with pytest.raises(UnknownNameError, match="did you mean 'Mapping'"):
        things.get("maping")
    assert suggest("zzz", []) == "known: none" and "…" in suggest("zzz", [f"n{i}" for i in range(30)])
