"""One training loop for every kind of training, with its checkpoints, schedules, optimisers and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mto.lazy import lazily

if TYPE_CHECKING:
    from mto.train.batches import Batch, BatchSource, PairSource, collate
    from mto.train.callbacks import Callback
    from mto.train.config import TrainConfig
    from mto.train.loop import train
    from mto.train.loss import seq2seq_loss
    from mto.train.precision import Precision, choose_precision
    from mto.train.result import Evaluation, TrainResult

_HOMES = {
    "Batch": "batches",
    "BatchSource": "batches",
    "Callback": "callbacks",
    "Evaluation": "result",
    "PairSource": "batches",
    "Precision": "precision",
    "TrainConfig": "config",
    "TrainResult": "result",
    "choose_precision": "precision",
    "collate": "batches",
    "seq2seq_loss": "loss",
    "train": "loop",
}

__all__ = [
    "Batch",
    "BatchSource",
    "Callback",
    "Evaluation",
    "PairSource",
    "Precision",
    "TrainConfig",
    "TrainResult",
    "choose_precision",
    "collate",
    "seq2seq_loss",
    "train",
]


__getattr__ = lazily(__name__, _HOMES)
