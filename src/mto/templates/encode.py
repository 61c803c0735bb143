"""From typed segments to token ids: each text alone, masks by the family's adapter.

Spaces around a mask: a text segment is tokenised without its outer spaces, so ``for {{ mask }}.`` and
``for {{ mask }} .`` give the same ids. The pieces behind a mask begin as a new word, as they did in pre-training
(ANCHORS E.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mto.errors import TemplateError
from mto.templates.segments import AnswerSegment, MaskSegment, Rendered, Segment, plain_text
from mto.templates.shorten import Segments, shorten

if TYPE_CHECKING:
    from mto.families import Adapter, Part


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example as ids.

    Attributes:
        source_ids: what the encoder reads, EOS last.
        target_ids: what the decoder must write (the labels), EOS last; empty where the answer is not known.
        masks_asked: masks in the source, for `Adapter.read_answer`.
        words_lost: words that the source lost to fit.
    """

    source_ids: tuple[int, ...]
    target_ids: tuple[int, ...]
    masks_asked: int
    words_lost: int = 0


def encode_example(
    rendered: Rendered, adapter: Adapter, *, max_source: int | None = None, max_target: int | None = None
) -> Encoded:
    """Encode one example; see `encode_many`, which is much faster for many."""
    return encode_many([rendered], adapter, max_source=max_source, max_target=max_target)[0]


def encode_many(
    examples: Iterable[Rendered],
    adapter: Adapter,
    *,
    max_source: int | None = None,
    max_target: int | None = None,
) -> list[Encoded]:
    """Encode examples with one call of the tokenizer for all their texts.

    Args:
        examples: what `Template.render` gave.
        adapter: the checkpoint's adapter.
        max_source: most source ids, EOS included; never above what the checkpoint can read, which is the default.
        max_target: most target ids, EOS included; the same holds.

    Returns:
        One `Encoded` an example, in order. An over-long source loses last words of its longest field
        (`shorten`); the count is in ``words_lost``.

    Raises:
        TemplateError: the literals of a source alone, or a target, are over the limit (answers are never cut).
    """
    examples = list(examples)
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
            raise TemplateError(
                f"the source is over {most_source} ids long and has no field to shorten: "
                f"{_start(example.source)}",
                hint="raise max_source, or use a shorter phrase",
            )
        source_ids, lost = adapter.build_source(texts.parts(shorter.segments)), shorter.words_lost
    return Encoded(
        tuple(source_ids), _target(example, adapter, texts, most_target), example.masks_asked, lost
    )


def _target(example: Rendered, adapter: Adapter, texts: _Texts, most: int | None) -> tuple[int, ...]:
    if any(isinstance(segment, AnswerSegment) and segment.text is None for segment in example.target):
        return ()
    ids = adapter.build_target(texts.parts(example.target))
    if most is not None and len(ids) > most:
        raise TemplateError(
            f"the target is {len(ids)} ids long, {most} are allowed: {_start(example.target)}",
            hint="raise max_target, or drop the row; answers are never cut",
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
            elif ids := self._ids[_text(segment) or ""]:
                parts.append(TextPart(ids))
        return parts


def _text(segment: Segment) -> str | None:
    """The text to tokenise: without outer spaces, None for a mask."""
    return None if isinstance(segment, MaskSegment) else (segment.text or "").strip()


def _least(asked: int | None, able: int | None) -> int | None:
    given = [limit for limit in (asked, able) if limit is not None]
    return min(given) if given else None


def _start(segments: Sequence[Segment]) -> str:
    text = plain_text(tuple(segments))
    return repr(text if len(text) <= 80 else text[:79] + "…")
