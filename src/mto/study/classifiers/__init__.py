"""The study of the task classifiers: how often they are right on relations that they never saw."""
