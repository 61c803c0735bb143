"""A run folder: layout, atomic writes, events, what is finished and what can be skipped."""

from mto.runs.atomic import atomic_directory, own_folder, read_json, write_bytes, write_json, write_text
from mto.runs.environment import environment
from mto.runs.folder import RunFolder
from mto.runs.share import Job, share

__all__ = [
    "Job",
    "RunFolder",
    "atomic_directory",
    "environment",
    "own_folder",
    "read_json",
    "share",
    "write_bytes",
    "write_json",
    "write_text",
]
