"""What a row of the patient table must satisfy: each cell on its own, then the cells against each other.

A check gives the rows that break it, for all rows at once. The rules between columns are declared in
`CROSS_CHECKS`, one line of the contract each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ahsct_trial.columns import PATIENT_ID, Column
from ahsct_trial.loading.arrow import characters
from ahsct_trial.loading.rows import Numbers, Rows, Texts
from ahsct_trial.records import IntArray

#: Columns that each record, or each one of a kind, needs.
_NEEDED_BY_RECORDS = ("day", "date", "edss")


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
    is_broken: Callable[[Rows], NDArray[np.bool_]]
    rule: str
    fix: str = "Correct one of the two."


@dataclass(frozen=True)
class Violation:
    """Rows [numbers within `Rows`, ascending] that break one rule about `column`.

    A column's name in braces in `rule` stands for its value, ``{other_line}`` for the line of the row in
    `other_rows` that each of them contradicts.
    """

    rows: IntArray
    column: str
    rule: str
    fix: str
    other_rows: IntArray | None = None


def _above(column: str, limit: str, rule: str) -> CrossCheck:
    """A value above that of another column: later than it, or more than there are."""
    return CrossCheck((column, limit), lambda rows: rows.numbers(column) > rows.numbers(limit), rule)


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
    return CrossCheck(
        (column, count), lambda rows: ~rows.is_missing(column) & (rows.numbers(count) == 0), rule
    )


def _positive_of_zero(column: str, whole: str, rule: str) -> CrossCheck:
    """A count above zero of something of which there is none."""
    return CrossCheck(
        (column, whole), lambda rows: (rows.numbers(column) > 0) & (rows.numbers(whole) == 0), rule
    )


CROSS_CHECKS: tuple[CrossCheck, ...] = (
    *(
        _above(column, "follow_up_years", "follow-up ends at {follow_up_years} (follow_up_years)")
        for column in (
            "years_to_first_relapse",
            "years_to_first_new_lesion",
            "years_to_last_scan",
            "years_to_last_edss",
            "years_to_worsening",
            "years_to_improvement",
        )
    ),
    CrossCheck(
        ("years_to_death", "follow_up_years"),
        lambda rows: (
            ~rows.is_missing("years_to_death")
            & (rows.numbers("years_to_death") != rows.numbers("follow_up_years"))
        ),
        "follow-up ends at death, and follow_up_years is {follow_up_years}",
    ),
    CrossCheck(
        ("cause_of_death", "years_to_death"),
        lambda rows: ~rows.is_missing("cause_of_death") & rows.is_missing("years_to_death"),
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


def cross_violations(rows: Rows, is_wrong: Mapping[str, NDArray[np.bool_]]) -> Iterator[Violation]:
    """Rules between the columns of a patient table that some row breaks; wrong cells break no other rule."""
    for check in CROSS_CHECKS:
        if not rows.has(*check.columns):
            continue
        is_broken = check.is_broken(rows)
        for name in check.columns:
            if name in is_wrong:
                is_broken = is_broken & ~is_wrong[name]
        if is_broken.any():
            yield Violation(np.flatnonzero(is_broken), check.columns[0], check.rule, check.fix)


def cell_violations(
    rows: Rows,
    columns: Iterable[Column],
    is_unreadable: Mapping[str, NDArray[np.bool_]],
    is_wrong: dict[str, NDArray[np.bool_]],
) -> Iterator[Violation]:
    """Cells that are missing where each row needs one, or have a value that their column does not take.

    Parameters
    ----------
    rows
        The typed columns.
    columns
        Their descriptions.
    is_unreadable
        Where a cell of a numeric column is not a number; empty after the fast way of reading.
    is_wrong
        Takes up where a cell was found wrong, by column, so that no other rule is held against it.
    """
    for column in columns:
        if column.name == PATIENT_ID.name:
            yield from _unusable_identifiers(rows.identifiers, column)
            continue
        name = column.name
        given = rows.columns[name]
        wrong = _outside(given, column)
        if name in is_unreadable and is_unreadable[name].any():
            wrong = np.union1d(wrong, np.flatnonzero(is_unreadable[name]))
        if wrong.size:
            is_wrong[name] = np.zeros(len(rows), dtype=bool)
            is_wrong[name][wrong] = True
            needs_value = column.is_required or name in _NEEDED_BY_RECORDS
            fix = "Correct it." if needs_value else "Correct it or leave it empty."
            yield Violation(wrong, name, column.rule, fix)
        if column.is_required and len(given.rows) < len(rows):
            missing = np.setdiff1d(np.flatnonzero(rows.is_missing(name)), wrong)
            if missing.size:
                yield Violation(missing, name, "it cannot be left empty", "Enter it.")


def _unusable_identifiers(identifiers: pa.Array, column: Column) -> Iterator[Violation]:
    if identifiers.null_count:
        missing = np.flatnonzero(identifiers.is_null().to_numpy(zero_copy_only=False))
        yield Violation(missing, column.name, "it cannot be left empty", "Enter it.")
    if (rows := unusable(identifiers)).size:
        yield Violation(
            rows,
            column.name,
            "an identifier stands on one line and is not blank",
            "Correct it, and look for a quote that is opened there and not closed.",
        )


def repeated_identifiers(identifiers: pa.Array) -> Iterator[Violation]:
    """Rows of a patient table whose identifier, a string, stands in an earlier row."""
    first, again = repeated(identifiers)
    if again.size:
        yield Violation(
            again,
            PATIENT_ID.name,
            "line {other_line} has the same identifier, and a patient has one row",
            "Remove one or give it another identifier.",
            first,
        )


def repeated(texts: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows whose text stands in an earlier row: the first such row of each, and these rows."""
    if _are_distinct(texts):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    codes = texts.dictionary_encode().indices.fill_null(-1).to_numpy()
    _, first_of_code, code = np.unique(codes, return_index=True, return_inverse=True)
    first = first_of_code[code]
    again = np.flatnonzero((first < np.arange(len(codes))) & (codes >= 0))
    return first[again], again


