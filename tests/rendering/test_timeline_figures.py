"""The timeline figure: each observation stands where it was, and text of the file stays text."""

from __future__ import annotations

import warnings
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from record_files import csv_of, read

from ahsct_trial import Protocol, read_cohort
from ahsct_trial.escaping import shown
from ahsct_trial.protocol import BUILT_IN
from ahsct_trial.rendering.figures.page import Drawing
from ahsct_trial.rendering.figures.saving import as_file, as_svg
from ahsct_trial.rendering.figures.style import Style
from ahsct_trial.rendering.figures.timeline import draw_timeline, line_names
from ahsct_trial.timelines import PatientTimeline, Timeline, timeline

DATA = Path(__file__).resolve().parents[2] / "data"
SVG = "{http://www.w3.org/2000/svg}"
#: The SVG gives places to a hundredth of a point, of at least 200 for 25 years [years].
NEAR = 1e-3
HOSTILE = [
    "$x^2$",
    "[bold]x[/bold]",
    "<script>",
    "a&b;&#x3c;",
    '" id="x"',
    "'DejaVu Sans'",
    "{viewbox} %s",
    "\\frac{1}{2}",
    "מטופל-7",
    "مريض ١٢",
    "e\u0301\u0302\u0323clair",
    "日本",
    "😀",
]


def drawn(found: Timeline, width: float = 180.0) -> tuple[Drawing, ET.Element]:
    drawing = draw_timeline(found, width)
    return drawing, ET.fromstring(as_svg(drawing, "t"))


def texts(svg: ET.Element) -> list[str]:
    return ["".join(each.itertext()) for each in svg.iter(f"{SVG}text")]


def marks(drawing: Drawing, svg: ET.Element, kind: str) -> list[tuple[float, int]]:
    """Marks as years and the number of their line."""
    [group] = [each for each in svg.iter() if each.get("id") == f"t-{kind}"]
    back = drawing.figure.axes[0].transData.inverted()
    height = drawing.figure.get_figheight() * 72
    places = [
        back.transform((float(use.get("x", "")), height - float(use.get("y", ""))))
        for use in group.iter(f"{SVG}use")
    ]
    return [(years, round(row)) for years, row in places]


@pytest.mark.parametrize(
    ("file", "initial", "protocol"),
    [
        ("sample_cohort.csv", "P", Protocol()),
        ("sample_records.csv", "P", Protocol()),
        ("atkins2016_lancet.csv", "L", BUILT_IN["atkins2016-lancet"]),
    ],
)
def test_each_mark_stands_at_its_time(file: str, initial: str, protocol: Protocol) -> None:
    found = timeline(read_cohort(DATA / file), protocol)
    drawing, svg = drawn(found)
    lines = list(enumerate(found.patients))
    expected = {
        "relapse": [(years, row) for row, line in lines for years in line.relapse_years],
        "worsening": [(line.worsening_years, row) for row, line in lines if line.worsening_years],
        "improvement": [(line.improvement_years, row) for row, line in lines if line.improvement_years],
        "death": [(line.death_years, row) for row, line in lines if line.death_years],
        "scan": [(scan.years, row) for row, line in lines for scan in line.scans if scan.has_lesion is False],
        "lesion-scan": [(scan.years, row) for row, line in lines for scan in line.scans if scan.has_lesion],
        "untold-scan": [
            (scan.years, row) for row, line in lines for scan in line.scans if scan.has_lesion is None
        ],
    }
    for kind, places in expected.items():
        seen = marks(drawing, svg, kind)
        assert [row for _, row in seen] == [row for _, row in places]
        for (place, _), (years, _) in zip(seen, places, strict=True):
            if kind.endswith("scan") and kind != "lesion-scan":
                assert place == pytest.approx(years, abs=NEAR)
            elif abs(place - years) > NEAR:
                # It would lie on the line of time zero, and stands beside it by its own width.
                assert abs(years) < abs(place) < 0.2
                assert place < 0 if years <= 0 else place > 0
    names = [text for text in texts(svg) if text[:1] == initial and text[1:].isdecimal()]
    assert names == [line.patient for line in found.patients]


