"""Files in several blocks, as large ones are: hand-worked cases; `test_any_file.py` has random ones."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from ahsct_trial import parallel
from ahsct_trial.loading import blocks
from ahsct_trial.parallel import side_by_side


@pytest.fixture
def small_blocks():
    """Each line is a block of its own."""
    with patch.object(blocks, "_SIZE", 1):
        yield


@pytest.mark.usefixtures("small_blocks")
def test_the_same_problem_in_many_blocks_is_one(messages):
    rows = "".join(f"P{row},six\nQ{row},3\n" for row in range(40))
    assert messages(f"patient_id,follow_up_years\n{rows}Q,seven\n") == [
        "cohort.csv:2, 4, 6 and 37 more: follow_up_years is 'six'; it must be a number of years from 0 to "
        "50. "
        "Correct it.",
        "cohort.csv:82 patient Q: follow_up_years is 'seven'; it must be a number of years from 0 to 50. "
        "Correct it.",
    ]


@pytest.mark.usefixtures("small_blocks")
def test_a_row_of_another_block_is_named_by_its_line(messages):
    text = "patient_id,follow_up_years\nP1,1\n\nP2,2\nP3,six\nP1,4\n"
    assert messages(text) == [
        "cohort.csv:5 patient P3: follow_up_years is 'six'; it must be a number of years from 0 to 50. "
        "Correct it.",
        "cohort.csv:6 patient P1: patient_id is 'P1'; the same identifier stands on line 2, and a patient "
        "has one row. Remove one or give it another identifier.",
    ]


@pytest.mark.usefixtures("small_blocks")
def test_the_blocks_of_one_processor_may_hold_no_row_with_all_its_cells(messages):
    whole, ragged = "P1,transplant,0\nP1,last_contact,9\n", "P1,mri\nP2\n"
    for text, lines in ((whole + ragged, (4, 5)), (ragged + whole, (2, 3))):
        with patch.object(parallel, "N_PROCESSORS", 2):
            found = messages(f"patient_id,record,day\n{text}")
        assert found == [
            f"cohort.csv:{line}: the row has {cells}; the header has 3. "
            "Add the missing cells, if only as empty ones."
            for line, cells in zip(lines, ("2 cells", "1 cell"), strict=True)
        ]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_decimal_comma_that_comes_late(read, delimiter):
    lines = ["id;follow_up;age", "1;2;40", "2;3;50", "3;4,5;60"]
    cohort = read("\n".join(lines).replace(";", delimiter))
    assert cohort.data.numbers("follow_up_years").tolist() == [2, 3, 4.5]


@pytest.mark.usefixtures("small_blocks")
def test_all_blocks_together_tell_the_decimal_mark(read, messages):
    # The first block has a point, two later ones a comma, so that the point is wrong.
    text = "id;follow_up\n1;2.5\n2;3,5\n3;4,5\n"
    assert messages(text) == [
        "cohort.csv:2 patient 1: follow_up_years is 2.5; other numbers in this file have a decimal comma. "
        "Correct it."
    ]
    assert read(text.replace("2.5", "2")).data.numbers("follow_up_years").tolist() == [2, 3.5, 4.5]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("n_processors", [1, 2, 3, 9])
def test_identifiers_of_different_lengths_in_different_blocks(read, n_processors):
    identifiers = ["ID-00001", "ID-00002", "P3", "ID-00001", "ÄÄÄÄ", "P3", "ID-00002"]
    rows = "".join(f"{identifier},relapse,{day}\n" for day, identifier in enumerate(identifiers, 1))
    with patch.object(parallel, "N_PROCESSORS", n_processors):
        found = read(f"patient_id,record,day\n{rows}")
    assert found.data.patients["patient_id"].tolist() == ["ID-00001", "ID-00002", "P3", "ÄÄÄÄ"]
    patient, day, row = found.data.observations["relapse"]
    assert patient.tolist() == [0, 0, 1, 1, 2, 2, 3]
    assert day.tolist() == [1, 4, 2, 7, 3, 6, 5]
    assert np.array_equal(found.places.lines[row], day + 1)


@pytest.mark.usefixtures("small_blocks")
def test_dates_of_another_form_in_blocks_and_among_missing_ones(read):
    text = "patient_id,record,date\nP1,baseline,\nP1,transplant,31.01.2020\nP1,relapse,01.03.2020\n"
    found = read(text, date_format="dd.mm.yyyy")
    # 2020 is a leap year: 31 January to 1 March is 30 days.
    assert found.data.observations["relapse"].day.tolist() == [30]


def test_work_is_given_back_in_order_and_what_goes_wrong_is_raised():
    assert side_by_side(lambda n: n * n, []) == []
    assert side_by_side(lambda n: n * n, [3]) == [9]
    with patch.object(parallel, "N_PROCESSORS", 3):
        assert side_by_side(lambda n: n * n, range(50)) == [n * n for n in range(50)]
        with pytest.raises(ZeroDivisionError):
            side_by_side(lambda n: 1 // n, [1, 0, 1])
