"""From a file to checked rows, whatever they mean.

Rows that say the same of many patients are read once, else all in the fast way, and where that fails in the
exact one.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Generic, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ahsct_trial.columns import PATIENT_ID
from ahsct_trial.escaping import shown
from ahsct_trial.loading.blocks import Block, in_blocks
from ahsct_trial.loading.checks import Violation, similar
from ahsct_trial.loading.exact_rows import ExactRows, decimal_rule, read_exact_rows
from ahsct_trial.loading.header import Header
from ahsct_trial.loading.plain_rows import NotPlainError, read_plain_rows
from ahsct_trial.loading.problems import DataProblems, Finding, Problem, fatal
from ahsct_trial.loading.rows import Rows
from ahsct_trial.loading.shared_rows import SharedRows, find_shared_rows
from ahsct_trial.loading.source import Source
from ahsct_trial.patients import PatientTable
from ahsct_trial.protocol import TimeZero
from ahsct_trial.records import Records
from ahsct_trial.results import Account, Notice, SetAside, SourceFile, SourceInfo
from ahsct_trial.threads import side_by_side
from ahsct_trial.trial import Places, Trial

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
        `IsWrong`. May be given a part of the file, or with `spread` rows whose identifier means nothing.
    condense
        What is kept of rows that may be a part of the file, each on its own.
    judge
        What all parts mean together, and what is wrong with them then; from the parts, the line of each
        row, and the cells found wrong.
    spread
        What is kept of all rows, from what is kept of parts of the different ones; None for a shape of which
        each row is different.
    """

    check_rows: Callable[[Rows, Header, Mapping[str, NDArray[np.bool_]], IsWrong], Iterator[Violation]]
    condense: Callable[[Rows], Part]
    judge: Callable[[Sequence[Part], NDArray[np.int64], IsWrong, Header], tuple[Meaning, Iterator[Violation]]]
    spread: Callable[[Sequence[Part], SharedRows], Part] | None = None


@dataclass(frozen=True)
class Checked(Generic[Meaning]):
    """Rows in which nothing is wrong.

    Attributes
    ----------
    meaning
        What the judge made of them.
    lines
        Line of the file on which each row begins.
    account
        What became of the file's rows.
    source
        The file.
    """

    meaning: Meaning
    lines: NDArray[np.int64]
    account: Account
    source: Source

    def trial(
        self, data: PatientTable | Records, notices: Sequence[Notice], time_zero: TimeZero | None = None
    ) -> Trial:
        """What the rows came to, with the way back to the file."""
        source = self.source
        is_records = isinstance(data, Records)
        files = (SourceFile(file=source.file, sha256=source.sha256, n_rows=self.account.rows_read),)
        return Trial(
            data=data,
            source=SourceInfo(files=files, shape="records" if is_records else "patient_table"),
            account=self.account,
            places=Places(self.lines, ((source.file, None),)),
            notices=tuple(notices),
            time_zero=time_zero,
        )


def read_checked(source: Source, header: Header, shape: Shape[Part, Meaning]) -> Checked[Meaning]:
    """Read the rows, check them, and say what they mean.

    Raises
    ------
    DataProblems
        All that is wrong with the file, at once.
    """
    file = _File(source, header, shape)
    judged = file.judged()
    lines = _lines(judged)
    is_wrong = _joined_flags(judged)
    findings = [finding for own in judged for finding in own.findings]
    if lines.size:
        meaning, violations = shape.judge([own.part for own in judged], lines, is_wrong, header)
        findings += [file.finding(violation, lines) for violation in violations]
    if findings:
        raise DataProblems.from_findings(source.file, findings)
    if not lines.size:
        raise fatal(
            source.file, "no row has a value", "a cohort has a row per patient", "Export the data again."
        )
    return Checked(meaning, lines, _account(sum(own.n_read for own in judged), len(lines)), source)


