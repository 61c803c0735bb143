"""From the family that matching chooses to the family with soft prompts that looks like the same objective."""

from __future__ import annotations

from collections.abc import Sequence

from mto.templates import TemplateFamily, with_layout

_BY_OBJECTIVE = {
    # objective: (with a phrase, without one)
    "denoising": ("masked-pre-pt", "masked-post-pt"),
    "lm": ("pre-pt", "post-pt"),
}
_OF_CHOICES = {
    # objective: (the answer's text alone, with the choice's name)
    "denoising": ("post-masked-answer-pt", "post-masked-choice-pt"),
    "lm": ("post-answer-pt", "post-choice-pt"),
}
CONVENTIONAL = "pt"


def soft_family(family: TemplateFamily, *, choices: bool = False) -> str:
    """Name of the family with soft prompts that stands for a family without.

    A family that keeps the phrase gives one that keeps it, since matching measured the checkpoint with that phrase; one
    without a phrase gives one whose vectors stand in the phrase's place. A family that already holds soft prompts stands
    for itself. Options of a layout are kept.

    Args:
        choices: whether the rows have choices: then families for choices stand for families without a phrase.

    >>> from mto.templates import BASIC, CHOICE, get_family
    >>> {name: soft_family(get_family(name)) for name in BASIC}  # doctest: +NORMALIZE_WHITESPACE
    {'mapping': 'pt', 'masked-mapping': 'masked-post-pt', 'prompting': 'pre-pt',
     'masked-prompting': 'masked-pre-pt'}
    >>> [soft_family(get_family(name), choices=True) for name in CHOICE]
    ['post-answer-pt', 'post-masked-answer-pt', 'post-choice-pt', 'post-masked-choice-pt']
    >>> soft_family(get_family("answer-prompting-last-letters"), choices=True)
    'post-answer-pt-last-letters'
    """
    if family.soft:
        return family.name
    if family.objective is None:
        return with_layout(CONVENTIONAL, family.layout)
    phrased = "phrase" in family.source
    if (choices or family.choices) and not phrased:
        return with_layout(_OF_CHOICES[family.objective][family.by_name], family.layout)
    return with_layout(_BY_OBJECTIVE[family.objective][not phrased], family.layout)


def soft_family_among(
    family: TemplateFamily, there: Sequence[TemplateFamily], *, choices: bool = False
) -> str | None:
    """The same among the families that take part: else the first of them with the same objective, None where there is none.

    >>> from mto.templates import get_family
    >>> there = [get_family(name) for name in ("pt", "post-pt")]
    >>> soft_family_among(get_family("prompting"), there), soft_family_among(get_family("masked-mapping"), there)
    ('post-pt', None)
    """
    wanted = soft_family(family, choices=choices)
    if any(one.name == wanted for one in there):
        return wanted
    return next((one.name for one in there if one.objective == family.objective), None)
