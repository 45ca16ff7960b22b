"""The Kaplan–Meier figure shows the curve of the JSON document to the month, and its numbers exactly."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from record_files import read
from texts_apart import assert_apart

from ahsct_trial import Protocol, Summary, Trial, compare, read_cohort, summarize
from ahsct_trial.catalogue import SURVIVAL_ENDPOINTS
from ahsct_trial.errors import UsageError
from ahsct_trial.protocol import BUILT_IN
from ahsct_trial.rendering.documents import write_json
from ahsct_trial.rendering.figures import plot_survival
from ahsct_trial.rendering.figures.curves import (
    drawn_curves,
    drawn_groups,
    known_endpoints,
    multiples,
    tick_step,
)
from ahsct_trial.rendering.figures.page import Drawing
from ahsct_trial.rendering.figures.saving import as_file, as_svg
from ahsct_trial.rendering.figures.style import Style
from ahsct_trial.rendering.figures.survival import draw_survival

DATA = Path(__file__).resolve().parents[2] / "data"
KEYS = tuple(endpoint.key for endpoint in SURVIVAL_ENDPOINTS)
SVG = "{http://www.w3.org/2000/svg}"
#: The SVG gives places to a hundredth of a point; a year has at least ten, the whole height a hundred.
NEAR = 5e-4
#: The files of data/, each with the protocol that it is made for.
SAMPLES = {
    "sample_cohort.csv": Protocol(),
    "sample_records.csv": Protocol(),
    "atkins2016_lancet.csv": BUILT_IN["atkins2016-lancet"],
}


def deaths(times: Sequence[float], is_event: Sequence[bool]) -> Trial:
    """A patient table of follow-up and deaths alone."""
    rows = [
        f"P{number},{years!r},{years!r}" if has_died else f"P{number},{years!r},"
        for number, (years, has_died) in enumerate(zip(times, is_event, strict=True))
    ]
    return read("\n".join(["patient_id,follow_up_years,years_to_death", *rows, ""]))


def drawn(summary: Summary, *keys: str, width: float = 180.0, **style: Any) -> tuple[Drawing, ET.Element]:
    drawing = draw_survival(summary, drawn_curves(summary, keys), width, Style(**style))
    return drawing, ET.fromstring(as_svg(drawing, "f"))


@cache
def sample(file: str) -> tuple[Summary, dict[str, Any]]:
    """The results of a file, and the endpoints of its document."""
    summary = summarize(read_cohort(DATA / file), SAMPLES[file])
    return summary, json.loads(write_json(summary))["endpoints"]


@cache
def drawn_sample(file: str, keys: tuple[str, ...]) -> tuple[Drawing, ET.Element]:
    """A figure of a file that several tests look at; none changes it."""
    return drawn(sample(file)[0], *keys)


def document(summary: Summary, key: str) -> dict[str, Any]:
    return json.loads(write_json(summary))["endpoints"][key]


def parts(svg: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in svg.iter() if each.get("id") == f"f-{name}"]


def part(svg: ET.Element, name: str) -> ET.Element:
    [found] = parts(svg, name)
    return found


def texts(svg: ET.Element) -> list[str]:
    return ["".join(each.itertext()) for each in svg.iter(f"{SVG}text")]


def in_data(drawing: Drawing, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points of the SVG [points from the upper left] as years and proportions."""
    height = drawing.figure.get_figheight() * 72
    back = drawing.figure.axes[0].transData.inverted()
    return [tuple(back.transform((x, height - y)).tolist()) for x, y in points]


def path(drawing: Drawing, svg: ET.Element, name: str) -> list[tuple[float, float]]:
    [each] = part(svg, name).iter(f"{SVG}path")
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", each.get("d", ""))]
    return in_data(drawing, list(zip(numbers[::2], numbers[1::2], strict=True)))


