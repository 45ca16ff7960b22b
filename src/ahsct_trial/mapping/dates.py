"""Texts of dates as YYYY-MM-DD, by forms that are named; nothing is guessed."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from ahsct_trial.loading.date_formats import (
    ISO_DATE,
    NO_SERIAL_DAY,
    SERIAL_DAY,
    as_date_format,
    day_in,
    year_and_month,
)
from ahsct_trial.mapping.model import PartialDate

#: Forms that are a number of days, by their name: the day that is 0.
SERIAL: dict[str, date] = {"excel": date(1899, 12, 30), "sas": date(1960, 1, 1)}

_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]*)?")
#: A month and a year in any form.
_MONTH_AND_YEAR = re.compile(r"(?:[0-9]{1,2}|[^\W\d_]{3,}\.?)[ ./-]?[0-9]{4}")
_CHOICES = 'partial_date = "first", "middle", "last" or "missing"'


@dataclass(frozen=True)
class Wrong:
    """Why a text cannot be taken, and what to do about it."""

    rule: str
    fix: str


@lru_cache
def strptime_form(form: str) -> str:
    """A form such as dd.mm.yyyy in the terms of `strptime`; that of serial numbers stays as it is.

    Raises
    ------
    UsageError
        If it does not hold a day, a month and a year once each.
    """
    return form if form in SERIAL else as_date_format(form)


def iso_day(text: str, forms: Sequence[str], partial: PartialDate | None) -> str | Wrong | None:
    """The day that a text names, as YYYY-MM-DD, None for a partial date that counts as missing.

    YYYY-MM-DD is read always, with or without a time of day; other forms only where they are named, and a
    text that two of them read as different days is wrong. A partial date has one of these forms without its
    day, or without day and month; or a sign for unknown stands in their place.
    """
    text = text.strip()
    if re.match(ISO_DATE, text) and "00" not in (text[5:7], text[8:10]):
        return _existing(text[:10])
    days = {day for form in forms if (day := _by_form(text, strptime_form(form))) is not None}
    if len(days) == 1:
        return days.pop().isoformat()
    months = {
        found
        for form in (() if days else (*forms, "%Y-%m-%d"))
        if (found := year_and_month(text, strptime_form(form))) is not None
    }
    if len(months) == 1:
        return _completed(*months.pop(), partial)
    read_as = [*map(str, days), *(f"{year}-{month:02}" if month else str(year) for year, month in months)]
    return _why_no_date(text, forms, read_as)


def _why_no_date(text: str, forms: Sequence[str], read_as: Sequence[str]) -> Wrong:
    """What is wrong with a text that no form reads, or that two forms read differently."""
    if read_as:
        return Wrong(
            f"two forms of date read it as {' and '.join(sorted(read_as))}", "Keep one in date_format."
        )
    if SERIAL_DAY.fullmatch(text):
        return Wrong(
            NO_SERIAL_DAY,
            'Format the cells as dates, or say date_format = ["excel"] or ["sas"].',
        )
    named = f"{', '.join(forms)} or " if forms else ""
    rule = f"it is not a date in the form {named}YYYY-MM-DD"
    if _MONTH_AND_YEAR.fullmatch(text):
        return Wrong(
            f"{rule} and has no day",
            'Complete it, or say in the map its form with a day, as date_format = ["dd/mm/yyyy"] for 03/2017, and '
            f"{_CHOICES}.",
        )
    return Wrong(rule, "Correct it, name its form in date_format, or name it in missing.")


def _existing(iso: str) -> str | Wrong:
    try:
        return date.fromisoformat(iso).isoformat()
    except ValueError:
        return Wrong("there is no such day", "Correct it.")


def _by_form(text: str, form: str) -> date | None:
    if form not in SERIAL:
        return day_in(text, form)
    try:
        return SERIAL[form] + timedelta(days=int(float(text))) if _NUMBER.fullmatch(text) else None
    except OverflowError:
        return None


def _completed(year: int, month: int | None, partial: PartialDate | None) -> str | Wrong | None:
    if month is not None and not 1 <= month <= 12:
        return Wrong("there is no such month", "Correct it.")
    if partial == "missing":
        return None
    if partial is None:
        return Wrong(
            "a date without a day cannot decide an endpoint",
            f"Complete it, or choose in the map: {_CHOICES}.",
        )
    if partial == "first":
        return date(year, month or 1, 1).isoformat()
    if partial == "middle":
        return date(year, month or 7, 15 if month else 1).isoformat()
    return date(year, month or 12, monthrange(year, month or 12)[1]).isoformat()
