"""The five survival endpoints on cohorts whose figures are worked out by hand in the comments."""

from __future__ import annotations

from math import exp, log, sqrt

import pytest
from patient_tables import cohort, survival_table, without

from ahsct_trial import Protocol, summarize
from ahsct_trial.protocol import CiMethod, DeathRule
from ahsct_trial.results import Endpoints, EventsByType, SurvivalEndpoint

Z = 1.959963984540054  # normal quantile of 0.975

KEYS = (
    "activity_free_survival",
    "relapse_free_survival",
    "mri_activity_free_survival",
    "worsening_free_survival",
    "overall_survival",
)

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
    death: int | None = None,
) -> EventsByType:
    return EventsByType(relapse=relapse, new_lesion=new_lesion, worsening=worsening, death=death)


def counts(endpoint: SurvivalEndpoint) -> dict[str, int | None]:
    names = (
        *("n_patients", "n_unknown", "n_events", "n_censored", "n_censored_died", "n_not_followed"),
        *("n_at_risk", "n_event_free", "n_evaluable"),
    )
    return {name: getattr(endpoint, name) for name in names}


def test_activity_free_survival_with_death_as_an_event() -> None:
    # time  0.5 1.0 2.0 2.5 3.0 3.0 6.0 10     worsening, relapse (with a lesion), death, loss at the last
    # event  w   r   d   -   r   -   l   -     EDSS, relapse, loss at the last scan, lesion, loss
    # risk   8   7   6   5   4   4   2   1
    # S(3) = 7/8 x 6/7 x 5/6 x 3/4 = 15/32: the patient lost at the horizon is at risk of the relapse there.
    endpoint = endpoints(EIGHT).activity_free_survival
    assert counts(endpoint) == {
        "n_patients": 8,
        "n_unknown": 0,
        "n_events": 4,
        "n_censored": 2,  # at 2.5 and, the horizon included, at 3.0
        "n_censored_died": 0,  # his death is an event
        "n_not_followed": 1,  # at 2.5
        "n_at_risk": 4,  # times of 3.0 or more
        "n_event_free": 3,  # lost at 3.0, lesion at 6, loss at 10
        "n_evaluable": 7,  # all but the loss at 2.5
    }
    assert endpoint.events_by_type == by_type(relapse=2, new_lesion=0, worsening=1, death=1)
    assert endpoint.estimate == pytest.approx(15 / 32)
    assert endpoint.proportion.value == 3 / 7
    assert endpoint.median_years == 3.0  # S is 5/8 before it and 15/32 from it on
    # Greenwood: 1/(8x7) + 1/(7x6) + 1/(6x5) + 1/(4x3) = 1/5 - 1/8 + 1/12 = 19/120.
    width = Z * sqrt(19 / 120) / log(15 / 32)
    assert endpoint.ci_low == pytest.approx(exp(log(15 / 32) * exp(-width)))
    assert endpoint.ci_high == pytest.approx(exp(log(15 / 32) * exp(width)))
    assert endpoint.note is None
    assert endpoint.definition == (
        "Time from transplant to the first of relapse, new lesion, confirmed EDSS worsening and death; a "
        "patient without an event is censored at the earliest of the last scan, the last EDSS visit and the "
        "end of follow-up."
    )


