"""Which systems are tested against each other, and Holm's correction over all of those tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from mto.evaluate.statistics import gain, holm, paired_sign_flip
from mto.report.systems import System
from mto.report.values import PairTest


def paired_tests(tables: Sequence[Mapping[str, System]]) -> list[tuple[PairTest, ...]]:
    """Tests of several tables that are read together, corrected together.

    Returns:
        For each table its tests: every pair of families; the aligned way against the conventional family; every
        family and the aligned way against copying the nearest head. The better side of a pair stands first.
        Where one family was chosen everywhere, the aligned way is that family and is not tested twice.
    """
    pairs = [_pairs(systems) for systems in tables]
    tests = [[paired_sign_flip(a.matrices, b.matrices) for a, b in several] for several in pairs]
    raw = [test.p_value for several in tests for test in several]
    adjusted = iter(holm(raw).tolist() if raw else [])
    out = []
    for several, results in zip(pairs, tests, strict=True):
        row = []
        for (a, b), result in zip(several, results, strict=True):
            better, worse = (a, b) if result.difference >= 0 else (b, a)
            row.append(
                PairTest(
                    a=better.key,
                    b=worse.key,
                    labels=(better.label, worse.label),
                    difference=gain(better.matrices, worse.matrices).difference,
                    p=result.p_value,
                    holm=next(adjusted),
                    heads=result.heads,
                    exact=result.exact,
                )
            )
        out.append(tuple(row))
    return out


def _pairs(systems: Mapping[str, System]) -> list[tuple[System, System]]:
    families = [system for system in systems.values() if system.kind == "family"]
    pairs = list(combinations(families, 2))
    aligned = systems.get("aligned")
    if aligned is not None and any(family.entries == aligned.entries for family in families):
        aligned = None
    conventional = systems.get("conventional")
    if aligned and conventional:
        # The conventional row is one of the families, and goes by that family's name here.
        pairs += [(aligned, family) for family in families if family.entries == conventional.entries]
    if (nearest := systems.get("nearest head")) is not None:
        pairs += [(system, nearest) for system in [*families, *([aligned] if aligned else [])]]
    return pairs
