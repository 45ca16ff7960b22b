"""The order of patient and day, against Python's own stable sort."""

from __future__ import annotations

import itertools
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ahsct_trial import records, stepwise
from ahsct_trial.records import Observations, in_order, is_ordered, is_same_day

#: Patients and days with many ties; −1 stands for a row without an identifier.
pairs = st.lists(st.tuples(st.integers(-1, 4), st.integers(-3, 3)), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("key_bits", "step"), [(63, 2**16), (63, 3), (1, 2**16)], ids=["packed", "in steps", "too wide to pack"]
)
@given(pairs)
def test_ties_keep_the_order_of_the_input(key_bits, step, given_pairs):
    patient, day = np.array(given_pairs, dtype=np.int32).T
    expected = sorted(range(len(given_pairs)), key=lambda row: given_pairs[row])
    with patch.object(records, "_KEY_BITS", key_bits), patch.object(stepwise, "_STEP", step):
        found_patient, found_day, place = in_order(patient, day)
    assert place.tolist() == expected
    assert list(zip(found_patient.tolist(), found_day.tolist(), strict=True)) == sorted(given_pairs)


@given(pairs)
def test_what_is_ordered_and_what_is_of_one_day(given_pairs):
    patient, day = np.array(given_pairs, dtype=np.int32).T
    assert is_ordered(patient, day) == (given_pairs == sorted(given_pairs))
    own = Observations(patient, day, np.arange(len(given_pairs)))
    assert is_same_day(own).tolist() == [one == other for one, other in itertools.pairwise(given_pairs)]
