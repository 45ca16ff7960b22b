"""A trial compared with published figures: each verdict, worked out by hand on small cohorts."""

from __future__ import annotations

import csv
from collections.abc import Callable
from math import exp, log, sqrt
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ahsct_trial import Trial, read_cohort
from ahsct_trial.checking import Check, CheckedFigure, check
from ahsct_trial.errors import UsageError
from ahsct_trial.protocol import SETTINGS
from ahsct_trial.published import Eligibility, Figure, Publication, publication, publications

Read = Callable[[str], Trial]

DATA = Path(__file__).parents[2] / "data"

ESTIMATE = "endpoints.relapse_free_survival.survival.value"
EVENT_FREE = "endpoints.relapse_free_survival.proportion.n"
EVALUABLE = "endpoints.relapse_free_survival.proportion.of"
ALL_EVALUABLE = "endpoints.relapse_free_survival.n_evaluable"
SCANS = "endpoints.lesions.after.scans_with_lesions"
RATE_BEFORE = "endpoints.relapse_rate.before.rate.value"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def from_text(text: str) -> Trial:
        path = tmp_path / "cohort.csv"
        path.write_text(text, encoding="utf-8")
        return read_cohort(path)

    return from_text


@pytest.fixture
def abstract(read: Read) -> Trial:
    """23 patients of whom 7 relapse, one each quarter from 0.5 years on, and 16 are seen for 4 years.

    R's survival gives for it at 3 years 0.695652 (0.465642 to 0.841721) with log-log limits and 0.530878
    to 0.911568 with log limits, and the exact limits of 16 of 23 are 0.470808 and 0.867897: see
    tests/reference/lancet2016_check.csv, case A.
    """
    rows = [f"R{n},4,1,{0.5 + n / 4}\n" for n in range(7)] + [f"F{n},4,0,\n" for n in range(16)]
    header = "patient_id,follow_up_years,relapses_after,years_to_first_relapse,years_to_death\n"
    return read(header + "".join(f"{row[:-1]},\n" for row in rows))


def published(*figures: Figure, **other: Any) -> Publication:
    return Publication(id="here", title="Made for a test", citation="None", figures=figures, **other)


def figure(value: str, path: str, **other: Any) -> Figure:
    fixed = {"label": "A figure", "mark": "V", "source": "Table 1", "definition": "As counted"}
    return Figure(value=value, figure=path, **(fixed | other))


def checked(cohort: Trial, each: Figure, **overrides: Any) -> CheckedFigure:
    (found,) = check(cohort, published(each), overrides).figures
    return found


def limits(found: CheckedFigure) -> tuple[float | None, float | None]:
    assert found.estimate is not None
    return found.estimate.ci_low, found.estimate.ci_high


# ---- One figure ---------------------------------------------------------------------------------------


def percentage(value: str, *ci: str, **other: Any) -> Figure:
    return figure(value, ESTIMATE, unit="%", ci=ci or None, **other)


def test_the_trials_own_figure_is_reproduced_with_its_interval(abstract: Trial) -> None:
    found = checked(abstract, percentage("69.6", "46.6", "84.2", horizon_years=3))
    assert found.verdict == "reproduced"
    assert (found.published, found.published_ci, found.unit) == ("69.6", ("46.6", "84.2"), "%")
    assert found.value == pytest.approx(0.695652173913043, rel=1e-12)
    assert limits(found) == pytest.approx((0.465641749762004, 0.841721291391763), rel=1e-12)
    assert found.estimate.ci_method == "log-log"
    assert (found.mark, found.source, found.definition) == ("V", "Table 1", "As counted")


@pytest.mark.parametrize(
    ("each", "verdict"),
    [
        (percentage("69.6"), "reproduced"),
        (percentage("70"), "reproduced"),
        (percentage("69.57"), "reproduced"),
        (percentage("69.56"), "compatible"),
        (percentage("69.6", "46.6", "84.1"), "compatible"),
        (percentage("69.6", "46.5", "84.2"), "compatible"),
        (percentage("69.6", "47", "84"), "reproduced"),
        (percentage("69.5", "46.6", "84.2"), "compatible"),
        (percentage("46.6"), "compatible"),  # the lower limit is 46.564
        (percentage("46.5"), "differs"),
        (percentage("84.1"), "compatible"),  # the upper limit is 84.172
        (percentage("84.2"), "differs"),
        (figure("69.6", ESTIMATE, unit="%"), "reproduced"),
        (figure("69.5", ESTIMATE, unit="%"), "compatible"),  # its interval is found, named or not
        (figure("0.70", ESTIMATE), "reproduced"),
        (figure("0.60", ESTIMATE), "compatible"),
        (figure("69.6", ESTIMATE), "differs"),  # no percentage
    ],
)
def test_verdict_on_a_percentage(abstract: Trial, each: Figure, verdict: str) -> None:
    assert checked(abstract, each).verdict == verdict


