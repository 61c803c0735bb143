"""Examples per second of `mto.evaluate.generate` and of a plain `model.generate` loop, on the same prompts.

    python benchmarks/generation.py --data ../shared/data/atomic2020 --output generation.json

Prompts are test heads of ATOMIC-2020 (or, without ``--data``, of the embedded `household`) written with the natural
phrases of their relations, by the families Prompting and MaskedPrompting. ``max_new_tokens`` is the longest of 30
few-shot targets a relation. All systems use one model and one number of threads, and run alternately in one process;
each round gives the ratios, and their median counts. Times go from text to text: tokenising and decoding are in them.
The share of answers that
equal those of the plain fp32 loop stands beside each rate.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from baselines import plain_generation
from mto.evaluate.generate import generate
from mto.families import SENTINEL_SPELLING, LoadedModel, load_model
from mto.tasks import draw_split, load_task
from mto.templates import Rendered, compile_template, encode_many, plain_text

RELATIONS = {
    "atomic2020": ("AtLocation", "ObjectUse", "xAttr", "xIntent", "xWant"),
    "household": ("AtLocation", "ObjectUse", "xIntent", "xWant"),
}
FAMILIES = ("prompting", "masked-prompting")
SHOTS = 30


@dataclass(frozen=True)
class Prompts:
    """One family's prompts: for `mto`, and as one string each for the plain loop."""

    family: str
    rendered: list[Rendered]
    strings: list[str]


def prepare(loaded: LoadedModel, data: Path | None, heads: int) -> tuple[list[Prompts], int]:
    """Write the prompts of all relations, relation by relation, and find ``max_new_tokens``."""
    library = "atomic2020" if data else "household"
    written: dict[str, list[Rendered]] = {name: [] for name in FAMILIES}
    longest = 1
    for relation in RELATIONS[library]:
        task = load_task(f"{library}/{relation}", data=data)
        split = draw_split(task, shots=min(SHOTS, len(task.train)), seed=0, max_test=heads)
        for name in FAMILIES:
            template = compile_template(name, phrase=task.phrases[0], adapter=loaded.adapter)
            written[name] += [template.render(example.fields) for example in split.test]
            shots = encode_many(
                [template.render(row.fields, row.target) for row in split.train], loaded.adapter
            )
            longest = max(longest, *(len(example.target_ids) for example in shots))
    return [
        Prompts(name, some, [plain_text(r.source, mask=SENTINEL_SPELLING) for r in some])
        for name, some in written.items()
    ], longest


def same_inputs(loaded: LoadedModel, prompts: Prompts) -> int:
    """How many prompts both sides turn into the same ids."""
    ours = [list(e.source_ids) for e in encode_many(prompts.rendered, loaded.adapter)]
    theirs = loaded.adapter.tokenizer(prompts.strings)["input_ids"]
    return sum(a == b for a, b in zip(ours, theirs, strict=True))


def systems(
    loaded: LoadedModel, prompts: Prompts, rows: int, new_tokens: int
) -> dict[str, Callable[[], list[str]]]:
    """What is timed, from text to text."""

    def ours(precision: str, batch_rows: int | None) -> Callable[[], list[str]]:
        def run() -> list[str]:
            encoded = encode_many(prompts.rendered, loaded.adapter)
            answers = generate(
                loaded, encoded, max_new_tokens=new_tokens, batch_rows=batch_rows, precision=precision
            )
            return [answer.text for answer in answers]

        return run

    def plain(size: int, autocast: bool = False) -> Callable[[], list[str]]:
        def run() -> list[str]:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
                return plain_generation.answers(
                    loaded.model,
                    loaded.adapter.tokenizer,
                    prompts.strings,
                    batch_size=size,
                    max_new_tokens=new_tokens,
                )

        return run

    return {
        "plain, batches of 1": plain(1),
        f"plain, batches of {rows}": plain(rows),
        f"plain, batches of {rows}, bf16 autocast": plain(rows, autocast=True),
        f"mto, batches of {rows}, fp32": ours("fp32", rows),
        "mto, own batches, fp32": ours("fp32", None),
        f"mto, batches of {rows}, bf16 autocast": ours("bf16", rows),
        "mto, own batches, bf16 autocast": ours("bf16", None),
    }


