"""Metrics of texts against references: per-example scores on 0-100."""

from mto.evaluate.metrics.registry import Metric, metrics

__all__ = ["Metric", "metrics"]
