"""One adaptation as a command runs it: the configuration with its changes, where it goes, how many processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.adapt.config import AdaptConfig
from mto.config import override, parse, read_yaml
from mto.errors import ConfigError
from mto.pipeline.team import Team, thread_count

if TYPE_CHECKING:
    from mto.adapt import AdaptResult
    from mto.train import Callback


def read_adapt_config(path: str | Path | None, changes: Sequence[str] = (), **options: Any) -> AdaptConfig:
    """Read a configuration (None: the defaults), put the options in place of the file's values, then ``key=value`` changes.

    Raises:
        ConfigError: all problems at once.
    """
    data, lines = read_yaml(path) if path is not None else ({}, {})
    if not isinstance(data, dict):
        raise ConfigError(f"expected a mapping at the top, found {type(data).__name__}", where=str(path))
    given = override(data | options, changes)
    if "pairs" not in given:
        raise ConfigError("no pairs are given", hint="name the folder that mto prepare made: --pairs DIR")
    return parse(AdaptConfig, given, source=str(path) if path is not None else "the command", lines=lines)


def as_words(config: AdaptConfig) -> list[str]:
    """The settings that are not defaults, as ``key=value`` words that `read_adapt_config` reads.

    >>> as_words(AdaptConfig(pairs="work/tools", objective="lm", lora={"rank": 4}))
    ['objective="lm"', 'lora={"rank": 4}', 'pairs="work/tools"']
    """
    given = config.model_dump(mode="json", exclude_defaults=True)
    return [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in given.items()]


def default_out(config: AdaptConfig) -> Path:
    """A folder under ``runs`` named after model, pairs and objective.

    >>> default_out(AdaptConfig(model="google/flan-t5-base", pairs="work/tools", objective="lm")).as_posix()
    'runs/flan-t5-base-tools-lm'
    """
    parts = [Path(config.model).name, config.pairs.resolve().name, config.objective]
    if config.set != "task":
        parts.append(config.set)
    return Path("runs") / "-".join(parts)


def choose_team(config: AdaptConfig, processes: int | None, threads: int | None) -> Team:
    """As many processes as asked for, else one: a step of some 500 tokens is too little to be shared out.

    Raises:
        ConfigError: the batches of a step cannot be shared out among so many processes.
    """
    count = processes or 1
    if config.accumulate % count:
        raise ConfigError(
            f"accumulate: {config.accumulate} batches a step cannot be shared out among {count} processes",
            hint=f"give each a batch: accumulate={count}, with a smaller batch_tokens for steps of the same size",
        )
    return Team(count, threads, "as asked for" if processes else "one process")


def run_adaptation(
    config: AdaptConfig,
    out: str | Path,
    *,
    threads: int | None = None,
    resume: bool = True,
    callbacks: Sequence[Callback] = (),
    say: Callable[[str], None] | None = None,
) -> AdaptResult:
    """`mto.adapt.adapt` with a number of threads; the other arguments are those of `adapt`."""
    from mto.adapt import adapt

    with thread_count(threads):
        return adapt(config, out, callbacks=callbacks, say=say, resume=resume)
