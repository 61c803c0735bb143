"""From the family that matching chooses to the family with soft prompts that looks like the same objective."""

from __future__ import annotations

from collections.abc import Sequence

from mto.templates import TemplateFamily

_BY_OBJECTIVE = {
    # objective: (with a phrase, without one)
    "denoising": ("masked-pre-pt", "masked-post-pt"),
    "lm": ("pre-pt", "post-pt"),
}
CONVENTIONAL = "pt"


def soft_family(family: TemplateFamily) -> str:
    """Name of the family with soft prompts that stands for a family without.

    A family that keeps the phrase gives one that keeps it, since matching measured the checkpoint with that phrase; one
    without a phrase gives one whose vectors stand in the phrase's place. A family that already holds soft prompts stands
    for itself.

    >>> from mto.templates import BASIC, get_family
    >>> {name: soft_family(get_family(name)) for name in BASIC}  # doctest: +NORMALIZE_WHITESPACE
    {'mapping': 'pt', 'masked-mapping': 'masked-post-pt', 'prompting': 'pre-pt',
     'masked-prompting': 'masked-pre-pt'}
    """
    if family.soft:
        return family.name
    if family.objective is None:
        return CONVENTIONAL
    return _BY_OBJECTIVE[family.objective]["phrase" not in family.source]


def soft_family_among(family: TemplateFamily, there: Sequence[TemplateFamily]) -> str | None:
    """The same among the families that take part: else the first of them with the same objective, None where there is none.

    >>> from mto.templates import get_family
    >>> there = [get_family(name) for name in ("pt", "post-pt")]
    >>> soft_family_among(get_family("prompting"), there), soft_family_among(get_family("masked-mapping"), there)
    ('post-pt', None)
    """
    wanted = soft_family(family)
    if any(one.name == wanted for one in there):
        return wanted
    return next((one.name for one in there if one.objective == family.objective), None)
