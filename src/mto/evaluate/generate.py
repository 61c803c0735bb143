"""Writing answers: greedy (own loop) or beam search (transformers'), batched by length, in the caller's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from mto.errors import DataError
from mto.evaluate.batches import check_lengths, pad_rows, plan_batches
from mto.evaluate.forward import Forward, Memory, evaluating
from mto.families import Adapter, Answer, LoadedModel

BATCH_TOKENS = 4096
Progress = Callable[[int, int], None]


class Question(Protocol):
    """What is asked: the encoder's ids (EOS included) and how many masks they hold."""

    @property
    def source_ids(self) -> Sequence[int]: ...

    @property
    def masks_asked(self) -> int: ...


@dataclass(frozen=True)
class _Row:
    """One distinct question: every item that asks it, and what it is."""

    items: tuple[int, ...]
    source: tuple[int, ...]
    masks: int
    prefix: tuple[int, ...]
    room: int


def generate(
    loaded: LoadedModel,
    items: Sequence[Question],
    *,
    max_new_tokens: int | Sequence[int],
    beams: int = 1,
    batch_tokens: int = BATCH_TOKENS,
    batch_rows: int | None = None,
    precision: str = "fp32",
    force_first_sentinel: bool = False,
    progress: Progress | None = None,
) -> list[Answer]:
    """Write an answer to each question.

    Greedy answers are those of ``model.generate(do_sample=False, max_new_tokens=...)`` cut where the family stops
    (`Adapter.stops`), up to the rounding of batched sums. Rows that are done leave the batch; a question that stands
    twice is answered once. Beam search is ``model.generate(num_beams=beams)`` with its defaults; the encoder runs
    once a question there too. Settings in the checkpoint's ``generation_config`` that change scores (forced tokens,
    repetition penalties) act on beam search only.

    Args:
        loaded: model and adapter.
        items: anything with ``source_ids`` and ``masks_asked``.
        max_new_tokens: most tokens to write, the first sentinel and EOS included, a forced sentinel not; or one such number an
            item, where questions of several tasks are answered together.
        beams: 1 is greedy.
        batch_tokens: rows of a batch times (longest source + max_new_tokens).
        batch_rows: most rows a batch; default: as `batch_tokens` allows.
        precision: ``fp32``, or ``bf16`` for bf16 autocast.
        force_first_sentinel: give the decoder the first sentinel where masks are asked for, in place of letting
            the model write it.
        progress: called with (questions answered, questions in all).

    Returns:
        One answer an item, in the order of the items.

    Raises:
        DataError: an empty or too long source, or a number below 1.
    """
    rooms = [max_new_tokens] * len(items) if isinstance(max_new_tokens, int) else list(max_new_tokens)
    if len(rooms) != len(items):
        raise DataError(f"{len(items)} questions, but {len(rooms)} values of max_new_tokens")
    if beams < 1 or min(rooms, default=1) < 1 or (isinstance(max_new_tokens, int) and max_new_tokens < 1):
        raise DataError(
            f"max_new_tokens is {max_new_tokens} and beams is {beams}", hint="both must be at least 1"
        )
    adapter = loaded.adapter
    rows = _distinct(items, rooms, adapter, force_first_sentinel)
    check_lengths(
        [row.source for row in rows],
        1 + max(rooms, default=1) + force_first_sentinel,
        adapter.max_positions,
    )
    answers: list[Answer | None] = [None] * len(items)
    done = 0
    with evaluating(loaded.model, precision, rows=len(rows)) as forward:
        for batch in _plan(rows, beams, batch_tokens, batch_rows):
            if beams == 1:
                written = _greedy(forward, adapter, batch)
            else:
                written = _beam(forward, adapter, batch, beams)
            for row, ids in zip(batch, written, strict=True):
                answer = adapter.read_answer([*row.prefix, *ids], row.masks)
                for item in row.items:
                    answers[item] = answer
                done += len(row.items)
            if progress is not None:
                progress(done, len(items))
    return [answer for answer in answers if answer is not None]


