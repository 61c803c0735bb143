"""The fast task classifier: encoder states and plain shape of an example, weighed by logistic regression."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from mto.errors import DataError
from mto.families import LoadedModel
from mto.match.classifier.coefficients import shipped
from mto.match.classifier.features import Features, Floats, SentenceEncoder, features, shape_features
from mto.match.classifier.labelled import Labelled, check_labelled, leave_out, meaning, training_rows
from mto.match.classifier.logistic import PENALTIES, Logistic, fit_logistic
from mto.tasks import Row

BLOCKS = ("head", "tail", "difference", "shape")


@dataclass(frozen=True, eq=False)
class FastClassifier:
    """Says mask-filling or map-phrasal of one example, in milliseconds.

    Attributes:
        encoder: reads head and tail; None where only the shape counts.
        logistic: the weights.
        trained_on: in words.
    """

    encoder: SentenceEncoder | None
    logistic: Logistic
    trained_on: str

    @property
    def name(self) -> str:
        """Such as ``fast (household), encoder e013b0f84ec71739``."""
        revision = "none" if self.encoder is None else self.encoder.loaded.revision
        return f"fast ({self.trained_on}), encoder {revision}"

    def predict(self, rows: Sequence[Row], *, phrase: str | None = None) -> Floats:
        """Probability of mask-filling of each row ``[n]``. The phrase is not read.

        Raises:
            DataError: no rows.
        """
        if not rows:
            raise DataError("there are no rows to classify", hint="give the few-shot rows of the task")
        return np.exp(-np.logaddexp(0.0, -self.logistic.log_odds(_features(self.encoder, rows))))


def train_fast_classifier(
    encoder: SentenceEncoder | None,
    labelled: Sequence[Labelled],
    *,
    blocks: Sequence[str] | None = None,
    penalties: Sequence[float] = PENALTIES,
    trained_on: str = "",
) -> FastClassifier:
    """Fit the fast classifier to relations whose type is known.

    Args:
        encoder: keeps the states of texts, so that fits on other parts of the same rows are quick; None: shape alone.
        labelled: the relations.
        blocks: which features to read; see `features`.
        penalties: more than one: chosen by leaving each relation out.
        trained_on: for the name; default: the names of the data sets.

    Raises:
        DataError: see `check_labelled`; or there are no features of such a name.
    """
    check_labelled(labelled)
    able = BLOCKS if encoder is not None else ("shape",)
    chosen = able if blocks is None else tuple(blocks)
    unknown = next((name for name in chosen if name not in able), None)
    if unknown is not None or not chosen:
        raise DataError(f"no features are named '{unknown}'", hint=f"choose from {', '.join(able)}")
    rows = [row for one in labelled for row in one.rows]
    types = np.array([one.mask_filling for one in labelled for _ in one.rows])
    names = [one.meaning for one in labelled for _ in one.rows]
    logistic = fit_logistic(_features(encoder, rows), types, names, blocks=chosen, penalties=penalties)
    sets = dict.fromkeys(one.relation.rsplit("/", 1)[0] for one in labelled)
    return FastClassifier(encoder, logistic, trained_on or " and ".join(sets))


def fast_classifier(loaded: LoadedModel, *, without: Collection[str] = ()) -> FastClassifier:
    """The fast classifier for a checkpoint.

    Coefficients belong to one encoder. For an embedded checkpoint they come with the package, fitted to `household` and
    to training rows of ATOMIC-2020. For any other checkpoint, and without two relations or more, it is fitted here
    to `household`: some seconds for the first time, none after that as long as `loaded` lives. `name` says which it is.

    Args:
        loaded: its encoder reads the examples, with the weights that it holds now.
        without: relations whose rows must not have been seen, such as the one that is judged
            (``atomic2020/ObjectUse``); relations of the same name in other data sets are left out too.
    """
    names = frozenset(meaning(name) for name in without)
    stored = shipped(loaded.revision, names)
    if stored is not None:
        return FastClassifier(SentenceEncoder(loaded), stored.logistic, stored.trained_on)
    known = _FITTED.setdefault(loaded, {})
    if names not in known:
        known[names] = _fit_household(loaded, names)
    logistic, trained_on = known[names]
    return FastClassifier(SentenceEncoder(loaded), logistic, trained_on)


# Fits of this process, dropped with the checkpoint that they belong to: they hold no reference to it.
_FITTED: WeakKeyDictionary[LoadedModel, dict[frozenset[str], tuple[Logistic, str]]] = WeakKeyDictionary()


def _fit_household(loaded: LoadedModel, names: frozenset[str]) -> tuple[Logistic, str]:
    rows = leave_out(training_rows(), names)
    left_out = len(rows) < len(training_rows())
    trained_on = "household" + (f" without {', '.join(sorted(names))}" if left_out else "")
    fitted = train_fast_classifier(SentenceEncoder(loaded), rows, trained_on=trained_on)
    return fitted.logistic, trained_on


def _features(encoder: SentenceEncoder | None, rows: Sequence[Row]) -> Features:
    return features(encoder, rows) if encoder is not None else Features({"shape": shape_features(rows)})
