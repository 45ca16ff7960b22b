"""From texts to what they mean: numbers, dates, levels and labels, each different text once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ahsct_trial.chunks import chunks
from ahsct_trial.columns import NUMERIC_KINDS, PATIENT_ID, Column
from ahsct_trial.escaping import shown
from ahsct_trial.loading.blocks import NotPlain, TextColumn
from ahsct_trial.loading.date_formats import ISO_DATE, NO_SERIAL_DAY, SERIAL_DAY, day_in, year_and_month

#: What stands for a missing value in files of SAS, R, pandas and spreadsheets.
MISSING = ("NA", "N/A", "n/a", "NaN", "NULL", ".", "#N/A")

_DAY_1970 = date(1970, 1, 1).toordinal()
#: There is no date before it: the calendar has no year 0.
_FIRST_DAY = date.min.toordinal() - _DAY_1970
#: No transplant, scan or EDSS is older: the EDSS is of 1983, and a history reaches back some decades.
EARLIEST = date(1950, 1, 1)
#: A word or signs that people write for a missing value.
_MAYBE_MISSING = r"([^\W\d_]\.?){2,12}|[-?*/_.x]{1,5}|-?[0-9]+|<[A-Za-z]+>|#[A-Z/0-9]+[!?]"
#: Words for unknown that a person writes in small letters, and numbers that forms have for it.
_UNKNOWN = re.compile(
    r"unk|unknown|missing|none|null|n\.?[adrek]\.?|k\.?\s?a\.?|unbekannt|fehlt|inconnue?|desconocid[oa]|sconosciut[oa]"
    r"|desconhecid[oa]|onbekend|[-?*/_.]{1,5}|-?9+|<[a-z]+>|#[a-z/0-9]+[!?]"
)
_CODE_FOR_MISSING = re.compile(r"-?(7{2,5}|8{2,5}|9{1,5})|-1")
_MARK_NAMES = {".": "point", ",": "comma"}
#: Different wrong texts of a part of a column whose rules are looked at one by one.
_N_EXPLAINED = 1000


@dataclass(frozen=True)
class Forms:
    """How values are written.

    Attributes
    ----------
    delimiter
        The character between cells.
    date_format
        Form of dates in the terms of Python's `strptime`; None for ISO 8601.
    missing
        Texts that stand for a missing value, beside the empty cell.
    decimal_point
        What stands before the decimals of numbers, a point or a comma.
    """

    delimiter: str = ","
    date_format: str | None = None
    missing: frozenset[str] = frozenset(MISSING)
    decimal_point: str = "."


@dataclass(frozen=True)
class Values:
    """A column by its different texts.

    Attributes
    ----------
    column
        What the column holds.
    codes
        Place of each row's text among the different ones, −1 where it is missing; shape (n_rows,).
    texts
        The different texts as they are written; some may stand in no row.
    values
        What each of them means: numbers, NaN where wrong, or canonical texts, None where wrong. Identifiers
        mean what is written, and have none.
    is_wrong
        Whether the column does not take it.
    missing
        How many cells hold each text that stands for missing.
    """

    column: Column
    codes: NDArray[np.int32]
    texts: pa.StringArray
    values: NDArray[Any]
    is_wrong: NDArray[np.bool_]
    missing: Mapping[str, int] = field(default_factory=dict)

    def rows_of(self, is_meant: NDArray[np.bool_]) -> NDArray[np.intp]:
        """The rows that have one of some texts, by a flag for each text."""
        return np.flatnonzero(np.append(is_meant, False)[self.codes]) if is_meant.any() else _NO_ROWS

    def strings(self) -> pa.StringArray:
        """The text in each row, null where it is missing; shape (n_rows,)."""
        if np.array_equal(self.codes, np.arange(len(self.texts))):
            return self.texts
        return self.texts.take(pa.array(self.codes, mask=self.codes < 0))

    def numbers(self) -> NDArray[np.float64]:
        """The number in each row, NaN where it is missing or wrong; shape (n_rows,)."""
        return np.append(self.values, np.nan)[self.codes]

    def span(self) -> tuple[float, float]:
        """The lowest and the highest number, NaN where there is none."""
        return span(self.values)

    def is_missing(self) -> NDArray[np.bool_]:
        """Where there is no value, not even a wrong one; shape (n_rows,)."""
        return self.codes < 0

    def is_right(self) -> NDArray[np.bool_]:
        """Where there is a value that the column takes; shape (n_rows,)."""
        return np.append(~self.is_wrong, False)[self.codes]

    def coded(self, rows: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int32], list[Any]]:
        """The place of the value of each of some rows among the different ones, and these."""
        return self.codes[rows], self.values.tolist()

    def among(self, is_kept: NDArray[np.bool_]) -> Values:
        """The column in the rows that are kept."""
        return Values(self.column, self.codes[is_kept], self.texts, self.values, self.is_wrong, self.missing)


@dataclass(frozen=True)
class Numbers:
    """A numeric column in which every cell is empty or a number that the column takes.

    Attributes
    ----------
    column
        What the column holds.
    values
        The number in each row, NaN where it is missing; shape (n_rows,).
    lowest, highest
        The extremes, NaN where no row has a number.
    """

    column: Column
    values: NDArray[np.float64]
    lowest: float
    highest: float
    #: No cell holds a text that stands for missing.
    missing: ClassVar[Mapping[str, int]] = {}

    @classmethod
    def of(cls, column: Column, values: NDArray[np.float64]) -> Numbers:
        """The column with its extremes."""
        return cls(column, values, *span(values))

    def span(self) -> tuple[float, float]:
        """The lowest and the highest number, NaN where there is none."""
        return self.lowest, self.highest

    def numbers(self) -> NDArray[np.float64]:
        """The number in each row, NaN where it is missing; shape (n_rows,)."""
        return self.values

    def is_missing(self) -> NDArray[np.bool_]:
        """Where there is no value; shape (n_rows,)."""
        return np.isnan(self.values)

    def is_right(self) -> NDArray[np.bool_]:
        """Where there is a value; shape (n_rows,)."""
        return ~np.isnan(self.values)

    def coded(self, rows: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int32], list[float]]:
        """The place of the value of each of some rows among the different ones, and these."""
        different, places = np.unique(self.values[rows], return_inverse=True)
        return places.astype(np.int32), different.tolist()

    def among(self, is_kept: NDArray[np.bool_]) -> Numbers:
        """The column in the rows that are kept."""
        return Numbers.of(self.column, self.values[is_kept])


_NO_ROWS = np.empty(0, dtype=np.intp)


def meant(column: Column, text_column: TextColumn, forms: Forms) -> Values:
    """What the texts of a column mean; blanks around them do not count."""
    texts = text_column.texts
    trimmed = pc.utf8_trim_whitespace(texts)
    is_missing = pc.is_in(trimmed, pa.array(["", *forms.missing])).to_numpy(zero_copy_only=False)
    codes, missing = text_column.codes, {}
    if is_missing.any():
        n_rows = np.bincount(codes + 1, minlength=len(texts) + 1)[1:]
        counted = Counter[str]()
        for place in np.flatnonzero(is_missing).tolist():
            counted[trimmed[place].as_py()] += int(n_rows[place])
        missing = {text: n for text, n in counted.items() if text}
        new = np.where(is_missing, -1, np.arange(len(texts)))
        codes = np.append(new, -1).astype(np.int32)[codes]
        trimmed = pc.if_else(pa.array(is_missing), None, trimmed)
    values = _values(column, trimmed, forms)
    if column.name == PATIENT_ID.name:
        is_wrong = np.zeros(len(texts), dtype=bool)
    elif column.kind in NUMERIC_KINDS:
        is_wrong = (np.isnan(values) | is_outside(column, values)) & ~is_missing
        values[is_wrong] = np.nan
    else:
        is_wrong = np.equal(values, None) & ~is_missing  # type: ignore[call-overload]
    return Values(column, codes, texts, values, is_wrong, missing)


def may_be_plain(forms: Forms) -> bool:
    """Whether numbers and dates may be read as such: as Python writes them, and none stands for missing."""
    return (
        forms.delimiter == ","
        and forms.date_format is None
        and not any(re.match(f"{_number('.')}|{ISO_DATE}", token) for token in forms.missing)
    )


def plain_numbers(column: Column, values: NDArray[np.float64]) -> Numbers:
    """A column that was read as numbers.

    Raises
    ------
    NotPlain
        If there is one that the column does not take.
    """
    numbers = Numbers.of(column, values)
    low, high = _limits(column)
    if numbers.lowest < low or numbers.highest > high:
        raise NotPlain
    if any(_has_other_form(column, values[chunk]).any() for chunk in chunks(len(values))):
        raise NotPlain
    return numbers


def span(values: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """The lowest and the highest of some numbers, NaN where all are missing."""
    return float(np.fmin.reduce(values, initial=np.nan)), float(np.fmax.reduce(values, initial=np.nan))


def _values(column: Column, trimmed: pa.StringArray, forms: Forms) -> NDArray[Any]:
    if column.name == PATIENT_ID.name:
        return np.empty(0)
    if column.kind == "date":
        return day_numbers(trimmed, forms.date_format)
    if column.kind in NUMERIC_KINDS:
        return _numbers(trimmed, forms.decimal_point)
    if column.kind == "level":
        level_of = {level.casefold(): level for level in column.levels} | dict(column.codes)
        meant = [None if text is None else level_of.get(text.casefold()) for text in trimmed.to_pylist()]
    else:
        meant = pc.utf8_normalize(trimmed, form="NFC").to_pylist()
    values = np.empty(len(meant), dtype=object)
    values[:] = meant
    return values


def is_outside(column: Column, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a number is one that the column does not take; NaN is not."""
    low, high = _limits(column)
    is_outside: NDArray[np.bool_] = (values < low) | (values > high) | _has_other_form(column, values)
    return is_outside


