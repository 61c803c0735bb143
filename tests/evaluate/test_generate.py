from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from mto.errors import DataError
from mto.evaluate.generate import generate
from mto.families import load_model

from .questions import Encoded, questions


def plain(loaded: Any, item: Encoded, max_new_tokens: int, **options: Any) -> Any:
    """What transformers writes for one question alone, read by the one reader, cut at the family's stop."""
    ids = torch.tensor([item.source_ids])
    out = loaded.model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=max_new_tokens,
        pad_token_id=loaded.adapter.pad_id,
        eos_token_id=loaded.adapter.eos_id,
        **options,
    )[0].tolist()
    start = 2 if "decoder_input_ids" in options else 1
    written = out[1:]
    adapter = loaded.adapter
    for position in range(start - 1, len(written)):
        if adapter.stops(written[position], position, item.masks_asked):
            written = written[: position + 1]
            break
    return adapter.read_answer(written, item.masks_asked)


def prefer(loaded: Any, ids: list[int], by: float) -> None:
    """Make some ids likelier at every position, so that a random model writes them now and then."""
    model = loaded.model
    bias = torch.zeros(model.get_output_embeddings().weight.shape[0], dtype=model.dtype)
    bias[ids] = by
    head = model.get_output_embeddings()
    plain_head = nn.Linear(head.in_features, head.out_features, bias=True, dtype=model.dtype)
    with torch.no_grad():
        plain_head.weight.copy_(head.weight)
        plain_head.bias.copy_(bias)
    model.set_output_embeddings(plain_head)


@pytest.fixture
def exact(tiny: Any) -> Any:
    """Float64: batching cannot tip a near tie. Larger weights: answers differ between questions."""
    tiny.model.double()
    with torch.no_grad():
        for parameter in tiny.model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(20.0 if tiny.adapter.name == "sentinel-text" else 4.0)
    return tiny


def test_greedy_equals_transformers(exact: Any) -> None:
    items = questions(exact, 24)
    answers = generate(exact, items, max_new_tokens=9, batch_tokens=90)
    assert answers == [plain(exact, item, 9) for item in items]
    assert len({a.ids for a in answers}) > 3  # or the test would say little


def test_rows_stop_each_by_its_own_rule_and_leave_the_batch(exact: Any) -> None:
    adapter = exact.adapter
    prefer(exact, [adapter.eos_id, adapter.sentinel(0), adapter.sentinel(1)], by=3.0)
    items = [replace(item, masks_asked=index % 3) for index, item in enumerate(questions(exact, 30))]
    answers = generate(exact, items, max_new_tokens=12)
    assert answers == [plain(exact, item, 12) for item in items]
    assert len({len(a.ids) for a in answers}) > 2


def test_first_position_sentinel_ends_nothing(exact: Any) -> None:
    """With no mask asked for, a leading sentinel is still skipped and not taken for the end."""
    adapter = exact.adapter
    prefer(exact, [adapter.sentinel(0)], by=50.0)
    (answer,) = generate(exact, [Encoded((5, 6, adapter.eos_id), 0)], max_new_tokens=6)
    assert answer == plain(exact, Encoded((5, 6, adapter.eos_id), 0), 6)
    assert answer.empty and answer.unasked_sentinel


def test_order_does_not_depend_on_batches(exact: Any) -> None:
    items = questions(exact, 17)
    whole = generate(exact, items, max_new_tokens=6)
    assert generate(exact, items, max_new_tokens=6, batch_rows=1) == whole
    assert generate(exact, items[::-1], max_new_tokens=6, batch_tokens=40) == whole[::-1]


def test_repeated_questions_are_answered_once(exact: Any) -> None:
    items = questions(exact, 5) * 4
    seen = []
    decoder = exact.model.get_encoder()
    decoder.register_forward_hook(lambda module, args, out: seen.append(out.last_hidden_state.shape[0]))
    answers = generate(exact, items, max_new_tokens=4)
    assert sum(seen) == 5
    assert answers[:5] * 4 == answers


def test_finished_rows_cost_nothing(exact: Any) -> None:
    """The decoder's rows shrink as answers end."""
    adapter = exact.adapter
    prefer(exact, [adapter.eos_id], by=2.0)
    rows = []
    exact.model.get_decoder().register_forward_hook(
        lambda module, args, out: rows.append(out.last_hidden_state.shape[0])
    )
    answers = generate(exact, questions(exact, 30), max_new_tokens=12)
    assert rows[0] == 30 and rows == sorted(rows, reverse=True) and rows[-1] < 30
    assert len(rows) <= 12 and len(answers) == 30


def test_forced_first_sentinel(exact: Any) -> None:
    adapter = exact.adapter
    items = questions(exact, 8)
    answers = generate(exact, items, max_new_tokens=6, force_first_sentinel=True)
    for item, answer in zip(items, answers, strict=True):
        options = {}
        if item.masks_asked:
            options = {"decoder_input_ids": torch.tensor([[adapter.decoder_start_id, adapter.sentinel(0)]])}
        assert answer == plain(exact, item, 6, **options)


def test_beams_equal_transformers(exact: Any) -> None:
    items = questions(exact, 9)
    answers = generate(exact, items, max_new_tokens=6, beams=3, batch_tokens=200)
    assert answers == [plain(exact, item, 6, num_beams=3) for item in items]


def test_trial_checkpoint_equals_transformers(trial_mini: Any) -> None:
    loaded = load_model(trial_mini)
    adapter = loaded.adapter
    from mto.families import MaskPart, TextPart

    texts = [
        "a hammer is used for",
        "you can find a book in",
        "personx eats an apple . as a result , personx is",
    ]
    items = []
    for text in texts:
        part = TextPart(tuple(adapter.encode(text)))
        items.append(Encoded(tuple(adapter.build_source([part]))))
        items.append(Encoded(tuple(adapter.build_source([part, MaskPart(0)])), 1))
    answers = generate(loaded, items, max_new_tokens=12)
    assert answers == [plain(loaded, item, 12) for item in items]
    assert not any(a.empty for a in answers)


def test_bf16_runs_and_restores_the_mode(tiny: Any) -> None:
    tiny.model.train()
    items = questions(tiny, 4)
    assert len(generate(tiny, items, max_new_tokens=3, precision="bf16")) == 4
    assert tiny.model.training


def test_progress_counts_every_item(tiny: Any) -> None:
    calls: list[tuple[int, int]] = []
    items = questions(tiny, 7) * 2
    generate(
        tiny, items, max_new_tokens=2, batch_rows=3, progress=lambda done, total: calls.append((done, total))
    )
    assert calls[-1] == (14, 14) and [c[0] for c in calls] == sorted(c[0] for c in calls)


def test_no_questions_no_answers(tiny: Any) -> None:
    assert generate(tiny, [], max_new_tokens=4) == []


def test_errors_say_what_to_do(tiny_bart: Any) -> None:
    with pytest.raises(DataError, match="at most 600"):
        generate(tiny_bart, [Encoded(tuple([5] * 700))], max_new_tokens=4)
    with pytest.raises(DataError, match="decoder positions"):
        generate(tiny_bart, [Encoded((5, 1))], max_new_tokens=600)
    with pytest.raises(DataError, match="empty"):
        generate(tiny_bart, [Encoded(())], max_new_tokens=4)
    with pytest.raises(DataError, match="at least 1"):
        generate(tiny_bart, [Encoded((5, 1))], max_new_tokens=0)
    with pytest.raises(DataError, match="fp32 or bf16"):
        generate(tiny_bart, [Encoded((5, 1))], max_new_tokens=1, precision="fp16")