def marks(drawing: Drawing, svg: ET.Element, name: str) -> list[tuple[float, float]]:
    uses = part(svg, name).iter(f"{SVG}use")
    return in_data(drawing, [(float(use.get("x", "")), float(use.get("y", ""))) for use in uses])


def month(years: float) -> float:
    """By hand: the first whole number of months that is not before a time, and at least one [years]."""
    n = 1
    while n / 12 < years - 1e-9:
        n += 1
    return n / 12


def monthly(curve: list[dict[str, Any]]) -> dict[float, dict[str, Any]]:
    """The last point of each month with events."""
    return {month(point["years"]): point for point in curve}


def staircase(points: list[tuple[float, float]], start: tuple[float, float], end: float) -> list[Any]:
    corners = [start]
    for years, value in points:
        if value != corners[-1][1]:
            corners += [(years, corners[-1][1]), (years, value)]
    return [*corners, (end, corners[-1][1])]


def is_near(found: list[tuple[float, float]], expected: list[Any]) -> bool:
    return len(found) == len(expected) and all(
        a == pytest.approx(b, abs=NEAR) for a, b in zip(found, expected, strict=True)
    )


def keep_apart(drawing: Drawing) -> None:
    """No text leaves the page or covers another, and each has a size that can be read."""
    axes = drawing.figure.axes[0]
    labels = [*drawing.figure.texts, *axes.get_xticklabels(), *axes.get_yticklabels()]
    assert_apart(drawing.figure, labels)
    assert max(label.get_fontsize() for label in labels) <= 10


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("file", SAMPLES)
@pytest.mark.parametrize("others", [(), KEYS])
def test_the_picture_is_the_curve_of_the_document(file: str, key: str, others: tuple[str, ...]) -> None:
    drawing, svg = drawn_sample(file, others or (key,))
    endpoint = sample(file)[1][key]
    months = monthly(endpoint["curve"])
    end = max(months)
    expected = staircase([(years, point["estimate"]) for years, point in months.items()], (0, 1), end)
    assert is_near(path(drawing, svg, f"{key}-curve"), expected)
    censored = {month(point["years"]) for point in endpoint["curve"] if point["n_censored"]}
    strokes = [(years, months[years]["estimate"]) for years in sorted(censored)]
    assert is_near(marks(drawing, svg, f"{key}-censored"), strokes)
    ids = {each.get("id") for each in svg.iter()}
    has_events = any(point["n_events"] for point in endpoint["curve"])
    if others or not has_events:
        # Bands of five curves, and dots that would cover each other, are left out.
        assert f"f-{key}-band-0" not in ids
        assert (f"f-{key}-estimate" in ids) == (not others)
        return
    # The band is of two parts: before and after fewer than five patients are followed.
    corners = [corner for part in (0, 1) for corner in path(drawing, svg, f"{key}-band-{part}")]
    limits = {
        (years, point[side])
        for years, point in months.items()
        for side in ("ci_low", "ci_high")
        if point[side]
    }
    for years, limit in corners:
        assert any(limit == pytest.approx(each, abs=NEAR) for _, each in limits)
        assert years * 12 == pytest.approx(round(years * 12), abs=12 * NEAR)
    for years, limit in limits:
        # Each limit is reached, and by the end of its month.
        assert any(x <= years + NEAR and y == pytest.approx(limit, abs=NEAR) for x, y in corners)
    [at] = marks(drawing, svg, f"{key}-estimate")
    assert at == pytest.approx((endpoint["horizon_years"], endpoint["survival"]["value"]), abs=NEAR)


