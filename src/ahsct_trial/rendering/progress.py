"""A sign of life on standard error while work takes longer than a second; only on a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

_PATIENCE_SECONDS = 1.0


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Give a function that names the present step; the name is shown from the second second on."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _step: None
        return
    step = "Working"
    status: Status | None = None
    lock = threading.Lock()

    def show() -> None:
        from rich.console import Console
        from rich.text import Text

        nonlocal status
        with lock:
            status = Console(stderr=True).status(Text(step))
            status.start()

    def name(text: str) -> None:
        from rich.text import Text

        nonlocal step
        with lock:
            step = text
            if status is not None:
                status.update(Text(text))

    timer = threading.Timer(_PATIENCE_SECONDS, show)
    timer.daemon = True
    timer.start()
    try:
        yield name
    finally:
        timer.cancel()
        timer.join()
        if status is not None:
            status.stop()
