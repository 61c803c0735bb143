"""The tuned model: predicts new rows, is saved to a folder and read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from mto.config import Strict, parse
from mto.errors import DataError, RunError
from mto.evaluate.calibration import Calibration, calibrate
from mto.evaluate.generate import generate
from mto.evaluate.nats import RANKINGS
from mto.families import Answer, LoadedModel, load_model, save_model
from mto.prompts.saving import FILE as PROMPT
from mto.prompts.saving import VECTORS, load_prompt
from mto.runs import own_folder, read_json, write_json
from mto.tasks import Example, Form, Row
from mto.tasks.columns import OWN_NAMES, InputColumns
from mto.tasks.form import PLAIN
from mto.templates import Encoded, FamilyFile, Rendered, Template, TemplateFamily, encode_many
from mto.tune.cross import CrossResult
from mto.tune.new_rows import Chosen, choose, fields_of, option_nats
from mto.tune.sweep import Sweep

FILE, MODEL = "tuned.json", "model"
MATCH = "match.json"
"""What chose the family, where matching did; written beside the model by whoever asked."""
Input = Row | Example | Mapping[str, Any] | str


@dataclass(frozen=True, eq=False)
class TunedModel:
    """A checkpoint that was tuned to one task with one template family.

    Attributes:
        loaded: the tuned weights with their adapter.
        task, relation: names; rows that bring no ``relation`` of their own get this one.
        family: how rows are written.
        phrase: the natural phrase, or None for a family that uses none.
        fields: the fields of the task.
        form: its kind, and how its rows are written.
        max_source, max_new_tokens, beams: as in tuning.
        base_ref, base_revision: the checkpoint that was tuned.
        rate, steps: of the tuning; 0 steps: no tuning did better on dev, or zero shots were asked for.
        shots: labelled rows that it was trained on.
        sweep: how the settings were chosen; None with zero shots or cross-validation.
        cross: the cross-validation, where there was one. Not saved but for its mean scores.
        scores: mean scores of the cross-validation in points, empty without one.
        ranking: what decides between options: ``sum``, ``token``, ``byte`` or ``calibrated``, as the metric that the settings were chosen by.
        calibration: the temperature of the options' probabilities; None: there were no or too few labelled rows to fit it on.
        columns: where inputs stand in the user's files, for files of new rows.
    """

    loaded: LoadedModel
    task: str
    relation: str
    family: TemplateFamily
    phrase: str | None
    fields: tuple[str, ...]
    max_source: int
    max_new_tokens: int
    beams: int
    base_ref: str
    base_revision: str
    rate: float
    steps: int
    shots: int
    sweep: Sweep | None = None
    cross: CrossResult | None = None
    scores: Mapping[str, float] | None = None
    form: Form = PLAIN
    ranking: str = RANKINGS[0]
    calibration: Calibration | None = None
    columns: InputColumns = OWN_NAMES

    @cached_property
    def _template(self) -> Template:
        return self.form.template(
            self.family, phrase=self.phrase, fields=self.fields, adapter=self.loaded.adapter
        )

    def predict(self, rows: Sequence[Input]) -> list[Answer]:
        """Write an answer to each row.

        Args:
            rows: rows or examples of a task, mappings with the fields (``{"head": "hammer"}``; choices are a list:
                ``{"question": "Which?", "choices": ["this", "that"]}``), or heads alone.

        Returns:
            One answer a row, in order; ``answer.text`` is the text.

        Raises:
            DataError: a row lacks a field of the template, or a field is no text.
        """
        if isinstance(rows, str):
            raise DataError("rows are one text", hint="give a list: predict(['hammer'])")
        questions = self.questions(rows)
        with self._answering():
            return generate(self.loaded, questions, max_new_tokens=self.max_new_tokens, beams=self.beams)

    def choose(self, rows: Sequence[Input]) -> list[Chosen]:
        """Rank the options of each row: the choices of a question, or the labels of the task.

        Returns:
            One `Chosen` a row, in order: the likeliest option by `ranking`, and the probability of each.

        Raises:
            DataError: the task has no options; else as `predict`.
        """
        return choose(self.ranked(rows), self.calibration.temperature if self.calibration else 1.0)

    def calibrated(self, rows: Sequence[Row]) -> TunedModel:
        """This model with a temperature that fits labelled rows which did not train it; as it is where they are too few, or the task has no
        options."""
        if not self.form.has_options or not rows:
            return self
        ranked = self.ranked(rows)
        right = [names.index(row.target) for (names, _), row in zip(ranked, rows, strict=True)]
        return replace(self, calibration=calibrate([nats for _, nats in ranked], right))

    def ranked(self, rows: Sequence[Input]) -> list[tuple[tuple[str, ...], tuple[float, ...]]]:
        """Names of each row's options, and the nats that `ranking` compares; lower is likelier. Raises as `choose`."""
        fields = [self._fields(place, row) for place, row in enumerate(rows)]
        with self._answering():
            return option_nats(
                self.loaded,
                self._template,
                self.form,
                fields,
                self._encoded,
                task=self.task,
                ranking=self.ranking,
            )

    def questions(self, rows: Sequence[Input]) -> list[Encoded]:
        """Rows as the model reads them. Raises as `predict`."""
        rendered = [self._template.render(self._fields(place, row)) for place, row in enumerate(rows)]
        return self._encoded(rendered)

    def _encoded(self, rendered: Sequence[Rendered]) -> list[Encoded]:
        return encode_many(rendered, self.loaded.adapter, max_source=self.max_source)

    def _answering(self) -> AbstractContextManager[Any]:
        """Around generation."""
        return nullcontext()

    def _fields(self, place: int, row: Input) -> Mapping[str, str]:
        return fields_of(row, place, self._template, self.form, relation=self.relation, task=self.task)

    def save(self, path: str | Path, dtype: str = "bfloat16") -> Path:
        """Write ``model/`` (a checkpoint that transformers can load as well) and ``tuned.json``; all or nothing.

        A tuned model that stands there already is replaced.

        Raises:
            RunError: the folder holds anything else, or the disk is full.
        """
        with own_folder(path, FILE, (MODEL, MATCH, PROMPT, VECTORS)) as folder:
            self._write(folder, dtype)
            write_json(folder / FILE, self._file())
        return Path(path)

    def _write(self, folder: Path, dtype: str) -> None:
        save_model(self.loaded.model, self.loaded.adapter, folder / MODEL, dtype=dtype)

    def _file(self) -> dict[str, Any]:
        family = {name: getattr(self.family, name) for name in FamilyFile.model_fields}
        file = _File(
            version=1,
            task=self.task,
            relation=self.relation,
            family=FamilyFile(**family),
            phrase=self.phrase,
            fields=self.fields,
            max_source=self.max_source,
            max_new_tokens=self.max_new_tokens,
            beams=self.beams,
            base={"ref": self.base_ref, "revision": self.base_revision},
            rate=self.rate,
            steps=self.steps,
            shots=self.shots,
            sweep=self.sweep.to_json() if self.sweep else None,
            scores=dict(self.scores) if self.scores else None,
        )
        written = file.model_dump(mode="json")
        # Completion is what a file is about that says nothing.
        if not self.form.is_plain:
            written["form"] = self.form.to_json()
        if self.columns != OWN_NAMES:
            written["columns"] = self.columns.to_json()
        if self.form.has_options:
            written |= {
                "ranking": self.ranking,
                "calibration": self.calibration and self.calibration.to_json(),
            }
        return written

    @staticmethod
    def load(path: str | Path, *, device: str = "cpu") -> TunedModel:
        """Read what `save` wrote; see `load_tuned`."""
        return load_tuned(path, device=device)


