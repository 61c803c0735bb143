"""The training loop."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mto.errors import Interrupted, TrainingError
from mto.train.attention import attention_kind
from mto.train.batches import Batch, BatchSource
from mto.train.callbacks import Callback, Progress
from mto.train.checkpoints import (
    Checkpoint,
    clear_leftovers,
    latest_checkpoint,
    load_model_tensors,
    load_weights,
    model_tensors,
    write_checkpoint,
)
from mto.train.config import TrainConfig
from mto.train.dropout import QuickDropout, dropout_rate
from mto.train.gradients import GradientSum
from mto.train.interrupt import StopSignals
from mto.train.loss import decoder_states, is_fusable, seq2seq_loss
from mto.train.memory import reused_memory
from mto.train.optimizers import build_optimizers
from mto.train.precision import Precision, choose_precision
from mto.train.processes import Processes, join_processes
from mto.train.result import Evaluation, TrainResult
from mto.train.scaling import LossScale
from mto.train.schedules import rate_share
from mto.train.throughput import matrix_peak, model_size

Evaluate = Callable[[Any, int], Mapping[str, float]]
Loss = Callable[..., Tensor]
# Settings that may not change between a checkpoint and its resume: the result would belong to neither.
_FIXED = ("optimizer", "scale_by_rms", "accumulate", "seed")


def train(
    model: nn.Module,
    source: BatchSource,
    config: TrainConfig,
    *,
    evaluate: Evaluate | None = None,
    at_steps: Sequence[int] | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint_dir: str | Path | None = None,
    resume: bool = True,
    from_weights: str | Path | None = None,
    loss: Loss = seq2seq_loss,
) -> TrainResult:
    """Train `model` in place.

    Args:
        model: fp32 weights; T5- and BART-shaped models get the fused cross-entropy.
        source: where batches come from. With several processes each takes every n-th batch.
        evaluate: called in eval mode without gradients, with the model and the number of updates done; its random draws do not
            touch the training's. Called at ``evaluate_every``, at `at_steps` (0 is before the first update), and at the end
            if either is given.
        checkpoint_dir: folder of this training's checkpoints; None: none are written and Ctrl-C is not caught.
        resume: go on from the newest readable checkpoint there, if there is one.
        from_weights: start (when not resuming) from these weights: a checkpoint folder or a safetensors file.
        loss: ``loss(model, batch, factor=…)``: the sum over labels times factor.

    Returns:
        What happened; the weights are in `model`.

    Raises:
        TrainingError: loss or gradient is not finite (the weights are those of the step before), a checkpoint does not fit, …
        Interrupted: SIGINT or SIGTERM came; a checkpoint of the last finished step is there.
    """
    processes = join_processes(config.device)
    folder = Path(checkpoint_dir) if checkpoint_dir is not None else None
    with contextlib.ExitStack() as stack:
        for lever in _levers(model, config, processes.device.type == "cpu"):
            stack.enter_context(lever)
        stack.enter_context(_own_random_stream(config.seed + 7919 * processes.rank, processes.device))
        stop = stack.enter_context(StopSignals(active=folder is not None))
        run = _Run(
            model,
            source,
            config,
            processes,
            folder,
            tuple(callbacks),
            evaluate,
            frozenset(at_steps or ()),
            loss,
        )
        run.start(resume, from_weights)
        return run.go(stop)


def _levers(model: nn.Module, config: TrainConfig, on_cpu: bool) -> list[AbstractContextManager[Any]]:
    """What makes a step faster, for the time of the training."""
    attention = config.attention
    if attention == "auto":
        attention = "lean" if on_cpu and is_fusable(model) else "model"
    levers: list[AbstractContextManager[Any]] = [
        reused_memory(active=config.reuse_memory and on_cpu),
        dropout_rate(model, config.dropout),
        attention_kind(model, attention),
    ]
    # A compiled model draws its own masks.
    return [*levers, QuickDropout()] if config.quick_dropout and on_cpu and not config.compile else levers


@contextlib.contextmanager
def _own_random_stream(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's default generators for dropout, and give them back as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


class _Run:
    """The state of one training, and its moves."""

    def __init__(
        self,
        model: nn.Module,
        source: BatchSource,
        config: TrainConfig,
        processes: Processes,
        folder: Path | None,
        callbacks: tuple[Callback, ...],
        evaluate: Evaluate | None,
        at_steps: frozenset[int],
        loss: Loss,
    ) -> None:
        self.model, self.source, self.config, self.processes = model, source, config, processes
        self.folder, self.evaluate, self.at_steps, self.loss = folder, evaluate, at_steps, loss
        self.callbacks = callbacks if processes.is_main else ()
        self.step = self.resumed_at = 0
        self.losses: list[float] = []
        self.evaluations: list[Evaluation] = []
        self.tokens = [0, 0]
        self.best: Evaluation | None = None
        self.best_weights: dict[str, Tensor] | None = None
        self.saved_at = -1
        self.finished: str | None = None
        self.size = model_size(model)
        self.flops = self.seconds = 0.0
        self.tokens_before = 0
        self.reported = (0, 0.0)

    # -- beginning ------------------------------------------------------------------------------------------------

    def start(self, resume: bool, from_weights: str | Path | None) -> None:
        self.model.to(self.processes.device)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizers = build_optimizers(self.model, self.config)
        self.gradients = GradientSum(self.parameters, self.processes)
        stored = None
        if self.folder is not None:
            if self.processes.is_main:
                self.folder.mkdir(parents=True, exist_ok=True)
                clear_leftovers(self.folder)
            self.processes.wait()
            if resume:
                stored = latest_checkpoint(self.folder, lambda text: self._tell("checkpoint-damaged", text))
        if stored is None and from_weights is not None:
            load_model_tensors(self.model, load_weights(Path(from_weights)), str(from_weights))
        asked = (
            stored.values["precision"]
            if stored and self.config.precision == "auto"
            else self.config.precision
        )
        self.precision = self._precision(asked)
        self.scale = LossScale(active=self.precision.name == "fp16")
        self._tell("precision", self.precision.reason)
        if stored is not None:
            self._restore(stored)
            self._tell("resumed", f"at step {self.step} of {self.config.steps}")
        self.states = torch.compile(decoder_states, dynamic=False) if self.config.compile else decoder_states

    def _precision(self, asked: str) -> Precision:
        # One process decides, so that all compute alike.
        kind = self.processes.device.type
        chosen = choose_precision(asked, model=self.model, device=kind, force_fp16=self.config.force_fp16)
        name = self.processes.gather(chosen.name)[0]
        if name != chosen.name:
            chosen = choose_precision(name, model=self.model, device=kind, force_fp16=self.config.force_fp16)
        return chosen

    # -- the loop -------------------------------------------------------------------------------------------------

    def go(self, stop: StopSignals) -> TrainResult:
        config = self.config
        for callback in self.callbacks:
            callback.on_start(self.step, config.steps)
        self.model.train()
        if self.finished is None and self._due(self.step) and not self._evaluated():
            self._evaluate()
        because = self.finished or ("patience" if self._patience_spent() else None)
        while because is None and self.step < config.steps:
            wanted = self._update(stop)
            if wanted == "data":
                because = "data"
                break
            if self._due(self.step):
                self._evaluate()
            if self._patience_spent():
                because = "patience"
            elif (
                config.checkpoint_every
                and self.step % config.checkpoint_every == 0
                and self.step < config.steps
            ):
                self._save(None)
            # Several processes must stop after the same step, so there only what all have heard counts.
            heard = wanted == "stop" or (self.processes.world == 1 and stop.wanted)
            if heard and because is None and self.step < config.steps:
                self._interrupted(stop)
        because = because or "steps"
        if (self.evaluate is not None and (config.evaluate_every or self.at_steps)) and not self._evaluated():
            self._evaluate()
        if self.finished is None:
            self._save(because)
        if self.best_weights is not None:
            load_model_tensors(self.model, self.best_weights, "best evaluation")
        self.model.eval()
        for callback in self.callbacks:
            callback.on_end(self.step, because)
        return self._result(because)

    def _update(self, stop: StopSignals) -> str | None:
        """One step. Returns "data" when the source has ended, "stop" when a signal came, else None."""
        begin = time.perf_counter()
        batches = self._next_batches()
        if batches is None:
            return "data"
        targets = sum(b.target_tokens for b in batches)
        sources = sum(b.source_tokens for b in batches)
        factor = 1.0 / max(1, targets)
        summed = 0.0
        for batch in batches:
            value = self._forward(batch.to(self.processes.device), factor)
            (value * self.scale.value if self.scale.active else value).backward()
            summed += float(value.detach()) * max(1, targets)
        wish = 1.0 if stop.wanted else 0.0
        summed, all_targets, all_sources, wish = self.gradients.reduce(
            [summed, float(targets), float(sources), wish], float(targets)
        )
        mean = summed / max(1.0, all_targets)
        share = rate_share(self.config, self.step)
        self._check(mean, "loss", share)
        norm = float(
            torch.nn.utils.clip_grad_norm_(self.parameters, self.config.clip or math.inf, foreach=True)
        )
        self._check(norm, "gradient's norm", share)
        self.optimizers.step(share)
        self.step += 1
        self.losses.append(mean)
        self.tokens[0] += int(all_sources)
        self.tokens[1] += int(all_targets)
        self.seconds += time.perf_counter() - begin
        if self.size is not None:
            self.flops += self.size.step_flops(int(all_sources), int(all_targets))
        self._report(share)
        return "stop" if wish else None

    def _next_batches(self) -> list[Batch] | None:
        """The batches of one step for this process: of each round of n batches, the one with its rank."""
        mine = []
        for _ in range(self.config.accumulate):
            for rank in range(self.processes.world):
                try:
                    batch = next(self.source)
                except StopIteration:
                    return None
                if rank == self.processes.rank:
                    mine.append(batch)
        return mine

    def _forward(self, batch: Batch, factor: float) -> Tensor:
        bf16 = self.precision.name != "fp32"
        extra = {"states": self.states} if self.loss is seq2seq_loss else {}
        with torch.autocast(self.processes.device.type, self.precision.dtype, enabled=bf16):
            return self.loss(self.model, batch, factor=factor, **extra)

    def _check(self, value: float, what: str, share: float) -> None:
        if math.isfinite(value):
            return
        last = ", ".join(f"{x:.4f}" for x in self.losses[-5:]) or "none yet"
        raise TrainingError(
            f"the {what} is {value} in step {self.step + 1} (rate {self.config.rate * share:.3g}, precision {self.precision.name}; "
            f"losses before: {last}); the weights are those of step {self.step}",
            hint="lower the rate, lengthen the warm-up, clip harder, or use precision 'fp32'; "
            "if it is the first step, look for broken weights or ids outside the vocabulary",
        )

    # -- evaluation -----------------------------------------------------------------------------------------------

    def _due(self, step: int) -> bool:
        every = self.config.evaluate_every
        return self.evaluate is not None and (
            step in self.at_steps or bool(every and step and step % every == 0)
        )

    def _evaluated(self) -> bool:
        return bool(self.evaluations) and self.evaluations[-1].step == self.step

    def _evaluate(self) -> None:
        assert self.evaluate is not None
        self.model.eval()
        devices = [self.processes.device] if self.processes.device.type == "cuda" else []
        with torch.no_grad(), torch.random.fork_rng(devices=devices):
            values = {k: float(v) for k, v in self.evaluate(self.model, self.step).items()}
        self.model.train()
        self.evaluations.append(Evaluation(self.step, values))
        if self.config.patience or self.config.keep_best:
            self._compare(self.evaluations[-1])
        for callback in self.callbacks:
            callback.on_evaluation(self.step, values)

    def _compare(self, new: Evaluation) -> None:
        name, sign = self.config.watch, 1.0 if self.config.watch_mode == "min" else -1.0
        if name not in new.values:
            raise TrainingError(
                f"the evaluation gives no value '{name}' to watch",
                hint=f"set watch to one of: {', '.join(sorted(new.values))}",
            )
        if self.best is None or sign * new.values[name] < sign * self.best.values[name]:
            self.best = new
            if self.config.keep_best:
                self.best_weights = {k: v.clone() for k, v in model_tensors(self.model).items()}

    def _patience_spent(self) -> bool:
        if not self.config.patience or self.best is None:
            return False
        return sum(e.step > self.best.step for e in self.evaluations) >= self.config.patience

    # -- checkpoints ----------------------------------------------------------------------------------------------

    def _save(self, finished: str | None) -> None:
        if self.folder is None or (self.saved_at == self.step and finished is None):
            return
        streams = {"torch": torch.get_rng_state()}
        if self.processes.device.type == "cuda":
            streams["cuda"] = torch.cuda.get_rng_state(self.processes.device)
        ranks = self.processes.gather(
            {"source": self.source.state_dict(), "streams": {k: v.tolist() for k, v in streams.items()}}
        )
        if self.processes.is_main:
            optimizer, plain = self.optimizers.state()
            history = {"losses": torch.tensor(self.losses, dtype=torch.float64)}
            for rank, state in enumerate(ranks):
                history |= {
                    f"{rank}.{k}": torch.tensor(v, dtype=torch.uint8) for k, v in state.pop("streams").items()
                }
            tensors = {"model": model_tensors(self.model), "optimizer": optimizer, "streams": history}
            if self.best_weights is not None:
                tensors["best"] = self.best_weights
            values = {
                "config": self.config.model_dump(mode="json"),
                "precision": self.precision.name,
                "threads": torch.get_num_threads(),
                "optimizer": plain,
                "loss_scale": [self.scale.value, self.scale.good],
                "ranks": ranks,
                "tokens": self.tokens,
                "evaluations": [{"step": e.step, "values": dict(e.values)} for e in self.evaluations],
                "best": self.best.step if self.best else None,
                "finished": finished,
            }
            path = write_checkpoint(
                self.folder, Checkpoint(self.step, tensors, values), keep=self.config.keep
            )
            self._tell("checkpoint", str(path))
        self.processes.wait()
        self.saved_at = self.step

    def _restore(self, stored: Checkpoint) -> None:
        where, values = str(self.folder), stored.values
        now = self.config.model_dump(mode="json")
        changed = [k for k in now if k in values["config"] and values["config"][k] != now[k]]
        fixed = [k for k in changed if k in _FIXED]
        if fixed or len(values["ranks"]) != self.processes.world:
            what = ", ".join(f"{k}: {values['config'][k]} then, {now[k]} now" for k in fixed) or (
                f"{len(values['ranks'])} processes then, {self.processes.world} now"
            )
            raise TrainingError(
                f"the checkpoint belongs to a training with other settings ({what})",
                where=where,
                hint="use the same settings, another folder, or start from its weights alone (from_weights)",
            )
        if changed:
            self._tell("changed", f"settings changed since the checkpoint: {', '.join(changed)}")
        load_model_tensors(self.model, stored.tensors["model"], where)
        self.optimizers.load_state(dict(stored.tensors["optimizer"]), dict(values["optimizer"]))
        value, good = values.get("loss_scale", (1.0, 0))
        self.scale = LossScale(active=self.scale.active, value=value, good=good)
        streams, rank = stored.tensors["streams"], self.processes.rank
        self.source.load_state_dict(values["ranks"][rank]["source"])
        torch.set_rng_state(streams[f"{rank}.torch"])
        if f"{rank}.cuda" in streams and self.processes.device.type == "cuda":
            torch.cuda.set_rng_state(streams[f"{rank}.cuda"], self.processes.device)
        self.step = self.resumed_at = self.saved_at = stored.step
        self.losses = streams["losses"].tolist()
        self.tokens = list(values["tokens"])
        self.tokens_before = sum(self.tokens)
        self.reported = (self.tokens_before, 0.0)
        self.evaluations = [Evaluation(e["step"], e["values"]) for e in values["evaluations"]]
        self.best = next((e for e in self.evaluations if e.step == values["best"]), None)
        self.best_weights = dict(stored.tensors["best"]) if "best" in stored.tensors else None
        # A longer budget than last time goes on where it ended.
        self.finished = (
            values["finished"] if values["finished"] != "steps" or self.step >= self.config.steps else None
        )

    def _interrupted(self, stop: StopSignals) -> None:
        self._save(None)
        for callback in self.callbacks:
            callback.on_end(self.step, "interrupted")
        raise Interrupted(
            f"stopped by {stop.wanted or 'another process'} after step {self.step} of {self.config.steps}; everything is saved",
            where=str(self.folder),
            hint="run the same command again to go on from there",
        )

    # -- telling --------------------------------------------------------------------------------------------------

    def _tell(self, kind: str, message: str) -> None:
        for callback in self.callbacks:
            callback.on_event(kind, message)

    def _report(self, share: float) -> None:
        if not self.callbacks or (self.step % self.config.report_every and self.step != self.config.steps):
            return
        tokens, seconds = sum(self.tokens), self.seconds
        speed = (tokens - self.reported[0]) / max(1e-9, seconds - self.reported[1])
        self.reported = (tokens, seconds)
        done = self.step - self.resumed_at
        recent = self.losses[-self.config.report_every :]
        progress = Progress(
            step=self.step,
            steps=self.config.steps,
            loss=sum(recent) / len(recent),
            rate=self.config.rate * share,
            tokens=tokens,
            tokens_per_second=speed,
            seconds_left=seconds / done * (self.config.steps - self.step),
        )
        for callback in self.callbacks:
            callback.on_step(progress)

    def _result(self, because: str) -> TrainResult:
        share = None
        if self.flops and self.seconds:
            kind = self.processes.device.type
            share = (
                self.flops / self.seconds / (matrix_peak(self.precision.dtype, kind) * self.processes.world)
            )
        return TrainResult(
            steps=self.step,
            losses=tuple(self.losses),
            evaluations=tuple(self.evaluations),
            source_tokens=self.tokens[0],
            target_tokens=self.tokens[1],
            seconds=self.seconds,
            tokens_per_second=(sum(self.tokens) - self.tokens_before) / self.seconds if self.seconds else 0.0,
            peak_share=share,
            precision=self.precision.reason,
            stopped_because=because,
            best=self.best,
            resumed_at=self.resumed_at,
        )
