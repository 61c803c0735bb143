"""One finished whole run that tests may copy, and what it was made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mto.pipeline.whole import WholeRun, run_whole
from tests.pipeline.whole.small import SETTINGS, write_tasks, write_text

Run = Callable[..., WholeRun]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path) -> Run:
    """Run the whole way on two small tasks with a tiny checkpoint; settings are laid over the usual ones."""
    folder = tmp_path_factory.mktemp("whole-inputs")
    tasks, text = write_tasks(folder / "tasks"), write_text(folder / "text")

    def go(out: Path, progress: Any = None, **changes: Any) -> WholeRun:
        given = {"tasks": list(tasks), "corpus": text, "model": str(tiny_dir), **SETTINGS, **changes}
        return run_whole(given.pop("tasks"), out=out, progress=progress, **given)

    return go


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Path:
    """A whole run with every control that was never interrupted. Copy it before changing it."""
    patch = pytest.MonkeyPatch()
    for room in ("plots", "expected"):
        patch.setattr(f"mto.report.{room}.draw", lambda *_, **__: "<svg></svg>")
    try:
        path = tmp_path_factory.mktemp("runs") / "whole"
        run(path)
        return path
    finally:
        patch.undo()
