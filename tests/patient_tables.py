"""Small patient tables for tests: cells apart by blanks, a dot where one is empty, read as a CSV file."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ahsct_trial import Trial, read_cohort

if TYPE_CHECKING:
    from collections.abc import Sequence


#: Short headers, so that a table fits the line; a column's own name works as well.
SHORT = {
    "id": "patient_id",
    "follow_up": "follow_up_years",
    "relapses": "relapses_after",
    "relapse_at": "years_to_first_relapse",
    "scans": "scans_after",
    "lesion_at": "years_to_first_new_lesion",
    "last_visit": "years_to_last_visit",
    "last_scan": "years_to_last_scan",
    "last_edss": "years_to_last_edss",
    "edss": "edss_baseline",
    "worse_at": "years_to_worsening",
    "better_at": "years_to_improvement",
    "dead_at": "years_to_death",
}


def cohort(text: str) -> Trial:
    """Write a table as CSV and read it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cohort.csv"
        path.write_text("".join(",".join(row) + "\n" for row in _cells(text)), encoding="utf-8")
        read = read_cohort(path)
    assert read.layout == "patient_table"
    return read


def _cells(text: str) -> list[list[str]]:
    rows = [["" if cell == "." else cell for cell in line.split()] for line in text.strip().splitlines()]
    return [[SHORT.get(name, name) for name in rows[0]], *rows[1:]]


def without(columns: Sequence[str], text: str) -> str:
    """The table without some of its columns."""
    rows = _cells(text)
    kept = [position for position, name in enumerate(rows[0]) if name not in columns]
    return "\n".join(" ".join(row[position] or "." for position in kept) for row in rows)


def survival_table(times: Sequence[float], is_event: Sequence[bool]) -> str:
    """A table of follow-up and deaths alone."""
    rows = ["id follow_up dead_at"]
    for number, (years, has_died) in enumerate(zip(times, is_event, strict=True)):
        rows.append(f"P{number} {years!r} {years!r}" if has_died else f"P{number} {years!r} .")
    return "\n".join(rows)
