"""The one place where a run keeps what it asked for, what it did and what came out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from mto.errors import RunError
from mto.runs.atomic import read_json, write_json, write_text
from mto.runs.environment import environment

CONFIG, EVENTS, METRICS, ENVIRONMENT, STEPS = (
    "config.yaml",
    "events.jsonl",
    "metrics.json",
    "environment.json",
    "steps",
)


class RunFolder:
    """A folder with ``config.yaml``, ``environment.json``, ``events.jsonl``, ``steps/*.json`` and the run's results.

    A *step* is a named piece of work with a key (a hash of its inputs). It counts as done only when its JSON
    stands under ``steps/`` with the same key, written after everything else of that step.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, path: str | Path, config: Mapping[str, Any]) -> RunFolder:
        """Make the folder, or go on in one that was made with the same configuration.

        Raises:
            RunError: the folder holds something else, or a run with another configuration (the message
                names the keys that differ).
        """
        folder = cls(path)
        existing = folder.path / CONFIG
        if existing.exists():
            old = yaml.safe_load(existing.read_text(encoding="utf-8"))
            if old != json.loads(json.dumps(config)):
                differ = sorted(key for key in {*old, *config} if old.get(key) != config.get(key))
                raise RunError(
                    f"holds a run with another configuration (different: {', '.join(differ)})",
                    where=str(path),
                    hint="choose another folder with --out, or delete this one",
                )
            return folder
        if folder.path.exists() and any(folder.path.iterdir()):
            raise RunError(
                "is not empty and holds no run", where=str(path), hint="choose another folder with --out"
            )
        folder.path.mkdir(parents=True, exist_ok=True)
        write_json(folder.path / ENVIRONMENT, environment())
        write_text(
            existing, yaml.safe_dump(json.loads(json.dumps(config)), sort_keys=True, allow_unicode=True)
        )
        return folder

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """Open an existing run. Raises `RunError` when there is none."""
        folder = cls(path)
        if not (folder.path / CONFIG).exists():
            raise RunError(
                "is no run folder (no config.yaml in it)",
                where=str(path),
                hint="give the folder that mto run made",
            )
        return folder

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration."""
        return yaml.safe_load((self.path / CONFIG).read_text(encoding="utf-8"))

    def event(self, kind: str, **fields: Any) -> None:
        """Append one line to ``events.jsonl``: time in seconds since 1970, kind and fields."""
        line = json.dumps({"time": round(time.time(), 3), "kind": kind, **fields}, ensure_ascii=False)
        with (self.path / EVENTS).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def events(self) -> Iterator[dict[str, Any]]:
        """Read the events back; a last line cut short by a crash is passed over."""
        path = self.path / EVENTS
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue

    def done(self, step: str, key: str) -> Any | None:
        """The stored result of a finished step, or None when it is missing or was made from other inputs."""
        path = self.path / STEPS / f"{step}.json"
        if not path.exists():
            return None
        stored = read_json(path)
        return stored["result"] if stored.get("key") == key else None

    def finish(self, step: str, key: str, result: Any) -> None:
        """Mark a step as done and keep its result (JSON)."""
        write_json(self.path / STEPS / f"{step}.json", {"key": key, "result": result})

    def reset(self, step: str) -> None:
        """Forget a step, so that it is done again."""
        (self.path / STEPS / f"{step}.json").unlink(missing_ok=True)
