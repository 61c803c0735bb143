"""The study of the splitters from configuration to page, on a tiny checkpoint and made-up relations."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mto.cli.app import app
from mto.errors import DataError
from mto.study.config import read_study_config
from mto.study.pages import page_of
from mto.study.splitter import stages
from mto.study.splitter.config import SplitterStudyConfig
from mto.study.splitter.page import PAGE
from mto.study.splitter.results import Judged, figures, read_splitters
from mto.study.splitter.stages import run_splitter_study
from mto.tasks import Task, task_from_rows
from tests.conftest import ROOT
from tests.pipeline.small import save_tiny

THINGS = "hammer nail knife book car house garden bread".split()


def relations(library: str, data: str | None) -> list[Task]:
    """Three relations a data set; each says another thing of every head."""
    made = []
    for number, said in enumerate(("is found in the red", "can", "wants to")):
        rows = [{"head": thing, "tail": f"{THINGS[n - 1]} food"} for n, thing in enumerate(THINGS)]
        parts = {"train": rows[:4], "test": rows[4:]}
        name = f"{library}/R{number}"
        made.append(
            task_from_rows(parts, name=name, relation=f"R{number}", phrases=[f"The {{{{ head }}}} {said}"])
        )
    return made


@pytest.fixture
def studied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[SplitterStudyConfig, Path]:
    monkeypatch.setattr(stages, "_relations", relations)
    model = str(save_tiny(tmp_path / "tiny"))
    config = SplitterStudyConfig(data="nowhere", models=(model,), folds=3, heads=4, test_heads=4, steps=2, tagger="small")  # fmt: skip
    return config, tmp_path / "study"


def test_from_folds_to_page(studied: tuple[SplitterStudyConfig, Path], tmp_path: Path) -> None:
    config, folder = studied
    assert run_splitter_study(config, folder, only=config.models) is None
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("folds/**/*.json")}
    assert len(before) == 3
    results = run_splitter_study(config, folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("folds/**/*.json")} == before
    assert results is not None and read_splitters(folder / "results.json") == results
    assert (
        len(results.hits) == 2 * 3 + 4 * 3 * 2
    )  # rules once; four systems, each relation once seen and once not
    for seen in (True, False):
        for some in results.rows(seen=seen).values():
            assert sorted(one.relation for one in some) == [f"atomic2020/R{n}" for n in range(3)]
            assert all(len(one.overlap) == 4 for one in some)
    known = figures(results.rows(seen=True)["", "rules"])
    assert known.exact == known.kept == known.overlap == known.precision == 1.0  # the phrases give them away
    spans = figures(results.rows(seen=False)[config.models[0], "model, spans"])
    assert spans.kept == 1.0

    page = PAGE.write(tmp_path / "page.md", folder / "results.json", "A title")
    text = page.read_text()
    assert PAGE.remake(page) == text and page_of(folder / "results.json") is PAGE
    for said in (
        "100.0 % [100, 100]",
        "model, free, else rules",
        "R2",
        "weights of",
        "left out of the training",
    ):
        assert said in text
    told = CliRunner().invoke(
        app,
        ["report", str(folder / "results.json"), "--page", str(tmp_path / "again.md"), "--title", "A title"],
    )
    assert told.exit_code == 0 and (tmp_path / "again.md").read_text() == text


def test_no_left_out_relation_is_learned_from(
    studied: tuple[SplitterStudyConfig, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, folder = studied
    learned: list[set[str]] = []
    train = stages.train_splitter

    def spy(loaded, triples, settings):  # type: ignore[no-untyped-def]
        learned.append({one.task for one in triples})
        assert settings.steps == 2
        return train(loaded, triples, settings)

    monkeypatch.setattr(stages, "train_splitter", spy)
    run_splitter_study(config, folder)
    for fold, names in enumerate(learned):
        assert names == {
            f"{library}/R{n}" for library in ("atomic2020", "household") for n in range(3) if n != fold
        }


def test_figures_by_hand() -> None:
    one = Judged(model="m", splitter="s", relation="a", seen=False, overlap=(1.0, 0.5, None, None))
    other = Judged(model="m", splitter="s", relation="b", seen=False, overlap=(1.0, 1.0))
    found = figures([one, other])
    assert (found.kept, found.exact, found.precision) == (0.75, 0.625, 0.75)
    assert found.overlap == pytest.approx((0.375 + 1.0) / 2)
    assert (
        figures([Judged(model="", splitter="s", relation="a", seen=True, overlap=(None,))]).precision is None
    )


def test_bad_input(studied: tuple[SplitterStudyConfig, Path], tmp_path: Path) -> None:
    config, folder = studied
    with pytest.raises(DataError, match="no checkpoint of this study"):
        run_splitter_study(config, folder, only=["other"])
    (tmp_path / "bad.json").write_text('{"hits": [], "revisions": {}}')
    with pytest.raises(DataError, match="no results file of splitters"):
        read_splitters(tmp_path / "bad.json")
    shipped = read_study_config(ROOT / "configs" / "studies" / "splitter.yaml")
    assert isinstance(shipped, SplitterStudyConfig) and shipped.folds == 4
