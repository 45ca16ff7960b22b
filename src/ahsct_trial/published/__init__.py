"""Published results as data: one TOML file per publication, each figure with its mark and its source."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.published.model import (
    Contrast,
    Eligibility,
    Entry,
    Figure,
    Library,
    Mark,
    Publication,
    printed_figure,
)
from ahsct_trial.published.reading import parse_publication, read_publication
from ahsct_trial.results import SCHEMA_VERSION, TOOL

__all__ = [
    "Contrast",
    "Eligibility",
    "Entry",
    "Figure",
    "Library",
    "Mark",
    "Publication",
    "entry",
    "find_publication",
    "library",
    "printed_figure",
    "publication",
    "publications",
]


@cache
def publications() -> dict[str, Publication]:
    """All publications that come with the program, by id."""
    return {name: publication(name) for name in _known()}


@cache
def publication(name: str) -> Publication:
    """Find one publication by its id.

    Raises
    ------
    UsageError
        If there is none of that id; the text names the closest ones, or all there are.
    """
    known = _known()
    if name not in known:
        close = get_close_matches(name.casefold(), known, n=3, cutoff=0.4)
        remedy = f"Closest: {', '.join(close)}." if close else f"Known: {', '.join(known)}."
        raise UsageError(
            f"There is no publication '{shown(name)}' here. {remedy} The name of a file ends in .toml."
        )
    file = f"{name}.toml"
    return parse_publication(files(__name__).joinpath(file).read_bytes(), file)


def _known() -> list[str]:
    names = (file.name for file in files(__name__).iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def find_publication(name_or_file: str) -> Publication:
    """Find a publication by its id, or read one from a file whose name ends in ``.toml``.

    Raises
    ------
    UsageError
        If there is neither, or the file is no publication; the text says what is wrong.
    """
    if not name_or_file.endswith(".toml"):
        return publication(name_or_file)
    found = read_publication(Path(name_or_file))
    if found.id in _known():
        raise UsageError(
            f"{shown(name_or_file)}: id is {found.id!r}, which is a publication that comes with the program. "
            "Choose another id."
        )
    return found


def library() -> Library:
    """The publications as a document, the newest first."""
    newest_first = sorted(publications().values(), key=lambda each: (-(each.year or 0), each.id))
    return Library(schema_version=SCHEMA_VERSION, tool=TOOL, publications=tuple(newest_first))


def entry(name: str) -> Entry:
    """One publication as a document, with every setting of its protocol.

    Raises
    ------
    UsageError
        As `find_publication`.
    """
    found = find_publication(name)
    return Entry(schema_version=SCHEMA_VERSION, tool=TOOL, publication=found, protocol=found.own_protocol())
