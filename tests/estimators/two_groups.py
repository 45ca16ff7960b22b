"""Small two-group samples for hypothesis, and an oracle that counts risk sets patient by patient."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray


class Sample(NamedTuple):
    years: NDArray[np.float64]
    is_event: NDArray[np.bool_]
    is_second: NDArray[np.bool_]
    strata: NDArray[np.int64]
    entry: NDArray[np.float64]


_patient = st.tuples(
    st.integers(1, 8), st.booleans(), st.booleans(), st.integers(0, 1), st.sampled_from([-math.inf, 0, 2])
).filter(lambda patient: patient[4] < patient[0])
samples = st.lists(_patient, min_size=2, max_size=14).map(
    lambda patients: Sample(*(np.array(column) for column in zip(*patients, strict=True)))
)


class RiskSet(NamedTuple):
    n_at_risk: tuple[int, int]
    n_events: tuple[int, int]


def risk_sets_of(sample: Sample) -> Iterator[RiskSet]:
    """Oracle: at each time of an event in a stratum, all patients with entry < t ≤ years, one by one."""
    patients = list(zip(*(column.tolist() for column in sample), strict=True))
    for stratum, time in sorted({(s, t) for t, is_event, _, s, _ in patients if is_event}):
        there = [
            (t, is_event, is_second)
            for t, is_event, is_second, s, entry in patients
            if s == stratum and entry < time <= t
        ]
        n_second = sum(is_second for _, _, is_second in there)
        events = [is_second for t, is_event, is_second in there if is_event and t == time]
        yield RiskSet((len(there) - n_second, n_second), (len(events) - sum(events), sum(events)))
