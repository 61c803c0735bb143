"""What kind of task it is: how its rows are written, and what can be right.

One idea holds for all kinds: a row has fields, a target that the decoder writes, references, and perhaps options (the
choices of its question, or the labels of all rows). The kinds differ in nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mto.config import Strict
from mto.templates import BASIC, BASIC_CHOICE, Template, TemplateFamily, choices_of, compile_template

if TYPE_CHECKING:
    from mto.families import Adapter

Kind = Literal["completion", "multiple-choice", "classification", "text-to-text"]


class Form(Strict):
    """Kind, input and labels of a task.

    Attributes:
        kind: such as ``completion``.
        input: template text that ``{{ head }}`` stands for. None: the field itself, or for multiple choice what the
            layout of the template family says.
        labels: of a classification: name of each label to the words that stand for it in a natural sentence, the one to
            be trained on first.

    >>> Form(kind="classification", input="{{ text }}", labels={"positive": ("great", "good")}).options({}, natural=True)
    (('great', 'good'),)
    """

    kind: Kind = "completion"
    input: str | None = None
    labels: dict[str, tuple[str, ...]] = {}

    @property
    def is_plain(self) -> bool:
        """Whether this is a completion task, of which files say nothing more."""
        return self == PLAIN

    @property
    def has_choices(self) -> bool:
        """Whether each row has choices of its own."""
        return self.kind == "multiple-choice"

    @property
    def has_options(self) -> bool:
        """Whether a row has options: choices of its own, or the labels of the task."""
        return self.has_choices or bool(self.labels)

    @property
    def families(self) -> tuple[str, ...]:
        """Names of the template families of docs/method.md 3 for this kind, the conventional one first.

        >>> Form(kind="multiple-choice").families[2:4], Form().families[2:]
        (('answer-prompting', 'masked-answer-prompting'), ('prompting', 'masked-prompting'))
        """
        return BASIC_CHOICE if self.has_choices else BASIC

    def names(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        """The options of a row as a reader knows them: its choices, or the names of the labels; empty for others."""
        return choices_of(fields) or tuple(self.labels)

    def options(self, fields: Mapping[str, str], *, natural: bool) -> tuple[tuple[str, ...], ...]:
        """The texts that stand for each option of a row, in the order of `names`.

        Args:
            natural: whether the template holds a natural phrase: then a label is written as its words, else as its name
                (docs/method.md 3).
        """
        if choices := choices_of(fields):
            return tuple((choice,) for choice in choices)
        return tuple(words if natural else (name,) for name, words in self.labels.items())

    def written(self, target: str, *, natural: bool) -> str:
        """What the decoder writes for a target: a label's first word behind a natural phrase, else the target itself."""
        return self.labels[target][0] if natural and target in self.labels else target

    def template(
        self,
        family: str | Path | TemplateFamily,
        *,
        phrase: str | None,
        fields: Collection[str],
        adapter: Adapter | None = None,
    ) -> Template:
        """A family composed with a phrase for a task of this form; see `compile_template`."""
        return compile_template(
            family, phrase=phrase, fields=fields, adapter=adapter, input=self.input,
            choices=self.has_choices,
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """What files keep; empty for a completion task."""
        return self.model_dump(mode="json", exclude_defaults=True)


PLAIN = Form()
"""The form of every completion task."""
