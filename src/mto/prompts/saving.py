"""The inference form of a soft prompt: its vectors in safetensors, and a JSON file that says what they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from mto.config import Strict, parse
from mto.errors import RunError
from mto.families import LoadedModel
from mto.prompts.placement import Numbers
from mto.runs import own_folder, read_json, write_json
from mto.runs.atomic import write_bytes
from mto.templates import FamilyFile, SoftSegment, TemplateFamily

FILE, VECTORS = "prompt.json", "prompt.safetensors"


@dataclass(frozen=True, eq=False)
class SavedPrompt:
    """The vectors of a trained soft prompt and what they belong to.

    Attributes:
        vectors: ``[length, width]`` in float32, by name.
        base_ref, base_revision: the checkpoint; the revision is the hash of its weights.
        family: the template family, which says where the vectors stand.
        encoder: the prompt encoder that made them; nothing is needed of it any more.
        inits: words that each name began as, where the template gives them.
    """

    vectors: Mapping[str, Tensor]
    base_ref: str
    base_revision: str
    family: TemplateFamily
    encoder: str
    inits: Mapping[str, str | None]

    @staticmethod
    def of(
        vectors: Mapping[str, Tensor],
        base: LoadedModel,
        family: TemplateFamily,
        encoder: str,
        segments: Sequence[SoftSegment],
    ) -> SavedPrompt:
        """Vectors that were trained on `base`."""
        inits = {segment.name: segment.init for segment in segments}
        kept = {name: tensor.detach().to("cpu", torch.float32) for name, tensor in vectors.items()}
        return SavedPrompt(kept, base.ref, base.revision, family, encoder, inits)

    @property
    def numbers_of_vectors(self) -> dict[str, int]:
        """Vectors of each name."""
        return {name: len(vectors) for name, vectors in self.vectors.items()}

    def table(self, base: LoadedModel) -> tuple[Numbers, Tensor]:
        """The vectors in one table, and how they are numbered for this checkpoint."""
        numbers = Numbers(base.adapter.vocab_rows, self.numbers_of_vectors)
        return numbers, torch.cat(list(self.vectors.values())).to(base.model.device)

    def check(self, base: LoadedModel, where: str | None = None) -> None:
        """Raise `RunError` where `base` is not the checkpoint that the vectors were trained on."""
        if base.revision != self.base_revision:
            raise RunError(
                f"this soft prompt was trained on '{self.base_ref}' (weights {self.base_revision}), "
                f"not on '{base.ref}' (weights {base.revision}); its vectors mean nothing to another model",
                where=where,
                hint="give the checkpoint that it was trained on, or tune again",
            )

    def write(self, folder: Path) -> None:
        """Write both files into a folder that is there."""
        tensors = {name: vectors.contiguous() for name, vectors in self.vectors.items()}
        write_bytes(folder / VECTORS, save(tensors))
        segments = [
            _Segment(name=name, length=len(vectors), init=self.inits.get(name))
            for name, vectors in self.vectors.items()
        ]
        file = _File(
            version=1,
            base={"ref": _findable(self.base_ref), "revision": self.base_revision},
            family=FamilyFile(**{name: getattr(self.family, name) for name in FamilyFile.model_fields}),
            encoder=self.encoder,
            segments=tuple(segments),
            width=next(iter(self.vectors.values())).shape[1],
        )
        write_json(folder / FILE, file.model_dump(mode="json"))

    def save(self, path: str | Path) -> Path:
        """Write a folder of its own, whole or not at all. Raises `RunError` when it holds anything else."""
        with own_folder(path, FILE, (VECTORS,)) as folder:
            self.write(folder)
        return Path(path)


class _Segment(Strict):
    name: str
    length: int
    init: str | None


class _File(Strict):
    """``prompt.json``; where the vectors stand is written in the family's source."""

    version: Literal[1]
    base: dict[Literal["ref", "revision"], str]
    family: FamilyFile
    encoder: str
    segments: tuple[_Segment, ...]
    width: int


def load_prompt(path: str | Path) -> SavedPrompt:
    """Read what `SavedPrompt.write` wrote.

    Raises:
        RunError: no soft prompt there, or its two files do not belong together.
        ConfigError: ``prompt.json`` is not one that this version can read.
    """
    path = Path(path)
    if not (path / FILE).is_file():
        raise RunError(f"holds no {FILE}, so it is no soft prompt", where=str(path))
    file = parse(_File, read_json(path / FILE), source=str(path / FILE))
    try:
        tensors = load((path / VECTORS).read_bytes())
    except (OSError, SafetensorError) as error:
        raise RunError(f"its vectors cannot be read: {error}", where=str(path / VECTORS)) from error
    shapes = {segment.name: (segment.length, file.width) for segment in file.segments}
    if {name: tuple(tensor.shape) for name, tensor in tensors.items()} != shapes:
        raise RunError(f"holds other vectors than {FILE} says", where=str(path / VECTORS))
    return SavedPrompt(
        vectors={name: tensors[name] for name in shapes},
        base_ref=file.base["ref"],
        base_revision=file.base["revision"],
        family=TemplateFamily(**file.family.model_dump(), origin=str(path / FILE)),
        encoder=file.encoder,
        inits={segment.name: segment.init for segment in file.segments},
    )


def _findable(ref: str) -> str:
    """A folder's name as it is found from anywhere; other names stay."""
    return str(Path(ref).absolute()) if Path(ref).is_dir() else ref
