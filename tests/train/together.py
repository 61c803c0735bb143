"""Train a tiny model in one of several processes. Run as ``python -m tests.train.together FOLDER STEPS ACCUMULATE [SIGNAL_AT]``."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from mto.errors import Interrupted
from mto.train.batches import PairSource
from mto.train.callbacks import Callback
from mto.train.config import TrainConfig
from mto.train.loop import train
from tests.train.tiny import Bag, bag_loss, pairs


class SignalParent(Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, progress: Any) -> None:
        if progress.step == self.step:
            os.kill(os.getppid(), signal.SIGTERM)


def main(folder: Path, steps: int, accumulate: int, signal_at: int) -> int:
    torch.set_num_threads(1)
    rank = os.environ.get("RANK", "0")
    config = TrainConfig(
        steps=steps,
        rate=1e-3,
        accumulate=accumulate,
        precision="fp32",
        report_every=1,
        checkpoint_every=2,
        dropout=0.0,
    )
    source = PairSource(pairs(40), pad_id=0, seed=3, rows=4)
    model = Bag()
    try:
        result = train(
            model,
            source,
            config,
            checkpoint_dir=folder / "checkpoints",
            callbacks=[SignalParent(signal_at)],
            loss=bag_loss,
        )
    except Interrupted:
        return 7
    weights = {k: v.double().sum().item() for k, v in model.state_dict().items()}
    report = {
        "losses": result.losses,
        "tokens": result.tokens,
        "weights": weights,
        "resumed_at": result.resumed_at,
    }
    (folder / f"rank{rank}.json").write_text(json.dumps(report))
    return 0


if __name__ == "__main__":
    folder, *numbers = sys.argv[1:]
    steps, accumulate, signal_at = [*map(int, numbers), -1][:3]
    sys.exit(main(Path(folder), steps, accumulate, signal_at))
