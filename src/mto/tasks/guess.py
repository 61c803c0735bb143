"""What kind of task a table holds and which column is which field, by names and contents; no model is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from mto.errors import DataError, UnknownNameError
from mto.registry import suggest
from mto.tasks.answers import find_answers, find_choices
from mto.tasks.form import Kind
from mto.tasks.kinds import FIELDS, Answers
from mto.tasks.profile import Profile, profiles
from mto.tasks.tables import Table

NAMES: dict[str, tuple[str, ...]] = {
    "question": ("question", "questionstem", "stem", "query", "goal", "q", "questiontext", "prompt"),
    "answer": ("answer", "answerkey", "correct", "correctanswer", "key", "gold", "label", "solution", "correctoption", "right"),
    "context": ("context", "passage", "paragraph", "story", "background", "premise", "article"),
    "fact": ("fact", "fact1", "hint", "support"),
    "text": (
        "text", "sentence", "review", "comment", "content", "message", "body", "tweet", "document", "premise", "sentence1",
        "text1", "claim", "statement", "headline", "question1", "input", "utterance", "post", "feedback", "question",
    ),
    "text2": ("text2", "sentence2", "hypothesis", "question2", "textb"),
    "label": (
        "label", "labels", "class", "category", "sentiment", "intent", "topic", "polarity", "target", "labeltext", "stance",
        "emotion", "mood", "tag", "rating", "stars", "gold", "goldlabel", "verdict", "answer",
    ),
    "source": ("source", "input", "src", "document", "article", "mr", "text", "meaningrepresentation", "concepts", "question", "prompt", "instruction"),
    "target": ("target", "output", "tgt", "summary", "reference", "references", "humanreference", "translation", "response", "targets", "answer", "completion", "answers"),
    "head": ("head", "subject", "entity", "event", "head1"),
    "relation": ("relation", "predicate", "rel", "property"),
    "tail": ("tail", "tails", "object", "object1"),
}  # fmt: skip
"""Names that a field's column often has, the likeliest first; without case and marks."""
COMPLETION = {"head": True, "relation": False, "tail": True}
MOST_LABELS = 50
SHORT = 6.0
"""Words: two columns of texts that are shorter on average than this are a completion, else text to text."""


