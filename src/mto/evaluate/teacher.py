"""Teacher forcing that shares work and wastes little on pads.

A source is encoded once, and so is the beginning that its targets share. Sources of like length are encoded together;
their states are then put together anew, so that targets of like length are decoded together. States whose logits are
wanted wait until there are enough for one large product, and logits live only as long as it takes to read a
likelihood and a rank.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

from mto.evaluate.batches import pad_rows
from mto.evaluate.forward import Forward, Memory
from mto.evaluate.planning import plan_tight
from mto.families import Adapter

BATCH_TOKENS = 1024
_POOL = 16  # batches whose encoder states are kept at one time
# Positions that one more call costs, in time: weights are read from memory again, and every layer is called again.
_CALL = {"cpu": 32}
_CALL_ELSEWHERE = 2048
# Positions of a source for one position of a target, when the size of a decoder batch is counted: there a source costs its keys
# and values, once for a question, and a copy of them for each of its targets.
_ATTENDED = 4
# Logits that exist at one time. On a CPU a block that stays near the caches is twice as fast as a large one.
_LOGITS = {"cpu": 4 << 20}
_LOGITS_ELSEWHERE = 64 << 20


@dataclass(frozen=True)
class Target:
    """Labels (EOS last), and the positions among them whose likelihood is asked for, ascending."""

    ids: tuple[int, ...]
    wanted: tuple[int, ...]


@dataclass(frozen=True)
class Scored:
    """For each target one value a wanted position: nats, and zero-based ranks when they were asked for.

    A rank is the number of tokens with a greater logit; tokens with the very same logit share the mean of their
    places. See `mto.evaluate.likelihood.Likelihood`.
    """

    nll: list[NDArray[np.float64]]
    ranks: list[NDArray[np.float64]]


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
        batch_tokens: encoder batches have as many tokens; in the decoder's a token of the source counts a quarter.
        ranks: whether ranks are wanted too.
    """
    sink = _Sink(forward, targets, ranks)
    call = _CALL.get(forward.device.type, _CALL_ELSEWHERE)
    questions = _questions(sources, owner, targets)
    for some in _pools(questions, _POOL * batch_tokens):
        pool = _Pool(forward, adapter, some, batch_tokens, call)
        # The cache must hold no pads in front of what follows, so shared beginnings of one length go together.
        groups: dict[int, list[int]] = {}
        for number, question in enumerate(some):
            groups.setdefault(-1 if question.alone else question.shared, []).append(number)
        for group in groups.values():
            lengths = [some[n].shared + 1 for n in group]
            for numbers in plan_tight(lengths, batch_tokens, call=call, beside=pool.longest // _ATTENDED):
                batch = [some[group[n]] for n in numbers]
                memory = pool.memory([group[n] for n in numbers])
                _score_shared(forward, adapter, batch, memory, targets, sink)
                if not batch[0].alone:
                    _score_rest(forward, adapter, batch, memory, targets, sink, batch_tokens, call)
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


def _pools(questions: Sequence[_Question], most: int) -> Iterator[list[_Question]]:
    """Questions in parts of at most `most` source tokens, long sources first: too little memory shows at once."""
    part: list[_Question] = []
    tokens = 0
    for question in sorted(questions, key=lambda q: -len(q.source)):
        if part and tokens + len(question.source) > most:
            yield part
            part, tokens = [], 0
        part.append(question)
        tokens += len(question.source)
    if part:
        yield part


class _Pool:
    """Encoder states of some questions, kept flat, from which memories of any rows are put together."""

    def __init__(
        self, forward: Forward, adapter: Adapter, questions: Sequence[_Question], batch_tokens: int, call: int
    ) -> None:
        self._device = forward.device
        self._lengths = np.array([len(q.source) for q in questions], dtype=np.int64)
        self._starts = np.zeros_like(self._lengths)
        self.longest = int(self._lengths.max())
        parts, end = [], 0
        for numbers in plan_tight(self._lengths.tolist(), batch_tokens, call=call):
            ids, mask = pad_rows([questions[n].source for n in numbers], adapter.pad_id, forward.device)
            states = forward.encode(ids, mask).states
            self._starts[numbers] = end + np.arange(len(numbers)) * states.shape[1]
            end += states.shape[0] * states.shape[1]
            parts.append(states.flatten(0, 1))
        self._states = torch.cat(parts)

    def memory(self, numbers: Sequence[int]) -> Memory:
        """What the decoder attends to for these questions, with an empty cache."""
        lengths, places = self._lengths[numbers], np.arange(self._lengths[numbers].max())
        # Pads repeat a source's last state, which the mask hides.
        index = self._starts[numbers][:, None] + np.minimum(places, lengths[:, None] - 1)
        states = self._states[torch.from_numpy(index).to(self._device)]
        mask = torch.from_numpy((places < lengths[:, None]).astype(np.int64)).to(self._device)
        return Memory(states, mask, EncoderDecoderCache(DynamicCache(), DynamicCache()))


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
    sink.take(states)


def _score_rest(
    forward: Forward,
    adapter: Adapter,
    batch: Sequence[_Question],
    memory: Memory,
    targets: Sequence[Target],
    sink: _Sink,
    batch_tokens: int,
    call: int,
) -> None:
    """Go on from the cache with one row a target that has wanted labels left."""
    rest = []  # (question's row, target's number, decoder inputs)
    for row, question in enumerate(batch):
        for number in question.targets:
            target = targets[number]
            if target.wanted and target.wanted[-1] > question.shared:
                rest.append((row, number, target.ids[question.shared : target.wanted[-1]]))
    shared = batch[0].shared
    beside = (memory.states.shape[1] + shared) // _ATTENDED
    lengths = [len(ids) for _, _, ids in rest]
    for numbers in plan_tight(lengths, batch_tokens, call=call, beside=beside):
        part = [rest[n] for n in numbers]
        rows = torch.tensor([row for row, _, _ in part], dtype=torch.long, device=forward.device)
        inputs, _ = pad_rows([ids for _, _, ids in part], adapter.pad_id, forward.device)
        states = forward.decode(inputs, memory.select(rows), keep=True)
        for place, (_, number, _) in enumerate(part):
            for slot, position in enumerate(targets[number].wanted):
                if position > shared:
                    sink.ask(number, slot, place, position - shared - 1)
        sink.take(states)


class _Sink:
    """Collects the states that predict wanted labels, and reads likelihoods and ranks from their logits in blocks."""

    def __init__(self, forward: Forward, targets: Sequence[Target], ranks: bool) -> None:
        self._forward, self._targets, self._ranks = forward, targets, ranks
        self._starts = np.cumsum([0, *(len(t.wanted) for t in targets)])
        total = int(self._starts[-1])
        self._nll = np.zeros(total)
        self._rank = np.zeros(total if ranks else 0)
        self._asked: list[tuple[int, int, int, int]] = []  # value's place, state's row and column, gold label
        self._waiting: list[Tensor] = []  # states [n, width]
        self._wanted: list[NDArray[np.int64]] = []  # for those: value's place, state's number, gold label
        self._states = 0
        vocabulary = int(forward.model.get_output_embeddings().weight.shape[0])
        most = _LOGITS.get(forward.device.type, _LOGITS_ELSEWHERE)
        self._block = max(16, most // vocabulary)

    def ask(self, number: int, slot: int, row: int, column: int) -> None:
        """Ask the states that come next, at this row and column, for one wanted label of a target."""
        target = self._targets[number]
        gold = target.ids[target.wanted[slot]]
        self._asked.append((int(self._starts[number]) + slot, row, column, gold))

    def take(self, states: Tensor) -> None:
        """Keep what was asked of these states ``[B, T, width]``; a state that many ask is kept once."""
        if not self._asked:
            return
        asked = np.array(self._asked, dtype=np.int64)
        self._asked = []
        unique, inverse = np.unique(asked[:, 1] * states.shape[1] + asked[:, 2], return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        self._waiting.append(states.flatten(0, 1)[torch.from_numpy(unique).to(states.device)])
        self._wanted.append(np.stack([asked[:, 0], self._states + inverse, asked[:, 3]], axis=1)[order])
        self._states += len(unique)
        if self._states >= self._block:
            self._read(whole_blocks=True)

    def _read(self, *, whole_blocks: bool) -> None:
        """Read the waiting states block by block; those of a last block that is not full may wait on."""
        if not self._states:
            return
        states, wanted = torch.cat(self._waiting), np.concatenate(self._wanted)
        end = self._states - self._states % self._block if whole_blocks else self._states
        for start in range(0, end, self._block):
            block = states[start : min(start + self._block, end)]
            low, high = np.searchsorted(wanted[:, 1], [start, start + len(block)])
            self._read_block(block, wanted[low:high] - np.array([0, start, 0]))
        later = wanted[np.searchsorted(wanted[:, 1], end) :] - np.array([0, end, 0])
        self._waiting, self._wanted = ([states[end:]], [later]) if len(later) else ([], [])
        self._states -= end

    def _read_block(self, states: Tensor, wanted: NDArray[np.int64]) -> None:
        logits = self._forward.logits(states)
        logits = logits if logits.dtype == torch.float64 else logits.float()
        place = wanted[:, 0]
        row = torch.from_numpy(wanted[:, 1].copy()).to(logits.device)
        label = torch.from_numpy(wanted[:, 2].copy()).to(logits.device)
        self._nll[place] = -logits.log_softmax(dim=-1)[row, label].double().cpu().numpy()
        if self._ranks:
            gold = logits[row, label][:, None]
            # Every state is asked for once, mostly; then nothing need be copied.
            own = logits if len(wanted) == len(states) else logits[row]
            # (greater - less + others) / 2 = greater + half of the others that are equal: the mean of tied places.
            signs = own.sub_(gold).sign_().sum(dim=-1).double().cpu().numpy()
            self._rank[place] = (signs + logits.shape[1] - 1) / 2

    def result(self) -> Scored:
        """The values of all targets."""
        self._read(whole_blocks=False)
        cuts = self._starts[1:-1]
        if len(self._targets) == 0:
            return Scored([], [])
        ranks = np.split(self._rank, cuts) if self._ranks else []
        return Scored(np.split(self._nll, cuts), ranks)
