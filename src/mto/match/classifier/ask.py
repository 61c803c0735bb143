"""`classify`: the task classifier as a signal of matching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mto.errors import DataError, UnknownNameError
from mto.families import LoadedModel, load_model
from mto.match.classifier.fast import fast_classifier
from mto.match.classifier.labelled import meaning
from mto.match.classifier.voting import Classified, Classifier, vote
from mto.registry import suggest
from mto.tasks import Row


def classify(
    rows: Sequence[Row],
    *,
    loaded: LoadedModel | None = None,
    classifier: Classifier | Literal["fast"] = "fast",
    phrase: str | None = None,
    relation: str | None = None,
    seed: int = 0,
) -> Classified:
    """Say of a task's labelled rows whether they are mask-filling or map-phrasal (docs/method.md 5).

    Args:
        rows: few-shot and dev rows; one is enough for an answer, but not for a narrow interval.
        loaded: whose encoder the fast classifier reads with (None: the embedded ``mini``); see `fast_classifier` for
            what happens with a checkpoint that the package has no coefficients for. Other classifiers bring their own.
        classifier: ``fast``, or one that was trained, such as `train_seq2seq_classifier` gives.
        phrase: the task's natural phrase, for a classifier that was trained with phrases.
        relation: the task's name, such as ``atomic2020/ObjectUse``: the classifier must not have seen a relation of that
            name. The fast one then uses coefficients that were fitted without it.
        seed: of the bootstrap.

    Raises:
        DataError: no rows, or the classifier was trained on this relation.
        UnknownNameError: no classifier has this name.

    >>> from mto.tasks import draw_split, load_task
    >>> split = draw_split(load_task("household/HasProperty"), shots=8, seed=0)
    >>> classify(split.train, relation="household/HasProperty").lean.towards
    'mask-filling'
    """
    if isinstance(classifier, str):
        if classifier != "fast":
            raise UnknownNameError(
                f"no task classifier is named '{classifier}'",
                hint=suggest(classifier, ["fast"]) + "; a trained one is given as it is",
            )
        if not rows:
            raise DataError("there are no rows to classify", hint="give the few-shot rows of the task")
        chosen: Classifier = fast_classifier(
            loaded or load_model("mini"), without=() if relation is None else (relation,)
        )
    else:
        chosen = classifier
        seen = {meaning(name) for name in getattr(classifier, "relations", ())}
        if relation is not None and meaning(relation) in seen:
            raise DataError(
                f"this classifier was trained on rows of '{meaning(relation)}'",
                hint="train one without them: leave_out(labelled, [relation])",
            )
    return vote(rows, chosen.predict(rows, phrase=phrase), chosen.name, seed=seed)
