"""What a whole run works on, read before its first stage: tasks, splits of the first seed, checkpoint, and their hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mto.families.load import revision_of
from mto.pipeline.inputs import TaskInput, describe_task, draw_splits, load_tasks
from mto.pipeline.whole.config import WholeConfig
from mto.prepare.config import PrepareConfig
from mto.prepare.pieces import find_pieces
from mto.tasks import Split, Task

STAMPED = ("source", "name", "kind", "start", "end", "stamp")


@dataclass(frozen=True)
class Asked:
    """Everything that stages depend on.

    Attributes:
        tasks: in the order asked for; `refs` names them as the configuration does.
        described: by name, with the phrase that is used.
        splits: of the first seed.
        revision: of the checkpoint's weights.
        pieces: of the raw text; what tells that it is the same.
        can_match: whether matching may be asked: it reads labelled rows, which must not be those that are scored.
    """

    config: WholeConfig
    tasks: tuple[Task, ...]
    described: Mapping[str, TaskInput]
    splits: Mapping[str, Split]
    revision: str
    pieces: list[dict[str, Any]]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(task.name for task in self.tasks)

    @property
    def refs(self) -> Mapping[str, str]:
        """Task name to how the configuration names it."""
        return dict(zip(self.names, self.config.tasks, strict=True))

    @property
    def can_match(self) -> bool:
        """Whether matching may be asked."""
        return self.config.choose == "match" and all(task.test for task in self.tasks)

    @property
    def data(self) -> list[Any]:
        """What the tasks hold, as hashes."""
        return [[task.name, task.source.sha256, [*task.phrases, *task.wordings]] for task in self.tasks]

    def prepare_config(self) -> PrepareConfig:
        """The preparation: all tasks together, near the labelled rows of the first seed."""
        config = self.config
        sizes = [len(split.train) for split in self.splits.values()]
        whole = all(split.shots is None for split in self.splits.values())
        return PrepareConfig(
            **config.prepare.model_dump(exclude_unset=True),
            tasks=config.tasks, corpus=config.corpus, data=config.data, relation=config.relation,
            columns=config.columns, delimiter=config.delimiter,
            phrase=config.phrase if isinstance(config.phrase, str) else None,
            # A smaller number of shots draws the first of the same rows.
            shots=None if whole else min(sizes), seed=config.seeds[0],
            controls=bool(config.asked_controls), workers=config.workers,
        )  # fmt: skip


def read_asked(config: WholeConfig) -> Asked:
    """Read and check everything that can be checked before work begins.

    Raises:
        MtoError: tasks, text or checkpoint cannot be read.
    """
    tasks = load_tasks(config)
    described = {task.name: describe_task(task, config) for task in tasks}
    splits = {task.name: draw_splits(task, config)[config.seeds[0]] for task in tasks}
    pieces = find_pieces(config.corpus, config.prepare.piece_bytes, column=config.prepare.column)
    stamps = [{name: asdict(piece)[name] for name in STAMPED} for piece in pieces]
    return Asked(config, tasks, described, splits, revision_of(config.model), stamps)
