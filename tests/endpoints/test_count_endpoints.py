"""Relapse and lesion rates, disability and mortality on cohorts worked out by hand in the comments."""

from __future__ import annotations

from itertools import permutations
from math import log

import pytest
from exact_tails import binomial_at_least, binomial_at_most, known, poisson_at_least, poisson_at_most
from patient_tables import cohort, without

from ahsct_trial import Protocol, Summary, summarize
from ahsct_trial.protocol import RECORDS_ONLY


def summary(text: str, protocol: Protocol | None = None) -> Summary:
    return summarize(cohort(text), protocol or Protocol())


# ---- Relapses -----------------------------------------------------------------------------------------

RELAPSES = """
id          years_observed_before relapses_before follow_up relapses relapse_at
both                            2               4         5        1        2.5
no_count                        3               .         5        .          .
no_time                         .               3         4        0          .
none_before                     2               0         1        0          .
"""


def test_relapses_before_over_those_with_a_count_and_a_time() -> None:
    # 4 + 0 relapses in 2 + 2 years. Dispersion: 2 expected of each, (2 x 2 + 2 x 2)/2 / (2 - 1) = 4.
    rate = summary(RELAPSES).endpoints.relapse_rate.before
    assert (rate.n_patients, rate.n_unknown, rate.n_relapses, rate.person_years) == (2, 2, 4, 4.0)
    assert rate.rate == 1.0
    assert rate.dispersion == pytest.approx(4.0)
    # Garwood: each limit leaves 2.5 % of the Poisson probability beyond the 4 that were seen in 4 years.
    assert poisson_at_least(4, 4 * known(rate.ci_low)) == pytest.approx(0.025)
    assert poisson_at_most(4, 4 * known(rate.ci_high)) == pytest.approx(0.025)
    assert rate.ci_method == "garwood"
    assert rate.note == "2 patients left out: relapses_before or years_observed_before is empty."


def test_relapses_after_over_all_follow_up() -> None:
    # 1 relapse in 5 + 4 + 1 years; 0.5, 0.4 and 0.1 expected:
    # (0.5 x 0.5/0.5 + 0.4 x 0.4/0.4 + 0.1 x 0.1/0.1) / (3 - 1) = 0.5.
    rate = summary(RELAPSES).endpoints.relapse_rate.after
    assert (rate.n_patients, rate.n_unknown, rate.n_relapses, rate.person_years) == (3, 1, 1, 10.0)
    assert rate.rate == 0.1
    assert rate.dispersion == pytest.approx(0.5)
    assert rate.note == "1 patient left out: relapses_after or follow_up_years is empty."


def test_ratio_of_relapse_rates() -> None:
    rates = summary(RELAPSES).endpoints.relapse_rate
    assert rates.ratio.value == pytest.approx(0.1)
    assert rates.ratio.ci_method == "exact-conditional"
    assert rates.note is None
    # One of five relapses came after. If the ratio is r, each of the five did with probability
    # 10 r / (10 r + 4); each limit leaves 2.5 % beyond the one.
    low, high = (10 * known(r) / (10 * known(r) + 4) for r in (rates.ratio.ci_low, rates.ratio.ci_high))
    assert binomial_at_least(1, 5, low) == pytest.approx(0.025)
    assert binomial_at_most(1, 5, high) == pytest.approx(0.025)


def test_no_relapse_on_either_side() -> None:
    text = """
    id years_observed_before relapses_before follow_up relapses relapse_at
    A                      2               0         5        0          .
    """
    rates = summary(text).endpoints.relapse_rate
    assert (rates.after.rate, rates.after.ci_low) == (0.0, 0.0)
    assert rates.after.ci_high == pytest.approx(-log(0.025) / 5)  # exp(-5 r) = 0.025
    assert rates.after.dispersion is None
    assert (rates.ratio.value, rates.ratio.ci_low, rates.ratio.ci_high) == (None, None, None)
    assert rates.note == "No ratio: nothing was counted before."


