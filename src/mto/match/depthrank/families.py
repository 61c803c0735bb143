"""Families as they write the rows at hand: compiled, encoded, and paired where they differ by masks alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from mto.errors import DataError, MtoError, TemplateError
from mto.families import LoadedModel
from mto.match.depthrank.results import LeftOut, MaskPair, Targets
from mto.tasks import Example, Row, Task
from mto.templates import (
    BASIC,
    BASIC_CHOICE,
    Encoded,
    MaskSegment,
    Rendered,
    Segment,
    Template,
    TemplateFamily,
    TextSegment,
    encode_many,
    get_family,
    list_families,
    plain_text,
)
from mto.tune.cell import cell_template
from mto.tune.optioned import right_choice

FamilyRef = str | Path | TemplateFamily
_CLOSING = ".!?…。"


@dataclass(frozen=True)
class Written:
    """One family's form of the rows.

    Attributes:
        template: the family with the task's phrase.
        encoded: for each row one example a target.
        masks: masks in the source of the first row.
        wording: sources of all rows without masks, blanks and a closing full stop; equal for families of the same
            words. Of families that also ask for a choice's name what stands behind the first mask is left out: it asks
            for that name. None where some sources hold masks and others none.
        sizes: for each row the UTF-8 bytes of its targets as the data hold them, where rows have options: the same for every
            family, whatever it writes for an option. None: as the tokenizer writes the target back.
    """

    template: Template
    encoded: tuple[tuple[Encoded, ...], ...]
    masks: int
    wording: tuple[str, ...] | None
    sizes: tuple[tuple[int, ...], ...] | None = None

    @property
    def name(self) -> str:
        """The family's name."""
        return self.template.family.name

    @property
    def by_name(self) -> bool:
        """Whether it writes a choice's name."""
        return self.template.family.by_name


def targets_of(row: Row | Example, which: Targets) -> tuple[str, ...]:
    """The targets of a row that are scored.

    Args:
        row: a labelled row, or a head with its tails.
        which: ``first``: a row's own target (of an `Example` its first tail); ``all``: every reference; a number: that
            many references at most, from the first.

    Raises:
        DataError: no such choice.
    """
    every = (row.references or (row.target,)) if isinstance(row, Row) else row.targets
    own = (row.target,) if isinstance(row, Row) else every[:1]
    if which == "first":
        return own
    if which == "all":
        return every
    if isinstance(which, bool) or not isinstance(which, int) or which < 1:
        raise DataError(f"targets is {which!r}", hint="use 'first', 'all' or a number from 1 on")
    return every[:which]


def write_families(
    loaded: LoadedModel,
    task: Task,
    rows: Sequence[Row | Example],
    families: Sequence[FamilyRef] | None,
    *,
    phrase: str | None,
    targets: Targets,
    max_source: int | None,
) -> tuple[list[Written], tuple[LeftOut, ...]]:
    """Write the rows with every family that can be.

    Args:
        families: None: every registered family for tasks of this kind.

    Returns:
        What was written, in the order asked for, and which families were left out.

    Raises:
        UnknownNameError: no such family.
        DataError: no rows, no families, or two of one name.
        TemplateError: none of the families can be written.
    """
    if not rows:
        raise DataError(f"{task.name}: there are no rows to score", hint="give two labelled rows or more")
    found = _families_for(task) if families is None else [get_family(ref) for ref in families]
    names = [family.name for family in found]
    if not names:
        raise DataError("no template families were asked for", hint="give their names, or None for all")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"two template families are named '{twice}'", hint="give each a name of its own")
    written: list[Written] = []
    left_out: list[LeftOut] = []
    for family in found:
        try:
            template = cell_template(loaded, task, family, phrase)
            written.append(_write(loaded, task, template, rows, targets, max_source))
        except TemplateError as error:
            left_out.append(LeftOut(family=family.name, reason=_reason(error, rows)))
    if not written:
        reasons = "; ".join(f"{out.family}: {out.reason}" for out in left_out)
        raise TemplateError(f"{task.name}: no template family can be written: {reasons}")
    return written, tuple(left_out)


