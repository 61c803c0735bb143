"""The same preparation on a real local Ray with two workers gives the same bytes."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from mto.prepare.on_ray import RayEngine
from tests.conftest import ROOT, missing
from tests.prepare.text import files, prepared, write_text


def on_ray(text: Path, out: Path) -> dict[str, Any]:
    # Ray's actors find the tests' maker of pairs where that process does.
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    words = [sys.executable, "-m", "tests.prepare.on_ray", str(text), str(out)]
    done = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_ray_gives_the_same_bytes_and_the_same_errors(tmp_path: Path) -> None:
    if importlib.util.find_spec("ray") is None:
        missing("extra 'ray' (pip install 'mto[ray]')")
    text = write_text(tmp_path / "text.txt", rows=80)
    prepared(text, tmp_path / "here")
    assert on_ray(text, tmp_path / "ray") == {"error": None, "running": False}
    assert files(tmp_path / "ray") == files(tmp_path / "here")
    text.write_bytes(b"fine line\nbad \xff\n")
    kind, message = on_ray(text, tmp_path / "bad")["error"]
    assert kind == "DataError" and "text.txt:2: is not UTF-8" in message


def test_ray_is_not_started_when_nothing_is_to_be_done(tmp_path: Path) -> None:
    if importlib.util.find_spec("ray") is None:
        missing("extra 'ray' (pip install 'mto[ray]')")
    import ray

    assert list(RayEngine(tmp_path, None, 2).run([])) == []
    assert not ray.is_initialized()
