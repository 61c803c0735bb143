"""The probe: a small, budgeted tournament of template families on the few-shot rows alone (docs/method.md 5, signal 4).

`config`, `result` and `halving` are light; `probe` itself, which trains, is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mto.match.probe.config import ProbeConfig
from mto.match.probe.result import Arm, ArmScore, Dropped, LeftOut, Look, Probe, ProbeStatus, Rung

if TYPE_CHECKING:
    from mto.match.probe.run import probe

__all__ = [
    "Arm",
    "ArmScore",
    "Dropped",
    "LeftOut",
    "Look",
    "Probe",
    "ProbeConfig",
    "ProbeStatus",
    "Rung",
    "probe",
]


def __getattr__(name: str) -> Any:
    if name == "probe":
        return import_module("mto.match.probe.run").probe
    raise AttributeError(f"module 'mto.match.probe' has no attribute '{name}'")
