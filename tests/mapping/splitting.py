"""The sample's records as others would keep them: SDTM, a REDCap export, MSBase's tables, a clinician's
workbook.

Day 0 of the patients, which the sample counts days from, is set to days of its own for each.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

from ahsct_trial.rendering.workbook import Sheet, SheetColumn, write_workbook

SAMPLE = Path(__file__).parents[2] / "data" / "sample_records.csv"
Row = dict[str, str]


def sample_records() -> list[Row]:
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        return [{name: cell for name, cell in row.items() if cell} for row in csv.DictReader(file)]


def dated_records() -> list[Row]:
    """The sample with a date in place of the day."""
    zero: dict[str, date] = {}
    rows = []
    for row in sample_records():
        start = zero.setdefault(row["patient_id"], date(2001, 1, 1) + timedelta(days=37 * len(zero)))
        dated = {name: cell for name, cell in row.items() if name != "day"}
        if "day" in row:
            dated["date"] = (start + timedelta(days=int(row["day"]))).isoformat()
        rows.append(dated)
    return rows


def of_kind(kind: str) -> list[Row]:
    return [row for row in dated_records() if row["record"] == kind]


def write(path: Path, names: Sequence[str], rows: Iterable[Sequence[str]], *, delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(names)
        writer.writerows(rows)


def german(day: str) -> str:
    return date.fromisoformat(day).strftime("%d.%m.%Y")


def by_patient(kind: str) -> dict[str, Row]:
    return {row["patient_id"]: row for row in of_kind(kind)}


def as_sdtm(folder: Path) -> None:
    """DM, PR, CE and DD as CSV, RS and MO as SAS transport files."""
    import pandas as pd
    import pyreadstat

    deaths, contacts = by_patient("death"), by_patient("last_contact")
    dm = []
    for own in of_kind("baseline"):
        death = deaths.get(own["patient_id"], {}).get("date", "")
        end = death or contacts[own["patient_id"]]["date"]
        sex = {"female": "F", "male": "M"}[own["sex"]]
        dm.append(
            [
                own["patient_id"],
                own["site"],
                own["age_years"],
                sex,
                f"{end}T09:00",
                death,
                "Y" if death else "",
            ]
        )
    write(folder / "dm.csv", ["USUBJID", "SITEID", "AGE", "SEX", "RFPENDTC", "DTHDTC", "DTHFL"], dm)
    pr = [[row["patient_id"], "AHSCT", row["date"]] for row in of_kind("transplant")]
    write(folder / "pr.csv", ["USUBJID", "PRTRT", "PRSTDTC"], pr)
    ce = [[row["patient_id"], "Relapse", "Y", row["date"]] for row in of_kind("relapse")]
    write(folder / "ce.csv", ["USUBJID", "CETERM", "CEOCCUR", "CESTDTC"], ce)
    dd = [[row["patient_id"], "PRCDTH", row["cause_of_death"].upper()] for row in of_kind("death")]
    write(folder / "dd.csv", ["USUBJID", "DDTESTCD", "DDSTRESC"], dd)
    rs = [(row["patient_id"], "EDSS0101", float(row["edss"]), row["date"]) for row in of_kind("edss")]
    frame = pd.DataFrame(rs, columns=["USUBJID", "RSTESTCD", "RSSTRESN", "RSDTC"])
    pyreadstat.write_xport(frame, str(folder / "rs.xpt"), table_name="RS", file_format_version=5)
    tests = {"gd_lesions": "LESGDENH", "new_t2_lesions": "LESNEWT2"}
    mo = [
        (row["patient_id"], code, float(row[name]), row["date"])
        for row in of_kind("mri")
        for name, code in tests.items()
        if name in row
    ]
    frame = pd.DataFrame(mo, columns=["USUBJID", "MOTESTCD", "MOSTRESN", "MODTC"])
    pyreadstat.write_xport(frame, str(folder / "mo.xpt"), table_name="MO", file_format_version=5)


def as_msbase(folder: Path) -> None:
    deaths = by_patient("death")
    patients = [
        [
            row["patient_id"],
            {"female": "F", "male": "M"}[row["sex"]],
            row["site"],
            row["ms_course"][:2],
            german(deaths[row["patient_id"]]["date"]) if row["patient_id"] in deaths else "",
        ]
        for row in of_kind("baseline")
    ]
    write(
        folder / "msb_patient.csv",
        ["PATIENT_ID", "GENDER", "CURRENT_CENTER_CODE", "MSCOURSE_2", "DATE_OF_DEATH"],
        patients,
    )
    treatments = [[row["patient_id"], "AHSCT", german(row["date"])] for row in of_kind("transplant")]
    write(folder / "msb_treatment.csv", ["PATIENT_ID", "TREATMENT", "START_DATE"], treatments)
    visits = [[row["patient_id"], german(row["date"]), row["edss"]] for row in of_kind("edss")]
    visits += [[row["patient_id"], german(row["date"]), ""] for row in of_kind("last_contact")]
    write(folder / "msb_visit.csv", ["PATIENT_ID", "DATE_OF_VISIT", "EDSS"], visits)
    relapses = [[row["patient_id"], german(row["date"])] for row in of_kind("relapse")]
    write(folder / "msb_relapse.csv", ["PATIENT_ID", "DATE_OF_ONSET"], relapses)
    scans = [
        [row["patient_id"], german(row["date"]), "BRAIN", row["gd_lesions"], row.get("new_t2_lesions", "")]
        for row in of_kind("mri")
    ]
    write(
        folder / "msb_mri.csv",
        ["PATIENT_ID", "EXAM_DATE", "EXAM_TYPE", "T1_GADOLINIUM_LESION", "NEW_LESION"],
        scans,
    )


REDCAP_FIELDS = {
    "baseline": {"site": "site", "sex": "sex", "age_years": "age", "ms_course": "course", "prior_therapy": "prior",
                 "conditioning": "cond", "graft": "graft"},
    "observed_from": {"date": "hist_date"},
    "relapse": {"date": "relapse_date"},
    "transplant": {"date": "tx_date"},
    "edss": {"date": "visit_date", "edss": "edss"},
    "mri": {"date": "mri_date", "gd_lesions": "gd", "new_t2_lesions": "t2", "new_lesions": "new_any"},
    "death": {"date": "end_date", "cause_of_death": "cause"},
    "last_contact": {"date": "end_date"},
}  # fmt: skip
REDCAP_CODES = {
    "sex": {"female": "1", "male": "2"},
    "ms_course": {"RRMS": "1", "SPMS": "2"},
    "prior_therapy": {"yes": "1", "no": "0"},
    "cause_of_death": {"transplant": "1", "ms": "2", "other": "3"},
}
REDCAP_MAP = """
name = "project"
[[table]]
patient_id = "record_id"
[[table.record]]
kind = "baseline"
site = "site"
sex = { column = "sex", codes = { 1 = "female", 2 = "male" } }
age_years = "age"
ms_course = { column = "course", codes = { 1 = "RRMS", 2 = "SPMS" } }
prior_therapy = { column = "prior", codes = { 1 = "yes", 0 = "no" } }
conditioning = "cond"
graft = "graft"
[[table.record]]
kind = "observed_from"
date = "hist_date"
[[table.record]]
kind = "relapse"
date = "relapse_date"
[[table.record]]
kind = "transplant"
date = "tx_date"
[[table.record]]
kind = "edss"
date = "visit_date"
edss = "edss"
[[table.record]]
kind = "mri"
date = "mri_date"
gd_lesions = "gd"
new_t2_lesions = "t2"
new_lesions = "new_any"
[[table.record]]
kind = "death"
date = "end_date"
event = { column = "vital", is = ["1"], not = ["0"] }
cause_of_death = { column = "cause", codes = { 1 = "transplant", 2 = "ms", 3 = "other" } }
[[table.record]]
kind = "last_contact"
date = "end_date"
event = { column = "vital", is = ["0"], not = ["1"] }
"""


def as_redcap(folder: Path) -> None:
    """One file in which each row fills the fields of its form alone."""
    fields = dict.fromkeys(field for form in REDCAP_FIELDS.values() for field in form.values())
    names = ["record_id", "redcap_event_name", *fields, "vital"]
    rows = []
    for row in dated_records():
        form = REDCAP_FIELDS[row["record"]]
        cells = {
            field: REDCAP_CODES.get(name, {}).get(row[name], row[name])
            for name, field in form.items()
            if name in row
        }
        if row["record"] in {"death", "last_contact"}:
            cells["vital"] = "1.0" if row["record"] == "death" else "0"
        rows.append(
            [row["patient_id"], f"{row['record']}_arm_1", *(cells.get(name, "") for name in names[2:])]
        )
    write(folder / "project.csv", names, rows)


WORKBOOK_MAP = """
name = "clinic"
missing = ["-"]
[[table]]
file = "clinic.xlsx"
sheet = "Patients"
heading_row = 2
patient_id = "No."
[[table.record]]
kind = "baseline"
site = "hospital"
sex = { column = "sex", codes = { w = "female", m = "male" } }
age_years = "age"
ms_course = "form"
prior_therapy = { column = "prior", codes = { ja = "yes", nein = "no" } }
conditioning = "regimen"
graft = "graft"
[[table.record]]
kind = "observed_from"
date = "history from"
[[table.record]]
kind = "transplant"
date = "transplant"
[[table.record]]
kind = "death"
date = "died"
cause_of_death = "cause"
[[table.record]]
kind = "last_contact"
date = "last seen"
[[table]]
file = "clinic.xlsx"
sheet = "EDSS"
patient_id = "No."
[[table.record]]
kind = "edss"
date = "date"
edss = "EDSS"
[[table]]
file = "clinic.xlsx"
sheet = "Relapses"
patient_id = "No."
[[table.record]]
kind = "relapse"
date = { column = "date", date_format = ["excel"] }
[[table]]
file = "clinic.xlsx"
sheet = "MRI"
patient_id = "No."
[[table.record]]
kind = "mri"
date = "date"
gd_lesions = "Gd"
new_t2_lesions = "T2"
new_lesions = "either"
"""


def as_workbook(folder: Path) -> None:
    """Four sheets: a title above the headings of the first, dates as serial numbers in the third."""

    def sheet(name: str, headings: Sequence[str], rows: Sequence[Sequence[str | float | None]]) -> Sheet:
        return Sheet(name, tuple(SheetColumn(heading) for heading in headings), rows)

    def cell(row: Row, name: str) -> float | None:
        return float(row[name]) if name in row else None

    single = {kind: by_patient(kind) for kind in ("observed_from", "transplant", "death", "last_contact")}
    headings = [
        "No.", "hospital", "sex", "age", "form", "prior", "regimen", "graft", "history from", "transplant", "died", "cause",
        "last seen",
    ]  # fmt: skip
    patients: list[list[str | float | None]] = [list(headings)]
    for row in of_kind("baseline"):
        number = row["patient_id"]
        death, contact = single["death"].get(number, {}), single["last_contact"].get(number, {})
        patients.append(
            [
                number, row["site"], {"female": "w", "male": "m"}[row["sex"]], float(row["age_years"]), row["ms_course"],
                {"yes": "ja", "no": "nein"}[row["prior_therapy"]], row["conditioning"], row["graft"],
                single["observed_from"][number]["date"], single["transplant"][number]["date"], death.get("date", "-"),
                death.get("cause_of_death", "-"), contact.get("date", "-"),
            ]
        )  # fmt: skip
    titles = ["Study of 24 patients", *[""] * (len(headings) - 1)]
    edss = [[row["patient_id"], row["date"], float(row["edss"])] for row in of_kind("edss")]
    relapses = [
        [row["patient_id"], float((date.fromisoformat(row["date"]) - date(1899, 12, 30)).days)]
        for row in of_kind("relapse")
    ]
    scans = [
        [
            row["patient_id"],
            row["date"],
            *(cell(row, name) for name in ("gd_lesions", "new_t2_lesions", "new_lesions")),
        ]
        for row in of_kind("mri")
    ]
    content = write_workbook(
        [
            sheet("Patients", titles, patients),
            sheet("EDSS", ["No.", "date", "EDSS"], edss),
            sheet("Relapses", ["No.", "date"], relapses),
            sheet("MRI", ["No.", "date", "Gd", "T2", "either"], scans),
        ]
    )
    (folder / "clinic.xlsx").write_bytes(content)
