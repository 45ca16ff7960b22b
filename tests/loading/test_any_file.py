"""What must hold for every file, valid or not."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ahsct_trial.columns import NUMERIC_KINDS, PATIENT_TABLE
from ahsct_trial.errors import AhsctError
from ahsct_trial.loading import read_cohort
from ahsct_trial.loading.header import read_header
from ahsct_trial.loading.problems import SHOWN, DataProblems
from ahsct_trial.loading.rows import Rows, UnreadableRowsError, read_text, read_typed
from ahsct_trial.loading.source import read_source

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
def files(draw, others=ordinary, has_blank_lines=True, has_wrong_cells=False) -> File:
    """A patient table whose cells are mostly what their columns take."""
    dialect = draw(dialects())
    chosen = draw(st.lists(st.sampled_from([*OPTIONAL, UNKNOWN]), max_size=6, unique=True))
    names = draw(st.permutations(["patient_id", "follow_up_years", *chosen]))
    rows = []
    for number in range(draw(st.integers(1, 8))):
        if number and draw(st.integers(0, 5)) == 0:
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
        if has_blank_lines:
            lines += [""] * draw(st.sampled_from([0, 0, 0, 1, 2]))
        lines.append(dialect.line(row))
    end = dialect.line_break * draw(st.integers(0, 2))
    return File(names, rows, dialect.line_break.join(lines) + end)


# ---- The two ways of reading ----------------------------------------------------------------------------


@pytest.mark.parametrize("others", [ordinary, awkward], ids=["ordinary", "awkward"])
def test_the_fast_way_and_the_exact_way_agree(file, others):
    n_fast = 0

    @given(files(others))
    @settings(max_examples=120)
    def check(written: File) -> None:
        nonlocal n_fast
        file.write_bytes(written.text.encode())
        source = read_source(file)
        header = read_header(source, PATIENT_TABLE)
        try:
            fast = Rows.joined(*read_typed(source, header, lambda rows: rows))
        except UnreadableRowsError:
            return
        n_fast += 1
        exact = read_text(source, header)
        assert not exact.ragged
        assert not any(wrong.any() for wrong in exact.is_unreadable.values())
        assert fast.names == exact.rows.names
        for name, values in fast.numbers.items():
            np.testing.assert_array_equal(values, exact.rows.numbers[name])
        for name, texts in fast.texts.items():
            assert texts.to_pylist() == exact.rows.texts[name].to_pylist()
        np.testing.assert_array_equal(fast.lines, exact.rows.lines)

    check()
    # Otherwise the property would be empty.
    assert n_fast > 50


@given(files(awkward))
@settings(max_examples=120)
def test_cells_are_read_as_they_were_written(file, written):
    file.write_bytes(written.text.encode())
    source = read_source(file)
    header = read_header(source, PATIENT_TABLE)
    exact = read_text(source, header)
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
