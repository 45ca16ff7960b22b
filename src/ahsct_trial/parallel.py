"""Work that several processors share: numpy and pyarrow leave the interpreter to others while they work."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

N_PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


#: From so many rows on, threads are worth their start. The endpoints of a million patients took 1.1 s of two
#: processors instead of 1.9 s of one.
_WORTH_THREADS = 100_000


def side_by_side(
    work: Callable[[Item], Result], items: Iterable[Item], *, n_rows: float = math.inf
) -> list[Result]:
    """What a function gives for each item, one thread per processor.

    One item needs no thread, and neither do items of few rows.
    """
    items = [*items]
    if len(items) < 2 or n_rows < _WORTH_THREADS:
        return [*map(work, items)]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(N_PROCESSORS) as threads:
        return [*threads.map(work, items)]


def import_meanwhile(modules: Iterable[str]) -> None:
    """Import modules that will be needed while this thread goes on, for example with reading a file.

    First comes what `side_by_side` needs.

    What goes wrong is not told here: whoever needs the module imports it too, and hears of it.
    """

    def import_all() -> None:
        with suppress(Exception):
            for module in ("concurrent.futures.thread", *modules):
                import_module(module)

    with suppress(RuntimeError):  # where no thread can be started
        Thread(target=import_all).start()
