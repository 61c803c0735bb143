"""Whole preparations: what comes out, that it is the same however the work is shared out, and that nothing is done twice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mto.errors import DataError, Interrupted, RunError
from mto.prepare import prepare, prepare_config, read_pairs, read_prepared
from mto.prepare.clean import REASONS
from mto.prepare.work import Bench
from tests.conftest import ROOT
from tests.prepare.text import TASKS, config, files, leak, prepared, write_text


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_text(tmp_path_factory.mktemp("text") / "text.txt")


@pytest.fixture(scope="module")
def done(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished preparation by this process."""
    out = tmp_path_factory.mktemp("done") / "out"
    prepared(corpus, out)
    return out


def test_the_summary_adds_up(done: Path) -> None:
    found = read_prepared(done)
    # In the order of the steps, also when read back.
    assert [name for name in found.steps if name in ("lines", "sentences", "kept", "chosen for tasks")] == [
        "lines",
        "sentences",
        "kept",
        "chosen for tasks",
    ]
    steps = found.steps
    dropped = sum(steps[reason] for reason in REASONS) + steps["dropped for a test example"]
    assert steps["sentences"] == dropped + steps["kept"]
    assert steps["lines"] == found.inputs[0].lines
    assert all(steps[name] > 0 for name in ("too short", "shouting", "not English-like", "exact duplicates"))
    assert steps["chosen for tasks"] == steps["general, for the control"] == 120
    assert found.pairs == dict.fromkeys(("task", "random-spans", "random-prefixes", "general"), 120)
    assert (found.shards, found.held_out, found.making) == (3, 20, {"cut": 240})
    assert not (done / "work").exists()


def test_phrases_come_first_and_a_sentence_serves_one_task(done: Path) -> None:
    use, want = read_prepared(done).selection
    assert use.fits["phrase"] > 60 and use.chosen == {"phrase": 60}
    assert want.chosen["phrase"] == 60
    pairs = list(read_pairs(done))
    assert len({pair.sentence for pair in pairs}) == len(pairs)
    for pair in pairs:
        assert ("used" if pair.task == TASKS[0] else "wanted") in pair.sentence
        assert pair.where.startswith("text.txt:")


def test_places_are_the_lines_of_the_file(done: Path, corpus: Path) -> None:
    lines = corpus.read_text(encoding="utf-8").splitlines()
    for which in ("task", "general"):
        for pair in read_pairs(done, which):
            line = lines[int(pair.where.rpartition(":")[2]) - 1]
            assert pair.sentence in line


def test_test_examples_stand_nowhere_and_are_reported(done: Path) -> None:
    found = read_prepared(done)
    texts = [
        pair.sentence for which in ("task", "general", "random-spans") for pair in read_pairs(done, which)
    ]
    texts += (done / "held-out.txt").read_text(encoding="utf-8").splitlines()
    for task, counted in zip(TASKS, found.leaks, strict=True):
        assert leak(task) not in texts
        assert counted.found >= 1 and counted.dropped >= 6
        assert any(example[0] == leak(task) for example in counted.examples)
        assert counted.share_found == round(counted.found / counted.triples, 4)


def test_general_sentences_are_apart_from_the_chosen_and_from_those_held_out(done: Path) -> None:
    sets = [{pair.sentence for pair in read_pairs(done, which)} for which in ("task", "general")]
    sets.append(set((done / "held-out.txt").read_text(encoding="utf-8").splitlines()))
    assert [len(found) for found in sets] == [120, 120, 20]
    assert len(set.union(*sets)) == 260


def test_of_equal_sentences_the_first_stays(done: Path, corpus: Path) -> None:
    first = corpus.read_text(encoding="utf-8").splitlines()[0]
    places = [
        p.where
        for w in ("task", "general")
        for p in read_pairs(done, w)
        if p.sentence.casefold() == first.casefold()
    ]
    assert set(places) <= {"text.txt:1"}


def test_three_workers_give_the_same_bytes(done: Path, corpus: Path, tmp_path: Path) -> None:
    prepared(corpus, tmp_path / "out", workers=3)
    assert files(tmp_path / "out") == files(done)
    assert not (tmp_path / "out" / "logs").exists()