def _are_distinct(texts: pa.Array) -> bool:
    """Whether no text stands in two rows; a registry's list is mostly in order, which is quick to see."""
    if texts.null_count == 0 and pc.all(pc.less(texts[:-1], texts[1:])).as_py():
        return True
    return bool(pc.count_distinct(texts, mode="only_valid").as_py() == len(texts) - texts.null_count)


def unusable(identifiers: pa.Array) -> NDArray[np.int64]:
    """Rows whose identifier cannot be read in a list: nothing but blanks, or a line break within."""
    # Bytes above the blank and within ASCII need no closer look, which costs ten times as much.
    used = characters(identifiers)
    if used.min(initial=0x21) > ord(" ") and used.max(initial=0) < 0x80:
        return np.empty(0, dtype=np.int64)
    is_unusable = pc.or_(pc.utf8_is_space(identifiers), pc.match_substring(identifiers, "\n"))
    return np.flatnonzero(pc.fill_null(is_unusable, False).to_numpy(zero_copy_only=False))


def _outside(given: Numbers | Texts, column: Column) -> NDArray[np.intp]:
    """Rows with a value that the column does not take."""
    if isinstance(given, Texts):
        is_checked = column.kind == "level"
        wrong = [i for i, text in enumerate(given.different) if is_checked and text not in column.levels]
        return given.rows[np.isin(given.places, wrong)] if wrong else given.rows[:0]
    values = given.values
    is_outside = (values < column.low) | (values > column.high)
    if column.kind in {"count", "day"}:
        is_outside |= np.floor(values) < values
    elif column.kind == "edss":
        halves = 2 * np.clip(values, 0, column.high)
        is_outside |= (np.floor(halves) < halves) | (halves == 1)
    return given.rows[is_outside]


def similar(identifiers: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of rows whose identifiers differ only by case or blanks: perhaps one patient written in two ways.

    The identifiers are distinct strings, and none is missing. Characters that nobody sees count as blanks.
    """
    if not _may_be_similar(identifiers):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    return repeated(pc.utf8_lower(pc.replace_substring_regex(identifiers, r"[\s\pZ\p{Cf}]", "")))


def _may_be_similar(identifiers: pa.Array) -> bool:
    """False where no text has a blank or a letter beyond ASCII, and all letters are of one case.

    Looks at the bytes of all texts at once: folding a million of them costs half a second.
    """
    occurs = np.zeros(256, dtype=bool)
    occurs[characters(identifiers)] = True
    has_lower, has_upper = occurs[ord("a") : ord("z") + 1].any(), occurs[ord("A") : ord("Z") + 1].any()
    return bool((has_lower and has_upper) or occurs[: ord(" ") + 1].any() or occurs[128:].any())
