"""A cell's rows as ids: written by one template and encoded once, whatever the sweep asks of them later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mto.families import LoadedModel
from mto.tasks import Example, Form, Row, Split
from mto.tasks.form import PLAIN
from mto.templates import Encoded, Rendered, Template, encode_many
from mto.tune.config import Settled
from mto.tune.learner import Learner
from mto.tune.optioned import OptionRow, encode_options, right_choice

ROOM = 4  # tokens more than the longest few-shot target may be written
LIKELIHOOD_REFERENCES = 3  # most references of a dev head whose likelihood is looked at


@dataclass(frozen=True)
class Asked:
    """Questions for generation with their right answers, one a head; `options` for tasks that have some, else empty."""

    heads: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    questions: tuple[Encoded, ...]
    options: tuple[OptionRow, ...] = ()


@dataclass(frozen=True)
class CellRows:
    """The rows of one cell as one family writes them.

    Attributes:
        train: (source, target) pairs to learn.
        dev: dev questions; `dev_pairs` are the same sources with up to three references each as targets.
        test: test questions.
        max_new_tokens: from the targets of train and dev, or as the configuration says; never from test.
        words_lost: words that over-long sources lost, over train, dev and test questions.
        parts: how many of the training rows, in order, belong to each task, where several are tuned together.
    """

    train: tuple[Encoded, ...]
    dev: Asked
    dev_pairs: tuple[Encoded, ...]
    test: Asked
    max_new_tokens: int
    words_lost: int
    parts: tuple[int, ...] = ()


def encode_cell(
    model: LoadedModel | Learner,
    template: Template,
    split: Split,
    config: Settled,
    *,
    test: Sequence[Example],
    form: Form = PLAIN,
    names: Mapping[str, str] | None = None,
) -> CellRows:
    """Write and encode train and dev of a split, and test heads; `form` is that of the task.

    Args:
        names: what the soft prompts of the template are called in the learner's; None: as in the template.

    Raises:
        TemplateError: a target is longer than the checkpoint can write.
    """

    learner = Learner.of(model)
    adapter, soft = learner.loaded.adapter, learner.prompt is not None

    natural = template.phrase is not None

    def encode_rendered(rendered: Sequence[Rendered]) -> tuple[Encoded, ...]:
        encoded = encode_many(rendered, adapter, max_source=config.max_source, soft=soft)
        return tuple(learner.numbered(encoded, names))

    def encode(pairs: Sequence[tuple[Row | Example, str | None]]) -> tuple[Encoded, ...]:
        return encode_rendered([_render(template, form, row, target, natural) for row, target in pairs])

    def options(rows: Sequence[Row | Example], questions: Sequence[Encoded]) -> tuple[OptionRow, ...]:
        right = [(row.fields, row.target if isinstance(row, Row) else row.targets[0]) for row in rows]
        places = [row.where for row in rows]
        return encode_options(template, form, right, questions, adapter, encode_rendered, places)

    train = encode([(row, row.target) for row in split.train])
    labelled = encode([(row, row.target) for row in split.dev])
    pairs = encode([(row, a) for row in split.dev for a in row.references[:LIKELIHOOD_REFERENCES]])
    dev = Asked(
        tuple(row.head for row in split.dev),
        tuple(row.references for row in split.dev),
        labelled,
        options(split.dev, labelled),
    )
    questions = encode([(example, None) for example in test])
    asked = Asked(
        tuple(example.head for example in test),
        tuple(example.targets for example in test),
        questions,
        options(test, questions),
    )
    lost = sum(item.words_lost for group in (train, labelled, asked.questions) for item in group)
    return CellRows(train, dev, pairs, asked, room_to_write((*train, *labelled), config), lost)


def _render(
    template: Template, form: Form, row: Row | Example, target: str | None, natural: bool
) -> Rendered:
    if target is None:
        return template.render(row.fields, where=row.where)
    text = form.written(target, natural=natural)
    return template.render(row.fields, text, right_choice(row, target), where=row.where)


def room_to_write(few_shot: Sequence[Encoded], config: Settled) -> int:
    """Most new tokens: the longest few-shot target (mask and EOS counted) and 4 more.

    So each family has the same room for its answer. With no shots it is a number of the table of defaults.
    """
    if config.max_new_tokens is not None:
        return config.max_new_tokens
    longest = max((len(item.target_ids) for item in few_shot), default=0)
    return longest + ROOM if longest else config.zero_shot_tokens
