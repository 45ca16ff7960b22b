"""From a file to checked parts, whatever its rows mean: read, typed, checked and condensed block by block."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from ahsct_trial.chunks import end_to_end, number_type
from ahsct_trial.columns import NUMERIC_KINDS, PATIENT_ID
from ahsct_trial.loading.blocks import NotPlain, Rows, TextTable
from ahsct_trial.loading.checks import cell_violations, is_missing_code
from ahsct_trial.loading.identifiers import summary_rows
from ahsct_trial.loading.inputs import Input
from ahsct_trial.loading.problems import (
    FILL_IN,
    ROW_RULE,
    Group,
    Problems,
    Violation,
    fatal,
    grouped,
    on_lines,
    refuse_what_to_look_at_first,
)
from ahsct_trial.loading.table import Table, repeated
from ahsct_trial.loading.values import Forms, count_marks, may_be_plain, meant, plain_numbers
from ahsct_trial.parallel import side_by_side
from ahsct_trial.patients import PatientTable
from ahsct_trial.protocol import TimeZero
from ahsct_trial.records import IntArray, Records
from ahsct_trial.results import Account, Notice, SetAside, SourceFile, SourceInfo
from ahsct_trial.trial import Places, Trial

EMPTY_ROW = "row without a value in a known column"
ALIKE_ROW = "row that is alike in every cell with an earlier one"
_DELIMITER_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
#: Lines that are named of rows that are set aside.
_SHOWN_LINES = 20

Part = TypeVar("Part")


@dataclass(frozen=True)
class _ReadPart(Generic[Part]):
    """What is kept of a part of a file, and what was found in it; lines are counted from its first one."""

    kept: Part
    rows: Rows
    n_read: int
    groups: list[Group]
    empty: IntArray
    missing: Counter[str]
    spans: dict[str, tuple[float, float, int, list[int]]]
    marks: dict[str, int]


@dataclass
class Read(Generic[Part]):
    """The parts of a file, and what was found in them.

    Attributes
    ----------
    parts
        What is kept of each part.
    places
        The way from the rows back to the lines.
    problems
        What is wrong with rows and cells, to which is added what all rows together have.
    notices
        What should be known of the reading.
    n_rows
        Rows that are used.
    keys
        By which `Input.row_texts` knows each row.
    """

    source: Input
    parts: list[Part]
    places: Places
    problems: Problems
    notices: list[Notice]
    n_read: int
    n_rows: int
    set_aside: list[SetAside]
    missing: Counter[str]
    keys: IntArray

    def set_repeated_rows_aside(self, candidates: IntArray) -> IntArray:
        """Those of some rows, ascending, that are alike in every cell with an earlier one of them: not used."""
        if len(candidates) < 2:
            return candidates[:0]
        texts = self.source.row_texts(self.keys[candidates])
        rows = candidates[repeated(texts)[1]]
        if rows.size:
            self.set_aside.append(_set_aside(ALIKE_ROW, self.places.lines[rows]))
            self.n_rows -= len(rows)
        return rows

    def trial(
        self, data: PatientTable | Records, *, is_strict: bool, time_zero: TimeZero | None = None
    ) -> Trial:
        """What the rows came to; with `is_strict` what should be looked at first is an error.

        Raises
        ------
        DataProblems
            If it is.
        """
        if is_strict:
            refuse_what_to_look_at_first(self.source.file, self.notices)
        file = SourceFile(file=self.source.file, sha256=self.source.sha256(), n_rows=self.n_read)
        return Trial(
            data=data,
            source=SourceInfo(
                files=(file,), shape="records" if isinstance(data, Records) else "patient_table"
            ),
            account=Account(
                rows_read=self.n_read,
                rows_used=self.n_rows,
                set_aside=tuple(self.set_aside),
                missing=dict(self.missing),
            ),
            places=self.places,
            notices=tuple(self.notices),
            time_zero=time_zero,
        )

    def raise_any(self) -> None:
        """Raise `DataProblems` if anything is wrong."""
        urgent = [notice for notice in self.notices if notice.severity == "look first"]
        self.problems.raise_any(self.source.file, self.source.tables, urgent)


def read_parts(
    source: Input,
    check: Callable[[Table], Iterator[Violation]],
    condense: Callable[[Table], Part],
    *,
    is_patient_table: bool,
) -> Read[Part]:
    """Read the rows, check each on its own, and keep what matters of them.

    Parameters
    ----------
    source
        Where they come from.
    check
        What is wrong with rows of a part, beside cells that their column does not take.
    condense
        What is kept of a part.
    is_patient_table
        Whether each row is a patient.
    """
    readers = source.readers
    end = len(readers) - 1

    def judged(texts: TextTable, forms: Forms, number: int) -> _ReadPart[Part]:
        return _judged(source, texts, forms, (check, condense), (is_patient_table, number == end))

    def read_part(forms: Forms, number: int) -> _ReadPart[Part]:
        """Read a part as numbers, dates and texts; as texts, which messages need, where anything is wrong."""
        if may_be_plain(forms):
            with suppress(NotPlain):
                return judged(readers[number](True), forms, number)
        return judged(readers[number](False), forms, number)

    forms = source.forms
    if forms.delimiter == ",":
        # Two processors read 10,000,000 records in 0.6 of the time that one takes.
        parts = side_by_side(lambda number: read_part(forms, number), range(len(readers)))
    else:
        # All numbers together tell the decimal mark; those of the first part mostly do.
        forms = replace(forms, decimal_point=_decimal_mark(read_part(forms, 0).marks))
        parts = side_by_side(lambda number: read_part(forms, number), range(len(readers)))
        marks = Counter[str]()
        for part in parts:
            marks.update(part.marks)
        if _decimal_mark(marks) != forms.decimal_point:
            forms = replace(forms, decimal_point=_decimal_mark(marks))
            parts = side_by_side(lambda number: read_part(forms, number), range(len(readers)))
    return _joined(source, parts)


def _decimal_mark(marks: dict[str, int]) -> str:
    """The decimal mark that more numbers of a semicolon or tab file have, a comma at a tie."""
    return "." if marks["."] > marks[","] else ","


def _judged(
    source: Input,
    texts: TextTable,
    forms: Forms,
    layout: tuple[Callable[[Table], Iterator[Violation]], Callable[[Table], Part]],
    place: tuple[bool, bool],
) -> _ReadPart[Part]:
    """Type, check and condense the rows of a part."""
    check, condense = layout
    is_patient_table, is_end = place
    table = Table(
        {
            column.name: plain_numbers(column, texts.plain[column.name])
            if column.name in texts.plain
            else meant(column, texts.columns[column.name], forms)
            for column in source.columns
        },
        texts.rows,
    )
    groups = [_ragged(source, line, n_cells, forms) for line, n_cells in texts.rows.ragged]
    empty = texts.rows.lines[:0]
    is_left_out = table.is_empty()
    if is_left_out.any():
        empty = texts.rows.lines[is_left_out]
        table = table.among(~is_left_out)
    summary = summary_rows(table, is_patient_table=is_patient_table, is_end=is_end)
    if summary.size:
        rule = "a row of totals or means is not a patient"
        groups += grouped(Violation(summary, PATIENT_ID.name, rule, "Remove the row."), table)
        is_patient = np.ones(len(table), dtype=bool)
        is_patient[summary] = False
        table = table.among(is_patient)
    for violation in itertools.chain(cell_violations(table, forms), check(table)):
        if texts.plain:
            raise NotPlain  # the problem is told with the texts of the row
        groups += grouped(violation, table)
    numeric = [column.name for column in source.columns if column.kind in NUMERIC_KINDS - {"date"}]
    return _ReadPart(
        kept=condense(table),
        rows=table.rows,
        n_read=len(texts.rows) + len(texts.rows.ragged),
        groups=groups,
        empty=empty,
        missing=sum((Counter(column.missing) for column in table.columns.values()), Counter()),
        spans={name: span for name in numeric if (span := _span(table, name)) is not None},
        marks={} if forms.delimiter == "," else count_marks([texts.columns[name] for name in numeric]),
    )


def _ragged(source: Input, line: int, n_cells: int, forms: Forms) -> Group:
    what = f"the row has {n_cells:,} {'cell' if n_cells == 1 else 'cells'}"
    rule = f"the header has {source.n_names:,}"
    fix = (
        f"Remove cells, or put a text that holds {_DELIMITER_NAMES[forms.delimiter]} in double quotes."
        if n_cells > source.n_names
        else "Add the missing cells, if only as empty ones."
    )
    return Group(kind=(None, rule), what=what, rule=rule, fix=fix, lines=(line,))


def _span(table: Table, name: str) -> tuple[float, float, int, list[int]] | None:
    """Lowest and highest number of a column; if these are one, how many cells have it and the first lines."""
    column = table.columns[name]
    lowest, highest = column.span()
    if np.isnan(lowest):
        return None
    rows = np.flatnonzero(~column.is_missing()) if lowest == highest else np.empty(0, dtype=np.intp)
    return lowest, highest, len(rows), table.lines[rows[:3]].tolist()


def _joined(source: Input, parts: Sequence[_ReadPart[Part]]) -> Read[Part]:
    """The parts one after the other, with the lines of the file."""
    *starts, end = itertools.accumulate((part.rows.n_lines for part in parts), initial=source.first_line)
    problems = Problems()
    missing = Counter[str]()
    empty: list[IntArray] = []
    broken: list[int] = []
    for part, start in zip(parts, starts, strict=True):
        problems.add(group.below(start) for group in part.groups)
        missing += part.missing
        empty.append(part.empty + start)
        broken += [line + start for line in part.rows.broken]
    problems.add(_missing_codes(parts, starts))
    line_type = number_type(max(end, *(int(part.rows.lines.max(initial=0)) for part in parts)))
    lines = end_to_end(
        (part.rows.lines + line_type(start) for part, start in zip(parts, starts, strict=True)),
        sum(len(part.rows) for part in parts),
        line_type,
    )
    tables = [part.rows.table for part in parts if part.rows.table is not None]
    numbers = [part.rows.numbers for part in parts if part.rows.numbers is not None]
    n_empty = sum(map(len, empty))
    notices = [*source.notices]
    if broken:
        text = (
            f"A quoted cell of {on_lines(broken, len(broken))} holds a line break. "
            "Was a quote opened by mistake, and were rows swallowed?"
        )
        notices.append(Notice(code="line-break", severity="look first", text=text))
    if not len(lines) and not problems.groups:
        raise fatal(source.file, "no row below the headings has a value", ROW_RULE, FILL_IN)
    return Read(
        source=source,
        parts=[part.kept for part in parts],
        places=Places(lines, tuple(source.tables), np.concatenate(tables) if tables else None),
        problems=problems,
        notices=notices,
        n_read=sum(part.n_read for part in parts),
        n_rows=len(lines),
        set_aside=[_set_aside(EMPTY_ROW, np.concatenate(empty))] if n_empty else [],
        missing=missing,
        keys=np.concatenate(numbers) if numbers else lines,
    )


def _set_aside(reason: str, lines: IntArray) -> SetAside:
    return SetAside(reason=reason, count=len(lines), lines=tuple(lines[:_SHOWN_LINES].tolist()))


def _missing_codes(parts: Sequence[_ReadPart[Part]], starts: Sequence[int]) -> Iterator[Group]:
    """Columns of which each cell holds the same number that mostly stands for missing."""
    for name in dict.fromkeys(name for part in parts for name in part.spans):
        spans = [
            (*part.spans[name], start)
            for part, start in zip(parts, starts, strict=True)
            if name in part.spans
        ]
        lowest, highest = min(span[0] for span in spans), max(span[1] for span in spans)
        n_rows = sum(span[2] for span in spans)
        if is_missing_code(lowest, highest, n_rows):
            yield Group(
                kind=(name, "missing-code"),
                column=name,
                value=f"{lowest:g}",
                what=f"{name} is {lowest:g} in every row that has it",
                rule="such a number mostly stands for missing",
                fix=f"Leave the cells empty, or add --missing {lowest:g}.",
                lines=tuple(line + span[4] for span in spans for line in span[3])[:3],
                n_rows=n_rows,
            )
