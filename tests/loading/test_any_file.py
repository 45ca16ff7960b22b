"""What must hold for every file, valid or not."""

from __future__ import annotations

import csv
import gzip
import io
import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import Mock, patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ahsct_trial import Records, threads
from ahsct_trial.columns import NUMERIC_KINDS, PATIENT_TABLE, RECORD_KINDS
from ahsct_trial.errors import AhsctError
from ahsct_trial.loading import blocks, coded_records, read_cohort, records, shared_rows
from ahsct_trial.loading.blocks import Block
from ahsct_trial.loading.exact_rows import read_exact_rows
from ahsct_trial.loading.header import Header, read_header
from ahsct_trial.loading.plain_rows import NotPlainError, read_plain_rows
from ahsct_trial.loading.problems import SHOWN, DataProblems
from ahsct_trial.loading.rows import Rows, Texts
from ahsct_trial.loading.source import Source, read_source

COLUMN = {column.name: column for column in PATIENT_TABLE}
OPTIONAL = [name for name, column in COLUMN.items() if not column.is_required]
UNKNOWN = "what_nobody_knows"

# ---- Files ----------------------------------------------------------------------------------------------

ordinary = st.text(alphabet="ab ÄZ09._-'/{}[]", min_size=1, max_size=6)
awkward = st.text(alphabet='a,;\t"\n\r é\u202e\x1b', min_size=1, max_size=6)
numbers = st.one_of(
    st.integers(0, 120).map(str),
    st.floats(0, 120, allow_subnormal=False).map(repr),
    st.integers(0, 20).map(lambda half: str(half / 2)),
    st.sampled_from(
        ["1.", ".5", "1e1", "2E+0", "25e-1", "-0", "007", " 3", "3\t", "+4", "-1", "0.5", "1e400"]
    ),
)
missing = st.sampled_from(["", "NA"])
not_numbers = st.sampled_from(["six", "nan", "-", "1,5", "1.5.5", " ", "0x1", "1_0", "٣"])


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


# ---- The two ways of reading ----------------------------------------------------------------------------


@pytest.mark.parametrize("others", [ordinary, awkward], ids=["ordinary", "awkward"])
def test_the_fast_way_and_the_exact_way_agree(file, others):
    n_fast = 0

    @given(files(others) | files(others, has_gaps=False))
    @settings(max_examples=400)
    def check(written: File) -> None:
        nonlocal n_fast
        file.write_bytes(written.text.encode())
        source = read_source(file)
        header = read_header(source, PATIENT_TABLE)
        exact = read_exact_rows(source.file, header, body(source, header), header.body_line)
        try:
            fast = read_plain_rows(body(source, header), header, exact.decimal_point)
        except NotPlainError:
            return
        n_fast += 1
        assert not exact.ragged
        assert not any(wrong.any() for wrong in exact.is_unreadable.values())
        assert fast.identifiers.to_pylist() == exact.rows.identifiers.to_pylist()
        assert fast.columns.keys() == exact.rows.columns.keys()
        for name in fast.columns:
            np.testing.assert_array_equal(values(fast, name), values(exact.rows, name))
            np.testing.assert_array_equal(fast.is_missing(name), exact.rows.is_missing(name))
        np.testing.assert_array_equal(header.body_line + np.arange(len(fast)), exact.lines)

    check()
    # Otherwise the property would be empty.
    assert n_fast > 50


def body(source: Source, header: Header) -> Block:
    """The rows, without blank lines behind them."""
    return Block(
        source.data, header.body_offset, source.data.index(b"\n", len(source.data.rstrip(b"\r\n"))) + 1
    )


def values(rows: Rows, name: str) -> np.ndarray:
    """What each row holds in a column: a number or a text, or NaN or None for nothing."""
    column = rows.columns[name]
    if not isinstance(column, Texts):
        return rows.numbers(name)
    return np.array([*column.different, None], dtype=object)[column.spread(len(rows)).places]


