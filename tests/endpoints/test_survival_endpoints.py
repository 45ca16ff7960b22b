"""The five survival endpoints on cohorts whose figures are worked out by hand in the comments."""

from __future__ import annotations

import re
from dataclasses import replace
from math import exp, log, sqrt

import pytest
from patient_tables import cohort, survival_table, without

from ahsct_trial import Protocol, summarize
from ahsct_trial.catalogue import SURVIVAL_ENDPOINTS
from ahsct_trial.protocol import CiMethod, DeathRule, TherapyRule
from ahsct_trial.results import Endpoints, SurvivalEndpoint

Z = 1.959963984540054  # normal quantile of 0.975

KEYS = tuple(endpoint.key for endpoint in SURVIVAL_ENDPOINTS)

EIGHT = """
id                     follow_up relapses relapse_at scans lesion_at last_scan last_edss edss worse_at dead_at
relapse_at_horizon           5.0        1        3.0     4         .       2.0       5.0  4.0        .       .
lost_at_horizon              3.2        0          .     4         .       3.0       3.1  4.0        .       .
relapse_and_lesion           4.0        1        1.0     4       1.0       4.0       4.0  4.0        .       .
died                         2.0        0          .     2         .       1.5       1.5  4.0        .     2.0
lesion_after_last_edss       8.0        0          .     8       6.0       6.0       5.0  4.0        .       .
last_edss_is_earliest        4.0        0          .     4         .       4.0       2.5  4.0        .       .
worsened                     4.0        0          .     4         .       4.0       4.0  4.0      0.5       .
free                        10.0        0          .     9         .      10.0      10.0  4.0        .       .
"""


def endpoints(text: str, protocol: Protocol | None = None) -> Endpoints:
    return summarize(cohort(text), protocol or Protocol()).endpoints


def by_type(
    relapse: int | None = None,
    new_lesion: int | None = None,
    worsening: int | None = None,
    therapy: int | None = None,
    death: int | None = None,
) -> dict[str, int | None]:
    kinds = {"relapse": relapse, "new_lesion": new_lesion, "worsening": worsening}
    return kinds | {"therapy": therapy, "death": death}


def counts(endpoint: SurvivalEndpoint) -> dict[str, int | None]:
    names = (
        *("n_patients", "n_unknown", "n_late_events", "n_events", "n_censored", "n_censored_died"),
        "n_not_followed",
        *("n_at_risk", "n_event_free", "n_evaluable"),
    )
    return {name: getattr(endpoint, name) for name in names}


def test_activity_free_survival_with_death_as_an_event() -> None:
    # Observation ends at the earliest of follow-up, last scan and last EDSS visit: 2 3 4 1.5 5 2.5 4 10. The
    # relapse
    # at 3.0 of the first patient and the lesion at 6.0 of the fifth came later; the death at 2.0 was within
    # a year.
    # time  0.5 1.0 2.0 2.0 2.5 3.0 5.0 10
    # event  w   r   d   -   -   -   -   -
    # risk   8   7   6   6   4   3   2   1
    # S(3) = 7/8 x 6/7 x 5/6 = 5/8: the patient lost at 2.0 is at risk of the death there.
    endpoint = endpoints(EIGHT).activity_free_survival
    assert counts(endpoint) == {
        "n_patients": 8,
        "n_unknown": 0,
        "n_late_events": 2,
        "n_events": 3,
        "n_censored": 3,  # at 2.0, 2.5 and, the horizon included, at 3.0
        "n_censored_died": 0,  # the death is an event
        "n_not_followed": 2,  # at 2.0 and 2.5
        "n_at_risk": 3,  # times of 3.0 or more
        "n_event_free": 3,  # lost at 3.0, 5 and 10
        "n_evaluable": 6,  # all but the losses at 2.0 and 2.5
    }
    assert endpoint.events_by_type == by_type(relapse=1, new_lesion=0, worsening=1, death=1)
    assert endpoint.survival.value == pytest.approx(5 / 8)
    assert endpoint.proportion.value == 3 / 6
    assert endpoint.median_years.value is None
    # Greenwood: 1/(8x7) + 1/(7x6) + 1/(6x5) = 1/5 - 1/8 = 3/40.
    width = Z * sqrt(3 / 40) / log(5 / 8)
    assert endpoint.survival.ci_low == pytest.approx(exp(log(5 / 8) * exp(-width)))
    assert endpoint.survival.ci_high == pytest.approx(exp(log(5 / 8) * exp(width)))
    assert (
        endpoint.note
        == "2 patients had an event each after the end of their observation, which is not counted."
    )
    assert endpoint.definition.startswith(
        "Time from transplant to the first of relapse, new lesion, confirmed EDSS worsening and death. "
        "Observed to the earliest of the last visit, the last scan and the last EDSS visit: events by then "
        "count, and deaths up to 365 days later; others are censored then."
    )


