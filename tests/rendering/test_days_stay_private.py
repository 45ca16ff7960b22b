"""Nobody can read from aggregate output when a single patient had an event or was last seen.

The attack: take every coordinate and number of an output for what it may stand for, and count the days that a
patient's time may still have. A month, 30.4 days, must be left.
"""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from record_files import read

from ahsct_trial import Summary, read_cohort, summarize
from ahsct_trial.rendering.documents import write_csv
from ahsct_trial.rendering.figures.curves import drawn_curves, keys_with_curve
from ahsct_trial.rendering.figures.page import Drawing
from ahsct_trial.rendering.figures.saving import as_file, as_svg
from ahsct_trial.rendering.figures.survival import draw_survival
from ahsct_trial.rendering.figures.terminal import draw_text
from ahsct_trial.rendering.markdown import write_markdown
from ahsct_trial.rendering.report import write_report
from ahsct_trial.rendering.sections.summarize import summary_sections
from ahsct_trial.rendering.terminal import draw

ROOT = Path(__file__).resolve().parents[2]
MONTH = 365.25 / 12
#: As the case of the days that could be read off a figure: patients who are last seen 37 days apart.
ROWS = "".join(f"K{n},{3.1013 + 0.1013004 * n:.6f},\n" for n in range(25))
FEW = f"patient_id,follow_up_years,years_to_death\n{ROWS}D1,1.2345,1.2345\n"
SUMMARIES: dict[str, Callable[[], Summary]] = {
    "a patient a month": lambda: summarize(read(FEW)),
    "sample": lambda: summarize(read_cohort(ROOT / "data" / "sample_cohort.csv")),
    "records": lambda: summarize(read_cohort(ROOT / "data" / "sample_records.csv")),
}


@pytest.fixture(scope="module", params=SUMMARIES)
def summary(request: pytest.FixtureRequest) -> Summary:
    return SUMMARIES[request.param]()


@pytest.fixture(scope="module", params=[False, True], ids=["one curve", "all"])
def drawing(summary: Summary, request: pytest.FixtureRequest) -> Drawing:
    keys = keys_with_curve(summary)
    return draw_survival(summary, drawn_curves(summary, keys if request.param else keys[-1:]), 420.0)


def own_times(summary: Summary) -> set[float]:
    """Every patient's exact times, as the curves of the JSON document have them [years]."""
    endpoints = summary.endpoints
    times = {
        point.years
        for key in keys_with_curve(summary)
        for point in getattr(endpoints, key).curve
        if point.years > 0
    }
    follow_up = summary.cohort.follow_up
    return times | {year for year in (follow_up.min, follow_up.max) if year is not None}


def assert_months(places: Iterator[float], years_per_unit: float) -> None:
    """Places along the time axis are ends of months, within what the file's digits can say."""
    for place in places:
        months = place * 12
        assert abs(months - round(months)) < 12 * years_per_unit, place


def test_places_in_an_svg_are_ends_of_months(drawing: Drawing) -> None:
    svg = ET.fromstring(as_svg(drawing, "f"))
    axes = drawing.figure.axes[0]
    height = drawing.figure.get_figheight() * 72

    def years(x: float) -> float:
        return float(axes.transData.inverted().transform((x, height / 2))[0])

    places = []
    for part in svg.iter():
        if re.fullmatch(r"f-.*-(curve|censored|band-\d)", part.get("id") or ""):
            for each in part.iter():
                if each.tag.endswith("}path") and "id" not in each.attrib:
                    numbers = re.findall(r"-?[\d.]+", each.get("d", ""))
                    places += [years(float(number)) for number in numbers[::2]]
                if each.tag.endswith("}use"):
                    places.append(years(float(each.get("x", ""))))
    assert len(places) > 20
    # A hundredth of a point, the digits of the file.
    assert_months(iter(places), abs(years(0.01) - years(0.0)))


