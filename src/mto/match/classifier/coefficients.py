"""Coefficients of the fast classifier that come with the package: one file an embedded checkpoint."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

from mto.match.classifier.features import LAYOUT, Floats
from mto.match.classifier.labelled import meaning
from mto.match.classifier.logistic import Logistic

FOLDER = Path(__file__).parent / "coefficients"
ALL = ""  # the fit that leaves nothing out


@dataclass(frozen=True, eq=False)
class Stored:
    """Weights of the fast classifier, and what they were fitted to, in words."""

    logistic: Logistic
    trained_on: str


def shipped(revision: str, without: Collection[str] = frozenset(), *, folder: Path = FOLDER) -> Stored | None:
    """The coefficients for an encoder, without one relation or with all; None where there are none.

    Args:
        revision: of the checkpoint (`LoadedModel.revision`).
        without: meanings of relations that must not have been seen.
    """
    names = {meaning(name) for name in without}
    for path in sorted(folder.glob("*.safetensors")):
        about = _about(path)
        if about["revision"] != revision or about["layout"] != LAYOUT:
            continue
        gone = names & set(about["penalties"])
        if len(gone) > 1:
            return None
        key = next(iter(gone), ALL)
        text = about["trained_on"] + (f" without {key}" if key else "")
        return Stored(_read(path, about, key), text)
    return None


def _about(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="np") as file:
        return dict(json.loads(file.metadata()["mto"]))


def _read(path: Path, about: dict[str, Any], name: str) -> Logistic:
    prefix = f"{name or 'all'}/"
    with safe_open(path, framework="np") as file:
        weights: dict[str, Floats] = {
            key.removeprefix(prefix): file.get_tensor(key).astype(np.float64)
            for key in file.keys()  # noqa: SIM118 - a reader, not a mapping
            if key.startswith(prefix)
        }
    return Logistic(weights, about["biases"][name], about["penalties"][name])
