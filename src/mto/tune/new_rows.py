"""New rows for a tuned model: their fields, and the options of each ranked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mto.errors import DataError
from mto.evaluate.calibration import softmin
from mto.evaluate.choices import score_options
from mto.families import LoadedModel
from mto.tasks import Example, Form, Row
from mto.templates import CHOICE_FIELDS, MOST_CHOICES, Encoded, Rendered, Template, choices_of
from mto.tune.optioned import encode_options


@dataclass(frozen=True)
class Chosen:
    """The likeliest option of a row.

    Attributes:
        name: of the option: a choice, or a label.
        probability: of it among the options, by the ranking that decides; calibrated where the model is (`TunedModel.calibration`).
        probabilities: of every option, in the order of the row or of the labels.
    """

    name: str
    probability: float
    probabilities: Mapping[str, float]


def fields_of(
    row: Row | Example | Mapping[str, Any] | str,
    place: int,
    template: Template,
    form: Form,
    *,
    relation: str,
    task: str,
) -> dict[str, str]:
    """The fields of a row as a template needs them; a list of ``choices`` becomes ``choice1``, ``choice2`` …

    A text alone is the input of a task that has but one.

    Raises:
        DataError: a field is missing or no text, or the choices are no list of 2 to 10 different texts.
    """
    inputs = [name for name in sorted(template.fields) if name != "relation"]
    if isinstance(row, str):
        row = {inputs[0] if len(inputs) == 1 else "head": row}
    given = dict(row.fields if isinstance(row, Row | Example) else row)
    if form.kind == "multiple-choice":
        given = _with_choices(given, place)
    fields = {"relation": relation, **given}
    missing = [name for name in sorted(template.fields) if not isinstance(fields.get(name), str)]
    if missing:
        found = ", ".join(sorted(given)) or "nothing"
        raise DataError(
            f"row {place + 1} has no text under '{missing[0]}' (found: {found})",
            hint=f"the template of '{task}' needs: {', '.join(sorted(template.fields))}",
        )
    return fields


def _with_choices(given: dict[str, Any], place: int) -> dict[str, Any]:
    if "choices" in given:
        listed = given.pop("choices")
        if isinstance(listed, str) or not isinstance(listed, Sequence):
            raise DataError(
                f"row {place + 1}: choices must be a list of texts, found {type(listed).__name__}"
            )
        given |= dict(zip(CHOICE_FIELDS, listed, strict=False))
        number = len(listed)
    else:
        number = len(choices_of(given))
    texts = [given.get(name) for name in CHOICE_FIELDS[:number]]
    odd = [text for text in texts if not isinstance(text, str) or not text.strip()]
    if not 2 <= number <= MOST_CHOICES or odd or len(set(texts)) < number:
        what = f"{number} choices" if not odd else f"a choice that is no text: {odd[0]!r}"
        raise DataError(
            f"row {place + 1} has {what if len(set(map(str, texts))) == number else 'a choice twice'}",
            hint=f"give 2 to {MOST_CHOICES} different texts under 'choices', or under choice1, choice2, …",
        )
    return given


def option_nats(
    loaded: LoadedModel,
    template: Template,
    form: Form,
    rows: Sequence[Mapping[str, str]],
    encode: Callable[[Sequence[Rendered]], list[Encoded]],
    *,
    task: str,
    ranking: str,
) -> list[tuple[tuple[str, ...], tuple[float, ...]]]:
    """Names of each row's options, and the nats that the ranking compares; lower is likelier.

    Raises:
        DataError: the task has no options.
    """
    if not rows:
        return []
    if not form.names(rows[0]):
        raise DataError(
            f"'{task}' is a {form.kind} task, which has no options to choose from",
            hint="predict writes an answer",
        )
    questions = encode([template.render(fields) for fields in rows])
    asked = [(fields, None) for fields in rows]
    options = encode_options(template, form, asked, questions, loaded.adapter, encode)
    scored = score_options(loaded, options, calibrate=ranking == "calibrated")
    return [(row.names, nats.by(ranking)) for row, nats in zip(options, scored, strict=True)]


def choose(ranked: Sequence[tuple[tuple[str, ...], tuple[float, ...]]], temperature: float) -> list[Chosen]:
    """The likeliest option of each row that `option_nats` ranked; of equals the first.

    >>> choose([(("here", "there"), (2.0, 1.0))], temperature=1.0)[0].name
    'there'
    """
    found = []
    for names, nats in ranked:
        chances = [round(float(p), 6) for p in softmin(nats, temperature)]
        best = nats.index(min(nats))
        found.append(Chosen(names[best], chances[best], dict(zip(names, chances, strict=True))))
    return found
