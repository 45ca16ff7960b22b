"""Limits and ranges as people type or paste them."""

from __future__ import annotations

import pytest

from ahsct_trial.errors import UsageError
from ahsct_trial.reconciling.arguments import split_limits, split_range


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
    ],
)
def test_limits(text: str, limits: tuple[str, str]) -> None:
    assert split_limits(text) == limits


@pytest.mark.parametrize("text", ["", ":", "46.6", "46.6:", "46.6:84.2:90", "-1:5", "46,6,84,2", "46.6 84.2"])
def test_what_is_not_two_limits(text: str) -> None:
    with pytest.raises(UsageError, match="LOW:HIGH"):
        split_limits(text)


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
