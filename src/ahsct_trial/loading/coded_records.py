"""Rows of records as numbers: patient, kind, day, and only the cells that a record of the kind has.

Ten million rows have a hundred million cells, most of them empty. So each block of rows is condensed as
soon as it is read, and only what is left is joined.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ahsct_trial.chunks import gathered
from ahsct_trial.columns import ATTRIBUTES, MEASUREMENTS, NUMERIC_KINDS, PATIENT_ID
from ahsct_trial.loading.blocks import IntArray
from ahsct_trial.loading.table import Labels, Table, code_of_texts
from ahsct_trial.loading.values import Numbers, Values, iso_of
from ahsct_trial.parallel import side_by_side
from ahsct_trial.records import KINDS, MEASURED, Observations, in_order, is_last_of_patient, is_ordered
from ahsct_trial.trial import Places

CODES = {name: code for code, name in enumerate(KINDS)}
#: The code of a row without an identifier.
NOBODY = -1
_NO_TIME = np.iinfo(np.int32).min


@dataclass(frozen=True)
class AttributeCells:
    """The different values of an attribute that the patients of some rows have.

    Attributes
    ----------
    rows
        The first row on which each stands.
    places
        Place of its value among the different ones.
    different
        The different values: numbers, or texts, None for one that is wrong.
    n_rows
        How many rows have each of them.
    """

    rows: IntArray
    places: IntArray
    different: Sequence[Any]
    n_rows: NDArray[np.int64]


@dataclass(frozen=True)
class Condensed:
    """What matters of some rows.

    Attributes
    ----------
    patient, identifiers
        Place of each row's identifier among the different ones, `NOBODY` where it is missing, and these.
    kind
        Index of its kind in `KINDS`, −1 where it is missing or unknown.
    time
        Its day, or its date as days since 1970, as it stands; `_NO_TIME` where there is none.
    is_wrong_time
        Where there is one that is wrong.
    rows
        The rows of each kind, ascending.
    values
        Measurements by column, one for each row of the kind that has the column: float32 with NaN, or texts
        with None, where missing. A column that the file lacks is not there.
    attributes
        The attributes by column. A column that the file lacks is not there.
    scoreless
        Rows of EDSS visits without a score, which are contacts.
    """

    patient: NDArray[np.int32]
    identifiers: pa.StringArray
    kind: NDArray[np.int8]
    time: NDArray[np.int32]
    is_wrong_time: NDArray[np.bool_]
    rows: dict[str, IntArray]
    values: dict[str, NDArray[Any]]
    attributes: dict[str, AttributeCells]
    scoreless: IntArray


def condense(table: Table) -> Condensed:
    """Keep what matters of some rows."""
    kind = kinds(table)
    is_scoreless = kind == CODES["edss"]
    if table.has("edss"):
        is_scoreless &= table.is_missing("edss")
    kind[is_scoreless] = CODES["last_contact"]
    times = table.columns["day" if table.has("day") else "date"]
    days = times.numbers()  # what is outside the range of days is wrong, and so missing here
    rows = {name: _rows_of(kind, name) for name in KINDS}
    identifiers = table.texts_of(PATIENT_ID.name)
    return Condensed(
        patient=identifiers.codes,
        identifiers=identifiers.texts,
        kind=kind,
        time=np.where(np.isnan(days), _NO_TIME, days).astype(np.int32),
        is_wrong_time=~(times.is_missing() | times.is_right()),
        rows=rows,
        values={
            column: _cells(table.columns[column], rows[name])
            for name, columns in MEASUREMENTS.items()
            for column in columns
            if table.has(column)
        },
        attributes={
            attribute.name: _attribute(table.columns[attribute.name], identifiers.codes)
            for attribute in ATTRIBUTES
            if table.has(attribute.name)
        },
        scoreless=np.flatnonzero(is_scoreless),
    )


def kinds(table: Table) -> NDArray[np.int8]:
    """Index of each row's kind in `KINDS`, −1 where it is missing or unknown."""
    column = table.texts_of("record")
    code_of = np.array([*(CODES.get(text, -1) for text in column.values.tolist()), -1], dtype=np.int8)
    return code_of.take(column.codes)


def _rows_of(kind: NDArray[np.int8], name: str) -> IntArray:
    """Rows of a kind, ascending."""
    return np.flatnonzero(kind == CODES[name]).astype(_width(len(kind)))


def _width(n_rows: int) -> type[np.signedinteger[Any]]:
    """What holds the number of each row."""
    return np.int32 if n_rows <= 2**31 else np.int64


def _cells(cells: Values | Numbers, rows: IntArray) -> NDArray[Any]:
    """What a column holds in some of the rows: numbers with NaN, or texts with None, where missing."""
    if isinstance(cells, Numbers) or cells.column.kind in NUMERIC_KINDS:
        return cells.numbers().take(rows).astype(MEASURED)
    texts: NDArray[Any] = np.append(cells.values, np.array([None], dtype=object))
    return texts.take(cells.codes.take(rows))


