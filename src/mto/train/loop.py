"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mto.errors import Interrupted, TrainingError
from mto.train.batches import Batch, BatchSource
from mto.train.callbacks import Callback, Progress
from mto.train.checkpoints import load_model_tensors, load_weights, model_tensors
from mto.train.config import TrainConfig
from mto.train.gradients import GradientSum
from mto.train.interrupt import StopSignals
from mto.train.levers import Levers, own_random_stream
from mto.train.loss import decoder_states, seq2seq_loss
from mto.train.optimizers import build_optimizers
from mto.train.precision import Precision, choose_precision
from mto.train.processes import Processes, join_processes
from mto.train.result import Evaluation, TrainResult
from mto.train.scaling import LossScale
from mto.train.schedules import rate_share
from mto.train.state import Saver, TrainState
from mto.train.throughput import matrix_peak, model_size

Evaluate = Callable[[Any, int], Mapping[str, float]]
Loss = Callable[..., Tensor]


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
        model: fp32 weights; T5- and BART-shaped models get the fused cross-entropy and the lean attention.
        source: where batches come from. With several processes each takes every n-th batch.
        evaluate: called in eval mode without gradients, with the model and the number of updates done; its random draws
            do not touch the training's. Called every ``evaluate_every`` steps, at `at_steps` (0 is before the first
            update), and at the end if either is given.
        checkpoint_dir: folder of this training's checkpoints; None: none are written and Ctrl-C is not caught.
        resume: go on from the newest readable checkpoint there, if there is one.
        from_weights: start (when not resuming) from these weights: a checkpoint folder or a safetensors file.
        loss: ``loss(model, batch, factor=…)``: the sum over labels times factor.

    Returns:
        What happened; the weights are in `model`.

    Raises:
        TrainingError: loss or gradient is not finite (the weights are those of the step before), or a checkpoint does
            not fit.
        RunError: the disk is full; the last checkpoint stays.
        Interrupted: SIGINT or SIGTERM came; a checkpoint of the last finished step is there.
    """
    processes = join_processes(config.device)
    levers = Levers(model, config, processes.device)
    ask = _Ask(evaluate, frozenset(at_steps or ()), tuple(callbacks) if processes.is_main else (), loss)
    # Each process draws dropout of its own.
    stream = own_random_stream(config.seed + 7919 * processes.rank, processes.device)
    with levers.training(), stream, StopSignals(active=checkpoint_dir is not None) as stop:
        saver = None
        if checkpoint_dir is not None:
            saver = Saver(Path(checkpoint_dir), model, source, config, processes)
        return _Run(model, source, config, processes, levers, ask, saver, stop).go(resume, from_weights)


@dataclass(frozen=True)
class _Ask:
    """What the caller wants to be asked and told."""

    evaluate: Evaluate | None
    at_steps: frozenset[int]
    callbacks: tuple[Callback, ...]
    loss: Loss


class _Run:
    """One training and its moves."""

    def __init__(
        self,
        model: nn.Module,
        source: BatchSource,
        config: TrainConfig,
        processes: Processes,
        levers: Levers,
        ask: _Ask,
        saver: Saver | None,
        stop: StopSignals,
    ) -> None:
        self.model, self.source, self.config, self.processes = model, source, config, processes
        self.levers, self.ask, self.saver, self.stop = levers, ask, saver, stop
        self.state = TrainState()
        self.resumed_at, self.saved_at, self.tokens_before = 0, -1, 0
        self.size = model_size(model)
        self.flops = self.seconds = 0.0
        self.reported = (0, 0.0)
        model.to(processes.device)
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.optimizers = build_optimizers(model, config)
        self.gradients = GradientSum(self.parameters, processes)
        self.states = torch.compile(decoder_states, dynamic=False) if config.compile else decoder_states

    # -- from beginning to end ------------------------------------------------------------------------------------

    def go(self, resume: bool, from_weights: str | Path | None) -> TrainResult:
        self._begin(resume, from_weights)
        config, state = self.config, self.state
        for callback in self.ask.callbacks:
            callback.on_start(state.step, config.steps)
        self.model.train()
        because = state.finished or ("patience" if self._patience_spent() else None)
        if because is None and self._due() and not self._evaluated():
            self._evaluate()
        while because is None and state.step < config.steps:
            wanted = self._update()
            if wanted == "data":
                because = "data"
                break
            if self._due():
                self._evaluate()
            if self._patience_spent():
                because = "patience"
            if because or state.step == config.steps:
                break
            # Several processes must stop after the same step, so there only what all have heard counts.
            if wanted == "stop" or (self.processes.world == 1 and self.stop.wanted):
                self._interrupted()
            if config.checkpoint_every and state.step % config.checkpoint_every == 0:
                self._save(None)
        return self._end(because or "steps")

    def _begin(self, resume: bool, from_weights: str | Path | None) -> None:
        warn = self._teller("checkpoint-damaged")
        stored = self.saver.latest(resume, warn) if self.saver is not None else None
        if stored is None and from_weights is not None:
            load_model_tensors(self.model, load_weights(Path(from_weights)), str(from_weights))
        # What was chosen by measuring is used again.
        chosen = stored is not None and self.config.precision == "auto"
        asked = stored.values["precision"] if stored is not None and chosen else self.config.precision
        self.precision = self._precision(asked)
        self.scale = LossScale(active=self.precision.name == "fp16")
        self._teller("precision")(self.precision.reason + (" when this training began" if chosen else ""))
        if stored is None or self.saver is None:
            return
        self.state = self.saver.restore(stored, self.optimizers, self.scale)
        self.resumed_at = self.saved_at = self.state.step
        self.tokens_before = sum(self.state.tokens)
        self.reported = (self.tokens_before, 0.0)
        self._teller("resumed")(f"at step {self.state.step} of {self.config.steps}")
        changed = self.saver.changes(stored)
        if changed:
            self._teller("changed")(f"settings that differ from the checkpoint's: {', '.join(changed)}")

    def _precision(self, asked: str) -> Precision:
        # One process decides, so that all compute alike.
        kind, force = self.processes.device.type, self.config.force_fp16
        chosen = choose_precision(asked, model=self.model, device=kind, force_fp16=force)
        name = self.processes.gather(chosen.name)[0]
        if name != chosen.name:
            chosen = choose_precision(name, model=self.model, device=kind, force_fp16=force)
        return chosen

    def _end(self, because: str) -> TrainResult:
        asked = self.config.evaluate_every or self.ask.at_steps
        if self.ask.evaluate is not None and asked and not self._evaluated():
            self._evaluate()
        if self.state.finished is None:
            self._save(because)
        if self.state.best_weights is not None:
            load_model_tensors(self.model, self.state.best_weights, "best evaluation")
        self.model.eval()
        for callback in self.ask.callbacks:
            callback.on_end(self.state.step, because)
        share = None
        if self.flops and self.seconds:
            peak = matrix_peak(self.precision.dtype, self.processes.device.type) * self.processes.world
            share = self.flops / self.seconds / peak
        state = self.state
        return TrainResult(
            steps=state.step,
            losses=tuple(state.losses),
            evaluations=tuple(state.evaluations),
            source_tokens=state.tokens[0],
            target_tokens=state.tokens[1],
            seconds=self.seconds,
            tokens_per_second=(sum(state.tokens) - self.tokens_before) / self.seconds
            if self.seconds
            else 0.0,
            peak_share=share,
            precision=self.precision.reason,
            stopped_because=because,
            best=state.best,
            resumed_at=self.resumed_at,
        )

    # -- one step -------------------------------------------------------------------------------------------------

    def _update(self) -> str | None:
        """One step. Returns "data" when the source has ended, "stop" when a signal came, else None."""
        begin = time.perf_counter()
        batches = self._next_batches()
        if batches is None:
            return "data"
        targets = sum(b.target_tokens for b in batches)
        sources = sum(b.source_tokens for b in batches)
        summed = 0.0
        for batch in batches:
            value = self._forward(batch.to(self.processes.device), 1.0 / max(1, targets))
            (value * self.scale.value if self.scale.active else value).backward()
            summed += float(value.detach()) * max(1, targets)
        wish = 1.0 if self.stop.wanted else 0.0
        summed, all_targets, all_sources, wish = self.gradients.reduce(
            [summed, float(targets), float(sources), wish], float(targets)
        )
        mean, share = summed / max(1.0, all_targets), rate_share(self.config, self.state.step)
        self._check(mean, "loss", share)
        self.scale.undo(self.parameters)
        norm = float(
            torch.nn.utils.clip_grad_norm_(self.parameters, self.config.clip or math.inf, foreach=True)
        )
        if self.scale.overflowed(norm):
            self.optimizers.drop_gradients()
        else:
            self._check(norm, "gradient's norm", share)
            self.optimizers.step(share)
        self._count(mean, int(all_sources), int(all_targets))
        self.seconds += time.perf_counter() - begin
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
        low, extra = self.precision.name != "fp32", {}
        if self.ask.loss is seq2seq_loss:
            extra["states"] = self.states
        kind = self.processes.device.type
        with self.levers.forward(), torch.autocast(kind, self.precision.dtype, enabled=low):
            return self.ask.loss(self.model, batch, factor=factor, **extra)

    def _check(self, value: float, what: str, share: float) -> None:
        if math.isfinite(value):
            return
        last = ", ".join(f"{x:.4f}" for x in self.state.losses[-5:]) or "none yet"
        raise TrainingError(
            f"the {what} is {value} in step {self.state.step + 1} (rate {self.config.rate * share:.3g}, precision "
            f"{self.precision.name}; losses before: {last}); the weights are those of step {self.state.step}",
            hint="lower the rate, lengthen the warm-up, clip harder, or use precision 'fp32'; "
            "if it is the first step, look for broken weights or ids outside the vocabulary",
        )

    def _count(self, loss: float, sources: int, targets: int) -> None:
        state = self.state
        state.step += 1
        state.losses.append(loss)
        state.tokens = (state.tokens[0] + sources, state.tokens[1] + targets)
        if self.size is not None:
            self.flops += self.size.step_flops(sources, targets)

    # -- evaluation -----------------------------------------------------------------------------------------------

    def _due(self) -> bool:
        step, every = self.state.step, self.config.evaluate_every
        now = step in self.ask.at_steps or bool(every and step and step % every == 0)
        return self.ask.evaluate is not None and now

    def _evaluated(self) -> bool:
        return bool(self.state.evaluations) and self.state.evaluations[-1].step == self.state.step

    def _evaluate(self) -> None:
        if self.ask.evaluate is None:
            return
        self.model.eval()
        device = self.processes.device
        stream = torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])
        with self.levers.pause(), torch.no_grad(), stream:
            values = {k: float(v) for k, v in self.ask.evaluate(self.model, self.state.step).items()}
        self.model.train()
        self.state.evaluations.append(Evaluation(self.state.step, values))
        if self.config.patience or self.config.keep_best:
            self._compare(self.state.evaluations[-1])
        for callback in self.ask.callbacks:
            callback.on_evaluation(self.state.step, values)

    def _compare(self, new: Evaluation) -> None:
        name, sign = self.config.watch, 1.0 if self.config.watch_mode == "min" else -1.0
        if name not in new.values:
            raise TrainingError(
                f"the evaluation gives no value '{name}' to watch",
                hint=f"set watch to one of: {', '.join(sorted(new.values))}",
            )
        best = self.state.best
        if best is None or sign * new.values[name] < sign * best.values[name]:
            self.state.best = new
            if self.config.keep_best:
                self.state.best_weights = {k: v.clone() for k, v in model_tensors(self.model).items()}

    def _patience_spent(self) -> bool:
        best = self.state.best
        if not self.config.patience or best is None:
            return False
        return sum(e.step > best.step for e in self.state.evaluations) >= self.config.patience

    # -- saving and telling ---------------------------------------------------------------------------------------

    def _save(self, finished: str | None) -> None:
        if self.saver is None or (self.saved_at == self.state.step and finished is None):
            return
        self.state.finished = finished
        path = self.saver.save(self.state, self.optimizers, self.scale, self.precision)
        self.saved_at = self.state.step
        if path is not None:
            self._teller("checkpoint")(str(path))

    def _interrupted(self) -> None:
        self._save(None)
        for callback in self.ask.callbacks:
            callback.on_end(self.state.step, "interrupted")
        done = f"after step {self.state.step} of {self.config.steps}"
        raise Interrupted(
            f"stopped by {self.stop.wanted or 'another process'} {done}; everything is saved",
            where=str(self.saver.folder) if self.saver is not None else None,
            hint="run the same command again to go on from there",
        )

    def _teller(self, kind: str) -> Callable[[str], None]:
        def tell(message: str) -> None:
            for callback in self.ask.callbacks:
                callback.on_event(kind, message)

        return tell

    def _report(self, share: float) -> None:
        step, steps, every = self.state.step, self.config.steps, self.config.report_every
        if not self.ask.callbacks or (step % every and step != steps):
            return
        tokens = sum(self.state.tokens)
        speed = (tokens - self.reported[0]) / max(1e-9, self.seconds - self.reported[1])
        self.reported = (tokens, self.seconds)
        recent = self.state.losses[-every:]
        progress = Progress(
            step=step,
            steps=steps,
            loss=sum(recent) / len(recent),
            rate=self.config.rate * share,
            tokens=tokens,
            tokens_per_second=speed,
            seconds_left=self.seconds / (step - self.resumed_at) * (steps - step),
        )
        for callback in self.ask.callbacks:
            callback.on_step(progress)
