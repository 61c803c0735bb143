"""Ranking the options of a question: the encoder reads it once, all its options go through the decoder together.

What is summed is contested, so all are kept: nats in all, a token, a byte, and nats in all minus those that the
option has without the question (calibrated: an option that is likely anyhow does not win by that).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mto.errors import DataError
from mto.evaluate.likelihood import likelihood
from mto.evaluate.nats import Floats, OptionNats
from mto.evaluate.teacher import BATCH_TOKENS
from mto.families import LoadedModel

DIGITS = 5
"""Decimals of nats that are kept, so that what is read from a file gives the same order."""


class Choosing(Protocol):
    """A question with its options as ids."""

    @property
    def source_ids(self) -> Sequence[int]: ...

    @property
    def targets(self) -> Sequence[Sequence[int]]:
        """Labels (EOS last) of every text that stands for an option."""

    @property
    def owner(self) -> Sequence[int]:
        """For each of `targets` the number of its option, from 0, without gaps."""

    @property
    def blank_ids(self) -> Sequence[int] | None:
        """The source without the question, for the calibrated ranking."""


def score_options(
    loaded: LoadedModel,
    questions: Sequence[Choosing],
    *,
    calibrate: bool = True,
    batch_tokens: int = BATCH_TOKENS,
    precision: str = "fp32",
) -> list[OptionNats]:
    """Score the options of many questions, equal to one forward pass a (question, option) up to rounding.

    Args:
        calibrate: also score the options without the question; a blank source that many questions share is encoded once,
            and an option that many share is then scored once.
        batch_tokens, precision: as in `likelihood`.

    Returns:
        One `OptionNats` a question, in order.

    Raises:
        DataError: a question with fewer than two options, or without a blank source where one is needed; see also
            `likelihood`.
    """
    pairs: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    for number, question in enumerate(questions):
        _check(number, question, calibrate)
        pairs += [(tuple(question.source_ids), tuple(target)) for target in question.targets]
    blank = [
        (tuple(question.blank_ids or ()), tuple(target))
        for question in questions
        for target in question.targets
        if calibrate
    ]
    place = {pair: n for n, pair in enumerate(dict.fromkeys([*pairs, *blank]))}
    scored = likelihood(
        loaded, [_Pair(*pair) for pair in place], batch_tokens=batch_tokens, precision=precision
    )
    sums, tokens = scored.nll_with_eos, scored.per_token
    per_byte = scored.nll / np.maximum(scored.bytes, 1)
    found, done = [], 0
    for question in questions:
        end = done + len(question.targets)
        rows = [place[pair] for pair in pairs[done:end]]
        prior = [place[pair] for pair in blank[done:end]]
        found.append(
            OptionNats(
                _together(sums[rows], question.owner),
                _least(tokens[rows], question.owner),
                _least(per_byte[rows], question.owner),
                _together(sums[prior], question.owner) if calibrate else None,
            )
        )
        done = end
    return found


@dataclass(frozen=True)
class _Pair:
    source_ids: tuple[int, ...]
    target_ids: tuple[int, ...]


def _check(number: int, question: Choosing, calibrate: bool) -> None:
    owner = list(question.owner)
    if len(owner) != len(question.targets) or sorted(set(owner)) != list(range(max(owner, default=-1) + 1)):
        raise DataError(f"question {number} has {len(question.targets)} texts for options {owner}")
    if len(set(owner)) < 2:
        raise DataError(f"question {number} has fewer than two options")
    if calibrate and not question.blank_ids:
        raise DataError(f"question {number} has no source without its question", hint="give blank_ids")


def _together(nats: Floats, owner: Sequence[int]) -> tuple[float, ...]:
    """Nats of the summed probability of each option's texts."""
    out = np.full(max(owner) + 1, -np.inf)
    np.logaddexp.at(out, np.asarray(owner), -nats)
    return _plain(-out)


def _least(nats: Floats, owner: Sequence[int]) -> tuple[float, ...]:
    out = np.full(max(owner) + 1, np.inf)
    np.minimum.at(out, np.asarray(owner), nats)
    return _plain(out)


def _plain(values: Floats) -> tuple[float, ...]:
    return tuple(float(round(value, DIGITS)) for value in values)
