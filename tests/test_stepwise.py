"""Long arrays step by step, against Python's own lists."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ahsct_trial import stepwise
from ahsct_trial.stepwise import gathered, steps


@pytest.mark.parametrize("step", [1, 3, 2**16])
@given(st.integers(0, 20))
def test_steps_are_all_rows_in_order(step, n):
    with patch.object(stepwise, "_STEP", step):
        parts = [range(n)[part] for part in steps(n)]
    assert [row for part in parts for row in part] == [*range(n)]
    assert all(1 <= len(part) <= step for part in parts)


@pytest.mark.parametrize("step", [1, 3, 2**16])
@given(st.lists(st.integers(-5, 4), max_size=20), st.sampled_from(["int8", "float32", "object"]))
def test_values_at_places(step, places, kind):
    values = ["a", "b", None, "d", "e"] if kind == "object" else [3, -1, 4, 1, 5]
    with patch.object(stepwise, "_STEP", step):
        found = gathered(np.array(values, dtype=kind), np.array(places, dtype=np.int32))
    assert found.dtype == kind
    assert found.tolist() == [values[place] for place in places]


def test_a_place_that_is_not_there():
    with pytest.raises(IndexError):
        gathered(np.arange(3), np.array([0, 3], dtype=np.int32))
