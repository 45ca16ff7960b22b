"""The report: one self-contained HTML page, from the same results and sections as the screens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from ahsct_trial.catalogue import HEADLINE
from ahsct_trial.escaping import shown
from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.figures.curves import drawn_curves, drawn_groups, keys_with_curve, n_patients
from ahsct_trial.rendering.figures.forest import draw_forest
from ahsct_trial.rendering.figures.incidence import draw_incidence, drawn_incidence
from ahsct_trial.rendering.figures.page import Drawing
from ahsct_trial.rendering.figures.saving import as_svg
from ahsct_trial.rendering.figures.survival import draw_survival
from ahsct_trial.rendering.figures.timeline import draw_timeline
from ahsct_trial.rendering.sections import one_line, public, source_name
from ahsct_trial.rendering.sections.check import verdict_sections
from ahsct_trial.rendering.sections.compare import (
    baseline_section,
    contrast_in_words,
    contrast_sections,
    counts_section,
    endpoints_in_file,
    event_free_section,
    first_events_sections,
    groups_section,
    headline_of,
    how_to_read,
)
from ahsct_trial.rendering.sections.methods import methods
from ahsct_trial.rendering.sections.report import (
    flow_steps,
    group_sentences,
    grouped_flow,
    headline_sentences,
)
from ahsct_trial.rendering.sections.summarize import (
    count_sections,
    definitions,
    patients_section,
    survival_sections,
)
from ahsct_trial.results import TOOL, Comparison, Endpoints, IncidenceCurves, Notice, Summary
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
    headline = getattr(summary.endpoints, HEADLINE.key)
    first, *other_survival = survival_sections(summary)
    title = f"{headline.label} at {in_years(headline.horizon_years)}"
    return _page(
        "report.html.j2",
        summary,
        summary.endpoints,
        check,
        timeline,
        title=title,
        heading=f"Results of {source_name(summary.source)}",
        n_patients=_patients(summary),
        headline_title=title,
        headline=headline_sentences(summary),
        flow=flow_steps(summary),
        patients=[patients_section(summary.cohort, is_full=True)],
        survival=first,
        other_survival=other_survival,
        survival_pictures=list(_survival_pictures(summary)),
        counts=count_sections(summary),
        forest=None
        if forest is None
        else _picture("forest", [draw_forest(forest, width) for width in (_WIDE, _NARROW)]),
    )


def write_comparison_report(
    comparison: Comparison,
    *,
    incidence: IncidenceCurves | None = None,
    check: Check | None = None,
    timeline: Timeline | None = None,
) -> str:
    """Write the results of groups side by side as an HTML page that needs nothing beside itself.

    Who is in each group and how they were followed stands before their results, and these before what
    separates them.

    Parameters
    ----------
    comparison
        The results.
    incidence
        The first events of each group by type; without it the page has no such picture.
    check, timeline
        As in `write_report`; the timeline by the same groups.
    """
    declared = headline_of(comparison)
    by = shown(comparison.by.column)
    at = in_years(comparison.protocol.horizon_years)
    title = f"Results by {by}" if declared is None else f"{declared.label} at {at} by {by}"
    keys = [endpoint.key for endpoint in endpoints_in_file(comparison)]
    pictures = [_groups_picture(comparison, key) for key in keys if _has_curve(comparison, key)]
    return _page(
        "comparison.html.j2",
        comparison,
        comparison.groups[0].endpoints,
        check,
        timeline,
        title=title,
        heading=f"Results of {source_name(comparison.source)} by {by}",
        n_patients=f"{_patients(comparison)} in {len(comparison.groups)} groups",
        flow=grouped_flow(comparison, declared),
        follow_up=groups_section(comparison),
        baseline=baseline_section(comparison),
        headline_title=title,
        headline=[] if declared is None else group_sentences(comparison, declared),
        contrast_sentences=[]
        if declared is None
        else [
            " ".join(contrast_in_words(comparison, contrast, declared.key))
            for contrast in comparison.contrasts
        ],
        survival=event_free_section(comparison),
        survival_pictures=pictures,
        incidence=None
        if incidence is None
        else _picture(
            "incidence",
            [draw_incidence(incidence, drawn_incidence(incidence), width) for width in (_WIDE, _NARROW)],
        ),
        first_events=first_events_sections(comparison),
        counts=counts_section(comparison),
        contrasts=contrast_sections(comparison),
        how_to_read=how_to_read(comparison),
    )


def _page(
    template: str,
    result: Summary | Comparison,
    endpoints: Endpoints,
    check: Check | None,
    timeline: Timeline | None,
    **values: Any,
) -> str:
    """Fill a template with what it has of its own, and with what stands on every page."""
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["one_line"] = one_line
    notices = result.notices if timeline is not None else public(result.notices)
    return environment.get_template(template).render(
        file=source_name(result.source),
        provenance=result.source.provenance or "",
        look_first=_texts(notices, "look first"),
        notes=_texts(notices, "note"),
        timeline=None
        if timeline is None
        else _picture("timeline", [draw_timeline(timeline, width) for width in (_WIDE, _NARROW)]),
        verdicts=[] if check is None else verdict_sections(check),
        methods=methods(result, check),
        definitions=list(definitions(result.protocol, endpoints)),
        files=[
            (shown(each.file, longest=255), fmt.count(each.n_rows), each.sha256)
            for each in result.source.files
        ],
        protocol=shown(result.protocol.name, longest=200),
        tool=TOOL,
        **values,
    )


def _template(name: str) -> str:
    folder = files("ahsct_trial.rendering").joinpath("templates")
    return folder.joinpath(name).read_text(encoding="utf-8")


def _patients(result: Summary | Comparison) -> str:
    n = n_patients(result)
    return f"{n:,} {plural('patient', n)}"


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


def _has_curve(comparison: Comparison, key: str) -> bool:
    return any(len(getattr(group.endpoints, key).curve) for group in comparison.groups)


def _groups_picture(comparison: Comparison, key: str) -> _Picture:
    curves = drawn_groups(comparison, key)
    return _picture(
        f"by-{key.replace('_', '-')}",
        [draw_survival(comparison, curves, width) for width in (_WIDE, _NARROW)],
    )
