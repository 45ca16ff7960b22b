"""Templates, converted tables and exported data: what is written is read again, and holds the figures."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ahsct_trial import read_cohort, read_mapped, summarize
from ahsct_trial.catalogue import SURVIVAL_ENDPOINTS
from ahsct_trial.cli import main
from ahsct_trial.columns import PATIENT_TABLE, RECORDS
from ahsct_trial.exporting import export_patients, export_times
from ahsct_trial.rendering.csv_rows import write_rows
from ahsct_trial.rendering.template import template_columns, template_csv, template_workbook
from ahsct_trial.rendering.workbook import Sheet, SheetColumn, write_workbook

DATA = Path(__file__).parents[1] / "data"


def written(arguments: list[str], capfd) -> str:
    outcome = main(arguments)
    out, err = capfd.readouterr()
    assert outcome.exit_code == 0, err
    return out


def figures(summary) -> list[object]:
    """The estimates of survival and of rates."""
    survival = [getattr(summary.endpoints, endpoint.key).survival for endpoint in SURVIVAL_ENDPOINTS]
    rates = [summary.endpoints.relapse_rate, summary.endpoints.lesions]
    return [*survival, *((rate.before.rate, rate.after.rate, rate.ratio) for rate in rates)]


# ---- Templates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_records", [True, False])
def test_a_template_that_is_filled_in_is_read_as_it_is(tmp_path, is_records: bool) -> None:
    """The sample, typed into the empty sheet."""
    source = DATA / ("sample_records.csv" if is_records else "sample_cohort.csv")
    with source.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [column.name for column in template_columns(is_records=is_records)]
    columns = [name if name != "date" else "day" for name in columns]  # the sample counts days

    def cell(name: str, text: str) -> str | float | None:
        is_number = name not in {"patient_id", "site"} and text.replace(".", "").removeprefix("-").isdigit()
        return float(text) if is_number else text or None

    typed = [[cell(name, row.get(name, "")) for name in columns] for row in rows]
    sheet = Sheet("filled in", tuple(SheetColumn(name) for name in columns), typed)
    path = tmp_path / "filled-in.xlsx"
    path.write_bytes(write_workbook([sheet, Sheet("example", (SheetColumn("note"),), [["not read"]])]))
    from_sheet, from_csv = summarize(read_cohort(path)), summarize(read_cohort(source))
    assert figures(from_sheet) == figures(from_csv)


@pytest.mark.parametrize("is_records", [True, False])
def test_an_empty_template_has_the_headings_and_the_allowed_values(tmp_path, is_records: bool) -> None:
    from ahsct_trial.loading.formats.tables import read_tables

    path = tmp_path / "empty.xlsx"
    path.write_bytes(template_workbook(is_records=is_records))
    first, example, explained = read_tables(path)
    columns = template_columns(is_records=is_records)
    assert first.names == example.names == tuple(column.name for column in columns)
    assert len(first) == 0
    assert len(example) > 0
    assert [*explained.columns[0].to_pylist()] == [column.name for column in columns]
    rules = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml").decode()
    for column in columns:
        if column.levels:
            assert f'<formula1>"{",".join(column.levels)}"</formula1>' in rules
    assert template_csv(is_records=is_records) == ",".join(first.names) + "\n"


@pytest.mark.parametrize("is_records", [True, False])
def test_the_example_of_a_template_is_free_of_problems(tmp_path, is_records: bool) -> None:
    from ahsct_trial.loading.formats.tables import read_tables
    from ahsct_trial.loading.trials import read_cells

    (tmp_path / "empty.xlsx").write_bytes(template_workbook(is_records=is_records))
    (example,) = read_tables(tmp_path / "empty.xlsx", sheet="example")
    assert len(read_cells(example)) == 1


def test_every_column_of_the_dictionary_is_in_a_template() -> None:
    assert {column.name for column in RECORDS} - {"day"} == {
        c.name for c in template_columns(is_records=True)
    }
    assert {column.name for column in PATIENT_TABLE} == {c.name for c in template_columns(is_records=False)}


def test_the_template_command(tmp_path, capfd) -> None:
    written(["template", "--records", "-o", str(tmp_path / "a.xlsx")], capfd)
    assert (tmp_path / "a.xlsx").read_bytes() == template_workbook(is_records=True)
    assert written(["template"], capfd) == template_csv(is_records=False)
    assert main(["template", "-o", str(tmp_path / "a.pdf")]).exit_code == 2
    assert "is an .xlsx or a .csv" in capfd.readouterr().err
    assert main(["summarize", str(tmp_path / "a.xlsx")]).exit_code == 3
    err = capfd.readouterr().err
    assert "no row below the headings has a value" in err
    assert "Fill in a row for each" in err


# ---- Export ------------------------------------------------------------------------------------------------


def product_limit(years: np.ndarray, is_event: np.ndarray, at: float) -> float:
    """Kaplan and Meier's estimate, factor by factor (J Am Stat Assoc 1958; 53:457)."""
    estimate = 1.0
    for time in np.unique(years[is_event]):
        if time <= at:
            estimate *= 1 - np.sum((years == time) & is_event) / np.sum(years >= time)
    return estimate


