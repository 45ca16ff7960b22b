"""Tracing: what decided a patient's endpoints, against the cohort's results and against the file itself."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from record_files import read, records
from trials import POOL, as_trial

from ahsct_trial import Protocol, read_cohort, summarize
from ahsct_trial.catalogue import SURVIVAL_ENDPOINTS
from ahsct_trial.endpoints import Computed
from ahsct_trial.errors import UsageError
from ahsct_trial.results import SurvivalEndpoint
from ahsct_trial.tracing import DecidedEndpoint, Trace, trace

DATA = Path(__file__).resolve().parents[1] / "data"
FILES = {"table": DATA / "sample_cohort.csv", "records": DATA / "sample_records.csv"}
PATIENTS = [f"P{number:02}" for number in range(1, 25)]
PROTOCOLS = {
    "default": Protocol(),
    "censor": Protocol(death="censor"),
    "12 weeks": Protocol(worsening_confirm_weeks=12.0),
}
SURVIVAL = tuple(endpoint.key for endpoint in SURVIVAL_ENDPOINTS)


@cache
def traces(shape: str, protocol: str) -> dict[str, Trace]:
    data = read_cohort(FILES[shape])
    return {patient: trace(data, patient, PROTOCOLS[protocol]) for patient in PATIENTS}


def decided(found: Trace, endpoint: str = "activity_free_survival") -> DecidedEndpoint:
    [one] = [each for each in found.endpoints if each.endpoint == endpoint]
    return one


# ---- All 24 patients --------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", SURVIVAL)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("shape", FILES)
def test_the_traces_add_up_to_the_summary(shape: str, protocol: str, endpoint: str) -> None:
    result = getattr(summarize(read_cohort(FILES[shape]), PROTOCOLS[protocol]).endpoints, endpoint)
    all_24 = [decided(found, endpoint) for found in traces(shape, protocol).values()]
    known = [one for one in all_24 if one.outcome != "unknown"]
    assert len(known) == result.n_patients
    assert len(all_24) - len(known) == result.n_unknown
    for kind, count in result.events_by_type.items():
        assert len([one for one in known if one.event == kind and years_of(one) <= 3]) == (count or 0)
    assert (
        len([one for one in known if one.outcome == "censored" and years_of(one) <= 3]) == result.n_censored
    )
    # The curve once more, from the traced times: at each event, the share of those at risk who stay free.
    estimate = 1.0
    for time in sorted({years_of(one) for one in known if one.outcome == "event" and years_of(one) <= 3}):
        at_risk = [one for one in known if years_of(one) >= time]
        events = [one for one in at_risk if one.outcome == "event" and years_of(one) == time]
        estimate *= 1 - len(events) / len(at_risk)
    assert result.survival.value == pytest.approx(estimate, rel=1e-12)
    assert sum(map(years_of, known)) == pytest.approx(
        sum(point.years * (point.n_events + point.n_censored) for point in result.curve), rel=1e-12
    )


def years_of(one: DecidedEndpoint) -> float:
    assert one.years is not None
    return one.years


@pytest.mark.parametrize("part", range(4))
def test_the_traces_of_1000_cohorts_add_up_to_their_summaries(part: int) -> None:
    """Events, late events, losses, and who is left out: each patient's trace against the counts of all."""
    random = Random(part)
    for _ in range(250):
        rows = [dict(random.choice(POOL)) for _ in range(random.choice([1, 1, 2]))]
        if random.random() < 0.3:
            rows = [row | {"years_to_baseline": random.choice([None, 0.0, 1.0, 2.0])} for row in rows]
        protocol = Protocol(
            horizon_years=random.choice([1.0, 3.0]),
            observation_end=random.choice(["last-assessment", "last-assessment", "follow-up"]),
            death=random.choice(["event", "censor"]),
            death_reach_days=random.choice([0.0, 365.0, 20_000.0]),
            therapy=random.choice(["ignore", "event", "censor"]),
        )
        trial = as_trial(rows)
        found = [trace(trial, f"P{number}", protocol) for number in range(len(rows))]
        endpoints = Computed.of(trial.table(protocol), protocol).endpoints
        for endpoint in {SURVIVAL[0], random.choice(SURVIVAL)}:
            assert_adds_up([decided(each, endpoint) for each in found], getattr(endpoints, endpoint))


