"""Finished cells of a study put together into its results file."""

from __future__ import annotations

from mto.runs import environment, read_json
from mto.study.chosen import Chosen
from mto.study.every_task.facts import baselines, task_facts
from mto.study.every_task.results import Best, EveryTaskResults, Swept, Tuned, Untuned
from mto.study.every_task.stages import Study, soft_of


def collect(study: Study) -> EveryTaskResults:
    """The results of the parts that the configuration asks for.

    Raises:
        DataError: something of them is not finished.
    """
    config, tasks = study.config, study.tasks
    tuned: dict[tuple[str, int], Tuned] = {}
    swept: dict[str, Swept] = {}
    untuned: dict[str, Untuned] = {}
    asked: dict[str, set[str]] = {}
    """Checkpoints with the tasks that they were tuned on."""
    for part in config.parts:
        for model in config.models_of(part):
            asked.setdefault(model, set()).update(config.tasks_for(part))
            for arm, seed in study.wanted(part, model):
                told = arm.model_dump()
                swept[arm.step] = Swept.model_validate({**told, **study.swept(arm)})
                found = {**told, **study.tuned(arm, seed), "seed": seed}
                tuned[arm.step, seed] = Tuned.model_validate(found)
                if arm.method == "finetune":
                    told.pop("method")
                    untuned[arm.step] = Untuned.model_validate({**told, **study.untuned(arm)})
    stored = {model: study.revision(model) or {} for model in asked}
    told, now = read_json(study.folder.path / "environment.json") or environment(), environment()
    # A study grows part by part: its command is the one that puts all of it together, its code that of all calls until then.
    told.pop("command", None)
    if now.get("commit") and now["commit"] != told.get("commit"):
        told["commit"] = f"{told.get('commit')} to {now['commit']}"
    spent = sum(one.seconds for one in swept.values()) + sum(one.seconds for one in untuned.values())
    return EveryTaskResults(
        title=config.title,
        command=str(now["command"]),
        environment=told,
        hours=(spent + sum(one.seconds for one in tuned.values())) / 3600,
        config=config.fixed(),
        parts=config.parts,
        revisions={model: str(one["revision"]) for model, one in stored.items()},
        objectives={model: one["objectives"] for model, one in stored.items()},
        tasks=tuple(task_facts(config, task, name) for name, task in tasks.items()),
        best=tuple(
            Best(task=name, families=best, soft=tuple(soft_of(family, tasks[name]) for family in best))
            for name, best in ((name, study.best(name)) for name in config.tasks_for("families"))
        ),
        swept=tuple(swept.values()),
        chosen=tuple(
            Chosen(model=model, task=name, seed=seed, **study.matched(model, name, seed))
            for model, names in asked.items()
            for name in tasks
            if name in names
            for seed in config.seeds
        ),
        baselines=tuple(
            one for name, task in tasks.items() for seed in config.seeds
            for one in baselines(config, task, name, seed)
        ),
        untuned=tuple(untuned.values()),
        tuned=tuple(tuned.values()),
    )  # fmt: skip
