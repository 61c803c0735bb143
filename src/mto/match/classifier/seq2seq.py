"""The paper's task classifier: the sequence-to-sequence model itself, tuned to write the name of the type."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from mto.config import Strict, parse
from mto.errors import RunError
from mto.evaluate.likelihood import rank
from mto.families import LoadedModel, load_model, save_model
from mto.families.load import weights_hash
from mto.match.classifier.features import Floats
from mto.match.classifier.labelled import Labelled, check_labelled
from mto.match.classifier.text import name_ids, write_examples
from mto.runs import own_folder, read_json, write_json
from mto.tasks import Row
from mto.tune import TuneConfig
from mto.tune.ladder import fit
from mto.tune.rows import Asked, CellRows

FILE, MODEL = "classifier.json", "model"
STEPS = 100  # of 8 rows: most of an epoch on 16 relations of 60 rows, which was enough for `mini` on three relations


class Seq2SeqSettings(Strict):
    """How the classifier is trained.

    Attributes:
        steps: updates at a constant rate.
        rate: None: the middle of the grid of the checkpoint's kind (`mto.tune.defaults`).
        batch_rows: rows a step; None: as the table says.
        with_phrase: whether the natural phrase is written as well.
        seed: of order and dropout.
    """

    steps: int = STEPS
    rate: float | None = None
    batch_rows: int | None = None
    with_phrase: bool = False
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Seq2SeqClassifier:
    """A checkpoint that was tuned to write ``Filling`` or ``Mapping``.

    Attributes:
        loaded: the tuned weights.
        settings: how it was trained.
        base_ref, base_revision: the checkpoint that was tuned.
        relations: names of those that it has seen.
        max_source: most source ids.
    """

    loaded: LoadedModel
    settings: Seq2SeqSettings
    base_ref: str
    base_revision: str
    relations: tuple[str, ...]
    max_source: int

    @property
    def name(self) -> str:
        """Such as ``seq2seq (16 relations, 100 steps), checkpoint e013b0f84ec71739``."""
        with_phrase = ", with phrase" if self.settings.with_phrase else ""
        told = f"{len(self.relations)} relations, {self.settings.steps} steps{with_phrase}"
        return f"seq2seq ({told}), checkpoint {self.base_revision}"

    def predict(self, rows: Sequence[Row], *, phrase: str | None = None) -> Floats:
        """Probability of mask-filling of each row ``[n]``: the likelihood of its name by that of both.

        Args:
            phrase: the task's natural phrase; read only by a classifier that was trained with phrases.

        Raises:
            DataError: no rows.
        """
        phrase = phrase if self.settings.with_phrase else None
        written = write_examples(rows, self.loaded.adapter, phrase=phrase, max_source=self.max_source)
        names = name_ids(self.loaded.adapter)
        ranked = rank(self.loaded, [item.source_ids for item in written], [names] * len(written))
        nats = np.array([ranking.scores.nll_with_eos for ranking in ranked])
        return np.exp(-np.logaddexp(0.0, nats[:, 0] - nats[:, 1]))

    def save(self, path: str | Path, dtype: str = "bfloat16") -> Path:
        """Write ``model/`` and ``classifier.json`` to a folder, whole or not at all.

        Raises:
            RunError: the folder holds anything but such a classifier, or the disk is full.
        """
        file = _File(
            version=1,
            settings=self.settings,
            base_ref=self.base_ref,
            base_revision=self.base_revision,
            relations=self.relations,
            max_source=self.max_source,
        )
        with own_folder(path, FILE, (MODEL,)) as folder:
            save_model(self.loaded.model, self.loaded.adapter, folder / MODEL, dtype=dtype)
            write_json(folder / FILE, file.model_dump(mode="json"))
        return Path(path)

    @staticmethod
    def load(path: str | Path, *, device: str = "cpu") -> Seq2SeqClassifier:
        """Read what `save` wrote.

        Raises:
            RunError: no classifier there.
            ConfigError: ``classifier.json`` is not one that this version can read.
        """
        path = Path(path)
        if not (path / FILE).is_file():
            raise RunError(f"holds no {FILE}, so it is no task classifier", where=str(path))
        file = parse(_File, read_json(path / FILE), source=str(path / FILE))
        loaded = load_model((path / MODEL).absolute(), device=device)
        return Seq2SeqClassifier(
            loaded, file.settings, file.base_ref, file.base_revision, file.relations, file.max_source
        )


class _File(Strict):
    """``classifier.json``."""

    version: Literal[1]
    settings: Seq2SeqSettings
    base_ref: str
    base_revision: str
    relations: tuple[str, ...]
    max_source: int


def train_seq2seq_classifier(
    loaded: LoadedModel, labelled: Sequence[Labelled], settings: Seq2SeqSettings | None = None
) -> Seq2SeqClassifier:
    """Tune a copy of a checkpoint to write each example's type; `loaded` is left as it is.

    Args:
        loaded: the checkpoint, fp32.
        labelled: relations whose type is known.
        settings: None: the defaults.

    Raises:
        DataError: see `check_labelled`.
        TrainingError: the training diverges.
    """
    check_labelled(labelled)
    settings = settings or Seq2SeqSettings()
    table = TuneConfig(batch_rows=settings.batch_rows, seed=settings.seed).resolve(loaded.adapter.name)
    rate = settings.rate if settings.rate is not None else table.rates[len(table.rates) // 2]
    pairs = [
        item
        for one in labelled
        for item in write_examples(
            one.rows,
            loaded.adapter,
            mask_filling=one.mask_filling,
            phrase=one.phrase if settings.with_phrase else None,
            max_source=table.max_source,
        )
    ]
    nothing = Asked((), (), ())
    own = replace(loaded, model=copy.deepcopy(loaded.model))
    fit(own, CellRows(tuple(pairs), nothing, (), nothing, 0, 0), table, rate, settings.steps)
    own.model.eval()
    return Seq2SeqClassifier(
        loaded=replace(own, revision=weights_hash("", own.model)),
        settings=settings,
        base_ref=loaded.ref,
        base_revision=loaded.revision,
        relations=tuple(one.relation for one in labelled),
        max_source=table.max_source,
    )
