"""Commands that draw: plot and report."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ahsct_trial.catalogue import HEADLINE
from ahsct_trial.cli.application import DIFFERS, PICTURES, Outcome, app, plot
from ahsct_trial.cli.options import (
    ENDPOINT_KEYS,
    Choices,
    Data,
    Disclosure,
    EndpointOption,
    ReferenceOption,
    StrataOption,
    as_text,
    grouped,
    refuse_without_groups,
    with_default,
)
from ahsct_trial.cli.published import ArmOption, cohort_arms
from ahsct_trial.cli.reading import read, refuse_pooling, stop_if_strict
from ahsct_trial.cli.writing import write_figure
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown, visible
from ahsct_trial.output import refuse_output, write
from ahsct_trial.rendering.progress import progress

if TYPE_CHECKING:
    from ahsct_trial.checking import Check
    from ahsct_trial.protocol import Protocol
    from ahsct_trial.rendering.figures import FigureFile
    from ahsct_trial.rendering.figures.style import Style
    from ahsct_trial.results import Comparison, Summary
    from ahsct_trial.suppression import Suppression
    from ahsct_trial.timelines import Timeline
    from ahsct_trial.trial import Trial


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a figure looks."""

    panel: ClassVar = "Look"

    width: Annotated[
        float | None,
        typer.Option(
            "--width", metavar="MM", help=with_default("Width of the figure in millimetres.", "180")
        ),
    ] = None
    title: Annotated[
        str | None, typer.Option("--title", metavar="WORDS", help="A title above the picture.")
    ] = None
    caption: Annotated[
        bool, typer.Option("--caption", help="The caption in the picture, not on the screen.")
    ] = False

    def style(self) -> Style:
        """What a drawing is asked for.

        Raises
        ------
        UsageError
            If there is no such palette, or the number is negative.
        """
        from ahsct_trial.rendering.figures.style import Style

        title = None if self.title is None else visible(as_text("--title", self.title))
        return Style(title=title, has_caption=self.caption, **self._more())

    def _more(self) -> dict[str, Any]:
        """What some figures alone are asked for."""
        return {}


@dataclass(frozen=True, kw_only=True)
class ColouredLook(Look):
    """How a figure in colours looks."""

    palette: Annotated[
        str, typer.Option("--palette", metavar="NAME", help="Colours: okabe-ito, tol-bright or grey.")
    ] = "okabe-ito"

    def _more(self) -> dict[str, Any]:
        return {"palette": self.palette}


@dataclass(frozen=True, kw_only=True)
class CurveLook(ColouredLook):
    """How curves over time look."""

    fade: Annotated[
        int,
        typer.Option("--fade", metavar="N", help="What rests on fewer patients than this is drawn pale."),
    ] = 5

    def _more(self) -> dict[str, Any]:
        return {**super()._more(), "fade_below": self.fade}


@dataclass(frozen=True, kw_only=True)
class PerhapsData(Data):
    """A cohort beside what is drawn without one, and how it is read."""

    cohort: Annotated[
        str | None,
        typer.Argument(metavar="[COHORT]", help="A cohort to set beside them.", show_default=False),
    ] = None  # type: ignore[assignment]  # the one command that needs no file


ForceOption = Annotated[bool, typer.Option("--force", help="Replace the output file if it exists.")]
_FIGURE_FILE = "The figure's file: .svg, .pdf or .png."


def need_extra(package: str) -> None:
    """Say how to install what pictures and pages need, where it is not there.

    Raises
    ------
    UsageError
        If the package is not installed.
    """
    if find_spec(package) is None:
        raise UsageError(
            f"This needs {package}. Install it with: pip install 'ahsct-trial[report]', or from a copy of "
            "the repository: pip install '.[report]'"
        )


def _figure_file(
    data: Data, choices: Choices, output: Path, width_mm: float | None, *, force: bool
) -> FigureFile:
    """Where a figure goes; what cannot be drawn or written there is refused before anything is read."""
    refuse_output(output, [*filter(None, (data.cohort, data.map)), *choices.files], force=force)
    need_extra("matplotlib")
    from ahsct_trial.rendering.figures import figure_file

    return figure_file(output, width_mm)


