"""What the whole way can be told, and what it makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mto.adapt.config import AdaptSettings
from mto.config import parse
from mto.errors import ConfigError, DataError
from mto.match import Match
from mto.pipeline.inputs import TaskInput
from mto.pipeline.whole.aligned import Aligned, aligned_by_match, base_families
from mto.pipeline.whole.config import CONTROLS, WholeConfig, is_whole_file, read_whole_config
from mto.pipeline.whole.running import whole_config
from mto.pipeline.whole.systems import adapt_config, all_units, count_pairs
from mto.prepare.config import TextSettings
from mto.templates.family import BASIC
from tests.adapt.prepared import prepared
from tests.conftest import ROOT

COUNTS = {"a/Use": 60, "a/Want": 40}
ALIGNED = {
    "a/Use": Aligned("a/Use", "masked-prompting", "denoising", "", "match"),
    "a/Want": Aligned("a/Want", "prompting", "lm", "", "match"),
}


def config(**settings: object) -> WholeConfig:
    return parse(WholeConfig, {"tasks": tuple(COUNTS), "corpus": "text.txt", **settings})


def task(name: str = "a/Use", phrase: str | None = "{{ head }} is used for") -> TaskInput:
    return TaskInput(
        name=name, relation="Use", type=None, title="", phrase=phrase, fields=("head",), path="", files={},
        folds=None, warnings=(),
    )  # fmt: skip


def test_a_file_with_a_corpus_is_a_whole_run(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(
        "tasks: household/xWant\ncorpus: mto:household\nadapt: {epochs: 5}\ncontrols: none\nmetrics: exact_match\n"
    )
    assert is_whole_file(file) and not is_whole_file(None)
    read = read_whole_config(
        file, ["adapt.rate=0.001", "prepare.select.per_task=9"], adapt={"epochs": 2}, shots=8
    )
    assert (read.corpus, read.controls, read.shots) == (("mto:household",), (), 8)
    assert (read.adapt.epochs, read.adapt.rate, read.prepare.select.per_task) == (2, 0.001, 9)
    assert read.tune.metric == "exact_match"
    assert is_whole_file(ROOT / "configs/demo.yaml")
    assert read_whole_config(ROOT / "configs/demo.yaml").asked_controls == ()


def test_all_problems_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(
        "tasks: household/xWant\ncorpus: []\nadapt:\n  epoch: 5\n  rate: -1\nprepare: {selects: {}}\ncontrols: [random]\n"
    )
    with pytest.raises(ConfigError) as caught:
        read_whole_config(file)
    text = str(caught.value)
    for said in (
        ":2: corpus",
        ":4: adapt.epoch: unknown key",
        "'epochs'",
        ":5: adapt.rate",
        "'select'",
        ":7: controls",
    ):
        assert said in text, (said, text)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"shots": 0}, "labelled rows"),
        ({"corpus": ["a", "a"]}, "stands twice"),
        ({"adapt": {"objective": "ul2"}, "controls": ["wrong-objective"]}, "no opposite"),
        ({"weights": "folder"}, "name the checkpoint by model"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        config(**settings)


def test_controls_are_those_that_the_objective_has() -> None:
    assert config().asked_controls == CONTROLS == config(controls="all").asked_controls
    assert config(controls=["general", "random-spans"]).asked_controls == ("random-spans", "general")
    assert config(adapt={"objective": "mixed"}).asked_controls == ("random-spans", "general")
    assert config(adapt={"objective": "spans"}).asked_controls == ("wrong-objective", "general")


def test_each_control_differs_in_one_thing(tmp_path: Path) -> None:
    asked = config(adapt={"epochs": 7})
    made = {
        unit.kind: adapt_config(unit, asked, ALIGNED, tmp_path, COUNTS, ())
        for unit in all_units(asked, list(COUNTS))
    }
    assert list(made) == ["main", *CONTROLS] and all(one.epochs == 7 for one in made.values())
    main = made["main"]
    assert (main.set, main.objective, main.by_task) == (
        "task",
        "auto",
        {"a/Use": "denoising", "a/Want": "lm"},
    )
    spans = made["random-spans"]
    assert spans.model_copy(update={"set": "task"}) == main
    wrong = made["wrong-objective"]
    assert wrong.by_task == {"a/Use": "lm", "a/Want": "denoising"}
    assert wrong.model_copy(update={"by_task": main.by_task}) == main
    general = made["general"]
    assert (general.set, general.objective, general.mix, general.limit) == ("general", "mixed", 0.6, 100)


def test_a_named_objective_speaks_for_all_and_its_control_is_the_other(tmp_path: Path) -> None:
    asked = config(adapt={"objective": "lm", "limit": 30})
    made = {
        u.kind: adapt_config(u, asked, ALIGNED, tmp_path, COUNTS, ()) for u in all_units(asked, list(COUNTS))
    }
    assert [(one.objective, one.by_task) for one in made.values()] == [
        ("lm", {}), ("lm", {}), ("denoising", {}), ("lm", {}),
    ]  # fmt: skip
    assert made["general"].limit == 30


def test_an_adaptation_a_task_reads_its_own_pairs(tmp_path: Path) -> None:
    asked = config(per_task=True, controls=["general"])
    units = all_units(asked, list(COUNTS))
    assert [unit.name for unit in units] == ["main-a-Use", "main-a-Want", "general-a-Use", "general-a-Want"]
    made = [adapt_config(unit, asked, ALIGNED, tmp_path, COUNTS, ()) for unit in units]
    assert [one.tasks for one in made] == [("a/Use",), ("a/Want",)] * 2
    assert [(one.objective, one.limit) for one in made[2:]] == [("denoising", 60), ("lm", 40)]


def test_a_task_without_pairs_says_what_to_do(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "prepared")
    assert count_pairs(folder, ["Use", "Want"])["Use"] > 10
    with pytest.raises(DataError, match="Other: no sentence of the text became a pair") as caught:
        count_pairs(folder, ["Use", "Other"])
    assert "per_task" in str(caught.value.hint)


def test_template_and_objective_agree(finding: Match) -> None:
    said = finding.objective
    family = {"denoising": "masked-prompting", "lm": "prompting"}
    mine = aligned_by_match(task(), finding, config())
    assert (mine.objective, mine.family, mine.by) == (said, family[said], "match")
    plain = {"denoising": "masked-mapping", "lm": "mapping"}
    assert aligned_by_match(task(phrase=None), finding, config()).family == plain[said]
    for objective, wanted in (("lm", "prompting"), ("spans", "masked-prompting")):
        forced = aligned_by_match(task(), finding, config(adapt={"objective": objective}))
        assert (forced.family, forced.by) == (wanted, "asked")
    by_family = aligned_by_match(task(), finding, config(align="family"))
    assert by_family.family == finding.family


@pytest.fixture(scope="module")
def finding() -> Match:
    """What matching says of a task of the package with the tiny checkpoint."""
    import mto
    from tests.conftest import bart_model, loaded, word_tokenizer

    tokenizer = word_tokenizer()
    tiny = loaded(bart_model(tokenizer), tokenizer, "tiny")
    return mto.match(mto.load_task("household/ObjectUse"), tiny, shots=6, signals=("guidelines", "depthrank"))


def test_what_is_compared_without_adaptation() -> None:
    tasks = {"a/Use": task(), "a/Want": task("a/Want")}
    assert base_families(config(), tasks, ALIGNED) == ("mapping", "prompting", "masked-prompting")
    only = {"a/Want": ALIGNED["a/Want"]}
    assert base_families(config(), tasks, only) == ("mapping", "prompting")
    asked = config(families=["masked-mapping", "prompting"])
    assert base_families(asked, tasks, ALIGNED) == (
        "mapping",
        "masked-mapping",
        "prompting",
        "masked-prompting",
    )
    assert base_families(config(), {"a/Use": task(phrase=None)}, None) == ("mapping", "masked-mapping")


def test_the_sections_hold_no_setting_that_the_run_itself_has() -> None:
    mine = set(WholeConfig.model_fields)
    assert not {"tasks", "corpus", "seed", "shots"} & set(TextSettings.model_fields)
    assert not {"model", "pairs", "set", "match", "by_task"} & set(AdaptSettings.model_fields)
    assert {"prepare", "adapt", "corpus"} <= mine


def test_soft_prompts_are_refused_and_all_families_are_those_of_the_kind() -> None:
    with pytest.raises(ConfigError, match="tunes all weights, or LoRA"):
        config(tune={"method": "prompt"})
    given = {"families": "all"}
    assert whole_config("household/xWant", "text.txt", given).families == BASIC