@pytest.mark.parametrize("name", ["sample_cohort.csv", "sample_records.csv", "atkins2016_lancet.csv"])
def test_times_that_are_exported_give_the_published_survival(name: str) -> None:
    trial = read_cohort(DATA / name)
    result = summarize(trial).endpoints
    times = export_times(trial)
    for endpoint in SURVIVAL_ENDPOINTS:
        figure = getattr(result, endpoint.key)
        own = times[(times["PARAMCD"] == endpoint.code) & times["AVAL"].notna()]
        if figure.survival.value is None:
            continue
        # Who is never observed is at no one's risk.
        own = own[(own["AVAL"] > 0) | (own["CNSR"] == 0)]
        is_event = (own["CNSR"] == 0).to_numpy(dtype=bool)
        assert product_limit(own["AVAL"].to_numpy(), is_event, 3.0) == pytest.approx(figure.survival.value)


def test_each_patient_has_a_row_for_each_endpoint_and_says_what_happened() -> None:
    trial = read_cohort(DATA / "sample_records.csv")
    times = export_times(trial)
    assert len(times) == len(trial) * len(SURVIVAL_ENDPOINTS)
    assert set(times["PARAMCD"]) == {"MSAFS", "RFS", "MRIAFS", "WFS", "OS"}
    died = times[(times["PARAMCD"] == "OS") & (times["CNSR"] == 0)]
    assert died["EVNTDESC"].tolist() == ["death"] * len(died)
    assert (died["ADY"] == (died["AVAL"] * 365.25).round() + 1).all()  # ADaM has no day 0


def test_the_patient_table_that_is_exported_is_read_again_to_the_same_figures(tmp_path, capfd) -> None:
    path = tmp_path / "patients.csv"
    written(["export", str(DATA / "sample_records.csv"), "-o", str(path)], capfd)
    derived, again = summarize(read_cohort(DATA / "sample_records.csv")), summarize(read_cohort(path))
    for endpoint in SURVIVAL_ENDPOINTS:
        assert getattr(again.endpoints, endpoint.key).survival.value == pytest.approx(
            getattr(derived.endpoints, endpoint.key).survival.value
        )
    assert list(export_patients(read_cohort(DATA / "sample_cohort.csv"))["patient_id"])[:2] == ["P01", "P02"]


def test_the_adtte_command(capfd) -> None:
    text = written(["export", str(DATA / "sample_records.csv"), "--adtte"], capfd)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == ["USUBJID", "PARAMCD", "PARAM", "AVAL", "AVALU", "CNSR", "EVNTDESC", "ADY"]
    assert {row["CNSR"] for row in rows} == {"0", "1"}


# ---- Convert -----------------------------------------------------------------------------------------------


def test_what_is_converted_is_read_again_to_the_same_figures(tmp_path, capfd) -> None:
    folder = Path(__file__).parent / "cases" / "map-02-sdtm" / "data"
    path = tmp_path / "records.csv"
    outcome = main(["convert", str(folder), "--map", "sdtm", "-o", str(path)])
    told = capfd.readouterr().err
    assert outcome.exit_code == 0
    assert "rs.csv: 11 of 12 rows used; 1 set aside: RSSTAT is 'NOT DONE'" in told
    direct, again = summarize(read_mapped(folder, "sdtm")), summarize(read_cohort(path))
    assert figures(again) == figures(direct)


def test_a_file_that_exists_is_not_replaced(tmp_path, capfd) -> None:
    (tmp_path / "a.csv").write_text("mine")
    folder = Path(__file__).parent / "cases" / "map-05-msprog" / "data"
    for arguments in (["convert", str(folder), "--map", "msprog"], ["map", str(folder)], ["template"]):
        assert main([*arguments, "-o", str(tmp_path / "a.csv")]).exit_code == 2
        capfd.readouterr()
    assert (tmp_path / "a.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-2.5", "-2.5"),
        ("-x", "'-x"),
        ("@a", "'@a"),
        ("\ta", "'\ta"),
        ("a=1", "a=1"),
    ],
)
def test_a_text_that_a_spreadsheet_would_run_stands_after_an_apostrophe(cell: str, safe: str) -> None:
    assert list(csv.reader(io.StringIO(write_rows(["a"], [[cell]]))))[1] == [safe]


@pytest.mark.parametrize(
    ("identifier", "escaped"),
    [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-x", "'-x"),
        ("@a", "'@a"),
        ("'=x", "''=x"),
        ("-5", "-5"),
        ("'quoted'", "'quoted'"),
    ],
)
def test_an_identifier_that_a_spreadsheet_would_run_comes_back_as_it_was(
    tmp_path, capfd, identifier: str, escaped: str
) -> None:
    path = tmp_path / "cohort.csv"
    text = (DATA / "sample_cohort.csv").read_text(encoding="utf-8")
    first = text.splitlines()[1].split(",")[0]
    path.write_text(text.replace(f"\n{first},", f"\n{escaped},"), encoding="utf-8")
    assert identifier in set(export_patients(read_cohort(path))["patient_id"])
    out = written(["export", str(path), "--adtte"], capfd)
    assert {row["USUBJID"] for row in csv.DictReader(io.StringIO(out))} >= {escaped}
