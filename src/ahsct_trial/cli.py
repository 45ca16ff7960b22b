"""The command line: options, exit codes, and one call per command.

Nothing heavy is imported before a command runs, so that `ahsct --help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from importlib.util import find_spec
from inspect import Parameter, Signature, signature
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ahsct_trial import __version__
from ahsct_trial.errors import AhsctError, UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.output import refuse_output, say, write, write_file
from ahsct_trial.protocol import BUILT_IN, Protocol, Settings, find_protocol, with_settings
from ahsct_trial.rendering.progress import progress

if TYPE_CHECKING:
    from ahsct_trial.cohort import Cohort
    from ahsct_trial.records import Records
    from ahsct_trial.rendering.figures import FigureFile
    from ahsct_trial.rendering.figures.page import Drawing
    from ahsct_trial.rendering.sections import Section
    from ahsct_trial.results import Summary

app = typer.Typer(
    name="ahsct",
    help="Turn the CSV of an autologous stem-cell-transplant trial in multiple sclerosis into its results.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
plot = typer.Typer(
    help="Draw a figure: survival curves, or each patient's course around transplant.", no_args_is_help=True
)
app.add_typer(plot, name="plot")


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


_DEFAULT_PUBLICATION = "atkins2016-summary"
_ALL_PUBLICATIONS = "all"

#: Options that set the protocol, by the setting they change.
_PROTOCOL_OPTIONS: dict[str, Any] = {
    "protocol": Annotated[
        str | None,
        typer.Option("--protocol", metavar="NAME|FILE", help=f"{', '.join(BUILT_IN)}, or a TOML file."),
    ],
    "horizon_years": Annotated[
        float | None, typer.Option("--horizon", metavar="YEARS", help="Landmark of the headline figures.")
    ],
    "death": Annotated[
        str | None, typer.Option("--death", metavar="event|censor", help="Whether a death is an event.")
    ],
    "ci_method": Annotated[
        str | None,
        typer.Option("--ci", metavar="METHOD", help="log-log, log, plain, logit or arcsin interval."),
    ],
    "confidence_level": Annotated[
        float | None, typer.Option("--level", metavar="LEVEL", help="Confidence level, e.g. 0.95.")
    ],
    "worsening_confirm_weeks": Annotated[
        float | None,
        typer.Option("--confirm-weeks", metavar="WEEKS", help="Worsening must hold this long (raw records)."),
    ],
    "new_lesion": Annotated[
        str | None,
        typer.Option(
            "--new-lesion", metavar="gd|t2|either", help="Which lesions are an event (raw records)."
        ),
    ],
}

CohortArgument = Annotated[
    str, typer.Argument(metavar="COHORT", help="CSV file, plain or gzipped; - for standard input.")
]
EncodingOption = Annotated[
    str | None, typer.Option("--encoding", help="Encoding of the file where it is not UTF-8, e.g. cp1252.")
]
DateFormatOption = Annotated[
    str | None,
    typer.Option("--date-format", metavar="FORM", help="Form of dates in raw records, e.g. %d.%m.%Y."),
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to this file instead of the screen.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the output file if it exists.")]
WidthOption = Annotated[
    float | None, typer.Option("--width", metavar="MM", help="Width of the figure in millimetres.")
]
ArmOption = Annotated[
    list[str] | None,
    typer.Option("--arm", metavar="THEIRS=OWN", help="What the file calls an arm of the publication."),
]
_FIGURE_FILE = "The figure's file: .svg, .pdf or .png."
JsonOption = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
FormatOption = Annotated[Format | None, typer.Option("--format", help="How to write the results.")]


def _sets_protocol(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that set the protocol; as `settings` it gets what they come to."""

    @wraps(command)
    def run(**arguments: Any) -> None:
        chosen = {name: arguments.pop(name) for name in _PROTOCOL_OPTIONS}
        name_or_file = chosen.pop("protocol")
        if name_or_file:
            refuse_output(arguments["output"], [name_or_file], force=arguments["force"])

        def settings(default: Protocol) -> Protocol:
            base = find_protocol(name_or_file) if name_or_file else default
            # An option on the command line wins.
            return with_settings(base, {name: value for name, value in chosen.items() if value is not None})

        command(**arguments, settings=settings)

    own = signature(command, eval_str=True).parameters.values()
    options = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _PROTOCOL_OPTIONS.items()
    ]
    run.__signature__ = Signature([*(each for each in own if each.name != "settings"), *options])  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in run.__signature__.parameters.values()}  # type: ignore[attr-defined]
    return run