def test_activity_free_survival_with_every_event() -> None:
    # As long as follow-up lasts: relapses at 1.0 and 3.0, the worsening, the death and the lesion; losses
    # 3.2 4 10.
    # time  0.5 1.0 2.0 3.0 3.2 4.0 6.0 10     S(3) = 4/8
    endpoint = endpoints(EIGHT, Protocol(observation_end="follow-up")).activity_free_survival
    assert (endpoint.n_events, endpoint.n_late_events, endpoint.n_censored) == (4, 0, 0)
    assert endpoint.survival.value == pytest.approx(4 / 8)
    assert [point.years for point in endpoint.curve if point.n_censored] == [3.2, 4.0, 10.0]
    assert "presumes that a patient who is no longer assessed is free of the event" in endpoint.definition


@pytest.mark.parametrize(
    ("reach", "n_deaths"),
    # The patient who died at 2.0 was last scanned and seen at 1.5: 183 days before.
    [(0, 0), (182, 0), (183, 1), (365, 1)],
)
def test_how_long_after_the_last_assessment_a_death_counts(reach: float, n_deaths: int) -> None:
    endpoint = endpoints(EIGHT, Protocol(death_reach_days=reach)).activity_free_survival
    assert endpoint.events_by_type["death"] == n_deaths
    assert endpoint.n_late_events == 3 - n_deaths
    if not n_deaths:
        assert [point.years for point in endpoint.curve][2] == 1.5


def test_activity_free_survival_with_censoring_at_death() -> None:
    # The patient who died at 2.0 was last scanned and seen at 1.5, and is censored there.
    # time  0.5 1.0 1.5 2.0 2.5 3.0 5.0 10     S(3) = 7/8 x 6/7
    # event  w   r   -   -   -   -   -   -
    endpoint = endpoints(EIGHT, Protocol(death="censor")).activity_free_survival
    assert counts(endpoint) == {
        "n_patients": 8,
        "n_unknown": 0,
        "n_late_events": 2,
        "n_events": 2,
        "n_censored": 4,
        "n_censored_died": 1,  # at 2.0, censored at the last scan
        "n_not_followed": 3,  # at 1.5, 2.0 and 2.5
        "n_at_risk": 3,
        "n_event_free": 3,
        "n_evaluable": 5,
    }
    assert endpoint.events_by_type == by_type(relapse=1, new_lesion=0, worsening=1)
    assert endpoint.survival.value == pytest.approx(6 / 8)
    assert "A patient who dies is censored." in endpoint.definition


