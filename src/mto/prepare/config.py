"""What `mto prepare` can be told. Light to import: no torch here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator

from mto.config import Strict, override, parse, read_yaml
from mto.errors import ConfigError
from mto.prepare.clean import CleanConfig
from mto.tasks import SHOTS

"""Labelled rows where nobody says how many (the authors' number, docs/method.md 8)."""


class SelectConfig(Strict):
    """Which sentences are chosen for a task."""

    per_task: PositiveInt = 1000
    """Most sentences a task."""
    phrases: bool = True
    """Whether sentences that hold the relation's phrase or a variant come first."""
    retrieval: Literal["bm25", "embedding", "none"] = "bm25"
    """Nearness to the labelled rows: by words, by mean encoder states of `model` (slow: about a thousand sentences a second and core
    with `mini`), or not at all (phrases alone choose)."""
    model: str = "mini"
    """Checkpoint whose encoder reads the sentences, with retrieval by embedding."""
    k1: float = Field(default=1.2, ge=0)
    """Of BM25: how soon a repeated word counts no more."""
    b: float = Field(default=0.75, ge=0, le=1)
    """Of BM25: how much a long sentence loses."""
    shared: bool = False
    """Whether a sentence may serve several tasks. Otherwise it serves the one that it fits best: the longest phrase, then the highest score,
    then by lot."""
    general_share: float = Field(default=0.0, ge=0, lt=1)
    """Share of general sentences in the set of task pairs: random ones that were chosen for no task."""
    held_out: NonNegativeInt = 400
    """General sentences that no pair is made of, for measuring what adaptation forgets."""
    near_duplicates: float | None = Field(default=0.8, gt=0, le=1)
    """Share of equal words and word pairs from which two chosen sentences are one; null: they are not looked for."""


class TextSettings(Strict):
    """How text becomes pairs, whatever the text and the tasks are."""

    column: str = "text"
    """Of the text, in JSONL, Parquet and data sets."""
    sentences: str = "rules"
    """What cuts lines into sentences: rules, spacy or wtpsplit."""
    clean: CleanConfig = CleanConfig()
    """What a sentence must be like."""
    select: SelectConfig = SelectConfig()
    """Which sentences are chosen."""
    maker: str = "splitter"
    """What makes pairs of sentences: a name, or ``module:attribute``."""
    making: dict[str, Any] = Field(default_factory=dict)
    """The maker's own settings."""
    piece_bytes: int = Field(default=32 * 2**20, ge=64)
    """Size of a piece of plain text, the unit of work and of going on."""
    part_sentences: PositiveInt = 100_000
    """Most sentences of a file of cleaned text."""
    shard_sentences: PositiveInt = 1000
    """Task sentences of a shard of pairs."""
    licence: str = "not stated"
    """Of the raw text, for the datasheet."""
    keep_work: bool = False
    """Whether the intermediate files stay."""
    engine: Literal["local", "ray"] = "local"
    """What computes: processes on this machine, or Ray. The pairs are the same."""
    address: str | None = None
    """Of a Ray cluster; None: Ray on this machine."""


class PrepareConfig(TextSettings):
    """One preparation of raw text for one task or more."""

    tasks: tuple[str, ...] = Field(min_length=1)
    """Names (``household/ObjectUse``), task files or files of rows."""
    corpus: tuple[str, ...] = Field(min_length=1)
    """Files, folders, globs, ``hf:NAME`` for Hugging Face data sets, or ``mto:NAME`` for the text of a task library."""
    data: str | None = None
    """Folder or file of the tasks' rows, where they are not in the package."""
    relation: str | None = None
    """The relation, for a file of rows that holds several."""
    columns: dict[str, str] | None = None
    """Which column holds which field, for files of rows with other names: ``{head: QUESTION, tail: ANSWER}``."""
    delimiter: str | None = None
    """Between the cells of CSV files of rows; None: found from their first line."""
    phrase: str | None = None
    """A phrase of your own, such as ``{{ head }} is used for``, in place of the tasks' phrases."""
    shots: NonNegativeInt | None = SHOTS
    """Labelled rows of each task, as `mto run` draws them; None: all. Where nobody says: the fewest that a task asks for."""
    seed: NonNegativeInt = 0
    """Draws the labelled rows, the general sentences, and whatever the making of pairs draws."""
    controls: bool = True
    """Whether the control sets are made: random spans, random prefixes, general text."""
    workers: PositiveInt | None = None
    """Processes of one thread; None: one a core. The pairs do not depend on it."""

    @field_validator("tasks", "corpus", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        return (str(value),) if isinstance(value, str | Path) else value

    @field_validator("tasks", "corpus")
    @classmethod
    def _no_double(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} stands twice")
        return values

    def fixed(self) -> dict[str, Any]:
        """What makes two preparations the same: everything but where the rows lie and who computes."""
        values = self.model_dump(mode="json", exclude={"data", "workers", "engine", "address", "keep_work"})
        # Left out where nobody said so: preparations from before there were such settings stay the same.
        return {k: v for k, v in values.items() if k not in ("columns", "delimiter") or v is not None}


def read_prepare_config(
    path: str | Path | None = None, changes: Sequence[str] = (), **options: Any
) -> PrepareConfig:
    """A configuration from a YAML file, options and ``key.path=value`` changes; the later wins.

    Args:
        options: values by name; ``select`` and ``clean`` are laid over those of the file.

    Raises:
        ConfigError: all problems at once, with their lines.
    """
    data, lines = read_yaml(path) if path is not None else ({}, {})
    if not isinstance(data, dict):
        raise ConfigError(f"expected a mapping at the top, found {type(data).__name__}", where=str(path))
    for name in ("select", "clean"):
        inner = options.pop(name, None)
        if inner:
            options[name] = {**(data.get(name) or {}), **inner}
    source = str(path) if path is not None else "the command line"
    return parse(PrepareConfig, override({**data, **options}, changes), source=source, lines=lines)