def _attribute(column: Values | Numbers, patient: NDArray[np.int32]) -> AttributeCells:
    """The different values of each patient; most records have none."""
    rows = np.flatnonzero(~column.is_missing() & (patient >= 0))
    codes, values = column.coded(rows)
    key = patient[rows].astype(np.int64) * (len(values) + 1) + codes
    _, first = np.unique(key, return_index=True)
    n_rows = np.bincount(codes, minlength=len(values))
    first.sort()
    return AttributeCells(rows[first], codes[first], values, n_rows)


# ---- All rows of a file ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Joined:
    """The rows of all parts: as `Condensed`, and where each row stands."""

    all: Condensed
    labels: dict[str, Labels]
    places: Places

    def among(self, is_kept: NDArray[np.bool_], places: Places) -> Joined:
        """The rows that are kept, by the numbers that they then have."""
        one = self.all
        number = (np.cumsum(is_kept) - 1).astype(_width(len(is_kept)))
        values = {
            column: one.values[column][is_kept[one.rows[name]]]
            for name, columns in MEASUREMENTS.items()
            for column in columns
            if column in one.values
        }
        attributes = {
            name: replace(cells, rows=number[cells.rows[is_there]], places=cells.places[is_there])
            for name, cells in one.attributes.items()
            for is_there in [is_kept[cells.rows]]
        }
        kept = replace(
            one,
            patient=one.patient[is_kept],
            kind=one.kind[is_kept],
            time=one.time[is_kept],
            is_wrong_time=one.is_wrong_time[is_kept],
            rows={name: number[rows[is_kept[rows]]] for name, rows in one.rows.items()},
            values=values,
            attributes=attributes,
            scoreless=number[one.scoreless[is_kept[one.scoreless]]],
        )
        return Joined(kept, self.labels, places)


def join(parts: Sequence[Condensed], places: Places) -> Joined:
    """The rows of all parts one after the other."""
    *starts, n_rows = itertools.accumulate((len(part.kind) for part in parts), initial=0)
    width = _width(n_rows)

    def identifiers() -> tuple[pa.StringArray, NDArray[np.int32]]:
        return code_of_texts([(part.patient, part.identifiers) for part in parts])

    def others() -> tuple[dict[str, Any], dict[str, Labels]]:
        labels: dict[str, Labels] = {}
        attributes = {}
        for name in parts[0].attributes:
            of_parts = [part.attributes[name] for part in parts]
            labels[name], codes = _values_of_all(of_parts)
            rows = np.concatenate([part.rows + start for part, start in zip(of_parts, starts, strict=True)])
            levels = labels[name].levels
            n_each = np.bincount(codes + 1, minlength=len(levels) + 1)[1:]
            attributes[name] = AttributeCells(rows, codes, levels, n_each)
        fields = {
            "kind": np.concatenate([part.kind for part in parts]),
            "time": np.concatenate([part.time for part in parts]),
            "is_wrong_time": np.concatenate([part.is_wrong_time for part in parts]),
            "rows": {
                name: np.concatenate(
                    [part.rows[name] + width(start) for part, start in zip(parts, starts, strict=True)]
                )
                for name in KINDS
            },
            "values": {
                name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values
            },
            "attributes": attributes,
            "scoreless": np.concatenate(
                [part.scoreless + start for part, start in zip(parts, starts, strict=True)]
            ),
        }
        return fields, labels

    # To code the identifiers takes about as long as all else.
    tasks: list[Callable[[], Any]] = [identifiers, others]
    (different, patient), (fields, labels) = side_by_side(lambda task: task(), tasks, n_rows=n_rows)
    return Joined(Condensed(patient=patient, identifiers=different, **fields), labels, places)


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