def test_the_interval_is_the_protocols(abstract: Trial) -> None:
    assert checked(abstract, percentage("69.6", "46.6", "84.2"), ci_method="log").verdict == "compatible"
    assert checked(abstract, percentage("69.6", "53.1", "91.2"), ci_method="log").verdict == "reproduced"


def count(value: str, of: str) -> Figure:
    return figure(value, EVENT_FREE, of=of, figure_of=EVALUABLE)


@pytest.mark.parametrize(
    ("each", "verdict"),
    [
        (count("16", "23"), "reproduced"),
        (count("16", "24"), "compatible"),  # 0.667 in 0.4708 to 0.8679
        (count("11", "23"), "compatible"),  # 0.478
        (count("10", "23"), "differs"),  # 0.435
        (count("20", "23"), "differs"),  # 0.8696
        (count("32", "46"), "compatible"),  # the same share of others
    ],
)
def test_a_count_is_reproduced_only_with_what_it_is_counted_of(
    abstract: Trial, each: Figure, verdict: str
) -> None:
    found = checked(abstract, each)
    assert found.verdict == verdict
    assert (found.value, found.of, found.published_of) == (16, 23, each.of)


@pytest.mark.parametrize(
    ("relapses", "value", "is_reproduced"),
    [(57, "0.29", True), (57, "0.28", False), (57, "0.285", True), (57, "0.3", True), (50, "0.3", True)],
)
def test_a_rate_is_rounded_half_up_as_printed(
    read: Read, relapses: int, value: str, is_reproduced: bool
) -> None:
    # 57 in 200 patient-years are 0.285, whose nearest binary number lies below it; 50 are 0.25. The relapses
    # are spread evenly, so that they vary as Poisson counts do or less.
    counts = [relapses // 10 + (n < relapses % 10) for n in range(10)]
    cohort = read(
        "patient_id,follow_up_years,years_observed_before,relapses_before\n"
        + "".join(f"P{n},1,20,{own}\n" for n, own in enumerate(counts))
    )
    found = checked(cohort, figure(value, RATE_BEFORE))
    assert found.verdict == ("reproduced" if is_reproduced else "compatible")


@pytest.mark.parametrize(
    ("n_with_lesions", "of", "value", "verdict"),
    [
        (1, 16, "6.3", "reproduced"),  # 6.25
        (1, 16, "6.2", "compatible"),
        (5, 8, "63", "reproduced"),  # 62.5
        (5, 8, "62", "compatible"),
        (229, 400, "57.3", "reproduced"),  # 57.25; 0.5725 times 100 is 57.24999999999999
        (229, 400, "57.2", "compatible"),
    ],
)
def test_a_percentage_is_rounded_half_up_as_printed(
    read: Read, n_with_lesions: int, of: int, value: str, verdict: str
) -> None:
    cohort = read(
        "patient_id,follow_up_years,scans_after,scans_with_new_lesions_after,new_lesions_after,"
        f"years_to_first_new_lesion\nA,4,{of},{n_with_lesions},{n_with_lesions},1\n"
    )
    assert checked(cohort, figure(value, f"{SCANS}.value", unit="%")).verdict == verdict


def test_what_the_file_lacks_is_not_computable(abstract: Trial) -> None:
    for each in (
        figure("1.2", RATE_BEFORE),
        figure("0", f"{SCANS}.value", unit="%"),
        figure("16", EVENT_FREE, of="23", figure_of="endpoints.lesions.after.n_scans"),
        figure("3", "cohort.n_sites"),
    ):
        found = checked(abstract, each)
        assert found.verdict == "not computable"
        assert found.value is None or found.of is None


def test_a_figure_is_computed_at_its_own_horizon_unless_the_protocol_is_another(abstract: Trial) -> None:
    # By 1 year three of 23 have relapsed, at 0.5, 0.75 and 1.0 (87.0 %); by 3 years seven (69.6 %).
    both = published(
        percentage("87.0", horizon_years=1, label="a"), percentage("69.6", horizon_years=3, label="b")
    )
    assert [each.verdict for each in check(abstract, both).figures] == ["reproduced", "reproduced"]
    at_1, at_3 = check(abstract, both, {"horizon_years": 3.0}).figures
    assert (at_1.verdict, at_3.verdict) == ("not computable", "reproduced")
    assert at_1.note == "The published horizon is year 1, the protocol's is year 3."
    assert (at_1.value, at_1.horizon_years) == (None, 1)


def test_a_figure_without_a_horizon_says_where_the_cohorts_stands(abstract: Trial) -> None:
    anywhere = checked(abstract, percentage("69.6"), horizon_years=3.5)
    assert anywhere.verdict == "reproduced"
    assert anywhere.note == "No horizon is stated; this cohort's figure is at year 3.5."
    assert checked(abstract, figure("23", "cohort.n_patients")).note is None


def test_a_share_with_the_event_is_one_less_the_share_without(abstract: Trial) -> None:
    # 7 of 23; R's limits of the share without, 0.4656 and 0.8417, turned around.
    found = checked(abstract, percentage("30.4", "15.8", "53.4", is_complement=True))
    assert found.verdict == "reproduced"
    assert found.value == pytest.approx(7 / 23, rel=1e-12)
    assert limits(found) == (
        pytest.approx(1 - 0.841721291391763),
        pytest.approx(1 - 0.465641749762004),
    )


def test_half_of_a_complement_is_rounded_up(read: Read) -> None:
    # 395 of 400 scans without a lesion would be 0.9875; 1 less that is 0.0125, in binary a little less.
    cohort = read(
        "patient_id,follow_up_years,scans_after,scans_with_new_lesions_after,new_lesions_after,"
        "years_to_first_new_lesion\nA,4,400,395,395,1\n"
    )
    found = checked(cohort, figure("1.3", f"{SCANS}.value", unit="%", is_complement=True))
    assert found.verdict == "reproduced"


def test_a_figure_without_a_counterpart_says_so(abstract: Trial) -> None:
    ratio = Figure(label="Hazard ratio", value="0.07", mark="V", source="Table 1", definition="Of the arms")
    found = checked(abstract, ratio)
    assert (found.verdict, found.note) == ("not computable", "No counterpart: see its definition.")
    why = checked(abstract, msgspec.structs.replace(ratio, no_counterpart="No hazard ratios here."))
    assert (why.verdict, why.note) == ("not computable", "No hazard ratios here.")


def test_what_the_file_lacks_is_named(abstract: Trial) -> None:
    found = checked(abstract, figure("1.2", RATE_BEFORE))
    assert found.note == "Not in this file: relapses_before, years_observed_before."


def test_neda_is_judged_at_the_horizon(read: Read) -> None:
    # Seen for 5 years each, and B relapses at 1.5: both are free of activity at 1 year, one of them at 2.
    cohort = read(
        "patient_id,follow_up_years,relapses_after,years_to_first_relapse,scans_after,years_to_first_new_lesion,"
        "edss_baseline,years_to_worsening\nA,5,0,,5,,3,\nB,5,1,1.5,5,,3,\n"
    )

    def neda(value: str, horizon: float) -> Figure:
        path = "endpoints.neda3.at_horizon.n_yes"
        return figure(value, path, of="2", figure_of="cohort.n_patients", horizon_years=horizon)

    for horizon, n_yes in ((1, "2"), (2, "1")):
        assert checked(cohort, neda(n_yes, horizon)).verdict == "reproduced"
    between = checked(cohort, neda("2", 1.5))
    assert (between.verdict, between.note) == ("not computable", "Judged at whole years, and not at 1.5.")


# ---- The interval of exactly that figure --------------------------------------------------------------
#
# Where all of n succeed the exact interval at 95 % goes from 0.025^(1/n) to 1: 0.025^(1/7) is 0.590,
# 0.025^(1/3) is 0.292. R's binom.test gives the same.


def nobody_relapses(n: int) -> str:
    header = "patient_id,follow_up_years,relapses_after,years_to_first_relapse,years_to_death\n"
    return header + "".join(f"F{i},4,0,,\n" for i in range(n))


def test_where_nobody_fails_the_exact_interval_stands_in(read: Read) -> None:
    found = checked(read(nobody_relapses(7)), percentage("85.5", "76.9", "94.1"))
    assert (found.value, found.verdict) == (1, "compatible")
    assert limits(found) == (pytest.approx(0.025 ** (1 / 7)), 1)
    assert found.estimate is not None
    assert found.estimate.ci_method == "beta-product"
    assert checked(read(nobody_relapses(7)), percentage("58.9")).verdict == "differs"
    nobody_left = read(nobody_relapses(3).replace(",4,0,,", ",1,1,1,"))
    none = checked(nobody_left, percentage("70.0"))
    assert none.value == 0
    assert limits(none) == (0, pytest.approx(1 - 0.025 ** (1 / 3)))
    assert none.verdict == "compatible"


def test_the_interval_of_an_estimate_off_the_crude_count_stays_its_own(read: Read) -> None:
    # A dies in the last place at year 2, B is lost at 1: Kaplan-Meier 0, crude 0 of 1, so exact.
    cohort = read(nobody_relapses(0) + "A,2,1,2,\nB,1,0,,\n")
    found = checked(cohort, percentage("50.0"))
    assert found.estimate is not None
    assert (found.value, found.estimate.ci_method) == (0, "beta-product")
    assert found.estimate.ci_high == pytest.approx(0.975)


def test_a_pair_of_counts_has_its_own_exact_interval(abstract: Trial) -> None:
    # 7 events of 23: 1 less R's limits of 16 of 23, 0.470808 and 0.867897.
    events = "endpoints.relapse_free_survival.n_events"
    found = checked(abstract, figure("2", events, of="10", figure_of=ALL_EVALUABLE))
    assert (found.value, found.of, found.verdict) == (7, 23, "compatible")
    assert limits(found) == (
        pytest.approx(1 - 0.867897, abs=1e-6),
        pytest.approx(1 - 0.470808, abs=1e-6),
    )
    assert checked(abstract, figure("1", events, of="10", figure_of=ALL_EVALUABLE)).verdict == "differs"


def test_23_of_24_has_not_the_interval_of_23_of_23(read: Read) -> None:
    # 23 patients without activity and one whom nobody scanned. Of 24 the lower limit p has probability
    # 24 p^23 (1 - p) + p^24 = 0.025 of 23 or 24, the upper 1 - p^24 = 0.025 of 23 or fewer.
    rows = [f"F{n},5,0,,5,,3,\n" for n in range(23)] + ["U,5,0,,,,3,\n"]
    cohort = read(
        "patient_id,follow_up_years,relapses_after,years_to_first_relapse,scans_after,"
        "years_to_first_new_lesion,edss_baseline,years_to_worsening\n" + "".join(rows)
    )
    neda = figure("25", "endpoints.neda3.at_horizon.n_yes", of="30", figure_of="cohort.n_patients")
    found = checked(cohort, neda)
    assert (found.value, found.of, found.verdict) == (23, 24, "compatible")
    low, high = limits(found)
    assert low is not None
    assert 24 * low**23 * (1 - low) + low**24 == pytest.approx(0.025, rel=1e-9)
    assert high == pytest.approx(0.975 ** (1 / 24), rel=1e-12)


# ---- Who is counted -----------------------------------------------------------------------------------


def test_a_crude_share_says_whom_nobody_followed(read: Read) -> None:
    # By year 4: A and B relapsed at 1 and 2 years; C and D were followed for 5 years without; E, F and G
    # left at 1 year, and a later relapse of theirs nobody could have seen. 2 of 4 evaluable of 7.
    cohort = read(
        "patient_id,follow_up_years,relapses_after,years_to_first_relapse,scans_after,"
        "years_to_first_new_lesion,edss_baseline,years_to_worsening,years_to_death\n"
        "A,5,1,1,5,,3,,\nB,5,1,2,5,,3,,\nC,5,0,,5,,3,,\nD,5,0,,5,,3,,\n"
        "E,1,0,,1,,3,,\nF,1,0,,1,,3,,\nG,1,0,,1,,3,,\n"
    )
    said = (
        "4 of 7 evaluable; 3 not followed to year 4 without failing: a patient who fails counts however "
        "short the follow-up, so the share free of it tends to be too low."
    )
    neda = figure("50", "endpoints.neda3.at_horizon.proportion.value", unit="%", horizon_years=4)
    found = checked(cohort, neda)
    assert (found.value, found.estimate.of, found.n_patients, found.note) == (0.5, 4, 7, said)
    crude = checked(
        cohort, figure("2", EVENT_FREE, of="4", figure_of=EVALUABLE, horizon_years=4, label="crude")
    )
    assert (crude.value, crude.of, crude.note) == (2, 4, said)
    # Kaplan-Meier counts E, F and G while they were there: 6 of 7 at year 1, where a loss comes after an
    # event; B is then one of the three still there, 2 of 3 at year 2; together 4/7.
    estimate = checked(cohort, percentage("57.1", horizon_years=4))
    assert estimate.value == pytest.approx(4 / 7)
    assert (estimate.estimate.of, estimate.n_event_free, estimate.n_evaluable) == (7, 2, 4)
    assert estimate.note is None


@pytest.mark.parametrize("year", [3, 10])
def test_nothing_is_judged_by_failures_alone(read: Read, year: int) -> None:
    # A relapses at 1 year, and both leave at 2: what is known of later years is one failure.
    cohort = read(
        "patient_id,follow_up_years,relapses_after,years_to_first_relapse,scans_after,"
        "years_to_first_new_lesion,edss_baseline,years_to_worsening,years_to_death\n"
        "A,2,1,1,2,,3,,\nB,2,0,,2,,3,,\n"
    )
    for each in (
        figure("0", "endpoints.neda3.at_horizon.proportion.value", unit="%", horizon_years=year),
        figure("0", EVENT_FREE, of="1", figure_of=EVALUABLE, horizon_years=year),
    ):
        found = checked(cohort, each)
        assert (found.verdict, found.value) == ("not computable", None)
        assert found.note is not None
        assert f"year {year}" in found.note or f"{year} years" in found.note


def test_where_all_are_evaluable_nothing_is_said(abstract: Trial) -> None:
    found = checked(abstract, figure("16", EVENT_FREE, of="23", figure_of=EVALUABLE, horizon_years=3))
    assert (found.note, found.n_patients, found.n_event_free, found.n_evaluable) == (None, 23, 16, 23)


def test_a_count_without_what_it_is_of_is_not_judged(abstract: Trial) -> None:
    events = "endpoints.relapse_free_survival.n_events"
    seven = checked(abstract, figure("7", events))
    assert (seven.verdict, seven.value) == ("not computable", None)
    assert seven.note == "No denominator of the published count was read; here it is 7 among 23 patients."
    assert checked(abstract, figure("0", events)).note == seven.note  # 7 are not none, but of how many?
    nobody = checked(abstract, figure("0", "endpoints.relapse_free_survival.n_late_events"))
    assert nobody.verdict == "reproduced"  # none is none, of however many
    assert checked(abstract, figure("23", "cohort.n_patients")).verdict == "reproduced"


# ---- Whose settings -----------------------------------------------------------------------------------


def test_settings_are_told_apart_by_who_gave_them(abstract: Trial) -> None:
    own = published(
        percentage("69.6", horizon_years=3),
        percentage("69.6", horizon_years=4, label="later"),
        protocol={"death": "censor", "confidence_level": 0.9},
        inferred=("death",),
    )
    done = check(abstract, own)
    assert done.horizons_stated == (3, 4)
    assert done.settings_stated == ("horizon_years", "confidence_level")
    assert done.settings_inferred == ("death",)
    assert "ci_method" in done.settings_by_default
    assert {*done.settings_stated, *done.settings_inferred, *done.settings_by_default} == set(SETTINGS)
    assert check(abstract, published()).horizons_stated == ()


def test_a_protocol_of_the_same_settings_is_the_publications_own(abstract: Trial) -> None:
    own = published(protocol={"horizon_years": 5.0})
    assert check(abstract, own, {"horizon_years": 5.0}).is_own_protocol
    assert not check(abstract, own, {"horizon_years": 3.0}).is_own_protocol


# ---- Arms and other groups ----------------------------------------------------------------------------
#
# Worked out by hand. HSCT: A relapses at 1 year, B and C do not within 4 years: 2 of 3. Drug: D and E
# relapse at 1 and 2 years, F does not: 1 of 3. Relapsing-remitting are A, B and D, 1 of 3;
# the others C, E and F, 2 of 3.

TWO_ARMS = (
    "patient_id,arm,ms_course,follow_up_years,relapses_after,years_to_first_relapse,years_to_death\n"
    "A,HSCT,RRMS,4,1,1,\nB,HSCT,RRMS,4,0,,\nC,HSCT,SPMS,4,0,,\n"
    "D,Drug,RRMS,4,1,1,\nE,Drug,PPMS,4,1,2,\nF,Drug,SPMS,4,0,,\n"
)


def of(value: str, label: str, **where: tuple[str, ...]) -> Figure:
    return figure(value, EVENT_FREE, of="3", figure_of=EVALUABLE, label=label, horizon_years=3, where=where)


def test_a_figure_of_an_arm_counts_that_arm(read: Read) -> None:
    trial = published(of("2", "a", arm=("transplant",)), of("1", "b", arm=("comparator",)))
    assert trial.arms == ("transplant", "comparator")
    done = check(read(TWO_ARMS), trial.with_arms({"transplant": "hsct", "comparator": "Drug"}))
    assert [(each.value, each.of, each.verdict) for each in done.figures] == [
        (2, 3, "reproduced"),
        (1, 3, "reproduced"),
    ]
    assert done.figures[0].where == {"arm": ("hsct",)}
    assert done.n_patients == 6


def test_an_arm_that_the_cohort_calls_otherwise_is_asked_for(read: Read) -> None:
    (found,) = check(read(TWO_ARMS), published(of("2", "a", arm=("transplant",)))).figures
    assert found.verdict == "not computable"
    assert found.note == (
        "No patient has arm transplant. This file has arm Drug, HSCT. Say which is meant with "
        "--arm transplant=…"
    )


def test_an_arm_that_the_publication_does_not_have() -> None:
    with pytest.raises(UsageError, match=r"here has no arm 'drug'. Its arms are transplant\."):
        published(of("2", "a", arm=("transplant",))).with_arms({"drug": "Drug"})
    with pytest.raises(UsageError, match="It tells no arms apart"):
        published().with_arms({"drug": "Drug"})


def test_a_figure_of_some_courses_counts_those(read: Read) -> None:
    groups = published(
        of("1", "a", ms_course=("RRMS",)),
        of("2", "b", ms_course=("SPMS", "PPMS")),
        of("1", "c", ms_course=("RRMS",), arm=("Drug",)),
    )
    remitting, progressive, one = check(read(TWO_ARMS), groups).figures
    assert (remitting.value, remitting.of, remitting.verdict) == (1, 3, "reproduced")
    assert (progressive.value, progressive.of, progressive.verdict) == (2, 3, "reproduced")
    assert (one.value, one.of) == (0, 1)


def test_a_group_that_the_cohort_does_not_have_or_does_not_tell(read: Read) -> None:
    only_ppms = published(of("1", "a", ms_course=("PPMS",), arm=("HSCT",)), of("1", "b", sex=("female",)))
    nobody, untold = check(read(TWO_ARMS), only_ppms).figures
    assert nobody.verdict == untold.verdict == "not computable"
    assert nobody.note is not None
    assert nobody.note.startswith("No patient has ms_course PPMS and arm HSCT.")
    assert untold.note is not None
    assert untold.note.startswith("This file has no attribute 'sex'.")


# ---- Why a figure differs -----------------------------------------------------------------------------


def test_why_the_abstracts_cohort_is_not_the_summarys_23_of_24() -> None:
    cohort = read_cohort(DATA / "atkins2016_lancet.csv")
    done = check(cohort, publication("atkins2016-summary"))
    headline = done.figures[0]
    assert (headline.value, headline.of, headline.verdict) == (16, 24, "differs")
    assert headline.note is not None
    # 7 worsened and 1 died; 23 have neither relapse nor lesion and live; the death left out, 16 of 23.
    assert headline.note.startswith(
        "Events here up to year 3: confirmed EDSS worsening 7, death 1. "
        "Not counting confirmed EDSS worsening, it is 23 of 24, as published. "
        "With the death rule changed, so that a death ends the observation, it is 16 of 23. "
    )
    assert "the composite" in headline.note
    assert done.n_differs == 1


def test_why_the_summarys_cohort_is_not_the_abstracts_69_6() -> None:
    cohort = read_cohort(DATA / "sample_cohort.csv")
    done = check(cohort, publication("atkins2016-lancet"))
    by_label = {each.label: each for each in done.figures}
    headline = by_label["MS activity-free at 3 years"]
    assert (headline.value, headline.verdict) == (1.0, "differs")
    assert headline.note is not None
    # Its one event by year 3 is the death: 23 of 24 where it counts.
    assert headline.note.startswith(
        "At 100 % the beta-product limits stand in. Events here up to year 3: none. "
        "With the death rule changed, so that a death counts as an event, it is 95.8 %. "
    )


def test_a_figure_that_agrees_needs_no_reason(abstract: Trial) -> None:
    assert checked(abstract, percentage("69.6", horizon_years=3, differs="Said elsewhere.")).note is None
    other = checked(abstract, percentage("10.0", horizon_years=3, differs="Said elsewhere."))
    assert other.note is not None
    assert other.note.endswith("Said elsewhere.")


# ---- The sample files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "against", "n_figures"),
    [
        ("sample_cohort.csv", "atkins2016-summary", 6),
        ("sample_records.csv", "atkins2016-summary", 6),
        ("atkins2016_lancet.csv", "atkins2016-lancet", 15),
    ],
)
def test_a_sample_reproduces_all_that_it_was_made_for(file: str, against: str, n_figures: int) -> None:
    done = check(read_cohort(DATA / file), publication(against))
    verdicts = [each.verdict for each in done.figures]
    assert verdicts.count("reproduced") == n_figures
    # What has no counterpart in the program is no failure to reproduce.
    assert verdicts.count("not computable") == sum(
        each.figure is None for each in publication(against).figures
    )
    assert len(verdicts) == n_figures + verdicts.count("not computable")
    assert done.is_own_protocol