@pytest.mark.parametrize(("piece", "part"), [(300, 7), (1 << 20, 100_000)])
def test_the_size_of_pieces_changes_no_pair(
    piece: int, part: int, done: Path, corpus: Path, tmp_path: Path
) -> None:
    prepared(corpus, tmp_path / "out", piece_bytes=piece, part_sentences=part)
    mine, other = read_prepared(tmp_path / "out"), read_prepared(done)
    assert mine.inputs[0].pieces != other.inputs[0].pieces
    assert mine.model_dump(exclude={"inputs"}) == other.model_dump(exclude={"inputs"})
    assert list(read_pairs(tmp_path / "out", "general")) == list(read_pairs(done, "general"))
    ours, others = files(tmp_path / "out"), files(done)
    told = ("prepared.json", "datasheet.md", "datasheet.html")  # they say how many pieces there were
    assert {n: b for n, b in ours.items() if n not in told} == {
        n: b for n, b in others.items() if n not in told
    }


def test_another_seed_gives_other_general_sentences(done: Path, corpus: Path, tmp_path: Path) -> None:
    prepared(corpus, tmp_path / "out", seed=1)
    assert (tmp_path / "out/held-out.txt").read_bytes() != (done / "held-out.txt").read_bytes()


def test_a_finished_preparation_is_not_run_again_and_another_one_is_refused(
    done: Path, corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(done, out)
    seen: list[str] = []
    prepare_config(config(corpus), out, progress=lambda stage, *_: seen.append(stage))
    assert not seen
    with pytest.raises(RunError, match="another configuration"):
        prepared(corpus, out, shots=4)


def test_changed_text_is_prepared_again_and_old_shards_go(corpus: Path, tmp_path: Path) -> None:
    text = tmp_path / "own.txt"
    shutil.copy(corpus, text)
    assert prepared(text, tmp_path / "out").shards == 3
    text.write_text(
        "".join(text.read_text(encoding="utf-8").splitlines(keepends=True)[:30]), encoding="utf-8"
    )
    found = prepared(text, tmp_path / "out")
    assert found.shards == 1
    assert len(list((tmp_path / "out/pairs/task").glob("*.parquet"))) == 1
    assert len(list(read_pairs(tmp_path / "out"))) == found.pairs["task"]


def test_general_sentences_mixed_in_and_no_controls(corpus: Path, tmp_path: Path) -> None:
    found = prepared(corpus, tmp_path / "out", controls=False, select={"general_share": 0.25, "held_out": 0})
    assert found.pairs == {"task": 160}
    assert sum(pair.task == "" for pair in read_pairs(tmp_path / "out")) == 40
    with pytest.raises(DataError, match="no 'general' pairs"):
        list(read_pairs(tmp_path / "out", "general"))


def test_a_sentence_may_serve_several_tasks_when_asked(corpus: Path, tmp_path: Path) -> None:
    found = prepared(
        corpus, tmp_path / "out", tasks=("household/AtLocation", TASKS[0]), shots=30, controls=False,
        select={"shared": True, "phrases": False, "per_task": 400},
    )  # fmt: skip
    texts = [pair.sentence for pair in read_pairs(tmp_path / "out")]
    assert len(set(texts)) < len(texts) == found.pairs["task"]


def test_near_duplicates_are_left_out_unless_that_is_turned_off(corpus: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    line = "The old hammer of my uncle can be used for opening the green door of his house"
    text.write_text(
        f"{line}.\n{line} now.\nThe spoon can be used for eating a warm soup.\n", encoding="utf-8"
    )
    assert prepared(text, tmp_path / "one").steps["near-duplicates"] == 1
    found = prepared(text, tmp_path / "two", select={"near_duplicates": None})
    assert found.steps["near-duplicates"] == 0 and found.pairs["task"] == 3


def test_embeddings_choose_too(corpus: Path, tmp_path: Path) -> None:
    from tests.pipeline.small import save_tiny

    save_tiny(tmp_path / "tiny")
    text = tmp_path / "text.txt"
    text.write_text(
        "".join(corpus.read_text(encoding="utf-8").splitlines(keepends=True)[:80]), encoding="utf-8"
    )
    select = {"retrieval": "embedding", "model": str(tmp_path / "tiny"), "phrases": False}
    found = prepared(text, tmp_path / "one", select=select, controls=False)
    assert sum(task.chosen.get("embedding", 0) for task in found.selection) == found.pairs["task"] > 0
    prepared(text, tmp_path / "two", select=select, controls=False, workers=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_text_that_gives_nothing_is_told(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Short.\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"no sentence of the text was kept \(sentences: 1, too short: 1\)"):
        prepared(text, tmp_path / "one")
    text.write_text("Quantum chromodynamics is about quarks and gluons.\n", encoding="utf-8")
    with pytest.raises(DataError, match="no sentence of the text fits"):
        prepared(text, tmp_path / "two", select={"retrieval": "none"})
    text.write_bytes(b"fine line\nbad \xff\n")
    for workers in (1, 2):
        with pytest.raises(DataError, match=r"text\.txt:2: is not UTF-8"):
            prepared(text, tmp_path / "three", workers=workers)


def test_ctrl_c_is_told_and_the_next_call_goes_on(
    done: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, performed = Bench.perform, []

    def some(bench: Bench, unit: dict) -> dict:
        if len(performed) == 5:
            raise KeyboardInterrupt
        performed.append(unit["name"])
        return real(bench, unit)

    monkeypatch.setattr(Bench, "perform", some)
    with pytest.raises(Interrupted, match="Ctrl-C"):
        prepared(corpus, tmp_path / "out")
    monkeypatch.setattr(Bench, "perform", real)
    seen: list[tuple[str, int, int]] = []
    prepare_config(config(corpus), tmp_path / "out", progress=lambda *told: seen.append(told))
    assert next(done for stage, done, _ in seen if stage == "clean") == 5  # these pieces were done before
    assert files(tmp_path / "out") == files(done)


def test_workers_end_with_the_process_that_started_them(corpus: Path, tmp_path: Path) -> None:
    import psutil

    given = config(corpus, workers=2, piece_bytes=500).model_dump(mode="json")
    (tmp_path / "config.json").write_text(json.dumps(given))
    code = "import sys, json; from mto.prepare import *; prepare_config(PrepareConfig.model_validate(json.load(open(sys.argv[1]))), sys.argv[2])"
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "config.json"), str(tmp_path / "out")], cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
    )  # fmt: skip
    workers: list[psutil.Process] = []
    while len(workers) < 2 and parent.poll() is None:
        workers = psutil.Process(parent.pid).children()
        time.sleep(0.01)
    parent.kill()
    parent.wait()
    assert len(workers) == 2
    assert not psutil.wait_procs(workers, timeout=30)[1]


def test_a_worker_that_dies_is_told_and_the_rest_is_kept(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mto.prepare.engines as engines

    real = engines.Beside._start

    def doomed(self: engines.Beside, number: int) -> engines._Worker:
        worker = real(self, number)
        worker.process.kill()
        return worker

    monkeypatch.setattr(engines.Beside, "_start", doomed)
    with pytest.raises(RunError, match="was killed at clean"):
        prepared(corpus, tmp_path / "out", workers=2)


def test_the_python_form(corpus: Path, tmp_path: Path) -> None:
    import mto

    found = mto.prepare(
        TASKS[0], corpus=corpus, out=tmp_path / "out", shots=8, maker="tests.prepare.fake:KIND", workers=1,
        changes=["select.per_task=10"],
    )  # fmt: skip
    assert found.pairs["task"] == 10 == len(list(mto.read_pairs(tmp_path / "out")))
    assert prepare is mto.prepare.prepare


def test_a_missing_package_is_told_before_the_work(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasketch", None)
    monkeypatch.setattr(Bench, "perform", lambda *_: pytest.fail("the work has begun"))
    with pytest.raises(DataError, match="datasketch"):
        prepared(corpus, tmp_path / "out")
