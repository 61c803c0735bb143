"""Synthetic comparisons and their summaries, made once."""

from __future__ import annotations

import pytest

from mto.report import Comparison, Summary, summarise
from tests.report.synthetic import synthetic


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    """Two tasks, three seeds, MaskedPrompting well ahead."""
    return synthetic(heads=30)


@pytest.fixture(scope="session")
def summary(comparison: Comparison) -> Summary:
    return summarise(comparison)
