"""Each command that shows counts of the cohort hides small ones alike; figures of single patients have no such option.

Expected values: the definition of a small cell, and counts of the sample trial's file made here by hand.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from ahsct_trial import compare, read_cohort, summarize
from ahsct_trial.checking import check
from ahsct_trial.cli import main
from ahsct_trial.endpoints.incidence import incidence_curves
from ahsct_trial.forest import forest
from ahsct_trial.published import find_publication, publications
from ahsct_trial.sensitivity_analysis import sensitivity
from ahsct_trial.suppression import Suppression, suppress

DATA = Path(__file__).parents[1] / "data"
TRIAL = DATA / "sample_trial.csv"
KEY = "relapse_free_survival"


def is_small(n: int | None, below: int = 5) -> bool:
    return n is not None and 0 < n < below


def test_a_curve_moves_only_for_enough_patients() -> None:
    """The file: in one arm 8 relapses by year 3, 15 patients seen at it, and the last losses in the fifth year."""
    frame = pd.read_csv(TRIAL).query("arm == 'AHSCT'")
    first = frame["years_to_first_relapse"]
    whole = suppress(compare(read_cohort(TRIAL), "arm"), 5)
    [endpoint] = [getattr(group.endpoints, KEY) for group in whole.groups if group.level == "AHSCT"]
    points = [*endpoint.curve]
    assert endpoint.curve.joined_below == 5
    assert not any(is_small(point.n_events) or is_small(point.n_censored) for point in points)
    [at_horizon] = [point for point in points if point.years == 3]
    assert at_horizon.n_events == (first <= 3).sum() == 8
    assert at_horizon.estimate == pytest.approx(endpoint.survival.value, abs=1e-12)
    # The exact curve has a step for each relapse, and a point for each loss.
    exact = [
        getattr(g.endpoints, KEY) for g in compare(read_cohort(TRIAL), "arm").groups if g.level == "AHSCT"
    ]
    assert len(points) < len(exact[0].curve) / 3


def test_the_drawing_gives_numbers_at_steps_alone(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["plot", "survival", str(TRIAL), "--by", "arm", "--endpoint", KEY, "--suppress-below", "5"]
    assert main(arguments).exit_code == 0
    out = capsys.readouterr().out
    numbers = [
        int(n)
        for line in re.findall(r"^(?:At risk|Censored|Events) .*$", out, re.M)
        for n in re.findall(r"\d+", line)
    ]
    assert numbers
    assert not any(map(is_small, numbers))
    assert "moves only where at least 5 more patients" in " ".join(out.split())


def test_areas_of_incidence_rise_only_for_enough_patients_of_each_type() -> None:
    curves = incidence_curves(read_cohort(TRIAL), endpoint=KEY)
    hidden = suppress(curves, 5)
    [group], [exact] = hidden.groups, curves.groups
    assert not any(is_small(n) for n in group.endpoint.events_by_type.values())
    assert len(group.years) == len(group.endpoint.curve) < len(exact.years)
    for key, course in group.incidence.items():
        by_time = dict(zip(exact.years, exact.incidence[key], strict=True))
        for years, value in zip(group.years, course, strict=True):
            assert value == max((n for at, n in by_time.items() if at <= years + 1e-9), default=0)


def test_no_alternative_differs_by_few_patients_from_one_that_is_shown() -> None:
    """The sample cohort: 24 patients, of whom 1 had an event; the trial: alternatives that move nobody."""
    result = sensitivity(read_cohort(DATA / "sample_cohort.csv"), suppression=Suppression(5))
    assert result.under_protocol.survival.value is None
    assert result.survival_lowest is None
    assert result.under_protocol.note is not None
    shown = sensitivity(read_cohort(TRIAL), endpoint=KEY, suppression=Suppression(5))
    found = {each.n_events for choice in shown.choices for each in choice.alternatives} - {None}
    assert shown.under_protocol.n_events in found
    assert not any(is_small(abs(one - other)) for one in found for other in found)


def test_a_published_figure_of_a_small_count_is_not_computable() -> None:
    """Of the sample cohort 1 of 24 had an event, which a verdict would tell too."""
    trial = read_cohort(DATA / "sample_cohort.csv")
    publication = find_publication("atkins2016-summary")
    before, after = check(trial, publication), check(trial, publication, suppression=Suppression(5))
    told = {each.label: each for each in before.figures}
    hidden = [each for each in after.figures if each.value is None and told[each.label].value is not None]
    assert {"MS activity-free at 3 years"} <= {each.label for each in hidden}
    assert all(each.verdict == "not computable" and "below 5" in (each.note or "") for each in hidden)
    for each in after.figures:
        assert not is_small(each.n_event_free)
        assert not any(map(is_small, (each.estimate.n, each.of) if each.estimate else ()))
    assert not any(
        is_small(n) for row in after.eligibility for n in (row.n_met, row.n_not_met, row.n_unknown)
    )


def test_the_cohorts_own_figures_in_a_forest() -> None:
    trial = read_cohort(TRIAL)
    for below in (5, 10):
        own = [
            g.cohort
            for g in forest(publications().values(), KEY, trial, suppression=Suppression(below)).groups
            if g.cohort
        ]
        shown = [each for each in own if each.n_patients is not None]
        assert shown
        for count in ("n_patients", "n_events", "n_event_free", "n_unknown"):
            found = [getattr(each, count) for each in shown]
            assert not any(is_small(n, below) for n in found)
            assert not any(is_small(abs(one - other), below) for one in found for other in found)


def test_rows_that_tell_a_count_are_not_told(tmp_path: Path) -> None:
    """38 of 40 patients are chosen: the rows of the file would tell of the other two."""
    rows = [f"P{n},{'male' if n < 2 else 'female'},3" for n in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["patient_id,sex,follow_up_years", *rows]))
    trial = read_cohort(tmp_path / "a.csv")
    assert suppress(summarize(trial), 5).account.rows_used == 40
    part = suppress(summarize(trial.where({"sex": ("female",)})), 5)
    assert (part.cohort.n_patients, part.account.rows_used, part.source.files[0].n_rows) == (38, None, None)


@pytest.mark.parametrize("options", [["--pool"], ["--by", "arm"]], ids=["pooled", "by arm"])
def test_the_report_tells_no_small_count(tmp_path: Path, options: list[str]) -> None:
    page = tmp_path / "report.html"
    arguments = ["report", str(TRIAL), *options, "--suppress-below", "5", "--against", "mist2019"]
    assert main([*arguments, "-o", str(page), "--arm", "HSCT=AHSCT"]).exit_code in {0, 4}
    text = re.sub(r"<(style|svg).*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.S)
    text = re.sub(r"\([^()]* V\)", "", text)  # what the publication printed
    counts = [int(n) for n in re.findall(r"\b(\d+) (?:of \d+|patients?\b|with an event|left out)", text)]
    assert counts
    assert not any(map(is_small, counts))


@pytest.mark.parametrize(
    "arguments",
    [
        ["trace", str(TRIAL), "P001"],
        ["plot", "timeline", str(TRIAL), "-o", "figure.svg"],
        ["export", str(TRIAL)],
        ["convert", str(TRIAL), "--map", "sdtm"],
    ],
)
def test_commands_about_single_patients_say_so(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--suppress-below", "5"]).exit_code == 2
    assert "shows single patients" in capsys.readouterr().err


def test_courses_of_patients_contradict_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = str(tmp_path / "a.html")
    assert (
        main(
            ["report", str(TRIAL), "--pool", "--with-patients", "--suppress-below", "5", "-o", page]
        ).exit_code
        == 2
    )
    assert "contradict each other" in capsys.readouterr().err


def test_the_json_of_all_is_as_without_where_nothing_is_small() -> None:
    from ahsct_trial.rendering.documents import write_json

    summary = summarize(read_cohort(TRIAL))
    told, hidden = (
        json.loads(write_json(each))["endpoints"][KEY] for each in (summary, suppress(summary, 2))
    )
    for key in ("n_patients", "n_events", "n_event_free", "survival", "proportion", "events_by_type"):
        assert hidden[key] == told[key]
