"""The seam between selecting sentences and making pairs of them: what a maker of pairs is, and how one is found by name.

A kind of maker is named in the configuration, so that a worker process, or a machine of a cluster, can load it. It is set up once, by
the process that runs the preparation (there it may train a model into its folder), and loaded by every worker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from mto.errors import UnknownNameError
from mto.prepare.pairs import Pair, PairSet
from mto.prepare.sentence import Selected
from mto.registry import Registry
from mto.tasks import Split, Task


@dataclass(frozen=True)
class Made:
    """What came of one batch of sentences.

    Attributes:
        pairs: the pairs of each set, in a fixed order; a set that is missing is empty.
        counts: what was counted on the way, such as how many sentences gave no pair.
    """

    pairs: Mapping[PairSet, tuple[Pair, ...]]
    counts: Mapping[str, int]


class PairMaker(Protocol):
    """Makes pairs of sentences."""

    def make(self, batch: Sequence[Selected], *, seed: int, number: int) -> Made:
        """The pairs of a batch: of task sentences, and of general ones (their task is `GENERAL`) for the set ``general``.

        Equal (batch, seed, number) give equal pairs.

        Args:
            batch: the sentences of one shard.
            number: of the shard.
        """


@dataclass(frozen=True)
class MakerOrder:
    """What a kind of maker is set up for.

    Attributes:
        folder: of the prepared data; what is trained for it may be kept in there.
        tasks: the tasks, in the order of the configuration.
        splits: the few-shot split of each task.
        controls: whether the control sets are wanted.
        seed: of the preparation.
        settings: the maker's own, as the configuration gives them.
    """

    folder: Path
    tasks: tuple[Task, ...]
    splits: tuple[Split, ...]
    controls: bool
    seed: int
    settings: Mapping[str, Any]


class MakerKind(Protocol):
    """One way of making pairs."""

    def set_up(self, order: MakerOrder) -> dict[str, Any]:
        """Do what is done once. Gives JSON from which `load` makes the maker; the pairs depend on nothing else.

        Sentences under ``notes`` go into the datasheet: what applies to the tasks and what does not.

        Called again when interrupted work goes on, and must then give the same.
        """

    def load(self, folder: Path, order: Mapping[str, Any]) -> PairMaker:
        """The maker, from what `set_up` gave, in any process that sees the folder."""


maker_kinds: Registry[MakerKind] = Registry("maker of pairs")
"""Kinds of makers by name."""
maker_kinds.register(
    "splitter", "mto.prepare.making:KIND", summary="splitter, router and controls (docs/method.md 6)"
)


def find_maker(name: str) -> MakerKind:
    """A kind of maker by its name, or by ``module:attribute``.

    Raises:
        UnknownNameError: there is none.
    """
    module, colon, attribute = name.partition(":")
    if not colon:
        return maker_kinds.get(name)
    try:
        kind: MakerKind = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UnknownNameError(
            f"no maker of pairs is at '{name}': {error}", hint="give module:attribute, or a name: splitter"
        ) from error
    return kind
