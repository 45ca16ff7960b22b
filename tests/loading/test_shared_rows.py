"""Records that say the same of many patients; `test_any_file.py` has random ones."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest

from ahsct_trial import threads
from ahsct_trial.derivation import derive_cohort
from ahsct_trial.loading import blocks, coded_records, reading, shared_rows
from ahsct_trial.loading.plain_rows import read_plain_rows
from ahsct_trial.protocol import BUILT_IN

#: Twelve rows of four patients, three of which are different without the patient.
ROWS = ["transplant,0,,Ottawa", "edss,30,3.5,", "last_contact,800,,"]
PATIENTS = ["P1", "P2", "P3", "P4"]
HEADER = "patient_id,record,day,edss,site"


def text(identifiers=PATIENTS, rows=ROWS, header=HEADER) -> str:
    return "\n".join([header, *(f"{name},{row}" for row in rows for name in identifiers)]) + "\n"


@pytest.fixture
def read_lines(read):
    """Read a file, and give the number of lines that were read cell by cell, of each block."""

    def run(content: str) -> tuple[object, list[int]]:
        n_lines = []

        def watched(block, header, decimal_point):
            n_lines.append(block.count_lines())
            return read_plain_rows(block, header, decimal_point)

        with patch.object(reading, "read_plain_rows", watched):
            return read(content), n_lines

    return run


def check(found) -> None:
    """The records of `text()`, worked by hand."""
    assert found.patients["patient_id"].tolist() == PATIENTS
    for kind, day in {"transplant": 0, "edss": 30, "last_contact": 800}.items():
        patient, days, row = found.observations[kind]
        assert patient.tolist() == [0, 1, 2, 3]
        assert days.tolist() == [day] * 4
        first = ["transplant", "edss", "last_contact"].index(kind) * 4
        assert row.tolist() == [first, first + 1, first + 2, first + 3]
    assert found.values["edss"].tolist() == [3.5] * 4
    assert found.lines.tolist() == [*range(2, 14)]
    assert found.account.rows_read == found.account.rows_used == 12
    assert found.warnings[0] == "Not read on records other than baseline: site."


@pytest.mark.parametrize("n_processors", [1, 2, 3, 7])
@pytest.mark.parametrize("size", [1, 60, blocks._SIZE])
def test_each_different_row_is_read_once(read_lines, size, n_processors):
    with (
        patch.object(blocks, "_SIZE", size),
        patch.object(threads, "N_PROCESSORS", n_processors),
        patch.object(shared_rows, "_TOO_DIFFERENT", 2),
    ):
        found, n_lines = read_lines(text())
    check(found)
    assert sum(n_lines) == 3


@pytest.mark.parametrize("size", [1, 60, blocks._SIZE])
@pytest.mark.parametrize(
    "identifiers",
    [
        pytest.param(["P1", "Ä", "P-300", "P2"], id="all lengths"),
        pytest.param(["P-000001", "Ä-00001", "10000001", " " * 7 + "x"], id="eight bytes each"),
        pytest.param(["P-000001", "P-000002", "P-00003", "P-000004"], id="one of seven bytes"),
        pytest.param(["P-000001", "P-000002", "P-0000003", "P-000004"], id="one of nine bytes"),
    ],
)
def test_identifiers_of_some_lengths(read_lines, identifiers, size):
    with patch.object(blocks, "_SIZE", size), patch.object(shared_rows, "_TOO_DIFFERENT", 2):
        found, n_lines = read_lines(text(identifiers))
    assert found.patients["patient_id"].tolist() == identifiers
    assert found.observations["edss"].patient.tolist() == [0, 1, 2, 3]
    assert found.values["edss"].tolist() == [3.5] * 4
    assert sum(n_lines) == 3


def test_a_separator_that_stands_where_the_first_identifier_ends_by_chance(read):
    # "P1,mri" is as long as "P-0001", and no identifier.
    with patch.object(shared_rows, "_TOO_DIFFERENT", 2):
        found = read("patient_id,record,day,gd_lesions\nP-0001,mri,5,0\nP1,mri,5,0\nP1,mri,6,0\n")
    assert found.patients["patient_id"].tolist() == ["P-0001", "P1"]


def test_decimal_commas_of_a_semicolon_file(read_lines):
    found, n_lines = read_lines(text().replace(",", ";").replace("3.5", "3,5"))
    check(found)
    # Once for each mark that may stand before decimals.
    assert n_lines == [3, 3]


@pytest.mark.parametrize("size", [1, blocks._SIZE])
def test_attributes_are_those_of_the_own_baseline_record(read, size):
    header = f"{HEADER},age_years,cause_of_death"
    rows = [f"{row},," for row in ROWS[:2]]
    own = {"P1": ("Ottawa", "41.3"), "P2": ("Toronto", ""), "P3": ("", "28"), "P4": ("Ottawa", "41.3")}
    baselines = "".join(f"{name},baseline,,,{site},{age},\n" for name, (site, age) in own.items())
    ends = "P1,death,900,,,,ms\nP2,death,900,,,,\nP3,death,900,,,,ms\nP4,edss,40,3.5,Elsewhere,,\n"
    with patch.object(blocks, "_SIZE", size), patch.object(shared_rows, "_TOO_DIFFERENT", 2):
        found = read(text(rows=rows, header=header) + baselines + ends)
    sites = found.patients["site"]
    assert [site if isinstance(site, str) else None for site in sites] == [
        "Ottawa",
        "Toronto",
        None,
        "Ottawa",
    ]
    # In the order of the file, and only those that a patient has.
    assert sites.cat.categories.tolist() == ["Ottawa", "Toronto"]
    np.testing.assert_array_equal(found.patients["age_years"], [41.3, np.nan, 28, 41.3])
    assert found.values["cause_of_death"].tolist() == ["ms", None, "ms"]


def test_dates_count_from_the_own_transplant(read_lines):
    rows = ["edss,2010-03-01,3.5,", "last_contact,2012-01-01,,"]
    starts = "P1,transplant,2010-01-01,,\nP2,transplant,2010-02-01,,\n"
    with patch.object(shared_rows, "_TOO_DIFFERENT", 2):
        found, n_lines = read_lines(text(["P1", "P2"], rows, HEADER.replace("day", "date")) + starts)
    assert sum(n_lines) == 4
    # January has 31 days and February 2010 has 28.
    assert found.observations["edss"].day.tolist() == [59, 28]
    assert found.observations["last_contact"].day.tolist() == [730, 699]


def test_the_largest_numbers_of_lesions_are_exact(read):
    header = "patient_id,record,day,gd_lesions,new_t2_lesions"
    found = read(text(PATIENTS, ["transplant,0,,", "mri,9,99999,100000", "mri,99,99998,99999"], header))
    cohort = derive_cohort(found, BUILT_IN["default"])
    # 99,999 + 100,000 + 99,998 + 99,999
    assert cohort.numbers("new_lesions_after").tolist() == [399_996] * 4


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda it: it.replace("P2,edss", '"P2",edss'), id="a quote"),
        pytest.param(
            lambda it: "".join(
                ",".join([record, name, *rest]) + "\n"
                for name, record, *rest in (line.split(",") for line in it.splitlines())
            ),
            id="identifiers in the second column",
        ),
    ],
)
def test_rows_that_are_not_an_identifier_and_a_text(read_lines, change):
    found, n_lines = read_lines(change(text()))
    check(found)
    assert n_lines == [12]


def test_rows_that_are_all_different(read_lines):
    rows = [f"edss,{day},3.5," for day in range(1, 30)]
    found, n_lines = read_lines(text(["P1"], [*ROWS, *rows]))
    assert len(found) == 32
    assert n_lines == [32]


def test_more_different_texts_than_pyarrow_can_hold(read_lines):
    with patch.object(shared_rows, "_as_rows", side_effect=pa.ArrowCapacityError("full")):
        found, n_lines = read_lines(text())
    check(found)
    assert n_lines == [12]


@pytest.mark.parametrize(
    "content",
    [
        # Cut where the first identifier ends, these rows begin and end their first half with a separator.
        "patient_id,record,day,site,edss\nP-0000001,edss,30,,3.5\n,edss,30,,3.5\n",
        "patient_id,record,day,site,edss\nP-000001,edss,30,,3.5\n,edss,30,,3.5\n,edss,31,,3.5\n",
        "patient_id,record,day,gd_lesions\nP-0001,mri,3,0\n,mri,3,0\n,mri,4,0\n",
    ],
)
def test_rows_without_an_identifier_are_named(messages, content):
    with patch.object(shared_rows, "_TOO_DIFFERENT", 2):
        found = messages(content)
    assert [message.partition(";")[0] for message in found] == [
        f"cohort.csv:{line}: patient_id is empty" for line in range(3, content.count("\n") + 1)
    ]


def test_a_block_without_a_separator_far_behind_in_a_file():
    # Offsets of a file above two gigabytes do not fit into 32 bits; untouched pages of zeros take no memory.
    data = bytes(2**31 + 100)
    assert shared_rows._cut(blocks.Block(data, 2**31 + 10, 2**31 + 20), b",") is None


def test_rows_are_numbered_in_32_bits_as_long_as_these_suffice():
    # The last of 2³¹ rows has the number 2³¹ − 1, the largest of 32 bits with a sign.
    assert coded_records._width(2**31) is np.int32
    assert coded_records._width(2**31 + 1) is np.int64


def test_rows_that_differ_in_the_middle_of_the_file(read_lines):
    same = "".join(f"P{n},transplant,0,,\n" for n in range(1000, 1200))
    other = "".join(f"P{n},last_contact,{n},,\n" for n in range(1000, 1200))
    with patch.object(blocks, "_SIZE", 1000):
        found, n_lines = read_lines(f"{HEADER}\n{same}{other}")
    assert found.n_patients == 200
    assert sum(n_lines) == 400


def test_a_last_block_of_its_own_kind_does_not_matter(read_lines):
    same = "".join(f"P{n},transplant,0,,\n" for n in range(1000, 1200))
    with patch.object(blocks, "_SIZE", 1000):
        found, n_lines = read_lines(f"{HEADER}\n{same}P1000,edss,5,3.5,\n")
    assert found.n_patients == 200
    assert sum(n_lines) == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("P3,edss,soon,3.5,", "cohort.csv:14 patient P3: day is 'soon'; it must be a whole number of days"),
        ("P3,edss,31,3.7,", "cohort.csv:14 patient P3: edss is 3.7; EDSS goes from 0 to 10 in half points"),
        ("P3,edss,31,,", "cohort.csv:14 patient P3: edss is empty; an edss record needs it."),
        ("P3,edss,31", "cohort.csv:14: the row has 3 cells; the header has 5."),
        ("P3", "cohort.csv:14: the row has 1 cell; the header has 5."),
        ("P,,edss,31,3.5,", "cohort.csv:14: the row has 6 cells; the header has 5."),
        (",edss,31,3.5,", "cohort.csv:14: patient_id is empty; it cannot be left empty."),
        ("NA,edss,31,3.5,", "cohort.csv:14: patient_id is empty; it cannot be left empty."),
        ("  ,edss,31,3.5,", "cohort.csv:14 patient   : patient_id is '  '; an identifier stands on one line"),
        ("P3,edss,801,3.5,", None),
        ("P3,edss,30,4.5,", "cohort.csv:14 patient P3: edss is 4.5; line 8 has another score of the same"),
        ("P5,edss,-1,3.5,", "cohort.csv:14 patient P5: record is 'edss'; the patient has no record from the"),
    ],
)
@pytest.mark.parametrize("size", [1, blocks._SIZE])
def test_one_wrong_row_among_them(messages, read, wrong, message, size):
    with patch.object(blocks, "_SIZE", size), patch.object(shared_rows, "_TOO_DIFFERENT", 2):
        if message is None:
            assert np.array_equal(read(text() + wrong + "\n").lines, np.arange(2, 15))
        else:
            [found] = messages(text() + wrong + "\n")
            assert found.startswith(message)
