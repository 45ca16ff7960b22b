"""Dates as whole days."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache

import numpy as np

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_1970 = date(1970, 1, 1).toordinal()
#: There is no date before it: the calendar has no year 0.
FIRST_DAY = date.min.toordinal() - _DAY_1970
#: A century of days: each part of a file holds the same ones again.
_N_REMEMBERED = 40_000


@lru_cache(_N_REMEMBERED)
def day_number(text: str, date_format: str | None) -> float:
    """The day of a date since 1970 [days], NaN for a text that is no date.

    Parameters
    ----------
    text
        The date; blanks around one of the usual form do not count.
    date_format
        Its form in the terms of Python's `strptime`; None for YYYY-MM-DD.
    """
    try:
        if date_format is not None:
            return datetime.strptime(text, date_format).date().toordinal() - _DAY_1970
        text = text.strip(" \t")  # as around numbers
        # Unlike Python's, ISO dates have hyphens here.
        return date.fromisoformat(text).toordinal() - _DAY_1970 if _ISO_DATE.fullmatch(text) else np.nan
    except ValueError:
        return np.nan