def test_ratio_with_no_relapse_before_has_a_lower_limit_alone() -> None:
    # 10 in 50 years after and 0 in 40 before; R gives 1.79 to infinity (reference/poisson_ratio_ci.csv).
    text = """
    id years_observed_before relapses_before follow_up relapses relapse_at
    A                     40               0        50       10          1
    """
    rates = summary(text).endpoints.relapse_rate
    assert (rates.ratio.value, rates.ratio.ci_high) == (None, None)
    assert rates.ratio.ci_low == pytest.approx(1.79321718007805)
    assert rates.note == "No ratio: nothing was counted before."


def test_no_person_years() -> None:
    text = """
    id years_observed_before relapses_before follow_up relapses relapse_at
    A                      0               0         5        1          1
    """
    rates = summary(text).endpoints.relapse_rate
    assert (rates.before.n_patients, rates.before.n_relapses, rates.before.person_years) == (1, 0, 0.0)
    assert (rates.before.rate, rates.before.ci_low, rates.before.ci_high) == (None, None, None)
    assert rates.before.note == "No rate: years_observed_before sums to 0."
    assert (rates.ratio.value, rates.ratio.ci_low) == (None, None)
    assert rates.note == "No ratio: it needs a rate before and a rate after."


def test_every_count_is_empty() -> None:
    text = """
    id years_observed_before relapses_before follow_up relapses relapse_at
    A                      2               .         5        .          .
    """
    rate = summary(text).endpoints.relapse_rate.before
    assert (rate.n_patients, rate.n_unknown, rate.n_relapses, rate.person_years) == (0, 1, 0, 0.0)
    assert (rate.rate, rate.ci_high, rate.dispersion) == (None, None, None)


@pytest.mark.parametrize("with_other", [True, False])
def test_a_relapse_in_a_patient_without_follow_up_has_no_dispersion(with_other: bool) -> None:
    # A relapse on the day of transplant, and lost the same day: nothing is expected of no time.
    text = "id follow_up relapses relapse_at\nA 0 1 0\n" + ("B 4 1 2\n" if with_other else "")
    rate = summary(text).endpoints.relapse_rate.after
    assert rate.n_relapses == 1 + with_other
    assert rate.rate == (0.5 if with_other else None)
    assert rate.dispersion is None
    assert "No dispersion: relapses_after is above 0 where follow_up_years is 0." in (rate.note or "")


def test_missing_columns_are_named_on_their_side() -> None:
    rates = summary(without(["relapses_before"], RELAPSES)).endpoints.relapse_rate
    before = rates.before
    assert (before.n_patients, before.n_unknown, before.n_relapses, before.person_years) == (None,) * 4
    assert (before.rate, before.ci_low, before.ci_high, before.dispersion) == (None,) * 4
    assert before.note == "Not in this file: relapses_before."
    assert rates.after.rate == 0.1
    assert rates.ratio.value is None
    assert rates.note == "No ratio: it needs a rate before and a rate after."


# ---- Lesions ------------------------------------------------------------------------------------------

LESIONS = """
id        follow_up scans_before lesions_before scans new_lesions_after scans_with_new_lesions_after lesion_at
lesions           5            1              6    10                 3                            2       1.0
none              5            1              2    10                 0                            0         .
no_scan           5            0              0     0                 0                            0         .
uncounted         5            1              .     5                 2                            .       2.0
unscanned         5            .              .     .                 .                            .         .
"""


def test_lesions_before() -> None:
    # 6 + 2 + 0 lesions on 1 + 1 + 0 scans; 4 expected on each of two, the third has no scan:
    # (2 x 2/4 + 2 x 2/4) / (2 - 1) = 2.
    rate = summary(LESIONS).endpoints.lesions.before
    assert (rate.n_patients, rate.n_unknown, rate.n_scans, rate.n_lesions) == (3, 2, 2, 8)
    assert rate.lesions_per_scan == 4.0
    assert rate.dispersion == pytest.approx(2.0)
    assert rate.n_scans_with_lesions is None  # a patient table has no column for it
    assert rate.scans_with_lesions.value is None
    assert rate.note == "2 patients left out: lesions_before or scans_before is empty."


