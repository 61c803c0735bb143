"""One pre-training as a command runs it: the configuration with its changes, one process or several."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.config import load_config
from mto.errors import ConfigError
from mto.pretrain import PretrainConfig, pretrain

if TYPE_CHECKING:
    from mto.train import Callback


@dataclass(frozen=True)
class Pretrained:
    """What a pre-training gave: the checkpoint's folder, and how the training went."""

    model: Path
    steps: int
    tokens: int
    seconds: float
    tokens_per_second: float
    precision: str
    values: dict[str, float]


def read_pretrain_config(
    path: str | Path, changes: Sequence[str] = (), *, corpus: str | Path | None = None
) -> PretrainConfig:
    """Read a configuration, apply ``key.path=value`` changes, and put `corpus` in place of the file's.

    Raises:
        ConfigError: all problems at once, with their lines.
    """
    own = [] if corpus is None else [f"corpus={json.dumps(str(corpus), ensure_ascii=False)}"]
    return load_config(PretrainConfig, path, [*changes, *own])


def run_pretraining(
    config: PretrainConfig,
    out: str | Path,
    *,
    data: str | Path | None = None,
    processes: int | None = None,
    threads: int | None = None,
    resume: bool = True,
    callbacks: Sequence[Callback] = (),
    say: Callable[[str], None] | None = None,
) -> Pretrained:
    """`mto.pretrain.pretrain` with a number of processes and threads; the arguments are those of `pretrain`."""
    if processes is not None and processes > 1:
        raise ConfigError(f"{processes} processes are not supported yet", hint="leave --processes out")
    with thread_count(threads):
        result = pretrain(config, out, data=data, callbacks=callbacks, say=say, resume=resume)
    training = result.training
    last = dict(training.evaluations[-1].values) if training.evaluations else {}
    return Pretrained(
        result.model, training.steps, training.tokens, training.seconds, training.tokens_per_second,
        training.precision, last,
    )  # fmt: skip


@contextmanager
def thread_count(threads: int | None) -> Iterator[None]:
    """Compute with so many threads inside the block (None: as it is)."""
    torch: Any = importlib.import_module("torch")
    before = torch.get_num_threads()
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