def assert_adds_up(traced: list[DecidedEndpoint], result: SurvivalEndpoint) -> None:
    def n_of(outcome: str, event: str | None = None) -> int:
        return sum(
            one.outcome == outcome and one.event == event and years_of(one) <= result.horizon_years + 1e-9
            for one in traced
        )

    assert sum(one.outcome == "unknown" for one in traced) == result.n_unknown
    assert sum(one.outcome != "unknown" for one in traced) == result.n_patients
    for kind, n in result.events_by_type.items():
        assert n_of("event", kind) == (n or 0)
    assert n_of("censored") == result.n_censored
    late = [one for one in traced if one.late_event is not None]
    assert len(late) == result.n_late_events
    assert all(one.outcome == "censored" and "is not counted" in one.reason for one in late)
    curve = list(result.curve)
    for outcome, name in (("event", "n_events"), ("censored", "n_censored")):
        assert sum(one.outcome == outcome for one in traced) == sum(getattr(point, name) for point in curve)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_line_of_a_record_is_that_record(protocol: str) -> None:
    with FILES["records"].open(encoding="utf-8", newline="") as file:
        of_line = dict(enumerate(csv.DictReader(file), start=2))
    kinds = {
        "years_to_first_new_lesion": {"mri"},
        "years_to_last_scan": {"mri"},
        "years_to_last_edss": {"edss"},
        "years_to_worsening": {"edss"},
        "years_to_death": {"death"},
        "years_to_last_visit": {"transplant", "last_contact", "mri", "edss"},
        "follow_up_years": {"death", "last_contact", "mri", "edss"},
    }
    n_seen = 0
    for patient, found in traces("records", protocol).items():
        for one in found.endpoints:
            if one.outcome == "unknown" or one.reason.startswith("censored on day 0"):
                assert one.line is None
                continue
            assert one.line is not None
            assert one.column is not None
            row = of_line[one.line]
            assert row["patient_id"] == patient
            assert row["record"] in kinds[one.column]
            assert int(row["day"]) == one.day
            assert years_of(one) == int(row["day"]) / 365.25
            if one.column == "years_to_first_new_lesion":
                assert int(row["new_lesions"]) > 0
            n_seen += 1
        course = {entry.line: entry for entry in found.course}
        own = {line: row for line, row in of_line.items() if row["patient_id"] == patient and row["day"]}
        assert {line: entry.day for line, entry in course.items()} == {
            line: int(row["day"]) for line, row in own.items()
        }
        assert [entry.day for entry in found.course] == sorted(int(row["day"]) for row in own.values())
        for line, entry in course.items():
            assert entry.what.startswith(own[line]["record"].replace("_", " "))
            if own[line]["record"] == "edss":
                assert entry.what == f"edss {own[line]['edss']}"
    # P22 died before any scan or visit. Where the death does not count, two endpoints end on day 0
    # without a record, and the composite and that of relapses at the visit of that day.
    assert n_seen == 24 * 5 - (2 if protocol == "censor" else 0)


@pytest.mark.parametrize("patient", PATIENTS)
def test_both_files_tell_the_same_of_a_patient(patient: str) -> None:
    for here, there in zip(
        traces("table", "default")[patient].endpoints,
        traces("records", "default")[patient].endpoints,
        strict=True,
    ):
        assert (here.endpoint, here.outcome, here.event) == (there.endpoint, there.outcome, there.event)
        # The table has no column of the last visit: the end of follow-up stands in for it.
        is_last_visit = there.column == "years_to_last_visit"
        assert here.column == ("follow_up_years" if is_last_visit else there.column)
        assert years_of(here) == pytest.approx(years_of(there), abs=0.5e-4)
        # The row of a patient table decides all; P01 stands on line 2.
        assert here.line == PATIENTS.index(patient) + 2
        assert here.day is None


# ---- The sentences ----------------------------------------------------------------------------------------

#: EDSS from 4.0: up for a month, up to stay, and a relapse in between; the first record stands on line 2.
RISES = """
    P1 transplant 0
    P1 edss -20 edss=4.0
    P1 edss 90 edss=5.0
    P1 edss 201 edss=4.0
    P1 edss 412 edss=5.0
    P1 edss 590 edss=5.5
    P1 relapse 700
    P1 mri 800 gd=0 t2=0
    P1 last_contact 801
"""


def test_a_worsening_in_words() -> None:
    found = trace(records(RISES), "P1", Protocol())
    confirmed = (
        "worsening on day 412 (line 6): EDSS 5.0 against a baseline of 4.0, confirmed on day 590 (line 7)"
    )
    assert found.edss_changes == (
        "worsening on day 90 (line 4): EDSS 5.0 against a baseline of 4.0, not confirmed: "
        "back to 4.0 on day 201 (line 5)",
        confirmed,
    )
    for endpoint in ("activity_free_survival", "worsening_free_survival"):
        one = decided(found, endpoint)
        assert (one.outcome, one.event, one.day, one.line, one.reason) == (
            "event",
            "worsening",
            412,
            6,
            confirmed,
        )
    assert decided(found, "relapse_free_survival").reason == "relapse on day 700"
    assert decided(found, "mri_activity_free_survival").reason == "no event up to the last scan on day 800"
    assert decided(found, "overall_survival").reason == "no event up to the end of follow-up on day 801"
    assert decided(found, "overall_survival").line == 10


