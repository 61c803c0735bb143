"""The contract of soft prompts: families x placements x prompt encoders, on each kind of checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mto.errors import FamilyError, TemplateError
from mto.evaluate.generate import generate
from mto.evaluate.likelihood import likelihood
from mto.prompts import Numbers, Prompted, frozen, placed, prompt_encoders
from mto.templates import SOFT, TemplateFamily, compile_template
from mto.train import PairSource, TrainConfig, collate, train
from mto.tune.learner import prompt_loss
from tests.prompts.conftest import PHRASE, encoded, family, made, numbered, template_of

ENCODERS = prompt_encoders.names()
PLACES = {
    "front": "{{ soft(3) }} {{ head }}",
    "middle": "{{ head }} {{ soft(3) }} used for",
    "end": "{{ head }} {{ soft(3) }}",
    "apart": '{{ soft(2, name="a") }} {{ head }} {{ soft(1, name="b") }} {{ mask }}',
}
WRITTEN: list[Any] = [
    *SOFT,
    *(family(s, "{{ mask }} {{ answer }}" if "mask" in s else "{{ answer }}") for s in PLACES.values()),
]
CASES = pytest.mark.parametrize("which", WRITTEN, ids=[*SOFT, *PLACES])
EACH_ENCODER = pytest.mark.parametrize("encoder", ENCODERS)


def written(which: str | TemplateFamily, loaded: Any) -> Any:
    return template_of(which, loaded, 3 if isinstance(which, str) else None)


def pairs_of(items: list[Any]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(item.source_ids, item.target_ids) for item in items]


@CASES
@EACH_ENCODER
def test_gradient_reaches_every_vector_and_no_weight_of_the_model(
    which: str | TemplateFamily, encoder: str, tiny: Any
) -> None:
    template = written(which, tiny)
    prompt = made(template, tiny, encoder)
    items = numbered(prompt, tiny, encoded(template, tiny))
    batch = collate(pairs_of(items), tiny.adapter.pad_id)
    with frozen(tiny.model):
        prompt_loss(Prompted(tiny.model, prompt), batch).backward()
    for part in prompt.parts:
        grad = part.inner.grad
        assert grad is not None and bool((grad.abs().sum(-1) > 0).all())  # type: ignore[union-attr,operator]
    assert all(p.grad is None for p in tiny.model.parameters())


@CASES
def test_the_loss_is_that_of_embeddings_put_in_by_hand(which: str | TemplateFamily, tiny: Any) -> None:
    """transformers' own loss with ``inputs_embeds`` built row by row, for a batch of different lengths."""
    template = written(which, tiny)
    prompt = made(template, tiny)
    plain = encoded(template, tiny)
    batch = collate(pairs_of(numbered(prompt, tiny, plain)), tiny.adapter.pad_id)
    clean = collate(pairs_of(plain), tiny.adapter.pad_id)
    with torch.no_grad():
        embeds = tiny.model.get_encoder().embed_tokens(clean.input_ids)
        for row, item in enumerate(plain):
            for span in item.soft:
                embeds[row, span.start : span.start + span.length] = prompt.vectors()[span.name]
        wanted = tiny.model(
            inputs_embeds=embeds, attention_mask=clean.attention_mask, labels=clean.labels
        ).loss
        found = prompt_loss(Prompted(tiny.model, prompt), batch)
    assert float(found) == pytest.approx(float(wanted), rel=1e-5)


@EACH_ENCODER
def test_training_resumes_exactly_and_leaves_the_model_as_it_is(
    encoder: str, tiny_t5: Any, tmp_path: Path
) -> None:
    template = template_of("masked-post-pt", tiny_t5)
    before = {name: tensor.clone() for name, tensor in tiny_t5.model.state_dict().items()}

    def run(steps: int, folder: Path | None) -> Any:
        prompt = made(template, tiny_t5, encoder)
        items = numbered(prompt, tiny_t5, encoded(template, tiny_t5))
        source = PairSource(pairs_of(items), pad_id=tiny_t5.adapter.pad_id, seed=0, rows=2)
        config = TrainConfig(steps=steps, rate=0.1, optimizer="adafactor", precision="fp32", device="cpu")
        with frozen(tiny_t5.model):
            done = train(
                Prompted(tiny_t5.model, prompt), source, config, loss=prompt_loss, checkpoint_dir=folder
            )
        return done.losses, prompt.vectors()

    losses, vectors = run(6, None)
    run(3, tmp_path)
    resumed, again = run(6, tmp_path)
    assert resumed == losses
    begun = made(template, tiny_t5, encoder).vectors()
    assert all(not torch.equal(vectors[name], begun[name]) for name in vectors)
    assert all(torch.equal(vectors[name], again[name]) for name in vectors)
    assert all(torch.equal(tensor, before[name]) for name, tensor in tiny_t5.model.state_dict().items())
    size = sum(p.stat().st_size for p in tmp_path.rglob("model.safetensors"))
    assert size < 2 * 4 * sum(p.numel() for p in made(template, tiny_t5, encoder).parameters()) + 10_000


