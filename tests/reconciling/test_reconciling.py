"""Published figures taken apart: R's own figures, a slow oracle, and every figure that a count can print."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from statistics import NormalDist

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from printing import ROUNDINGS, may_be_printed, percent_sign, printed

from ahsct_trial import reconcile, reconcile_rate
from ahsct_trial.errors import UsageError
from ahsct_trial.reconciling import Reconciliation
from ahsct_trial.reconciling.counts import METHODS as OF_PROPORTION
from ahsct_trial.reconciling.rates import METHODS as OF_RATE

REFERENCE = Path(__file__).parents[1] / "reference"
METHODS = tuple(OF_PROPORTION)

Found = set[tuple[int, int, str | None]]


def rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def exact(result: Reconciliation) -> Found:
    return {(fit.n_counted, fit.n, fit.method) for fit in result.exact}


# ---- What it is for -----------------------------------------------------------------------------------


def test_the_trials_own_figure_is_16_of_23_by_log_log_and_nothing_else() -> None:
    """lancet2016_check.csv, case A: 7 events in 23 patients, log-log 0.465642 to 0.841721."""
    result = reconcile("69.6", ("46.6", "84.2"), (20, 24))
    (fit,) = result.exact
    assert (fit.n_counted, fit.n_others, fit.n, fit.method) == (16, 7, 23, "log-log")
    assert fit.estimate == pytest.approx(0.695652173913043, rel=1e-12)
    assert fit.ci_low == pytest.approx(0.465641749762004, rel=1e-12)
    assert fit.ci_high == pytest.approx(0.841721291391763, rel=1e-12)
    assert (result.n_exact, result.nearest, fit.off) == (1, None, 0)
    # The other ten methods give the value alone.
    by_value = [fit.method for fit in result.partial if fit.value_fits]
    assert sorted(map(str, by_value)) == sorted(set(METHODS) - {"log-log"})


def test_halt_ms_is_21_of_23_at_90_percent() -> None:
    """HALT-MS (Nash 2017): progression-free 91.3 (74.7–97.2), intervals at 90 %."""
    assert exact(reconcile("91.3", ("74.7", "97.2"), (20, 24), level=0.90)) == {(21, 23, "log-log")}
    assert exact(reconcile("91.3", ("74.7", "97.2"), (1, 5000), level=0.90)) == {(21, 23, "log-log")}
    assert reconcile("91.3", ("74.7", "97.2"), (20, 24)).n_exact == 0


# ---- R's figures --------------------------------------------------------------------------------------

#: R's names of the intervals as they are printed: what lies beyond 0 or 1 is cut there.
R_METHODS = {
    "clopper-pearson": "clopper-pearson",
    "wilson": "wilson",
    "wilson-cc": "wilson-cc",
    "jeffreys": "jeffreys",
    "agresti-coull(clipped)": "agresti-coull",
    "wald(raw)": "wald",
}


@pytest.mark.parametrize("decimals", [0, 3])  # one is that of the Lancet's counts below
@pytest.mark.parametrize(
    "row", [row for row in rows("binomial_ci.csv") if row["method"] in R_METHODS], ids=str
)
def test_what_r_gives_for_a_proportion_is_found(row: dict[str, str], decimals: int) -> None:
    """binomial_ci.csv: R 4.2.2, `binom.test`, `prop.test`, `qbeta`."""
    x, n = int(row["x"]), int(row["n"])
    limits = [min(max(float(row[side]), 0.0), 1.0) for side in ("lower", "upper")]
    value, *ci = percent_sign(*(printed(figure, decimals) for figure in (Fraction(x, n), *limits)))
    assert (x, n, R_METHODS[row["method"]]) in exact(reconcile(value, (ci[0], ci[1]), (max(n - 5, 1), n + 5)))


LANCET = [row for row in rows("lancet2016_check.csv") if row["case"][:2] in {"A ", "B ", "C ", "D ", "bi"}]


@pytest.mark.parametrize("row", LANCET, ids=lambda row: f"{row['case'][:2]}{row['conf_type']}")
def test_what_r_gives_for_the_lancet_counts_is_found(row: dict[str, str]) -> None:
    """lancet2016_check.csv: R's survival 3.5-3, nobody lost between events (B: one before the first)."""
    events, event_free = int(row["events_by_3y"]), int(row["at_risk_3y"])
    value, low, high = (printed(float(row[column]), 1) for column in ("surv", "lower", "upper"))
    method = {"exact": "clopper-pearson"}.get(row["conf_type"], row["conf_type"])
    found = exact(reconcile(value, (low, high), (20, 24)))
    assert (event_free, event_free + events, method) in found
    assert {(counted, n) for counted, n, _ in found} == {(event_free, event_free + events)}


R_RATES = {"exact(garwood)": "garwood", "byar": "byar", "log-wald": "log-wald"}


