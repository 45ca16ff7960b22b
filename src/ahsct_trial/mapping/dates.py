"""Texts of dates as YYYY-MM-DD, by forms that are named; nothing is guessed."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from ahsct_trial.loading.date_formats import as_date_format
from ahsct_trial.mapping.model import PartialDate

#: Forms that are a number of days, by their name: the day that is 0.
SERIAL: dict[str, date] = {"excel": date(1899, 12, 30), "sas": date(1960, 1, 1)}

_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ][0-9]{2}(?::?[0-9]{2}){0,2}(?:\.[0-9]+)?(?:Z|[+-][0-9:]+)?)?"
)
_PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")
_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]*)?")


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
    text that two of them read as different days is wrong.
    """
    text = text.strip()
    if iso := _ISO.fullmatch(text):
        return _existing(*map(int, iso.groups()[:3]))
    days = {day for form in forms if (day := _by_form(text, strptime_form(form))) is not None}
    if len(days) == 1:
        return days.pop().isoformat()
    if days:
        return Wrong(
            f"two forms of date read it as {' and '.join(sorted(map(str, days)))}", "Keep one in date_format."
        )
    if (known := _PARTIAL.fullmatch(text)) and not _is_serial_like(text, forms):
        return _completed(int(known[1]), int(known[2]) if known[2] else None, partial)
    if _NUMBER.fullmatch(text):
        return Wrong(
            "a number is not a date; it may be the serial number of a spreadsheet or of SAS",
            'Format the cells as dates, or say date_format = ["excel"] or ["sas"].',
        )
    named = f"{', '.join(forms)} or " if forms else ""
    return Wrong(
        f"it is not a date in the form {named}YYYY-MM-DD",
        "Correct it, name its form in date_format, or name it in missing.",
    )


def _existing(year: int, month: int, day: int) -> str | Wrong:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return Wrong("there is no such day", "Correct it.")


def _by_form(text: str, form: str) -> date | None:
    try:
        if form in SERIAL:
            return SERIAL[form] + timedelta(days=int(float(text))) if _NUMBER.fullmatch(text) else None
        return datetime.strptime(text, form).date()
    except (ValueError, OverflowError):
        return None


def _is_serial_like(text: str, forms: Sequence[str]) -> bool:
    """Whether four digits are a number among serial numbers, not a year."""
    return any(form in SERIAL for form in forms) and text.isdigit()


def _completed(year: int, month: int | None, partial: PartialDate | None) -> str | Wrong | None:
    if month is not None and not 1 <= month <= 12:
        return Wrong("there is no such month", "Correct it.")
    if partial == "missing":
        return None
    if partial is None:
        return Wrong(
            "a date without a day cannot decide an endpoint",
            'Complete it, or choose in the map: partial_date = "first", "middle", "last" or "missing".',
        )
    if partial == "first":
        return date(year, month or 1, 1).isoformat()
    if partial == "middle":
        return date(year, month or 7, 15 if month else 1).isoformat()
    return date(year, month or 12, monthrange(year, month or 12)[1]).isoformat()
