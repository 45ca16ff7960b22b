"""Confirmed worsening and improvement: hand-worked courses, a slow oracle, and pymsprog's own results.

Expected values come from three sources that share nothing with the package: the comment beside each
hand-worked course; `derivation_oracle`, plain Python that reads the definition sentence by sentence for one
patient and keeps its days as fractions; and ``tests/reference/pymsprog_*.csv.gz``, made by pymsprog
(``tests/reference/pymsprog.md`` has its version and the command).
"""

from __future__ import annotations

import csv
import gzip
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from derivation_oracle import confirmed_change, unconfirmed_worsening
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ahsct_trial import records
from ahsct_trial.derivation import disability
from ahsct_trial.derivation.disability import (
    DisabilityChange,
    EdssVisits,
    Relapses,
    derive_disability,
    explain_disability,
)
from ahsct_trial.protocol import BUILT_IN, Protocol

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
EDSS_VALUES = [0.0, *(half / 2 for half in range(2, 21))]

Course = list[tuple[int, float]]


def arrange(courses: list[Course], relapses: list[list[int]]) -> tuple[EdssVisits, Relapses]:
    """Lay the visits (day, EDSS) and relapse days of patients 0, 1, … out as arrays, in their order."""
    rows = [(patient, day, edss) for patient, course in enumerate(courses) for day, edss in course]
    onsets = [(patient, day) for patient, days in enumerate(relapses) for day in days]
    return (
        EdssVisits(
            np.array([row[0] for row in rows], dtype=np.int32),
            np.array([row[1] for row in rows], dtype=np.int32),
            np.array([row[2] for row in rows], dtype=np.float64),
        ),
        Relapses(
            np.array([onset[0] for onset in onsets], dtype=np.int32),
            np.array([onset[1] for onset in onsets], dtype=np.int32),
        ),
    )


def derive_one(course: Course, relapses: list[int] | None = None, **settings: object) -> DisabilityChange:
    visits, onsets = arrange([course], [relapses or []])
    return derive_disability(visits, onsets, 1, Protocol(**settings))  # type: ignore[arg-type]


def days_of(course: Course, change: disability.ConfirmedChange) -> tuple[int, int] | None:
    """Give the days of onset and confirmation of the only patient, None without a confirmed change."""
    if change.onset_row[0] < 0:
        assert math.isnan(change.onset_day[0])
        assert change.confirming_row[0] == -1
        return None
    assert change.onset_day[0] == course[change.onset_row[0]][0]
    return course[change.onset_row[0]][0], course[change.confirming_row[0]][0]


def worsening(
    course: Course, relapses: list[int] | None = None, **settings: object
) -> tuple[int, int] | None:
    return days_of(course, derive_one(course, relapses, **settings).worsening)


def improvement(
    course: Course, relapses: list[int] | None = None, **settings: object
) -> tuple[int, int] | None:
    return days_of(course, derive_one(course, relapses, **settings).improvement)


# --- hand-worked courses; 24 weeks are 168 days, the window opens on day 161 after the onset -------------


def test_worsening_is_dated_at_its_onset_and_confirmed_by_the_first_visit_of_the_window() -> None:
    # 5.0 against 4.0 on day 412; day 500 is 88 days later, too early; day 590 is 178 days later.
    course = [(-20, 4.0), (200, 4.0), (412, 5.0), (500, 5.0), (590, 5.5), (700, 5.0)]
    change = derive_one(course)
    assert days_of(course, change.worsening) == (412, 590)
    assert days_of(course, change.improvement) is None
    assert (change.baseline_edss[0], change.baseline_row[0]) == (4.0, 0)
    assert (change.last_edss[0], change.last_day[0], change.last_row[0]) == (5.0, 700.0, 5)


@pytest.mark.parametrize(("gap", "is_confirmed"), [(160, False), (161, True), (168, True), (5000, True)])
def test_the_window_opens_seven_days_early_and_never_closes(gap: int, is_confirmed: bool) -> None:
    course = [(0, 4.0), (100, 5.0), (100 + gap, 5.0)]
    assert worsening(course) == ((100, 100 + gap) if is_confirmed else None)


@pytest.mark.parametrize(("gap", "is_confirmed"), [(76, False), (77, True), (814, True), (815, False)])
def test_the_msprog_window_holds_the_whole_days_from_77_to_814(gap: int, is_confirmed: bool) -> None:
    # 84 − 7 = 77 and 84 + 730.5 = 814.5.
    visits, relapses = arrange([[(0, 4.0), (100, 5.0), (100 + gap, 5.0)]], [[]])
    change = derive_disability(visits, relapses, 1, BUILT_IN["msprog"])
    assert (change.worsening.onset_row[0] == 1) == is_confirmed