def test_a_relapse_after_the_end_of_observation() -> None:
    # A worsening must still be there 60 weeks (420 days) later: no visit is so late. The relapse on day 700
    # came
    # when a worsening could no longer be seen, after the last EDSS visit.
    found = trace(records(RISES), "P1", Protocol(worsening_confirm_weeks=60.0))
    one = decided(found)
    assert (one.outcome, one.event, one.late_event, one.day, one.line) == (
        "censored",
        None,
        "relapse",
        590,
        7,
    )
    assert one.reason == (
        "no event up to the last EDSS visit on day 590; relapse on day 700 came after that and is not counted"
    )
    seen = trace(records(RISES + "P1 edss 790 edss=4.0"), "P1", Protocol(worsening_confirm_weeks=60.0))
    assert decided(seen).reason == "relapse on day 700"
    assert (decided(seen).outcome, decided(seen).late_event, decided(seen).line) == ("event", None, 8)
    assert found.edss_changes is not None
    assert found.edss_changes[-1] == (
        "worsening on day 412 (line 6): EDSS 5.0 against a baseline of 4.0, at the last "
        "visits, which nothing can confirm"
    )
    worsening_free = decided(found, "worsening_free_survival")
    assert worsening_free.reason == "no event up to the last EDSS visit on day 590"


def test_improvements_are_told_beside_worsenings() -> None:
    text = """
        P1 edss -1 edss=6.0
        P1 edss 100 edss=5.0
        P1 edss 300 edss=5.5
        P1 edss 500 edss=6.5
        P1 edss 700 edss=7.0
    """
    assert trace(records(text), "P1", Protocol()).edss_changes == (
        "worsening on day 500 (line 5): EDSS 6.5 against a baseline of 6.0, confirmed on day 700 (line 6)",
        "improvement on day 100 (line 3): EDSS 5.0 against a baseline of 6.0, confirmed on day 300 (line 4)",
    )


@pytest.mark.parametrize(
    ("text", "endpoint", "outcome", "reason", "day", "line"),
    [
        ("P1 death 62 cause=ms", "overall_survival", "event", "death on day 62", 62, 4),
        ("P1 mri 90 t2=2 gd=0", "mri_activity_free_survival", "event", "new lesion on day 90", 90, 4),
        (
            "P1 last_contact 90",
            "mri_activity_free_survival",
            "censored",
            "censored on day 0: no scan after it",
            0,
            None,
        ),
        (
            "P1 last_contact 90",
            "worsening_free_survival",
            "unknown",
            "left out: no EDSS visit can be the baseline",
            None,
            None,
        ),
        (
            "P1 last_contact 90",
            "activity_free_survival",
            "unknown",
            "left out: no EDSS visit can be the baseline",
            None,
            None,
        ),
        (
            "P1 edss -5 edss=3.0",
            "worsening_free_survival",
            "censored",
            "censored on day 0: no EDSS visit after it",
            0,
            None,
        ),
        (
            "P1 edss -5 edss=3.0",
            "overall_survival",
            "censored",
            "no event up to the end of follow-up on day 0",
            0,
            5,
        ),
    ],
)
def test_reasons(
    text: str, endpoint: str, outcome: str, reason: str, day: int | None, line: int | None
) -> None:
    # P2 makes that the file has relapses, scans and EDSS visits, whether P1 has some or not.
    others = "P2 edss 5 edss=3.0\nP2 mri 5 gd=0 t2=0"
    one = decided(
        trace(records(f"{others}\n{text}\nP1 transplant 0\nP2 observed_from -90"), "P1", Protocol()), endpoint
    )
    assert (one.outcome, one.reason, one.day, one.line) == (outcome, reason, day, line)


def test_an_endpoint_that_is_not_in_the_file() -> None:
    found = trace(records("P1 relapse 5\nP1 last_contact 800"), "P1", Protocol())
    one = decided(found, "mri_activity_free_survival")
    assert (one.outcome, one.reason) == (
        "not in this file",
        "not in this file: years_to_first_new_lesion",
    )
    assert (one.years, one.line, one.column, one.event) == (None, None, None, None)
    assert found.edss_changes == ()


