"""How the commands that train show where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mto.cli.display import Display


def told(shown: Display, name: str) -> Any:
    """A callback of the training loop that tells a display.

    Args:
        name: of what is trained.
    """
    from mto.train import Callback
    from mto.train.callbacks import Progress

    class Told(Callback):
        def on_start(self, step: int, steps: int) -> None:
            shown.say(f"training {name}: step {step:,} of {steps:,}")

        def on_step(self, progress: Progress) -> None:
            shown.update(
                progress.step,
                progress.steps,
                f"step {progress.step:,}/{progress.steps:,}  loss {progress.loss:.3f}  "
                f"{progress.tokens_per_second:,.0f} tokens/s",
                progress.seconds_left,
            )

        def on_evaluation(self, step: int, values: Any) -> None:
            said = "  ".join(f"{name} {value:.3f}" for name, value in values.items() if "bits" not in name)
            shown.say(f"step {step:,}: {said}")

        def on_event(self, kind: str, message: str) -> None:
            if kind != "checkpoint":
                shown.say(f"{kind}: {message}")

    return Told()