@pytest.mark.parametrize(
    ("key", "events", "censored", "at_risk", "free", "evaluable", "estimate", "types"),
    [
        # 1.0 relapse of 8, 2.0 death of 7, 3.0 relapse of 6; then losses at 3.2, 4, 4, 8, 10.
        ("relapse_free_survival", 3, 0, 6, 5, 8, 5 / 8, by_type(relapse=2, death=1)),
        # 1.0 lesion of 8, 2.0 death of 7 with a loss at the same time (its last scan), 3.0 loss;
        # then losses at 4, 4, a lesion at 6, a loss at 10.
        ("mri_activity_free_survival", 2, 2, 5, 5, 7, 6 / 8, by_type(new_lesion=1, death=1)),
        # 0.5 worsening of 8, 2.0 death of 7, 2.5 loss; then losses at 3.1, 4, 5, 5, 10.
        ("worsening_free_survival", 2, 1, 5, 5, 7, 6 / 8, by_type(worsening=1, death=1)),
        # 2.0 death of 8; losses at 3.2 and later.
        ("overall_survival", 1, 0, 7, 7, 8, 7 / 8, by_type(death=1)),
    ],
)
def test_components_with_death_as_an_event(  # noqa: PLR0913, PLR0917 (one per figure)
    key: str,
    events: int,
    censored: int,
    at_risk: int,
    free: int,
    evaluable: int,
    estimate: float,
    types: dict[str, int | None],
) -> None:
    endpoint: SurvivalEndpoint = getattr(endpoints(EIGHT), key)
    assert counts(endpoint) == {
        "n_patients": 8,
        "n_unknown": 0,
        "n_late_events": 0,
        "n_events": events,
        "n_censored": censored,
        "n_censored_died": 0,
        "n_not_followed": 8 - evaluable,
        "n_at_risk": at_risk,
        "n_event_free": free,
        "n_evaluable": evaluable,
    }
    assert endpoint.survival.value == pytest.approx(estimate)
    assert endpoint.proportion.value == free / evaluable
    assert endpoint.events_by_type == types


@pytest.mark.parametrize(
    ("key", "censored", "estimate"),  # of those censored, one died
    [
        # 1.0 relapse of 8; loss at death 2.0; 3.0 relapse of 6: 7/8 x 5/6.
        ("relapse_free_survival", 1, 35 / 48),
        # 1.0 lesion of 8; the patient who died is lost at his last scan.
        ("mri_activity_free_survival", 3, 7 / 8),
        ("worsening_free_survival", 2, 7 / 8),
    ],
)
def test_components_with_censoring_at_death(key: str, censored: int, estimate: float) -> None:
    endpoint: SurvivalEndpoint = getattr(endpoints(EIGHT, Protocol(death="censor")), key)
    assert endpoint.events_by_type["death"] is None
    assert endpoint.n_censored == censored
    assert endpoint.n_censored_died == 1
    assert endpoint.survival.value == pytest.approx(estimate)


def test_overall_survival_is_the_same_under_both_death_rules() -> None:
    event = endpoints(EIGHT, Protocol(death="event")).overall_survival
    censor = endpoints(EIGHT, Protocol(death="censor")).overall_survival
    assert counts(event) == counts(censor)
    assert event.survival.value == censor.survival.value == 7 / 8
    assert event.definition == (
        "Time from transplant to death. A patient who is alive is censored at the end of follow-up."
    )


def test_curve_has_a_row_per_distinct_time() -> None:
    curve = list(endpoints(EIGHT).activity_free_survival.curve)
    assert [(point.years, point.n_at_risk, point.n_events, point.n_censored) for point in curve] == [
        (0.5, 8, 1, 0),
        (1.0, 7, 1, 0),
        (2.0, 6, 1, 1),
        (2.5, 4, 0, 1),
        (3.0, 3, 0, 1),
        (5.0, 2, 0, 1),
        (10.0, 1, 0, 1),
    ]
    expected = [7 / 8, 6 / 8, 5 / 8, 5 / 8, 5 / 8, 5 / 8, 5 / 8]
    assert [point.estimate for point in curve] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("horizon", "estimate", "events"), [(0.4, 1.0, 0), (1, 6 / 8, 2), (2.75, 5 / 8, 3), (10, 5 / 8, 3)]
)
def test_other_horizons(horizon: float, estimate: float, events: int) -> None:
    endpoint = endpoints(EIGHT, Protocol(horizon_years=horizon)).activity_free_survival
    assert endpoint.horizon_years == horizon
    assert endpoint.survival.value == pytest.approx(estimate)
    assert endpoint.n_events == events


