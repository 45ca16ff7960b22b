"""A small .xlsx, written with the standard library: texts, columns with a form, drop-down lists and rules."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

#: Rows below the headings to which forms and rules apply.
N_ROWS = 5_000

_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
#: Forms of cells, by their place in the styles: general, text, date, heading.
GENERAL, TEXT, DATE, HEADING = range(4)
_STYLES = (
    f'{_DECLARATION}<styleSheet xmlns="{_SPREADSHEET}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs></styleSheet>'
)


@dataclass(frozen=True)
class Rule:
    """What a cell may hold: one of `choices`, or what makes `formula` true for the cell ``{cell}``."""

    message: str
    choices: tuple[str, ...] = ()
    formula: str = ""


@dataclass(frozen=True)
class SheetColumn:
    """A column: its form, its width in characters, and what its cells may hold."""

    heading: str
    form: int = GENERAL
    width: int = 14
    rule: Rule | None = None


@dataclass(frozen=True)
class Sheet:
    """A sheet with a row of headings; numbers stand as numbers, all else as text."""

    name: str
    columns: tuple[SheetColumn, ...]
    rows: Sequence[Sequence[str | float | None]] = field(default=())


def write_workbook(sheets: Sequence[Sheet]) -> bytes:
    """The bytes of an .xlsx with these sheets; the same sheets give the same bytes."""
    numbers = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": _content_types(numbers),
        "_rels/.rels": _links([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": _book(sheets),
        "xl/_rels/workbook.xml.rels": _links(
            [
                *(("worksheet", f"worksheets/sheet{number}.xml") for number in numbers),
                ("styles", "styles.xml"),
            ]
        ),
        "xl/styles.xml": _STYLES,
        **{
            f"xl/worksheets/sheet{number}.xml": _sheet(sheet)
            for number, sheet in zip(numbers, sheets, strict=True)
        },
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in parts.items():
            # A fixed date: the file tells of its content alone.
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return content.getvalue()


def _content_types(numbers: range) -> str:
    office = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    overrides = "".join(
        f'<Override PartName="/xl/{part}.xml" ContentType="{office}.{kind}+xml"/>'
        for part, kind in (
            ("workbook", "sheet.main"),
            ("styles", "styles"),
            *((f"worksheets/sheet{number}", "worksheet") for number in numbers),
        )
    )
    return (
        f'{_DECLARATION}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


def _links(links: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATIONSHIPS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(links, start=1)
    )
    return f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _book(sheets: Sequence[Sheet]) -> str:
    listed = "".join(
        f'<sheet name={quoteattr(sheet.name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, sheet in enumerate(sheets, start=1)
    )
    opening = f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_RELATIONSHIPS}">'
    return f"{_DECLARATION}{opening}<sheets>{listed}</sheets></workbook>"


def _sheet(sheet: Sheet) -> str:
    columns = "".join(
        f'<col min="{number}" max="{number}" width="{column.width}" style="{column.form}" customWidth="1"/>'
        for number, column in enumerate(sheet.columns, start=1)
    )
    headings = _row(1, [column.heading for column in sheet.columns], [HEADING] * len(sheet.columns))
    forms = [column.form for column in sheet.columns]
    rows = "".join(_row(number, cells, forms) for number, cells in enumerate(sheet.rows, start=2))
    return (
        f'{_DECLARATION}<worksheet xmlns="{_SPREADSHEET}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{columns}</cols><sheetData>{headings}{rows}</sheetData>{_rules(sheet.columns)}</worksheet>"
    )


def _row(number: int, cells: Sequence[str | float | None], forms: Sequence[int]) -> str:
    written = "".join(
        _cell(f"{_letters(place)}{number}", cell, form)
        for place, (cell, form) in enumerate(zip(cells, forms, strict=True))
        if cell is not None
    )
    return f'<row r="{number}">{written}</row>'


def _cell(place: str, cell: str | float, form: int) -> str:
    if isinstance(cell, str):
        return (
            f'<c r="{place}" s="{form}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
        )
    return f'<c r="{place}" s="{form}"><v>{cell!r}</v></c>'


def _rules(columns: Sequence[SheetColumn]) -> str:
    listed = [
        _rule(_letters(place), column.rule) for place, column in enumerate(columns) if column.rule is not None
    ]
    return f'<dataValidations count="{len(listed)}">{"".join(listed)}</dataValidations>' if listed else ""


def _rule(letters: str, rule: Rule) -> str:
    kind = "list" if rule.choices else "custom"
    formula = f'"{",".join(rule.choices)}"' if rule.choices else rule.formula.format(cell=f"{letters}2")
    return (
        f'<dataValidation type="{kind}" allowBlank="1" showErrorMessage="1" showInputMessage="1" error='
        f"{quoteattr(rule.message)} prompt={quoteattr(rule.message)} "
        f'sqref="{letters}2:{letters}{N_ROWS + 1}">'
        f"<formula1>{escape(formula)}</formula1></dataValidation>"
    )


def _letters(place: int) -> str:
    """Letters of a column, from 0."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