@pytest.mark.parametrize(("gap", "is_confirmed"), [(160, False), (161, True)])
def test_a_window_that_opens_within_a_day_starts_with_the_next(gap: int, is_confirmed: bool) -> None:
    # 168 − 7.5 = 160.5.
    course = [(0, 4.0), (100, 5.0), (100 + gap, 5.0)]
    assert (worsening(course, confirm_early_days=7.5) is not None) == is_confirmed


@pytest.mark.parametrize("gap", [89, 90, 91])
def test_ninety_sevenths_of_a_week_are_ninety_days(gap: int) -> None:
    course = [(0, 4.0), (100, 5.0), (100 + gap, 5.0)]
    exact = {"confirm_early_days": 0.0, "confirm_late_days": 0.0}
    for weeks in (90 / 7, 12.857142857, 12.8571428572):  # the last is 90.0000000004 days
        assert (worsening(course, worsening_confirm_weeks=weeks, **exact) is not None) == (gap == 90)


def test_a_visit_cannot_confirm_itself() -> None:
    # No delay is asked for, but the confirming visit is another one, on a later day.
    assert worsening([(0, 4.0), (100, 5.0)], worsening_confirm_weeks=0) is None
    assert worsening([(0, 4.0), (100, 5.0), (100, 5.0)], worsening_confirm_weeks=0) is None
    assert worsening([(0, 4.0), (100, 5.0), (101, 5.0)], worsening_confirm_weeks=0) == (100, 101)


def test_every_visit_up_to_the_confirming_one_must_hold() -> None:
    # Day 100 is refuted on day 200 by 4.5; the search goes on with day 300, confirmed on day 470.
    course = [(0, 4.0), (100, 5.0), (200, 4.5), (300, 5.0), (470, 5.0)]
    assert worsening(course) == (300, 470)


def test_a_visit_soon_after_a_relapse_must_hold_too() -> None:
    # Day 200 is 5 days after a relapse: it cannot confirm, but its 4.0 breaks the worsening.
    assert worsening([(0, 4.0), (100, 5.0), (200, 4.0), (290, 5.0)], [195]) is None
    assert worsening([(0, 4.0), (100, 5.0), (200, 5.0), (290, 5.0)], [195]) == (100, 290)


def test_a_later_visit_of_the_window_cannot_make_up_for_the_first() -> None:
    # The first visit of the window for day 100 is day 270, back to 4.0. Day 300 has none after it.
    assert worsening([(0, 4.0), (100, 5.0), (270, 4.0), (300, 5.0)]) is None


def test_a_later_onset_of_the_same_rise_counts_where_the_window_of_the_first_is_empty() -> None:
    # Window 154 to 182 days. For day 100 it is days 254 to 282: no visit. For day 150, days 304 to 332.
    course = [(0, 4.0), (100, 5.0), (150, 5.0), (310, 5.0)]
    exact = {"worsening_confirm_weeks": 24, "confirm_early_days": 14, "confirm_late_days": 14}
    assert worsening(course, **exact) == (150, 310)


@pytest.mark.parametrize(
    ("relapse", "confirmed_on"),
    [(301, 300), (300, 400), (271, 400), (270, 300)],
)
def test_a_visit_thirty_days_after_a_relapse_is_relapse_free(relapse: int, confirmed_on: int) -> None:
    # Day 300 lies −1, 0, 29 and 30 days after the relapse; from 0 to 29 it cannot confirm.
    course = [(0, 4.0), (100, 5.0), (300, 5.0), (400, 5.0)]
    assert worsening(course, [relapse]) == (100, confirmed_on)
    assert worsening(course, [relapse], relapse_free_days=0) == (100, 300)


def test_a_relapse_of_another_patient_does_not_count() -> None:
    course = [(0, 4.0), (100, 5.0), (300, 5.0)]
    visits, relapses = arrange([course, course, course], [[299, -1], [], [299]])
    change = derive_disability(visits, relapses, 3, Protocol())
    assert change.worsening.onset_row.tolist() == [-1, 4, -1]
    assert change.baseline_row.tolist() == [-1, 3, 6]  # a relapse on day −1 spoils patient 0's only baseline


def test_an_onset_need_not_be_relapse_free() -> None:
    assert worsening([(0, 4.0), (100, 5.0), (300, 5.0)], [100]) == (100, 300)


