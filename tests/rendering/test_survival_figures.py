"""The Kaplan–Meier figure holds what the JSON document holds: each step, limit, censoring and number."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from record_files import read

from ahsct_trial import Cohort, Protocol, Records, Summary, read_cohort, summarize
from ahsct_trial.errors import UsageError
from ahsct_trial.protocol import BUILT_IN
from ahsct_trial.rendering.documents import write_json
from ahsct_trial.rendering.figures.curves import drawn_curves, known_endpoints, multiples, tick_step
from ahsct_trial.rendering.figures.page import Drawing
from ahsct_trial.rendering.figures.saving import as_file, as_svg
from ahsct_trial.rendering.figures.survival import draw_survival

DATA = Path(__file__).resolve().parents[2] / "data"
KEYS = (
    "activity_free_survival",
    "relapse_free_survival",
    "mri_activity_free_survival",
    "worsening_free_survival",
    "overall_survival",
)
SVG = "{http://www.w3.org/2000/svg}"
#: The SVG gives places to a hundredth of a point; a year has at least ten, the whole height a hundred.
NEAR = 5e-4
#: The files of data/, each with the protocol that it is made for.
SAMPLES = {
    "sample_cohort.csv": Protocol(),
    "sample_records.csv": Protocol(),
    "atkins2016_lancet.csv": BUILT_IN["atkins2016-lancet"],
}


def deaths(times: Sequence[float], is_event: Sequence[bool]) -> Cohort | Records:
    """A patient table of follow-up and deaths alone."""
    rows = [
        f"P{number},{years!r},{years!r}" if has_died else f"P{number},{years!r},"
        for number, (years, has_died) in enumerate(zip(times, is_event, strict=True))
    ]
    return read("\n".join(["patient_id,follow_up_years,years_to_death", *rows, ""]))


def drawn(summary: Summary, *keys: str, width: float = 180.0) -> tuple[Drawing, ET.Element]:
    drawing = draw_survival(summary, drawn_curves(summary, keys), width)
    return drawing, ET.fromstring(as_svg(drawing, "f"))


def document(summary: Summary, key: str) -> dict[str, Any]:
    return json.loads(write_json(summary))["endpoints"][key]


def part(svg: ET.Element, name: str) -> ET.Element:
    [found] = [each for each in svg.iter() if each.get("id") == f"f-{name}"]
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


def staircase(points: list[tuple[float, float]], start: tuple[float, float], end: float) -> list[Any]:
    corners = [start]
    for years, value in points:
        corners += [(years, corners[-1][1]), (years, value)]
    return [*corners, (end, corners[-1][1])]


def is_near(found: list[tuple[float, float]], expected: list[Any]) -> bool:
    return len(found) == len(expected) and all(
        a == pytest.approx(b, abs=NEAR) for a, b in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("file", SAMPLES)
@pytest.mark.parametrize("others", [(), KEYS])
def test_the_picture_is_the_curve_of_the_document(file: str, key: str, others: tuple[str, ...]) -> None:
    summary = summarize(read_cohort(DATA / file), SAMPLES[file])
    drawing, svg = drawn(summary, *(others or (key,)))
    endpoint = document(summary, key)
    curve = endpoint["curve"]
    steps = [point for point in curve if point["n_events"]]
    end = curve[-1]["years"]
    expected = staircase([(step["years"], step["estimate"]) for step in steps], (0, 1), end)
    assert is_near(path(drawing, svg, f"{key}-curve"), expected)
    censored = [(point["years"], point["estimate"]) for point in curve if point["n_censored"]]
    assert is_near(marks(drawing, svg, f"{key}-censored"), censored)
    ids = {each.get("id") for each in svg.iter()}
    if others or not steps:
        # Bands of five curves, and dots that would cover each other, are left out.
        assert f"f-{key}-band-0" not in ids
        assert (f"f-{key}-estimate" in ids) == (not others)
        return
    # In these files all limits are defined from the first event on, so the band is of one part.
    first = steps[0]
    upper = staircase(
        [(s["years"], s["ci_high"]) for s in steps[1:]], (first["years"], first["ci_high"]), end
    )
    lower = staircase([(s["years"], s["ci_low"]) for s in steps[1:]], (first["years"], first["ci_low"]), end)
    assert is_near(path(drawing, svg, f"{key}-band-0"), [*upper, *reversed(lower)])
    [at] = marks(drawing, svg, f"{key}-estimate")
    assert at == pytest.approx((endpoint["horizon_years"], endpoint["estimate"]), abs=NEAR)


@pytest.mark.parametrize("file", SAMPLES)
@pytest.mark.parametrize("keys", [KEYS[:1], KEYS])
def test_the_numbers_below_are_those_of_the_document(keys: tuple[str, ...], file: str) -> None:
    summary = summarize(read_cohort(DATA / file), SAMPLES[file])
    drawing, svg = drawn(summary, *keys)
    ticks = drawing.figure.axes[0].get_xticks().tolist()
    assert 3.0 in ticks
    for key in keys:
        curve = document(summary, key)["curve"]
        for column, years in enumerate(ticks):
            # By its definition, patient by patient: a point stands for its events and its censored.
            expected = {
                "at-risk": sum(p["n_events"] + p["n_censored"] for p in curve if p["years"] >= years),
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
    headline = document(summary, "activity_free_survival")
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


def caption(table: Cohort | Records, *keys: str) -> str:
    return " ".join(texts(drawn(summarize(table), *keys)[1]))


def test_two_curves_have_bands_and_more_have_none() -> None:
    sample = read_cohort(DATA / "sample_cohort.csv")
    for n in (2, 3):
        _, svg = drawn(summarize(sample), *KEYS[:n])
        bands = [each for each in svg.iter() if "-band-" in (each.get("id") or "")]
        assert len(bands) == (2 if n == 2 else 0)
        words = " ".join(texts(svg))
        assert ("shaded: pointwise 95 % confidence interval (log-log)" in words) == (n == 2)
        assert ("Intervals are not shaded for more than 2 curves." in words) == (n > 2)


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
    words = "A patient whose time is exactly that is in two rows."
    assert words in caption(deaths([1, 2.5], [True, False]), "overall_survival")
    assert words not in caption(deaths([1.1, 2.6], [True, False]), "overall_survival")


# Four patients of whom each second one dies, by hand: 1 − 1/4 = 0.75 and 0.75 × (1 − 1/2) = 0.375.
SMALL = deaths([1, 2, 3, 4], [True, False, True, False])


@pytest.mark.parametrize(
    ("table", "words", "n_steps", "n_bands"),
    [
        (SMALL, "3 years: 37.5 %", 2, 1),
        (deaths([2], [True]), "3 years: 0.0 % (exact 95 % CI 0.0–97.5)", 1, 0),
        (deaths([4], [False]), "3 years: 100.0 % (exact 95 % CI 2.5–100.0)", 0, 0),
        (deaths([0], [False]), "3 years: no estimate", 0, 0),
        (deaths([0], [True]), "3 years: 0.0 %", 1, 0),
        (deaths([1, 2, 2.5], [False] * 3), "3 years: no estimate", 0, 0),
        (deaths([1, 2, 4], [True] * 3), "3 years: 33.3 %", 3, 1),
    ],
)
def test_edges(table: Cohort | Records, words: str, n_steps: int, n_bands: int) -> None:
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


def test_many_steps_are_thinned_by_less_than_a_dot() -> None:
    n = 20_000
    table = deaths([round(year / 1000, 4) for year in range(1, n + 1)], [True] * n)
    summary = summarize(table)
    drawing, svg = drawn(summary, "overall_survival")
    corners = path(drawing, svg, "overall_survival-curve")
    assert len(corners) < 2 * n / 3
    # Half a dot at 300 dpi, and the step that is drawn instead, of the 20 years and the whole height.
    axes = drawing.figure.axes[0]
    width, height = (
        inches * part * 600
        for inches, part in zip(drawing.figure.get_size_inches(), axes.get_position().size, strict=True)
    )
    for years, estimate in corners:
        aside = abs((1 - estimate) - years / 20)
        assert min(aside * width, aside * height) < 1.1
    assert corners[-1] == pytest.approx((20, 0), abs=NEAR)
    assert len(as_svg(drawing, "f")) < 600_000


@pytest.mark.parametrize(("n", "is_marked"), [(250, True), (251, False)])
def test_too_many_censorings_are_not_marked_and_the_caption_says_so(n: int, is_marked: bool) -> None:
    drawing, svg = drawn(
        summarize(deaths([1 + day / 365.25 for day in range(n)], [False] * n)), "overall_survival"
    )
    assert len(marks(drawing, svg, "overall_survival-censored")) == (n if is_marked else 0)
    caption = " ".join(texts(svg))
    assert ("Short strokes: censored patients." in caption) is is_marked
    assert ("have no stroke where there are too many" in caption) is not is_marked


@pytest.mark.parametrize("width", [80.0, 90.0, 180.0, 420.0])
@pytest.mark.parametrize("keys", [KEYS[:1], KEYS])
def test_nothing_leaves_the_page_or_covers_another_text(width: float, keys: tuple[str, ...]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    drawing, svg = drawn(summarize(read_cohort(DATA / "sample_cohort.csv")), *keys, width=width)
    assert svg.get("width") == f"{width:g}mm"
    figure = drawing.figure
    renderer = FigureCanvasAgg(figure).get_renderer()
    axes = figure.axes[0]
    labels = [*figure.texts, *axes.get_xticklabels(), *axes.get_yticklabels()]
    boxes = [label.get_window_extent(renderer) for label in labels if label.get_text()]
    for number, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y0 >= 0
        assert box.y1 <= figure.bbox.y1
        for other in boxes[:number]:
            # Boxes of lines below each other touch; letters do not.
            assert not (box.shrunk(0.98, 0.7).overlaps(other.shrunk(0.98, 0.7)))
    sizes = {label.get_fontsize() for label in labels}
    assert min(sizes) >= 7
    assert max(sizes) <= 9


def test_errors_say_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"no curve of 'neda3'.*one of activity_free_survival, "):
        known_endpoints(["overall_survival", "neda3"])
    assert known_endpoints(["overall_survival", "overall_survival"]) == ("overall_survival",)
    summary = summarize(SMALL)
    with pytest.raises(
        UsageError, match=r"Not in this file: relapses_after.*one of overall_survival: name it"
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
    assert tick_step(0.01, 0.01, 6) == pytest.approx(0.002)
    assert multiples(3, -7.2, 12.7) == [-6, -3, 0, 3, 6, 9, 12]
    assert multiples(0.1, 0, 0.3) == [0, 0.1, 0.2, 0.3]
