"""Fixtures of the comparison: a checkpoint on disk, a task, and one finished run that tests may copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from mto.pipeline import compare
from tests.pipeline.small import SETTINGS, save_tiny, write_task


@pytest.fixture(scope="session")
def tiny_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny sentinel-text checkpoint as a folder."""
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def task_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small task with test data."""
    return write_task(tmp_path_factory.mktemp("task"))


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without their plots, which take most of the time of a tiny run; `finished` has them."""
    for room in ("plots", "expected"):
        monkeypatch.setattr(f"mto.report.{room}.draw", lambda *_, **__: "<svg></svg>")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, task_file: Path) -> Path:
    """A run that was never interrupted. Copy it before changing it."""
    path = tmp_path_factory.mktemp("runs") / "whole"
    compare(str(task_file), model=str(tiny_dir), out=path, workers=1, **SETTINGS)
    return path
