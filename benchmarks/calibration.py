"""What the temperature of `mto.evaluate.calibration` is worth: probabilities of options on test rows, with it and without.

A checkpoint is tuned with few labelled rows, the temperature fitted on its dev rows. Prints, for each task, the means over seeds of the nats of
the right option and of the expected calibration error (%), as they come and calibrated; accuracy is the same for both.

    python benchmarks/calibration.py --data ../shared/data --model mini
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

from mto.evaluate.calibration import softmin
from mto.tasks import draw_split, load_task
from mto.tune import TuneConfig, tune

TASKS = {
    "sst2": ("sst2", "mapping", "rank_sum"),
    "cb": ("superglue_few/cb", "mapping", "rank_sum"),
    "socialiqa": ("socialiqa", "answer-prompting", "rank_sum"),
    "openbookqa": ("openbookqa", "answer-prompting", "rank_byte"),
}
BINS = 10


def measured(
    nats: list[tuple[float, ...]], right: list[int], temperature: float
) -> tuple[float, float, float]:
    """Nats of the right option, calibration error (%) and accuracy (%)."""
    chances = [softmin(each, temperature) for each in nats]
    of_right = [max(float(p[n]), float(np.finfo(float).tiny)) for p, n in zip(chances, right, strict=True)]
    most = np.array([p.max() for p in chances])
    hit = np.array([int(p.argmax()) == n for p, n in zip(chances, right, strict=True)])
    bins = np.minimum((most * BINS).astype(int), BINS - 1)
    error = sum(abs(most[bins == b].sum() - hit[bins == b].sum()) for b in np.unique(bins)) / len(bins)
    return -float(np.mean(np.log(of_right))), 100 * float(error), 100 * float(hit.mean())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--test", type=int, default=200)
    args = parser.parse_args()
    for name in args.tasks.split(","):
        folder, family, metric = TASKS[name]
        task = load_task(name, data=f"{args.data}/{folder}")
        config = TuneConfig(rates=(1e-4,), ladder=(0, 20, 40), extend=False, metric=metric, precision="bf16")
        rows: list[tuple[float, ...]] = []
        temperatures = []
        for seed in range(args.seeds):
            split = draw_split(task, shots=task.usual_shots, seed=seed, max_test=args.test)
            model = tune(args.model, task, family=family, split=split, config=config)
            ranked = [(tuple(each), tuple(nats)) for each, nats in model.ranked(split.test)]
            right = [names.index(e.targets[0]) for (names, _), e in zip(ranked, split.test, strict=True)]
            temperature = model.calibration.temperature if model.calibration else 1.0
            temperatures.append(temperature)
            nats = [each for _, each in ranked]
            rows.append((*measured(nats, right, 1.0), *measured(nats, right, temperature)[:2]))
        keys = ("nats", "ece", "accuracy", "nats_calibrated", "ece_calibrated")
        found: dict[str, Any] = {
            "task": name, "family": family, "metric": metric, "seeds": args.seeds, "test": len(split.test),
            "temperatures": temperatures,
        }  # fmt: skip
        means = np.mean(rows, axis=0).tolist()
        print(json.dumps(found | {k: round(v, 2) for k, v in zip(keys, means, strict=True)}), flush=True)


if __name__ == "__main__":
    main()
