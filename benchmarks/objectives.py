"""Tokens per second of `mto.objectives` and of a plain per-example implementation, on the same token stream.

    python benchmarks/objectives.py --output objectives.json

All systems write numpy sources and targets for the same rows, on one core (processor time is what counts); runs
alternate, and the median of each counts. Two shapes: windows of 128 tokens, and short lines of 5 to 40. The library is
called with large and with small batches. For the windows, which all have one length, there is a second baseline that
draws masks one by one but writes both layouts for a whole batch, as a collator can. Where the masks of both fell is
part of the result: the baseline masks mostly the end of short lines.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from baselines import flax_denoising
from mto.objectives import Denoising, MaskReport, Mixture, PrefixLM, Ragged, SpecialIds, reconstruct

FIRST_SENTINEL, EOS = 32_099, 1
SPECIAL = SpecialIds(sentinels=tuple(range(FIRST_SENTINEL, FIRST_SENTINEL - 100, -1)), eos=EOS)
NUMBERS = (0.15, 3.0, FIRST_SENTINEL, EOS)
PLAIN = "plain, per example"
WIDTH = 128


@dataclass(frozen=True)
class Shape:
    """One kind of rows."""

    name: str
    rows: Ragged
    equal: bool


def shapes(tokens: int, rng: np.random.Generator) -> list[Shape]:
    """Windows and short lines of random word ids, below the sentinels and above EOS."""
    lengths = rng.integers(5, 41, size=2 * tokens // 45)
    count = max(tokens // WIDTH * WIDTH, int(lengths.sum()))
    stream = rng.integers(2, 32_000, size=count, dtype=np.int32)
    windows = Ragged.from_windows(stream[: tokens // WIDTH * WIDTH], WIDTH)
    lines = Ragged.from_lengths(stream[: int(lengths.sum())], lengths)
    return [Shape("window 128", windows, True), Shape("lines 5-40", lines, False)]


def batched(rows: Ragged, size: int) -> list[Ragged]:
    """The same rows in batches."""
    return [rows.select(np.arange(at, min(at + size, len(rows)))) for at in range(0, len(rows), size)]


def systems(shape: Shape, sizes: list[int], rng: np.random.Generator) -> dict[str, Callable[[], object]]:
    """What is timed: each writes pairs for all rows of the shape."""
    rows = shape.rows
    work: dict[str, Callable[[], object]] = {
        PLAIN: lambda: [flax_denoising.corrupt(row, *NUMBERS, rng) for row in rows]
    }
    if shape.equal:
        matrices = [batch.values.reshape(-1, WIDTH) for batch in batched(rows, sizes[0])]
        work["plain, layouts by batch"] = lambda: [
            flax_denoising.corrupt_equal(matrix, *NUMBERS, rng) for matrix in matrices
        ]
    denoising, lm = Denoising(SPECIAL), PrefixLM(SPECIAL)
    for objective in (denoising, lm, Mixture((denoising, lm), (0.5, 0.5))):
        for size in sizes:
            batches = batched(rows, size)
            work[f"mto {objective.name}, batches of {size}"] = lambda objective=objective, batches=batches: [
                objective(batch, rng) for batch in batches
            ]
    return work


def seconds(run: Callable[[], object]) -> float:
    """Processor time of one call: threads, if there were any, would count in full."""
    start = time.process_time()
    run()
    return time.process_time() - start


def measure(shape: Shape, sizes: list[int], repeats: int, seed: int) -> dict[str, Any]:
    """Alternate all systems `repeats` times over the same rows."""
    rng = np.random.default_rng(seed)
    check_same_text(shape.rows, rng)
    work = systems(shape, sizes, rng)
    for run in work.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repeats):
        for name, run in work.items():
            times[name].append(seconds(run))
    tokens = shape.rows.values.size
    rates = {name: tokens / float(np.median(taken)) for name, taken in times.items()}
    ours = Denoising(SPECIAL)(shape.rows, rng).reports()["denoising"]
    return {
        "rows": len(shape.rows),
        "tokens": int(tokens),
        "systems": {
            name: {
                "tokens_per_second": round(rate),
                "ratio": round(rate / rates[PLAIN], 1),
                "seconds": [round(taken, 5) for taken in times[name]],
            }
            for name, rate in rates.items()
        },
        "masks": {"mto": summary(ours), "plain": summary(plain_report(shape.rows, rng))},
    }


def plain_report(rows: Ragged, rng: np.random.Generator) -> MaskReport:
    """Where the baseline's masks fall."""
    masks = [flax_denoising.random_spans_noise_mask(int(n), *NUMBERS[:2], rng) for n in rows.lengths]
    return MaskReport.of(rows.like(np.concatenate(masks)))


def summary(report: MaskReport) -> dict[str, Any]:
    """The figures of a mask report that are worth keeping."""
    return {
        "density": round(report.density, 4),
        "mean_span": round(report.mean_span, 3),
        "spans_per_row": round(report.spans_per_row, 3),
        "suffix_share": round(report.suffix_share, 4),
        "density_at": [round(share, 4) for share in report.density_at],
    }


def check_same_text(rows: Ragged, rng: np.random.Generator) -> None:
    """Both systems' pairs must lead back to the same text; otherwise a speed means nothing."""
    some = rows.select(np.arange(min(len(rows), 200)))
    plain = [flax_denoising.corrupt(row, *NUMBERS, rng) for row in some]
    ours = Denoising(SPECIAL)(some, rng)
    for source, target in (
        (Ragged.from_lists([pair[0] for pair in plain]), Ragged.from_lists([pair[1] for pair in plain])),
        (ours.source, ours.target),
    ):
        if not np.array_equal(reconstruct(source, target, SPECIAL).values, some.values):
            raise SystemExit("pairs do not lead back to the text")


def main() -> None:
    """Measure both shapes, print the ratios, write one JSON result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, help="write the result here (JSON)")
    parser.add_argument("--tokens", type=int, default=400_000, help="tokens in each stream, about")
    parser.add_argument("--repeats", type=int, default=7, help="alternated runs of each system")
    parser.add_argument("--batch-rows", type=int, nargs="+", default=[1024, 32], help="rows in a call")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    result: dict[str, Any] = {
        "benchmark": "objectives",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "seed": options.seed,
        "repeats": options.repeats,
        "shapes": {},
    }
    for shape in shapes(options.tokens, np.random.default_rng(options.seed)):
        found = measure(shape, options.batch_rows, options.repeats, options.seed)
        result["shapes"][shape.name] = found
        print(f"{shape.name}: {found['rows']} rows, {found['tokens']} tokens")
        for name, system in found["systems"].items():
            rate, ratio = system["tokens_per_second"] / 1e6, system["ratio"]
            print(f"  {name:32s} {rate:8.2f} M tokens/s  {ratio:6.1f} x")
        for name, mask in found["masks"].items():
            print(f"  rows with one span at the end, {name}: {mask['suffix_share']:.1%}")
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