@pytest.mark.parametrize(
    ("baseline", "reached"),
    [(0.0, 1.5), (1.0, 2.0), (4.5, 5.5), (5.0, 6.0), (5.5, 6.0), (9.5, 10.0)],
)
def test_the_step_depends_on_the_baseline(baseline: float, reached: float) -> None:
    # msprog's compute_delta: 1.5 from 0, 1.0 from 1.0 to 5.0, 0.5 from 5.5.
    below = reached - 0.5
    assert worsening([(0, baseline), (100, reached), (300, reached)]) == (100, 300)
    assert worsening([(0, baseline), (100, below), (300, below)]) is None


def test_the_step_of_an_improvement_is_that_of_the_baseline() -> None:
    # From 5.5 half a point counts although 5.0 itself has a step of 1.0.
    assert improvement([(0, 5.5), (100, 5.0), (300, 5.0)]) == (100, 300)
    assert improvement([(0, 5.0), (100, 4.5), (300, 4.5)]) is None
    assert improvement([(0, 5.0), (100, 4.0), (300, 4.0)]) == (100, 300)


def test_nothing_can_improve_from_zero() -> None:
    assert improvement([(0, 0.0), (100, 0.0), (300, 0.0)]) is None


def test_a_patient_can_improve_and_worsen() -> None:
    course = [(0, 4.0), (100, 3.0), (300, 3.0), (400, 5.0), (600, 5.0)]
    change = derive_one(course)
    assert days_of(course, change.improvement) == (100, 300)
    assert days_of(course, change.worsening) == (400, 600)


@pytest.mark.parametrize(
    ("relapses", "baseline_row"),
    [([], 2), ([0], 1), ([-5], 1), ([-25], 1), ([-30], 2), ([-60, -5], 0), ([-90, -60, -5], -1)],
)
def test_last_before_takes_the_last_relapse_free_visit_up_to_day_0(
    relapses: list[int], baseline_row: int
) -> None:
    course = [(-90, 3.0), (-40, 3.5), (0, 4.0), (50, 6.0)]
    assert derive_one(course, relapses).baseline_row[0] == baseline_row


@pytest.mark.parametrize(
    ("relapses", "baseline_row"),
    [([], 1), ([0], 2), ([-29], 2), ([-30], 1), ([0, 30], 3), ([0, 30, 60], -1)],
)
def test_first_stable_takes_the_first_relapse_free_visit_from_day_0(
    relapses: list[int], baseline_row: int
) -> None:
    course = [(-90, 3.0), (0, 4.0), (30, 4.5), (60, 5.0)]
    assert derive_one(course, relapses, baseline="first-stable").baseline_row[0] == baseline_row


def test_an_onset_lies_after_transplant_even_where_the_baseline_lies_well_before() -> None:
    # The relapse on day −10 moves the baseline to day −60; 5.0 on days −5 and 0 is not an onset.
    course = [(-60, 4.0), (-5, 5.0), (0, 5.0), (50, 5.0), (220, 5.0)]
    assert worsening(course, [-10]) == (50, 220)


def test_a_patient_without_a_baseline_has_no_change_and_an_unknown_baseline() -> None:
    for course in ([], [(10, 4.0), (100, 5.0), (300, 5.0)]):
        change = derive_one(course)
        assert math.isnan(change.baseline_edss[0])
        assert days_of(course, change.worsening) is None
        assert days_of(course, change.improvement) is None


def test_no_visit_after_day_0_is_no_last_edss() -> None:
    change = derive_one([(-10, 4.0), (0, 4.0)])
    assert math.isnan(change.last_edss[0])
    assert math.isnan(change.last_day[0])
    assert change.last_row[0] == -1


def test_no_patients_at_all() -> None:
    visits, relapses = arrange([], [])
    change = derive_disability(visits, relapses, 0, Protocol())
    assert change.worsening.onset_day.shape == change.baseline_edss.shape == (0,)


def test_reasons_of_one_patient() -> None:
    # Day 100: refuted by day 200. Day 300: day 480 is the only visit in the window, but soon after a relapse.
    course = [(0, 4.0), (100, 5.0), (200, 4.0), (300, 5.0), (480, 5.5)]
    visits, relapses = arrange([course], [[475]])
    tried, improving = explain_disability(visits, relapses, 1, Protocol())
    assert tried.onset_row.tolist() == [1, 3]
    assert tried.broken_row.tolist() == [2, -1]
    assert tried.confirming_row.tolist() == [-1, -1]
    assert improving.onset_row.tolist() == []


