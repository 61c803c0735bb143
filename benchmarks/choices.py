"""Questions a second that `mto.evaluate.choices` ranks, against one forward pass of the whole model a (question, option).

Both get the same ids, in batches of as many tokens, on one thread: what differs is that the plain way runs the encoder once an
option and makes logits for every position. Prints one JSON object; scores of both must be equal.

    python benchmarks/choices.py --data ../shared/data/commonsenseqa --model mini --questions 100
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from mto.evaluate.choices import score_options
from mto.evaluate.forward import evaluating
from mto.families import LoadedModel, load_model
from mto.tasks import draw_split, load_task
from mto.tune.cell import cell_template, settle
from mto.tune.optioned import OptionRow
from mto.tune.rows import encode_cell

BATCH_TOKENS = 1024


def plain(loaded: LoadedModel, rows: Sequence[OptionRow]) -> list[list[float]]:
    """Nats of each option in all, EOS included: one row a (question, option), sorted by length, padded, in batches."""
    adapter = loaded.adapter
    pairs = [(row.source_ids, target) for row in rows for target in row.targets]
    order = sorted(range(len(pairs)), key=lambda n: (len(pairs[n][0]), len(pairs[n][1])))
    found = np.zeros(len(pairs))
    while order:
        longest = max(len(pairs[n][0]) + len(pairs[n][1]) for n in order[-1:])
        batch, order = order[-max(1, BATCH_TOKENS // longest) :], order[: -max(1, BATCH_TOKENS // longest)]
        sources = _pad([pairs[n][0] for n in batch], adapter.pad_id)
        labels = _pad([pairs[n][1] for n in batch], -100)
        with torch.inference_mode():
            logits = loaded.model(
                input_ids=sources, attention_mask=(sources != adapter.pad_id).long(), labels=labels
            ).logits.float()
        nats = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
        keep = torch.tensor([[not adapter.is_sentinel(i) for i in row] for row in labels.tolist()])
        found[batch] = (nats * keep).sum(1).double().numpy()
    ends = np.cumsum([len(row.targets) for row in rows])
    return [part.tolist() for part in np.split(found, ends[:-1])]


def _pad(rows: Sequence[Sequence[int]], value: int) -> torch.Tensor:
    width = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows])


def best_of(work: Callable[[], Any], times: int) -> float:
    """Seconds of the fastest of some runs, and of one before them that does not count."""
    work()
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begin)
    return min(spent)


def cpu_of(work: Callable[[], Any], times: int) -> float:
    """The same in processor time, for a machine that has other work."""
    spent = []
    for _ in range(times):
        begin = time.process_time()
        work()
        spent.append(time.process_time() - begin)
    return min(spent)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="commonsenseqa")
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", default="mini")
    parser.add_argument("--family", default="masked-answer-prompting")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    loaded = load_model(asked.model)
    task = load_task(asked.task, data=asked.data)
    split = draw_split(task, shots=0, seed=0, max_test=asked.questions)
    template = cell_template(loaded, task, asked.family, None)
    rows = encode_cell(loaded, template, split, settle(loaded, None, task), test=split.test, form=task.form)
    options = rows.test.options

    def ours() -> list[list[float]]:
        return [list(one.sum) for one in score_options(loaded, options, calibrate=False)]

    def theirs() -> list[list[float]]:
        with evaluating(loaded.model):
            return plain(loaded, options)

    apart = max(
        abs(a - b)
        for mine, other in zip(ours(), theirs(), strict=True)
        for a, b in zip(mine, other, strict=True)
    )
    fast, slow = best_of(ours, asked.repeat), best_of(theirs, asked.repeat)
    cpu_fast, cpu_slow = cpu_of(ours, asked.repeat), cpu_of(theirs, asked.repeat)
    print(
        json.dumps(
            {
                "task": asked.task, "family": asked.family, "model": asked.model, "questions": len(options),
                "options": round(sum(len(row.targets) for row in options) / len(options), 2),
                "source tokens": round(sum(len(row.source_ids) for row in options) / len(options), 1),
                "questions a second": round(len(options) / fast, 1), "plain": round(len(options) / slow, 1),
                "ratio": round(slow / fast, 2), "ratio by processor time": round(cpu_slow / cpu_fast, 2),
                "largest difference in nats": float(f"{apart:.2g}"),
            },
            indent=1,
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
