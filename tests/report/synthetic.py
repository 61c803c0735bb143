"""A made-up comparison with the shape of a real one. Its numbers come from a random generator and mean nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mto.report import (
    Baseline,
    Cell,
    Choice,
    Comparison,
    FamilyInfo,
    ModelInfo,
    Shown,
    SweepInfo,
    SweepPoint,
    TaskInfo,
)

FAMILIES = (
    FamilyInfo(
        name="mapping",
        title="Mapping",
        conventional=True,
        source="{{ relation }}: {{ head }}",
        target="{{ answer }}",
    ),
    FamilyInfo(
        name="masked-mapping",
        title="MaskedMapping",
        objective="denoising",
        source="{{ relation }}: {{ head }} {{ mask }}",
        target="{{ mask }} {{ answer }}",
    ),
    FamilyInfo(
        name="prompting", title="Prompting", objective="lm", source="{{ phrase }}", target="{{ answer }}"
    ),
    FamilyInfo(
        name="masked-prompting",
        title="MaskedPrompting",
        objective="denoising",
        source="{{ phrase }} {{ mask }}",
        target="{{ mask }} {{ answer }}",
    ),
)
RELATIONS = {
    "ObjectUse": ("mask-filling", "{head} is used for"),
    "AtLocation": ("mask-filling", "You are likely to find {head} in"),
    "xWant": ("map-phrasal", "{head}. Afterwards, PersonX would want"),
    "xIntent": ("map-phrasal", "{head}, because PersonX wanted"),
    "xAttr": ("mask-filling", "{head}. PersonX is seen as"),
}
EFFECT = {"mapping": 0.0, "masked-mapping": 2.0, "prompting": 6.0, "masked-prompting": 9.0}
RATES, LADDER = (1e-5, 3e-5, 1e-4, 3e-4), (0, 5, 20, 60)
THINGS = ("hammer", "bread knife", "old <b>lamp</b>", "PersonX a|b", "snake_case_thing", "wool blanket")


def synthetic(
    *,
    relations: Sequence[str] = ("ObjectUse", "xWant"),
    seeds: int = 3,
    heads: int = 40,
    shots: int | None = 16,
    effect: Mapping[str, float] = EFFECT,
    nearest: float = 12.0,
    base: float = 15.0,
    random: int = 0,
    **changes: Any,
) -> Comparison:
    """Scores around ``base + effect``, with noise of heads, seeds and single answers."""
    rng = np.random.default_rng(random)
    tasks, cells, baselines, sweeps, choices, shown = [], [], [], [], [], []
    for number, relation in enumerate(relations):
        kind, phrase = RELATIONS[relation]
        name = f"synthetic/{relation}"
        tasks.append(
            TaskInfo(
                name=name,
                relation=relation,
                type=kind,
                phrase=phrase,
                train_rows=shots or 0,
                dev_rows=shots or 0,
                test_heads=tuple(f"{THINGS[n % len(THINGS)]} {n}" for n in range(heads)),
            )
        )
        of_head = rng.normal(0, 12, heads)
        for seed in range(seeds):
            dev = {}
            for family in FAMILIES:
                level = base + 3 * number + effect[family.name] + rng.normal(0, 1.5)
                dev[family.name] = level
                for stage in ("tuned", "zero-shot") if shots != 0 else ("zero-shot",):
                    if stage == "zero-shot" and seed:
                        continue
                    lower = 0.0 if stage == "tuned" else 6.0
                    cells.append(
                        Cell(
                            task=name,
                            family=family.name,
                            seed=seed,
                            stage=stage,
                            scores=_scores(rng, level - lower + of_head, heads),
                            empty=round(float(rng.uniform(0, 0.04)), 3),
                            unasked=0.1 if (family.name, stage) == ("mapping", "zero-shot") else 0.0,
                            distinct=float(rng.uniform(0.5, 0.95)),
                            seconds=float(rng.uniform(20, 60)),
                            dev={"nats_per_byte": 2.0 - level / 40, "rouge_l": max(level, 0.0)},
                        )
                    )
                if shots != 0:
                    sweeps.append(_sweep(rng, name, family.name, seed, level))
            if shots != 0:
                best = max(dev, key=lambda key: dev[key])
                choices.append(Choice(task=name, seed=seed, family=best, reason="smallest mean rank on dev"))
                for baseline, lower in (("nearest head", 0.0), ("most frequent tail", 5.0)):
                    baselines.append(
                        Baseline(
                            task=name,
                            name=baseline,
                            seed=seed,
                            scores=_scores(rng, nearest - lower + of_head, heads),
                            distinct=0.4 if baseline == "nearest head" else 1 / heads,
                        )
                    )
        for n, kind_shown in enumerate(("good", "bad", "drawn")):
            shown.append(
                Shown(
                    task=name,
                    head=tasks[-1].test_heads[(n + 1) % heads],
                    references=("to sleep well", "a_b * c | d", "a <script>alert(1)</script> reference"),
                    predictions={f.name: f"{f.name} says `this` & <i>that</i>" for f in FAMILIES},
                    scores={f.name: 100.0 / (n + 1) if f.objective else 20.0 for f in FAMILIES},
                    kind=kind_shown,
                )
            )
    values: dict[str, Any] = {
        "title": "Synthetic numbers for tests",
        "command": "mto run " + " ".join(f"synthetic/{r}" for r in relations) + f" --shots {shots}",
        "environment": {
            "python": "3.11.9",
            "cpu": "Made-up CPU (AMX)",
            "cores": 2,
            "system": "Linux x86_64",
            "commit": "0123456789ab",
            "packages": {"mto": "0.1.0", "torch": "2.13.0"},
        },
        "settings": {"rates": list(RATES), "ladder": list(LADDER), "batch_rows": 8, "select": "both"},
        "hours": 0.61,
        "model": ModelInfo(
            ref="made-up-mini",
            revision="ab12cd34",
            parameters=26_800_000,
            tokens_seen=9_400_000,
            objectives={"denoising": 0.55, "lm": 0.45},
        ),
        "shots": shots,
        "seeds": tuple(range(seeds)),
        "tasks": tuple(tasks),
        "families": FAMILIES,
        "cells": tuple(cells),
        "baselines": tuple(baselines),
        "sweeps": tuple(sweeps),
        "choices": tuple(choices),
        "shown": tuple(shown),
    }
    return Comparison(**(values | changes))


def _scores(rng: np.random.Generator, around: Any, heads: int) -> dict[str, tuple[float, ...]]:
    rouge = np.clip(around + rng.normal(0, 8, heads), 0, 100)
    return {
        "rouge_l": tuple(rouge.tolist()),
        "rouge_l3": tuple((0.9 * rouge).tolist()),
        "exact_match": tuple((100.0 * (rouge > 35)).tolist()),
    }


def _sweep(rng: np.random.Generator, task: str, family: str, seed: int, level: float) -> SweepInfo:
    points = []
    start = 2.0 - level / 60
    for rate in RATES:
        for steps in LADDER:
            if steps == 0 and rate != RATES[0]:
                continue
            push = np.log1p(rate * 1e4 * steps) if steps else 0.0
            points.append(
                SweepPoint(
                    rate=rate if steps else 0.0,
                    steps=steps,
                    nats_per_byte=float(start - 0.12 * push + 0.03 * push**2 + rng.normal(0, 0.01)),
                    metric=float(np.clip(level - 6 + 4 * push - 0.9 * push**2 + rng.normal(0, 0.5), 0, 100)),
                    seconds=1.5,
                )
            )
    return SweepInfo(
        task=task,
        family=family,
        seed=seed,
        points=tuple(points),
        chosen=max(points, key=lambda point: point.metric),
        extended=(3e-4,),
    )