def test_a_visit_beyond_the_window_is_not_the_reason() -> None:
    # Window 161 to 168 days after day 100 is empty; the 4.0 on day 400 comes after it.
    visits, relapses = arrange([[(0, 4.0), (100, 5.0), (400, 4.0)]], [[]])
    tried, _ = explain_disability(visits, relapses, 1, Protocol(confirm_late_days=0))
    assert tried.onset_row.tolist() == [1]
    assert tried.broken_row.tolist() == [-1]


# --- the oracle -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    baseline: tuple[int, float] | None
    last: tuple[int, float] | None
    worsening: tuple[int, int] | None
    improvement: tuple[int, int] | None
    pending: int | None


def oracle(course: Course, relapses: list[int], protocol: Protocol) -> Expected:
    """Read the definition for one patient, whose visits of one day agree, with a set of days."""
    score = dict(course)

    def is_relapse_free(day: int) -> bool:
        return all(relapse > day or day - relapse >= protocol.relapse_free_days for relapse in relapses)

    if protocol.baseline == "last-before":
        base = max((day for day in score if day <= 0 and is_relapse_free(day)), default=None)
    else:
        base = min((day for day in score if day >= 0 and is_relapse_free(day)), default=None)
    last = max((day for day in score if day > 0), default=None)
    worsening = confirmed_change(score, base, is_relapse_free, protocol, +1)
    return Expected(
        None if base is None else (base, score[base]),
        None if last is None else (last, score[last]),
        worsening,
        confirmed_change(score, base, is_relapse_free, protocol, -1),
        unconfirmed_worsening(score, base, protocol) if worsening is None else None,
    )


# Days and scores cluster, so that confirmed changes, equal distances and edges of windows are common.
days = st.integers(-40, 60)
scores = st.sampled_from(
    [[3.0, 4.0], [0.0, 1.0, 1.5], [5.0, 5.5, 6.0], [2.0, 2.5, 3.0, 3.5, 4.0], EDSS_VALUES]
)
courses = scores.flatmap(
    lambda values: st.dictionaries(days, st.sampled_from(values), max_size=25).map(
        lambda score: list(score.items())
    )
)
patients = st.lists(st.tuples(courses, st.lists(days, max_size=4)), min_size=1, max_size=8)
fractions_of_days = st.sampled_from([0.0, 0.5, 1.0, 2.5, 7.0, 10.0, 30.5])
protocols = st.builds(
    Protocol,
    worsening_confirm_weeks=st.sampled_from([0.0, 0.1, 1 / 7, 0.5, 1.0, 10 / 7, 2.0, 23 / 7, 4.5, 12.0]),
    confirm_early_days=fractions_of_days,
    confirm_late_days=fractions_of_days | st.none(),
    relapse_free_days=fractions_of_days,
    baseline=st.sampled_from(["last-before", "first-stable"]),
    step_from_zero=st.sampled_from([0.5, 1.0, 1.5, 1.3]),
    step_low=st.sampled_from([0.5, 1.0, 0.7, 2.0]),
    step_high=st.sampled_from([0.5, 1.0]),
    step_high_from=st.sampled_from([0.0, 3.0, 5.5, 6.0, 10.0]),
)


def assert_as_expected(
    visits: EdssVisits, change: DisabilityChange, patient: int, expected: Expected
) -> None:
    def visit_of(row: int) -> tuple[int, float] | None:
        if row < 0:
            return None
        assert visits.patient[row] == patient
        return int(visits.day[row]), float(visits.edss[row])

    assert visit_of(change.baseline_row[patient]) == expected.baseline
    assert visit_of(change.last_row[patient]) == expected.last
    pending = visit_of(change.unconfirmed_row[patient])
    assert (None if pending is None else pending[0]) == expected.pending
    np.testing.assert_equal(
        change.unconfirmed_day[patient], math.nan if expected.pending is None else expected.pending
    )
    for value, visit in (
        (change.baseline_edss, expected.baseline),
        (change.last_edss, expected.last),
    ):
        np.testing.assert_equal(value[patient], math.nan if visit is None else visit[1])
    np.testing.assert_equal(change.last_day[patient], math.nan if expected.last is None else expected.last[0])
    for found, pair in ((change.worsening, expected.worsening), (change.improvement, expected.improvement)):
        rows = (found.onset_row[patient], found.confirming_row[patient])
        seen = tuple(visit[0] for visit in map(visit_of, rows) if visit)
        assert (seen or None) == pair
        np.testing.assert_equal(found.onset_day[patient], math.nan if pair is None else pair[0])


