"""The task classifier (docs/method.md 5): mask-filling or map-phrasal, told from one example, for relations never seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mto.lazy import lazily

if TYPE_CHECKING:
    from mto.match.classifier.ask import classify
    from mto.match.classifier.crossval import Fold, LeaveOneOut, hold_out, leave_one_out, summarise
    from mto.match.classifier.fast import FastClassifier, fast_classifier, train_fast_classifier
    from mto.match.classifier.features import SentenceEncoder
    from mto.match.classifier.labelled import Labelled, held_out_rows, leave_out, training_rows
    from mto.match.classifier.remake import make_coefficients
    from mto.match.classifier.seq2seq import Seq2SeqClassifier, Seq2SeqSettings, train_seq2seq_classifier
    from mto.match.classifier.study import ClassifierStudy, study_classifiers
    from mto.match.classifier.voting import Classified, Classifier, vote

_HOMES = {
    "Classified": "voting",
    "Classifier": "voting",
    "ClassifierStudy": "study",
    "FastClassifier": "fast",
    "Fold": "crossval",
    "Labelled": "labelled",
    "LeaveOneOut": "crossval",
    "SentenceEncoder": "features",
    "Seq2SeqClassifier": "seq2seq",
    "Seq2SeqSettings": "seq2seq",
    "classify": "ask",
    "fast_classifier": "fast",
    "held_out_rows": "labelled",
    "hold_out": "crossval",
    "leave_one_out": "crossval",
    "leave_out": "labelled",
    "make_coefficients": "remake",
    "study_classifiers": "study",
    "summarise": "crossval",
    "train_fast_classifier": "fast",
    "train_seq2seq_classifier": "seq2seq",
    "training_rows": "labelled",
    "vote": "voting",
}

__all__ = [
    "Classified",
    "Classifier",
    "ClassifierStudy",
    "FastClassifier",
    "Fold",
    "Labelled",
    "LeaveOneOut",
    "SentenceEncoder",
    "Seq2SeqClassifier",
    "Seq2SeqSettings",
    "classify",
    "fast_classifier",
    "held_out_rows",
    "hold_out",
    "leave_one_out",
    "leave_out",
    "make_coefficients",
    "study_classifiers",
    "summarise",
    "train_fast_classifier",
    "train_seq2seq_classifier",
    "training_rows",
    "vote",
]


__getattr__ = lazily(__name__, _HOMES)
