"""Rows of records as numbers: patient, kind, day, and only the cells that a record of the kind has.

Ten million rows have a hundred million cells, most of them empty. So each block of rows is condensed as
soon as it is read, and only what is left is joined.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ahsct_trial.columns import ATTRIBUTES, MEASUREMENTS
from ahsct_trial.loading import arrow
from ahsct_trial.loading.rows import CodedTexts, Numbers, Rows, Texts, joined_texts
from ahsct_trial.loading.shared_rows import SharedRows
from ahsct_trial.records import (
    KINDS,
    MEASURED,
    IntArray,
    Observations,
    in_order,
    is_last_of_patient,
    is_ordered,
)
from ahsct_trial.stepwise import Scalar, gathered
from ahsct_trial.threads import side_by_side

#: Numbers with NaN where missing, or texts.
Attribute = NDArray[np.float64] | CodedTexts

CODES = {name: code for code, name in enumerate(KINDS)}
#: The code of a row without an identifier.
NOBODY = -1
_NO_TIME = np.iinfo(np.int32).min


@dataclass(frozen=True)
class Condensed:
    """What matters of some rows.

    Attributes
    ----------
    identifiers
        Identifier of each row, null where it is missing: a string, or the word that `arrow.as_words` gives;
        of all rows together also coded strings, in the order in which they come.
    kind
        Index of its kind in `KINDS`, −1 where it is missing or unknown.
    time
        Its day, or its date as days since 1970, as it stands; `_NO_TIME` where there is none.
    rows
        The rows of each kind, ascending.
    values
        Measurements by column, one for each row of the kind that has the column: float32 with NaN, or texts
        with None, where missing. A column that the file lacks is not there.
    attributes
        The attributes by column, one for each baseline row. A column that the file lacks is not there.
    attributed_elsewhere
        Attributes that have a value on a row of another kind.
    """

    identifiers: pa.Array
    kind: NDArray[np.int8]
    time: NDArray[np.int32]
    rows: dict[str, IntArray]
    values: dict[str, NDArray[Any]]
    attributes: dict[str, Attribute]
    attributed_elsewhere: frozenset[str]


def condense(rows: Rows) -> Condensed:
    """Keep what matters of some rows."""
    kind = kinds(rows)
    times = rows.columns["day" if rows.has("day") else "date"]
    assert isinstance(times, Numbers)
    time = np.full(len(rows), _NO_TIME, dtype=np.int32)
    # A time that no day can be is wrong by itself.
    time[times.rows] = np.where(np.abs(times.values) < -float(_NO_TIME), times.values, _NO_TIME)
    own_rows = {name: _rows_of(kind, name) for name in KINDS}
    baseline = own_rows["baseline"]
    attributes = {}
    elsewhere = set()
    for attribute in ATTRIBUTES:
        if rows.has(attribute.name):
            given = rows.columns[attribute.name]
            attributes[attribute.name] = _changed(given.spread(len(rows)), lambda cells: cells[baseline])
            if (kind[given.rows] != CODES["baseline"]).any():
                elsewhere.add(attribute.name)
    values = {
        column: _cells(rows.columns[column], own_rows[name], len(rows))
        for name, columns in MEASUREMENTS.items()
        for column in columns
        if rows.has(column)
    }
    words = arrow.as_words(rows.identifiers)
    identifiers = rows.identifiers if words is None else words
    return Condensed(identifiers, kind, time, own_rows, values, attributes, frozenset(elsewhere))


def spread(different: Sequence[Condensed], rows: SharedRows) -> Condensed:
    """What matters of all rows, from what matters of parts of the different ones."""
    kind_of, time_of = _joined([part.kind for part in different]), _joined([part.time for part in different])
    values, attributes = _joined_values(different), _joined_attributes(different)
    per_text: Sequence[NDArray[Any]] = [kind_of, time_of]
    kind, time = side_by_side(lambda own: gathered(own, rows.place), per_text)
    own_rows = dict(zip(KINDS, side_by_side(partial(_rows_of, kind), KINDS), strict=True))

    def per_row_of(name: str) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """From what different rows of a kind hold to what all its rows hold."""
        of_kind = np.flatnonzero(kind_of == CODES[name])
        place = gathered(rows.place, own_rows[name])

        def per_row(given: NDArray[Any]) -> NDArray[Any]:
            given_of = np.empty(len(kind_of), dtype=given.dtype)
            given_of[of_kind] = given
            return gathered(given_of, place)

        return per_row

    def measured(name: str) -> dict[str, NDArray[Any]]:
        per_row = per_row_of(name)
        return {column: per_row(values[column]) for column in MEASUREMENTS[name] if column in values}

    all_measured = side_by_side(measured, [*MEASUREMENTS])
    per_baseline = per_row_of("baseline")
    return Condensed(
        pa.DictionaryArray.from_arrays(rows.patient, rows.identifiers),
        kind,
        time,
        own_rows,
        {column: cells for own in all_measured for column, cells in own.items()},
        {column: _changed(cells, per_baseline) for column, cells in attributes.items()},
        _elsewhere(different),
    )


def kinds(rows: Rows) -> NDArray[np.int8]:
    """Index of each row's kind in `KINDS`, −1 where it is missing or unknown."""
    given = rows.columns["record"]
    assert isinstance(given, Texts)
    code_of = np.array([CODES.get(text, -1) for text in given.different], dtype=np.int8)
    kind = np.full(len(rows), -1, dtype=np.int8)
    kind[given.rows] = code_of[given.places]
    return kind


