"""A finished run, or a tuned model's folder, ready to answer new rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.errors import RunError, UnknownNameError
from mto.pipeline.cells import MODELS
from mto.pipeline.config import slug
from mto.registry import suggest
from mto.tasks import Example, Row

if TYPE_CHECKING:
    from mto.families import Answer
    from mto.report import Comparison
    from mto.tune import TunedModel
    from mto.tune.new_rows import Chosen

TUNED = "tuned.json"
PROMPT_FILES = ("prompt.json", "prompt.safetensors")


@dataclass(frozen=True)
class LoadedRun:
    """The tuned models of a run; each is read when it is first asked for.

    Attributes:
        path: the run folder, or the folder of one tuned model.
        models: folder of each task's model, by task name.
        comparison: the run's results; None for a tuned model's folder.
    """

    path: Path
    models: Mapping[str, Path]
    comparison: Comparison | None = None
    device: str = "cpu"
    _read: dict[str, TunedModel] = field(default_factory=dict, repr=False)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Tasks that have a model."""
        return tuple(self.models)

    def model(self, task: str | None = None) -> TunedModel:
        """The tuned model of a task (None: of the only one).

        Raises:
            UnknownNameError: no such task, or several and none named.
        """
        name = self._choose(task)
        if name not in self._read:
            from mto.tune import TunedPrompt, load_tuned

            # Soft prompts of one run share its checkpoint.
            base = next((one.loaded for one in self._read.values() if isinstance(one, TunedPrompt)), None)
            self._read[name] = load_tuned(self.models[name], device=self.device, base=base)
        return self._read[name]

    def identity(self, task: str | None = None) -> str:
        """A hash of all that the answers of a task's model depend on. Raises as `model`."""
        model, folder = self.model(task), self.models[self._choose(task)]
        # The prompt's vectors are a few kilobytes; of a tuned checkpoint the revision stands for its weights.
        small = [folder / name for name in (TUNED, *PROMPT_FILES) if (folder / name).is_file()]
        told = hashlib.sha256(model.loaded.revision.encode())
        for file in small:
            told.update(file.read_bytes())
        return told.hexdigest()

    def predict(
        self, rows: Sequence[Row | Example | Mapping[str, Any] | str], task: str | None = None
    ) -> list[Answer]:
        """Answer new rows: mappings with the task's fields (``{"head": "hammer"}``), or heads alone.

        Returns:
            One answer a row, in order; ``answer.text`` is the text.

        Raises:
            UnknownNameError: no such task, or several and none named.
            DataError: a row lacks a field.
        """
        return self.model(task).predict(rows)

    def choose(
        self, rows: Sequence[Row | Example | Mapping[str, Any] | str], task: str | None = None
    ) -> list[Chosen]:
        """Rank the options of new rows (the choices of a question, the labels of a task); see `TunedModel.choose`.

        Raises:
            UnknownNameError: no such task, or several and none named.
            DataError: a row lacks a field, or the task has no options.
        """
        return self.model(task).choose(rows)

    def _choose(self, task: str | None) -> str:
        if task is None:
            if len(self.models) == 1:
                return next(iter(self.models))
            raise UnknownNameError(
                f"the run has {len(self.models)} tasks", where=str(self.path),
                hint=f"name one with --task: {', '.join(self.models)}",
            )  # fmt: skip
        # The relation alone is enough where it names one task.
        found = [name for name in self.models if task == name or name.rpartition("/")[2] == task]
        if len(found) != 1:
            raise UnknownNameError(
                f"the run has no task '{task}'", where=str(self.path), hint=suggest(task, self.models)
            )
        return found[0]


def load(path: str | Path, *, device: str = "cpu") -> LoadedRun:
    """Open a run folder (of `compare`, or ``mto run``) or the folder of one tuned model (of `tune`).

    A task's model is that of the aligned family, tuned with the split of the first seed; of a run with raw text, on the adapted
    checkpoint.

    Raises:
        RunError: no run there, it is not finished, or it keeps no models.

    >>> load("no/such/folder")
    Traceback (most recent call last):
    mto.errors.RunError: no/such/folder: no such folder
      -> give the folder that mto run or mto tune made
    """
    path = Path(path)
    if not path.is_dir():
        raise RunError(
            "no such folder", where=str(path), hint="give the folder that mto run or mto tune made"
        )
    if (path / TUNED).exists():
        from mto.runs import read_json

        name = str(read_json(path / TUNED).get("task", path.name))
        return LoadedRun(path, {name: path}, device=device)
    if (whole := _whole_models(path)) is not None:
        return LoadedRun(path, whole, device=device)
    comparison = _results(path)
    first = comparison.seeds[0]
    chosen = {choice.task: choice.family for choice in comparison.choices if choice.seed == first}
    models: dict[str, Path] = {}
    for task in comparison.tasks:
        if task.name in chosen:
            folder = path / MODELS / slug(task.name) / f"seed-{first}" / slug(chosen[task.name])
            if (folder / TUNED).exists():
                models[task.name] = folder
    if not models:
        raise RunError(*_why_none(comparison, chosen), where=str(path))
    return LoadedRun(path, models, comparison, device=device)


def _whole_models(path: Path) -> dict[str, Path] | None:
    """Models of the adapted way, by task; None where the folder holds no whole run.

    Raises:
        RunError: the run keeps none.
    """
    from mto.report.whole import is_whole_results, read_whole_results

    if not is_whole_results(path):
        return None
    from mto.pipeline.whole.collecting import model_folders

    found = model_folders(read_whole_results(path), path)
    if not found:
        raise RunError(
            "keeps no tuned model (it was made with --keep none, or its models were removed)", where=str(path)
        )
    return found


def _results(path: Path) -> Comparison:
    from mto.report import read_results

    if not (path / "results.json").exists():
        started = (path / "config.yaml").exists()
        raise RunError(
            "holds a run that is not finished" if started else "is no run folder and no tuned model",
            where=str(path),
            hint="run the same mto run command again to finish it"
            if started
            else "give the folder that mto run made",
        )
    return read_results(path)


def _why_none(comparison: Comparison, chosen: Mapping[str, Any]) -> tuple[str]:
    if not comparison.shots:
        return ("keeps no tuned model, because it was made with zero shots",)
    if not chosen:
        return ("is not finished, so no model is chosen yet",)
    return ("keeps no tuned model (it was made with --keep none, or its models folder was removed)",)
