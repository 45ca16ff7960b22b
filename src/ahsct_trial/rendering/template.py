"""An empty sheet to be filled in, which is then read as it is: as a workbook, or the headings of a CSV."""

from __future__ import annotations

from collections.abc import Sequence

from ahsct_trial.columns import PATIENT_TABLE, RECORDS, Column
from ahsct_trial.rendering.workbook import DATE, GENERAL, TEXT, Rule, Sheet, SheetColumn, write_workbook

#: An invented patient, for the sheet that shows how rows look; first what both layouts have.
_ATTRIBUTES: dict[str, str | float] = {
    "patient_id": "EXAMPLE-01",
    "site": "Ottawa",
    "arm": "AHSCT",
    "sex": "female",
    "age_years": 34.0,
    "ms_course": "RRMS",
    "prior_therapy": "yes",
    "conditioning": "Bu/Cy/ATG",
    "graft": "CD34-selected",
}
_PATIENT: dict[str, str | float] = {
    **_ATTRIBUTES,
    "years_observed_before": 2.0,
    "relapses_before": 3.0,
    "scans_before": 2.0,
    "lesions_before": 4.0,
    "follow_up_years": 5.2,
    "years_to_last_visit": 5.2,
    "relapses_after": 1.0,
    "years_to_first_relapse": 2.75,
    "scans_after": 8.0,
    "scans_with_new_lesions_after": 0.0,
    "new_lesions_after": 0.0,
    "years_to_last_scan": 5.0,
    "years_to_last_edss": 5.2,
    "edss_baseline": 4.0,
    "edss_last": 3.5,
}
_OBSERVATIONS: tuple[dict[str, str | float], ...] = (
    {**_ATTRIBUTES, "record": "baseline"},
    {"patient_id": "EXAMPLE-01", "record": "observed_from", "date": "2013-01-10"},
    {"patient_id": "EXAMPLE-01", "record": "relapse", "date": "2014-09-12"},
    {"patient_id": "EXAMPLE-01", "record": "edss", "date": "2014-12-20", "edss": 4.0},
    {"patient_id": "EXAMPLE-01", "record": "mri", "date": "2014-12-20", "gd_lesions": 1.0},
    {"patient_id": "EXAMPLE-01", "record": "transplant", "date": "2015-01-10"},
    {"patient_id": "EXAMPLE-01", "record": "edss", "date": "2016-01-10", "edss": 3.5},
    {
        "patient_id": "EXAMPLE-01",
        "record": "mri",
        "date": "2016-01-10",
        "gd_lesions": 0.0,
        "new_t2_lesions": 0.0,
    },
    {"patient_id": "EXAMPLE-01", "record": "last_contact", "date": "2018-01-15"},
)

#: What a cell of each kind must fulfil, as a formula of a spreadsheet.
_FORMULAS = {
    "years": "AND(ISNUMBER({cell}),{cell}>=0,{cell}<=HIGH)",
    "count": "AND(ISNUMBER({cell}),{cell}>=0,{cell}=INT({cell}))",
    "edss": "AND(ISNUMBER({cell}),{cell}>=0,{cell}<=10,{cell}*2=INT({cell}*2),{cell}<>0.5)",
    "date": "AND(ISNUMBER({cell}),{cell}>=DATE(1950,1,1))",
}


def template_columns(*, is_records: bool) -> tuple[Column, ...]:
    """The columns of an empty sheet; records are dated, not counted in days."""
    return tuple(column for column in RECORDS if column.name != "day") if is_records else PATIENT_TABLE


def template_csv(*, is_records: bool) -> str:
    """The line of headings."""
    return ",".join(column.name for column in template_columns(is_records=is_records)) + "\n"


def template_workbook(*, is_records: bool) -> bytes:
    """A workbook: a sheet to fill in, one with an example that is not read, one that explains the columns."""
    columns = template_columns(is_records=is_records)
    examples = _OBSERVATIONS if is_records else (_PATIENT,)
    empty = Sheet("records" if is_records else "patients", tuple(map(_to_fill_in, columns)))
    example = Sheet(
        "example",
        tuple(SheetColumn(column.name) for column in columns),
        [[row.get(column.name) for column in columns] for row in examples],
    )
    return write_workbook([empty, example, _dictionary(columns)])


def _dictionary(columns: Sequence[Column]) -> Sheet:
    headings = (
        SheetColumn("column", TEXT, 28),
        SheetColumn("needed", TEXT, 9),
        SheetColumn("values", TEXT, 50),
        SheetColumn("meaning", TEXT, 90),
    )
    rows = [
        [column.name, "yes" if column.is_required else "", column.values, column.meaning]
        for column in columns
    ]
    return Sheet("columns", headings, rows)


def _to_fill_in(column: Column) -> SheetColumn:
    form = {"text": TEXT, "date": DATE}.get(column.kind, GENERAL)
    return SheetColumn(column.name, form, max(12, len(column.name) + 2), _rule(column))


def _rule(column: Column) -> Rule | None:
    message = f"{column.name}: {column.values}"
    if column.levels:
        return Rule(message, choices=column.levels)
    formula = _FORMULAS.get(column.kind)
    return Rule(message, formula=formula.replace("HIGH", f"{column.high:g}")) if formula else None