def _format(chosen: Format | None, *, is_json: bool) -> Format:
    if is_json and chosen not in {None, Format.JSON}:
        raise UsageError(f"--json and --format {chosen} contradict each other. Give one of them.")
    return Format.JSON if is_json else chosen or Format.TABLE


def _figure_file(path: str, output: Path, width_mm: float | None, *, force: bool) -> FigureFile:
    """Where a figure goes; what cannot be drawn or written there is refused before anything is read."""
    refuse_output(output, [path], force=force)
    _need_extra("matplotlib")
    from ahsct_trial.rendering.figures import figure_file

    return figure_file(output, width_mm)


def _need_extra(package: str) -> None:
    if find_spec(package) is None:
        raise UsageError(f"This needs {package}. Install it with: pip install 'ahsct-trial[report]'")


def _read(
    path: str, encoding: str | None, date_format: str | None, step: Callable[[str], None]
) -> Cohort | Records:
    step(f"Reading {shown(path)}")
    from ahsct_trial.loading import read_cohort

    data = read_cohort(path, encoding=encoding, date_format=date_format)
    step("Computing")
    return data


def _is_version_asked(is_asked: bool) -> None:
    if is_asked:
        write(f"ahsct {__version__}\n", None)
        raise typer.Exit


@app.callback()
def _all_commands(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_is_version_asked),
    ] = False,
) -> None:
    pass


@app.command()
@_sets_protocol
def summarize(
    settings: Settings,
    cohort: CohortArgument,
    format: FormatOption = None,
    json: JsonOption = False,
    output: OutputOption = None,
    force: ForceOption = False,
    encoding: EncodingOption = None,
    date_format: DateFormatOption = None,
) -> None:
    """Show all results: who was treated, event-free survival, relapses, lesions, disability, deaths."""
    refuse_output(output, [cohort], force=force)
    form = _format(format, is_json=json)
    chosen = settings(BUILT_IN["default"])
    with progress() as step:
        data = _read(cohort, encoding, date_format, step)
        from ahsct_trial.endpoints import summarize as summarize_cohort

        result = summarize_cohort(data, chosen)
    if form is Format.CSV:
        from ahsct_trial.rendering.documents import write_csv

        write(write_csv(result), output, force=force)
        return

    def sections(result: Summary) -> list[Section]:
        from ahsct_trial.rendering.sections.summarize import summary_sections

        return summary_sections(result)

    _write_result(result, sections, form, output, force=force)


@app.command()
@_sets_protocol
def check(
    settings: Settings,
    cohort: CohortArgument,
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="ID|FILE|all",
            help="A publication (see `ahsct published`), a TOML file, or all publications in one table.",
        ),
    ] = _DEFAULT_PUBLICATION,
    arm: ArmOption = None,
    json: JsonOption = False,
    output: OutputOption = None,
    force: ForceOption = False,
    encoding: EncodingOption = None,
    date_format: DateFormatOption = None,
) -> None:
    """Hold the cohort against published figures: reproduced, compatible, or differs (exit 4)."""
    refuse_output(output, [cohort, against], force=force)
    from ahsct_trial.published import find_publication, publications

    is_comparison = against == _ALL_PUBLICATIONS
    own_arms = _own_arms(arm or [])
    if is_comparison and own_arms:
        raise UsageError("--arm goes with one publication. Name it with --against, or leave --arm out.")
    published = None if is_comparison else find_publication(against).with_arms(own_arms)
    # A wrong setting is an error before the file is read.
    settings(published.own_protocol() if published else BUILT_IN["default"])
    form = _format(None, is_json=json)
    with progress() as step:
        data = _read(cohort, encoding, date_format, step)
        if published is None:
            from ahsct_trial.comparing import compare

            comparison = compare(data, publications().values(), settings)
        else:
            from ahsct_trial.checking import check as check_cohort

            result = check_cohort(data, published, settings)
    if published is None:
        from ahsct_trial.rendering.sections.compare import comparison_sections

        _write_result(comparison, comparison_sections, form, output, force=force)
        return
    from ahsct_trial.rendering.sections.check import check_sections

    _write_result(result, check_sections, form, output, force=force)
    if result.n_differs:
        raise typer.Exit(4)


