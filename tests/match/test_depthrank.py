from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mto.errors import DataError, TemplateError, UnknownNameError
from mto.evaluate.likelihood import likelihood
from mto.families import load_model
from mto.families.adapter import Adapter
from mto.match.depthrank import FamilyScores, TokenWeights, score_families
from mto.match.depthrank.families import mask_pairs, write_families
from mto.tasks import draw_split, load_task
from mto.templates import BASIC, TemplateFamily, compile_template, encode_many

from .depthrank_rows import small_rows, small_task

TASK = small_task()
ROWS = small_rows(TASK)
DEV = tuple(replace(row, references=(row.target, "run fast", "eat")) for row in ROWS)


def by_hand(loaded: Any, row: Any, name: str, target: str) -> tuple[list[int], list[float], list[float]]:
    """Ids, ranks by sorting and nats of one target, from the model's own logits."""
    template = compile_template(name, phrase=TASK.phrases[0], fields=TASK.fields, adapter=loaded.adapter)
    (item,) = encode_many([template.render(row.fields, target)], loaded.adapter)
    source, labels = torch.tensor([item.source_ids]), torch.tensor([item.target_ids])
    with torch.no_grad():
        logits = loaded.model(input_ids=source, labels=labels).logits[0].double()
    ids, ranks, nats = [], [], []
    for place, gold in enumerate(item.target_ids[:-1]):
        if not loaded.adapter.is_sentinel(gold):
            order = torch.argsort(logits[place], descending=True).tolist()
            ids.append(gold)
            ranks.append(float(order.index(gold)))
            nats.append(float(-logits[place].log_softmax(-1)[gold]))
    return ids, ranks, nats


@pytest.mark.parametrize("batch_tokens", [30, 4096])
def test_every_number_of_every_family(tiny: Any, batch_tokens: int) -> None:
    tiny.model.double()
    scores = score_families(tiny, TASK, ROWS, keep_tokens=True, batch_tokens=batch_tokens)
    assert [family.family for family in scores.families] == list(BASIC)
    weights = TokenWeights.count(tiny.adapter.encode(row.target) for row in ROWS)
    for family in scores.families:
        assert family.tokens is not None
        totals = [0.0, 0.0]
        for n, row in enumerate(ROWS):
            ids, ranks, nats = by_hand(tiny, row, family.family, row.target)
            (detail,) = family.tokens[n]
            assert list(detail.ids) == ids and list(detail.ranks) == ranks
            assert detail.depth_rank == pytest.approx(np.mean(ranks))
            assert family.row_depth_rank[n] == np.mean(ranks)
            w = np.array([weights.of(token) for token in ids])
            assert list(detail.weights) == list(w)
            assert family.row_weighted[n] == pytest.approx((w * ranks).sum() / w.sum())
            assert family.row_log_rank[n] == pytest.approx((w * np.log1p(ranks)).sum() / w.sum())
            size = len(tiny.adapter.decode(ids).encode())
            assert family.row_bits[n] == pytest.approx(sum(nats) / math.log(2))
            assert family.row_bits_per_byte[n] == pytest.approx(sum(nats) / math.log(2) / size)
            totals = [totals[0] + sum(nats) / math.log(2), totals[1] + size]
        assert family.depth_rank.value == pytest.approx(np.mean(family.row_depth_rank))
        assert family.bits_per_byte.value == pytest.approx(totals[0] / totals[1])
        for span in (family.depth_rank, family.weighted, family.log_rank, family.bits_per_byte):
            assert span.low <= span.value <= span.high
            assert span.low < span.high


def test_it_says_what_it_scored(tiny_bart: Any) -> None:
    scores = score_families(tiny_bart, TASK, ROWS)
    assert (scores.task, scores.model, scores.shots, scores.labelled) == ("Use", "tiny-bart", 0, len(ROWS))
    assert [row.head for row in scores.rows] == [row.head for row in ROWS]
    masked = scores.family("masked-prompting")
    assert (masked.masks, masked.natural, masked.objective) == (1, True, "denoising")
    mapping = scores.family("mapping")
    assert (mapping.masks, mapping.natural, mapping.conventional) == (0, False, True)
    assert scores.family("masked-mapping").ids == mapping.ids + 2  # a mask on both sides
    assert mapping.tokens is None
    with pytest.raises(UnknownNameError, match="was not scored"):
        scores.family("promptin")


def test_json_and_back(tiny_t5: Any) -> None:
    scores = score_families(tiny_t5, TASK, ROWS, keep_tokens=True)
    text = scores.model_dump_json()
    assert FamilyScores.model_validate_json(text) == scores
    assert score_families(tiny_t5, TASK, ROWS, keep_tokens=True).model_dump_json() == text


