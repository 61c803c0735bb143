"""Which objective each pair trains with: as asked for, by the router, by a ratio, by matching."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mto.adapt import AdaptConfig
from mto.adapt.choosing import choose_objectives, require_masks, span_setting
from mto.adapt.drawing import draw_limit, split_pairs
from mto.config import parse
from mto.errors import ConfigError, DataError, FamilyError
from tests.adapt.prepared import pair, pairs


class Found:
    """As much of an answer of matching as is read."""

    def __init__(self, task: str, objective: str, density: float | None = None, span: float = 2.0) -> None:
        self.task, self.objective = task, objective
        proposal = None if density is None else type("P", (), {"density": density, "mean_span": span})()
        self.best = type("M", (), {"model": "mini", "denoiser": proposal})()
        self.models = (self.best,)


def choose(matches: Any = (), **settings: Any) -> Any:
    return choose_objectives(pairs(), AdaptConfig(pairs="x", **settings), matches)


def test_one_objective_for_all() -> None:
    assert {*choose(objective="denoising").objectives} == {"denoising"}
    assert {*choose(objective="lm").objectives} == {"lm"}


def test_mixed_is_the_routers_choice_or_a_ratio() -> None:
    given = pairs()
    assert list(choose(objective="mixed").objectives) == [p.objective for p in given]
    drawn = choose(objective="mixed", mix=0.75).objectives
    assert 0.6 < drawn.count("denoising") / len(drawn) < 0.9
    assert drawn == choose(objective="mixed", mix=0.75).objectives
    assert drawn != choose(objective="mixed", mix=0.75, seed=1).objectives


def test_auto_takes_the_vote_of_each_task() -> None:
    choice = choose(objective="auto")
    by_task = {p.task: o for p, o in zip(pairs(), choice.objectives, strict=True)}
    assert by_task == {"Use": "denoising", "Want": "lm"}
    assert choice.reasons["Use"].startswith("denoising: the router sends")
    tie = [pair(objective="lm"), pair("nail")]
    assert choose_objectives(tie, AdaptConfig(pairs="x")).objectives == ("denoising", "denoising")


def test_auto_asks_matching_first() -> None:
    alone = choose([Found("anything", "lm")])
    assert {*alone.objectives} == {"lm"} and alone.reasons["Use"] == "lm: matching of anything"
    several = choose([Found("Use", "lm"), Found("Other", "denoising")])
    assert several.reasons["Use"] == "lm: matching of Use" and several.reasons["Want"].startswith(
        "lm: the router"
    )


def test_density_and_span_come_from_matching() -> None:
    plain = AdaptConfig(pairs="x", objective="spans")
    assert span_setting(plain) == (0.15, 3.0)
    assert span_setting(plain, [Found("a", "lm", 0.3), Found("b", "lm", 0.2, 3.0), Found("c", "lm")]) == (
        0.25,
        2.5,
    )  # type: ignore[list-item]
    asked = AdaptConfig(pairs="x", objective="ul2", density=0.4)
    assert span_setting(asked, [Found("a", "lm", 0.3)]) == (0.4, 2.0)  # type: ignore[list-item]


def test_a_checkpoint_without_sentinels_writes_no_masks() -> None:
    adapter = type("A", (), {"writes_masks": False, "name": "plain"})()
    with pytest.raises(FamilyError, match=r"objective 'spans' writes masks, but this checkpoint \(plain\)"):
        require_masks(adapter, "objective 'spans'")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"objective": "denoisin"}, "objective"),
        ({"mix": 0.5}, "mix belongs to objective 'mixed'"),
        ({"density": 0.5}, "density belongs to the objectives"),
        ({"batch_tokens": 100}, "no room for a pair"),
        ({"set": "other"}, "set"),
        ({"lora": {"rnk": 3}}, "did you mean 'rank'"),
    ],
)
def test_settings_that_do_not_fit_are_told(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse(AdaptConfig, {"pairs": "x", **settings})


def test_one_path_is_a_list_of_one() -> None:
    assert AdaptConfig(pairs="x", match="m.json", replay="a.txt").match == (Path("m.json"),)


def test_pairs_of_one_sentence_stay_together_and_order_does_not_matter() -> None:
    given = [pair(), pair(task="Other"), *pairs()]
    train, held = split_pairs(given, 0.2, 500, seed=0)
    assert held and len(train) + len(held) == len(given)
    assert not {p.sentence for p in train} & {p.sentence for p in held}
    assert {p.sentence for p in split_pairs(given[::-1], 0.2, 500, seed=0)[1]} == {p.sentence for p in held}
    assert {p.sentence for p in split_pairs(given, 0.2, 500, seed=1)[1]} != {p.sentence for p in held}
    assert len({p.sentence for p in split_pairs(given, 0.2, 3, seed=0)[1]}) == 3
    with pytest.raises(DataError, match="1 sentences are too few"):
        split_pairs([pair(), pair()], 0.2, 5, seed=0)


def test_a_limit_draws_the_same_pairs_whatever_their_order() -> None:
    few = draw_limit(pairs(), 10, 0)
    assert len(few) == 10 and few == sorted(few, key=pairs().index)
    assert {*few} == {*draw_limit(pairs()[::-1], 10, 0)} and draw_limit(pairs(), None, 0) == pairs()