def _own_arms(pairs: list[str]) -> dict[str, str]:
    """A cohort's arms by the publication's, from ``THEIRS=OWN``."""
    arms = {}
    for pair in pairs:
        theirs, equals, own = pair.partition("=")
        if not (theirs and equals and own):
            raise UsageError(f"--arm is {shown(pair)!r}; write THEIRS=OWN, as in --arm transplant=HSCT.")
        arms[theirs] = own
    return arms


@app.command()
def published(
    publication: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]", help="One publication, or a TOML file of one's own.", show_default=False
        ),
    ] = None,
    json: JsonOption = False,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Show the publications known here, or one of them: its figures, their sources, what is uncertain."""
    from ahsct_trial.published import entry, library
    from ahsct_trial.rendering.sections.published import entry_sections, library_sections

    form = _format(None, is_json=json)
    if publication is None:
        _write_result(library(), library_sections, form, output, force=force)
    else:
        refuse_output(output, [publication], force=force)
        _write_result(entry(publication), entry_sections, form, output, force=force)


@app.command()
@_sets_protocol
def trace(
    settings: Settings,
    cohort: CohortArgument,
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="Identifier of the patient.")],
    json: JsonOption = False,
    output: OutputOption = None,
    force: ForceOption = False,
    encoding: EncodingOption = None,
    date_format: DateFormatOption = None,
) -> None:
    """Show one patient's course, and the line of the file that decided each endpoint."""
    refuse_output(output, [cohort], force=force)
    chosen = settings(BUILT_IN["default"])
    with progress() as step:
        data = _read(cohort, encoding, date_format, step)
        from ahsct_trial.tracing import trace as trace_patient

        result = trace_patient(data, patient, chosen)
    from ahsct_trial.rendering.sections.trace import trace_sections

    _write_result(result, trace_sections, _format(None, is_json=json), output, force=force)


@plot.command("survival")
@_sets_protocol
def plot_survival(
    settings: Settings,
    cohort: CohortArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help=f"{_FIGURE_FILE} Without it the screen.")
    ] = None,
    endpoint: Annotated[
        list[str] | None,
        typer.Option("--endpoint", metavar="KEY", help="Endpoint by its key; again for another curve."),
    ] = None,
    width: WidthOption = None,
    force: ForceOption = False,
    encoding: EncodingOption = None,
    date_format: DateFormatOption = None,
) -> None:
    """Draw survival curves with their intervals and the numbers at risk, to a file or on the screen."""
    from ahsct_trial.rendering.figures.curves import drawn_curves, known_endpoints
    from ahsct_trial.results import HEADLINE

    keys = known_endpoints(endpoint or [HEADLINE])
    figure = None if output is None else _figure_file(cohort, output, width, force=force)
    if figure is None and width is not None:
        raise UsageError("--width is that of a figure's file, which -o FILE names; a screen has its own.")
    chosen = settings(BUILT_IN["default"])
    with progress() as step:
        data = _read(cohort, encoding, date_format, step)
        from ahsct_trial.endpoints import summarize as summarize_cohort

        result = summarize_cohort(data, chosen)
        curves = drawn_curves(result, keys)
    if figure is None:
        from ahsct_trial.rendering.figures.text import draw_text

        write(draw_text(result, curves, get_terminal_size().columns), None)
        return
    from ahsct_trial.rendering.figures.survival import draw_survival

    _write_figure(draw_survival(result, curves, figure.width_mm), figure, force=force)


@plot.command("timeline")
@_sets_protocol
def plot_timeline(
    settings: Settings,
    cohort: CohortArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help=_FIGURE_FILE)],
    width: WidthOption = None,
    force: ForceOption = False,
    encoding: EncodingOption = None,
    date_format: DateFormatOption = None,
) -> None:
    """Draw each patient's course around transplant: relapses, scans, worsening, improvement, death."""
    figure = _figure_file(cohort, output, width, force=force)
    chosen = settings(BUILT_IN["default"])
    with progress() as step:
        data = _read(cohort, encoding, date_format, step)
        from ahsct_trial.timeline import timeline

        result = timeline(data, chosen)
    from ahsct_trial.rendering.figures.timeline import draw_timeline

    _write_figure(draw_timeline(result, figure.width_mm), figure, force=force)