@pytest.mark.parametrize("n", [0, 5, 24, 25])
def test_the_band_is_pale_where_few_are_followed(n: int) -> None:
    summary = summarize(read_cohort(DATA / "sample_cohort.csv"))
    drawing, svg = drawn(summary, KEYS[0], fade_below=n)
    curve = document(summary, KEYS[0])["curve"]
    left = {
        month(point["years"]): sum(
            each["n_events"] + each["n_censored"]
            for each in curve
            if month(each["years"]) > month(point["years"])
        )
        for point in curve
    }
    # By hand: the first month at whose end fewer are followed; all of it where more than all are asked for.
    fades_from = 0.0 if n > 24 else min(years for years, many in left.items() if many < max(n, 1))
    bands = [each.get("id") or "" for each in svg.iter() if "-band-" in (each.get("id") or "")]
    starts = sorted(min(x for x, _ in path(drawing, svg, name.removeprefix("f-"))) for name in bands)
    first = min(month(point["years"]) for point in curve if point["n_events"])
    expected = [first] if n in {0, 24, 25} else [first, fades_from]
    assert starts == pytest.approx(expected, abs=NEAR)
    assert ("The band is pale where fewer than" in drawing.legend) == (n > 0)


@pytest.mark.parametrize("file", SAMPLES)
@pytest.mark.parametrize("keys", [KEYS[:1], KEYS])
def test_the_numbers_below_are_those_of_the_document(keys: tuple[str, ...], file: str) -> None:
    endpoints = sample(file)[1]
    drawing, svg = drawn_sample(file, keys)
    ticks = drawing.figure.axes[0].get_xticks().tolist()
    assert 3.0 in ticks
    for key in keys:
        curve = endpoints[key]["curve"]
        for column, years in enumerate(ticks):
            # By its definition, patient by patient: a point stands for its events and its censored.
            expected = {
                # Who is lost reaches a landmark by whole days, docs/endpoints.md.
                "at-risk": sum(p["n_events"] for p in curve if p["years"] >= years)
                + sum(p["n_censored"] for p in curve if round(365.25 * p["years"]) >= int(365.25 * years)),
                "censored": sum(p["n_censored"] for p in curve if p["years"] <= years),
                "events": sum(p["n_events"] for p in curve if p["years"] <= years),
            }
            for row, n in expected.items():
                [cell] = part(svg, f"{key}-{row}-{column}").iter(f"{SVG}text")
                assert cell.text == str(n)
                [[x, _]] = in_data(drawing, [(float(cell.get("x", "")), 0.0)])
                assert x == pytest.approx(years, abs=NEAR)
    at_horizon = {
        row: part(svg, f"activity_free_survival-{row}-{ticks.index(3.0)}")[0].text
        for row in ("at-risk", "censored", "events")
    }
    headline = endpoints["activity_free_survival"]
    assert at_horizon == {
        "at-risk": str(headline["n_at_risk"]),
        "censored": str(headline["n_censored"]),
        "events": str(headline["n_events"]),
    }


def test_the_horizon_is_named_with_its_estimate() -> None:
    # survival 3.5-3 in R 4.2.2 on one event in 24: 0.958333, log-log 0.7392–0.9940
    summary = summarize(read_cohort(DATA / "sample_cohort.csv"))
    _, svg = drawn(summary, KEYS[0])
    assert "3 years: 95.8 % (95 % CI 73.9–99.4)" in texts(svg)
    _, several = drawn(summary, *KEYS[:2])
    assert {"3 years", "MS activity-free", "Relapse-free", "95.8 % (73.9–99.4)"} <= set(texts(several))
    assert svg.find(f"{SVG}title").text == "MS activity-free survival"  # type: ignore[union-attr]
    description = svg.find(f"{SVG}desc").text or ""  # type: ignore[union-attr]
    assert "95.8 % (95 % CI 73.9–99.4) at 3 years" in description
    assert document(summary, KEYS[0])["definition"] in description


def caption(table: Trial, *keys: str) -> str:
    return drawn(summarize(table), *keys)[0].caption


