"""What every study's results file begins with, and how it is written and read: one cell a line, so that versions can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, ValidationError

from mto.config import Strict
from mto.errors import DataError
from mto.runs import read_json, write_text

R = TypeVar("R", bound=Strict)
Hours = Annotated[float, AfterValidator(lambda value: round(value, 4) + 0.0)]


class StudyResults(Strict):
    """What all studies tell: where the figures come from. Each adds its own.

    Attributes:
        command: that made them.
        environment: commit, processor, versions.
        hours: of computing, in all.
        config: what was studied.
    """

    version: Literal[1] = 1
    title: str
    command: str
    environment: dict[str, Any] = {}
    hours: Hours = 0.0
    config: dict[str, Any]

    def write(self, path: str | Path) -> Path:
        """Write the file, one cell a line."""
        return write_lines(path, self.model_dump(mode="json"))


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


def read_study_file(model: type[R], path: str | Path, study: str) -> R:
    """Read a results file of the study of that name.

    Raises:
        DataError: it is none, or not whole.
    """
    try:
        return model.model_validate(read_json(Path(path)))
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(
            f"is no results file of {study}: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            where=str(path),
        ) from None
