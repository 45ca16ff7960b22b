"""Relapse and lesion rates, disability and mortality on cohorts worked out by hand in the comments."""

from __future__ import annotations

from itertools import permutations
from math import log

import pytest
from exact_tails import binomial_at_least, binomial_at_most, known, poisson_at_least, poisson_at_most
from patient_tables import cohort, without

from ahsct_trial import Protocol, Summary, summarize
from ahsct_trial.protocol import RECORDS_ONLY
from ahsct_trial.results import Estimate


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
    assert (rate.n_patients, rate.n_unknown, rate.n_events, rate.exposure) == (2, 2, 4, 4.0)
    assert rate.rate.value == 1.0
    assert rate.dispersion == pytest.approx(4.0)
    # Garwood: each limit leaves 2.5 % of the Poisson probability beyond the 4 that were seen in 4 years.
    assert poisson_at_least(4, 4 * known(rate.rate.ci_low)) == pytest.approx(0.025)
    assert poisson_at_most(4, 4 * known(rate.rate.ci_high)) == pytest.approx(0.025)
    assert rate.rate.ci_method == "garwood"
    assert rate.note == "2 patients left out: relapses_before or years_observed_before is empty."


def test_relapses_after_over_all_follow_up() -> None:
    # 1 relapse in 5 + 4 + 1 years; 0.5, 0.4 and 0.1 expected:
    # (0.5 x 0.5/0.5 + 0.4 x 0.4/0.4 + 0.1 x 0.1/0.1) / (3 - 1) = 0.5.
    rate = summary(RELAPSES).endpoints.relapse_rate.after
    assert (rate.n_patients, rate.n_unknown, rate.n_events, rate.exposure) == (3, 1, 1, 10.0)
    assert rate.rate.value == 0.1
    assert rate.dispersion == pytest.approx(0.5)
    assert rate.note == "1 patient left out: relapses_after is empty."


def test_ratio_of_relapse_rates() -> None:
    rates = summary(RELAPSES).endpoints.relapse_rate
    # Known on both sides: 4 relapses in 4 years before, 1 in 6 years after.
    assert rates.ratio.value == pytest.approx(1 / 6)
    assert rates.n_patients_in_ratio == 2
    assert rates.ratio.ci_method == "exact-conditional"
    assert rates.note is None
    # One of five relapses came after. If the ratio is r, each of the five did with probability
    # 6 r / (6 r + 4); each limit leaves 2.5 % beyond the one.
    low, high = (6 * known(r) / (6 * known(r) + 4) for r in (rates.ratio.ci_low, rates.ratio.ci_high))
    assert binomial_at_least(1, 5, low) == pytest.approx(0.025)
    assert binomial_at_most(1, 5, high) == pytest.approx(0.025)


def test_no_relapse_on_either_side() -> None:
    text = """
    id years_observed_before relapses_before follow_up relapses relapse_at
    A                      2               0         5        0          .
    """
    rates = summary(text).endpoints.relapse_rate
    assert (rates.after.rate.value, rates.after.rate.ci_low) == (0.0, 0.0)
    assert rates.after.rate.ci_high == pytest.approx(-log(0.025) / 5)  # exp(-5 r) = 0.025
    assert rates.after.dispersion is None
    assert (rates.ratio.value, rates.ratio.ci_low, rates.ratio.ci_high) == (None, None, None)
    assert rates.note == "No ratio: nothing was counted in the denominator."


def test_ratio_with_no_relapse_before_has_a_lower_limit_alone() -> None:
    # 10 in 50 years after and 0 in 40 before; R gives 1.79 to infinity (reference/poisson_ratio_ci.csv).
    text = """
    id years_observed_before relapses_before follow_up relapses relapse_at
    A                     40               0        50       10          1
    """
    rates = summary(text).endpoints.relapse_rate
    assert (rates.ratio.value, rates.ratio.ci_high) == (None, None)
    assert rates.ratio.ci_low == pytest.approx(1.79321718007805)
    assert rates.note == "No ratio: nothing was counted in the denominator."


def test_no_person_years() -> None:
    text = """
    id years_observed_before relapses_before follow_up relapses relapse_at
    A                      0               0         5        1          1
    """
    rates = summary(text).endpoints.relapse_rate
    assert (rates.before.n_patients, rates.before.n_events, rates.before.exposure) == (1, 0, 0.0)
    assert (rates.before.rate.value, rates.before.rate.ci_low, rates.before.rate.ci_high) == (
        None,
        None,
        None,
    )
    assert rates.before.note == "No rate: person-years sum to 0."
    assert (rates.ratio.value, rates.ratio.ci_low) == (None, None)
    assert rates.note == "No ratio: it needs a rate of either."


