"""The two sides of the measurement of prompt-tuning: a prompt of `mto` and one of PEFT, with the same rows, steps and answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from baselines import peft_prompts
from mto.evaluate.batches import pad_rows
from mto.evaluate.generate import generate
from mto.families import LoadedModel
from mto.prompts import Initial, SoftPrompt, make_prompt
from mto.tasks import draw_split, load_task
from mto.templates import Encoded, compile_template, encode_many
from mto.train import Batch, TrainConfig, collate, train
from mto.tune.learner import Learner, prompt_loss
from mto.tune.products import frozen_products


@dataclass(frozen=True)
class Data:
    """Rows of one task, with vectors (for `mto`) and without (PEFT puts its own before them)."""

    train: list[Encoded]
    dev: list[Encoded]
    test: list[Encoded]
    vectors: int

    def bare(self, items: Sequence[Encoded]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """The same rows without the places of vectors, which stand before everything."""
        pairs = []
        for item in items:
            (span,) = item.soft
            if span.start != 0:
                raise ValueError("PEFT can only prepend")
            pairs.append((item.source_ids[self.vectors :], item.target_ids))
        return pairs


def prepare(loaded: LoadedModel, relation: str, folder: Path | None, shots: int, vectors: int) -> Data:
    """Write the rows of a split by the family PT."""
    task = load_task(f"{'atomic2020' if folder else 'household'}/{relation}", data=folder)
    split = draw_split(task, shots=min(shots, len(task.train)), seed=0, max_test=100)
    template = compile_template("pt", fields=task.fields, adapter=loaded.adapter).with_vectors(vectors)

    def write(rows: Any, answers: bool) -> list[Encoded]:
        rendered = [template.render(row.fields, row.target if answers else None) for row in rows]
        return encode_many(rendered, loaded.adapter, soft=True)

    return Data(write(split.train, True), write(split.dev, True), write(split.test, False), vectors)


def batches(loaded: LoadedModel, pairs: Sequence[Any], rows: int) -> list[Batch]:
    """Batches in order, each padded to its longest row; both sides get the same rows."""
    cut = [pairs[n : n + rows] for n in range(0, len(pairs), rows)]
    return [collate(part, loaded.adapter.pad_id) for part in cut if len(part) == rows] or [
        collate(pairs, loaded.adapter.pad_id)
    ]


class Given:
    """A source of batches, over and over."""

    def __init__(self, items: Sequence[Batch]) -> None:
        self._items, self._at = items, 0

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        self._at += 1
        return self._items[(self._at - 1) % len(self._items)]

    def state_dict(self) -> dict[str, Any]:
        """Where it stands."""
        return {"at": self._at}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._at = state["at"]


def plain_loss(model: Any, batch: Batch, *, factor: float | None = None) -> torch.Tensor:
    """The model's own loss, as PEFT's model computes it, with the vectors in place."""
    with model.in_place() as base:
        loss: torch.Tensor = base(
            input_ids=batch.input_ids, attention_mask=batch.attention_mask, labels=batch.labels
        ).loss
    count = int((batch.labels != -100).sum())
    return loss.float() * (1.0 if factor is None else count * factor)


class Ours:
    """A prompt of `mto` in training, with its levers."""

    def __init__(self, loaded: LoadedModel, data: Data, rows: int, *, encoder: str, seed: int, rate: float,
                 precision: str = "fp32", products: bool = True, fused: bool = True, skip_pads: bool = True, **settings: Any) -> None:  # fmt: skip
        template = compile_template("pt", fields=("head", "relation"), adapter=loaded.adapter).with_vectors(
            data.vectors
        )
        self.prompt: SoftPrompt = make_prompt(
            loaded, template.soft, encoder=encoder, initial=Initial(), seed=seed
        )
        self.learner = Learner.prompted(loaded, self.prompt)
        self._loaded, self._products, self._skip_pads = loaded, products, skip_pads
        self._loss = prompt_loss if fused else plain_loss
        self._batches = batches(loaded, self._pairs(data.train), rows)
        self._dev = batches(loaded, self._pairs(data.dev), rows)
        self._settings = {
            "optimizer": "adamw", "rate": rate, "schedule": "constant", "precision": precision, "device": "cpu", "weight_decay": 0.01,
            **settings,
        }  # fmt: skip

    def _pairs(self, items: Sequence[Encoded]) -> list[tuple[Sequence[int], Sequence[int]]]:
        return [(item.source_ids, item.target_ids) for item in self.learner.numbered(items)]

    def steps(self, count: int) -> None:
        """So many updates by the training loop."""
        config = TrainConfig(steps=count, **self._settings)
        precision = str(self._settings["precision"])
        fast = (
            frozen_products(self._loaded.model, precision=precision, skip_pads=self._skip_pads)
            if self._products
            else contextlib.nullcontext()
        )
        with fast, self.learner.training():
            train(self.learner.module, Given(self._batches), config, loss=self._loss)

    @torch.no_grad()
    def dev_loss(self) -> float:
        """Mean nats a dev label."""
        self.learner.module.eval()
        return _mean([(float(plain_loss(self.learner.module, b)), b) for b in self._dev])

    def answer(self, questions: Sequence[Encoded], rows: int, new_tokens: int, precision: str) -> int:
        """How many answers were written."""
        numbered = self.learner.numbered(questions)
        with self.learner.measuring():
            return len(
                generate(
                    self._loaded, numbered, max_new_tokens=new_tokens, batch_rows=rows, precision=precision
                )
            )


class Theirs:
    """A prompt of PEFT in training."""

    def __init__(self, loaded: LoadedModel, data: Data, rows: int, *, kind: str, seed: int, rate: float,
                 precision: str = "fp32", compiled: bool = False) -> None:  # fmt: skip
        model = peft_prompts.peft_model(loaded.model, kind, data.vectors, seed)
        self._bf16, self._loaded, self._data = precision == "bf16", loaded, data
        self.training = peft_prompts.Training(model, rate, compiled=compiled, bf16=self._bf16)
        self._batches = Given(batches(loaded, data.bare(data.train), rows))
        self._dev = batches(loaded, data.bare(data.dev), rows)

    def steps(self, count: int) -> None:
        """So many updates."""
        for _ in range(count):
            batch = next(self._batches)
            self.training.step(batch.input_ids, batch.attention_mask, batch.labels)

    @torch.no_grad()
    def dev_loss(self) -> float:
        """Mean nats a dev label."""
        model = self.training.model.eval()
        return _mean(
            [
                (
                    float(
                        model(input_ids=b.input_ids, attention_mask=b.attention_mask, labels=b.labels).loss
                    ),
                    b,
                )
                for b in self._dev
            ]
        )

    def answer(self, questions: Sequence[Encoded], rows: int, new_tokens: int, precision: str) -> int:
        """How many answers were written."""
        done, pairs = 0, [ids for ids, _ in self._data.bare(questions)]
        for start in range(0, len(pairs), rows):
            ids, mask = pad_rows(
                pairs[start : start + rows], self._loaded.adapter.pad_id, torch.device("cpu")
            )
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
                done += len(peft_prompts.answers(self.training.model, ids, mask, new_tokens))
        return done


def _mean(losses: Sequence[tuple[float, Batch]]) -> float:
    counts = [int((batch.labels != -100).sum()) for _, batch in losses]
    return sum(loss * n for (loss, _), n in zip(losses, counts, strict=True)) / sum(counts)
