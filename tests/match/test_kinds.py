"""Matching of multiple choice, classification and text to text: what is measured, what is silent, and what is decided."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mto.errors import TemplateError
from mto.evaluate.likelihood import likelihood
from mto.match import MatchConfig, match_rows, propose_denoiser, read_match
from mto.match.depthrank import cross_scores, maskability, score_families
from mto.match.probe import ProbeConfig, probe
from mto.report.matching import evidence_lines, family_scores_table
from mto.tasks import Task, draw_split, task_from_rows
from mto.templates import BASIC, BASIC_CHOICE, encode_many
from mto.tune import TuneConfig

THINGS = "hammer nail kitchen knife book library dog cat house garden water bread".split()
PLACES = ("kitchen", "garden", "library")


def choices() -> Task:
    rows = [
        {"question": f"where is the {t}?", "choices": list(PLACES[: 2 + n % 2]), "answer": PLACES[n % 2]}
        for n, t in enumerate(THINGS)
    ]
    return task_from_rows(rows, kind="multiple-choice", name="places")


def labels(*, two: bool = False) -> Task:
    rows = [
        {"text": f"the {t} is big", **({"text2": f"a {t}"} if two else {}), "label": ("bad", "good")[n % 2]}
        for n, t in enumerate(THINGS)
    ]
    words = {"good": ["clean", "red"], "bad": ["small"]}
    phrases = ["{{ text }} and {{ text2 }} is" if two else "{{ text }} and"]
    return task_from_rows(
        rows,
        kind="classification",
        name="marks",
        labels=words,
        phrases=phrases,
        columns={"text2": "text2"} if two else {},
    )


def texts() -> Task:
    rows = [{"source": t, "target": [f"a {t} in the house", f"the {t}"]} for t in THINGS]
    return task_from_rows(rows, kind="text-to-text", name="texts", phrases=["say {{ source }}:"])


MAKE = {
    "multiple-choice": choices,
    "classification": labels,
    "two texts": lambda: labels(two=True),
    "text-to-text": texts,
}


@pytest.mark.parametrize("name", list(MAKE))
def test_every_kind_is_matched(tiny_bart: Any, name: str, tmp_path: Path) -> None:
    task = MAKE[name]()
    split = draw_split(task, shots=8, seed=0)
    found = match_rows({"tiny": tiny_bart}, task, split.train, dev=split.dev, data_seed=0)
    one = found.best
    assert found.kind == task.kind and found.family in task.form.families
    assert tuple(f.family for f in one.scores.families) == task.form.families
    assert found.objective == ("denoising" if one.type.type == "mask-filling" else "lm")
    assert one.classified is None and list(one.silent) == ["classifier"]
    assert set(one.type.leans) == {"guidelines", "depthrank"}
    assert one.denoiser is not None and one.denoiser.sentences == len(split.train) + len(split.dev)
    assert any("was learnt from completion tasks" in note for note in found.notes)
    told = "\n".join(evidence_lines(found))
    assert f"classifier has no voice: it does not apply to {task.kind} tasks" in told
    assert ("let dev rows choose" in " ".join(found.notes)) == (task.kind == "classification")
    assert ("guessing gives" in told) == task.form.has_options == (one.scores.guessing is not None)
    assert ("right, %" in family_scores_table(one).columns) == task.form.has_options
    found.write(tmp_path / "match.json")
    assert read_match(tmp_path) == found


def test_choices_are_measured_as_each_family_writes_them(tiny: Any) -> None:
    task = choices()
    rows = draw_split(task, shots=8, seed=0).train
    scores = score_families(tiny, task, rows)
    assert [f.family for f in scores.families] == list(BASIC_CHOICE)
    assert scores.guessing == pytest.approx(np.mean([100 / len(row.choices) for row in rows]))
    for family in scores.families:
        template = task.form.template(family.family, phrase=None, fields=task.fields, adapter=tiny.adapter)
        assert family.row_ranked is not None and family.rank_accuracy is not None
        for n, row in enumerate(rows):
            right = row.choices.index(row.target)
            pairs = encode_many(
                [template.render(row.fields, text, number) for number, text in enumerate(row.choices)],
                tiny.adapter,
            )
            scored = likelihood(tiny, pairs)
            assert family.row_bits[n] == pytest.approx(scored.nll[right] / math.log(2), rel=1e-4)
            assert family.row_bytes[n] == len(row.target)  # the same for all, whatever else they write
            best = int(np.argmin(scored.nll_with_eos))
            assert family.row_ranked[n] == 100.0 * (best == right)
        assert family.rank_accuracy.value == pytest.approx(np.mean(family.row_ranked))


def test_families_that_differ_by_masks_pair_up(tiny_bart: Any) -> None:
    scores = score_families(tiny_bart, choices(), draw_split(choices(), shots=8, seed=0).train)
    pairs = {(pair.plain, pair.masked) for pair in scores.pairs}
    assert pairs == {
        ("mapping", "masked-mapping"),
        ("answer-prompting", "masked-answer-prompting"),
        ("choice-prompting", "masked-choice-prompting"),
    }
    report = maskability(scores)
    counted = [pair.lean.value for pair in report.pairs if pair.plain != "mapping"]
    assert report.lean.value == pytest.approx(np.mean(counted))


def test_labels_are_measured_as_words_behind_a_phrase_and_else_as_names(tiny: Any) -> None:
    task = labels()
    rows = draw_split(task, shots=8, seed=0).train
    scores = score_families(tiny, task, rows, keep_tokens=True)
    assert [f.family for f in scores.families] == list(BASIC) and scores.guessing == 50.0
    for family in scores.families:
        assert family.tokens is not None
        word = {"good": "clean", "bad": "small"} if family.natural else {"good": "good", "bad": "bad"}
        for n, row in enumerate(rows):
            assert family.tokens[n][0].target.replace(" ", "") == word[row.target]
            assert family.row_bytes[n] == len(row.target)
    # Two words stand for one label: their probabilities are added.
    family = scores.family("prompting")
    template = task.form.template("prompting", phrase=task.phrases[0], fields=task.fields)
    for n, row in enumerate(rows):
        pairs = encode_many(
            [template.render(row.fields, word) for word in ("clean", "red", "small")], tiny.adapter
        )
        good, red, bad = np.exp(-likelihood(tiny, pairs).nll_with_eos)
        assert family.row_ranked is not None
        assert family.row_ranked[n] == 100.0 * ((good + red > bad) == (row.target == "good"))


def test_tuned_scores_and_the_probe_read_options_too(tiny_bart: Any) -> None:
    task = choices()
    rows = draw_split(task, shots=8, seed=0).train
    tuned = cross_scores(tiny_bart, task, rows, ("mapping", "choice-prompting"), k=2, shots=4)
    assert tuned.guessing is None and tuned.shots == 4
    assert all(score.row_bytes == tuple(float(len(row.target)) for row in rows) for score in tuned.families)
    config = ProbeConfig(
        budget_steps=16, folds=2, rates=(3e-3,), metric="rank_sum",
        tuning=TuneConfig(optimizer="adamw", batch_rows=4),
    )  # fmt: skip
    result = probe(tiny_bart, task, rows, config=config)
    assert {arm.family for arm in result.arms} == set(BASIC_CHOICE) and result.steps <= 16
    (first, *_) = result.rungs[0].scores
    assert set(first.metric_rows) <= {0.0, 100.0} and len(first.metric_rows) == 8


def test_the_probe_of_labels_and_texts(tiny_bart: Any) -> None:
    for task in (labels(), texts()):
        config = MatchConfig(
            signals=("guidelines", "probe"), denoiser=False, probe=ProbeConfig(budget_steps=8, folds=2)
        )
        found = match_rows(tiny_bart, task, draw_split(task, shots=8, seed=0).train, config=config)
        assert found.probe is not None and "probe" in found.best.type.leans
        assert {arm.family for arm in found.probe.arms} == set(BASIC)


def test_a_phrase_that_is_given_is_the_one_that_the_probe_tunes(tiny_bart: Any) -> None:
    task = texts()
    config = MatchConfig(
        signals=("probe",),
        families=("prompting",),
        denoiser=False,
        probe=ProbeConfig(budget_steps=4, folds=2),
    )
    rows = draw_split(task, shots=8, seed=0).train
    found = match_rows(tiny_bart, task, rows, phrase="find {{ source }}:", config=config)
    assert found.probe is not None and {arm.phrase for arm in found.probe.arms} == {"find {{ source }}:"}


def test_a_label_without_rows_is_told(tiny_bart: Any) -> None:
    task = labels()
    bad = [row for row in draw_split(task, shots=8, seed=0).train if row.target == "bad"]
    config = MatchConfig(signals=("guidelines",), denoiser=False)
    found = match_rows(tiny_bart, task, bad, config=config)
    assert found.guess is not None and "all targets are 'bad'" in found.guess
    assert any("no labelled row has the label 'good'" in note for note in found.notes)


def test_the_denoiser_reads_a_row_as_one_sentence(tiny_bart: Any) -> None:
    task = labels()
    rows = draw_split(task, shots=8, seed=0).train
    # "the hammer is big and clean": 6 tokens, one of them the target.
    assert propose_denoiser(tiny_bart, task, rows).target_tokens == 1.0
    # Without a phrase the question with its right answer, not all choices: "where is the dog? garden".
    asked = propose_denoiser(tiny_bart, choices(), draw_split(choices(), shots=8, seed=0).train)
    assert asked.sentences == 8 and asked.sentence_tokens < 15


def test_without_a_phrase_the_others_are_chosen_among(tiny_bart: Any) -> None:
    bare = task_from_rows(
        [{"source": t, "target": [f"the {t}"]} for t in THINGS], kind="text-to-text", name="bare"
    )
    rows = draw_split(bare, shots=8, seed=0).train
    found = match_rows(tiny_bart, bare, rows, config=MatchConfig(signals=("guidelines",), denoiser=False))
    assert [out.family for out in found.best.scores.left_out] == ["prompting", "masked-prompting"]
    with pytest.raises(TemplateError, match="for tasks with choices"):
        match_rows(tiny_bart, bare, rows, config=MatchConfig(families=("answer-prompting",)))
