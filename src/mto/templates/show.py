"""What the encoder sees and what the decoder must write, for a person to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mto.templates.compile import Template, compile_template
from mto.templates.encode import Encoded, SoftSpan, encode_example
from mto.templates.family import BASIC, TemplateFamily, get_family
from mto.templates.layout import choices_of
from mto.templates.segments import soft_text

if TYPE_CHECKING:
    from mto.families import Adapter


@dataclass(frozen=True)
class Side:
    """One side of an example: readable text with the checkpoint's own masks, ids, and one token an id.

    At the places of `soft` vectors are put in; there the ids are pads, and the text has a picture.
    """

    text: str
    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    soft: tuple[SoftSpan, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def shown_ids(self) -> tuple[str, ...]:
        """The ids for a person to read, with one picture a soft prompt."""
        shown: list[str] = []
        for part in _parts(self.ids, self.soft):
            shown.extend([part] if isinstance(part, str) else map(str, part))
        return tuple(shown)


@dataclass(frozen=True)
class Shown:
    """One example under one family.

    Attributes:
        answer: what the reader of answers gets back from the target.
        warnings: findings of the lint, as texts.
    """

    family: TemplateFamily
    source: Side
    target: Side
    masks_asked: int
    words_lost: int
    answer: str
    warnings: tuple[str, ...]


def show_example(
    fields: Mapping[str, str],
    answer: str,
    adapter: Adapter,
    *,
    families: Sequence[str | Path | TemplateFamily] = BASIC,
    phrase: str | None = None,
    max_source: int | None = None,
    max_target: int | None = None,
    compiled: Callable[[TemplateFamily], Template] | None = None,
    word: str | None = None,
) -> tuple[Shown, ...]:
    """Write one example under several families, as text and as ids.

    Families that need a phrase are left out when there is none.

    Args:
        compiled: composes a family for the task, where that is not a completion task.
        word: what is written behind a natural phrase in place of the answer: a label's word.

    Raises:
        TemplateError: a family does not fit the fields or the checkpoint.
    """
    shown = []
    for family in map(get_family, families):
        if phrase is None and "phrase" in family.source:
            continue
        if compiled is not None:
            template = compiled(family)
        else:
            template = compile_template(family, phrase=phrase, fields=tuple(fields), adapter=adapter)
        choices = choices_of(fields)
        written = word if word is not None and template.phrase is not None else answer
        rendered = template.render(fields, written, choices.index(answer) if choices else None)
        encoded = encode_example(rendered, adapter, max_source=max_source, max_target=max_target, soft=True)
        shown.append(_shown(family, encoded, adapter, tuple(map(str, template.warnings))))
    return tuple(shown)


def _shown(family: TemplateFamily, encoded: Encoded, adapter: Adapter, warnings: tuple[str, ...]) -> Shown:
    return Shown(
        family=family,
        source=_side(encoded.source_ids, adapter, encoded.soft),
        target=_side(encoded.target_ids, adapter),
        masks_asked=encoded.masks_asked,
        words_lost=encoded.words_lost,
        answer=adapter.read_answer(encoded.target_ids, encoded.masks_asked).text,
        warnings=warnings,
    )


def _side(ids: tuple[int, ...], adapter: Adapter, soft: tuple[SoftSpan, ...] = ()) -> Side:
    texts = [part if isinstance(part, str) else adapter.show(part) for part in _parts(ids, soft)]
    return Side(" ".join(texts), ids, tuple(adapter.tokenizer.convert_ids_to_tokens(list(ids))), soft)


def _parts(ids: tuple[int, ...], soft: tuple[SoftSpan, ...]) -> list[str | tuple[int, ...]]:
    """Runs of ids, and between them a picture for each soft prompt."""
    parts: list[str | tuple[int, ...]] = []
    done = 0
    for span in soft:
        if span.start > done:
            parts.append(ids[done : span.start])
        parts.append(soft_text(span.length, span.name))
        done = span.start + span.length
    if done < len(ids):
        parts.append(ids[done:])
    return parts