def test_the_caption_says_what_the_file_does_not_know() -> None:
    table = drawn(timeline(read_cohort(DATA / "sample_cohort.csv"), Protocol()))[0].caption
    assert "does not know when relapses and scans before transplant were" in table
    key = set(texts(drawn(timeline(read_cohort(DATA / "sample_cohort.csv"), Protocol()))[1]))
    assert {"last scan", "first new lesion"} <= key
    # No relapse after transplant: what never occurs is not in the key.
    assert "first relapse" not in key
    raw = drawn(timeline(read_cohort(DATA / "sample_records.csv"), Protocol()))[0].caption
    assert "does not know" not in raw
    assert "confirmed 24 weeks later" in raw
    drawing, svg = drawn(timeline(read("patient_id,follow_up_years\nA,1\n"), Protocol()))
    bare = texts(svg)
    assert "Not in this file: observation before time zero, relapses, new lesions" in drawing.caption
    assert not {"last scan", "first relapse", "death"} & set(bare)


@pytest.mark.parametrize("n", [1, 24, 94, 95, 250])
def test_lines_keep_apart_and_on_the_page(n: int) -> None:
    rows = [{"patient_id": f"P{number:03}", "follow_up_years": 1 + number % 9} for number in range(n)]
    drawing, svg = drawn(timeline(read(csv_of(rows)), Protocol()), 90)
    names = [text for text in texts(svg) if text.startswith("P")]
    assert len(names) == (n if n <= 94 else 0)
    assert ("250" in texts(svg)) == (n == 250)
    assert drawing.figure.get_figheight() * 25.4 < 297
    assert [text.get_fontsize() for text in drawing.figure.texts if text.get_fontsize() < 5.5] == []


def hostile() -> Timeline:
    rows = [
        {"patient_id": name, "follow_up_years": 1 + number, "years_to_death": 1 + number}
        for number, name in enumerate([*HOSTILE, "N" * 200])
    ]
    return timeline(read(csv_of(rows)), Protocol())