def test_the_order_of_rows_and_families_changes_nothing(tiny_bart: Any) -> None:
    some = score_families(tiny_bart, TASK, ROWS, ["prompting", "mapping"])
    other = score_families(tiny_bart, TASK, ROWS[::-1], ["mapping", "prompting"])
    for name in ("prompting", "mapping"):
        a, b = some.family(name), other.family(name)
        assert a.row_bits == b.row_bits[::-1] and a.row_depth_rank == b.row_depth_rank[::-1]
        for measure in ("depth_rank", "weighted", "log_rank", "bits_per_byte"):
            one, two = getattr(a, measure), getattr(b, measure)
            assert (one.value, one.low, one.high) == pytest.approx((two.value, two.low, two.high))


def test_a_head_with_many_targets_weighs_no_more(tiny_bart: Any) -> None:
    own = score_families(tiny_bart, TASK, DEV, ["prompting"]).families[0]
    every = score_families(tiny_bart, TASK, DEV, ["prompting"], targets="all", keep_tokens=True).families[0]
    two = score_families(tiny_bart, TASK, DEV, ["prompting"], targets=2).families[0]
    assert every.tokens is not None and [len(some) for some in every.tokens] == [3] * len(DEV)
    want = [np.mean([detail.depth_rank for detail in some]) for some in every.tokens]
    assert every.row_depth_rank == pytest.approx(want)
    pairs = [np.mean([detail.depth_rank for detail in some[:2]]) for some in every.tokens]
    assert two.row_depth_rank == pytest.approx(pairs)
    assert own.row_depth_rank == pytest.approx([some[0].depth_rank for some in every.tokens])
    assert every.depth_rank.value == pytest.approx(np.mean(want))
    again = score_families(tiny_bart, TASK, TASK.train, ["prompting"], targets="all")
    assert [row.targets for row in again.rows] == [example.targets for example in TASK.train]
    with pytest.raises(DataError, match="number from 1 on"):
        score_families(tiny_bart, TASK, DEV, targets=0)


def test_rows_of_one_head_count_as_one(tiny_bart: Any) -> None:
    twice = [*ROWS, *(replace(ROWS[0], target=t, references=(t,)) for t in ("run", "cook food"))]
    family = score_families(tiny_bart, TASK, twice, ["mapping"]).families[0]
    values = np.array(family.row_depth_rank)
    first = np.mean([values[0], *values[len(ROWS) :]])
    assert family.depth_rank.value == pytest.approx(np.mean([first, *values[1 : len(ROWS)]]))


def test_each_source_is_encoded_once(tiny: Any) -> None:
    encoded = []
    tiny.model.get_encoder().register_forward_hook(
        lambda module, args, out: encoded.append(out.last_hidden_state.shape[0])
    )
    twin = TemplateFamily("twin", source="{{ relation }}: {{ head }}", target="{{ answer }}")
    scores = score_families(tiny, TASK, DEV, ["mapping", twin, "prompting"], targets="all")
    assert sum(encoded) == 2 * len(DEV)
    assert scores.family("twin").row_bits == scores.family("mapping").row_bits


def test_families_that_cannot_be_written_are_left_out(tiny_t5: Any) -> None:
    bare = small_task(phrases=())
    scores = score_families(tiny_t5, bare, small_rows(bare))
    assert [family.family for family in scores.families] == ["mapping", "masked-mapping"]
    assert {out.family for out in scores.left_out} == {"prompting", "masked-prompting"}
    assert "needs a phrase" in scores.left_out[0].reason
    with pytest.raises(UnknownNameError, match="was left out: the family needs a phrase"):
        scores.family("prompting")
    dumb = replace(tiny_t5, adapter=without_sentinels(tiny_t5.adapter))
    scores = score_families(dumb, TASK, ROWS)
    assert [family.family for family in scores.families] == ["mapping", "prompting"]
    assert "no sentinels" in scores.left_out[0].reason
    assert scores.pairs == ()
    with pytest.raises(TemplateError, match="no template family can be written: masked-mapping"):
        score_families(dumb, TASK, ROWS, ["masked-mapping"])


def without_sentinels(adapter: Adapter) -> Adapter:
    return replace(adapter, sentinel_ids=())


def test_bad_input(tiny_bart: Any) -> None:
    with pytest.raises(DataError, match="no rows"):
        score_families(tiny_bart, TASK, [])
    with pytest.raises(DataError, match="one head gives no interval"):
        score_families(tiny_bart, TASK, ROWS[:1])
    with pytest.raises(DataError, match="no template families"):
        score_families(tiny_bart, TASK, ROWS, [])
    with pytest.raises(DataError, match="two template families are named 'mapping'"):
        score_families(tiny_bart, TASK, ROWS, ["mapping", "mapping"])
    with pytest.raises(DataError, match="no tokens") as caught:
        score_families(tiny_bart, TASK, [replace(ROWS[0], target="\u200b"), *ROWS[1:]])
    assert ROWS[0].where in str(caught.value)
    with torch.no_grad():
        next(tiny_bart.model.parameters()).fill_(math.nan)
    with pytest.raises(DataError, match="no numbers"):
        score_families(tiny_bart, TASK, ROWS)


def test_a_long_source_is_shortened_and_said(tiny_bart: Any) -> None:
    long = [replace(r, fields={**r.fields, "head": "the hammer " * 20}) for r in ROWS]
    scores = score_families(tiny_bart, TASK, long, ["mapping"], max_source=12)
    assert scores.families[0].words_lost > 20 and scores.families[0].ids < 18


