"""Running the probe on a checkpoint, once as denoising and once as LM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mto.evaluate.likelihood import rank
from mto.families import Adapter, LoadedModel, MaskPart, TextPart
from mto.pretrain.probe.facts import MARK, Fact, candidates, load_facts

CANDIDATES = 20
# The hole without a sentence: an answer's likelihood there says how common it is, not that it fits.
EMPTY = "it is {mask} ."


@dataclass(frozen=True)
class ProbeResult:
    """Accuracy and mean reciprocal rank among `CANDIDATES` answers (chance: 5 % and 18 %), in percent.

    Answers are ranked by how much likelier the sentence makes them: nats in the sentence minus nats in an empty
    frame (Holtzman et al. 2021, "Surface form competition"), because plain likelihood favours frequent words.

    Attributes:
        values: ``denoising``, ``lm`` (accuracy), ``denoising mrr``, ``lm mrr``, ``denoising plain`` (nats a token, no
            empty frame), and ``denoising KIND`` by kind of fact. For LM only facts with the hole at the end count.
        facts: how many facts were asked.
    """

    values: dict[str, float]
    facts: int


def run_probe(
    loaded: LoadedModel, facts: Sequence[Fact] | None = None, *, precision: str = "fp32"
) -> ProbeResult:
    """Rank the answer of each fact among plausible others.

    As denoising, the hole is a mask in the sentence. As LM, the source is the text before the hole and the target
    the answer.
    """
    facts = tuple(facts if facts is not None else load_facts())
    rows = candidates(facts, count=CANDIDATES)
    places, plain = _places(loaded, [f.text for f in facts], rows, True, precision)
    values = _scores("denoising", places) | {"denoising plain": _share(plain)}
    for kind in sorted({f.kind for f in facts}):
        values[f"denoising {kind}"] = _share(places[[f.kind == kind for f in facts]])
    last = [n for n, f in enumerate(facts) if not f.text.partition(MARK)[2].strip(" .")]
    if last:
        ends, _ = _places(loaded, [facts[n].text for n in last], [rows[n] for n in last], False, precision)
        values |= _scores("lm", ends)
    return ProbeResult(values, len(facts))


def _places(
    loaded: LoadedModel, texts: Sequence[str], rows: Sequence[Sequence[str]], masked: bool, precision: str
) -> tuple[np.ndarray, np.ndarray]:
    """Places of the first candidate of each row (0 is best): against the empty frame, and by nats a token."""
    adapter = loaded.adapter
    write = _masked if masked else _prefix
    words = sorted({candidate for row in rows for candidate in row})
    sources = [write(adapter, text) for text in (*texts, EMPTY)]
    targets = [[_target(adapter, c, masked) for c in row] for row in (*rows, words)]
    *inside, frame = rank(loaded, sources, targets, include_eos=False, precision=precision)
    base = dict(zip(words, frame.scores.nll, strict=True))
    gains = [r.scores.nll - np.array([base[c] for c in row]) for r, row in zip(inside, rows, strict=True)]
    return _first(gains), _first([r.scores.per_token for r in inside])


def _first(costs: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([int((row < row[0]).sum()) for row in costs])


def _masked(adapter: Adapter, text: str) -> list[int]:
    before, _, after = text.partition(MARK)
    sides = [TextPart(tuple(adapter.encode(side.strip()))) for side in (before, after)]
    return adapter.build_source([sides[0], MaskPart(0), sides[1]])


def _prefix(adapter: Adapter, text: str) -> list[int]:
    return adapter.build_source([TextPart(tuple(adapter.encode(text.partition(MARK)[0].strip())))])


def _target(adapter: Adapter, answer: str, masked: bool) -> list[int]:
    text = TextPart(tuple(adapter.encode(answer)))
    return adapter.build_target([MaskPart(0), text] if masked else [text])


def _scores(name: str, places: np.ndarray) -> dict[str, float]:
    return {name: _share(places), f"{name} mrr": 100 * float((1 / (places + 1)).mean())}


def _share(places: np.ndarray) -> float:
    return 100 * float((places == 0).mean())
