from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from mto.errors import DataError
from mto.evaluate.likelihood import likelihood, rank
from mto.families import MaskPart, TextPart

from .questions import Encoded, questions, words


def one(loaded: Any, item: Encoded) -> tuple[float, float, float]:
    """Answer nats, EOS nats and mean rank of one example alone, from the model's own logits."""
    labels = torch.tensor([item.target_ids])
    source = torch.tensor([item.source_ids])
    with torch.no_grad():
        logits = loaded.model(input_ids=source, attention_mask=torch.ones_like(source), labels=labels).logits[
            0
        ]
    losses = -logits.log_softmax(-1)[torch.arange(labels.shape[1]), labels[0]]
    ranks = (logits > logits[torch.arange(labels.shape[1]), labels[0]][:, None]).sum(-1)
    keep = [n for n, i in enumerate(item.target_ids[:-1]) if not loaded.adapter.is_sentinel(i)]
    return float(losses[keep].sum()), float(losses[-1]), float(ranks[keep].double().mean())


def shuffle_head(loaded: Any) -> None:
    """Weights large enough for likelihoods to differ, and a bias where the shape has one."""
    with torch.no_grad():
        for parameter in loaded.model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(4.0)
        if hasattr(loaded.model, "final_logits_bias"):
            loaded.model.final_logits_bias.normal_(generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("batch_tokens", [40, 4096])
def test_equals_the_model_s_own_logits(tiny: Any, batch_tokens: int) -> None:
    shuffle_head(tiny)
    items = questions(tiny, 21)
    got = likelihood(tiny, items, depth_rank=True, batch_tokens=batch_tokens)
    want = np.array([one(tiny, item) for item in items])
    np.testing.assert_allclose(got.nll, want[:, 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(got.nll_eos, want[:, 1], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(got.depth_rank, want[:, 2], atol=0.35)  # a near tie may swap two ranks
    assert list(got.tokens) == [len(i.target_ids) - 1 - i.masks_asked for i in items]


def brute_force(loaded: Any, item: Encoded) -> list[float]:
    """Ranks by sorting the model's own logits, one example alone; sorted ties share the mean of their places."""
    labels, source = torch.tensor([item.target_ids]), torch.tensor([item.source_ids])
    with torch.no_grad():
        logits = loaded.model(input_ids=source, attention_mask=torch.ones_like(source), labels=labels).logits
    ranks = []
    for place, gold in enumerate(item.target_ids[:-1]):
        if not loaded.adapter.is_sentinel(gold):
            row = logits[0, place].double().numpy()
            order = np.argsort(-row, kind="stable")
            ranks.append(float(np.flatnonzero(row[order] == row[gold]).mean()))
    return ranks


@pytest.mark.parametrize("batch_tokens", [1, 60, 4096])
@pytest.mark.parametrize("shared", [False, True])
def test_ranks_equal_a_sort(tiny: Any, batch_tokens: int, shared: bool) -> None:
    """In float64, where a rounding cannot swap two near tokens: equal, whatever shares a batch or a source."""
    shuffle_head(tiny)
    tiny.model.double()
    items = questions(tiny, 33, seed=5)
    if shared:
        few = questions(tiny, 6, seed=5)
        items = [Encoded(few[n % 6].source_ids, 0, item.target_ids) for n, item in enumerate(items)]
    got = likelihood(
        tiny, items, depth_rank=True, details=True, batch_tokens=batch_tokens, include_eos=batch_tokens > 1
    )
    assert got.details is not None and got.depth_rank is not None
    for n, item in enumerate(items):
        want = brute_force(tiny, item)
        assert list(got.details[n].ranks or ()) == want
        assert got.depth_rank[n] == np.mean(want)


def test_tokens_with_one_logit_share_their_places(tiny: Any) -> None:
    """A model that finds every token equally likely has the rank of chance, not the best there is."""
    with torch.no_grad():
        tiny.model.get_output_embeddings().weight.zero_()
    items = questions(tiny, 3)
    got = likelihood(tiny, items, depth_rank=True)
    vocabulary = tiny.model.get_output_embeddings().weight.shape[0]
    assert got.depth_rank is not None and list(got.depth_rank) == [(vocabulary - 1) / 2] * 3
    np.testing.assert_allclose(got.nll, got.tokens * math.log(vocabulary), rtol=1e-5)
    assert [brute_force(tiny, item)[0] for item in items] == [(vocabulary - 1) / 2] * 3


def test_two_that_lead_together_have_rank_one_half(tiny_t5_untied: Any) -> None:
    loaded = tiny_t5_untied
    with torch.no_grad():
        head = loaded.model.get_output_embeddings().weight
        head[7] = head[6]  # two tokens with the very same logit everywhere
    eos = loaded.adapter.eos_id
    got = likelihood(
        loaded, [Encoded((5, eos), 0, (6, eos)), Encoded((5, eos), 0, (7, eos))], depth_rank=True
    )
    assert got.depth_rank is not None and got.depth_rank[0] == got.depth_rank[1]
    assert got.depth_rank[0] % 1 == 0.5


def test_details_add_up(tiny: Any) -> None:
    items = questions(tiny, 9)
    assert likelihood(tiny, items, depth_rank=True).details is None
    got = likelihood(tiny, items, depth_rank=True, details=True)
    assert got.details is not None and got.depth_rank is not None
    for n, detail in enumerate(got.details):
        assert detail.ids == tuple(i for i in items[n].target_ids[:-1] if not tiny.adapter.is_sentinel(i))
        assert sum(detail.nats) == pytest.approx(got.nll[n])
        assert np.mean(detail.ranks or ()) == got.depth_rank[n]
        assert len(detail.pieces) == len(detail.ids) and all(
            isinstance(piece, str) for piece in detail.pieces
        )
    plain = likelihood(tiny, items, details=True).details
    assert plain is not None and plain[0].ranks is None and len(plain[0].nats) == len(plain[0].ids)


def test_a_block_of_logits_ends_anywhere(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """States wait for one another; the numbers are the same however many are read together."""
    items = questions(tiny, 40)
    want = likelihood(tiny, items, depth_rank=True)
    vocabulary = tiny.model.get_output_embeddings().weight.shape[0]
    for rows in (16, 17, 1000):
        monkeypatch.setattr("mto.evaluate.teacher._LOGITS", {"cpu": rows * vocabulary})
        got = likelihood(tiny, items, depth_rank=True)
        np.testing.assert_allclose(got.nll, want.nll, rtol=1e-5)


@pytest.mark.parametrize("include_eos", [True, False])
def test_shared_sources_give_the_same_numbers(tiny: Any, include_eos: bool) -> None:
    """Candidates that begin alike, that are one another's beginning, that are equal, and a lone one."""
    shuffle_head(tiny)
    rng = np.random.default_rng(4)
    adapter = tiny.adapter
    items = []
    for index, source in enumerate(questions(tiny, 6, seed=2)):
        stem = words(tiny, rng, 2, 2)
        tails = [stem, stem + words(tiny, rng, 1, 3), stem[:1], words(tiny, rng, 1, 4), stem][: 1 + index]
        for tail in tails:
            mask = [MaskPart(0)] * source.masks_asked
            target = tuple(adapter.build_target([*mask, TextPart(tail)]))
            items.append(Encoded(source.source_ids, source.masks_asked, target))
    got = likelihood(tiny, items, include_eos=include_eos, batch_tokens=120)
    want = np.array([one(tiny, item) for item in items])
    np.testing.assert_allclose(got.nll, want[:, 0], rtol=1e-4, atol=1e-4)
    if include_eos:
        np.testing.assert_allclose(got.nll_with_eos, want[:, 0] + want[:, 1], rtol=1e-4, atol=1e-4)
    else:
        assert got.nll_eos is None
        with pytest.raises(DataError, match="include_eos"):
            _ = got.nll_with_eos


def test_each_source_is_encoded_once(tiny: Any) -> None:
    rows = []
    tiny.model.get_encoder().register_forward_hook(
        lambda module, args, out: rows.append(out.last_hidden_state.shape[0])
    )
    sources = [q.source_ids for q in questions(tiny, 5)]
    targets = [q.target_ids for q in questions(tiny, 20, seed=9)]
    rankings = rank(tiny, sources, [targets] * 5)
    assert sum(rows) == 5 and len(rankings) == 5


def test_rank_orders_by_each_normalisation(tiny: Any) -> None:
    shuffle_head(tiny)
    source = questions(tiny, 1)[0].source_ids
    targets = [q.target_ids for q in questions(tiny, 20, seed=9)]
    (ranking,) = rank(tiny, [source], [targets])
    want = np.array([one(tiny, Encoded(source, 0, t)) for t in targets])
    tokens = np.array([sum(not tiny.adapter.is_sentinel(i) for i in t) - 1 for t in targets])
    assert list(ranking.order()) == list(np.argsort(want[:, 0] + want[:, 1]))
    assert list(ranking.order("token")) == list(np.argsort(want[:, 0] / tokens))
    assert ranking.place(int(ranking.order("byte")[0]), "byte") == 0
    with pytest.raises(DataError, match="sum, token or byte"):
        ranking.order("character")


def test_bytes_and_bits(tiny_bart: Any) -> None:
    adapter = tiny_bart.adapter
    ids = adapter.encode("the red book")
    item = Encoded((5, adapter.eos_id), 0, tuple(adapter.build_target([MaskPart(0), TextPart(tuple(ids))])))
    got = likelihood(tiny_bart, [item])
    assert got.bytes[0] == len("the red book") and got.tokens[0] == 3
    assert got.bits_per_byte[0] == pytest.approx(got.nll[0] / math.log(2) / 12)
    assert got.total_bits_per_byte() == pytest.approx(got.bits_per_byte[0])
    assert got.per_token[0] == pytest.approx(got.nll[0] / 3)


def test_empty_answers_have_eos_only(tiny: Any) -> None:
    eos = tiny.adapter.eos_id
    got = likelihood(tiny, [Encoded((5, eos), 0, (eos,)), Encoded((5, eos), 0, (6, eos))], depth_rank=True)
    assert got.tokens[0] == 0 and got.nll[0] == 0 and got.nll_eos is not None and got.nll_eos[0] > 0
    assert math.isnan(got.per_token[0]) and got.depth_rank is not None and math.isnan(got.depth_rank[0])
    only = likelihood(tiny, [Encoded((5, eos), 0, (eos,))], include_eos=False)
    assert only.nll[0] == 0


def test_errors_say_what_to_do(tiny: Any) -> None:
    with pytest.raises(DataError, match="does not end with EOS"):
        likelihood(tiny, [Encoded((5, 1), 0, (6, 7))])
    with pytest.raises(DataError, match="no candidates"):
        rank(tiny, [(5, 1)], [[]])
    with pytest.raises(DataError, match="1 sources, but 0"):
        rank(tiny, [(5, 1)], [])
    assert len(likelihood(tiny, []).nll) == 0