def _families_for(task: Task) -> list[TemplateFamily]:
    """Every registered family without soft prompts that is for tasks of this kind."""
    others = {*BASIC, *BASIC_CHOICE} - {*task.form.families}
    able = [family for family in list_families() if not family.soft and family.name not in others]
    return [family for family in able if task.form.has_choices or not family.choices]


def answers_of(
    loaded: LoadedModel, task: Task, template: Template, rows: Sequence[Row | Example]
) -> list[tuple[int, ...]]:
    """Ids of what a family writes for the own target of each row, sentinels and EOS left out."""
    own = [(row, targets_of(row, "first")[0]) for row in rows]
    # The source is not looked at here, so it need not be encoded.
    rendered = [Rendered((), _render(task, template, row, target).target, row.where) for row, target in own]
    return [answer_ids(loaded, item) for item in encode_many(rendered, loaded.adapter)]


def mask_pairs(written: Sequence[Written]) -> tuple[MaskPair, ...]:
    """Every pair of a family without masks and one with masks whose sources are otherwise the same.

    The comparison is of the written sources, so families of a user's own pair up by what they write, not by name.
    Blanks do not count, nor does a full stop behind a mask: only a source with a mask can close its sentence. A family that
    writes a choice's name pairs up with such families alone.
    """
    return tuple(
        MaskPair(plain=plain.name, masked=masked.name)
        for plain in written
        if plain.masks == 0 and plain.wording is not None
        for masked in written
        if masked.masks > 0 and masked.wording == plain.wording and masked.by_name == plain.by_name
    )


def _write(
    loaded: LoadedModel,
    task: Task,
    template: Template,
    rows: Sequence[Row | Example],
    targets: Targets,
    max_source: int | None,
) -> Written:
    asked = [targets_of(row, targets) for row in rows]
    rendered = [
        [_render(task, template, row, text) for text in some] for row, some in zip(rows, asked, strict=True)
    ]
    flat = iter(encode_many([r for some in rendered for r in some], loaded.adapter, max_source=max_source))
    encoded = tuple(tuple(next(flat) for _ in some) for some in rendered)
    _check_targets(loaded, rows, encoded)
    sources = [some[0] for some in rendered]
    masks = sources[0].masks_asked
    alike = len({source.masks_asked > 0 for source in sources}) == 1
    by_name = template.family.by_name
    sizes = None
    if task.form.has_options:
        sizes = tuple(tuple(len(text.strip().encode()) for text in some) for some in asked)
    wording = tuple(_wording(source, by_name=by_name) for source in sources) if alike else None
    return Written(template, encoded, masks, wording, sizes)


def _render(task: Task, template: Template, row: Row | Example, target: str) -> Rendered:
    """A row as a family writes it: a label as its name or its first word, a choice with its name where that is asked for."""
    written = task.form.written(target, natural=template.phrase is not None)
    return template.render(row.fields, written, right_choice(row, target), where=row.where)


def _wording(rendered: Rendered, *, by_name: bool) -> str:
    """A source without masks, blanks and the punctuation that closes it."""
    segments: Sequence[Segment] = rendered.source
    if by_name:
        segments = tuple(takewhile(lambda segment: not isinstance(segment, MaskSegment), segments))
    words: tuple[Segment, ...] = tuple(s for s in segments if isinstance(s, TextSegment))
    return "".join(plain_text(words).split()).rstrip(_CLOSING)


def _check_targets(
    loaded: LoadedModel, rows: Sequence[Row | Example], encoded: Sequence[Sequence[Encoded]]
) -> None:
    for row, some in zip(rows, encoded, strict=True):
        if not some or not all(answer_ids(loaded, item) for item in some):
            raise DataError(
                f"a target of '{row.head}' has no tokens for this checkpoint",
                where=row.where or None,
                hint="drop the row, or write its target in characters that the tokenizer knows",
            )


def answer_ids(loaded: LoadedModel, item: Encoded) -> tuple[int, ...]:
    """Ids of the answer alone: without sentinels and EOS."""
    return tuple(i for i in item.target_ids[:-1] if not loaded.adapter.is_sentinel(i))


def _reason(error: MtoError, rows: Sequence[Row | Example]) -> str:
    """Why a family cannot be written; with the place where a row of the data is to blame."""
    placed = error.where in {row.where for row in rows}
    return f"{error.where}: {error.message}" if error.where and placed else error.message