@dataclass(frozen=True)
class Coded:
    """Records with their patient, kind and day as numbers (`problems.Cells`).

    Attributes
    ----------
    clock
        Whether the file has ``day`` or ``date``.
    joined
        The rows.
    day
        Days from time zero; 0 for a baseline record and where it is missing or cannot be known.
    is_dateless
        Where the day is missing or cannot be known, baseline records excepted.
    """

    clock: str
    joined: Joined
    day: NDArray[np.int32]
    is_dateless: NDArray[np.bool_]

    @property
    def identifiers(self) -> pa.StringArray:
        """The different identifiers, in the order of their first rows."""
        return self.joined.all.identifiers

    @property
    def patient(self) -> NDArray[np.int32]:
        """Place of each row's identifier, `NOBODY` where it is missing."""
        return self.joined.all.patient

    @property
    def kind(self) -> NDArray[np.int8]:
        """Index of each row's kind in `KINDS`, −1 where it is missing or unknown."""
        return self.joined.all.kind

    @property
    def rows(self) -> dict[str, IntArray]:
        """The rows of each kind, ascending."""
        return self.joined.all.rows

    @property
    def has_time(self) -> NDArray[np.bool_]:
        """Whether each row has a day or a date that is right."""
        has_time: NDArray[np.bool_] = self.joined.all.time != _NO_TIME
        return has_time

    @property
    def n_patients(self) -> int:
        """Number of different identifiers."""
        return len(self.identifiers)

    @cached_property
    def ordered(self) -> dict[str, tuple[Observations, dict[str, NDArray[Any]]]]:
        """Of each kind the observations and their measurements, in the order of patient and day."""
        return dict(zip(KINDS, side_by_side(self._ordered, KINDS), strict=True))

    @cached_property
    def last_day(self) -> IntArray:
        """The latest day of each patient, baseline records left out; one without a day counts as day 0."""
        last = np.full(self.n_patients + 1, np.iinfo(np.int32).min, dtype=np.int32)
        unknown = np.flatnonzero(self.kind < 0)
        np.maximum.at(last, self.patient[unknown], self.day[unknown])
        for kind, ((patient, day, _), _) in self.ordered.items():
            if kind != "baseline":
                is_last = is_last_of_patient(patient)
                last[patient[is_last]] = np.maximum(last[patient[is_last]], day[is_last])
        return last[:NOBODY]

    def _ordered(self, kind: str) -> tuple[Observations, dict[str, NDArray[Any]]]:
        rows = self.rows[kind]
        values = {
            name: self.joined.all.values[name]
            for name in MEASUREMENTS.get(kind, ())
            if name in self.joined.all.values
        }
        observations = Observations(gathered(self.patient, rows), gathered(self.day, rows), rows)
        if is_ordered(observations.patient, observations.day):
            return observations, values
        patient, day, place = in_order(observations.patient, observations.day)
        return Observations(patient, day, gathered(rows, place)), {
            name: gathered(cells, place) for name, cells in values.items()
        }

    # ---- What must be known where a row is wrong (`problems.Cells`) --------------------------------------

    def has(self, *names: str) -> bool:
        """Whether a message can name the value of these columns."""
        return all(
            name in {"record", self.clock, *self.joined.all.values, *self.joined.all.attributes}
            for name in names
        )

    def keyed(self, name: str, rows: IntArray) -> tuple[IntArray, Callable[[int], str | None]]:
        """A code for each row's value, and the text of a code."""
        if name == "record":
            return self.kind[rows], lambda code: None if code < 0 else KINDS[code]
        if name == self.clock:
            return self.joined.all.time[rows], self._time_text
        if name in self.joined.all.attributes:
            attribute = self.joined.all.attributes[name]
            place = dict(zip(attribute.rows.tolist(), attribute.places.tolist(), strict=True))
            codes = np.array([place.get(row, -1) for row in rows.tolist()])
            return codes, lambda code: None if code < 0 else _plain(attribute.different[code])
        kind = next(kind for kind, columns in MEASUREMENTS.items() if name in columns)
        values = np.full(len(self.kind), np.nan)
        values[self.rows[kind]] = self.joined.all.values[name]
        points = np.where(np.isnan(values[rows]), -1, 2 * values[rows]).astype(np.int64)
        return points, lambda code: None if code < 0 else f"{code / 2:g}"

    def _time_text(self, time: int) -> str | None:
        if time == _NO_TIME:
            return None
        return str(time) if self.clock == "day" else iso_of(time)

    def patient_of(self, row: int) -> str | None:
        """The identifier in a row."""
        code = int(self.patient[row])
        return None if code < 0 else self.identifiers[code].as_py()

    def lines_of(self, rows: IntArray) -> IntArray:
        """The lines of some rows."""
        return self.joined.places.lines[rows]

    def tables_of(self, rows: IntArray) -> IntArray:
        """The number of the table of each row."""
        table = self.joined.places.table
        return np.zeros(len(rows), dtype=np.int8) if table is None else table[rows]


def _plain(text: str) -> str:
    """A number without a needless ``.0``."""
    return text.removesuffix(".0")


def code(joined: Joined, clock: str, origin: str) -> Coded:
    """The day of each row, from the record that makes day 0 where the file has dates."""
    one = joined.all
    has_time = one.time != _NO_TIME
    day, is_known = one.time, has_time
    if clock == "date":
        day, is_known = _days_from_dates(one, has_time, origin)
    baseline = one.rows["baseline"]
    day = np.where(is_known, day, np.int32(0))
    day[baseline] = 0
    is_dateless = ~is_known
    is_dateless[baseline] = False
    return Coded(clock=clock, joined=joined, day=day, is_dateless=is_dateless)


def _days_from_dates(
    one: Condensed, has_date: NDArray[np.bool_], origin: str
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Days from the patient's day 0, and where they are known: not without the record that makes it."""
    origins = one.rows[origin]
    origins = origins[has_date[origins]][::-1]  # backwards, so that of two the first one stands
    # One place more than there are patients: rows without an identifier look up "unknown" at −1.
    day_0_of = np.full(len(one.identifiers) + 1, _NO_TIME, dtype=np.int32)
    day_0_of[one.patient[origins]] = one.time[origins]
    day_0_of[NOBODY] = _NO_TIME
    day_0 = gathered(day_0_of, one.patient)
    return one.time - day_0, has_date & (day_0 != _NO_TIME)
