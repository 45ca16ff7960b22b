"""Work that several processors share: numpy and pyarrow leave the interpreter to others while they work."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

N_PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """What a function gives for each item, one thread per processor; one item needs no thread."""
    if len(items) < 2:
        return [*map(work, items)]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(N_PROCESSORS) as threads:
        return [*threads.map(work, items)]