def test_the_abstracts_figures_to_their_last_digit() -> None:
    # R 4.2.2, survival 3.5-3: tests/reference/lancet2016_check.csv, case B.
    done = check(read_cohort(DATA / "atkins2016_lancet.csv"), publication("atkins2016-lancet"))
    headline = done.figures[0]
    assert headline.value == pytest.approx(0.695652173913043, rel=1e-12)
    assert limits(headline) == pytest.approx((0.465641749762004, 0.841721291391763), rel=1e-12)
    assert done.protocol.death == "censor"


@pytest.mark.parametrize(
    "file", ["sample_cohort.csv", "sample_records.csv", "atkins2016_lancet.csv", "sample_trial.csv"]
)
def test_every_sample_can_be_compared_with_every_publication(file: str) -> None:
    cohort = read_cohort(DATA / file)
    for known in publications().values():
        if cohort.time_zero not in {None, known.own_protocol().time_zero}:
            with pytest.raises(UsageError, match="Read them with that time zero"):
                check(cohort, known)
            continue
        done = check(cohort, known)
        assert len(done.figures) == len(known.figures)
        for each in done.figures:
            assert (each.value is None) == (each.verdict == "not computable")
            assert each.note or each.verdict != "not computable"
        judged = [each for each in done.figures if each.mark != "D"]
        totals = (done.n_reproduced, done.n_compatible, done.n_differs, done.n_not_computable)
        assert sum(totals) == len(judged) == len(done.figures) - done.n_computed_here


