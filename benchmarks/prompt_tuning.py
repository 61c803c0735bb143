"""Prompt-tuning in `mto` and in PEFT (PromptTuning, and PromptEncoder, which is P-tuning) on one frozen model.

    python benchmarks/prompt_tuning.py --data ../shared/data/atomic2020 --output prompt_tuning.json

Both sides train vectors before the head of rows of one task (the family PT), with AdamW, on the same model, batches, pads, number of
vectors, threads and precision, alternately in one process; each round gives ratios, and their median counts. PEFT is taken eager and
compiled. Rows of `mto` with one thing switched off say what each is worth. Beside training steps per second: answers per second, peak
memory (each side in a process of its own), and the dev loss after the same number of steps, each side at the best rate of its own
sweep, mean over seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from mto.families import LoadedModel, load_model
from prompt_sides import Data, Ours, Theirs, prepare

OURS, PEER = "mto", "PEFT"
RATES = {
    OURS: (0.03, 0.1, 0.3, 1.0, 3.0),
    f"{PEER}, prompt tuning": (0.03, 0.1, 0.3, 1.0, 3.0),
    f"{PEER}, p-tuning, mlp": (3e-4, 1e-3, 3e-3, 0.01, 0.03),
    f"{PEER}, p-tuning, lstm": (3e-4, 1e-3, 3e-3, 0.01, 0.03),
}
"""Those of `mto` are in units of the embedding's RMS. A best rate at the edge of its grid is told."""
ENCODERS = {"prompt tuning": "embedding", "p-tuning, mlp": "mlp", "p-tuning, lstm": "lstm"}
"""PEFT's kinds, and the prompt encoder of `mto` that is most like each."""

Make = Callable[[], Ours | Theirs]


def systems(loaded: LoadedModel, data: Data, options: Any) -> dict[str, Make]:
    """What is timed: PEFT's kinds, eager and compiled; `mto` with each encoder, and with one thing switched off."""
    rows, found = options.batch_rows, {}

    def ours(**settings: Any) -> Make:
        given = {"encoder": "embedding", "seed": 0, "rate": 0.1, "precision": options.precision, **settings}
        return lambda: Ours(loaded, data, rows, **given)

    def theirs(**settings: Any) -> Make:
        return lambda: Theirs(loaded, data, rows, seed=0, rate=0.01, precision=options.precision, **settings)

    for kind, encoder in ENCODERS.items():
        found[f"{PEER}, {kind}"] = theirs(kind=kind)
        if options.compile:
            found[f"{PEER}, {kind}, compiled"] = theirs(kind=kind, compiled=True)
        found[f"{OURS}, {encoder}"] = ours(encoder=encoder)
    found[f"{OURS}, residual-mlp"] = ours(encoder="residual-mlp")
    if options.levers:
        found[f"{OURS}, embedding, without oneDNN products"] = ours(products=False)
        found[f"{OURS}, embedding, without skipped pads"] = ours(skip_pads=False)
        found[f"{OURS}, embedding, without fused cross-entropy"] = ours(fused=False)
        found[f"{OURS}, embedding, without lean attention"] = ours(attention="model")
        found[f"{OURS}, embedding, without quick dropout"] = ours(quick_dropout=False)
        found[f"{OURS}, embedding, without reused memory"] = ours(reuse_memory=False)
        found[f"{OURS}, embedding, without dropout at all"] = ours(dropout=0.0)
        other = "bf16" if options.precision == "fp32" else "fp32"
        found[f"{OURS}, embedding, in {other}"] = ours(precision=other)
    return found


