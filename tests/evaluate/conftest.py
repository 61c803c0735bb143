from __future__ import annotations

from typing import Any

import pytest

from mto.evaluate.packed import can_pack
from tests.conftest import missing


@pytest.fixture
def needs_onednn(tiny_t5: Any) -> None:
    if not can_pack(tiny_t5.model):
        missing("PyTorch built with oneDNN, on a CPU")
