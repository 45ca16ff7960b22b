"""The order of patient and day, against Python's own stable sort."""

from __future__ import annotations

import itertools
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ahsct_trial import records
from ahsct_trial.records import Observations, gathered, in_order, is_ordered, is_same_day

#: Patients and days with many ties; −1 stands for a row without an identifier.
pairs = st.lists(st.tuples(st.integers(-1, 4), st.integers(-3, 3)), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("key_bits", "step"), [(63, 2**16), (63, 3), (1, 2**16)], ids=["packed", "in steps", "too wide to pack"]
)
@given(pairs)
def test_ties_keep_the_order_of_the_input(key_bits, step, given_pairs):
    patient, day = np.array(given_pairs, dtype=np.int32).T
    expected = sorted(range(len(given_pairs)), key=lambda row: given_pairs[row])
    with patch.object(records, "_KEY_BITS", key_bits), patch.object(records, "_STEP", step):
        found_patient, found_day, place = in_order(patient, day)
    assert place.tolist() == expected
    assert list(zip(found_patient.tolist(), found_day.tolist(), strict=True)) == sorted(given_pairs)


@given(pairs)
def test_what_is_ordered_and_what_is_of_one_day(given_pairs):
    patient, day = np.array(given_pairs, dtype=np.int32).T
    assert is_ordered(patient, day) == (given_pairs == sorted(given_pairs))
    own = Observations(patient, day, np.arange(len(given_pairs)))
    assert is_same_day(own).tolist() == [one == other for one, other in itertools.pairwise(given_pairs)]


@pytest.mark.parametrize("step", [1, 3, 2**16])
@given(st.lists(st.integers(-5, 4), max_size=20), st.sampled_from(["int8", "float32", "object"]))
def test_values_at_places(step, places, kind):
    values = ["a", "b", None, "d", "e"] if kind == "object" else [3, -1, 4, 1, 5]
    with patch.object(records, "_STEP", step):
        found = gathered(np.array(values, dtype=kind), np.array(places, dtype=np.int32))
    assert found.dtype == kind
    assert found.tolist() == [values[place] for place in places]  # those below 0 from the end
