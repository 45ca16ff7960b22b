"""Who was treated: counts and distributions over the patients."""

from __future__ import annotations

from patient_tables import cohort, without

from ahsct_trial import sensitivity, summarize
from ahsct_trial.results import CohortInfo, Distribution, Summary
from ahsct_trial.sensitivity_analysis import Sensitivity

TABLE = """
id site     sex    age_years ms_course follow_up years_observed_before edss dead_at
1  Ottawa   female        30 RRMS            6.0                   2.0  4.0       .
2  Ottawa   male          20 SPMS            4.0                   3.0  6.0       .
3  Toronto  .              . RRMS            0.5                     .  3.5     0.5
4  Montreal female        50 .               8.0                   1.0    .       .
"""


def described(text: str) -> CohortInfo:
    return summarize(cohort(text)).cohort


def test_counts_are_by_frequency_then_by_text() -> None:
    info = described(TABLE)
    assert (info.n_patients, info.n_sites) == (4, 3)
    assert list(info.site.items()) == [("Ottawa", 2), ("Montreal", 1), ("Toronto", 1)]
    assert (info.sex, info.ms_course) == ({"female": 2, "male": 1}, {"RRMS": 2, "SPMS": 1})


def test_distributions_leave_empty_cells_out() -> None:
    info = described(TABLE)
    assert info.age_years == Distribution(n=3, median=30.0, min=20.0, max=50.0, total=None)
    assert info.edss_baseline == Distribution(n=3, median=4.0, min=3.5, max=6.0, total=None)
    follow_up = info.follow_up
    figures = (follow_up.n, follow_up.median, follow_up.min, follow_up.max, follow_up.total)
    assert figures == (4, 5.0, 0.5, 8.0, 18.5)
    assert follow_up.survivors == Distribution(n=3, median=6.0, min=4.0, max=8.0, total=18.0)
    assert info.years_observed_before == Distribution(n=3, median=2.0, min=1.0, max=3.0, total=6.0)


def test_empty_cells_are_counted_by_column() -> None:
    n_missing = {name: n for name, n in described(TABLE).n_missing.items() if n}
    assert n_missing == {
        "sex": 1,
        "age_years": 1,
        "ms_course": 1,
        "years_observed_before": 1,
        "edss_baseline": 1,
        "years_to_death": 3,
    }


def test_missing_columns_are_empty_not_zero() -> None:
    info = described(without(["site", "sex", "age_years", "years_to_death"], TABLE))
    assert info.n_sites is None
    assert (info.site, info.sex, info.arm) == ({}, {}, {})
    assert info.age_years == Distribution(n=0, median=None, min=None, max=None, total=None)
    # Who survived is not in the file.
    assert info.follow_up.survivors.n == 0
    assert "site" not in info.n_missing


def test_median_follow_up_and_its_completeness() -> None:
    follow_up = described(TABLE).follow_up
    # Reverse Kaplan–Meier: 3 lives, and is at risk to 0.5 alone. Losses at 4, 6 and 8: 2/3, 1/3, 0; the
    # first time
    # at which no more than half are still followed is 6.
    assert follow_up.reverse_kaplan_meier.value == 6.0
    # Of 3 years each, and 0.5 of the patient who died then: all of them were seen.
    assert follow_up.completeness.value == 1.0
    short = described(
        TABLE.replace("            4.0                   3.0", "            1.0                   3.0")
    )
    assert short.follow_up.completeness.value == (3 + 1 + 0.5 + 3) / (3 + 3 + 0.5 + 3)


def test_patients_without_an_arm_are_not_counted_with_the_others_in_silence() -> None:
    table = "id arm follow_up dead_at\n1 AHSCT 4 .\n2 . 3.5 3.5\n3 NA 5 .\n4 ahsct 2 ."
    text = "2 patients of 4 without an arm, counted with those of AHSCT. --where arm=LEVEL leaves them out."

    def urgent(found: Summary | Sensitivity) -> list[str]:
        return [notice.text for notice in found.notices if notice.severity == "look first"]

    trial = cohort(table)
    assert urgent(summarize(trial)) == [text]
    assert urgent(sensitivity(trial, endpoint="overall_survival")) == [text]
    assert urgent(summarize(trial.where({"arm": ["AHSCT"]}))) == []
    # Where nobody has an arm there is nothing to pool, and several arms are pooled by those who ask for it.
    assert urgent(summarize(cohort(table.replace("ahsct", "BAT")))) == []
    assert urgent(summarize(cohort("id arm follow_up\n1 . 4\n2 . 3"))) == []
