"""Small records files for tests: one record per line, ``P1 edss 90 edss=3.5``, read as a CSV file."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ahsct_trial import Summary, Trial, read_cohort
from ahsct_trial.catalogue import SURVIVAL_ENDPOINTS

#: Short names of columns, so that a record fits the line; a column's own name works as well.
SHORT = {"gd": "gd_lesions", "t2": "new_t2_lesions", "new": "new_lesions", "cause": "cause_of_death"}

Row = dict[str, str]


def rows_of(text: str) -> list[Row]:
    """The records of a text: patient, kind, day (``-`` for none), and the other cells as ``column=value``."""
    rows = []
    for line in text.strip().splitlines():
        patient, kind, day, *cells = line.split()
        row = {"patient_id": patient, "record": kind, "day": "" if day == "-" else day}
        for cell in cells:
            name, value = cell.split("=")
            row[SHORT.get(name, name)] = value
        rows.append(row)
    return rows


def csv_of(rows: Sequence[dict[str, Any]], columns: Sequence[str] = ()) -> str:
    """Rows as CSV, with the columns that any of them has, and `columns` as well."""
    names = list(dict.fromkeys([*(name for row in rows for name in row), *columns]))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def read(text: str, **options: Any) -> Trial:
    """Read a text as if it stood in a file named ``records.csv``."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "records.csv"
        path.write_text(text, encoding="utf-8")
        return read_cohort(path, **options)


def records(text: str, columns: Sequence[str] = ()) -> Trial:
    """Read the records of a text; `columns` are in the file even if no record has them."""
    found = read(csv_of(rows_of(text), columns))
    assert found.layout == "records"
    return found


def figures(summary: Summary, *left_out: str) -> dict[str, Any]:
    """Everything that a summary says of the patients, without its texts and some more keys, at any depth."""
    whole = asdict(summary)
    for endpoint in SURVIVAL_ENDPOINTS:
        curve = getattr(summary.endpoints, endpoint.key).curve
        whole["endpoints"][endpoint.key]["curve"] = [asdict(point) for point in curve]
    texts = ("definition", "label", "note", *left_out)
    return {key: _without(whole[key], texts) for key in ("cohort", "endpoints")}


def _without(value: Any, keys: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner, keys) for key, inner in value.items() if key not in keys}
    return [_without(inner, keys) for inner in value] if isinstance(value, list | tuple) else value


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Each figure by its path, for example ``endpoints.neda3.0.n_yes``."""
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = ((str(place), inner) for place, inner in enumerate(value))
    else:
        return {path: value}
    return {
        key: leaf for name, inner in items for key, leaf in flat(inner, f"{path}.{name}".strip(".")).items()
    }


def differences(here: Any, there: Any, relative: float, absolute: float = 0.0) -> list[str]:
    """The figures of two results that differ: numbers with decimals by more than this, all else at all."""
    one, other = flat(here), flat(there)
    return [
        f"{path}: {one.get(path)} and {other.get(path)}"
        for path in {**one, **other}
        if not _is_close(one.get(path, "not there"), other.get(path, "not there"), relative, absolute)
    ]


def _is_close(one: Any, other: Any, relative: float, absolute: float) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=relative, abs_tol=absolute)
    return type(one) is type(other) and bool(one == other)
