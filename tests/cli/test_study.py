"""`mto study` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from mto.study.config import read_study_config
from mto.study.matching.config import MatchingStudyConfig
from tests.cli.conftest import Mto

ROOT = Path(__file__).parents[2]
SMALL = """
tasks: [household/ObjectUse, household/xWant]
models: [mini]
families: [prompting, masked-prompting]
shots: 4
seeds: 1
max_test: 3
sweep_tasks: [household/xWant]
rates: [1.0e-3, 3.0e-3]
ladder: [0, 1]
tuned_shots: 2
probe_steps: 0
"""


def test_a_study_in_two_calls(mto: Mto, mini: str) -> None:
    Path("study.yaml").write_text(SMALL)
    part = mto("study", "study.yaml", "--only", "mini", "--workers", "1", "-q")
    assert part.exit_code == 0, part.output
    assert "this part is done" in part.stdout and not Path("runs/study-study/results.json").exists()
    whole = mto("study", "study.yaml", "--workers", "1", "-q", "--json")
    assert whole.exit_code == 0, whole.output
    found = json.loads(Path(json.loads(whole.stdout)["results"]).read_text())
    assert len(found["cells"]) == 4 and len(found["signals"]) == 2


def test_mistakes_are_named(mto: Mto, mini: str) -> None:
    Path("study.yaml").write_text(SMALL)
    wrong = mto("study", "study.yaml", "shotz=3")
    assert wrong.exit_code == 2 and "did you mean 'shots'" in wrong.stderr
    kind = mto("study", "study.yaml", "study=classifier")
    assert kind.exit_code == 2 and "did you mean 'classifiers'" in kind.stderr
    Path("classifiers.yaml").write_text("study: classifiers\ndata: nowhere\nmodels: [mini]\n")
    vain = mto("study", "classifiers.yaml", "--weights", "w.json")
    assert vain.exit_code == 2 and "gives no weights" in vain.stderr
    other = mto("study", "study.yaml", "--only", "mimi", "-q")
    assert other.exit_code == 2 and "no checkpoint of this study" in other.stderr


def test_the_studies_of_the_project_can_be_read() -> None:
    files = sorted((ROOT / "configs" / "studies").glob("*.yaml"))
    assert files
    for file in files:
        config = read_study_config(file)
        if isinstance(config, MatchingStudyConfig):
            assert set(config.sweep_tasks) <= set(config.tasks) and len(config.tasks) == 17