def test_lesions_after() -> None:
    # 3 + 0 + 0 + 2 lesions on 10 + 10 + 0 + 5 scans; scans with any: 2 + 0 + 0 of 10 + 10 + 0.
    rate = summary(LESIONS).endpoints.lesions.after
    assert (rate.n_patients, rate.n_unknown, rate.n_scans, rate.n_lesions) == (4, 1, 25, 5)
    assert rate.lesions_per_scan == 0.2
    assert rate.n_scans_with_lesions == 2
    assert rate.scans_with_lesions.value == 2 / 20
    assert rate.note == (
        "1 patient left out: new_lesions_after or scans_after is empty. "
        "Scans with lesions: 2 patients left out: scans_with_new_lesions_after or scans_after is empty."
    )


def test_ratio_of_lesion_rates() -> None:
    assert summary(LESIONS).endpoints.lesions.ratio.value == pytest.approx(0.2 / 4)


def test_no_scan_at_all() -> None:
    text = """
    id follow_up scans_before lesions_before scans new_lesions_after scans_with_new_lesions_after
    A          5            1              2     0                 0                            0
    """
    lesions = summary(text).endpoints.lesions
    assert (lesions.after.n_scans, lesions.after.n_lesions, lesions.after.lesions_per_scan) == (0, 0, None)
    assert (lesions.after.n_scans_with_lesions, lesions.after.scans_with_lesions.value) == (0, None)
    assert lesions.after.note == "No rate: scans_after sums to 0."
    assert lesions.note == "No ratio: it needs a rate before and a rate after."


def test_a_missing_count_of_scans_with_lesions_is_named_and_costs_nothing_else() -> None:
    rate = summary(without(["scans_with_new_lesions_after"], LESIONS)).endpoints.lesions.after
    assert rate.lesions_per_scan == 0.2
    assert (rate.n_scans_with_lesions, rate.scans_with_lesions.value) == (None, None)
    assert (rate.note or "").endswith("Scans with lesions: Not in this file: scans_with_new_lesions_after.")


def test_a_missing_count_of_lesions_leaves_the_scans_with_lesions() -> None:
    rate = summary(without(["new_lesions_after"], LESIONS)).endpoints.lesions.after
    assert (rate.n_scans, rate.n_lesions, rate.lesions_per_scan) == (None, None, None)
    assert (rate.n_scans_with_lesions, rate.scans_with_lesions.value) == (2, 0.1)
    assert (rate.note or "").startswith("Not in this file: new_lesions_after.")


# ---- Dispersion ---------------------------------------------------------------------------------------


def test_warning_where_counts_vary_more_than_a_poisson_rate_allows() -> None:
    # Dispersion before: 4 (above); after: 0.5.
    (warning,) = summary(RELAPSES).warnings
    assert warning == (
        "Relapses before transplant vary between patients more than a Poisson rate allows "
        "(dispersion 4.00, above 1.5): the interval of the rate is too narrow."
    )


@pytest.mark.parametrize(("counts", "dispersion"), [((3, 1), 1.0), ((9, 3), 3.0), ((12, 6), 2.0)])
def test_the_limit_of_the_warning_is_one_and_a_half(counts: tuple[int, int], dispersion: float) -> None:
    # Two patients of equal time: (a - b)^2 / (a + b).
    rows = [f"P{count} 1 {count} 5" for count in counts]
    result = summary("\n".join(["id years_observed_before relapses_before follow_up", *rows]))
    assert result.endpoints.relapse_rate.before.dispersion == pytest.approx(dispersion)
    assert len(result.warnings) == (dispersion > 1.5)


def test_a_dispersion_of_exactly_the_limit_does_not_warn() -> None:
    # 1, 4 and 1 relapses in a year each, 2 expected: (1 + 4 + 1)/2 / (3 - 1) = 1.5.
    rows = "P1 1 1 5\nP2 1 4 5\nP3 1 1 5"
    result = summary(f"id years_observed_before relapses_before follow_up\n{rows}")
    assert result.endpoints.relapse_rate.before.dispersion == 1.5
    assert result.warnings == ()


