"""The template language: Jinja in its sandbox, whose fields, masks, soft prompts and answer are objects and not text.

Jinja can only write text. So `mask`, `answer`, `soft` and every field write one private-use code point each, the result
is split at these, and only then are the fields' contents filled in. A content is therefore never read as a
marker, whatever it holds. The code points are chosen so that no literal of the template holds one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import SandboxedEnvironment

from mto.errors import TemplateError
from mto.registry import suggest
from mto.templates.layout import CHOICE_FIELDS, Layout, choices_of

RESERVED = frozenset({"mask", "answer", "phrase", "soft", "choice", "choices"})
"""Names that the language itself gives; no field may be called so."""

FILTERS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "capitalize": str.capitalize,
    "trim": str.strip,
    "upper_first": lambda text: text[:1].upper() + text[1:],
    "lower_first": lambda text: text[:1].lower() + text[1:],
}
"""The filters of the language; they keep the number of words. `upper_first` leaves the rest as it is."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_CALLS = frozenset({"mask", "soft"})
_BLOCK = 256  # markers in one text at most; also the grid on which a free block of code points is looked for
_STATIC = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.Name,
    nodes.Concat,
    nodes.Filter,
    nodes.Call,
    nodes.Keyword,
)


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field in a compiled text, with the filters that apply to its content, in order."""

    name: str
    filters: tuple[str, ...] = ()

    def fill(self, fields: Mapping[str, str]) -> str:
        """The content as it will stand in the text."""
        text = fields[self.name]
        for name in self.filters:
            text = FILTERS[name](text)
        return text


@dataclass(frozen=True, slots=True)
class MaskRef:
    """A mention of a mask: by its number, or (None) the next one by order of appearance."""

    index: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerRef:
    """The place of the answer."""


@dataclass(frozen=True, slots=True)
class ChoiceRef:
    """The place of the right choice's name, such as ``choice2``."""


@dataclass(frozen=True, slots=True)
class SoftRef:
    """A run of trainable vectors: ``soft(20)``, ``soft(10, name="task", init="is used for")``.

    Attributes:
        length: how many vectors.
        name: segments of one name are the same vectors, in every template and task; None: the template's own.
        init: words whose embeddings the vectors begin as; None: as the tuning says.
    """

    length: int
    name: str | None = None
    init: str | None = None


Ref = FieldRef | MaskRef | AnswerRef | ChoiceRef | SoftRef
Piece = str | Ref


