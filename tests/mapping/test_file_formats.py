"""Files that are not text: each format, and files that are hostile or something else."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from ahsct_trial.errors import UsageError
from ahsct_trial.loading.formats.cells import CellTable, unseen_errors
from ahsct_trial.loading.formats.tables import read_tables
from ahsct_trial.loading.problems import DataProblems

CASES = Path(__file__).parents[1] / "cases"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
FRAME = pd.DataFrame({"ID": ["001", "002"], "EDSS": [3.5, None], "N": [1.0, 2.0]})


def workbook(
    path: Path, rows: str, *, state: str = "visible", after: str = "", second: str | None = None
) -> Path:
    """Write an .xlsx with the XML of one sheet's rows, and of a second visible one."""
    sheets = [("First", state, rows), *([("Second", "visible", second)] if second is not None else [])]
    listed = "".join(
        f'<sheet name="{name}" sheetId="{place}" r:id="rId{place}" state="{own}"/>'
        for place, (name, own, _) in enumerate(sheets, start=1)
    )
    links = "".join(
        f'<Relationship Id="rId{place}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{place}.xml"/>'
        for place in range(1, len(sheets) + 1)
    )
    office = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{place}.xml" ContentType="{office}.worksheet+xml"/>'
        for place in range(1, len(sheets) + 1)
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/'
            'vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{office}.sheet.main+xml"/>{overrides}</Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>',
        )
        for place, (_, _, xml) in enumerate(sheets, start=1):
            with archive.open(f"xl/worksheets/sheet{place}.xml", "w") as part:
                part.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
                part.write(xml.encode())
                part.write(f"</sheetData>{after}</worksheet>".encode())
    return path


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADINGS = f'<row r="1">{text_cell("A1", "id")}{text_cell("B1", "edss")}</row>'


def cells_of(table: CellTable) -> dict[str, list[str | None]]:
    return {name: column.to_pylist() for name, column in zip(table.names, table.columns, strict=True)}


def test_a_workbook_keeps_zeros_dates_and_rows() -> None:
    tables = read_tables(CASES / "map-07-german-workbook" / "studie.xlsx")
    assert [table.sheet for table in tables] == ["Patienten", "EDSS", "Schuebe", "MRT"]
    patients = cells_of(tables[0])
    assert patients["Pat-Nr"] == ["001", "002", "003", "004"]
    assert patients["OP-Datum"] == ["2015-01-10", "2015-02-19", "2015-03-31", "2015-05-10"]
    assert tables[0].lines.tolist() == [2, 3, 4, 5]
    assert cells_of(tables[1])["EDSS"] == [
        "3.5",
        "3.5",
        "3.5",
        "6",
        "6.5",
        "6.5",
        "6.5",
        "4",
        "4",
        "4",
        "5",
        "?",
    ]


@pytest.mark.parametrize("ending", ["xpt", "sav", "dta", "zsav"])
def test_statistical_packages(tmp_path, ending: str) -> None:
    import pyreadstat

    path = tmp_path / f"dm.{ending}"
    if ending == "xpt":
        pyreadstat.write_xport(FRAME, str(path), table_name="DM", file_format_version=5)
    elif ending == "dta":
        pyreadstat.write_dta(FRAME, str(path))
    else:
        pyreadstat.write_sav(FRAME, str(path), compress=ending == "zsav")
    (table,) = read_tables(path)
    assert cells_of(table) == {"ID": ["001", "002"], "EDSS": ["3.5", None], "N": ["1", "2"]}
    assert table.lines.tolist() == [1, 2]


def test_dates_of_a_statistical_package_are_their_day(tmp_path) -> None:
    import pyreadstat

    path = tmp_path / "dm.sav"
    pyreadstat.write_sav(pd.DataFrame({"D": [date(2015, 1, 10), date(2018, 1, 15)]}), str(path))
    assert cells_of(read_tables(path)[0]) == {"D": ["2015-01-10", "2018-01-15"]}


def test_dataset_json(tmp_path) -> None:
    columns = [
        {"itemOID": f"IT.{name}", "name": name, "label": name, "dataType": "string"}
        for name in ("ID", "EDSS", "N")
    ]
    rows = [["001", 3.5, 1], ["002", None, 2]]
    versions = {
        "new.json": json.dumps(
            {"datasetJSONVersion": "1.1.0", "name": "DM", "columns": columns, "rows": rows}
        ),
        "lines.ndjson": "\n".join(
            map(json.dumps, [{"datasetJSONVersion": "1.1.0", "columns": columns}, *rows])
        ),
        "old.json": json.dumps(
            {"clinicalData": {"itemGroupData": {"IG.DM": {"items": columns, "itemData": rows}}}}
        ),
    }
    for name, text in versions.items():
        (tmp_path / name).write_text(text)
        (table,) = read_tables(tmp_path / name)
        assert cells_of(table) == {"ID": ["001", "002"], "EDSS": ["3.5", None], "N": ["1", "2"]}


@pytest.mark.parametrize("text", ["[]", "{}", '{"columns": 3}', "{", '{"columns": [{"name": "a"}], "rows": [[1, 2]]}', "[" * 100_000])  # fmt: skip
def test_json_that_is_no_data_set(tmp_path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataProblems, match=r"x\.json: "):
        read_tables(tmp_path / "x.json")


def test_delimited_text_keeps_lines_over_blank_rows_and_line_breaks(tmp_path) -> None:
    (tmp_path / "a.csv").write_text('\nid,note\n1,"two\nlines"\n\n2,x\n', encoding="utf-8")
    (table,) = read_tables(tmp_path / "a.csv")
    assert cells_of(table) == {"id": ["1", "2"], "note": ["two\nlines", "x"]}
    assert table.lines.tolist() == [3, 6]