def test_types_of_coinciding_events_go_by_their_order() -> None:
    # All at one time: relapse before lesion, lesion before worsening, worsening before death.
    text = """
    id           follow_up relapses relapse_at scans lesion_at edss worse_at dead_at
    all_four             1        1          1     1         1    4        1       1
    three                1        0          .     1         1    4        1       1
    two                  1        0          .     1         .    4        1       1
    death_alone          1        0          .     1         .    4        .       1
    lesion_later         2        1          1     1         2    4        .       .
    """
    result = endpoints(text)
    composite = result.activity_free_survival
    assert composite.events_by_type == by_type(relapse=2, new_lesion=1, worsening=1, death=1)
    assert composite.n_events == 5
    assert result.mri_activity_free_survival.events_by_type == by_type(new_lesion=3, death=2)


# ---- Unknown components -------------------------------------------------------------------------------

UNKNOWN = """
id                         follow_up relapses relapse_at scans lesion_at edss worse_at dead_at
no_relapse_count                   5        .          .     5         .    4        .       .
no_relapse_count_worsened          5        .          .     5         .    4        1       .
no_scan_count                      5        0          .     .         .    4        .       .
no_scan                            5        0          .     0         .    4        .       .
no_baseline                        5        0          .     5         .    .        .       .
no_relapse_count_died              2        .          .     5         .    4        .       2
all_known                          5        0          .     5         .    4        .       .
no_scan_count_but_a_lesion         5        0          .     .       1.5    4        .       .
"""


@pytest.mark.parametrize("rule", ["event", "censor"])
def test_unknown_components_leave_a_patient_out_with_or_without_an_event(rule: DeathRule) -> None:
    result = endpoints(UNKNOWN, Protocol(death=rule))
    # Of the six unknown in the composite one worsened and one died; a lesion is not another event where
    # nobody can
    # say of the lesions of the others whether there were none.
    n_died = int(rule == "event")
    expected = ((6, 1 + n_died), (3, n_died), (2, 0), (1, 0), (0, 0))
    for key, (n_unknown, n_with_event) in zip(KEYS, expected, strict=True):
        endpoint: SurvivalEndpoint = getattr(result, key)
        assert (endpoint.n_unknown, endpoint.n_patients) == (n_unknown, 8 - n_unknown), key
        assert endpoint.n_unknown_with_event == n_with_event, key
        patients = "1 patient" if n_unknown == 1 else f"{n_unknown} patients"
        said = f"{patients} left out: a component is unknown" if n_unknown else ""
        assert (endpoint.note or "").startswith(said), key
        assert (f"of whom {n_with_event} had another event" in (endpoint.note or "")) == bool(n_with_event)


def test_a_patient_without_a_scan_is_lost_on_day_0() -> None:
    # Left in the composite: who was never scanned, and who is free to 5.0.
    endpoint = endpoints(UNKNOWN).activity_free_survival
    assert [(point.years, point.n_censored) for point in endpoint.curve] == [(0.0, 1), (5.0, 1)]
    assert (endpoint.survival.value, endpoint.n_not_followed) == (1.0, 1)


def test_a_file_with_times_alone_knows_what_they_tell() -> None:
    text = without(["relapses_after", "scans_after", "edss_baseline"], EIGHT)
    for key in KEYS:
        one, other = getattr(endpoints(text), key), getattr(endpoints(EIGHT), key)
        assert counts(one) == counts(other)
        assert one.survival == other.survival


def test_nobody_with_a_known_outcome() -> None:
    text = "id follow_up relapses relapse_at dead_at\nA 5 . . .\nB 5 . . ."
    endpoint = endpoints(text).relapse_free_survival
    assert (endpoint.n_patients, endpoint.n_unknown) == (0, 2)
    assert (endpoint.n_events, endpoint.n_at_risk, endpoint.n_evaluable) == (0, 0, 0)
    assert (endpoint.survival.value, endpoint.survival.ci_low, endpoint.median_years.value) == (None,) * 3
    assert endpoint.proportion.value is None
    assert len(endpoint.curve) == 0
    assert endpoint.note == "2 patients left out: a component is unknown. No patient has a known outcome."


# ---- The last assessment ------------------------------------------------------------------------------