class _File(Strict):
    """``tuned.json``."""

    version: Literal[1]
    task: str
    relation: str
    family: FamilyFile
    phrase: str | None
    fields: tuple[str, ...]
    max_source: int
    max_new_tokens: int
    beams: int
    base: dict[Literal["ref", "revision"], str]
    rate: float
    steps: int
    shots: int
    sweep: dict[str, Any] | None
    scores: dict[str, float] | None
    form: Form = Field(default=PLAIN, exclude=True)
    ranking: Literal["sum", "token", "byte", "calibrated"] = Field(default="sum", exclude=True)
    calibration: Calibration | None = Field(default=None, exclude=True)
    columns: InputColumns = Field(default=OWN_NAMES, exclude=True)


def load_tuned(path: str | Path, *, device: str = "cpu", base: LoadedModel | None = None) -> TunedModel:
    """Read a tuned model. It needs nothing but its folder; a tuned soft prompt also needs its checkpoint.

    Args:
        base: for a soft prompt, its checkpoint where that is loaded already. None: it is loaded by the name that the folder
            gives.

    Raises:
        RunError: no tuned model there, or the checkpoint is not the one that the soft prompt was trained on.
        ConfigError: ``tuned.json`` is not one that this version can read.
        FamilyError: the checkpoint is broken.
    """
    path = Path(path)
    if not (path / FILE).is_file():
        raise RunError(f"holds no {FILE}, so it is no tuned model", where=str(path))
    file = parse(_File, read_json(path / FILE), source=str(path / FILE))
    kind: Callable[..., TunedModel] = TunedModel
    if (path / PROMPT).is_file():
        from mto.tune.prompted import TunedPrompt

        prompt = load_prompt(path)
        loaded = base or load_model(prompt.base_ref, device=device)
        prompt.check(loaded, str(path / PROMPT))
        kind = partial(TunedPrompt, prompt=prompt)
    else:
        loaded = load_model((path / MODEL).absolute(), device=device)
    return kind(
        loaded=loaded,
        task=file.task,
        relation=file.relation,
        family=TemplateFamily(**file.family.model_dump(), origin=str(path / FILE)),
        phrase=file.phrase,
        fields=file.fields,
        max_source=file.max_source,
        max_new_tokens=file.max_new_tokens,
        beams=file.beams,
        base_ref=file.base["ref"],
        base_revision=file.base["revision"],
        rate=file.rate,
        steps=file.steps,
        shots=file.shots,
        sweep=Sweep.from_json(file.sweep) if file.sweep else None,
        scores=file.scores,
        form=file.form,
        ranking=file.ranking,
        calibration=file.calibration,
        columns=file.columns,
    )
