"""Scans and lesions, from records worked by hand, under each rule of what a new lesion is."""

from __future__ import annotations

import numpy as np
import pytest
from record_files import records

from ahsct_trial import Protocol, Trial, summarize
from ahsct_trial.derivation.lesions import derive_lesions

TWICE = "Where new_lesions is not recorded the two kinds are added: a lesion that is both counts twice."

#: P1: two scans before, that of day 0 among them. After: one T2 lesion on day 90, and on day 400 one that is
#: new and enhances, written as one of each kind and counted once by `new_lesions`.
#: P2: his scan before has no number of enhancing lesions. After, a scan with none of either kind, and one on
#: which only enhancing lesions were counted, and none found.
#: P3: no scan.
#: P4: scans after alone, without `new_lesions`: two enhancing and two T2 lesions, then a T2 count of 3 alone.
COURSES = """
    P1 mri -30 gd=2 t2=5
    P1 mri 0 gd=1
    P1 mri 400 gd=1 t2=1 new=1
    P1 mri 90 gd=0 t2=1 new=1
    P1 last_contact 800
    P2 mri -30 t2=1
    P2 mri 100 gd=0 t2=0
    P2 mri 500 gd=0
    P2 last_contact 800
    P3 last_contact 800
    P4 mri 200 gd=2 t2=2
    P4 mri 300 t2=3
    P4 last_contact 800
"""
NONE = None


def columns(found: Trial, *names: str, **settings: object) -> list[list[float | None]]:
    values = derive_lesions(found.data, Protocol(**settings)).values
    return [[None if np.isnan(value) else value for value in values[name].tolist()] for name in names]


@pytest.mark.parametrize("rule", ["gd", "t2", "either"])
def test_before_transplant_enhancing_lesions_count_under_every_rule(rule):
    # P2's one scan does not tell, so his sum is unknown and not 0; P3 and P4 were not scanned before.
    assert columns(records(COURSES), "scans_before", "lesions_before", new_lesion=rule) == [
        [2, 1, 0, 0],
        [3, NONE, 0, 0],
    ]


@pytest.mark.parametrize(
    ("rule", "scans", "with_new", "lesions", "first_day", "last_day"),
    [
        # Of P2's scan on day 500 and P4's on day 300 nobody knows the enhancing, or the T2, lesions.
        ("gd", [2, 2, 0, 1], [1, 0, 0, NONE], [1, 0, 0, NONE], [400, NONE, NONE, 200], [400, 500, NONE, 200]),
        ("t2", [2, 1, 0, 2], [2, NONE, 0, 2], [2, NONE, 0, 5], [90, NONE, NONE, 200], [400, 100, NONE, 300]),
        # P2 on day 500: no enhancing lesion, but perhaps a T2 lesion: it does not tell. P4 on day 300: at
        # least three, so an event, and a number that nobody knows.
        (
            "either",
            [2, 1, 0, 2],
            [2, NONE, 0, NONE],
            [2, NONE, 0, NONE],
            [90, NONE, NONE, 200],
            [400, 100, NONE, 300],
        ),
    ],
)
def test_after_transplant(rule, scans, with_new, lesions, first_day, last_day):
    assert columns(
        records(COURSES),
        "scans_after",
        "scans_with_new_lesions_after",
        "new_lesions_after",
        new_lesion=rule,
    ) == [scans, with_new, lesions]
    times = columns(records(COURSES), "years_to_first_new_lesion", "years_to_last_scan", new_lesion=rule)
    for found, days in zip(times, (first_day, last_day), strict=True):
        assert found == [None if day is None else day / 365.25 for day in days]


@pytest.mark.parametrize(
    ("from_day", "scans", "first_day"),
    [
        (0, [2, 1, 0, 2], [90, NONE, NONE, 200]),
        (89.5, [2, 1, 0, 2], [90, NONE, NONE, 200]),
        # A scan on that very day still sets the reference.
        (90, [1, 1, 0, 2], [400, NONE, NONE, 200]),
        (200, [1, 0, 0, 1], [400, NONE, NONE, 300]),
        (400, [0, 0, 0, 0], [NONE, NONE, NONE, NONE]),
    ],
)
def test_mri_from_day(from_day, scans, first_day):
    found = columns(records(COURSES), "scans_after", "years_to_first_new_lesion", mri_from_day=from_day)
    assert found == [scans, [None if day is None else day / 365.25 for day in first_day]]
    # It moves no scan to the time before.
    assert columns(records(COURSES), "scans_before", mri_from_day=from_day) == [[2, 1, 0, 0]]


def test_the_deciding_scans_are_traced_to_their_rows():
    derived = derive_lesions(records(COURSES).data, Protocol())
    assert derived.decided_by["years_to_first_new_lesion"].tolist() == [3, -1, -1, 10]
    assert derived.decided_by["years_to_last_scan"].tolist() == [2, 6, -1, 11]


@pytest.mark.parametrize(
    ("settings", "remark"),
    [
        ({"new_lesion": "gd"}, "A new lesion is a gadolinium-enhancing lesion."),
        ({"new_lesion": "t2"}, "A new lesion is a new or enlarging T2 lesion."),
        ({}, f"A new lesion is a gadolinium-enhancing or a new or enlarging T2 lesion. {TWICE}"),
        # P4's scan of day 200 and P2's of day 100 are the ones that are added; with them out, nothing is.
        (
            {"mri_from_day": 250.0},
            "A new lesion is a gadolinium-enhancing or a new or enlarging T2 lesion. "
            "Scans up to day 250 set the reference and are not events.",
        ),
    ],
)
def test_definitions(settings, remark):
    found = summarize(records(COURSES), Protocol(**settings)).endpoints
    assert derive_lesions(records(COURSES).data, Protocol(**settings)).remark == remark
    for endpoint in (found.lesions, found.mri_activity_free_survival, found.activity_free_survival):
        assert remark in endpoint.definition
    for endpoint in (found.relapse_free_survival, found.relapse_rate):
        assert "lesion" not in endpoint.definition