@pytest.mark.filterwarnings("error")
def test_a_rate_of_next_to_no_time_is_none() -> None:
    # 4 / 1e-320 is more than a float can be.
    text = """
    id years_observed_before relapses_before follow_up relapses relapse_at
    A                 1e-320               4         5        0          .
    """
    rates = summary(text).endpoints.relapse_rate
    assert (rates.before.n_events, rates.before.exposure) == (4, 1e-320)
    assert (rates.before.rate.value, rates.before.rate.ci_high) == (None, None)
    assert rates.ratio.value == 0


def test_every_count_is_empty() -> None:
    text = """
    id years_observed_before relapses_before follow_up relapses relapse_at
    A                      2               .         5        .          .
    """
    rate = summary(text).endpoints.relapse_rate.before
    assert (rate.n_patients, rate.n_unknown, rate.n_events, rate.exposure) == (0, 1, 0, 0.0)
    assert (rate.rate.value, rate.rate.ci_high, rate.dispersion) == (None, None, None)


@pytest.mark.parametrize("with_other", [True, False])
def test_a_relapse_in_a_patient_without_follow_up_has_no_dispersion(with_other: bool) -> None:
    # A relapse in a patient without a visit since: nothing is expected of no time.
    text = "id follow_up relapses relapse_at years_to_last_visit\nA 4 1 2 0\n" + (
        "B 4 1 2 4\n" if with_other else ""
    )
    rate = summary(text).endpoints.relapse_rate.after
    assert rate.n_events == 1 + with_other
    assert rate.rate.value == (0.5 if with_other else None)
    assert rate.dispersion is None
    assert "No dispersion: relapses_after is above 0 where there are no person-years." in (rate.note or "")


def test_relapses_after_the_last_visit_are_told_beside_the_rate() -> None:
    # A relapsed at 3 years, a year after the last visit: 1 relapse over 2 + 4 person-years, of which none is the
    # year in which it came. Relapse-free survival counts it as a late event.
    text = "id follow_up relapses relapse_at years_to_last_visit dead_at\nA 5 1 3 2 .\nB 4 0 . 4 ."
    found = summary(text).endpoints
    rate = found.relapse_rate.after
    assert (rate.n_events, rate.exposure) == (1, 6.0)
    assert (
        rate.note
        == "1 patient relapsed only after the last visit: counted, over person-years that end before."
    )
    assert found.relapse_free_survival.n_late_events == 1
    assert summary(text.replace("3 2 .", "2 2 .")).endpoints.relapse_rate.after.note is None


def test_missing_columns_are_named_on_their_side() -> None:
    rates = summary(without(["relapses_before"], RELAPSES)).endpoints.relapse_rate
    before = rates.before
    assert (before.n_patients, before.n_unknown, before.n_events, before.exposure) == (None,) * 4
    assert (before.rate.value, before.rate.ci_low, before.rate.ci_high, before.dispersion) == (None,) * 4
    assert before.note == "Not in this file: relapses_before."
    assert rates.after.rate.value == 0.1
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
    assert (rate.n_patients, rate.n_unknown, rate.exposure, rate.n_events) == (3, 2, 2, 8)
    assert rate.rate.value == 4.0
    assert rate.dispersion == pytest.approx(2.0)
    assert rate.scans_with_lesions.n is None  # a patient table has no column for it
    assert rate.scans_with_lesions.value is None
    assert rate.note == "2 patients left out: lesions_before or scans_before is empty."


def test_lesions_after() -> None:
    # 3 + 0 + 0 + 2 lesions on 10 + 10 + 0 + 5 scans; scans with any: 2 + 0 + 0 of 10 + 10 + 0.
    rate = summary(LESIONS).endpoints.lesions.after
    assert (rate.n_patients, rate.n_unknown, rate.exposure, rate.n_events) == (4, 1, 25, 5)
    assert rate.rate.value == 0.2
    assert rate.scans_with_lesions.n == 2
    assert rate.scans_with_lesions.value == 2 / 20
    assert rate.note == "1 patient left out: new_lesions_after or scans_after is empty."
    assert rate.scans_with_lesions.note == (
        "2 patients left out: scans_with_new_lesions_after or scans_after is empty."
    )


def test_ratio_of_lesion_rates() -> None:
    # Known on both sides: lesions, none and no_scan: 8 lesions on 2 scans before, 3 on 20 after.
    lesions = summary(LESIONS).endpoints.lesions
    assert lesions.ratio.value == pytest.approx((3 / 20) / (8 / 2))
    assert lesions.n_patients_in_ratio == 3


def test_no_scan_at_all() -> None:
    text = """
    id follow_up scans_before lesions_before scans new_lesions_after scans_with_new_lesions_after
    A          5            1              2     0                 0                            0
    """
    lesions = summary(text).endpoints.lesions
    assert (lesions.after.exposure, lesions.after.n_events, lesions.after.rate.value) == (0, 0, None)
    assert (lesions.after.scans_with_lesions.n, lesions.after.scans_with_lesions.value) == (0, None)
    assert lesions.after.note == "No rate: scans sum to 0."
    assert lesions.note == "No ratio: it needs a rate of either."


