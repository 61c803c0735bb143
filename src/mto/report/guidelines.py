"""What the guidelines alone say of a task, for the terminal: no checkpoint was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Group, RenderableType

    from mto.match.guidelines import Guidelines


def guideline_lines(found: Guidelines) -> tuple[str, ...]:
    """The task type by the lean of the guidelines, and what they cannot say.

    The lean is twice the probability of mask-filling, minus 1, so a lean of -0.8 is map-phrasal with 90 %.
    """
    lean = found.lean
    if lean.towards == "neither":
        kind = "Task type by the guidelines: neither; the rules lean to no side."
    else:
        kind = f"Task type by the guidelines: {lean.towards} ({(1 + abs(lean.value)) / 2:.0%})."
    return (kind, "No checkpoint was read, so no template family is chosen: leave --signals out for that.")


def render_guidelines(found: Guidelines, task: str) -> Group:
    """The guidelines for the terminal, rule by rule.

    Args:
        found: from `mto.match.guidelines.guidelines`.
        task: its name.
    """
    from rich.console import Group
    from rich.text import Text

    first, *others = guideline_lines(found)
    parts: list[RenderableType] = [Text(f"{task}: {found.rows} labelled rows", style="dim")]
    parts += [Text(first, style="bold"), *(Text(line) for line in others), Text(found.lean.saw)]
    parts += [Text(f"- {rule.name} -> {rule.lean.towards}: {rule.lean.saw}") for rule in found.rules]
    return Group(*parts)
