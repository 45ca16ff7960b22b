"""Dates in a form that a person names: the form, a day in it, and a day that is not known."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown

#: The parts of a date format that people write, and those of `strptime`.
_TOKENS = {"yyyy": "%Y", "yy": "%y", "mmm": "%b", "mm": "%m", "dd": "%d"}
#: Forms without a separator between numbers: `strptime` takes fewer digits there, and 201712 for 2 January 2017.
_RUN_TOGETHER = re.compile("(?:%[Yymd]){2,}")
#: A date of ISO 8601 with or without a time of day, to the hour at least. CDISC writes a hyphen for an hour that is not
#: known. In the syntax that Python's `re` and pyarrow share.
ISO_DATE = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T-(:[0-5-][0-9]?)*"
    r"|[T ]([01][0-9]|2[0-4])(:?[0-5][0-9](:?[0-5][0-9]([.,][0-9]+)?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?$"
)
#: Days as a spreadsheet or SAS counts them, of some decades, and what is said of them.
SERIAL_DAY = re.compile(r"[1-4][0-9]{4}([.,][0-9]+)?")
NO_SERIAL_DAY = "a number is not a date; it may be the serial number of a spreadsheet or of SAS"

#: What stands for an unknown day or month within a date.
_UNKNOWN = re.compile(r"00|UNK?|X{1,3}|\?{1,2}|-{1,2}", re.IGNORECASE)
_MONTH_NAME = rf"(?P<month>{_UNKNOWN.pattern}|[^\W\d_]+)"
#: Parts of a date that may lack its day or month.
_PARTS = {
    "%d": rf"(?P<day>{_UNKNOWN.pattern}|[0-9]{{1,2}})",
    "%m": rf"(?P<month>{_UNKNOWN.pattern}|[0-9]{{1,2}})",
    "%b": _MONTH_NAME,
    "%B": _MONTH_NAME,
    "%Y": "(?P<year>[0-9]{4})",
    "%y": "(?P<year>[0-9]{2})",
}


def as_date_format(form: str) -> str:
    """The form of dates for `strptime`, from one of its own or one as ``dd.mm.yyyy``.

    Raises
    ------
    UsageError
        If it does not hold a day, a month and a year once each.
    """
    directives = form
    if "%" not in form:
        directives = re.sub("yyyy|yy|mmm|mm|dd", lambda token: _TOKENS[token[0]], form.lower())
    day = date(2003, 12, 31)
    try:
        is_whole = datetime.strptime(day.strftime(directives), directives).date() == day
    except (ValueError, re.error):  # the latter for a directive that stands there twice
        is_whole = False
    if not is_whole:
        raise UsageError(
            f"The date format is '{shown(form)}'; it must have a day, a month and a year once each, "
            "for example %d.%m.%Y or dd.mm.yyyy."
        )
    return directives


def day_in(text: str, form: str) -> date | None:
    """The day that a text names in a form of `strptime`; None if it names none."""
    try:
        day = datetime.strptime(text, form)
    except ValueError:
        return None
    together = _RUN_TOGETHER.search(form)
    return None if together and day.strftime(together[0]) not in text else day.date()


def year_and_month(text: str, form: str) -> tuple[int, int | None] | None:
    """Year and month of a date that lacks its day in this form; None for the month if that is unknown too."""
    for pattern in _partial_patterns(form):
        found = pattern.fullmatch(text)
        if found is None:
            continue
        parts = found.groupdict()
        day, month = parts.get("day"), parts.get("month")
        try:
            year = datetime.strptime(parts["year"], "%Y" if len(parts["year"]) == 4 else "%y").year
            if month is None or _UNKNOWN.fullmatch(month):
                return year, None
            if day is None or _UNKNOWN.fullmatch(day):
                return year, int(month) if month.isdigit() else _month_of_name(month)
        except ValueError:
            continue
    return None


@lru_cache
def _partial_patterns(form: str) -> tuple[re.Pattern[str], ...]:
    """Patterns of a form of dates: whole, without the day, and without the month too."""
    if set(re.findall("%.", form)) - set(_PARTS) or "%y" not in form.lower():
        return ()
    forms = [form]
    if "%Y" in form:  # of two numbers of two digits each nobody knows which is the year
        forms.append(_without("%d", form))
        forms.append(_without("%[mbB]", forms[-1]))
    return tuple(
        re.compile(
            "".join(_PARTS.get(piece, re.escape(piece)) for piece in re.split("(%.)", each)), re.IGNORECASE
        )
        for each in forms
    )


def _without(part: str, form: str) -> str:
    """A form without one of its parts, and what separates it from the others."""
    return re.sub(r"\W+$", "", re.sub(f"{part}[^%]*", "", form))


def _month_of_name(name: str) -> int:
    for form in ("%b", "%B"):
        with suppress(ValueError):
            return datetime.strptime(name, form).month
    raise ValueError(name)
