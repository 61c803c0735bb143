"""Prepares a text on Ray in a process of its own: where Ray's core ends its process, it is not that of all tests."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mto.errors import MtoError
from tests.prepare.text import prepared


def main(text: str, out: str) -> None:
    """Prepare; on standard output the error's kind and text, or null, and whether Ray was left running."""
    import ray

    error = None
    try:
        prepared(Path(text), Path(out), engine="ray", workers=2)
    except MtoError as found:
        error = [type(found).__name__, str(found)]
    print(json.dumps({"error": error, "running": ray.is_initialized()}))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(*sys.argv[1:])