def alternate(
    work: dict[str, Callable[[], Any]], rounds: int, clock: Callable[[], float]
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Seconds of each system in each round, and why some could not be run; the first round warms up."""
    times: dict[str, list[float]] = {name: [] for name in work}
    failed: dict[str, str] = {}
    for round_ in range(rounds + 1):
        for name, run in work.items():
            if name in failed:
                continue
            start = clock()
            try:
                run()
            except Exception as error:  # a compiler that is missing, or a graph that it cannot take
                failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
                times.pop(name)
                continue
            if round_:
                times[name].append(clock() - start)
    return times, failed


def speeds(times: dict[str, list[float]], units: float) -> dict[str, Any]:
    """Units a second, and the ratio to PEFT at its better setting of the same kind, round by round."""
    found = {}
    for name, taken in times.items():
        rivals = [other for other in times if other.startswith(PEER) and _kind(other) == _kind(name)]
        best = min(rivals, key=lambda other: float(np.median(times[other])), default=None)
        found[name] = {
            "per_second": round(units / float(np.median(taken)), 2),
            "ratio": round(float(np.median(np.divide(times[best], taken))), 2) if best else None,
            "against": best,
            "seconds": [round(second, 4) for second in taken],
        }
    return found


def _kind(name: str) -> str:
    """The prompt encoder that a system trains; residual MLP is held against P-tuning with an MLP."""
    told = name.split(", ", 1)[1]
    if name.startswith(PEER):
        return next(encoder for kind, encoder in ENCODERS.items() if told.startswith(kind))
    encoder = told.split(",")[0]
    return "mlp" if encoder == "residual-mlp" else encoder


def quality(loaded: LoadedModel, data: Data, options: Any) -> dict[str, Any]:
    """Dev loss after the same number of steps, each at the best rate of its own sweep, mean and deviation over seeds."""
    found: dict[str, Any] = {}
    makers: dict[str, Callable[[int, float], Ours | Theirs]] = {}
    for kind, encoder in ENCODERS.items():
        makers[f"{PEER}, {kind}"] = lambda seed, rate, kind=kind: Theirs(  # type: ignore[misc]
            loaded, data, options.batch_rows, kind=kind, seed=seed, rate=rate, precision=options.precision
        )
        makers[f"{OURS}, {encoder}"] = lambda seed, rate, encoder=encoder: Ours(  # type: ignore[misc]
            loaded,
            data,
            options.batch_rows,
            encoder=encoder,
            seed=seed,
            rate=rate,
            precision=options.precision,
        )
    makers[f"{OURS}, residual-mlp"] = lambda seed, rate: Ours(
        loaded,
        data,
        options.batch_rows,
        encoder="residual-mlp",
        seed=seed,
        rate=rate,
        precision=options.precision,
    )
    for name, make in makers.items():
        table: dict[float, list[float]] = {}
        rates = RATES.get(name, RATES[OURS])
        for rate in rates:
            for seed in range(options.seeds):
                one = make(seed, rate)
                one.steps(options.quality_steps)
                table.setdefault(rate, []).append(one.dev_loss())
        best = min(table, key=lambda rate: float(np.mean(table[rate])))
        found[name] = {
            "rate": best,
            "at_the_edge": best in (rates[0], rates[-1]),
            "dev_loss": round(float(np.mean(table[best])), 4),
            "deviation": round(float(np.std(table[best], ddof=1)), 4) if options.seeds > 1 else None,
            "by_rate": {f"{rate:g}": [round(v, 4) for v in values] for rate, values in table.items()},
        }
    return found


PASSED = ("model", "relation", "shots", "vectors", "batch_rows", "new_tokens", "precision", "threads")
"""Options that a process of its own gets too."""


def peaks(options: Any, names: Sequence[str]) -> dict[str, float]:
    """Peak memory in MiB of a process that loads the model, trains a few steps and writes answers: one process a system."""
    found = {}
    for name in names:
        words = [f"--{key.replace('_', '-')}={getattr(options, key)}" for key in PASSED]
        words += [f"--data={options.data}"] if options.data else []
        command = [sys.executable, __file__, *words, "--peak", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr.strip().splitlines()[-1]}")
        found[name] = float(done.stdout.split()[-1])
    return found


def peak_of(name: str, loaded: LoadedModel, data: Data, options: Any) -> float:
    """The peak of this process, in MiB (Linux only)."""
    one = systems(loaded, data, options)[name]()
    one.steps(5)
    one.answer(data.test, options.batch_rows, options.new_tokens, options.precision)
    # Not getrusage: Linux counts the memory of the process that started this one, as it was then.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return float(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def main() -> None:
    """Measure, print the ratios, write one JSON result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="mini", help="checkpoint: embedded name, folder or hub name")
    parser.add_argument("--data", type=Path, help="folder of ATOMIC-2020; default: the embedded household")
    parser.add_argument("--relation", default="ObjectUse")
    parser.add_argument("--output", type=Path, help="write the result here (JSON)")
    parser.add_argument("--shots", type=int, default=32)
    parser.add_argument("--vectors", type=int, default=20)
    parser.add_argument("--batch-rows", type=int, default=8)
    parser.add_argument("--steps", type=int, default=20, help="training steps a round")
    parser.add_argument("--rounds", type=int, default=5, help="alternated rounds")
    parser.add_argument("--new-tokens", type=int, default=12)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--quality-steps", type=int, default=100, help="0: leave the dev losses out")
    parser.add_argument("--seeds", type=int, default=3, help="of the dev losses")
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="leave compiled PEFT out")
    parser.add_argument("--no-levers", dest="levers", action="store_false", help="leave the levers out")
    parser.add_argument("--no-peak", dest="with_peak", action="store_false", help="leave peak memory out")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of torch")
    parser.add_argument("--processor-time", action="store_true", help="for a busy machine, with --threads 1")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    options = parser.parse_args()
    clock = time.process_time if options.processor_time else time.perf_counter
    torch.set_num_threads(options.threads)
    transformers.utils.logging.set_verbosity_error()
    loaded = load_model(options.model)
    data = prepare(loaded, options.relation, options.data, options.shots, options.vectors)
    if options.peak:
        print(peak_of(options.peak, loaded, data, options))
        return
    result: dict[str, Any] = {
        "benchmark": "prompt_tuning",
        **{k: v for k, v in vars(options).items() if k not in ("output", "peak", "data")},
        "data": "atomic2020" if options.data else "household",
        "clock": "processor time" if options.processor_time else "wall time",
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "machine": platform.machine(),
    }
    made = {name: make() for name, make in systems(loaded, data, options).items()}
    times, failed = alternate(
        {name: (lambda one=one: one.steps(options.steps)) for name, one in made.items()}, options.rounds, clock
    )  # fmt: skip
    result["training"], result["failed"] = speeds(times, options.steps), failed
    show("training", result["training"], "steps/s")
    for name, why in failed.items():
        print(f"  {name}: {why}")
    asked = [
        name for name in made if "without" not in name and "compiled" not in name and ", in " not in name
    ]
    times, failed = alternate(
        {
            name: (lambda one=made[name]: one.answer(data.test, options.batch_rows, options.new_tokens, options.precision))
            for name in asked
        },
        options.rounds, clock,
    )  # fmt: skip
    result["generation"] = speeds(times, len(data.test))
    result["failed"] |= {f"{name}, generation": why for name, why in failed.items()}
    show("generation", result["generation"], "answers/s")
    made.clear()
    if options.with_peak:
        result["peak_mib"] = {name: round(peak) for name, peak in peaks(options, asked).items()}
        for name, peak in result["peak_mib"].items():
            print(f"  {name:55s} {peak:8.0f} MiB at most", flush=True)
    if options.quality_steps:
        result["quality"] = quality(loaded, data, options)
        show_quality(result["quality"])
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def show(part: str, found: dict[str, Any], unit: str) -> None:
    """Print rates and ratios."""
    print(part)
    for name, one in found.items():
        ratio = f"{one['ratio']:6.2f} x {one['against']}" if one["against"] else ""
        print(f"  {name:55s} {one['per_second']:8.2f} {unit} {ratio}", flush=True)


def show_quality(found: dict[str, Any]) -> None:
    """Print dev losses."""
    print("dev loss")
    for name, one in found.items():
        edge = " (at the edge of its grid)" if one["at_the_edge"] else ""
        print(f"  {name:55s} {one['dev_loss']:8.4f} nats a label at rate {one['rate']:g}{edge}")


if __name__ == "__main__":
    main()
