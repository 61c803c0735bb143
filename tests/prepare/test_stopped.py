"""Preparations that are killed again and again end with the bytes of one that was left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_ten_kills_and_the_same_bytes(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.prepare.killed", str(tmp_path), "10", "7"], cwd=ROOT, check=False,
        capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout.splitlines()[-1])["killed"] == 10
