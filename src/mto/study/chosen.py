"""What matching chose, as the results files of several studies tell it."""

from __future__ import annotations

from mto.config import Strict


class Chosen(Strict):
    """What matching chose from the labelled rows of one seed, before any tuning, and what stands for it with soft prompts.

    >>> Chosen(model="mini", task="cb", seed=0, family="prompting", soft="pre-pt").soft
    'pre-pt'
    """

    model: str
    task: str
    seed: int
    family: str
    soft: str
