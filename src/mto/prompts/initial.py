"""How the vectors of a soft prompt begin: at the scale of the model's own embeddings, whatever they begin as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mto.errors import DataError
from mto.families import Adapter, LoadedModel
from mto.templates import SoftSegment

FREQUENT = 5000  # as Lester et al. 2021: vocabularies are sorted by frequency
Kind = Literal["vocabulary", "random", "text", "labels"]


@dataclass(frozen=True, eq=False)
class Initial:
    """What vectors begin as.

    Attributes:
        kind: ``vocabulary`` (a sample of frequent words), ``random`` (normal, at the embedding's scale), ``text``, or
            ``labels`` (one vector a label, the mean over its pieces).
        text: for ``text``: the vectors of its pieces, in order.
        labels: for ``labels``.
        vectors: of a saved prompt, or of another task's, by name. They come first, where they have the name.

    Words that are too few are followed by a sample of frequent ones. Words that a template gives (``init=``) come before
    `kind`.
    """

    kind: Kind = "vocabulary"
    text: str = ""
    labels: tuple[str, ...] = ()
    vectors: Mapping[str, Tensor] | None = None


@torch.no_grad()
def initial_vectors(
    loaded: LoadedModel, segment: SoftSegment, initial: Initial, rng: np.random.Generator
) -> Tensor:
    """The first vectors ``[length, width]`` of a segment, as the encoder of the model sees words.

    Raises:
        DataError: a saved prompt with another number of vectors or another width; a text or labels without any piece.
    """
    given = initial.vectors or {}
    if segment.name in given:
        return _fitting(given[segment.name], loaded, segment)
    if segment.init is not None:
        chosen = _text_rows(loaded, segment.init)
    elif initial.kind == "text":
        chosen = _text_rows(loaded, initial.text)
    elif initial.kind == "labels":
        chosen = _label_rows(loaded, initial.labels)
    elif initial.kind == "random":
        normal = torch.from_numpy(rng.standard_normal((segment.length, _width(loaded))))
        return normal.float().to(loaded.model.device) * unit_of(loaded)
    else:
        chosen = embedded(loaded, [])
    chosen = chosen[: segment.length]
    return torch.cat([chosen, _sample(loaded, segment.length - len(chosen), rng)])


@torch.no_grad()
def embedded(loaded: LoadedModel, ids: Sequence[int]) -> Tensor:
    """What the encoder makes of ids, ``[n, width]``; BART's scale is in it."""
    wanted = torch.tensor(list(ids), dtype=torch.long, device=loaded.model.device)
    return loaded.model.get_encoder().embed_tokens(wanted).detach().clone()


def unit_of(loaded: LoadedModel) -> float:
    """RMS of the embeddings of frequent words."""
    return float(embedded(loaded, frequent_ids(loaded.adapter)).float().square().mean().sqrt())


def frequent_ids(adapter: Adapter) -> list[int]:
    """Words among the first rows of the vocabulary: letters alone, two at least, no special token.

    The very first rows of a vocabulary are no words at all (pad, end, unknown, single characters); where a vocabulary has
    no words in our sense, every row that is no special token counts.
    """
    special = {*adapter.tokenizer.all_special_ids, *adapter.sentinel_ids, adapter.eos_id, adapter.pad_id}
    rows = [i for i in range(min(adapter.vocab_rows, len(adapter.tokenizer))) if i not in special]
    pieces = adapter.tokenizer.convert_ids_to_tokens(rows)
    words = [i for i, piece in zip(rows, pieces, strict=True) if _is_word(str(piece))]
    return (words or rows)[:FREQUENT]


def _is_word(piece: str) -> bool:
    text = piece.lstrip("▁Ġ")  # how tokenizers write the blank before a word
    return len(text) > 1 and text.isalpha()


def _sample(loaded: LoadedModel, count: int, rng: np.random.Generator) -> Tensor:
    ids = frequent_ids(loaded.adapter)
    return embedded(loaded, rng.choice(ids, count, replace=count > len(ids)).tolist())


def _text_rows(loaded: LoadedModel, text: str) -> Tensor:
    return embedded(loaded, _pieces(loaded, text))


def _label_rows(loaded: LoadedModel, labels: Sequence[str]) -> Tensor:
    """One vector a label: the mean over its pieces, as long as words are (a mean of several is shorter)."""
    if not labels:
        raise DataError("a soft prompt is to begin as labels, and there are none", hint="give labels")
    rows = torch.stack([embedded(loaded, _pieces(loaded, label)).mean(0) for label in labels])
    rms = rows.float().square().mean(-1, keepdim=True).sqrt()
    return rows * (unit_of(loaded) / rms.clamp(min=1e-12)).to(rows.dtype)


def _pieces(loaded: LoadedModel, text: str) -> list[int]:
    ids = loaded.adapter.encode(text)
    if not ids:
        raise DataError(f"a soft prompt is to begin as {text!r}, which has no pieces", hint="give some words")
    return ids


def _fitting(vectors: Tensor, loaded: LoadedModel, segment: SoftSegment) -> Tensor:
    wanted = (segment.length, _width(loaded))
    if tuple(vectors.shape) != wanted:
        raise DataError(
            f"the saved soft prompt '{segment.name}' is {tuple(vectors.shape)}, the template wants {wanted}",
            hint="use the same number of vectors, and a checkpoint of the same width",
        )
    return vectors.detach().clone().to(loaded.model.device)


def _width(loaded: LoadedModel) -> int:
    return int(loaded.model.get_input_embeddings().weight.shape[1])
