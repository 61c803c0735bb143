"""Matching: which pre-training objective and template family a task looks like, before anything expensive is run."""
