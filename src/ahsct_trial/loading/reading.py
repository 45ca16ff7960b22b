"""From a file to checked rows, whatever they mean: the fast way if nothing is wrong, else the exact one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ahsct_trial.columns import PATIENT_ID, SIMILAR_IDENTIFIERS
from ahsct_trial.escaping import shown
from ahsct_trial.loading.checks import Violation, similar
from ahsct_trial.loading.header import Header
from ahsct_trial.loading.problems import DataProblems, Finding, Problem, fatal
from ahsct_trial.loading.rows import (
    Rows,
    Text,
    UnreadableRowsError,
    decimal_rule,
    read_text,
    read_typed,
)
from ahsct_trial.loading.source import Source
from ahsct_trial.results import Account, SetAside, SourceInfo

EMPTY_ROW = "row without a value in a known column"
_SHOWN_PAIRS = 5

Part = TypeVar("Part")
Meaning = TypeVar("Meaning")
#: Where cells were found wrong, by column, so that no other rule is held against them.
IsWrong = dict[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class Shape(Generic[Part, Meaning]):
    """How the rows of one shape of input are judged.

    Attributes
    ----------
    check_rows
        What is wrong with rows, each on its own, from the rows and their unreadable cells; it adds to
        `IsWrong`. May be given a part of the file.
    condense
        What is kept of rows that may be a part of the file.
    judge
        What all parts mean together, and what is wrong with them then; from the parts, the line of each
        row, and the cells found wrong.
    """

    check_rows: Callable[[Rows, Header, Mapping[str, NDArray[np.bool_]], IsWrong], Iterator[Violation]]
    condense: Callable[[Rows], Part]
    judge: Callable[[Sequence[Part], NDArray[np.int64], IsWrong, Header], tuple[Meaning, Iterator[Violation]]]


@dataclass(frozen=True)
class Checked(Generic[Meaning]):
    """Rows in which nothing is wrong.

    Attributes
    ----------
    meaning
        What the judge made of them.
    account
        What became of the file's rows.
    source
        The file.
    """

    meaning: Meaning
    account: Account
    source: Source

    def info(self, shape: str) -> SourceInfo:
        """The file as the results name it."""
        return SourceInfo(
            file=self.source.file, sha256=self.source.sha256, shape=shape, n_rows=self.account.rows_read
        )


def read_checked(source: Source, header: Header, shape: Shape[Part, Meaning]) -> Checked[Meaning]:
    """Read the rows, check them, and say what they mean.

    Raises
    ------
    DataProblems
        All that is wrong with the file, at once.
    """

    def take(block: Rows) -> Part:
        if next(shape.check_rows(block, header, {}, {}), None) is not None:
            raise UnreadableRowsError
        return shape.condense(block)

    try:
        parts, lines = read_typed(source, header, take)
    except UnreadableRowsError:
        pass
    else:
        meaning, violations = shape.judge(parts, lines, {}, header)
        if next(violations, None) is None:
            return Checked(meaning, _account(len(lines), len(lines)), source)
    text = read_text(source, header)
    n_read = len(text)
    text = _without_empty(source, text)
    is_wrong: IsWrong = {}
    found = list(shape.check_rows(text.rows, header, text.is_unreadable, is_wrong))
    meaning, violations = shape.judge([shape.condense(text.rows)], text.rows.lines, is_wrong, header)
    findings = [_finding(source, header, text, violation) for violation in (*found, *violations)]
    if text.ragged or findings:
        raise DataProblems.from_findings(source.file, [*text.ragged, *findings])
    return Checked(meaning, _account(n_read, len(text)), source)


def _without_empty(source: Source, text: Text) -> Text:
    """The rows that have a value; only a row without an identifier may have none."""
    if not text.is_missing(PATIENT_ID.name).any():
        return text
    is_used = ~text.is_empty()
    if not is_used.any():
        raise fatal(
            source.file, "no row has a value", "a cohort has a row per patient", "Export the data again."
        )
    return text.keep(is_used)


def _account(n_read: int, n_used: int) -> Account:
    n_empty = n_read - n_used
    return Account(
        rows_read=n_read,
        rows_used=n_used,
        set_aside=(SetAside(reason=EMPTY_ROW, count=n_empty),) if n_empty else (),
    )


def _finding(source: Source, header: Header, text: Text, violation: Violation) -> Finding:
    lines, cells = text.rows.lines, text.cells
    identifiers = cells[PATIENT_ID.name]

    def describe(line: int) -> Problem:
        row = int(np.searchsorted(lines, line))
        texts = {name: column[row].as_py() for name, column in cells.items()}
        value = texts.get(violation.column)  # a record may need a column that the file lacks
        named = {name: _named(text) for name, text in texts.items()}
        if violation.other_rows is not None:
            other = violation.other_rows[np.searchsorted(violation.rows, row)]
            named["other_line"] = str(lines[other])
        rule = violation.rule
        if violation.column in text.rows.numbers and value is not None:
            rule = decimal_rule(header, text.decimal_point, value) or rule
        return Problem(
            file=source.file,
            line=line,
            patient=identifiers[row].as_py(),
            column=violation.column,
            value=value,
            what=(
                f"{violation.column} is {_named(value)}"
                if violation.column in cells
                else f"there is no column {violation.column}"
            ),
            rule=rule.format(**named),
            fix=violation.fix,
        )

    return Finding(lines[violation.rows], describe)


def _named(text: str | None) -> str:
    """A cell's value within a sentence: plain numbers as they are, the rest in quotes."""
    if text is None:
        return "empty"
    return shown(text) if re.fullmatch(r"[-0-9.]+", text) else f"'{shown(text)}'"


def similar_identifiers(identifiers: pa.ChunkedArray) -> list[str]:
    """A warning that names identifiers which differ only by case or blanks, if there are any."""
    first, again = similar(identifiers)
    pairs = [
        f"'{shown(identifiers[one].as_py())}' and '{shown(identifiers[other].as_py())}'"
        for one, other in zip(first[:_SHOWN_PAIRS].tolist(), again[:_SHOWN_PAIRS].tolist(), strict=True)
    ]
    if not pairs:
        return []
    n_more = len(again) - len(pairs)
    more = f", and {n_more:,} more {'pair' if n_more == 1 else 'pairs'}" if n_more else ""
    return [f"{SIMILAR_IDENTIFIERS}: {', '.join(pairs)}{more}. Is it one patient?"]
