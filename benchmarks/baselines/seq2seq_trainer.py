"""Pre-training as the documentation of transformers shows it: `Seq2SeqTrainer` with its data collator, defaults else."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from typing import Any

import transformers


class _Clock(transformers.TrainerCallback):
    """Wall time at the end of every step."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        self.times.append(time.perf_counter())


def trainer_seconds(
    model: Any, tokenizer: Any, examples: Sequence[dict[str, list[int]]], rows: int, **options: Any
) -> list[float]:
    """Train on `examples` in order, `rows` a step.

    Args:
        examples: ``{"input_ids": [...], "labels": [...]}`` each.
        options: passed to `Seq2SeqTrainingArguments`, such as ``bf16=True``.

    Returns:
        Seconds of each step but the first.
    """
    clock = _Clock()
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.Seq2SeqTrainingArguments(
            output_dir=folder, per_device_train_batch_size=rows, max_steps=len(examples) // rows, learning_rate=1e-4,
            report_to=[], save_strategy="no", logging_strategy="no", use_cpu=True, disable_tqdm=True,
            train_sampling_strategy="sequential", **options,
        )  # fmt: skip
        trainer = transformers.Seq2SeqTrainer(
            model=model,
            args=arguments,
            train_dataset=list(examples),
            data_collator=transformers.DataCollatorForSeq2Seq(tokenizer, model=model),
            callbacks=[clock],
        )
        trainer.train()
    return [b - a for a, b in zip(clock.times, clock.times[1:], strict=False)]
