"""Memory that is used again: for large files, clearing new memory takes longer than computing in it."""

from __future__ import annotations

import ctypes
from functools import cache

import pyarrow as pa

# Parameters of glibc's `mallopt`.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8


@cache
def keep_freed_memory() -> None:
    """Keep what is freed for what comes next, instead of giving it back to the system piece by piece.

    Each piece that is given back is cleared again, page by page, when it is next asked for. Does nothing
    where the C library is not glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_MMAP_MAX, 0)
        mallopt(_ARENA_MAX, 1)
        pa.set_memory_pool(pa.system_memory_pool())
