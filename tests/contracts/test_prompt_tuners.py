"""The contract of soft prompts in training and on disk: families x placements x encoders, on every kind of checkpoint and on `mini`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mto.evaluate.generate import generate
from mto.evaluate.likelihood import likelihood
from mto.families import load_model
from mto.prompts import Prompted, SavedPrompt, frozen, load_prompt, placed
from mto.templates import TemplateFamily
from mto.train import PairSource, TrainConfig, collate, train
from mto.tune.learner import Learner, prompt_loss
from tests.contracts.test_prompts import CASES, ENCODERS, PLACES, WRITTEN, pairs_of, written
from tests.prompts.conftest import encoded, family, made, numbered

CELLS = [
    pytest.param(which, ENCODERS[n % len(ENCODERS)], id=f"{name}-{ENCODERS[n % len(ENCODERS)]}")
    for n, (which, name) in enumerate(zip(WRITTEN, [*WRITTEN[: -len(PLACES)], *PLACES], strict=True))
]
"""Every family and placement, with the encoders in turn; `test_prompts.py` has each pair of them for the gradient."""


def trained(template: Any, loaded: Any, encoder: str, steps: int, folder: Path | None) -> tuple[Any, Any]:
    """Losses and the prompt after so many steps of the tuner's own training, gone on with where `folder` holds one."""
    prompt = made(template, loaded, encoder)
    learner = Learner.prompted(loaded, prompt)
    items = learner.numbered(encoded(template, loaded))
    source = PairSource(pairs_of(items), pad_id=loaded.adapter.pad_id, seed=0, rows=2)
    config = TrainConfig(steps=steps, rate=0.1, optimizer="adafactor", precision="fp32", device="cpu")
    with learner.products("fp32"), learner.training():
        done = train(learner.module, source, config, loss=learner.loss, checkpoint_dir=folder)
    return done.losses, prompt


@pytest.mark.parametrize(("which", "encoder"), CELLS)
def test_a_training_resumes_to_the_bit_and_is_saved_as_it_is(
    which: str | TemplateFamily, encoder: str, tiny: Any, tmp_path: Path
) -> None:
    template = written(which, tiny)
    before = {name: tensor.clone() for name, tensor in tiny.model.state_dict().items()}
    losses, whole = trained(template, tiny, encoder, 4, None)
    trained(template, tiny, encoder, 2, tmp_path / "run")
    again, resumed = trained(template, tiny, encoder, 4, tmp_path / "run")
    assert again == losses
    for name, vectors in whole.vectors().items():
        assert torch.equal(vectors, resumed.vectors()[name])
    assert all(torch.equal(before[name], tensor) for name, tensor in tiny.model.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in tiny.model.parameters())
    # What is saved is all that an answer needs.
    saved = SavedPrompt.of(whole.vectors(), tiny, template.family, encoder, template.soft)
    read = load_prompt(saved.save(tmp_path / "saved"))
    read.check(tiny)
    numbers, table = read.table(tiny)
    plain = encoded(template, tiny)
    with (
        torch.no_grad(),
        placed(tiny.model, whole()),
    ):  # as the tuner measures: an LSTM rounds otherwise with gradients
        own = numbered(whole, tiny, plain)
        wanted = likelihood(tiny, own).nll, generate(tiny, own, max_new_tokens=4)
    with placed(tiny.model, table):
        same = [numbers.put(item) for item in plain]
        found = likelihood(tiny, same).nll, generate(tiny, same, max_new_tokens=4)
    assert found[0].tolist() == wanted[0].tolist() and found[1] == wanted[1]


@CASES
def test_vectors_stand_where_the_template_says(which: str | TemplateFamily, tiny: Any) -> None:
    template = written(which, tiny)
    prompt = made(template, tiny)
    rows = tiny.adapter.vocab_rows
    for item, plain in zip(
        numbered(prompt, tiny, encoded(template, tiny)), encoded(template, tiny), strict=True
    ):
        soft = [place for place, token in enumerate(item.source_ids) if token >= rows]
        assert soft == [p for span in plain.soft for p in range(span.start, span.start + span.length)]
        assert [item.source_ids[p] for p in soft] == list(range(rows, rows + len(soft)))
        assert all(token < rows for token in item.target_ids)


@pytest.fixture(scope="module")
def mini() -> Any:
    return load_model("mini")


@pytest.mark.parametrize("encoder", ENCODERS)
def test_on_mini_every_vector_learns_and_no_weight_moves(encoder: str, mini: Any) -> None:
    """Every family and placement at once: one module with the vectors of all of them, one batch of all their rows."""
    for which in WRITTEN[ENCODERS.index(encoder) :: len(ENCODERS)]:
        template = written(which, mini)
        prompt = made(template, mini, encoder)
        learner = Learner.prompted(mini, prompt)
        items = learner.numbered(encoded(template, mini))
        batch = collate(pairs_of(items), mini.adapter.pad_id)
        with learner.products("fp32"), frozen(mini.model):
            prompt_loss(Prompted(mini.model, prompt), batch).backward()
        for part in prompt.parts:
            grad = part.inner.grad
            assert isinstance(grad, torch.Tensor) and bool((grad.abs().sum(-1) > 0).all())
        assert all(p.grad is None for p in mini.model.parameters())


def test_on_mini_tasks_with_prompts_of_their_own_share_a_batch(mini: Any) -> None:
    from dataclasses import replace

    from mto.prompts import Numbers

    alone, mixed, tables, lengths = [], [], [], {}
    for n, which in enumerate(("pt", "masked-post-pt", family("{{ head }} {{ soft(3) }} used for"))):
        template = written(which, mini)
        prompt = made(template, mini, ENCODERS[n], seed=n)
        items = encoded(template, mini)
        with placed(mini.model, prompt().detach()):
            alone += [a.text for a in generate(mini, numbered(prompt, mini, items), max_new_tokens=6)]
        lengths[str(n)] = 3
        tables.append(prompt().detach())
        mixed += [replace(item, soft=tuple(replace(s, name=str(n)) for s in item.soft)) for item in items]
    numbers = Numbers(mini.adapter.vocab_rows, lengths)
    with placed(mini.model, torch.cat(tables)):
        together = generate(mini, [numbers.put(item) for item in mixed], max_new_tokens=6)
    assert [answer.text for answer in together] == alone and len(set(alone)) > 3
