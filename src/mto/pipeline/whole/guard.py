"""Whose folder is it: a whole run may go on in its folder with other settings, because its stages know what they depend on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mto.errors import RunError
from mto.pipeline.guard import LOCK
from mto.pipeline.whole.config import WholeConfig
from mto.runs import RunFolder, environment, write_json, write_text
from mto.runs.folder import CONFIG, ENVIRONMENT

SAME = ("tasks", "model")
"""Settings that may not change: another task or checkpoint is another run."""


def check_folder(path: Path, config: WholeConfig) -> None:
    """Refuse a folder that holds something else.

    Raises:
        RunError: it says what stands there.
    """
    if not path.exists() or (path.is_dir() and not any(child.name != LOCK for child in path.iterdir())):
        return
    if not (path / CONFIG).exists():
        what = "is not empty and holds no run" if path.is_dir() else "is a file"
        raise RunError(what, where=str(path), hint="choose another folder with --out")
    old = _old(path)
    if not isinstance(old, dict) or "corpus" not in old:
        raise RunError(
            "holds a run of another kind", where=str(path), hint="choose another folder with --out"
        )
    new = config.model_dump(mode="json")
    differ = [
        f"{name}: {old.get(name)} there, {new[name]} now" for name in SAME if old.get(name) != new[name]
    ]
    if differ:
        raise RunError(
            f"holds a run with another configuration ({'; '.join(differ)})",
            where=str(path),
            hint="choose another folder with --out, or delete this one",
        )


def set_up(path: Path, config: WholeConfig) -> None:
    """Write what is asked for now; stages that were made with other settings stay."""
    path.mkdir(parents=True, exist_ok=True)
    for left in path.glob(".*"):
        if left.name != LOCK and left.is_file():
            left.unlink(missing_ok=True)  # half-written by a process that was killed
    new = config.model_dump(mode="json")
    if not (path / CONFIG).exists() or _old(path) != new:
        if (path / CONFIG).exists():
            RunFolder(path).event("other-settings")
        write_json(path / ENVIRONMENT, environment())
        write_text(path / CONFIG, yaml.safe_dump(new, sort_keys=True, allow_unicode=True))


def _old(path: Path) -> Any:
    try:
        return yaml.safe_load((path / CONFIG).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RunError(f"cannot be read: {error}", where=str(path / CONFIG)) from None
