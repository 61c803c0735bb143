"""Teacher forcing that shares work: a source is encoded once, and so is the beginning that its targets share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mto.evaluate.batches import pad_rows, plan_batches
from mto.evaluate.forward import Forward, Memory
from mto.families import Adapter

BATCH_TOKENS = 4096
_HEAD_ROWS = 512  # rows of logits that exist at one time


@dataclass(frozen=True)
class Target:
    """Labels (EOS last), and the positions among them whose likelihood is asked for, ascending."""

    ids: tuple[int, ...]
    wanted: tuple[int, ...]


@dataclass(frozen=True)
class Scored:
    """For each target one value a wanted position: nats, and zero-based ranks when they were asked for."""

    nll: list[NDArray[np.float64]]
    ranks: list[NDArray[np.int64]]


@dataclass(frozen=True)
class _Question:
    """One source with the numbers of its targets.

    `shared` leading labels are common to all targets. The decoder reads them once; its last state there predicts the
    first label in which targets differ. A lone target shares all with itself.
    """

    source: tuple[int, ...]
    targets: tuple[int, ...]
    shared: int
    alone: bool


def score_targets(
    forward: Forward,
    adapter: Adapter,
    sources: Sequence[tuple[int, ...]],
    owner: Sequence[int],
    targets: Sequence[Target],
    *,
    batch_tokens: int,
    ranks: bool,
) -> Scored:
    """Score the wanted positions of all targets.

    Args:
        sources: distinct sources.
        owner: for each target the number of its source.
        targets: what to score.
        batch_tokens: rows times (source + target) of a batch.
        ranks: whether ranks are wanted too.
    """
    sink = _Sink(forward, targets, ranks)
    questions = _questions(sources, owner, targets)
    # The cache must hold no pads in front of what follows, so shared beginnings of one length go together.
    groups: dict[int, list[_Question]] = {}
    for question in questions:
        groups.setdefault(-1 if question.alone else question.shared, []).append(question)
    for group in groups.values():
        lengths = [len(q.source) + q.shared + 1 for q in group]
        for numbers in plan_batches(lengths, max_tokens=batch_tokens):
            batch = [group[n] for n in numbers]
            memory = forward.encode(*pad_rows([q.source for q in batch], adapter.pad_id, forward.device))
            _score_shared(forward, adapter, batch, memory, targets, sink)
            if not batch[0].alone:
                _score_rest(forward, adapter, batch, memory, targets, sink, batch_tokens)
    return sink.result()


def _questions(
    sources: Sequence[tuple[int, ...]], owner: Sequence[int], targets: Sequence[Target]
) -> list[_Question]:
    members: list[list[int]] = [[] for _ in sources]
    for number, source in enumerate(owner):
        members[source].append(number)
    questions = []
    for ids, numbers in zip(sources, members, strict=True):
        # Positions that the decoder must read: all before the last wanted one.
        rows = [targets[n].ids[: (targets[n].wanted or (0,))[-1]] for n in numbers]
        alone = len(set(rows)) == 1
        shared = len(rows[0]) if alone else _common(rows)
        questions.append(_Question(ids, tuple(numbers), shared, alone))
    return questions


def _common(rows: Sequence[tuple[int, ...]]) -> int:
    first, last = min(rows), max(rows)
    return next(
        (n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )


def _score_shared(
    forward: Forward,
    adapter: Adapter,
    batch: Sequence[_Question],
    memory: Memory,
    targets: Sequence[Target],
    sink: _Sink,
) -> None:
    """Read decoder start and shared labels; score every wanted label up to the first that differs."""
    rows = [(adapter.decoder_start_id, *targets[q.targets[0]].ids[: q.shared]) for q in batch]
    inputs, _ = pad_rows(rows, adapter.pad_id, forward.device)
    states = forward.decode(inputs, memory, keep=not batch[0].alone)
    for row, question in enumerate(batch):
        for number in question.targets:
            for slot, position in enumerate(targets[number].wanted):
                if position <= question.shared:
                    sink.ask(number, slot, row, position)
    sink.answer(states)


def _score_rest(
    forward: Forward,
    adapter: Adapter,
    batch: Sequence[_Question],
    memory: Memory,
    targets: Sequence[Target],
    sink: _Sink,
    batch_tokens: int,
) -> None:
    """Go on from the cache with one row a target that has wanted labels left."""
    rest = []  # (question's row, target's number, decoder inputs)
    for row, question in enumerate(batch):
        for number in question.targets:
            target = targets[number]
            if target.wanted and target.wanted[-1] > question.shared:
                rest.append((row, number, target.ids[question.shared : target.wanted[-1]]))
    shared = batch[0].shared
    lengths = [len(batch[row].source) + shared + len(ids) for row, _, ids in rest]
    for numbers in plan_batches(lengths, max_tokens=batch_tokens):
        part = [rest[n] for n in numbers]
        rows = torch.tensor([row for row, _, _ in part], dtype=torch.long, device=forward.device)
        inputs, _ = pad_rows([ids for _, _, ids in part], adapter.pad_id, forward.device)
        states = forward.decode(inputs, memory.select(rows), keep=True)
        for place, (_, number, _) in enumerate(part):
            for slot, position in enumerate(targets[number].wanted):
                if position > shared:
                    sink.ask(number, slot, place, position - shared - 1)
        sink.answer(states)


class _Sink:
    """Collects which states predict which wanted labels, and makes logits for those alone, a chunk at a time."""

    def __init__(self, forward: Forward, targets: Sequence[Target], ranks: bool) -> None:
        self._forward, self._targets, self._ranks = forward, targets, ranks
        self._starts = np.cumsum([0, *(len(t.wanted) for t in targets)])
        total = int(self._starts[-1])
        self._nll = np.zeros(total)
        self._rank = np.zeros(total if ranks else 0, dtype=np.int64)
        self._asked: list[tuple[int, int, int, int]] = []  # value's place, state's row and column, gold label

    def ask(self, number: int, slot: int, row: int, column: int) -> None:
        target = self._targets[number]
        gold = target.ids[target.wanted[slot]]
        self._asked.append((int(self._starts[number]) + slot, row, column, gold))

    def answer(self, states: Tensor) -> None:
        """Score what was asked of these states ``[B, T, width]``; a state that many ask of makes logits once."""
        if not self._asked:
            return
        asked = np.array(self._asked, dtype=np.int64)
        self._asked = []
        flat = asked[:, 1] * states.shape[1] + asked[:, 2]
        unique, inverse = np.unique(flat, return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        asked, inverse = asked[order], inverse[order]
        chosen = states.flatten(0, 1)[torch.from_numpy(unique).to(states.device)]
        for start in range(0, len(unique), _HEAD_ROWS):
            low, high = np.searchsorted(inverse, [start, start + _HEAD_ROWS])
            part = asked[low:high]
            logits = self._forward.logits(chosen[start : start + _HEAD_ROWS]).float()
            rows = torch.from_numpy(inverse[low:high] - start).to(logits.device)
            gold = logits[rows, torch.from_numpy(part[:, 3]).to(logits.device)]
            self._nll[part[:, 0]] = (logits.logsumexp(dim=-1)[rows] - gold).double().cpu().numpy()
            if self._ranks:
                self._rank[part[:, 0]] = (logits[rows] > gold[:, None]).sum(dim=-1).cpu().numpy()

    def result(self) -> Scored:
        cuts = self._starts[1:-1]
        if len(self._targets) == 0:
            return Scored([], [])
        ranks = np.split(self._rank, cuts) if self._ranks else []
        return Scored(np.split(self._nll, cuts), ranks)
