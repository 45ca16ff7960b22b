"""Records as numbers, kind by kind: whose each is, when it was made, and only the cells that its kind has.

Ten million rows have a hundred million cells, most of them empty. So each part of a file is condensed as soon as it is
read, and only what is left is joined.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ahsct_trial.chunks import end_to_end, gathered, number_type
from ahsct_trial.columns import ATTRIBUTES, MEASUREMENTS, NUMERIC_KINDS, PATIENT_ID, RECORDS
from ahsct_trial.loading.table import Labels, Table
from ahsct_trial.loading.values import Numbers, Values, iso_of
from ahsct_trial.parallel import side_by_side
from ahsct_trial.protocol import TimeZero
from ahsct_trial.records import (
    KINDS,
    MEASURED,
    IntArray,
    Observations,
    in_order,
    is_last_of_patient,
    is_ordered,
)
from ahsct_trial.trial import Places

#: A record whose kind is missing or unknown; last, as codes of kinds are places and −1 is its code.
UNKNOWN = ""
CODES = {name: code for code, name in enumerate(KINDS)} | {UNKNOWN: -1}
#: The code of a row without an identifier.
NOBODY = -1
#: Instead of a time: there is none, or a wrong one. All times are above.
NO_TIME, WRONG_TIME = (np.int32(np.iinfo(np.int32).min + place) for place in range(2))
#: Days from day 0 that a record can have.
LONGEST_DAYS = next(column.high for column in RECORDS if column.name == "day")


class RecordCells(NamedTuple):
    """The records of one kind, in the order of the file; each array has shape (n_records,).

    Attributes
    ----------
    patient
        Place of the identifier among the different ones, `NOBODY` where it is missing.
    time
        The day, or the date as days since 1970, as it stands; `NO_TIME` or `WRONG_TIME` where it is not known.
    row
        Number of the row.
    values
        Measurements by column: as `MEASURED` with NaN, or texts with None, where missing. A column that the file
        lacks is not there.
    """

    patient: NDArray[np.int32]
    time: NDArray[np.int32]
    row: IntArray
    values: dict[str, NDArray[Any]]


@dataclass(frozen=True)
class AttributeCells:
    """The different values of an attribute that the patients of some rows have.

    Attributes
    ----------
    rows, patient
        The first row on which each stands, and whose it is.
    places
        Place of its value among the different ones.
    different
        The different values: numbers, or texts, None for one that is wrong.
    n_rows
        How many rows have each of them.
    """

    rows: IntArray
    patient: NDArray[np.int32]
    places: IntArray
    different: Sequence[Any]
    n_rows: NDArray[np.int64]


@dataclass(frozen=True)
class Condensed:
    """What matters of some rows.

    Attributes
    ----------
    identifiers
        The different identifiers.
    of_kind
        The records of each kind in `KINDS`, and those of `UNKNOWN` kind.
    attributes
        The attributes by column. A column that the file lacks is not there.
    scoreless
        Rows of EDSS visits without a score, which are contacts.
    n_rows
        Number of rows, with those that were set aside.
    """

    identifiers: pa.StringArray
    of_kind: dict[str, RecordCells]
    attributes: dict[str, AttributeCells]
    scoreless: IntArray
    n_rows: int

    def without(self, rows: IntArray) -> Condensed:
        """All but some rows that are alike with earlier ones, which have the same attributes."""
        is_kept = np.ones(self.n_rows, dtype=bool)
        is_kept[rows] = False

        def kept(cells: RecordCells) -> RecordCells:
            is_there = is_kept[cells.row]
            values = {name: column[is_there] for name, column in cells.values.items()}
            return RecordCells(cells.patient[is_there], cells.time[is_there], cells.row[is_there], values)

        return replace(
            self,
            of_kind={kind: kept(cells) for kind, cells in self.of_kind.items()},
            scoreless=self.scoreless[is_kept[self.scoreless]],
        )


def condense(table: Table) -> Condensed:
    """Keep what matters of some rows."""
    kind = kinds(table)
    is_scoreless = kind == CODES["edss"]
    if table.has("edss"):
        is_scoreless &= table.is_missing("edss")
    kind[is_scoreless] = CODES["last_contact"]
    patient, identifiers = _patients(table.texts_of(PATIENT_ID.name))
    time = _times(table.columns["day" if table.has("day") else "date"])
    row_type = number_type(len(table))

    def of_kind(name: str) -> RecordCells:
        rows = np.flatnonzero(kind == CODES[name])
        values = {
            column: _measured(table.columns[column], rows)
            for column in MEASUREMENTS.get(name, ())
            if table.has(column)
        }
        return RecordCells(patient.take(rows), time.take(rows), rows.astype(row_type), values)

    return Condensed(
        identifiers,
        {name: of_kind(name) for name in CODES},
        {
            attribute.name: _attribute(table.columns[attribute.name], patient)
            for attribute in ATTRIBUTES
            if table.has(attribute.name)
        },
        np.flatnonzero(is_scoreless),
        len(table),
    )


def kinds(table: Table) -> NDArray[np.int8]:
    """The code of each row's kind."""
    column = table.texts_of("record")
    unknown = CODES[UNKNOWN]
    code_of = [*(CODES.get(text, unknown) for text in column.values.tolist()), unknown]
    return np.array(code_of, dtype=np.int8).take(column.codes)


