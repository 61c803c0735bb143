"""The command line in this process, with the tiny checkpoint under the name `mini`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mto.cli.app import app
from tests.pipeline.small import save_tiny

Mto = Callable[..., Any]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of embedded checkpoints that holds one, called mini."""
    folder = tmp_path_factory.mktemp("models")
    save_tiny(folder / "mini")
    return folder


@pytest.fixture
def mini(models: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a tiny checkpoint that is embedded for the time of a test."""
    monkeypatch.setattr("mto.families.load.EMBEDDED", models)
    return "mini"


@pytest.fixture
def mto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mto:
    """Run a command in an empty folder; gives exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, input: str | None = None) -> Any:
        return CliRunner().invoke(app, list(words), input=input, catch_exceptions=False)

    return run
