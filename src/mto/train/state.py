"""What a training knows about itself, and how that goes into a checkpoint and comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from mto.errors import TrainingError
from mto.train.batches import BatchSource
from mto.train.checkpoints import (
    Checkpoint,
    clear_leftovers,
    latest_checkpoint,
    load_model_tensors,
    model_tensors,
    write_checkpoint,
)
from mto.train.config import TrainConfig
from mto.train.optimizers import Optimizers
from mto.train.precision import Precision
from mto.train.processes import Processes
from mto.train.result import Evaluation
from mto.train.scaling import LossScale

# Settings that may not change between a checkpoint and its resume: the result would belong to neither.
_FIXED = ("optimizer", "scale_by_rms", "accumulate", "seed")


@dataclass
class TrainState:
    """Progress so far. `tokens` counts source and target tokens of all processes."""

    step: int = 0
    losses: list[float] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    tokens: tuple[int, int] = (0, 0)
    best: Evaluation | None = None
    best_weights: dict[str, Tensor] | None = None
    finished: str | None = None


class Saver:
    """Writes and reads the checkpoints of one training; with several processes, the main one writes for all."""

    def __init__(
        self, folder: Path, model: nn.Module, source: BatchSource, config: TrainConfig, processes: Processes
    ) -> None:
        self.folder, self.model, self.source, self.config, self.processes = (
            folder,
            model,
            source,
            config,
            processes,
        )

    def latest(self, resume: bool, warn: Callable[[str], None]) -> Checkpoint | None:
        """Clear what a killed process left, and read the newest good checkpoint (None without `resume`)."""
        if self.processes.is_main:
            self.folder.mkdir(parents=True, exist_ok=True)
            clear_leftovers(self.folder)
        self.processes.wait()
        return latest_checkpoint(self.folder, warn) if resume else None

    def save(
        self, state: TrainState, optimizers: Optimizers, scale: LossScale, precision: Precision
    ) -> Path | None:
        """Write a checkpoint; its path on the main process. Raises `RunError` when the disk is full."""
        device = self.processes.device
        streams = {"torch": torch.get_rng_state().tolist()}
        if device.type == "cuda":
            streams["cuda"] = torch.cuda.get_rng_state(device).tolist()
        ranks = self.processes.gather({"source": self.source.state_dict(), "streams": streams})
        path = None
        if self.processes.is_main:
            optimizer, plain = optimizers.state()
            history = {"losses": torch.tensor(state.losses, dtype=torch.float64)}
            for rank, of_rank in enumerate(ranks):
                for name, stream in of_rank.pop("streams").items():
                    history[f"{rank}.{name}"] = torch.tensor(stream, dtype=torch.uint8)
            tensors = {"model": model_tensors(self.model), "optimizer": optimizer, "streams": history}
            if state.best_weights is not None:
                tensors["best"] = state.best_weights
            values = {
                "config": self.config.model_dump(mode="json"),
                "precision": precision.name,
                "threads": torch.get_num_threads(),
                "optimizer": plain,
                "loss_scale": [scale.value, scale.good],
                "ranks": ranks,
                "tokens": state.tokens,
                "evaluations": [{"step": e.step, "values": dict(e.values)} for e in state.evaluations],
                "best": state.best.step if state.best else None,
                "finished": state.finished,
            }
            path = write_checkpoint(
                self.folder, Checkpoint(state.step, tensors, values), keep=self.config.keep
            )
        self.processes.wait()
        return path

    def restore(self, stored: Checkpoint, optimizers: Optimizers, scale: LossScale) -> TrainState:
        """Put model, optimiser, source and random streams back, and give the progress.

        Raises:
            TrainingError: the checkpoint belongs to another model or to other settings.
        """
        where, values = str(self.folder), stored.values
        self._check(values["config"], len(values["ranks"]))
        load_model_tensors(self.model, stored.tensors["model"], where)
        optimizers.load_state(dict(stored.tensors["optimizer"]), dict(values["optimizer"]))
        scale.value, scale.good = values.get("loss_scale", (scale.value, scale.good))
        streams, rank, device = stored.tensors["streams"], self.processes.rank, self.processes.device
        self.source.load_state_dict(values["ranks"][rank]["source"])
        torch.set_rng_state(streams[f"{rank}.torch"])
        if f"{rank}.cuda" in streams and device.type == "cuda":
            torch.cuda.set_rng_state(streams[f"{rank}.cuda"], device)
        evaluations = [Evaluation(e["step"], e["values"]) for e in values["evaluations"]]
        # A longer budget than last time goes on where it ended.
        longer = values["finished"] == "steps" and stored.step < self.config.steps
        return TrainState(
            step=stored.step,
            losses=streams["losses"].tolist(),
            evaluations=evaluations,
            tokens=(values["tokens"][0], values["tokens"][1]),
            best=next((e for e in evaluations if e.step == values["best"]), None),
            best_weights=dict(stored.tensors["best"]) if "best" in stored.tensors else None,
            finished=None if longer else values["finished"],
        )

    def changes(self, stored: Checkpoint) -> list[str]:
        """Names of settings that differ from those of the checkpoint."""
        then, now = stored.values["config"], self.config.model_dump(mode="json")
        return [name for name in now if name in then and then[name] != now[name]]

    def _check(self, then: dict[str, object], world: int) -> None:
        now = self.config.model_dump(mode="json")
        differ = [f"{k}: {then[k]} then, {now[k]} now" for k in _FIXED if k in then and then[k] != now[k]]
        if world != self.processes.world:
            differ.append(f"{world} processes then, {self.processes.world} now")
        if differ:
            raise TrainingError(
                f"the checkpoint belongs to a training with other settings ({'; '.join(differ)})",
                where=str(self.folder),
                hint="use the same settings, another folder, or start from its weights alone (from_weights)",
            )