@pytest.mark.parametrize("decimals", [0, 2, 4])
@pytest.mark.parametrize(
    "row", [row for row in rows("poisson_rate_ci.csv") if row["method"] in R_RATES], ids=str
)
def test_what_r_gives_for_a_rate_is_found(row: dict[str, str], decimals: int) -> None:
    """poisson_rate_ci.csv: R 4.2.2, `poisson.test` and the formulas of epitools; Byar below 0 is 0."""
    figures = [Fraction(row["events"]) / Fraction(row["exposure"])]
    figures += [Fraction(max(float(row[side]), 0.0)) for side in ("lower", "upper")]
    value, low, high = (printed(figure, decimals, shift=0) for figure in figures)
    result = reconcile_rate(value, (row["events"], row["exposure"]), (low, high))
    (fit,) = [fit for fit in result.exact if fit.method == R_RATES[row["method"]]]
    assert fit.is_printed_exposure
    assert fit.ci_low == pytest.approx(float(figures[1]), rel=1e-9)
    assert fit.ci_high == pytest.approx(float(figures[2]), rel=1e-9)


# ---- A slow oracle: every count, one by one, by the textbook ------------------------------------------


def binomial_limit(x: int, n: int, tail: float, *, is_low: bool) -> float:
    """Clopper–Pearson by bisection of binomial sums."""
    if x == (0 if is_low else n):
        return 0.0 if is_low else 1.0
    counts = range(x, n + 1) if is_low else range(x + 1)
    low, high = 0.0, 1.0
    for _ in range(60):
        p = (low + high) / 2
        mass = math.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in counts)
        low, high = (p, high) if (mass < tail) == is_low else (low, p)
    return low


@cache
def every_textbook_interval(level: float) -> list[tuple[int, int, str, float, float]]:
    """All intervals of all counts of up to 30 patients."""
    return [(x, n, *each) for n in range(1, 31) for x in range(n + 1) for each in textbook(x, n, level)]


