"""What a comparison works on, as its run folder keeps it: tasks, splits and families. Nothing else is read later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from mto.config import Strict
from mto.errors import DataError, RunError, TemplateError
from mto.pipeline.config import CompareConfig, slug
from mto.runs import write_json
from mto.tasks import (
    Form,
    Kind,
    Split,
    Task,
    TaskSource,
    TaskType,
    draw_split,
    is_rows_file,
    load_task,
    read_split,
    with_distractors,
    write_split,
)
from mto.tasks.columns import OWN_NAMES, InputColumns
from mto.tasks.form import PLAIN
from mto.templates import FamilyFile, TemplateFamily, get_family
from mto.tune.config import check_method

if TYPE_CHECKING:
    from mto.match import Match

FILE, SPLITS, MATCHES = "inputs.json", "splits", "match"


class TaskInput(Strict):
    """A task without its rows: those that count are in the splits."""

    name: str
    relation: str
    type: TaskType | None
    title: str
    phrase: str | None
    fields: tuple[str, ...]
    path: str
    files: dict[str, str]
    """SHA-256 of the data, by split."""
    folds: int | None
    """Parts of the cross-validation, for a task without test data."""
    warnings: tuple[str, ...]
    form: Form = PLAIN
    """Its kind, and how its rows are written; not in the file of a completion task."""
    columns: InputColumns = OWN_NAMES
    """Where inputs stand in the user's files; not in the file where columns are called as the fields are."""

    @model_serializer(mode="wrap")
    def _as_before(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        usual = {"form": self.form.is_plain, "columns": self.columns == OWN_NAMES}
        return {name: value for name, value in write(self).items() if not usual.get(name)}

    def task(self) -> Task:
        """The task as tuning sees it."""
        return Task(
            name=self.name,
            relation=self.relation,
            type=self.type,
            phrases=(self.phrase,) if self.phrase else (),
            fields=self.fields,
            train=(),
            dev=(),
            test=(),
            source=TaskSource(self.path, self.files),
            title=self.title,
            form=self.form,
            columns=self.columns,
        )


class _File(Strict):
    """``inputs.json``."""

    version: int = 1
    tasks: tuple[TaskInput, ...]
    families: tuple[FamilyFile, ...]
    revision: str
    kind: str
    device: str
    settings: dict[str, Any]
    model: dict[str, Any]


@dataclass(frozen=True)
class Inputs:
    """Everything that the cells of a comparison read.

    Attributes:
        splits: by task name and seed.
        families: in the order asked for.
        settings: the sweep with every default filled in.
        model: what the report says about the checkpoint; ``ref``, ``revision`` among it.
        kind: the checkpoint's family kind.
        device: ``cpu`` or ``cuda``.
        matches: what matching found, by task name and seed; empty where it was not asked.
    """

    tasks: tuple[TaskInput, ...]
    splits: Mapping[tuple[str, int], Split]
    families: tuple[TemplateFamily, ...]
    settings: Mapping[str, Any]
    model: Mapping[str, Any]
    kind: str
    device: str
    matches: Mapping[tuple[str, int], Match] = field(default_factory=dict)

    def task(self, name: str) -> TaskInput:
        """The task of this name."""
        return next(task for task in self.tasks if task.name == name)

    def family(self, name: str) -> TemplateFamily:
        """The family of this name."""
        return next(family for family in self.families if family.name == name)

    def write(self, folder: Path) -> None:
        """Write splits first and ``inputs.json`` last, so that its presence says that all is there."""
        for (task, seed), split in self.splits.items():
            write_split(split, folder / SPLITS / slug(task) / f"seed-{seed}")
        for (task, seed), match in self.matches.items():
            match.write(_match_file(folder, task, seed))
        file = _File(
            tasks=self.tasks,
            families=tuple(
                FamilyFile(**{name: getattr(family, name) for name in FamilyFile.model_fields})
                for family in self.families
            ),
            revision=str(self.model["revision"]),
            kind=self.kind,
            device=self.device,
            settings=dict(self.settings),
            model=dict(self.model),
        )
        write_json(folder / FILE, file.model_dump(mode="json"))

    @staticmethod
    def read(folder: Path, seeds: Sequence[int]) -> Inputs | None:
        """What `write` wrote; None where it never came to an end.

        Raises:
            RunError, DataError: a file is broken.
        """
        from mto.config import parse
        from mto.runs import read_json

        if not (folder / FILE).exists():
            return None
        file = parse(_File, read_json(folder / FILE), source=str(folder / FILE))
        splits = {
            (task.name, seed): read_split(folder / SPLITS / slug(task.name) / f"seed-{seed}")
            for task in file.tasks
            for seed in seeds
        }
        families = tuple(TemplateFamily(**family.model_dump()) for family in file.families)
        matches = {}
        for at in splits:
            if (path := _match_file(folder, *at)).exists():
                from mto.match.result import read_match

                matches[at] = read_match(path)
        return Inputs(
            file.tasks, splits, families, file.settings, file.model, file.kind, file.device, matches
        )


def _match_file(folder: Path, task: str, seed: int) -> Path:
    return folder / MATCHES / slug(task) / f"seed-{seed}.json"


def load_tasks(config: CompareConfig, given: Mapping[str, Task] | None = None) -> tuple[Task, ...]:
    """The tasks that a configuration names; `given` holds those that are already in memory, by name.

    Raises:
        DataError, UnknownNameError, ConfigError, TemplateError: as `load_task` does.
    """
    own = (config.phrase,) if isinstance(config.phrase, str) else ()
    tasks = []
    # Other tasks have columns of their own; where no rows are given at all, loading says so.
    files = [ref for ref in config.tasks if config.data or is_rows_file(ref)] or config.tasks
    for ref in config.tasks:
        if given and ref in given:
            task = given[ref]
            tasks.append(replace(task, phrases=own) if own else task)
        else:
            about = {"columns": config.columns, "delimiter": config.delimiter} if ref in files else {}
            tasks.append(
                load_task(ref, data=config.data, relation=config.relation, phrases=own, **about)  # type: ignore[arg-type]
            )
    names = [slug(task.name) for task in tasks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"two tasks are named '{twice}'", hint="give one of them another name in a task file")
    return tuple(tasks)


def choose_phrase(task: Task, number: int) -> str | None:
    """The phrase with this number; None where the task has no phrases and number 0 was asked for.

    Raises:
        DataError: the task has fewer phrases.
    """
    if not task.phrases and number == 0:
        return None
    if number >= len(task.phrases):
        have = f"{len(task.phrases)} phrases (0 to {len(task.phrases) - 1})" if task.phrases else "no phrases"
        raise DataError(f"{task.name}: phrase {number} asked for, the task has {have}")
    return task.phrases[number]


def describe_task(task: Task, config: CompareConfig) -> TaskInput:
    """What a run keeps of a task besides its splits."""
    number = config.phrase if isinstance(config.phrase, int) else 0
    return TaskInput(
        name=task.name,
        relation=task.relation,
        type=task.type,
        title=task.title,
        phrase=choose_phrase(task, number),
        fields=task.fields,
        path=task.source.path,
        files=dict(task.source.files),
        folds=None if task.test else config.folds,
        warnings=tuple(map(str, task.warnings)),
        form=task.form,
        columns=task.columns,
    )


def draw_splits(task: Task, config: CompareConfig) -> dict[int, Split]:
    """One split a seed; a task without test data gives all seeds the same rows, in other folds.

    Raises:
        DataError: too few heads, or too few tails to rank.
    """
    drawn = _drawn(task, config)
    if config.rank_tails is None:
        return drawn
    if not task.test:
        raise DataError(
            f"{task.name}: tails are ranked for test heads, and there are none", hint="give a test file"
        )
    return {
        seed: with_distractors(split, task, config.rank_tails, seed=config.test_seed)
        for seed, split in drawn.items()
    }


def _drawn(task: Task, config: CompareConfig) -> dict[int, Split]:
    # What the task's own file asks for is never too much; what the user asks for is refused where there are fewer rows.
    asked = task.usual_shots if config.shots is not None and config.shots == task.shots else config.shots
    if task.test:
        shots = task.usual_shots if asked is None else asked
        return {
            seed: draw_split(
                task, shots=shots, seed=seed, dev=config.dev if shots else None,
                max_test=config.max_test, test_seed=config.test_seed,
            )
            for seed in config.seeds
        }  # fmt: skip
    if config.shots == 0:
        raise DataError(
            f"{task.name}: zero shots asked for, but the task has no test data to score on",
            hint="give the task a test file, or leave --shots out",
        )
    wanted = None if asked == len(task.train) else asked
    drawn = draw_split(task, shots=wanted, seed=config.test_seed, dev=0)
    return {seed: replace(drawn, seed=seed) for seed in config.seeds}


def find_families(config: CompareConfig, tasks: Sequence[TaskInput]) -> tuple[TemplateFamily, ...]:
    """The families that a configuration names; where it names none, the basic ones that all tasks can be written with.

    Raises:
        UnknownNameError, ConfigError, TemplateError: as `get_family` and `check_method` do; or two with one name.
    """
    if config.families is None:
        from mto.pipeline.kinds import usual_families

        phrased = all(task.phrase for task in tasks)
        basic = tuple(get_family(name) for name in usual_families(tuple(tasks), soft=config.soft))
        return tuple(family for family in basic if phrased or not needs_phrase(family))
    families = tuple(get_family(ref) for ref in config.families)
    for family in families:
        check_method(family, config.tune.method)
    names = [family.name for family in families]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"two template families are named '{twice}'", hint="rename one of them")
    return families


