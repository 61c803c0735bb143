"""`mto validate`: everything that is wrong or odd with a task, at once, also for the checkpoint that is to learn it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from mto.errors import MtoError, TemplateError
from mto.pipeline.kinds import FAMILIES_OF
from mto.tasks import Example, Kind, Task
from mto.tasks.inspecting import Finding, finding_of, inspect_task
from mto.templates import MaskSegment, Rendered, Segment, Template, get_family, plain_text

if TYPE_CHECKING:
    from mto.families import Adapter

CHUNK = 500  # examples that are written and tokenised together
HUGE = 200_000
"""Characters of one row from which it is too long for any model, so that it is not tokenised."""
LISTED = 12  # characters that are named in one message


@dataclass(frozen=True)
class Lengths:
    """Tokens of the sources and of the targets of a task's rows, as one family writes them."""

    rows: int
    source_median: int
    source_most: int
    target_median: int
    target_most: int
    limit: int


@dataclass(frozen=True)
class Validated:
    """One task that could be loaded.

    Attributes:
        sizes: examples by split.
        tested: test examples that a run can test on: without those that stand in train or dev, at most as many as the task file says.
        labels: of a classification: train rows by label.
        family: the family that the example and the lengths are of.
        example: what the encoder reads and what the decoder writes for the first example, masks as pictures.
        lengths: None where no checkpoint was asked.
    """

    task: str
    kind: Kind
    sizes: Mapping[str, int]
    tested: int
    labels: Mapping[str, int]
    family: str
    example: tuple[str, str] | None
    lengths: Lengths | None


@dataclass(frozen=True)
class Validation:
    """What `validate_task` found: errors first."""

    ref: str
    kind: Kind | None
    model: str | None
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    tasks: tuple[Validated, ...]


def validate_task(
    ref: str | Path,
    *,
    data: Any = None,
    model: str | Path | Adapter | None = "mini",
    max_source: int = 512,
    strict: bool = False,
    **rows: Any,
) -> Validation:
    """Load, lint, render and tokenise a task, and say everything that is wrong or odd.

    Args:
        ref: a library name, a task file, or a file of rows.
        data: where the rows are, in place of what the task file says.
        model: the checkpoint whose tokenizer measures the rows; None: no lengths, and much faster.
        max_source: most tokens that a run will read (`TuneConfig.max_source`).
        strict: whether warnings count as errors.
        rows: ``relation``, ``phrases``, ``columns``, ``delimiter``, as for `mto.tasks.load_task`.

    Raises:
        UnknownNameError: no such task or checkpoint.
    """
    inspected = inspect_task(ref, data=data, **rows)
    findings = list(inspected.findings)
    adapter: Any = None
    if model is not None and inspected.tasks:
        from mto.pipeline.show import load_adapter

        adapter = load_adapter(model) if isinstance(model, str | Path) else model
    tasks = [
        _validated(task, inspected.tested[task.name], adapter, max_source, findings, inspected.paths)
        for task in inspected.tasks
    ]
    if strict:
        findings = [replace(one, level="error") for one in findings]
    findings = list(dict.fromkeys(findings))
    return Validation(
        ref=str(ref),
        kind=inspected.kind,
        model=None if adapter is None else str(model) if isinstance(model, str | Path) else adapter.name,
        errors=tuple(one for one in findings if one.level == "error"),
        warnings=tuple(one for one in findings if one.level == "warning"),
        tasks=tuple(tasks),
    )


def _validated(
    task: Task,
    tested: int,
    adapter: Adapter | None,
    max_source: int,
    findings: list[Finding],
    paths: Mapping[str, str],
) -> Validated:
    templates = _templates(task, adapter, findings)
    last = templates[-1] if templates else None
    example, lengths = None, None
    if last is not None:
        try:
            first = _write(task, last, (*task.train, *task.test)[0])
            example = (plain_text(first.source), plain_text(first.target))
            if adapter is not None:
                lengths = _measure(task, last, adapter, max_source, findings, paths)
        except TemplateError as error:
            findings += finding_of(error, "render")
    labels = Counter(one.targets[0] for one in task.train) if task.form.labels else {}
    return Validated(
        task=task.name,
        kind=task.kind,
        sizes={split: len(getattr(task, split)) for split in ("train", "dev", "test")},
        tested=tested,
        labels=dict(labels),
        family=last.family.name if last else "",
        example=example,
        lengths=lengths,
    )


def _templates(task: Task, adapter: Adapter | None, findings: list[Finding]) -> list[Template]:
    """The task under each usual family and each of its phrases, as far as they can be written."""
    found: list[Template] = []
    for number, phrase in enumerate(
        reversed(task.phrases or (None,))
    ):  # the first phrase last: it is the default
        for name in FAMILIES_OF[task.kind]:
            family = get_family(name)
            if ("phrase" in family.source) and phrase is None:
                continue
            try:
                template = task.form.template(family, phrase=phrase, fields=task.fields, adapter=adapter)
            except MtoError as error:
                named = f" (phrase {phrase!r})" if phrase is not None and "phrase" in family.source else ""
                findings += [
                    replace(one, message=one.message + named) for one in finding_of(error, "template")
                ]
                continue
            findings += [
                Finding("warning", "template", p.message, p.where, p.hint) for p in template.warnings
            ]
            if number == len(task.phrases or (None,)) - 1 or "phrase" in family.source:
                found.append(template)
    return found


