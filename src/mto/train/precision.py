"""In which number format to train: decided by a short measurement, told with its reason."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from mto.errors import TrainingError

# bf16 must be clearly faster than fp32 in the products, because autocast adds casts around them.
PAYS_FROM = 1.3


@dataclass(frozen=True)
class Precision:
    """A choice: `name` ("fp32", "bf16", "fp16"), the dtype of products, and why."""

    name: str
    dtype: torch.dtype
    reason: str


def product_speed(
    dtype: torch.dtype, *, rows: int = 2048, width: int = 512, device: str = "cpu", seconds: float = 0.15
) -> float:
    """Floating-point operations a second of ``[rows, width] @ [width, 4 width]``, best of a few within `seconds`."""
    a = torch.ones(rows, width, dtype=dtype, device=device)
    b = torch.ones(width, 4 * width, dtype=dtype, device=device)
    best, spent = float("inf"), 0.0
    _time_product(a, b)
    while spent < seconds:
        took = _time_product(a, b)
        best, spent = min(best, took), spent + took
    return 2.0 * rows * width * 4 * width / best


@lru_cache(maxsize=32)
def _known_speed(dtype: torch.dtype, width: int, device: str, threads: int) -> float:
    # Measured once a process: a sweep of short trainings must not measure again and again.
    return product_speed(dtype, width=width, device=device)


def _time_product(a: torch.Tensor, b: torch.Tensor) -> float:
    if a.device.type == "cuda":
        torch.cuda.synchronize(a.device)
    start = time.perf_counter()
    torch.mm(a, b)
    if a.device.type == "cuda":
        torch.cuda.synchronize(a.device)
    return max(time.perf_counter() - start, 1e-9)


def choose_precision(
    asked: str = "auto",
    *,
    model: Any = None,
    width: int | None = None,
    device: str = "cpu",
    force_fp16: bool = False,
) -> Precision:
    """Settle the number format.

    Weights stay fp32 in every case. ``auto`` times products of the model's width in fp32 and bf16 (under a second) and takes
    bf16 when it is at least 1.3 times as fast.

    Raises:
        TrainingError: fp16 for a model of the T5 kind without `force_fp16` (its feed-forward layers overflow:
            huggingface/transformers issue 5651).
    """
    config = getattr(model, "config", None)
    if asked == "fp16":
        if "t5" in str(getattr(config, "model_type", "")).lower() and not force_fp16:
            raise TrainingError(
                "fp16 overflows in models of the T5 kind (values above 65,504 in the feed-forward layers)",
                hint="use precision 'bf16' or 'fp32', or set force_fp16 if you know that your weights are safe",
            )
        return Precision("fp16", torch.float16, "fp16 was asked for")
    if asked == "fp32":
        return Precision("fp32", torch.float32, "fp32 was asked for")
    if asked == "bf16":
        return Precision("bf16", torch.bfloat16, "bf16 was asked for")
    if asked != "auto":
        raise TrainingError(f"precision '{asked}' is unknown", hint="use auto, fp32, bf16 or fp16")
    if device.startswith("cuda"):
        if torch.cuda.is_bf16_supported():
            return Precision("bf16", torch.bfloat16, "bf16 autocast: this GPU computes it natively")
        return Precision("fp32", torch.float32, "fp32: this GPU has no bf16")
    if width is None:
        width = int(getattr(config, "d_model", None) or getattr(config, "hidden_size", None) or 512)
    width = min(max(width, 64), 1024)
    threads = torch.get_num_threads()
    slow = _known_speed(torch.float32, width, device, threads)
    fast = _known_speed(torch.bfloat16, width, device, threads)
    ratio = fast / slow
    told = f"bf16 products of width {width} run at {ratio:.1f} times the speed of fp32 here ({fast / 1e9:.0f} against {slow / 1e9:.0f} GFLOP/s)"
    if ratio >= PAYS_FROM:
        return Precision("bf16", torch.bfloat16, f"bf16 autocast with fp32 weights: {told}")
    return Precision("fp32", torch.float32, f"fp32: {told}, too little to pay for the casts")
