"""What to say of a file that is not there: the closest name that is."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown_path
from ahsct_trial.wording import closest

#: Entries of a folder that are looked at.
_MOST_ENTRIES = 10_000
#: The same ending makes any two names alike, so that the rest must be alike too.
_LIKENESS = 0.8


def no_such_file(path: str | Path) -> UsageError:
    """The error that a file is not there; its text names the file that is probably meant."""
    meant = _closest_file(Path(path))
    remedy = "Check the name and the folder." if meant is None else f"Is {shown_path(meant)} meant?"
    return UsageError(f"There is no file {shown_path(path)}. {remedy}")


def _closest_file(path: Path) -> Path | None:
    """The file on the path with the closest names, else one of the same name a folder further down."""
    place = Path(path.anchor)
    for part in path.relative_to(path.anchor).parts:
        name = part if _is(place / part, Path.exists) else closest(part, _entries(place), likeness=_LIKENESS)
        if name is None:
            return _further_down(path)
        place /= name
    return place if _is(place, Path.is_file) else None


def _further_down(path: Path) -> Path | None:
    below = (path.parent / name / path.name for name in _entries(path.parent))
    return next((file for file in below if _is(file, Path.is_file)), None)


def _is(path: Path, what: Callable[[Path], bool]) -> bool:
    """Whether a path is something; no, where nobody may look."""
    try:
        return what(path)
    except OSError:
        return False


def _entries(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, _MOST_ENTRIES))
    except OSError:
        return []
