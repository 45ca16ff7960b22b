"""The report: one self-contained HTML page, from the same results and sections as the screens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ahsct_trial.escaping import shown
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.figures.curves import (
    DrawnCurve,
    death_rule_of_several,
    drawn_curves,
    keys_with_curve,
    notes,
)
from ahsct_trial.rendering.figures.page import Drawing
from ahsct_trial.rendering.figures.saving import as_svg
from ahsct_trial.rendering.figures.survival import draw_survival
from ahsct_trial.rendering.figures.timeline import draw_timeline
from ahsct_trial.rendering.sections import one_line
from ahsct_trial.rendering.sections.check import verdict_sections
from ahsct_trial.rendering.sections.report import (
    flow_section,
    flow_steps,
    headline_sentences,
    methods,
    public_warnings,
)
from ahsct_trial.rendering.sections.summarize import (
    count_sections,
    definitions,
    patients_section,
    survival_sections,
)
from ahsct_trial.results import HEADLINE, TOOL, Summary
from ahsct_trial.wording import in_years, plural

if TYPE_CHECKING:
    from ahsct_trial.checking import Check
    from ahsct_trial.timelines import Timeline

#: Width of a figure on a page and on a phone [mm]; the style sheet shows one of the two. Several curves need
#: more than a phone has, and scroll.
_WIDE, _NARROW, _NARROW_WITH_LABELS = 180.0, 80.0, 125.0


@dataclass(frozen=True)
class _Picture:
    """A figure in both widths, as SVG elements."""

    name: str
    title: str
    wide: Markup
    narrow: Markup
    sentences: str = ""


def write_report(summary: Summary, *, check: Check | None = None, timeline: Timeline | None = None) -> str:
    """Write a cohort's results as an HTML page that needs nothing beside itself.

    Parameters
    ----------
    summary
        The results.
    check
        The cohort held against a publication; without it the page has no such part.
    timeline
        The course of each patient; without it the page names no patient.

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
    headline = summary.endpoints.activity_free_survival
    n = summary.cohort.n_patients
    return environment.from_string(source).render(
        file=shown(summary.source.file),
        n_patients=f"{n:,} {plural('patient', n)}",
        headline_title=f"{headline.label} at {in_years(headline.horizon_years)}",
        headline=headline_sentences(summary),
        warnings=public_warnings(summary.warnings, with_patients=timeline is not None),
        flow=flow_steps(summary),
        patients=[flow_section(summary), patients_section(summary.cohort)],
        survival=survival_sections(summary),
        survival_pictures=list(_survival_pictures(summary)),
        counts=count_sections(summary),
        timeline=None
        if timeline is None
        else _picture("timeline", [draw_timeline(timeline, _WIDE), draw_timeline(timeline, _NARROW)]),
        verdicts=[] if check is None else verdict_sections(check),
        methods=methods(summary, check),
        definitions=list(definitions(summary)),
        source=summary.source,
        protocol=shown(summary.protocol.name),
        n_rows=fmt.count(summary.source.n_rows),
        tool=TOOL,
    )


def _visible(value: object) -> object:
    """Show what a browser would obey or hide in a text, and keep the sign of a percentage on its line."""
    return (
        shown(value, longest=len(value)).replace(" %", "\N{NO-BREAK SPACE}%") if type(value) is str else value
    )


def _survival_pictures(summary: Summary) -> Iterator[_Picture]:
    """The headline's curve, and one with all endpoints, as far as the file has them."""
    there = keys_with_curve(summary)
    curves = drawn_curves(summary, there)
    if HEADLINE in there:
        yield _picture("headline", [draw_survival(summary, curves[:1], width) for width in (_WIDE, _NARROW)])
    others = curves[1:] if HEADLINE in there else curves
    if others:
        yield _picture(
            "endpoints",
            [draw_survival(summary, curves, width) for width in (_WIDE, _NARROW_WITH_LABELS)],
            _sentences(summary, curves),
        )


def _sentences(summary: Summary, curves: Sequence[DrawnCurve]) -> str:
    """What stands beside the curves, and off the screen of a phone."""
    estimates = "; ".join(f"{curve.name}: {curve.estimate_in_words}" for curve in curves)
    death = death_rule_of_several(summary.protocol)
    horizon = in_years(curves[0].endpoint.horizon_years)
    return " ".join([f"At {horizon}: {estimates}.", death, *notes(curves)])


def _picture(name: str, drawings: Sequence[Drawing], sentences: str = "") -> _Picture:
    wide, narrow = (
        Markup(as_svg(drawing, f"{name}-{width}"))
        for drawing, width in zip(drawings, ("wide", "narrow"), strict=True)
    )
    return _Picture(name, drawings[0].title, wide, narrow, sentences)
