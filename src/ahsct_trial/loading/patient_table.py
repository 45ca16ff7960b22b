"""The patient table, one row per patient, as a `Trial`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ahsct_trial.columns import NUMERIC_KINDS, PATIENT_ID, PATIENT_TABLE, Column
from ahsct_trial.loading.blocks import IntArray, is_ascending
from ahsct_trial.loading.checks import alike_identifiers, cross_violations, far_outside, long_follow_up
from ahsct_trial.loading.inputs import Input
from ahsct_trial.loading.problems import Violation, grouped
from ahsct_trial.loading.reading import Read, read_parts
from ahsct_trial.loading.table import Table, coded_texts, labels_alike, repeated
from ahsct_trial.loading.values import Values
from ahsct_trial.parallel import side_by_side
from ahsct_trial.patients import PatientTable
from ahsct_trial.results import Notice
from ahsct_trial.trial import Places, Trial

_COUNTS = tuple(column.name for column in PATIENT_TABLE if column.kind == "count")


@dataclass(frozen=True)
class Patients:
    """Rows of a patient table, with a value for each row.

    Attributes
    ----------
    identifiers
        Strings, null where missing.
    numbers
        Numeric columns, NaN where missing.
    texts
        Text columns: the place of each row's text among the different ones, −1 where missing, and these.
    """

    identifiers: pa.Array
    numbers: dict[str, NDArray[np.float64]]
    texts: dict[str, tuple[NDArray[np.int32], list[str | None]]]


def read_patient_table(source: Input, *, is_strict: bool) -> Trial:
    """Read and check the patients.

    Raises
    ------
    DataProblems
        All that is wrong with the file, at once; with `is_strict` also what should be looked at first.
    """
    read = read_parts(source, cross_violations, _condense, is_patient_table=True)
    identifiers = pa.concat_arrays([part.identifiers for part in read.parts])
    is_kept = _judge_identifiers(read, identifiers)
    kept = identifiers if is_kept is None else identifiers.filter(pa.array(is_kept))
    import pandas as pd  # not before it is needed: it may be imported while the file is read

    def joined(column: Column) -> tuple[Any, list[Notice]]:
        """A column of all patients, and what should be known of its labels."""
        name = column.name
        if name == PATIENT_ID.name:
            return pa.chunked_array([kept]).to_pandas(), []
        if column.kind in NUMERIC_KINDS:
            numbers = np.concatenate([part.numbers.pop(name) for part in read.parts])
            return numbers if is_kept is None else numbers[is_kept], []
        labels, places = coded_texts([part.texts.pop(name) for part in read.parts])
        places = places if is_kept is None else places[is_kept]
        categories = pd.Categorical.from_codes(places, pd.Index(labels.levels), validate=False)
        return categories, [*labels_alike(name, labels)]

    columns: dict[str, Any] = {}
    each = side_by_side(joined, source.columns, n_rows=read.n_rows)
    for column, (values, notices) in zip(source.columns, each, strict=True):
        columns[column.name] = values
        read.notices += notices
    checks: list[Callable[[], Iterable[Notice]]] = [
        *_checks(columns, read.places),
        partial(alike_identifiers, kept, lambda places: places, read.places),
    ]
    *of_columns, of_identifiers = side_by_side(lambda check: [*check()], checks, n_rows=read.n_rows)
    read.notices += chain.from_iterable(of_columns)
    read.raise_any()
    table = PatientTable(
        patients=pd.DataFrame(columns, copy=False), layout="patient_table", rows=np.arange(read.n_rows)
    )
    read.notices += of_identifiers
    return read.trial(table, is_strict=is_strict)


def _condense(table: Table) -> Patients:
    others = {name: cells for name, cells in table.columns.items() if name != PATIENT_ID.name}
    return Patients(
        table.texts_of(PATIENT_ID.name).strings(),
        {name: table.numbers(name) for name, cells in others.items() if cells.column.kind in NUMERIC_KINDS},
        {
            name: (cells.codes, cells.values.tolist())
            for name, cells in others.items()
            if isinstance(cells, Values) and cells.column.kind not in NUMERIC_KINDS
        },
    )


class _Identifiers:
    """The identifiers of all rows, for messages (`problems.Cells`)."""

    def __init__(self, read: Read[Patients], identifiers: pa.Array) -> None:
        self._places = read.places
        self._identifiers = identifiers

    def has(self, *names: str) -> bool:
        """Whether these are the identifiers."""
        return names == (PATIENT_ID.name,)

    def keyed(self, _name: str, rows: IntArray) -> tuple[IntArray, Any]:
        """A code for each row's identifier."""
        coded = self._identifiers.take(pa.array(rows)).dictionary_encode()
        return coded.indices.to_numpy(), lambda code: coded.dictionary[code].as_py()

    def patient_of(self, row: int) -> str | None:
        """The identifier in a row."""
        return self._identifiers[row].as_py()  # type: ignore[no-any-return]

    def lines_of(self, rows: IntArray) -> IntArray:
        """The lines of some rows."""
        return self._places.lines[rows]

    def tables_of(self, rows: IntArray) -> IntArray:
        """The number of the table of each row."""
        table = self._places.table
        return np.zeros(len(rows), dtype=np.int8) if table is None else table[rows]


def _judge_identifiers(read: Read[Patients], identifiers: pa.Array) -> NDArray[np.bool_] | None:
    """Set rows aside that are alike, find others of one identifier; which rows are kept, None for all."""
    if _are_distinct(identifiers):
        return None
    first, again = repeated(identifiers)
    if not again.size:
        return None
    alike = read.repeated_rows(np.union1d(first, again))
    is_other = ~np.isin(again, alike)
    if is_other.any():
        rule = "the same identifier stands on {other}, and a patient has one row"
        fix = "Remove one or give it another identifier."
        violation = Violation(again[is_other], PATIENT_ID.name, rule, fix, first[is_other])
        read.problems.add(grouped(violation, _Identifiers(read, identifiers)))
    return read.set_repeated_rows_aside(alike) if alike.size else None


def _are_distinct(texts: pa.Array) -> bool:
    """Whether no text stands in two rows."""
    return is_ascending(texts) or bool(
        pc.count_distinct(texts, mode="only_valid").as_py() == len(texts) - texts.null_count
    )


def _checks(columns: dict[str, Any], places: Places) -> Iterator[Callable[[], Iterable[Notice]]]:
    """What finds that which a person should look at in the columns."""
    rows = np.arange(len(places.lines))
    yield partial(long_follow_up, columns["follow_up_years"])
    for name in _COUNTS:
        if name in columns:
            yield partial(far_outside, name, columns[name], rows, places)
    yield partial(_edss_10_of_living, columns)


def _edss_10_of_living(columns: dict[str, Any]) -> Iterator[Notice]:
    """A last EDSS of 10 without a death."""
    if "edss_last" in columns:
        is_10 = columns["edss_last"] == 10
        if "years_to_death" in columns:
            is_10 &= np.isnan(columns["years_to_death"])
        n = int(np.count_nonzero(is_10))
        if n:
            yield edss_10_notice(n)


def edss_10_notice(n: int) -> Notice:
    """That a last EDSS is death, and no death was entered."""
    noun = "1 patient has" if n == 1 else f"{n:,} patients have"
    text = f"{noun} a last EDSS of 10, which is death due to MS, and no death. Was it entered?"
    return Notice(code="edss-10-without-death", severity="look first", text=text)
