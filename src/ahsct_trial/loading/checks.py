"""What a row of the patient table must satisfy: each cell on its own, then the cells against each other.

A check gives the rows that break it, for all rows at once. The rules between columns are declared in
`CROSS_CHECKS`, one line of the contract each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.columns import PATIENT_ID, PATIENT_TABLE
from ahsct_trial.loading.identifiers import unusable_identifiers
from ahsct_trial.loading.problems import Violation, of_rows
from ahsct_trial.loading.table import Table
from ahsct_trial.loading.values import Forms, Values, explained, span
from ahsct_trial.records import IntArray
from ahsct_trial.results import Notice
from ahsct_trial.trial import Places

#: Times that differ by less are the same time [years].
SAME_TIME = 1e-9

#: Numbers that stand for a missing value in many forms.
_MISSING_CODES = (77.0, 88.0, 99.0, 777.0, 888.0, 999.0, 7777.0, 8888.0, 9999.0, 88888.0, 99999.0)

#: A count above so many times what others are, taken as 3 at least, is far outside them.
_FAR_OUTSIDE = 10
_LEAST_PERCENTILE = 3.0
#: Of fewer counts the ninetieth percentile is one of the two highest.
_FEW = 20
#: So many counts that are all 9 are no chance.
_MANY_NINES = 3
#: No trial of this treatment has a longer median follow-up [years].
_LONGEST_MEDIAN = 25.0


@dataclass(frozen=True)
class CrossCheck:
    """A rule between cells of one row.

    Attributes
    ----------
    columns
        The columns it compares; the first is the one that is named as wrong. A file that lacks one of
        them is not checked.
    is_broken
        Gives the rows that break it; a comparison with a missing value is false.
    rule, fix
        What is said of such a row; a column's name in braces stands for its value.
    """

    columns: tuple[str, ...]
    is_broken: Callable[[Table], NDArray[np.bool_]]
    rule: str
    fix: str = "Correct one of the two."


def _above(column: str, limit: str, rule: str) -> CrossCheck:
    """A value above that of another column: later than it, or more than there are."""
    return CrossCheck(
        (column, limit), lambda rows: rows.numbers(column) > rows.numbers(limit) + SAME_TIME, rule
    )


def _needs_time(column: str, time: str) -> CrossCheck:
    """A count of events above zero beside an empty time to the first one."""
    return CrossCheck(
        (column, time),
        lambda rows: (rows.numbers(column) > 0) & rows.is_missing(time),
        f"{time} is empty, as if there were none",
        f"Enter {time} or correct {column}.",
    )


def _excludes(column: str, count: str, rule: str) -> CrossCheck:
    """A value that stands beside a count of zero."""
    return CrossCheck((column, count), lambda rows: rows.is_right(column) & (rows.numbers(count) == 0), rule)


def _positive_of_zero(column: str, whole: str, rule: str) -> CrossCheck:
    """A count above zero of something of which there is none."""
    return CrossCheck(
        (column, whole), lambda rows: (rows.numbers(column) > 0) & (rows.numbers(whole) == 0), rule
    )


def _is_alive_after_edss_10(rows: Table) -> NDArray[np.bool_]:
    """An EDSS of 10 at the last visit of a patient who is known to be alive later."""
    later = ["years_to_last_visit", "years_to_last_scan"]
    is_alive = np.ones(len(rows), dtype=bool)
    if rows.has("years_to_death"):  # else the end of follow-up may be a death
        later.append("follow_up_years")
        is_alive = rows.is_missing("years_to_death")
    is_later = np.zeros(len(rows), dtype=bool)
    for column in later:
        if rows.has(column):
            is_later |= rows.numbers(column) > rows.numbers("years_to_last_edss") + SAME_TIME
    is_10: NDArray[np.bool_] = rows.numbers("edss_last") == 10
    return is_10 & is_later & is_alive


CROSS_CHECKS: tuple[CrossCheck, ...] = (
    *(
        _above(column.name, "follow_up_years", "follow-up ends at {follow_up_years} (follow_up_years)")
        for column in PATIENT_TABLE
        if column.is_within_follow_up
    ),
    CrossCheck(
        ("years_to_death", "follow_up_years"),
        lambda rows: (rows.numbers("years_to_death") == 0) & (rows.numbers("follow_up_years") > SAME_TIME),
        "a 0 mostly stands for none, for which an empty cell is right, and follow-up goes on",
        "Leave it empty, or correct one of the two.",
    ),
    CrossCheck(
        ("years_to_death", "follow_up_years"),
        lambda rows: (
            (rows.numbers("years_to_death") != 0)
            & (np.abs(rows.numbers("years_to_death") - rows.numbers("follow_up_years")) > SAME_TIME)
        ),
        "follow-up ends at death, and follow_up_years is {follow_up_years}",
    ),
    CrossCheck(
        ("edss_baseline", "follow_up_years"),
        lambda rows: (rows.numbers("edss_baseline") == 10) & (rows.numbers("follow_up_years") > SAME_TIME),
        "an EDSS of 10 is death due to MS, and follow-up goes on",
    ),
    CrossCheck(
        ("edss_last", "years_to_last_edss", "follow_up_years"),
        _is_alive_after_edss_10,
        "an EDSS of 10 is death due to MS, and follow-up goes on to {follow_up_years}",
        "Correct it, or enter the death.",
    ),
    CrossCheck(
        ("cause_of_death", "years_to_death"),
        lambda rows: rows.is_right("cause_of_death") & rows.is_missing("years_to_death"),
        "years_to_death is empty, so the patient is alive",
        "Enter years_to_death or leave cause_of_death empty.",
    ),
    _excludes("years_to_first_relapse", "relapses_after", "relapses_after is 0"),
    _needs_time("relapses_after", "years_to_first_relapse"),
    _positive_of_zero("relapses_before", "years_observed_before", "years_observed_before is 0"),
    _positive_of_zero("lesions_before", "scans_before", "scans_before is 0"),
    _above("scans_with_new_lesions_after", "scans_after", "scans_after is {scans_after}"),
    _above(
        "scans_with_new_lesions_after",
        "new_lesions_after",
        "each such scan has a lesion, and new_lesions_after is {new_lesions_after}",
    ),
    _positive_of_zero(
        "new_lesions_after", "scans_with_new_lesions_after", "scans_with_new_lesions_after is 0"
    ),
    _positive_of_zero("new_lesions_after", "scans_after", "scans_after is 0"),
    _needs_time("new_lesions_after", "years_to_first_new_lesion"),
    _needs_time("scans_with_new_lesions_after", "years_to_first_new_lesion"),
    _excludes("years_to_first_new_lesion", "new_lesions_after", "new_lesions_after is 0"),
    _excludes(
        "years_to_first_new_lesion", "scans_with_new_lesions_after", "scans_with_new_lesions_after is 0"
    ),
    _excludes("years_to_first_new_lesion", "scans_after", "scans_after is 0"),
    _excludes("years_to_last_scan", "scans_after", "scans_after is 0"),
    _above(
        "years_to_first_new_lesion",
        "years_to_last_scan",
        "the last scan was at {years_to_last_scan} (years_to_last_scan)",
    ),
    *(
        _above(
            column,
            "years_to_last_edss",
            "the last EDSS visit was at {years_to_last_edss} (years_to_last_edss)",
        )
        for column in ("years_to_worsening", "years_to_improvement")
    ),
)


def cross_violations(table: Table) -> Iterator[Violation]:
    """Rules between the columns of a patient table that some row breaks; wrong cells break no other rule."""
    for check in CROSS_CHECKS:
        if table.has(*check.columns):
            rows = np.flatnonzero(check.is_broken(table))
            if rows.size:
                yield Violation(rows, check.columns[0], check.rule, check.fix)


def another_value(rows: IntArray, attribute: str, others: IntArray) -> Violation:
    """Rows on which a patient has another value of an attribute than on another row of theirs."""
    return Violation(
        rows,
        attribute,
        "the same patient has another one on {other}",
        "Keep the right one; if one number is used at two sites, make identifiers that hold the site.",
        others,
    )


def cell_violations(table: Table, forms: Forms) -> Iterator[Violation]:
    """Cells that are missing where each row needs one, or have a value that their column does not take."""
    for values in table.columns.values():
        if isinstance(values, Values):
            yield from _wrong_cells(values, forms)
        if values.column.is_required and (missing := np.flatnonzero(values.is_missing())).size:
            is_identifier = values.column.name == PATIENT_ID.name
            fix = "Enter it, or remove a row of totals." if is_identifier else "Enter it."
            yield Violation(missing, values.column.name, "it cannot be left empty", fix)


def _wrong_cells(values: Values, forms: Forms) -> Iterator[Violation]:
    """Cells with a text that their column does not take."""
    if values.column.name == PATIENT_ID.name:
        yield from unusable_identifiers(values)
    if values.is_wrong.any():
        for (rule, fix), places in explained(values, forms).items():
            is_meant = np.zeros(len(values.texts), dtype=bool)
            is_meant[places] = True
            rows = values.rows_of(is_meant)
            if rows.size:
                yield Violation(rows, values.column.name, rule, fix)


# ---- All rows of a file ----------------------------------------------------------------------------------


def is_missing_code(lowest: float, highest: float, n: int) -> bool:
    """Whether the cells of a column, two or more, all hold the same number that mostly stands for missing."""
    return n > 1 and lowest == highest and lowest in _MISSING_CODES


def far_outside(
    name: str, values: NDArray[np.floating[Any]], rows: NDArray[np.integer[Any]], places: Places
) -> Iterator[Notice]:
    """A count that is far outside the others, or 9 in every row.

    Parameters
    ----------
    name
        The column.
    values, rows
        Its counts, NaN where missing, and the row of each.
    places
        Where rows stand.
    """
    lowest, highest = span(values)
    if lowest == highest == 9 and np.count_nonzero(values == 9) >= _MANY_NINES:
        text = f"{name} is 9 in every row that has it. Does it stand for missing?"
        yield Notice(code="far-outside", severity="look first", text=text)
    if not highest > _FAR_OUTSIDE * _LEAST_PERCENTILE:
        return
    known = values[~np.isnan(values)]
    # A code for missing may stand in more than a tenth of the rows, and says nothing of what is usual.
    others = known[~np.isin(known, _MISSING_CODES)]
    limit = _far_limit(others)
    found = np.sort(rows[values > limit])
    if found.size:
        lowest = known[known > limit].min()
        what = f"{highest:g}" if lowest == highest else f"{lowest:g} to {highest:g}"
        beside = ", far outside the others" if len(found) < len(known) else ""
        text = f"{name} of {of_rows(places, found)} is {what}{beside}. Does it stand for missing, or is it a slip?"
        yield Notice(code="far-outside", severity="look first", text=text)


def _far_limit(counts: NDArray[np.floating[Any]]) -> float:
    """Above what a count is far outside some others: many times the ninetieth percentile.

    Of fewer than twenty that may be a slip itself. There it is also what lies beyond a gap, with no more than a fifth
    of the counts above it.
    """
    n = len(counts)
    if not n:
        return _FAR_OUTSIDE * _LEAST_PERCENTILE
    place = int(0.9 * (n - 1))
    if n >= _FEW:
        return float(_FAR_OUTSIDE * max(np.partition(counts, place)[place], _LEAST_PERCENTILE))
    start = min(place, -(-4 * n // 5) - 1)
    top = np.sort(counts)[start:]
    limits = _FAR_OUTSIDE * np.maximum(top, _LEAST_PERCENTILE)
    gaps = np.flatnonzero(top[1:] > limits[:-1])
    return float(min([limits[place - start], *limits[gaps[:1]]]))


def long_follow_up(years: NDArray[np.floating[Any]]) -> Iterator[Notice]:
    """A follow-up that hardly any trial has."""
    known = years[~np.isnan(years)]
    if 2 * np.count_nonzero(known > _LONGEST_MEDIAN) < known.size or not known.size:
        return  # which spares most a look for the median
    median = float(np.median(known))
    if median > _LONGEST_MEDIAN:
        text = f"The median follow-up is {median:.1f} years. Were months read as years?"
        yield Notice(code="long-follow-up", severity="look first", text=text)


def edss_10_notice(n: int) -> Notice:
    """That a last EDSS is death, and no death was entered."""
    noun = "1 patient has" if n == 1 else f"{n:,} patients have"
    text = f"{noun} a last EDSS of 10, which is death due to MS, and no death. Was it entered?"
    return Notice(code="edss-10-without-death", severity="look first", text=text)
