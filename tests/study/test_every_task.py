"""The study over every kind of task from configuration to page, on a tiny checkpoint and made-up tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from mto.cli.app import app
from mto.errors import DataError, RunError
from mto.evaluate.likelihood import rank
from mto.families import load_model
from mto.runs import RunFolder
from mto.study.chosen import Chosen
from mto.study.config import read_study_config
from mto.study.every_task import stages
from mto.study.every_task.cells import _Opened, _tuning, split_of, untuned_cell
from mto.study.every_task.config import EveryTaskConfig
from mto.study.every_task.facts import baselines, families_of, task_facts
from mto.study.every_task.judged import (
    below_chance,
    bits_gap,
    done_by,
    done_by_all,
    family_of,
    gains,
    near_chance,
    points,
    rules,
    side,
    worse_than_guessing,
)
from mto.study.every_task.page import PAGE
from mto.study.every_task.results import (
    Arm,
    Baseline,
    Best,
    EveryTaskResults,
    Facts,
    Swept,
    Tuned,
    Untuned,
    pack,
    read_every_task,
)
from mto.study.every_task.stages import Study, run_every_task, soft_of
from mto.study.pages import page_of
from mto.tasks import Split, Task, task_from_rows
from mto.templates import BASIC
from tests.conftest import ROOT
from tests.pipeline.small import THINGS, USES, save_tiny

PLACES = ("kitchen", "garden", "library")
MAKE: dict[str, Any] = {
    "multiple-choice": lambda n: {
        "question": f"where is the {THINGS[n]}", "choices": list(PLACES[: 2 + n % 2]), "answer": PLACES[n % 2]
    },
    "classification": lambda n: {"text": f"the {THINGS[n]}", "label": ("good", "bad")[n % 2]},
    "text-to-text": lambda n: {"source": THINGS[n], "target": f"the {THINGS[n]} {USES[n % 4]}"},
}  # fmt: skip


def a_task(kind: Any, data: str | None = None) -> Task:
    rows = [MAKE[kind](n) for n in range(16)]
    more: dict[str, Any] = {}
    if kind == "classification":
        more = {"labels": {"good": ["clean", "red"], "bad": ["big"]}, "phrases": ["{{ text }} is"]}
    return task_from_rows({"train": rows[:10], "test": rows[10:]}, kind=kind, name=kind, **more)


def made_choice(loaded: Any, task: Task, split: Split) -> str:
    """In place of matching: another family on the second seed."""
    aligned = "masked-answer-prompting" if task.kind == "multiple-choice" else "masked-mapping"
    return aligned if split.seed == 0 else "mapping"


@pytest.fixture
def studied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[EveryTaskConfig, Path]:
    monkeypatch.setattr(stages, "load_task", a_task)
    monkeypatch.setattr(stages, "match_family", made_choice)
    config = EveryTaskConfig(
        models=(str(save_tiny(tmp_path / "one")), str(save_tiny(tmp_path / "two", seed=1))), tasks=tuple(MAKE),
        families=("mapping", "masked-mapping"), best=1, shots=4, seeds=(0, 1), max_test=4, rates=(1e-3,), ladder=(0, 1),
        soft_rates=(0.1,), soft_ladder=(1,), vectors=2, encoder="embedding",
    )  # fmt: skip
    return config, tmp_path / "study"


def steps(folder: Path) -> dict[Path, int]:
    return {p: p.stat().st_mtime_ns for p in folder.rglob("steps/**/*.json") if "models" not in p.parts}


def test_part_by_part_to_results(studied: tuple[EveryTaskConfig, Path]) -> None:
    config, folder = studied
    one, two = config.models
    with pytest.raises(DataError, match="part families first"):  # the second waits for the best families
        run_every_task(config.model_copy(update={"parts": ("others",)}), folder, only=[two])
    first = config.model_copy(update={"parts": ("families",)})
    assert run_every_task(first, folder, only=[one]) is None
    results = run_every_task(first, folder)
    assert results is not None and read_every_task(folder / "results.json") == results
    assert len(results.tuned) == 3 * 2 * 2 and len(results.untuned) == len(results.swept) == 3 * 2
    assert {u.model for u in results.untuned} == {one} and results.parts == ("families",)
    for cell in results.tuned:
        assert len(cell.scores) == len(cell.bits) == 4 and cell.dev_bits_before is not None
        options = cell.task != "text-to-text"
        assert (
            isinstance(cell.scores, str) == options == (cell.written is not None) == (cell.doubt is not None)
        )
        assert ("corpus_chrf" in cell.measures) != options and ("near" in cell.measures) == options
        assert ("macro_f1" in cell.measures) == (cell.task == "classification")
    before = steps(folder)
    whole = run_every_task(config, folder)
    assert whole is not None and before.items() <= steps(folder).items()
    assert {c.model for c in whole.cells(method="finetune")} == {one, two}
    assert {c.model for c in whole.cells(method="prompt")} == {one}
    for task in MAKE:
        for seed in (0, 1):
            chosen = whole.choice(two, task, seed)
            assert chosen is not None and chosen.soft == soft_of(chosen.family, a_task(task))
            wanted = {"mapping", chosen.family, *whole.best_of(task)}
            assert {c.family for c in whole.cells(model=two, task=task, seed=seed)} == wanted
            soft = {c.family for c in whole.cells(model=one, method="prompt", task=task, seed=seed)}
            assert {"pt", family_of(whole, "aligned", one, task, seed, "prompt")} <= soft
    with pytest.raises(RunError, match="vectors"):
        run_every_task(config.model_copy(update={"vectors": 3}), folder)
    page = PAGE.write(folder / "page.md", folder / "results.json", "T")
    text = page.read_text()
    assert "## With soft prompts" in text and "## By checkpoint" in text
    heads, _, *rows = text[text.index("| task | measured by | PT (conventional)") :].splitlines()
    assert heads.endswith("| second by dev | aligned, fine-tuned |")
    told = [row.strip("| ").split(" | ") for row in rows[: rows.index("")]]
    assert [cells[0] for cells in told] == [task.name for task in whole.tasks]
    for name, _, plain, aligned, _, _, full in told:
        for figure, system, method in (
            (plain, "conventional", "prompt"),
            (aligned, "aligned", "prompt"),
            (full, "aligned", "finetune"),
        ):
            mean = points(side(whole, system, one, name, method)).mean()  # type: ignore[arg-type]
            assert float(figure.split(" [")[0]) == pytest.approx(mean, abs=0.051)
    heads, _, *rows = text[text.index("| task | measured by | aligned − conventional |") :].splitlines()
    beside = [row.strip("| ").split(" | ") for row in rows[: rows.index("")]]
    single = [cells for cells in beside if not cells[0].startswith("all ")]
    assert [cells[0] for cells in single] == [task.name for task in whole.tasks] and len(beside) == len(
        single
    ) + 1
    for name, _, *figures in single:
        means = {
            (m, s): points(side(whole, s, m, name)).mean()
            for m in (one, two)
            for s in ("conventional", "aligned")
        }  # type: ignore[arg-type]
        pairs = (((two, "aligned"), (two, "conventional")), ((two, "conventional"), (one, "conventional")),
                 ((two, "aligned"), (one, "aligned")), ((two, "aligned"), (one, "conventional")))  # fmt: skip
        for figure, (a, b) in zip(figures, pairs, strict=True):
            shown = float(figure.split(" [")[0].replace("−", "-"))
            assert shown == pytest.approx(means[a] - means[b], abs=0.051)
    grown = config.model_copy(
        update={"parts": ("families",), "seeds": (0, 1, 2), "tasks": ("classification",)}
    )
    before = steps(folder)
    more = run_every_task(grown, folder)
    assert more is not None and len(more.tuned) == 2 * 3 and before.items() <= steps(folder).items()


def test_a_part_may_take_only_some_tasks(studied: tuple[EveryTaskConfig, Path]) -> None:
    whole, folder = studied
    one, two = whole.models
    config = whole.model_copy(
        update={"parts": ("families", "others"), "tasks_of": {"others": ("classification",)}}
    )
    results = run_every_task(config, folder)
    assert results is not None
    assert {cell.task for cell in results.cells(model=one)} == set(MAKE)
    assert {cell.task for cell in results.cells(model=two)} == {"classification"}
    assert {(c.model, c.task) for c in results.chosen} == {
        *((one, name) for name in MAKE),
        (two, "classification"),
    }
    assert [t.name for t in done_by(results, two, results.tasks)] == ["classification"]
    assert [t.name for t in done_by_all(results, results.tasks, "finetune")] == ["classification"]
    text = PAGE.write(folder / "page.md", folder / "results.json", "T").read_text()
    table = text.partition("## By checkpoint")[2].partition("\n## ")[0]
    assert "mean over classification:" in table and "text-to-text" not in table
    assert len([line for line in table.splitlines() if line.startswith(("| one", "| two"))]) == 2
    assert "others (on classification)" in text
    with pytest.raises(ValueError, match="tasks_of names 'other'"):
        EveryTaskConfig(models=("mini",), tasks=("cb",), tasks_of={"others": ("other",)})


def test_a_cell_is_measured_as_by_hand(studied: tuple[EveryTaskConfig, Path]) -> None:
    config, _ = studied
    loaded = load_model(config.models[0])
    task = a_task("multiple-choice")
    found = untuned_cell(config, loaded, task, task.name, "mapping")
    arm = Arm(model="one", method="finetune", family="mapping", task=task.name)
    split = split_of(config, task, task.name, 0)
    opened = _Opened(loaded, task, split, arm, _tuning(config, task, arm, None, (0,)))
    for row, mark, bits, doubt in zip(
        opened.rows.test.options, found["scores"], found["bits"], found["doubt"], strict=True
    ):
        said = rank(loaded, [row.source_ids], [row.targets])[0].scores
        assert mark == str(int(said.nll_with_eos.argmin() == row.right))
        assert bits == pytest.approx(100 * said.bits_per_byte[row.right], abs=1)
        each = np.exp(-said.nll_with_eos)
        assert doubt == pytest.approx(-100 * np.log2(each[row.right] / each.sum()), abs=1)


def test_baselines_and_facts() -> None:
    config = EveryTaskConfig(models=("mini",), tasks=("classification",), shots=4, max_test=None)
    for kind, names in (
        ("multiple-choice", ["most frequent answer"]),
        ("classification", ["most frequent answer", "nearest text"]),
        ("text-to-text", ["most frequent answer", "nearest text"]),
    ):
        task = a_task(kind)
        found = baselines(config, task, kind, 0)
        facts = task_facts(config, task, kind)
        assert [one.name for one in found] == names and {len(one.scores) for one in found} == {6}
        chance = {"multiple-choice": (50 + 100 / 3) / 2, "classification": 50, "text-to-text": None}[kind]
        assert facts.chance == (None if chance is None else pytest.approx(chance, abs=1e-3))
        assert facts.metric == ("rouge_l" if kind == "text-to-text" else "rank_sum")
    # No phrase, so no family that needs one.
    assert families_of(config, a_task("text-to-text")) == ("mapping", "masked-mapping")
    assert len(families_of(config, a_task("multiple-choice"))) == 6


FAMILIES = ("mapping", "masked-mapping", "answer-prompting", "masked-answer-prompting")


def made_up(*, better: float, near: bool = False, bits: int = 0) -> EveryTaskResults:
    """Two tasks of choices whose aligned family is right so many points more often than all others."""
    rng = np.random.default_rng(0)
    tuned, untuned, level = [], [], 0.25 if near else 0.5
    for task in "AB":
        for family in FAMILIES:
            aligned = family == "masked-answer-prompting"
            untuned.append(Untuned(
                model="mini", family=family, task=task, scores="01" * 40, written="0" * 80, bits=(200,) * 80, doubt=(150,) * 80, seconds=1,
            ))  # fmt: skip
            for seed in (0, 1, 2):
                place = (np.arange(80) * 13 + 7 * seed + len(family)) % 80 / 80
                marks = pack(place < level + (better / 100 if aligned else 0))
                less = rng.integers(0, 20, 80) + (bits if aligned else 0)
                tuned.append(Tuned(
                    model="mini", method="finetune", family=family, task=task, seed=seed, rate=1e-4, steps=20, scores=marks, written=marks,
                    bits=tuple(int(100 + v) for v in less), doubt=tuple(int(130 + v) for v in less), seconds=9, dev_bits=1.0 - 0.1 * aligned,
                    dev_metric=50 + 5 * aligned, dev_bits_before=2.0, measures={"near": 1.0, "no_option": 2.0},
                ))  # fmt: skip
    config = EveryTaskConfig(models=("mini",), tasks=("A", "B"), seeds=(0, 1, 2), parts=("families",))
    return EveryTaskResults(
        title="T", command="mto study", config=config.fixed(), parts=("families",), environment={"cores": 2, "cpu": "x", "commit": "c"},
        revisions={"mini": "abc"}, objectives={"mini": {"denoising": 0.5, "lm": 0.5}},
        tasks=tuple(Facts(name=t, kind="multiple-choice", metric="rank_sum", shots=30, items=80, chance=25) for t in "AB"),
        best=tuple(Best(task=t, families=FAMILIES[:1:-1], soft=("post-masked-answer-pt", "post-answer-pt")) for t in "AB"),
        swept=(Swept(model="mini", method="finetune", family="mapping", task="A", points=((1e-4, 20, 1.0, 20.0),), rate=1e-4, steps=20),),
        chosen=tuple(
            Chosen(model="mini", task=t, seed=s, family="masked-answer-prompting", soft="post-masked-answer-pt") for t in "AB" for s in (0, 1, 2)
        ),
        baselines=tuple(Baseline(name="most frequent answer", task=t, seed=s, scores="0001" * 20) for t in "AB" for s in (0, 1, 2)),
        untuned=tuple(untuned), tuned=tuple(tuned),
    )  # fmt: skip


def test_what_is_judged_by_hand() -> None:
    results = made_up(better=20)
    a, _, both = gains(results, "mini", results.tasks)
    assert both.name == "all 2" and both.found.difference.mean == pytest.approx(20, abs=0.01)
    assert both.found.difference.low > 0 and both.found.ratio and both.found.ratio.mean == pytest.approx(0.4)
    assert a.corrected > a.p
    assert not near_chance(results, "mini", results.tasks[0])
    found = {rule.name: rule for rule in rules(results, "multiple-choice")}
    assert found["matching"].regret.value == found["dev, after tuning all"].regret.value == 0
    assert found["always mapping"].regret.value == pytest.approx(20) and "noise floor" in found
    assert [c.family for c in side(results, "second by dev", "mini", "A")] == ["answer-prompting"] * 3
    assert side(results, "aligned", "other", "A") == []
    none = made_up(better=0)
    assert gains(none, "mini", none.tasks)[-1].found.difference.mean == pytest.approx(0, abs=0.01)


def test_near_chance_is_told_with_bits() -> None:
    near = made_up(better=0, near=True, bits=-40)
    assert near_chance(near, "mini", near.tasks[0])
    before, after = (bits_gap(near, "mini", "A", after=when) for when in (False, True))
    assert before is not None and before.mean == 0
    assert after is not None and after.high < 0 and after.mean == pytest.approx(-0.4, abs=0.05)
    doubt = bits_gap(near, "mini", "A", after=True, what="doubt")
    assert doubt is not None and doubt.high < 0 and not worse_than_guessing(near, "mini", near.tasks[0])
    told = [c.model_copy(update={"doubt": tuple(d + 150 for d in c.doubt or ())}) for c in near.tuned]
    assert worse_than_guessing(near.model_copy(update={"tuned": tuple(told)}), "mini", near.tasks[0])


def test_below_chance_is_told_with_its_reason(tmp_path: Path) -> None:
    near = made_up(better=0, near=True, bits=-40)
    assert not below_chance(near, "mini", near.tasks[0])
    harder = near.model_copy(
        update={"tasks": tuple(t.model_copy(update={"chance": 60.0}) for t in near.tasks)}
    )
    assert below_chance(harder, "mini", harder.tasks[0]) and not near_chance(harder, "mini", harder.tasks[0])
    text = PAGE.write(tmp_path / "p.md", harder.write(tmp_path / "r.json"), "T").read_text()
    assert (
        "Below guessing: on A (60.0) and B (60.0)" in text
        and "A and B: ranking by nats in all is worse than guessing" in text
    )
    texts = harder.model_copy(
        update={"tasks": tuple(t.model_copy(update={"chance": None}) for t in harder.tasks)}
    )
    assert not below_chance(texts, "mini", texts.tasks[0])


def test_a_page_is_made_again_from_its_results_file(tmp_path: Path) -> None:
    file = made_up(better=20).write(tmp_path / "results.json")
    page = PAGE.write(tmp_path / "page.md", file, "A title")
    text = page.read_text()
    assert PAGE.remake(page) == text and page_of(file) is PAGE
    for said in ("let matching choose", "after Holm", "regret, points", "+20.0", "| guessing |"):
        assert said in text
    assert "near chance" not in text and "By checkpoint" not in text
    near = made_up(better=0, near=True, bits=-40).write(tmp_path / "near.json")
    text = PAGE.write(tmp_path / "near.md", near, "N").read_text()
    assert "Near chance: on A (25.0) and B (25.0)" in text and "the aligned form is understood better" in text
    assert "stays near chance" in text and "let matching choose" not in text


def test_snli_carries_its_remark_on_the_command_line(tmp_path: Path) -> None:
    results = made_up(better=20)
    text = results.write(tmp_path / "r.json").read_text().replace('"task":"A"', '"task":"snli"')
    (tmp_path / "r.json").write_text(text.replace('"name":"A"', '"name":"snli"'))
    told = CliRunner().invoke(app, ["report", str(tmp_path / "r.json"), "--page", str(tmp_path / "p.md")])
    assert told.exit_code == 0 and "had seen SNLI" in (tmp_path / "p.md").read_text()


def test_bad_input_and_the_shipped_study(tmp_path: Path, shared_dir: Path) -> None:
    config = EveryTaskConfig(models=("mini",), tasks=("cb",), data=str(shared_dir / "data" / "superglue_few"))
    with pytest.raises(DataError, match="no checkpoint of this study"):
        run_every_task(config, tmp_path / "study", only=["other"])
    (tmp_path / "bad.json").write_text('{"untuned": [], "tuned": [], "baselines": []}')
    with pytest.raises(DataError, match="no results file of every kind of task"):
        read_every_task(tmp_path / "bad.json")
    shipped = read_study_config(ROOT / "configs" / "studies" / "every_task.yaml", ("adapted=runs/adapted",))
    assert isinstance(shipped, EveryTaskConfig) and shipped.models_of("others")[-1] == "runs/adapted"
    assert shipped.models_of("families") == shipped.models_of("soft") == ("mini",)
    assert shipped.shots_for("cb") == 16 and shipped.shots_for("snli") == 30
    for name in shipped.tasks:
        assert Path(shipped.data_of(name) or "").parts[:3] == ("..", "shared", "data")
        assert (shared_dir / Path(shipped.data_of(name) or "").relative_to("../shared")).is_dir()
    task = Study(config, RunFolder(tmp_path / "none"), None).tasks["cb"]
    assert task.kind == "classification" and families_of(shipped, task) == BASIC
