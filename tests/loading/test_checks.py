"""Each rule between the cells of one row, broken by hand and kept by hand."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ahsct_trial.loading.checks import CROSS_CHECKS

ONE = "Correct one of the two."

# By the columns of the check: cells of a patient followed for 4 years, and what is said of them.
BROKEN: dict[tuple[str, ...], tuple[dict[str, str], str]] = {
    ("years_to_first_relapse", "follow_up_years"): (
        {"years_to_first_relapse": "4.5"},
        f"years_to_first_relapse is 4.5; follow-up ends at 4 (follow_up_years). {ONE}",
    ),
    ("years_to_first_new_lesion", "follow_up_years"): (
        {"years_to_first_new_lesion": "4.001"},
        f"years_to_first_new_lesion is 4.001; follow-up ends at 4 (follow_up_years). {ONE}",
    ),
    ("years_to_last_scan", "follow_up_years"): (
        {"years_to_last_scan": "5"},
        f"years_to_last_scan is 5; follow-up ends at 4 (follow_up_years). {ONE}",
    ),
    ("years_to_last_edss", "follow_up_years"): (
        {"years_to_last_edss": "4.10"},
        f"years_to_last_edss is 4.10; follow-up ends at 4 (follow_up_years). {ONE}",
    ),
    ("years_to_worsening", "follow_up_years"): (
        {"years_to_worsening": "1e1"},
        f"years_to_worsening is '1e1'; follow-up ends at 4 (follow_up_years). {ONE}",
    ),
    ("years_to_improvement", "follow_up_years"): (
        {"years_to_improvement": "4.5"},
        f"years_to_improvement is 4.5; follow-up ends at 4 (follow_up_years). {ONE}",
    ),
    ("years_to_last_visit", "follow_up_years"): (
        {"years_to_last_visit": "4.5"},
        f"years_to_last_visit is 4.5; follow-up ends at 4 (follow_up_years). {ONE}",
    ),
    ("years_to_therapy", "follow_up_years"): (
        {"years_to_therapy": "4.5"},
        f"years_to_therapy is 4.5; follow-up ends at 4 (follow_up_years). {ONE}",
    ),
    ("edss_baseline", "follow_up_years"): (
        {"edss_baseline": "10"},
        f"edss_baseline is 10; an EDSS of 10 is death due to MS, and follow-up goes on. {ONE}",
    ),
    ("edss_last", "years_to_last_edss", "follow_up_years"): (
        {"edss_last": "10.0", "years_to_last_edss": "3", "years_to_death": ""},
        "edss_last is 10.0; an EDSS of 10 is death due to MS, and follow-up goes on to 4. "
        "Correct it, or enter the death.",
    ),
    # Twice, since a 0 is told apart.
    ("years_to_death", "follow_up_years"): (
        {"years_to_death": "3.9"},
        f"years_to_death is 3.9; follow-up ends at death, and follow_up_years is 4. {ONE}",
    ),
    ("cause_of_death", "years_to_death"): (
        {"cause_of_death": "ms", "years_to_death": ""},
        "cause_of_death is 'ms'; years_to_death is empty, so the patient is alive. "
        "Enter years_to_death or leave cause_of_death empty.",
    ),
    ("years_to_first_relapse", "relapses_after"): (
        {"years_to_first_relapse": "1", "relapses_after": "0"},
        f"years_to_first_relapse is 1; relapses_after is 0. {ONE}",
    ),
    ("relapses_after", "years_to_first_relapse"): (
        {"relapses_after": "2", "years_to_first_relapse": ""},
        "relapses_after is 2; years_to_first_relapse is empty, as if there were none. "
        "Enter years_to_first_relapse or correct relapses_after.",
    ),
    ("relapses_before", "years_observed_before"): (
        {"relapses_before": "3", "years_observed_before": "0"},
        f"relapses_before is 3; years_observed_before is 0. {ONE}",
    ),
    ("lesions_before", "scans_before"): (
        {"lesions_before": "7", "scans_before": "0"},
        f"lesions_before is 7; scans_before is 0. {ONE}",
    ),
    ("scans_with_new_lesions_after", "scans_after"): (
        {"scans_with_new_lesions_after": "3", "scans_after": "2"},
        f"scans_with_new_lesions_after is 3; scans_after is 2. {ONE}",
    ),
    ("scans_with_new_lesions_after", "new_lesions_after"): (
        {"scans_with_new_lesions_after": "3", "new_lesions_after": "2"},
        "scans_with_new_lesions_after is 3; each such scan has a lesion, and new_lesions_after is 2. " + ONE,
    ),
    ("new_lesions_after", "scans_with_new_lesions_after"): (
        {"new_lesions_after": "1", "scans_with_new_lesions_after": "0"},
        f"new_lesions_after is 1; scans_with_new_lesions_after is 0. {ONE}",
    ),
    ("new_lesions_after", "scans_after"): (
        {"new_lesions_after": "1", "scans_after": "0"},
        f"new_lesions_after is 1; scans_after is 0. {ONE}",
    ),
    ("new_lesions_after", "years_to_first_new_lesion"): (
        {"new_lesions_after": "1", "years_to_first_new_lesion": ""},
        "new_lesions_after is 1; years_to_first_new_lesion is empty, as if there were none. "
        "Enter years_to_first_new_lesion or correct new_lesions_after.",
    ),
    ("scans_with_new_lesions_after", "years_to_first_new_lesion"): (
        {"scans_with_new_lesions_after": "1", "years_to_first_new_lesion": "NA"},
        "scans_with_new_lesions_after is 1; years_to_first_new_lesion is empty, as if there were none. "
        "Enter years_to_first_new_lesion or correct scans_with_new_lesions_after.",
    ),
    ("years_to_first_new_lesion", "new_lesions_after"): (
        {"years_to_first_new_lesion": "1", "new_lesions_after": "0"},
        f"years_to_first_new_lesion is 1; new_lesions_after is 0. {ONE}",
    ),
    ("years_to_first_new_lesion", "scans_with_new_lesions_after"): (
        {"years_to_first_new_lesion": "1", "scans_with_new_lesions_after": "0"},
        f"years_to_first_new_lesion is 1; scans_with_new_lesions_after is 0. {ONE}",
    ),
    ("years_to_first_new_lesion", "scans_after"): (
        {"years_to_first_new_lesion": "1", "scans_after": "0"},
        f"years_to_first_new_lesion is 1; scans_after is 0. {ONE}",
    ),
    ("years_to_last_scan", "scans_after"): (
        {"years_to_last_scan": "1", "scans_after": "0"},
        f"years_to_last_scan is 1; scans_after is 0. {ONE}",
    ),
    ("years_to_first_new_lesion", "years_to_last_scan"): (
        {"years_to_first_new_lesion": "2", "years_to_last_scan": "1.5"},
        f"years_to_first_new_lesion is 2; the last scan was at 1.5 (years_to_last_scan). {ONE}",
    ),
    ("years_to_worsening", "years_to_last_edss"): (
        {"years_to_worsening": "2", "years_to_last_edss": "1.5"},
        f"years_to_worsening is 2; the last EDSS visit was at 1.5 (years_to_last_edss). {ONE}",
    ),
    ("years_to_improvement", "years_to_last_edss"): (
        {"years_to_improvement": "2", "years_to_last_edss": "1.5"},
        f"years_to_improvement is 2; the last EDSS visit was at 1.5 (years_to_last_edss). {ONE}",
    ),
}

# What may look wrong and is not.
KEPT: list[dict[str, str]] = [
    # An event at the end of follow-up.
    {"years_to_first_relapse": "4", "relapses_after": "1"},
    {"years_to_last_scan": "4.0", "years_to_first_new_lesion": "4.00", "scans_after": "1"},
    {"years_to_worsening": "1.5", "years_to_last_edss": "1.5"},
    # Death ends follow-up, and its cause may be unknown.
    {"years_to_death": "4.0", "cause_of_death": ""},
    {"years_to_death": "", "cause_of_death": ""},
    # An unknown count contradicts nothing, and neither does an unknown time of no event.
    {"years_to_first_relapse": "1", "relapses_after": ""},
    {"relapses_after": "0", "years_to_first_relapse": ""},
    {"relapses_before": "0", "years_observed_before": "0"},
    {"relapses_before": "3", "years_observed_before": ""},
    {"lesions_before": "0", "scans_before": "0"},
    # Two lesions on one of two scans; as many scans with lesions as scans.
    {"scans_after": "2", "scans_with_new_lesions_after": "1", "new_lesions_after": "2"},
    {"scans_after": "2", "scans_with_new_lesions_after": "2", "new_lesions_after": "2"},
    {"scans_after": "0", "scans_with_new_lesions_after": "0", "new_lesions_after": "0"},
    {"scans_after": "", "scans_with_new_lesions_after": "2", "new_lesions_after": ""},
    {"scans_after": "0", "years_to_last_scan": "", "years_to_first_new_lesion": ""},
    # Transplant and last contact on one day.
    {"follow_up_years": "0", "years_to_death": "0"},
    # The last EDSS is 10, and nothing comes after it; or the death is known.
    {"edss_last": "10", "years_to_last_edss": "3", "years_to_last_visit": "3"},
    {"edss_last": "10", "years_to_last_edss": "3", "years_to_last_visit": "3.5", "years_to_death": "4"},
    # The same day, divided by 365.25 and multiplied by its inverse.
    {"follow_up_years": "3.0006844626967832", "years_to_death": "3.000684462696783"},
    {"years_to_last_scan": "4.0000000004"},
]


def table(*patients: Mapping[str, str]) -> str:
    columns = ["patient_id", "follow_up_years", *(name for name in patients[-1] if name != "follow_up_years")]
    rows = [
        {"patient_id": f"P-0{number}", "follow_up_years": "4", **cells}
        for number, cells in enumerate(patients, start=6)
    ]
    return "".join(
        ",".join(row.get(name, "") for name in columns) + "\n"
        for row in [dict(zip(columns, columns, strict=True)), *rows]
    )


def test_every_check_is_broken_here():
    assert set(BROKEN) == {check.columns for check in CROSS_CHECKS}
    assert len(CROSS_CHECKS) == len(BROKEN) + 1  # a death at 0 is told apart


@pytest.mark.parametrize(("cells", "message"), BROKEN.values(), ids=[" and ".join(pair) for pair in BROKEN])
def test_broken(refused, cells, message):
    problems = refused(table({}, cells))
    assert [str(problem) for problem in problems.problems] == [f"cohort.csv:3 patient P-07: {message}"]
    [problem] = problems.problems
    column = next(iter(cells))
    assert (problem.line, problem.patient, problem.column, problem.value) == (
        3,
        "P-07",
        column,
        cells[column],
    )


@pytest.mark.parametrize(
    "cells", KEPT, ids=[", ".join(f"{k}={v}" for k, v in cells.items()) for cells in KEPT]
)
def test_kept(read, cells):
    assert len(read(table({}, cells))) == 2


def test_several_rules_at_once_in_the_order_in_which_they_are_declared(messages):
    cells = {"new_lesions_after": "2", "scans_with_new_lesions_after": "0", "scans_after": "0"}
    assert messages(table({}, cells)) == [
        f"cohort.csv:3 patient P-07: new_lesions_after is 2; scans_with_new_lesions_after is 0. {ONE}",
        f"cohort.csv:3 patient P-07: new_lesions_after is 2; scans_after is 0. {ONE}",
    ]


@pytest.mark.parametrize("death", ["-3", "three", "51"])
def test_a_wrong_cell_is_not_compared(messages, death):
    # Otherwise one slip would be shown twice.
    found = messages(table({}, {"years_to_death": death, "cause_of_death": "ms"}))
    assert len(found) == 1
    assert "years_to_death" in found[0]


def test_wrong_cells_of_one_row_do_not_hide_those_of_another(messages):
    found = messages(table({"years_to_death": "three"}, {"years_to_death": "3"}))
    assert [message.split(":")[1].split(" ")[0] for message in found] == ["2", "3"]


def test_a_death_at_0_of_a_patient_who_is_followed_stands_for_none(messages):
    patients = [{"years_to_death": "0", "follow_up_years": years} for years in ("4", "5", "6")]
    assert messages(table(*patients)) == [
        "cohort.csv:2, 3, 4: years_to_death is 0; a 0 mostly stands for none, "
        "for which an empty cell is right, "
        "and follow-up goes on. Leave it empty, or correct one of the two."
    ]


@pytest.mark.parametrize(
    "column",
    ["years_to_first_relapse", "years_to_first_new_lesion", "years_to_worsening", "years_to_improvement"],
)
@pytest.mark.parametrize("zero", ["0", "0.0", "-0"])
def test_an_event_at_0_stands_for_none(messages, column, zero):
    assert messages(table({column: zero}, {column: zero}, {column: "1"})) == [
        f"cohort.csv:2, 3: {column} is {zero}; a 0 mostly stands for none, for which an empty cell is right. "
        "Leave it empty, or correct it."
    ]


@pytest.mark.parametrize("later", ["years_to_last_visit", "years_to_last_scan"])
def test_an_edss_of_10_before_another_visit_where_deaths_are_not_in_the_file(messages, later):
    # There the end of follow-up may be the death, and no visit can come after it.
    text = f"id,follow_up,edss_last,years_to_last_edss,{later}\nP1,4,10,3,{{}}\nP2,4,2,3,3\n"
    assert messages(text.format("3.5")) == [
        "cohort.csv:2 patient P1: edss_last is 10; an EDSS of 10 is death due to MS, and follow-up goes on to 4. "
        "Correct it, or enter the death."
    ]


def test_an_edss_of_10_with_nothing_after_it(read):
    text = "id,follow_up,edss_last,years_to_last_edss,years_to_death\nP1,3,10,3,\nP2,4,10,3,4\nP3,4,2,3,\n"
    assert [notice.code for notice in read(text).notices] == ["edss-10-without-death"]