def test_each_lesion_once_needs_no_warning_of_counting_twice():
    found = records("P1 mri 90 gd=1 t2=1 new=1\nP1 mri 180 new=0\nP1 mri -3 gd=1 t2=1\nP1 last_contact 800")
    assert TWICE not in derive_lesions(found.data, Protocol()).remark


def test_rates_of_lesions():
    found = summarize(records(COURSES), Protocol()).endpoints.lesions
    # Before: P2 is unknown; 3 lesions on the 2 scans of P1. After: P2 and P4 are unknown, each by one scan;
    # 2 lesions on the 2 scans of P1.
    assert (found.before.n_patients, found.before.exposure, found.before.n_events) == (3, 2, 3)
    assert found.before.n_unknown == 1
    assert (found.after.n_patients, found.after.exposure, found.after.n_events) == (2, 2, 2)
    assert (found.after.n_unknown, found.after.scans_with_lesions.n) == (2, 2)
    assert [
        notice.text
        for notice in summarize(records(COURSES), Protocol()).notices
        if notice.code == "scans-without-counts"
    ] == [
        "2 scans after day 0 do not give gd_lesions and new_t2_lesions: these patients are left out of the "
        "lesion "
        "rate after transplant."
    ]
    # Whoever has no scan that tells is lost on day 0, not free of lesions.
    endpoint = summarize(records(COURSES), Protocol()).endpoints.mri_activity_free_survival
    assert (endpoint.n_patients, next(iter(endpoint.curve)).years) == (4, 0.0)


# ---- Files that lack something ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scan", "rule", "warning"),
    [
        (
            "gd=1",
            "either",
            "No lesion endpoints: new_t2_lesions is not in this file, and --new-lesion either needs "
            "gd_lesions and new_t2_lesions, or new_lesions. The file has what --new-lesion gd needs.",
        ),
        (
            "t2=1",
            "gd",
            "No lesion endpoints: gd_lesions is not in this file, and --new-lesion gd needs gd_lesions. "
            "The file has what --new-lesion t2 needs.",
        ),
        (
            "new=1",
            "t2",
            "No lesion endpoints: new_t2_lesions is not in this file, and --new-lesion t2 needs "
            "new_t2_lesions. The file has what --new-lesion either needs.",
        ),
        (
            "gd=1 new=1",
            "t2",
            "No lesion endpoints: new_t2_lesions is not in this file, and --new-lesion t2 needs "
            "new_t2_lesions. The file has what --new-lesion gd or either needs.",
        ),
    ],
)
def test_a_file_that_lacks_what_the_rule_needs(scan, rule, warning):
    found = summarize(
        records(f"P1 mri 90 {scan}\nP1 relapse 5\nP1 last_contact 800"), Protocol(new_lesion=rule)
    )
    assert warning in [notice.text for notice in found.notices]
    endpoint = found.endpoints.mri_activity_free_survival
    assert (endpoint.n_patients, endpoint.survival.value) == (None, None)
    assert endpoint.note == "Not in this file: mri records that tell of it."
    assert found.endpoints.activity_free_survival.n_patients is None
    assert found.endpoints.lesions.after.exposure is None
    assert found.endpoints.relapse_free_survival.n_events == 1


@pytest.mark.parametrize(
    ("scan", "rule"), [("gd=1", "gd"), ("t2=1", "t2"), ("new=1", "either"), ("gd=1 t2=0", "either")]
)
def test_a_file_that_has_what_the_rule_needs(scan, rule):
    found = summarize(
        records(f"P1 mri 90 {scan}\nP1 relapse 5\nP1 last_contact 800"), Protocol(new_lesion=rule)
    )
    assert found.endpoints.mri_activity_free_survival.n_events == 1
    assert found.notices == ()


def test_a_file_without_scans():
    text = "P1 relapse 5\nP1 edss -3 edss=3.0\nP1 edss 90 edss=3.0\nP1 last_contact 800"
    found = summarize(records(text, columns=["gd_lesions", "new_t2_lesions"]), Protocol()).endpoints
    assert found.lesions.before.exposure is found.lesions.after.exposure is None
    assert found.mri_activity_free_survival.n_patients is found.activity_free_survival.n_patients is None
    assert found.worsening_free_survival.n_patients == 1


def test_scans_before_transplant_alone():
    # There are scans, so there are lesion endpoints; no scan after day 0 is known, and ends the observation
    # there.
    text = "P1 mri -5 gd=2 t2=0\nP1 relapse 5\nP1 last_contact 800"
    found = summarize(records(text), Protocol()).endpoints
    assert (found.lesions.before.exposure, found.lesions.before.n_events) == (1, 2)
    assert (found.lesions.after.exposure, found.lesions.after.rate.value) == (0, None)
    endpoint = found.mri_activity_free_survival
    assert (endpoint.n_patients, endpoint.n_unknown, endpoint.n_not_followed) == (1, 0, 1)
    assert endpoint.survival.value is None


def test_a_file_without_gd_counts_has_no_scans_before():
    cohort = records("P1 mri -5 t2=0\nP1 mri 5 t2=0\nP1 last_contact 8").table(Protocol(new_lesion="t2"))
    assert cohort.lacking("scans_before", "lesions_before", "scans_after") == (
        "scans_before",
        "lesions_before",
    )