@app.command()
@_sets_protocol
def report(
    settings: Settings,
    cohort: CohortArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page's file: .html.")],
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="ID|FILE", help="A publication to hold the cohort against as well."
        ),
    ] = None,
    arm: ArmOption = None,
    with_patients: Annotated[
        bool, typer.Option("--with-patients", help="Show each patient's course, with identifiers.")
    ] = False,
    force: ForceOption = False,
    encoding: EncodingOption = None,
    date_format: DateFormatOption = None,
) -> None:
    """Write one HTML page with all results, figures, definitions and methods (exit 4 as by check)."""
    refuse_output(output, [cohort, against or ""], force=force)
    if output.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(f"{shown(output.name)} does not end like a page. Name it .html.")
    _need_extra("jinja2")
    _need_extra("matplotlib")
    from ahsct_trial.published import find_publication

    own_arms = _own_arms(arm or [])
    if own_arms and against is None:
        raise UsageError("--arm goes with a publication. Name it with --against, or leave --arm out.")
    published = None if against is None else find_publication(against).with_arms(own_arms)
    chosen = settings(BUILT_IN["default"])
    with progress() as step:
        data = _read(cohort, encoding, date_format, step)
        from ahsct_trial.endpoints import summarize as summarize_cohort

        result = summarize_cohort(data, chosen)
        checked = courses = None
        if published is not None:
            from ahsct_trial.checking import check as check_cohort

            checked = check_cohort(data, published, settings)
        if with_patients:
            from ahsct_trial.timeline import timeline

            try:
                courses = timeline(data, chosen)
            except UsageError as error:
                raise UsageError(f"{error} Or leave out --with-patients.") from None
        from ahsct_trial.rendering.report import write_report

        step("Drawing")
        page = write_report(result, check=checked, timeline=courses)
    write(page, output, force=force)
    if checked is not None and checked.n_differs:
        raise typer.Exit(4)


@app.command()
@_sets_protocol
def sensitivity(
    settings: Settings,
    cohort: CohortArgument,
    endpoint: Annotated[
        str, typer.Option("--endpoint", metavar="KEY", help="The survival endpoint, as the JSON names it.")
    ] = "activity_free_survival",
    format: FormatOption = None,
    json: JsonOption = False,
    output: OutputOption = None,
    force: ForceOption = False,
    encoding: EncodingOption = None,
    date_format: DateFormatOption = None,
) -> None:
    """Show an endpoint under every death rule, lesion rule, confirmation length and interval method."""
    refuse_output(output, [cohort], force=force)
    form = _format(format, is_json=json)
    chosen = settings(BUILT_IN["default"])
    from ahsct_trial.sensitivity import find_endpoint, sensitivity_of

    find_endpoint(endpoint)  # before a large file is read for nothing
    with progress() as step:
        result = sensitivity_of(_read(cohort, encoding, date_format, step), chosen, endpoint)
    if form is Format.CSV:
        from ahsct_trial.rendering.documents import write_sensitivity_csv

        write(write_sensitivity_csv(result), output, force=force)
        return
    from ahsct_trial.rendering.sections.sensitivity import sensitivity_sections

    _write_result(result, sensitivity_sections, form, output, force=force)


