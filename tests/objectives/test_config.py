"""Objectives from a configuration: found by name, strict, and built with the model's ids."""

from __future__ import annotations

import numpy as np
import pytest

from mto.config import Strict, parse
from mto.errors import ConfigError, UnknownNameError
from mto.objectives import Denoising, Mixture, PrefixLM, Ragged, SpecialIds, build_objective, objectives
from mto.objectives.config import ObjectiveConfig

SPECIAL = SpecialIds(sentinels=tuple(range(399, 299, -1)), eos=1)


class Holder(Strict):
    objective: ObjectiveConfig


def build(data: dict) -> object:
    return build_objective(parse(Holder, {"objective": data}).objective, SPECIAL)


def test_denoising_and_lm_take_their_numbers() -> None:
    assert build({"name": "denoising", "density": 0.3, "mean_span": 2.5, "whole_words": True}) == Denoising(
        SPECIAL, 0.3, 2.5, whole_words=True
    )
    assert build({"name": "lm", "max_suffix": 0.5, "label": "s"}) == PrefixLM(SPECIAL, 0.5, name="s")


def test_a_ul2_like_mixture() -> None:
    mixture = build(
        {
            "name": "mixed",
            "parts": [
                {"name": "denoising", "weight": 0.4, "label": "regular", "mode_ids": [5]},
                {
                    "name": "denoising",
                    "weight": 0.4,
                    "label": "extreme",
                    "density": 0.5,
                    "mean_span": 8,
                    "mode_ids": [6],
                },
                {"name": "lm", "weight": 0.2, "max_suffix": 0.5, "mode_ids": [7]},
            ],
        }
    )
    assert isinstance(mixture, Mixture)
    batch = Ragged.from_windows(np.full(100 * 20, 50, dtype=np.int32), 20)
    pairs = mixture(batch, np.random.default_rng(0))
    assert pairs.names == ("regular", "extreme", "lm")
    assert [row[0] for row in pairs.source.to_lists()] == (5 + pairs.objective).tolist()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "denoising", "density": 1.5}, "density"),
        ({"name": "denoising", "mean_spam": 3}, "unknown key"),
        ({"name": "denoising", "spans": [3, 2]}, "no range"),
        ({"name": "lm", "weight": 0}, "weight"),
        ({"name": "infilling"}, "denoising"),
        ({"name": "mixed", "parts": []}, "parts"),
        ({"name": "mixed", "parts": [{"name": "lm"}, {"name": "lm"}]}, "label of its own"),
    ],
    ids=str,
)
def test_mistakes_are_named(data: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(data)


def test_the_registry_knows_the_three_names() -> None:
    assert objectives.names() == ("denoising", "lm", "mixed")
    with pytest.raises(UnknownNameError, match="did you mean 'denoising'"):
        objectives.get("denoise")
