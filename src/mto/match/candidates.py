"""Candidate checkpoints beside each other: by how much the first expects the targets better, over the same rows."""

from __future__ import annotations

from collections.abc import Sequence

from mto.config import Strict
from mto.errors import DataError
from mto.match.depthrank.resample import Heads, span
from mto.match.depthrank.results import FamilyScore, FamilyScores
from mto.match.evidence import Span


class Behind(Strict):
    """How far one candidate is behind the first.

    Attributes:
        model: its name.
        bits: bits a target byte that it needs more than the first, each under its easiest family, with the 95 % interval of
            the paired difference over heads.
    """

    model: str
    bits: Span

    @property
    def close(self) -> bool:
        """Whether it cannot be told from the first: the interval reaches 0."""
        return self.bits.low <= 0


class Candidates(Strict):
    """Several checkpoints, ranked.

    Attributes:
        first: the one that expects the targets best.
        behind: the others in their order.
        says: the first against the next, in words.
    """

    first: str
    behind: tuple[Behind, ...]
    says: str

    @property
    def too_close(self) -> bool:
        """Whether the next cannot be told from the first."""
        return self.behind[0].close


def easiest_family(scores: FamilyScores) -> FamilyScore:
    """The family under which a checkpoint needs the fewest bits a byte."""
    return min(scores.families, key=lambda family: family.bits_per_byte.value)


def compare_candidates(ranked: Sequence[tuple[str, FamilyScores]], *, seed: int = 0) -> Candidates | None:
    """Each candidate against the first, by a bootstrap over heads that resamples both alike.

    Two checkpoints that find the same rows hard have wide intervals and yet a clear difference: only the paired one says so.

    Args:
        ranked: names with their scores of the same rows, fewest bits a byte first.
        seed: of the bootstrap.

    Returns:
        None for a single checkpoint.

    Raises:
        DataError: the candidates were scored on different rows.
    """
    if len(ranked) < 2:
        return None
    (name, scores), *others = ranked
    behind = tuple(Behind(model=other, bits=_more(scores, theirs, seed)) for other, theirs in others)
    return Candidates(first=name, behind=behind, says=_words(name, behind[0]))


def _more(first: FamilyScores, other: FamilyScores, seed: int) -> Span:
    ids = [row.id for row in first.rows]
    if ids != [row.id for row in other.rows]:
        raise DataError(f"{first.model} and {other.model} were scored on different rows")
    one, two = easiest_family(first), easiest_family(other)
    columns = {
        "first bits": one.row_bits, "first bytes": one.row_bytes, "bits": two.row_bits, "bytes": two.row_bytes,
    }  # fmt: skip
    heads = Heads(ids, columns, seed=seed)
    value, samples = heads.estimate("bits", "bytes")
    own, own_samples = heads.estimate("first bits", "first bytes")
    return span(value - own, samples - own_samples)


def _words(first: str, following: Behind) -> str:
    bits = following.bits
    figures = f"{bits.value:+.2f} [{bits.low:+.2f}, {bits.high:+.2f}] bits a byte"
    if following.close:
        return f"too close to call between {first} and {following.model} ({figures} for the second)"
    return f"{first}; {following.model} expects the same rows clearly less ({figures})"
