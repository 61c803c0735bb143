"""What guessing scores by each ranking, where answers are free texts and the main metric is of what was written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mto.report.results import Comparison


def chance_metrics(comparison: Comparison, tasks: Sequence[str]) -> dict[str, float]:
    """Mean over tasks of what guessing scores, by metric; empty where it is a row as any other, or is not known of all tasks.

    Guessing writes nothing, so it has no score of a metric of texts, and nothing can be tested against it.
    """
    means: dict[str, list[dict[str, float]]] = {}
    for baseline in comparison.baselines:
        if baseline.name == "guessing" and comparison.metric not in baseline.scores:
            found = {name: float(np.mean(values)) for name, values in baseline.scores.items()}
            means.setdefault(baseline.task, []).append(found)
    if not all(task in means for task in tasks):
        return {}
    flat = [one for task in tasks for one in means[task]]
    return {
        name: float(np.mean([np.mean([one[name] for one in means[task]]) for task in tasks]))
        for name in flat[0]
        if all(name in one for one in flat)
    }
