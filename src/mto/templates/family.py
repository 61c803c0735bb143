"""Template families: how an example is written, which objective that looks like, and where families come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from mto.config import Strict, parse, read_yaml
from mto.errors import ConfigError
from mto.registry import Registry
from mto.templates.layout import USUAL, Layout, read_options

Objective = Literal["denoising", "lm"]
BASIC = ("mapping", "masked-mapping", "prompting", "masked-prompting")
"""The four families of docs/method.md 3, in the order of its table; `mapping` is the conventional one."""

SOFT = ("pt", "pre-pt", "masked-pre-pt", "post-pt", "masked-post-pt")
"""The families of docs/method.md 4 for completion, in the order of its table; `pt` is the conventional one among them."""

CHOICE = ("answer-prompting", "masked-answer-prompting", "choice-prompting", "masked-choice-prompting")
"""The families of docs/method.md 3 for multiple choice, beside `mapping` and `masked-mapping`, in the order of its table."""

BASIC_CHOICE = ("mapping", "masked-mapping", *CHOICE)
"""All families of docs/method.md 3 for multiple choice, without soft prompts."""

CHOICE_SOFT = (
    "pre-answer-pt", "pre-masked-answer-pt", "post-answer-pt", "post-masked-answer-pt",
    "pre-choice-pt", "pre-masked-choice-pt", "post-choice-pt", "post-masked-choice-pt",
)  # fmt: skip
"""The families of docs/method.md 4 for multiple choice, beside `pt`."""

COMPLETION_FIELDS = ("head", "relation")


@dataclass(frozen=True)
class TemplateFamily:
    """How an example is written for a model (docs/method.md 3).

    Attributes:
        name: short name, such as ``masked-prompting``.
        source: template text of what the encoder sees.
        target: template text of what the decoder must write.
        title: the name in tables, such as ``MaskedPrompting``.
        objective: the pre-training objective that it looks like: ``denoising``, ``lm``, or None for neither.
        conventional: whether it is the baseline form: Mapping, and PT among those with soft prompts.
        description: one sentence.
        fields: fields that it needs besides ``head`` and ``relation``.
        choices: whether it is for tasks with choices alone.
        layout: how it lays out a question and its choices; of no account for tasks without choices.
        origin: the file that it was read from, for messages.
        lines: line of ``source`` and ``target`` in that file.

    >>> TemplateFamily("short", source="{{ head }} {{ mask }}", target="{{ mask }} {{ answer }}").title
    'short'
    """

    name: str
    source: str
    target: str
    title: str = ""
    objective: Objective | None = None
    conventional: bool = False
    description: str = ""
    fields: tuple[str, ...] = ()
    choices: bool = False
    layout: Layout = USUAL
    origin: str = field(default="", compare=False, repr=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", self.title or self.name)
        if isinstance(self.layout, Mapping):  # as a file holds it
            object.__setattr__(self, "layout", Layout(**self.layout))

    @cached_property
    def by_name(self) -> bool:
        """Whether its target holds the right choice's name, so that a prediction is read by the name.

        >>> get_family("masked-choice-prompting").by_name, get_family("answer-prompting").by_name
        (True, False)
        """
        from mto.templates.language import parse_text

        return "choice" in parse_text(self.target, where=self.where("target")).names

    @cached_property
    def soft(self) -> bool:
        """Whether its source holds soft prompts, so that it belongs to prompt-tuning.

        >>> get_family("post-pt").soft, get_family("prompting").soft
        (True, False)
        """
        from mto.templates.language import parse_text

        return "soft" in self.source and bool(parse_text(self.source, where=self.where("source")).softs)

    def where(self, part: str) -> str:
        """``file:line`` of ``source`` or ``target``; the family's name where there is no file."""
        place = self.origin or f"family '{self.name}'"
        return f"{place}:{self.lines[part]}" if part in self.lines else f"{place}: {part}"


class FamilyFile(Strict):
    """The schema of a family's YAML file; see `TemplateFamily` for what each key says."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: str = ""
    description: str = ""
    objective: Objective | None = None
    conventional: bool = False
    fields: tuple[str, ...] = ()
    choices: bool = False
    layout: Layout = Layout()
    source: Annotated[str, Field(min_length=1)]
    target: Annotated[str, Field(min_length=1)]

    @model_serializer(mode="wrap")
    def _as_before(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # What is as usual is not written, so that files of families for other tasks stay as they were.
        return {
            name: value for name, value in write(self).items() if name not in ("choices", "layout") or value
        }


template_families: Registry[TemplateFamily] = Registry("template family", TemplateFamily)
for _name in (*BASIC, *CHOICE, *SOFT, *CHOICE_SOFT):
    template_families.register(_name, f"mto.templates.library:{_name.replace('-', '_')}")


def load_family(path: str | Path) -> TemplateFamily:
    """Read a family from a YAML file and lint it.

    Raises:
        ConfigError: the file does not fit the schema (all problems at once, with lines).
        TemplateError: the templates do not hold together (all problems at once, with lines).
    """
    from mto.templates.lint import check_family

    data, lines = read_yaml(path)
    if not isinstance(data, dict):
        raise ConfigError(
            f"expected a mapping at the top, found {type(data).__name__}",
            where=str(path),
            hint="a family file has the keys name, source and target",
        )
    checked = parse(FamilyFile, data, source=str(path), lines=lines)
    at = {part: lines[(part,)] for part in ("source", "target") if (part,) in lines}
    family = TemplateFamily(**checked.model_dump(), origin=str(path), lines=at)
    check_family(family)
    return family


def get_family(ref: str | Path | TemplateFamily) -> TemplateFamily:
    """Find a family: itself, the path of a YAML file, or a registered name.

    Words behind a registered name are options of its layout (`mto.templates.layout`): ``last``, ``after``, ``letters``,
    ``numbers``.

    Raises:
        UnknownNameError: no family has this name; the message suggests one.

    >>> get_family("answer-prompting-last-letters").layout
    Layout(question='last', mark='before', names='letters')
    """
    if isinstance(ref, TemplateFamily):
        return ref
    if isinstance(ref, Path) or ref.endswith((".yaml", ".yml")):
        return load_family(ref)
    return _with_options(ref) or template_families.get(ref)


def _with_options(ref: str) -> TemplateFamily | None:
    """A family with options of its layout behind its name; None where the name is none of these."""
    words = ref.split("-")
    for cut in range(len(words) - 1, 0, -1):
        name, options = "-".join(words[:cut]), read_options(words[cut:])
        if options is None or ref in template_families:
            return None
        if name in template_families:
            base = template_families.get(name)
            return replace(base, name=ref, title=f"{base.title} ({options.said})", layout=options)
    return None


def list_families() -> tuple[TemplateFamily, ...]:
    """All registered families: the basic ones, those for multiple choice, others by name, those with soft prompts."""
    shipped = (*BASIC, *CHOICE, *SOFT, *CHOICE_SOFT)
    others = [name for name in template_families.names() if name not in shipped]
    return tuple(template_families.get(name) for name in (*BASIC, *CHOICE, *others, *SOFT, *CHOICE_SOFT))
