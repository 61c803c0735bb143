"""Tokenised text and the stream of batches: nothing lost, held-out text unseen, position exact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mto.errors import DataError
from mto.families import word_start_rows
from mto.objectives import Denoising, PrefixLM, Ragged, SpecialIds, reconstruct
from mto.pretrain.shards import Shard, build_shards
from mto.pretrain.source import Mix, TextSource
from mto.pretrain.validation import build_held_out
from mto.train.held_out import measure
from tests.conftest import WORDS


def corpus(folder: Path, lines: int = 900, name: str = "a.txt") -> Path:
    rng = np.random.default_rng(len(name))
    path = folder / name
    text = [" ".join(rng.choice(WORDS, rng.integers(5, 14))) + " ." for _ in range(lines)]
    path.write_text("\n".join(text) + "\n")
    return path


def make(shards: list[Shard], adapter: Any, seed: int = 0, **mix: Any) -> TextSource:
    special = SpecialIds.of(adapter)
    settings = {"window": 24, "lines": (5, 16), "line_share": 0.5} | mix
    return TextSource(
        shards, [1.0] * len(shards), Mix(**settings), window_objective=Denoising(special), line_objective=PrefixLM(special),
        word_starts=word_start_rows(adapter.tokenizer), pad_id=adapter.pad_id, tokens=200, seed=seed,
    )  # fmt: skip


@pytest.fixture
def shards(tiny_bart: Any, tmp_path: Path) -> dict[str, list[Shard]]:
    files = [corpus(tmp_path), corpus(tmp_path, 300, "bb.txt")]
    return build_shards(files, tiny_bart.adapter, tmp_path / "data", held_out=0.1)


def test_shards_hold_every_sentence_once_and_are_read_back(
    tiny_bart: Any, tmp_path: Path, shards: dict[str, list[Shard]]
) -> None:
    lines = (tmp_path / "a.txt").read_text().split("\n")[:-1]
    adapter = tiny_bart.adapter
    found = [
        adapter.decode(s.ids[a:b])
        for part in shards.values()
        for s in part[:1]
        for a, b in zip(s.starts, s.starts[1:], strict=False)
    ]
    assert sorted(found) == sorted(adapter.decode(adapter.encode(line)) for line in lines)
    assert 0 < shards["held-out"][0].starts.size - 1 < 0.35 * len(lines)
    says: list[str] = []
    again = build_shards(
        [tmp_path / "a.txt", tmp_path / "bb.txt"],
        adapter,
        tmp_path / "data",
        held_out=0.1,
        progress=says.append,
    )
    assert not says and np.array_equal(again["train"][1].ids, shards["train"][1].ids)


def test_a_changed_file_is_tokenised_again_and_names_may_not_clash(
    tiny_bart: Any, tmp_path: Path, shards: dict[str, list[Shard]]
) -> None:
    (tmp_path / "a.txt").write_text("a dog can run .\n" * 3)
    again = build_shards([tmp_path / "a.txt"], tiny_bart.adapter, tmp_path / "data", held_out=0.1)
    assert sum(part[0].ids.size for part in again.values()) == 3 * len(
        tiny_bart.adapter.encode("a dog can run .")
    )
    (tmp_path / "sub").mkdir()
    with pytest.raises(DataError, match="share the name"):
        build_shards(
            [tmp_path / "a.txt", corpus(tmp_path / "sub")], tiny_bart.adapter, tmp_path / "data", held_out=0.1
        )
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(DataError, match="no line of text"):
        build_shards([tmp_path / "empty.txt"], tiny_bart.adapter, tmp_path / "data", held_out=0.1)


def test_the_stream_goes_on_exactly_where_it_stood(tiny_bart: Any, shards: dict[str, list[Shard]]) -> None:
    source = make(shards["train"], tiny_bart.adapter)
    for _ in range(137):  # more than one pool
        next(source)
    state = source.state_dict()
    after = [next(source) for _ in range(150)]
    other = make(shards["train"], tiny_bart.adapter)
    other.load_state_dict(state)
    for batch in after:
        again = next(other)
        assert batch.input_ids.equal(again.input_ids) and batch.labels.equal(again.labels)
    with pytest.raises(DataError, match="another mixture or seed"):
        make(shards["train"], tiny_bart.adapter, seed=1).load_state_dict(state)


def test_batches_hold_text_of_the_corpus_within_the_budget(
    tiny_bart: Any, shards: dict[str, list[Shard]]
) -> None:
    adapter = tiny_bart.adapter
    special = SpecialIds.of(adapter)
    stream = np.concatenate([s.ids for s in shards["train"]]).astype(np.int32).tobytes()
    for batch, _ in zip(make(shards["train"], adapter), range(40), strict=False):
        assert batch.input_ids.numel() + batch.labels.numel() <= 200
        sources = [
            row[m].tolist()
            for row, m in zip(batch.input_ids.numpy(), batch.attention_mask.numpy().astype(bool), strict=True)
        ]
        targets = [row[row >= 0].tolist() for row in batch.labels.numpy()]
        rows = reconstruct(Ragged.from_lists(sources), Ragged.from_lists(targets), special)
        assert all(row.astype(np.int32).tobytes() in stream for row in rows)


def test_a_round_reads_every_sentence_once(tiny_bart: Any, shards: dict[str, list[Shard]]) -> None:
    source = make(shards["train"], tiny_bart.adapter, line_share=1.0)
    cursor = source._cursors[1][0]
    items = np.concatenate([i for _, i in cursor.take(cursor.items)])
    assert sorted(items.tolist()) == list(range(cursor.items)) and (cursor.round, cursor.at) == (1, 0)


def test_text_without_windows_or_sentences_is_refused(tiny_bart: Any, shards: dict[str, list[Shard]]) -> None:
    with pytest.raises(DataError, match="too short for windows"):
        make(shards["train"], tiny_bart.adapter, window=10**6)
    with pytest.raises(DataError, match="no sentence"):
        make(shards["train"], tiny_bart.adapter, lines=(60, 64))


def test_validation_is_fixed_and_a_random_model_is_near_uniform(
    tiny_bart: Any, shards: dict[str, list[Shard]]
) -> None:
    adapter = tiny_bart.adapter
    special = SpecialIds.of(adapter)
    build = lambda: build_held_out(  # noqa: E731
        shards["held-out"], [1.0, 1.0], Mix(24, (5, 40), 0.5), {"denoising": Denoising(special), "lm": PrefixLM(special)},
        adapter, word_start_rows(adapter.tokenizer), texts=20, batch_tokens=200,
    )  # fmt: skip
    values = measure(tiny_bart.model, build())
    assert values == measure(tiny_bart.model, build())
    assert {
        "denoising/windows",
        "lm/windows",
        "lm/short sentences",
        "lm/windows bits a byte",
        "loss",
    } <= values.keys()
    assert abs(values["lm/windows"] - np.log(adapter.vocab_rows)) < 1.0
