"""Statistics of few-shot comparisons: the item is a head, and seeds are a second source of chance."""

from mto.evaluate.statistics.bootstrap import Interval, as_matrices, crossed_bootstrap
from mto.evaluate.statistics.gain import Gain, gain
from mto.evaluate.statistics.paired import PairedTest, holm, paired_sign_flip

__all__ = [
    "Gain",
    "Interval",
    "PairedTest",
    "as_matrices",
    "crossed_bootstrap",
    "gain",
    "holm",
    "paired_sign_flip",
]
