"""Files in several blocks, as large ones are: hand-worked cases; `test_any_file.py` has random ones."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ahsct_trial import threads
from ahsct_trial.loading import blocks, reading
from ahsct_trial.loading.blocks import Block
from ahsct_trial.loading.exact_rows import read_exact_rows
from ahsct_trial.threads import side_by_side


@pytest.fixture
def small_blocks():
    """Each line is a block of its own."""
    with patch.object(blocks, "_SIZE", 1):
        yield


@given(st.text(alphabet="a,\n\r", max_size=60).map(str.encode), st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=200)
def test_line_feeds_are_counted_across_steps(data, start, stop):
    start, stop = sorted((min(start, len(data)), min(stop, len(data))))
    with patch.object(blocks, "_STEP", 7):
        assert Block(data, start, stop).count_lines() == data.count(b"\n", start, stop)


@pytest.mark.usefixtures("small_blocks")
def test_of_many_wrong_blocks_the_first_problems_are_shown_and_all_counted(refused):
    rows = "".join(f"P{row},six\n" for row in range(40))
    problems = refused(f"patient_id,follow_up_years\n{rows}")
    assert problems.n_problems == 40
    assert [(problem.line, problem.patient) for problem in problems.problems] == [
        (row + 2, f"P{row}") for row in range(20)
    ]


@pytest.mark.usefixtures("small_blocks")
def test_a_row_of_another_block_is_named_by_its_line(messages):
    text = "patient_id,follow_up_years\nP1,1\n\nP2,2\nP3,six\nP1,4\n"
    assert messages(text) == [
        "cohort.csv:5 patient P3: follow_up_years is 'six'; it must be a number of years from 0 to 120. "
        "Correct it.",
        "cohort.csv:6 patient P1: patient_id is 'P1'; line 2 has the same identifier, and a patient has one "
        "row. Remove one or give it another identifier.",
    ]


@pytest.mark.usefixtures("small_blocks")
def test_the_blocks_of_one_processor_may_hold_no_row_with_all_its_cells(messages):
    whole, ragged = "P1,transplant,0\nP1,last_contact,9\n", "P1,mri\nP2\n"
    for text, lines in ((whole + ragged, (4, 5)), (ragged + whole, (2, 3))):
        with patch.object(threads, "N_PROCESSORS", 2):
            found = messages(f"patient_id,record,day\n{text}")
        assert found == [
            f"cohort.csv:{line}: the row has {cells}; the header has 3. "
            "Add the missing cells, if only as empty ones."
            for line, cells in zip(lines, ("2 cells", "1 cell"), strict=True)
        ]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_decimal_comma_that_comes_late_costs_no_exact_reading(read, delimiter):
    lines = ["id;follow_up;age", "1;2;40", "2;3;50", "3;4,5;60"]
    with patch.object(reading, "read_exact_rows", wraps=read_exact_rows) as exact:
        cohort = read("\n".join(lines).replace(";", delimiter))
    assert cohort.numbers("follow_up_years").tolist() == [2, 3, 4.5]
    exact.assert_not_called()


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("n_processors", [1, 2, 3, 9])
def test_identifiers_of_different_lengths_in_different_blocks(read, n_processors):
    identifiers = ["ID-00001", "ID-00002", "P3", "ID-00001", "ÄÄÄÄ", "P3", "ID-00002"]
    rows = "".join(f"{identifier},relapse,{day}\n" for day, identifier in enumerate(identifiers, 1))
    with patch.object(threads, "N_PROCESSORS", n_processors):
        found = read(f"patient_id,record,day\n{rows}")
    assert found.patients["patient_id"].tolist() == ["ID-00001", "ID-00002", "P3", "ÄÄÄÄ"]
    patient, day, row = found.observations["relapse"]
    assert patient.tolist() == [0, 0, 1, 1, 2, 2, 3]
    assert day.tolist() == [1, 4, 2, 7, 3, 6, 5]
    assert np.array_equal(found.lines[row], day + 1)


@pytest.mark.usefixtures("small_blocks")
def test_dates_of_another_form_in_blocks_and_among_missing_ones(file):
    file.write_text(
        "patient_id,record,date\nP1,baseline,\nP1,transplant,31.01.2020\nP1,relapse,01.03.2020\n", "utf-8"
    )
    found = reading_of(file, "%d.%m.%Y")
    # 2020 is a leap year: 31 January to 1 March is 30 days.
    assert found.observations["relapse"].day.tolist() == [30]


def reading_of(file, date_format):
    from ahsct_trial import read_cohort

    return read_cohort(file, date_format=date_format)


def test_work_is_given_back_in_order_and_what_goes_wrong_is_raised():
    assert side_by_side(lambda n: n * n, []) == []
    assert side_by_side(lambda n: n * n, [3]) == [9]
    with patch.object(threads, "N_PROCESSORS", 3):
        assert side_by_side(lambda n: n * n, range(50)) == [n * n for n in range(50)]
        with pytest.raises(ZeroDivisionError):
            side_by_side(lambda n: 1 // n, [1, 0, 1])