def test_the_last_digits_of_a_sum_do_not_decide_whether_to_warn() -> None:
    # The same three patients over 0.1 years each: as floats the dispersion may end a little above 1.5.
    for times in permutations((1, 4, 1)):
        rows = "\n".join(f"P{number} 0.1 {count} 5" for number, count in enumerate(times))
        assert summary(f"id years_observed_before relapses_before follow_up\n{rows}").warnings == ()


# ---- The level of all intervals -----------------------------------------------------------------------


def test_every_interval_has_the_protocols_level() -> None:
    # At 90 % each limit leaves 5 % of the probability beyond the count.
    protocol = Protocol(confidence_level=0.90)
    rates = summary(RELAPSES, protocol).endpoints.relapse_rate
    assert poisson_at_least(4, 4 * known(rates.before.ci_low)) == pytest.approx(0.05)
    assert poisson_at_most(4, 4 * known(rates.before.ci_high)) == pytest.approx(0.05)
    share = 10 * known(rates.ratio.ci_high) / (10 * known(rates.ratio.ci_high) + 4)
    assert binomial_at_most(1, 5, share) == pytest.approx(0.05)
    scans = summary(LESIONS, protocol).endpoints.lesions.after.scans_with_lesions
    assert binomial_at_least(2, 20, known(scans.ci_low)) == pytest.approx(0.05)
    worsened = summary(DISABILITY, protocol).endpoints.disability.worsened
    assert binomial_at_most(2, 6, known(worsened.ci_high)) == pytest.approx(0.05)
    mortality = summary(DEATHS, protocol).endpoints.transplant_related_mortality
    assert binomial_at_least(5, 9, known(mortality.ci_low)) == pytest.approx(0.05)
    assert binomial_at_least(3, 9, known(mortality.by_day_100.ci_low)) == pytest.approx(0.05)


# ---- Settings that need records -----------------------------------------------------------------------


def test_changed_records_only_settings_warn_on_a_patient_table() -> None:
    result = summary(LESIONS, Protocol(worsening_confirm_weeks=12, new_lesion="gd"))
    assert result.warnings[0] == (
        "Settings that need raw records and change nothing here: worsening_confirm_weeks, new_lesion. "
        "A patient table already holds confirmed events and counted lesions."
    )
    assert summary(LESIONS).endpoints.disability == result.endpoints.disability


def test_settings_that_do_not_apply_are_null_and_named() -> None:
    protocol = summary(LESIONS, Protocol(name="mine", horizon_years=5, death="censor")).protocol
    assert protocol.not_applicable == RECORDS_ONLY
    assert {getattr(protocol, name) for name in RECORDS_ONLY} == {None}
    assert (protocol.name, protocol.horizon_years, protocol.death) == ("mine", 5, "censor")


# ---- Disability ---------------------------------------------------------------------------------------

DISABILITY = """
id                    follow_up edss edss_last last_edss worse_at better_at
worsened                      5  4.0       5.0       5.0      1.0         .
improved                      5  4.0       3.0       5.0        .       1.0
both                          5  4.0       4.0       5.0      1.0       3.0
neither                       5  4.0       4.0       5.0        .         .
neither_without_date          5  1.0       0.0         .        .         .
neither_without_value         5  4.0         .       5.0        .         .
no_baseline                   5    .       4.0       5.0        .         .
never_seen_since              5  6.5         .         .        .         .
"""


def test_disability_by_confirmed_change() -> None:
    disability = summary(DISABILITY).endpoints.disability
    assert (disability.n_patients, disability.n_unknown) == (6, 2)
    assert (disability.n_worsened, disability.n_improved) == (2, 2)
    assert (disability.n_both, disability.n_neither) == (1, 3)
    assert disability.worsened.value == disability.improved.value == 2 / 6
    assert disability.note == "2 patients left out: no EDSS at baseline or none since."
    # The distributions are over all who have the value: 1, 4 x 5, 6.5; and 0, 3, 4, 4, 4, 5.
    baseline, last = disability.edss_baseline, disability.edss_last
    assert (baseline.n, baseline.median, baseline.min, baseline.max) == (7, 4.0, 1.0, 6.5)
    assert (last.n, last.median, last.min, last.max) == (6, 4.0, 0.0, 5.0)