def test_activity_free_survival_with_censoring_at_death() -> None:
    # The patient who died at 2.0 was last scanned and seen at 1.5, and is censored there.
    # time  0.5 1.0 1.5 2.5 3.0 3.0 6.0 10     S(3) = 7/8 x 6/7 x 3/4 = 9/16
    # event  w   r   -   -   r   -   l   -
    endpoint = endpoints(EIGHT, Protocol(death="censor")).activity_free_survival
    assert counts(endpoint) == {
        "n_patients": 8,
        "n_unknown": 0,
        "n_events": 3,
        "n_censored": 3,
        "n_censored_died": 1,  # at 2.0, censored at his last scan
        "n_not_followed": 2,  # at 1.5 and 2.5
        "n_at_risk": 4,
        "n_event_free": 3,
        "n_evaluable": 6,
    }
    assert endpoint.events_by_type == by_type(relapse=2, new_lesion=0, worsening=1)
    assert endpoint.estimate == pytest.approx(9 / 16)
    assert "A patient who dies is censored at death." in endpoint.definition


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
    types: EventsByType,
) -> None:
    endpoint: SurvivalEndpoint = getattr(endpoints(EIGHT), key)
    assert counts(endpoint) == {
        "n_patients": 8,
        "n_unknown": 0,
        "n_events": events,
        "n_censored": censored,
        "n_censored_died": 0,
        "n_not_followed": 8 - evaluable,
        "n_at_risk": at_risk,
        "n_event_free": free,
        "n_evaluable": evaluable,
    }
    assert endpoint.estimate == pytest.approx(estimate)
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
    assert endpoint.events_by_type.death is None
    assert endpoint.n_censored == censored
    assert endpoint.n_censored_died == 1
    assert endpoint.estimate == pytest.approx(estimate)


def test_overall_survival_is_the_same_under_both_death_rules() -> None:
    event = endpoints(EIGHT, Protocol(death="event")).overall_survival
    censor = endpoints(EIGHT, Protocol(death="censor")).overall_survival
    assert counts(event) == counts(censor)
    assert event.estimate == censor.estimate == 7 / 8
    assert event.definition == (
        "Time from transplant to death; a patient without an event is censored at the end of follow-up."
    )


def test_curve_has_a_row_per_distinct_time() -> None:
    curve = list(endpoints(EIGHT).activity_free_survival.curve)
    assert [(point.years, point.n_at_risk, point.n_events, point.n_censored) for point in curve] == [
        (0.5, 8, 1, 0),
        (1.0, 7, 1, 0),
        (2.0, 6, 1, 0),
        (2.5, 5, 0, 1),
        (3.0, 4, 1, 1),
        (6.0, 2, 1, 0),
        (10.0, 1, 0, 1),
    ]
    expected = [7 / 8, 6 / 8, 5 / 8, 5 / 8, 15 / 32, 15 / 64, 15 / 64]
    assert [point.estimate for point in curve] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("horizon", "estimate", "events"), [(0.4, 1.0, 0), (2.75, 5 / 8, 3), (10, 15 / 64, 5)]
)
def test_other_horizons(horizon: float, estimate: float, events: int) -> None:
    endpoint = endpoints(EIGHT, Protocol(horizon_years=horizon)).activity_free_survival
    assert endpoint.horizon_years == horizon
    assert endpoint.estimate == pytest.approx(estimate)
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


@pytest.mark.parametrize(
    ("rule", "unknown", "died"),
    [
        # Death ends the composite and relapse-free survival of the patient without a relapse count.
        ("event", (4, 2, 2, 1, 0), ("", "", "", "", "")),
        ("censor", (5, 3, 2, 1, 0), (" (1 died)", " (1 died)", "", "", "")),
    ],
)
def test_unknown_components_leave_a_patient_out(
    rule: DeathRule, unknown: tuple[int, ...], died: tuple[str, ...]
) -> None:
    result = endpoints(UNKNOWN, Protocol(death=rule))
    for key, n_unknown, of_them in zip(KEYS, unknown, died, strict=True):
        endpoint: SurvivalEndpoint = getattr(result, key)
        assert (endpoint.n_unknown, endpoint.n_patients) == (n_unknown, 8 - n_unknown), key
        patients = "1 patient" if n_unknown == 1 else f"{n_unknown} patients"
        expected = f"{patients} left out: the outcome is unknown{of_them}." if n_unknown else ""
        assert (endpoint.note or "").startswith(expected), key


