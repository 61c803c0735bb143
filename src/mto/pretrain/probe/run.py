"""Running the probe on a checkpoint, once as denoising and once as LM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mto.evaluate.likelihood import rank
from mto.families import Adapter, LoadedModel, MaskPart, TextPart
from mto.pretrain.probe.facts import MARK, Fact, candidates, load_facts

CANDIDATES = 20
# Sums favour short candidates; nats a token is the reported normalisation (the sum without EOS stands beside it).
BY = "token"


@dataclass(frozen=True)
class ProbeResult:
    """Accuracy and mean reciprocal rank among `CANDIDATES` answers (chance: 5 % and 18 %), in percent.

    Attributes:
        values: ``denoising``, ``lm`` (accuracy), ``denoising mrr``, ``lm mrr``, and ``denoising KIND`` by kind of
            fact. For LM only facts whose hole stands at the end count.
        facts: how many facts were asked.
    """

    values: dict[str, float]
    facts: int


def run_probe(
    loaded: LoadedModel, facts: Sequence[Fact] | None = None, *, precision: str = "fp32"
) -> ProbeResult:
    """Rank the answer of each fact among plausible others by likelihood.

    As denoising, the hole is a mask in the sentence. As LM, the source is the text before the hole and the target
    the answer.
    """
    facts = tuple(facts if facts is not None else load_facts())
    rows = candidates(facts, count=CANDIDATES)
    adapter = loaded.adapter
    places = _places(
        loaded,
        [_masked(adapter, f.text) for f in facts],
        [[_target(adapter, c, True) for c in row] for row in rows],
        precision,
    )
    values = _scores("denoising", places)
    for kind in sorted({f.kind for f in facts}):
        values[f"denoising {kind}"] = 100 * float(
            np.mean([p == 0 for p, f in zip(places, facts, strict=True) if f.kind == kind])
        )
    last = [n for n, f in enumerate(facts) if not f.text.partition(MARK)[2].strip(" .")]
    if last:
        prefixes = [
            adapter.build_source([TextPart(tuple(adapter.encode(facts[n].text.partition(MARK)[0].strip())))])
            for n in last
        ]
        targets = [[_target(adapter, c, False) for c in rows[n]] for n in last]
        values |= _scores("lm", _places(loaded, prefixes, targets, precision))
    return ProbeResult(values, len(facts))


def _masked(adapter: Adapter, text: str) -> list[int]:
    before, _, after = text.partition(MARK)
    sides = [TextPart(tuple(adapter.encode(side.strip()))) for side in (before, after)]
    return adapter.build_source([sides[0], MaskPart(0), sides[1]])


def _target(adapter: Adapter, answer: str, masked: bool) -> list[int]:
    text = TextPart(tuple(adapter.encode(answer)))
    return adapter.build_target([MaskPart(0), text] if masked else [text])


def _places(
    loaded: LoadedModel, sources: list[list[int]], targets: list[list[list[int]]], precision: str
) -> list[int]:
    return [r.place(0, by=BY) for r in rank(loaded, sources, targets, include_eos=False, precision=precision)]


def _scores(name: str, places: Sequence[int]) -> dict[str, float]:
    found = np.asarray(places)
    return {name: 100 * float((found == 0).mean()), f"{name} mrr": 100 * float((1 / (found + 1)).mean())}