@app.command()
def reconcile(
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="The percentage as printed, e.g. 69.6, or a count, 23/24.")
    ],
    ci: Annotated[
        str | None, typer.Option("--ci", metavar="LOW:HIGH", help="Its interval as printed, e.g. 46.6:84.2.")
    ] = None,
    n: Annotated[
        str | None,
        typer.Option("--n", metavar="A:B", help="Numbers of patients to search; 1:5000 if left out."),
    ] = None,
    level: Annotated[float, typer.Option("--level", help="Confidence level of the interval.")] = 0.95,
    rate: Annotated[
        str | None,
        typer.Option(
            "--rate", metavar="EVENTS/TIME", help="VALUE is the rate of these counts, e.g. 167/140."
        ),
    ] = None,
    json: JsonOption = False,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Find the counts and methods that give a published percentage or rate; exit 4 if nothing does."""
    if rate is not None and n is not None:
        raise UsageError("--n and --rate contradict each other: the counts of a rate are given.")
    from ahsct_trial import reconciling
    from ahsct_trial.reconciling import arguments
    from ahsct_trial.rendering.sections.reconcile import rate_sections, reconcile_sections

    result: Any
    sections: Callable[[Any], list[Section]]
    with progress() as step:
        step("Searching")
        limits = None if ci is None else arguments.split_limits(ci)
        if rate is not None:
            counts = arguments.split_counts(rate)
            result = reconciling.reconcile_rate(value, counts, limits, level)
            sections = rate_sections
        else:
            numbers = None if n is None else arguments.split_range(n)
            result = reconciling.reconcile(value, limits, numbers, level)
            sections = reconcile_sections
    _write_result(result, sections, _format(None, is_json=json), output, force=force)
    if not result.is_explained:
        raise typer.Exit(4)


@app.command()
def validate(
    cohort: CohortArgument,
    json: JsonOption = False,
    output: OutputOption = None,
    force: ForceOption = False,
    encoding: EncodingOption = None,
    date_format: DateFormatOption = None,
) -> None:
    """Only read the file: its problems, warnings and the account of its rows."""
    refuse_output(output, [cohort], force=force)
    from ahsct_trial.loading.problems import DataProblems
    from ahsct_trial.results import SCHEMA_VERSION, TOOL, Validation

    try:
        with progress() as step:
            read = _read(cohort, encoding, date_format, step)
    except DataProblems as problems:
        if json:
            from ahsct_trial.rendering.documents import write_json

            write(write_json(problems.as_validation()), output, force=force)
        raise
    from ahsct_trial.rendering.sections.validate import validation_sections

    result = Validation(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        file=read.source.file,
        n_problems=0,
        problems=(),
        account=read.account,
        warnings=read.warnings,
    )
    _write_result(
        result,
        lambda _: validation_sections(read.source, read.account, read.warnings),
        _format(None, is_json=json),
        output,
        force=force,
    )


@app.command()
def example(
    records: Annotated[bool, typer.Option("--records", help="The same patients as raw records.")] = False,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Write the sample cohort, 24 synthetic patients, as CSV."""
    from importlib.resources import files

    name = "sample_records.csv" if records else "sample_cohort.csv"
    text = files("ahsct_trial").joinpath("samples", name).read_text(encoding="utf-8")
    write(text, output, force=force)


@app.command()
def columns(
    format: FormatOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Show the data dictionary: every column, its values and its meaning."""
    from ahsct_trial.rendering.sections.columns import dictionary_sections

    if format not in {None, Format.TABLE, Format.MARKDOWN}:
        raise UsageError(f"The data dictionary has no format {format}. Choose table or markdown.")
    _write_result(None, lambda _: dictionary_sections(), format or Format.TABLE, output, force=force)


@app.command()
def schema(output: OutputOption = None, force: ForceOption = False) -> None:
    """Print the JSON Schema of what `summarize --json` writes."""
    from ahsct_trial.rendering.documents import write_schema

    write(write_schema(), output, force=force)


def _write_result(
    result: Any, sections: Callable[[Any], list[Section]], form: Format, output: Path | None, *, force: bool
) -> None:
    """Write a result as JSON, or as the sections that say it on a screen or in Markdown."""
    if form is Format.JSON:
        from ahsct_trial.rendering.documents import write_json

        text = write_json(result)
    elif form is Format.MARKDOWN:
        from ahsct_trial.rendering.markdown import write_markdown

        text = write_markdown(sections(result))
    else:
        from ahsct_trial.rendering.tables import draw

        text = draw(sections(result), None if output else sys.stdout)
    write(text, output, force=force)


def _write_figure(drawing: Drawing, figure: FigureFile, *, force: bool) -> None:
    from ahsct_trial.rendering.figures.saving import as_file

    write_file(as_file(drawing, figure.ending), figure.path, force=force)


def main() -> None:
    """Run `ahsct`; a known error is printed in words and decides the exit code."""
    try:
        app()
    except AhsctError as error:
        say(str(error))
        raise SystemExit(error.exit_code) from None
