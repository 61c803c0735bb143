"""The datasheet says what was counted and shows what was made, in Markdown and HTML, the same for the same folder."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mto.errors import RunError
from mto.prepare.datasheet import SHOWN, datasheet_parts, write_datasheet
from mto.prepare.pairs import Pair, pairs_folder, write_shard
from mto.prepare.prepared import InputFile, LeakCount, Prepared, TaskCount
from mto.prepare.sheet import Part, to_html, to_markdown

PAIR = Pair("A hammer is used for", "pounding | <b>nails</b>", "", "denoising", 0.93, "t/Use", "model", 1.0, "", "text.txt:7")  # fmt: skip
PREPARED = Prepared(
    tasks=("t/Use",), shots=30, seed=0, licence="CC <BY> 4.0",
    inputs=(InputFile(name="text.txt", kind="text", pieces=2, lines=1234),),
    steps={"lines": 1234, "too short": 17, "kept": 1000},
    leaks=(LeakCount(task="t/Use", triples=40, unusable=1, found=21, dropped=33, share_found=0.525, share_dropped=0.033,
                     examples=(("A saw cuts wood.", "saw", "cuts wood"),)),),
    selection=(TaskCount(task="t/Use", rows=30, fits={"phrase": 120, "bm25": 900}, near_duplicates=4, chosen={"phrase": 100}),),
    making={"task: pairs by model": 25}, pairs={"task": 50, "general": 0}, shards=1, held_out=5,
)  # fmt: skip


def many() -> list[Pair]:
    return [
        replace(PAIR, target=" ".join(["word"] * (1 + number % 4)), objective="denoising" if number % 2 else "lm",
                probability=number / 50, where=f"text.txt:{number}")
        for number in range(50)
    ]  # fmt: skip


def folder(path: Path) -> Path:
    write_shard(pairs_folder(path, "task"), 0, [PAIR, *many()[1:]], "key")
    PREPARED.write(path)
    return path


class Tags(HTMLParser):
    """Collects open tags and checks that all are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_is_written_from_a_folder_and_is_the_same_again(tmp_path: Path) -> None:
    first = [path.read_text() for path in write_datasheet(folder(tmp_path / "a"))]
    again = [path.read_text() for path in write_datasheet(folder(tmp_path / "b"))]
    assert first == again
    markdown, page = first
    for said in (
        "1,234",
        "52.5 %",
        "A saw cuts wood.",
        "30 labelled rows a task",
        "100 of 120",
        "0 of 900",
        "20 pairs at random",
    ):
        assert said in markdown and said in page
    assert "CC \\<BY\\> 4.0" in markdown and "CC &lt;BY&gt; 4.0" in page
    assert "general text" not in markdown  # the set is empty
    tags = Tags()
    tags.feed(page)
    assert tags.open == [] and "script" not in tags.seen and "http" not in page
    assert tags.seen.count("svg") == 3 and "prefers-color-scheme: dark" in page


def test_data_can_break_neither_page(tmp_path: Path) -> None:
    parts = list(datasheet_parts(PREPARED, {"task": [PAIR]}))
    assert "<b>nails" not in to_html("t", parts)
    line = next(line for line in to_markdown("t", parts).splitlines() if "pounding" in line)
    assert "pounding \\| \\<b\\>nails" in line


def test_which_pairs_are_shown_is_drawn_evenly(tmp_path: Path) -> None:
    places = []
    for seed in range(60):
        last = list(datasheet_parts(PREPARED.model_copy(update={"seed": seed}), {"task": many()}))[-1]
        found = [int(row[5].partition(":")[2]) for row in last.rows]
        assert len(found) == SHOWN == len(set(found)) and found == sorted(found)
        places += found
    early, late = sum(place < 25 for place in places), sum(place >= 25 for place in places)
    assert abs(early - late) < 120  # of 1200


def test_counts_of_lengths_objectives_and_probabilities() -> None:
    parts = {part.title: part for part in datasheet_parts(PREPARED, {"task": many()})}
    assert dict(parts["Words of the target"].bars)["4"] == 12
    assert dict(parts["Words of the source"].bars)["5-6"] == 50
    assert dict(parts["Router: probability of mask-filling"].bars)["0.9-1.0"] == 5
    assert parts["Objectives"].rows == (("t/Use", "25", "25", "50.0 %"),)


def test_a_sheet_of_little() -> None:
    parts = [Part("Empty"), Part("None", bars=(("1", 0),))]
    assert to_markdown("t", parts).count("##") == 2 and "<svg" in to_html("t", parts)


def test_an_unfinished_folder_has_no_sheet(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no finished preparation"):
        write_datasheet(tmp_path)
