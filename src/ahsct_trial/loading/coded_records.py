"""Rows of records as numbers: patient, kind, day, and only the cells that a record of the kind has.

Ten million rows have a hundred million cells, most of them empty. So each block of rows is condensed as
soon as it is read, and only what is left is joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ahsct_trial.columns import ATTRIBUTES, MEASUREMENTS, PATIENT_ID
from ahsct_trial.loading import arrow
from ahsct_trial.loading.rows import Rows
from ahsct_trial.records import KINDS, IntArray, order_by_patient_and_day

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
        Identifier of each row, null where it is missing.
    kind
        Index of its kind in `KINDS`, −1 where it is missing or unknown.
    time
        Its day, or its date as days since 1970, as it stands; `_NO_TIME` where there is none.
    values
        Measurements by column, one for each row of the kind that has the column: numbers with NaN, or
        texts with None, where missing. A column that the file lacks is not there.
    attributes
        The same of the attributes, one for each baseline row.
    attributed_elsewhere
        Attributes that have a value on a row of another kind.
    """

    identifiers: pa.ChunkedArray
    kind: NDArray[np.int8]
    time: NDArray[np.int32]
    values: dict[str, NDArray[Any]]
    attributes: dict[str, NDArray[Any]]
    attributed_elsewhere: frozenset[str]


def condense(rows: Rows) -> Condensed:
    """Keep what matters of some rows."""
    kind = kinds(rows)
    raw = rows.numbers["day" if rows.has("day") else "date"]
    # A time that no day can be is wrong by itself, and NaN compares false.
    time = np.where(np.abs(raw) < -float(_NO_TIME), raw, _NO_TIME).astype(np.int32)
    baseline = np.flatnonzero(kind == CODES["baseline"])
    attributes = {}
    elsewhere = set()
    for attribute in ATTRIBUTES:
        if rows.has(attribute.name):
            attributes[attribute.name] = _cells(rows, attribute.name, baseline)
            n_given = int(np.count_nonzero(pd.notna(attributes[attribute.name])))
            if len(rows) - rows.n_missing(attribute.name) > n_given:
                elsewhere.add(attribute.name)
    values = {
        column: _cells(rows, column, np.flatnonzero(kind == CODES[name]))
        for name, columns in MEASUREMENTS.items()
        for column in columns
        if rows.has(column)
    }
    return Condensed(rows.texts[PATIENT_ID.name], kind, time, values, attributes, frozenset(elsewhere))


def kinds(rows: Rows) -> NDArray[np.int8]:
    """Index of each row's kind in `KINDS`, −1 where it is missing or unknown."""
    texts = rows.texts["record"].unify_dictionaries().combine_chunks()
    code_of = np.array([*(CODES.get(text, -1) for text in texts.dictionary.to_pylist()), -1], dtype=np.int8)
    kind: NDArray[np.int8] = code_of[arrow.codes(texts)]
    return kind


def _cells(rows: Rows, column: str, at: NDArray[np.intp]) -> NDArray[Any]:
    if column in rows.numbers:
        return rows.numbers[column][at]
    texts = rows.texts[column].unify_dictionaries().combine_chunks()
    words = np.array([*texts.dictionary.to_pylist(), None], dtype=object)
    return words[arrow.codes(texts)[at]]


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
    kind, values, attributes, attributed_elsewhere
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
    identifiers: pa.ChunkedArray
    patient: IntArray
    kind: NDArray[np.int8]
    values: dict[str, NDArray[Any]]
    attributes: dict[str, NDArray[Any]]
    attributed_elsewhere: frozenset[str]
    has_time: NDArray[np.bool_]
    day: NDArray[np.int32]
    is_dateless: NDArray[np.bool_]
    lines: NDArray[np.int64]

    @property
    def n_patients(self) -> int:
        """Number of different identifiers."""
        return len(self.identifiers)

    def of_kind(self, name: str) -> NDArray[np.intp]:
        """Rows of a kind, ascending."""
        return np.flatnonzero(self.kind == CODES[name])

    @cached_property
    def last_day(self) -> IntArray:
        """The latest day of each patient; a record without a day counts as day 0."""
        last = np.full(self.n_patients + 1, np.iinfo(np.int32).min, dtype=np.int32)
        np.maximum.at(last, self.patient, self.day)
        return last[:NOBODY]

    @cached_property
    def edss_order(self) -> NDArray[np.intp]:
        """Places of the ``edss`` rows among their kind, in the order of patient and day."""
        rows = self.of_kind("edss")
        return order_by_patient_and_day(self.patient[rows], self.day[rows])


def code(parts: Sequence[Condensed], clock: str, lines: NDArray[np.int64]) -> Coded:
    """Join condensed rows and code their patients and days."""
    texts = pa.chunked_array([chunk for part in parts for chunk in part.identifiers.chunks], pa.string())
    # The chunks share one dictionary. There is one even without rows.
    encoded = texts.dictionary_encode().chunks or [pa.array([], pa.string()).dictionary_encode()]
    patient = np.concatenate([arrow.codes(chunk) for chunk in encoded])
    kind = np.concatenate([part.kind for part in parts])
    time = np.concatenate([part.time for part in parts])
    has_time = time != _NO_TIME
    day, is_known = (time, has_time) if clock == "day" else _days_from_dates(time, has_time, patient, kind)
    baseline = np.flatnonzero(kind == CODES["baseline"])
    day[~is_known] = 0
    day[baseline] = 0
    is_dateless = ~is_known
    is_dateless[baseline] = False
    return Coded(
        clock=clock,
        identifiers=pa.chunked_array([encoded[-1].dictionary]),
        patient=patient,
        kind=kind,
        values=_joined([part.values for part in parts]),
        attributes=_joined([part.attributes for part in parts]),
        attributed_elsewhere=frozenset().union(*(part.attributed_elsewhere for part in parts)),
        has_time=has_time,
        day=day,
        is_dateless=is_dateless,
        lines=lines,
    )


def _joined(parts: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


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
