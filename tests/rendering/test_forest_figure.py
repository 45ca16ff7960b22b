"""The forest has a row for each published event-free figure, among comparable ones or set apart."""

from __future__ import annotations

import tomllib
import xml.etree.ElementTree as ET
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from record_files import read
from texts_apart import assert_apart

from ahsct_trial import Trial, read_cohort, summarize
from ahsct_trial.catalogue import SURVIVAL_ENDPOINTS
from ahsct_trial.cli import main
from ahsct_trial.forest import Forest, ForestRow, forest
from ahsct_trial.protocol import Protocol
from ahsct_trial.published import Publication, publications
from ahsct_trial.published.reading import parse_publication
from ahsct_trial.rendering.figures.forest import draw_forest, forest_lines
from ahsct_trial.rendering.figures.page import Drawing
from ahsct_trial.rendering.figures.saving import as_file, as_svg
from ahsct_trial.rendering.figures.style import Style
from ahsct_trial.rendering.report import write_report

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample_cohort.csv"
SVG = "{http://www.w3.org/2000/svg}"
KEYS = tuple(endpoint.key for endpoint in SURVIVAL_ENDPOINTS)


def publication(name: str, *figures: str, head: str = "") -> Publication:
    """A publication of 50 patients; each figure is ``key = value`` lines over those that all need."""
    text = f'id = "{name}"\ntitle = "Study {name}"\ncitation = "Nobody"\nn_patients = 50\n{head}\n'
    text += '[every_figure]\nmark = "V"\nsource = "Abstract"\ndefinition = "Free of activity"\nunit = "%"\n'
    return parse_publication((text + "".join(f"\n[[figures]]\n{each}\n" for each in figures)).encode(), name)


ACTIVITY = 'figure = "endpoints.activity_free_survival.survival.value"'
WORSENING = 'figure = "endpoints.worsening_free_survival.survival.value"'
OF_RRMS = 'where = { ms_course = ["RRMS"] }'
NEDA = 'figure = "endpoints.neda3.at_horizon.proportion.value"'
COUNT = (
    'unit = ""\nfigure = "endpoints.activity_free_survival.proportion.n"\n'
    'figure_of = "endpoints.activity_free_survival.proportion.of"'
)
LIBRARY = (
    publication(
        "a",
        f'label = "Two years"\nvalue = "80.5"\nci = ["70.1", "88.0"]\nhorizon_years = 2\n{ACTIVITY}',
        f'label = "Counted"\nvalue = "37"\nof = "46"\nhorizon_years = 2\n{COUNT}',
        f'label = "Five years"\nvalue = "60"\nhorizon_years = 5\n{ACTIVITY}',
        f'label = "RRMS"\nvalue = "70"\nse = "4"\nhorizon_years = 2\n{OF_RRMS}\n{ACTIVITY}',
        f'label = "Any time"\nvalue = "55"\n{ACTIVITY}',
        'label = "Worse"\nvalue = "17.1"\nci = ["9.7", "24.5"]\nis_complement = true\nhorizon_years = 2\n'
        f"{WORSENING}",
    ),
    publication(
        "b",
        f'label = "NEDA"\nvalue = "90"\nhorizon_years = 2\nnot_stated = ["death"]\n{NEDA}',
        f'label = "Drug"\nvalue = "40"\nhorizon_years = 2\nwhere = {{ arm = ["drug"] }}\n{ACTIVITY}',
        f'label = "Disputed"\nvalue = "99"\nhorizon_years = 2\ndisputed = true\n{ACTIVITY}',
        'label = "Of chosen patients"\nvalue = "94.4"\nabout = ["activity"]\nno_counterpart = "Chosen."',
    ),
    publication(
        "c",
        'label = "HSCT"\nvalue = "75"\nmark = "S"\nhorizon_years = 2\nwhere = { arm = ["HSCT"] }\n'
        f"{ACTIVITY}",
        head='ms_course = ["RRMS"]',
    ),
)


def where_each_is(result: Forest) -> dict[str, list[tuple[str, str]]]:
    """Publication and printed share by where they stand, in order."""
    groups = {
        f"{group.horizon_years:g} {' '.join(group.population)}".strip(): group.rows for group in result.groups
    }
    return {
        name: [(row.publication, row.printed) for row in rows]
        for name, rows in (groups | dict(result.apart)).items()
    }


