"""From evidence to a decision: which family, how sure, and what to do when it is too close to call."""

from __future__ import annotations

import numpy as np

from mto.config import Strict
from mto.match.decision.evidence import TaskEvidence
from mto.match.decision.weights import Weights
from mto.match.evidence import Span

CLEAR = 0.8
"""A family is called better when it is so in at least this share of draws."""
WORTH = 0.01
"""A difference in expected score under this share of the mean score is worth less than a shorter example."""
_DRAWS = 4096
"""Least number of draws of what the evidence does not explain: shares of draws are then known to about 1 %."""


class FamilyForecast(Strict):
    """What is expected of one family.

    Attributes:
        expected: score above or below the mean of the families, in percent of that mean, with its 80 % interval.
        best: probability that no other family scores higher.
        cost: mean ids of an example.
    """

    family: str
    expected: Span
    best: float
    cost: float


class Decision(Strict):
    """The choice among families.

    Attributes:
        family: what is recommended.
        forecasts: all families, the best expected first.
        close: families that cannot be told from the best expected one; with more than one it is too close to call, and of those
            that are expected within 1 % of the best the cheapest is recommended.
        confidence: probability that the recommended family is the best or as good as the best within 1 % of the mean score.
        says: in words.
    """

    family: str
    forecasts: tuple[FamilyForecast, ...]
    close: tuple[str, ...]
    confidence: float
    says: str

    @property
    def too_close(self) -> bool:
        """Whether more than one family could be the best."""
        return len(self.close) > 1


def decide(evidence: TaskEvidence, weights: Weights, *, seed: int = 0) -> Decision:
    """Choose a template family.

    The expected relative score of each family comes from the weights; its doubt from resampled weights and from the part of the
    score that evidence does not explain. A family is *close* to the best expected one when it beats it in more than 20 % of draws.
    Among close families whose expected score is within 1 % of the mean of the best one's, the cheapest (fewest ids an example) is
    recommended. Doubt alone does not make a family that is expected to be worse the better buy: a few ids cost next to nothing.

    With one family there is nothing to choose: it is recommended with confidence 1.
    """
    families = evidence.families
    expected = weights.predict(evidence)
    if len(families) == 1:
        only = families[0]
        forecast = FamilyForecast(
            family=only.family, expected=Span(value=0.0, low=0.0, high=0.0), best=1.0, cost=only.cost
        )
        return Decision(
            family=only.family, forecasts=(forecast,), close=(only.family,), confidence=1.0,
            says=f"{only.family} is the only family that can be written",
        )  # fmt: skip
    rng = np.random.default_rng([seed, 23])
    resampled = weights.sample(evidence)
    sampled = np.repeat(resampled, -(-_DRAWS // len(resampled)), axis=0)
    sampled = sampled + rng.normal(0.0, weights.noise, size=sampled.shape)
    order = np.argsort(-expected, kind="stable")
    top = int(order[0])
    share_best = np.bincount(sampled.argmax(1), minlength=len(families)) / len(sampled)
    close = [i for i in order.tolist() if i == top or (sampled[:, i] > sampled[:, top]).mean() > 1 - CLEAR]
    as_good = [i for i in close if expected[i] >= expected[top] - WORTH]
    chosen = min(as_good, key=lambda i: (families[i].cost, -expected[i]))
    low, high = np.quantile(sampled, [0.1, 0.9], axis=0)
    forecasts = tuple(
        FamilyForecast(
            family=families[i].family,
            expected=Span(value=100 * float(expected[i]), low=100 * float(low[i]), high=100 * float(high[i])),
            best=float(share_best[i]),
            cost=families[i].cost,
        )
        for i in order.tolist()
    )
    confidence = float((sampled[:, chosen] >= sampled.max(1) - WORTH).mean())
    names = tuple(families[i].family for i in close)
    return Decision(
        family=families[chosen].family,
        forecasts=forecasts,
        close=names,
        confidence=confidence,
        says=_words(names, families[chosen].family, forecasts, confidence),
    )


def _words(
    close: tuple[str, ...], chosen: str, forecasts: tuple[FamilyForecast, ...], confidence: float
) -> str:
    lead = next(f for f in forecasts if f.family == chosen)
    if len(close) == 1:
        return (
            f"{chosen}: expected {lead.expected.value:+.0f} % against the mean of the families, "
            f"best with probability {confidence:.0%}"
        )
    others = ", ".join(name for name in close if name != chosen)
    if chosen == forecasts[0].family:
        return f"too close to call between {chosen} and {others}; {chosen} is expected a little ahead ({lead.expected.value:+.0f} % of the mean score)"
    return f"too close to call between {chosen} and {others}; {chosen} is expected as good as the best and is cheaper ({lead.cost:.0f} ids an example)"
