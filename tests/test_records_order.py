"""The order of patient and day, against Python's own stable sort."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ahsct_trial.records import Observations, in_order, is_ordered, is_same_day

#: Patients and days with many ties; −1 stands for a row without an identifier.
pairs = st.lists(st.tuples(st.integers(-1, 4), st.integers(-3, 3)), min_size=1, max_size=40)


# Patient, day and place fit into one integer, or they do not.
@pytest.mark.parametrize("far", [[], [(2**31 - 1, -(2**31)), (2**31 - 1, 2**31 - 1)]])
@given(pairs)
def test_ties_keep_the_order_of_the_input(far, given_pairs):
    rows = given_pairs + far
    patient, day = np.array(rows, dtype=np.int32).T
    found_patient, found_day, place = in_order(patient, day)
    assert place.tolist() == sorted(range(len(rows)), key=lambda row: rows[row])
    assert list(zip(found_patient.tolist(), found_day.tolist(), strict=True)) == sorted(rows)


def test_many_rows():
    random = np.random.default_rng(20260101)
    patient, day = random.integers(0, 300, 200_000), random.integers(-30, 30, 200_000)
    assert in_order(patient, day)[2].tolist() == np.lexsort((day, patient)).tolist()


@given(pairs)
def test_what_is_ordered_and_what_is_of_one_day(given_pairs):
    patient, day = np.array(given_pairs, dtype=np.int32).T
    assert is_ordered(patient, day) == (given_pairs == sorted(given_pairs))
    own = Observations(patient, day, np.arange(len(given_pairs)))
    assert is_same_day(own).tolist() == [one == other for one, other in itertools.pairwise(given_pairs)]
