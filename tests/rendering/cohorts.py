"""Cohorts that a page must bear: hostile texts, and the edges of what can be computed."""

from __future__ import annotations

import csv
import io

_HEADER = (
    "patient_id",
    "site",
    "arm",
    "follow_up_years",
    "relapses_after",
    "years_to_first_relapse",
    "scans_after",
    "years_to_first_new_lesion",
    "edss_baseline",
    "years_to_worsening",
    "years_to_death",
)
#: Each means something to a browser, a template, a terminal or a typesetter.
HOSTILE = (
    "<script>alert(1)</script>",
    "[bold]x[/bold]",
    "$x^2$",
    "{{ 7*7 }}",
    "]]>&amp;<!--",
    "</style><b>",
)
LONG = "s" * 200
OTHERS = (
    "שלום עולם",
    "a\N{COMBINING ACUTE ACCENT}e\N{COMBINING DIAERESIS}",
    "to\N{RIGHT-TO-LEFT OVERRIDE}left",
    LONG,
)


def table(*patients: tuple[float, float | None], names: tuple[str, ...] = ()) -> str:
    """A patient table of follow-up and the time of every event, by name if there are any."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_HEADER)
    for number, (follow_up, event) in enumerate(patients):
        name = names[number] if names else f"P{number}"
        dead = event if event == follow_up else None
        place = name if names else "here"
        n = 0 if event is None else 1
        rows.writerow([name, place, place, follow_up, n, event, 3, event, 4.0, event, dead])
    return text.getvalue()


COHORTS = {
    "one patient": table((4, None)),
    "no events": table(*((2 + n, None) for n in range(5))),
    "everyone an event": table(*((2.0 + n, 1.0 + n) for n in range(5))),
    "everyone an event at once": table(*((2.0, 1.0) for _ in range(5))),
    "nobody followed to the horizon": table((1, None), (1.5, 0.5), (2, None)),
    "hardly a column": "patient_id,follow_up_years\nA,2\nB,3\n",
    "deaths alone": "patient_id,follow_up_years,years_to_death\nA,2,2\nB,5,\n",
    "nothing known": "patient_id,follow_up_years,relapses_after,years_to_first_relapse\nA,2,,\n",
    "hostile": table(*((2.0 + n, None) for n in range(6)), names=HOSTILE),
    "other scripts": table(*((2.0 + n, None) for n in range(4)), names=OTHERS),
}