@dataclass(frozen=True)
class _Judged(Generic[Part]):
    """What was read of a part of the file.

    Attributes
    ----------
    part
        What is kept of its rows.
    lines
        Line of the file on which each row begins.
    n_read
        Number of rows, with those that are set aside.
    is_wrong, findings
        Where cells were found wrong, and what is wrong with rows.
    """

    part: Part
    lines: range | NDArray[np.int64]
    n_read: int
    is_wrong: IsWrong = field(default_factory=dict)
    findings: Sequence[Finding] = ()


class _File(Generic[Part, Meaning]):
    """A file in blocks of whole lines, of which one thread per processor reads one at a time.

    A block is checked and condensed while it is in the processor's cache, and little of it is kept. Where
    rows repeat each other, the blocks are those of the different rows.
    """

    def __init__(self, source: Source, header: Header, shape: Shape[Part, Meaning]) -> None:
        self._source = source
        self._header = header
        self._shape = shape
        self._blocks = in_blocks(source.data, header.body_offset)
        self._first_lines: Sequence[int] = ()
        # Problems are described by ascending line, so of one block after the other.
        self._exact = lru_cache(1)(self._read_exact)

    def judged(self) -> list[_Judged[Part]]:
        """All rows at once by the different ones; else block by block, in the exact way where needed."""
        shared = self._shared()
        if shared is not None:
            return [shared]
        plain = self._plain()
        self._number(
            block.count_lines() if found is None else found[1]
            for block, found in zip(self._blocks, plain, strict=True)
        )
        others = [place for place, found in enumerate(plain) if found is None]
        exact = dict(zip(others, side_by_side(self._judge_exact, others), strict=True))
        judged = []
        for place, (found, first_line) in enumerate(zip(plain, self._first_lines, strict=True)):
            if found is None:
                judged.append(exact[place])
            else:
                part, n_rows = found
                judged.append(_Judged(part, range(first_line, first_line + n_rows), n_rows))
        return judged

    def _number(self, n_lines: Iterable[int]) -> None:
        """Note the line on which each block begins, given the number of its lines."""
        before = Block(self._source.data, self._header.body_offset, self._blocks[0].start).count_lines()
        first_line = self._header.body_line + before
        *self._first_lines, _ = itertools.accumulate(n_lines, initial=first_line)

    def _shared(self) -> _Judged[Part] | None:
        """What is kept of all rows, each different one read once; None where that is not possible."""
        if self._shape.spread is None:
            return None
        rows = find_shared_rows(self._blocks, self._header)
        if rows is None:
            return None
        different = self._all_plain(rows.different)
        if different is None:
            return None
        self._number(rows.n_lines)
        lines = range(self._first_lines[0], self._first_lines[0] + len(rows.place))
        return _Judged(self._shape.spread([part for part, _ in different], rows), lines, len(lines))

    def _plain(self) -> Sequence[tuple[Part, int] | None]:
        """What is kept of each block and its number of rows, None where a closer look is needed.

        Of a semicolon or tab file all or nothing: only all its numbers together tell the decimal mark.
        """
        if self._header.delimiter == ",":
            return side_by_side(partial(self._read_plain, "."), self._blocks)
        found = self._all_plain(self._blocks)
        if found is not None:
            return found
        self._blocks = [Block(self._source.data, self._blocks[0].start, self._blocks[-1].stop)]
        return [None]

    def _all_plain(self, blocks: Sequence[Block]) -> list[tuple[Part, int]] | None:
        """What is kept of each block and its number of rows; None unless one decimal mark makes all plain."""
        first, *others = blocks
        for decimal_point in (".",) if self._header.delimiter == "," else (".", ","):
            # The first block mostly tells which of two marks is right.
            found = [self._read_plain(decimal_point, first)]
            if found[0] is not None:
                found += side_by_side(partial(self._read_plain, decimal_point), others)
            plain = [own for own in found if own is not None]
            if len(plain) == len(blocks):
                return plain
        return None

    def _read_plain(self, decimal_point: str, block: Block) -> tuple[Part, int] | None:
        """What is kept of a block and its number of rows; None where anything needs a closer look."""
        try:
            rows = read_plain_rows(block, self._header, decimal_point)
        except NotPlainError:
            return None
        if next(self._shape.check_rows(rows, self._header, {}, {}), None) is not None:
            return None
        return self._shape.condense(rows), len(rows)

    def _read_exact(self, place: int) -> ExactRows:
        return read_exact_rows(self._source.file, self._header, self._blocks[place], self._first_lines[place])

    def _judge_exact(self, place: int) -> _Judged[Part]:
        read = self._exact(place)
        used = read.with_value()
        is_wrong: IsWrong = {}
        found = list(self._shape.check_rows(used.rows, self._header, used.is_unreadable, is_wrong))
        findings = [*read.ragged, *(self.finding(violation, used.lines) for violation in found)]
        return _Judged(self._shape.condense(used.rows), used.lines, len(read), is_wrong, findings)

    def finding(self, violation: Violation, lines: NDArray[np.int64]) -> Finding:
        """What is wrong with some rows, which stand on these lines."""
        own = lines[violation.rows]

        def describe(line: int) -> Problem:
            exact = self._exact(bisect_right(self._first_lines, line) - 1)
            row = int(np.searchsorted(exact.lines, line))
            texts = {name: column[row].as_py() for name, column in exact.cells.items()}
            value = texts.get(violation.column)  # a record may need a column that the file lacks
            named = {name: _named(text) for name, text in texts.items()}
            if violation.other_rows is not None:
                other = violation.other_rows[np.searchsorted(own, line)]
                named["other_line"] = str(lines[other])
            rule = violation.rule
            if violation.column in exact.is_unreadable and value is not None:
                rule = decimal_rule(self._header, exact.decimal_point, value) or rule
            return Problem(
                file=self._source.file,
                line=line,
                patient=texts[PATIENT_ID.name],
                column=violation.column,
                value=value,
                what=(
                    f"{violation.column} is {_named(value)}"
                    if violation.column in texts
                    else f"there is no column {violation.column}"
                ),
                rule=rule.format(**named),
                fix=violation.fix,
            )

        return Finding(own, describe)


