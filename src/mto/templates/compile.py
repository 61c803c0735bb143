"""From a family's texts to a template that writes examples as typed segments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mto.errors import TemplateError
from mto.templates.family import COMPLETION_FIELDS, TemplateFamily, get_family
from mto.templates.language import (
    RESERVED,
    AnswerRef,
    ChoiceRef,
    FieldRef,
    MaskRef,
    Piece,
    SoftRef,
    Text,
    parse_text,
    write,
)
from mto.templates.layout import CHOICE_FIELDS, count_choices
from mto.templates.lint import (
    Problem,
    adapter_problems,
    check_names,
    number_masks,
    phrase_problems,
    piece_problems,
    raise_problems,
    soft_problems,
)
from mto.templates.segments import (
    AnswerSegment,
    ChoiceSegment,
    FieldSpan,
    MaskSegment,
    Rendered,
    Segment,
    SoftSegment,
    TextSegment,
)

if TYPE_CHECKING:
    from mto.families import Adapter

Written = tuple[tuple[Piece, ...], tuple[Piece, ...]]
Texts = tuple[Text, Text, Text | None]
PROBE = "thing"  # stands for every field while a template is checked
_PROBED = dict.fromkeys(CHOICE_FIELDS[:2], PROBE)


@dataclass(frozen=True)
class Template:
    """A family composed with one phrase of a task, ready to write examples; made by `compile_template`.

    Attributes:
        family: the family.
        phrase: the phrase's template text, or None for a family that uses none.
        fields: names of the fields that it writes; those of the choices are left out.
        choices: whether it writes the choices of a row, or the right one's name.
        vectors: length of every soft prompt in place of what the family says, or None.
        warnings: findings that do not stop it, such as line breaks that the tokenizer drops.
    """

    family: TemplateFamily
    phrase: str | None
    fields: frozenset[str]
    warnings: tuple[Problem, ...] = ()
    vectors: int | None = None
    choices: bool = False
    _texts: Texts = field(repr=False, kw_only=True)
    _input: Text | None = field(repr=False, kw_only=True)
    _static: bool = field(repr=False, kw_only=True)
    # What it writes for so many choices, where it writes the same for every row.
    _written: dict[int, Written] = field(repr=False, kw_only=True, compare=False)

    @property
    def soft(self) -> tuple[SoftSegment, ...]:
        """The soft prompts that it may write, each name once, in the order of the source; empty for a plain template.

        >>> template = compile_template("masked-post-pt")
        >>> template.soft
        (SoftSegment(length=20, name='#1', init=None),)
        """
        found = _soft_segments(self._texts[0].softs, self.vectors)
        return tuple({segment.name: segment for segment in found}.values())

    def with_vectors(self, vectors: int | None) -> Template:
        """The same template with soft prompts of this length. Raises `TemplateError` for a number below 1."""
        if vectors is not None and vectors < 1:
            raise TemplateError(f"a soft prompt of {vectors} vectors", hint="give 1 or more")
        return replace(self, vectors=vectors)

    def render(
        self,
        fields: Mapping[str, str],
        answer: str | None = None,
        choice: int | None = None,
        *,
        where: str = "",
    ) -> Rendered:
        """Write one example.

        Args:
            fields: content of every field of the template; others are passed over.
            answer: what the model must write, or None for prediction.
            choice: the number (from 0) of the choice that is the answer, for families that write its name.
            where: ``file:line`` of the row, for messages of what comes later.

        Raises:
            TemplateError: a field is missing, a row has fewer than two choices, or a condition of the template takes a
                branch that has no answer slot or a mask too many.

        >>> template = compile_template("masked-prompting", phrase="{{ head }} is used for")
        >>> rendered = template.render({"head": "hammer"}, "pounding nails")
        >>> [segment.text if isinstance(segment, TextSegment) else segment for segment in rendered.source]
        ['hammer is used for ', MaskSegment(index=0)]
        >>> rendered.masks_asked
        1
        """
        missing = sorted(self.fields - fields.keys())
        if missing:
            found = ", ".join(fields) or "none"
            raise TemplateError(
                f"field '{missing[0]}' is missing (found: {found})", where=f"family '{self.family.name}'"
            )
        number = count_choices(fields, f"family '{self.family.name}'") if self.choices else 0
        written = self._written.get(number)
        if written is None:
            names = (*self.fields, *CHOICE_FIELDS[:number])
            written = self._write({name: fields[name] for name in names})
            if self._static:
                self._written[number] = written
        name = self.family.layout.name(choice) if choice is not None else None
        source, target = (_segments(pieces, fields, (answer, name), self.vectors) for pieces in written)
        return Rendered(source, target, where)

    def _write(self, fields: Mapping[str, str]) -> Written:
        pair, problems = _write(self.family, self._texts, self._input, fields)
        raise_problems(problems, f"family '{self.family.name}'")
        return pair


def compile_template(
    family: str | Path | TemplateFamily,
    *,
    phrase: str | None = None,
    fields: Collection[str] = COMPLETION_FIELDS,
    adapter: Adapter | None = None,
    phrase_where: str = "",
    input: str | None = None,
    choices: bool = False,
) -> Template:
    """Compose a family with a task's phrase and check that they hold together.

    Args:
        family: a registered name, the path of a YAML file, or a family.
        phrase: the task's natural phrase, a template text such as ``"{{ head }} is used for"``.
        fields: the fields that the task has.
        adapter: also check that this checkpoint can write the masks and knows the characters.
        phrase_where: ``file:line`` of the phrase, for messages.
        input: a template text that ``{{ head }}`` stands for, where the task has no such field. None: the field, or with
            choices what the family's layout says.
        choices: whether the rows have choices.

    Raises:
        TemplateError: all problems at once, each with its place and a hint: bad syntax, unknown fields, no
            answer slot, a mask in the target that is not in the source, text around the answer, no input in the
            source, a family that needs a phrase where the task has none, masks that the checkpoint cannot
            write, characters that become the unknown token.
    """
    family = get_family(family)
    problems: list[Problem] = []
    texts = {
        part: _parse(getattr(family, part), family.where(part), problems) for part in ("source", "target")
    }
    source, target = texts["source"], texts["target"]
    if choices and input is None and "head" not in fields:
        input = family.layout.input(fields)
    known = {*fields, *RESERVED} | ({"head"} if input is not None else set())
    for part, text in texts.items():
        problems += check_names(text, known, family.where(part)) if text else []
    input_text = _parse(input, "the task's input", problems) if input is not None else None
    if input_text is not None:
        problems += check_names(input_text, {*fields, "choices"}, "the task's input")
    uses_phrase = any(text is not None and "phrase" in text.names for text in texts.values())
    phrase_text = None
    if uses_phrase and phrase is None:
        hint = "give the task a phrase, or choose a family without one, such as 'mapping'"
        problems.append(
            Problem("the family needs a phrase and the task has none", family.where("source"), hint)
        )
    elif uses_phrase and phrase is not None:
        own = {*fields, "head"} if input is not None else fields
        found = phrase_problems(phrase, own, phrase_where or f"phrase {phrase!r}", choices=choices)
        problems += found
        phrase_text = parse_text(phrase) if not found else None
    template = None
    if source and target and bool(phrase_text) == uses_phrase:
        trio = (source, target, phrase_text)
        problems += soft_problems(trio, family)
        names = frozenset().union(*(text.names for text in trio if text))
        if input_text is not None and "head" in names:
            names = names - {"head"} | input_text.names
        else:
            input_text = None
        writes_choices = bool(names & {"choice", "choices"})
        if (writes_choices or family.choices) and not choices:
            hint = (
                "choose another family, such as 'masked-mapping', or 'prompting' where the task has a phrase"
            )
            problems.append(Problem("the family is for tasks with choices", family.where("source"), hint))
        template = Template(
            family, phrase if uses_phrase else None, names - RESERVED, choices=writes_choices, _texts=trio,
            _input=input_text, _static=all(text.static for text in (*trio, input_text) if text), _written={},
        )  # fmt: skip
        try:
            probe = {**dict.fromkeys(template.fields, PROBE), **(_PROBED if choices else {})}
            written, found = _write(family, trio, input_text, probe)
            problems += found
            if template._static and not writes_choices:
                template._written[0] = written
        except TemplateError as error:
            problems.append(Problem(error.message, error.where or "", error.hint or ""))
    raise_problems(problems, f"family '{family.name}'")
    if template is None:
        raise TemplateError("the family could not be compiled", where=family.origin or None)
    if adapter is not None:
        where = {part: family.where(part) for part in ("source", "target")}
        example = template.render({**dict.fromkeys(template.fields, PROBE), **_PROBED})
        found = adapter_problems(example, adapter, where)
        raise_problems(found, f"family '{family.name}' for this checkpoint")
        template = replace(template, warnings=tuple(found))
    return template


def _write(
    family: TemplateFamily, texts: Texts, input_text: Text | None, fields: Mapping[str, str]
) -> tuple[Written, list[Problem]]:
    source, target, phrase = texts
    layout = family.layout if CHOICE_FIELDS[0] in fields else None
    pair = (
        write(source, phrase, fields, input=input_text, layout=layout, where=family.where("source")),
        write(target, phrase, fields, input=input_text, layout=layout, where=family.where("target")),
    )
    return pair, piece_problems(*pair, family)


def _parse(source: str, where: str, problems: list[Problem]) -> Text | None:
    try:
        return parse_text(source, where=where)
    except TemplateError as error:
        problems.append(Problem(error.message, where, error.hint or ""))
        return None


def _soft_segments(refs: Sequence[SoftRef], vectors: int | None) -> list[SoftSegment]:
    """References as segments; those without a name are numbered, and `vectors` replaces every length."""
    segments, unnamed = [], 0
    for ref in refs:
        unnamed += ref.name is None
        segments.append(SoftSegment(vectors or ref.length, ref.name or f"#{unnamed}", ref.init))
    return segments


def _segments(
    pieces: Sequence[Piece],
    fields: Mapping[str, str],
    right: tuple[str | None, str | None],
    vectors: int | None,
) -> tuple[Segment, ...]:
    """Fill in contents; literals and fields that stand side by side become one text segment.

    `right` is the answer and the name of the right choice.
    """
    segments: list[Segment] = []
    text = ""
    spans: list[FieldSpan] = []
    masks = iter(number_masks(pieces))
    softs = iter(_soft_segments([piece for piece in pieces if isinstance(piece, SoftRef)], vectors))
    for piece in pieces:
        if isinstance(piece, MaskRef | AnswerRef | ChoiceRef | SoftRef):
            if text:
                segments.append(TextSegment(text, tuple(spans)))
            text, spans = "", []
            if isinstance(piece, SoftRef):
                segments.append(next(softs))
            elif isinstance(piece, MaskRef):
                segments.append(MaskSegment(next(masks)))
            elif isinstance(piece, ChoiceRef):
                segments.append(ChoiceSegment(right[1]))
            else:
                segments.append(AnswerSegment(right[0]))
        elif isinstance(piece, FieldRef):
            content = piece.fill(fields)
            spans.append(FieldSpan(piece.name, len(text), len(text) + len(content)))
            text += content
        else:
            text += piece
    if text:
        segments.append(TextSegment(text, tuple(spans)))
    return tuple(segments)