def test_two_curves_have_bands_and_more_have_none() -> None:
    sample = read_cohort(DATA / "sample_cohort.csv")
    for n in (2, 3):
        _, svg = drawn(summarize(sample), *KEYS[:n])
        bands = [each for each in svg.iter() if "-band-" in (each.get("id") or "")]
        # Each is of two parts: the second pale.
        assert len(bands) == (4 if n == 2 else 0)
        words = caption(sample, *KEYS[:n])
        assert ("shaded: pointwise 95 % confidence interval (log-log)" in words) == (n == 2)
        assert ("Intervals are not shaded for more than 2 curves." in words) == (n > 2)


def test_the_caption_is_apart_unless_it_is_asked_for() -> None:
    summary = summarize(read_cohort(DATA / "sample_cohort.csv"))
    for has_caption in (False, True):
        drawing, svg = drawn(summary, *KEYS, has_caption=has_caption)
        inside = " ".join(texts(svg))
        assert (drawing.caption.split(". ")[1] in inside) is has_caption
        # That the data are invented stands in every picture.
        assert "Synthetic data: 24 invented patients" in inside
    assert document(summary, KEYS[0])["definition"] in caption(
        read_cohort(DATA / "sample_cohort.csv"), KEYS[0]
    )


def test_title_and_palette() -> None:
    summary = summarize(read_cohort(DATA / "sample_cohort.csv"))
    _, svg = drawn(summary, *KEYS, title="Twenty-four patients", palette="grey")
    assert "Twenty-four patients" in texts(svg)
    assert svg.findtext(f"{SVG}title") == "Twenty-four patients"
    colours = set(re.findall(r"stroke: (#[0-9a-f]{6})", ET.tostring(svg, encoding="unicode")))
    assert {colour for colour in colours if len({colour[1:3], colour[3:5], colour[5:]}) > 1} == set()
    with pytest.raises(UsageError, match=r"no palette 'gray'.* Is grey meant"):
        Style(palette="gray")


@pytest.mark.parametrize("file", SAMPLES)
def test_key_lines_and_tables_have_one_order(file: str) -> None:
    summary, endpoints = sample(file)
    _, svg = drawn_sample(file, KEYS)
    ends = {key: endpoints[key]["curve"][-1]["estimate"] for key in KEYS}
    names = {key: curve.name for key in KEYS for curve in drawn_curves(summary, [key])}
    heights = {
        text: float(each.get("y", 0))
        for each in svg.iter(f"{SVG}text")
        for text in ["".join(each.itertext())]
    }
    in_table = sorted(KEYS, key=lambda key: heights[names[key]])
    in_key = sorted(KEYS, key=lambda key: float(part(svg, f"{key}-label")[0].get("y", 0)))
    assert in_table == in_key
    assert [ends[key] for key in in_key] == sorted(ends.values(), reverse=True)
    # No leader and no label at the end of a line: nothing but curves, strokes and axes right of the horizon.
    assert "95.8 % (73.9–99.4)" in texts(svg)


def test_groups_are_drawn_side_by_side() -> None:
    rows = "".join(
        f"P{n},{'x' if n % 2 else 'y'},{2 + n / 8},{2 + n / 8 if n % 4 == 1 else ''}\n" for n in range(24)
    )
    comparison = compare(read(f"patient_id,arm,follow_up_years,years_to_death\n{rows}"), "arm")
    curves = drawn_groups(comparison, "overall_survival")
    drawing = draw_survival(comparison, curves, 180.0)
    svg = ET.fromstring(as_svg(drawing, "f"))
    assert [curve.name for curve in curves] == ["y", "x"]  # the higher end first
    assert drawing.title == "Overall survival by group: y, x"
    assert {"f-overall_survival-0-curve", "f-overall_survival-1-curve"} <= {
        each.get("id") for each in svg.iter()
    }


