"""Keep freed memory in the process, so that the next step does not pay for its pages again."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator

# From glibc's malloc.h: parameter numbers of mallopt, and the library's own defaults.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_DEFAULTS = {_TRIM_THRESHOLD: 128 * 1024, _TOP_PAD: 128 * 1024, _MMAP_MAX: 65536}
_KEEPING = {_TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 256 * 2**20, _MMAP_MAX: 0}


@contextlib.contextmanager
def reused_memory(*, active: bool = True) -> Iterator[bool]:
    """Within the block, large tensors come from the heap, which is not given back to the system.

    By default glibc maps every block above 32 MiB anew, and trims the heap; the page faults of a training step on a CPU then cost a
    quarter of its time (measured: 0.93 s against 0.71 s). Yields whether it could be set; on other systems nothing happens.
    """
    mallopt = _mallopt() if active else None
    if mallopt is None:
        yield False
        return
    for key, value in _KEEPING.items():
        mallopt(key, value)
    try:
        yield True
    finally:
        for key, value in _DEFAULTS.items():
            mallopt(key, value)
        give_back_memory()


def give_back_memory() -> bool:
    """Give freed pages of the heap back to the system; False where the C library cannot."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    return trim is not None and trim(0) >= 0


def _mallopt() -> ctypes._NamedFuncPointer | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return None
    return library.mallopt
