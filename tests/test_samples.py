"""The sample cohorts against the figures they were made to reproduce.

Expected values of the first, unless said otherwise: the popular summary of the Canadian trial
(NCT01099930), kept as ``atkins2016-summary``; 167 relapses in 140 patient-years and the follow-up come from
the trial's abstract (Lancet 2016;388:576-585). The arithmetic is plain, and none of it is the package's own.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pandas as pd
import pytest

from ahsct_trial.columns import PATIENT_TABLE

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
PACKAGED = ROOT / "src" / "ahsct_trial" / "samples"
NAMES = ("sample_cohort.csv", "sample_records.csv")
DAYS_PER_YEAR = 365.25


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(DATA / "sample_cohort.csv").set_index("patient_id")


@pytest.fixture(scope="module")
def records() -> pd.DataFrame:
    return pd.read_csv(DATA / "sample_records.csv")


@pytest.fixture(scope="module")
def survivors(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["years_to_death"].isna()]


def of_kind(records: pd.DataFrame, kind: str) -> pd.DataFrame:
    return records[records["record"] == kind]


# ---- The patient table --------------------------------------------------------------------------------


def test_table_has_the_columns_of_the_dictionary_in_its_order(table: pd.DataFrame) -> None:
    # One arm; the end of follow-up is the last visit; nobody was given another therapy.
    lacking = {"patient_id", "arm", "years_to_last_visit", "years_to_therapy"}
    assert list(table.columns) == [column.name for column in PATIENT_TABLE if column.name not in lacking]


def test_table_who_was_treated(table: pd.DataFrame) -> None:
    assert list(table.index) == [f"P{number:02}" for number in range(1, 25)]
    assert (table["age_years"].min(), table["age_years"].max()) == (18, 50)
    assert set(table["site"]) == {"Ottawa", "Montreal", "Toronto"}
    assert (table["edss_baseline"].min(), table["edss_baseline"].max()) == (3.0, 6.0)
    assert set(table["prior_therapy"]) == {"yes"}
    assert set(table["conditioning"]) == {"Bu/Cy/ATG"}
    assert set(table["graft"]) == {"CD34-selected"}


def test_table_mix_of_courses_and_sexes_is_as_invented(table: pd.DataFrame) -> None:
    assert table["ms_course"].value_counts().to_dict() == {"RRMS": 12, "SPMS": 12}
    assert table["sex"].value_counts().to_dict() == {"female": 14, "male": 10}


def test_table_relapses(table: pd.DataFrame) -> None:
    assert table["relapses_before"].sum() == 167
    assert table["years_observed_before"].sum() == pytest.approx(140.0, abs=1e-9)
    assert table["years_observed_before"].between(2, 10).all()
    assert table["relapses_after"].sum() == 0
    assert table["years_to_first_relapse"].isna().all()


def test_table_relapses_before_are_hardly_overdispersed(table: pd.DataFrame) -> None:
    expected = table["years_observed_before"] * 167 / 140
    dispersion = ((table["relapses_before"] - expected) ** 2 / expected).sum() / 23
    assert dispersion < 1.5


def test_table_lesions(table: pd.DataFrame) -> None:
    assert (table["scans_before"] == 1).all()
    assert table["lesions_before"].sum() == 93
    assert table["scans_after"].sum() == 327
    assert table["scans_with_new_lesions_after"].sum() == 1
    assert table["new_lesions_after"].sum() == 1
    times = table["years_to_first_new_lesion"].dropna()
    assert len(times) == 1
    assert (times > 3).all()


def test_table_one_death_of_the_transplant(table: pd.DataFrame) -> None:
    (dead,) = table[table["years_to_death"].notna()].to_dict("records")
    assert dead["cause_of_death"] == "transplant"
    assert dead["years_to_death"] == dead["follow_up_years"] == round(62 / DAYS_PER_YEAR, 4)
    assert dead["scans_after"] == dead["relapses_after"] == 0
    assert pd.isna([dead["years_to_last_scan"], dead["years_to_last_edss"], dead["edss_last"]]).all()


def test_table_follow_up_of_survivors(survivors: pd.DataFrame) -> None:
    years = survivors["follow_up_years"]
    assert len(years) == 23
    assert (round(years.min(), 1), round(years.median(), 1), round(years.max(), 1)) == (3.9, 6.7, 12.7)


def test_table_no_time_lies_after_the_end_of_follow_up(table: pd.DataFrame) -> None:
    for name in table.columns:
        if name.startswith("years_to_"):
            assert (table[name].dropna() <= table["follow_up_years"].loc[table[name].notna()]).all()


def test_table_disability(survivors: pd.DataFrame) -> None:
    assert survivors["years_to_improvement"].notna().sum() == 8
    assert survivors["years_to_worsening"].notna().sum() == 2  # our choice: both after year 5
    assert survivors["years_to_worsening"].min() > 3


def test_table_23_of_24_are_activity_free_at_3_years(table: pd.DataFrame) -> None:
    events = [
        "years_to_first_relapse",
        "years_to_first_new_lesion",
        "years_to_worsening",
        "years_to_death",
    ]
    first_event = table[events].min(axis=1)
    last_seen = table[["years_to_last_scan", "years_to_last_edss", "follow_up_years"]].min(axis=1)
    has_failed_by_3_years = first_event <= 3
    # Nobody is lost before year 3, so Kaplan-Meier is the plain proportion.
    assert (last_seen[~has_failed_by_3_years] > 3).all()
    assert has_failed_by_3_years.sum() == 1
    assert round(100 * 23 / 24, 2) == round(100 * (1 - has_failed_by_3_years.mean()), 2) == 95.83


# ---- The records --------------------------------------------------------------------------------------


def test_records_totals(records: pd.DataFrame) -> None:
    relapses, scans = of_kind(records, "relapse"), of_kind(records, "mri")
    before, after = scans[scans["day"] <= 0], scans[scans["day"] > 0]
    assert records["patient_id"].nunique() == 24
    assert len(relapses) == (relapses["day"] < 0).sum() == 167
    assert -of_kind(records, "observed_from")["day"].sum() / DAYS_PER_YEAR == 140.0
    assert len(before) == before["patient_id"].nunique() == 24
    assert before["gd_lesions"].sum() == 93
    assert len(after) == 327
    (day_of_lesion,) = after["day"][after["new_lesions"] > 0]
    assert day_of_lesion > 3 * DAYS_PER_YEAR
    (death,) = of_kind(records, "death").to_dict("records")
    assert (death["day"], death["cause_of_death"]) == (62, "transplant")


def test_records_are_grouped_by_patient_in_time_order(records: pd.DataFrame) -> None:
    assert records["patient_id"].is_monotonic_increasing
    for _, rows in records.groupby("patient_id"):
        assert rows["record"].iloc[0] == "baseline"
        assert rows["day"].iloc[1:].is_monotonic_increasing
        assert rows["record"].value_counts()[["baseline", "observed_from", "transplant"]].tolist() == [
            1,
            1,
            1,
        ]


def test_records_one_relapse_a_day_within_the_observed_time(records: pd.DataFrame) -> None:
    relapses = of_kind(records, "relapse")
    observed_from = of_kind(records, "observed_from").set_index("patient_id")["day"]
    assert not relapses.duplicated(["patient_id", "day"]).any()
    assert (relapses["day"] >= relapses["patient_id"].map(observed_from)).all()


def test_records_edss_goes_in_half_points(records: pd.DataFrame) -> None:
    edss = of_kind(records, "edss")["edss"]
    assert (edss * 2 % 1 == 0).all()
    assert edss.between(1, 10).all()


def test_records_every_survivor_is_seen_and_scanned_after_year_3(
    records: pd.DataFrame, survivors: pd.DataFrame
) -> None:
    for kind in ("edss", "mri"):
        last = of_kind(records, kind).groupby("patient_id")["day"].max()
        assert (last[survivors.index] > 1096).all()


# ---- Both tell the same ------------------------------------------------------------------------------


def in_years(days: pd.Series) -> pd.Series:
    return (days / DAYS_PER_YEAR).round(4)


def assert_same(table_column: pd.Series, from_records: pd.Series) -> None:
    """Compare by patient; a patient without a value is missing in both."""
    pd.testing.assert_series_equal(
        table_column.astype(float),
        from_records.reindex(table_column.index).astype(float),
        check_names=False,
        rtol=0,
        atol=1e-12,
    )


def test_both_attributes(table: pd.DataFrame, records: pd.DataFrame) -> None:
    attributes = of_kind(records, "baseline").set_index("patient_id").loc[:, "site":"graft"]
    pd.testing.assert_frame_equal(attributes, table[attributes.columns], check_dtype=False)


def test_both_counts(table: pd.DataFrame, records: pd.DataFrame) -> None:
    scans = of_kind(records, "mri")
    before, after = scans[scans["day"] <= 0], scans[scans["day"] > 0]
    n_after = after.groupby("patient_id").size().reindex(table.index, fill_value=0)
    n_new = after.groupby("patient_id")["new_lesions"].sum().reindex(table.index, fill_value=0)
    assert_same(table["relapses_before"], of_kind(records, "relapse").groupby("patient_id").size())
    assert_same(table["lesions_before"], before.groupby("patient_id")["gd_lesions"].sum())
    assert_same(table["scans_after"], n_after)
    assert_same(table["new_lesions_after"], n_new)


def test_both_times(table: pd.DataFrame, records: pd.DataFrame) -> None:
    scans, visits = of_kind(records, "mri"), of_kind(records, "edss")
    after, seen = scans[scans["day"] > 0], visits[visits["day"] > 0]
    with_new = after[after["new_lesions"] > 0]
    for name, days in {
        "years_observed_before": -of_kind(records, "observed_from").set_index("patient_id")["day"],
        "follow_up_years": records.groupby("patient_id")["day"].max(),
        "years_to_last_scan": after.groupby("patient_id")["day"].max(),
        "years_to_last_edss": seen.groupby("patient_id")["day"].max(),
        "years_to_first_new_lesion": with_new.groupby("patient_id")["day"].min(),
        "years_to_death": of_kind(records, "death").set_index("patient_id")["day"],
    }.items():
        assert_same(table[name], in_years(days))


@pytest.mark.parametrize(("name", "sign"), [("years_to_worsening", 1), ("years_to_improvement", -1)])
def test_both_confirmed_edss_change(table: pd.DataFrame, records: pd.DataFrame, name: str, sign: int) -> None:
    # Each visit is tried as the onset: all visits from it to the first one 161 days on (24 weeks less
    # 7 days) must show the change. No relapse is near any visit here, so all of them may confirm.
    onsets = {}
    for patient, visits in of_kind(records, "edss").groupby("patient_id"):
        edss = visits.set_index("day")["edss"]
        baseline, after = edss.loc[:0].iloc[-1], edss.loc[1:]
        is_changed = sign * (after - baseline) >= (1.0 if baseline < 5.5 else 0.5)
        for onset in after.index:
            confirming = after.loc[onset + 161 :].index
            if len(confirming) and is_changed.loc[onset : confirming[0]].all():
                onsets[patient] = onset
                break
    assert_same(table[name], in_years(pd.Series(onsets)))


# ---- The files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_packaged_copy_is_the_same_file(name: str) -> None:
    assert (PACKAGED / name).read_bytes() == (DATA / name).read_bytes()


def test_script_writes_the_same_bytes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    script = importlib.import_module("make_samples")
    script.make_samples(tmp_path)
    script.make_abstract(tmp_path)
    for name in (*NAMES, "atkins2016_lancet.csv"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()


# ---- The other cohort: the trial's own abstract --------------------------------------------------------
#
# Expected values: Lancet 2016;388:576-585, abstract (ir.library.carleton.ca/pub/16450).


@pytest.fixture(scope="module")
def abstract() -> pd.DataFrame:
    return pd.read_csv(DATA / "atkins2016_lancet.csv").set_index("patient_id")


def test_abstract_who_was_treated(abstract: pd.DataFrame, table: pd.DataFrame) -> None:
    assert len(abstract) == 24
    assert not set(abstract.index) & set(table.index)  # other patients
    assert list(abstract.columns) == list(table.columns)
    assert (abstract["age_years"].min(), abstract["age_years"].max()) == (18, 50)
    assert (abstract["edss_baseline"].min(), abstract["edss_baseline"].max()) == (3.0, 6.0)
    assert abstract["site"].nunique() == 3
    assert set(abstract["conditioning"]) == {"Bu/Cy/ATG"}
    assert set(abstract["graft"]) == {"CD34-selected"}


def test_abstract_relapses_and_lesions(abstract: pd.DataFrame) -> None:
    assert (abstract["relapses_before"].sum(), abstract["relapses_after"].sum()) == (167, 0)
    assert abstract["years_observed_before"].sum() == pytest.approx(140.0, abs=1e-9)
    assert (abstract["lesions_before"].sum(), abstract["scans_before"].sum()) == (188, 48)
    assert (abstract["new_lesions_after"].sum(), abstract["scans_after"].sum()) == (0, 314)
    assert abstract[["years_to_first_relapse", "years_to_first_new_lesion"]].isna().all(axis=None)


def test_abstract_seven_of_23_worsen_and_16_are_followed_past_3_years(abstract: pd.DataFrame) -> None:
    (dead,) = abstract[abstract["years_to_death"].notna()].to_dict("records")
    assert dead["cause_of_death"] == "transplant"
    survivors = abstract[abstract["years_to_death"].isna()]
    worsened = survivors["years_to_worsening"].dropna()
    assert len(worsened) == 7
    # The death comes before the first event, and nobody else is lost by year 3: Kaplan-Meier is 16 of 23.
    assert dead["years_to_death"] < worsened.min()
    assert worsened.max() < 3
    last_seen = survivors[["years_to_last_scan", "years_to_last_edss", "follow_up_years"]].min(axis=1)
    assert (last_seen > 3).all()
    assert survivors["years_to_improvement"].notna().sum() == 8


def test_abstract_follow_up_of_survivors(abstract: pd.DataFrame) -> None:
    years = abstract.loc[abstract["years_to_death"].isna(), "follow_up_years"]
    assert (round(years.min(), 1), round(years.median(), 1), round(years.max(), 1)) == (3.9, 6.7, 12.7)