class Unclear(DataError):  # noqa: N818 - a question, which is an error only where nobody can be asked
    """Something that the table does not tell.

    Attributes:
        flag: the option that answers it, such as ``--columns label=``.
        options: the answers to choose from; empty where any text will do.
    """

    def __init__(
        self, message: str, *, flag: str, options: Sequence[str] = (), where: str, hint: str
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.flag, self.options = flag, tuple(options)


@dataclass(frozen=True)
class Said:
    """What the user says instead of leaving it to a guess.

    Attributes:
        columns: field to column; the choices, or the references of a text, in columns of their own are joined by ``+``.
        labels: what stands in the data to the name of its label.
    """

    kind: Kind | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    answers: Answers | None = None


@dataclass(frozen=True)
class Guess:
    """What a table holds.

    Attributes:
        columns: field to column, or to the columns of the choices or of the references.
        labels: of a classification: name of each label to what stands in the data.
        relations: of a completion with a relation column: its values.
        unread: columns that are no field.
        reasons: why, one sentence each.
        seen: the profile of each column.
    """

    kind: Kind
    columns: Mapping[str, str | tuple[str, ...]]
    answers: Answers | None
    labels: Mapping[str, tuple[str, ...]]
    relations: tuple[str, ...]
    unread: tuple[str, ...]
    reasons: tuple[str, ...]
    seen: Mapping[str, Profile]


def guess(table: Table, said: Said = Said()) -> Guess:
    """The kind of a table and its fields.

    Raises:
        Unclear: something cannot be told; it names the option that answers it.
        DataError: the table fits no kind (one label only), or what was said does not fit the table.

    >>> from mto.tasks.tables import table_from_rows
    >>> rows = [{"id": n, "review": f"it was film {n}", "stars": "good" if n % 2 else "bad"} for n in range(12)]
    >>> found = guess(table_from_rows(rows, name="films"))
    >>> found.kind, dict(found.columns), dict(found.labels)
    ('classification', {'text': 'review', 'label': 'stars'}, {'bad': ('bad',), 'good': ('good',)})
    """
    return _Guesser(table, said).guess()


class _Guesser:
    def __init__(self, table: Table, said: Said) -> None:
        self.table, self.said = table, said
        self.seen = profiles(table)
        self.reasons: list[str] = []
        self.free = [name for name, seen in self.seen.items() if seen.filled and not seen.numbered]
        self.given = self._given()
        self._keep_numbers()

    def guess(self) -> Guess:
        kind = self._kind()
        if self.said.answers and kind != "multiple-choice":
            raise DataError(
                f"says how the right choice is given, and this is a {kind} task", where="--answers",
                hint="leave it out, or name the choices: --columns choices=A+B+C",
            )  # fmt: skip
        columns = self._fields(kind)
        labels = self._labels(str(columns["label"])) if kind == "classification" else {}
        answers = None
        if kind == "multiple-choice":
            answers = self.said.answers or self._answers(columns)
        relations: tuple[str, ...] = ()
        if kind == "completion" and "relation" in columns:
            relations = self._relations(str(columns["relation"]))
        read = {c for value in columns.values() for c in ((value,) if isinstance(value, str) else value)}
        unread = tuple(name for name in self.seen if name not in read)
        return Guess(kind, columns, answers, labels, relations, unread, tuple(self.reasons), self.seen)

    def _given(self) -> dict[str, str | tuple[str, ...]]:
        """The columns that the user names, if they are there."""
        known = {*COMPLETION, *(name for fields in FIELDS.values() for name in fields)}
        found: dict[str, str | tuple[str, ...]] = {}
        for name, column in self.said.columns.items():
            if name not in known:
                raise UnknownNameError(
                    f"no field is named '{name}'", where="--columns", hint=suggest(name, known)
                )
            parts = (
                (column,)
                if column in self.seen or name not in ("choices", "target")
                else tuple(column.split("+"))
            )
            missing = next((part for part in parts if part not in self.seen), None)
            if missing is not None:
                raise DataError(
                    f"there is no column '{missing}' for {name} (found: {', '.join(map(repr, self.seen))})",
                    where=f"{self.table.path}:1", hint=suggest(missing, self.seen),
                )  # fmt: skip
            found[name] = parts[0] if len(parts) == 1 else parts
        taken = {c for value in found.values() for c in ((value,) if isinstance(value, str) else value)}
        self.free = [name for name in self.free if name not in taken]
        return found

    def _keep_numbers(self) -> None:
        """Free the columns of choices and answers that look like row numbers: choices that are numbers may be consecutive.

        Only where the answers name the choices: features that are numbers are no choices.
        """
        if self.said.kind not in (None, "multiple-choice") or self.given.keys() & {
            "text",
            "label",
            "head",
            "source",
        }:
            return
        taken = {c for value in self.given.values() for c in ((value,) if isinstance(value, str) else value)}
        filled = [name for name, seen in self.seen.items() if seen.filled and name not in taken]
        given = self.given.get("choices")
        choices = [given] if isinstance(given, str) else list(given or find_choices(self.seen, filled))
        rest = [name for name in filled if name not in choices]
        answer = self.given.get("answer") or self._named("answer", rest)
        if not choices or not answer or set(choices) | {answer} <= {*self.free, *taken}:
            return
        if find_answers(self.table, choices[0] if len(choices) == 1 else tuple(choices), str(answer))[0]:
            self.free = [name for name in filled if name in (*self.free, *choices, answer)]

    def _named(self, name: str, among: Sequence[str] | None = None) -> str | None:
        """The free column that is called as this field often is."""
        by_key = {self.seen[column].key: column for column in reversed(self.free if among is None else among)}
        return next((by_key[key] for key in NAMES[name] if key in by_key), None)

    def _kind(self) -> Kind:
        if self.said.kind is not None:
            return self.said.kind
        for kind, fields in (("completion", COMPLETION), *FIELDS.items()):
            if any(name in fields for name in self.given):
                self.reasons.append(f"{kind}: its fields are named")
                return kind  # type: ignore[return-value]
        if self.said.answers:
            self.reasons.append("multiple-choice: it is said how the answers name the choices")
            return "multiple-choice"
        if self.said.labels:
            self.reasons.append("classification: its labels are named")
            return "classification"
        choices = find_choices(self.seen, self.free)
        if choices and self._named("answer", [n for n in self.free if n not in choices]):
            self.reasons.append(f"multiple-choice: choices stand in {_listed(choices)}")
            return "multiple-choice"
        if self._named("head") and self._named("tail"):
            self.reasons.append("completion: there are a head and a tail")
            return "completion"
        label = self._named("label")
        texts = [name for name in self.free if name != label]
        if label and texts and self._is_label(label):
            self.reasons.append(f"classification: '{label}' holds {self.seen[label].distinct} labels")
            return "classification"
        source, target = self._named("source"), self._named("target")
        if source and target and source != target:
            self.reasons.append(f"text-to-text: '{source}' leads to '{target}', which has no few labels")
            return "text-to-text"
        few = [name for name in self.free if self.seen[name].few]
        if few and len(self.free) > len(few):
            verb = "holds" if len(few) == 1 else "hold"
            self.reasons.append(f"classification: {_listed(few)} {verb} few values that come again and again")
            return "classification"
        if len(self.free) == 2 and not few:
            short = all(self.seen[name].words <= SHORT for name in self.free)
            self.reasons.append(
                f"{'completion' if short else 'text-to-text'}: two columns of {'short' if short else 'longer'} texts, "
                "the first is taken for the input"
            )
            return "completion" if short else "text-to-text"
        raise Unclear(
            f"the columns do not tell what kind of task this is (found: {_listed(list(self.seen))})",
            flag="--kind", options=get_args(Kind), where=self.table.path,
            hint=f"say it with --kind ({', '.join(get_args(Kind))}), or name the columns: --columns text=COLUMN,label=COLUMN",
        )  # fmt: skip

    def _is_label(self, name: str) -> bool:
        seen = self.seen[name]
        return not seen.lists and seen.distinct <= MOST_LABELS and seen.distinct * 2 <= seen.filled

    def _fields(self, kind: Kind) -> dict[str, str | tuple[str, ...]]:
        fields = COMPLETION if kind == "completion" else FIELDS[kind]
        wrong = next((name for name in self.given if name not in fields), None)
        if wrong is not None:
            raise DataError(
                f"a {kind} task has no field '{wrong}'",
                where="--columns",
                hint=f"its fields: {', '.join(fields)}",
            )
        found = dict(self.given)
        if kind == "multiple-choice" and "choices" not in found:
            choices = find_choices(self.seen, self.free)
            if not choices:
                raise self._which("choices", "--columns choices=A+B+C (or one column with lists)")
            found["choices"] = choices[0] if len(choices) == 1 else tuple(choices)
            self.free = [name for name in self.free if name not in choices]
        if kind == "classification" and "label" not in found:
            found["label"] = self._take(self._label())
        # What must be there and has its usual name goes first, so that a looser name takes nothing away.
        for name in sorted(fields, key=lambda one: (not fields[one], one == "context")):
            if name not in found and (column := self._named(name)):
                found[name] = self._take(column)
        for name, needed in fields.items():
            if needed and name not in found:
                found[name] = self._take(self._left(name))
        return {name: found[name] for name in fields if name in found}

    def _label(self) -> str:
        named = self._named("label")
        if named and self.seen[named].distinct <= MOST_LABELS:
            return named
        for like in (
            [name for name in self.free if self.seen[name].few],
            [name for name in self.free if self.seen[name].again],
            self.free if "text" in self.given else [],
        ):
            if len(like) == 1:
                self.reasons.append(f"label: '{like[0]}', whose values come again")
                return like[0]
        raise self._which("label", "--columns label=COLUMN")

    def _left(self, name: str) -> str:
        """The column of a field that no name tells: the only one, or the clearly longest text; of two the first."""
        free = self.free
        if name in ("head", "source") and len(free) == 2:
            return free[0]
        if len(free) > 1:
            order = sorted(free, key=lambda one: -self.seen[one].words)
            if self.seen[order[0]].words < 2 * self.seen[order[1]].words or name not in (
                "text",
                "question",
                "source",
            ):
                raise self._which(name, f"--columns {name}=COLUMN")
            free = order[:1]
        if not free:
            raise self._which(name, f"--columns {name}=COLUMN")
        self.reasons.append(f"{name}: '{free[0]}', no other column is left that could be it")
        return free[0]

    def _take(self, column: str) -> str:
        self.free = [name for name in self.free if name != column]
        return column

    def _which(self, name: str, how: str) -> Unclear:
        return Unclear(
            f"which column holds the {name}? (found: {_listed(list(self.seen))})", flag=f"--columns {name}=",
            options=self.free, where=f"{self.table.path}:1", hint=f"say it with {how}",
        )  # fmt: skip

    def _answers(self, columns: Mapping[str, str | tuple[str, ...]]) -> Answers:
        found, reason = find_answers(self.table, columns["choices"], str(columns["answer"]))
        if reason:
            self.reasons.append(reason)
        if len(found) != 1:
            told = "fits none of them" if not found else f"could be {' or '.join(found)}"
            raise Unclear(
                f"how does '{columns['answer']}' say which choice is right? It {told}", flag="--answers",
                options=found or get_args(Answers), where=self.table.path,
                hint="say it with --answers: index (from 0), number (from 1), letter (A, B, …) or text (of the right choice)",
            )  # fmt: skip
        return found[0]

    def _labels(self, column: str) -> dict[str, tuple[str, ...]]:
        """Name of each label to what stands for it in the data."""
        values = self.seen[column].values
        if self.seen[column].distinct > MOST_LABELS:
            raise DataError(
                f"column '{column}' holds {self.seen[column].distinct} different labels, {MOST_LABELS} at most can be told apart",
                where=f"{self.table.path}:1", hint="is it the right column? Say it with --columns label=COLUMN",
            )  # fmt: skip
        if len(values) < 2:
            only = next(iter(values), "")
            raise DataError(
                f"all {self.seen[column].filled} rows have the label '{only}' in column '{column}'", where=self.table.path,
                hint="give rows of two labels or more, or name another column with --columns label=COLUMN",
            )  # fmt: skip
        names = {value.casefold(): name for value, name in self.said.labels.items()}
        if names:
            missing = [value for value in values if value.casefold() not in names]
            if missing:
                raise DataError(
                    f"--labels says nothing of {_listed(missing)} in column '{column}'", where=self.table.path,
                    hint=f"name every label: --labels {','.join(f'{value}=NAME' for value in values)}",
                )  # fmt: skip
        elif self.seen[column].numbers:
            raise Unclear(
                f"the labels in column '{column}' are numbers ({', '.join(values)}), and a model reads words",
                flag="--labels", options=tuple(values), where=self.table.path,
                hint=f"say what each means: --labels {','.join(f'{value}=WORD' for value in values)}",
            )  # fmt: skip
        found: dict[str, tuple[str, ...]] = {}
        for value in values:
            name = names.get(value.casefold(), value)
            found[name] = (*found.get(name, ()), value)
        return found

    def _relations(self, column: str) -> tuple[str, ...]:
        seen = self.seen[column]
        if seen.distinct > 2 * MOST_LABELS:
            raise DataError(
                f"column '{column}' holds {seen.distinct} different relations", where=f"{self.table.path}:1",
                hint="is it the right column? Say it with --columns relation=COLUMN, or rename it",
            )  # fmt: skip
        return tuple(seen.values)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")