# ---- Two arms: the randomised trial -------------------------------------------------------------------
#
# MIST (Burt 2019), abstract: 55 patients in each arm, 3 and 34 progressed, hazard ratio 0.07 (0.02-0.24), no
# deaths.


@pytest.fixture(scope="module")
def mist() -> dict[str, CheckedFigure]:
    trial = read_cohort(DATA / "sample_trial.csv")
    done = check(trial, publication("mist2019").with_arms({"HSCT": "AHSCT"}))
    return {each.label: each for each in done.figures}


@pytest.mark.parametrize(
    ("label", "value", "of"),
    [
        ("Patients, HSCT arm", 55, None),
        ("Patients, DMT arm", 55, None),
        ("Progression, HSCT arm", 3, 55),
        ("Progression, DMT arm", 34, 55),
        ("Deaths", 0, None),
    ],
)
def test_the_counts_of_both_arms_are_reproduced(
    mist: dict[str, CheckedFigure], label: str, value: float, of: float | None
) -> None:
    found = mist[label]
    assert (found.verdict, found.value, found.of) == ("reproduced", value, of)


def _partial_likelihood_of_the_trial() -> Callable[[float], float]:
    """Cox's log partial likelihood of the log hazard ratio of AHSCT, with Efron's ties, from the file itself.

    Progression ends the observation, or else the last EDSS visit does; nobody died.
    """
    with (DATA / "sample_trial.csv").open(encoding="utf-8") as file:
        patients = [
            (
                float(row["years_to_worsening"] or row["years_to_last_edss"]),
                bool(row["years_to_worsening"]),
                row["arm"] == "AHSCT",
            )
            for row in csv.DictReader(file)
        ]

    sets = [
        (
            [treated for years, is_event, treated in patients if is_event and years == time],
            [treated for years, _, treated in patients if years >= time],
        )
        for time in sorted({years for years, is_event, _ in patients if is_event})
    ]

    def log_likelihood(beta: float) -> float:
        weight = {True: exp(beta), False: 1.0}
        total = 0.0
        for failed, at_risk in sets:
            of_failed, of_all = sum(map(weight.get, failed)), sum(map(weight.get, at_risk))
            total += beta * sum(failed)
            total -= sum(log(of_all - n / len(failed) * of_failed) for n in range(len(failed)))
        return total

    return log_likelihood


