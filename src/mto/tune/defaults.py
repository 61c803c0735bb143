"""The table of defaults: one row a (family kind, method), each number with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mto.errors import UnknownNameError
from mto.registry import suggest


@dataclass(frozen=True)
class Default:
    """A value and where it comes from."""

    value: Any
    source: str


_SHARED: dict[str, Default] = {
    "ladder": Default(
        (0, 5, 10, 20, 40, 80),
        "ours: 60 steps of 8 are the authors' 3 to 5 epochs on 100 rows, 20 their 5 epochs on 30 (docs/method.md 8); 0 and 5 "
        "because hard tuning washes out what a small model knows; twice as far at each rung, since rate and steps make "
        "up for each other: three times the rate to 80 steps does what the rate itself does to 240, for a third of the time",
    ),
    "batch_rows": Default(8, "the authors: 4 to 16 (docs/method.md 8), 8 for T5-base (docs/method.md 5)"),
    "max_source": Default(512, "the longest source that T5 was pre-trained with (Raffel et al. 2020, 3.1)"),
    "zero_shot_tokens": Default(
        24, "ours: with no shots there is no target to measure; most tails are under 10 tokens"
    ),
}

_PROMPT: dict[str, Default] = _SHARED | {
    "optimizer": Default("adafactor", "the authors (docs/method.md 4); Lester et al. 2021"),
    "rates": Default(
        (0.03, 0.1, 0.3),
        "the authors: 0.05 to 0.1 (docs/method.md 4), Lester et al. 2021: 0.3; here in units of the embedding's RMS: on mini "
        "30 steps of 8 rows went farthest at 0.3 with embedding and residual MLP, at 0.1 with the MLP (one run each; LSTM not tried)",
    ),
    "ladder": Default(
        (0, 20, 50, 100, 200),
        "ours: the authors' 12 to 20 epochs on 30 to 100 rows are 50 to 250 steps of 8 (docs/method.md 4)",
    ),
    "batch_rows": Default(8, "the authors: 8 to 32 (docs/method.md 4)"),
}

_LORA: dict[str, Default] = {
    "optimizer": Default("adamw", "Hu et al. 2021"),
    "rates": Default(
        (3e-4, 1e-3, 3e-3),
        "ours: about ten times those of all weights, since the updates start at zero (docs/adaptation.md)",
    ),
}

DEFAULTS: dict[tuple[str, str], dict[str, Default]] = {
    ("t5", "finetune"): _SHARED
    | {
        "optimizer": Default(
            "adafactor", "the authors (docs/method.md 8); T5 itself (Raffel et al. 2020, 3.1.2)"
        ),
        "rates": Default(
            (1e-4, 3e-4, 1e-3),
            "the authors: constant, 1e-4 to 5e-4 (docs/method.md 8); T5 was fine-tuned at a constant 1e-3",
        ),
    },
    ("*", "finetune"): _SHARED
    | {
        "optimizer": Default(
            "adamw",
            "ours: on household dev (27 M parameters, 16 shots) as good as Adafactor at about two thirds of its time a step",
        ),
        "rates": Default(
            (3e-5, 1e-4, 3e-4),
            "ours: around 1e-4, which on AdamW does about what 1e-3 does on Adafactor (t5 issue 230); on household dev "
            "the best points lie in this range, and 1e-3 was worse than no tuning by likelihood from 20 steps on",
        ),
    },
    ("t5", "lora"): _SHARED | _LORA,
    ("*", "lora"): _SHARED | _LORA,
    ("t5", "prompt"): _PROMPT,
    ("*", "prompt"): _PROMPT,
}
"""``*`` stands for every kind without a row of its own."""


def defaults_for(kind: str, method: str = "finetune") -> Mapping[str, Default]:
    """The row for a family kind (`Adapter.name`) and method.

    Raises:
        UnknownNameError: no such method.

    >>> defaults_for("t5")["batch_rows"].value
    8
    """
    row = DEFAULTS.get((kind, method)) or DEFAULTS.get(("*", method))
    if row is None:
        raise UnknownNameError(
            f"no tuning method is named '{method}'", hint=suggest(method, {name for _, name in DEFAULTS})
        )
    return row