def test_an_event_of_one_component_makes_up_for_an_unknown_other() -> None:
    # Known: worsening at 1.0, lesion at 1.5, death at 2.0, free to 5.0: 3/4 x 2/3 x 1/2.
    endpoint = endpoints(UNKNOWN).activity_free_survival
    assert endpoint.events_by_type == by_type(relapse=0, new_lesion=1, worsening=1, death=1)
    assert endpoint.estimate == pytest.approx(1 / 4)
    assert endpoint.note == "4 patients left out: the outcome is unknown."


def test_nobody_with_a_known_outcome() -> None:
    text = "id follow_up relapses relapse_at dead_at\nA 5 . . .\nB 5 . . ."
    endpoint = endpoints(text).relapse_free_survival
    assert (endpoint.n_patients, endpoint.n_unknown) == (0, 2)
    assert (endpoint.n_events, endpoint.n_at_risk, endpoint.n_evaluable) == (0, 0, 0)
    assert (endpoint.estimate, endpoint.ci_low, endpoint.median_years) == (None, None, None)
    assert endpoint.proportion.value is None
    assert len(endpoint.curve) == 0
    assert endpoint.note == "2 patients left out: the outcome is unknown. No patient has a known outcome."


# ---- The last assessment ------------------------------------------------------------------------------


def test_follow_up_stands_in_for_a_missing_column_of_last_assessments() -> None:
    result = endpoints(without(["years_to_last_scan", "years_to_last_edss"], EIGHT))
    # Losses now at the end of follow-up: 3.2, 4, 4 after the horizon instead of 3.0 and 2.5.
    composite = result.activity_free_survival
    assert composite.n_censored == 0
    assert composite.estimate == pytest.approx(4 / 8)
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
    # Without a date but with scans: the end of follow-up. Without any scan: unknown.
    endpoint = endpoints(LAST_CELL_EMPTY).mri_activity_free_survival
    assert (endpoint.n_patients, endpoint.n_unknown) == (6, 1)
    assert [(point.years, point.n_censored) for point in endpoint.curve] == [(2.0, 1), (5.0, 5)]
    assert endpoint.definition.endswith(
        "years_to_last_scan is empty for 1 patient with an assessment: the end of follow-up stands in for it."
    )


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
    assert endpoint.n_unknown == 1  # nobody knows whether the patient without a scan had a lesion
    assert [(point.years, point.n_events, point.n_censored) for point in endpoint.curve] == [
        (0.0, 0, 1),
        (2.0, 0, 1),
        (4.0, 1, 0),
        (5.0, 0, 3),
    ]


# ---- Missing columns ----------------------------------------------------------------------------------

NEEDED = {
    "activity_free_survival": (
        "relapses_after",
        "years_to_first_relapse",
        "scans_after",
        "years_to_first_new_lesion",
        "edss_baseline",
        "years_to_worsening",
    ),
    "relapse_free_survival": ("relapses_after", "years_to_first_relapse"),
    "mri_activity_free_survival": ("scans_after", "years_to_first_new_lesion"),
    "worsening_free_survival": ("edss_baseline", "years_to_worsening"),
    "overall_survival": (),
}


def assert_absent(endpoint: SurvivalEndpoint, *columns: str) -> None:
    assert set(counts(endpoint).values()) == {None}
    assert endpoint.events_by_type == by_type()
    assert (endpoint.estimate, endpoint.ci_low, endpoint.ci_high, endpoint.median_years) == (None,) * 4
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
            assert endpoint.estimate == getattr(whole, key).estimate is not None


def test_a_file_with_follow_up_alone_names_every_missing_column() -> None:
    result = endpoints("id follow_up\nA 5")
    assert_absent(result.activity_free_survival, *NEEDED["activity_free_survival"], "years_to_death")
    assert_absent(result.overall_survival, "years_to_death")


# ---- Edges of the curve -------------------------------------------------------------------------------