def sep41() -> Trial:
    """20 patients without and 21 with 6 deaths: the set of that name among R's figures."""
    file = Path(__file__).parents[1] / "reference" / "tiny_sets.csv"
    with file.open(encoding="utf-8", newline="") as rows:
        patients = [row for row in csv.DictReader(rows) if row["dataset"] == "sep41"]
    lines = [
        f"P{number},{row['group']},{row['time']},{row['time'] if row['status'] == '1' else ''}"
        for number, row in enumerate(patients)
    ]
    return read("\n".join(["patient_id,arm,follow_up_years,years_to_death", *lines, ""]))


@pytest.mark.parametrize("width", [80.0, 180.0])
def test_what_separates_two_groups_stands_in_a_line_of_its_own(width: float) -> None:
    comparison = compare(sep41(), "arm")
    drawing = draw_survival(comparison, drawn_groups(comparison, "overall_survival"), width)
    svg = ET.fromstring(as_svg(drawing, "f"))
    lines = [each for number in range(4) for each in parts(svg, f"contrast-{number}")]
    # coxphf 1.13.4: 14.93762397 (1.76332885–1948.9151); survdiff: p 0.0087559 (tests/reference).
    said = "Hazard ratio, B ÷ A: 14.94 (95 % CI 1.76–1948.92), Firth; log-rank p 0.009"
    assert " ".join("".join("".join(each.itertext()).split("\n")).strip() for each in lines) == said
    assert f"{said}." in drawing.description
    assert "Firth: One group has no event." in drawing.legend
    keep_apart(drawing)


def test_more_than_two_groups_have_no_p_for_want_of_an_estimate() -> None:
    rows = "".join(f"P{n},{'xyz'[n % 3]},{2 + n / 8},{2 + n / 8 if n % 4 == 1 else ''}\n" for n in range(24))
    comparison = compare(read(f"patient_id,arm,follow_up_years,years_to_death\n{rows}"), "arm")
    drawing = draw_survival(comparison, drawn_groups(comparison, "overall_survival"), 180.0)
    svg = ET.fromstring(as_svg(drawing, "f"))
    assert parts(svg, "contrast-0") == []
    assert " p " not in " ".join([*texts(svg), drawing.legend, drawing.description])


def test_a_ratio_that_is_undefined_is_said_to_be() -> None:
    comparison = compare(
        read("patient_id,arm,follow_up_years,years_to_death\nA,x,5,\nB,x,4,\nC,y,5,\nD,y,4,\n"), "arm"
    )
    drawing = draw_survival(comparison, drawn_groups(comparison, "overall_survival"), 180.0)
    assert "Hazard ratio, y ÷ x: undefined: no event happened while both groups were at risk" in " ".join(
        texts(ET.fromstring(as_svg(drawing, "f")))
    )
    assert "profile likelihood" not in drawing.legend
    keep_apart(drawing)


def test_no_stroke_stands_on_an_axis() -> None:
    # One is lost on day 0, one after the curve has come down to 0.
    _, svg = drawn(summarize(deaths([0, 1, 2], [False, True, True])), "overall_survival")
    drawing, svg = drawn(summarize(deaths([0, 1, 2], [False, True, True])), "overall_survival")
    assert all(years > 0 and height > 0 for years, height in marks(drawing, svg, "overall_survival-censored"))


def test_a_figure_for_python() -> None:
    figure = plot_survival(summarize(read_cohort(DATA / "sample_cohort.csv")), width_mm=90)
    assert figure.get_figwidth() == pytest.approx(90 / 25.4)


def test_curves_that_end_together_are_named() -> None:
    # B dies at 2: every endpoint that the file has is the same curve. A relapses at 1 in the second file.
    head = "patient_id,follow_up_years,relapses_after,years_to_first_relapse,years_to_death\n"
    keys = ("relapse_free_survival", "overall_survival")
    same = caption(read(f"{head}A,4,0,,\nB,2,0,,2\n"), *keys)
    assert "Relapse-free and Alive coincide throughout and end at 50.0 %." in same
    apart = caption(read(f"{head}A,4,1,1,\nB,2,0,,2\n"), *keys)
    assert "coincide" not in apart
    # In one file B relapses at 1 and dies at 2.
    at_end = caption(read(f"{head}A,4,0,,\nB,2,1,1,2\n"), *keys)
    assert "Relapse-free and Alive end together at 50.0 %." in at_end


