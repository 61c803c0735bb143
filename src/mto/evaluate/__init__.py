"""Evaluation: generation, likelihood, metrics, baselines and statistics. Import from the modules; torch loads late."""
