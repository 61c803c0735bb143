"""Runs of multiple choice, classification and text to text: from a task file to a report and new rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mto.errors import DataError
from mto.evaluate.predictions import read_predictions
from mto.pipeline import compare, load, plan
from mto.pipeline.kinds import kind_of
from mto.pipeline.predicting import predict_file
from mto.pipeline.show import show_task
from mto.report import render_markdown
from mto.report.terminal import render_terminal
from mto.templates import BASIC_CHOICE
from tests.pipeline.small import THINGS

SETTINGS: dict[str, Any] = {
    "shots": 4, "seeds": 2, "max_test": 6, "tune": {"rates": [1e-3], "ladder": [0, 2], "extend": False},
}  # fmt: skip
PLACES = ("kitchen", "garden", "library")


def question(n: int) -> dict[str, Any]:
    return {"question": f"where is the {THINGS[n]}?", "choices": PLACES[: 2 + n % 2], "answer": n % 2}


def labelled(n: int) -> dict[str, Any]:
    return {"text": f"the {THINGS[n]}", "label": n % 2}


def sourced(n: int) -> dict[str, Any]:
    return {"source": THINGS[n], "target": [f"the {THINGS[n]}", "a house"]}


TASKS = {
    "multiple-choice": (question, ""),
    "classification": (
        labelled,
        "labels:\n  good: {data: ['1'], words: [clean, red]}\n  bad: {data: ['0'], words: [big]}\nphrases: ['{{ text }} is']\n",
    ),
    "text-to-text": (sourced, ""),
}


def write_task(folder: Path, kind: str) -> Path:
    folder.mkdir(exist_ok=True)
    make, more = TASKS[kind]
    for name, numbers in (("train", range(14)), ("test", range(14, 24))):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(make(n)) + "\n" for n in numbers))
    path = folder / f"{kind}.yaml"
    path.write_text(
        f"name: own-{kind}\nkind: {kind}\n{more}data:\n  splits: {{train: train.jsonl, test: test.jsonl}}\n"
    )
    return path


@pytest.fixture(scope="module")
def runs(tiny_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A finished run of each kind, with two families."""
    folder = tmp_path_factory.mktemp("kinds")
    families = {
        "multiple-choice": ("mapping", "masked-answer-prompting-last"),
        "classification": ("mapping", "masked-prompting"),
    }
    return {
        kind: compare(
            write_task(folder / kind, kind), model=tiny_dir, out=folder / f"run-{kind}", workers=1,
            families=families.get(kind, ("mapping", "masked-mapping")), **SETTINGS,
        )
        for kind in TASKS
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["multiple-choice", "classification"])
def test_results_hold_right_or_wrong_of_each_item_and_seed(runs, kind: str) -> None:
    comparison = runs[kind].comparison
    assert comparison.metric == "rank_sum" and comparison.tasks[0].kind == kind
    tuned = [cell for cell in comparison.cells if cell.stage == "tuned"]
    assert len(tuned) == 4 and {choice.by for choice in comparison.choices} == {"match"}
    for cell in tuned:
        assert set(cell.scores) == {"rank_sum", "accuracy", "rank_token", "rank_byte", "rank_calibrated"}
        assert len(cell.scores["rank_sum"]) == 6 and set(cell.scores["rank_sum"]) <= {0.0, 100.0}
        assert {"ece", "near", "no_option"} <= set(cell.corpus)
        assert ("macro_f1" in cell.corpus) == (kind == "classification")
    names = {baseline.name for baseline in comparison.baselines}
    assert names == {"most frequent answer", "guessing"} | (
        {"nearest head"} if kind == "classification" else set()
    )
    guess = next(b for b in comparison.baselines if b.name == "guessing")
    options = [len(PLACES[: 2 + THINGS.index(h.split()[-1].strip("?")) % 2]) for h in comparison.tasks[0].test_heads] if (
        kind == "multiple-choice"
    ) else [2] * 6  # fmt: skip
    assert guess.scores["rank_sum"] == tuple(round(100 / n, 2) for n in options)


def test_predictions_keep_the_options_with_their_nats(runs) -> None:
    groups = read_predictions(runs["multiple-choice"].path / "predictions.parquet")
    first = next(group for group in groups if group.family == "masked-answer-prompting-last")
    options = first.scores.options
    assert options.names[0][:2] == PLACES[:2] and len(options.nats[0].prior) == len(options.names[0])
    assert first.scores.values["rank_sum"].tolist() == [
        100.0 * (pick == right[0])
        for pick, right in zip(options.picks("sum"), first.scores.references, strict=True)
    ]
    assert next(group for group in groups if group.family == "guessing").scores.options is None


