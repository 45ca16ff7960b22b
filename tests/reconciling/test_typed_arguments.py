"""Limits and ranges as people type or paste them."""

from __future__ import annotations

import pytest

from ahsct_trial.errors import UsageError
from ahsct_trial.reconciling.arguments import one_level, split_figure, split_limits, split_range


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("46.6:84.2", ("46.6", "84.2")),
        ("46.6-84.2", ("46.6", "84.2")),
        ("46.6–84.2", ("46.6", "84.2")),
        ("46.6 — 84.2", ("46.6", "84.2")),
        ("46.6 to 84.2", ("46.6", "84.2")),
        ("46,6–84,2", ("46,6", "84,2")),
        ("46,6; 84,2", ("46,6", "84,2")),
        ("46.6, 84.2", ("46.6", "84.2")),
        ("(46.6–84.2)", ("46.6", "84.2")),
        ("[46.6 %; 84.2 %]", ("46.6 %", "84.2 %")),
        ("46·6−84·2", ("46·6", "84·2")),
        ("46.6,84.2", ("46.6", "84.2")),
        ("-0.02:0.12", ("-0.02", "0.12")),
        ("−2.03 to −1.29", ("−2.03", "−1.29")),
    ],
)
def test_limits(text: str, limits: tuple[str, str]) -> None:
    assert split_limits(text) == limits


@pytest.mark.parametrize("text", ["", ":", "46.6", "46.6:", "46.6:84.2:90", "x:5", "46,6,84,2", "46.6 84.2"])
def test_what_is_not_two_limits(text: str) -> None:
    with pytest.raises(UsageError, match="LOW:HIGH"):
        split_limits(text)


@pytest.mark.parametrize(
    ("text", "figure", "limits"),
    [
        ("69.6", "69.6", None),
        ("eleven of twelve", "11 of 12", None),
        ("none of 14", "0 of 14", None),
        ("all 24", "24 of 24", None),
        ("one in five", "1 in 5", None),
        ("69,6 per cent", "69,6%", None),
        ("one hundred percent", "100%", None),
        ("69.6 % (46.6–84.2)", "69.6%", ("46.6", "84.2")),
        ("69.6 [46.6, 84.2]", "69.6", ("46.6", "84.2")),
        ("69.6% (95% CI 46.6 to 84.2)", "69.6%", ("46.6", "84.2")),
        ("23/24, 95 % CI 78.9–99.9", "23/24", ("78.9", "99.9")),
    ],
)
def test_a_figure_and_the_limits_beside_it(text: str, figure: str, limits: tuple[str, str] | None) -> None:
    assert split_figure(text) == (figure, limits)


@pytest.mark.parametrize(
    ("text", "given", "level"),
    [
        ("91.3% (90% CI 74.7–97.2)", None, 0.9),
        ("91.3% (90 % confidence interval 74.7–97.2)", 0.9, 0.9),
        ("23/24, 97.5% CI 78.9–99.9", None, 0.975),
        ("91.3% (74.7–97.2)", 0.99, 0.99),
        ("95% (74.7–97.2)", None, 0.95),
    ],
)
def test_the_level_beside_the_limits(text: str, given: float | None, level: float) -> None:
    assert one_level(text, given) == level


def test_two_levels_are_refused() -> None:
    with pytest.raises(UsageError, match=r"--level is 0.95, and the figure says 90 %"):
        one_level("91.3% (90% CI 74.7–97.2)", 0.95)


def test_two_intervals_beside_a_figure_are_refused() -> None:
    with pytest.raises(UsageError, match="more than one interval"):
        split_figure("69.6 (46.6–84.2), 95 % CI 46–84")


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("20:24", (20, 24)),
        ("20-24", (20, 24)),
        ("20–24", (20, 24)),
        (" 20 to 24 ", (20, 24)),
        ("24", (24, 24)),
    ],
)
def test_ranges(text: str, ends: tuple[int, int]) -> None:
    assert split_range(text) == ends


@pytest.mark.parametrize("text", ["", "20:", "20:22:24", "-5", "20,24", "2.5", "x"])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(UsageError, match="write A:B"):
        split_range(text)