def textbook(x: int, n: int, level: float) -> Iterator[tuple[str, float, float]]:
    """All intervals but Jeffreys' by their formulas, on numbers."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    p = x / n
    yield "clopper-pearson", *(binomial_limit(x, n, (1 - level) / 2, is_low=side) for side in (True, False))
    half = z * math.sqrt(p * (1 - p) / n)
    yield "wald", max(p - half, 0), min(p + half, 1)
    middle, root = (
        (2 * x + z * z) / (2 * (n + z * z)),
        z * math.sqrt(z * z + 4 * x * (1 - p)) / (2 * (n + z * z)),
    )
    yield "wilson", max(middle - root, 0), min(middle + root, 1)
    # Newcombe 1998, method 4, as printed there.
    q, twice = 1 - p, 2 * (n + z * z)
    low = (2 * x + z * z - 1 - z * math.sqrt(max(z * z - 2 - 1 / n + 4 * p * (n * q + 1), 0))) / twice
    high = (2 * x + z * z + 1 + z * math.sqrt(max(z * z + 2 - 1 / n + 4 * p * (n * q - 1), 0))) / twice
    yield "wilson-cc", 0.0 if x == 0 else max(low, 0), 1.0 if x == n else min(high, 1)
    more = (x + z * z / 2) / (n + z * z)
    half = z * math.sqrt(more * (1 - more) / (n + z * z))
    yield "agresti-coull", max(more - half, 0), min(more + half, 1)
    if x == n:
        yield from (("plain", 1.0, 1.0), ("log", 1.0, 1.0))
    if 0 < x < n:
        error = z * math.sqrt((n - x) / (n * x))  # of log S
        yield "plain", max(p - p * error, 0), min(p + p * error, 1)
        yield "log", p * math.exp(-error), min(p * math.exp(error), 1)
        yield "log-log", *(p ** math.exp(sign * error / -math.log(p)) for sign in (1, -1))
        yield "logit", *(1 / (1 + q / p * math.exp(sign * error / q)) for sign in (1, -1))
        turn = error / 2 * math.sqrt(p / q)
        angle = math.asin(math.sqrt(p))
        yield "arcsin", math.sin(max(angle - turn, 0)) ** 2, math.sin(min(angle + turn, math.pi / 2)) ** 2


@pytest.mark.parametrize(
    ("value", "ci", "level"),
    [
        ("69.6", ("46.6", "84.2"), 0.95),
        ("91.3", ("74.7", "97.2"), 0.90),
        ("70", ("49", "86"), 0.95),
        ("100", ("85", "100"), 0.95),
        ("0", ("0", "15"), 0.95),
        ("12", ("3", "34"), 0.95),
        ("13", ("3", "34"), 0.99),
        ("4", ("0", "21"), 0.95),
    ],
)
def test_agrees_with_an_oracle_that_tries_every_count(value: str, ci: tuple[str, str], level: float) -> None:
    expected, partly = set(), set()
    for x, n, method, *limits in every_textbook_interval(level):
        fits = [may_be_printed(Fraction(x, n), value)]
        fits += [may_be_printed(figure, text) for figure, text in zip(limits, ci, strict=True)]
        if all(fits):
            expected.add((x, n, method))
        elif any(fits):
            partly.add((x, n, method, *fits))
    result = reconcile(value, ci, (1, 30), level)
    assert {found for found in exact(result) if found[2] != "jeffreys"} == expected
    assert result.n_exact == len(result.exact)
    found = {
        (fit.n_counted, fit.n, fit.method, fit.value_fits, fit.low_fits, fit.high_fits)
        for fit in result.partial
        if fit.method != "jeffreys"
    }
    assert found == partly if len(result.partial) < 100 else found < partly


@given(st.integers(0, 100), st.integers(0, 2), st.integers(1, 400))
def test_counts_without_an_interval_agree_with_fractions(percent: int, decimals: int, n: int) -> None:
    text = f"{percent}.{'5' * decimals}" if decimals and percent < 100 else f"{percent}"
    result = reconcile(f"{text}%", n=(n, n))
    expected = {(x, n, None) for x in range(n + 1) if may_be_printed(Fraction(x, n), text)}
    assert exact(result) == expected
    assert (result.nearest is None) == bool(expected)
    if result.nearest is not None:
        off = min(abs(Fraction(x, n) - Fraction(text) / 100) for x in range(n + 1))
        assert result.nearest.off == pytest.approx(float(off))


# ---- What is printed is found again -------------------------------------------------------------------

counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
decimals_each = st.tuples(*3 * [st.integers(0, 4)])
levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.999])


@given(counts, st.sampled_from(METHODS), levels, decimals_each, st.sampled_from(ROUNDINGS), st.booleans())
@example((1, 8), "wilson", 0.95, (0, 1, 1), ROUND_HALF_EVEN, False)
@example((1, 200), "log", 0.99, (1, 1, 1), ROUND_HALF_UP, True)
@example((199, 200), "log-log", 0.999, (1, 1, 1), ROUND_HALF_UP, True)
@settings(max_examples=40)
def test_whatever_is_printed_is_found_again(
    count: tuple[int, int],
    method: str,
    level: float,
    decimals: tuple[int, int, int],
    rounding: str,
    is_wide: bool,
) -> None:
    x, n = count
    limits = [float(limit) for limit in OF_PROPORTION[method](x, n, level=level)]
    assume(not math.isnan(limits[0]))
    texts = [printed(f, d, rounding) for f, d in zip((Fraction(x, n), *limits), decimals, strict=True)]
    assume(Decimal(texts[1]) <= Decimal(texts[0]) <= Decimal(texts[2]))  # digits may differ
    value, low, high = percent_sign(*texts)
    result = reconcile(value, (low, high), (max(n - 250, 1), n + 50) if is_wide else (n, n), level)
    assert result.n_exact >= 1
    assert (x, n, method) in exact(result) or result.n_exact > len(result.exact)


@given(
    st.integers(0, 500),
    st.integers(1, 10**6),
    st.integers(0, 3),
    levels,
    decimals_each,
    st.sampled_from(ROUNDINGS),
)
def test_whatever_rate_is_printed_is_found_again(
    n_events: int, exposure: int, places: int, level: float, decimals: tuple[int, int, int], rounding: str
) -> None:
    time = Fraction(exposure, 10**places)
    for method, limits_of in OF_RATE.items():
        limits = [float(limit) for limit in limits_of(n_events, float(time), level)]
        if math.isnan(limits[0]):
            continue
        figures = (Fraction(n_events) / time, *limits)
        texts = [printed(f, d, rounding, shift=0) for f, d in zip(figures, decimals, strict=True)]
        if not Decimal(texts[1]) <= Decimal(texts[0]) <= Decimal(texts[2]):
            continue
        counts = (str(n_events), f"{Decimal(exposure).scaleb(-places):f}")
        result = reconcile_rate(texts[0], counts, (texts[1], texts[2]), level)
        assert [fit.is_printed_exposure for fit in result.exact if fit.method == method] == [True]


def tried_one_by_one(
    value: str, ci: tuple[str, str], n: tuple[int, int], level: float
) -> dict[tuple[int, int, str], tuple[float, bool]]:
    """How far each candidate is off, and whether any of its figures fits."""

    def held(figure: float | Fraction, text: str) -> tuple[float, bool]:
        """How far a figure is off what is printed, 0 where it fits, and whether it does."""
        is_fit = may_be_printed(figure, text)
        return 0.0 if is_fit else abs(float(figure) - float(text) / 100), is_fit

    tried = {}
    for of in range(n[0], n[1] + 1):
        every = range(of + 1)
        values = [held(Fraction(x, of), value) for x in every]
        for method, limits in OF_PROPORTION.items():
            lows, highs = (each.tolist() for each in limits(every, of, level=level))
            for x, low, high in zip(every, lows, highs, strict=True):
                if not math.isnan(low):
                    off, fits = zip(values[x], held(low, ci[0]), held(high, ci[1]), strict=True)
                    tried[x, of, method] = (max(off), any(fits))
    return tried


@given(
    st.lists(st.integers(0, 10_000), min_size=3, max_size=3).map(sorted),
    st.integers(0, 2),
    st.integers(1, 60),
    levels,
)
@example([2_100, 7_000, 9_000], 0, 60, 0.999)
@example([0, 30, 9_990], 2, 60, 0.95)
@example([7_000, 7_000, 7_000], 0, 60, 0.95)
@example([0, 9_990, 10_000], 0, 60, 0.95)
@example([10, 10, 9_990], 1, 60, 0.95)
@settings(max_examples=15)
def test_nothing_is_nearer_than_what_is_found(
    figures: list[int], decimals: int, n: int, level: float
) -> None:
    """Against every interval of every count."""
    low, value, high = (printed(Fraction(figure, 10_000), decimals) for figure in figures)
    numbers = (max(n - 12, 1), n)
    tried = tried_one_by_one(value, (low, high), numbers, level)
    texts = percent_sign(value, low, high)
    result = reconcile(texts[0], (texts[1], texts[2]), numbers, level)
    assert exact(result) == {each for each, (off, _) in tried.items() if off == 0}
    assert result.n_exact == len(result.exact)
    for fit in (*result.partial, *([result.nearest] if result.nearest else [])):
        assert fit.method is not None
        assert fit.off == pytest.approx(tried[fit.n_counted, fit.n, fit.method][0], abs=1e-12)
    if result.nearest is not None:
        assert result.nearest.off == pytest.approx(min(off for off, _ in tried.values()), abs=1e-12)
    if result.n_exact < 100:
        expected = sorted(off for off, is_partial in tried.values() if off and is_partial)[:100]
        assert sorted(fit.off for fit in result.partial) == pytest.approx(expected, abs=1e-12)


# ---- Reading, ranking, ties ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "x", "n", "is_found"),
    [
        ("13", 1, 8, True),  # 12.5 half up
        ("12", 1, 8, True),  # 12.5 half even
        ("38", 3, 8, True),  # 37.5 both ways
        ("37", 3, 8, False),
        ("62", 5, 8, True),  # 62.5 half even
        ("63", 5, 8, True),
        ("57.2", 229, 400, True),  # 57.25, which 100 × 0.5725 misses in binary
        ("57.3", 229, 400, True),
        ("57.1", 229, 400, False),
    ],
)
def test_a_half_is_rounded_up_or_to_even(value: str, x: int, n: int, *, is_found: bool) -> None:
    assert ((x, n, None) in exact(reconcile(value, n=(n, n)))) == is_found


@pytest.mark.parametrize(
    ("value", "ci", "read_as", "is_fraction"),
    [
        ("0.696", None, "69.6", True),
        ("0.696", ("0.466", "0.842"), "69.6", True),
        ("0.70", None, "70", True),
        ("1", ("0.85", "1"), "100", True),
        ("0.70%", None, "0.70", False),
        ("0.7", None, "0.7", False),
        ("0.70", ("0.10", "2.50"), "0.70", False),
        ("1", None, "1", False),
        ("0", None, "0", False),
        ("69·6", None, "69.6", False),
        ("69,6", None, "69.6", False),
        ("69,6 %", ("46,6 %", "84,2 %"), "69.6", False),
        ("0,696", None, "69.6", True),
        (" 69.6 % ", None, "69.6", False),
        ("100.0", None, "100.0", False),
    ],
)
def test_fractions_are_told_from_percentages(
    value: str, ci: tuple[str, str] | None, read_as: str, *, is_fraction: bool
) -> None:
    result = reconcile(value, ci, (20, 24))
    assert (result.value.read_as, result.is_fraction) == (read_as, is_fraction)


def test_a_fraction_is_searched_as_its_percentage() -> None:
    as_fraction = reconcile("0.696", ("0.466", "0.842"), (20, 24))
    assert as_fraction.exact == reconcile("69.6", ("46.6", "84.2"), (20, 24)).exact


def test_partial_fits_stand_in_order() -> None:
    result = reconcile("70", ("60", "79"), (1, 300))
    parts = [(fit.value_fits, int(bool(fit.low_fits)) + int(bool(fit.high_fits))) for fit in result.partial]
    order = [(True, 1), (False, 2), (True, 0), (False, 1)]
    assert parts == sorted(parts, key=order.index)
    for part in order:
        off = [fit.off for fit, each in zip(result.partial, parts, strict=True) if each == part]
        assert off == sorted(off)
    assert all(fit.off == 0 for fit in result.exact)


def test_where_nothing_fits_the_nearest_is_named() -> None:
    result = reconcile("69.6", ("46.6", "84.2"), (23, 23), level=0.5)
    assert (result.n_exact, result.exact) == (0, ())
    assert result.nearest is not None
    assert result.nearest.n == 23
    only_value = reconcile("69.6", n=(10, 12))
    # 7 of 10 are 70.0 %, 8 of 11 72.7 and 8 of 12 66.7.
    assert only_value.nearest is not None
    assert (only_value.nearest.n_counted, only_value.nearest.n) == (7, 10)
    assert only_value.nearest.off == pytest.approx(0.004)


def test_a_zero_width_interval_is_walds() -> None:
    found = exact(reconcile("0", ("0", "0"), (23, 23)))
    assert found == {(0, 23, "wald")}
    assert exact(reconcile("100", ("100", "100"), (23, 23))) == {
        (23, 23, method) for method in ("wald", "plain", "log")
    }


def test_the_number_of_exact_fits_is_known_beyond_those_kept() -> None:
    result = reconcile("69.6")
    expected = sum(
        may_be_printed(Fraction(x, n), "69.6")
        for n in range(1, 1001)
        for x in range(69 * n // 100, 70 * n // 100 + 2)
    )
    assert reconcile("69.6", n=(1, 1000)).n_exact == expected
    assert (result.n_from, result.n_to, len(result.exact)) == (1, 5000, 1000)
    assert result.n_exact > 10_000


# ---- Cut off and not rounded, counts, what is common --------------------------------------------------


@pytest.mark.parametrize(
    ("value", "x", "n"), [("66.6", 2, 3), ("88.8", 16, 18), ("0.19%", 1, 507), ("59.2", 16, 27)]
)
def test_figures_that_were_cut_off_stand_apart(value: str, x: int, n: int) -> None:
    """66.67 %, 88.89 %, 0.197 % (treatment-related death in Burt 2021), 59.26 % (MSJ-ETC 2026)."""
    result = reconcile(value, n=(n, n))
    assert (result.n_exact, result.n_cut_off, result.is_explained) == (0, 1, True)
    assert [(fit.n_counted, fit.n) for fit in result.cut_off] == [(x, n)]


@given(counts, st.sampled_from(METHODS), decimals_each)
@settings(max_examples=50)
def test_whatever_is_cut_off_is_found_again(
    count: tuple[int, int], method: str, decimals: tuple[int, int, int]
) -> None:
    x, n = count
    limits = [float(limit) for limit in OF_PROPORTION[method](x, n, level=0.95)]
    assume(not math.isnan(limits[0]))
    figures = (Fraction(x, n), *limits)
    value, low, high = percent_sign(
        *(printed(f, d, ROUND_DOWN) for f, d in zip(figures, decimals, strict=True))
    )
    assume(Decimal(low[:-1]) <= Decimal(value[:-1]) <= Decimal(high[:-1]))
    result = reconcile(value, (low, high), (n, n))
    cut_off = {(fit.n_counted, fit.n, fit.method) for fit in result.cut_off}
    assert (x, n, method) in exact(result) | cut_off
    assert not exact(result) & cut_off


@pytest.mark.parametrize(
    ("value", "counts", "ci", "level", "method", "limits"),
    [
        # scipy: chi2.ppf(0.025, 6)/2 and chi2.ppf(0.975, 8)/2 are 0.61867 and 8.76727 events.
        ("0.032", ("3", "92.3"), ("0.006", "0.094"), 0.95, "garwood", (0.61867 / 92.3, 8.76727 / 92.3)),
        # 16.5 (1 − 1/148.5 ∓ 1.959964/(3 √16.5))³ = 9.51757 and 25.36397 events.
        ("0.40", ("16", "40"), ("0.23", "0.63"), 0.95, "byar", (9.51757 / 40, 25.36397 / 40)),
        # 40 ∓ 1.959964 √40 = 27.60410 and 52.39590 events.
        ("0.157", ("40", "254.3"), ("0.108", "0.206"), 0.95, "wald", (27.6041 / 254.3, 52.3959 / 254.3)),
        # 4.375 exp(∓ 2.575829/√175) = 3.60094 and 5.31546.
        ("4.375", ("175", "40"), ("3.600", "5.315"), 0.99, "log-wald", (3.60094, 5.31546)),
        ("0.6", ("2", "3.0"), None, 0.95, None, None),
    ],
)
def test_a_rate_that_was_cut_off_stands_apart(
    value: str,
    counts: tuple[str, str],
    ci: tuple[str, str] | None,
    level: float,
    method: str | None,
    limits: tuple[float, float] | None,
) -> None:
    result = reconcile_rate(value, counts, ci, level)
    assert (result.n_exact, result.n_cut_off, result.is_explained) == (0, 1, True)
    (fit,) = result.cut_off
    assert (fit.method, fit.is_printed_exposure) == (method, True)
    if limits is not None:
        assert (fit.ci_low, fit.ci_high) == pytest.approx(limits, rel=1e-5)


@given(st.integers(0, 500), st.integers(1, 10**6), st.integers(0, 3), levels, decimals_each)
def test_whatever_rate_is_cut_off_is_found_again(
    n_events: int, digits: int, exposure_decimals: int, level: float, decimals: tuple[int, int, int]
) -> None:
    exposure = Fraction(digits, 10**exposure_decimals)
    counts = str(n_events), printed(exposure, exposure_decimals, shift=0)
    for method, limits in OF_RATE.items():
        figures = [float(each) for each in limits(n_events, float(exposure), level)]
        if math.isnan(figures[0]):
            continue
        value, low, high = (
            printed(figure, places, ROUND_DOWN, shift=0)
            for figure, places in zip((n_events / exposure, *figures), decimals, strict=True)
        )
        if not Decimal(low) <= Decimal(value) <= Decimal(high):
            continue
        result = reconcile_rate(value, counts, (low, high), level)
        assert method in {fit.method for fit in (*result.exact, *result.cut_off)}
        assert (
            len({fit.method for fit in (*result.exact, *result.cut_off)}) == result.n_exact + result.n_cut_off
        )


def test_a_count_is_its_percentage_with_every_interval() -> None:
    """binomial_ci.csv has 23 of 24: `binom.test` 0.788799 to 0.998946, Wilson's 0.797584 to 0.992611."""
    result = reconcile("23/24")
    assert (result.value.read_as, result.n_exact, result.is_count) == ("95.8", 11, True)
    of = {fit.method: fit for fit in result.exact}
    expected = {row["method"]: row for row in rows("binomial_ci.csv") if (row["x"], row["n"]) == ("23", "24")}
    for name in ("clopper-pearson", "wilson"):
        assert of[name].ci_low == pytest.approx(float(expected[name]["lower"]), rel=1e-9)
        assert of[name].ci_high == pytest.approx(float(expected[name]["upper"]), rel=1e-9)
    assert reconcile(" 23 of 24 ").exact == result.exact
    # Where all or none are counted some intervals are undefined.
    assert {fit.method for fit in reconcile("0/24").exact} == set(METHODS) - {
        "log-log",
        "log",
        "plain",
        "logit",
        "arcsin",
    }


