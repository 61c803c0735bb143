"""Inputs that are wrong, odd or hostile, each with the line that a message about it must name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GOOD = "".join(f"thing {n},use {n}\n" for n in range(20))


@dataclass(frozen=True)
class Bad:
    """One malformed input.

    Attributes:
        name: says what is wrong.
        file: the file of rows (or the task file) that commands are given.
        line: line that must be named where anything is refused or left out; None: the file is enough.
        fine: whether nothing needs to be said: it only looks wrong.
        task: the task file that reads it; None: commands get the file of rows itself.
        more: other files.
    """

    name: str
    file: str
    data: bytes | None
    line: int | None = None
    fine: bool = False
    task: str | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """What commands that take a task are given."""
        return "task.yaml" if self.task is not None else self.file


def csv(
    name: str, text: str | bytes, line: int | None = None, *, fine: bool = False, file: str = "rows.csv"
) -> Bad:
    """Rows of a completion; text begins with its header."""
    return Bad(name, file, text if isinstance(text, bytes) else text.encode(), line, fine)


def jsonl(name: str, odd: str, *, fine: bool = False) -> Bad:
    """Rows of a completion as JSONL, the third of them odd."""
    good = [json.dumps({"head": f"thing {n}", "tail": f"use {n}"}) for n in range(20)]
    return Bad(name, "rows.jsonl", "\n".join([*good[:2], odd, *good[2:]]).encode() + b"\n", 3, fine)


def questions(name: str, line: int | None = 3, *, answers: str = "text", **odd: Any) -> Bad:
    """Questions, the third of them odd."""
    rows = [
        {"question": f"What is {n}?", "choices": ["this", "that"], "answer": "this" if n % 2 else "that"}
        for n in range(20)
    ]
    if answers == "index":
        rows = [{**row, "answer": n % 2} for n, row in enumerate(rows)]
    rows[2] = {**rows[2], **odd}
    task = f"name: quiz\nkind: multiple-choice\ndata: {{splits: {{train: rows.jsonl}}, answers: {answers}}}\n"
    return Bad(name, "rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode(), line, task=task)


LABELS = "labels: {good: {words: [great]}, bad: {words: [terrible]}}\n"


def texts(name: str, odd: str, line: int | None = 4, *, labels: str = LABELS) -> Bad:
    """Texts with labels, the third of them odd."""
    rows = [f"a text {n},{'good' if n % 2 else 'bad'}" for n in range(20)]
    data = "\n".join(["text,label", *rows[:2], odd, *rows[3:]]) + "\n"
    task = f"name: mood\nkind: classification\n{labels}phrases: ['{{{{ text }}}} It was']\ndata: {{splits: {{train: rows.csv}}}}\n"
    return Bad(name, "rows.csv", data.encode(), line, task=task)


def yaml(name: str, text: str | bytes, line: int | None = None) -> Bad:
    """A task file beside good rows."""
    data = text if isinstance(text, bytes) else text.encode()
    return Bad(name, "own.yaml", data, line, more={"rows.csv": "head,tail\n" + GOOD})


TASK = (
    "name: own\ndata: {splits: {train: rows.csv}}\nrelations:\n  Use: {phrases: ['{{ head }} is used for']}\n"
)
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
)
BIG = 10 * 2**20

INPUTS: tuple[Bad, ...] = (
    # Encodings
    csv("empty file", ""),
    csv("blank lines only", "\n \n\t\n"),
    csv("header only", "head,tail\n"),
    csv("latin-1", "head,tail\nthing,use\ncafé,drinking\n".encode("latin-1"), 3),
    csv("utf-16", ("head,tail\n" + GOOD).encode("utf-16"), 1),
    csv("utf-16 without a mark", ("head,tail\n" + GOOD).encode("utf-16-le")),
    csv("utf-8 with a mark", b"\xef\xbb\xbfhead,tail\n" + GOOD.encode(), fine=True),
    csv("half a character at the end", b"head,tail\n" + GOOD.encode() + b"caf\xc3", 22),
    csv("NUL in a cell", "head,tail\nthi\x00ng,use\n" + GOOD, fine=True),
    csv("control characters", "head,tail\nthi\x07\x1b[31mng,use\x08\n" + GOOD, fine=True),
    csv("only bytes", bytes(range(256)) * 8),
    csv("carriage returns alone", ("head,tail\n" + GOOD).replace("\n", "\r").encode(), fine=True),
    csv("mixed line ends", "head,tail\r\nthing,use\n" + GOOD.replace("\n", "\r\n"), fine=True),
    # Cells and columns
    csv("open quotation mark", 'head,tail\n"thing,use\n' + GOOD, 2),
    csv("text behind a quotation mark", 'head,tail\n"thing"s,use\n' + GOOD, 2),
    csv("too few cells", "head,tail\nthing\n" + GOOD, 2),
    csv("too many cells", "head,tail\nthing,use,more\n" + GOOD, 2),
    csv("column twice", "head,tail,tail\n" + GOOD.replace("\n", ",x\n"), 1),
    csv("column without a name", "head,tail,\n" + GOOD.replace("\n", ",x\n"), fine=True),
    csv("unknown columns", "one,two,three\n" + GOOD.replace("\n", ",a b c d\n"), 1),
    csv("semicolons", "head;tail\n" + GOOD.replace(",", ";"), fine=True),
    csv("tabs in a csv", "head\ttail\n" + GOOD.replace(",", "\t"), fine=True),
    csv("missing tab", "head\ttail\nthing use\n" + GOOD.replace(",", "\t"), 2, file="rows.tsv"),
    csv("blank line between rows", "head,tail\nthing,use\n\n" + GOOD, 3),
    csv("empty cell", "head,tail\nthing,\n" + GOOD, 2),
    csv("blanks in a cell", "head,tail\n   ,use\n" + GOOD, 2),
    csv("nan as text", "head,tail\nnan,NaN\n" + GOOD, fine=True),
    csv("row twice", "head,tail\nthing 3,use 3\n" + GOOD, 6),
    csv("row twice but for case", "head,tail\nThing  3,USE 3\n" + GOOD, 6),
    csv("10 MB cell, csv", "head,tail\n" + "x " * (BIG // 2) + ",use\n" + GOOD, 2),
    csv("10 MB cell, tsv", "head\ttail\n" + "x " * (BIG // 2) + "\tuse\n" + GOOD.replace(",", "\t"), fine=True, file="rows.tsv"),
    csv("10 MB tail", "head\ttail\nthing\t" + "x" * BIG + "\n" + GOOD.replace(",", "\t"), fine=True, file="rows.tsv"),
    csv("one row", "head,tail\nthing,use\n", fine=True),
    csv("mask and end as text", "head,tail\n<extra_id_0> </s> {{ head }},[M0]\n" + GOOD, fine=True),
    csv("a spreadsheet", b"PK\x03\x04" + bytes(64), file="rows.xlsx"),
    csv("not parquet", "head,tail\n" + GOOD, file="rows.parquet"),
    Bad("a folder by the name of a file", "rows.csv/x.txt", b"x", None),
    Bad("no such file", "rows.csv", None, None),
    # JSONL
    jsonl("broken JSON", '{"head": "thing", "tail": '),
    jsonl("a list in place of a row", '["thing", "use"]'),
    jsonl("NaN cell", '{"head": "thing", "tail": NaN}'),
    jsonl("null cell", '{"head": null, "tail": "use"}'),
    jsonl("missing key", '{"tail": "use"}'),
    jsonl("object in a cell", '{"head": "thing", "tail": {"text": "use"}}'),
    jsonl("true in a cell", '{"head": true, "tail": "use"}'),
    jsonl("list of heads", '{"head": ["one", "two"], "tail": "use"}'),
    jsonl("half a character", '{"head": "th\\ud800ing", "tail": "use"}'),
    jsonl("lists in lists", '{"head": "thing", "tail": ' + "[" * 50_000 + "]" * 50_000 + "}"),
    jsonl("a number of 9,000 digits", '{"head": "thing", "tail": ' + "9" * 9000 + "}"),
    jsonl("infinity", '{"head": "thing", "tail": 1e999}', fine=True),
    # Questions, labels, targets
    questions("choice twice", choices=["this", "that", "This "], answer="that"),
    questions("right choice twice", choices=["this", "this", "that"], answer="this"),
    questions("answer is no choice", answer="those"),
    questions("one choice", choices=["this"], answer="this"),
    questions("eleven choices", choices=[str(n) for n in range(11)], answer="1"),
    questions("choices as one text", choices="this or that", answer="this"),
    questions("empty choice", choices=["this", ""], answer="this"),
    questions("no answer", answer=""),
    questions("index too high", answers="index", answer=7),
    questions("text in place of an index", answers="index", answer="this"),
    questions("question twice with another answer", question="What is 1?", answer="that"),
    texts("unknown label", "a text 2,lovely"),
    texts("empty label", "a text 2,"),
    texts("text twice with another label", "a text 1,bad"),
    texts("one class", "a text 2,good", None, labels="labels: {good: {data: [good, bad]}, bad: {data: [worse]}}\n"),
    texts("word of two labels", "a text 2,bad", 3, labels="labels: {good: {words: [fine]}, bad: {words: [Fine]}}\n"),
    Bad(
        "empty target", "rows.csv", ("source,target\na b,\n" + GOOD).encode(), 2,
        task="name: sums\nkind: text-to-text\ndata: {splits: {train: rows.csv}}\n",
    ),
    Bad(
        "a choice missing between others", "rows.csv", ("ask,a,b,c,key\nwhy,this,,that,A\n" + "".join(f"why {n},this,that,,B\n" for n in range(20))).encode(), 2,
        task="name: gap\nkind: multiple-choice\ndata: {splits: {train: rows.csv}, answers: letter, columns: {question: ask, choices: [a, b, c], answer: key}}\n",
    ),
    questions("choices that only a mark tells apart", None, choices=["c", "c++"], answer="c"),
    Bad(
        "a column of references that is not there", "rows.csv", ("source,one\n" + GOOD).encode(), 1,
        task="name: sums\nkind: text-to-text\ndata: {splits: {train: rows.csv}, columns: {target: [one, two]}}\n",
    ),
    # Task files
    yaml("no side of shared heads", TASK.replace("{train: rows.csv}", "{train: rows.csv}, shared_heads: both"), 2),
    yaml("not YAML", "name: [own\n", 2),
    yaml("a list", "- name: own\n"),
    yaml("empty task file", ""),
    yaml("unknown key", TASK + "nmae: x\n", 5),
    yaml("key twice", TASK + "name: other\n", 5),
    yaml("unknown kind", TASK + "kind: quiz\n", 5),
    yaml("not UTF-8", TASK.encode() + b"title: caf\xe9\n"),
    yaml("control character in YAML", TASK + "title: a\x00b\n"),
    yaml("a python object", TASK + "title: !!python/object/apply:os.getcwd []\n", 5),
    yaml("anchors that multiply", BOMB + TASK),
    yaml("an anchor in itself", TASK + "title: &a [*a]\n"),
    yaml("deep nesting", TASK + "title: " + "[" * 5000 + "]" * 5000 + "\n"),
    yaml("open template", TASK.replace("}} is", " is"), 4),
    yaml("template reaches out", TASK.replace("{{ head }}", "{{ head.__class__ }}")),
    yaml("unknown field", TASK.replace("head", "haed"), 4),
    yaml("number as a phrase", TASK.replace("'{{ head }} is used for'", "7"), 4),
    yaml("no relation", "name: own\ndata: {splits: {train: rows.csv}}\nrelations: {}\n", 3),
    yaml("missing rows", TASK.replace("rows.csv", "row.csv")),
    yaml("too many held out", TASK.replace("{train: rows.csv}", "{train: rows.csv}, hold_out: 15")),
)  # fmt: skip