def test_a_time_on_a_tick_is_explained_where_there_is_one() -> None:
    words = "A patient whose time is that of a tick is in two rows."
    assert words in caption(deaths([1, 2.5], [True, False]), "overall_survival")
    assert words not in caption(deaths([1.1, 2.6], [True, False]), "overall_survival")


# Four patients of whom each second one dies, by hand: 1 − 1/4 = 0.75 and 0.75 × (1 − 1/2) = 0.375.
SMALL = deaths([1, 2, 3, 4], [True, False, True, False])


@pytest.mark.parametrize(
    ("table", "words", "n_steps", "n_bands"),
    [
        (SMALL, "3 years: 37.5 %", 2, 1),
        # Clopper–Pearson of 0 of 1 and of 1 of 1, which the beta-product limits come to.
        (deaths([2], [True]), "3 years: 0.0 % (95 % CI 0.0–97.5, beta product), 1 of 1 with an event", 1, 0),
        (
            deaths([4], [False]),
            "3 years: 100.0 % (95 % CI 2.5–100.0, beta product), 0 of 1 with an event",
            0,
            0,
        ),
        (deaths([0], [False]), "3 years: no estimate", 0, 0),
        (deaths([0], [True]), "3 years: 0.0 %", 1, 0),
        (deaths([1, 2, 2.5], [False] * 3), "3 years: no estimate", 0, 0),
        (deaths([1, 2, 4], [True] * 3), "3 years: 33.3 %", 3, 1),
    ],
)
def test_edges(table: Trial, words: str, n_steps: int, n_bands: int) -> None:
    drawing, svg = drawn(summarize(table), "overall_survival", width=80)
    assert [text for text in texts(svg) if text.startswith(words)]
    corners = path(drawing, svg, "overall_survival-curve")
    assert len(corners) == 2 * n_steps + 2
    assert len(
        [each for each in svg.iter() if (each.get("id") or "").startswith("f-overall_survival-band")]
    ) == (n_bands)
    for ending in ("pdf", "png"):
        assert as_file(drawing, ending)


@pytest.mark.parametrize("method", ["log-log", "log", "plain", "logit", "arcsin"])
def test_a_band_ends_where_its_limits_do(method: str) -> None:
    summary = summarize(deaths([1, 2, 4], [True] * 3), Protocol(ci_method=method))  # type: ignore[arg-type]
    drawing, svg = drawn(summary, "overall_survival")
    corners = path(drawing, svg, "overall_survival-band-0")
    assert min(x for x, _ in corners) == pytest.approx(1, abs=NEAR)
    assert max(x for x, _ in corners) == pytest.approx(4, abs=NEAR)


def test_many_steps_are_those_of_months() -> None:
    n = 20_000
    table = deaths([round(year / 1000, 4) for year in range(1, n + 1)], [True] * n)
    drawing, svg = drawn(summarize(table), "overall_survival")
    corners = path(drawing, svg, "overall_survival-curve")
    assert len(corners) == 2 * 20 * 12 + 2
    # At the end of each month the curve is where it is, 1 − years/20.
    for (years, estimate), (following, _) in pairwise(corners[1:]):
        if following > years:
            assert estimate == pytest.approx(1 - years / 20, abs=1e-3)
    assert corners[-1] == pytest.approx((20, 0), abs=NEAR)
    assert len(as_svg(drawing, "f")) < 100_000


@pytest.mark.parametrize(
    ("years", "end"),
    [(0, 1 / 12), (0.01, 1 / 12), (0.0833, 1 / 12), (0.0834, 2 / 12), (2.9979, 3), (3, 3), (3.0001, 37 / 12)],
)
def test_a_month_ends_where_its_times_do(years: float, end: float) -> None:
    [curve] = drawn_curves(summarize(deaths([years], [True])), ["overall_survival"])
    assert [month.years for month in curve.months] == pytest.approx([end])