def test_the_course_in_words() -> None:
    text = """
        P1 death 800 cause=ms
        P1 mri 90 gd=2 t2=0 new=2
        P1 baseline - site=Ottawa
        P1 mri -5 gd=1
        P1 observed_from -400
        P1 edss 90 edss=3.5
        P1 transplant 0
    """
    course = trace(records(text), "P1", Protocol()).course
    assert [(entry.day, entry.what, entry.line) for entry in course] == [
        (-400, "observed from", 6),
        (-5, "mri: 1 Gd", 5),
        (0, "transplant", 8),
        (90, "mri: 2 Gd, 0 new T2, 2 new", 3),
        (90, "edss 3.5", 7),
        (800, "death (ms)", 2),
    ]
    assert [entry.years for entry in course][-1] == 800 / 365.25
    assert all(entry.column is None for entry in course)


# ---- The patient table ------------------------------------------------------------------------------------


def test_a_patient_table_names_its_columns() -> None:
    found = traces("table", "default")["P19"]
    one = decided(found)
    # P19's new lesion: 1654 days ÷ 365.25, on the twentieth patient line after the header's.
    assert (one.column, one.line, one.years, one.day) == ("years_to_first_new_lesion", 20, 4.5284, None)
    assert one.reason == "new lesion at 4.528 years (years_to_first_new_lesion)"
    assert decided(found, "worsening_free_survival").reason == (
        "no event up to the last EDSS visit at 7.526 years (years_to_last_edss)"
    )
    assert decided(found, "overall_survival").column == "follow_up_years"
    assert found.edss_changes is None
    assert {entry.column for entry in found.course} == {
        "years_to_first_new_lesion",
        "years_to_last_scan",
        "years_to_last_edss",
        "follow_up_years",
    }
    assert [entry.years for entry in found.course] == sorted(entry.years or 0 for entry in found.course)


TABLE = (
    "patient_id,follow_up_years,relapses_after,years_to_first_relapse,scans_after,years_to_first_new_lesion,"
    "years_to_last_scan,edss_baseline,edss_last,years_to_worsening,years_to_last_edss,years_to_death\n"
    "A,5,0,,4,,4.5,3.0,3.0,,4.75,\n"
    "B,5,,,0,,,,,,,\n"
    "C,5,0,,4,,4.5,3.0,,,,\n"
    "D,5,1,2,4,2,4.5,3.0,3.0,2,4.75,\n"
)


@pytest.mark.parametrize(
    ("patient", "endpoint", "outcome", "column", "reason"),
    [
        (
            "A",
            "activity_free_survival",
            "censored",
            "years_to_last_scan",
            "no event up to the last scan at 4.5 years (years_to_last_scan)",
        ),
        (
            "B",
            "activity_free_survival",
            "unknown",
            None,
            "left out: relapses_after is empty and edss_baseline is empty",
        ),
        (
            "C",
            "worsening_free_survival",
            "censored",
            "years_to_last_edss",
            "censored on day 0: no EDSS visit after it (years_to_last_edss is empty)",
        ),
        # Of events of one time the relapse is named first, then the lesion.
        (
            "D",
            "activity_free_survival",
            "event",
            "years_to_first_relapse",
            "relapse at 2 years (years_to_first_relapse)",
        ),
        (
            "D",
            "worsening_free_survival",
            "event",
            "years_to_worsening",
            "confirmed EDSS worsening at 2 years (years_to_worsening)",
        ),
        (
            "D",
            "overall_survival",
            "censored",
            "follow_up_years",
            "no event up to the end of follow-up at 5 years (follow_up_years)",
        ),
    ],
)
def test_reasons_of_a_patient_table(
    patient: str, endpoint: str, outcome: str, column: str | None, reason: str
) -> None:
    one = decided(trace(read(TABLE), patient, Protocol()), endpoint)
    assert (one.outcome, one.column, one.reason) == (outcome, column, reason)


# ---- The protocol -----------------------------------------------------------------------------------------


def test_the_protocol_decides() -> None:
    # The one short rise that 12 weeks confirm and 24 do not.
    changed = [
        patient
        for patient in PATIENTS
        if decided(traces("records", "default")[patient]).outcome
        != decided(traces("records", "12 weeks")[patient]).outcome
    ]
    [patient] = changed
    one = decided(traces("records", "12 weeks")[patient])
    assert one.event == "worsening"
    assert years_of(one) < 3
    unconfirmed = traces("records", "default")[patient].edss_changes
    assert unconfirmed is not None
    assert any(f"(line {one.line})" in sentence and "not confirmed" in sentence for sentence in unconfirmed)