def test_equal_targets_weigh_alike(tiny_bart: Any) -> None:
    same = [replace(row, target="clean the house", references=("clean the house",)) for row in ROWS]
    family = score_families(tiny_bart, TASK, same, ["prompting"]).families[0]
    assert family.row_weighted == pytest.approx(family.row_depth_rank)
    none = score_families(tiny_bart, TASK, ROWS, ["prompting"], labelled=()).families[0]
    assert none.row_weighted == pytest.approx(none.row_depth_rank)


def test_frequent_tokens_hardly_count() -> None:
    weights = TokenWeights.count([[1, 10 + n] for n in range(30)])
    assert weights.mean([1, 50], [0, 10]) > 9.9  # 50 was never seen
    assert weights.mean([1, 1], [4, 8]) == pytest.approx(6)
    order = [weights.of(token) for token in (1, 10, 99)]
    assert 0 < order[0] < order[1] < order[2]


def paired(loaded: Any, *sources: str, phrase: str = TASK.phrases[0]) -> list[tuple[str, str]]:
    families = [
        TemplateFamily(f"f{n}", source=s, target="{{ mask }} {{ answer }}" if "mask" in s else "{{ answer }}")
        for n, s in enumerate(sources)
    ]
    written, left_out = write_families(
        loaded, TASK, ROWS, families, phrase=phrase, targets="first", max_source=None
    )
    assert not left_out
    return [(pair.plain, pair.masked) for pair in mask_pairs(written)]


def test_pairs_come_from_what_is_written(tiny_t5: Any) -> None:
    assert paired(tiny_t5, "{{ phrase }}", "{{ phrase }} {{ mask }}") == [("f0", "f1")]
    assert paired(tiny_t5, "{{ phrase }} {{ mask }}.", "{{ phrase }}") == [("f1", "f0")]
    assert paired(
        tiny_t5, "the {{ head }} is {{ relation }}", "the {{ mask }} {{ head }} is {{ relation }}"
    ) == [("f0", "f1")]
    assert paired(tiny_t5, "{{ phrase }}", "{{ phrase }} and {{ mask }}") == []
    assert paired(tiny_t5, "{{ phrase }} {{ mask }}", "{{ phrase }} {{ mask }}.") == []
    assert paired(
        tiny_t5, "{{ phrase }}", "{{ phrase }} {{ mask }}", "{{ phrase }} {{ mask }} {{ mask }}"
    ) == [
        ("f0", "f1"),
        ("f0", "f2"),
    ]


def test_a_family_that_masks_some_heads_only_makes_no_pair(tiny_t5: Any) -> None:
    first = f"{{% if head == '{ROWS[0].head}' %}}"
    some = TemplateFamily(
        "some",
        source="{{ phrase }}" + first + "{% else %} {{ mask }}{% endif %}",
        target=first + "{{ answer }}{% else %}{{ mask }} {{ answer }}{% endif %}",
    )
    scores = score_families(tiny_t5, TASK, ROWS, ["prompting", some, "masked-prompting"])
    assert [(p.plain, p.masked) for p in scores.pairs] == [("prompting", "masked-prompting")]


def test_the_library_s_pairs(tiny_bart: Any) -> None:
    pairs = score_families(tiny_bart, TASK, ROWS).pairs
    assert [(p.plain, p.masked) for p in pairs] == [
        ("mapping", "masked-mapping"),
        ("prompting", "masked-prompting"),
    ]


def test_bits_are_those_of_likelihood(tiny_t5: Any) -> None:
    template = compile_template("mapping", fields=TASK.fields, adapter=tiny_t5.adapter)
    items = encode_many([template.render(row.fields, row.target) for row in ROWS], tiny_t5.adapter)
    want = likelihood(tiny_t5, items)
    got = score_families(tiny_t5, TASK, ROWS, ["mapping"]).families[0]
    np.testing.assert_allclose(got.row_bits_per_byte, want.bits_per_byte, rtol=1e-5)
    assert got.bits_per_byte.value == pytest.approx(want.total_bits_per_byte(), rel=1e-5)


def test_a_real_checkpoint_expects_a_natural_phrase() -> None:
    """And the frequent first token of its targets is what the weights leave out."""
    task = load_task("household/xIntent")
    rows = draw_split(task, shots=16, seed=0).train
    scores = score_families(load_model("mini"), task, rows, ["mapping", "prompting"], keep_tokens=True)
    mapping, prompting = scores.family("mapping"), scores.family("prompting")
    assert prompting.bits_per_byte.high < mapping.bits_per_byte.value
    assert prompting.log_rank.value < mapping.log_rank.value
    assert prompting.tokens is not None
    first = [detail for (detail,) in prompting.tokens if detail.pieces[0] == "to"]
    assert len(first) > 8
    for detail in first:
        assert detail.ranks[0] < 20 and detail.weights[0] < 0.2 * max(detail.weights)
    assert prompting.weighted.value > prompting.depth_rank.value
