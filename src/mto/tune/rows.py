"""A cell's rows as ids: written by one template and encoded once, whatever the sweep asks of them later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mto.families import LoadedModel
from mto.tasks import Example, Row, Split
from mto.templates import Encoded, Template, encode_many
from mto.tune.config import Settled
from mto.tune.learner import Learner

ROOM = 4  # tokens more than the longest few-shot target may be written
LIKELIHOOD_REFERENCES = 3  # most references of a dev head whose likelihood is looked at


@dataclass(frozen=True)
class Asked:
    """Questions for generation with their right answers, one a head."""

    heads: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    questions: tuple[Encoded, ...]


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
    names: Mapping[str, str] | None = None,
) -> CellRows:
    """Write and encode train and dev of a split, and test heads.

    Args:
        names: what the soft prompts of the template are called in the learner's; None: as in the template.

    Raises:
        TemplateError: a target is longer than the checkpoint can write.
    """

    learner = Learner.of(model)
    adapter, soft = learner.loaded.adapter, learner.prompt is not None

    def encode(pairs: Sequence[tuple[Row | Example, str | None]]) -> tuple[Encoded, ...]:
        rendered = [template.render(row.fields, answer) for row, answer in pairs]
        encoded = encode_many(rendered, adapter, max_source=config.max_source, soft=soft)
        return tuple(learner.numbered(encoded, names))

    train = encode([(row, row.target) for row in split.train])
    labelled = encode([(row, row.target) for row in split.dev])
    pairs = encode([(row, a) for row in split.dev for a in row.references[:LIKELIHOOD_REFERENCES]])
    dev = Asked(
        tuple(row.head for row in split.dev),
        tuple(row.references for row in split.dev),
        labelled,
    )
    asked = Asked(
        tuple(example.head for example in test),
        tuple(example.targets for example in test),
        encode([(example, None) for example in test]),
    )
    lost = sum(item.words_lost for group in (train, labelled, asked.questions) for item in group)
    return CellRows(train, dev, pairs, asked, room_to_write((*train, *labelled), config), lost)


def room_to_write(few_shot: Sequence[Encoded], config: Settled) -> int:
    """Most new tokens: the longest few-shot target (mask and EOS counted) and 4 more.

    So each family has the same room for its answer. With no shots it is a number of the table of defaults.
    """
    if config.max_new_tokens is not None:
        return config.max_new_tokens
    longest = max((len(item.target_ids) for item in few_shot), default=0)
    return longest + ROOM if longest else config.zero_shot_tokens