def _limits(column: Column) -> tuple[float, float]:
    """The lowest and the highest number that a column takes."""
    if column.kind == "date":
        return EARLIEST.toordinal() - _DAY_1970, today() - _DAY_1970
    return column.low, column.high


def _has_other_form(column: Column, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a number is 0, or not whole, or not one of the scale, where the column takes no such number."""
    has_other_form: NDArray[np.bool_] = np.zeros(1, dtype=bool)
    if column.is_after_zero:
        has_other_form = values == 0
    if column.kind in {"count", "day"}:
        has_other_form = has_other_form | (np.floor(values) < values)
    elif column.kind == "edss":
        halves = 2 * np.clip(values, 0, column.high)
        has_other_form = has_other_form | (np.floor(halves) < halves) | (halves == 1)
    return has_other_form


def today() -> int:
    """The day of reading, as Python's ordinal."""
    return date.today().toordinal()


def _numbers(texts: pa.StringArray, decimal_point: str) -> NDArray[np.float64]:
    """Numbers, NaN for a text that is none."""
    if decimal_point == ".":
        try:
            numbers = _as_floats(texts)
        except pa.ArrowInvalid:
            pass
        else:
            if np.isfinite(numbers).sum() == len(texts) - texts.null_count:
                return numbers
    is_number = pc.match_substring_regex(texts, _number(decimal_point))
    return _as_floats(pc.if_else(is_number, pc.replace_substring(texts, decimal_point, "."), None))


def _as_floats(texts: pa.StringArray) -> NDArray[np.float64]:
    numbers = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.array(numbers, dtype=np.float64)


def _number(point: str) -> str:
    point = re.escape(point)
    return rf"^[+-]?([0-9]+({point}[0-9]*)?|{point}[0-9]+)([eE][+-]?[0-9]+)?$"


def count_marks(columns: Iterable[TextColumn]) -> dict[str, int]:
    """How many numbers have a decimal point, and how many a decimal comma."""
    found = {".": 0, ",": 0}
    for column in columns:
        n_rows = np.bincount(column.codes + 1, minlength=len(column.texts) + 1)[1:]
        trimmed = pc.utf8_trim_whitespace(column.texts)
        for mark in found:
            has_mark = pc.and_(
                pc.match_substring_regex(trimmed, _number(mark)), pc.match_substring(trimmed, mark)
            )
            found[mark] += int(n_rows[has_mark.to_numpy(zero_copy_only=False)].sum())
    return found


# ---- Dates -----------------------------------------------------------------------------------------------


def day_numbers(texts: pa.StringArray, date_format: str | None) -> NDArray[np.float64]:
    """Days since 1970 [days], shape (n,), NaN for a text that is no date.

    Parameters
    ----------
    texts
        Dates, shape (n,).
    date_format
        Their form in the terms of Python's `strptime`; None for ISO 8601, with or without a time of day.
    """
    if date_format is not None:
        return np.array([_day_in_form(text, date_format) for text in texts.to_pylist()], dtype=np.float64)
    is_date = pc.match_substring_regex(texts, ISO_DATE)
    days = pc.if_else(is_date, pc.utf8_slice_codeunits(texts, 0, 10), None)
    try:
        found = np.array(days.cast(pa.date32()).cast(pa.int32()).to_numpy(zero_copy_only=False), np.float64)
        found[found < _FIRST_DAY] = np.nan
    except pa.ArrowInvalid:  # a day that no month has
        found = np.array([_iso_day(text) for text in days.to_pylist()], dtype=np.float64)
    return found


def _iso_day(text: str | None) -> float:
    try:
        return np.nan if text is None else date.fromisoformat(text).toordinal() - _DAY_1970
    except ValueError:
        return np.nan


def _day_in_form(text: str | None, date_format: str) -> float:
    day = None if text is None else day_in(text, date_format)
    return np.nan if day is None else day.toordinal() - _DAY_1970


def iso_of(day: int) -> str:
    """A day since 1970 as a date."""
    return date.fromordinal(day + _DAY_1970).isoformat()


# ---- What is wrong with a text ---------------------------------------------------------------------------


def explained(values: Values, forms: Forms) -> dict[tuple[str, str], NDArray[np.intp]]:
    """The wrong texts of a column, as their places, by the rule they break and what to do about it."""
    found: dict[tuple[str, str], list[int]] = {}
    places = np.flatnonzero(values.is_wrong)
    for place in places[:_N_EXPLAINED].tolist():
        text = values.texts[place].as_py().strip()
        found.setdefault(_explained(values.column, text, forms), []).append(place)
    if len(places) > _N_EXPLAINED:
        rule = (braceless(values.column.rule), "Correct it.")
        found[rule] = [*found.get(rule, []), *places[_N_EXPLAINED:].tolist()]
    return {rule: np.array(of_rule) for rule, of_rule in found.items()}


def braceless(text: str) -> str:
    """A text as a rule, in which braces stand for values."""
    return text.replace("{", "{{").replace("}", "}}")


def _explained(column: Column, text: str, forms: Forms) -> tuple[str, str]:
    """The rule that a text breaks, and what to do about it."""
    is_needed = column.is_required or column.name in {"day", "date"}
    if column.kind == "level":
        fix = "Correct it, or give a map that translates it."
        is_maybe = text.isupper() or _UNKNOWN.fullmatch(text.casefold())
        return column.rule, fix + (_or_missing(text) if is_maybe and not is_needed else "")
    if column.kind == "date":
        return _explained_date(text, forms)
    if (mark := _wrong_mark(text, forms)) is not None:
        return mark, "Correct it."
    is_number = bool(re.fullmatch(_number(forms.decimal_point), text))
    if is_number and column.is_after_zero and float(text.replace(forms.decimal_point, ".")) == 0:
        return (
            "a 0 mostly stands for none, for which an empty cell is right",
            "Leave it empty, or correct it.",
        )
    fix = "Correct it." if is_needed else "Correct it or leave it empty."
    is_maybe = _CODE_FOR_MISSING.fullmatch(text) if is_number else True
    return column.rule, fix + ("" if is_needed or not is_maybe else _or_missing(text))


def _wrong_mark(text: str, forms: Forms) -> str | None:
    """The rule that a number breaks whose decimals stand behind the other mark; None for other text."""
    other = "," if forms.decimal_point == "." else "."
    if other not in text or not re.fullmatch(_number(other), text):
        return None
    if forms.delimiter == ",":
        return "in a comma-separated file decimals have a point"
    return f"other numbers in this file have a decimal {_MARK_NAMES[forms.decimal_point]}"


def _or_missing(text: str) -> str:
    """How to say that a text stands for missing, if it may."""
    if not re.fullmatch(_MAYBE_MISSING, text) or (len(text) == 1 and text.isalpha()):
        return ""
    return f" If it stands for missing, add --missing {text if text.isalnum() else repr(text)}."


def _explained_date(text: str, forms: Forms) -> tuple[str, str]:
    [day] = day_numbers(pa.array([text]), forms.date_format)
    if not np.isnan(day):
        if day > today() - _DAY_1970:
            return "the date lies after the day of reading", "Correct it, or leave the record out."
        return (
            f"no date is before {EARLIEST.year}; such a date mostly stands for unknown",
            "Correct it, or leave the record out.",
        )
    if SERIAL_DAY.fullmatch(text):
        return (
            NO_SERIAL_DAY,
            "Format the cells as dates and export the data again, or give a map with "
            'date_format = ["excel"] or ["sas"].',
        )
    form, of_day = forms.date_format, text
    if form is None:
        form, of_day = "%Y-%m-%d", text.partition("T")[0]
    if year_and_month(of_day, form) is not None:
        return (
            "it is a date without a day or a month, so its place in time is not known",
            "Enter the day, or give a map that leaves the record out or takes another column.",
        )
    if forms.date_format is not None:
        return (
            f"it must be a date that exists, in the form {braceless(shown(forms.date_format))}",
            "Correct it.",
        )
    return "it must be a date that exists, as YYYY-MM-DD (another form needs --date-format)", "Correct it."
