"""Raw records, one row per observation, from a file to `Records`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ahsct_trial.columns import ATTRIBUTES, MEASUREMENTS, PATIENT_ID
from ahsct_trial.loading.checks import Violation, cell_violations
from ahsct_trial.loading.header import Header
from ahsct_trial.loading.problems import fatal
from ahsct_trial.loading.reading import read_checked, similar_identifiers
from ahsct_trial.loading.rows import Rows
from ahsct_trial.loading.source import Source
from ahsct_trial.records import KINDS, IntArray, Records, order_by_patient_and_day

_ONCE = ("baseline", "transplant", "observed_from", "death")
_CODES = {name: code for code, name in enumerate(KINDS)}
_NOBODY = -1


def read_records(source: Source, header: Header) -> Records:
    """Read, check and code the records.

    Raises
    ------
    DataProblems
        All that is wrong with the file, at once.
    """
    has_day, has_date = (
        any(column.name == name for column in header.known.values()) for name in ("day", "date")
    )
    if has_day == has_date:
        raise fatal(
            source.file,
            "the header has both day and date" if has_day else "the header has neither day nor date",
            "records have whole days from transplant or dates",
            "Keep one of the two columns." if has_day else "Add one of the two columns.",
        )
    read = read_checked(source, header, _judge)
    coded = read.meaning
    edss_rows = coded.of_kind("edss")
    edss_rows = edss_rows[order_by_patient_and_day(coded.patient[edss_rows], coded.day[edss_rows])]
    values = {
        column: coded.measured(column, edss_rows if kind == "edss" else coded.of_kind(kind))
        for kind, columns in MEASUREMENTS.items()
        for column in columns
        if coded.rows.has(column)
    }
    return Records(
        patient=coded.patient,
        kind=coded.kind,
        day=coded.day,
        edss_rows=edss_rows,
        values=values,
        patients=_patients(coded),
        lines=coded.rows.lines,
        source=read.info("records"),
        account=read.account,
        warnings=(*header.warnings, *similar_identifiers(coded.identifiers), *_warnings(coded)),
    )


@dataclass(frozen=True)
class _Coded:
    """Rows with their patient, kind and day as numbers.

    Attributes
    ----------
    rows
        The typed columns.
    identifiers
        The different identifiers, in the order of their first rows.
    patient
        Index of each row's identifier, −1 where it is missing.
    kind
        Index of its kind in `KINDS`, −1 where it is missing or unknown.
    day
        Days from transplant; 0 for a baseline record and where it is missing or cannot be known.
    is_dateless
        Where the day is missing or cannot be known, baseline records excepted.
    """

    rows: Rows
    identifiers: pa.ChunkedArray
    patient: IntArray
    kind: NDArray[np.int8]
    day: NDArray[np.int32]
    is_dateless: NDArray[np.bool_]

    @property
    def n_patients(self) -> int:
        return len(self.identifiers)

    def of_kind(self, *names: str) -> NDArray[np.intp]:
        """Rows of these kinds, ascending."""
        is_one = self.kind == _CODES[names[0]]
        for name in names[1:]:
            is_one |= self.kind == _CODES[name]
        return np.flatnonzero(is_one)

    def measured(self, column: str, rows: NDArray[np.intp]) -> NDArray[Any]:
        """A measurement at some rows: numbers, or texts with None where missing."""
        if column in self.rows.numbers:
            return self.rows.numbers[column][rows]
        texts = self.rows.texts[column].take(pa.array(rows)).cast(pa.string())
        return np.asarray(texts.to_numpy(zero_copy_only=False))


def _judge(
    rows: Rows, header: Header, is_unreadable: Mapping[str, NDArray[np.bool_]]
) -> tuple[_Coded, Iterator[Violation]]:
    coded = _coded(rows)
    return coded, _violations(coded, header, is_unreadable)


def _coded(rows: Rows) -> _Coded:
    identifiers = rows.texts[PATIENT_ID.name].combine_chunks().dictionary_encode()
    patient = identifiers.indices.fill_null(_NOBODY).to_numpy()
    kinds = rows.texts["record"].unify_dictionaries().combine_chunks()
    code_of = np.array([_CODES.get(text, -1) for text in kinds.dictionary.to_pylist()] + [-1], dtype=np.int8)
    kind = code_of[kinds.indices.fill_null(len(code_of) - 1).to_numpy()]
    days = rows.numbers["day"] if rows.has("day") else _days_from_dates(rows.numbers["date"], patient, kind)
    is_dateless = ~(np.abs(days) <= np.iinfo(np.int32).max)
    day = np.where(is_dateless, 0, days).astype(np.int32)
    is_baseline = kind == _CODES["baseline"]
    day[is_baseline] = 0
    names = pa.chunked_array([identifiers.dictionary])
    return _Coded(rows, names, patient, kind, day, is_dateless & ~is_baseline)


def _days_from_dates(
    dates: NDArray[np.float64], patient: IntArray, kind: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Days from the patient's transplant; NaN for a patient without one."""
    transplants = np.flatnonzero(kind == _CODES["transplant"])
    # One place more than there are patients: rows without an identifier look up NaN at −1.
    day_0 = np.full(int(patient.max(initial=0)) + 2, np.nan)
    day_0[patient[transplants]] = dates[transplants]
    day_0[-1] = np.nan
    return np.asarray(dates - day_0[patient])


