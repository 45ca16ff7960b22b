"""The two sample files, 24 patients as a table and as records, give the same results.

Every count and every text from a fixed set is the same, and so is every estimate of survival, which depends
on the order of times alone. Times, and what is divided by them, agree to a ten-thousandth: the table has its
years with four decimals.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from record_files import differences, figures, flat

from ahsct_trial import Protocol, Summary, read_cohort, summarize
from ahsct_trial.patients import YEARS_TO_UNCONFIRMED_WORSENING

DATA = Path(__file__).resolve().parents[1] / "data"
TABLE, RECORDS = DATA / "sample_cohort.csv", DATA / "sample_records.csv"
#: Part of a figure, and years, by which the two may differ.
ROUNDING = (1e-4, 0.5e-4)


def summary(path: Path, **settings: Any) -> Summary:
    return summarize(read_cohort(path), Protocol(**settings))


@pytest.fixture(scope="module")
def dated_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table with the last visit, which the sample leaves out: the last record that is no death."""
    last_visit: dict[str, int] = {}
    with RECORDS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["record"] not in {"baseline", "death"}:
                last_visit[row["patient_id"]] = max(0, int(row["day"]), last_visit.get(row["patient_id"], 0))
    path = tmp_path_factory.mktemp("dated") / "sample_cohort.csv"
    with (
        TABLE.open(encoding="utf-8", newline="") as file,
        path.open("w", encoding="utf-8", newline="") as out,
    ):
        reader = csv.DictReader(file)
        writer = csv.DictWriter(out, [*(reader.fieldnames or ()), "years_to_last_visit"])
        writer.writeheader()
        for row in reader:
            day = last_visit[row["patient_id"]]
            writer.writerow(row | {"years_to_last_visit": round(day / 365.25, 4)})
    return path


def test_the_files_have_the_two_shapes() -> None:
    assert (read_cohort(TABLE).layout, read_cohort(RECORDS).layout) == ("patient_table", "records")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"death": "censor"},
        {"horizon_years": 5.0, "confidence_level": 0.9, "ci_method": "plain"},
        {"horizon_years": 1.0, "ci_method": "logit"},
        {"observation_end": "follow-up", "landmark_window_days": 30.0},
    ],
    ids=["default", "censored deaths", "5 years", "1 year", "follow-up"],
)
def test_the_figures_are_the_same(settings: dict[str, Any], dated_table: Path) -> None:
    table, records = summary(dated_table, **settings), summary(RECORDS, **settings)
    # Only records tell of worsening that nothing confirms.
    of_records = ("unconfirmed", YEARS_TO_UNCONFIRMED_WORSENING)
    assert differences(figures(table, *of_records), figures(records, *of_records), *ROUNDING) == []
    exact = {
        path: value
        for path, value in flat(figures(records)["endpoints"]).items()
        if re.fullmatch(
            r".*_survival\.(curve\.\d+\.(estimate|ci_low|ci_high)|(survival|proportion)\.(value|ci_low|ci_high))",
            path,
        )
    }
    assert len(exact) > 5 * 24
    from_table = flat(figures(table)["endpoints"])
    assert {path: from_table[path] for path in exact} == exact
    # Definitions and labels apart, notes are the same words too.
    for key in ("activity_free_survival", "overall_survival", "relapse_rate", "lesions", "disability"):
        assert getattr(table.endpoints, key).note == getattr(records.endpoints, key).note


def test_the_comparison_would_see_a_difference() -> None:
    """One patient's relapse more, and a tenth of a percent in a time, are differences."""
    here = figures(summary(TABLE))
    other = figures(summary(TABLE))
    other["endpoints"]["relapse_rate"]["after"]["n_events"] += 1
    other["cohort"]["follow_up"]["max"] *= 1.001
    assert len(differences(here, other, *ROUNDING)) == 2


def test_neither_file_needs_a_warning() -> None:
    # No relapse after transplant is not no relapse record: the histories before it are there.
    for path in (TABLE, RECORDS):
        assert {notice.code for notice in summary(path).notices} <= {
            "overdispersed",
            "synthetic",
            "worsening-unconfirmed",
        }


def test_the_headline() -> None:
    """The popular summary: 23 of 24 without activity at 3 years; the one event is a death on day 62."""
    for path in (TABLE, RECORDS):
        headline = summary(path).endpoints.activity_free_survival
        assert (headline.n_event_free, headline.n_evaluable, headline.n_events) == (23, 24, 1)
        assert headline.survival.value == pytest.approx(23 / 24, rel=1e-12)


# ---- Twelve weeks instead of 24 ---------------------------------------------------------------------------


def onsets(sign: int, weeks: int) -> dict[str, int]:
    """The first EDSS change that holds to the first visit `weeks` later, less 7 days; by loops over the file.

    No relapse of the sample is within 30 days of a visit, so every visit may confirm and be the baseline.
    """
    visits: dict[str, list[tuple[int, float]]] = {}
    with RECORDS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["record"] == "edss":
                visits.setdefault(row["patient_id"], []).append((int(row["day"]), float(row["edss"])))
    found = {}
    for patient, course in visits.items():
        course.sort()
        baseline = [score for day, score in course if day <= 0][-1]
        step = 1.0 if baseline < 5.5 else 0.5
        after = [(day, sign * (score - baseline) >= step) for day, score in course if day > 0]
        for place, (day, _) in enumerate(after):
            until = next(
                (end for end in range(place, len(after)) if after[end][0] >= day + weeks * 7 - 7), None
            )
            if until is not None and all(holds for _, holds in after[place : until + 1]):
                found[patient] = day
                break
    return found


def test_the_loops_above_find_what_the_readme_of_the_data_says() -> None:
    # 8 improve, P06 and P20 worsen after year 5; with 12 weeks one more worsens before year 3.
    assert len(onsets(-1, 24)) == 8
    assert set(onsets(1, 24)) == {"P06", "P20"}
    early = [patient for patient, day in onsets(1, 12).items() if day <= 3 * 365.25]
    assert len(early) == 1


def test_confirmed_at_twelve_weeks() -> None:
    worse, better = onsets(1, 12), onsets(-1, 12)
    found = summary(RECORDS, worsening_confirm_weeks=12.0).endpoints
    assert found.disability.worsened.n == len(worse)
    assert found.disability.improved.n == len(better)
    assert found.disability.n_both == len(worse.keys() & better.keys())
    # One death and one worsening within 3 years of 24 patients, none lost before: 22 of 24.
    headline = found.activity_free_survival
    assert (headline.n_event_free, headline.n_evaluable, headline.n_censored) == (22, 24, 0)
    assert (headline.events_by_type["worsening"], headline.events_by_type["death"]) == (1, 1)
    assert headline.survival.value == pytest.approx(22 / 24, rel=1e-12)
    assert found.worsening_free_survival.survival.value == pytest.approx(22 / 24, rel=1e-12)
    # What has nothing to do with EDSS stays as it was.
    default = summary(RECORDS).endpoints
    assert (
        found.mri_activity_free_survival.survival.value == default.mri_activity_free_survival.survival.value
    )
    assert found.relapse_rate == default.relapse_rate


def test_a_patient_table_cannot_be_confirmed_again() -> None:
    found = summary(TABLE, worsening_confirm_weeks=12.0)
    assert found.endpoints.activity_free_survival.n_event_free == 23
    assert any("worsening_confirm_weeks" in notice.text for notice in found.notices)