def test_a_death_that_is_censored() -> None:
    event = decided(traces("records", "default")["P22"], "relapse_free_survival")
    censored = decided(traces("records", "censor")["P22"], "relapse_free_survival")
    assert (event.outcome, event.reason) == ("event", "death on day 62")
    assert (censored.outcome, censored.reason, censored.line) == (
        "censored",
        # Nobody saw the patient but on the day of transplant.
        "no event up to the last visit on day 0",
        1014,
    )
    assert decided(traces("records", "censor")["P22"], "overall_survival").outcome == "event"


def test_lesion_rules_in_a_trace() -> None:
    text = "P1 mri 90 gd=0 t2=1\nP1 mri 300 gd=1 t2=0\nP1 last_contact 800"

    def day(**settings: Any) -> int | None:
        found = trace(records(text), "P1", Protocol(**settings))
        return decided(found, "mri_activity_free_survival").day

    assert (day(), day(new_lesion="gd"), day(new_lesion="t2")) == (90, 300, 90)
    assert (day(mri_from_day=90), day(mri_from_day=300)) == (300, 0)


# ---- Unknown patients -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "closest"),
    [
        ("PO1", "P01, P11, P21"),  # the letter O
        ("p01", "P01"),
        (" P01 ", "P01"),
        ("P1", "P01"),  # a spreadsheet took the zero
        ("P-01", "P01"),
        ("P025", "P02, P05, P25"),
    ],
)
@pytest.mark.parametrize("shape", FILES)
def test_an_unknown_patient_gets_the_closest(shape: str, asked: str, closest: str) -> None:
    with pytest.raises(UsageError) as caught:
        trace(read_cohort(FILES[shape]), asked, Protocol())
    message = str(caught.value)
    assert message.startswith(f"There is no patient '{asked}' among 24. Closest: ")
    first = closest.split(", ", maxsplit=1)[0]
    assert message.removesuffix(".").split("Closest: ")[1].split(", ")[0] == first


def test_an_unknown_patient_like_no_other() -> None:
    with pytest.raises(UsageError) as caught:
        trace(read_cohort(FILES["table"]), "[bold]\x1b[31m", Protocol())
    assert str(caught.value) == "There is no patient '[bold]\\x1b[31m' among 24."


def test_an_unknown_patient_among_very_many() -> None:
    text = "patient_id,record,day\n" + "".join(f"P{number:07},last_contact,5\n" for number in range(20_000))
    found = read(text)
    for asked in ("P00O1234", "p0001234", "P1234", "P000123"):
        with pytest.raises(UsageError, match=r"among 20,000\. Closest: .*P000123"):
            trace(found, asked, Protocol())


def test_an_identifier_is_matched_as_it_stands() -> None:
    text = (
        "patient_id,record,day\n007,last_contact,5\n7,last_contact,6\nP 1,last_contact,7\nP1,last_contact,8\n"
    )
    days = [
        decided(trace(read(text), name, Protocol()), "overall_survival").day
        for name in ("007", "7", "P 1", "P1")
    ]
    assert days == [5, 6, 7, 8]


def test_a_scan_after_the_last_visit_is_what_ends_the_observation(tmp_path: Path) -> None:
    # A scan is a visit, so that relapses would have been seen until 2 years, and not until the end of follow-up.
    (tmp_path / "cohort.csv").write_text(
        "patient_id,follow_up_years,years_to_last_visit,relapses_after,years_to_first_relapse,scans_after,"
        "years_to_first_new_lesion,years_to_last_scan,years_to_death\nA,5,1,0,,2,,2,\n"
    )
    decided = {
        each.endpoint: each for each in trace(read_cohort(tmp_path / "cohort.csv"), "A", Protocol()).endpoints
    }["relapse_free_survival"]
    assert (decided.years, decided.column) == (2.0, "years_to_last_scan")
    assert decided.reason == "no event up to the last scan at 2 years (years_to_last_scan)"


@pytest.mark.parametrize(
    "text",
    [
        "patient_id,follow_up_years,years_to_death\nP1,3,\nP1,3,\nP2,4,4\n",
        "patient_id,record,day\nP1,last_contact,900\nP1,last_contact,900\nP2,death,50\nP2,transplant,0\n",
    ],
)
def test_lines_behind_rows_that_were_set_aside(text: str, tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text(text)
    trial = read_cohort(file)
    assert trial.account.set_aside[0].lines == (3,)
    assert decided(trace(trial, "P2", Protocol()), "overall_survival").line == 4
