"""Examples per second of the DepthRank scorer and of a plain loop over examples, on the same examples.

    python benchmarks/depthrank.py --data ../shared/data/atomic2020 --threads 1 --output depthrank.json

Examples are labelled train rows of ATOMIC-2020 (or, without ``--data``, of the embedded `household`) in the four basic
families, scored task by task as `mto.match.depthrank.score_families` scores them: once with one target a head, once with up
to three. Times go from text to ranks: tokenising is in them. All systems use one model and one number of threads and run
alternately in one process; each round gives the ratios, and their median counts.

The numbers must be equal. In float64, where no rounding can swap two tokens, ranks must be the same to the last; in
float32 each rank must lie between those that a plain loop's logits allow when they may be off by 0.0002.

Between the plain loop and the scorer stand rows that switch one thing at a time, so that the gain can be split.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from baselines import plain_depthrank
from mto.evaluate.direct import direct_linears
from mto.evaluate.forward import evaluating
from mto.evaluate.likelihood import likelihood
from mto.evaluate.teacher import BATCH_TOKENS, Target, score_targets
from mto.families import SENTINEL_SPELLING, LoadedModel, load_model
from mto.tasks import draw_split, load_task
from mto.templates import BASIC, Encoded, Rendered, compile_template, encode_many, plain_text

RELATIONS = {
    "atomic2020": ("AtLocation", "ObjectUse", "xAttr", "xIntent", "xWant"),
    "household": ("AtLocation", "ObjectUse", "xIntent", "xWant"),
}
OFF = 2e-4  # how far two float32 computations of one logit may lie apart
DOUBLES = 48  # examples of a task that are also computed in float64

Ranks = list[list[float]]


@dataclass(frozen=True)
class Work:
    """The examples of one task: for `mto`, and as strings for the plain loop."""

    rendered: list[Rendered]
    sources: list[str]
    targets: list[str]


def prepare(loaded: LoadedModel, data: Path | None, heads: int, most_targets: int) -> tuple[list[Work], int]:
    """Write the rows of all tasks by all families, and count the examples that strings cannot say alike."""
    library = "atomic2020" if data else "household"
    works, unlike = [], 0
    for relation in RELATIONS[library]:
        task = load_task(f"{library}/{relation}", data=data)
        split = draw_split(task, shots=min(heads, len(task.train)), seed=0, dev=0)
        tails = {example.id: example.targets for example in task.train}
        written = []
        for name in BASIC:
            template = compile_template(
                name, phrase=task.phrases[0], fields=task.fields, adapter=loaded.adapter
            )
            for row in split.train:
                others = [tail for tail in tails[row.id] if tail != row.target]
                answers = [row.target, *others][:most_targets]
                written += [template.render(row.fields, answer) for answer in answers]
        sources = [plain_text(r.source, mask=SENTINEL_SPELLING) for r in written]
        targets = [plain_text(r.target, mask=SENTINEL_SPELLING) for r in written]
        ids = [(list(e.source_ids), list(e.target_ids)) for e in encode_many(written, loaded.adapter)]
        tokenizer = loaded.adapter.tokenizer
        theirs = zip(tokenizer(sources)["input_ids"], tokenizer(targets)["input_ids"], strict=True)
        same = [ours == (s, t) for ours, (s, t) in zip(ids, theirs, strict=True)]
        unlike += same.count(False)
        kept = [n for n, alike in enumerate(same) if alike]
        works.append(Work([written[n] for n in kept], [sources[n] for n in kept], [targets[n] for n in kept]))
    return works, unlike


def plain(
    loaded: LoadedModel, read: plain_depthrank.Reader, *, onednn: bool = False
) -> Callable[[Work], Ranks]:
    """One example at a time."""
    left_out = {*loaded.adapter.sentinel_ids, loaded.adapter.eos_id}

    def run(work: Work) -> Ranks:
        def loop() -> Ranks:
            return plain_depthrank.ranks(
                loaded.model,
                loaded.adapter.tokenizer,
                work.sources,
                work.targets,
                left_out=left_out,
                read=read,
            )

        if not onednn:
            return loop()
        with direct_linears(loaded.model):
            return loop()

    return run


def batched(loaded: LoadedModel, *, reuse: bool, onednn: bool) -> Callable[[Work], Ranks]:
    """The scorer with parts of it switched off: without reuse every example has a source of its own."""
    adapter = loaded.adapter

    def run(work: Work) -> Ranks:
        items = encode_many(work.rendered, adapter)
        sources: dict[Any, int] = {}
        owner = [
            sources.setdefault(item.source_ids if reuse else n, len(sources)) for n, item in enumerate(items)
        ]
        texts: list[tuple[int, ...]] = [()] * len(sources)
        for item, number in zip(items, owner, strict=True):
            texts[number] = item.source_ids
        targets = [_target(loaded, item) for item in items]
        products = direct_linears(loaded.model) if onednn else contextlib.nullcontext()
        with products, evaluating(loaded.model) as forward:
            scored = score_targets(
                forward, adapter, texts, owner, targets, batch_tokens=BATCH_TOKENS, ranks=True
            )
        return [ranks.tolist() for ranks in scored.ranks]

    return run


def _target(loaded: LoadedModel, item: Encoded) -> Target:
    ids = item.target_ids
    return Target(ids, tuple(n for n, i in enumerate(ids[:-1]) if not loaded.adapter.is_sentinel(i)))


def scorer(loaded: LoadedModel) -> Callable[[Work], Ranks]:
    """The scorer as it is used."""

    def run(work: Work) -> Ranks:
        items = encode_many(work.rendered, loaded.adapter)
        found = likelihood(loaded, items, include_eos=False, depth_rank=True, details=True)
        assert found.details is not None
        return [list(detail.ranks or ()) for detail in found.details]

    return run


PLAIN = "one at a time, argsort"


def systems(loaded: LoadedModel) -> dict[str, Callable[[Work], Ranks]]:
    """What is timed; each row switches one thing on."""
    return {
        PLAIN: plain(loaded, plain_depthrank.by_sorting),
        "one at a time, comparison": plain(loaded, plain_depthrank.by_comparing),
        "one at a time, comparison, oneDNN": plain(loaded, plain_depthrank.by_comparing, onednn=True),
        "batched, comparison": batched(loaded, reuse=False, onednn=False),
        "batched, + encoder reuse": batched(loaded, reuse=True, onednn=False),
        "batched, oneDNN, no reuse": batched(loaded, reuse=False, onednn=True),
        "mto (batched, reuse, oneDNN)": scorer(loaded),
    }


def bounds(loaded: LoadedModel, work: Work) -> tuple[Ranks, Ranks]:
    """Lowest and highest rank that a plain loop's logits allow when each may be off by `OFF`."""
    left_out = {*loaded.adapter.sentinel_ids, loaded.adapter.eos_id}

    def read(shift: float) -> Ranks:
        return plain_depthrank.ranks(
            loaded.model, loaded.adapter.tokenizer, work.sources, work.targets, left_out=left_out,
            read=lambda logits, gold: float((logits > logits[gold] + shift).sum()),
        )  # fmt: skip

    # With the lower threshold the gold token counts itself.
    return read(OFF), [[rank - 1 for rank in row] for row in read(-OFF)]


