"""The model splitter: a checkpoint tuned to read a sentence and write its target (docs/method.md 6).

It learns from labelled triples written as one sentence (``head phrase tail`` -> ``tail``). What it writes counts only where it stands in
the sentence.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from mto.config import Strict, parse
from mto.errors import DataError, RunError
from mto.evaluate.generate import generate
from mto.evaluate.likelihood import rank
from mto.families import LoadedModel, load_model, save_model
from mto.families.load import weights_hash
from mto.prepare.sentence import Selected
from mto.prepare.splitting.found import NOT_THERE, NOTHING, Found
from mto.prepare.splitting.places import Place, align
from mto.prepare.splitting.spans import likely_spans
from mto.prepare.splitting.triples import Triple
from mto.runs import own_folder, read_json, write_json
from mto.templates import Encoded, TemplateFamily, compile_template, encode_many
from mto.tune import TuneConfig
from mto.tune.ladder import fit
from mto.tune.rows import ROOM, Asked, CellRows

FILE, MODEL = "splitter.json", "model"
STEPS, BATCH_ROWS, ROWS = 200, 16, 100

WRITING = TemplateFamily("splitter", source="{{ head }} tail:", target="{{ answer }}")
"""How a sentence is written for the model."""


class SplitterSettings(Strict):
    """How the model splitter is trained and asked."""

    steps: PositiveInt = STEPS
    """Updates at a constant rate."""
    rate: PositiveFloat | None = None
    """None: the middle of the grid of the checkpoint's kind (`mto.tune.defaults`); for T5 that is the authors' 3e-4 (docs/method.md 6)."""
    batch_rows: PositiveInt = BATCH_ROWS
    """Sentences a step."""
    rows: PositiveInt = ROWS
    """Most labelled rows of a relation; each is written with every phrase. The authors: 100 to 500 triples."""
    decoding: Literal["free", "spans"] = "free"
    """``free``: the model writes, and what it writes must stand in the sentence; that drops the doubtful ones. ``spans``: the likeliest of
    the sentence's own spans, so that every sentence gets one."""
    seed: NonNegativeInt = 0
    """Of order, dropout and the persons in the sentences."""


@dataclass(frozen=True, eq=False)
class ModelSplitter:
    """A checkpoint that was tuned to write the target of a sentence.

    Attributes:
        loaded: the tuned weights.
        settings: how it was trained.
        base_ref, base_revision: the checkpoint that was tuned.
        relations: names of those that it has seen.
        max_source: most source ids.
        max_new_tokens: most ids that it may write.
    """

    loaded: LoadedModel
    settings: SplitterSettings
    base_ref: str
    base_revision: str
    relations: tuple[str, ...]
    max_source: int
    max_new_tokens: int

    @property
    def name(self) -> str:
        """Such as ``model (9 relations, 450 steps, spans), checkpoint e013b0f84ec71739``."""
        told = f"{len(self.relations)} relations, {self.settings.steps} steps, {self.settings.decoding}"
        return f"model ({told}), checkpoint {self.base_revision}"

    def split(self, batch: Sequence[Selected]) -> list[Found]:
        """As `Splitter`; ``by`` is ``model``."""
        if not batch:
            return []
        texts = [one.sentence.text for one in batch]
        places = self._choose(texts) if self.settings.decoding == "spans" else self._write(texts)
        return [
            Found(place, "model") if isinstance(place, Place) else Found(None, why=place) for place in places
        ]

    def _write(self, texts: Sequence[str]) -> list[Place | str]:
        asked = self._encode([(text, None) for text in texts])
        answers = generate(self.loaded, asked, max_new_tokens=self.max_new_tokens)
        found: list[Place | str] = []
        for text, answer in zip(texts, answers, strict=True):
            # What fills all of its room was cut off, so its end is not the model's.
            whole = 0 < len(answer.ids) < self.max_new_tokens
            place = align(answer.text, text) if whole else None
            found.append(place or (NOTHING if answer.empty else NOT_THERE))
        return found

    def _choose(self, texts: Sequence[str]) -> list[Place | str]:
        spans = [likely_spans(text) for text in texts]
        asked = [(text, place.of(text)) for text, some in zip(texts, spans, strict=True) for place in some]
        encoded = self._encode(asked)
        sources: list[Sequence[int]] = []
        candidates: list[list[Sequence[int]]] = []
        done = 0
        for some in (some for some in spans if some):
            part = encoded[done : done + len(some)]
            done += len(some)
            sources.append(part[0].source_ids)
            candidates.append([item.target_ids for item in part])
        ranked = iter(rank(self.loaded, sources, candidates) if sources else ())
        return [some[int(next(ranked).order()[0])] if some else NOTHING for some in spans]

    def _encode(self, asked: Sequence[tuple[str, str | None]]) -> list[Encoded]:
        return _encode(self.loaded, asked, self.max_source)

    def save(self, path: str | Path, dtype: str = "bfloat16") -> Path:
        """Write ``model/`` and ``splitter.json`` to a folder, whole or not at all.

        Raises:
            RunError: the folder holds anything but such a splitter, or the disk is full.
        """
        file = _File(
            version=1,
            settings=self.settings,
            base_ref=self.base_ref,
            base_revision=self.base_revision,
            relations=self.relations,
            max_source=self.max_source,
            max_new_tokens=self.max_new_tokens,
        )
        with own_folder(path, FILE, (MODEL,)) as folder:
            save_model(self.loaded.model, self.loaded.adapter, folder / MODEL, dtype=dtype)
            write_json(folder / FILE, file.model_dump(mode="json"))
        return Path(path)

    @staticmethod
    def load(path: str | Path, *, device: str = "cpu") -> ModelSplitter:
        """Read what `save` wrote.

        Raises:
            RunError: no splitter there.
            ConfigError: ``splitter.json`` is not one that this version can read.
        """
        path = Path(path)
        if not (path / FILE).is_file():
            raise RunError(f"holds no {FILE}, so it is no splitter", where=str(path))
        file = parse(_File, read_json(path / FILE), source=str(path / FILE))
        loaded = load_model((path / MODEL).absolute(), device=device)
        return ModelSplitter(
            loaded, file.settings, file.base_ref, file.base_revision, file.relations, file.max_source,
            file.max_new_tokens,
        )  # fmt: skip