def test_places_in_a_pdf_are_ends_of_months(drawing: Drawing) -> None:
    axes = drawing.figure.axes[0]
    content = b"".join(
        zlib.decompress(stream)
        for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", as_file(drawing, "pdf"), re.DOTALL)
        if stream[:1] == b"x"
    ).decode("latin-1")
    left, right = (float(axes.transData.transform((x, 0))[0]) for x in axes.get_xlim())
    low, high = (float(axes.transData.transform((0, y))[1]) for y in axes.get_ylim())
    per_point = float(axes.get_xlim()[1]) / (right - left)
    ticks = {float(each) for each in axes.get_xticks()}
    places = []
    for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+) [ml]\b", content):
        if left - 0.01 <= float(x) <= right + 0.01 and low - 0.01 <= float(y) <= high + 0.01:
            places.append((float(x) - left) * per_point)
    # The ticks, and the dot and the ends of the interval at the horizon, are no patient's.
    steps = [
        year
        for year in places
        if min(abs(year - tick) for tick in ticks) > 0.01 and abs(year - 3.0) > 3 * per_point
    ]
    assert len(steps) > 3
    assert_months(iter(steps), 0.02 * per_point)


def told(text: str) -> Iterator[tuple[float, float]]:
    """Each number of a text that may be a time, as the interval of years that it may stand for."""
    for number in re.findall(r"(?<![\w.–])\d+\.\d+(?![\w.]*[\w])", text):
        half = 0.5 * 10.0 ** -len(number.split(".")[1])
        yield float(number) - half, float(number) + half
    for day in re.findall(r"\bday (\d[\d,]*)", text):
        yield int(day.replace(",", "")) / 365.25, (int(day.replace(",", "")) + 1) / 365.25


def assert_no_day(summary: Summary, text: str) -> None:
    """No number of a text holds a patient's time within less than a month."""
    times = own_times(summary) - {3.0}
    for low, high in told(text):
        if (high - low) * 365.25 < MONTH:
            assert not [time for time in times if low <= time <= high and time > 0.1], (low, high)


def of_times(text: str) -> str:
    """The lines of a screen that speak of time: rates and shares are no time of a patient."""
    return "\n".join(
        line for line in text.splitlines() if re.search(r"ollow-up|edian|years|day|Kaplan", line)
    )


@pytest.mark.parametrize("is_full", [False, True])
def test_no_screen_holds_a_day(summary: Summary, is_full: bool) -> None:
    sections = summary_sections(summary, is_full=is_full)
    assert_no_day(summary, of_times(draw(sections)))
    assert_no_day(summary, of_times(write_markdown(sections)))


def test_the_csv_holds_no_day(summary: Summary) -> None:
    for row in csv.DictReader(io.StringIO(write_csv(summary))):
        is_time = (
            row["variable"] in {"follow_up", "years_observed_before"}
            or "median_years" in row["variable_level"]
        )
        if is_time and row["stat_name"] != "confidence_level":
            assert_no_day(summary, row["stat"])
        assert row["stat_name"] != "years"


def test_the_report_holds_no_day(summary: Summary) -> None:
    page = write_report(summary)
    outside = re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]+>", "\n", page, flags=re.DOTALL)
    assert_no_day(summary, of_times(outside))
    for words in re.findall(r"<(?:title|desc) [^>]*>(.*?)<", page, re.DOTALL):
        assert_no_day(summary, words)


def test_the_drawing_in_text_is_that_of_months() -> None:
    # Two files whose patients differ by days within the same months have one picture.
    other = FEW.replace("1.2345,1.2345", "1.2400,1.2400")
    pictures = []
    for text in (FEW, other):
        own = summarize(read(text))
        pictures.append(draw_text(own, drawn_curves(own, ["overall_survival"]), 120))
    assert pictures[0] == pictures[1]
    files = []
    for text in (FEW, other):
        own = summarize(read(text))
        drawing = draw_survival(own, drawn_curves(own, ["overall_survival"]), 180.0)
        files.append([as_file(drawing, ending) for ending in ("svg", "pdf", "png")])
    assert files[0] == files[1]