def test_text_of_the_file_is_text() -> None:
    drawing = draw_timeline(hostile(), 180)
    svg = ET.fromstring(as_svg(drawing, "t"))
    assert {*HOSTILE, "N" * 7 + "…" + "N" * 8} <= set(texts(svg))
    assert not list(svg.iter(f"{SVG}script"))
    ids = [each.get("id") for each in svg.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    assert all(name and name.startswith("t-") for name in ids)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for ending in ("svg", "pdf", "png"):
            assert as_file(drawing, ending)


def named(*identifiers: str) -> tuple[tuple[str, ...], str]:
    """The names beside lines, and the caption's word on them; the lines of the file from 2 on."""
    found = line_names(
        [
            PatientTimeline(
                patient=identifier,
                line=number,
                observed_before_years=None,
                follow_up_years=1.0,
                relapse_years=(),
                scans=(),
                worsening_years=None,
                improvement_years=None,
                group=None,
                therapy_years=None,
                death_years=None,
            )
            for number, identifier in enumerate(identifiers, start=2)
        ]
    )
    return found.names, found.note


MIDDLE_LEFT_OUT = "… stands for the middle of a long identifier."


@pytest.mark.parametrize(
    ("identifiers", "names", "note"),
    [
        (["P01", "P02"], ["P01", "P02"], ""),
        # Sixteen characters have room.
        (["ABCDEFGHIJKLMN-1", "ABCDEFGHIJKLMN-2"], ["ABCDEFGHIJKLMN-1", "ABCDEFGHIJKLMN-2"], ""),
        (
            [f"AHSCT-OTTAWA-2004-{number:04}" for number in range(6)],
            ["0000", "0001", "0002", "0003", "0004", "0005"],
            "Each identifier begins with “AHSCT-OTTAWA-2004-”, left out here.",
        ),
        # A number or word that tells patients apart stays whole.
        (
            ["CANADIANTRIALPATIENT101", "CANADIANTRIALPATIENT11"],
            ["101", "11"],
            "Each identifier begins with “CANADIANTRIALPATIENT”, left out here.",
        ),
        (
            ["TRIAL-CENTRE-PAT-ANNA", "TRIAL-CENTRE-PAT-ANDREA"],
            ["ANNA", "ANDREA"],
            "Each identifier begins with “TRIAL-CENTRE-PAT-”, left out here.",
        ),
        (["P1", "OTTAWA-2004-PATIENT-7"], ["P1", "OTTAWA-…ATIENT-7"], MIDDLE_LEFT_OUT),
        (
            ["TRIAL-OTTAWA-PATIENT-0001", "TRIAL-MONTREAL-PATIENT-0001"],
            ["OTTAWA-…ENT-0001", "MONTREA…ENT-0001"],
            f"Each identifier begins with “TRIAL-”, left out here. {MIDDLE_LEFT_OUT}",
        ),
        # They differ in the middle alone.
        (
            ["HOSPITAL1PATIENT-AT-CENTRE", "HOSPITAL2PATIENT-AT-CENTRE", "OTHER"],
            ["line 2", "line 3", "line 4"],
            "Beside each line: the patient's line in the file, as identifiers are too long to stand there.",
        ),
        # One is the beginning of all.
        (["NNNNNNNNNNNNNNNNNNNN", "NNNNNNNNNNNNNNNNNNNN-1"], ["NNNNNNN…NNNNNNNN", "NNNNNNN…NNNNNN-1"], None),
    ],
)
def test_long_identifiers_stay_apart(identifiers: list[str], names: list[str], note: str | None) -> None:
    found, words = named(*identifiers)
    assert list(found) == names
    assert words == (MIDDLE_LEFT_OUT if note is None else note)


#: Few letters in a row, so that beginnings and ends are often the same.
IDENTIFIERS = st.lists(
    st.one_of(
        st.text("A1-", min_size=1, max_size=40),
        st.builds("{}{}".format, st.just("AHSCT-OTTAWA-2004-"), st.integers(0, 10**20)),
        st.text(min_size=1, max_size=30),
    ),
    min_size=1,
    unique=True,
)


@given(IDENTIFIERS)
@example(["a\x1b", "a\\x1b"])
def test_names_are_unique_whenever_identifiers_are(identifiers: list[str]) -> None:
    names, note = named(*identifiers)
    assert len(set(names)) == len(names) == len(identifiers)
    assert all(0 < len(name) <= 16 for name in names)
    # The caption says whenever a name is not the identifier.
    assert note or list(names) == [shown(identifier) for identifier in identifiers]


def test_the_figure_has_these_names_and_its_caption_says_so() -> None:
    rows = [{"patient_id": f"AHSCT-OTTAWA-2004-{n:04}", "follow_up_years": 9 - n} for n in range(6)]
    drawing, svg = drawn(timeline(read(csv_of(rows)), Protocol()))
    assert {f"{n:04}" for n in range(6)} <= set(texts(svg))
    assert "Each identifier begins with “AHSCT-OTTAWA-2004-”, left out here." in drawing.caption


def test_a_last_scan_after_a_lesion_is_explained() -> None:
    head = "patient_id,follow_up_years,scans_after,years_to_first_new_lesion,years_to_last_scan\n"
    told, untold = (
        drawn(timeline(read(f"{head}{rows}"), Protocol())) for rows in ("A,5,4,,4\n", "A,5,4,1,4\nB,4,4,,3\n")
    )
    assert "last scan after a lesion" not in texts(told[1])
    assert "Grey:" not in told[0].caption
    assert {"last scan", "last scan after a lesion"} <= set(texts(untold[1]))
    words = "Grey: the last scan after a first new lesion; whether it shows another is unknown."
    assert words in untold[0].caption
    assert "last scan 1, last scan after a lesion 1" in (untold[1].findtext(f"{SVG}desc") or "")


def test_two_figures_fit_on_one_page() -> None:
    drawing = draw_timeline(hostile(), 180)
    one, other = (
        {each.get("id") for each in ET.fromstring(as_svg(drawing, name)).iter() if each.get("id")}
        for name in ("a", "b")
    )
    assert len(one) == len(other) > 0
    assert not one & other
    svg = as_svg(drawing, "a")
    assert svg.startswith("<svg ")
    for reference in [*svg.split('href="#')[1:], *svg.split("url(#")[1:]]:
        assert reference.startswith("a-")
    # No style sheet that would reach the page around it, and nothing to fetch.
    assert "<style" not in svg
    assert svg.count("http") == svg.count("http://www.w3.org/")


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_the_same_figure_is_the_same_file(ending: str) -> None:
    contents = [as_file(draw_timeline(hostile(), 120), ending) for _ in range(2)]
    assert contents[0] == contents[1]
    assert b"Date" not in contents[0]


def test_vector_files_have_text() -> None:
    drawing = draw_timeline(hostile(), 180)
    pdf = as_file(drawing, "pdf")
    assert b"/Type0" in pdf
    assert b"/CIDFontType2" in pdf  # TrueType, as journals want it
    assert b"/Type3" not in pdf
    [width, height] = ET.fromstring(as_file(drawing, "svg")).get("viewBox", "").split()[2:]
    assert float(width) == pytest.approx(180 / 25.4 * 72)
    assert b"/MediaBox [ 0 0 510.2" in pdf
    assert float(height) > 0


def test_a_therapy_has_its_mark() -> None:
    found = timeline(read("patient_id,follow_up_years,years_to_therapy\nA,5,2.5\nB,4,\n"), Protocol())
    drawing, svg = drawn(found)
    assert "start of a therapy" in texts(svg)
    [(years, row)] = marks(drawing, svg, "therapy")
    assert (years, row) == (pytest.approx(2.5, abs=NEAR), 0)


def test_title_and_caption_stand_in_the_picture_when_asked_for() -> None:
    found = timeline(read_cohort(DATA / "sample_records.csv"), Protocol())
    drawing = draw_timeline(found, 180.0, Style(title="Courses", has_caption=True))
    inside = texts(ET.fromstring(as_svg(drawing, "t")))
    assert "Courses" in inside
    assert "A line is a patient" in " ".join(inside)
    assert "A line is a patient" not in " ".join(texts(drawn(found)[1]))
    assert "Synthetic data: 24 invented patients" in " ".join(texts(drawn(found)[1]))


GROUPED = "patient_id,arm,follow_up_years,years_to_death\n" + "".join(
    f"{patient},{arm},{years},\n"
    for patient, arm, years in [("a", "B", 1), ("b", "A", 2), ("c", "B", 3), ("d", "", 4), ("e", "A", 5)]
)


def test_groups_stand_under_headings_in_the_order_in_which_they_are_compared() -> None:
    found = timeline(read(GROUPED), Protocol(), "arm")
    assert [(line.group, line.patient) for line in found.patients] == [
        ("A", "e"),
        ("A", "b"),
        ("B", "c"),
        ("B", "a"),
    ]
    assert (found.levels, found.n_without_level) == (("A", "B"), 1)
    drawing = draw_timeline(found, 180.0)
    svg = ET.fromstring(as_svg(drawing, "f"))
    heights = {"".join(each.itertext()).strip(): float(each.get("y", 0)) for each in svg.iter(f"{SVG}text")}
    order = ["A (2 patients)", "e", "b", "B (2 patients)", "c", "a"]
    assert sorted(order, key=lambda text: heights[text]) == order
    assert "1 patient without arm left out: in no group." in drawing.legend
    assert drawing.title == "Course of 4 patients before and after transplant by arm"
    assert "in groups by arm (A: 2, B: 2)" in drawing.description


@pytest.mark.parametrize("n", [2, 40, 250])
def test_headings_keep_clear_of_lines_names_and_time_zero(n: int) -> None:
    rows = "".join(f"P{number},{'xyz'[number % 3]},{1 + number % 7},\n" for number in range(n))
    drawing = draw_timeline(timeline(read(GROUPED.split("\n")[0] + f"\n{rows}"), Protocol(), "arm"), 180.0)
    figure = drawing.figure
    renderer = FigureCanvasAgg(figure).get_renderer()
    texts = [text for text in figure.texts if text.get_text()]
    headings = [text for text in texts if (text.get_gid() or "").startswith("group-")]
    assert len(headings) == min(n, 3)
    axes = figure.axes[0]
    [zero] = [line for line in axes.lines if line.get_gid() == "time-zero"]
    zero_spans = np.asarray(zero.get_ydata(), dtype=float)
    follow_up = next(each for each in axes.collections if each.get_gid() == "follow-up")
    heights = [segment[0][1] for segment in follow_up.get_segments()]
    assert len(heights) == n
    for heading in headings:
        box = heading.get_window_extent(renderer)
        for other in texts:
            if other is not heading:
                own = other.get_window_extent(renderer)
                assert not box.shrunk(0.98, 0.7).overlaps(own.shrunk(0.98, 0.7))
        bottom, top = axes.transData.inverted().transform([(0, box.y0), (0, box.y1)])[:, 1]
        assert not any(top < height < bottom for height in heights)
        spans = zip(zero_spans[::3], zero_spans[1::3], strict=True)
        assert not any(above < bottom and top < below for above, below in spans)