class _File(Strict):
    """``splitter.json``."""

    version: Literal[1]
    settings: SplitterSettings
    base_ref: str
    base_revision: str
    relations: tuple[str, ...]
    max_source: int
    max_new_tokens: int


def train_splitter(
    loaded: LoadedModel, triples: Sequence[Triple], settings: SplitterSettings | None = None
) -> ModelSplitter:
    """Tune a copy of a checkpoint to write each sentence's target; `loaded` is left as it is.

    Args:
        loaded: the checkpoint, fp32.
        triples: labelled sentences, see `verbalise`.
        settings: None: the defaults.

    Raises:
        DataError: no triples.
        TrainingError: the training diverges.
    """
    if not triples:
        raise DataError(
            "there are no labelled triples to learn from",
            hint="give the task a phrase and labelled rows, or use the rules alone (splitter: rules)",
        )
    settings = settings or SplitterSettings()
    table = TuneConfig(batch_rows=settings.batch_rows, seed=settings.seed).resolve(loaded.adapter.name)
    pairs = _encode(loaded, [(one.sentence, one.target) for one in triples], table.max_source)
    nothing = Asked((), (), ())
    own = replace(loaded, model=copy.deepcopy(loaded.model))
    rate = settings.rate if settings.rate is not None else table.rates[len(table.rates) // 2]
    fit(own, CellRows(tuple(pairs), nothing, (), nothing, 0, 0), table, rate, settings.steps)
    own.model.eval()
    return ModelSplitter(
        loaded=replace(own, revision=weights_hash("", own.model)),
        settings=settings,
        base_ref=loaded.ref,
        base_revision=loaded.revision,
        relations=tuple(dict.fromkeys(one.task for one in triples)),
        max_source=table.max_source,
        max_new_tokens=max(len(item.target_ids) for item in pairs) + ROOM,
    )


def _encode(loaded: LoadedModel, asked: Sequence[tuple[str, str | None]], max_source: int) -> list[Encoded]:
    template = compile_template(WRITING, fields=("head",))
    rendered = [template.render({"head": sentence}, target) for sentence, target in asked]
    return encode_many(rendered, loaded.adapter, max_source=max_source)
