"""The page of the study of soft prompts, made from its committed results file alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from mto.evaluate.statistics import Interval, crossed_bootstrap
from mto.report.markdown import bullets, escape, pairs, table
from mto.report.numbers import count, estimate, percent_gain, thousands
from mto.report.recipe import Recipe
from mto.report.tables import Row, Table
from mto.report.titles import metric_title
from mto.study.page import StudyPage
from mto.study.prompts.advice import advice
from mto.study.prompts.judged import (
    Side,
    adapted,
    aligned,
    behind,
    encoders,
    family_gain,
    notes,
    rules,
    sides,
    whole_way_gain,
)
from mto.study.prompts.results import PromptResults, Scored, matrices, read_prompts
from mto.templates import get_family


def _blocks(file: Path) -> Iterator[str]:
    results = read_prompts(file)
    yield "## What a user should do"
    yield bullets(advice(results))
    yield from _encoders(results)
    yield from _families(results)
    yield from _regret(results)
    yield from _beside(results)
    yield from _notes(results)
    yield from _shots(results)
    yield from _tasks(results)
    yield from _made(results)


def _encoders(results: PromptResults) -> Iterator[str]:
    cells = results.cells("encoders")
    names = list(dict.fromkeys(c.encoder for c in cells))
    families = list(dict.fromkeys(c.family for c in cells))
    tasks = ", ".join(_short(t) for t in results.config["sweep_tasks"])
    yield f"## Encoders by families, {metric_title(results.metric)} over {tasks}"
    rows = []
    for family in families:
        own = [_mean([c for c in cells if (c.family, c.encoder) == (family, name)]) for name in names]
        rows.append(Row("family", None, (_title(family), *_marked(own))))
    over = [crossed_bootstrap(_over_families([c for c in cells if c.encoder == name])) for name in names]
    rows.append(Row("aligned", None, ("mean of the families", *_marked(over))))
    yield table(Table(("", *names), tuple(rows)))
    yield (
        f"Checkpoint {escape(_short_model(str(results.config['models'][0])))}. On dev data {results.best_encoder} was best (nats a byte at the "
        "chosen rate and steps, mean over families), so it goes on, beside the authors' choice. “Highest” is a mean, not a test."
    )


def _families(results: PromptResults) -> Iterator[str]:
    yield f"## Families by checkpoints, {metric_title(results.metric)} over {count(len(results.config['tasks']), 'relation')}"
    families = [str(name) for name in results.config["families"]]
    for encoder in encoders(results):
        rows = []
        for model in results.revisions:
            cells = results.cells("tasks", model=model, method="prompt", encoder=encoder)
            own = [_mean([c for c in cells if c.family == family]) for family in families]
            chosen = aligned(results, model, encoder)
            found = family_gain(results, model, encoder)
            gained = "–" if found is None else percent_gain(found.ratio) if found.ratio else "no ratio"
            difference = "–" if found is None else estimate(found.difference, sign=True)
            auto = estimate(_mean(chosen)) if chosen else "–"
            rows.append(Row("model", None, (_name(results, model), *_marked(own), auto, gained, difference)))
        yield f"### Encoder {encoder}"
        heads = ("checkpoint", *map(_title, families), "aligned", "gain over PT", "in points")
        yield table(Table(heads, tuple(rows)))
        yield from _whole_way(results, encoder)
    yield bullets(
        [
            "Aligned: for each relation and seed the family that stands for what matching chose from the labelled rows (--family auto); test "
            "data had no say. Brackets: 95 % intervals, heads and seeds resampled.",
        ]
    )


def _whole_way(results: PromptResults, encoder: str) -> Iterator[str]:
    lines = []
    for model in adapted(results):
        found = whole_way_gain(results, model, encoder)
        if found is not None:
            first = _short_model(str(results.config["models"][0]))
            ratio = f", {percent_gain(found.ratio)}" if found.ratio else ""
            lines.append(
                f"The whole way, {_short_model(model)} with the aligned family, against PT on {first} as it is: "
                f"{estimate(found.difference, sign=True)} points{ratio}."
            )
    if lines:
        yield bullets(lines)


def _regret(results: PromptResults) -> Iterator[str]:
    yield "## How good the choice of a family is"
    yield (
        "Regret is what a way of choosing loses against the family that turned out best on a relation and checkpoint, in points and as a "
        "share of the best score. Intervals resample relations. The noise floor chooses on half of the test heads and is judged on the other."
    )
    for encoder in encoders(results):
        rows = [
            Row(
                "aligned" if rule.name == "--family auto" else "rule",
                None,
                (
                    rule.name,
                    f"{100 * rule.best.value:.0f} %",
                    f"{rule.regret.value:.2f} [{rule.regret.low:.2f}, {rule.regret.high:.2f}]",
                    f"{rule.share.value:.1f} % [{rule.share.low:.1f}, {rule.share.high:.1f}]",
                ),
            )
            for rule in rules(results, encoder)
        ]
        yield f"### Choosing with encoder {encoder}"
        yield table(
            Table(("way of choosing", "the best family", "regret, points", "regret, share"), tuple(rows))
        )


def _beside(results: PromptResults) -> Iterator[str]:
    yield "## Beside fine-tuning and LoRA"
    yield (
        "Each with the family that matching chose, or what stands for it, on the same splits; rate and steps after a sweep of its own. "
        "Kept, in float32: vectors of a soft prompt, updates of LoRA (`mto` saves them merged into the checkpoint), all weights else."
    )
    for model in results.revisions:
        found = sides(results, model)
        full = next((side for side in found if side.name == "fine-tuning"), None)
        rows = [Row("side", None, (side.name, *_side(side, full))) for side in found]
        yield f"### {escape(_name(results, model))}"
        columns = (
            "way", metric_title(results.metric), "against fine-tuning, points", "against fine-tuning, share", "trained numbers",
            "kept a task, kB", "seconds a cell",
        )  # fmt: skip
        yield table(Table(columns, tuple(rows)))


def _side(side: Side, full: Side | None) -> tuple[str, ...]:
    trained = sorted({c.trained for c in side.cells if c.trained is not None})
    kept = sorted({c.kept for c in side.cells})
    seconds = sum(c.seconds for c in side.cells) / len(side.cells)
    against = behind(side, full) if full is not None and side.name != full.name else None
    return (
        estimate(side.score),
        estimate(against.difference, sign=True) if against else "–",
        percent_gain(against.ratio) if against and against.ratio else "–",
        " / ".join(map(thousands, trained)) if trained else "all",
        " / ".join(f"{4 * n / 1000:,.0f}" for n in kept),
        f"{seconds:.0f}",
    )


def _notes(results: PromptResults) -> Iterator[str]:
    yield "## The authors' notes"
    rows = [
        Row("note", None, (n.claim, n.compared, estimate(n.difference, sign=True) if n.difference else "–", n.verdict))
        for n in notes(results)
    ]  # fmt: skip
    yield table(Table(("note", "compared", "points [95 %]", "verdict"), tuple(rows)))


def _shots(results: PromptResults) -> Iterator[str]:
    cells = results.cells("shots")
    if not cells:
        return
    rates = sorted({c.rate for c in cells})
    yield f"## Shots and rates, {metric_title(results.metric)}"
    rows = []
    for shots in sorted({c.shots for c in cells}):
        for family in dict.fromkeys(c.family for c in cells):
            own = [
                _mean([c for c in cells if (c.shots, c.family, c.rate) == (shots, family, rate)])
                for rate in rates
            ]
            rows.append(Row("shots", None, (f"{shots}, {_title(family)}", *_marked(own))))
    yield table(Table(("shots, family", *(f"rate {rate:g}" for rate in rates)), tuple(rows)))
    yield f"Encoder {escape(str(results.config['encoder']))}; steps as the sweep at {results.config['shots']} shots chose them."


def _tasks(results: PromptResults) -> Iterator[str]:
    yield "## Relation by relation"
    families = [str(name) for name in results.config["families"]]
    encoder = results.best_encoder
    for model in results.revisions:
        rows = []
        for task in results.config["tasks"]:
            cells = results.cells("tasks", model=model, method="prompt", encoder=encoder, task=task)
            own = [_mean([c for c in cells if c.family == family]) for family in families]
            chosen = [results.choice(model, task, int(seed)).soft for seed in results.config["seeds"]]
            common = max(sorted(set(chosen)), key=chosen.count)
            told = f"{common} ({chosen.count(common)}/{len(chosen)})"
            beside = [
                estimate(_mean(found)) if found else "–"
                for method in ("finetune", "lora")
                if (found := results.cells("tasks", model=model, method=method, task=task)) is not None
            ]
            rows.append(Row("task", None, (_short(task), *_marked(own), told, *beside)))
        yield f"<details><summary>{escape(_name(results, model))}, encoder {encoder}</summary>"
        heads = ("relation", *map(_title, families), "matching, most seeds", "fine-tuning", "LoRA")
        yield table(Table(heads, tuple(rows)))
        yield "</details>"


def _made(results: PromptResults) -> Iterator[str]:
    yield "## How it was made"
    found, config = results.environment, results.config
    yield pairs(
        [
            ("command", results.command),
            ("hours of tuning and testing", f"{results.hours:.1f}"),
            ("commit", str(found.get("commit", ""))),
            ("machine", f"{found.get('cores')} cores, {found.get('cpu')}"),
            ("shots, seeds, vectors", f"{config['shots']}, {len(config['seeds'])}, {config['vectors']}"),
            *(
                (f"weights of {escape(_short_model(model))}", revision)
                for model, revision in results.revisions.items()
            ),
        ]
    )
    yield f"Rate and steps, chosen once for each arm on the dev data of {', '.join(_short(t) for t in config['sweep_tasks'])}:"
    rows = [
        Row("setting", None, (_short_model(s.model), s.encoder or s.method, s.family, f"{s.rate:g}", str(s.steps)))
        for s in results.settings
    ]  # fmt: skip
    yield table(Table(("checkpoint", "encoder or way", "family", "rate", "steps"), tuple(rows)))


def _mean(cells: list[Scored]) -> Interval:
    return crossed_bootstrap(matrices(cells))


def _over_families(cells: list[Scored]) -> list[NDArray[np.float64]]:
    """Mean over families of each task, seed and head."""
    families = sorted({cell.family for cell in cells})
    each = [matrices([c for c in cells if c.family == family]) for family in families]
    return [np.mean(some, axis=0) for some in zip(*each, strict=True)]


def _marked(own: list[Interval]) -> list[str]:
    best = max(range(len(own)), key=lambda n: own[n].mean)
    return [estimate(one) + (" (highest)" if n == best and len(own) > 1 else "") for n, one in enumerate(own)]


def _title(family: str) -> str:
    return get_family(family).title


def _short(task: object) -> str:
    return str(task).rpartition("/")[2]


def _short_model(model: str) -> str:
    return PurePath(model).name or model


def _name(results: PromptResults, model: str) -> str:
    shares = [f"{share:.0%} {name}" for name, share in sorted(results.objectives[model].items()) if share > 0]
    return f"{_short_model(model)} ({', '.join(shares)})" if shares else _short_model(model)


PAGE = StudyPage(Recipe("prompt study page"), _blocks)
"""The results file of the study of soft prompts to its page."""
