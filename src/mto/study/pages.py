"""The pages of all studies: which of them a results file makes, and a page made again."""

from __future__ import annotations

from pathlib import Path

from mto.errors import MtoError
from mto.runs import read_json
from mto.study.page import StudyPage


def page_of(results: str | Path) -> StudyPage | None:
    """The page that a results file makes; None where it is no results file of a study."""
    if not Path(results).is_file():
        return None
    try:
        value = read_json(Path(results))
    except MtoError:
        return None
    keys = set(value) if isinstance(value, dict) else set()
    if {"arms", "cells"} <= keys:
        from mto.study.adaptation.page import PAGE as ADAPTATION

        return ADAPTATION
    if {"signals", "cells"} <= keys:
        from mto.study.matching.page import PAGE as MATCHING

        return MATCHING
    if {"judged", "said"} <= keys:
        from mto.study.classifiers.page import PAGE as CLASSIFIERS

        return CLASSIFIERS
    if {"hits", "revisions"} <= keys:
        from mto.study.splitter.page import PAGE as SPLITTERS

        return SPLITTERS
    if {"best_encoder", "tuned"} <= keys:
        from mto.study.prompts.page import PAGE as PROMPTS

        return PROMPTS
    if {"untuned", "tuned", "baselines"} <= keys:
        from mto.study.every_task.page import PAGE as EVERY_TASK

        return EVERY_TASK
    return None


def remake_study_page(path: str | Path) -> str:
    """The text of a study's page, made again.

    Raises:
        DataError: the page does not say what it was made from.
    """
    from mto.study.adaptation.page import PAGE as ADAPTATION
    from mto.study.classifiers.page import PAGE as CLASSIFIERS
    from mto.study.every_task.page import PAGE as EVERY_TASK
    from mto.study.matching.page import PAGE as MATCHING
    from mto.study.prompts.page import PAGE as PROMPTS
    from mto.study.splitter.page import PAGE as SPLITTERS

    text = Path(path).read_text(encoding="utf-8")
    others = (CLASSIFIERS, SPLITTERS, ADAPTATION, PROMPTS, EVERY_TASK)
    page = next((one for one in others if text.startswith(one.recipe.begin)), MATCHING)
    return page.remake(path)