def test_follow_up_stands_in_for_a_missing_column_of_last_assessments() -> None:
    result = endpoints(without(["years_to_last_scan", "years_to_last_edss"], EIGHT))
    # Losses now at the end of follow-up: 3.2, 4, 4 after the horizon instead of 3.0 and 2.5.
    composite = result.activity_free_survival
    assert composite.n_censored == 0
    assert composite.survival.value == pytest.approx(4 / 8)
    for column in ("years_to_last_scan", "years_to_last_edss"):
        sentence = f"{column} is not in this file: the end of follow-up stands in for it."
        assert sentence in composite.definition
        assert (sentence in result.mri_activity_free_survival.definition) == (column == "years_to_last_scan")
        assert (sentence in result.worsening_free_survival.definition) == (column == "years_to_last_edss")
        assert sentence not in result.relapse_free_survival.definition


LAST_CELL_EMPTY = """
id           follow_up relapses relapse_at scans lesion_at last_scan last_edss edss edss_last worse_at dead_at
no_scan_date         5        0          .     3         .         .         5    4         4        .       .
scan_date            5        0          .     3         .         2         5    4         4        .       .
edss_unseen          5        0          .     3         .         5         .    4         .        .       .
no_edss_date         5        0          .     3         .         5         .    4       4.5        .       .
edss_of_0            5        0          .     3         .         5         .    1         0        .       .
no_scan              5        0          .     0         .         .         5    4         4        .       .
worsened             5        0          .     3         .         5         .    4         .        4       .
"""


def test_empty_cell_of_a_last_scan() -> None:
    # Without a date but with scans: the end of follow-up. Without any scan: lost on day 0.
    endpoint = endpoints(LAST_CELL_EMPTY).mri_activity_free_survival
    assert (endpoint.n_patients, endpoint.n_unknown) == (7, 0)
    assert [(point.years, point.n_censored) for point in endpoint.curve] == [(0.0, 1), (2.0, 1), (5.0, 5)]
    assert endpoint.definition.endswith(
        "years_to_last_scan is empty for 1 patient with an assessment: the end of follow-up stands in for it."
    )


def test_no_scan_ends_observation_on_day_0_without_a_column_of_the_last_scan() -> None:
    endpoint = endpoints(without(["years_to_last_scan"], LAST_CELL_EMPTY)).mri_activity_free_survival
    assert [(point.years, point.n_censored) for point in endpoint.curve] == [(0.0, 1), (5.0, 6)]


def test_empty_cell_of_a_last_edss() -> None:
    # Never seen after transplant: censored at 0, not unknown. An EDSS of 0 is an EDSS, and a worsening
    # shows that there was a visit.
    endpoint = endpoints(LAST_CELL_EMPTY).worsening_free_survival
    assert (endpoint.n_patients, endpoint.n_unknown) == (7, 0)
    assert [(point.years, point.n_events, point.n_censored) for point in endpoint.curve] == [
        (0.0, 0, 1),
        (4.0, 1, 0),
        (5.0, 0, 5),
    ]
    assert "years_to_last_edss is empty for 3 patients with an assessment" in endpoint.definition


def test_the_composite_is_censored_at_the_earliest_of_the_last_assessments() -> None:
    endpoint = endpoints(LAST_CELL_EMPTY).activity_free_survival
    assert endpoint.n_unknown == 0
    assert [(point.years, point.n_events, point.n_censored) for point in endpoint.curve] == [
        (0.0, 0, 2),  # no EDSS since, and no scan since
        (2.0, 0, 1),
        (4.0, 1, 0),
        (5.0, 0, 3),
    ]


VISITS = """
id           follow_up relapses relapse_at scans lesion_at last_scan last_edss edss worse_at last_visit
by_visit           5.0        0          .     3         .       1.0       1.0    4        .        2.0
by_scan            5.0        0          .     3         .       3.0       1.0    4        .        2.0
by_edss            5.0        0          .     3         .       3.0       4.0    4        .        2.0
relapse_late       5.0        1        2.5     3         .       1.0       1.0    4        .        2.0
no_date            5.0        0          .     3         .       1.0       1.0    4        .          .
never_seen         5.0        .          .     0         .         .         .    4        .          .
"""


