"""How a task is written for a checkpoint; its weights are not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mto.errors import FamilyError, UnknownNameError
from mto.families import Adapter, find_adapter, load_tokenizer, resolve
from mto.families.load import quiet
from mto.pipeline.inputs import check_phrase, choose_phrase, needs_phrase
from mto.pipeline.kinds import ALL_OF
from mto.registry import suggest
from mto.tasks import Example, Task, load_task
from mto.templates import Shown, Template, TemplateFamily, get_family, show_example


@dataclass(frozen=True)
class ShownExample:
    """One example under each family."""

    head: str
    where: str
    families: tuple[Shown, ...]


@dataclass(frozen=True)
class ShownTask:
    """Some examples of a task, as one checkpoint reads and writes them.

    Attributes:
        left_out: names of the basic families that need a phrase, where the task has none.
        warnings: rows that were mended or left out, with file and line.
    """

    task: str
    model: str
    adapter: str
    phrase: str | None
    examples: tuple[ShownExample, ...]
    left_out: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def load_adapter(ref: str | Path) -> Adapter:
    """The adapter of a checkpoint, from its tokenizer and config alone.

    Raises:
        UnknownNameError, FamilyError: as `mto.families.load_model` does.
    """
    import transformers

    where = resolve(ref)
    tokenizer = load_tokenizer(ref)
    try:
        with quiet():
            config = transformers.AutoConfig.from_pretrained(where)
    except (OSError, ValueError) as error:
        raise FamilyError(f"its config cannot be read: {error}", where=str(ref)) from error
    return find_adapter(config, tokenizer)


def show_task(
    task: str | Path | Task,
    *,
    families: Sequence[str | Path | TemplateFamily] | None = None,
    model: str | Path | Adapter = "mini",
    head: str | None = None,
    n: int = 1,
    phrase: int | str = 0,
    relation: str | None = None,
    data: Any = None,
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
) -> ShownTask:
    """Write examples of a task under several families, as text and as ids.

    Args:
        families: default: the usual ones of the kind of task.
        model: a checkpoint, or its adapter.
        head: the example with this head; default: the first `n` of the train file.
        phrase: number of the task's phrase, from 0, or a phrase.
        relation, data, columns, delimiter: as for `mto.tasks.load_task`.

    Raises:
        TemplateError: a family that is named needs a phrase, and the task has none.
        DataError: no example has this head, or the task has no such phrase.
        UnknownNameError, FamilyError, TemplateError: as the parts raise them.
    """
    own = (phrase,) if isinstance(phrase, str) else ()
    loaded = load_task(task, data=data, relation=relation, phrases=own, columns=columns, delimiter=delimiter)
    adapter = model if isinstance(model, Adapter) else load_adapter(model)
    text = choose_phrase(loaded, phrase if isinstance(phrase, int) else 0)
    known = [get_family(ref) for ref in families or ALL_OF[loaded.kind]]
    left_out = tuple(family.name for family in known if text is None and needs_phrase(family))
    if families:
        check_phrase(loaded.name, text, known)
    examples = tuple(
        ShownExample(
            example.head,
            example.where,
            _shown(loaded, example, adapter, known, text),
        )
        for example in _choose(loaded, head, n)
    )
    name = "given" if isinstance(model, Adapter) else str(model)
    return ShownTask(
        loaded.name, name, adapter.name, text, examples, left_out, tuple(map(str, loaded.warnings))
    )


def _shown(
    task: Task, example: Example, adapter: Adapter, families: Sequence[TemplateFamily], phrase: str | None
) -> tuple[Shown, ...]:
    def compiled(family: TemplateFamily) -> Template:
        return task.form.template(family, phrase=phrase, fields=task.fields, adapter=adapter)

    answer = example.targets[0]
    return show_example(
        example.fields, answer, adapter, families=families, phrase=phrase, compiled=compiled,
        word=task.form.written(answer, natural=True),
    )  # fmt: skip


def _choose(task: Task, head: str | None, n: int) -> Sequence[Example]:
    everything = (*task.train, *task.dev, *task.test)
    if head is None:
        return everything[:n]
    found = [example for example in everything if example.head == head]
    if not found:
        heads = [example.head for example in everything]
        raise UnknownNameError(f"{task.name}: no example has the head '{head}'", hint=suggest(head, heads))
    return found[:1]
