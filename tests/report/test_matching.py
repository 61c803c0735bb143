"""What matching found, in words."""

from __future__ import annotations

import io
from typing import Any

import pytest

import mto
from mto.match import Match, ModelMatch
from mto.report.matching import evidence_lines, family_scores_table, render_match, verdict_lines

TASK = mto.load_task("household/xWant")


@pytest.fixture
def found(tiny_bart: Any) -> Match:
    return mto.match(TASK, tiny_bart, shots=6, signals=("guidelines", "depthrank"), denoiser=False)


def changed(found: Match, *, kind: dict[str, Any] | None = None, family: dict[str, Any] | None = None, **model: Any) -> Match:  # fmt: skip
    one = found.best
    model["type"] = one.type.model_copy(update=kind or {})
    model["family"] = one.family.model_copy(update=family or {})
    return found.model_copy(update={"models": (one.model_copy(update=model),)})


def drawn(found: Match, width: int = 80) -> str:
    from rich.console import Console

    console = Console(width=width, record=True, file=io.StringIO())
    console.print(render_match(found, width=width))
    return console.export_text()


def test_the_family_stands_with_its_title_and_how_sure_it_is(found: Match) -> None:
    clear = changed(
        found, family={"family": "masked-mapping", "close": ("masked-mapping",), "confidence": 0.9}
    )
    line = verdict_lines(clear)[2]
    assert line.startswith("Template family: MaskedMapping (90% sure to be the best") and " % [" in line
    close = changed(
        found, family={"family": "mapping", "close": ("mapping", "prompting", "masked-prompting")}
    )
    assert "Mapping, but too close to call against Prompting and MaskedPrompting (" in verdict_lines(close)[2]


def test_objective_and_family_that_seem_to_disagree_are_explained(found: Match) -> None:
    apart = changed(found, objective="denoising", family={"family": "prompting"})
    assert "Prompting looks like lm, not denoising" in verdict_lines(apart)[3]
    assert len(verdict_lines(changed(found, objective="lm", family={"family": "prompting"}))) == 3
    assert len(verdict_lines(changed(found, objective="denoising", family={"family": "mapping"}))) == 3


def test_a_type_that_is_too_close_makes_the_objective_so(found: Match) -> None:
    close = changed(
        found, objective="lm", kind={"type": "map-phrasal", "probability": 0.56, "too_close": True}
    )
    first, second = verdict_lines(close)[:2]
    assert "too close to call" in first and "map-phrasal is a little likelier (56%)" in first
    assert second.startswith("Objective: too close to call") and "likelier to suit than denoising" in second
    sure = changed(
        found, objective="lm", kind={"type": "map-phrasal", "probability": 0.9, "too_close": False}
    )
    assert verdict_lines(sure)[1] == "Objective: lm, which map-phrasal tasks are aligned with."


def test_a_guess_says_first_that_it_is_one(found: Match) -> None:
    why = "all targets are 'food': nothing about the task can be learnt from them, so the answer is a guess"
    guess = found.model_copy(update={"guess": why, "notes": (why, "another note")})
    lines = verdict_lines(guess)
    assert lines[0].startswith("All targets are 'food'") and lines[1].startswith("Task type: a guess, ")
    assert "sure" not in lines[1]
    text = " ".join(drawn(guess, 200).split())
    assert text.count("all targets") + text.count("All targets") == 1 and "another note" in text


def test_of_one_family_nothing_is_expected(tiny_bart: Any) -> None:
    alone = mto.match(
        TASK, tiny_bart, shots=6, signals=("depthrank",), families=("prompting",), denoiser=False
    )
    assert verdict_lines(alone)[2] == (
        "Template family: Prompting, the only one that was asked for, so there was nothing to choose."
    )
    assert family_scores_table(alone.best).columns == ("family", "bits a byte", "DepthRank", "ids")
    assert " %" not in drawn(alone).split("Families on")[1]


def test_the_table_fits_a_narrow_terminal(found: Match) -> None:
    text = drawn(found)
    assert "expected, %" in text and "\u2026" not in text
    one: ModelMatch = found.best
    assert [row.family for row in family_scores_table(one).rows] == [f.family for f in one.family.forecasts]
    assert evidence_lines(found)[0].startswith("guidelines -> ")