def test_rows_stand_by_horizon_and_population_and_what_cannot_be_compared_apart() -> None:
    # By hand from the texts above.
    result = forest(LIBRARY)
    assert where_each_is(result) == {
        "2": [("b", "90"), ("a", "80.5")],
        "2 RRMS": [("c", "75"), ("a", "70")],
        "5": [("a", "60")],
        "no horizon": [("a", "55")],
        "disputed": [("b", "99")],
        "other treatment": [("b", "40")],
        "no counterpart": [("b", "94.4")],
    }
    neda, counted = result.groups[0].rows
    assert (neda.is_neda, neda.not_stated, neda.n, neda.is_n_printed) == (True, ("death",), 50, False)
    assert (neda.ci_low, neda.ci_high, neda.printed_ci) == (None, None, None)
    # The count beside the percentage is no row of its own: it gives the number of patients.
    assert (counted.n, counted.is_n_printed, counted.is_neda) == (46, True, False)
    assert (counted.share, counted.ci_low, counted.ci_high) == (0.805, 0.701, 0.88)
    of_arm, of_course = result.groups[1].rows
    assert (of_arm.n, of_arm.mark, of_course.n, of_course.beside) == (None, "S", None, "SE 4")
    [chosen] = dict(result.apart)["no counterpart"]
    assert (chosen.share, chosen.n, chosen.reason) == (None, None, "Chosen.")


def test_a_share_with_the_event_is_turned_round_with_its_limits_and_decimals() -> None:
    # 100 − 17.1 = 82.9; the limits change places: 100 − 24.5 = 75.5, 100 − 9.7 = 90.3.
    [group] = forest(LIBRARY, "worsening_free_survival").groups
    [row] = group.rows
    assert (row.printed, row.printed_ci) == ("82.9", ("75.5", "90.3"))
    assert (row.share, row.ci_low, row.ci_high) == (0.829, 0.755, 0.903)
    assert row.is_complement


@pytest.mark.parametrize("key", KEYS)
def test_no_figure_of_the_library_is_left_out(key: str) -> None:
    result = forest(publications().values(), key)
    rows = [
        *(row for group in result.groups for row in group.rows),
        *(r for _, rows in result.apart for r in rows),
    ]
    found = {(row.publication, row.label) for row in rows}
    heads = [f"endpoints.{key}.", *(["endpoints.neda3."] if key == "activity_free_survival" else [])]
    places = {(row.publication, row.is_neda, row.horizon_years, str(row.where)) for row in rows}
    assert len(found) == len(rows)
    n = 0
    for file in files("ahsct_trial.published").iterdir():
        if not file.name.endswith(".toml"):
            continue
        text = tomllib.loads(file.read_text(encoding="utf-8"))
        for figure in text["figures"]:
            path = figure.get("figure", "")
            if not path.startswith(tuple(heads)):
                continue
            n += 1
            # A row of its own, or a row of the same patients at the same time.
            where = {column: tuple(texts) for column, texts in figure.get("where", {}).items()}
            place = (text["id"], "neda3" in path, figure.get("horizon_years"), str(where))
            assert (text["id"], figure["label"]) in found or place in places
    assert n


def own_cohort() -> Trial:
    return read_cohort(SAMPLE)


@pytest.mark.parametrize("horizon", [2.0, 5.0])
def test_the_own_figure_is_that_of_summarize_at_the_horizon(horizon: float) -> None:
    trial = own_cohort()
    result = forest(LIBRARY, trial=trial)
    [group] = [each for each in result.groups if each.horizon_years == horizon and not each.population]
    expected = summarize(trial, Protocol(horizon_years=horizon)).endpoints.activity_free_survival
    assert group.cohort is not None
    assert group.cohort.survival == expected.survival
    [of_course] = [each for each in result.groups if each.population]
    part = summarize(trial.where({"ms_course": ("RRMS",)}), Protocol(horizon_years=2.0))
    assert of_course.cohort is not None
    assert of_course.cohort.survival == part.endpoints.activity_free_survival.survival


def test_a_cohort_without_such_patients_says_so() -> None:
    trial = read("patient_id,follow_up_years,years_to_death\nA,4,\nB,2,2\n")
    result = forest(LIBRARY, "overall_survival", trial)
    assert result.groups == ()
    lines = forest_lines(forest(LIBRARY, trial=trial))
    of_cohort = [line for line in lines if line.kind == "cohort"]
    assert [(line.printed, line.share) for line in of_cohort] == [("no estimate", None)] * 3
    about = draw_forest(forest(LIBRARY, trial=trial), 180.0).about
    assert "2 years, relapsing–remitting MS: This file has no attribute 'ms_course'." in about
    assert "Not in this file: years_to_first_relapse" in about


def drawn(result: Forest, width: float = 180.0, **style: Any) -> tuple[Drawing, ET.Element]:
    drawing = draw_forest(result, width, Style(**style))
    return drawing, ET.fromstring(as_svg(drawing, "f"))