@pytest.mark.parametrize("kind", list(TASKS))
def test_a_finished_run_is_read_back_and_reported(runs, kind: str, tmp_path: Path) -> None:
    run = runs[kind]
    again = compare(run.path.parent / kind / f"{kind}.yaml", model=run.comparison.model.ref, out=run.path, workers=1,
                    families=tuple(f.name for f in run.comparison.families), **SETTINGS)  # fmt: skip
    assert not again.worked and again.comparison == run.comparison
    text = render_markdown(run.comparison)
    words = {
        "multiple-choice": (
            "guessing",
            "most frequent answer",
            "near misses",
            "Accuracy (ranked)",
            "(question last)",
        ),
        "classification": ("guessing", "macro F1", "calibration error", "copy: nearest head"),
        "text-to-text": ("BLEU of all", "chrF", "copy: nearest head"),
    }[kind]
    assert all(word in text for word in words), text
    assert render_terminal(run.comparison).renderables


def test_new_questions_are_answered_with_probabilities(runs, tmp_path: Path) -> None:
    loaded = load(runs["multiple-choice"].path)
    rows = tmp_path / "new.jsonl"
    rows.write_text(
        "".join(json.dumps({k: v for k, v in question(n).items() if k != "answer"}) + "\n" for n in range(3))
    )
    assert predict_file(loaded, rows, tmp_path / "out.jsonl") == 3
    for line in (tmp_path / "out.jsonl").read_text().splitlines():
        row = json.loads(line)
        chances = row["probabilities"]
        assert list(chances) == row["choices"] and chances[row["prediction"]] == row["probability"] == max(
            chances.values()
        )
        assert sum(chances.values()) == pytest.approx(1, abs=1e-4)
    table = tmp_path / "new.csv"
    table.write_text("question,choice1,choice2,choice3\nwhere?,a car,a house,\n")
    predict_file(loaded, table, tmp_path / "out.csv")
    assert "probabilities" in (tmp_path / "out.csv").read_text()
    for cells, message in (
        ("where?,a car,,", "1 choices"),
        ("where?,a,a,b", "a choice twice"),
        ("where?,a,,b", "no text"),
    ):
        table.write_text(f"question,choice1,choice2,choice3\n{cells}\n")
        with pytest.raises(DataError, match=rf"new.csv:2: found .*{message}"):
            predict_file(loaded, table, tmp_path / "out.csv")
    table.write_text("question\nwhere?\n")
    with pytest.raises(DataError, match="there are no choices"):
        predict_file(loaded, table, tmp_path / "out.csv")


