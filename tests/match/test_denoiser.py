"""Which denoiser looks like a task."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mto
from mto.errors import DataError, FamilyError
from mto.match.denoiser import DRAWS, _span, propose_denoiser
from mto.tasks import Row


def rows(pairs: list[tuple[str, str]]) -> list[Row]:
    return [
        Row(str(n), {"head": head, "relation": "ObjectUse"}, tail, (tail,), f"rows:{n}")
        for n, (head, tail) in enumerate(pairs)
    ]


TASK = mto.task_from_rows(
    [{"head": "hammer", "tail": "food"}], name="use", relation="ObjectUse", phrases=("{{ head }} is used for the",)
)  # fmt: skip
SHORT = rows([("hammer", "house"), ("big knife", "food"), ("dog", "garden"), ("red car", "water")])
LONG = rows([("hammer", "a small red house and the garden"), ("knife", "food in the kitchen and bread")])


def test_lengths_make_the_proposal(tiny_bart: Any) -> None:
    found = propose_denoiser(tiny_bart, TASK, SHORT)
    assert found.target_tokens == 1.0
    # head (1 or 2 words), "is used for the", target: 6, 7, 6 and 7 tokens
    assert found.sentence_tokens == pytest.approx(6.5)
    assert (found.mean_span, found.density) == (1.0, round(1 / 6.5, 2))
    longer = propose_denoiser(tiny_bart, TASK, LONG)
    assert longer.mean_span > 5 and longer.density == 0.5  # kept in range


def test_neighbours_are_tried_on_the_same_sentences(tiny: Any) -> None:
    found = propose_denoiser(tiny, TASK, LONG, seed=3)
    names = [s.name for s in found.settings]
    assert names[0] == "proposed" and names[-1] == "T5" and {"shorter", "longer"} <= set(names)
    assert found.settings[-1].against_t5 is None
    for setting in found.settings[:-1]:
        own, gap = setting.bits_per_byte, setting.against_t5
        assert own.low <= own.value <= own.high
        assert gap.value == pytest.approx(own.value - found.settings[-1].bits_per_byte.value)
    assert propose_denoiser(tiny, TASK, LONG, seed=3) == found
    assert "bits a byte" in found.says


def test_bits_over_bytes_with_a_paired_difference() -> None:
    # 8 bits on 4 bytes and 4 on 4: 12 / 8; against 1 bit a byte everywhere.
    costs = np.array([[8.0, 4.0], [4.0, 4.0]])
    assert _span([costs], 0).value == 1.5
    assert _span([costs, np.array([[4.0, 4.0], [4.0, 4.0]])], 0).value == 0.5
    assert _span([costs, costs], 0).high == 0.0
    assert DRAWS > 1


def test_what_cannot_be_denoised_is_told(tiny_bart: Any) -> None:
    with pytest.raises(DataError, match="no labelled rows"):
        propose_denoiser(tiny_bart, TASK, [])
    bare = mto.task_from_rows([{"head": "hammer", "tail": "nail"}], name="bare", relation="is")
    tiny_rows = [Row("0", {"head": "dog", "relation": "is"}, "big", ("big",), "rows:0")]
    with pytest.raises(DataError, match="none of 1 sentences") as told:
        propose_denoiser(tiny_bart, bare, tiny_rows)
    assert "phrase" in (told.value.hint or "")
    mute = replace(tiny_bart, adapter=replace(tiny_bart.adapter, sentinel_ids=()))
    with pytest.raises(FamilyError, match="writes no masks"):
        propose_denoiser(mute, TASK, SHORT)
