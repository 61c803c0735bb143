"""Typed pieces of a written example. No string ever holds a mask: a mask is a segment of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

FIXED_FIELDS = frozenset({"relation"})
"""Fields that are the same for all examples of a task; they count as literals and are never shortened."""


@dataclass(frozen=True, slots=True)
class FieldSpan:
    """Where a field's content stands in a text segment: code points ``start`` to ``end`` (exclusive)."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TextSegment:
    """Literals and fields that stand side by side; tokenised as one text, without its outer spaces."""

    text: str
    fields: tuple[FieldSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class MaskSegment:
    """The place of mask number ``index`` (from 0, by order of appearance in the source)."""

    index: int


@dataclass(frozen=True, slots=True)
class AnswerSegment:
    """What the model must write; ``text`` is None where the answer is not known (prediction)."""

    text: str | None = None


@dataclass(frozen=True, slots=True)
class ChoiceSegment:
    """The name of the right choice, which the model must write; ``text`` is None where it is not known."""

    text: str | None = None


@dataclass(frozen=True, slots=True)
class SoftSegment:
    """A run of ``length`` trainable vectors, put in where embeddings stand; no token is ever at its place.

    Attributes:
        name: as the template gives it, or ``#1``, ``#2`` … for those without a name, by order of appearance.
        init: words that the vectors begin as, or None.
    """

    length: int
    name: str
    init: str | None = None

    @property
    def shared(self) -> bool:
        """Whether it has a name of its own, so that other templates and tasks may hold the same vectors.

        >>> SoftSegment(20, "#1").shared, SoftSegment(10, "task").shared
        (False, True)
        """
        return not self.name.startswith("#")


Segment = TextSegment | MaskSegment | AnswerSegment | ChoiceSegment | SoftSegment


@dataclass(frozen=True, slots=True)
class Rendered:
    """One example written by a template: what the encoder sees, and what the decoder must write.

    Attributes:
        where: ``file:line`` of its row, for messages; no part of what is written.
    """

    source: tuple[Segment, ...]
    target: tuple[Segment, ...]
    where: str = field(default="", compare=False)

    @property
    def masks_asked(self) -> int:
        """How many masks the source asks the model to fill."""
        return sum(isinstance(segment, MaskSegment) for segment in self.source)

    @property
    def soft(self) -> tuple[SoftSegment, ...]:
        """The soft prompts of the source, in order."""
        return tuple(segment for segment in self.source if isinstance(segment, SoftSegment))


def plain_text(
    segments: tuple[Segment, ...],
    *,
    mask: str = "[M{}]",
    answer: str = "[answer]",
    choice: str = "[choice]",
) -> str:
    """Segments for a person to read; the masks are pictures here, never something to tokenise.

    >>> plain_text((TextSegment("hammer is used for "), MaskSegment(0)))
    'hammer is used for [M0]'
    """
    shown = []
    for segment in segments:
        if isinstance(segment, TextSegment):
            shown.append(segment.text)
        elif isinstance(segment, MaskSegment):
            shown.append(mask.format(segment.index))
        elif isinstance(segment, SoftSegment):
            shown.append(soft_text(segment.length, segment.name))
        elif isinstance(segment, ChoiceSegment):
            shown.append(choice if segment.text is None else segment.text)
        else:
            shown.append(answer if segment.text is None else segment.text)
    return "".join(shown)


def soft_text(length: int, name: str) -> str:
    """A soft prompt as a picture.

    >>> soft_text(20, "#1"), soft_text(10, "task")
    ('[P x 20]', '[P x 10: task]')
    """
    return f"[P x {length}]" if name.startswith("#") else f"[P x {length}: {name}]"
