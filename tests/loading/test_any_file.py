"""What must hold for every file, valid or not."""

from __future__ import annotations

import csv
import gzip
import io
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ahsct_trial import DataProblems, parallel, read_cohort
from ahsct_trial.columns import NUMERIC_KINDS, PATIENT_TABLE, RECORD_KINDS
from ahsct_trial.errors import AhsctError
from ahsct_trial.loading import blocks
from ahsct_trial.records import Records

#: As the contract lists them.
MISSING = ("NA", "N/A", "n/a", "NaN", "NULL", ".", "#N/A")
COLUMN = {column.name: column for column in PATIENT_TABLE}
OPTIONAL = [name for name, column in COLUMN.items() if not column.is_required]
UNKNOWN = "what_nobody_knows"

# ---- Files ----------------------------------------------------------------------------------------------

ordinary = st.text(alphabet="ab ÄZ09._-'/{}[]", min_size=1, max_size=6)
awkward = st.text(alphabet='a,;\t"\n\r é\u202e\x1b', min_size=1, max_size=6)
numbers = st.one_of(
    st.integers(0, 50).map(str),
    st.floats(0, 50, allow_subnormal=False).map(repr),
    st.integers(0, 20).map(lambda half: str(half / 2)),
    st.sampled_from(
        ["1.", ".5", "1e1", "2E+0", "25e-1", "-0", "007", " 3", "3\t", "+4", "-1", "0.5", "1e400"]
    ),
)
missing = st.sampled_from(["", "NA", ".", " "])
not_numbers = st.sampled_from(["six", "nan", "-", "1,5", "1.5.5", "0x1", "1_0", "٣"])


