"""How likely a model finds given answers: nats, tokens and bytes, without ever keeping logits."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mto.errors import DataError
from mto.evaluate.batches import check_lengths
from mto.evaluate.direct import direct_linears
from mto.evaluate.forward import evaluating
from mto.evaluate.teacher import BATCH_TOKENS, Scored, Target, score_targets
from mto.families import Adapter, LoadedModel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Pair(Protocol):
    """An encoded example: what the encoder reads and what the decoder must write, EOS last in both."""

    @property
    def source_ids(self) -> Sequence[int]: ...

    @property
    def target_ids(self) -> Sequence[int]: ...


@dataclass(frozen=True)
class TokenScores:
    """One answer token by token; sentinels and EOS are left out.

    A rank is zero-based: the number of tokens of the vocabulary (every row of the output layer) with a greater logit
    than the right one. Tokens with the very same logit share the mean of their places, so two that lead together have
    rank 0.5 each. Otherwise a model that finds all tokens equally likely would have rank 0, the best there is;
    so it has the rank of chance. In fp32 such ties hardly occur, under bf16 they do.

    Attributes:
        ids: the tokens.
        pieces: each token as a person reads it.
        ranks: rank of each token, or None where ranks were not asked for. Ranks 0, 3 and 12 make DepthRank 5.
        nats: ``-ln p`` of each token.
    """

    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    ranks: tuple[float, ...] | None
    nats: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Likelihood:
    """Negative log-likelihoods of n answers under teacher forcing.

    Attributes:
        nll: nats of an answer's tokens, summed; sentinels and EOS are left out.
        nll_eos: nats of the EOS after it, or None where it was not asked for.
        tokens: number of tokens that `nll` sums over.
        bytes: UTF-8 bytes of the answer as the tokenizer writes it back (a tokenizer may lower-case).
        depth_rank: DepthRank (docs/method.md 5): mean zero-based rank of the gold token, over the same tokens as `nll`; or
            None where it was not asked for. See `TokenScores` for what a rank is.
        details: each answer token by token, or None where it was not asked for.
    """

    nll: Floats
    nll_eos: Floats | None
    tokens: Ints
    bytes: Ints
    depth_rank: Floats | None = None
    details: tuple[TokenScores, ...] | None = None

    @property
    def nll_with_eos(self) -> Floats:
        """Nats of the answer and its end. Raises `DataError` where EOS was not asked for."""
        if self.nll_eos is None:
            raise DataError("EOS was not scored", hint="ask for it: include_eos=True")
        return self.nll + self.nll_eos

    @property
    def per_token(self) -> Floats:
        """Nats a token of each answer (EOS left out); NaN for an answer of no tokens."""
        return _divide(self.nll, self.tokens)

    @property
    def bits_per_byte(self) -> Floats:
        """``nll / ln 2 / bytes`` of each answer: comparable between tokenizers; NaN for an answer of no bytes."""
        return _divide(self.nll / math.log(2), self.bytes)

    def total_bits_per_byte(self) -> float:
        """Bits over bytes of all answers together, so that long answers weigh more."""
        return float(self.nll.sum() / math.log(2) / max(1, int(self.bytes.sum())))


def likelihood(
    loaded: LoadedModel,
    items: Sequence[Pair],
    *,
    include_eos: bool = True,
    depth_rank: bool = False,
    details: bool = False,
    batch_tokens: int = BATCH_TOKENS,
    precision: str = "fp32",
) -> Likelihood:
    """Score answers under teacher forcing.

    A source that several answers share is encoded once, and the beginning that they share is decoded once.

    Args:
        loaded: model and adapter.
        items: anything with ``source_ids`` and ``target_ids`` (labels, EOS last).
        include_eos: score the EOS too, kept apart in `nll_eos`.
        depth_rank: also the mean rank of the gold tokens (costs one more pass over each row of logits).
        details: also each answer token by token.
        batch_tokens: tokens of a batch, pads counted; a token that is only attended to counts a quarter.
        precision: ``fp32``, or ``bf16`` for bf16 autocast; sums are always in float32 or wider.

    Raises:
        DataError: an empty or too long source, or a target that does not end with EOS.
    """
    adapter = loaded.adapter
    sources: dict[tuple[int, ...], int] = {}
    owner = [sources.setdefault(tuple(map(int, item.source_ids)), len(sources)) for item in items]
    targets = [_target(adapter, index, item.target_ids, include_eos) for index, item in enumerate(items)]
    longest = max((len(target.ids) for target in targets), default=0)
    check_lengths(list(sources), longest, adapter.max_positions)
    # Batches are large here, so in float32 weights need no packing.
    exact = precision == "fp32"
    products = direct_linears(loaded.model) if exact else contextlib.nullcontext()
    with products, evaluating(loaded.model, precision, rows=0 if exact else len(items)) as forward:
        scored = score_targets(
            forward,
            adapter,
            list(sources),
            owner,
            targets,
            batch_tokens=batch_tokens,
            ranks=depth_rank,
        )
    result = _collect(adapter, targets, scored, include_eos, depth_rank)
    return replace(result, details=_details(adapter, targets, scored, include_eos)) if details else result


@dataclass(frozen=True, eq=False)
class Ranking:
    """Candidates of one question with every normalisation: they are contested, so all are kept."""

    scores: Likelihood

    def order(self, by: str = "sum") -> Ints:
        """Numbers of the candidates, likeliest first; of equal ones the earlier first.

        Args:
            by: ``sum`` (nats in all, EOS included where it was scored: the probability of exactly this answer),
                ``token`` or ``byte`` (nats of the answer over its tokens or bytes, EOS left out).

        Raises:
            DataError: an unknown normalisation.
        """
        scores = self.scores
        if by not in ("sum", "token", "byte"):
            raise DataError(f"no normalisation is named '{by}'", hint="use sum, token or byte")
        total = scores.nll if scores.nll_eos is None else scores.nll_with_eos
        keys = {"sum": total, "token": scores.per_token, "byte": scores.bits_per_byte}[by]
        return np.argsort(keys, kind="stable")

    def place(self, candidate: int, by: str = "sum") -> int:
        """Zero-based place of a candidate: 0 is the likeliest."""
        return int(np.flatnonzero(self.order(by) == candidate)[0])


def rank(
    loaded: LoadedModel,
    sources: Sequence[Sequence[int]],
    candidates: Sequence[Sequence[Sequence[int]]],
    *,
    include_eos: bool = True,
    batch_tokens: int = BATCH_TOKENS,
    precision: str = "fp32",
) -> list[Ranking]:
    """Rank the candidate answers of many questions by likelihood; the encoder runs once a question.

    Args:
        sources: encoder ids of each question, EOS last.
        candidates: for each question the target ids of its candidates, EOS last (so with the leading sentinel where
            the template has one).
        include_eos: whether EOS counts in the sum; without it ranking is faster, but a short candidate that begins
            a longer one always wins by ``sum``.
        batch_tokens, precision: as in `likelihood`.

    Raises:
        DataError: numbers differ, or a question without candidates; see also `likelihood`.
    """
    if len(sources) != len(candidates):
        raise DataError(f"{len(sources)} sources, but {len(candidates)} lists of candidates")
    empty = next((n for n, some in enumerate(candidates) if not some), None)
    if empty is not None:
        raise DataError(f"question {empty} has no candidates")
    pairs = [_Pair(s, t) for s, some in zip(sources, candidates, strict=True) for t in some]
    scores = likelihood(
        loaded, pairs, include_eos=include_eos, batch_tokens=batch_tokens, precision=precision
    )
    ends = np.cumsum([len(some) for some in candidates])
    return [
        Ranking(_part(scores, slice(int(e) - len(some), int(e))))
        for e, some in zip(ends, candidates, strict=True)
    ]


@dataclass(frozen=True)
class _Pair:
    source_ids: Sequence[int]
    target_ids: Sequence[int]


def _target(adapter: Adapter, index: int, ids: Sequence[int], include_eos: bool) -> Target:
    ids = tuple(int(i) for i in ids)
    if not ids or ids[-1] != adapter.eos_id:
        raise DataError(
            f"target {index} does not end with EOS ({adapter.eos_id}): {list(ids)}",
            hint="build targets with the family adapter",
        )
    wanted = [n for n, i in enumerate(ids[:-1]) if not adapter.is_sentinel(i)]
    return Target(ids, tuple([*wanted, len(ids) - 1] if include_eos else wanted))


def _collect(
    adapter: Adapter, targets: Sequence[Target], scored: Scored, include_eos: bool, ranks: bool
) -> Likelihood:
    n = len(targets)
    nll, eos, depth = np.zeros(n), np.zeros(n), np.full(n, np.nan)
    tokens, sizes = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for index, target in enumerate(targets):
        values = scored.nll[index]
        count = len(target.wanted) - include_eos
        nll[index], tokens[index] = values[:count].sum(), count
        if include_eos:
            eos[index] = values[-1]
        if ranks and count:
            depth[index] = scored.ranks[index][:count].mean()
        answer = adapter.decode(target.ids[p] for p in target.wanted[:count])
        sizes[index] = len(answer.encode("utf-8"))
    return Likelihood(nll, eos if include_eos else None, tokens, sizes, depth if ranks else None)


def _details(
    adapter: Adapter, targets: Sequence[Target], scored: Scored, include_eos: bool
) -> tuple[TokenScores, ...]:
    piece = functools.cache(lambda token: adapter.show([token]))
    found = []
    for index, target in enumerate(targets):
        count = len(target.wanted) - include_eos
        ids = tuple(target.ids[place] for place in target.wanted[:count])
        ranks = tuple(scored.ranks[index][:count].tolist()) if scored.ranks else None
        nats = tuple(scored.nll[index][:count].tolist())
        found.append(TokenScores(ids, tuple(piece(token) for token in ids), ranks, nats))
    return tuple(found)


def _part(scores: Likelihood, rows: slice) -> Likelihood:
    eos, depth, details = scores.nll_eos, scores.depth_rank, scores.details
    return Likelihood(
        scores.nll[rows],
        None if eos is None else eos[rows],
        scores.tokens[rows],
        scores.bytes[rows],
        None if depth is None else depth[rows],
        None if details is None else details[rows],
    )


def _divide(values: Floats, counts: Ints) -> Floats:
    return np.divide(values, counts, out=np.full(len(values), np.nan), where=counts > 0)
