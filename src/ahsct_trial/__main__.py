"""The process `ahsct`, which is also `python -m ahsct_trial`."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

from ahsct_trial.cli import main


def run() -> None:
    """Run the command line, and end the process at once.

    To take Python down in order, and give back the memory of a large file piece by piece, would take a tenth
    of the whole time.
    """
    # Nothing here multiplies matrices, and threads that wait for it keep the cores from the reading.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Memory in large pages costs up to ten times as much where a virtual machine must ask its host for it.
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    # Imports make a hundred thousand lasting objects, which the collector would go through again and again.
    gc.set_threshold(100_000)
    exit_code = 0
    try:
        main()
    except SystemExit as done:
        exit_code = done.code if isinstance(done.code, int) else int(done.code is not None)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # closed, or never open
            stream.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    run()