def test_a_row_longer_than_the_headings_is_an_error(tmp_path) -> None:
    (tmp_path / "a.csv").write_text("id,note\n1,a\n2,b,c\n3,d,,\n")
    with pytest.raises(DataProblems, match=r"a\.csv:3: the row has 3 cells, the headings 2") as error:
        read_tables(tmp_path / "a.csv")
    assert error.value.n_problems == 1


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", b"%PDF-1.7 ...", "a PDF document"),
        ("a.rds", b"X\n\x00\x00\x00\x03", "an R data set"),
        ("a.parquet", b"PAR1....", "a Parquet file"),
        ("a.mdb", b"\x00\x01\x00\x00Standard Jet DB\x00", "an Access database"),
        ("a.xlsx", b"PK\x03\x04 cut off", "damaged or cut off"),
        ("a.xls", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "cannot be opened as a workbook"),
        ("a.xpt", b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000", "cannot be read"),
        (
            "a.sas7bdat",
            bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011") + bytes(99),
            "cannot be read",
        ),
        ("a.dta", b"<stata_dta>", "cannot be read"),
        ("a.sav", b"$FL2@(#)", "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_called_what_it_is(tmp_path, name: str, content: bytes, kind: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataProblems, match=kind) as error:
        read_tables(tmp_path / name)
    assert str(error.value).count("\n") == 1


@pytest.mark.parametrize(
    ("member", "kind"), [("word/document.xml", "a Word document"), ("a.csv", "a zip archive")]
)
def test_another_zip_file(tmp_path, member: str, kind: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr(member, "x")
    with pytest.raises(DataProblems, match=kind):
        read_tables(tmp_path / "a.xlsx")


def test_r_data_in_gzip(tmp_path) -> None:
    import gzip

    (tmp_path / "a.rds").write_bytes(gzip.compress(b"X\n\x00\x00\x00\x03" + bytes(1000)))
    with pytest.raises(DataProblems, match="an R data set"):
        read_tables(tmp_path / "a.rds")


def test_a_missing_package_is_one_line(monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(
        UsageError, match=r"needs python-calamine\. Install it with: pip install 'ahsct-trial\[formats\]'"
    ):
        read_tables(CASES / "map-07-german-workbook" / "studie.xlsx")


# ---- Hostile workbooks
# -----------------------------------------------------------------------------------------


def test_a_formula_error_is_not_an_empty_cell(tmp_path) -> None:
    rows = HEADINGS + '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
    (table,) = read_tables(workbook(tmp_path / "a.xlsx", rows))
    assert cells_of(table) == {"id": ["1"], "edss": ["#DIV/0!"]}


def test_the_visible_sheet_comes_first(tmp_path) -> None:
    path = workbook(tmp_path / "a.xlsx", HEADINGS, state="hidden", second=HEADINGS)
    assert [table.sheet for table in read_tables(path)] == ["Second", "First"]


def test_merged_headings_leave_columns_without_one(tmp_path) -> None:
    rows = (
        f'<row r="1">{text_cell("A1", "patient")}{text_cell("B1", "MRI")}</row>'
        f'<row r="2">{text_cell("A2", "id")}{text_cell("B2", "date")}{text_cell("C2", "gd")}</row>'
        '<row r="3"><c r="A3"><v>1</v></c><c r="C3"><v>2</v></c></row>'
    )
    path = workbook(tmp_path / "a.xlsx", rows, after='<mergeCells><mergeCell ref="B1:C1"/></mergeCells>')
    (table,) = read_tables(path)
    assert table.names == ("patient", "MRI", "")
    (table,) = read_tables(path, heading_row=2)
    assert cells_of(table) == {"id": ["1"], "date": [None], "gd": ["2"]}
    assert table.lines.tolist() == [3]


def test_a_cell_in_the_last_corner_is_refused_before_it_fills_the_memory(tmp_path) -> None:
    rows = HEADINGS + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(DataProblems, match="span 1,048,576 rows and 16,384 columns"):
        read_tables(workbook(tmp_path / "a.xlsx", rows))


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path) -> None:
    path = workbook(tmp_path / "a.xlsx", HEADINGS)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", "x")
    content = bytearray(path.read_bytes())
    # The directory at the end of the archive says what a part unpacks to, 24 bytes after each entry's mark.
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (2_700_000_000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(
        DataProblems, match=r"it unpacks to 2\.7 GB; up to 40,000,000 cells and 2 GB are read"
    ):
        read_tables(path)


def test_a_part_that_unpacks_to_more_than_its_directory_says_is_damaged(tmp_path) -> None:
    path = workbook(tmp_path / "a.xlsx", HEADINGS + "<row/>" * 100_000)
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (1_000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(DataProblems, match="the zip data of this workbook is damaged"):
        read_tables(path)


def test_an_open_document_that_repeats_a_row_is_refused(tmp_path) -> None:
    content = (
        '<office:document-content><table:table-row table:number-rows-repeated="1048576"><table:table-cell '
        'office:value-type="float" office:value="1"/></table:table-row></office:document-content>'
    )
    with zipfile.ZipFile(tmp_path / "a.ods", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    with pytest.raises(DataProblems, match="repeated more than a thousand times"):
        read_tables(tmp_path / "a.ods")


def test_of_binary_workbooks_it_is_said_that_errors_of_formulas_are_not_seen():
    [notice] = unseen_errors(["a.csv", "old.XLS", "b.xlsx", "c.xlsb"])
    assert notice.text.startswith(
        "In old.XLS, c.xlsb a formula that gives an error, such as #DIV/0!, is read as an empty"
    )
    assert not [*unseen_errors(["a.csv", "b.xlsx", "c.ods"])]