def check(loaded: LoadedModel, works: Sequence[Work]) -> dict[str, Any]:
    """Assert that all systems give equal numbers; say how many ranks are the very same in float32."""
    doubled = LoadedModel(
        copy.deepcopy(loaded.model).double(), loaded.adapter, loaded.ref, loaded.revision, loaded.metadata
    )
    found: dict[str, Any] = {"float64": "every rank is the same", "tokens": 0, "same_in_float32": {}}
    same = dict.fromkeys(systems(loaded), 0)
    means: dict[str, list[float]] = {name: [] for name in same}
    for work in works:
        step = max(1, len(work.rendered) // DOUBLES)
        part = Work(work.rendered[::step], work.sources[::step], work.targets[::step])
        exact = {name: run(part) for name, run in systems(doubled).items()}
        for name, ranks in exact.items():
            assert ranks == exact[PLAIN], f"{name}: ranks in float64 differ"
        low, high = bounds(loaded, work)
        want = None
        for name, run in systems(loaded).items():
            ranks = run(work)
            want = ranks if want is None else want
            assert [len(row) for row in ranks] == [len(row) for row in want], name
            flat = [np.concatenate(rows) for rows in (ranks, want, low, high)]
            assert (flat[0] >= flat[2]).all() and (flat[0] <= flat[3]).all(), (
                f"{name}: ranks in float32 differ"
            )
            same[name] += int((flat[0] == flat[1]).sum())
            means[name] += [float(np.mean(row)) for row in ranks]
        found["tokens"] += len(flat[0])
    found["same_in_float32"] = {name: round(n / found["tokens"], 5) for name, n in same.items()}
    found["depth_rank"] = {name: round(float(np.mean(values)), 4) for name, values in means.items()}
    assert np.allclose(list(found["depth_rank"].values()), found["depth_rank"][PLAIN], rtol=1e-4)
    return found


def measure(
    work: dict[str, Callable[[Work], Ranks]], works: Sequence[Work], repeats: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Seconds of each system over all tasks, in each round. All of them ran before, in `check`."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repeats):
        for name, run in work.items():
            start = clock()
            for one in works:
                run(one)
            times[name].append(clock() - start)
    return times


def compare(times: dict[str, list[float]], examples: int) -> dict[str, Any]:
    """Rates, and ratios by round to the plain loop."""
    return {
        name: {
            "examples_per_second": round(examples / float(np.median(taken)), 1),
            "ratio": round(float(np.median(np.divide(times[PLAIN], taken))), 2),
            "seconds": [round(second, 4) for second in taken],
        }
        for name, taken in times.items()
    }


def split(times: dict[str, list[float]]) -> dict[str, float]:
    """The whole gain as a product of what each step gives, in the order in which they are switched on."""

    def step(slow: str, fast: str) -> float:
        return round(float(np.median(np.divide(times[slow], times[fast]))), 2)

    ours = "mto (batched, reuse, oneDNN)"
    return {
        "comparison for sorting": step(PLAIN, "one at a time, comparison"),
        "batching": step("one at a time, comparison", "batched, comparison"),
        "encoder reuse": step("batched, comparison", "batched, + encoder reuse"),
        "products through oneDNN": step("batched, + encoder reuse", ours),
        "whole": step(PLAIN, ours),
    }


def main() -> None:
    """Check that numbers are equal, measure, print the ratios, write one JSON result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="mini", help="checkpoint: embedded name, folder or hub name")
    parser.add_argument("--data", type=Path, help="folder of ATOMIC-2020; default: the embedded household")
    parser.add_argument("--output", type=Path, help="write the result here (JSON)")
    parser.add_argument("--heads", type=int, default=30, help="labelled rows a relation")
    parser.add_argument(
        "--targets", type=int, nargs="+", default=[1, 3], help="targets a head; one measurement each"
    )
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
    result: dict[str, Any] = {
        "benchmark": "depthrank",
        "model": loaded.ref if not Path(loaded.ref).is_dir() else Path(loaded.ref).name,
        "data": "atomic2020" if options.data else "household",
        "threads": options.threads,
        "clock": "processor time" if options.processor_time else "wall time",
        "repeats": options.repeats,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "machine": platform.machine(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "amx": bool(torch.cpu._is_amx_tile_supported()),
        "workloads": [],
    }
    for most in options.targets:
        works, unlike = prepare(loaded, options.data, options.heads, most)
        examples = sum(len(work.rendered) for work in works)
        heads = sum(len({work.sources[n] for n in range(len(work.sources))}) for work in works)
        equal = check(loaded, works)
        times = measure(systems(loaded), works, options.repeats, clock)
        found = compare(times, examples)
        parts = split(times)
        result["workloads"].append(
            {
                "targets_a_head": most,
                "tasks": len(works),
                "examples": examples,
                "sources": heads,
                "left_out_as_strings_differ": unlike,
                "equal": equal,
                "systems": found,
                "split": parts,
            }
        )
        print(
            f"up to {most} targets a head: {examples} examples, {heads} sources, {len(works)} tasks; equal numbers"
        )
        for name, system in found.items():
            print(
                f"  {name:36s} {system['examples_per_second']:8.1f} examples/s  {system['ratio']:6.2f} x"
                f"  same ranks in float32 {equal['same_in_float32'][name]:.2%}"
            )
        print("  " + " x ".join(f"{name} {value}" for name, value in parts.items() if name != "whole"))
        print(f"  whole: {parts['whole']} x")
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