def test_never_seen_since_is_unknown_here_and_censored_at_0_for_worsening() -> None:
    _, *rows = DISABILITY.strip().splitlines()
    text = f"id follow_up edss edss_last last_edss worse_at better_at dead_at\n{rows[-1]} ."
    result = summary(text).endpoints
    assert result.disability.n_unknown == 1
    assert result.worsening_free_survival.n_unknown == 0
    assert [point.years for point in result.worsening_free_survival.curve] == [0.0]


def test_without_columns_of_an_edss_since_the_baseline_is_enough() -> None:
    disability = summary(without(["edss_last", "years_to_last_edss"], DISABILITY)).endpoints.disability
    assert (disability.n_patients, disability.n_unknown, disability.n_neither) == (7, 1, 4)
    assert disability.edss_last.n == 0
    assert disability.edss_last.median is None


@pytest.mark.parametrize("column", ["edss_baseline", "years_to_worsening", "years_to_improvement"])
def test_disability_without_a_column_is_null(column: str) -> None:
    disability = summary(without([column], DISABILITY)).endpoints.disability
    counts = (disability.n_patients, disability.n_worsened, disability.n_both, disability.n_unknown)
    assert counts == (None,) * 4
    assert (disability.worsened.value, disability.improved.ci_low) == (None, None)
    assert disability.note == f"Not in this file: {column}."


# ---- Transplant-related mortality ---------------------------------------------------------------------

# Day 100 is 0.27379 years: 0.2738 (100.005 days) and 0.274 (100.08) are rounded day 100; 0.2765 is day 101.
DEATHS = """
id             follow_up dead_at cause_of_death
day_62            0.1697  0.1697     transplant
day_100           0.2738  0.2738     transplant
day_100_again     0.274   0.274      transplant
day_101           0.2765  0.2765     transplant
year_2            2       2          transplant
of_ms             0.1     0.1        ms
other             4       4          other
no_cause          0.1     0.1        .
alive_1           5       .          .
alive_2           5       .          .
"""


def test_deaths_of_the_transplant_ever_and_by_day_100() -> None:
    mortality = summary(DEATHS).endpoints.transplant_related_mortality
    assert (mortality.n_patients, mortality.n_unknown, mortality.n_deaths) == (9, 1, 5)
    assert mortality.value == 5 / 9
    assert mortality.ci_method == mortality.by_day_100.ci_method == "clopper-pearson"
    assert mortality.note == "1 patient left out: died, cause_of_death is empty."
    assert (mortality.by_day_100.n_patients, mortality.by_day_100.n_deaths) == (9, 3)
    assert mortality.by_day_100.value == 3 / 9


def test_nobody_died() -> None:
    mortality = summary("id follow_up dead_at cause_of_death\nA 5 . .\nB 6 . .").endpoints
    found = mortality.transplant_related_mortality
    assert (found.n_patients, found.n_deaths, found.value, found.ci_low) == (2, 0, 0.0, 0.0)
    assert found.ci_high == pytest.approx(1 - 0.025**0.5)  # (1 - p)^2 = 0.025
    assert found.by_day_100.n_deaths == 0
    assert found.note is None


@pytest.mark.parametrize("column", ["years_to_death", "cause_of_death"])
def test_mortality_without_a_column_is_null(column: str) -> None:
    mortality = summary(without([column], DEATHS)).endpoints.transplant_related_mortality
    assert (mortality.n_patients, mortality.n_deaths, mortality.value, mortality.ci_low) == (None,) * 4
    assert (mortality.by_day_100.n_patients, mortality.by_day_100.n_deaths) == (None, None)
    assert mortality.note == f"Not in this file: {column}."
