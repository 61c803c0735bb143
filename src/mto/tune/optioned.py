"""Options of questions as ids, and answers of a model to questions with and without options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mto.evaluate.choices import score_options
from mto.evaluate.generate import generate
from mto.evaluate.nats import OptionNats
from mto.evaluate.options import Options
from mto.evaluate.reading import read_option
from mto.families import Adapter, Answer, LoadedModel
from mto.tasks import Example, Form, Row
from mto.templates import CHOICE_FIELDS, Encoded, Rendered, Template, encode_many

Encode = Callable[[Sequence[Rendered]], Sequence[Encoded]]


@dataclass(frozen=True)
class OptionRow:
    """The options of one question, for `score_options` and `read_option`.

    Attributes:
        names: of the options, as a reader knows them.
        texts: those that stand for each option.
        marks: what the family calls each option (``choice1``), where it asks for that; else empty.
        masked: whether it asks for that behind the second mask.
        right: number of the right option; None for new rows.
        source_ids, blank_ids: what the encoder reads with and without the question.
        targets, owner: labels of every text, and the option that it belongs to.
    """

    names: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    marks: tuple[str, ...]
    masked: bool
    right: int | None
    source_ids: tuple[int, ...]
    blank_ids: tuple[int, ...]
    targets: tuple[tuple[int, ...], ...]
    owner: tuple[int, ...]


def encode_options(
    template: Template,
    form: Form,
    rows: Sequence[tuple[Mapping[str, str], str | None]],
    questions: Sequence[Encoded],
    adapter: Adapter,
    encode: Encode,
    places: Sequence[str] = (),
) -> tuple[OptionRow, ...]:
    """The options of each row; empty where the rows have none.

    Args:
        rows: fields and target of each row (None: not known).
        questions: the rows as the encoder reads them.
        encode: encodes sources as the model reads them.
        places: ``file:line`` of each row, for messages.

    Raises:
        TemplateError: an option is longer than the checkpoint can write.
    """
    if not rows or not form.names(rows[0][0]):
        return ()
    natural, family = template.phrase is not None, template.family
    blank = encode([template.render(without_question(fields)) for fields, _ in rows])
    texts = [form.options(fields, natural=natural) for fields, _ in rows]
    written = encode_many(
        [
            # The source is not looked at here, so it need not be encoded.
            Rendered(
                (),
                template.render(fields, text, number if fields.get(CHOICE_FIELDS[0]) else None).target,
                place,
            )
            for (fields, _), options, place in zip(rows, texts, places or [""] * len(rows), strict=True)
            for number, several in enumerate(options)
            for text in several
        ],
        adapter,
    )
    targets = iter(written)
    found = []
    for (fields, target), options, question, empty in zip(rows, texts, questions, blank, strict=True):
        names = form.names(fields)
        owner = tuple(number for number, several in enumerate(options) for _ in several)
        found.append(
            OptionRow(
                names=names,
                texts=options,
                marks=tuple(map(family.layout.name, range(len(names)))) if family.by_name else (),
                masked=question.masks_asked > 1,
                right=None if target is None else names.index(target),
                source_ids=question.source_ids,
                blank_ids=empty.source_ids,
                targets=tuple(next(targets).target_ids for _ in owner),
                owner=owner,
            )
        )
    return tuple(found)


def without_question(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of a row with nothing in them but relation and choices.

    >>> without_question({"question": "Where?", "relation": "QA", "choice1": "here"})
    {'question': '', 'relation': 'QA', 'choice1': 'here'}
    """
    kept = {"relation", *CHOICE_FIELDS}
    return {name: text if name in kept else "" for name, text in fields.items()}


def right_choice(row: Row | Example, target: str) -> int | None:
    """The number of a target among the choices of its row; None where it is none of them."""
    return row.choices.index(target) if target in row.choices else None


def read_names(rows: Sequence[OptionRow], answers: Sequence[Answer]) -> list[str]:
    """The name of the option that each answer was read as; empty where it is none."""
    found = []
    for row, answer in zip(rows, answers, strict=True):
        option = read_option(answer, row.texts, row.right or 0, row.marks, masked=row.masked).option
        found.append("" if option is None else row.names[option])
    return found


def read_all(rows: Sequence[OptionRow], answers: Sequence[Answer], nats: Sequence[OptionNats]) -> Options:
    """What was written and ranked, put together."""
    right = [row.right if row.right is not None else 0 for row in rows]
    read = [
        read_option(answer, row.texts, n, row.marks, masked=row.masked)
        for row, answer, n in zip(rows, answers, right, strict=True)
    ]
    return Options(
        names=tuple(row.names for row in rows),
        right=tuple(right),
        written=tuple(one.option for one in read),
        near=tuple(one.near for one in read),
        nats=tuple(nats),
    )


def answer_all(
    loaded: LoadedModel,
    questions: Sequence[Encoded],
    options: Sequence[OptionRow],
    *,
    max_new_tokens: int,
    beams: int,
    precision: str,
) -> tuple[list[Answer], Options | None]:
    """Write an answer to each question, and rank its options where there are some."""
    answers = generate(loaded, questions, max_new_tokens=max_new_tokens, beams=beams, precision=precision)
    if not options:
        return answers, None
    return answers, read_all(options, answers, score_options(loaded, options, precision=precision))