def _lines(judged: Sequence[_Judged[Part]]) -> NDArray[np.int64]:
    """Line of each row."""
    lines = [own.lines for own in judged]
    if all(isinstance(own, range) for own in lines):
        return np.arange(lines[0][0], lines[-1][-1] + 1)
    return np.concatenate([np.asarray(own, dtype=np.int64) for own in lines])


def _joined_flags(judged: Sequence[_Judged[Part]]) -> IsWrong:
    """Where cells of all rows were found wrong."""
    names = dict.fromkeys(name for own in judged for name in own.is_wrong)
    return {
        name: np.concatenate([own.is_wrong.get(name, np.zeros(len(own.lines), dtype=bool)) for own in judged])
        for name in names
    }


def _account(n_read: int, n_used: int) -> Account:
    n_empty = n_read - n_used
    return Account(
        rows_read=n_read,
        rows_used=n_used,
        set_aside=(SetAside(reason=EMPTY_ROW, count=n_empty),) if n_empty else (),
    )


def _named(text: str | None) -> str:
    """A cell's value within a sentence: plain numbers as they are, the rest in quotes."""
    if text is None:
        return "empty"
    return shown(text) if re.fullmatch(r"[-0-9.]+", text) else f"'{shown(text)}'"


def similar_identifiers(identifiers: pa.Array) -> list[Notice]:
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
    text = f"Identifiers that differ only by case or blanks: {', '.join(pairs)}{more}. Is it one patient?"
    return [Notice(code="similar-identifiers", severity="look first", text=text, names_patients=True)]