def _violations(
    coded: _Coded, header: Header, is_unreadable: Mapping[str, NDArray[np.bool_]]
) -> Iterator[Violation]:
    rows = coded.rows
    yield from cell_violations(rows, header.known.values(), is_unreadable, {})
    yield from _misplaced(coded, is_unreadable)
    yield from _undated(coded, is_unreadable)
    yield from _repeated(coded)
    yield from _impossible_order(coded)
    yield from _contradicting_edss(coded)
    yield from _never_followed(coded)


def _misplaced(coded: _Coded, is_unreadable: Mapping[str, NDArray[np.bool_]]) -> Iterator[Violation]:
    """Measurements that a kind of record needs and lacks, or has and does not take."""
    rows = coded.rows
    for kind, columns in MEASUREMENTS.items():
        of_kind = coded.of_kind(kind)
        present = [column for column in columns if rows.has(column)]
        has_value = np.zeros(len(of_kind), dtype=bool)
        for column in present:
            is_given = ~rows.is_missing(column)
            if column in is_unreadable:
                is_given |= is_unreadable[column]
            has_value |= is_given[of_kind]
            if np.count_nonzero(is_given) > np.count_nonzero(is_given[of_kind]):
                is_given[of_kind] = False
                is_given &= coded.kind >= 0
                yield Violation(
                    np.flatnonzero(is_given),
                    column,
                    f"the record is '{{record}}', and only {_article(kind)} record has it",
                    "Give it a record of its own or leave it empty.",
                )
        if kind != "death" and not has_value.all():
            yield Violation(
                of_kind[~has_value],
                columns[0],
                f"{_article(kind)} record needs {' or '.join(columns)}",
                "Enter it, or remove the record.",
            )


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "em" else f"a {kind}"


def _undated(coded: _Coded, is_unreadable: Mapping[str, NDArray[np.bool_]]) -> Iterator[Violation]:
    clock = "day" if coded.rows.has("day") else "date"
    is_missing = coded.rows.is_missing(clock)
    if clock in is_unreadable:
        is_missing &= ~is_unreadable[clock]
    is_wrong = is_missing & coded.is_dateless & (coded.kind >= 0)
    if is_wrong.any():
        yield Violation(np.flatnonzero(is_wrong), clock, "only a baseline record has none", "Enter it.")
    if clock == "day":
        moved = coded.of_kind("transplant")
        moved = moved[(coded.day[moved] != 0) & ~coded.is_dateless[moved]]
        if moved.size:
            yield Violation(moved, "day", "the transplant is day 0", "Count days from the transplant.")
        return
    is_lost = coded.is_dateless & ~is_missing & (coded.patient >= 0)
    if clock in is_unreadable:
        is_lost &= ~is_unreadable[clock]
    if is_lost.any():
        yield Violation(
            _first_of_each(coded.patient, np.flatnonzero(is_lost)),
            "date",
            "the patient has no transplant record with a date, so no day 0",
            "Add one.",
        )


