"""One pre-training as a command runs it: the configuration with its changes, one process or several."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mto.config import load_config
from mto.pipeline.team import Team, thread_count
from mto.pretrain import PretrainConfig, pretrain
from mto.pretrain.run import run_folder, share_out

if TYPE_CHECKING:
    from mto.train import Callback

LAYOUT = "layout"
"""The step of a run folder that holds how many processes train, so that it is measured once."""


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


def choose_team(
    config: PretrainConfig, out: str | Path, *, processes: int | None = None, threads: int | None = None
) -> Team:
    """How many processes train: what was asked for, else what this run began with, else the fastest on this machine.

    It is measured once a run (`mto.train.layout`) and kept in its folder, because the weights after some steps depend
    on it in their last digits.

    Raises:
        ConfigError: the batches of a step cannot be shared out among so many processes.
        RunError: the folder holds something else.
    """
    import torch

    folder = run_folder(config, out)
    stored = folder.done(LAYOUT, LAYOUT)
    if processes is not None or threads is not None:
        team = Team(processes or 1, threads, "as asked for")
    elif stored is not None:
        return Team(**stored)
    elif (folder.path / "checkpoints").exists():
        return Team(1, None, "as this run began")
    elif config.train.device != "cpu" and torch.cuda.is_available():
        team = Team(1, None, "one GPU process")
    else:
        from mto.train.layout import choose_layout

        found = choose_layout(
            tokens=config.batch_tokens * config.train.accumulate, most=config.train.accumulate
        )
        fits = config.train.accumulate % found.processes == 0
        team = Team(found.processes if fits else 1, found.threads if fits else None, found.reason)
    share_out(config, team.processes)
    folder.finish(LAYOUT, LAYOUT, vars(team))
    return team


def run_pretraining(
    config: PretrainConfig,
    out: str | Path,
    *,
    data: str | Path | None = None,
    threads: int | None = None,
    resume: bool = True,
    callbacks: Sequence[Callback] = (),
    say: Callable[[str], None] | None = None,
) -> Pretrained:
    """`mto.pretrain.pretrain` with a number of threads; the other arguments are those of `pretrain`."""
    with thread_count(threads):
        result = pretrain(config, out, data=data, callbacks=callbacks, say=say, resume=resume)
    training = result.training
    last = dict(training.evaluations[-1].values) if training.evaluations else {}
    return Pretrained(
        result.model, training.steps, training.tokens, training.seconds, training.tokens_per_second,
        training.precision, last,
    )  # fmt: skip
