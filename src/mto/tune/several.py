"""`tune_tasks`: soft prompts of several tasks on one frozen model, trained together, with parts that they share.

In: tasks and a family whose named soft prompts are shared by all of them, while each task has its own of those without a name.
Out: one tuned prompt a task; the shared vectors are the same numbers in each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor, nn

from mto.errors import ConfigError, DataError, TemplateError
from mto.families import LoadedModel, load_model
from mto.prompts import PromptEncoder, SavedPrompt, SoftPrompt
from mto.tasks import Split, Task, load_task
from mto.templates import Encoded, Template, TemplateFamily, get_family
from mto.tune.cell import cell_template, inner_split, settle
from mto.tune.config import PromptOptions, Settled, TuneConfig
from mto.tune.draw import Shots, draw_rows
from mto.tune.ladder import fit
from mto.tune.learner import Learner, new_prompt
from mto.tune.progress import TuneCallback, TuneStatus
from mto.tune.prompted import TunedPrompt
from mto.tune.rows import Asked, CellRows, encode_cell
from mto.tune.search import Keeper, search
from mto.tune.weights import Weights

SHARED = "shared"
"""Name of the soft prompt that `shared_family` adds."""


@dataclass(frozen=True, eq=False)
class _Member:
    """One of the tasks: its rows, its template, and what its soft prompts are called among all."""

    task: Task
    split: Split
    template: Template
    names: Mapping[str, str]


def shared_family(family: str | Path | TemplateFamily, vectors: int) -> TemplateFamily:
    """The family with so many more vectors before everything, which have a name and so are shared.

    >>> shared_family("post-pt", 10).source
    '{{ soft(10, name="shared") }} {{ head }} {{ soft(20) }}'
    """
    family = get_family(family)
    source = f'{{{{ soft({vectors}, name="{SHARED}") }}}} {family.source}'
    return replace(family, source=source, name=f"shared-{family.name}", title=f"Shared{family.title}")


def tune_tasks(
    model: LoadedModel | str | Path,
    tasks: Sequence[Task | str | Path],
    *,
    family: str | Path | TemplateFamily,
    shots: Shots = "usual",
    seed: int = 0,
    config: TuneConfig | None = None,
    splits: Sequence[Split] | None = None,
    progress: TuneCallback | None = None,
) -> dict[str, TunedPrompt]:
    """Train the soft prompts of several tasks together on one frozen model.

    A step takes ``batch_rows`` rows of every task. Rate and steps are chosen once for all, on the dev rows of all tasks together
    (a task without dev rows gives up a quarter of its labelled heads for choosing, as in `run_cell`).

    Args:
        model: a loaded checkpoint (left as it is), or what `load_model` takes.
        tasks: two tasks at least, with names of their own.
        family: with a named soft prompt, such as ``{{ soft(10, name="shared") }}``; `shared_family` adds one.
        shots, seed: of each task's split; None: all rows, ``usual``: as for `mto.tune.tune`.
        config: method ``prompt``, with one encoder and one number of vectors at most.
        splits: of the tasks, in place of drawing them.
        progress: is told of every rung.

    Returns:
        The tuned prompt of each task, by its name, in order; `loaded` of all is the same checkpoint.

    Raises:
        TemplateError: no soft prompt of the family has a name, so nothing would be shared; or as `cell_template`.
        DataError: fewer than two tasks, two of one name, or a task without labelled rows.
        ConfigError: several encoders or numbers of vectors.
        MtoError: see `load_task`, `draw_split`, `load_model` and `run_cell`.
    """
    loaded = model if isinstance(model, LoadedModel) else load_model(model)
    given = config or TuneConfig(method="prompt")
    settled = settle(loaded, given)
    options = _options(settled)
    family = get_family(family)
    found = [task if isinstance(task, Task) else load_task(task) for task in tasks]
    _check(found)
    if splits is None:
        splits = [draw_rows(task, shots, seed) for task in found]
    members = [
        _member(loaded, task, split, family, options) for task, split in zip(found, splits, strict=True)
    ]
    prompt = _prompt(loaded, members, options, settled.seed)
    learner = Learner.prompted(loaded, prompt)
    choosing = [
        replace(member, split=member.split if member.split.dev else inner_split(member.split))
        for member in members
    ]
    rows = _rows(learner, choosing, settled)
    start, whole = Weights(prompt), all(member.split.dev for member in members)
    status = TuneStatus(", ".join(task.name for task in found), family.name, seed, None, 0.0, 0, 0, 0, 0)
    keeper = Keeper(learner, settled, wanted=whole)
    sweep = search(learner, rows, settled, start, keeper, status, progress)
    chosen = sweep.chosen
    if chosen.steps and not (whole and keeper.put_back(chosen)):
        start.restore()
        fit(learner, rows if whole else _rows(learner, members, settled), settled, chosen.rate, chosen.steps)
    elif not chosen.steps:
        start.restore()
    vectors = prompt.vectors()
    return {
        member.task.name: TunedPrompt(
            loaded=loaded,
            task=member.task.name,
            relation=member.task.relation,
            family=member.template.family,
            phrase=member.template.phrase,
            fields=member.task.fields,
            max_source=settled.max_source,
            max_new_tokens=_room(learner, member, settled),
            beams=settled.beams,
            base_ref=loaded.ref,
            base_revision=loaded.revision,
            rate=chosen.rate,
            steps=chosen.steps,
            shots=len(member.split.train),
            sweep=sweep,
            prompt=SavedPrompt.of(
                _own(vectors, member), loaded, member.template.family, prompt.encoder, member.template.soft
            ),
        )
        for member in members
    }


def _options(settled: Settled) -> PromptOptions:
    if settled.method != "prompt":
        raise ConfigError(
            f"several tasks are tuned together by soft prompts, not by '{settled.method}'",
            hint="choose method 'prompt', or tune the tasks one by one",
        )
    options = settled.prompt or PromptOptions()
    if len(options.vectors or (0,)) * len(options.encoders) > 1:
        raise ConfigError(
            "several numbers of vectors or prompt encoders for tasks that are tuned together",
            hint="give one of each",
        )
    return options


def _check(tasks: Sequence[Task]) -> None:
    names = [task.name for task in tasks]
    if len(names) < 2:
        raise DataError("one task alone shares nothing", hint="give two tasks or more")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"two tasks are named '{twice}'", hint="give one of them another name in a task file")


def _member(
    loaded: LoadedModel, task: Task, split: Split, family: TemplateFamily, options: PromptOptions
) -> _Member:
    if not split.train:
        raise DataError(f"{task.name}: no labelled rows to tune on", hint="give some shots")
    template = cell_template(loaded, task, family, None, "prompt")
    if not any(segment.shared for segment in template.soft):
        raise TemplateError(
            f"no soft prompt of the family '{family.name}' has a name, so the tasks would share nothing",
            where=family.origin or None,
            hint='write {{ soft(10, name="shared") }}, or give --shared 10',
        )
    vectors = options.vectors[0] if options.vectors else None
    template = template.with_vectors(vectors)
    names = {s.name: s.name if s.shared else f"{task.name}/{s.name}" for s in template.soft}
    return _Member(task, split, template, names)


def _prompt(loaded: LoadedModel, members: Sequence[_Member], options: PromptOptions, seed: int) -> SoftPrompt:
    """One module of all vectors: a shared part begins as for the first task that has it."""
    parts: dict[str, PromptEncoder] = {}
    unit = 0.0
    for member in members:
        own = new_prompt(
            loaded, member.template, member.task, member.split, options,
            encoder=options.encoders[0], phrase=None, seed=seed,
        )  # fmt: skip
        unit = float(own.unit)
        for name, part in zip(own.names, own.parts, strict=True):
            assert isinstance(part, PromptEncoder)
            there = parts.setdefault(member.names[name], part)
            if there.length != part.length:  # one family, but a condition may take another branch
                raise TemplateError(f"the soft prompt '{name}' has two lengths", hint="give it one")
    prompt = SoftPrompt(parts, unit, options.encoders[0])
    device: nn.Module = prompt.to(loaded.model.device)
    assert isinstance(device, SoftPrompt)
    return device


def _encoded(learner: Learner, member: _Member, settled: Settled) -> CellRows:
    return encode_cell(
        learner, member.template, member.split, settled, test=(), form=member.task.form, names=member.names
    )


def _rows(learner: Learner, members: Sequence[_Member], settled: Settled) -> CellRows:
    """The rows of all tasks as those of one cell; `parts` says how many belong to each."""
    each = [_encoded(learner, member, settled) for member in members]
    return CellRows(
        train=_joined([rows.train for rows in each]),
        dev=Asked(
            tuple(head for rows in each for head in rows.dev.heads),
            tuple(several for rows in each for several in rows.dev.references),
            _joined([rows.dev.questions for rows in each]),
        ),
        dev_pairs=_joined([rows.dev_pairs for rows in each]),
        test=Asked((), (), ()),
        max_new_tokens=max(rows.max_new_tokens for rows in each),
        words_lost=sum(rows.words_lost for rows in each),
        parts=tuple(len(rows.train) for rows in each),
    )


def _joined(parts: Sequence[Sequence[Encoded]]) -> tuple[Encoded, ...]:
    return tuple(item for part in parts for item in part)


def _room(learner: Learner, member: _Member, settled: Settled) -> int:
    return _encoded(learner, member, settled).max_new_tokens


def _own(vectors: Mapping[str, Tensor], member: _Member) -> dict[str, Tensor]:
    return {own: vectors[name] for own, name in member.names.items()}
