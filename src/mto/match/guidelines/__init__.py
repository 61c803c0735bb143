"""Guidelines: rules on the shape of the data that say which task type it looks like (docs/method.md 5); no model."""

from mto.match.guidelines.features import Measured, measure
from mto.match.guidelines.fit import fit_thresholds, household_thresholds
from mto.match.guidelines.judge import Guidelines, RuleSays, guidelines
from mto.match.guidelines.tagger import Tagger, get_tagger
from mto.match.guidelines.thresholds import Cut, Thresholds, shipped

__all__ = [
    "Cut",
    "Guidelines",
    "Measured",
    "RuleSays",
    "Tagger",
    "Thresholds",
    "fit_thresholds",
    "get_tagger",
    "guidelines",
    "household_thresholds",
    "measure",
    "shipped",
]