def crossing(falls: Callable[[float], float], low: float, high: float) -> float:
    """Where a function changes its sign, by halving."""
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if (falls(middle) > 0) == (falls(low) > 0) else (low, middle)
    return low


def test_the_hazard_ratio_is_reproduced_and_its_interval_is_of_another_kind(
    mist: dict[str, CheckedFigure],
) -> None:
    found = mist["Hazard ratio of progression"]
    assert (found.published, found.published_ci) == ("0.07", ("0.02", "0.24"))
    log_likelihood = _partial_likelihood_of_the_trial()
    step = 1e-4
    best = crossing(lambda beta: log_likelihood(beta + step) - log_likelihood(beta - step), -8, 2)
    assert found.value == pytest.approx(exp(best), rel=1e-5)

    def above(beta: float) -> float:
        # Half of 3.841459, the 95 % point of chi-squared with 1 degree of freedom, below the top.
        return log_likelihood(beta) - log_likelihood(best) + 3.841459 / 2

    expected = (exp(crossing(above, -8, best)), exp(crossing(above, best, 2)))
    assert limits(found) == pytest.approx(expected, rel=1e-5)
    assert found.estimate is not None
    assert found.estimate.ci_method == "cox-efron-profile"
    # Wald's limits, from the curvature at the top, are those that were published.
    curvature = (
        2 * log_likelihood(best) - log_likelihood(best - step) - log_likelihood(best + step)
    ) / step**2
    wald = [exp(best + sign * 1.959964 / sqrt(curvature)) for sign in (-1, 1)]
    assert [f"{limit:.2f}" for limit in wald] == ["0.02", "0.24"]
    assert found.verdict == "compatible"
    assert found.note is not None
    assert "The figure is the same, the interval is another." in found.note
    assert "Wald" in found.note


