from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mto.errors import DataError, RunError
from mto.evaluate.predictions import Scored, read_predictions, score_matrix, write_predictions
from mto.evaluate.scores import Scores, score
from mto.families import Answer

HEADS = ("hammer", "knife", "cup")
REFERENCES = (("pounding nails", "hit"), ("cutting bread",), ("drinking",))


def group(family: str, seed: int, texts: tuple[str, ...] = ("pounding nails", "", "drinking")) -> Scored:
    answers = [Answer(text, (), not text, text == "drinking") for text in texts]
    return Scored(family, seed, "ObjectUse", score(HEADS, answers, REFERENCES))


def test_means_and_flags() -> None:
    scores = group("Mapping", 0).scores
    means = scores.means()
    assert means["rouge_l"] == pytest.approx(200 / 3) and means["exact_match"] == pytest.approx(200 / 3)
    assert means["empty"] == pytest.approx(100 / 3) and means["unasked_sentinel"] == pytest.approx(100 / 3)
    assert means["distinct"] == pytest.approx(100)
    assert scores.values["rouge_l"].tolist() == [100, 0, 100]


def test_scores_do_not_change() -> None:
    scores = group("Mapping", 0).scores
    with pytest.raises(ValueError, match="read-only"):
        scores.values["rouge_l"][0] = 5
    with pytest.raises(TypeError):
        scores.values["rouge_l"] = np.zeros(3)  # type: ignore[index]


def test_plain_texts_are_scored_too() -> None:
    scores = score(HEADS, ["pounding nails", " ", "x"], REFERENCES, metrics=["exact_match"])
    assert scores.empty.tolist() == [False, True, False] and not scores.unasked_sentinel.any()
    assert list(scores.values) == ["exact_match"]


def test_sizes_must_fit() -> None:
    with pytest.raises(DataError, match="3 heads, but rouge_l: 2"):
        Scores(HEADS, ("a",) * 3, REFERENCES, {"rouge_l": np.zeros(2)}, np.zeros(3, bool), np.zeros(3, bool))
    with pytest.raises(DataError, match="no predictions"):
        score([], [], []).means()


def test_parquet_gives_back_what_was_written(tmp_path: Path) -> None:
    groups = [
        group("MaskedPrompting", 2),
        group("MaskedPrompting", 1),
        group("Mapping", 1, ("a", "b", "née ☃")),
    ]
    path = write_predictions(tmp_path / "predictions.parquet", groups)
    back = read_predictions(path)
    assert [(g.family, g.seed, g.relation) for g in back] == [(g.family, g.seed, g.relation) for g in groups]
    for ours, theirs in zip(groups, back, strict=True):
        assert ours.scores.predictions == theirs.scores.predictions
        assert ours.scores.references == theirs.scores.references
        assert ours.scores.means() == theirs.scores.means()
    first = path.read_bytes()
    assert write_predictions(path, groups).read_bytes() == first


def test_a_metric_that_one_group_lacks(tmp_path: Path) -> None:
    groups = [
        group("Mapping", 0),
        Scored("copy", 0, "ObjectUse", score(HEADS, ["a"] * 3, REFERENCES, ["rouge_l"])),
    ]
    back = read_predictions(write_predictions(tmp_path / "p.parquet", groups))
    assert list(back[1].scores.values) == ["rouge_l"] and "exact_match" in back[0].scores.values


def test_matrix_has_seeds_ascending() -> None:
    groups = [group("M", 2, ("hit", "x", "x")), group("M", 1, ("x", "x", "drinking")), group("other", 3)]
    assert score_matrix(groups, "M", "ObjectUse", "exact_match").tolist() == [[0, 0, 100], [100, 0, 0]]
    with pytest.raises(DataError, match="no predictions of family 'P'"):
        score_matrix(groups, "P", "ObjectUse", "exact_match")
    with pytest.raises(DataError, match="has no 'semantic'"):
        score_matrix(groups, "M", "ObjectUse", "semantic")
    turned = Scored("M", 5, "ObjectUse", score(HEADS[::-1], ["a"] * 3, REFERENCES))
    with pytest.raises(DataError, match="other heads"):
        score_matrix([*groups, turned], "M", "ObjectUse", "exact_match")


def test_bad_files_and_groups(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such file"):
        read_predictions(tmp_path / "none.parquet")
    (tmp_path / "half.parquet").write_bytes(b"PAR1half")
    with pytest.raises(RunError, match="cannot be read"):
        read_predictions(tmp_path / "half.parquet")
    with pytest.raises(DataError, match="stands twice"):
        write_predictions(tmp_path / "p.parquet", [group("M", 1), group("M", 1)])
    with pytest.raises(DataError, match="no predictions"):
        write_predictions(tmp_path / "p.parquet", [])