def test_a_missing_count_of_scans_with_lesions_is_named_and_costs_nothing_else() -> None:
    rate = summary(without(["scans_with_new_lesions_after"], LESIONS)).endpoints.lesions.after
    assert rate.rate.value == 0.2
    assert (rate.scans_with_lesions.n, rate.scans_with_lesions.value) == (None, None)
    assert rate.scans_with_lesions.note == "Not in this file: scans_with_new_lesions_after."


def test_a_missing_count_of_lesions_leaves_the_scans_with_lesions() -> None:
    rate = summary(without(["new_lesions_after"], LESIONS)).endpoints.lesions.after
    assert (rate.exposure, rate.n_events, rate.rate.value) == (None, None, None)
    assert (rate.scans_with_lesions.n, rate.scans_with_lesions.value) == (2, 0.1)
    assert (rate.note or "").startswith("Not in this file: new_lesions_after.")


# ---- Dispersion ---------------------------------------------------------------------------------------


def test_warning_where_counts_vary_more_than_a_poisson_rate_allows() -> None:
    # Dispersion before: 4 (above); after: 0.5.
    assert said(summary(RELAPSES)) == [
        "Relapses before (dispersion 4.00) vary more than a Poisson rate allows: negative-binomial interval."
    ]


def said(result: Summary) -> list[str]:
    return [notice.text for notice in result.notices if notice.code == "overdispersed"]


@pytest.mark.parametrize(("counts", "dispersion"), [((3, 1), 1.0), ((9, 3), 3.0), ((12, 6), 2.0)])
def test_the_limit_of_the_warning_is_one_and_a_half(counts: tuple[int, int], dispersion: float) -> None:
    # Two patients of equal time: (a - b)^2 / (a + b).
    rows = [f"P{count} 1 {count} 5" for count in counts]
    result = summary("\n".join(["id years_observed_before relapses_before follow_up", *rows]))
    assert result.endpoints.relapse_rate.before.dispersion == pytest.approx(dispersion)
    assert len(said(result)) == (dispersion > 1.5)


def test_a_dispersion_of_exactly_the_limit_does_not_warn() -> None:
    # 1, 4 and 1 relapses in a year each, 2 expected: (1 + 4 + 1)/2 / (3 - 1) = 1.5.
    rows = "P1 1 1 5\nP2 1 4 5\nP3 1 1 5"
    result = summary(f"id years_observed_before relapses_before follow_up\n{rows}")
    assert result.endpoints.relapse_rate.before.dispersion == 1.5
    assert said(result) == []


def test_the_last_digits_of_a_sum_do_not_decide_whether_to_warn() -> None:
    # The same three patients over 0.1 years each: as floats the dispersion may end a little above 1.5.
    for times in permutations((1, 4, 1)):
        rows = "\n".join(f"P{number} 0.1 {count} 5" for number, count in enumerate(times))
        assert said(summary(f"id years_observed_before relapses_before follow_up\n{rows}")) == []


# ---- The level of all intervals -----------------------------------------------------------------------


def test_every_interval_has_the_protocols_level() -> None:
    # At 90 % each limit leaves 5 % of the probability beyond the count.
    protocol = Protocol(confidence_level=0.90)
    rates = summary(RELAPSES, protocol).endpoints.relapse_rate
    assert poisson_at_least(4, 4 * known(rates.before.rate.ci_low)) == pytest.approx(0.05)
    assert poisson_at_most(4, 4 * known(rates.before.rate.ci_high)) == pytest.approx(0.05)
    share = 6 * known(rates.ratio.ci_high) / (6 * known(rates.ratio.ci_high) + 4)
    assert binomial_at_most(1, 5, share) == pytest.approx(0.05)
    scans = summary(LESIONS, protocol).endpoints.lesions.after.scans_with_lesions
    assert binomial_at_least(2, 20, known(scans.ci_low)) == pytest.approx(0.05)
    worsened = summary(DISABILITY, protocol).endpoints.disability.worsened
    assert binomial_at_most(2, 6, known(worsened.ci_high)) == pytest.approx(0.05)
    mortality = summary(DEATHS, protocol).endpoints.mortality
    assert binomial_at_least(5, 10, known(mortality.transplant_related_lowest.ci_low)) == pytest.approx(0.05)
    assert binomial_at_least(5, 10, known(mortality.all_cause_by_day_100.ci_low)) == pytest.approx(0.05)


# ---- Settings that need records -----------------------------------------------------------------------