@dataclass(frozen=True)
class Dialect:
    delimiter: str
    line_break: str
    decimal_point: str
    quotes_all: bool

    def line(self, cells: list[str]) -> str:
        return self.delimiter.join(map(self.cell, cells))

    def cell(self, text: str) -> str:
        needs_quotes = self.quotes_all or any(char in text for char in (self.delimiter, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if needs_quotes else text


@st.composite
def dialects(draw) -> Dialect:
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    return Dialect(
        delimiter,
        draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "." if delimiter == "," else draw(st.sampled_from([".", ","])),
        draw(st.booleans()),
    )


@dataclass(frozen=True)
class File:
    names: list[str]
    rows: list[list[str]]
    text: str


@st.composite
def files(draw, others=ordinary, has_gaps=True, has_wrong_cells=False) -> File:
    """A patient table whose cells are mostly what their columns take; gaps are blank lines and empty rows."""
    dialect = draw(dialects())
    chosen = draw(st.lists(st.sampled_from([*OPTIONAL, UNKNOWN]), max_size=6, unique=True))
    names = draw(st.permutations(["patient_id", "follow_up_years", *chosen]))
    rows = []
    for number in range(draw(st.integers(1, 8))):
        if has_gaps and number and draw(st.integers(0, 5)) == 0:
            rows.append([draw(missing) for _ in names])
            continue
        row = []
        for name in names:
            if name == "patient_id":
                text = f"{draw(others)}{number}"
                if not has_wrong_cells:  # an identifier with a line break is wrong
                    text = text.replace("\n", "").replace("\r", "")
            elif name in COLUMN and COLUMN[name].kind in NUMERIC_KINDS:
                required = COLUMN[name].is_required
                kinds = [
                    numbers,
                    *([] if required else [missing]),
                    *([not_numbers] if has_wrong_cells else []),
                ]
                text = draw(st.one_of(kinds)).replace(".", dialect.decimal_point)
            elif name in COLUMN and COLUMN[name].levels:
                text = draw(st.sampled_from([*COLUMN[name].levels, "", "NA"]))
            else:
                text = draw(st.one_of(missing, others))
            row.append(text)
        rows.append(row)
    lines = [dialect.line(names)]
    for row in rows:
        if has_gaps:
            lines += [""] * draw(st.sampled_from([0, 0, 0, 1, 2]))
        lines.append(dialect.line(row))
    end = dialect.line_break * draw(st.integers(0, 2))
    return File(names, rows, dialect.line_break.join(lines) + end)


# ---- A slow reader that does almost everything differently -----------------------------------------------


def slow_rows(written: File) -> list[dict[str, str | float | None]]:
    """What each row with a value says, by the csv module and Python's own conversions."""
    [header, *rows] = list(csv.reader(io.StringIO(written.text, newline=""), delimiter=delimiter_of(written)))
    found = []
    for row in filter(None, rows):
        known = {name: meant(name, text) for name, text in zip(header, row, strict=True) if name in COLUMN}
        if any(value is not None for value in known.values()):
            found.append(known)
    return found


def meant(name: str, text: str) -> str | float | None:
    if text.startswith("'") and text.lstrip("'").startswith(("=", "+", "-", "@", "\t", "\r")):
        text = text[1:]  # which keeps a spreadsheet from running the cell, and is not of the cell
    stripped = text.strip()
    if stripped in {"", *MISSING}:
        return None
    if COLUMN[name].kind in NUMERIC_KINDS:
        return float(stripped.replace(",", "."))
    return plain_breaks(text if name == "patient_id" else unicodedata.normalize("NFC", stripped))


def plain_breaks(text: str | None) -> str | None:
    # A carriage return alone is a line break of the old Macintosh, within a cell too.
    return text and text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("others", [ordinary, awkward], ids=["ordinary", "awkward"])
def test_cells_are_read_as_a_slow_reader_reads_them(read, others):
    n_read = 0

    @given(files(others))
    @settings(max_examples=100)
    def check(written: File) -> None:
        nonlocal n_read
        try:
            trial = read(written.text)
        except DataProblems:
            return
        n_read += 1
        patients = trial.data.patients
        expected = slow_rows(written)
        assert [*patients] == [name for name in written.names if name in COLUMN]
        assert len(patients) == len(expected)
        for name in patients:
            found = [None if is_missing else value for value, is_missing in
                     zip(patients[name], patients[name].isna(), strict=True)]  # fmt: skip
            assert [plain_breaks(value) if isinstance(value, str) else value for value in found] == [
                row[name] for row in expected
            ]

    check()
    # Otherwise the property would be empty.
    assert n_read > 20


# ---- Large files are read in blocks ---------------------------------------------------------------------


@st.composite
def record_files(draw) -> str:
    """Records of a few patients, some of them wrong, with the identifiers all of one length or not."""
    identifiers = draw(
        st.sampled_from(
            [
                ["P1", "P2", "P-30"],
                ["P-30", "P1", "é"],
                ["ID-00001", "ID-00002", "ID-00003"],
                ["P1", "NA", "P2"],
                ["P1", " ", "P2"],
                ["P1", "", "P2"],
                # Where these end, a later cell may end in a row without an identifier.
                ["P-0001", "", "P-0002"],
                ["P-000001", "", "P-000002"],
                ["P-0000001", "", "P-0000002"],
            ]
        )
    )
    wrong = draw(st.sampled_from([[], ["soon", "2.5", "-1", "0.5", "what", ","]]))
    cells = {
        "record": st.sampled_from(["edss", "mri", "relapse", *(RECORD_KINDS if wrong else [])]),
        "day": st.integers(-60, 900).map(str) | st.sampled_from(["1", "2", "3"]),
        "edss": st.sampled_from(["3.5", "4", "4.0", "NA"]),
        "gd_lesions": st.sampled_from(["0", "2", "12"]),
        "site": st.sampled_from(["", "", "Ottawa"]),
    }
    measured = {"edss": "edss", "mri": "gd_lesions"}
    rows = []
    for _ in range(draw(st.integers(0, 12))):
        row = {name: draw(cell) for name, cell in cells.items()}
        for kind, column in measured.items():
            if row["record"] != kind and not (wrong and draw(st.booleans())):
                row[column] = ""
        if wrong and draw(st.booleans()):
            row[draw(st.sampled_from([*cells]))] = draw(st.sampled_from(wrong))
        rows.append(",".join([draw(st.sampled_from(identifiers)), *row.values()]))
    good = [row for name in identifiers for row in (f"{name},transplant,0,,,", f"{name},last_contact,901,,,")]
    order = draw(st.permutations([*good, *rows, *draw(st.lists(st.just(""), max_size=len(wrong) // 3))]))
    clock = draw(st.sampled_from(["day", "day", "date"]))
    names = ["patient_id", "record", clock, *list(cells)[2:]]
    if clock == "date":
        order = [with_date(line) for line in order]
    text = draw(st.sampled_from(["\n", "\r\n"])).join([",".join(names), *order]) + "\n"
    return text.replace(",", draw(st.sampled_from([",", ";", "\t"])))


def with_date(line: str) -> str:
    """A record with its day, if that is a whole number, as a date."""
    cells = line.split(",")
    if len(cells) > 2 and re.fullmatch(r"-?[0-9]+", cells[2]):
        cells[2] = str(date(2010, 1, 1) + timedelta(int(cells[2])))
    return ",".join(cells)


def outcome(file: Path) -> object:
    """What is read from a file, or what is said to be wrong with it."""
    try:
        found = read_cohort(file)
    except AhsctError as error:
        return str(error)
    read = {name: column.tolist() for name, column in found.data.patients.items()}
    if isinstance(found.data, Records):
        read |= {kind: [column.tolist() for column in own] for kind, own in found.data.observations.items()}
        read |= {name: own.tolist() for name, own in found.data.values.items()}
    return repr(read), found.places.lines.tolist(), found.account, found.notices


@given(
    st.one_of(
        files(ordinary).map(lambda written: written.text),
        files(awkward, has_wrong_cells=True).map(lambda written: written.text),
        record_files(),
    ),
    st.sampled_from([1, 30, 100]),
    st.sampled_from([1, 2, 3, 9]),
)
@settings(max_examples=100)
def test_blocks_and_processors_change_nothing(file, text, n_bytes, n_processors):
    file.write_bytes(text.encode())
    whole = outcome(file)
    with patch.object(blocks, "_SIZE", n_bytes), patch.object(parallel, "N_PROCESSORS", n_processors):
        assert outcome(file) == whole


# ---- The account and the line numbers -------------------------------------------------------------------


@given(files())
@settings(max_examples=120)
def test_rows_read_are_rows_used_or_set_aside(read, written):
    known = [position for position, name in enumerate(written.names) if name in COLUMN]
    is_empty = [all(row[position].strip() in {"", *MISSING} for position in known) for row in written.rows]
    try:
        cohort = read(written.text)
    except DataProblems:
        return
    account = cohort.account
    assert account.rows_read == len(written.rows) == cohort.source.files[0].n_rows
    assert account.rows_used == len(cohort) == len(cohort.places.lines) == is_empty.count(False)
    assert sum(aside.count for aside in account.set_aside) == is_empty.count(True)


@given(files(awkward, has_wrong_cells=True))
@settings(max_examples=120)
def test_line_numbers_are_those_of_the_csv_module(file, written):
    file.write_bytes(written.text.encode())
    expected, before = [], 0
    reader = csv.reader(io.StringIO(written.text, newline=""), delimiter=delimiter_of(written))
    for record in reader:
        if record:
            expected.append(before + 1)
        before = reader.line_num
    line_of = dict(zip(expected[1:], written.rows, strict=True))
    try:
        cohort = read_cohort(file)
    except DataProblems as error:
        problems = error
    else:
        identifiers = cohort.data.patients["patient_id"]
        for identifier, line in zip(identifiers, cohort.places.lines, strict=True):
            assert plain_breaks(line_of[line][written.names.index("patient_id")]) == identifier
        return
    lines = [problem.line for problem in problems.problems]
    assert lines == sorted(lines)
    assert len(lines) == problems.n_problems
    for problem in problems.problems:
        assert problem.line == problem.lines[0]
        for line in problem.lines:
            value = line_of[line][written.names.index(problem.column)]
            is_missing = value.strip() in {"", *MISSING}
            assert plain_breaks(problem.value) == (None if is_missing else plain_breaks(value))


def delimiter_of(written: File) -> str:
    header = written.text[: written.text.replace("\r", "\n").index("\n")]
    return next(delimiter for delimiter in ",;\t" if delimiter in header)


# ---- Anything at all ------------------------------------------------------------------------------------

VALID = (
    "patient_id,site,sex,follow_up_years,relapses_after,years_to_first_relapse,edss_last\n"
    'P1,"Ottawa, ""General""",female,3.5,1,2.25,3.5\n'
    "P2,Montréal,male,4,0,,\n"
    ",,,,,,\n"
    'P3,"two\nlines",NA,5,,,10\n'
)
SEMICOLONS = "id;follow_up;age\n1;2,5;40\n2;3;NA\n"
RECORDS = "patient_id,record,day,edss\nP1,transplant,0,\nP1,edss,10,3.5\nP1,last_contact,900,\n"

snippets = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [
            b'"',
            b'""',
            b",",
            b";",
            b"\t",
            b"\n",
            b"\r",
            b"\r\n",
            b"\0",
            b"\xff",
            b"\xe9",
            b"nan",
            b"1e400",
            b"-",
            b"NA",
        ]
    ),
)


def survives(file, content: bytes, encoding: str | None = None) -> None:
    """Give data or an explained error, and nothing else."""
    file.write_bytes(content)
    try:
        found = read_cohort(file, encoding=encoding)
    except AhsctError as error:
        message = str(error)
        assert message
        assert all(char.isprintable() or char == "\n" for char in message)
        assert len(message) < 100_000
    else:
        assert found.account.rows_used > 0


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes(file, content):
    survives(file, content)


@given(st.binary(max_size=60))
def test_any_bytes_that_claim_to_be_gzip(file, content):
    survives(file, b"\x1f\x8b" + content)
    survives(file, gzip.compress(content))


@given(
    st.text(max_size=80).map(str.encode) | st.binary(max_size=80),
    st.sampled_from(["utf-16", "utf-32", "utf-7", "cp1252", "shift_jis", "gb18030", "cp037"]),
)
def test_any_bytes_in_a_named_encoding(file, content, encoding):
    survives(file, content, encoding)


@given(st.sampled_from([VALID, SEMICOLONS, RECORDS]), st.text(alphabet='P1,;\t"\n\r .-eNA+', max_size=60))
@settings(max_examples=120)
@example(VALID, '"')
@example(SEMICOLONS, ';;\n\r;\n"')
def test_any_rows_below_a_valid_header(file, valid, body):
    survives(file, (valid[: valid.index("\n") + 1] + body).encode())


@given(
    st.sampled_from([VALID, SEMICOLONS, RECORDS]),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 12), snippets), min_size=1, max_size=4),
)
@settings(max_examples=250)
def test_any_damage_to_a_valid_file(file, valid, damages):
    content = valid.encode()
    for place, n_lost, snippet in damages:
        content = content[:place] + snippet + content[place + n_lost :]
    survives(file, content)