@given(files(awkward))
@settings(max_examples=120)
def test_cells_are_read_as_they_were_written(file, written):
    file.write_bytes(written.text.encode())
    source = read_source(file)
    header = read_header(source, PATIENT_TABLE)
    exact = read_exact_rows(source.file, header, body(source, header), header.body_line)
    assert not exact.ragged
    for position, name in enumerate(written.names):
        if name in COLUMN:
            texts = [row[position] for row in written.rows]
            # A carriage return alone is a line break of the old Macintosh, within a cell too.
            expected = [None if text in {"", "NA"} else text for text in texts]
            found = exact.cells[name].to_pylist()
            assert list(map(plain_breaks, found)) == list(map(plain_breaks, expected))


def plain_breaks(text: str | None) -> str | None:
    return text and text.replace("\r\n", "\n").replace("\r", "\n")


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
    read = {name: column.tolist() for name, column in found.patients.items()}
    if isinstance(found, Records):
        read |= {kind: [column.tolist() for column in own] for kind, own in found.observations.items()}
        read |= {name: own.tolist() for name, own in found.values.items()}
    return repr(read), found.lines.tolist(), found.account, found.warnings


@given(
    st.one_of(
        files(ordinary).map(lambda written: written.text),
        files(awkward, has_wrong_cells=True).map(lambda written: written.text),
        record_files(),
    ),
    st.sampled_from([1, 30, 100]),
    st.sampled_from([1, 2, 3, 9]),
)
@settings(max_examples=300)
def test_blocks_and_processors_change_nothing(file, text, n_bytes, n_processors):
    file.write_bytes(text.encode())
    whole = outcome(file)
    with patch.object(blocks, "_SIZE", n_bytes), patch.object(threads, "N_PROCESSORS", n_processors):
        assert outcome(file) == whole


def test_to_read_different_rows_once_changes_nothing(file):
    n_once = 0

    @given(record_files(), st.sampled_from([1, 30, 100, 10_000]), st.sampled_from([1, 2, 3, 9]))
    @settings(max_examples=800)
    def check(text: str, n_bytes: int, n_processors: int) -> None:
        nonlocal n_once
        once = Mock(wraps=coded_records.spread)
        file.write_bytes(text.encode())
        with patch.object(shared_rows, "_TOO_DIFFERENT", 0):
            each = outcome(file)
        with (
            patch.object(blocks, "_SIZE", n_bytes),
            patch.object(threads, "N_PROCESSORS", n_processors),
            patch.object(shared_rows, "_TOO_DIFFERENT", 2),
            patch.object(records, "_SHAPE", replace(records._SHAPE, spread=once)),
        ):
            assert outcome(file) == each
        n_once += once.called

    check()
    # Otherwise the property would be empty.
    assert n_once > 50


# ---- The account and the line numbers -------------------------------------------------------------------


@given(files())
@settings(max_examples=120)
def test_rows_read_are_rows_used_or_set_aside(read, written):
    known = [position for position, name in enumerate(written.names) if name in COLUMN]
    is_empty = [all(row[position] in {"", "NA"} for position in known) for row in written.rows]
    try:
        cohort = read(written.text)
    except DataProblems:
        return
    account = cohort.account
    assert account.rows_read == len(written.rows) == cohort.source.n_rows
    assert account.rows_used == len(cohort) == len(cohort.lines) == is_empty.count(False)
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
        identifiers = cohort.patients["patient_id"]
        for identifier, line in zip(identifiers, cohort.lines, strict=True):
            assert plain_breaks(line_of[line][written.names.index("patient_id")]) == identifier
        return
    lines = [problem.line for problem in problems.problems]
    assert lines == sorted(lines)
    assert len(lines) == min(SHOWN, problems.n_problems)
    for problem in problems.problems:
        value = line_of[problem.line][written.names.index(problem.column)]
        assert plain_breaks(problem.value) == (None if value in {"", "NA"} else plain_breaks(value))


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
