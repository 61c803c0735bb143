"""Work that several processes share: each takes what is not done and what no other is at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from mto.runs.folder import RunFolder


class Job(NamedTuple):
    """A step of a run folder with the key of its inputs, and what does it (its result is JSON)."""

    step: str
    key: str
    work: Callable[[], Any]


def share(folder: RunFolder, jobs: Iterable[Job]) -> None:
    """Do all jobs that are not done, beside other processes that were given the same jobs and the same folder.

    A job is locked while it is done; the system frees the lock when its process dies, however it dies, and another then takes the job.
    When this function comes back, all jobs are done.

    Args:
        folder: where finished steps are kept; on one machine, or on a disk that carries locks over the network.
        jobs: looked at in their order; the ones that others are at are looked at again at the end.

    Raises:
        Exception: whatever a job raises; what was finished before stays.

    Example:
        >>> import tempfile
        >>> folder = RunFolder(tempfile.mkdtemp())
        >>> share(folder, [Job("squares/3", "3", lambda: 3 * 3)])
        >>> folder.done("squares/3", "3")
        9
    """
    taken = [job for job in jobs if not _try(folder, job, wait=False)]
    for job in taken:
        _try(folder, job, wait=True)


def _try(folder: RunFolder, job: Job, *, wait: bool) -> bool:
    """Whether the job is done now."""
    if folder.done(job.step, job.key) is not None:
        return True
    lock = folder.path / "locks" / f"{job.step.replace('/', '-')}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=-1 if wait else 0):
            if folder.done(job.step, job.key) is None:
                folder.finish(job.step, job.key, job.work())
    except Timeout:
        return False
    return True