def test_the_last_visit_is_no_earlier_than_a_scan_or_an_edss() -> None:
    text = "\n".join(
        f"{row} {name}"
        for row, name in zip(VISITS.strip().splitlines(), ["dead_at", *".....", "."], strict=True)
    )
    endpoint = endpoints(text).relapse_free_survival
    assert [(point.years, point.n_events, point.n_censored) for point in endpoint.curve] == [
        (2.0, 0, 2),  # by_visit, and relapse_late, whose relapse came after the last visit
        (3.0, 0, 1),
        (4.0, 0, 1),
        (5.0, 0, 1),  # a count of relapses shows that somebody was asked
    ]
    assert (endpoint.n_late_events, endpoint.n_unknown) == (1, 1)
    assert "years_to_last_visit is empty for 1 patient with an assessment" in endpoint.definition


# ---- Therapy ------------------------------------------------------------------------------------------

THERAPY = """
id         follow_up relapse_at lesion_at worse_at last_scan last_edss years_to_therapy dead_at
first            5.0        2.0         .        .       5.0       5.0              1.0       .
same_day         5.0        1.5         .        .       5.0       5.0              1.5       .
after            5.0        1.0         .        .       5.0       5.0              2.0       .
alone            5.0          .         .        .       5.0       5.0              3.0       .
late             5.0          .         .        .       2.5       5.0              2.7       .
died             2.5          .         .        .       2.2       2.2              2.3     2.5
never            5.0          .         .        .       5.0       5.0                .       .
"""


@pytest.mark.parametrize(
    ("rule", "types", "n_late", "times"),
    [
        (
            "ignore",
            by_type(relapse=3, new_lesion=0, worsening=0, death=1),
            0,
            "1.0e 1.5e 2.0e 2.5ec 5.0c 5.0c",
        ),
        # Of a relapse and a therapy of one day the relapse is named.
        (
            "event",
            by_type(relapse=2, new_lesion=0, worsening=0, therapy=2, death=1),
            1,
            "1.0ee 1.5e 2.5ec 3.0e 5.0c",
        ),
        # The end of observation is that of the reach of a death, and a relapse on that day counts.
        (
            "censor",
            by_type(relapse=2, new_lesion=0, worsening=0, death=0),
            2,
            "1.0ec 1.5e 2.2c 2.5c 3.0c 5.0c",
        ),
    ],
)
def test_a_therapy_started_since(
    rule: TherapyRule, types: dict[str, int | None], n_late: int, times: str
) -> None:
    endpoint = endpoints(THERAPY, Protocol(therapy=rule)).activity_free_survival
    assert endpoint.events_by_type == types
    assert endpoint.n_late_events == n_late
    found = " ".join(
        f"{point.years}{'e' * point.n_events}{'c' * point.n_censored}" for point in endpoint.curve
    )
    assert found == times.replace("5.0c 5.0c", "5.0cc")
    assert endpoints(THERAPY, Protocol(therapy=rule)).overall_survival.n_events == 1


@pytest.mark.parametrize("rule", ["event", "censor"])
def test_a_rule_on_therapy_needs_its_column(rule: TherapyRule) -> None:
    result = endpoints(EIGHT, Protocol(therapy=rule))
    assert result.activity_free_survival.note == "Not in this file: years_to_therapy."
    assert result.overall_survival.survival.value == 7 / 8


# ---- Missing columns ----------------------------------------------------------------------------------

NEEDED = {
    "activity_free_survival": (
        "years_to_first_relapse",
        "years_to_first_new_lesion",
        "years_to_worsening",
    ),
    "relapse_free_survival": ("years_to_first_relapse",),
    "mri_activity_free_survival": ("years_to_first_new_lesion",),
    "worsening_free_survival": ("years_to_worsening",),
    "overall_survival": (),
}


