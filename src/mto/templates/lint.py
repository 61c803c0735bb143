"""What can be wrong with a template, found before anything is trained, all problems at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mto.errors import FamilyError, TemplateError
from mto.registry import suggest
from mto.templates.family import COMPLETION_FIELDS, TemplateFamily
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
)
from mto.templates.segments import FIXED_FIELDS, AnswerSegment, MaskSegment, Rendered, TextSegment

if TYPE_CHECKING:
    from mto.families import Adapter


@dataclass(frozen=True)
class Problem:
    """One finding. An ``error`` stops loading; a ``warning`` is for showing."""

    message: str
    where: str
    hint: str = ""
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f"\n  -> {self.hint}" if self.hint else "")


def raise_problems(problems: Iterable[Problem], what: str) -> None:
    """Raise one `TemplateError` that lists every error among the problems, or return."""
    errors = [problem for problem in problems if problem.level == "error"]
    if len(errors) == 1:
        raise TemplateError(errors[0].message, where=errors[0].where, hint=errors[0].hint or None)
    if errors:
        raise TemplateError("\n".join([f"{len(errors)} problems in {what}:", *map(str, errors)]))


def check_family(family: TemplateFamily) -> None:
    """Lint a family without a task: a stand-in phrase, and the fields that a completion task has.

    Raises:
        TemplateError: all problems at once.
    """
    from mto.templates.compile import compile_template

    fields = (*COMPLETION_FIELDS, *family.fields)
    compile_template(
        family,
        phrase="{{ head }} " + "".join(f"{{{{ {name} }}}} " for name in family.fields),
        fields=fields,
        choices=True,
    )


def check_names(text: Text, allowed: Collection[str], where: str) -> list[Problem]:
    """Names that a template text uses and nobody gives."""
    return [
        Problem(f"unknown field '{name}'", where, suggest(name, allowed))
        for name in sorted(text.names - set(allowed))
    ]


def phrase_problems(
    phrase: str, fields: Collection[str], where: str, *, choices: bool = False
) -> list[Problem]:
    """What is wrong with the natural phrase of a task: syntax, unknown fields, no input, a mask or an answer.

    Args:
        choices: whether the task has choices, so that its phrase may write them.
    """
    try:
        text = parse_text(phrase, where=where)
    except TemplateError as error:
        return [Problem(error.message, where, error.hint or "")]
    problems = check_names(text, {*fields, *RESERVED}, where)
    misspelt = bool(problems)  # then the input may only be misspelt, which is told already
    for name in sorted(text.names & RESERVED - ({"choices"} if choices else set())):
        hint = "write the phrase up to the answer; the family adds mask and answer"
        problems.append(Problem(f"a phrase cannot hold '{name}'", where, hint))
    if not misspelt and not text.names & (set(fields) - FIXED_FIELDS):
        near = "{{ head }}" if "head" in fields else "one of the task's fields"
        problems.append(
            Problem(
                f"the phrase {phrase!r} holds no input, so the model would never see it",
                where,
                f'add {near}, such as "{{{{ head }}}} is used for"',
            )
        )
    return problems


def piece_problems(source: Sequence[Piece], target: Sequence[Piece], family: TemplateFamily) -> list[Problem]:
    """Structure of a written template: the answer's slot, the masks, and that the source shows the input."""
    at_source, at_target = family.where("source"), family.where("target")
    problems = []
    if any(isinstance(piece, AnswerRef) for piece in source):
        problems.append(Problem("the source shows the answer", at_source, "the answer belongs to the target"))
    if not any(isinstance(piece, FieldRef) and piece.name not in FIXED_FIELDS for piece in source):
        hint = "add {{ phrase }} or {{ head }}"
        problems.append(Problem("the source holds no input field", at_source, hint))
    if any(isinstance(piece, ChoiceRef) for piece in source):
        problems.append(Problem("the source shows the right choice", at_source, "it belongs to the target"))
    answers = sum(isinstance(piece, AnswerRef) for piece in target)
    if answers != 1:
        hint = "write {{ answer }} once, where the model must write it"
        problems.append(Problem(f"the target has {answers or 'no'} answer slots", at_target, hint))
    problems += _mask_problems(number_masks(source), number_masks(target), at_source, at_target)
    return problems + (_around_answer(target, at_target) if answers == 1 else [])


def soft_problems(texts: tuple[Text, Text, Text | None], family: TemplateFamily) -> list[Problem]:
    """Where soft prompts stand, and that each can be told from the others before anything is written."""
    source, target, phrase = texts
    at_source, at_target = family.where("source"), family.where("target")
    problems = []
    if target.softs:
        hint = "put it into the source; the decoder writes tokens"
        problems.append(Problem("the target holds a soft prompt", at_target, hint))
    static = source.static and (phrase is None or phrase.static)
    if not static and any(ref.name is None for ref in source.softs):
        hint = 'give each a name: {{ soft(20, name="task") }}'
        message = "a soft prompt without a name stands in a template with conditions"
        problems.append(Problem(message, at_source, hint))
    known: dict[str, SoftRef] = {}
    for ref in source.softs:
        if ref.name is not None and known.setdefault(ref.name, ref) != ref:
            message = f"the soft prompt '{ref.name}' stands twice with different length or init"
            problems.append(Problem(message, at_source, "one name is one run of vectors"))
    return problems


