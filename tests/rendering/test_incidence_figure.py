"""The incidence figure shows the cumulative incidence of each type of first event, stacked, to the month."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from record_files import read
from texts_apart import assert_apart

from ahsct_trial import Protocol, read_cohort, summarize
from ahsct_trial.cli import main
from ahsct_trial.endpoints.incidence import incidence_curves
from ahsct_trial.rendering.figures.incidence import draw_incidence, drawn_incidence
from ahsct_trial.rendering.figures.page import Drawing
from ahsct_trial.rendering.figures.saving import as_file, as_svg
from ahsct_trial.rendering.figures.style import Style
from ahsct_trial.results import IncidenceCurves

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample_cohort.csv"
TRIAL = ROOT / "data" / "sample_trial.csv"
SVG = "{http://www.w3.org/2000/svg}"
RELAPSE = "relapse_free_survival"

_HEAD = "patient_id,arm,follow_up_years,relapses_after,years_to_first_relapse,years_to_death\n"
# A relapses at 1.02 years and B dies at 1.49; C is lost at 2; D relapses at 2.51; E is seen for 4 years.
# Of 5, 1 relapses: 0.2, and S = 0.8. Of 4, 1 dies: 0.8/4 = 0.2, S = 0.6. Of 2, 1 relapses: 0.2 + 0.6/2.
FIVE = f"{_HEAD}A,x,4,1,1.02,\nB,x,1.49,0,,1.49\nC,x,2,0,,\nD,x,4,1,2.51,\nE,x,4,0,,\n"
NOBODY = "".join(f"N{n},y,{3 + n / 10},0,,\n" for n in range(4))


def drawn(result: IncidenceCurves, width: float = 180.0, **style: Any) -> tuple[Drawing, ET.Element]:
    drawing = draw_incidence(result, drawn_incidence(result), width, Style(**style))
    return drawing, ET.fromstring(as_svg(drawing, "f"))


def of(text: str, by: str | None = None, **protocol: Any) -> IncidenceCurves:
    return incidence_curves(read(text), Protocol(**protocol), RELAPSE, by)


def part(svg: ET.Element, name: str) -> ET.Element:
    [found] = [each for each in svg.iter() if each.get("id") == f"f-{name}"]
    return found


def words(svg: ET.Element, name: str) -> str:
    return "".join(part(svg, name).itertext()).strip()


def places(drawing: Drawing, path: ET.Element) -> list[tuple[float, float]]:
    """The corners of a path as years and shares, on the axes that have numbers."""
    [axes] = [each for each in drawing.figure.axes if each.axison]
    height = drawing.figure.get_figheight() * 72
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.get("d", ""))]
    points = zip(numbers[::2], numbers[1::2], strict=True)
    back = axes.transData.inverted()
    return [tuple(back.transform((x, height - y)).tolist()) for x, y in points]


def area(drawing: Drawing, svg: ET.Element, name: str) -> list[tuple[float, float]]:
    return places(drawing, next(each for each in part(svg, name).iter(f"{SVG}path")))


def test_incidences_are_those_of_the_hand() -> None:
    [group] = of(FIVE).groups
    assert group.years == (1.02, 1.49, 2.51)
    assert group.incidence["relapse"] == pytest.approx((0.2, 0.2, 0.5))
    assert group.incidence["death"] == pytest.approx((0.0, 0.2, 0.2))
    assert group.any_event.value == pytest.approx(0.7)
    # A death that censors has no entry: of 5, then 2, 1 relapses each: 0.2, and 0.2 + 0.8/2.
    [censored] = of(FIVE, death="censor").groups
    assert list(censored.incidence) == ["relapse"]
    assert censored.incidence["relapse"] == pytest.approx((0.2, 0.6))


@pytest.mark.parametrize("key", ["activity_free_survival", "worsening_free_survival", "overall_survival"])
@pytest.mark.parametrize("file", ["sample_cohort.csv", "sample_records.csv", "atkins2016_lancet.csv"])
def test_they_add_up_to_the_rest_of_the_survival_curve(file: str, key: str) -> None:
    trial = read_cohort(ROOT / "data" / file)
    [group] = incidence_curves(trial, Protocol(), key).groups
    curve = {point.years: point.estimate for point in group.endpoint.curve if point.n_events}
    assert group.years == tuple(curve)
    for place, years in enumerate(group.years):
        total = sum(row[place] for row in group.incidence.values())
        assert total == pytest.approx(1 - curve[years], abs=1e-12)
    expected = summarize(trial).endpoints.__getattribute__(key)
    assert group.endpoint.incidence == expected.incidence


def test_areas_are_stacked_from_death_up_and_drawn_to_the_month() -> None:
    # By hand: 1.02 years end with month 13, 1.49 with month 18, 2.51 with month 31.
    drawing, svg = drawn(of(FIVE))
    first, second, third = 13 / 12, 18 / 12, 31 / 12
    death = [(0, 0), (second, 0), (second, 0.2), (4, 0.2)]
    upper = [
        (0, 0),
        (first, 0),
        (first, 0.2),
        (second, 0.2),
        (second, 0.4),
        (third, 0.4),
        (third, 0.7),
        (4, 0.7),
    ]
    found = area(drawing, svg, f"{RELAPSE}-relapse")
    # The outline closes at time zero, where it began.
    assert found == [pytest.approx(each, abs=2e-3) for each in [*upper, *reversed(death[1:])]]
    floor = area(drawing, svg, f"{RELAPSE}-death")
    assert floor[:4] == [pytest.approx(each, abs=2e-3) for each in death]
    assert all(share == pytest.approx(0, abs=2e-3) for _, share in floor[4:])
    edge = area(drawing, svg, f"{RELAPSE}-any")
    assert edge == [pytest.approx(each, abs=2e-3) for each in upper]


def test_key_and_numbers_below() -> None:
    drawing, svg = drawn(of(FIVE))
    assert (words(svg, f"{RELAPSE}-relapse-n"), words(svg, f"{RELAPSE}-death-n")) == ("2", "1")
    assert words(svg, f"{RELAPSE}-any-n") == "3"
    assert words(svg, f"{RELAPSE}-relapse-label").startswith("50.0 (")
    assert words(svg, f"{RELAPSE}-any-label").startswith("70.0 (")
    [axes] = [each for each in drawing.figure.axes if each.axison]
    at_risk = [words(svg, f"{RELAPSE}-at-risk-{column}") for column in range(len(axes.get_xticks()))]
    # Followed to 0, ½, 1, … 4 years or beyond; C is lost on the second anniversary and reaches it.
    by_hand = {0: 5, 0.5: 5, 1: 5, 1.5: 3, 2: 3, 2.5: 2, 3: 1, 3.5: 1, 4: 1}
    assert at_risk == [str(by_hand[years]) for years in axes.get_xticks()]
    texts = ["".join(each.itertext()) for each in svg.iter(f"{SVG}text")]
    assert "Years since transplant" in texts
    assert "Years since randomisation" in [
        "".join(each.itertext()) for each in drawn(of(FIVE, time_zero="randomisation"))[1].iter(f"{SVG}text")
    ]


def test_a_group_without_events_has_a_panel_and_an_upper_limit() -> None:
    result = of(FIVE + NOBODY, by="arm")
    drawing, svg = drawn(result)
    assert len([each for each in drawing.figure.axes if each.axison]) == 2
    assert words(svg, f"{RELAPSE}-1-name") == "y (4 patients)"
    assert words(svg, f"{RELAPSE}-1-relapse-label") == "0.0"
    # Nobody of 4 by 3 years, one of whom is lost on that day: Clopper–Pearson's 1 − 0.025^(1/4) = 60.2 %.
    assert words(svg, f"{RELAPSE}-1-any-label") == "0.0 (0.0–60.2)"
    assert f"f-{RELAPSE}-1-relapse" not in {each.get("id") for each in svg.iter()}
    assert f"f-{RELAPSE}-1-any" in {each.get("id") for each in svg.iter()}


def test_patients_without_a_level_are_counted() -> None:
    result = of(f"{FIVE}{NOBODY}Z,,4,0,,\n", by="arm")
    assert result.n_without_level == 1
    assert "1 patient without arm left out: in no group." in drawn(result)[0].about


def test_days_cannot_be_read_off() -> None:
    # Two files whose patients differ by days within the same months have one picture.
    other = FIVE.replace("1.02", "1.07").replace("1.49", "1.45").replace("2.51", "2.57")
    assert other != FIVE
    assert len({as_file(drawn(of(text))[0], "svg") for text in (FIVE, other)}) == 1
    for trial in (read_cohort(SAMPLE), read_cohort(ROOT / "data" / "sample_records.csv")):
        result = incidence_curves(trial)
        drawing, svg = drawn(result, 420.0)
        [group] = result.groups
        for key in (*group.incidence, "any"):
            name = f"{result.key}-{key}"
            if f"f-{name}" not in {each.get("id") for each in svg.iter()}:
                continue
            for years, _ in area(drawing, svg, name):
                assert 12 * years == pytest.approx(round(12 * years), abs=0.02)


@pytest.mark.parametrize("width", [80.0, 180.0, 420.0])
@pytest.mark.parametrize(
    ("file", "by", "protocol"),
    [
        (SAMPLE, None, {}),
        (SAMPLE, "sex", {"death": "censor"}),
        (TRIAL, "arm", {}),
        (TRIAL, "site", {"horizon_years": 20.0}),
    ],
)
def test_nothing_leaves_the_page_or_covers_another_text(
    width: float, file: Path, by: str | None, protocol: dict[str, Any]
) -> None:
    result = incidence_curves(read_cohort(file), Protocol(**protocol), "worsening_free_survival", by)
    drawing, svg = drawn(result, width, title="First events", has_caption=True)
    assert svg.get("width") == f"{width:g}mm"
    figure = drawing.figure
    shown_axes = [each for each in figure.axes if each.axison]
    ticks = [tick for axes in shown_axes for tick in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    labels = [*figure.texts, *ticks]
    assert_apart(figure, labels)


@pytest.mark.parametrize("palette", ["okabe-ito", "tol-bright", "grey"])
def test_types_differ_without_colour(palette: str) -> None:
    text = (
        "patient_id,follow_up_years,years_to_last_visit,relapses_after,years_to_first_relapse,scans_after,"
        "years_to_first_new_lesion,edss_baseline,years_to_worsening,years_to_therapy,years_to_death\n"
        "A,4,4,1,1,3,,4,,,\nB,4,4,0,,3,1,4,,,\nC,4,4,0,,3,,4,1,,\nD,4,4,0,,3,,4,,1,\nE,2,2,0,,3,,4,,,2\n"
        "F,4,4,0,,3,,4,,,\n"
    )
    drawing, _ = drawn(incidence_curves(read(text), Protocol(therapy="event")), palette=palette)
    [axes] = [each for each in drawing.figure.axes if each.axison]
    looks = {}
    for patch in axes.patches:
        red, green, blue, _ = patch.get_facecolor()
        looks[patch.get_gid()] = (patch.get_hatch(), round(0.2126 * red + 0.7152 * green + 0.0722 * blue, 2))
    assert len(looks) == 5
    for name, (hatch, light) in looks.items():
        for other, (other_hatch, other_light) in looks.items():
            assert name == other or hatch != other_hatch or abs(light - other_light) > 0.2


def test_refusals(tmp_path: Path) -> None:
    target = str(tmp_path / "figure.svg")
    for words, *arguments in (
        ("not pooled in silence",),
        (
            "no incidence of mri_activity_free_survival",
            "--pool",
            "--endpoint",
            "mri_activity_free_survival",
        ),
        ("no attribute 'colour'", "--by", "colour"),
    ):
        refused = main(["plot", "incidence", str(TRIAL), *arguments, "-o", target])
        assert refused.exit_code == 2
        assert words in str(refused.result)
    done = main(
        [
            "plot",
            "incidence",
            str(TRIAL),
            "--by",
            "arm",
            "--endpoint",
            "worsening_free_survival",
            "-o",
            target,
        ]
    )
    assert isinstance(done.result, IncidenceCurves)
    assert [group.level for group in done.result.groups] == ["AHSCT", "DMT"]
