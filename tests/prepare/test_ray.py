"""The same preparation on a real local Ray with two workers gives the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mto.errors import DataError
from tests.conftest import ROOT, missing
from tests.prepare.text import files, prepared, write_text


def test_ray_gives_the_same_bytes_and_the_same_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        import ray
    except ImportError:
        missing("extra 'ray' (pip install 'mto[ray]')")
    # The actors find the tests' maker of pairs where this process does.
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}:{ROOT}")
    text = write_text(tmp_path / "text.txt", rows=80)
    prepared(text, tmp_path / "here")
    prepared(text, tmp_path / "ray", engine="ray", workers=2)
    assert files(tmp_path / "ray") == files(tmp_path / "here")
    assert not ray.is_initialized()
    text.write_bytes(b"fine line\nbad \xff\n")
    with pytest.raises(DataError, match=r"text\.txt:2: is not UTF-8"):
        prepared(text, tmp_path / "bad", engine="ray", workers=2)
