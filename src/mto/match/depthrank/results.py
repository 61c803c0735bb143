"""What the scoring of template families gives: values a row, means with intervals, and what was left out."""

from __future__ import annotations

import math
from typing import Literal

from mto.config import Strict
from mto.errors import UnknownNameError
from mto.match.depthrank.recipe import Recipe
from mto.match.evidence import Span
from mto.registry import suggest
from mto.templates.family import Objective

Targets = Literal["first", "all"] | int
MEASURES = ("depth_rank", "weighted", "log_rank", "bits", "bytes")
"""What a row has of each family; `FamilyScore` holds them as ``row_…``."""


class TokenDetail(Strict):
    """One target of a row, token by token; sentinels and EOS are left out.

    Ranks 0, 3 and 12 are a DepthRank of 5:

    >>> detail = TokenDetail(
    ...     target="to go home", ids=(5, 8, 9), pieces=("to", "go", "home"),
    ...     ranks=(0, 3, 12), nats=(0.1, 1.5, 4.0), weights=(0.0, 1.0, 2.0),
    ... )
    >>> detail.depth_rank
    5.0
    """

    target: str
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    ranks: tuple[float, ...]
    nats: tuple[float, ...]
    weights: tuple[float, ...]
    """By frequency among the labelled targets; see `mto.match.depthrank.frequency`."""

    @property
    def depth_rank(self) -> float:
        """Mean rank."""
        return sum(self.ranks) / len(self.ranks)


class ScoredRow(Strict):
    """A row that was scored: the id of its head, the head, and the targets that were looked at."""

    id: str
    head: str
    targets: tuple[str, ...]


class FamilyScore(Strict):
    """One template family on the scored rows.

    Values stand one a row, in the order of `FamilyScores.rows`; of a row with several targets each is the mean over them.
    The four spans are means over heads (each head weighs the same, however many rows it has) with bootstrap intervals
    over heads.

    Attributes:
        family: name.
        title: name in tables.
        objective: the objective that it looks like.
        conventional: whether it is the conventional form.
        masks: masks in its source.
        natural: whether it writes the task's natural phrase.
        ids: mean ids of an example, source and target: what a step or an answer costs.
        words_lost: words that over-long sources lost.
        depth_rank: DepthRank (docs/method.md 5). Lower is easier, as for the others.
        weighted: DepthRank with tokens weighed by how rare they are among the labelled targets (frequency-normalised).
        log_rank: the same of ``ln(1 + rank)``, so that one token at rank 20,000 does not outweigh all others.
        bits_per_byte: bits of all targets over bytes of all targets; comparable between tokenizers and models.
        row_depth_rank, row_weighted, row_log_rank: a row's values of the first three.
        row_bits, row_bytes: a row's bits, and UTF-8 bytes of its target as the tokenizer writes it back. Where rows have options
            the bytes are those of the choice or label as the data hold it, the same for every family; the bits are of all
            that the family writes for it, such as a choice's name with its text, or the label's word.
        rank_accuracy: share of rows, in percent, whose right option is the likeliest (nats in all, EOS included), where rows have
            options; for information, the decision does not weigh it.
        row_ranked: the same of each row, 100 or 0.
        tokens: each row's targets token by token, or None where not asked for.
    """

    family: str
    title: str
    objective: Objective | None
    conventional: bool
    masks: int
    natural: bool
    ids: float
    words_lost: int
    depth_rank: Span
    weighted: Span
    log_rank: Span
    bits_per_byte: Span
    row_depth_rank: tuple[float, ...]
    row_weighted: tuple[float, ...]
    row_log_rank: tuple[float, ...]
    row_bits: tuple[float, ...]
    row_bytes: tuple[float, ...]
    rank_accuracy: Span | None = None
    row_ranked: tuple[float, ...] | None = None
    tokens: tuple[tuple[TokenDetail, ...], ...] | None = None

    @property
    def row_bits_per_byte(self) -> tuple[float, ...]:
        """Bits over bytes of each row; NaN where a tokenizer writes its target back as nothing.

        A target of 11 bytes at 7.62 nats has ``7.62 / ln 2 / 11`` = 1.0 bits a byte.
        """
        pairs = zip(self.row_bits, self.row_bytes, strict=True)
        return tuple(bits / size if size else math.nan for bits, size in pairs)


class LeftOut(Strict):
    """A family that this task and checkpoint cannot be written with, and why."""

    family: str
    reason: str


class MaskPair(Strict):
    """Two families of the same words, whose sources differ by masks alone."""

    plain: str
    masked: str


class FamilyScores(Strict):
    """Template families on the same rows of one task, scored by one checkpoint.

    Attributes:
        task: name.
        model, revision: the checkpoint and the hash of its weights (before any tuning).
        phrase: natural phrase that was used, or None.
        shots: labelled rows that each scored model was tuned on (the smallest number where folds differ).
        folds: number of folds where each row was scored by a model that did not see it, else None.
        recipe: how it was tuned; None at 0 shots.
        seed: of tuning, folds and bootstrap.
        targets: which targets of a row were scored.
        precision: number format of the scoring.
        labelled: number of labelled targets behind the token weights (the smallest where folds differ).
        rows: the scored rows.
        families: in the order asked for.
        left_out: families that could not be written.
        pairs: families that differ by a mask.
        guessing: rank accuracy of guessing, in percent, where rows have options and were ranked.
    """

    task: str
    model: str
    revision: str
    phrase: str | None
    shots: int
    folds: int | None = None
    recipe: Recipe | None = None
    seed: int
    targets: Targets
    precision: str
    labelled: int
    rows: tuple[ScoredRow, ...]
    families: tuple[FamilyScore, ...]
    left_out: tuple[LeftOut, ...] = ()
    pairs: tuple[MaskPair, ...] = ()
    guessing: float | None = None

    def family(self, name: str) -> FamilyScore:
        """A family's scores.

        Raises:
            UnknownNameError: it was not scored; the message says why where that is known.
        """
        for score in self.families:
            if score.family == name:
                return score
        reasons = {out.family: out.reason for out in self.left_out}
        if name in reasons:
            raise UnknownNameError(f"family '{name}' was left out: {reasons[name]}")
        raise UnknownNameError(
            f"family '{name}' was not scored", hint=suggest(name, [s.family for s in self.families])
        )
