"""A map: how tables that others made become records or a patient table. Declarations, and when two codes are one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

#: Allowed texts of a column by the column's name, as in ``where = { Region = ["Kopf"] }``; "" is an empty
#: cell.
Where = Mapping[str, tuple[str, ...]]
SameDay = Literal["last", "worst"]
PartialDate = Literal["first", "middle", "last", "missing"]

#: Days in one unit of a time [days].
UNITS: dict[str, float] = {"days": 1.0, "weeks": 7.0, "months": 365.25 / 12, "years": 365.25}
#: What stands where a person still has to fill something in.
TO_FILL_IN = "?"
#: A whole number as a package or spreadsheet may write it: 1.0.
WHOLE = re.compile(r"([+-]?[0-9]+)\.0+")


def code_key(text: str) -> str:
    """What two texts of one code have in common: case, blanks and a trailing .0 do not count."""
    folded = unicodedata.normalize("NFC", text.strip()).casefold()
    whole = WHOLE.fullmatch(folded)
    return whole[1] if whole else folded


@dataclass(frozen=True)
class Flag:
    """A column that says whether what a time measures has happened.

    Attributes
    ----------
    column
        Its heading.
    yes
        Texts that mean that it has.
    no
        Texts that mean that it has not, so that any other is an error; None where every other does.
    is_optional
        Whether the source may lack the column: a time is then that of an event.
    """

    column: str
    yes: tuple[str, ...]
    no: tuple[str, ...] | None = None
    is_optional: bool = False


@dataclass(frozen=True)
class Cells:
    """Where the cells of one canonical column come from; exactly one of the first five is given.

    Attributes
    ----------
    column, const, first, total
        Heading of a column; one text for all rows; headings of which the first with a value counts; headings
        of numbers that are added up.
    years
        Headings of two dates, between which the time is meant.
    codes
        What each text means; a text that is not named is an error. None where texts are taken as they are.
    unit
        Unit of a time, one of `UNITS`.
    first_day
        The number that day 0 has in the source: 1 where days are counted from 1.
    event
        Tells whether a time is that of an event; without one the cell is empty.
    where
        Rows that count, where a patient has several rows in the table.
    empty
        Text that an empty cell stands for; None for unknown.
    is_optional
        Whether the source may lack the column; its cells are then empty.
    date_formats
        Forms of dates, beside YYYY-MM-DD; of the table's where empty.
    """

    column: str | None = None
    const: str | None = None
    first: tuple[str, ...] = ()
    total: tuple[str, ...] = ()
    years: tuple[str, str] | None = None
    codes: Mapping[str, str] | None = None
    unit: str | None = None
    first_day: int = 0
    event: Flag | None = None
    where: Where = field(default_factory=dict)
    empty: str | None = None
    is_optional: bool = False
    date_formats: tuple[str, ...] = ()

    @property
    def headings(self) -> tuple[str, ...]:
        """Every column of the source that it reads."""
        single = (self.column,) if self.column is not None else ()
        flag = (self.event.column,) if self.event is not None else ()
        return (*single, *self.first, *self.total, *(self.years or ()), *flag, *self.where)


@dataclass(frozen=True)
class RecordRule:
    """One kind of record that each row of a table may give.

    Attributes
    ----------
    kind
        Kind of record, as in the data dictionary.
    time_name, time
        ``date`` or ``day``, and where it comes from; None for a baseline record, and for a cause of death
        that belongs to the death which another table dates.
    values
        Attributes and measurements by canonical column.
    where
        Rows that give it.
    event
        Tells of a row with a time whether it gives it.
    """

    kind: str
    time_name: str | None
    time: Cells | None
    values: Mapping[str, Cells]
    where: Where = field(default_factory=dict)
    event: Flag | None = None

    @property
    def headings(self) -> tuple[str, ...]:
        """Every column of the source that it reads."""
        cells = [*((self.time,) if self.time else ()), *self.values.values()]
        flag = (self.event.column,) if self.event is not None else ()
        return (*(heading for each in cells for heading in each.headings), *self.where, *flag)


@dataclass(frozen=True)
class Pivot:
    """Findings one per row: the column that names each, and the one that holds its value.

    Rows of a patient that agree in every other column that the map reads, and in those of `by`, become one.
    """

    name: str
    value: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableRule:
    """How one table is read. Its `records` or its `patients` say what it gives.

    Attributes
    ----------
    file
        Name of the file, with or without its ending, without regard to case; ``*`` stands for anything. None
        for the one file there is.
    sheet
        Name of the sheet; None for a workbook's first.
    heading_row
        Line or row of the headings, from 1; None for the first that is not blank.
    is_optional
        Whether the source may lack it.
    encoding
        Encoding of a text file where it is not UTF-8.
    missing
        Texts that mean an empty cell, the map's among them.
    date_formats
        Forms of dates, beside YYYY-MM-DD.
    partial_date
        Which day a date without a day stands for; None where it is an error.
    same_day
        Which of two scores of a patient on one day counts; None where both are kept.
    patient_id
        The patient.
    where
        Rows that are read; the others are set aside.
    pivot
        How findings one per row become columns.
    records
        Kinds of record that a row may give.
    patients
        Columns of the patient table by canonical name; None for a table that gives records.
    """

    file: str | None
    sheet: str | None
    patient_id: Cells
    heading_row: int | None = None
    is_optional: bool = False
    encoding: str | None = None
    missing: tuple[str, ...] = ()
    date_formats: tuple[str, ...] = ()
    partial_date: PartialDate | None = None
    same_day: SameDay | None = None
    where: Where = field(default_factory=dict)
    pivot: Pivot | None = None
    records: tuple[RecordRule, ...] = ()
    patients: Mapping[str, Cells] | None = None

    @property
    def headings(self) -> tuple[str, ...]:
        """Every column of the source that it reads, and the tests that a pivot makes columns of."""
        read = [*self.patient_id.headings, *self.where]
        read += [heading for rule in self.records for heading in rule.headings]
        read += [heading for cells in (self.patients or {}).values() for heading in cells.headings]
        read += [self.pivot.name, self.pivot.value, *self.pivot.by] if self.pivot else []
        return tuple(dict.fromkeys(read))

    @property
    def value_headings(self) -> tuple[str, ...]:
        """The columns of the source that hold what is told of patients: those that a pivot may make."""
        values = [cells for rule in self.records for cells in rule.values.values()]
        values += (self.patients or {}).values()
        return tuple(heading for cells in values for heading in cells.headings)

    @property
    def optional_headings(self) -> tuple[str, ...]:
        """The columns that the source may lack; a condition that takes an empty cell holds without one."""
        cells = [cells for rule in self.records for cells in (*rule.values.values(), rule.time) if cells]
        cells += (self.patients or {}).values()
        wheres = [self.where, *(rule.where for rule in self.records), *(each.where for each in cells)]
        flags = [rule.event for rule in self.records] + [each.event for each in cells]
        return (
            *(heading for each in cells if each.is_optional for heading in each.headings),
            *(heading for where in wheres for heading, allowed in where.items() if "" in allowed),
            *(flag.column for flag in flags if flag and flag.is_optional),
        )

    @property
    def optional_cells(self) -> tuple[tuple[str, Cells], ...]:
        """What the source may lack, each with the column or kind of record that it gives."""
        cells = [*(self.patients or {}).items()]
        for rule in self.records:
            cells += [*rule.values.items(), *(((rule.kind, rule.time),) if rule.time else ())]
        return tuple((name, each) for name, each in cells if each.is_optional)

    @property
    def label(self) -> str:
        """The table as the map names it."""
        return (self.file or "the file") + (f"[{self.sheet}]" if self.sheet else "")


@dataclass(frozen=True)
class Map:
    """A whole map.

    Attributes
    ----------
    name
        What it calls itself.
    file
        Its file, as shown to a person.
    tables
        Its tables, in the order of the file.
    after_death
        ``drop`` where what comes after a patient's death is set aside; None where it stays to be an error.
    without_transplant
        ``drop`` where patients without a transplant are set aside, as a registry has them; None where such a
        patient is an error.
    """

    name: str
    file: str
    tables: tuple[TableRule, ...]
    after_death: Literal["drop"] | None = None
    without_transplant: Literal["drop"] | None = None

    @property
    def gives_records(self) -> bool:
        """Whether it gives records, not a patient table."""
        return any(table.records for table in self.tables)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of record it can give."""
        return frozenset(rule.kind for table in self.tables for rule in table.records)
