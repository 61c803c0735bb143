"""Whole runs made up for tests: how much each system scores is chosen, and nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mto.prepare.prepared import LeakCount, Prepared
from mto.report.results import Baseline, FamilyInfo, ModelInfo, Shown, TaskInfo
from mto.report.whole.results import (
    SYSTEMS,
    AdaptationInfo,
    AlignedInfo,
    StageInfo,
    SystemCell,
    SystemKey,
    WholeResults,
)

TASKS = ("made/Use", "made/Want")
LEVELS: dict[SystemKey, float] = {
    "conventional": 20, "prompting": 24, "aligned": 25, "adapted": 40, "random-spans": 30, "wrong-objective": 28, "general": 26,
}  # fmt: skip


def whole(
    levels: Mapping[SystemKey, float] = LEVELS,
    *,
    heads: int = 40,
    seeds: int = 3,
    noise: float = 4.0,
    seed: int = 0,
) -> WholeResults:
    """A run in which each system scores about its level on every head."""
    rng = np.random.default_rng(seed)
    shared = {task: rng.normal(0, 6, heads) for task in TASKS}

    def scores(task: str, level: float) -> dict[str, tuple[float, ...]]:
        values = np.clip(level + shared[task] + rng.normal(0, noise, heads), 0, 100)
        return {"rouge_l": tuple(values.tolist()), "exact_match": tuple((values > 45).astype(float) * 100)}

    cells = [
        SystemCell(
            system=key, task=task, seed=s, family="masked-prompting", stage=stage, distinct=0.9, rate=1e-4, steps=20,
            scores=scores(task, level if stage == "tuned" else level / 2),
        )
        for key, level in levels.items() for task in TASKS for s in range(seeds) for stage in ("tuned", "zero-shot")
    ]  # fmt: skip
    adapted = [key for key in levels if key not in ("conventional", "prompting", "aligned")]
    return WholeResults(
        title="A made up run <&>", command="mto run made --corpus text", model=ModelInfo(ref="mini"), shots=16, seeds=tuple(range(seeds)),
        tasks=tuple(
            TaskInfo(
                name=task, relation=task.rpartition("/")[2], phrase="is | for", train_rows=16, dev_rows=16,
                test_heads=tuple(f"head {n}" for n in range(heads)),
            )
            for task in TASKS
        ),
        families=(FamilyInfo(name="masked-prompting", title="MaskedPrompting", objective="denoising"),),
        systems=tuple(levels),
        aligned=tuple(
            AlignedInfo(task=task, family="masked-prompting", objective="denoising", reason="matching takes it", by="match")
            for task in TASKS
        ),
        prepared=Prepared(
            tasks=TASKS, shots=16, seed=0, licence="CC0", inputs=(), steps={"lines": 301, "kept": 290, "too short": 0},
            leaks=(
                LeakCount(
                    task=TASKS[0], triples=10, unusable=0, found=2, dropped=3, share_found=0.2, share_dropped=0.01, examples=(),
                ),
            ),
            selection=(), making={}, pairs={"task": 200}, shards=1, held_out=40,
        ),
        pairs={TASKS[0]: 120, TASKS[1]: 80},
        stages=(StageInfo(name="match", folder="stages/match-1", seconds=3.0),),
        adaptations=tuple(
            AdaptationInfo(
                system=key, tasks=TASKS, set="task", objective="auto", objectives={"denoising": 1.0}, reasons={},
                counts={"trained": 190, "held_out": 10, "retention": 40}, steps=30, kept_step=20, tokens=9000,
                stopped_because="steps", watched="pairs/denoising",
                before={"pairs/denoising": 3.0, "general/lm": 2.0, "pairs/denoising_bits_per_byte": 1.0},
                after={"pairs/denoising": 2.25, "general/lm": 2.125, "pairs/denoising_bits_per_byte": 0.7},
            )
            for key in adapted
        ),
        cells=tuple(cells),
        baselines=tuple(
            Baseline(task=task, name="nearest head", seed=s, scores=scores(task, 12)) for task in TASKS for s in range(seeds)
        ),
        shown=(
            Shown(
                task=TASKS[0], head="a <b>hammer</b>", references=("driving nails",), kind="good",
                predictions={key: f"what {key} said" for key in levels}, scores=dict.fromkeys(levels, 50.0),
            ),
        ),
    )  # fmt: skip


__all__ = ["LEVELS", "SYSTEMS", "TASKS", "whole"]
