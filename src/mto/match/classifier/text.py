"""How an example is written for the classifier that writes a name: ``head: … tail: …``, with or without the phrase."""

from __future__ import annotations

from collections.abc import Sequence

from mto.errors import DataError
from mto.families import Adapter
from mto.tasks import Row
from mto.templates import Encoded, Template, TemplateFamily, compile_template, encode_many

NAMES = ("Filling", "Mapping")
"""What the model writes for mask-filling and for map-phrasal (docs/method.md 5)."""

PLAIN = TemplateFamily(
    "task-classifier", source="head: {{ head }} tail: {{ tail }}", target="{{ answer }}", fields=("tail",)
)
WITH_PHRASE = TemplateFamily(
    "task-classifier-phrase",
    source="head: {{ head }} phrase: {{ phrase }} tail: {{ tail }}",
    target="{{ answer }}",
    fields=("tail",),
)


def write_examples(
    rows: Sequence[Row],
    adapter: Adapter,
    *,
    mask_filling: bool = True,
    phrase: str | None = None,
    max_source: int | None = None,
) -> list[Encoded]:
    """Rows as ids, with the name of one type as the target.

    Args:
        phrase: the task's natural phrase; None: it is not written.
        max_source: most source ids; longer ones lose words of their longest field.

    Raises:
        DataError: no rows.
        TemplateError: the phrase is wrong, or asks for a field that a row lacks.
    """
    if not rows:
        raise DataError("there are no rows to classify", hint="give the few-shot rows of the task")
    template = _template(tuple(rows[0].fields), phrase)
    name = NAMES[0] if mask_filling else NAMES[1]
    rendered = [template.render({**row.fields, "tail": row.target}, name) for row in rows]
    return encode_many(rendered, adapter, max_source=max_source)


def name_ids(adapter: Adapter) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The two names as targets, EOS last: mask-filling's first."""
    filling, mapping = ((*adapter.encode(name), adapter.eos_id) for name in NAMES)
    return filling, mapping


def _template(fields: Sequence[str], phrase: str | None) -> Template:
    family = PLAIN if phrase is None else WITH_PHRASE
    return compile_template(family, phrase=phrase, fields={*fields, "tail"})
