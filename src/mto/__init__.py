"""mto: match a task to a pre-training objective, and learn it from few examples."""

__version__ = "0.1.0"
