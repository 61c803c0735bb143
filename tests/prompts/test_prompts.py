"""Encoders, first vectors, placement and the inference form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mto.errors import DataError, RunError, TemplateError, UnknownNameError
from mto.prompts import (
    Initial,
    Numbers,
    SavedPrompt,
    initial_vectors,
    load_prompt,
    make_prompt,
    placed,
    prompt_encoders,
)
from mto.prompts.initial import embedded, frequent_ids, unit_of
from mto.templates import SoftSegment
from tests.prompts.conftest import encoded, family, made, numbered, template_of

ENCODERS = prompt_encoders.names()
SEGMENTS = [SoftSegment(5, "#1"), SoftSegment(3, "task")]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_encoder_begins_with_the_initial_vectors(encoder: str, tiny: Any) -> None:
    plain = make_prompt(tiny, SEGMENTS, encoder="embedding", seed=3)
    prompt = make_prompt(tiny, SEGMENTS, encoder=encoder, seed=3)
    assert torch.allclose(prompt(), plain(), atol=1e-5 * unit_of(tiny), rtol=1e-4)
    assert {name: len(v) for name, v in prompt.vectors().items()} == {"#1": 5, "task": 3}
    again = make_prompt(tiny, SEGMENTS, encoder=encoder, seed=3)
    assert all(torch.equal(a, b) for a, b in zip(prompt.parameters(), again.parameters(), strict=True))
    other = make_prompt(tiny, SEGMENTS, encoder=encoder, seed=4)
    assert not torch.allclose(other(), prompt())


def test_more_vectors_than_the_encoder_is_wide_begin_right_too(tiny_bart: Any) -> None:
    long = [SoftSegment(50, "#1")]
    plain = make_prompt(tiny_bart, long, encoder="embedding")
    for encoder in ("mlp", "lstm"):
        prompt = make_prompt(tiny_bart, long, encoder=encoder)
        assert torch.allclose(prompt(), plain(), atol=0.01 * unit_of(tiny_bart))


def test_words_of_a_vocabulary_are_words(tiny: Any) -> None:
    shown = [tiny.adapter.show([i]).strip() for i in frequent_ids(tiny.adapter)]
    assert len(shown) > 20 and all(text.isalpha() and len(text) > 1 for text in shown)
    vectors = initial_vectors(tiny, SoftSegment(6, "#1"), Initial(), rng())
    table = embedded(tiny, frequent_ids(tiny.adapter))
    assert all((table == vector).all(-1).any() for vector in vectors)
    assert len(torch.unique(vectors, dim=0)) == 6


def test_words_that_are_given_come_first_and_at_the_scale_of_words(tiny: Any) -> None:
    adapter = tiny.adapter
    words = embedded(tiny, adapter.encode("hammer nail"))
    vectors = initial_vectors(tiny, SoftSegment(6, "a"), Initial("text", text="hammer nail"), rng())
    assert torch.equal(vectors[: len(words)], words) and len(vectors) == 6
    cut = initial_vectors(tiny, SoftSegment(1, "a", init="hammer nail"), Initial(), rng())
    assert torch.equal(cut, words[:1])
    labels = initial_vectors(
        tiny, SoftSegment(3, "a"), Initial("labels", labels=("hammer", "big red dog")), rng()
    )
    mean = embedded(tiny, adapter.encode("big red dog")).mean(0)
    assert torch.allclose(torch.nn.functional.cosine_similarity(labels[1], mean, dim=0), torch.tensor(1.0))
    rms = labels[:2].square().mean(-1).sqrt()
    assert torch.allclose(rms, torch.full((2,), unit_of(tiny)), rtol=1e-4)
    normal = initial_vectors(tiny, SoftSegment(40, "a"), Initial("random"), rng())
    assert float(normal.square().mean().sqrt()) == pytest.approx(unit_of(tiny), rel=0.1)


def test_another_prompt_is_a_beginning_where_it_fits(tiny_t5: Any) -> None:
    other = make_prompt(tiny_t5, SEGMENTS, encoder="lstm", seed=1)
    start = Initial(vectors={"task": other.vectors()["task"]})
    prompt = make_prompt(tiny_t5, SEGMENTS, encoder="residual-mlp", initial=start, seed=2)
    assert torch.allclose(prompt.vectors()["task"], other.vectors()["task"], rtol=1e-5)
    assert not torch.allclose(prompt.vectors()["#1"], other.vectors()["#1"])
    with pytest.raises(DataError, match=r"'task' is \(3, 32\), the template wants \(7, 32\)"):
        make_prompt(tiny_t5, [SoftSegment(7, "task")], initial=start)


def test_wrong_prompts_are_refused(tiny_bart: Any) -> None:
    with pytest.raises(TemplateError, match="no soft prompt"):
        make_prompt(tiny_bart, template_of("mapping", tiny_bart).soft)
    with pytest.raises(UnknownNameError, match="residual-mlp"):
        make_prompt(tiny_bart, SEGMENTS, encoder="residual")
    with pytest.raises(TemplateError, match="700 vectors are more than the model's 600 positions"):
        make_prompt(tiny_bart, [SoftSegment(700, "a")])
    with pytest.raises(TemplateError, match="two lengths"):
        make_prompt(tiny_bart, [SoftSegment(2, "a"), SoftSegment(3, "a")])
    with pytest.raises(DataError, match="no pieces"):
        make_prompt(tiny_bart, [SoftSegment(2, "a", init=" ")])
    with pytest.raises(DataError, match="labels"):
        make_prompt(tiny_bart, [SoftSegment(2, "a")], initial=Initial("labels"))


def test_words_in_the_place_of_vectors_give_the_states_of_the_words(tiny: Any) -> None:
    """A vector that is a word's embedding is read like the word, scale and positions included."""
    adapter, model = tiny.adapter, tiny.model
    ids = adapter.encode("hammer used for the red dog")
    source = torch.tensor([[*ids, adapter.eos_id]])
    rows = adapter.vocab_rows
    soft = source.clone()
    soft[0, 1], soft[0, 3] = rows + 1, rows
    with torch.no_grad():
        plain = model.get_encoder()(input_ids=source).last_hidden_state
        with placed(model, embedded(tiny, [ids[3], ids[1]])):
            found = model.get_encoder()(input_ids=soft).last_hidden_state
            with pytest.raises(ValueError, match="already"), placed(model, torch.zeros(1, 32)):
                pass
        again = model.get_encoder()(input_ids=source).last_hidden_state
    assert torch.equal(found, plain) and torch.equal(again, plain)
    assert model.get_input_embeddings().weight.shape[0] == rows


