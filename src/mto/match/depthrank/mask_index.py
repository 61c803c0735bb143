"""The Maskability Index of every pair of families that differ by a mask, and which way it leans."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mto.config import Strict
from mto.errors import DataError
from mto.match.depthrank.resample import RESAMPLES, Estimate, Heads, span
from mto.match.depthrank.results import MEASURES, FamilyScores, MaskPair
from mto.match.evidence import Lean, Span
from mto.tasks import TaskType

REPORTED_THRESHOLD = 0.30
"""The follow-up paper calls a task mask-filling from this index on, at 5 shots (docs/method.md 5)."""
FULL = {"index": REPORTED_THRESHOLD, "weighted": REPORTED_THRESHOLD, "log_index": 0.10, "relative_bits": 0.20}
"""How large each variant must be to lean fully: the reported threshold for the first two; the others in proportion to
how far they spread over the relations of `household`."""
_WORDS = {
    "index": "MI",
    "weighted": "by rare tokens",
    "log_index": "by log rank",
    "relative_bits": "bits saved",
}


class Maskability(Strict):
    """One pair of families: how much the mask helps.

    With DepthRank 40 without and 25 with the mask the index is ``(40 - 25) / 40`` = 0.375. Above 0 the mask helps; there
    is no lowest value. All intervals come from the same resamples of heads for both families, and ratios are ratios of
    means.

    Attributes:
        plain, masked: names of the families.
        shots: labelled rows that the models were tuned on.
        heads: number of heads.
        index: ``(DR_plain - DR_masked) / DR_plain`` (docs/method.md 5), or None with the `reason`.
        weighted: the same of the frequency-normalised DepthRank.
        log_index: the same of the frequency-normalised ``ln(1 + rank)``: by far the steadiest of the three.
        bits: bits a byte without the mask minus with it: what the mask saves.
        relative_bits: the same as a share of the bits without it.
        reason: why an index is None.
        by_reported_rule: the task type by the follow-up paper's rule, ``index >= 0.30``. The rule was given for 5
            shots and T5-base: compare `shots`.
        lean: see `lean_of`.
    """

    plain: str
    masked: str
    shots: int
    heads: int
    index: Span | None
    weighted: Span | None
    log_index: Span | None
    bits: Span
    relative_bits: Span | None
    reason: str | None
    by_reported_rule: TaskType | None
    lean: Lean


class MaskabilityReport(Strict):
    """The pairs of a task, and the lean of the signal as a whole.

    Attributes:
        pairs: in the order of the families; empty where no two families differ by a mask alone.
        lean: mean over the pairs; those of the conventional family count only where there are no others, since they
            have no natural phrase that a mask could complete.
        reason: why there are no pairs.
    """

    pairs: tuple[Maskability, ...]
    lean: Lean
    reason: str | None = None

    def pair(self, plain: str, masked: str) -> Maskability:
        """One pair by its names.

        Raises:
            DataError: there is no such pair.
        """
        for found in self.pairs:
            if (found.plain, found.masked) == (plain, masked):
                return found
        known = ", ".join(f"{p.plain} with {p.masked}" for p in self.pairs) or "none"
        raise DataError(f"'{plain}' and '{masked}' are no pair", hint=f"pairs here: {known}")


def maskability(
    scores: FamilyScores, *, resamples: int = RESAMPLES, seed: int = 0, level: float = 0.95
) -> MaskabilityReport:
    """The Maskability Index of every pair of scored families that differ by a mask.

    Args:
        scores: from `score_families`, `tuned_scores` or `cross_scores`.
        resamples, seed, level: of the bootstrap over heads.
    """
    found = tuple(_pair(scores, pair, resamples, seed, level) for pair in scores.pairs)
    if not found:
        reason = _no_pairs(scores)
        return MaskabilityReport(pairs=(), lean=Lean(value=0.0, saw=reason), reason=reason)
    conventional = {family.family for family in scores.families if family.conventional}
    counted = [p for p in found if p.plain not in conventional] or list(found)
    value = float(np.mean([pair.lean.value for pair in counted]))
    return MaskabilityReport(pairs=found, lean=Lean(value=value, saw="; ".join(p.lean.saw for p in counted)))


def _pair(scores: FamilyScores, pair: MaskPair, resamples: int, seed: int, level: float) -> Maskability:
    columns = {
        f"{side} {measure}": getattr(score, f"row_{measure}")
        for side, score in (("plain", scores.family(pair.plain)), ("masked", scores.family(pair.masked)))
        for measure in MEASURES
    }
    heads = Heads([row.id for row in scores.rows], columns, resamples=resamples, seed=seed)

    def saved(measure: str, per: str | None = None) -> Span | None:
        plain, masked = (heads.estimate(f"{s} {measure}", per and f"{s} {per}") for s in ("plain", "masked"))
        return _share(plain, masked, level)

    without = heads.estimate("plain bits", "plain bytes")
    within = heads.estimate("masked bits", "masked bytes")
    variants = {
        "index": saved("depth_rank"),
        "weighted": saved("weighted"),
        "log_index": saved("log_rank"),
        "relative_bits": saved("bits", per="bytes"),
    }
    index = variants["index"]
    reason = None
    if None in (index, variants["weighted"], variants["log_index"]):
        reason = f"the DepthRank of {pair.plain} touches 0: a ratio would mean nothing"
    rule: TaskType | None = None
    if index is not None:
        rule = "mask-filling" if index.value >= REPORTED_THRESHOLD else "map-phrasal"
    return Maskability(
        plain=pair.plain,
        masked=pair.masked,
        shots=scores.shots,
        heads=heads.count,
        bits=span(without[0] - within[0], without[1] - within[1], level),
        reason=reason,
        by_reported_rule=rule,
        lean=lean_of(pair, variants),
        **variants,
    )


def _share(plain: Estimate, masked: Estimate, level: float) -> Span | None:
    """``(plain - masked) / plain``, or None where the interval of `plain` touches 0."""
    if plain[0] <= 0 or np.quantile(plain[1], (1 - level) / 2) <= 0:
        return None
    # A rare resample may come near 0; the floor keeps its ratio finite.
    samples = 1.0 - masked[1] / np.maximum(plain[1], 1e-9)
    return span(1.0 - masked[0] / plain[0], samples, level)


def lean_of(pair: MaskPair, variants: Mapping[str, Span | None]) -> Lean:
    """Which way a pair leans: the mean over its variants of size times certainty.

    The size of a variant is ``value / full``, cut at -1 and 1, with full from `FULL`. Its certainty is ``|value| / reach``,
    at most 1, where reach is the distance from the value to that end of its interval which lies towards 0: so it is 1
    where the interval leaves 0 out. A variant that could not be measured is left out; with none the lean is 0.

    An index of 0.15 [0.05, 0.25] alone leans ``0.15 / 0.30 * 1`` = 0.5; one of 0.15 [-0.15, 0.45] leans 0.25:

    >>> pair = MaskPair(plain="prompting", masked="masked-prompting")
    >>> lean_of(pair, {"index": Span(value=0.15, low=0.05, high=0.25)}).value
    0.5
    >>> lean_of(pair, {"index": Span(value=0.15, low=-0.15, high=0.45)}).value
    0.25
    """
    known = {name: value for name, value in variants.items() if value is not None}
    said = (
        ", ".join(f"{_WORDS[name]} {value}" for name, value in known.items()) or "nothing could be measured"
    )
    leans = [_lean(value, FULL[name]) for name, value in known.items()]
    return Lean(
        value=float(np.mean(leans)) if leans else 0.0, saw=f"{pair.masked} against {pair.plain}: {said}"
    )


def _lean(found: Span, full: float) -> float:
    size = float(np.clip(found.value / full, -1.0, 1.0))
    reach = found.value - found.low if found.value > 0 else found.high - found.value
    return size * (min(1.0, abs(found.value) / reach) if reach > 0 else 1.0)


def _no_pairs(scores: FamilyScores) -> str:
    reasons = "; ".join(f"{out.family} was left out: {out.reason}" for out in scores.left_out)
    return "no two of the scored families differ by a mask alone" + (f" ({reasons})" if reasons else "")