def test_a_contrast_without_its_arms_is_asked_for() -> None:
    done = check(read_cohort(DATA / "sample_trial.csv"), publication("mist2019"))
    (ratio,) = (each for each in done.figures if each.label == "Hazard ratio of progression")
    assert (ratio.verdict, ratio.value) == ("not computable", None)
    assert ratio.note is not None
    assert "--arm HSCT=" in ratio.note


def test_a_cohort_of_the_published_counts_reproduces_halt_ms(read: Read) -> None:
    # Two of 23 worsen within 5 years: Nash 2017 prints 91.3 (74.7-97.2), a 90 % interval.
    rows = [f"W{n},6,0,3.0,{n + 1},\n" for n in range(2)] + [f"F{n},6,0,3.0,,\n" for n in range(21)]
    cohort = read(
        "patient_id,follow_up_years,relapses_after,edss_baseline,years_to_worsening,years_to_death\n"
        + "".join(rows)
    )
    done = check(cohort, publication("halt-ms2017"))
    verdicts = {each.label: each.verdict for each in done.figures}
    assert verdicts["Progression-free at 5 years"] == "reproduced"
    assert verdicts["Progression by 5 years, counted"] == "reproduced"
    assert verdicts["Event-free at 5 years"] == "not computable"
    assert done.protocol.confidence_level == 0.9