def _patients(identifiers: Values) -> tuple[NDArray[np.int32], pa.StringArray]:
    """The place of each row's identifier among those that some row has, `NOBODY` without one, and these."""
    codes, texts = identifiers.codes, identifiers.texts
    is_used = np.zeros(len(texts) + 1, dtype=bool)
    is_used[codes] = True
    is_used = is_used[:NOBODY]
    if is_used.all():
        return codes, texts
    place = np.append(np.cumsum(is_used) - 1, NOBODY).astype(np.int32)
    return place.take(codes), texts.filter(pa.array(is_used))


def _times(column: Values | Numbers) -> NDArray[np.int32]:
    """Days as they stand; what is outside the range of days is wrong."""
    days = column.numbers()
    time = np.where(np.isnan(days), NO_TIME, days).astype(np.int32)
    if isinstance(column, Values):
        time[~(column.is_missing() | column.is_right())] = WRONG_TIME
    return time


def _measured(column: Values | Numbers, rows: IntArray) -> NDArray[Any]:
    """What a column holds in some of the rows: numbers with NaN, or texts with None, where missing."""
    if isinstance(column, Numbers) or column.column.kind in NUMERIC_KINDS:
        return column.numbers().take(rows).astype(MEASURED)
    texts: NDArray[Any] = np.append(column.values, np.array([None], dtype=object))
    return texts.take(column.codes.take(rows))


def _attribute(column: Values | Numbers, patient: NDArray[np.int32]) -> AttributeCells:
    """The different values of each patient; most records have none."""
    rows = np.flatnonzero(~column.is_missing() & (patient != NOBODY))
    codes, values = column.coded(rows)
    key = patient[rows].astype(np.int64) * (len(values) + 1) + codes
    _, first = np.unique(key, return_index=True)
    n_rows = np.bincount(codes, minlength=len(values))
    first.sort()
    return AttributeCells(rows[first], patient[rows[first]], codes[first], values, n_rows)


# ---- All rows of a file ----------------------------------------------------------------------------------


def join(parts: Sequence[Condensed]) -> tuple[Condensed, dict[str, Labels]]:
    """The rows of all parts one after the other, and the labels of their attributes."""
    *starts, n_rows = itertools.accumulate((part.n_rows for part in parts), initial=0)
    row_type = number_type(n_rows)
    together = pa.concat_arrays([part.identifiers for part in parts]).dictionary_encode()
    ends = itertools.accumulate(len(part.identifiers) for part in parts[:-1])
    # Of each part the place of its identifiers among all; nobody's is the last.
    places = [
        np.append(of_part, np.int32(NOBODY)) for of_part in np.split(together.indices.to_numpy(), [*ends])
    ]

    def of_kind(kind: str) -> RecordCells:
        cells = [part.of_kind[kind] for part in parts]
        n = sum(len(each.row) for each in cells)
        return RecordCells(
            end_to_end(
                (place.take(each.patient) for place, each in zip(places, cells, strict=True)), n, np.int32
            ),
            np.concatenate([each.time for each in cells]),
            end_to_end(
                (each.row + row_type(start) for start, each in zip(starts, cells, strict=True)), n, row_type
            ),
            {name: np.concatenate([each.values[name] for each in cells]) for name in cells[0].values},
        )

    labels: dict[str, Labels] = {}
    attributes = {}
    for name in parts[0].attributes:
        each = [part.attributes[name] for part in parts]
        labels[name], codes = _values_of_all(each)
        levels = labels[name].levels
        attributes[name] = AttributeCells(
            np.concatenate([cells.rows + start for cells, start in zip(each, starts, strict=True)]),
            np.concatenate([place.take(cells.patient) for cells, place in zip(each, places, strict=True)]),
            codes,
            levels,
            np.bincount(codes + 1, minlength=len(levels) + 1)[1:],
        )
    scoreless = [part.scoreless + start for part, start in zip(parts, starts, strict=True)]
    of_kinds = dict(zip(CODES, side_by_side(of_kind, CODES, n_rows=n_rows), strict=True))
    joined = Condensed(together.dictionary, of_kinds, attributes, np.concatenate(scoreless), n_rows)
    return joined, labels