def test_a_count_with_an_interval_names_the_method() -> None:
    """lancet2016_check.csv, case A."""
    assert exact(reconcile("16/23", ("46.6", "84.2"))) == {(16, 23, "log-log")}
    other = reconcile("17/23", ("46.6", "84.2"))
    assert (other.n_exact, other.is_explained, other.scales) == (0, False, ())


@pytest.mark.parametrize(
    "value",
    ["23 of 24", "23 of the 24 patients", "23 in 24", "95.8% (23/24)", "23/24 (95.8 %)", "23 (95.8%) of 24"],
)
def test_a_count_with_its_percentage_beside_it(value: str) -> None:
    assert reconcile(value).exact == reconcile("23/24").exact


@pytest.mark.parametrize(
    ("count", "limits"), [("0/75", ("0", "5")), ("0/24", ("0", "14")), ("0/24", ("0", "14%"))]
)
def test_whole_limits_of_none_are_percentages(count: str, limits: tuple[str, str]) -> None:
    # Clopper–Pearson's upper limit of 0 of n is 1 − 0.025^(1/n): 4.80 % of 75, 14.25 % of 24.
    result = reconcile(count, limits)
    assert (result.is_fraction, "clopper-pearson" in str(result.exact)) == (False, True)


def test_limits_of_a_count_may_be_cut_off() -> None:
    """binomial_ci.csv, Wilson's 23 of 24: 0.797584 to 0.992611, rounded 79.8 to 99.3."""
    result = reconcile("23/24", ("79.7", "99.2"))
    assert (result.n_exact, result.n_cut_off, result.is_explained) == (0, 1, True)
    assert [fit.method for fit in result.cut_off] == ["wilson"]
    assert reconcile("23/24").n_cut_off == 0


