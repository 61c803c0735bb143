"""Train in child processes that are killed with SIGKILL again and again. Prints what happened as JSON.

Run as ``python -m tests.train.killed FOLDER KILLS SEED``. Children are forked after the imports, so each costs milliseconds.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BartConfig, BartForConditionalGeneration

from mto.train import checkpoints
from mto.train.batches import Batch, collate
from mto.train.config import TrainConfig
from mto.train.loop import train

CONFIG = TrainConfig(
    steps=60, rate=1e-3, warmup=5, decay=20, schedule="wsd", dropout=0.1, precision="bf16", accumulate=2,
    weight_decay=0.01, checkpoint_every=4, keep=2, evaluate_every=10, keep_best=True, reuse_memory=False,
)  # fmt: skip


class RandomSource:
    """Draws every batch from a generator, as a masker does: its position is the generator's state."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(5)

    def __iter__(self) -> RandomSource:
        return self

    def __next__(self) -> Batch:
        rng = self._rng
        lengths = rng.integers(3, 12, 6)
        return collate(
            [(rng.integers(3, 60, n).tolist(), rng.integers(3, 60, n).tolist()) for n in lengths], 0
        )

    def state_dict(self) -> dict[str, Any]:
        return {"generator": self._rng.bit_generator.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._rng.bit_generator.state = state["generator"]


def fresh_model() -> Any:
    torch.manual_seed(0)
    sizes = {"encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    ids = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": None, "decoder_start_token_id": 0}
    return BartForConditionalGeneration(
        BartConfig(vocab_size=60, d_model=16, max_position_embeddings=32, **sizes, **heads, **ids)
    )


def work(folder: Path) -> None:
    """One start of the training, slowed down while it writes checkpoints."""
    fast = checkpoints.save_file

    def slow(tensors: Any, path: Path) -> None:
        fast(tensors, path)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        time.sleep(0.008)
        path.write_bytes(whole)

    checkpoints.save_file = slow
    result = train(
        fresh_model(),
        RandomSource(),
        CONFIG,
        checkpoint_dir=folder,
        evaluate=lambda model, step: {"loss": abs(step - 40.0)},
    )
    (folder / "losses.json").write_text(json.dumps(result.losses))


def start(folder: Path) -> int:
    child = os.fork()
    if child == 0:
        try:
            torch.set_num_threads(1)
            work(folder)
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(f"child failed: {error!r}\n")
            sys.stderr.flush()
            os._exit(3)
    return child


def writing(folder: Path) -> bool:
    return any(folder.glob(".step-*"))


def kill_at_some_moment(folder: Path, rng: np.random.Generator, in_write: bool) -> tuple[bool, bool]:
    """Start, wait, kill. Returns (killed before the end, killed during the writing of a checkpoint)."""
    child, begin = start(folder), time.monotonic()
    wait = float(rng.uniform(0.1, 0.5))
    delay = float(rng.uniform(0.0, 0.02))
    while time.monotonic() - begin < wait or (in_write and not writing(folder)):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, "the child failed by itself"
            return False, False
        time.sleep(0.0005)
    time.sleep(delay if in_write else 0)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True, writing(folder)


def final(folder: Path) -> tuple[dict[str, torch.Tensor], list[float]]:
    checkpoint = checkpoints.read_checkpoint(checkpoints.list_checkpoints(folder)[0])
    assert checkpoint.values["finished"] == "steps"
    return dict(checkpoint.tensors["model"]), json.loads((folder / "losses.json").read_text())


def main(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    calm, rough = folder / "calm", folder / "rough"
    assert os.waitpid(start(calm), 0)[1] == 0
    killed = in_write = 0
    rounds = 0
    while killed < kills:
        hit, half = kill_at_some_moment(rough, rng, in_write=rounds % 2 == 0)
        rounds += 1
        killed, in_write = killed + hit, in_write + half
        if not hit:
            # It finished before all kills were spent: kill a new training for the rest, after checking this one.
            compare(calm, rough)
            rough = folder / f"rough{rounds}"
    assert os.waitpid(start(rough), 0)[1] == 0
    compare(calm, rough)
    return {"killed": killed, "killed_while_writing": in_write, "trainings": 1 + rounds - killed}


def compare(calm: Path, rough: Path) -> None:
    (weights, losses), (others, other_losses) = final(calm), final(rough)
    assert losses == other_losses, "losses differ"
    assert weights.keys() == others.keys()
    assert all(torch.equal(weights[k], others[k]) for k in weights), "weights differ"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))) + "\n")
