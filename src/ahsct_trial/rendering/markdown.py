"""Sections as Markdown: for a document, a pull request, a note."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ahsct_trial.rendering.sections import Section, one_line

#: What makes a list within a list of a sentence that begins with it.
_MARK = re.compile(r"^(\d*)([-+.)])(?=[-\s]|$)")
# An underscore within a word means nothing in Markdown and stays readable.
_SPECIAL = re.compile(r"([\\`*{}\[\]<>|#&~]|(?<![^\W_])_|_(?![^\W_]))")


def write_markdown(sections: Sequence[Section]) -> str:
    """Write sections as Markdown; text of the file stays text."""
    return "\n\n".join(block for section in sections for block in _blocks(section)) + "\n"


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _blocks(section: Section) -> Iterator[str]:
    if section.title:
        yield f"## {_plain(section.title)}"
    if section.lead:
        yield _list(section.lead)
    if section.rows:
        yield "\n".join(_table(section))
    if section.notes:
        yield _list(section.notes)


def _list(sentences: Sequence[str]) -> str:
    return "\n".join("- " + _MARK.sub(r"\1\\\2", _plain(sentence)) for sentence in sentences)


def _table(section: Section) -> Iterator[str]:
    headings = section.headings or ("",) * len(section.rows[0])
    yield _row([one_line(heading) for heading in headings])
    is_list = not section.headings
    yield _row(["---" if is_list or place in section.texts else "---:" for place in range(len(headings))])
    for row in section.rows:
        yield _row([_plain(cell) for cell in row])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
