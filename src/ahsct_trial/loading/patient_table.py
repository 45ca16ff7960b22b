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
from ahsct_trial.loading.blocks import Rows, TextColumn, is_ascending
from ahsct_trial.loading.checks import (
    cross_violations,
    edss_10_notice,
    far_outside,
    long_follow_up,
)
from ahsct_trial.loading.identifiers import alike_identifiers
from ahsct_trial.loading.inputs import Input
from ahsct_trial.loading.problems import Violation, grouped
from ahsct_trial.loading.reading import Read, read_parts
from ahsct_trial.loading.table import Table, coded_texts, labels_alike, repeated
from ahsct_trial.loading.values import Forms, Values, meant
from ahsct_trial.parallel import side_by_side
from ahsct_trial.patients import PatientTable
from ahsct_trial.records import IntArray
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
    rows = np.flatnonzero(is_kept)
    kept = identifiers if len(rows) == len(identifiers) else identifiers.filter(pa.array(is_kept))
    import pandas as pd  # not before it is needed: it may be imported while the file is read

    def joined(column: Column) -> tuple[Any, list[Notice]]:
        """A column of all patients, and what should be known of its labels."""
        name = column.name
        if name == PATIENT_ID.name:
            return pa.chunked_array([kept]).to_pandas(), []
        if column.kind in NUMERIC_KINDS:
            return of_kept(np.concatenate([part.numbers.pop(name) for part in read.parts])), []
        labels, places = coded_texts([part.texts.pop(name) for part in read.parts])
        categories = pd.Categorical.from_codes(of_kept(places), pd.Index(labels.levels), validate=False)
        return categories, [*labels_alike(name, labels)]

    def of_kept(values: NDArray[Any]) -> NDArray[Any]:
        return values if len(rows) == len(values) else values[is_kept]

    columns: dict[str, Any] = {}
    each = side_by_side(joined, source.columns, n_rows=read.n_rows)
    for column, (values, notices) in zip(source.columns, each, strict=True):
        columns[column.name] = values
        read.notices += notices
    checks: list[Callable[[], Iterable[Notice]]] = [
        *_checks(columns, rows, read.places),
        partial(alike_identifiers, kept, lambda places: rows[places], read.places),
    ]
    *of_columns, of_identifiers = side_by_side(lambda check: [*check()], checks, n_rows=read.n_rows)
    read.notices += chain.from_iterable(of_columns)
    read.raise_any()
    table = PatientTable(patients=pd.DataFrame(columns, copy=False), layout="patient_table", rows=rows)
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


def _judge_identifiers(read: Read[Patients], identifiers: pa.Array) -> NDArray[np.bool_]:
    """Which rows are kept. Those that are alike are set aside; others of one identifier are a problem."""
    is_kept = np.ones(len(identifiers), dtype=bool)
    if _are_distinct(identifiers):
        return is_kept
    first, again = repeated(identifiers)
    alike = read.set_repeated_rows_aside(np.union1d(first, again))
    is_kept[alike] = False
    is_other = is_kept[again]
    if is_other.any():
        rule = "the same identifier stands on {other}, and a patient has one row"
        fix = "Remove one or give it another identifier."
        violation = Violation(again[is_other], PATIENT_ID.name, rule, fix, first[is_other])
        values = meant(PATIENT_ID, TextColumn.of(identifiers), Forms())
        rows = Rows(read.places.lines, table=read.places.table)
        read.problems.add(grouped(violation, Table({PATIENT_ID.name: values}, rows)))
    return is_kept


def _are_distinct(texts: pa.Array) -> bool:
    """Whether no text stands in two rows."""
    return is_ascending(texts) or bool(
        pc.count_distinct(texts, mode="only_valid").as_py() == len(texts) - texts.null_count
    )


def _checks(
    columns: dict[str, Any], rows: IntArray, places: Places
) -> Iterator[Callable[[], Iterable[Notice]]]:
    """What finds that which a person should look at in the columns."""
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
