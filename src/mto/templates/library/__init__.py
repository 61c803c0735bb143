"""The shipped template families, one YAML file each, read when first asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mto.templates.family import TemplateFamily


def __getattr__(name: str) -> TemplateFamily:
    """``masked_prompting`` -> the family in ``masked-prompting.yaml``."""
    path = Path(__file__).parent / f"{name.replace('_', '-')}.yaml"
    if name.startswith("_") or not path.exists():
        raise AttributeError(name)
    from mto.templates.family import load_family

    return load_family(path)
