"""What a sweep trains: a whole checkpoint, or the soft prompt or low-rank updates of a frozen one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mto.errors import ConfigError, TemplateError
from mto.families import LoadedModel
from mto.prompts import Initial, Prompted, SoftPrompt, frozen, load_prompt, make_prompt, placed
from mto.tasks import Split, Task
from mto.templates import CHOICE_FIELDS, Encoded, Template, TemplateFamily, plain_text
from mto.train import Batch
from mto.train.loop import Loss
from mto.train.loss import seq2seq_loss
from mto.tune.config import PromptOptions
from mto.tune.low_rank import LowRank
from mto.tune.products import fast_products, frozen_products
from mto.tune.weights import Weights


@dataclass(frozen=True, eq=False)
class Learner:
    """A checkpoint and what of it is trained.

    Attributes:
        loaded: the checkpoint.
        module: what the training loop is given.
        weights: what moves: the whole model, the soft prompt with its encoder, or the low-rank updates.
        loss: of `module`, for the training loop.
        prompt: the soft prompt, where that is trained.
        updates: the low-rank updates, where these are trained.
    """

    loaded: LoadedModel
    module: nn.Module
    weights: nn.Module
    loss: Loss
    prompt: SoftPrompt | None = None
    updates: LowRank | None = None

    @staticmethod
    def of(model: LoadedModel | Learner) -> Learner:
        """Itself, or the learner of all weights of a checkpoint."""
        if isinstance(model, Learner):
            return model
        return Learner(model, model.model, model.model, seq2seq_loss)

    @staticmethod
    def prompted(loaded: LoadedModel, prompt: SoftPrompt) -> Learner:
        """The learner of a soft prompt alone."""
        return Learner(loaded, Prompted(loaded.model, prompt), prompt, prompt_loss, prompt)

    @staticmethod
    def low_rank(loaded: LoadedModel, updates: LowRank) -> Learner:
        """The learner of low-rank updates alone."""
        return Learner(loaded, loaded.model, updates, seq2seq_loss, updates=updates)

    def products(self, precision: str) -> AbstractContextManager[bool]:
        """Around a training: matrix products as fast as they go where the model's weights move, or stay."""
        if self.prompt is None and self.updates is None:
            return fast_products(self.loaded.model, active=precision == "fp32")
        if self.updates is not None and precision != "fp32":
            # Weights are cast once there, but updates are added to them whenever the model is measured.
            return nullcontext(False)
        return frozen_products(self.loaded.model, precision=precision)

    @property
    def trained(self) -> int | None:
        """Numbers that are trained; None: all weights."""
        part = self.prompt or self.updates
        return None if part is None else part.trained

    def taken(self) -> Mapping[str, Tensor]:
        """What is kept after a training, by parameter name; low-rank updates are added to the model's weights."""
        if self.updates is None:
            return Weights(self.weights).tensors
        with self.updates.merged():
            return Weights(self.loaded.model).tensors

    def numbered(self, items: Sequence[Encoded], names: Mapping[str, str] | None = None) -> list[Encoded]:
        """Examples as this learner reads them: with the numbers of its vectors where the template has soft prompts.

        Args:
            names: what these are called here; None: as in the template.
        """
        if self.prompt is None:
            return list(items)
        numbers = self.prompt.numbers(self.loaded.adapter.vocab_rows)
        return [numbers.put(item, names) for item in items]

    @contextlib.contextmanager
    def training(self) -> Iterator[None]:
        """Around a training: what is not trained wants no gradient."""
        if self.prompt is None and self.updates is None:
            yield
            return
        placing = self.updates.in_place if self.updates is not None else frozen
        try:
            with placing(self.loaded.model):
                yield
        finally:
            self.module.eval()

    @contextlib.contextmanager
    def measuring(self) -> Iterator[None]:
        """Around generation and likelihood: the vectors, or the updates, as they are now are in place."""
        if self.updates is not None:
            with self.updates.merged():
                yield
            return
        if self.prompt is None:
            yield
            return
        with torch.no_grad():
            vectors = self.prompt()
        with placed(self.loaded.model, vectors):
            yield


def prompt_loss(model: Any, batch: Batch, *, factor: float | None = None) -> Tensor:
    """`seq2seq_loss` of a frozen model with the vectors of a `Prompted` in place."""
    with model.in_place() as base:
        return seq2seq_loss(base, batch, factor=factor)


def new_prompt(
    loaded: LoadedModel,
    template: Template,
    task: Task,
    split: Split,
    options: PromptOptions,
    *,
    encoder: str,
    phrase: str | None,
    seed: int,
) -> SoftPrompt:
    """The soft prompt of a template before any training.

    Args:
        split: its training answers are the labels where vectors begin as ``answers``.
        phrase: where vectors begin as the words of the phrase; None: the task's first.

    Raises:
        ConfigError: vectors are to begin as a phrase, and the task has none.
        RunError: `options.start` is no soft prompt, or one of another checkpoint.
        MtoError: as `make_prompt`.
    """
    initial = Initial("random" if options.init == "random" else "vocabulary")
    if options.text is not None:
        initial = Initial("text", text=options.text)
    elif options.init == "phrase":
        initial = Initial("text", text=phrase_words(phrase or next(iter(task.phrases), None), task))
    elif options.init == "answers":
        initial = Initial("labels", labels=tuple(dict.fromkeys(row.target for row in split.train)))
    if options.start is not None:
        saved = load_prompt(Path(options.start))
        saved.check(loaded, options.start)
        initial = Initial(initial.kind, initial.text, initial.labels, saved.vectors)
        if not {segment.name for segment in template.soft} & saved.vectors.keys():
            raise TemplateError(
                f"the saved prompt has {', '.join(saved.vectors)}, the template none of them",
                where=options.start,
                hint="give the soft prompts of both templates one name",
            )
    return make_prompt(loaded, template.soft, encoder=encoder, initial=initial, seed=seed)


def phrase_words(phrase: str | None, task: Task) -> str:
    """The words of a phrase without its fields. Raises `ConfigError` where there is none."""
    if phrase is None:
        raise ConfigError(
            f"{task.name} has no phrase, so no vectors can begin as one", hint="give one with --phrase"
        )
    family = TemplateFamily("words", source="{{ phrase }}", target="{{ answer }}")
    template = task.form.template(family, phrase=phrase, fields=task.fields)
    choices = dict.fromkeys(CHOICE_FIELDS[:2], "") if template.choices else {}
    blank = template.render({**dict.fromkeys(template.fields, ""), **choices})
    return " ".join(plain_text(blank.source).split())