def test_without_a_protocol_the_publications_own_applies(abstract: Trial) -> None:
    # By 1 year three have relapsed, at 0.5, 0.75 and 1.0: 20 of 23 are 87.0 %.
    own = published(percentage("87.0", horizon_years=1), protocol={"horizon_years": 1.0})
    done = check(abstract, own)
    assert [each.verdict for each in done.figures] == ["reproduced"]
    assert (done.protocol.name, done.protocol.horizon_years) == ("here", 1.0)
    assert check(abstract, own, {"horizon_years": 3.0}).figures[0].verdict == "not computable"


def test_a_protocol_that_is_none_names_the_publication(abstract: Trial) -> None:
    with pytest.raises(UsageError, match=r"here.*horizon_year\b"):
        check(abstract, published(protocol={"horizon_year": 1.0}))


# ---- The whole publication ----------------------------------------------------------------------------


def test_verdicts_are_counted_and_figures_keep_their_order(abstract: Trial) -> None:
    figures = [
        percentage("69.6", label="a"),
        percentage("10.0", label="b"),
        percentage("60.0", label="c"),
        figure("3", "cohort.n_sites", label="d"),
        figure("23", "cohort.n_patients", label="e"),
    ]
    done = check(abstract, published(*figures, n_patients=24, n_sites=3, uncertain=("Two sources.",)))
    assert [each.label for each in done.figures] == list("abcde")
    counts = (done.n_reproduced, done.n_compatible, done.n_differs, done.n_not_computable)
    assert counts == (2, 1, 1, 1)
    assert (done.n_patients, done.n_sites) == (23, None)
    assert (done.publication.id, done.publication.n_patients, done.publication.n_sites) == ("here", 24, 3)
    assert done.publication.uncertain == ("Two sources.",)
    assert done.source == abstract.source