@settings(max_examples=150, deadline=None)
@given(patients, protocols, st.randoms(use_true_random=False), st.integers(1, 3))
@example([([(0, 4.0), (10, 5.0), (11, 5.0)], [])], Protocol(worsening_confirm_weeks=0), None, 1)
def test_every_setting_agrees_with_the_oracle_in_any_order(patients, protocol, random, block) -> None:  # type: ignore[no-untyped-def]
    # Some visits come twice, all rows are shuffled, and blocks are as small as one patient.
    visits, relapses = arrange([course for course, _ in patients], [days for _, days in patients])
    if random is not None:
        rows = list(range(len(visits.day)))
        rows += [row for row in rows if random.random() < 0.2]
        random.shuffle(rows)
        visits = EdssVisits(*(column[rows] for column in visits))
        onset_rows = list(range(len(relapses.day)))
        random.shuffle(onset_rows)
        relapses = Relapses(*(column[onset_rows] for column in relapses))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disability, "_BLOCK", block)
        change = derive_disability(visits, relapses, len(patients), protocol)
        tried = explain_disability(visits, relapses, len(patients), protocol)
    for patient, (course, relapse_days) in enumerate(patients):
        assert_as_expected(visits, change, patient, oracle(course, relapse_days, protocol))
    for candidates, found in zip(tried, (change.worsening, change.improvement), strict=True):
        assert_candidates_tell_the_same(visits, candidates, found, len(patients))


def assert_candidates_tell_the_same(visits, candidates, found, n_patients) -> None:  # type: ignore[no-untyped-def]
    """One reason each, in order; the first confirmed one of each patient is the change that was found."""
    assert not ((candidates.confirming_row >= 0) & (candidates.broken_row >= 0)).any()
    places = list(zip(candidates.patient, visits.day[candidates.onset_row], strict=True))
    assert places == sorted(places)
    first: dict[int, tuple[int, int]] = {}
    for patient, onset, confirming in zip(*candidates[:3], strict=True):
        if confirming >= 0:
            first.setdefault(int(patient), (onset, confirming))
    assert [first.get(patient, (-1, -1)) for patient in range(n_patients)] == list(
        zip(found.onset_row, found.confirming_row, strict=True)
    )


@pytest.mark.parametrize("key_bits", [63, 20])
def test_both_ways_of_sorting_keep_ties_in_the_order_of_the_input(
    key_bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "_KEY_BITS", key_bits)
    random = np.random.default_rng(20260101)
    patient, day = random.integers(0, 300, 5000), random.integers(-30, 30, 5000)
    sorted_patient, sorted_day, rows = disability._sort(patient, day)
    expected = sorted(range(5000), key=lambda row: (patient[row], day[row]))
    assert rows is not None
    assert rows.tolist() == expected
    assert sorted_patient.tolist() == patient[expected].tolist()
    assert sorted_day.tolist() == day[expected].tolist()


# --- pymsprog -------------------------------------------------------------------------------------------


def read_reference(name: str) -> list[list[str]]:
    path = REFERENCE / f"pymsprog_{name}.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


SETTINGS = json.loads((REFERENCE / "pymsprog_settings.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def reference_cohort() -> tuple[EdssVisits, Relapses]:
    patient, day, edss = np.array(read_reference("visits"), dtype=np.float64).T
    relapse_patient, relapse_day = np.array(read_reference("relapses"), dtype=np.int32).T
    return (
        EdssVisits(patient.astype(np.int32), day.astype(np.int32), edss),
        Relapses(relapse_patient, relapse_day),
    )


@pytest.fixture(scope="module")
def reference_events() -> dict[tuple[str, str], list[list[int]]]:
    events: dict[tuple[str, str], list[list[int]]] = {}
    for setting, direction, *numbers in read_reference("events"):
        events.setdefault((setting, direction), []).append([int(number) for number in numbers])
    return events


@pytest.mark.parametrize("direction", ["worsening", "improvement"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_agrees_with_pymsprog_patient_by_patient_and_day_by_day(
    setting: str,
    direction: str,
    reference_cohort: tuple[EdssVisits, Relapses],
    reference_events: dict[tuple[str, str], list[list[int]]],
) -> None:
    visits, relapses = reference_cohort
    n_patients = int(visits.patient[-1]) + 1
    assert n_patients >= 1000
    change = derive_disability(visits, relapses, n_patients, Protocol(**SETTINGS[setting]))
    found = getattr(change, direction)
    patient = np.flatnonzero(found.onset_row >= 0)
    baseline, onset, confirming = (
        visits.day[rows[patient]] for rows in (change.baseline_row, found.onset_row, found.confirming_row)
    )
    assert (
        np.column_stack([patient, baseline, onset, confirming]).tolist()
        == reference_events[setting, direction]
    )