def _write(task: Task, template: Template, example: Example, target: str | None = None) -> Rendered:
    answer = example.targets[0] if target is None else target
    right = example.choices.index(answer) if example.choices else None
    text = task.form.written(answer, natural=template.phrase is not None)
    return template.render(example.fields, text, right)


def _measure(
    task: Task,
    template: Template,
    adapter: Adapter,
    max_source: int,
    findings: list[Finding],
    paths: Mapping[str, str],
) -> Lengths | None:
    """Tokens of every row; rows that a run would cut, cannot write, or that the tokenizer cannot read are told."""
    limit = min(max_source, adapter.max_positions or max_source)
    most_target = adapter.max_positions
    sources, targets = [], []
    strange: dict[str, list[str]] = {}
    for part in _parts((*task.train, *task.dev, *task.test)):
        pairs = [(one, target) for one in part for target in one.targets]
        rendered = [_write(task, template, one, target) for one, target in pairs]
        texts = list(
            dict.fromkeys(
                text for one in rendered for text in _texts((*one.source, *one.target)) if len(text) <= HUGE
            )
        )
        ids = dict(zip(texts, adapter.encode_many(texts), strict=True)) if texts else {}
        for (one, target), written in zip(pairs, rendered, strict=True):
            name, _, line = one.where.rpartition(":")
            where = f"{paths.get(name, name)}:{line}"
            source, huge = _count(written.source, ids)
            if huge or source > limit:
                told = f"over {HUGE:,} characters" if huge else f"{source} tokens"
                message = f"{told}, and {limit} are read: its longest field loses its last words"
                findings.append(Finding("warning", "too-long", message, where, "shorten it, or leave it out"))
            if not huge:
                sources.append(source)
            length, huge = _count(written.target, ids)
            if huge or (most_target is not None and length > most_target):
                findings.append(_too_long(f"the target '{target[:40]}…'", most_target, where))
            else:
                targets.append(length)
            if adapter.unk_id is not None:
                for text in _texts((*written.source, *written.target)):
                    if adapter.unk_id in ids.get(text, ()):
                        strange.setdefault(text, []).append(where)
        findings += _long_choices(task, template, adapter, part, paths)
    if strange:
        findings.append(_strange(strange, adapter))
    if not sources or not targets:
        return None
    return Lengths(
        len(sources), round(median(sources)), max(sources), round(median(targets)), max(targets), limit
    )


def _long_choices(
    task: Task, template: Template, adapter: Adapter, part: tuple[Example, ...], paths: Mapping[str, str]
) -> list[Finding]:
    """Wrong choices that are longer than the checkpoint can write: ranking has it write every choice of a question."""
    most = adapter.max_positions
    asked = [
        (one, choice, _write(task, template, one, choice).target)
        for one in part
        for choice in one.choices
        if choice not in one.targets
    ]
    texts = list(dict.fromkeys(t for *_, target in asked for t in _texts(target) if len(t) <= HUGE))
    ids = dict(zip(texts, adapter.encode_many(texts), strict=True)) if texts else {}
    found = []
    for one, choice, target in asked:
        length, huge = _count(target, ids)
        if huge or (most is not None and length > most):
            name, _, line = one.where.rpartition(":")
            found.append(_too_long(f"the choice '{choice[:40]}…'", most, f"{paths.get(name, name)}:{line}"))
    return found


def _too_long(what: str, most: int | None, where: str) -> Finding:
    message = f"{what} is longer than the checkpoint can write ({most or HUGE} tokens)"
    return Finding("error", "too-long", message, where, "shorten it; answers are never cut")


def _parts(examples: tuple[Example, ...]) -> Iterator[tuple[Example, ...]]:
    for start in range(0, len(examples), CHUNK):
        yield examples[start : start + CHUNK]


def _texts(segments: Iterable[Segment]) -> list[str]:
    return [
        text.strip()
        for one in segments
        if not isinstance(one, MaskSegment) and (text := getattr(one, "text", None))
    ]


def _count(segments: tuple[Segment, ...], ids: Mapping[str, list[int]]) -> tuple[int, bool]:
    """Tokens of segments with their masks and the end, and whether a text is too long to be tokenised."""
    texts = _texts(segments)
    masks = sum(isinstance(one, MaskSegment) for one in segments)
    return 1 + masks + sum(len(ids[text]) for text in texts if text in ids), any(
        text not in ids for text in texts
    )


def _strange(strange: Mapping[str, list[str]], adapter: Adapter) -> Finding:
    """One warning for all characters that the tokenizer cannot read."""
    known: dict[str, bool] = {}
    lost: dict[str, int] = {}
    for text in strange:
        for char in dict.fromkeys(text[:HUGE]):
            if char not in known:
                known[char] = char.isspace() or adapter.unk_id not in adapter.encode(char)
            if not known[char]:
                lost[char] = lost.get(char, 0) + 1
    rows = list(dict.fromkeys(where for places in strange.values() for where in places))
    named = (
        " ".join(repr(char) for char in sorted(lost, key=lambda one: -lost[one])[:LISTED])
        or "some characters"
    )
    more = f" and {len(lost) - LISTED} more" if len(lost) > LISTED else ""
    others = f", {', '.join(row.rpartition(':')[2] for row in rows[1:10])}" if len(rows) > 1 else ""
    message = f"the tokenizer cannot read {named}{more} ({len(rows)} rows{': lines ' + rows[0].rpartition(':')[2] + others if others else ''})"
    return Finding(
        "warning",
        "unknown-characters",
        message,
        rows[0],
        "the model sees the same unknown piece for all of them",
    )
