"""The form of dates as a person names it."""

from __future__ import annotations

import re
from datetime import date, datetime

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown

#: The parts of a date format that people write, and those of `strptime`.
_TOKENS = {"yyyy": "%Y", "yy": "%y", "mmm": "%b", "mm": "%m", "dd": "%d"}


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