def test_new_texts_get_a_label_and_sources_a_text(runs, tmp_path: Path) -> None:
    (chosen,) = load(runs["classification"].path).choose(["the red car"])
    assert set(chosen.probabilities) == {"good", "bad"}
    (tmp_path / "new.csv").write_text("source\nred car\n")
    predict_file(load(runs["text-to-text"].path), tmp_path / "new.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().startswith("source,prediction\n")


def test_zero_shots_rank_without_tuning(tiny_dir: Path, tmp_path: Path) -> None:
    settings = {**SETTINGS, "shots": 0, "seeds": 1}
    path = write_task(tmp_path, "multiple-choice")
    run = compare(path, model=tiny_dir, out=tmp_path / "run", workers=1, families="all", **settings)
    assert [family.name for family in run.comparison.families][-1] == "masked-choice-prompting"
    assert all(cell.stage == "zero-shot" and "rank_sum" in cell.scores for cell in run.comparison.cells)
    assert [baseline.name for baseline in run.comparison.baselines] == ["guessing"]
    assert "guessing" in render_markdown(run.comparison)


def test_what_does_not_go_together_is_said(tiny_dir: Path, tmp_path: Path) -> None:
    choice, text = (write_task(tmp_path / kind, kind) for kind in ("multiple-choice", "text-to-text"))
    with pytest.raises(DataError, match="tasks of several kinds in one run"):
        compare([choice, text], model=tiny_dir, out=tmp_path / "run", **SETTINGS)
    with pytest.raises(DataError, match="'rank_sum' is for choices and labels"):
        compare(
            text,
            model=tiny_dir,
            out=tmp_path / "run",
            metrics=("rank_sum",),
            families=("mapping",),
            **SETTINGS,
        )


def test_a_run_of_choices_matches_first(
    tiny_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_task(tmp_path, "multiple-choice")
    planned = plan(path, model=tiny_dir, out=tmp_path / "run", **SETTINGS)
    assert planned.families == ("mapping", "answer-prompting", "masked-answer-prompting")
    assert planned.stands_for == "masked-answer-prompting"
    from mto.match import rows as matching

    real = matching.match_rows

    def chosen(*args: Any, **kwargs: Any) -> Any:
        found = real(*args, **kwargs)
        assert set(kwargs["config"].families) == set(BASIC_CHOICE)
        best = found.best.model_copy(
            update={"family": found.best.family.model_copy(update={"family": "choice-prompting"})}
        )
        return found.model_copy(update={"models": (best,)})

    monkeypatch.setattr("mto.match.rows.match_rows", chosen)
    run = compare(path, model=tiny_dir, out=tmp_path / "run", workers=1, **SETTINGS)
    assert [f.name for f in run.comparison.families] == ["mapping", "answer-prompting", "choice-prompting"]
    assert {(c.by, c.family) for c in run.comparison.choices} == {("match", "choice-prompting")}
    text = render_markdown(run.comparison)
    assert "classifier has no voice" in text and "guessing gives" in text


def test_a_run_of_soft_prompts_and_choices_matches_first(tiny_dir: Path, tmp_path: Path) -> None:
    path = write_task(tmp_path, "multiple-choice")
    settings = {
        **SETTINGS,
        "seeds": 1,
        "tune": {"method": "prompt", "rates": [1e-2], "ladder": [1], "extend": False},
    }
    run = compare(
        path,
        model=tiny_dir,
        out=tmp_path / "run",
        workers=1,
        matching={"signals": ["depthrank"], "denoiser": False},
        **settings,
    )
    names = [family.name for family in run.comparison.families]
    assert names[0] == "pt" and {"pt", run.comparison.choices[0].family} == set(names)
    assert run.comparison.choices[0].by == "match"


def test_kinds_are_known_from_files_alone(tmp_path: Path) -> None:
    assert kind_of(str(write_task(tmp_path, "classification"))) == "classification"
    assert (kind_of("household/xWant"), kind_of("own.csv"), kind_of("nowhere.yaml")) == ("completion",) * 3


def test_small_tasks_say_how_many_shots() -> None:
    from mto.pipeline.config import read_compare_config
    from mto.pipeline.kinds import with_kind

    usual = with_kind(read_compare_config(tasks=["cb"]), {})
    assert (usual.shots, usual.max_test, usual.metric, usual.tune.metric) == (16, 500, "rank_sum", "rank_sum")
    said = with_kind(read_compare_config(tasks=["cb"], shots=8, metrics=["accuracy"], max_test=20), {})
    assert (said.shots, said.max_test, said.metrics, said.tune.metric) == (8, 20, ("accuracy",), "accuracy")
    assert with_kind(read_compare_config(tasks=["household/xWant"]), {}).shots is None


def test_a_question_is_shown_under_each_family(tmp_path: Path) -> None:
    shown = show_task(write_task(tmp_path, "multiple-choice"), families=["masked-choice-prompting-letters"])
    (one,) = shown.examples[0].families
    assert "a : kitchen b : garden" in one.source.text and one.masks_asked == 2
    labels = show_task(write_task(tmp_path, "classification"))
    assert [one.answer for one in labels.examples[0].families] == ["bad", "bad", "big", "big"]


def test_tails_are_ranked_without_tuning(tiny_dir: Path, tmp_path: Path) -> None:
    from tests.pipeline.small import write_task as write_tools

    tools = write_tools(tmp_path / "tools")
    settings = {**SETTINGS, "shots": 0, "seeds": 1, "families": ("mapping", "masked-prompting")}
    run = compare(tools, model=tiny_dir, out=tmp_path / "run", workers=1, rank_tails=3, **settings)
    assert run.comparison.metric == "rouge_l" and len(run.comparison.tasks[0].test_heads) == 6
    for cell in run.comparison.cells:
        assert set(cell.scores["rank_sum"]) <= {0.0, 100.0} and "ece" in cell.corpus
        assert not {"no_option", "near"} & set(cell.corpus)  # nobody was asked for one of the tails
    (guess,) = run.comparison.baselines
    assert guess.name == "guessing" and set(guess.scores["rank_byte"]) == {33.33}
    assert "rouge_l" not in guess.scores
    page = render_markdown(run.comparison)
    (row,) = (line for line in page.splitlines() if line.startswith("| guessing"))
    assert row.split("|")[2].strip() == "–" and row.count("33.3") == 4
    assert "no option" not in page and "beats" not in page  # nothing is compared with what has no score
    groups = read_predictions(run.path / "predictions.parquet")
    asked = [group for group in groups if group.family != "guessing"]
    assert {len(names) for group in asked for names in group.scores.options.names} == {3}
    ranked = compare(
        tools, model=tiny_dir, out=tmp_path / "ranked", workers=1, rank_tails=3,
        **{**settings, "shots": 4, "families": ("mapping",), "metrics": ("rank_sum", "rouge_l"), "choose": "dev"},
    )  # fmt: skip
    (guess,) = ranked.comparison.baselines
    assert guess.name == "guessing" and set(guess.scores["rank_sum"]) == {33.33}
    with pytest.raises(DataError, match="rank_tails is for completion tasks"):
        compare(
            write_task(tmp_path / "q", "classification"),
            model=tiny_dir,
            out=tmp_path / "x",
            rank_tails=3,
            **SETTINGS,
        )
    with pytest.raises(DataError, match="a completion task is ranked with --rank-tails"):
        compare(tools, model=tiny_dir, out=tmp_path / "x", **{**settings, "metrics": ("rank_sum",)})