@pytest.mark.parametrize(("n", "is_marked"), [(100, True), (101, False)])
def test_too_many_censorings_are_not_marked_and_the_caption_says_so(n: int, is_marked: bool) -> None:
    drawing, svg = drawn(
        summarize(deaths([1 + number / 12 for number in range(n)], [False] * n)), "overall_survival"
    )
    assert len(marks(drawing, svg, "overall_survival-censored")) == (n if is_marked else 0)
    caption = drawing.caption
    assert ("Short strokes: patients censored." in caption) is is_marked
    assert ("have no stroke where there are too many" in caption) is not is_marked


@pytest.mark.parametrize("width", [80.0, 90.0, 180.0, 420.0])
@pytest.mark.parametrize("keys", [KEYS[:1], KEYS])
@pytest.mark.parametrize("style", [{}, {"title": "A title of many words " * 4, "has_caption": True}])
def test_nothing_leaves_the_page_or_covers_another_text(
    width: float, keys: tuple[str, ...], style: dict[str, Any]
) -> None:
    drawing, svg = drawn(sample("sample_cohort.csv")[0], *keys, width=width, **style)
    assert svg.get("width") == f"{width:g}mm"
    keep_apart(drawing)


def test_errors_say_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"no curve of 'neda3'.*one of activity_free_survival, "):
        known_endpoints(["overall_survival", "neda3"])
    with pytest.raises(UsageError, match="Is relapse_free_survival meant"):
        known_endpoints(["relapse_free"])
    assert known_endpoints(["overall_survival", "overall_survival"]) == ("overall_survival",)
    summary = summarize(SMALL)
    with pytest.raises(
        UsageError, match=r"Not in this file: years_to_first_relapse.*one of overall_survival: name it"
    ):
        drawn_curves(summary, ["activity_free_survival"])
    unknown = summarize(
        read("patient_id,follow_up_years,relapses_after,years_to_first_relapse,years_to_death\nA,2,,,\n")
    )
    with pytest.raises(UsageError, match="No patient has a known outcome"):
        drawn_curves(unknown, ["relapse_free_survival"])


def test_ticks_are_round_and_meet_the_horizon() -> None:
    assert tick_step(12.7, 3, 14) == 1
    assert tick_step(12.7, 3, 10) == 3  # rather than 2, which misses the horizon
    assert tick_step(12.7, 3, 4) == 5
    assert tick_step(0.25, 0.01, 6) == 0.25  # no tick splits a month
    assert tick_step(0.2, 0.2, 6, finest=0.05) == pytest.approx(0.05)
    assert multiples(3, -7.2, 12.7) == [-6, -3, 0, 3, 6, 9, 12]
    assert multiples(0.1, 0, 0.3) == [0, 0.1, 0.2, 0.3]


def test_a_group_without_a_curve_is_named(tmp_path: Path) -> None:
    """Nobody at Y has an EDSS at baseline: the only curve is that of X, and the figure says so."""
    header = "patient_id,site,follow_up_years,edss_baseline,years_to_worsening,years_to_death"
    rows = [f"P{n},{'XY'[n % 2]},4,{'3' if n % 2 == 0 else ''},," for n in range(20)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([header, *rows]))
    result = compare(read_cohort(path), "site")
    drawing = draw_survival(result, drawn_groups(result, "worsening_free_survival"), 180)
    assert drawing.title == "Worsening-free survival by group: X"
    texts = [text.get_text() for text in drawing.figure.texts]
    assert "X" in texts
    assert any(text.startswith("Not drawn: Y, 10 patients.") for text in texts)
    assert "Not drawn: Y, 10 patients." in drawing.caption
