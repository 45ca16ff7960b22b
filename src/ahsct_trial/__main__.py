"""The process `ahsct`, which is also `python -m ahsct_trial`."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from ahsct_trial.cli import main


def run() -> None:
    """Run the command line, and end the process at once.

    To take Python down in order, and give back the memory of a large file piece by piece, would take a tenth
    of the whole time.
    """
    exit_code = 0
    try:
        main()
    except SystemExit as done:
        exit_code = done.code if isinstance(done.code, int) else 0
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # closed, or never open
            stream.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    run()