def test_a_template_with_other_soft_prompts_is_refused(tiny_t5: Any) -> None:
    items = encoded(template_of(family('{{ head }} {{ soft(3, name="task") }}'), tiny_t5, None), tiny_t5)
    with pytest.raises(TemplateError, match=r"'task' has 3 vectors in the template; there are: task \(2\)"):
        Numbers(100, {"task": 2}).put(items[0])
    with pytest.raises(TemplateError, match="none"):
        Numbers(100, {}).put(items[0])
    renamed = Numbers(100, {"other": 3}).put(items[0], {"task": "other"})
    assert [i for i in renamed.source_ids if i >= 100] == [100, 101, 102]


def test_the_inference_form_comes_back_and_knows_its_model(
    tiny_t5: Any, tiny_bart: Any, tmp_path: Path
) -> None:
    template = template_of("masked-post-pt", tiny_t5)
    prompt = made(template, tiny_t5, "lstm")
    saved = SavedPrompt.of(prompt.vectors(), tiny_t5, template.family, "lstm", template.soft)
    saved.save(tmp_path / "own")
    saved.save(tmp_path / "own")  # over the old one
    again = load_prompt(tmp_path / "own")
    assert torch.equal(again.vectors["#1"], prompt.vectors()["#1"])
    assert (again.family, again.encoder, again.inits) == (template.family, "lstm", {"#1": None})
    again.check(tiny_t5)
    with pytest.raises(RunError, match=r"trained on 'tiny-t5' .* not on 'tiny-bart'"):
        again.check(tiny_bart)
    items = encoded(template, tiny_t5)
    numbers, vectors = again.table(tiny_t5)
    assert [numbers.put(item) for item in items] == numbered(prompt, tiny_t5, items)
    assert torch.allclose(vectors, prompt(), rtol=1e-5)
    assert sum(p.stat().st_size for p in (tmp_path / "own").iterdir()) < 4096
    (tmp_path / "own" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match="other files"):
        saved.save(tmp_path / "own")


def test_broken_folders_are_named(tiny_t5: Any, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no soft prompt"):
        load_prompt(tmp_path)
    template = template_of("pt", tiny_t5)
    SavedPrompt.of(
        made(template, tiny_t5).vectors(), tiny_t5, template.family, "embedding", template.soft
    ).save(tmp_path / "own")
    file = tmp_path / "own" / "prompt.json"
    told = json.loads(file.read_text(encoding="utf-8"))
    told["segments"][0]["length"] = 9
    file.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(RunError, match="other vectors"):
        load_prompt(tmp_path / "own")
    (tmp_path / "own" / "prompt.safetensors").write_bytes(b"half")
    with pytest.raises(RunError, match="cannot be read"):
        load_prompt(tmp_path / "own")
