"""The soft prompts of a template as one module, and a frozen model that is trained through them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mto.errors import TemplateError
from mto.families import LoadedModel
from mto.prompts.encoders import PromptEncoder, prompt_encoders
from mto.prompts.initial import Initial, initial_vectors, unit_of
from mto.prompts.placement import Numbers, placed
from mto.templates import SoftSegment


class SoftPrompt(nn.Module):
    """Named soft prompts, each with an encoder of its own.

    Args:
        encoders: the encoder of each name.
        unit: RMS of the model's embedding, by which the vectors of the encoders are multiplied.
        encoder: name of the kind of encoder, for reports.
    """

    unit: Tensor

    def __init__(self, encoders: Mapping[str, PromptEncoder], unit: float, encoder: str = "") -> None:
        super().__init__()
        self.encoder = encoder
        self.names = tuple(encoders)
        self._lengths = {name: encoder.length for name, encoder in encoders.items()}
        self.parts = nn.ModuleList(encoders.values())
        self.register_buffer("unit", torch.tensor(unit))

    @property
    def lengths(self) -> dict[str, int]:
        """Vectors of each name."""
        return dict(self._lengths)

    @property
    def width(self) -> int:
        """Of the vectors."""
        return next(iter(self.parts)).width  # type: ignore[return-value]

    @property
    def trained(self) -> int:
        """Numbers that are trained: those of the encoders among them."""
        return sum(parameter.numel() for parameter in self.parameters())

    def numbers(self, vocab_rows: int) -> Numbers:
        """How the vectors are numbered behind so many rows of an embedding."""
        return Numbers(vocab_rows, self.lengths)

    def forward(self) -> Tensor:
        """All vectors ``[n, width]``, in the order of the names."""
        return torch.cat([part() for part in self.parts]) * self.unit

    @torch.no_grad()
    def vectors(self) -> dict[str, Tensor]:
        """The vectors of each name as they are now: all that an answer needs."""
        parts = self().split(list(self.lengths.values()))
        return {name: part.detach().clone() for name, part in zip(self.names, parts, strict=True)}


def make_prompt(
    loaded: LoadedModel,
    segments: Sequence[SoftSegment],
    *,
    encoder: str = "residual-mlp",
    initial: Initial | None = None,
    seed: int = 0,
) -> SoftPrompt:
    """A new soft prompt for a checkpoint.

    Args:
        segments: those of the template (`Template.soft`); a name that stands twice is made once.
        encoder: a name of `prompt_encoders`.
        initial: how the vectors begin; None: as sampled frequent words.
        seed: of the sample and of the encoder's weights.

    Raises:
        UnknownNameError: no such encoder.
        TemplateError: no segments, one name with two lengths, or more vectors than the model has positions.
        DataError: see `initial_vectors`.
    """
    if not segments:
        raise TemplateError(
            "the template holds no soft prompt", hint="choose a family such as 'masked-post-pt'"
        )
    kind = prompt_encoders.get(encoder)
    made: dict[str, PromptEncoder] = {}
    unit = unit_of(loaded)
    for place, segment in enumerate(segments):
        if segment.name in made:
            if made[segment.name].length != segment.length:
                raise TemplateError(f"the soft prompt '{segment.name}' has two lengths", hint="give it one")
            continue
        vectors = initial_vectors(loaded, segment, initial or Initial(), np.random.default_rng([seed, place]))
        stream = torch.Generator().manual_seed(seed * 7919 + place)
        made[segment.name] = kind(vectors.cpu().float() / unit, stream)
    most, total = loaded.adapter.max_positions, sum(part.length for part in made.values())
    if most is not None and total >= most:
        raise TemplateError(
            f"{total} vectors are more than the model's {most} positions", hint="use fewer vectors"
        )
    return SoftPrompt(made, unit, encoder).to(loaded.model.device)


class Prompted(nn.Module):
    """A model that is trained through its soft prompt alone, for the training loop.

    What is saved of it is the prompt with its encoder: the training form.

    Args:
        base: the checkpoint's model; freeze it with `frozen`.
        prompt: what is trained.
    """

    def __init__(self, base: Any, prompt: SoftPrompt) -> None:
        super().__init__()
        self.base, self.prompt = base, prompt

    @property
    def config(self) -> Any:
        """The model's own."""
        return self.base.config

    def set_attn_implementation(self, kind: Any) -> None:
        """As the model's own."""
        self.base.set_attn_implementation(kind)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Of the prompt alone."""
        return self.prompt.state_dict(*args, **kwargs)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[Any]:
        """The model with the vectors in place; gradients go to the prompt."""
        with placed(self.base, self.prompt()):
            yield self.base


@contextlib.contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Within the block no parameter of the model wants a gradient."""
    wanted = [p for p in model.parameters() if p.requires_grad]
    for parameter in wanted:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in wanted:
            parameter.requires_grad_(True)
