"""What a user should do, in sentences that hold only where the figures of the study carry them."""

from __future__ import annotations

from collections.abc import Iterator

from mto.report.numbers import estimate, join, percent_gain
from mto.study.every_task.judged import (
    below_chance,
    done_by,
    first_model,
    gains,
    near_chance,
    of_metric,
    rules,
    sides,
)
from mto.study.every_task.results import EveryTaskResults
from mto.study.every_task.writing import KINDS, kinds, metrics, said, short


def advice(results: EveryTaskResults) -> list[str]:
    """Whether to align, who should choose the family, where the checkpoint is too small, and whether soft prompts do."""
    return [*_align(results), *_choose(results), *_too_small(results), *_soft(results)]


def _align(results: EveryTaskResults) -> Iterator[str]:
    for model in results.revisions:
        for metric in metrics(results):
            tested = done_by(results, model, of_metric(results, metric))
            found = gains(results, model, tested)
            if not found:
                continue
            whole = found[-1].found
            low, high = whole.difference.low, whole.difference.high
            if low <= 0 <= high:
                continue
            gained = f", {percent_gain(whole.ratio)}" if whole.ratio else ""
            verdict = "let matching choose" if low > 0 else "stay with Mapping"
            tasks = join([task.name for task in tested])
            yield (
                f"{short(model)}, {tasks}: the family that matching chooses against Mapping is {estimate(whole.difference, sign=True)} points "
                f"({said(metric)}{gained}): {verdict}."
            )


def _choose(results: EveryTaskResults) -> Iterator[str]:
    for kind in kinds(results):
        found = {rule.name: rule for rule in rules(results, kind)}
        matching = found.get("matching")
        fixed = [rule for name, rule in found.items() if name.startswith("always")]
        if matching is None or not fixed:
            continue
        best = min(fixed, key=lambda rule: rule.regret.value)
        dev = found["dev, after tuning all"].regret.value
        figures = (
            f"matching loses {matching.regret.value:.2f} points against the best family of each task, {best.name} {best.regret.value:.2f}, dev data "
            f"after tuning all families {dev:.2f}"
        )
        # A clear difference only: the best fixed family was chosen with test data in sight, so it has an advantage.
        if matching.regret.high < best.regret.low:
            yield f"{KINDS[kind]}: {figures}: matching is worth its seconds."
        elif matching.regret.low > best.regret.high:
            yield f"{KINDS[kind]}: {figures}: {best.name.removeprefix('always ')} would have done better."


def _too_small(results: EveryTaskResults) -> Iterator[str]:
    model = first_model(results)
    near = [task for task in results.tasks if near_chance(results, model, task)]
    if near:
        yield (
            f"{join([task.name for task in near])}: {short(model)} stays near chance with these shots in every family; take a larger checkpoint, and "
            "compare families by bits until one is above chance."
        )
    below = [t for t in results.tasks if t.kind == "multiple-choice" and below_chance(results, model, t)]
    if names := [task.name for task in below if task.metric == "rank_sum"]:
        yield (
            f"{join(names)}: ranking by nats in all is worse than guessing, since it favours short options; rank by nats a byte or calibrated "
            "(metrics rank_byte and rank_calibrated)."
        )


def _soft(results: EveryTaskResults) -> Iterator[str]:
    from mto.evaluate.statistics import gain

    for model in results.revisions:
        for metric in metrics(results):
            tasks = done_by(results, model, done_by(results, model, of_metric(results, metric)), "prompt")
            prompt, full = (sides(results, "aligned", model, tasks, m) for m in ("prompt", "finetune"))
            if not prompt or not full:
                continue
            found = gain(prompt, full).difference
            if found.high < 0:
                yield f"{short(model)}: soft prompts against fine-tuning, both aligned, are {estimate(found, sign=True)} points ({said(metric)}): fine-tune where the score counts."
            elif found.low > 0:
                yield f"{short(model)}: soft prompts against fine-tuning, both aligned, are {estimate(found, sign=True)} points ({said(metric)}): take a soft prompt."