def needs_phrase(family: TemplateFamily) -> bool:
    """Whether a family cannot write a task that has no natural phrase."""
    from mto.templates.language import parse_text

    try:
        return any("phrase" in parse_text(text).names for text in (family.source, family.target))
    except TemplateError:  # compiling it says what is wrong
        return False


GIVE_PHRASE = "--phrase '{{ head }} is used for'"
_GIVE_PHRASE: dict[Kind, str] = {
    "completion": GIVE_PHRASE,
    "multiple-choice": "--phrase '{{ question }} The answer is'",
    "classification": "--phrase '{{ text }} It was'",
    "text-to-text": "--phrase '{{ source }} In short:'",
}


def give_phrase(kind: Kind) -> str:
    """How to give a natural phrase on the command line, for tasks of a kind."""
    return _GIVE_PHRASE[kind]


def check_phrase(
    task: str, phrase: str | None, families: Sequence[TemplateFamily], kind: Kind = "completion"
) -> None:
    """Refuse families that need a natural phrase for a task without one.

    Raises:
        TemplateError: it names the families and how to give a phrase.
    """
    needy = [family.name for family in families if phrase is None and needs_phrase(family)]
    if needy:
        verb = "need" if len(needy) > 1 else "needs"
        raise TemplateError(
            f"{' and '.join(needy)} {verb} a natural phrase and the task has none",
            where=task,
            hint=f"give one with {give_phrase(kind)}, or choose a family without one, such as masked-mapping",
        )


def without_phrase(tasks: Sequence[str], left: Sequence[TemplateFamily], kind: Kind = "completion") -> str:
    """What to tell where tasks without a phrase leave only some of the basic families."""
    return (
        f"{', '.join(tasks)} has no natural phrase, so only {' and '.join(f.title for f in left)} take part; "
        f"give one with {give_phrase(kind)} to compare all of them"
    )


def check_unchanged(inputs: Inputs, tasks: Sequence[Task], where: Path) -> None:
    """Raise `RunError` where a task's data are not those that the run was made with."""
    for task in tasks:
        kept = next((one for one in inputs.tasks if one.name == task.name), None)
        if kept is not None and dict(task.source.files) != kept.files:
            differ = sorted(
                part for part in {*kept.files, *task.source.files}
                if kept.files.get(part) != task.source.files.get(part)
            )  # fmt: skip
            raise RunError(
                f"the data of '{task.name}' are not those that this run was made with ({', '.join(differ)} "
                f"changed in {task.source.path})",
                where=str(where),
                hint="put the old data back, or choose another folder with --out; nothing in this one is touched",
            )