@plot.command("survival")
@grouped
def plot_survival(
    data: Data,
    choices: Choices,
    disclosure: Disclosure,
    look: CurveLook,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help=f"{_FIGURE_FILE} Without it the screen.")
    ] = None,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(
            "--endpoint",
            metavar="KEY",
            help=with_default(f"{ENDPOINT_KEYS}; repeat it for more curves.", HEADLINE.key),
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="COLUMN", help="A curve for each level of this attribute, of one endpoint."
        ),
    ] = None,
    reference: ReferenceOption = None,
    force: ForceOption = False,
) -> Outcome:
    """Draw survival curves with their intervals and the numbers at risk, to a file or on the screen.

    For example:
      ahsct plot survival cohort.csv
      ahsct plot survival trial.csv --by arm -o figure.svg
    """
    from ahsct_trial.rendering.figures.curves import drawn_curves, drawn_groups, known_endpoints

    keys = known_endpoints(endpoint or [HEADLINE.key])
    if by is not None and len(keys) > 1:
        raise UsageError("--by draws one endpoint. Name one with --endpoint.")
    refuse_without_groups(by, reference=reference)
    style = look.style()
    figure = None if output is None else _figure_file(data, choices, output, look.width, force=force)
    if figure is None and look != CurveLook():
        raise UsageError(
            "--width, --title, --caption, --palette and --fade are for a figure's file, which -o FILE names."
        )
    protocol, suppression = choices.chosen(), disclosure.suppression()
    result: Summary | Comparison
    with progress() as step:
        trial = read(data, protocol, step, disclosure)
        refuse_pooling(trial, data, by)
        if by is None:
            from ahsct_trial.endpoints import summarize

            result = summarize(trial, protocol)
            result = suppression.of(result)
            curves = drawn_curves(result, keys)
        else:
            from ahsct_trial.endpoints.groups import compare

            result = suppression.of(compare(trial, by, protocol, reference=reference))
            stop_if_strict(data, result.source, result.notices)
            curves = drawn_groups(result, keys[0])
    if figure is None:
        from ahsct_trial.rendering.figures.terminal import draw_text

        write(draw_text(result, curves, get_terminal_size().columns), None)
        return Outcome(result=result)
    from ahsct_trial.rendering.figures.survival import draw_survival

    write_figure(
        draw_survival(result, curves, figure.width_mm, style), figure, force=force, is_captioned=look.caption
    )
    return Outcome(result=result)


@plot.command("incidence")
@grouped
def plot_incidence(
    data: Data,
    choices: Choices,
    disclosure: Disclosure,
    look: CurveLook,
    output: Annotated[Path, typer.Option("--output", "-o", help=_FIGURE_FILE)],
    endpoint: EndpointOption = HEADLINE.key,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="COLUMN", help="A panel for each level of this attribute."),
    ] = None,
    force: ForceOption = False,
) -> Outcome:
    """Draw the cumulative incidence of each type of first event, stacked, with the numbers at risk.

    For example:
      ahsct plot incidence cohort.csv -o figure.svg
      ahsct plot incidence trial.csv --by arm -o figure.pdf
    """
    from ahsct_trial.rendering.figures.curves import known_endpoints

    [key] = known_endpoints([endpoint])
    style = look.style()
    figure = _figure_file(data, choices, output, look.width, force=force)
    protocol = choices.chosen()
    with progress() as step:
        trial = read(data, protocol, step, disclosure)
        refuse_pooling(trial, data, by)
        from ahsct_trial.endpoints.incidence import incidence_curves

        result = incidence_curves(trial, protocol, key, by)
    result = disclosure.suppression().of(result)
    from ahsct_trial.rendering.figures.incidence import draw_incidence, drawn_incidence

    drawing = draw_incidence(result, drawn_incidence(result), figure.width_mm, style)
    write_figure(drawing, figure, force=force, is_captioned=look.caption)
    return Outcome(result=result)


@plot.command("forest")
@grouped
def plot_forest(
    data: PerhapsData,
    choices: Choices,
    disclosure: Disclosure,
    look: ColouredLook,
    output: Annotated[Path, typer.Option("--output", "-o", help=_FIGURE_FILE)],
    endpoint: EndpointOption = HEADLINE.key,
    force: ForceOption = False,
) -> Outcome:
    """Draw the published event-free figures of an endpoint, a row each, and a cohort's own beside them.

    For example:
      ahsct plot forest -o figure.svg
      ahsct plot forest cohort.csv --endpoint relapse_free_survival -o figure.pdf
    """
    from ahsct_trial.rendering.figures.curves import known_endpoints

    [key] = known_endpoints([endpoint])
    if choices.horizon_years is not None:
        raise UsageError(
            "--horizon is not for a forest: the cohort's figure stands at each published horizon."
        )
    if data.cohort is None and (data != PerhapsData() or choices != Choices() or disclosure != Disclosure()):
        raise UsageError("Options that choose, read or hide patients need a cohort. Name its file.")
    style = look.style()
    figure = _figure_file(data, choices, output, look.width, force=force)
    protocol = choices.chosen()
    with progress() as step:
        trial = None
        if data.cohort is not None:
            trial = read(data, protocol, step, disclosure)
            refuse_pooling(trial, data)
        from ahsct_trial.forest import forest
        from ahsct_trial.published import publications

        result = forest(publications().values(), key, trial, protocol, disclosure.suppression())
    from ahsct_trial.rendering.figures.forest import draw_forest

    drawing = draw_forest(result, figure.width_mm, style)
    write_figure(drawing, figure, force=force, is_captioned=look.caption)
    return Outcome(result=result)


