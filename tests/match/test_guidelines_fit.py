"""The table of thresholds: how it is fitted, and that the shipped one is that of household."""

from __future__ import annotations

from pathlib import Path

import pytest

from mto.config import load_config
from mto.errors import ConfigError, DataError
from mto.match.guidelines import Thresholds, fit_thresholds, guidelines, household_thresholds, shipped
from mto.tasks import Row, TaskType, draw_split, load_task

Labelled = tuple[tuple[Row, ...], TaskType]


def relation(name: str) -> Labelled:
    task = load_task(f"household/{name}")
    assert task.type is not None
    return draw_split(task, shots=None, seed=0).train, task.type


def test_the_shipped_table_is_that_of_household() -> None:
    made, kept = household_thresholds(), shipped()
    assert made.fitted_on == kept.fitted_on == 9 and made.tagger == kept.tagger == "small"
    assert made.bias == pytest.approx(kept.bias, abs=0.005)
    assert made.prior_rows == kept.prior_rows and made.unknown_limit == kept.unknown_limit
    for name, cut in kept.rules.items():
        assert made.rules[name].model_dump() == pytest.approx(cut.model_dump(), abs=0.005), name


def test_cuts_lie_half_way_between_the_types() -> None:
    filling = [relation(name) for name in ("AtLocation", "HasProperty", "xAttr")]
    mapping = [relation(name) for name in ("xIntent", "xNeed", "xWant")]
    table = fit_thresholds([*filling, *mapping])
    median = {
        kind: sorted(guidelines(rows, tagger="small").features["words"] for rows, _ in group)[1]
        for kind, group in (("filling", filling), ("mapping", mapping))
    }
    half = (median["filling"] + median["mapping"]) / 2
    assert table.rules["length"].cut == pytest.approx(half, abs=0.05)  # parts of unequal size: nearly
    assert table.rules["length"].scale == pytest.approx((median["mapping"] - median["filling"]) / 2, abs=0.05)
    assert table.fitted_on == 6


def test_a_rule_that_contradicts_its_direction_weighs_nothing() -> None:
    """With the types swapped every rule points the wrong way; then none may speak."""
    swap: dict[TaskType, TaskType] = {"mask-filling": "map-phrasal", "map-phrasal": "mask-filling"}
    labelled = [relation(name) for name in ("AtLocation", "HasProperty", "xNeed", "xWant")]
    table = fit_thresholds([(rows, swap[kind]) for rows, kind in labelled])
    assert {name: cut.weight for name, cut in table.rules.items()} == dict.fromkeys(table.rules, 0.0)
    assert guidelines(labelled[0][0], tagger="small", table=table).lean.towards == "neither"


def test_a_stronger_ridge_weighs_less() -> None:
    labelled = [relation(name) for name in ("AtLocation", "CapableOf", "xAttr", "xNeed", "xEffect")]
    weights = [
        sum(cut.weight for cut in fit_thresholds(labelled, strength=strength).rules.values())
        for strength in (0.01, 0.1, 1.0)
    ]
    assert weights[0] > weights[1] > weights[2] > 0


def test_household_without_the_judged_relation() -> None:
    """Refitted without it, every relation of household is still judged rightly."""
    names = (
        "AtLocation",
        "ObjectUse",
        "HasProperty",
        "CapableOf",
        "xAttr",
        "xIntent",
        "xNeed",
        "xWant",
        "xEffect",
    )
    every = {name: relation(name) for name in names}
    for name, (rows, kind) in every.items():
        table = fit_thresholds([other for key, other in every.items() if key != name])
        assert guidelines(rows, tagger="small", table=table).lean.towards == kind, name


def test_one_type_alone_is_an_error() -> None:
    with pytest.raises(DataError, match="none of 2 is map-phrasal"):
        fit_thresholds([relation("AtLocation"), relation("xAttr")])
    with pytest.raises(DataError, match="no rows"):
        fit_thresholds([((), "mask-filling"), relation("xNeed")])


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "table.yaml"
    cuts = "\n".join(
        f"  {name}: {{cut: {cut.cut}, scale: {cut.scale}, weight: 0}}"
        for name, cut in shipped().rules.items()
    )
    path.write_text(f"rules:\n{cuts}\nbias: 0\n")
    table = load_config(Thresholds, path)
    assert guidelines(relation("xNeed")[0], tagger="small", table=table).lean.value == 0
    assert Thresholds.model_validate_json(table.model_dump_json()) == table
    path.write_text(f"rules:\n{cuts.replace('spread', 'spred')}\nbias: 0\n")
    with pytest.raises(ConfigError, match="did you mean 'spread'"):
        load_config(Thresholds, path)