def number_masks(pieces: Sequence[Piece]) -> list[int]:
    """Number of every mask in order: its own, or else the count of masks before it."""
    numbers: list[int] = []
    for piece in pieces:
        if isinstance(piece, MaskRef):
            numbers.append(len(numbers) if piece.index is None else piece.index)
    return numbers


def _mask_problems(source: list[int], target: list[int], at_source: str, at_target: str) -> list[Problem]:
    problems = []
    if source != list(range(len(source))):
        hint = "write {{ mask }} each time; masks get the numbers 0, 1, 2 … by themselves"
        problems.append(Problem(f"masks stand in the order {source} in the source", at_source, hint))
    missing = sorted(set(target) - set(source))
    if missing:
        hint = "the target can fill only the masks of the source; add {{ mask }} there or drop it here"
        problems.append(
            Problem(f"mask {missing[0]} of the target does not stand in the source", at_target, hint)
        )
    if len(set(target)) != len(target):
        problems.append(Problem(f"a mask stands twice in the target: {target}", at_target))
    return problems


def _around_answer(target: Sequence[Piece], where: str) -> list[Problem]:
    """An answer is read from the first mask (or the start) to the next mask (or the end): nothing else may stand there."""
    place = next(n for n, piece in enumerate(target) if isinstance(piece, AnswerRef))
    before, after = target[:place], target[place + 1 :]
    problems = []
    if any(not isinstance(piece, MaskRef | ChoiceRef) and _visible(piece) for piece in before):
        problems.append(
            Problem(
                "text stands before the answer in the target", where, "it would be read as part of the answer"
            )
        )
    if sum(isinstance(piece, MaskRef) for piece in before) > 1:
        hint = "an answer is read behind the first mask; put the others after {{ answer }}"
        problems.append(Problem("several masks stand before the answer in the target", where, hint))
    first = next((piece for piece in after if _visible(piece)), None)
    if first is not None and not isinstance(first, MaskRef):
        hint = "end the target with {{ answer }}, or put {{ mask }} between"
        problems.append(Problem("text stands after the answer in the target", where, hint))
    return problems


def _visible(piece: Piece) -> bool:
    return not isinstance(piece, str) or bool(piece.strip())


def adapter_problems(rendered: Rendered, adapter: Adapter, where: Mapping[str, str]) -> list[Problem]:
    """What a checkpoint cannot write or read of a template.

    Args:
        rendered: an example; only its literals are looked at.
        adapter: the checkpoint's adapter.
        where: places of ``source`` and ``target`` for messages.
    """
    problems: list[Problem] = []
    for part, segments in (("source", rendered.source), ("target", rendered.target)):
        for segment in segments:
            if isinstance(segment, MaskSegment):
                try:
                    adapter.sentinel(segment.index)
                except FamilyError as error:
                    hint = "choose a family without masks, such as 'prompting', or another checkpoint"
                    problems.append(Problem(error.message, where[part], hint))
                    break
            elif isinstance(segment, TextSegment):
                problems += _literal_problems(segment, adapter, where[part])
            elif isinstance(segment, AnswerSegment):
                continue
    return problems


def literals(segment: TextSegment) -> list[str]:
    """The parts of a text segment that are not fields."""
    ends = [0, *(span.end for span in segment.fields)]
    starts = [*(span.start for span in segment.fields), len(segment.text)]
    parts = (segment.text[end:start] for end, start in zip(ends, starts, strict=True))
    return [part for part in parts if part.strip()]


def _literal_problems(segment: TextSegment, adapter: Adapter, where: str) -> list[Problem]:
    problems = []
    for literal in literals(segment):
        if adapter.unk_id is not None and adapter.unk_id in adapter.encode(literal.strip()):
            lost = [
                c for c in dict.fromkeys(literal) if not c.isspace() and adapter.unk_id in adapter.encode(c)
            ]
            named = "the characters " + " ".join(map(repr, lost)) if lost else "some characters"
            hint = "use other words; the model cannot tell unknown characters apart"
            message = f"{named} in {literal.strip()!r} are unknown to the tokenizer"
            problems.append(Problem(message, where, hint))
        for space in ("\n", "\t", "  "):
            inner = literal.strip()
            if space in inner and adapter.encode(inner) == adapter.encode(" ".join(inner.split())):
                hint = "the tokenizer reads it as one space"
                problems.append(Problem(f"{space!r} in the template is lost", where, hint, level="warning"))
    return problems