def test_changed_records_only_settings_warn_on_a_patient_table() -> None:
    result = summary(LESIONS, Protocol(worsening_confirm_weeks=12, new_lesion="gd"))
    [notice] = [notice for notice in result.notices if notice.code == "settings-without-effect"]
    assert notice.text == (
        "Settings that need records and change nothing here: worsening_confirm_weeks, new_lesion. "
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
    assert (disability.worsened.n, disability.improved.n) == (2, 2)
    assert disability.worsened.of == disability.improved.of == 6
    assert disability.unconfirmed.value is None  # a patient table holds confirmed changes
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
    counts = (disability.n_patients, disability.worsened.n, disability.n_both, disability.n_unknown)
    assert counts == (None,) * 4
    assert (disability.worsened.value, disability.improved.ci_low) == (None, None)
    assert disability.note == f"Not in this file: {column}."


# ---- Mortality ----------------------------------------------------------------------------------------

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


def counted(share: Estimate) -> tuple[int | None, float | None]:
    return share.n, share.of


def test_deaths_of_any_cause() -> None:
    mortality = summary(DEATHS).endpoints.mortality
    # By day 100: days 62, 100, 100, 37 and 37. By year 3 those of day 101 and year 2 as well.
    assert counted(mortality.all_cause_by_day_100) == (5, 10)
    assert counted(mortality.all_cause) == (7, 10)
    # Kaplan–Meier: nobody is lost by day 100.
    assert mortality.incidence_by_day_100.value == pytest.approx(5 / 10)


def test_transplant_related_deaths_and_their_bounds() -> None:
    mortality = summary(DEATHS).endpoints.mortality
    assert mortality.n_cause_unknown == 1
    # The death without a cause is of day 37.
    for found, low, high in (
        (
            mortality.transplant_related_by_day_100,
            mortality.transplant_related_by_day_100_lowest,
            mortality.transplant_related_by_day_100_highest,
        ),
        (
            mortality.transplant_related,
            mortality.transplant_related_lowest,
            mortality.transplant_related_highest,
        ),
    ):
        assert (found.value, found.ci_low) == (None, None)
        assert "unknown" in (found.note or "")
        n = 3 if low is mortality.transplant_related_by_day_100_lowest else 5
        assert (counted(low), counted(high)) == ((n, 10), (n + 1, 10))
    assert mortality.note == "The cause of death of 1 patient is unknown."


def test_an_unknown_cause_after_day_100_leaves_the_figure_by_then() -> None:
    mortality = summary(
        DEATHS.replace("no_cause          0.1     0.1 ", "no_cause          1.0     1.0 ")
    ).endpoints
    assert counted(mortality.mortality.transplant_related_by_day_100) == (3, 10)
    assert mortality.mortality.transplant_related.value is None


def test_who_was_not_followed_so_far_is_in_no_denominator() -> None:
    lost = "lost_day_99       0.271   .          .\nlost_day_100      0.2738  .          ."
    mortality = summary(f"{DEATHS.strip()}\n{lost}").endpoints.mortality
    assert counted(mortality.all_cause_by_day_100) == (5, 11)
    assert counted(mortality.all_cause) == (7, 10)  # neither was followed to year 3
    assert counted(mortality.transplant_related_lowest) == (5, 12)  # of all patients, ever
    assert "1 patient followed for less than 100 days, in no figure by then." in (mortality.note or "")
    # 12 at risk on days 37, 37, 62; 8 on day 100, where two die: 1 - 9/12 x 6/8, with the loss of day 99
    # between.
    assert mortality.incidence_by_day_100.value == pytest.approx(1 - 9 / 12 * 6 / 8)


def test_nobody_died() -> None:
    found = summary("id follow_up dead_at cause_of_death\nA 5 . .\nB 6 . .").endpoints.mortality
    for share in (found.transplant_related, found.transplant_related_by_day_100, found.all_cause):
        assert (counted(share), share.value, share.ci_low) == ((0, 2), 0.0, 0.0)
        assert share.ci_high == pytest.approx(1 - 0.025**0.5)  # (1 - p)^2 = 0.025
    assert found.incidence_by_day_100.value == 0
    assert found.note is None


def test_mortality_without_deaths_is_null() -> None:
    found = summary(without(["years_to_death"], DEATHS)).endpoints.mortality
    assert (found.all_cause.value, found.transplant_related.n, found.n_cause_unknown) == (None,) * 3
    assert found.note == "Not in this file: years_to_death."


def test_without_a_column_of_causes_every_cause_is_unknown() -> None:
    found = summary(without(["cause_of_death"], DEATHS)).endpoints.mortality
    assert counted(found.all_cause_by_day_100) == (5, 10)
    assert (found.n_cause_unknown, found.transplant_related.value) == (8, None)
    assert (counted(found.transplant_related_lowest), counted(found.transplant_related_highest)) == (
        (0, 10),
        (8, 10),
    )
