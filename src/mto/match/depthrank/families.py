"""Families as they write the rows at hand: compiled, encoded, and paired where they differ by masks alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mto.errors import DataError, MtoError, TemplateError
from mto.families import LoadedModel
from mto.match.depthrank.results import LeftOut, MaskPair, Targets
from mto.tasks import Example, Row, Task
from mto.templates import (
    Encoded,
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
            words. None where some sources hold masks and others none.
    """

    template: Template
    encoded: tuple[tuple[Encoded, ...], ...]
    masks: int
    wording: tuple[str, ...] | None

    @property
    def name(self) -> str:
        """The family's name."""
        return self.template.family.name


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
        families: None: every registered family.

    Returns:
        What was written, in the order asked for, and which families were left out.

    Raises:
        UnknownNameError: no such family.
        DataError: no rows, no families, or two of one name.
        TemplateError: none of the families can be written.
    """
    if not rows:
        raise DataError(f"{task.name}: there are no rows to score", hint="give two labelled rows or more")
    plain = [family for family in list_families() if not (family.soft or family.choices)]
    found = plain if families is None else [get_family(ref) for ref in families]
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
            written.append(_write(loaded, template, rows, targets, max_source))
        except TemplateError as error:
            left_out.append(LeftOut(family=family.name, reason=_reason(error)))
    if not written:
        reasons = "; ".join(f"{out.family}: {out.reason}" for out in left_out)
        raise TemplateError(f"{task.name}: no template family can be written: {reasons}")
    return written, tuple(left_out)


def mask_pairs(written: Sequence[Written]) -> tuple[MaskPair, ...]:
    """Every pair of a family without masks and one with masks whose sources are otherwise the same.

    The comparison is of the written sources, so families of a user's own pair up by what they write, not by name.
    Blanks do not count, nor does a full stop behind a mask: only a source with a mask can close its sentence.
    """
    return tuple(
        MaskPair(plain=plain.name, masked=masked.name)
        for plain in written
        if plain.masks == 0 and plain.wording is not None
        for masked in written
        if masked.masks > 0 and masked.wording == plain.wording
    )


def _write(
    loaded: LoadedModel,
    template: Template,
    rows: Sequence[Row | Example],
    targets: Targets,
    max_source: int | None,
) -> Written:
    rendered = [[template.render(row.fields, text) for text in targets_of(row, targets)] for row in rows]
    flat = iter(encode_many([r for some in rendered for r in some], loaded.adapter, max_source=max_source))
    encoded = tuple(tuple(next(flat) for _ in some) for some in rendered)
    _check_targets(loaded, rows, encoded)
    sources = [some[0] for some in rendered]
    masks = sources[0].masks_asked
    alike = len({source.masks_asked > 0 for source in sources}) == 1
    return Written(template, encoded, masks, tuple(map(_wording, sources)) if alike else None)


def _wording(rendered: Rendered) -> str:
    """A source without masks, blanks and the punctuation that closes it."""
    words: tuple[Segment, ...] = tuple(s for s in rendered.source if isinstance(s, TextSegment))
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


def _reason(error: MtoError) -> str:
    return error.message