@plot.command("timeline")
@grouped
def plot_timeline(
    data: Data,
    choices: Choices,
    look: Look,
    output: Annotated[Path, typer.Option("--output", "-o", help=_FIGURE_FILE)],
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="COLUMN", help="Patients by level of this attribute, each level headed."
        ),
    ] = None,
    force: ForceOption = False,
) -> Outcome:
    """Draw each patient's course around time zero: relapses, scans, worsening, improvement, death.

    For example:
      ahsct plot timeline records.csv -o figure.pdf
      ahsct plot timeline trial.csv --by arm -o figure.svg
    """
    style = look.style()
    figure = _figure_file(data, choices, output, look.width, force=force)
    protocol = choices.chosen()
    with progress() as step:
        trial = read(data, protocol, step)
        from ahsct_trial.timelines import timeline

        result = timeline(trial, protocol, by)
    from ahsct_trial.rendering.figures.timeline import draw_timeline

    drawing = draw_timeline(result, figure.width_mm, style)
    write_figure(drawing, figure, force=force, is_captioned=look.caption)
    return Outcome(result=result)


@app.command(rich_help_panel=PICTURES)
@grouped
def report(
    data: Data,
    choices: Choices,
    disclosure: Disclosure,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page's file: .html.")],
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="ID|FILE", help="A publication to compare the cohort with as well."
        ),
    ] = None,
    arm: ArmOption = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="COLUMN", help="The groups side by side, as compare gives them."),
    ] = None,
    reference: ReferenceOption = None,
    strata: StrataOption = None,
    with_patients: Annotated[
        bool, typer.Option("--with-patients", help="Show each patient's course, with identifiers.")
    ] = False,
    force: ForceOption = False,
) -> Outcome:
    """Write one HTML page with all results, figures, definitions and methods (exit 4 as with check).

    For example:
      ahsct report cohort.csv -o report.html
      ahsct report trial.csv --by arm --reference control -o report.html
    """
    refuse_without_groups(by, reference=reference, strata=strata)
    file = against if against is not None and against.endswith(".toml") else None
    refuse_output(output, [*filter(None, (data.cohort, data.map, file)), *choices.files], force=force)
    if output.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(f"{shown(output.name)}: the name of a report must end in .html.")
    need_extra("jinja2")
    need_extra("matplotlib")
    from ahsct_trial.published import find_publication

    if with_patients and disclosure.suppress_below is not None:
        raise UsageError(
            "--with-patients and --suppress-below contradict each other: a patient is a count of 1."
        )
    arms = cohort_arms(arm)
    if arms and against is None:
        raise UsageError("--arm goes with a publication. Name it with --against, or leave --arm out.")
    publication = None if against is None else find_publication(against).with_arms(arms)
    protocol = choices.chosen()
    with progress() as step:
        trial = read(data, protocol, step, disclosure)
        refuse_pooling(trial, data, by)
        if publication is not None and not publication.arms:
            refuse_pooling(trial, data)
        suppression = disclosure.suppression()
        result: Summary | Comparison
        if by is None:
            from ahsct_trial.endpoints import summarize

            result = suppression.of(summarize(trial, protocol))
        else:
            from ahsct_trial.endpoints.groups import compare

            result = suppression.of(compare(trial, by, protocol, reference=reference, strata=strata))
            stop_if_strict(data, result.source, result.notices)
        checked = courses = None
        if publication is not None:
            from ahsct_trial.checking import check

            checked = check(trial, publication, choices.overrides(), suppression)
        if with_patients:
            from ahsct_trial.timelines import timeline

            try:
                courses = timeline(trial, protocol, by)
            except UsageError as error:
                raise UsageError(f"{error} Or leave out --with-patients.") from None
        step("Drawing")
        page = _page(result, trial, protocol, checked, courses, suppression)
    write(page, output, force=force)
    is_different = checked is not None and bool(checked.n_differs)
    return Outcome(result=result, exit_code=DIFFERS if is_different else 0)


def _page(
    result: Summary | Comparison,
    trial: Trial,
    protocol: Protocol,
    check: Check | None,
    courses: Timeline | None,
    suppression: Suppression,
) -> str:
    """The page of one group with the published figures beside it, or of groups side by side."""
    from ahsct_trial.rendering.report import write_comparison_report, write_report
    from ahsct_trial.results import Summary

    if isinstance(result, Summary):
        from ahsct_trial.forest import forest
        from ahsct_trial.published import publications

        beside = forest(publications().values(), trial=trial, protocol=protocol, suppression=suppression)
        return write_report(result, check=check, timeline=courses, forest=beside)
    from ahsct_trial.endpoints.incidence import incidence_curves
    from ahsct_trial.rendering.sections.compare import headline_of

    declared = headline_of(result)
    incidence = None
    if declared is not None:
        incidence = suppression.of(incidence_curves(trial, protocol, declared.key, result.by.column))
    return write_comparison_report(result, incidence=incidence, check=check, timeline=courses)