def _distinct(items: Sequence[Question], rooms: Sequence[int], adapter: Adapter, force: bool) -> list[_Row]:
    same: dict[tuple[tuple[int, ...], int, int], list[int]] = {}
    for index, (item, room) in enumerate(zip(items, rooms, strict=True)):
        key = (tuple(int(i) for i in item.source_ids), int(item.masks_asked), room)
        same.setdefault(key, []).append(index)
    return [
        _Row(tuple(indices), source, masks, (adapter.sentinel(0),) if force and masks else (), room)
        for (source, masks, room), indices in same.items()
    ]


def _plan(rows: Sequence[_Row], beams: int, batch_tokens: int, batch_rows: int | None) -> list[list[_Row]]:
    """Batches of rows with prefixes of one length (and, for beams, one stop rule and room) and similar sources."""
    groups: dict[tuple[int, int, int], list[_Row]] = {}
    for row in rows:
        alike = (row.masks, row.room) if beams > 1 else (0, 0)
        groups.setdefault((len(row.prefix), *alike), []).append(row)
    batches = []
    for group in groups.values():
        lengths = [len(row.source) + row.room * beams for row in group]
        for numbers in plan_batches(lengths, max_tokens=batch_tokens, max_rows=batch_rows):
            batches.append([group[n] for n in numbers])
    return batches


def _greedy(forward: Forward, adapter: Adapter, batch: Sequence[_Row]) -> list[list[int]]:
    memory = _encode(forward, adapter, batch)
    written: list[list[int]] = [[] for _ in batch]
    rules = {row.masks: frozenset(adapter.stop_ids(row.masks)) for row in batch}
    blank = {adapter.decoder_start_id, adapter.pad_id}  # the reader drops these at the front
    started = [bool(row.prefix) for row in batch]
    alive = list(range(len(batch)))
    ids = torch.tensor(
        [[adapter.decoder_start_id, *row.prefix] for row in batch], dtype=torch.long, device=forward.device
    )
    most = max(row.room for row in batch)
    for step in range(most):
        states = forward.decode(ids, memory, keep=True)[:, -1]
        ids = forward.logits(states).argmax(dim=-1, keepdim=True)
        keep = []
        for place, (row, token) in enumerate(zip(alive, ids[:, 0].tolist(), strict=True)):
            written[row].append(token)
            # Before the answer has begun only EOS stops: a sentinel there is the leading one.
            ends = token in rules[batch[row].masks] if started[row] else token == adapter.eos_id
            started[row] = started[row] or token not in blank
            if not ends and step + 1 < batch[row].room:
                keep.append(place)
        if not keep:
            break
        if len(keep) < len(alive):
            places = torch.tensor(keep, dtype=torch.long, device=forward.device)
            memory = memory.select(places)
            ids = ids.index_select(0, places)
            alive = [alive[place] for place in keep]
    return written


def _beam(forward: Forward, adapter: Adapter, batch: Sequence[_Row], beams: int) -> list[list[int]]:
    """All rows of the batch have one stop rule, one room and prefixes of one length."""
    ids, mask = pad_rows([row.source for row in batch], adapter.pad_id, forward.device)
    start = torch.tensor(
        [[adapter.decoder_start_id, *row.prefix] for row in batch], dtype=torch.long, device=forward.device
    )
    # A list of end tokens knows no positions, and a leading sentinel must not end an answer: so sentinels end beams
    # only where the first one is given. Elsewhere the reader cuts.
    ends = list(adapter.stop_ids(batch[0].masks)) if batch[0].prefix else [adapter.eos_id]
    out: Any = forward.model.generate(
        input_ids=ids,
        attention_mask=mask,
        decoder_input_ids=start,
        num_beams=beams,
        do_sample=False,
        max_new_tokens=batch[0].room,
        eos_token_id=ends,
        pad_token_id=adapter.pad_id,
    )
    return [row[start.shape[1] :] for row in out.tolist()]


def _encode(forward: Forward, adapter: Adapter, batch: Sequence[_Row]) -> Memory:
    return forward.encode(*pad_rows([row.source for row in batch], adapter.pad_id, forward.device))
