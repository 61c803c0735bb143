"""What the study says: gains, regret, distances to fine-tuning, and the authors' notes, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from mto.evaluate.statistics import Gain, Interval, crossed_bootstrap, gain
from mto.prompts.aligned import CONVENTIONAL
from mto.study.matching.regret import Choices, Outcome, RuleResult, always, judge_rule, noise_floor
from mto.study.prompts.results import PromptResults, Scored, matrices
from mto.templates import get_family


class Side(NamedTuple):
    """A row of the comparison of ways to tune: its scores, what it trains and what it keeps."""

    name: str
    cells: list[Scored]

    @property
    def score(self) -> Interval:
        """Mean over tasks."""
        return crossed_bootstrap(matrices(self.cells))


class Note(NamedTuple):
    """A claim, the difference in points that would be above 0 if it held, and what was compared."""

    claim: str
    difference: Interval | None
    compared: str

    @property
    def verdict(self) -> str:
        """``confirmed``, ``refuted`` or ``open``: by whether the interval lies above, below or across 0."""
        if self.difference is None:
            return "not tried"
        if self.difference.low > 0:
            return "confirmed here"
        return "refuted here" if self.difference.high < 0 else "open: the interval holds 0"


def aligned(results: PromptResults, model: str, encoder: str) -> list[Scored]:
    """Cells of the soft family that stands for what matching chose, for each task and seed."""
    return [
        cell
        for cell in results.cells("tasks", model=model, method="prompt", encoder=encoder)
        if cell.family == results.choice(model, cell.task, cell.seed).soft
    ]


def family_gain(results: PromptResults, model: str, encoder: str) -> Gain | None:
    """Of the aligned soft family over PT (docs/method.md 9); None where a family of them is not in the study."""
    plain = results.cells("tasks", model=model, method="prompt", encoder=encoder, family=CONVENTIONAL)
    chosen = aligned(results, model, encoder)
    return gain(matrices(chosen), matrices(plain)) if plain and len(chosen) == len(plain) else None


def adapted(results: PromptResults) -> tuple[str, ...]:
    """Checkpoints that were adapted for the study: those that its configuration does not name."""
    return tuple(model for model in results.revisions if model not in results.config["models"])


def whole_way_gain(results: PromptResults, model: str, encoder: str) -> Gain | None:
    """Of the aligned soft family on an adapted checkpoint over PT on the first one as it is; None where one is missing."""
    first = str(results.config["models"][0])
    plain = results.cells("tasks", model=first, method="prompt", encoder=encoder, family=CONVENTIONAL)
    chosen = aligned(results, model, encoder)
    return gain(matrices(chosen), matrices(plain)) if plain and len(chosen) == len(plain) else None


def sides(results: PromptResults, model: str) -> list[Side]:
    """Ways of tuning one checkpoint, each with the family that matching chose."""
    found = [
        Side(f"soft prompt ({encoder})", aligned(results, model, encoder)) for encoder in encoders(results)
    ]
    for method, name in (("finetune", "fine-tuning"), ("lora", "LoRA")):
        found.append(Side(name, results.cells("tasks", model=model, method=method)))
    return [side for side in found if side.cells]


def encoders(results: PromptResults) -> tuple[str, ...]:
    """Those of the part *tasks*, the one that was best on dev first."""
    return tuple(dict.fromkeys((results.best_encoder, str(results.config["encoder"]))))


def behind(side: Side, reference: Side) -> Gain:
    """How a way of tuning stands to another on the same heads and seeds."""
    return gain(matrices(side.cells), matrices(reference.cells))


def outcomes(results: PromptResults, encoder: str) -> list[Outcome]:
    """All soft families on each task and checkpoint, as the rules of choosing are judged on them."""
    import numpy as np

    found = []
    families = tuple(str(name) for name in results.config["families"])
    for model in results.revisions:
        cells = results.cells("tasks", model=model, method="prompt", encoder=encoder)
        for task in dict.fromkeys(cell.task for cell in cells):
            own = {(c.family, c.seed): c.scores for c in cells if c.task == task}
            seeds = tuple(sorted({seed for _, seed in own}))
            scores = np.array([[own[family, seed] for seed in seeds] for family in families])
            found.append(Outcome(task, model, seeds, families, scores))
    return found


def rules(results: PromptResults, encoder: str) -> list[RuleResult]:
    """Regret of ``--family auto``, of dev data after tuning, and of always the same family, the smallest first; then the noise."""
    judged = outcomes(results, encoder)
    families = [str(name) for name in results.config["families"]]
    auto = {(c.task, c.model, c.seed): c.soft for c in results.chosen}
    found = [judge_rule(f"always {name}", judged, always(judged, name)) for name in families]
    if set(auto.values()) <= set(families):
        found.append(judge_rule("--family auto", judged, auto))
    found.append(judge_rule("dev, after tuning all", judged, _by_dev(results, encoder)))
    found.sort(key=lambda rule: rule.regret.value)
    enough = all(one.scores.shape[2] > 1 for one in judged)
    return [*found, noise_floor(judged)] if enough else found


def _by_dev(results: PromptResults, encoder: str) -> Choices:
    best: dict[tuple[str, str, int], Scored] = {}
    for cell in results.cells("tasks", method="prompt", encoder=encoder):
        at = (cell.task, cell.model, cell.seed)
        if at not in best or cell.dev_nats < best[at].dev_nats:
            best[at] = cell
    return {at: cell.family for at, cell in best.items()}


def notes(results: PromptResults) -> list[Note]:
    """The authors' notes (docs/method.md 4), each as a difference that is above 0 where it holds."""
    return [_rate_note(results), _mask_note(results), _encoder_note(results)]


