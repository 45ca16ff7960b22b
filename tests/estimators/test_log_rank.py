"""The log-rank test against R's `survdiff` and `coin`, and against counting every labelling."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from r_figures import Table, grouped, table
from two_groups import Sample, risk_sets_of, samples

from ahsct_trial.estimators.log_rank import exact_log_rank, log_rank


def name(row: dict[str, str]) -> str:
    return "-".join(row[column] for column in ("dataset", "by", "strata") if row[column])


# One row per test: R repeats the statistic for each group.
LOG_RANK = list({name(row): row for row in table("logrank").where(rho="0").rows}.values())
MID_RANKS = table("logrank_exact").where(ties_method="mid-ranks").rows


@pytest.mark.parametrize("row", LOG_RANK, ids=name)
def test_log_rank_agrees_with_survdiff(row: dict[str, str]) -> None:
    """logrank.csv: `survdiff`, with strata, two to four groups. R's df of 1 without events is 0 here."""
    test = log_rank(*grouped(row))
    expected = Table([row])
    if row["p"]:
        np.testing.assert_allclose(
            [test.statistic, test.df, test.p], [expected[c][0] for c in ("chisq", "df", "p")], rtol=1e-9
        )
    else:
        assert test.df == 0
        assert math.isnan(test.statistic)
        assert math.isnan(test.p)


@pytest.mark.parametrize("row", MID_RANKS, ids=name)
def test_permutation_agrees_with_coin(row: dict[str, str]) -> None:
    """logrank_exact.csv: coin 1.4-2 and full enumeration; beyond 2,000,000 within four standard errors."""
    test = exact_log_rank(*grouped(row))
    if row["note"] == "no events":
        assert math.isnan(test.p)
        return
    expected = float(row["p_exact_own"] or row["p_asymptotic_perm"])  # none is known of veteran
    if row["n_permutations"] and int(row["n_permutations"]) <= 2_000_000:
        assert test.n_labellings == int(row["n_permutations"])
        assert test.standard_error == 0
        assert test.p == pytest.approx(expected, rel=1e-9)
    else:
        assert 0 < test.standard_error < 0.005
        assert test.p == pytest.approx(expected, abs=4 * test.standard_error)
        assert f"{test.n_labellings:,} random labellings" in test.reason


@settings(max_examples=60)
@given(samples)
def test_log_rank_is_observed_less_expected(sample: Sample) -> None:
    """Oracle: hypergeometric mean and variance of each risk set, in fractions."""
    difference = variance = Fraction(0)
    for (first, second), (d_first, d_second) in risk_sets_of(sample):
        n, d = first + second, d_first + d_second
        difference += d_second - Fraction(d * second, n)
        if n > 1:
            variance += Fraction(d * first * second * (n - d), n * n * (n - 1))
    test = log_rank(sample.years, sample.is_event, sample.is_second, sample.strata, sample.entry)
    if variance == 0:
        assert test.df == 0
        assert math.isnan(test.p)
    else:
        assert test.df == 1
        assert test.statistic == pytest.approx(float(difference**2 / variance), rel=1e-9, abs=1e-12)
        assert test.p == pytest.approx(math.erfc(math.sqrt(test.statistic / 2)), rel=1e-9)


@settings(max_examples=40)
@given(samples)
def test_permutation_counts_every_labelling(sample: Sample) -> None:
    """Oracle: O − E of each labelling with the group sizes of each stratum, from scores in fractions."""
    assume(sample.is_event.any())
    assume(0 < sample.is_second.sum() < sample.is_second.size)
    years, is_event, is_second, strata, entry = (column.tolist() for column in sample)
    patients = range(len(years))

    def score(i: int) -> Fraction:
        total = Fraction(int(is_event[i]))
        for time in sorted({years[j] for j in patients if is_event[j] and strata[j] == strata[i]}):
            if entry[i] < time <= years[i]:
                there = [j for j in patients if strata[j] == strata[i] and entry[j] < time <= years[j]]
                total -= Fraction(sum(is_event[j] and years[j] == time for j in there), len(there))
        return total

    scores = [score(i) for i in patients]
    members = [[i for i in patients if strata[i] == s] for s in (0, 1)]
    sizes = [sum(is_second[i] for i in m) for m in members]
    sums = [
        sum(scores[i] for part in chosen for i in part)
        for chosen in itertools.product(
            *(itertools.combinations(m, k) for m, k in zip(members, sizes, strict=True))
        )
    ]
    observed = abs(sum(s for s, is_second_one in zip(scores, is_second, strict=True) if is_second_one))
    test = exact_log_rank(sample.years, sample.is_event, sample.is_second, sample.strata, entry=sample.entry)
    assert test.n_labellings == len(sums)
    assert test.p == pytest.approx(sum(abs(s) >= observed for s in sums) / len(sums), rel=1e-12)


