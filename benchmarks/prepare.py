"""Sentences a second and core of each step of `mto prepare`, and its peak memory on text of two sizes.

    python benchmarks/prepare.py --text ../shared/data/sentences --data ../shared/data/atomic2020 --megabytes 200 1000 --output prepare.json

The text is made of the files in --text, over and over, with one number changed or added in every line, so that no line is a duplicate.
Each size is prepared in a process of its own with one worker; a step's speed is the sentences that it reads divided by the processor
seconds that it takes. The baseline cleans and selects the first --baseline-megabytes of the same text with `datasets.map`
(benchmarks/baselines/plain_prepare.py); its speed is compared with that of the same steps of the library. Pairs are made by cutting off the last
word (benchmarks/baselines/last_word.py), unless another maker is named: the splitter's speed is that of its model.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TASKS = ["atomic2020/ObjectUse", "atomic2020/AtLocation", "atomic2020/xWant", "atomic2020/xIntent"]
NUMBER = re.compile(r"\d+")


def varied(folder: Path) -> Iterator[str]:
    """Lines of the text files, over and over; each holds a number that no other copy of it holds."""
    lines = [
        line for path in sorted(folder.glob("*.txt")) for line in path.read_text("utf-8").splitlines() if line
    ]
    for turn in itertools.count(1):
        for line in lines:
            changed, count = NUMBER.subn(str(turn), line, count=1)
            yield changed if count else f"{line.rstrip('.')} in room {turn}."


def write_text(folder: Path, megabytes: float, path: Path) -> None:
    """A file of about so many megabytes."""
    size = 0
    with path.open("w", encoding="utf-8") as file:
        for line in varied(folder):
            size += file.write(line + "\n")
            if size >= megabytes * 1e6:
                return


def peak_mib() -> float:
    """Most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ours(text: Path, out: Path, tasks: Sequence[str], data: str | None, maker: str) -> dict[str, Any]:
    """Prepare, with the processor time of each pass."""
    from mto.prepare import prepare

    marks: list[tuple[str, float]] = []

    peaks: dict[str, int] = {}

    def told(stage: str, *_: int) -> None:
        marks.append((stage, time.process_time()))
        peaks[stage] = round(peak_mib())  # so far, at the last sign of life of the pass

    before, begin = peak_mib(), time.process_time()
    found = prepare(tasks, corpus=text, out=out, data=data, maker=maker, workers=1, progress=told)
    total = time.process_time() - begin
    seconds: dict[str, float] = {}
    for (stage, start), (_, end) in itertools.pairwise([*marks, ("end", begin + total)]):
        seconds[stage] = seconds.get(stage, 0.0) + end - start
    read = {"clean": found.steps["sentences"], "duplicates": found.steps["kept"]}
    read |= {"select": found.steps["kept"] - found.steps["exact duplicates"]}
    return {
        "megabytes": round(text.stat().st_size / 1e6, 1),
        "sentences": found.steps["sentences"],
        "sentences_per_second": {stage: round(n / seconds[stage]) for stage, n in read.items()},
        "end_to_end_per_second": round(found.steps["sentences"] / total),
        "megabytes_per_second": round(text.stat().st_size / 1e6 / total, 3),
        "seconds": {stage: round(value, 2) for stage, value in seconds.items()},
        "peak_mib": round(peak_mib()),
        "peak_mib_before": round(before),
        "peak_mib_after": peaks,
    }


def plain(text: Path, folder: Path, tasks: Sequence[str], data: str | None) -> dict[str, Any]:
    """The same cleaning and selecting with `datasets.map`."""
    from baselines import plain_prepare
    from mto.tasks import load_task

    loaded = [load_task(task, data=data) for task in tasks]
    begin = time.process_time()
    clean = plain_prepare.clean(text, loaded, folder)
    middle = time.process_time()
    plain_prepare.select(clean, loaded, 30)
    end = time.process_time()
    return {
        "sentences": len(clean),
        "seconds": {"clean": round(middle - begin, 2), "select": round(end - middle, 2)},
        "peak_mib": round(peak_mib()),
    }


def alone(*words: str) -> dict[str, Any]:
    """One measurement in a fresh process, as its last line of output says it."""
    told = subprocess.run([sys.executable, __file__, *words], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(told.stdout.splitlines()[-1])


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--text", type=Path, required=True, help="folder of .txt files")
    parser.add_argument("--data", help="folder of the tasks' rows")
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[200, 1000])
    parser.add_argument("--baseline-megabytes", type=float, default=10)
    parser.add_argument("--maker", default="baselines.last_word:KIND")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--one", choices=["ours", "plain"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        out = Path(tempfile.mkdtemp(dir=given.text.parent))
        if given.one == "ours":
            print(json.dumps(ours(given.text, out, given.tasks, given.data, given.maker)))
        else:
            print(json.dumps(plain(given.text, out, given.tasks, given.data)))
        return
    common = [
        "--tasks",
        *given.tasks,
        *(["--data", given.data] if given.data else []),
        "--maker",
        given.maker,
    ]
    with tempfile.TemporaryDirectory() as folder:
        results = []
        for megabytes in given.megabytes:
            text = Path(folder) / f"{megabytes:g}.txt"
            write_text(given.text, megabytes, text)
            results.append(alone("--one", "ours", "--text", str(text), *common))
            text.unlink()
        small = Path(folder) / "baseline.txt"
        write_text(given.text, given.baseline_megabytes, small)
        same = alone("--one", "ours", "--text", str(small), *common)
        baseline = alone("--one", "plain", "--text", str(small), *common)
    sums = [sum(r["seconds"][step] for step in ("clean", "select")) for r in (same, baseline)]
    result = {
        "tasks": given.tasks, "ours": results, "on_baseline_text": same, "datasets_map": baseline,
        "speed_ratio_clean_and_select": round(sums[1] / sums[0], 2),
        "peak_growth_mib": results[-1]["peak_mib"] - results[0]["peak_mib"],
        "machine": {"processor": platform.processor() or platform.machine(), "python": platform.python_version()},
    }  # fmt: skip
    print(json.dumps(result, indent=2))
    if given.output:
        given.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    main()
