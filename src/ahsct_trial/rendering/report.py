"""The report: one self-contained HTML page, from the same results and sections as the screens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ahsct_trial.catalogue import HEADLINE
from ahsct_trial.escaping import shown
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.figures.curves import drawn_curves, keys_with_curve
from ahsct_trial.rendering.figures.forest import draw_forest
from ahsct_trial.rendering.figures.page import Drawing
from ahsct_trial.rendering.figures.saving import as_svg
from ahsct_trial.rendering.figures.survival import draw_survival
from ahsct_trial.rendering.figures.timeline import draw_timeline
from ahsct_trial.rendering.sections import one_line, public, source_name
from ahsct_trial.rendering.sections.check import verdict_sections
from ahsct_trial.rendering.sections.report import flow_steps, headline_sentences, methods
from ahsct_trial.rendering.sections.summarize import (
    count_sections,
    definitions,
    patients_section,
    survival_sections,
)
from ahsct_trial.results import TOOL, Notice, Summary
from ahsct_trial.wording import in_years, plural

if TYPE_CHECKING:
    from ahsct_trial.checking import Check
    from ahsct_trial.forest import Forest
    from ahsct_trial.timelines import Timeline

#: Width of a figure on a page and on a phone [mm]; the style sheet shows one of the two.
_WIDE, _NARROW = 180.0, 80.0


@dataclass(frozen=True)
class _Picture:
    """A figure in both widths, as SVG elements, and how to read it."""

    name: str
    title: str
    legend: str
    wide: Markup
    narrow: Markup


def write_report(
    summary: Summary,
    *,
    check: Check | None = None,
    timeline: Timeline | None = None,
    forest: Forest | None = None,
) -> str:
    """Write a cohort's results as an HTML page that needs nothing beside itself.

    Parameters
    ----------
    summary
        The results.
    check
        The cohort compared with a publication; without it the page has no such part.
    timeline
        The course of each patient; without it the page names no patient.
    forest
        The published figures beside the cohort's; without it the page has no such picture.

    Returns
    -------
    str
        The page: no script, no request, no path.
    """
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["one_line"] = one_line
    source = (
        files("ahsct_trial.rendering").joinpath("templates", "report.html.j2").read_text(encoding="utf-8")
    )
    headline = getattr(summary.endpoints, HEADLINE.key)
    n = summary.cohort.n_patients
    notices = summary.notices if timeline is not None else public(summary.notices)
    first, *other_survival = survival_sections(summary)
    return environment.from_string(source).render(
        file=source_name(summary.source),
        provenance=summary.source.provenance or "",
        n_patients=f"{n:,} {plural('patient', n)}",
        headline_title=f"{headline.label} at {in_years(headline.horizon_years)}",
        headline=headline_sentences(summary),
        look_first=_texts(notices, "look first"),
        notes=_texts(notices, "note"),
        flow=flow_steps(summary),
        patients=[patients_section(summary.cohort, is_full=True)],
        survival=first,
        other_survival=other_survival,
        survival_pictures=list(_survival_pictures(summary)),
        counts=count_sections(summary),
        timeline=None
        if timeline is None
        else _picture("timeline", [draw_timeline(timeline, width) for width in (_WIDE, _NARROW)]),
        forest=None
        if forest is None
        else _picture("forest", [draw_forest(forest, width) for width in (_WIDE, _NARROW)]),
        verdicts=[] if check is None else verdict_sections(check),
        methods=methods(summary, check),
        definitions=list(definitions(summary)),
        files=[
            (shown(each.file, longest=255), fmt.count(each.n_rows), each.sha256)
            for each in summary.source.files
        ],
        protocol=shown(summary.protocol.name, longest=200),
        tool=TOOL,
    )


def _texts(notices: Sequence[Notice], severity: str) -> list[str]:
    return list(dict.fromkeys(notice.text for notice in notices if notice.severity == severity))


def _visible(value: object) -> object:
    """Show what a browser would obey or hide in a text, and keep the sign of a percentage on its line."""
    return (
        shown(value, longest=len(value)).replace(" %", "\N{NO-BREAK SPACE}%") if type(value) is str else value
    )


def _survival_pictures(summary: Summary) -> Iterator[_Picture]:
    """The headline's curve, and one with all endpoints, as far as the file has them."""
    there = keys_with_curve(summary)
    if HEADLINE.key in there:
        yield _survival_picture(summary, "headline", [HEADLINE.key])
    if any(key != HEADLINE.key for key in there):
        yield _survival_picture(summary, "endpoints", there)


def _survival_picture(summary: Summary, name: str, keys: Sequence[str]) -> _Picture:
    curves = drawn_curves(summary, keys)
    return _picture(name, [draw_survival(summary, curves, width) for width in (_WIDE, _NARROW)])


def _picture(name: str, drawings: Sequence[Drawing]) -> _Picture:
    wide, narrow = (
        Markup(as_svg(drawing, f"{name}-{width}"))
        for drawing, width in zip(drawings, ("wide", "narrow"), strict=True)
    )
    return _Picture(name, drawings[0].title, drawings[0].legend, wide, narrow)
