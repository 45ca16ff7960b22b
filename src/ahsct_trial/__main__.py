"""The process `ahsct`, which is also `python -m ahsct_trial`."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import suppress

from ahsct_trial.cli import main

# Parameters of glibc's `mallopt`.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8


def run() -> None:
    """Run the command line, and end the process at once.

    To take Python down in order, and give back the memory of a large file piece by piece, would take a tenth
    of the whole time.
    """
    _prepare()
    exit_code = 0
    try:
        main()
    except SystemExit as done:
        exit_code = done.code if isinstance(done.code, int) else int(done.code is not None)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # closed, or never open
            stream.flush()
    os._exit(exit_code)


def _prepare() -> None:
    """Set what numpy, pyarrow and the interpreter look at when they start, for speed alone."""
    # Nothing here multiplies matrices, and threads that wait for it keep the cores from the reading.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Imports make a hundred thousand lasting objects, which the collector would go through again and again.
    gc.set_threshold(100_000)
    # Memory that was never used costs more than what is computed in it. In large pages it costs up to ten
    # times as much where a virtual machine must ask its host for them.
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    # So what is freed stays with the process: for pyarrow too, and with glibc not given back piece by piece.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for parameter, value in ((_TRIM_THRESHOLD, 2**31 - 1), (_MMAP_MAX, 0), (_ARENA_MAX, 1)):
            mallopt(parameter, value)


if __name__ == "__main__":
    run()
