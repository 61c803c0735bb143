"""How long a raw text may be so that its source and target fit: exact, before any text is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mto.errors import ObjectiveError
from mto.objectives.masks import SHORTEST_DENOISED, SpanNoise


@dataclass(frozen=True)
class Lengths:
    """Lengths in tokens, EOS, sentinels and mode ids counted.

    Args:
        raw: tokens of the text before corruption.
        source: longest source that such a text can get.
        target: longest target that such a text can get.
        spans: most spans that such a text can get.
    """

    raw: int
    source: int
    target: int
    spans: int


def solve_lengths(
    max_source: int,
    noise: SpanNoise,
    *,
    max_target: int | None = None,
    closing: bool = False,
    mode_length: int = 0,
    sentinels: int | None = None,
) -> Lengths:
    """Find the longest raw text whose denoising source always fits `max_source`.

    With `n` noise tokens in `s` spans, a text of `L` tokens has a source of ``L - n + s + 1`` and a target of
    ``n + s + 1`` tokens. With rounding to the nearest both are the same for every text of length `L`; with
    stochastic rounding they are upper bounds, and some text reaches each.

    Args:
        max_source: tokens that the encoder takes.
        noise: the masker (density, mean span, rounding).
        max_target: tokens that the decoder takes, if limited.
        closing: the target ends with one more sentinel.
        mode_length: ids put before the source.
        sentinels: how many sentinels the model has, if limited.

    Raises:
        ObjectiveError: no text of 5 tokens fits, the target does not fit, the sentinels do not suffice (all say
            both numbers), or masks are of whole words.

    T5's own numbers (512 tokens, density 0.15, mean span 3):

    >>> solve_lengths(512, SpanNoise(0.15, 3.0, rounding="nearest"))
    Lengths(raw=568, source=512, target=114, spans=28)
    """
    if noise.whole_words:
        raise ObjectiveError(
            "whole-word masks have no fixed lengths", hint="solve for token masks and leave some room"
        )
    # A source keeps at least (1 - density) L - 1 tokens and adds a sentinel and EOS: longer raw texts never fit.
    longest = int(max_source / (1 - noise.density)) + 2
    raw = np.arange(SHORTEST_DENOISED, max(longest, SHORTEST_DENOISED) + 1)
    extremes = noise.extremes(raw)
    source = np.max([raw - n + s for n, s in extremes], axis=0) + 1 + mode_length
    target = np.max([n + s for n, s in extremes], axis=0) + 1 + closing
    spans = np.max([s for _, s in extremes], axis=0)
    fits = np.flatnonzero(source <= max_source)
    if not fits.size:
        raise ObjectiveError(
            f"a source of {max_source} tokens is too short: the shortest text that can be masked "
            f"({SHORTEST_DENOISED} tokens) needs {int(source[0])}",
            hint="allow longer sources",
        )
    at = fits[-1]
    found = Lengths(int(raw[at]), int(source[at]), int(target[at]), int(spans[at]))
    if max_target is not None and found.target > max_target:
        raise ObjectiveError(
            f"texts of {found.raw} tokens fill a source of {max_source}, but their targets need {found.target} "
            f"tokens and only {max_target} are allowed",
            hint=f"allow targets of {found.target}, or lower max_source or the density",
        )
    if sentinels is not None and found.spans + closing > sentinels:
        raise ObjectiveError(
            f"texts of {found.raw} tokens need up to {found.spans + closing} sentinels, "
            f"but the model has {sentinels}",
            hint="lower max_source or the density, or take a longer mean span",
        )
    return found
