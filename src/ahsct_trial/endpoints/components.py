"""What a disease-activity endpoint is made of: relapse, new lesion, confirmed worsening, and death.

A component is declared by the columns that hold it. For each patient it says when the event came, whether
its absence is known, and until when an event would have been seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.cohort import Cohort
from ahsct_trial.endpoints.intervals import patients


@dataclass(frozen=True, kw_only=True)
class Component:
    """An event, and the columns that tell of it.

    Attributes
    ----------
    key
        Its name in `EventsByType`.
    words
        What it is called in a definition.
    time
        Column of the time to its first occurrence; empty where it has not occurred.
    witness
        Column without which nobody can say that it has not occurred.
    counts_assessments
        Whether the witness is a number of assessments, of which 0 tells nothing either.
    last_seen
        Column of the last assessment that could have shown it; None where that is the end of follow-up.
    assessment
        What that assessment is called.
    value_seen
        Column that has a value where there was an assessment after transplant.
    """

    key: str
    words: str
    time: str
    witness: str
    counts_assessments: bool = False
    last_seen: str | None = None
    assessment: str = "the end of follow-up"
    value_seen: str | None = None

    @property
    def columns(self) -> tuple[str, str]:
        """The columns without which the component is not in a file."""
        return (self.witness, self.time)


RELAPSE = Component(key="relapse", words="relapse", time="years_to_first_relapse", witness="relapses_after")
NEW_LESION = Component(
    key="new_lesion",
    words="new lesion",
    time="years_to_first_new_lesion",
    witness="scans_after",
    counts_assessments=True,
    last_seen="years_to_last_scan",
    assessment="the last scan",
    value_seen="scans_after",
)
WORSENING = Component(
    key="worsening",
    words="confirmed EDSS worsening",
    time="years_to_worsening",
    witness="edss_baseline",
    last_seen="years_to_last_edss",
    assessment="the last EDSS visit",
    value_seen="edss_last",
)

#: In the order in which an event is named that coincides with another.
COMPONENTS = (RELAPSE, NEW_LESION, WORSENING)


@dataclass(frozen=True)
class Course:
    """A component over the patients of a cohort; each array has shape (n_patients,).

    Attributes
    ----------
    event_years
        Time to the event; NaN where there was none.
    is_unknown
        Whether nobody can say that there was none.
    last_seen_years
        Until when an event would have been seen.
    remarks
        What the definition must say about it: how it was derived, and where the end of follow-up stands in
        for the last assessment.
    """

    event_years: NDArray[np.float64]
    is_unknown: NDArray[np.bool_]
    last_seen_years: NDArray[np.float64]
    remarks: tuple[str, ...]


def course(cohort: Cohort, component: Component) -> Course:
    """Read a component's columns; the cohort has them all."""
    event_years = cohort.numbers(component.time)
    is_unknown = ~_tells(component, cohort.numbers(component.witness)) & np.isnan(event_years)
    last_seen, stand_in = _last_seen(cohort, component)
    remarks = tuple(filter(None, (cohort.remarks.get(component.key), stand_in)))
    return Course(event_years, is_unknown, last_seen, remarks)


def _tells(component: Component, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where values show that somebody looked for the component: any value, or a number of scans."""
    return values > 0 if component.counts_assessments else ~np.isnan(values)


def _last_seen(cohort: Cohort, component: Component) -> tuple[NDArray[np.float64], str | None]:
    follow_up = cohort.numbers("follow_up_years")
    column = component.last_seen
    if column is None:
        return follow_up, None
    if column not in cohort.patients:
        return follow_up, f"{column} is not in this file: the end of follow-up stands in for it."
    years = cohort.numbers(column)
    empty = np.flatnonzero(np.isnan(years))
    if not empty.size:
        return years, None
    # An empty cell is an assessment without a date where the event or another column shows that there
    # was one; otherwise there was none since transplant, and nothing could have been seen after day 0.
    was_seen = ~np.isnan(cohort.numbers(component.time)[empty])
    if component.value_seen is not None and not cohort.lacking(component.value_seen):
        was_seen |= _tells(component, cohort.numbers(component.value_seen)[empty])
    n_dateless = int(np.count_nonzero(was_seen))
    stand_in = (
        f"{column} is empty for {patients(n_dateless)} with an assessment: "
        "the end of follow-up stands in for it."
        if n_dateless
        else None
    )
    years = years.copy()
    years[empty] = np.where(was_seen, follow_up[empty], 0.0)
    return years, stand_in
