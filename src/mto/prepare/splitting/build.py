"""A splitter as a configuration asks for it, and the labelled sentences that it learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from mto.config import Strict
from mto.errors import DataError
from mto.match.classifier.labelled import meaning
from mto.prepare.splitting.first_words import FirstWords
from mto.prepare.splitting.found import ByTask, Either, PhraseFirst, Splitter
from mto.prepare.splitting.model import ModelSplitter, SplitterSettings
from mto.prepare.splitting.rules import Hints, rule_splitter
from mto.prepare.splitting.triples import Triple, verbalise
from mto.tasks import Split, Task, draw_split, load_task, read_task_file, task_files

Kind = Literal["rules", "model", "both", "phrase-first"]


class SplitterConfig(Strict):
    """Which splitter, and how its parts work."""

    kind: Kind = "phrase-first"
    """``rules``, ``model``, ``both``: the model, and the rules where it finds nothing; or ``phrase-first``: the rules where a phrase
    of the task stands, else as ``both``."""
    tagger: str = "auto"
    """The rules' tagger; see `get_tagger`."""
    training: SplitterSettings = SplitterSettings()
    """The model's training."""
    library: str | None = "household"
    """Task library whose other relations the model learns from as well; null: from the tasks alone."""


def learning_triples(
    tasks: Sequence[Task], splits: Sequence[Split], *, library: str | None, rows: int, seed: int
) -> list[Triple]:
    """Labelled sentences for the model: the tasks' labelled rows, and relations of a library that are none of the tasks.

    Test data are never read. A relation of the library that has the name of one of the tasks is left out, so that no more is known of
    a task than its few shots.

    Args:
        tasks, splits: each task with its few-shot split; dev rows are labelled rows as well.
        library: such as ``household``, whose rows come with the package; None for none.
        rows: most rows of a relation.
        seed: draws rows of the library, and persons.

    Raises:
        TemplateError: a phrase is wrong.
    """
    found = []
    for task, split in zip(tasks, splits, strict=True):
        found += verbalise(task, (*split.train, *split.dev)[:rows], seed=seed)
    if library is None:
        return found
    known = {meaning(task.name) for task in tasks}
    file, _ = read_task_file(task_files.get(library))
    for name in file.relations:
        if name not in known:
            task = load_task(f"{library}/{name}")
            split = draw_split(task, shots=min(rows, len(task.train)), seed=seed)
            found += verbalise(task, (*split.train, *split.dev)[:rows], seed=seed)
    return found


def build_splitter(
    config: SplitterConfig, hints: Sequence[Hints], model: Callable[[], ModelSplitter] | None = None
) -> Splitter:
    """The splitter of a configuration; sentences of tasks whose answers are whole sentences are cut behind their first words.

    Where all tasks are such, general sentences are cut so too.

    Args:
        hints: what the rules are told of the tasks.
        model: gives the trained model; called only where one is wanted.

    Raises:
        DataError: a model is wanted and none is given.
        UnknownNameError: no such tagger.
    """
    whole = frozenset(one.task for one in hints if one.way == "first-words")
    if whole and len(whole) == len(hints):
        return FirstWords()
    others = _spans(config, [one for one in hints if one.task not in whole], model)
    return ByTask(whole, FirstWords(), others) if whole else others


def _spans(
    config: SplitterConfig, hints: Sequence[Hints], model: Callable[[], ModelSplitter] | None
) -> Splitter:
    """The splitter of the tasks that look for a span."""
    if config.kind == "rules":
        return rule_splitter(hints, tagger=config.tagger)
    if model is None:
        raise DataError(
            f"splitter '{config.kind}' needs a trained model", hint="train one, or use splitter: rules"
        )
    if config.kind == "model":
        return model()
    rules = rule_splitter(hints, tagger=config.tagger)
    return Either(model(), rules) if config.kind == "both" else PhraseFirst(rules, model())
