"""A killed adaptation goes on to the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_killed_ten_times_equals_never_killed(tmp_path: Path) -> None:
    """Really SIGKILLed at random moments; the script compares weights, config and losses."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.adapt.killed", str(tmp_path), "10", "1"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["killed"] == 10 and report["killed_after_a_checkpoint"] >= 2
