"""What a user should do, in sentences that hold only where the figures of the study carry them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from mto.report.numbers import estimate, percent_gain
from mto.study.prompts.judged import behind, family_gain, notes, rules, sides
from mto.study.prompts.results import PromptResults


def advice(results: PromptResults) -> list[str]:
    """One sentence a question: which family, which encoder, soft prompts or fine-tuning, and the authors' notes."""
    return [*_family(results), *_encoder(results), *_method(results), *_notes(results)]


def _family(results: PromptResults) -> Iterator[str]:
    encoder = results.best_encoder
    for model in results.revisions:
        found = family_gain(results, model, encoder)
        if found is None:
            continue
        low, high = found.difference.low, found.difference.high
        verdict = (
            "use it" if low > 0 else "use pt" if high < 0 else "the two are too close to call, so either will do"
        )  # fmt: skip
        gained = f", {percent_gain(found.ratio)}" if found.ratio else ""
        yield (
            f"{_name(model)}: the family of --family auto against PT is {estimate(found.difference, sign=True)} points{gained}: {verdict}."
        )
    judged = rules(results, encoder)
    auto = next((rule for rule in judged if rule.name == "--family auto"), None)
    same = min((r for r in judged if r.name.startswith("always")), key=lambda r: r.regret.value)
    if auto is not None:
        # The fixed family was picked with test data in sight, so only a clear difference says something.
        clear = auto.regret.high < same.regret.low
        worse = auto.regret.low > same.regret.high
        verdict = (
            "matching is worth its seconds" if clear
            else f"{same.name.removeprefix('always ')} would have done better" if worse
            else "too close to call"
        )  # fmt: skip
        yield f"--family auto loses {auto.regret.value:.2f} points against the best family, {same.name} {same.regret.value:.2f}: {verdict}."


def _encoder(results: PromptResults) -> Iterator[str]:
    other = str(results.config["encoder"])
    if results.best_encoder == other:
        yield f"Encoder: {other}, the authors' choice, was also best on dev data."
    else:
        yield f"Encoder: {results.best_encoder} was best on dev data; the authors' choice is {other}."


def _method(results: PromptResults) -> Iterator[str]:
    for model in results.revisions:
        found = sides(results, model)
        full = next((side for side in found if side.name == "fine-tuning"), None)
        soft = next((side for side in found if side.name.startswith("soft")), None)
        if full is None or soft is None or len(full.cells) != len(soft.cells):
            continue
        against = behind(soft, full)
        size = soft.cells[0].kept / full.cells[0].kept
        verdict = (
            "fine-tune where the score counts" if against.difference.high < 0
            else "a soft prompt is better and smaller" if against.difference.low > 0
            else "a soft prompt costs no score that could be shown, so take it where many tasks share a model"
        )  # fmt: skip
        yield (
            f"{_name(model)}: {soft.name} against fine-tuning is {estimate(against.difference, sign=True)} points at {size:.2%} of what is "
            f"kept a task: {verdict}."
        )


def _notes(results: PromptResults) -> Iterator[str]:
    for note in notes(results):
        if note.difference is not None:
            yield f"“{note.claim[0].upper()}{note.claim[1:]}”: {note.verdict} ({estimate(note.difference, sign=True)} points; {note.compared})."


def _name(model: str) -> str:
    return PurePath(model).name or model