def measure(
    work: dict[str, Callable[[], list[str]]], repeats: int, clock: Callable[[], float]
) -> tuple[dict[str, list[float]], dict]:
    """Seconds of each system in each round, and what it wrote."""
    times: dict[str, list[float]] = {name: [] for name in work}
    texts: dict[str, list[str]] = {}
    for round_ in range(repeats + 1):  # the first round warms up
        for name, run in work.items():
            if round_ == 0 and name == "plain, batches of 1":
                continue
            start = clock()
            texts[name] = run()
            if round_:
                times[name].append(clock() - start)
    return times, texts


def compare(
    prompts: Prompts, times: dict[str, list[float]], texts: dict[str, list[str]], rows: int
) -> dict[str, Any]:
    """Rates, ratios by round, and how many answers agree with those of the plain loop."""
    plain_one, plain_many = times["plain, batches of 1"], times[f"plain, batches of {rows}"]
    want = [" ".join(text.split()) for text in texts[f"plain, batches of {rows}"]]
    found = {}
    for name, taken in times.items():
        agree = sum(" ".join(a.split()) == b for a, b in zip(texts[name], want, strict=True))
        found[name] = {
            "examples_per_second": round(len(want) / float(np.median(taken)), 1),
            "ratio_to_batches_of_1": round(float(np.median(np.divide(plain_one, taken))), 2),
            "ratio_to_same_batches": round(float(np.median(np.divide(plain_many, taken))), 2),
            "same_answers": round(agree / len(want), 4),
            "seconds": [round(second, 4) for second in taken],
        }
    return {"prompts": len(prompts.strings), "systems": found}


def main() -> None:
    """Measure both families, print the ratios, write one JSON result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="mini", help="checkpoint: embedded name, folder or hub name")
    parser.add_argument("--data", type=Path, help="folder of ATOMIC-2020; default: the embedded household")
    parser.add_argument("--output", type=Path, help="write the result here (JSON)")
    parser.add_argument("--heads", type=int, default=32, help="test heads a relation")
    parser.add_argument("--batch-size", type=int, default=32, help="rows of a batch, the same for both sides")
    parser.add_argument("--repeats", type=int, default=5, help="alternated rounds")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of torch")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="count processor time, not wall time: for a busy machine, and then with --threads 1",
    )
    options = parser.parse_args()
    clock = time.process_time if options.processor_time else time.perf_counter
    torch.set_num_threads(options.threads)
    transformers.utils.logging.set_verbosity_error()
    loaded = load_model(options.model)
    families, new_tokens = prepare(loaded, options.data, options.heads)
    result: dict[str, Any] = {
        "benchmark": "generation",
        "model": loaded.ref if not Path(loaded.ref).is_dir() else Path(loaded.ref).name,
        "data": "atomic2020" if options.data else "household",
        "max_new_tokens": new_tokens,
        "batch_size": options.batch_size,
        "threads": options.threads,
        "clock": "processor time" if options.processor_time else "wall time",
        "repeats": options.repeats,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "machine": platform.machine(),
        "families": {},
    }
    for prompts in families:
        work = systems(loaded, prompts, options.batch_size, new_tokens)
        found = compare(prompts, *measure(work, options.repeats, clock), options.batch_size)
        found["same_inputs"] = round(same_inputs(loaded, prompts) / found["prompts"], 4)
        result["families"][prompts.family] = found
        print(f"{prompts.family}: {found['prompts']} prompts, at most {new_tokens} new tokens")
        for name, system in found["systems"].items():
            print(
                f"  {name:40s} {system['examples_per_second']:8.1f} examples/s"
                f"  {system['ratio_to_batches_of_1']:6.2f} x  {system['ratio_to_same_batches']:5.2f} x"
                f"  same answers {system['same_answers']:.1%}"
            )
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