@EACH_ENCODER
def test_every_encoder_learns_at_one_rate(encoder: str, tiny_t5: Any) -> None:
    template = template_of("pt", tiny_t5)
    prompt = made(template, tiny_t5, encoder)
    items = numbered(prompt, tiny_t5, encoded(template, tiny_t5))
    source = PairSource(pairs_of(items), pad_id=tiny_t5.adapter.pad_id, seed=0, rows=len(items))
    config = TrainConfig(steps=30, rate=0.1, optimizer="adafactor", precision="fp32", device="cpu")
    with frozen(tiny_t5.model):
        losses = train(Prompted(tiny_t5.model, prompt), source, config, loss=prompt_loss).losses
    assert losses[-1] < losses[0] - 0.02


@CASES
def test_what_is_written_is_likeliest_at_every_step(which: str | TemplateFamily, tiny: Any) -> None:
    template = written(which, tiny)
    prompt = made(template, tiny)
    items = numbered(prompt, tiny, encoded(template, tiny))
    with placed(tiny.model, prompt().detach()):
        for item in items:
            (alone,) = generate(tiny, [item], max_new_tokens=5)
            # Greedy ids, read step by step from the whole model under teacher forcing.
            ids = torch.tensor([item.source_ids])
            out = [tiny.adapter.decoder_start_id]
            for _ in range(5):
                logits = tiny.model(input_ids=ids, decoder_input_ids=torch.tensor([out])).logits[0, -1]
                out.append(int(logits.argmax()))
            assert (
                tiny.adapter.read_answer(_until_stop(out[1:], tiny.adapter, item), item.masks_asked) == alone
            )
        together = generate(tiny, items, max_new_tokens=5)
        assert together == [generate(tiny, [item], max_new_tokens=5)[0] for item in items]
        assert len(generate(tiny, items, max_new_tokens=5, beams=2)) == len(items)


def _until_stop(ids: list[int], adapter: Any, item: Any) -> list[int]:
    started = False
    for place, token in enumerate(ids):
        ends = token in adapter.stop_ids(item.masks_asked) if started else token == adapter.eos_id
        started = started or token not in (adapter.decoder_start_id, adapter.pad_id)
        if ends:
            return ids[: place + 1]
    return ids


def test_rows_with_different_prompts_share_a_batch(tiny: Any) -> None:
    """Three tasks with families and lengths of their own: answers and likelihoods are those of each alone."""
    prompts, alone, mixed = {}, [], []
    scores: list[float] = []
    lengths: dict[str, int] = {}
    for seed, name in enumerate(("masked-post-pt", "pre-pt", "pt")):
        template = template_of(name, tiny, 2 + seed)
        prompt = prompts[name] = made(template, tiny, seed=seed)
        items = encoded(template, tiny)
        own = numbered(prompt, tiny, items)
        with placed(tiny.model, prompt().detach()):
            alone += generate(tiny, own, max_new_tokens=5)
            scores += likelihood(tiny, own).nll.tolist()
        lengths[name] = 2 + seed
        mixed += [replace(item, soft=tuple(replace(s, name=name) for s in item.soft)) for item in items]
    numbers = Numbers(tiny.adapter.vocab_rows, lengths)
    table = torch.cat([prompts[name]().detach() for name in lengths])
    together = [numbers.put(item) for item in mixed]
    with placed(tiny.model, table):
        assert generate(tiny, together, max_new_tokens=5) == alone
        assert likelihood(tiny, together).nll.tolist() == pytest.approx(scores, rel=1e-5)


def test_the_same_head_with_two_prompts_has_two_answers_in_one_batch(tiny_t5: Any) -> None:
    template = template_of("pt", tiny_t5, 2)
    (item,) = encoded(template, tiny_t5, ("hammer",))
    numbers = Numbers(tiny_t5.adapter.vocab_rows, {"a": 2, "b": 2})
    pair = [numbers.put(item, {"#1": name}) for name in ("a", "b")]
    with placed(tiny_t5.model, torch.randn(4, 32, generator=torch.Generator().manual_seed(0))):
        scores = likelihood(tiny_t5, pair).nll
    assert abs(scores[0] - scores[1]) > 1e-3


def test_a_checkpoint_without_masks_has_no_masked_prompt(tiny_bart: Any) -> None:
    bare = replace(tiny_bart.adapter, sentinel_ids=())
    with pytest.raises((TemplateError, FamilyError), match="mask"):
        compile_template("masked-post-pt", phrase=PHRASE, adapter=bare)
    assert compile_template("post-pt", phrase=PHRASE, adapter=bare).soft