def test_nobody_followed_to_the_horizon() -> None:
    endpoint = endpoints(survival_table([0.5, 2.25], [True, False])).overall_survival
    assert (endpoint.estimate, endpoint.ci_low, endpoint.ci_high) == (None, None, None)
    assert (endpoint.n_events, endpoint.n_censored, endpoint.n_at_risk) == (1, 1, 0)
    assert (endpoint.n_event_free, endpoint.n_evaluable) == (0, 1)
    assert endpoint.note == (
        "No estimate at 3 years: the longest observation is 2.25 years. "
        "The crude count knows only patients who have had an event."
    )


def test_followed_exactly_to_the_horizon_is_followed() -> None:
    endpoint = endpoints(survival_table([0.5, 3.0], [True, False])).overall_survival
    assert endpoint.estimate == 1 / 2
    assert (endpoint.n_at_risk, endpoint.n_censored, endpoint.n_event_free) == (1, 1, 1)


def test_everybody_has_had_the_event_long_before_the_horizon() -> None:
    # S is 0 from 1.0 on, at every later horizon; S = 1/2 from 0.5 on, so the median lies midway to 1.0.
    endpoint = endpoints(survival_table([0.5, 1.0], [True, True])).overall_survival
    assert endpoint.estimate == 0
    assert (endpoint.ci_low, endpoint.ci_high) == (None, None)
    assert (endpoint.n_event_free, endpoint.n_evaluable) == (0, 2)
    assert endpoint.proportion.value == 0
    assert endpoint.proportion.ci_high == pytest.approx(1 - sqrt(0.025))  # (1 - p)^2 = 0.025
    assert endpoint.median_years == 0.75
    assert endpoint.note == "The estimate is 0 %, where its interval is undefined; see the exact interval."


@pytest.mark.parametrize("method", ["log-log", "logit", "arcsin"])
def test_no_event_leaves_most_intervals_undefined(method: CiMethod) -> None:
    protocol = Protocol(ci_method=method)
    endpoint = endpoints(survival_table([4.0, 5.0], [False, False]), protocol).overall_survival
    assert (endpoint.estimate, endpoint.ci_low, endpoint.ci_high) == (1.0, None, None)
    assert endpoint.proportion.ci_low == pytest.approx(sqrt(0.025))  # p^2 = 0.025
    assert endpoint.median_years is None
    assert endpoint.note == (
        f"The estimate is 100 %, where the {method} interval is undefined; see the exact interval."
    )


@pytest.mark.parametrize("method", ["log", "plain"])
def test_no_event_leaves_the_other_intervals_without_width(method: CiMethod) -> None:
    protocol = Protocol(ci_method=method)
    endpoint = endpoints(survival_table([4.0, 5.0], [False, False]), protocol).overall_survival
    assert (endpoint.estimate, endpoint.ci_low, endpoint.ci_high) == (1.0, 1.0, 1.0)
    assert endpoint.note == (
        f"The estimate is 100 %, where the {method} interval has no width; see the exact interval."
    )


@pytest.mark.parametrize(("has_died", "estimate"), [(True, 0.0), (False, 1.0)])
def test_one_patient(has_died: bool, estimate: float) -> None:
    endpoint = endpoints(survival_table([3.0], [has_died])).overall_survival
    assert endpoint.estimate == estimate
    assert (endpoint.n_patients, endpoint.n_at_risk, endpoint.n_evaluable) == (1, 1, 1)
    assert endpoint.n_events == int(has_died)
    assert endpoint.median_years == (3.0 if has_died else None)


def test_the_level_is_the_protocols() -> None:
    # 90 % as in HALT-MS: 2 events in 23 patients give 91.3 (74.7-97.2), log-log (published).
    times, is_event = [1.0] * 2 + [6.0] * 21, [True] * 2 + [False] * 21
    protocol = Protocol(horizon_years=5, confidence_level=0.90)
    endpoint = endpoints(survival_table(times, is_event), protocol).overall_survival
    figures = (endpoint.estimate, endpoint.ci_low, endpoint.ci_high)
    assert [round(100 * (figure or 0), 1) for figure in figures] == [91.3, 74.7, 97.2]
    assert endpoint.confidence_level == 0.90
