"""Dates as whole days."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_1970 = date(1970, 1, 1).toordinal()
#: There is no date before it: the calendar has no year 0.
FIRST_DAY = date.min.toordinal() - _DAY_1970
#: A century of days: each part of a file holds the same ones again.
_N_REMEMBERED = 40_000


def day_numbers(texts: Iterable[str], date_format: str | None) -> NDArray[np.float64]:
    """Days since 1970 [days], shape (n,), NaN for a text that is no date.

    Parameters
    ----------
    texts
        Dates, shape (n,); blanks around those of the usual form do not count.
    date_format
        Their form in the terms of Python's `strptime`; None for YYYY-MM-DD.
    """
    return np.array([_day_number(text, date_format) for text in texts], dtype=np.float64)


@lru_cache(_N_REMEMBERED)
def _day_number(text: str, date_format: str | None) -> float:
    try:
        if date_format is not None:
            return datetime.strptime(text, date_format).date().toordinal() - _DAY_1970
        text = text.strip(" \t")  # as around numbers
        # Unlike Python's, ISO dates have hyphens here.
        return date.fromisoformat(text).toordinal() - _DAY_1970 if _ISO_DATE.fullmatch(text) else np.nan
    except ValueError:
        return np.nan
