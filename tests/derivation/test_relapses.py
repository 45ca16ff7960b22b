"""Relapses before and after transplant, from records worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from record_files import records

from ahsct_trial import Protocol, summarize
from ahsct_trial.derivation.relapses import derive_relapses

#: P1: 500 days of history. Its first and last days and day 0 belong to it, day −501 does not.
#: P2: no history, so the relapses before transplant belong to no rate.
#: P3: a history without a relapse, and one relapse after that stands in the file twice: rows alike are one
#: row.
#: P4: nothing but day 0, on which the history begins too.
COURSES = """
    P1 relapse 400
    P1 relapse -501
    P1 relapse -500
    P1 relapse -90
    P1 relapse 0
    P1 relapse 1
    P1 observed_from -500
    P1 last_contact 800
    P2 relapse -90
    P2 relapse 200
    P2 last_contact 800
    P3 observed_from -365
    P3 relapse 90
    P3 relapse 90
    P3 last_contact 800
    P4 observed_from 0
    P4 transplant 0
"""
NONE = None


def column(name: str) -> list[float | None]:
    values = derive_relapses(records(COURSES).data, Protocol()).values[name]
    return [None if np.isnan(value) else value for value in values.tolist()]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("years_observed_before", [500 / 365.25, NONE, 365 / 365.25, 0.0]),
        ("relapses_before", [3, NONE, 0, 0]),
        ("relapses_after", [2, 1, 1, 0]),
        ("years_to_first_relapse", [1 / 365.25, 200 / 365.25, 90 / 365.25, NONE]),
    ],
)
def test_columns(name, expected):
    assert column(name) == expected


def test_no_time_observed_is_no_negative_zero():
    assert str(column("years_observed_before")[3]) == "0.0"


def test_the_first_relapse_is_traced_to_its_row():
    derived = derive_relapses(records(COURSES).data, Protocol())
    # Rows count from 0. P1's relapse of day 1 is the sixth; of P3's two the one that stands first is named.
    assert derived.decided_by["years_to_first_relapse"].tolist() == [5, 9, 12, -1]


def test_rates():
    found = summarize(records(COURSES), Protocol()).endpoints.relapse_rate
    # P2 is left out before: 3 relapses in 500 + 365 + 0 days. All count after: 4 relapses in 3 × 800 days.
    assert (found.before.n_patients, found.before.n_unknown, found.before.n_events) == (3, 1, 3)
    assert found.before.exposure == pytest.approx(865 / 365.25, rel=1e-12)
    assert found.before.note == "1 patient left out: relapses_before or years_observed_before is empty."
    assert (found.after.n_patients, found.after.n_unknown, found.after.n_events) == (4, 0, 4)
    assert found.after.exposure == pytest.approx(2400 / 365.25, rel=1e-12)
    assert found.after.note is None


def test_a_relapse_before_the_history_is_mentioned():
    texts = [notice.text for notice in summarize(records(COURSES), Protocol()).notices]
    assert (
        "1 relapse lies before observed_from, outside the observed time: left out of the rate before."
        in texts
    )


def test_a_history_without_a_relapse_is_no_relapse_and_not_no_history():
    found = summarize(records("P1 observed_from -365\nP1 transplant 0\nP1 last_contact 731"), Protocol())
    rates = found.endpoints.relapse_rate
    assert (rates.before.n_events, rates.after.n_events, rates.after.rate.value) == (0, 0, 0.0)
    relapse_free = found.endpoints.relapse_free_survival
    assert (relapse_free.n_patients, relapse_free.n_events, relapse_free.n_unknown) == (1, 0, 0)


def test_without_a_relapse_or_a_history_relapses_are_not_in_the_file():
    found = summarize(records("P1 transplant 0\nP1 last_contact 731"), Protocol()).endpoints
    assert found.relapse_free_survival.n_patients is found.relapse_rate.after.n_events is None
    assert found.relapse_free_survival.note.startswith("Not in this file: ")


def test_a_relapse_before_transplant_alone_is_a_file_with_relapses():
    found = summarize(records("P1 relapse -90\nP1 last_contact 731"), Protocol())
    assert found.notices == ()
    assert found.endpoints.relapse_rate.after.n_events == 0
    # Nobody has a history, so there is no rate before.
    before = found.endpoints.relapse_rate.before
    assert (before.n_patients, before.n_unknown, before.rate.value) == (0, 1, None)


@pytest.mark.parametrize(
    ("gap", "n_after"),
    # Onsets on days 100, 110, 130, 160 and 400: each is compared with the one before, counted or not. A
    # relapse that begins exactly so many days later is another one.
    [(0, 5), (10, 5), (10.5, 4), (20, 4), (21, 3), (30, 3), (31, 2), (240, 2), (241, 1)],
)
def test_a_relapse_soon_after_another_is_the_same(gap, n_after):
    text = "\n".join(f"P1 relapse {day}" for day in (100, 110, 130, 160, 400)) + "\nP1 last_contact 800"
    found = summarize(records(text), Protocol(relapse_gap_days=gap)).endpoints
    assert found.relapse_rate.after.n_events == n_after
    assert [point.years for point in found.relapse_free_survival.curve] == [100 / 365.25]
    assert (f"less than {gap:g} days" in found.relapse_rate.definition) == bool(gap)


def test_a_relapse_that_continues_one_before_transplant_is_none_after():
    text = "P1 relapse -5\nP1 relapse 5\nP2 relapse 5\nP1 last_contact 800\nP2 last_contact 800"
    found = summarize(records(text), Protocol(relapse_gap_days=30)).endpoints
    assert found.relapse_rate.after.n_events == 1


CLOSE = "P1 relapse 3\nP1 relapse 33\nP1 relapse 62\nP1 last_contact 800"


def test_relapses_close_together_are_told_of_until_the_protocol_takes_them_as_one():
    # By hand: 33 begins 30 days after 3, and 62 only 29 days after 33.
    (notice,) = derive_relapses(records(CLOSE).data, Protocol()).notices
    assert (notice.code, notice.severity) == ("relapses-close-together", "look first")
    assert notice.text.startswith("1 relapse begins within 30 days of another")
    merged = derive_relapses(records(CLOSE).data, Protocol(relapse_gap_days=30))
    assert merged.notices == ()
    assert merged.values["relapses_after"].tolist() == [2]