def assert_absent(endpoint: SurvivalEndpoint, *columns: str) -> None:
    assert set(counts(endpoint).values()) == {None}
    assert endpoint.events_by_type == by_type()
    assert (endpoint.survival.value, endpoint.survival.ci_low, endpoint.median_years.value) == (None,) * 3
    assert endpoint.incidence == {}
    assert (endpoint.proportion.value, endpoint.proportion.ci_low) == (None, None)
    assert endpoint.note == f"Not in this file: {', '.join(columns)}."
    assert list(endpoint.curve) == []
    assert endpoint.label
    assert endpoint.definition


@pytest.mark.parametrize("column", [*NEEDED["activity_free_survival"], "years_to_death"])
@pytest.mark.parametrize("rule", ["event", "censor"])
def test_an_endpoint_without_its_column_is_null_and_names_it(column: str, rule: DeathRule) -> None:
    protocol = Protocol(death=rule)
    whole, result = endpoints(EIGHT, protocol), endpoints(without([column], EIGHT), protocol)
    for key in KEYS:
        # Death is a column of every endpoint of which it is an event, always of overall survival.
        counts_death = rule == "event" or key == "overall_survival"
        needed = (*NEEDED[key], "years_to_death") if counts_death else NEEDED[key]
        endpoint: SurvivalEndpoint = getattr(result, key)
        if column in needed:
            assert_absent(endpoint, column)
        else:
            assert endpoint.survival.value == getattr(whole, key).survival.value is not None


def test_a_file_with_follow_up_alone_names_every_missing_column() -> None:
    result = endpoints("id follow_up\nA 5")
    assert_absent(result.activity_free_survival, *NEEDED["activity_free_survival"], "years_to_death")
    assert_absent(result.overall_survival, "years_to_death")


# ---- Edges of the curve -------------------------------------------------------------------------------


def test_nobody_seen_after_day_0_has_no_other_horizon() -> None:
    # A registry knows that both live; a relapse could have been seen on day 0 alone.
    endpoint = endpoints("id follow_up last_visit relapses relapse_at dead_at\n1 4 0 0 . .\n2 5 0 0 . .")
    assert endpoint.relapse_free_survival.note == (
        "No estimate at 3 years: the longest observation ends between 0 and 0.1 years."
    )


def test_nobody_followed_to_the_horizon() -> None:
    endpoint = endpoints(survival_table([0.5, 2.25], [True, False])).overall_survival
    assert (endpoint.survival.value, endpoint.survival.ci_low, endpoint.survival.ci_high) == (
        None,
        None,
        None,
    )
    assert (endpoint.n_events, endpoint.n_censored, endpoint.n_at_risk) == (1, 1, 0)
    assert (endpoint.n_event_free, endpoint.n_evaluable) == (0, 1)
    # A patient's day is not told.
    assert endpoint.note == (
        "No estimate at 3 years: the longest observation ends between 2.2 and 2.3 years; "
        "--horizon 2.2 or less has a figure."
    )
    assert (
        endpoints(
            survival_table([0.5, 2.25], [True, False]), Protocol(horizon_years=2.25)
        ).overall_survival.survival.value
        == 0.5
    )


@pytest.mark.parametrize("day", [37, 400, 841, 990, 995, 996, 1064, 1070, 1094])
@pytest.mark.parametrize("window", [0, 13])
def test_what_is_named_reaches_the_landmark(day: int, window: int) -> None:
    table = survival_table([0.05, day / 365.25], [True, False])
    protocol = Protocol(landmark_window_days=window)
    endpoint = endpoints(table, protocol).overall_survival
    if endpoint.note is None:  # the window reaches it already
        assert 1095 - day <= window
        return
    option, value = re.findall(r"--(horizon|window-days) ([0-9.]+)", endpoint.note)[0]
    changed = {"horizon": "horizon_years", "window-days": "landmark_window_days"}[option]
    assert (
        endpoints(table, replace(protocol, **{changed: float(value)})).overall_survival.survival.value == 0.5
    )


def test_the_note_is_one_for_all_days_of_a_tenth_of_a_year() -> None:
    # The tenth from 2.9 years on begins at 1059.2 days and ends before 1095.75.
    for horizon in (3.0, 3.05, 5.0):
        notes = {
            endpoints(
                survival_table([0.05, day / 365.25], [True, False]), Protocol(horizon_years=horizon)
            ).overall_survival.note
            for day in range(1060, 1095)
        }
        assert len(notes) == 1


