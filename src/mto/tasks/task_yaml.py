"""A task file as text, complete and with comments, for a person to go on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from mto.tasks.guess import Guess
from mto.tasks.phrasing import words_for
from mto.tasks.task import SHOTS

CROSS = 120
"""Inputs in one file below which the score is better k-fold than on inputs that are held out."""
MOST_HELD = 500


@dataclass(frozen=True)
class Draft:
    """What a task file is made of.

    Attributes:
        name: of the task.
        file: the task file's own name, for the commands in its comments.
        folder: of the data, relative to the task file.
        splits: train, perhaps dev and test, to file names in that folder.
        delimiter: of CSV files; None: a comma.
        inputs: different inputs in the train file.
        counts: of a classification: rows that can be used (none twice, none empty) by label.
        phrases: by relation (one entry ``""`` where there are no relations).
    """

    name: str
    file: str
    folder: str
    splits: Mapping[str, str]
    delimiter: str | None
    inputs: int
    counts: Mapping[str, int]
    phrases: Mapping[str, Sequence[str]]
    found: Guess


def hold_out_for(inputs: int) -> int | None:
    """How many inputs of a single file to hold out as a test set; None: too few, the score is k-fold.

    >>> hold_out_for(60), hold_out_for(150), hold_out_for(9000)
    (None, 50, 500)
    """
    return None if inputs < CROSS else min(inputs // 3, MOST_HELD)


def quoted(text: str) -> str:
    """A text as YAML writes it between quotation marks, on one line.

    >>> quoted('say "no": #1')
    '"say \\\\"no\\\\": #1"'
    """
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9).strip()


def task_yaml(draft: Draft) -> str:
    """The text of the task file."""
    found = draft.found
    lines = [
        f"# A {found.kind} task, guessed from the columns of {draft.splits['train']}. Check what is marked with (check).",
        f"# Next: mto validate {draft.file}    then: mto run {draft.file}",
        *(f"# Why: {' '.join(reason.split())}." for reason in found.reasons),
        f"name: {quoted(draft.name)}",
        f"kind: {found.kind}",
        'title: ""      # for lists and reports',
        'licence: ""    # of the data, such as CC-BY-4.0 or my own',
        'source: ""     # where the data come from',
    ]
    if found.kind == "completion":
        return "\n".join([*lines, *_data(draft), *_relations(draft)]) + "\n"
    lines += [
        "# What Mapping, the conventional form, writes before the input; the name of the task where it is left out.",
        f"relation: {quoted(draft.name)}",
        *_phrases(
            draft.phrases[""],
            "",
            "{{ question }}" if found.kind == "multiple-choice" else f"{{{{ {next(iter(found.columns))} }}}}",
        ),
    ]
    if found.kind == "classification":
        lines += _labels(found, draft.counts)
        if "text2" in found.columns:
            lines += [
                "# How the two texts stand where no phrase says it.",
                'input: "text: {{ text }} second text: {{ text2 }}"',
            ]
    return "\n".join([*lines, *_data(draft)]) + "\n"


def _phrases(phrases: Sequence[str], indent: str, field: str) -> list[str]:
    if field == "{{ question }}":
        return [
            f"{indent}# Natural phrases, each up to the place where the answer begins. Of multiple choice only Prompting and MaskedPrompting read them,",
            f"{indent}# which a run tunes where they are asked for (--families prompting): the choices stand in what all other families read.",
            f"{indent}phrases:",
            *(f"{indent}  - {quoted(phrase)}" for phrase in phrases),
        ]
    return [
        f"{indent}# (check) Natural phrases, each up to the place where the answer begins; the first is the default. Good words are",
        f"{indent}# most of the gain, so say it as you would to a person; {field} is the input.",
        f"{indent}phrases:",
        *(f"{indent}  - {quoted(phrase)}" for phrase in phrases),
    ]


def _labels(found: Guess, counts: Mapping[str, int]) -> list[str]:
    words = words_for(tuple(found.labels))
    lines = [
        "# (check) Each label: what stands for it in the data, and its words, which are written behind a phrase. The first word is",
        "# learnt; no word may stand for two labels.",
        "labels:",
    ]
    for name, values in found.labels.items():
        data = ", ".join(map(quoted, values))
        said = ", ".join(map(quoted, words[name]))
        lines.append(f"  {quoted(name)}: {{data: [{data}], words: [{said}]}}    # {counts.get(name, 0)} rows")
    return lines


def _relations(draft: Draft) -> list[str]:
    lines = ["relations:"]
    for number, (relation, phrases) in enumerate(draft.phrases.items()):
        lines.append(f"  {quoted(relation)}:")
        if not number:
            lines.append(
                "    # type: mask-filling    # or map-phrasal, where you know it; mto match asks the data"
            )
            lines += _phrases(phrases, "    ", "{{ head }}")
        else:
            lines += ["    phrases:", *(f"      - {quoted(phrase)}" for phrase in phrases)]
    return lines


def _data(draft: Draft) -> list[str]:
    found = draft.found
    lines = ["data:", f"  folder: {quoted(draft.folder)}    # relative to this file"]
    if draft.delimiter is not None:
        lines.append(f"  delimiter: {quoted(draft.delimiter)}")
    lines.append("  columns:    # field: column of your file")
    for name, column in found.columns.items():
        value = quoted(column) if isinstance(column, str) else f"[{', '.join(map(quoted, column))}]"
        lines.append(f"    {name}: {value}")
    if found.kind == "completion" and "relation" not in found.columns:
        lines.append("    relation: null    # all rows belong to the one relation below")
    if found.unread:
        named = ", ".join(" ".join(name.split()) or "(no name)" for name in found.unread[:12])
        lines.append(f"    # Not read: {named}")
    if found.answers is not None:
        lines.append(
            f"  answers: {found.answers}    # index (from 0), number (from 1), letter (A, B, …) or text"
        )
    if found.kind == "completion":
        lines.append("  drop_tails: []    # tails that say nothing, such as [none]; their rows are left out")
    else:
        lines.append(
            "  drop: []    # answers or labels that say 'not known', such as ['-1']; their rows are left out"
        )
        lines.append("  odd_rows: error    # drop: rows that cannot be used are left out, with a warning")
    lines.append("  splits:")
    lines += [f"    {name}: {quoted(file)}" for name, file in draft.splits.items()]
    return [*lines, *_testing(draft)]


def _testing(draft: Draft) -> list[str]:
    """How the task is scored, in comments, and the line that says it."""
    if "test" in draft.splits:
        return [
            "  # Scored on the test file. Dev rows, which choose settings, come from the dev file or else from train."
        ]
    count = hold_out_for(draft.inputs)
    if count is None:
        return [
            f"  # One file of {draft.inputs} inputs, so the score is k-fold cross-validation over all rows, and the model that stays is",
            "  # tuned on all of them. With a test file of your own: add test: FILE to the splits.",
            "  # hold_out: 20    # or: so many inputs, drawn by a fixed seed, are the test set",
        ]
    return [
        f"  # One file of {draft.inputs} inputs: so many of them, drawn by a fixed seed, are the test set, and never learnt from. Of the",
        f"  # rest a run draws its labelled rows ({SHOTS} where you do not say --shots), and as many dev rows. Leave the line out for",
        "  # k-fold cross-validation over all rows, or add test: FILE to the splits.",
        f"  hold_out: {count}",
    ]
