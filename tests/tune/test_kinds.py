"""Cells of multiple choice, classification and text to text: swept, scored, saved and asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mto.errors import DataError, TemplateError
from mto.evaluate.calibration import calibrate, softmin
from mto.tasks import Task, draw_split, task_from_rows
from mto.tune import TuneConfig, cross_validate, load_tuned, run_cell, tune
from tests.tune.conftest import SMALL, THINGS

PLACES = ("kitchen", "garden", "library", "house")


def questions(things: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "question": f"Where is the {thing}?",
            "choices": PLACES[: 3 + len(thing) % 2],
            "answer": PLACES[len(thing) % 3],
        }
        for thing in things
    ]


def texts(things: list[str]) -> list[dict[str, Any]]:
    return [{"text": f"the {thing}", "label": "long" if len(thing) > 4 else "short"} for thing in things]


def three(rows: Any) -> dict[str, Any]:
    return {"train": rows(THINGS[:6]), "dev": rows(THINGS[6:9]), "test": rows(THINGS[9:])}


CHOICE = task_from_rows(
    three(questions), kind="multiple-choice", name="places", phrases=["{{ question }} In the"]
)
LABELS = task_from_rows(
    three(texts), kind="classification", name="length", labels={"long": ["big", "red"], "short": ["small"]},
    phrases=["{{ text }} is"],
)  # fmt: skip
TEXT = task_from_rows(
    three(lambda things: [{"source": f"{t} house", "target": [f"the {t}", "a house"]} for t in things]),
    kind="text-to-text", name="title",
)  # fmt: skip
RANKED = SMALL.model_copy(update={"metric": "rank_sum"})
METRICS = ("rank_sum", "accuracy", "rank_token", "rank_byte", "rank_calibrated")


@pytest.mark.parametrize(
    "family", ["mapping", "masked-answer-prompting", "choice-prompting", "masked-choice-prompting-last"]
)
def test_a_cell_of_questions(family: str, tiny_t5) -> None:
    result = run_cell(tiny_t5, CHOICE, draw_split(CHOICE, shots=4, seed=0), family, RANKED, metrics=METRICS)
    scores, options = result.test, result.test.options
    assert options.names == tuple(example.choices for example in CHOICE.test)
    assert options.right == tuple(e.choices.index(e.targets[0]) for e in CHOICE.test)
    for metric, by in (("rank_sum", "sum"), ("accuracy", "read"), ("rank_calibrated", "calibrated")):
        hit = [pick == e.targets[0] for pick, e in zip(options.picks(by), CHOICE.test, strict=True)]
        assert scores.values[metric].tolist() == [100.0 * h for h in hit]
    assert set(scores.measures()) == {"near", "no_option", "ece"}
    assert result.sweep.metric == "rank_sum" and result.dev.keys() == {"nats_per_byte", "rank_sum"}


@pytest.mark.parametrize(("family", "word"), [("masked-mapping", "long"), ("masked-prompting", "big")])
def test_labels_are_written_as_names_or_as_words(family: str, word: str, tiny_bart) -> None:
    from mto.tune.cell import cell_template, settle
    from mto.tune.rows import encode_cell

    split = draw_split(LABELS, shots=4, seed=0)
    template = cell_template(tiny_bart, LABELS, family, None)
    rows = encode_cell(
        tiny_bart, template, split, settle(tiny_bart, RANKED), test=split.test, form=LABELS.form
    )
    adapter = tiny_bart.adapter
    written = {adapter.read_answer(item.target_ids, 1).text for item in rows.train}
    assert word in {text.replace(" ", "") for text in written} and len(written) == 2
    assert [len(row.targets) for row in rows.test.options] == [3 if word == "big" else 2] * 3
    assert len({row.blank_ids for row in rows.test.options}) == 1
    result = run_cell(tiny_bart, LABELS, split, family, RANKED, metrics=METRICS)
    assert {"macro_f1", "written_f1"} <= set(result.test.measures())


def test_writing_may_decide_the_sweep_as_well(tiny_t5) -> None:
    config = SMALL.model_copy(update={"metric": "accuracy"})
    result = run_cell(
        tiny_t5, LABELS, draw_split(LABELS, shots=4, seed=0), "mapping", config, metrics=("accuracy",)
    )
    assert result.test.values["accuracy"].tolist() == [
        100.0 * (pick == right[0]) for pick, right in zip(result.test.options.picks("read"), result.test.references, strict=True)
    ]  # fmt: skip


def test_text_to_text_has_no_options(tiny_t5) -> None:
    result = run_cell(tiny_t5, TEXT, draw_split(TEXT, shots=4, seed=0), "masked-mapping", SMALL)
    assert result.test.options is None and result.test.references[0] == ("the garden", "a house")
    with pytest.raises(DataError, match="for choices and labels, and this is a text-to-text task"):
        run_cell(tiny_t5, TEXT, draw_split(TEXT, shots=4, seed=0), "mapping", RANKED)
    with pytest.raises(TemplateError, match="for tasks with choices"):
        run_cell(tiny_t5, TEXT, draw_split(TEXT, shots=4, seed=0), "answer-prompting", SMALL)


def test_zero_shots_rank_and_write(tiny_t5) -> None:
    result = run_cell(
        tiny_t5, CHOICE, draw_split(CHOICE, shots=0, seed=0), "answer-prompting", RANKED, metrics=METRICS
    )
    assert result.sweep is None and len(result.test.options) == 3


def test_folds_join_what_was_done_with_options(tiny_t5) -> None:
    task = task_from_rows(questions(THINGS[:6]), kind="multiple-choice", name="one")
    split = draw_split(task, shots=None, seed=0)
    result = cross_validate(
        tiny_t5, task, split, "answer-prompting", RANKED, k=2, metrics=METRICS, with_zero_shot=False
    )
    assert result.test.options.names == tuple(row.choices for row in split.train)
    assert result.test.options.right == tuple(row.choices.index(row.target) for row in split.train)


def test_a_tuned_model_chooses_and_is_saved(tiny_t5, tmp_path: Path) -> None:
    config = SMALL.model_copy(update={"metric": "rank_sum", "ladder": (0, 2)})
    tuned = tune(tiny_t5, CHOICE, family="masked-answer-prompting", shots=4, config=config)
    row = {"question": "Where is the book?", "choices": ["kitchen", "library"]}
    (chosen,) = tuned.choose([row])
    assert sum(chosen.probabilities.values()) == pytest.approx(1, abs=1e-4)
    assert chosen.name == max(chosen.probabilities, key=chosen.probabilities.get)
    assert list(chosen.probabilities) == row["choices"]
    assert tuned.calibration is None  # four dev rows are too few
    again = load_tuned(tuned.save(tmp_path / "t", dtype="float32"))
    assert again.form == CHOICE.form
    assert again.choose([row]) == [chosen]
    assert again.predict([row])[0].text == tuned.predict([row])[0].text
    for wrong, message in (
        ({"question": "Where?"}, "0 choices"),
        ({"question": "Where?", "choices": ["a"]}, "1 choices"),
        ({"question": "Where?", "choices": ["a", "a"]}, "a choice twice"),
        ({"question": "Where?", "choices": ["a", 1]}, "no text: 1"),
        ({"choices": ["a", "b"]}, "no text under 'question'"),
        ({"question": "Where?", "choices": "a"}, "must be a list"),
    ):
        with pytest.raises(DataError, match=message):
            tuned.choose([wrong])


def many(first: int, last: int) -> list[dict[str, Any]]:
    """Questions whose options differ in length, so that rankings disagree."""
    return [
        {"question": f"Where is thing {n}?", "choices": ["kitchen", f"the garden behind the old house {n}", "a"], "answer": PLACES[0]}
        for n in range(first, last)
    ]  # fmt: skip


@pytest.mark.parametrize("metric", ["rank_sum", "rank_byte", "rank_calibrated", "accuracy"])
def test_a_tuned_model_chooses_by_what_decided_with_a_temperature_of_its_dev_rows(
    metric: str, tiny_t5, tmp_path: Path
) -> None:
    rows = {"train": many(0, 12), "dev": many(12, 24), "test": many(24, 26)}
    task = task_from_rows(rows, kind="multiple-choice", name="many")
    config = SMALL.model_copy(update={"metric": metric, "ladder": (0, 2)})
    split = draw_split(task, shots=12, seed=0)
    tuned = tune(tiny_t5, task, family="answer-prompting", split=split, config=config)
    result = run_cell(tiny_t5, task, split, "answer-prompting", config, metrics=METRICS, keep_weights=True)
    by = {"rank_sum": "sum", "rank_byte": "byte", "rank_calibrated": "calibrated", "accuracy": "sum"}[metric]
    asked = [{**e.fields} for e in task.test]
    assert [one.name for one in tuned.choose(asked)] == result.test.options.picks(by)
    nats = tuned.ranked(asked)[0][1]
    assert nats == pytest.approx(result.test.options.nats[0].by(by), abs=1e-3)
    dev = [tuned.ranked([row])[0] for row in split.dev]
    found = calibrate(
        [n for _, n in dev], [names.index(row.target) for (names, _), row in zip(dev, split.dev, strict=True)]
    )
    assert tuned.calibration is not None and found is not None and tuned.calibration.rows == 12
    assert tuned.calibration.temperature == pytest.approx(found.temperature, rel=1e-2)
    chances = tuned.choose(asked)[0].probabilities
    assert list(chances.values()) == pytest.approx(softmin(nats, tuned.calibration.temperature), abs=1e-6)
    again = load_tuned(tuned.save(tmp_path / "t", dtype="float32"))
    assert (again.ranking, again.calibration) == (by, tuned.calibration)
    assert [one.name for one in again.choose(asked)] == [one.name for one in tuned.choose(asked)]


def test_without_dev_rows_the_folds_give_the_temperature(tiny_t5) -> None:
    task = task_from_rows(many(0, 34), kind="multiple-choice", name="one")
    config = SMALL.model_copy(update={"metric": "rank_byte", "ladder": (0, 1)})
    tuned = tune(tiny_t5, task, family="answer-prompting", config=config)  # all rows of one file
    assert tuned.cross is not None and tuned.calibration is not None and tuned.calibration.rows == 34
    with pytest.raises(DataError, match="'all' is no number"):
        tune(tiny_t5, task, family="answer-prompting", shots="all", config=config)  # type: ignore[arg-type]
    options = tuned.cross.test.options
    assert tuned.calibration == calibrate([n.byte for n in options.nats], options.right)


def test_a_soft_prompt_chooses_labels(tiny_t5, tmp_path: Path) -> None:
    config = TuneConfig(
        method="prompt", rates=(0.1,), ladder=(0, 2), batch_rows=4, metric="rank_sum", extend=False
    )
    tuned = tune(tiny_t5, LABELS, family="masked-post-pt", shots=4, config=config)
    (chosen,) = tuned.choose(["the red car"])
    assert set(chosen.probabilities) == {"long", "short"}
    again = load_tuned(tuned.save(tmp_path / "t"), base=tiny_t5)
    assert np.allclose(
        list(again.choose(["the red car"])[0].probabilities.values()), list(chosen.probabilities.values())
    )
    with pytest.raises(DataError, match="no options to choose from"):
        tune(tiny_t5, TEXT, family="mapping", shots=4, config=SMALL).choose(["a"])


def test_completion_files_say_nothing_of_kinds(tiny_t5, task: Task, tmp_path: Path) -> None:
    tuned = tune(tiny_t5, task, family="mapping", shots=4, config=SMALL.model_copy(update={"ladder": (0, 2)}))
    text = (tuned.save(tmp_path / "t") / "tuned.json").read_text()
    assert '"form"' not in text and "layout" not in text and '"choices"' not in text