def test_followed_exactly_to_the_horizon_is_followed() -> None:
    endpoint = endpoints(survival_table([0.5, 3.0], [True, False])).overall_survival
    assert endpoint.survival.value == 1 / 2
    assert (endpoint.n_at_risk, endpoint.n_censored, endpoint.n_event_free) == (1, 1, 1)


def test_everybody_has_had_the_event_long_before_the_horizon() -> None:
    # S is 0 from 1.0 on, at every later horizon; S = 1/2 from 0.5 on, so the median lies midway to 1.0.
    endpoint = endpoints(survival_table([0.5, 1.0], [True, True])).overall_survival
    assert endpoint.survival.value == 0
    assert (endpoint.survival.ci_low, endpoint.survival.ci_high) == (None, None)
    assert (endpoint.n_event_free, endpoint.n_evaluable) == (0, 2)
    assert endpoint.proportion.value == 0
    assert endpoint.proportion.ci_high == pytest.approx(1 - sqrt(0.025))  # (1 - p)^2 = 0.025
    assert endpoint.median_years.value == 0.75
    assert (
        endpoint.survival.note
        == "At 0 % the log-log interval is undefined; the beta-product limits stand there."
    )
    assert endpoint.survival_beta_product.ci_high == pytest.approx(1 - sqrt(0.025))


@pytest.mark.parametrize("method", ["log-log", "logit", "arcsin"])
def test_no_event_leaves_most_intervals_undefined(method: CiMethod) -> None:
    protocol = Protocol(ci_method=method)
    endpoint = endpoints(survival_table([4.0, 5.0], [False, False]), protocol).overall_survival
    assert (endpoint.survival.value, endpoint.survival.ci_low, endpoint.survival.ci_high) == (1.0, None, None)
    assert endpoint.proportion.ci_low == pytest.approx(sqrt(0.025))  # p^2 = 0.025
    assert endpoint.median_years.value is None
    assert endpoint.survival.note == (
        f"At 100 % the {method} interval is undefined; the beta-product limits stand there."
    )
    assert endpoint.survival_beta_product.ci_low == pytest.approx(sqrt(0.025))


@pytest.mark.parametrize("method", ["log", "plain"])
def test_no_event_leaves_the_other_intervals_without_width(method: CiMethod) -> None:
    protocol = Protocol(ci_method=method)
    endpoint = endpoints(survival_table([4.0, 5.0], [False, False]), protocol).overall_survival
    assert (endpoint.survival.value, endpoint.survival.ci_low, endpoint.survival.ci_high) == (1.0, 1.0, 1.0)
    assert endpoint.survival.note == (
        f"At 100 % the {method} interval has no width; the beta-product limits stand there."
    )


@pytest.mark.parametrize(("has_died", "estimate"), [(True, 0.0), (False, 1.0)])
def test_one_patient(has_died: bool, estimate: float) -> None:
    endpoint = endpoints(survival_table([3.0], [has_died])).overall_survival
    assert endpoint.survival.value == estimate
    assert (endpoint.n_patients, endpoint.n_at_risk, endpoint.n_evaluable) == (1, 1, 1)
    assert endpoint.n_events == int(has_died)
    assert endpoint.median_years.value == (3.0 if has_died else None)


def test_the_level_is_the_protocols() -> None:
    # 90 % as in HALT-MS: 2 events in 23 patients give 91.3 (74.7-97.2), log-log (published).
    times, is_event = [1.0] * 2 + [6.0] * 21, [True] * 2 + [False] * 21
    protocol = Protocol(horizon_years=5, confidence_level=0.90)
    endpoint = endpoints(survival_table(times, is_event), protocol).overall_survival
    figures = (endpoint.survival.value, endpoint.survival.ci_low, endpoint.survival.ci_high)
    assert [round(100 * (figure or 0), 1) for figure in figures] == [91.3, 74.7, 97.2]
    assert endpoint.survival.confidence_level == 0.90