def _first_of_each(patient: IntArray, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """The first of the rows for each patient that has one, ascending."""
    return np.sort(rows[np.unique(patient[rows], return_index=True)[1]])


def _repeated(coded: _Coded) -> Iterator[Violation]:
    """Records of which a patient has one, and has more."""
    for kind in _ONCE:
        rows = coded.of_kind(kind)
        patient = coded.patient[rows]
        if np.bincount(patient[patient >= 0], minlength=1).max() > 1:
            is_again = np.ones(len(rows), dtype=bool)
            is_again[np.unique(patient, return_index=True)[1]] = False
            yield Violation(
                rows[is_again & (patient >= 0)],
                "record",
                f"the patient has {_article(kind)} record already",
                "Keep one of them.",
            )


def _impossible_order(coded: _Coded) -> Iterator[Violation]:
    clock = "day" if coded.rows.has("day") else "date"
    deaths = coded.of_kind("death")
    # One place more than there are patients: rows without an identifier are compared with "never" at −1.
    died_on = np.full(coded.n_patients + 1, np.iinfo(np.int32).max)
    died_on[coded.patient[deaths]] = np.where(coded.is_dateless[deaths], died_on[-1], coded.day[deaths])
    died_on[-1] = np.iinfo(np.int32).max
    is_after_death = coded.day > died_on[coded.patient]
    if is_after_death.any():
        yield Violation(np.flatnonzero(is_after_death), clock, "the patient had died before", "Correct one.")
    early = deaths[coded.day[deaths] < 0]
    if early.size:
        yield Violation(early, clock, "the patient died before the transplant", "Correct it.")
    late = coded.of_kind("observed_from")
    late = late[coded.day[late] > 0]
    if late.size:
        yield Violation(
            late,
            clock,
            "the history begins at or before the transplant",
            "Correct it: days before are negative.",
        )


def _contradicting_edss(coded: _Coded) -> Iterator[Violation]:
    """EDSS scores of one patient and day that differ from an earlier row's."""
    if not coded.rows.has("edss"):
        return
    rows = coded.of_kind("edss")
    rows = rows[(coded.patient[rows] >= 0) & ~coded.is_dateless[rows]]
    rows = rows[order_by_patient_and_day(coded.patient[rows], coded.day[rows])]
    edss = coded.rows.numbers["edss"][rows]
    is_same_day = (np.diff(coded.patient[rows]) == 0) & (np.diff(coded.day[rows]) == 0)
    differs = is_same_day & (np.abs(np.diff(edss)) > 0)
    if differs.any():
        yield Violation(
            np.sort(rows[1:][differs]),
            "edss",
            "another EDSS of that day differs",
            "Keep the right one.",
        )


def _never_followed(coded: _Coded) -> Iterator[Violation]:
    """Patients without a record from day 0 on, at the first of their rows."""
    is_seen = np.zeros(coded.n_patients + 1, dtype=bool)
    is_baseline = coded.kind == _CODES["baseline"]
    is_seen[coded.patient[(coded.day >= 0) & ~is_baseline]] = True
    if is_seen[:-1].all():
        return
    rows = np.flatnonzero(~is_seen[coded.patient] & (coded.patient >= 0))
    yield Violation(
        _first_of_each(coded.patient, rows),
        "record",
        "the patient has no record from day 0 on, so no follow-up",
        "Add his transplant and last_contact, or remove him.",
    )


def _patients(coded: _Coded) -> pd.DataFrame:
    """`patient_id` and the attributes of the baseline records, one row per patient."""
    columns: dict[str, Any] = {PATIENT_ID.name: coded.identifiers.to_pandas()}
    rows = coded.of_kind("baseline")
    if rows.size:
        place = np.full(coded.n_patients, -1)
        place[coded.patient[rows]] = np.arange(len(rows))
        taken = pa.array(rows)
        for attribute in ATTRIBUTES:
            if attribute.name in coded.rows.numbers:
                numbers = np.append(coded.rows.numbers[attribute.name][rows], np.nan)
                columns[attribute.name] = numbers[place]
            elif attribute.name in coded.rows.texts:
                texts = coded.rows.texts[attribute.name].take(taken).to_pandas()
                columns[attribute.name] = texts.array.take(place, allow_fill=True)
    return pd.DataFrame(columns, copy=False)


def _warnings(coded: _Coded) -> Iterator[str]:
    """What a person should know about records that are read and not used."""
    rows = coded.rows
    is_baseline = coded.kind == _CODES["baseline"]
    elsewhere = [
        column.name
        for column in ATTRIBUTES
        if rows.has(column.name) and (~rows.is_missing(column.name) & ~is_baseline).any()
    ]
    if elsewhere:
        yield f"Not read on records other than baseline: {', '.join(elsewhere)}."
    relapses, starts = coded.of_kind("relapse"), coded.of_kind("observed_from")
    begin = np.full(coded.n_patients, np.iinfo(np.int32).min)
    begin[coded.patient[starts]] = coded.day[starts]
    n_early = int(np.count_nonzero(coded.day[relapses] < begin[coded.patient[relapses]]))
    if n_early:
        noun = "relapse lies" if n_early == 1 else "relapses lie"
        yield f"{n_early:,} {noun} before observed_from and count for no rate."
