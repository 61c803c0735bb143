"""Answers of many tuned prompts in one batch: they share a frozen checkpoint, and each row has a prompt of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mto.errors import DataError
from mto.evaluate.generate import generate
from mto.families import Answer
from mto.prompts import Numbers, placed
from mto.tune.prompted import TunedPrompt
from mto.tune.tuned import Input


def predict_together(asked: Sequence[tuple[TunedPrompt, Input]]) -> list[Answer]:
    """Write an answer to each row by its own tuned prompt; the same answers as each gives alone.

    Args:
        asked: pairs of a tuned prompt and a row (as `TunedPrompt.predict` takes them), in any order.

    Returns:
        One answer a pair, in order.

    Raises:
        DataError: prompts of different checkpoints, or with different numbers of beams; else as `predict`.
    """
    tuned = list({id(one): one for one, _ in asked}.values())
    if not tuned:
        return []
    first = tuned[0]
    for other in tuned:
        if other.prompt.base_revision != first.prompt.base_revision:
            raise DataError(
                f"the prompts belong to different checkpoints: {first.base_ref} ({first.prompt.base_revision}) and "
                f"{other.base_ref} ({other.prompt.base_revision})",
                hint="answer the rows of each checkpoint on their own",
            )
        if other.beams != first.beams:
            raise DataError(f"the prompts were tuned with {first.beams} and {other.beams} beams")
    # Names are those of the tasks' templates, so two tasks may have the same: here each has its number before it.
    lengths = {
        f"{place}/{name}": len(vectors)
        for place, one in enumerate(tuned)
        for name, vectors in one.vectors.items()
    }
    numbers = Numbers(first.loaded.adapter.vocab_rows, lengths)
    table = torch.cat([vectors for one in tuned for vectors in one.vectors.values()])
    waiting = []
    for place, one in enumerate(tuned):
        names = {name: f"{place}/{name}" for name in one.vectors}
        written = one.encoded([row for asker, row in asked if asker is one])
        waiting.append(iter([numbers.put(item, names) for item in written]))
    place_of = {id(one): place for place, one in enumerate(tuned)}
    questions = [next(waiting[place_of[id(one)]]) for one, _ in asked]
    rooms = [one.max_new_tokens for one, _ in asked]
    with placed(first.loaded.model, table.to(first.loaded.model.device)):
        return generate(first.loaded, questions, max_new_tokens=rooms, beams=first.beams)
