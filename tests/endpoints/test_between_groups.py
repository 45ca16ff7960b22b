"""Groups that are followed to the landmark's day and no longer. Expected values: worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from ahsct_trial import compare, read_cohort
from ahsct_trial.errors import UsageError
from ahsct_trial.protocol import Protocol
from ahsct_trial.trial import Trial


def trial(tmp_path: Path) -> Trial:
    """Six patients in each arm, seen up to day 1095 or dead on day 300 (A), 540 and 580 (B)."""
    died = {0: 300, 6: 540, 7: 580}
    rows = [
        f"P{n},{'A' if n < 6 else 'B'},{kind},{day}"
        for n in range(12)
        for kind, day in (
            ("transplant", 0),
            ("death", died[n]) if n in died else ("last_contact", 1095),
        )
    ]
    (tmp_path / "records.csv").write_text("\n".join(["patient_id,arm,record,day", *rows]))
    return read_cohort(tmp_path / "records.csv")


def test_a_restricted_mean_reaches_as_far_as_the_landmark(tmp_path: Path) -> None:
    # Day 1095 reaches the landmark of 3 years: (540 + 580 + 4 x 1095)/6 - (300 + 5 x 1095)/6 days.
    contrast = compare(trial(tmp_path), "arm").contrasts[0].endpoints.overall_survival
    assert contrast.rmst_difference.value == pytest.approx((5500 - 5775) / 6 / 365.25)
    assert contrast.rmst_difference.note is None


def test_a_restricted_mean_says_where_a_window_lets_it_end_early(tmp_path: Path) -> None:
    protocol = Protocol(horizon_years=3.05, landmark_window_days=30)
    contrast = compare(trial(tmp_path), "arm", protocol).contrasts[0].endpoints.overall_survival
    assert contrast.rmst_difference.value == pytest.approx((5500 - 5775) / 6 / 365.25)
    assert contrast.rmst_difference.note == "Restricted to 2.998 years: the last that reaches the landmark."


def test_groups_are_no_strata_of_themselves(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="within its levels there is nothing to compare"):
        compare(trial(tmp_path), "arm", strata="arm")
