"""How a study's results file is written: one cell a line, so that versions can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mto.runs import write_text


def write_lines(path: str | Path, whole: Mapping[str, Any]) -> Path:
    """Write JSON whose lists of objects have one object a line."""
    parts = []
    for key, value in whole.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines = ",\n  ".join(
                json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in value
            )
            parts.append(f" {json.dumps(key)}: [\n  {lines}\n ]")
        else:
            parts.append(f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    write_text(Path(path), "{\n" + ",\n".join(parts) + "\n}\n")
    return Path(path)
