"""Which page a study's results file makes, and the page made again."""

from __future__ import annotations

from pathlib import Path

from mto.errors import MtoError
from mto.runs import read_json


def is_study(path: str | Path) -> bool:
    """Whether a file is the results file of a study; False also where it cannot be read."""
    return _kind(path) is not None


def write_study_page(
    path: str | Path, results: str | Path, title: str, *, remarks: str | Path | None = None
) -> Path:
    """Write the page of a study's results file, whichever study it is."""
    if _kind(results) == "classifiers":
        from mto.study.classifiers.page import write_classifier_page

        return write_classifier_page(path, results, title, remarks=remarks)
    from mto.study.matching.page import write_matching_page

    return write_matching_page(path, results, title, remarks=remarks)


def remake_study_page(path: str | Path) -> str:
    """The text of a study's page, made again.

    Raises:
        DataError: the page does not say what it was made from.
    """
    from mto.study.classifiers.page import RECIPE, remake_classifier_page
    from mto.study.matching.page import remake_matching_page

    if Path(path).read_text(encoding="utf-8").startswith(RECIPE.begin):
        return remake_classifier_page(path)
    return remake_matching_page(path)


def _kind(path: str | Path) -> str | None:
    if not Path(path).is_file():
        return None
    try:
        value = read_json(Path(path))
    except MtoError:
        return None
    keys = set(value) if isinstance(value, dict) else set()
    if {"signals", "cells"} <= keys:
        return "matching"
    return "classifiers" if {"judged", "said"} <= keys else None