# ---- Who would have been eligible for the trial --------------------------------------------------------

RULES = Eligibility(age_years=(18, 50), edss_baseline=(3, 6), prior_therapy="yes")


def criteria(done: Check) -> list[tuple[str, int | None, int | None, int | None]]:
    return [(each.criterion, each.n_met, each.n_not_met, each.n_unknown) for each in done.eligibility]


def test_a_criterion_is_met_not_met_or_unknown(read: Read) -> None:
    cohort = read(
        "patient_id,follow_up_years,age_years,edss_baseline,prior_therapy\n"
        "A,4,18,3.0,yes\nB,4,50,6.0,yes\nC,4,17.9,2.5,no\nD,4,50.1,6.5,\nE,4,,,\nF,4,34,,no\nG,4,34,4.5,\n"
    )
    assert criteria(check(cohort, published(eligibility=RULES))) == [
        ("Age 18 to 50 years", 4, 2, 1),
        ("EDSS 3.0 to 6.0 at baseline", 3, 2, 2),
        ("Earlier therapy had failed", 2, 2, 3),
    ]
    untreated = Eligibility(prior_therapy="no")
    assert criteria(check(cohort, published(eligibility=untreated))) == [("No earlier therapy", 2, 2, 3)]


def test_a_criterion_of_a_missing_column_has_no_counts(abstract: Trial) -> None:
    assert criteria(check(abstract, published(eligibility=RULES))) == [
        ("Age 18 to 50 years", None, None, None),
        ("EDSS 3.0 to 6.0 at baseline", None, None, None),
        ("Earlier therapy had failed", None, None, None),
    ]


def test_an_answer_that_nobody_gave(read: Read) -> None:
    cohort = read("patient_id,follow_up_years,prior_therapy\nA,4,no\nB,4,\n")
    rules = Eligibility(prior_therapy="yes")
    assert criteria(check(cohort, published(eligibility=rules))) == [("Earlier therapy had failed", 0, 1, 1)]


def test_without_criteria_there_are_none(abstract: Trial) -> None:
    assert check(abstract, published()).eligibility == ()
