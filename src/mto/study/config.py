"""A study's YAML file: its key ``study`` says which study it is. Light to import: no torch here."""

from __future__ import annotations

from pathlib import Path

from mto.config import load_config, override, read_yaml
from mto.errors import ConfigError
from mto.registry import suggest
from mto.study.adaptation.config import AdaptationStudyConfig
from mto.study.classifiers.config import ClassifierStudyConfig
from mto.study.every_task.config import EveryTaskConfig
from mto.study.matching.config import MatchingStudyConfig
from mto.study.prompts.config import PromptStudyConfig
from mto.study.splitter.config import SplitterStudyConfig

StudyConfig = (
    MatchingStudyConfig
    | ClassifierStudyConfig
    | SplitterStudyConfig
    | AdaptationStudyConfig
    | PromptStudyConfig
    | EveryTaskConfig
)
KINDS: dict[str, type[StudyConfig]] = {
    "matching": MatchingStudyConfig,
    "classifiers": ClassifierStudyConfig,
    "splitter": SplitterStudyConfig,
    "adaptation": AdaptationStudyConfig,
    "prompts": PromptStudyConfig,
    "every": EveryTaskConfig,
}


def read_study_config(path: str | Path, changes: tuple[str, ...] = ()) -> StudyConfig:
    """Read a study's YAML file; without a key ``study`` it is one of matching.

    Raises:
        ConfigError: all problems at once, with their lines; or no such study.
    """
    data, _ = read_yaml(path)
    kind = override(data, changes).get("study", "matching") if isinstance(data, dict) else "matching"
    if kind not in KINDS:
        raise ConfigError(f"there is no study '{kind}'", where=str(path), hint=suggest(str(kind), KINDS))
    return load_config(KINDS[kind], path, list(changes))
