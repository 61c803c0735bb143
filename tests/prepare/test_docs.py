"""The page about preparation names what is there."""

from __future__ import annotations

import re

from mto.prepare.clean import REASONS, CleanConfig
from mto.prepare.config import PrepareConfig, SelectConfig
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "preparation.md").read_text(encoding="utf-8")


def test_every_setting_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(select|clean)\.(\w+)", PAGE))
    assert len(named) > 4
    for room, name in named:
        assert name in (SelectConfig if room == "select" else CleanConfig).model_fields, name
    for name in re.findall(r"`(piece_bytes|part_sentences|shard_sentences|general_share)", PAGE):
        assert name in {**PrepareConfig.model_fields, **SelectConfig.model_fields}


def test_the_page_tells_every_reason_and_the_defaults() -> None:
    assert all(f"*{reason}*" in PAGE for reason in REASONS)
    config = PrepareConfig(tasks=("a",), corpus=("b",))
    assert f"default {config.select.per_task}" in PAGE and f"({config.select.held_out})" in PAGE
    assert f"({config.shard_sentences})" in PAGE and f"Jaccard {config.select.near_duplicates}" in PAGE
