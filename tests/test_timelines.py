"""Each patient's course: against the records themselves, read by other means, and worked by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from record_files import read, records

from ahsct_trial import Protocol, read_cohort
from ahsct_trial.errors import UsageError
from ahsct_trial.timelines import MOST_PATIENTS, PatientTimeline, Timeline, TimelineScan, timeline

DATA = Path(__file__).resolve().parents[1] / "data"
YEAR = 365.25


def line(found: Timeline, patient: str) -> PatientTimeline:
    [one] = [each for each in found.patients if each.patient == patient]
    return one


def test_every_record_of_the_sample_is_on_its_line() -> None:
    found = timeline(read_cohort(DATA / "sample_records.csv"), Protocol())
    with (DATA / "sample_records.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for one in found.patients:
        own = [row for row in rows if row["patient_id"] == one.patient]
        days = {
            kind: sorted(int(row["day"]) for row in own if row["record"] == kind)
            for kind in ("relapse", "mri", "death", "observed_from")
        }
        assert sorted(round(years * YEAR) for years in one.relapse_years) == days["relapse"]
        assert sorted(round(scan.years * YEAR) for scan in one.scans) == days["mri"]
        assert ([] if one.death_years is None else [round(one.death_years * YEAR)]) == days["death"]
        assert [round(-(one.observed_before_years or 0) * YEAR)] == days["observed_from"]
    # 93 lesions on 24 scans before, one each; one scan of 327 after with a new lesion, P19's.
    before = [scan for one in found.patients for scan in one.scans if scan.years <= 0]
    after = [scan for one in found.patients for scan in one.scans if scan.years > 0]
    assert len(before) == 24
    assert sum(bool(scan.has_lesion) for scan in before) == sum(
        row["record"] == "mri" and int(row["day"]) <= 0 and int(row["gd_lesions"]) > 0 for row in rows
    )
    assert [scan.has_lesion for scan in after].count(True) == 1
    assert len(after) == 327
    assert any(scan.has_lesion for scan in line(found, "P19").scans if scan.years > 0)


def test_both_shapes_of_the_sample_agree_in_what_both_know() -> None:
    table = timeline(read_cohort(DATA / "sample_cohort.csv"), Protocol())
    raw = timeline(read_cohort(DATA / "sample_records.csv"), Protocol())
    assert [one.patient for one in table.patients] == [one.patient for one in raw.patients]
    for one, other in zip(table.patients, raw.patients, strict=True):
        for name in ("follow_up_years", "observed_before_years", "worsening_years", "improvement_years"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), abs=5e-5)
        assert one.death_years == pytest.approx(other.death_years, abs=5e-5)
        last = [scan.years for scan in other.scans if scan.years > 0][-1:]
        assert [scan.years for scan in one.scans][-1:] == pytest.approx(last, abs=5e-5)
    assert (table.is_every_observation, raw.is_every_observation) == (False, True)
    assert table.not_in_file == raw.not_in_file == ()


def test_the_longest_follow_up_comes_first_and_names_decide_ties() -> None:
    found = timeline(read("patient_id,follow_up_years\nB,1\nC,2\nA,1\n"), Protocol())
    assert [one.patient for one in found.patients] == ["C", "A", "B"]
    assert found.not_in_file == (
        "observation before time zero",
        "relapses",
        "new lesions",
        "worsening",
        "improvement",
        "death",
        "times of scans",
    )
    assert found.patients[0] == PatientTimeline(
        patient="C",
        group=None,
        line=3,
        observed_before_years=None,
        follow_up_years=2.0,
        relapse_years=(),
        scans=(),
        worsening_years=None,
        improvement_years=None,
        therapy_years=None,
        death_years=None,
    )


SCANS = records(
    """
    A mri -10 gd=2
    A mri 0 gd=0 t2=3
    A mri 20 gd=1 t2=0
    A mri 200 gd=0 t2=1
    A mri 300 gd=1
    A mri 400 t2=0
    A mri 500 gd=0 t2=0
    A transplant 0
    A last_contact 600
    """
)


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        # Up to day 0 gadolinium alone; after it one count of two shows a lesion, never that there is none.
        (Protocol(), [True, False, True, True, True, None, False]),
        (Protocol(new_lesion="gd"), [True, False, True, False, True, None, False]),
        (Protocol(new_lesion="t2"), [True, False, False, True, None, False, False]),
        # A scan that sets the reference is no event.
        (Protocol(mri_from_day=30), [True, False, None, True, True, None, False]),
    ],
)
def test_which_scans_show_a_lesion(protocol: Protocol, expected: list[bool | None]) -> None:
    [one] = timeline(SCANS, protocol).patients
    assert [scan.has_lesion for scan in one.scans] == expected


def test_a_rule_that_the_file_cannot_answer_leaves_scans_untold() -> None:
    data = records("A mri -5 gd=1\nA mri 90 gd=1\nA transplant 0\nA last_contact 100")
    found = timeline(data, Protocol(new_lesion="t2"))
    assert [scan.has_lesion for scan in found.patients[0].scans] == [True, None]
    assert found.not_in_file == (
        "observation before time zero",
        "relapses",
        "new lesions",
        "worsening",
        "improvement",
    )


def test_a_patient_table_knows_the_first_lesion_and_the_last_scan() -> None:
    table = read(
        "patient_id,follow_up_years,scans_after,years_to_first_new_lesion,years_to_last_scan\n"
        "A,5,4,1,4\nB,4,4,,3.5\nC,3,1,2,2\n"
    )
    scans = [one.scans for one in timeline(table, Protocol()).patients]
    assert scans == [
        (TimelineScan(years=1, has_lesion=True), TimelineScan(years=4, has_lesion=None)),
        (TimelineScan(years=3.5, has_lesion=False),),
        (TimelineScan(years=2, has_lesion=True),),
    ]


def test_more_patients_than_lines_are_refused() -> None:
    rows = [f"P{number},1" for number in range(MOST_PATIENTS + 1)]
    table = "\n".join(["patient_id,follow_up_years", *rows, ""])
    with pytest.raises(UsageError, match=r"There are 251 patients; .*up to 250.*one site"):
        timeline(read(table), Protocol())
    assert len(timeline(read(table.replace("P250,1\n", "")), Protocol()).patients) == MOST_PATIENTS