def test_limits_of_a_count_may_be_fractions() -> None:
    """binomial_ci.csv, Wilson's 23 of 24: 0.797584 to 0.992611; 1 of 200: 0.09 to 2.78 %, by its formula."""
    as_fractions = reconcile("23/24", ("0.798", "0.993"))
    assert exact(as_fractions) == {(23, 24, "wilson")}
    assert as_fractions.is_fraction
    assert as_fractions.ci_low is not None
    assert as_fractions.ci_low.read_as == "79.8"
    # Without an event only the decimals tell: 0.14 is 14 % (Wilson's 0 of 24: 0.1380), 0.1 is 0.1 %.
    assert (0, 24, "wilson") in exact(reconcile("0/24", ("0", "0.14")))
    assert (0, 3838, "wilson") in exact(reconcile("0/3838", ("0.0", "0.1")))
    percentages = reconcile("1/200", ("0.09", "2.78"))
    assert exact(percentages) == {(1, 200, "wilson")}
    assert not percentages.is_fraction


# ---- Limits beyond 0 and 1 ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "ci", "x", "n"),
    [
        # 1/12 ∓ 1.959964 √(1/12 · 11/12 / 12) = 0.08333 ∓ 0.15638
        ("8.3", ("-7.3", "24.0"), 1, 12),
        ("91.7", ("76.0", "107.3"), 11, 12),
        ("8,3 %", ("−7,3 %", "24,0 %"), 1, 12),
        ("0.083", ("-0.073", "0.240"), 1, 12),
        ("1/12", ("-7.3", "24.0"), 1, 12),
        ("11/12", ("76.0", "107.3"), 11, 12),
    ],
)
def test_walds_limits_beyond_the_edge(value: str, ci: tuple[str, str], x: int, n: int) -> None:
    result = reconcile(value, ci, None if "/" in value else (1, 300))
    assert exact(result) == {(x, n, "plain"), (x, n, "wald")}
    assert {each.scale for each in result.scales if each.fits} <= {"plain"}


