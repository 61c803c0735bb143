"""From rows to examples, for multiple choice, classification and text to text: strict, each problem with file and line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mto.errors import DataError
from mto.registry import suggest
from mto.tasks.answers import without_trailing
from mto.tasks.clean import Cleaned
from mto.tasks.kinds import FIELDS, ItemData, ItemKind
from mto.tasks.tables import Cell, Table, cell_texts
from mto.tasks.task import DataWarning, Example, example_id, fold_case, shown
from mto.templates import CHOICE_FIELDS, MOST_CHOICES

SHOWN = 10  # odd rows listed in one message


class OddRowError(Exception):
    """A row that cannot be used as it is; the message says why."""


@dataclass(frozen=True)
class Reading:
    """How the rows of one task are read.

    Attributes:
        labels: what stands in the data (case folded) to the name of its label; None: labels are what the data hold.
    """

    kind: ItemKind
    data: ItemData
    relation: str
    labels: Mapping[str, str] | None = None


@dataclass
class _Kept:
    """Examples under way: fields, targets (by their folded text) and place, by id."""

    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    targets: dict[str, dict[str, str]] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)


def read_items(table: Table, reading: Reading) -> Cleaned:
    """The examples of one split.

    Rows with an empty cell, and rows that stand twice, are left out with a warning. A text-to-text source that stands
    twice is one example with several targets.

    Raises:
        DataError: a column is missing; or odd rows (a choice twice, an answer that is no choice, a label without words, one
            input with two answers), the first ten with their lines, unless the data description says to drop them.
    """
    places = find_places(table, reading)
    kept, warnings, odd = _Kept(), list[DataWarning](), list[str]()
    rows = 0
    for line, cells in table.rows:
        where = f"{table.path}:{line}"
        if not cells:
            warnings.append(DataWarning("empty-row", where, "empty row, left out"))
            continue
        rows += 1
        found = {name: [get(cells) for get in several] for name, several in places.items()}
        try:
            read = _READERS[reading.kind](found, reading, where)
            if isinstance(read, str):
                if read:
                    warnings.append(DataWarning("empty-cell", where, f"{read}, row left out"))
                continue
            fields, targets, mended = read
            if mended:
                warnings.append(DataWarning("odd-row", where, mended))
            _keep(
                kept,
                fields,
                targets,
                f"{table.name}:{line}",
                where,
                warnings,
                one=reading.kind != "text-to-text",
            )
        except OddRowError as error:
            odd.append(f"{where}: {error}")
            warnings.append(DataWarning("odd-row", where, f"{error}, row left out"))
    if odd and reading.data.odd_rows == "error":
        more = f"\nand {len(odd) - SHOWN} more" if len(odd) > SHOWN else ""
        raise DataError(
            "\n".join([f"{len(odd)} of {rows} rows cannot be used:", *odd[:SHOWN]]) + more,
            hint="mend them, or leave them out with data.odd_rows: drop in the task file",
        )
    examples = tuple(
        Example(key, fields, tuple(kept.targets[key].values()), kept.where[key])
        for key, fields in kept.fields.items()
    )
    return Cleaned(examples, tuple(warnings), {reading.relation: rows})


def find_places(table: Table, reading: Reading) -> dict[str, list[Callable[[tuple[Cell, ...]], Cell]]]:
    """How to take each field out of the cells of a row; several ways for choices, or targets, in columns of their own.

    Raises:
        DataError: all missing columns at once.
    """
    wanted = reading.data.columns_for(reading.kind)
    listed = {name: (value,) if isinstance(value, str) else value for name, value in wanted.items()}
    missing = [
        (name, column)
        for name, several in listed.items()
        for column in several
        if column.split(".")[0] not in table.columns
    ]
    if missing:
        name, column = missing[0]
        named = " and ".join(f"'{column}'" for _, column in missing)
        raise DataError(
            f"column{'s' if len(missing) > 1 else ''} {named} {'are' if len(missing) > 1 else 'is'} missing "
            f"(found: {', '.join(repr(c) for c in table.columns)})",
            where=f"{table.path}:1",
            hint=f"{suggest(column, table.columns)}; say which it is in the task file: data.columns.{name}",
        )
    return {name: [_getter(table.columns, column) for column in several] for name, several in listed.items()}


def _getter(columns: tuple[str, ...], column: str) -> Callable[[tuple[Cell, ...]], Cell]:
    first, *inner = column.split(".")
    place = columns.index(first)

    def get(cells: tuple[Cell, ...]) -> Cell:
        value = cells[place]
        for key in inner:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    return get


Found = Mapping[str, list[Cell]]
Read = tuple[dict[str, str], list[str], str]  # fields, targets, and what was mended


def _multiple_choice(found: Found, reading: Reading, where: str) -> Read | str:
    fields = {
        name: _text(found[name][0], reading, name, where)
        for name in ("context", "fact", "question")
        if name in found
    }
    given = [text for cell in found["choices"] for text in cell_texts(cell, where)]
    if len(found["choices"]) > 1:
        given = without_trailing(given)
    answer = _text(found["answer"][0], reading, "answer", where)
    if answer in reading.data.drop:
        return ""
    empty = [name for name, text in fields.items() if not text] + ["choice"] * (not all(given) or not given)
    if empty or not answer:
        return f"empty {' and '.join(empty or ['answer'])}"
    right = _right(answer, given, reading.data.answers)
    folded = [fold_case(choice) for choice in given]
    if folded.count(folded[right]) > 1:
        raise OddRowError(f"the right choice '{given[right]}' stands twice")
    choices = [choice for n, choice in enumerate(given) if folded.index(folded[n]) == n]
    mended = ""
    if len(choices) < len(given):
        twice = next(choice for n, choice in enumerate(given) if folded.index(folded[n]) != n)
        mended = f"the choice '{twice}' stands twice"
        if reading.data.odd_rows == "error":
            raise OddRowError(mended)
        mended += ", once is left out"
    if not 2 <= len(choices) <= MOST_CHOICES:
        raise OddRowError(f"{len(choices)} choices; a question has 2 to {MOST_CHOICES}")
    fields["relation"] = reading.relation
    fields |= dict(zip(CHOICE_FIELDS, choices, strict=False))
    return fields, [given[right]], mended


def _right(answer: str, choices: list[str], answers: str) -> int:
    """The number of the right choice, from 0."""
    if answers == "text":
        found = [n for n, choice in enumerate(choices) if fold_case(choice) == fold_case(answer)]
        if not found:
            raise OddRowError(f"the answer '{answer}' is none of the choices ({', '.join(choices)})")
        return found[0]
    try:
        if answers == "letter":
            number = ord(answer.upper()) - ord("A")
        else:
            number = int(answer) - (answers == "number")
    except (ValueError, TypeError):
        raise OddRowError(
            f"the answer '{answer}' is no {answers} of a choice; data.answers says how it is given"
        ) from None
    if not 0 <= number < len(choices):
        raise OddRowError(f"the answer '{answer}' ({answers}) is none of the {len(choices)} choices")
    return number


def _classification(found: Found, reading: Reading, where: str) -> Read | str:
    fields = {
        name: _text(found[name][0], reading, name, where) for name in ("text", "text2") if name in found
    }
    label = _text(found["label"][0], reading, "label", where)
    if label in reading.data.drop:
        return ""
    empty = [name for name, text in {**fields, "label": label}.items() if not text]
    if empty:
        return f"empty {' and '.join(empty)}"
    name: str | None = label
    if reading.labels is not None:
        name = reading.labels.get(label.casefold())
        if name is None:
            known = ", ".join(dict.fromkeys(reading.labels.values()))
            raise OddRowError(f"the label '{label}' has no entry under labels (there are: {known})")
    return {**fields, "relation": reading.relation}, [name or label], ""


def _text_to_text(found: Found, reading: Reading, where: str) -> Read | str:
    source = ", ".join(cell_texts(found["source"][0], where))
    targets = [text for cell in found["target"] for text in cell_texts(cell, where) if text]
    if not source or not targets:
        return "empty source" if not source else "empty target"
    return {"source": source, "relation": reading.relation}, targets, ""


_READERS: dict[ItemKind, Callable[[Found, Reading, str], Read | str]] = {
    "multiple-choice": _multiple_choice,
    "classification": _classification,
    "text-to-text": _text_to_text,
}


def _text(cell: Cell, reading: Reading, name: str, where: str) -> str:
    texts = cell_texts(_bool_as_text(cell), where)
    if len(texts) > 1:
        raise DataError(f"{name} must be one text, found a list of {len(texts)}", where=where)
    return reading.data.values.get(name, {}).get(texts[0], texts[0])


def _bool_as_text(cell: Cell) -> Cell:
    """A label or answer may be true or false."""
    return str(cell).lower() if isinstance(cell, bool) else cell


def _keep(
    kept: _Kept,
    fields: dict[str, str],
    targets: list[str],
    place: str,
    where: str,
    warnings: list[DataWarning],
    *,
    one: bool,
) -> None:
    """Add a row to the examples; `one` says that an input has one right answer."""
    key = example_id(fields)
    mine = kept.targets.get(key, {})
    if one and mine:
        if fold_case(targets[0]) in mine:
            message = f"'{shown(fields)}' stands here again, left out"
            warnings.append(DataWarning("duplicate-row", where, message))
            return
        raise OddRowError(f"'{shown(fields)}' stands in {kept.where[key]} with another answer")
    new = {fold_case(target): target for target in targets if fold_case(target) not in mine}
    if not new:
        warnings.append(DataWarning("duplicate-row", where, f"'{shown(fields)}' stands here again, left out"))
        return
    kept.fields.setdefault(key, fields)
    kept.where.setdefault(key, place)
    kept.targets.setdefault(key, {}).update(new)


def check_classes(examples: tuple[Example, ...], path: str) -> None:
    """Raise `DataError` where all rows of a train file have one label: nothing could be learnt."""
    found = {example.targets[0] for example in examples}
    if len(found) == 1:
        raise DataError(
            f"all {len(examples)} rows have the label '{next(iter(found))}'", where=path,
            hint="give rows of two labels or more; data.columns.label names the column",
        )  # fmt: skip


def field_names(kind: ItemKind, data: ItemData) -> tuple[str, ...]:
    """The fields that templates see: those of the input that the data have, and the relation; choices are apart."""
    columns = data.columns_for(kind)
    order = ("context", "fact", "question", "text", "text2", "source")
    hidden = {"choices", "answer", "label", "target"}
    assert set(FIELDS[kind]) <= {*order, *hidden}
    return (*(name for name in order if name in columns), "relation")