def _values_of_all(parts: Sequence[AttributeCells]) -> tuple[Labels, IntArray]:
    """The different values of all parts, and the place of each cell's among them; numbers count as texts."""
    labels = Labels()
    texts = [[_as_text(value) for value in part.different] for part in parts]
    for part, different in zip(parts, texts, strict=True):
        labels.count(different, part.n_rows)
    return labels, np.concatenate(
        [labels.places(different)[part.places] for part, different in zip(parts, texts, strict=True)]
    )


def _as_text(value: Any) -> str | None:
    if isinstance(value, float):
        return None if np.isnan(value) else repr(value)
    return None if value is None else str(value)


class Placed(NamedTuple):
    """The records of one kind in the order of patient, day and row; each array has shape (n_records,).

    Attributes
    ----------
    observations
        Whose each is, its day, 0 for a baseline record and where it cannot be known, and its row.
    values
        Measurements as in `RecordCells`.
    is_dateless
        Where the day cannot be known, baseline records excepted.
    far
        Rows whose day is beyond `LONGEST_DAYS`, which is as good as not known.
    """

    observations: Observations
    values: dict[str, NDArray[Any]]
    is_dateless: NDArray[np.bool_]
    far: IntArray


class ByRow(NamedTuple):
    """What each row is; each array has shape (n_rows,).

    Attributes
    ----------
    patient, kind, time, day, is_dateless
        As in `RecordCells` and `Placed`; the kind as its code.
    """

    patient: NDArray[np.int32]
    kind: NDArray[np.int8]
    time: NDArray[np.int32]
    day: NDArray[np.int32]
    is_dateless: NDArray[np.bool_]


@dataclass(frozen=True)
class Coded:
    """All records with the day of each (`problems.Cells`).

    Attributes
    ----------
    clock
        Whether the file has ``day`` or ``date``.
    condensed
        The records of each kind as they stand in the file.
    places
        Where rows stand.
    of_kind
        The records of each kind with their days.
    """

    clock: str
    condensed: Condensed
    places: Places
    of_kind: Mapping[str, Placed]

    @property
    def identifiers(self) -> pa.StringArray:
        """The different identifiers, in the order of their first rows."""
        return self.condensed.identifiers

    @property
    def n_patients(self) -> int:
        """Number of different identifiers."""
        return len(self.identifiers)

    @cached_property
    def last_day(self) -> IntArray:
        """The latest day of each patient, baseline records left out; one without a day counts as day 0."""
        last = np.full(self.n_patients + 1, np.iinfo(np.int32).min, dtype=np.int32)
        for kind, ((patient, day, _), *_) in self.of_kind.items():
            if kind != "baseline":
                place = np.flatnonzero(is_last_of_patient(patient))
                of_patient = patient[place]
                last[of_patient] = np.maximum(last[of_patient], day[place])
        return last[:NOBODY]

    @cached_property
    def by_row(self) -> ByRow:
        """What each row is, which is only asked where something is wrong."""
        # Rows that are not used have none of this.
        n = self.condensed.n_rows
        patient, time, day = (np.full(n, of_none, dtype=np.int32) for of_none in (NOBODY, NO_TIME, 0))
        kind_of, is_unknown = np.full(n, CODES[UNKNOWN], dtype=np.int8), np.zeros(n, dtype=bool)
        for kind, cells in self.condensed.of_kind.items():
            patient[cells.row], time[cells.row], kind_of[cells.row] = cells.patient, cells.time, CODES[kind]
            observations, _, is_dateless, _ = self.of_kind[kind]
            day[observations.row], is_unknown[observations.row] = observations.day, is_dateless
        return ByRow(patient, kind_of, time, day, is_unknown)

    def first_rows(self, patients: IntArray) -> IntArray:
        """The first row of each of some patients."""
        first = np.zeros(self.n_patients + 1, dtype=np.intp)
        first[self.by_row.patient[::-1]] = np.arange(self.condensed.n_rows)[::-1]
        return first[patients]

    # ---- What must be known where a row is wrong (`problems.Cells`) --------------------------------------

    def has(self, *names: str) -> bool:
        """Whether a message can name the value of these columns."""
        measured = {
            name
            for cells in self.condensed.of_kind.values()
            for name, values in cells.values.items()
            if values.dtype == MEASURED
        }
        return all(name in {"record", self.clock, *measured, *self.condensed.attributes} for name in names)

    def keyed(self, name: str, rows: IntArray) -> tuple[IntArray, Callable[[int], str | None]]:
        """A code for each row's value, and the text of a code."""
        if name == PATIENT_ID.name:
            return self.by_row.patient[
                rows
            ], lambda code: None if code < 0 else self.identifiers[code].as_py()
        if name == "record":
            return self.by_row.kind[rows], lambda code: None if code < 0 else KINDS[code]
        if name == self.clock:
            return self.by_row.time[rows], self._time_text
        if name in self.condensed.attributes:
            attribute = self.condensed.attributes[name]
            place = dict(zip(attribute.rows.tolist(), attribute.places.tolist(), strict=True))
            codes = np.array([place.get(row, -1) for row in rows.tolist()])
            return codes, lambda code: None if code < 0 else _plain(attribute.different[code])
        cells = next(cells for cells in self.condensed.of_kind.values() if name in cells.values)
        values = np.full(self.condensed.n_rows, np.nan)
        values[cells.row] = cells.values[name]
        points = np.where(np.isnan(values[rows]), -1, 2 * values[rows]).astype(np.int64)
        return points, lambda code: None if code < 0 else f"{code / 2:g}"

    def _time_text(self, time: int) -> str | None:
        if time <= WRONG_TIME:
            return None
        return str(time) if self.clock == "day" else iso_of(time)

    @property
    def lines(self) -> IntArray:
        """The line of each row."""
        return self.places.lines

    @property
    def table(self) -> IntArray | None:
        """The number of the table from which each row comes; None for one table."""
        return self.places.table


