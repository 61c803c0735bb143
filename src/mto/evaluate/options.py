"""What a family did with the options of each question: what it wrote, how it ranked them, and measures over all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mto.errors import DataError
from mto.evaluate.nats import RANKINGS, OptionNats

READ = "read"
"""Beside the rankings: the option that was written."""
WRITTEN = ("near", "no_option")
"""Measures of answers that were asked to be an option."""
BINS = 10


@dataclass(frozen=True)
class Options:
    """The options of n questions.

    Attributes:
        names: of each question's options, as a reader knows them: choices, or labels.
        right: number of the right one.
        written: number of the one that was written, or None where the answer was no option.
        near: whether an answer that was no option resembled the right one.
        nats: how likely each option is.
    """

    names: tuple[tuple[str, ...], ...]
    right: tuple[int, ...]
    written: tuple[int | None, ...]
    near: tuple[bool, ...]
    nats: tuple[OptionNats, ...]

    def __len__(self) -> int:
        return len(self.right)

    def picks(self, by: str) -> list[str]:
        """The name of the option that was taken, for each question; empty where the answer was none.

        Args:
            by: ``read``, or a ranking.
        """
        numbers = self.written if by == READ else [nats.best(by) for nats in self.nats]
        return ["" if n is None else names[n] for n, names in zip(numbers, self.names, strict=True)]

    def measures(self, ranking: str = "sum") -> dict[str, float]:
        """Measures over all questions, in percent: ``near`` misses, answers that are ``no_option``, ``ece``, and where all
        questions have the same options ``macro_f1`` of the ranking and ``written_f1`` of what was written.

        Args:
            ranking: whose ``ece`` and ``macro_f1``; see `RANKINGS`.
        """
        if not len(self):
            raise DataError("there are no questions to measure")
        found = {
            "near": 100 * float(np.mean(self.near)),
            "no_option": 100 * float(np.mean([n is None for n in self.written])),
            "ece": self.calibration_error(ranking),
        }
        if len(set(self.names)) == 1:
            right = [names[n] for names, n in zip(self.names, self.right, strict=True)]
            found["macro_f1"] = macro_f1(self.picks(ranking), right)
            found["written_f1"] = macro_f1(self.picks(READ), right)
        return found

    def calibration_error(self, ranking: str = "sum") -> float:
        """Expected calibration error of a ranking, in percent: over ten equal bins of the first option's probability,
        the mean difference between it and the share of right ones, weighted by the bins' sizes."""
        chance = np.array([nats.probabilities(ranking).max() for nats in self.nats])
        hit = np.array(
            [nats.best(ranking) == right for nats, right in zip(self.nats, self.right, strict=True)]
        )
        bins = np.minimum((chance * BINS).astype(int), BINS - 1)
        error = sum(abs(chance[bins == b].sum() - hit[bins == b].sum()) for b in np.unique(bins))
        return 100 * float(error) / len(self)

    def joined(self, other: Options) -> Options:
        """These questions and then the others."""
        return Options(*(getattr(self, f) + getattr(other, f) for f in self.__dataclass_fields__))

    def taken(self, order: Sequence[int]) -> Options:
        """The questions with these numbers."""
        return Options(*(tuple(getattr(self, f)[n] for n in order) for f in self.__dataclass_fields__))

    def to_json(self) -> dict[str, Any]:
        """JSON-able, for `from_json`."""
        nats = {by: [getattr(one, by) for one in self.nats] for by in ("sum", "token", "byte", "prior")}
        return {
            "names": [list(names) for names in self.names],
            "right": list(self.right),
            "written": list(self.written),
            "near": list(self.near),
            "nats": nats,
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Options:
        """What `to_json` wrote."""
        columns = (value["nats"][by] for by in ("sum", "token", "byte", "prior"))
        return Options(
            tuple(map(tuple, value["names"])),
            tuple(value["right"]),
            tuple(value["written"]),
            tuple(value["near"]),
            tuple(
                OptionNats(*(None if part is None else tuple(part) for part in row))  # type: ignore[arg-type]
                for row in zip(*columns, strict=True)
            ),
        )


def macro_f1(predictions: Sequence[str], right: Sequence[str]) -> float:
    """Mean F1 of the labels that are right or predicted somewhere, in percent: scikit-learn's, over these labels.

    An empty prediction (an answer that is no label) is no class of its own. It is a miss of the right label.

    >>> round(macro_f1(["a", "a", "c", "b"], ["a", "b", "b", "b"]), 2)  # F1 of a 2/3, of b 1/2, of c 0
    38.89
    >>> round(macro_f1(["a", "a", "", "b"], ["a", "b", "b", "b"]), 2)
    58.33
    """
    scores = []
    for label in sorted({*right, *predictions} - {""}):
        hits = sum(p == label and r == label for p, r in zip(predictions, right, strict=True))
        total = list(predictions).count(label) + list(right).count(label)
        scores.append(2 * hits / total)
    return 100 * float(np.mean(scores))


__all__ = ["RANKINGS", "READ", "WRITTEN", "Options", "macro_f1"]
