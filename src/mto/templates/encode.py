"""From typed segments to token ids: each text alone, masks by the family's adapter.

Spaces around a mask: a text segment is tokenised without its outer spaces, so ``for {{ mask }}.`` and
``for {{ mask }} .`` give the same ids. The pieces behind a mask begin as a new word, as they did in pre-training.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mto.errors import TemplateError
from mto.templates.segments import (
    AnswerSegment,
    ChoiceSegment,
    MaskSegment,
    Rendered,
    Segment,
    SoftSegment,
    plain_text,
)
from mto.templates.shorten import Segments, shorten

if TYPE_CHECKING:
    from mto.families import Adapter, Part


_HELD = -1  # stands for a vector until the layout of the source is known; no id is negative


@dataclass(frozen=True, slots=True)
class SoftSpan:
    """Where the vectors of a soft prompt go: from position ``start`` of the source on."""

    start: int
    length: int
    name: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example as ids.

    Attributes:
        source_ids: what the encoder reads, EOS last.
        target_ids: what the decoder must write (the labels), EOS last; empty where the answer is not known.
        masks_asked: masks in the source, for `Adapter.read_answer`.
        words_lost: words that the source lost to fit.
        soft: where vectors go; the source has the pad id at these places, and no vocabulary row of their own.
    """

    source_ids: tuple[int, ...]
    target_ids: tuple[int, ...]
    masks_asked: int
    words_lost: int = 0
    soft: tuple[SoftSpan, ...] = ()


def encode_example(
    rendered: Rendered,
    adapter: Adapter,
    *,
    max_source: int | None = None,
    max_target: int | None = None,
    soft: bool = False,
) -> Encoded:
    """Encode one example; see `encode_many`, which is much faster for many."""
    return encode_many([rendered], adapter, max_source=max_source, max_target=max_target, soft=soft)[0]


def encode_many(
    examples: Iterable[Rendered],
    adapter: Adapter,
    *,
    max_source: int | None = None,
    max_target: int | None = None,
    soft: bool = False,
) -> list[Encoded]:
    """Encode examples with one call of the tokenizer for all their texts.

    Args:
        examples: what `Template.render` gave.
        adapter: the checkpoint's adapter.
        max_source: most source ids, EOS included; never above what the checkpoint can read, which is the default.
        max_target: most target ids, EOS included; the same holds.
        soft: whether the caller puts vectors in where `Encoded.soft` says. Without, a soft prompt is an error, since its
            places would be read as pads.

    Returns:
        One `Encoded` an example, in order. An over-long source loses last words of its longest field
        (`shorten`); the count is in ``words_lost``.

    Raises:
        TemplateError: the literals of a source alone, or a target, are over the limit (answers are never cut); or
            there is a soft prompt and `soft` is False.
    """
    examples = list(examples)
    if not soft:
        _no_soft(examples)
    texts = _Texts(adapter)
    texts.add(_text(segment) for example in examples for segment in (*example.source, *example.target))
    most_source = _least(max_source, adapter.max_positions)
    most_target = _least(max_target, adapter.max_positions)
    return [_encode(example, adapter, texts, most_source, most_target) for example in examples]


def _encode(
    example: Rendered, adapter: Adapter, texts: _Texts, most_source: int | None, most_target: int | None
) -> Encoded:
    source_ids, lost = adapter.build_source(texts.parts(example.source)), 0
    if most_source is not None and len(source_ids) > most_source:

        def fits(segments: Segments) -> bool:
            return len(adapter.build_source(texts.parts(segments))) <= most_source

        shorter = shorten(example.source, fits)
        if shorter is None:
            vectors = sum(segment.length for segment in example.soft)
            told = f", {vectors} of them vectors," if vectors else ""
            raise TemplateError(
                f"the source is over {most_source} ids long{told} and has no field to shorten: "
                f"{_start(example.source)}",
                hint="raise max_source, or use a shorter phrase" + (" or fewer vectors" if vectors else ""),
                where=example.where or None,
            )
        source_ids, lost = adapter.build_source(texts.parts(shorter.segments)), shorter.words_lost
    spans = _spans(source_ids, example.soft)
    return Encoded(
        tuple(adapter.pad_id if i == _HELD else i for i in source_ids) if spans else tuple(source_ids),
        _target(example, adapter, texts, most_target),
        example.masks_asked,
        lost,
        spans,
    )


def _no_soft(examples: Sequence[Rendered]) -> None:
    found = next((example for example in examples if example.soft), None)
    if found is not None:
        raise TemplateError(
            f"the template holds a soft prompt, which this step has no vectors for: {_start(found.source)}",
            hint="choose a family without soft prompts, such as 'prompting'",
        )


def _spans(source_ids: Sequence[int], soft: Sequence[SoftSegment]) -> tuple[SoftSpan, ...]:
    """The places of the soft prompts; segments that stand side by side share one run of held places."""
    places = (place for place, i in enumerate(source_ids) if i == _HELD)
    spans = []
    for segment in soft:
        first, *_ = [next(places) for _ in range(segment.length)]
        spans.append(SoftSpan(first, segment.length, segment.name))
    return tuple(spans)


def _target(example: Rendered, adapter: Adapter, texts: _Texts, most: int | None) -> tuple[int, ...]:
    if any(isinstance(s, AnswerSegment | ChoiceSegment) and s.text is None for s in example.target):
        return ()
    ids = adapter.build_target(texts.parts(example.target))
    if most is not None and len(ids) > most:
        raise TemplateError(
            f"the target is {len(ids)} ids long, {most} are allowed: {_start(example.target)}",
            hint="shorten it, or leave its row out (mto validate lists all such rows); answers are never cut",
            where=example.where or None,
        )
    return tuple(ids)


class _Texts:
    """Ids of texts, each tokenised once."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._ids: dict[str, tuple[int, ...]] = {"": ()}

    def add(self, texts: Iterable[str | None]) -> None:
        new = [text for text in dict.fromkeys(texts) if text and text not in self._ids]
        if new:
            encoded = self._adapter.encode_many(new)
            self._ids.update((text, tuple(ids)) for text, ids in zip(new, encoded, strict=True))

    def parts(self, segments: Sequence[Segment]) -> list[Part]:
        from mto.families import MaskPart, TextPart

        self.add(_text(segment) for segment in segments)
        parts: list[Part] = []
        for segment in segments:
            if isinstance(segment, MaskSegment):
                parts.append(MaskPart(segment.index))
            elif isinstance(segment, SoftSegment):
                parts.append(TextPart((_HELD,) * segment.length))
            elif ids := self._ids[_text(segment) or ""]:
                parts.append(TextPart(ids))
        return parts


def _text(segment: Segment) -> str | None:
    """The text to tokenise: without outer spaces, None for a mask or a soft prompt."""
    return None if isinstance(segment, MaskSegment | SoftSegment) else (segment.text or "").strip()


def _least(asked: int | None, able: int | None) -> int | None:
    given = [limit for limit in (asked, able) if limit is not None]
    return min(given) if given else None


def _start(segments: Sequence[Segment]) -> str:
    text = plain_text(tuple(segments))
    return repr(text if len(text) <= 80 else text[:79] + "…")
