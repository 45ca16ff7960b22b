"""Long arrays, and numbers that 32 bits do not hold."""

from __future__ import annotations

import numpy as np
import pytest

from ahsct_trial.chunks import end_to_end, number_type


@pytest.mark.parametrize(("n", "bits"), [(0, 32), (2**31 - 1, 32), (2**31, 64), (10**12, 64)])
def test_numbers_have_the_bits_that_they_need(n: int, bits: int) -> None:
    chosen = number_type(n)
    assert np.iinfo(chosen).bits == bits
    start = n - 1
    pieces = (np.array([0, 1], dtype=np.int32) + chosen(shift) for shift in (0, start))
    found = end_to_end(pieces, 4, chosen)
    assert found.tolist() == [0, 1, start, n]