def _plain(text: str) -> str:
    """A number without a needless ``.0``."""
    return text.removesuffix(".0")


def code(rows: Condensed, places: Places, clock: str, origin: TimeZero) -> Coded:
    """Find the day of each record, from the record that makes day 0 where the file has dates, and put them in order."""
    day_0_of = None if clock == "day" else _day_0_of(rows, origin)

    def placed(kind: str) -> Placed:
        patient, time, row, values = rows.of_kind[kind]
        if kind == "baseline":
            return _in_order(patient, np.zeros_like(time), row, values, np.zeros(len(row), dtype=bool))
        day, is_dateless = time, time <= WRONG_TIME
        if day_0_of is not None:
            day_0 = gathered(day_0_of, patient)
            day, is_dateless = time - day_0, is_dateless | (day_0 == NO_TIME)
        if is_dateless.any():
            day = np.where(is_dateless, np.int32(0), day)
        far = row[:0]
        if max(-int(day.min(initial=0)), int(day.max(initial=0))) > LONGEST_DAYS:
            is_far = np.abs(day) > LONGEST_DAYS
            day, is_dateless, far = np.where(is_far, np.int32(0), day), is_dateless | is_far, row[is_far]
        return _in_order(patient, day, row, values, is_dateless)._replace(far=far)

    of_kind = dict(zip(CODES, side_by_side(placed, CODES, n_rows=rows.n_rows), strict=True))
    return Coded(clock, rows, places, of_kind)


def _day_0_of(rows: Condensed, origin: TimeZero) -> NDArray[np.int32]:
    """The date that is each patient's day 0, `NO_TIME` where it is not known, and for `NOBODY` behind them."""
    patient, time, *_ = rows.of_kind[origin]
    is_dated = time > WRONG_TIME
    day_0_of = np.full(len(rows.identifiers) + 1, NO_TIME)
    day_0_of[patient[is_dated][::-1]] = time[is_dated][::-1]  # backwards, so that of two the first one stands
    day_0_of[NOBODY] = NO_TIME
    return day_0_of


def _in_order(
    patient: IntArray,
    day: IntArray,
    row: IntArray,
    values: dict[str, NDArray[Any]],
    is_dateless: NDArray[np.bool_],
) -> Placed:
    """Records in the order of patient and day."""
    if not is_ordered(patient, day):
        patient, day, place = in_order(patient, day)
        row, is_dateless = gathered(row, place), gathered(is_dateless, place)
        values = {name: gathered(cells, place) for name, cells in values.items()}
    return Placed(Observations(patient, day, row), values, is_dateless, row[:0])