@settings(max_examples=60)
@given(samples)
def test_swapped_and_renamed_groups_change_nothing(sample: Sample) -> None:
    years, is_event, is_second, strata, entry = sample
    names = np.where(is_second, "a", "b")
    for test in (log_rank, exact_log_rank):
        known = test(years, is_event, is_second, strata, entry=entry).p
        for other in (~is_second, names):
            p = test(years, is_event, other, strata, entry=entry).p
            assert p == pytest.approx(known, rel=1e-9, nan_ok=True)


@given(samples)
def test_group_against_itself_has_p_1(sample: Sample) -> None:
    twice = [np.tile(column, 2) for column in sample]
    group = np.repeat([0, 1], sample.years.size)
    test = log_rank(twice[0], twice[1], group, twice[3])
    assert math.isnan(test.p) or test.statistic == pytest.approx(0, abs=1e-12)
    assume(sample.years.size <= 6 and sample.is_event.any())
    assert exact_log_rank(twice[0], twice[1], group, twice[3]).p == 1


@pytest.mark.parametrize(("n", "n_second"), [(2_000_000, 1), (2_000_000, 1_999_999), (1_999, 2), (60, 57)])
def test_few_patients_in_a_group_are_enumerated_however_many_in_the_other(n: int, n_second: int) -> None:
    """By hand: with one event among all, p is the share of labellings with it in the smaller group, where
    the smaller group had it, for the scores of the others are alike and close to 0."""
    years, is_event = np.where(np.arange(n) == 0, 1.0, 2.0), np.arange(n) == 0
    is_second = np.arange(n) < n_second if n_second < n / 2 else np.arange(n) >= n - n_second
    test = exact_log_rank(years, is_event, is_second)
    assert test.n_labellings == math.comb(n, n_second)
    assert test.p == pytest.approx(min(n_second, n - n_second) / n, rel=1e-9)


def test_random_labellings_are_the_same_each_time() -> None:
    years, is_event, group, _ = grouped({"dataset": "sep41", "by": "group", "strata": ""})
    assert exact_log_rank(years, is_event, group) == exact_log_rank(years, is_event, group)
    assert exact_log_rank(years, is_event, group, seed=1) != exact_log_rank(years, is_event, group)


def test_random_labellings_of_a_large_trial_with_few_events() -> None:
    """By hand: 0 of 5000 against 6 of 5000, all at one time: the 6 must fall to one group, 2 × C(5000, 6) /
    C(10000, 6)."""
    n = 5_000
    is_event = np.arange(2 * n) < 6
    test = exact_log_rank(np.where(is_event, 1.0, 2.0), is_event, np.arange(2 * n) < n)
    assert test.p == pytest.approx(2 * math.comb(n, 6) / math.comb(2 * n, 6), abs=4 * test.standard_error)


def test_no_permutation_where_it_cannot_be() -> None:
    years = np.arange(1, 1001)
    many = exact_log_rank(years, years > 0, years % 2)
    assert math.isnan(many.p)
    assert "too many distinct event times" in many.reason
    assert "two groups" in exact_log_rank([1, 2], [True, True], [0, 0]).reason
    assert "two groups" in exact_log_rank([1, 2, 3], [True] * 3, [0, 1, 2]).reason
    assert "no event" in exact_log_rank([1, 2], [False, False], [0, 1]).reason


def test_a_group_that_was_never_at_risk_does_not_count() -> None:
    """Whoever is lost before the first event leaves the test of the others as it is."""
    years, is_event, group, _ = grouped({"dataset": "ovarian", "by": "rx", "strata": ""})
    alone = log_rank(years, is_event, group)
    beside = log_rank(
        np.append(years, [1, 2]), np.append(is_event, [False] * 2), np.append(group, ["3", "3"])
    )
    assert beside.df == alone.df == 1
    assert beside.statistic == pytest.approx(alone.statistic, rel=1e-9)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.integers(0, 3)), min_size=1, max_size=20))
def test_groups_in_any_order_have_one_statistic(patients: list[tuple[int, bool, int]]) -> None:
    years, is_event, group = map(np.array, zip(*patients, strict=True))
    known, other = log_rank(years, is_event, group), log_rank(years, is_event, (7 - group * 3) % 4)
    assert other.df == known.df
    assert other.statistic == pytest.approx(known.statistic, rel=1e-7, abs=1e-9, nan_ok=True)
