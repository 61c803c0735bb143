"""Heads that stand in several files of a task: which file keeps them."""

from __future__ import annotations

from collections.abc import Mapping

from mto.errors import DataError
from mto.tasks.schema import Keeper
from mto.tasks.task import Example

LEAVE = "every test head stands in train or dev as well"
MEND = "set data.shared_heads: test, split the data by head, or leave the test file out (the score is then k-fold)"


def keep_shared_heads(
    splits: Mapping[str, tuple[Example, ...]], keeper: Keeper, path: str
) -> dict[str, tuple[Example, ...]]:
    """The splits as they are where train keeps its heads; else test keeps its own, then dev, and train has the rest.

    Where train keeps them nothing is taken away here: a split that is drawn leaves the known heads out of its test set.

    Args:
        path: of the train file, for the message.

    Raises:
        DataError: no train head is left.

    >>> from mto.tasks import task_from_rows
    >>> train = task_from_rows([{"head": head, "tail": "use"} for head in ("saw", "axe")]).train
    >>> kept = keep_shared_heads({"train": train, "test": train[:1]}, "test", "train.csv")
    >>> [example.head for example in kept["train"]], [example.head for example in kept["test"]]
    (['axe'], ['saw'])
    """
    if keeper == "train":
        return dict(splits)
    taken: set[str] = set()
    kept = {}
    for split in ("test", "dev", "train"):
        if split in splits:
            kept[split] = tuple(example for example in splits[split] if example.id not in taken)
            taken |= {example.id for example in kept[split]}
    if splits.get("train") and not kept["train"]:
        raise DataError(
            "every train head stands in dev or test as well",
            where=path,
            hint="set data.shared_heads: train, or split the data by head",
        )
    return {split: kept[split] for split in splits}