def _rows_of(kind: NDArray[np.int8], name: str) -> IntArray:
    """Rows of a kind, ascending."""
    return np.flatnonzero(kind == CODES[name]).astype(_width(len(kind)))


def _width(n_rows: int) -> type[np.signedinteger[Any]]:
    """What holds the number of each row."""
    return np.int32 if n_rows <= 2**31 else np.int64


def _cells(given: Numbers | Texts, at: IntArray, n_rows: int) -> NDArray[Any]:
    """What a column holds in some of the rows: numbers with NaN, or texts with None, where missing."""
    if isinstance(given, Numbers):
        with np.errstate(over="ignore"):  # what is too large is wrong, and said to be
            return given.spread(n_rows)[at].astype(MEASURED)
    places, different = given.spread(n_rows)
    texts: NDArray[Any] = np.array([*different, None], dtype=object)
    return texts[places[at]]


def _changed(cells: Attribute, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Attribute:
    """What becomes of numbers, or of the places of texts."""
    if isinstance(cells, CodedTexts):
        return CodedTexts(change(cells.places), cells.different)
    return change(cells)


@dataclass(frozen=True)
class Coded:
    """Records with their patient, kind and day as numbers.

    Attributes
    ----------
    clock
        Whether the file has ``day`` or ``date``.
    identifiers
        The different identifiers, in the order of their first rows.
    patient
        Index of each row's identifier, `NOBODY` where it is missing.
    kind, rows, values, attributes, attributed_elsewhere
        As in `Condensed`, of all rows.
    has_time
        Whether the row has a day or a date.
    day
        Days from transplant; 0 for a baseline record and where it is missing or cannot be known.
    is_dateless
        Where the day is missing or cannot be known, baseline records excepted.
    lines
        Line of the file on which each row begins.
    """

    clock: str
    identifiers: pa.Array
    patient: IntArray
    kind: NDArray[np.int8]
    rows: dict[str, IntArray]
    values: dict[str, NDArray[Any]]
    attributes: dict[str, Attribute]
    attributed_elsewhere: frozenset[str]
    has_time: NDArray[np.bool_]
    day: NDArray[np.int32]
    is_dateless: NDArray[np.bool_]
    lines: NDArray[np.int64]

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
        ordered = self.ordered  # once, and not by each thread

        def latest(kind: str) -> tuple[IntArray, IntArray]:
            patient, day, _ = ordered[kind][0]
            is_last = is_last_of_patient(patient)
            return patient[is_last], day[is_last]

        for patient, day in side_by_side(latest, [kind for kind in KINDS if kind != "baseline"]):
            last[patient] = np.maximum(last[patient], day)
        return last[:NOBODY]

    def _ordered(self, kind: str) -> tuple[Observations, dict[str, NDArray[Any]]]:
        rows = self.rows[kind]
        values = {name: self.values[name] for name in MEASUREMENTS.get(kind, ()) if name in self.values}
        given = Observations(gathered(self.patient, rows), gathered(self.day, rows), rows)
        if is_ordered(given.patient, given.day):
            return given, values
        patient, day, place = in_order(given.patient, given.day)
        return Observations(patient, day, gathered(rows, place)), {
            name: gathered(own, place) for name, own in values.items()
        }


def code(parts: Sequence[Condensed], clock: str, lines: NDArray[np.int64]) -> Coded:
    """Join condensed rows and code their patients and days; the arrays of one part alone are taken over."""
    identifiers, patient = _code_identifiers([part.identifiers for part in parts])
    kind = _joined([part.kind for part in parts])
    time = _joined([part.time for part in parts])
    has_time = time != _NO_TIME
    day, is_known = (time, has_time) if clock == "day" else _days_from_dates(time, has_time, patient, kind)
    rows = _joined_rows(parts)
    baseline = rows["baseline"]
    day[~is_known] = 0
    day[baseline] = 0
    is_dateless = ~is_known
    is_dateless[baseline] = False
    return Coded(
        clock=clock,
        identifiers=identifiers,
        patient=patient,
        kind=kind,
        rows=rows,
        values=_joined_values(parts),
        attributes=_joined_attributes(parts),
        attributed_elsewhere=_elsewhere(parts),
        has_time=has_time,
        day=day,
        is_dateless=is_dateless,
        lines=lines,
    )


def _code_identifiers(parts: Sequence[pa.Array]) -> tuple[pa.Array, NDArray[np.int32]]:
    """The different identifiers in the order in which they come, and the place of each row's."""
    if pa.types.is_dictionary(parts[0].type):
        [coded] = parts
        return coded.dictionary, coded.indices.to_numpy()
    if any(arrow.are_strings(part) for part in parts):
        parts = [arrow.as_strings(part) for part in parts]
    different, patient = arrow.coded_together(parts)  # `NOBODY` is −1
    return arrow.as_strings(different), patient


def _joined(parts: list[NDArray[Scalar]]) -> NDArray[Scalar]:
    """Arrays one after the other; one alone is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _joined_rows(parts: Sequence[Condensed]) -> dict[str, IntArray]:
    """The rows of each kind by their numbers among all."""
    *starts, n_rows = itertools.accumulate((len(part.kind) for part in parts), initial=0)
    width = _width(n_rows)

    def joined(name: str) -> IntArray:
        numbered = zip(parts, starts, strict=True)
        return _joined(
            [part.rows[name] + width(start) if start else part.rows[name] for part, start in numbered]
        )

    return dict(zip(KINDS, side_by_side(joined, KINDS), strict=True))


def _joined_values(parts: Sequence[Condensed]) -> dict[str, NDArray[Any]]:
    return {name: _joined([part.values[name] for part in parts]) for name in parts[0].values}


def _joined_attributes(parts: Sequence[Condensed]) -> dict[str, Attribute]:
    return {
        name: _joined_attribute([part.attributes[name] for part in parts]) for name in parts[0].attributes
    }


def _joined_attribute(parts: Sequence[Attribute]) -> Attribute:
    texts = [part for part in parts if isinstance(part, CodedTexts)]
    if texts:
        return joined_texts(texts)
    return _joined([part for part in parts if not isinstance(part, CodedTexts)])


def _elsewhere(parts: Sequence[Condensed]) -> frozenset[str]:
    return frozenset().union(*(part.attributed_elsewhere for part in parts))


def _days_from_dates(
    date: NDArray[np.int32], has_date: NDArray[np.bool_], patient: IntArray, kind: NDArray[np.int8]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Days from the patient's transplant, and where they are known: not without a transplant."""
    # Backwards, so that of two transplants the first one stands.
    transplants = np.flatnonzero((kind == CODES["transplant"]) & has_date)[::-1]
    # One place more than there are patients: rows without an identifier look up "unknown" at −1.
    day_0 = np.zeros(int(patient.max(initial=0)) + 2, dtype=np.int32)
    has_day_0 = np.zeros(len(day_0), dtype=bool)
    day_0[patient[transplants]] = date[transplants]
    has_day_0[patient[transplants]] = True
    has_day_0[NOBODY] = False
    return date - day_0[patient], has_date & has_day_0[patient]
