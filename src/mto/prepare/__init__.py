"""Raw text to task-related pairs: sentences, selection, splitter, router, controls, hygiene.

The package can be called: ``mto.prepare(...)`` is `mto.prepare.run.prepare`. Everything here loads late. The steps alone: `mto.prepare.pieces`
and `mto.prepare.readers` (reading), `mto.prepare.clean`, `mto.prepare.decontaminate`, `mto.prepare.dedup`, `mto.prepare.select`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mto.lazy import lazily

if TYPE_CHECKING:
    from mto.prepare.config import PrepareConfig, read_prepare_config
    from mto.prepare.pairs import Pair, read_pairs
    from mto.prepare.prepared import Prepared, read_prepared
    from mto.prepare.run import prepare, prepare_config

_HOMES = {
    "Pair": "pairs",
    "PrepareConfig": "config",
    "Prepared": "prepared",
    "prepare": "run",
    "prepare_config": "run",
    "read_pairs": "pairs",
    "read_prepare_config": "config",
    "read_prepared": "prepared",
}

__all__ = [
    "Pair",
    "PrepareConfig",
    "Prepared",
    "prepare",
    "prepare_config",
    "read_pairs",
    "read_prepare_config",
    "read_prepared",
]

__getattr__ = lazily(__name__, _HOMES)
