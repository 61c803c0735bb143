"""The embedded data set: its counts, its split by head, and the form of its rows."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import mto

FOLDER = Path(mto.__file__).parent / "tasks" / "library" / "household"
SPLITS = {"train": 36, "dev": 8, "test": 20}
THINGS = ("AtLocation", "ObjectUse", "HasProperty", "CapableOf")
EVENTS = ("xAttr", "xIntent", "xNeed", "xWant", "xEffect")
RELATIONS = THINGS + EVENTS

Row = tuple[str, str, str]


def read(split: str) -> list[Row]:
    lines = (FOLDER / f"{split}.tsv").read_bytes().decode("ascii").split("\n")
    assert lines[0] == "head\trelation\ttail"
    assert lines[-1] == "", "the file ends with a line end"
    rows = []
    for line in lines[1:-1]:
        head, relation, tail = line.split("\t")
        rows.append((head, relation, tail))
    return rows


@pytest.fixture(scope="module")
def rows() -> dict[str, list[Row]]:
    return {split: read(split) for split in SPLITS}


def every(rows: dict[str, list[Row]]) -> list[Row]:
    return [row for part in rows.values() for row in part]


def test_each_relation_has_its_number_of_heads_in_each_split(rows: dict[str, list[Row]]) -> None:
    for split, expected in SPLITS.items():
        heads: dict[str, set[str]] = defaultdict(set)
        for head, relation, _ in rows[split]:
            heads[relation].add(head.lower())
        assert {relation: len(found) for relation, found in heads.items()} == dict.fromkeys(
            RELATIONS, expected
        )


def test_a_head_has_one_to_three_tails_and_about_two_on_average(rows: dict[str, list[Row]]) -> None:
    tails = Counter((relation, head) for head, relation, _ in every(rows))
    assert set(tails.values()) <= {1, 2, 3}
    for relation in RELATIONS:
        counts = [n for (r, _), n in tails.items() if r == relation]
        assert 1.75 <= sum(counts) / len(counts) <= 2.25, relation


def test_a_head_stands_in_one_split_and_under_one_relation(rows: dict[str, list[Row]]) -> None:
    places: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for split, part in rows.items():
        for head, relation, _ in part:
            places[head.lower()].add((split, relation))
    assert {head: found for head, found in places.items() if len(found) > 1} == {}


def test_no_row_stands_twice(rows: dict[str, list[Row]]) -> None:
    counts = Counter((head.lower(), relation, tail.lower()) for head, relation, tail in every(rows))
    assert [row for row, n in counts.items() if n > 1] == []


def test_cells_are_clean(rows: dict[str, list[Row]]) -> None:
    for row in every(rows):
        for cell in row:
            assert cell == cell.strip() != "", row
            assert "  " not in cell, row
            assert cell[-1] not in ".,;:!?", row


def test_no_tail_is_in_more_than_one_row_of_twenty(rows: dict[str, list[Row]]) -> None:
    for relation in RELATIONS:
        tails = Counter(tail for _, r, tail in every(rows) if r == relation)
        tail, count = tails.most_common(1)[0]
        assert count <= 0.05 * sum(tails.values()), (relation, tail, count)


def test_the_rows_of_a_head_stand_together_and_heads_are_sorted(rows: dict[str, list[Row]]) -> None:
    for part in rows.values():
        order = [(RELATIONS.index(relation), head.lower()) for head, relation, _ in part]
        assert order == sorted(order)


def test_heads_and_tails_have_the_form_of_their_relation(rows: dict[str, list[Row]]) -> None:
    form = {
        "AtLocation": r"(?!(the|a|an|in|on) )[a-z]",
        "ObjectUse": r"[a-z]+ing\b",
        "HasProperty": r"(?!(is|are|to|the|a|an) )[a-z]",
        "CapableOf": r"(?!(to|can|the|a|an) )[a-z]",
        "xAttr": r"(?!(is|to|the|a|an) )[a-z]",
        "xIntent": r"to [a-z]+",
        "xNeed": r"to [a-z]+",
        "xWant": r"to [a-z]+",
        "xEffect": r"([a-z]*s|cannot)\b",
    }
    for head, relation, tail in every(rows):
        assert re.match(form[relation], tail), (relation, tail)
        if relation in EVENTS:
            assert re.fullmatch(r"PersonX (is|[a-z]*s) .+", head), head
        else:
            assert re.fullmatch(r"(?!(the|a|an) )[a-z][a-z ]*", head), head


def test_a_tail_names_a_second_person_only_where_the_head_does(rows: dict[str, list[Row]]) -> None:
    for head, _, tail in every(rows):
        assert "PersonY" not in tail or "PersonY" in head, (
            head,
            tail,
        )


def test_the_page_beside_the_data_tells_the_real_counts(rows: dict[str, list[Row]]) -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    for relation in RELATIONS:
        counts = [sum(r == relation for _, r, _ in part) for part in rows.values()]
        assert f"| {sum(counts)} ({' / '.join(map(str, counts))}) |" in page, relation
    total = [len(part) for part in rows.values()]
    assert f"| {sum(total)} ({' / '.join(map(str, total))}) |" in page


def test_the_plain_sentences_are_many_different_whole_and_short() -> None:
    lines = (FOLDER / "sentences.txt").read_bytes().decode("ascii").split("\n")
    assert lines[-1] == "", "the file ends with a line end"
    sentences = lines[:-1]
    assert len(sentences) == 301 == len({sentence.lower() for sentence in sentences})
    assert all(re.fullmatch(r"[A-Z][A-Za-z ,']+\.", sentence) for sentence in sentences)
    assert all(4 <= len(sentence.split()) <= 20 for sentence in sentences)