def _rate_note(results: PromptResults) -> Note:
    """The highest rate minus the lowest: at the fewest shots against the same at the most."""
    cells = results.cells("shots")
    claim = "fewer examples want a higher rate"
    shots, rates = sorted({c.shots for c in cells}), sorted({c.rate for c in cells})
    if len(shots) < 2 or len(rates) < 2:
        return Note(claim, None, "")

    def high_minus_low(n: int) -> list[Scored]:
        return _difference(
            [c for c in cells if (c.shots, c.rate) == (n, rates[-1])],
            [c for c in cells if (c.shots, c.rate) == (n, rates[0])],
        )

    few, many = high_minus_low(shots[0]), high_minus_low(shots[-1])
    said = f"rate {rates[-1]:g} minus {rates[0]:g}, at {shots[0]} shots against {shots[-1]}"
    return Note(claim, _mean_difference(few, many), said)


def _mask_note(results: PromptResults) -> Note:
    """The masked family minus the one without a mask at the fewest shots, each at its best rate on dev."""
    claim, cells = "the masked form wins with few examples", results.cells("shots")
    if not cells:
        return Note(claim, None, "")
    few = min(c.shots for c in cells)
    kept = _at_best_rate([c for c in cells if c.shots == few])
    masked = [c for c in kept if get_family(c.family).objective == "denoising"]
    plain = [c for c in kept if get_family(c.family).objective != "denoising"]
    if not masked or len(masked) != len(plain):
        return Note(claim, None, "")
    return Note(claim, _mean_difference(masked, plain), f"masked minus unmasked at {few} shots")


def _encoder_note(results: PromptResults) -> Note:
    claim = "MLP beats embedding"
    mlp, plain = (results.cells("encoders", encoder=name) for name in ("mlp", "embedding"))
    if not mlp or not plain:
        return Note(claim, None, "")
    shots = results.config["shots"]
    return Note(
        claim, _mean_difference(mlp, plain), f"MLP minus embedding over all families at {shots} shots"
    )


def _at_best_rate(cells: Sequence[Scored]) -> list[Scored]:
    """The cells at the rate whose dev answers are likeliest on average: one rate for each family."""
    found = []
    for family in dict.fromkeys(c.family for c in cells):
        nats: dict[float, float] = {}
        for cell in cells:
            if cell.family == family:
                nats[cell.rate] = nats.get(cell.rate, 0.0) + cell.dev_nats
        best = min(nats, key=nats.__getitem__)
        found += [c for c in cells if (c.family, c.rate) == (family, best)]
    return found


def _difference(left: Sequence[Scored], right: Sequence[Scored]) -> list[Scored]:
    """Cells of `left` with the scores of `right` taken off; both have the same families, tasks and seeds."""
    key: Callable[[Scored], tuple[str, str, int]] = lambda c: (c.family, c.task, c.seed)  # noqa: E731
    other = {key(c): c for c in right}
    return [
        c.model_copy(
            update={"scores": tuple(a - b for a, b in zip(c.scores, other[key(c)].scores, strict=True))}
        )
        for c in left
    ]


def _mean_difference(left: Iterable[Scored], right: Iterable[Scored]) -> Interval:
    """Mean difference with its interval: means over families of each task, seed and head; heads and seeds are resampled."""
    import numpy as np

    def means(cells: Iterable[Scored]) -> dict[str, dict[int, np.ndarray]]:
        found: dict[str, dict[int, list[tuple[float, ...]]]] = {}
        for cell in cells:
            found.setdefault(cell.task, {}).setdefault(cell.seed, []).append(cell.scores)
        return {
            task: {seed: np.mean(several, axis=0) for seed, several in of.items()}
            for task, of in found.items()
        }

    a, b = means(left), means(right)
    # A head may differ between shots only in its training rows, never in itself: test heads are drawn by their own seed.
    return crossed_bootstrap([np.array([a[t][s] - b[t][s] for s in sorted(a[t])]) for t in sorted(a)])
