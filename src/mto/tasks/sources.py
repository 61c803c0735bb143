"""Which tables a task's data description, or what the user gives in its place, stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mto.errors import DataError
from mto.tasks.schema import Source
from mto.tasks.tables import FORMATS, Table, find_delimiter, read_table, table_from_rows

DataLike = Any  # a folder, a file, a Hugging Face data set, rows, or a mapping from split to any of these
CONVERTED = "refs/convert/parquet"
"""The revision of a data set on the hub that holds what the hub converted to Parquet: for sets that are a loading script."""
_ALIASES = {"train": ("train",), "dev": ("dev", "validation", "valid"), "test": ("test",)}


def open_tables(
    spec: Source, base: Path | None, given: DataLike | None, name: str
) -> tuple[str, dict[str, Table]]:
    """The tables of a task, by split, and a name for where they came from.

    Args:
        spec: the data description of the task file.
        base: the folder of the task file, for relative folders.
        given: what the user gave in place of the folder: a folder, one file (used as train), a Hugging Face
            ``Dataset`` or ``DatasetDict``, rows (mappings), or a mapping from split to rows.
        name: the task's name, for messages.

    Raises:
        DataError: there is no data, a file is missing or cannot be used.
    """
    if given is not None and not isinstance(given, str | Path):
        return name, tables_in_memory(given, spec, name)
    if given is None and spec.format == "huggingface":
        return spec.dataset or name, tables_in_memory(_open_dataset(spec, base, name), spec, name)
    if given is None and spec.folder is None:
        raise DataError(
            f"the data of '{name}' is not part of the package",
            hint=f"give the folder that holds {', '.join(spec.splits.named().values())} (data=FOLDER, or --data FOLDER)",
        )
    path = Path(given) if given is not None else (base or Path()) / (spec.folder or ".")
    if path.is_file():
        form = FORMATS.get(path.suffix.lower(), spec.format)
        named = "delimiter" in spec.model_fields_set
        delimiter = spec.delimiter if named or form != "csv" else find_delimiter(path, spec.looked_for())
        return str(path), {"train": read_table(path, form, delimiter=delimiter)}
    if given is not None and spec.format == "huggingface":
        return str(path), tables_in_memory(_load_saved(path), spec, name)
    if not path.is_dir():
        what = "file" if path.suffix.lower() in FORMATS else "folder"
        raise DataError(f"no such {what}", where=str(path), hint=f"'{name}' expects its data there")
    files = spec.splits.named().items()
    return str(path), {
        split: read_table(path / file, spec.format, delimiter=spec.delimiter) for split, file in files
    }


def tables_in_memory(given: Any, spec: Source | None, name: str) -> dict[str, Table]:
    """Tables from a Hugging Face data set or from rows."""
    if isinstance(given, Mapping) and not _is_dataset(given):
        found = {split: _pick(given, split, spec) for split in _ALIASES}
        if found["train"] is None:
            raise DataError(f"no split 'train' (found: {', '.join(map(str, given)) or 'none'})", where=name)
        return {
            s: table_from_rows(_rows(rows), name=f"{name}[{s}]")
            for s, rows in found.items()
            if rows is not None
        }
    return {"train": table_from_rows(_rows(given), name=f"{name}[train]")}


def _pick(given: Mapping[str, Any], split: str, spec: Source | None) -> Any:
    asked = getattr(spec.splits, split) if spec else None
    if asked is not None and asked in given:
        return given[asked]
    if spec is not None and spec.format == "huggingface":
        if asked is None:
            return None
        raise DataError(f"no split '{asked}' (found: {', '.join(map(str, given))})", hint="set data.splits")
    return next((given[alias] for alias in _ALIASES[split] if alias in given), None)


def _rows(given: Any) -> Iterable[Mapping[str, Any]]:
    if _is_dataset(given):
        return given
    if isinstance(given, str | bytes) or not isinstance(given, Sequence):
        raise DataError(f"expected rows or a data set, found {type(given).__name__}")
    return given


def _is_dataset(given: Any) -> bool:
    """A Hugging Face ``Dataset`` (not a ``DatasetDict``), without importing the library."""
    return hasattr(given, "column_names") and not isinstance(given, Mapping)


def _open_dataset(spec: Source, base: Path | None, name: str) -> Any:
    if spec.dataset is None:
        raise DataError(f"'{name}' has format huggingface and names no data set", hint="set data.dataset")
    saved = (base or Path()) / spec.dataset
    if saved.is_dir():
        return _load_saved(saved)
    import datasets

    try:
        return datasets.load_dataset(spec.dataset, spec.config, revision=spec.revision)
    except Exception as error:  # whatever the hub, the network or a broken archive may raise
        hint = "check its name, or save it to a folder with save_to_disk and name that"
        if "scripts are no longer supported" in str(error) and spec.revision is None:
            hint = f"set data.revision: {CONVERTED} (the hub's own conversion), or name a copy of it without a script"
        raise DataError(
            f"the data set '{spec.dataset}' cannot be loaded: {error}", where=name, hint=hint
        ) from error


def _load_saved(path: Path) -> Any:
    import datasets

    try:
        return datasets.load_from_disk(str(path))
    except (FileNotFoundError, ValueError) as error:
        raise DataError(f"not a saved data set: {error}", where=str(path)) from None
