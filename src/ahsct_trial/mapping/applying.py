"""A map and a source make one canonical table, with the way back from each row to its line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.columns import PATIENT_TABLE, RECORDS
from ahsct_trial.escaping import shown
from ahsct_trial.loading.formats.cells import CellTable
from ahsct_trial.loading.problems import FILL_IN, ROW_RULE, fatal, on_lines
from ahsct_trial.mapping.faults import Faults
from ahsct_trial.mapping.merging import given_kinds, merge_records
from ahsct_trial.mapping.model import Map
from ahsct_trial.mapping.patients import patients_of
from ahsct_trial.mapping.records import records_of
from ahsct_trial.mapping.rows import Made, TableRead, places_of, read_table
from ahsct_trial.mapping.sources import find_tables
from ahsct_trial.results import Account, Notice, Severity, SourceFile
from ahsct_trial.trial import Places
from ahsct_trial.wording import first_of

if TYPE_CHECKING:
    from ahsct_trial.mapping.sources import Source

#: What a file of records lacks without a kind of record, in the words of the endpoints.
_LACKING = {
    "death": "deaths: overall survival and mortality take everybody to be alive at last contact",
    "relapse": "relapses: relapse endpoints are not in this file",
    "mri": "MRI scans: lesion endpoints are not in this file",
    "edss": "EDSS visits: disability endpoints are not in this file",
}


@dataclass(frozen=True, eq=False)
class MappedTable:
    """What a map made of a source.

    Attributes
    ----------
    table
        Records or a patient table in canonical form; its line numbers are those that it has when written as
        CSV.
    places
        Where each row comes from: its file, sheet and line.
    files
        The files that were read.
    account
        What became of the rows of the source, of all tables and of each; rows used are rows of the source, of
        which each may give several records.
    notices
        What a person should know of.
    """

    table: CellTable
    places: Places
    files: tuple[SourceFile, ...]
    account: Account
    notices: tuple[Notice, ...]


def apply_map(rules: Map, source: Source) -> MappedTable:
    """Make records or a patient table of a source.

    Parameters
    ----------
    rules
        The map.
    source
        A file, a folder, a list of files, or DataFrames by the names that the map has for its tables.

    Raises
    ------
    UsageError
        If a file cannot be read.
    DataProblems
        Everything in the source that the map cannot make canonical, at once.
    """
    found = find_tables(rules, source)
    faults = Faults()
    tables_read = [
        table_read
        for rule, table in zip(rules.tables, found.tables, strict=True)
        if table is not None and (table_read := read_table(table, rule, faults)) is not None
    ]
    if not tables_read:
        faults.raise_any()
        raise fatal(
            first_of(found.unused),
            "none of the tables that the map names is there",
            f"it names {first_of([rule.label for rule in rules.tables])}",
            "Name yours in the map.",
        )
    if rules.gives_records:
        parts = [
            part for number, table_read in enumerate(tables_read) for part in records_of(table_read, number)
        ]
        # What is wrong in one table must not hide what is wrong in another, but records need all tables.
        faults.raise_any()
        joined = Made.joined(parts, [column.name for column in RECORDS])
        merged = merge_records(rules, joined, tables_read, faults)
        made, also_used = merged.made, merged.also_used
        giving = frozenset(np.unique(joined.table).tolist())
        used = [
            np.concatenate([made.row[made.table == number], rows]) for number, rows in enumerate(also_used)
        ]
    else:
        n_there = sum(table is not None for table in found.tables)
        made, patients_used = patients_of(tables_read, is_whole=len(tables_read) == n_there)
        used = list(patients_used)
        giving = frozenset(number for number, rows in enumerate(used) if rows.size)
    faults.raise_any()
    if not len(made):
        raise fatal(_names(found.tables), "no row has a value that the map reads", ROW_RULE, FILL_IN)
    account = _account(tables_read, used)
    notices = [
        *_without_record(tables_read, giving, account),
        *_dayless(tables_read),
        *_unread(tables_read),
        *(_lacking(rules, made) if rules.gives_records else ()),
    ]
    if found.unused:
        listed = ", ".join(map(shown, found.unused))
        text = f"Files and sheets that the map {shown(rules.name)} does not name: {listed}."
        notices.append(Notice(code="tables-not-in-map", text=text))
    return MappedTable(
        table=_table(made, tables_read),
        places=places_of(made, tables_read),
        files=_files(tables_read),
        account=account,
        notices=tuple(notices),
    )


def _dayless(tables_read: Iterable[TableRead]) -> Iterator[Notice]:
    """Dates without a day, and what the map makes of them."""
    for table_read in tables_read:
        view = table_read.view
        for heading, rows in view.dayless.items():
            if not rows.size:
                continue
            lines = on_lines(view.table.lines[rows[:3]].tolist(), len(rows))
            noun = "1 date" if len(rows) == 1 else f"{len(rows):,} dates"
            where = f"In {shown(view.table.label)} {noun} under {shown(heading)} ({lines}) without a day"
            are, they_tell = ("is", "it tells") if len(rows) == 1 else ("are", "they tell")
            if view.rule.partial_date == "missing":
                text = (
                    f'{where} {are} left out with what {they_tell} of (partial_date = "missing"): a death or a relapse '
                    "would not be counted."
                )
                yield Notice(code="dates-left-out", severity="look first", text=text)
            else:
                text = f'{where} {are} taken as partial_date = "{view.rule.partial_date}" says.'
                yield Notice(code="dates-completed", text=text)


def _names(tables: Iterable[CellTable | None]) -> str:
    """The files of some tables, each once."""
    return ", ".join(dict.fromkeys(table.file for table in tables if table is not None))


def _table(made: Made, tables_read: Sequence[TableRead]) -> CellTable:
    order = dict.fromkeys(column.name for column in (*RECORDS, *PATIENT_TABLE))
    names = tuple(name for name in order if name in made.columns)
    digests = dict.fromkeys(table_read.source.table.sha256 for table_read in tables_read)
    return CellTable(
        file=_names([table_read.source.table for table_read in tables_read]),
        sheet=None,
        names=names,
        columns=tuple(made.columns[name] for name in names),
        lines=np.arange(2, len(made) + 2),
        sha256=next(iter(digests)) if len(digests) == 1 else sha256("".join(digests).encode()).hexdigest(),
    )


def _files(tables_read: Sequence[TableRead]) -> tuple[SourceFile, ...]:
    n_rows: dict[tuple[str, str], int] = {}
    for table_read in tables_read:
        key = (table_read.source.table.file, table_read.source.table.sha256)
        n_rows[key] = n_rows.get(key, 0) + len(table_read.source)
    return tuple(SourceFile(file=file, sha256=digest, n_rows=n) for (file, digest), n in n_rows.items())


def _account(tables_read: Sequence[TableRead], used: Sequence[NDArray[np.int64]]) -> Account:
    tables = tuple(table_read.account(rows) for table_read, rows in zip(tables_read, used, strict=True))
    n_missing = sum((table_read.n_missing for table_read in tables_read), Counter())
    return Account(
        rows_read=sum(table.rows_read for table in tables),
        rows_used=sum(table.rows_used for table in tables),
        set_aside=tuple(aside for table in tables for aside in table.set_aside),
        missing=dict(n_missing.most_common()),
        tables=tables,
    )


def _unread(tables_read: Sequence[TableRead]) -> Iterator[Notice]:
    """Columns without a reader, columns that the map may lack, and tests that no row has."""
    unread = [
        f"{table_read.source.table.label}: {', '.join(map(shown, table_read.unread_columns))}"
        for table_read in tables_read
        if table_read.unread_columns
    ]
    if unread:
        yield Notice(
            code="columns-not-in-map", text=f"Columns that the map does not read: {'; '.join(unread)}."
        )
    for table_read in tables_read:
        label = table_read.source.table.label
        for name, cells in table_read.source.rule.optional_cells:
            if not any(table_read.view.has(heading) for heading in cells.headings):
                headings = " or ".join(map(shown, cells.headings))
                text = f"{label}: there is no column {headings}, so it tells nothing of {name}."
                yield Notice(code="column-not-found", text=text, severity=_severity(name))
        pivot = table_read.source.rule.pivot
        if pivot is not None and table_read.wide is not None:
            for test in table_read.wide.absent:
                text = f"{label}: no row has {shown(test)} under {shown(pivot.name)}."
                yield Notice(code="test-not-found", text=text)


def _without_record(
    tables_read: Sequence[TableRead], giving: frozenset[int], account: Account
) -> Iterator[Notice]:
    """Tables with rows of which nothing was made: the codes that the map looks for are mostly others there."""
    for number, (table_read, of_table) in enumerate(zip(tables_read, account.tables, strict=True)):
        if number in giving or not of_table.rows_read:
            continue
        reasons = "; ".join(f"{each.reason} ({each.count:,})" for each in of_table.set_aside)
        # A table that tells of deaths alone has none where nobody died.
        is_of_deaths = {rule.kind for rule in table_read.source.rule.records} == {"death"}
        yield Notice(
            code="table-without-record",
            text=f"{table_read.source.table.label}: the map makes nothing of its {of_table.rows_read:,} rows: "
            f"{reasons}. Where some should count, name their texts in the map.",
            severity="note" if is_of_deaths else "look first",
        )


def _severity(name: str) -> Severity:
    return "look first" if name == "death" else "note"


def _lacking(rules: Map, made: Made) -> Iterator[Notice]:
    kinds = given_kinds(made)
    for kind, what in _LACKING.items():
        if kind not in rules.kinds:
            text = f"The map {shown(rules.name)} names no {what}."
            yield Notice(code=f"map-without-{kind}", text=text, severity=_severity(kind))
        elif kind not in kinds and kind != "death":
            yield Notice(code=f"source-without-{kind}", text=f"The source has no {what}.")