def marks(drawing: Drawing, svg: ET.Element, name: str) -> list[float]:
    """Where the marks of a part are on the axis of shares."""
    height = drawing.figure.get_figheight() * 72
    axes = drawing.figure.axes[0]
    uses = [use for part in svg.iter() if part.get("id") == f"f-{name}" for use in part.iter(f"{SVG}use")]
    back = axes.transData.inverted()
    return [float(back.transform((float(use.get("x", "")), height / 2))[0]) for use in uses]


@pytest.mark.parametrize("width", [80.0, 180.0])
def test_marks_are_where_the_print_says(width: float) -> None:
    result = forest(LIBRARY, trial=own_cohort())
    drawing, svg = drawn(result, width)
    published: dict[str, ForestRow] = {
        f"{row.publication} {row.printed}": row
        for rows in [*(group.rows for group in result.groups), *(rows for _, rows in result.apart)]
        for row in rows
    }
    n_drawn = 0
    for number, line in enumerate(forest_lines(result)):
        found, ends = marks(drawing, svg, f"row-{number}-mark"), marks(drawing, svg, f"row-{number}-interval")
        if line.share is None:
            assert not found
            assert not ends
            continue
        n_drawn += 1
        assert found == pytest.approx([line.share], abs=5e-4)
        expected = [] if line.ci_low is None else [line.ci_low, line.ci_high]
        assert ends == pytest.approx(expected, abs=5e-4)
    # All but the one of chosen patients, and the cohort's own in the three groups.
    assert n_drawn == len(published) - 1 + 3


def test_words_stand_as_printed() -> None:
    lines = forest_lines(forest(LIBRARY))
    said = [(line.words, line.n, line.printed, line.mark) for line in lines]
    assert said[:4] == [
        ("At 2 years, all patients", "", "", ""),
        ("Study b†", "(50)", "90", "V"),
        ("Study a", "46", "80.5 (70.1–88.0)", "V"),
        ("At 2 years, relapsing–remitting MS", "", "", ""),
    ]
    assert ("Study c", "–", "75", "S") in said
    assert ("Study a", "–", "70 (SE 4)", "V") in said
    assert ("Study b, drug, 2 years", "–", "40", "V") in said
    assert ("Study b, Of chosen patients", "–", "94.4", "V") in said
    # HALT-MS prints 69.2 (50.2–82.1) at 90 %.
    library = forest_lines(forest(publications().values()))
    assert "69.2 (50.2–82.1; 90 % CI)" in [line.printed for line in library]
    assert "Whether a death counts was not stated" in draw_forest(forest(LIBRARY), 180.0).legend
    assert "Chosen." in draw_forest(forest(LIBRARY), 180.0).legend


@cache
def library_and_cohort(key: str) -> Forest:
    return forest(publications().values(), key, own_cohort())


@pytest.mark.parametrize("width", [80.0, 149.0, 150.0, 180.0, 420.0])
@pytest.mark.parametrize("key", [KEYS[0], KEYS[3]])
def test_nothing_leaves_the_page_or_covers_another_text(width: float, key: str) -> None:
    drawing, svg = drawn(library_and_cohort(key), width, title="Figures of the library", has_caption=True)
    assert svg.get("width") == f"{width:g}mm"
    figure = drawing.figure
    labels = [*figure.texts, *figure.axes[0].get_xticklabels()]
    assert_apart(figure, labels)


@pytest.mark.parametrize("ending", ["pdf", "png"])
def test_it_is_saved_as_a_picture_too(ending: str) -> None:
    assert as_file(drawn(library_and_cohort(KEYS[0]))[0], ending)


def test_a_hostile_title_is_text() -> None:
    hostile = publication("x", f'label = "</svg><script>$x^2$"\nvalue = "80"\nhorizon_years = 2\n{ACTIVITY}')
    same = publication("x2", f'label = "L"\nvalue = "70"\nhorizon_years = 2\n{ACTIVITY}')
    assert drawn(forest([hostile, same]))[1].tag == f"{SVG}svg"


def test_the_report_has_it() -> None:
    trial = own_cohort()
    summary = summarize(trial)
    page = write_report(summary, forest=forest(publications().values(), trial=trial))
    assert "MS activity-free survival: published figures and this cohort" in page
    assert 'id="figure-forest"' in page
    assert 'id="figure-forest"' not in write_report(summary)


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    target = str(tmp_path / "figure.svg")
    for words, *arguments in (
        ("at each published horizon", str(SAMPLE), "--horizon", "5"),
        ("need a cohort", "--death", "censor"),
        ("not pooled in silence", str(ROOT / "data" / "sample_trial.csv")),
        ("no curve of 'neda3'", "--endpoint", "neda3"),
    ):
        refused = main(["plot", "forest", *arguments, "-o", target])
        assert refused.exit_code == 2
        assert words in str(refused.result)
    done = main(["plot", "forest", "-o", target])
    assert done.exit_code == 0
    assert isinstance(done.result, Forest)
    assert done.result.source is None
