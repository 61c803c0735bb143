"""The stages of a whole run: what each depends on, and how it is done.

    match ──► base ─────────────────────────────┐
      │                                          ▼
      └──► pairs ──► adapt-NAME ──► tuned-NAME ─► report

Each method of `Way` is one node: it says what its result depends on, so that it is skipped when none of it has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mto.errors import RunError
from mto.match.config import MatchConfig
from mto.pipeline.config import CompareConfig, slug
from mto.pipeline.whole.aligned import (
    Aligned,
    aligned_by_dev,
    aligned_by_match,
    base_families,
    beside,
    family_for,
    family_ref,
)
from mto.pipeline.whole.asked import Asked
from mto.pipeline.whole.nodes import Done, Nodes, key_of
from mto.pipeline.whole.progress import Comparing, Training, WholeCallback, preparing
from mto.pipeline.whole.systems import MAIN, Unit, adapt_config, count_pairs
from mto.prepare.dedup import check_installed
from mto.runs import RunFolder, read_json
from mto.templates import get_family

if TYPE_CHECKING:
    from mto.match import Match
    from mto.report import Comparison

SETTLED: dict[str, Any] = {"choose": "dev", "matching": MatchConfig(denoiser=False)}
"""Of every comparison within a run: what is aligned was settled before, so nothing is matched there again."""
MATCH, BASE, PAIRS = "match", "base", "pairs"


class Way:
    """One whole run at work.

    Args:
        asked: what it works on.
        nodes: its stages.
    """

    def __init__(self, asked: Asked, nodes: Nodes, told: WholeCallback) -> None:
        self.asked, self.config, self.nodes, self._told = asked, asked.config, nodes, told

    def match(self) -> Done:
        """Match each task on the rows of the first seed."""
        return self.nodes.do(MATCH, match_parts(self.asked), self._match)

    def _match(self, folder: Path) -> dict[str, str]:
        from mto.match.rows import match_rows
        from mto.pipeline.prepare import load
        from mto.pipeline.team import thread_count

        asked, config = self.asked, self.config
        loaded = load(config)
        self._same_weights(loaded.revision)
        files = {}
        for task in asked.tasks:
            self._told.on_event("matching", f"matching {task.name}")
            phrase, split = asked.described[task.name].phrase, asked.splits[task.name]
            settings = config.matching
            if config.families is not None:
                known = {get_family(ref).name for ref in config.families}
                described = asked.described[task.name]
                needed = (*beside(task.kind, phrased=bool(phrase)), family_for("denoising", described))
                also = [name for name in needed if name not in known]
                wanted = [*config.families, *also]
                settings = settings.model_copy(update={"families": tuple(wanted)})
            with thread_count(config.threads):
                found = match_rows(
                    {loaded.ref: loaded}, replace(task, phrases=(phrase,) if phrase else ()), split.train,
                    dev=split.dev, phrase=phrase, config=settings, data_seed=split.seed,
                )  # fmt: skip
            files[task.name] = f"{slug(task.name)}.json"
            found.write(folder / files[task.name])
        return files

    def matches(self, done: Done) -> dict[str, Match]:
        """What matching said of each task."""
        from mto.match import read_match

        return {task: read_match(done.folder / file) for task, file in done.result.items()}

    def aligned(self, matches: Mapping[str, Match]) -> dict[str, Aligned]:
        """The aligned way of each task by matching."""
        return {
            name: aligned_by_match(self.asked.described[name], match, self.config)
            for name, match in matches.items()
        }

    def aligned_by_dev(self, base: Done) -> dict[str, Aligned]:
        """The aligned way of each task where matching cannot be asked."""
        comparison = self.comparison(base.folder)
        return {
            name: aligned_by_dev(task, comparison, self.config) for name, task in self.asked.described.items()
        }

    def base(self, aligned: Mapping[str, Aligned] | None) -> Done:
        """Compare without adaptation."""
        families = base_families(self.config, self.asked.described, aligned)
        config = self.config.comparison(
            families=families, keep="all" if self.config.keep == "all" else "none", title="Without adaptation", **SETTLED,
        )  # fmt: skip
        return self.nodes.do(
            BASE,
            self._compared(config, self.asked.revision),
            lambda folder: self._compare(config, folder, None),
        )

    def pairs(self) -> Done:
        """Prepare the text for all tasks together."""
        from mto.prepare.run import prepare_config

        config = self.asked.prepare_config()

        def work(folder: Path) -> dict[str, Any]:
            prepared = prepare_config(config, folder, progress=preparing(self._told))
            return {"pairs": prepared.pairs, "by_task": dict(count_pairs(folder, self.asked.names))}

        return self.nodes.do(PAIRS, self._pairs_parts(), work)

    def check_packages(self) -> None:
        """Refuse to begin where a package lacks that only a later stage needs.

        Raises:
            DataError: the text is not prepared yet, and near-duplicates cannot be found.
        """
        if self.nodes.known(PAIRS, key_of(PAIRS, self._pairs_parts())) is None:
            check_installed(self.asked.config.prepare.select.near_duplicates)

    def _pairs_parts(self) -> dict[str, Any]:
        return {
            "config": self.asked.prepare_config().fixed(),
            "data": self.asked.data,
            "text": self.asked.pieces,
        }

    def adapted(
        self, unit: Unit, aligned: Mapping[str, Aligned], pairs: Done, matches: Sequence[Path]
    ) -> Done | None:
        """Adapt the checkpoint to the pairs; None where a control has no pairs to read, which `told` is told."""
        from mto.adapt.config import PLACES
        from mto.adapt.inputs import inputs_digest
        from mto.families.load import revision_of
        from mto.pipeline.adapting import run_adaptation
        from mto.pipeline.machine import usable_cores

        config = adapt_config(unit, self.config, aligned, pairs.folder, pairs.result["by_task"], matches)
        if not pairs.result["pairs"].get(config.set):
            self._told.on_event(
                "no-control", f"{unit.name}: the text gives no pairs for it, so it is left out"
            )
            self.nodes.count -= 2
            return None
        parts = {
            "config": config.fixed(PLACES), "revision": self.asked.revision, "inputs": inputs_digest(config),
        }  # fmt: skip

        def work(folder: Path) -> dict[str, Any]:
            result = run_adaptation(
                config, folder, threads=self.config.adapt_threads or usable_cores(),
                callbacks=[Training(self._told)], say=lambda text: self._told.on_event("adapting", text),
            )  # fmt: skip
            self._same_weights(str(RunFolder(folder).config["model"]))
            return {**result.stored(), "set": config.set, "revision": revision_of(folder / "model")}

        return self.nodes.do(f"adapt-{unit.name}", parts, work)

    def tuned(self, unit: Unit, aligned: Mapping[str, Aligned], adapted: Done) -> Done:
        """Tune and score the aligned family of each task on the adapted checkpoint, tasks of one family together."""
        main = unit.kind == MAIN
        keep = self.config.keep if main else "all" if self.config.keep == "all" else "none"
        groups: dict[str, list[str]] = {}
        for task in unit.tasks:
            groups.setdefault(aligned[task].family, []).append(task)
        asked = {
            family: self.config.comparison(
                tasks=tuple(self.asked.refs[task] for task in tasks), families=(family_ref(family, self.config),),
                keep=keep, model=f"{self.config.model}, adapted ({unit.name})", weights=str(adapted.folder / "model"),
                title=f"Adapted ({unit.name}), {family}", **SETTLED,
            )
            for family, tasks in groups.items()
        }  # fmt: skip
        revision = str(adapted.result["revision"])
        parts = [self._compared(config, revision) for config in asked.values()]

        def work(folder: Path) -> dict[str, str]:
            for family, config in asked.items():
                self._compare(config, folder / slug(family), revision)
            return {family: slug(family) for family in asked}

        return self.nodes.do(f"tuned-{unit.name}", {"comparisons": parts}, work)

    def comparison(self, folder: Path) -> Comparison:
        """The results of a comparison that a stage made."""
        from mto.report import read_results

        return read_results(folder)

    def _compared(self, config: CompareConfig, revision: str) -> dict[str, Any]:
        """What the results of a comparison depend on."""
        families = [get_family(ref) for ref in config.families or ()]
        fixed = {k: v for k, v in config.fixed().items() if k not in ("title", "families", "matching")}
        data = {ref: self.asked.data[n] for n, ref in enumerate(self.config.tasks) if ref in config.tasks}
        return {
            "config": fixed, "families": [[f.name, f.source, f.target] for f in families], "revision": revision,
            "data": data, "phrases": [self.asked.described[name].phrase for name in self.asked.names],
        }  # fmt: skip

    def _compare(self, config: CompareConfig, folder: Path, revision: str | None) -> dict[str, str]:
        from mto.pipeline.comparing import compare

        compare(config, out=folder, progress=Comparing(self._told))
        self._same_weights(str(read_json(folder / "inputs.json")["revision"]), revision)
        return {}

    def _same_weights(self, found: str, wanted: str | None = None) -> None:
        """Raise `RunError` where a checkpoint has changed since the run began."""
        if found != (wanted or self.asked.revision):
            raise RunError(
                f"the weights of '{self.config.model}' changed under the run "
                f"({wanted or self.asked.revision} when it began, {found} now)",
                where=str(self.nodes.folder.path),
                hint="run the same command again: what depends on them is done anew, the rest is kept",
            )


def match_parts(asked: Asked) -> dict[str, Any]:
    """What matching depends on."""
    config = asked.config
    return {
        "matching": config.matching.model_dump(mode="json"), "families": config.families,
        "phrases": [asked.described[name].phrase for name in asked.names],
        "splits": [asked.splits[name].digest for name in asked.names],
        "revision": asked.revision, "threads": config.threads,
    }  # fmt: skip