def beyond(x: int, n: int, level: float) -> Iterator[tuple[str, float, float]]:
    """Wald's and Agresti and Coull's limits, by their formulas, wherever they lie."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    for method, more, of in (("wald", x, n), ("plain", x, n), ("agresti-coull", x + z * z / 2, n + z * z)):
        half = z * math.sqrt(more / of * (1 - more / of) / of)
        yield method, more / of - half, more / of + half


@pytest.mark.parametrize(
    ("value", "ci", "level"),
    [
        ("8.3", ("-7.3", "24.0"), 0.95),
        ("5", ("-4", "15"), 0.95),
        ("90", ("76", "104"), 0.99),
        ("0.0", ("-3.3", "32.1"), 0.95),
        ("50", ("-20", "120"), 0.95),
    ],
)
def test_limits_beyond_the_edge_agree_with_an_oracle_that_tries_every_count(
    value: str, ci: tuple[str, str], level: float
) -> None:
    expected, partly = set(), set()
    for n in range(1, 41):
        for x in range(n + 1):
            for method, *limits in beyond(x, n, level):
                fits = [may_be_printed(Fraction(x, n), value)]
                fits += [may_be_printed(figure, text) for figure, text in zip(limits, ci, strict=True)]
                if all(fits):
                    expected.add((x, n, method))
                elif any(fits):
                    partly.add((x, n, method, *fits))
    result = reconcile(value, ci, (1, 40), level)
    assert exact(result) == expected
    found = {
        (fit.n_counted, fit.n, fit.method, fit.value_fits, fit.low_fits, fit.high_fits)
        for fit in result.partial
    }
    assert found == partly if len(result.partial) < 100 else found < partly


def test_a_rate_with_walds_limit_below_0() -> None:
    """2/40 ∓ 1.959964 √2/40 = 0.05 ∓ 0.06930; 3/12.5 ∓ 1.959964 √3/12.5 = 0.24 ∓ 0.27158."""
    for value, counts, ci in (
        ("0.05", ("2", "40"), ("-0.02", "0.12")),
        ("0.24", ("3", "12.5"), ("-0.032", "0.512")),
        ("0.24", ("3", "12.5"), ("-0.031", "0.511")),  # cut off
    ):
        result = reconcile_rate(value, counts, ci)
        (fit,) = result.exact or result.cut_off
        assert (fit.method, fit.is_printed_exposure) == ("wald", True)
    # 0.050 needs an exposure other than 40, as printed with one decimal less: 2/39.8 = 0.05025.
    (fit,) = reconcile_rate("0.0503", ("2", "40"), ("-0.0194", "0.1199")).exact
    assert not fit.is_printed_exposure


def test_what_all_fits_have_in_common() -> None:
    result = reconcile("70", ("60", "79"))
    found, common = exact(result), result.in_common
    assert result.n_exact == len(found) > 1
    assert common is not None
    assert (common.n_low, common.n_high) == (min(n for _, n, _ in found), max(n for _, n, _ in found))
    assert (common.n_counted_low, common.n_counted_high) == (min(found)[0], max(found)[0])
    assert common.n_others_high == max(n - x for x, n, _ in found)
    assert set(common.methods) == {method for *_, method in found}
    assert reconcile("69.6", n=(20, 22)).in_common is None


# ---- Rates --------------------------------------------------------------------------------------------


def test_an_exposure_counts_as_rounded() -> None:
    """167 events in 140 years are 1.1929; 1.20 needs at most 139.75 years, printed as 140."""
    assert reconcile_rate("1.20", ("167", "140.0")).n_exact == 0
    (fit,) = reconcile_rate("1.20", ("167", "140")).exact
    assert 139.5 < fit.exposure < 167 / 1.195
    assert not fit.is_printed_exposure
    (fit,) = reconcile_rate("1.19", ("167", "140")).exact
    assert (fit.exposure, fit.is_printed_exposure, fit.method) == (140, True, None)


def test_a_rate_of_no_events() -> None:
    """poisson_rate_ci.csv: 0 events in 179, `poisson.test` 0 to 0.020608; log-Wald is undefined."""
    result = reconcile_rate("0", ("0", "179"), ("0", "0.0206"))
    assert [fit.method for fit in result.exact] == ["garwood"]
    assert {fit.method for fit in result.partial} == {"byar", "wald"}


@pytest.mark.parametrize(
    ("value", "counts", "ci"),
    [
        # 168/40 ± 1.959964 √168/40 = 4.2 ± 0.63511
        ("4.2", ("168", "40"), ("3.56", "4.84")),
        # 50/10 ± 1.959964 √50/10 = 5 ± 1.38590
        ("5.0", ("50", "10.0"), ("3.61", "6.39")),
        ("5,0", ("50", "10,0"), ("3,61", "6,39")),
        # 1/10 ± 1.959964/10: the lower limit is cut at 0
        ("0.1", ("1", "10.0"), ("0", "0.296")),
    ],
)
def test_a_rate_with_walds_limits(value: str, counts: tuple[str, str], ci: tuple[str, str]) -> None:
    printed_exposure = [
        fit.method for fit in reconcile_rate(value, counts, ci).exact if fit.is_printed_exposure
    ]
    assert printed_exposure == ["wald"]


def test_byar_without_events_begins_at_0_at_every_level() -> None:
    """Case claim-02: the upper limit is 0.0526. By hand ½ (1 − 2/9 + z √2/3)³ ÷ 12.5 with z 0.67449: 0.05262."""
    (fit,) = reconcile_rate("0.000", ("0", "12.5"), ("0.000", "0.053"), 0.5).exact
    assert (fit.method, fit.ci_low) == ("byar", 0)
    assert fit.ci_high == pytest.approx(0.0526, abs=5e-5)
    assert fit.ci_high == pytest.approx(0.5 * (7 / 9 + 0.6744897502 * 2**0.5 / 3) ** 3 / 12.5, rel=1e-9)


def test_a_rate_that_its_counts_do_not_give() -> None:
    result = reconcile_rate("1.30", ("167", "140"), ("1.02", "1.39"))
    assert (result.n_exact, result.exact) == (0, ())
    assert result.nearest is not None
    assert not any(fit.value_fits for fit in result.partial)
    # Wald's limits are those of 167 ± 25.33 events: 1.02 needs at most 139.58, 1.39 at most 138.87.
    both = {fit.method for fit in result.partial if fit.low_fits and fit.high_fits}
    assert both == {"garwood", "byar", "log-wald"}


# ---- Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "ci", "n", "level", "words"),
    [
        ("169.6", None, (1, 5), 0.95, "percentage is 169.6.*0 to 100"),
        ("69.6", ("46.6", "184.2"), (1, 5), 0.95, "upper limit is 184.2"),
        ("69.6", ("84.2", "46.6"), (1, 5), 0.95, "lower limit first"),
        ("69.6", ("70", "80"), (1, 5), 0.95, "outside its interval"),
        ("69.6", None, (0, 5), 0.95, "at least 1 patient"),
        ("69.6", None, (24, 20), 0.95, "20:24"),
        ("69.6", None, (1, 10_001), 0.95, "at most 10,000"),
        ("69.6", None, (1, 5), 95, "confidence level is 95"),
        ("69.6", None, (1, 5), 0.05, "confidence level is 0.05"),
        ("69.6", None, (1, 5), math.nan, "confidence level is nan"),
        ("-69.6", None, (1, 5), 0.95, "not negative"),
        ("nan", None, (1, 5), 0.95, "percentage is 'nan'"),
        ("inf", None, (1, 5), 0.95, "percentage is 'inf'"),
        ("", None, (1, 5), 0.95, "percentage is ''"),
        ("1e1", None, (1, 5), 0.95, "percentage is '1e1'"),
        ("69.6.1", None, (1, 5), 0.95, "percentage is"),
        ("25/24", None, None, 0.95, "25/24 counts more.*--rate 25/24"),
        ("69.6", ("-5", "80"), (1, 5), 0.95, "lower limit is -5.*no further"),
        ("94.8% (23/24)", None, None, 0.95, "is 95.83 %"),
        ("not 23 of 24", None, None, 0.95, "percentage is 'not 23 of 24'"),
        ("2 deaths in 5 years", None, None, 0.95, "percentage is '2 deaths in 5 years'"),
        ("23/24", None, (24, 24), 0.95, "leave out n"),
        ("23/24", ("97", "99"), None, 0.95, "outside its interval"),
        ("0/0", None, None, 0.95, "at least 1 patient"),
        ("1/10001", None, None, 0.95, "at most 10,000"),
        ("٦٩", None, (1, 5), 0.95, "percentage is"),
        ("9" * 5000, None, (1, 5), 0.95, "percentage is '999.*…'"),
        ("69.\x1b[31m6", None, (1, 5), 0.95, r"\\x1b"),
    ],
)
def test_impossible_percentages_are_refused(
    value: str, ci: tuple[str, str] | None, n: tuple[int, int] | None, level: float, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        reconcile(value, ci, n, level)


@pytest.mark.parametrize(
    ("value", "counts", "ci", "words"),
    [
        ("1.19", ("167", "0"), None, "exposure is 0"),
        ("1.19", ("167", "-140"), None, "exposure is '-140'"),
        ("1.19", ("16.5", "140"), None, "events is '16.5'"),
        ("1.19", ("", "140"), None, "events is ''"),
        ("x", ("167", "140"), None, "rate is 'x'"),
        ("1.19", ("167", "140"), ("1.39", "1.02"), "lower limit first"),
        ("1.19", ("167", "140"), ("1.2", "1.3"), "outside its interval"),
        ("1.19", ("1670", "1,400"), None, "exposure is 1,400, which may be 1400 or 1.400"),
        ("1,193", ("167", "140"), None, "rate is 1,193, which may be"),
        ("23/24", ("167", "140"), None, "rate is '23/24'"),
    ],
)
def test_impossible_rates_are_refused(
    value: str, counts: tuple[str, str], ci: tuple[str, str] | None, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        reconcile_rate(value, counts, ci)
