"""Numbers in words, spelt as a dictionary spells them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ahsct_trial.written_numbers import COUNT, in_digits

BELOW_TWENTY = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def spelt(n: int, *, hyphen: str, conjunction: str) -> str:
    if n < 20:
        return BELOW_TWENTY[n]
    if n < 100:
        return TENS[n // 10 - 2] + (hyphen + BELOW_TWENTY[n % 10] if n % 10 else "")
    base, word = (100, "hundred") if n < 1000 else (1000, "thousand")
    rest = f"{conjunction}{spelt(n % base, hyphen=hyphen, conjunction=conjunction)}" if n % base else ""
    return f"{spelt(n // base, hyphen=hyphen, conjunction=conjunction)} {word}{rest}"


@given(
    st.integers(2, 999_999),
    st.integers(2, 999_999),
    st.sampled_from(["-", " "]),
    st.sampled_from([" ", " and "]),
    st.booleans(),
)
def test_every_number_is_read_as_it_is_spelt(
    value: int, of: int, hyphen: str, conjunction: str, is_upper: bool
) -> None:
    text = " of ".join(spelt(each, hyphen=hyphen, conjunction=conjunction) for each in (value, of))
    assert in_digits(text.upper() if is_upper else text) in {f"{value} of {of}", f"{value} OF {of}"}


@pytest.mark.parametrize(
    ("text", "alone", "in_a_count"),
    [
        ("no evidence of disease", "no evidence of disease", "no evidence of disease"),
        ("no relapse", "0 relapse", "no relapse"),
        ("one of the largest trials", "1 of the largest trials", "one of the largest trials"),
        ("at one year", "at 1 year", "at 1 year"),
        ("a single-centre trial", "a single-centre trial", "a single-centre trial"),
        ("more than one in 24", "more than 1 in 24", "more than 1 in 24"),
        ("no more than two", "no more than 2", "no more than 2"),
        ("all 24 months", "all 24 months", "all 24 months"),
        ("nearly all of 24", "nearly all of 24", "nearly all of 24"),
    ],
)
def test_no_and_one_are_numbers_only_of_something(text: str, alone: str, in_a_count: str) -> None:
    assert in_digits(text, also_alone=True) == alone
    assert in_digits(text) == in_a_count


@pytest.mark.parametrize(
    "text", ["2 in 5 years", "2 dozen of 24", "2 per cent of 24", "1 in 2016", "5 of 7 months"]
)
def test_what_is_no_count(text: str) -> None:
    assert COUNT.search(text) is None


def test_letters_that_are_like_others_make_no_number_and_signs_that_are_do() -> None:
    assert in_digits("\u017fix of 24") == "\u017fix of 24"
    assert in_digits("all but \u22121 of 24") == "25 of 24"