class _Marks:
    """The private-use code points of one rendering, and what each stands for."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.refs: list[Ref] = []

    def put(self, ref: Ref) -> str:
        if len(self.refs) == _BLOCK:
            raise TemplateError(f"a template writes more than {_BLOCK} fields and masks")
        self.refs.append(ref)
        return chr(self.base + len(self.refs) - 1)

    def split(self, text: str) -> tuple[Piece, ...]:
        marker = re.compile(f"([{chr(self.base)}-{chr(self.base + _BLOCK - 1)}])")
        pieces: list[Piece] = []
        for position, part in enumerate(marker.split(text)):
            if position % 2:
                pieces.append(self.refs[ord(part) - self.base])
            elif part:
                pieces.append(part)
        return tuple(pieces)


class _Mark:
    """What a template sees as `mask`, `answer` or a field: an object that writes its marker."""

    __slots__ = ("_marks", "_ref", "_value")

    def __init__(self, marks: _Marks, ref: Ref, value: str = "") -> None:
        self._marks, self._ref, self._value = marks, ref, value

    def __str__(self) -> str:
        return self._marks.put(self._ref)


class _MaskMark(_Mark):
    __slots__ = ()

    def __call__(self, index: int) -> _Mark:
        if isinstance(index, bool) or not isinstance(index, int) or index < 0:
            raise TemplateError(f"mask({index!r}): the number of a mask is 0, 1, 2 …")
        return _Mark(self._marks, MaskRef(index))


class _SoftMark:
    """What a template sees as `soft`: it must be called."""

    __slots__ = ("_marks",)

    def __init__(self, marks: _Marks) -> None:
        self._marks = marks

    def __call__(self, length: Any = None, *, name: Any = None, init: Any = None) -> _Mark:
        return _Mark(self._marks, soft_ref(length, name, init))

    def __str__(self) -> str:
        raise TemplateError("soft stands without a number of vectors", hint="write {{ soft(20) }}")


def soft_ref(length: Any, name: Any = None, init: Any = None) -> SoftRef:
    """Check what ``soft(…)`` was called with.

    Raises:
        TemplateError: not a number from 1, not a name of letters, digits, ``-`` and ``_``, or no words.

    >>> soft_ref(10, "task")
    SoftRef(length=10, name='task', init=None)
    """
    if isinstance(length, bool) or not isinstance(length, int) or length < 1:
        raise TemplateError(f"soft({length!r}): the number of vectors is 1, 2, 3 …")
    if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
        hint = "use letters, digits, '-' and '_', beginning with a letter"
        raise TemplateError(f"soft({length}, name={name!r}): this is no name", hint=hint)
    if init is not None and not (isinstance(init, str) and init.strip()):
        hint = 'write words, such as init="is used for", or leave it away'
        raise TemplateError(f"soft({length}, init={init!r}): these are no words", hint=hint)
    return SoftRef(length, name, init)


class _FieldMark(_Mark):
    """A field: conditions see its content, output writes its marker."""

    __slots__ = ()

    def filtered(self, name: str) -> _FieldMark:
        ref = self._ref
        if not isinstance(ref, FieldRef):
            raise TemplateError(f"the filter '{name}' applies to fields only")
        return _FieldMark(self._marks, FieldRef(ref.name, (*ref.filters, name)), FILTERS[name](self._value))

    def __eq__(self, other: object) -> bool:
        return self._value == (other._value if isinstance(other, _FieldMark) else other)

    def __hash__(self) -> int:
        return hash(self._value)

    def __contains__(self, part: object) -> bool:
        return (part._value if isinstance(part, _FieldMark) else str(part)) in self._value

    def __len__(self) -> int:
        return len(self._value)

    def startswith(self, start: str) -> bool:
        """For conditions: ``{% if head.startswith('PersonX') %}``."""
        return self._value.startswith(start)

    def endswith(self, end: str) -> bool:
        """For conditions: ``{% if head.endswith('s') %}``."""
        return self._value.endswith(end)


class _PartMark:
    """A part of a family's text that writes its own markers: the task's phrase, its input, or the choices."""

    __slots__ = ("_write",)

    def __init__(self, write: Callable[[], str]) -> None:
        self._write = write

    def __str__(self) -> str:
        return self._write()


def _filter(name: str) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        if isinstance(value, _FieldMark):
            return value.filtered(name)
        if isinstance(value, str) and not any(ord(char) >= 0xF0000 for char in value):
            return FILTERS[name](value)
        raise TemplateError(f"the filter '{name}' applies to a field itself; put it right behind the field")

    return apply


@functools.cache
def environment() -> SandboxedEnvironment:
    """The sandbox: unknown names are errors, a last newline is kept, no globals, only our own filters."""
    env = SandboxedEnvironment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False, cache_size=0
    )
    env.globals.clear()
    env.filters.clear()
    env.filters.update({name: _filter(name) for name in FILTERS})
    return env


@dataclass(frozen=True, slots=True)
class Text:
    """One parsed template text (a source, a target or a phrase).

    Attributes:
        names: the variables that it uses, in any branch.
        static: it holds no condition or loop, so it is written alike for every example.
        softs: its soft prompts in order of their place in the text, in any branch.
    """

    source: str
    names: frozenset[str]
    static: bool
    constants: frozenset[str] = field(repr=False)
    template: jinja2.Template = field(repr=False, compare=False)
    softs: tuple[SoftRef, ...] = ()


def parse_text(source: str, *, where: str = "") -> Text:
    """Parse a template text.

    Raises:
        TemplateError: bad syntax or an unknown filter, with the line inside the text.
    """
    env = environment()
    try:
        tree = env.parse(source)
        for used in tree.find_all(nodes.Filter):
            if used.name not in FILTERS:
                raise TemplateError(
                    f"unknown filter '{used.name}' (line {used.lineno} of {source!r})",
                    where=where or None,
                    hint=suggest(used.name, FILTERS),
                )
        names = frozenset(meta.find_undeclared_variables(tree))
        static = all(isinstance(node, _STATIC) for node in _walk(tree)) and all(
            isinstance(call.node, nodes.Name) and call.node.name in _CALLS
            for call in tree.find_all(nodes.Call)
        )
        softs = tuple(_softs(tree))
        constants = {node.data for node in tree.find_all(nodes.TemplateData)}
        constants |= {node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)}
        template = env.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(
            f"{error.message} (line {error.lineno} of {source!r})", where=where or None
        ) from None
    except TemplateError as error:
        raise TemplateError(error.message, where=where or error.where, hint=error.hint) from None
    return Text(source, names, static, frozenset(constants), template, softs)


def _softs(tree: nodes.Node) -> list[SoftRef]:
    """Every call of ``soft``; its arguments must stand there, for prompts are made before anything is written."""
    found = []
    for call in tree.find_all(nodes.Call):
        if not (isinstance(call.node, nodes.Name) and call.node.name == "soft"):
            continue
        try:
            values = [value.as_const() for value in call.args]
            named = {word.key: word.value.as_const() for word in call.kwargs}
        except nodes.Impossible:
            hint = 'write numbers and names out: {{ soft(20, name="task") }}'
            raise TemplateError("soft is called with something that is no constant", hint=hint) from None
        if len(values) != 1 or named.keys() - {"name", "init"} or call.dyn_args or call.dyn_kwargs:
            hint = 'its form is {{ soft(20) }} or {{ soft(10, name="task", init="is used for") }}'
            raise TemplateError("soft is called with other arguments than a number, name and init", hint=hint)
        found.append(soft_ref(values[0], **named))
    return found


def _walk(tree: nodes.Node) -> list[nodes.Node]:
    found = [tree]
    for node in found:
        found.extend(node.iter_child_nodes())
    return found


def write(
    text: Text,
    phrase: Text | None,
    fields: Mapping[str, str],
    *,
    input: Text | None = None,
    layout: Layout | None = None,
    where: str = "",
) -> tuple[Piece, ...]:
    """Run a template text and split what it writes into literals and references.

    Args:
        text: the source or target of a family.
        phrase: the phrase of the task, or None.
        fields: contents, seen by conditions only; they are filled in later.
        input: what ``head`` stands for in `text` and `phrase`; None: the field of that name.
        layout: how the choices among the fields are written; None for a task without choices.

    Raises:
        TemplateError: the text uses an unknown name, a forbidden attribute, or something that is no text.
    """
    # In this order, for a phrase may use the input.
    given = {name: part for name, part in (("head", input), ("phrase", phrase)) if part is not None}
    marks = _Marks(_free_block(text.constants.union(*(part.constants for part in given.values()))))
    known: dict[str, Any] = {name: _FieldMark(marks, FieldRef(name), value) for name, value in fields.items()}
    if layout is not None:
        known["choices"] = _PartMark(functools.partial(_choices, marks, layout, len(choices_of(fields))))
        known["choice"] = _Mark(marks, ChoiceRef())
    for name, part in given.items():
        known[name] = _PartMark(functools.partial(part.template.render, dict(known)))
    known["mask"] = _MaskMark(marks, MaskRef())
    known["answer"] = _Mark(marks, AnswerRef())
    known["soft"] = _SoftMark(marks)
    try:
        return marks.split(text.template.render(known))
    except TemplateError as error:
        raise TemplateError(error.message, where=where or None, hint=error.hint) from None
    except (
        jinja2.TemplateError,
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
        ArithmeticError,
    ) as error:
        raise TemplateError(f"{text.source!r} cannot be written: {error}", where=where or None) from error


def _choices(marks: _Marks, layout: Layout, number: int) -> str:
    """Every choice with its name."""
    texts = []
    for n in range(number):
        before, behind = layout.around(n)
        texts.append(before + marks.put(FieldRef(CHOICE_FIELDS[n])) + behind)
    return " ".join(texts)


def _free_block(constants: Collection[str]) -> int:
    """The first code point of a private-use block that no literal of the template touches."""
    used = {ord(char) // _BLOCK for literal in constants for char in literal if ord(char) >= 0xF0000}
    for block in range(0xF0000 // _BLOCK, 0x10FF00 // _BLOCK):
        if block not in used:
            return block * _BLOCK
    raise TemplateError("the template's literals use every private-use block")
