"""The command line: options, exit codes, and one call per command.

Nothing heavy is imported before a command runs, so that `ahsct --help` answers at once.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ahsct_trial import __version__
from ahsct_trial.errors import AhsctError, UsageError
from ahsct_trial.output import write
from ahsct_trial.protocol import BUILT_IN, Protocol, find_protocol

if TYPE_CHECKING:
    from ahsct_trial.cohort import Cohort
    from ahsct_trial.records import Records

app = typer.Typer(
    name="ahsct",
    help="Turn the CSV of an autologous stem-cell-transplant trial in multiple sclerosis into its results.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


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
JsonOption = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
FormatOption = Annotated[Format | None, typer.Option("--format", help="How to write the results.")]
ProtocolOption = Annotated[
    str | None,
    typer.Option("--protocol", metavar="NAME|FILE", help=f"{', '.join(BUILT_IN)}, or a TOML file."),
]
HorizonOption = Annotated[
    float | None, typer.Option("--horizon", metavar="YEARS", help="Landmark of the headline figures.")
]
DeathOption = Annotated[
    str | None, typer.Option("--death", metavar="event|censor", help="Whether a death is an event.")
]
CiOption = Annotated[
    str | None,
    typer.Option("--ci", metavar="METHOD", help="log-log, log, plain, logit or arcsin interval."),
]
LevelOption = Annotated[
    float | None, typer.Option("--level", metavar="LEVEL", help="Confidence level, e.g. 0.95.")
]
ConfirmOption = Annotated[
    float | None,
    typer.Option("--confirm-weeks", metavar="WEEKS", help="Worsening must hold this long (raw records)."),
]
NewLesionOption = Annotated[
    str | None,
    typer.Option("--new-lesion", metavar="gd|t2|either", help="Which lesions are an event (raw records)."),
]


def _chosen_protocol(base: Protocol, **options: Any) -> Protocol:
    """The protocol with what the command line says; an option wins."""
    changes = {name: value for name, value in options.items() if value is not None}
    return replace(base, **changes)


def _format(chosen: Format | None, *, is_json: bool) -> Format:
    if is_json and chosen not in {None, Format.JSON}:
        raise UsageError(f"--json and --format {chosen} contradict each other. Give one of them.")
    return Format.JSON if is_json else chosen or Format.TABLE


def _read(path: str, encoding: str | None, date_format: str | None) -> Cohort | Records:
    from ahsct_trial.loading import read_cohort

    return read_cohort(path, encoding=encoding, date_format=date_format)


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
def summarize(
    cohort: CohortArgument,
    format: FormatOption = None,
    json: JsonOption = False,
    output: OutputOption = None,
    force: ForceOption = False,
    protocol: ProtocolOption = None,
    horizon: HorizonOption = None,
    death: DeathOption = None,
    ci: CiOption = None,
    level: LevelOption = None,
    confirm_weeks: ConfirmOption = None,
    new_lesion: NewLesionOption = None,
    encoding: EncodingOption = None,
    date_format: DateFormatOption = None,
) -> None:
    """Show all results: who was treated, event-free survival, relapses, lesions, disability, deaths."""
    form = _format(format, is_json=json)
    chosen = _chosen_protocol(
        find_protocol(protocol or "default"),
        horizon_years=horizon,
        death=death,
        ci_method=ci,
        confidence_level=level,
        worsening_confirm_weeks=confirm_weeks,
        new_lesion=new_lesion,
    )
    patients = _read(cohort, encoding, date_format)
    from ahsct_trial.endpoints import summarize as summarize_cohort

    result = summarize_cohort(patients, chosen)
    if form is Format.CSV:
        from ahsct_trial.rendering.documents import write_csv

        write(write_csv(result), output, force=force)
    elif form is Format.JSON:
        _write_json(result, output, force=force)
    else:
        from ahsct_trial.rendering.sections import summary_sections

        _write_sections(summary_sections(result), form, output, force=force)


@app.command()
def check(
    cohort: CohortArgument,
    against: Annotated[
        str, typer.Option("--against", metavar="ID", help="The publication to hold the cohort against.")
    ] = "atkins2016-summary",
    json: JsonOption = False,
    output: OutputOption = None,
    force: ForceOption = False,
    protocol: ProtocolOption = None,
    horizon: HorizonOption = None,
    death: DeathOption = None,
    ci: CiOption = None,
    level: LevelOption = None,
    confirm_weeks: ConfirmOption = None,
    new_lesion: NewLesionOption = None,
    encoding: EncodingOption = None,
    date_format: DateFormatOption = None,
) -> None:
    """Hold the cohort against published figures: reproduced, compatible, or differs (exit 4)."""
    from ahsct_trial.published import publication

    published = publication(against)
    chosen = _chosen_protocol(
        find_protocol(protocol) if protocol else published.own_protocol(),
        horizon_years=horizon,
        death=death,
        ci_method=ci,
        confidence_level=level,
        worsening_confirm_weeks=confirm_weeks,
        new_lesion=new_lesion,
    )
    patients = _read(cohort, encoding, date_format)
    from ahsct_trial.checking import check as check_cohort

    result = check_cohort(patients, published, chosen)
    if json:
        _write_json(result, output, force=force)
    else:
        from ahsct_trial.rendering.sections import check_sections

        _write_sections(check_sections(result), Format.TABLE, output, force=force)
    if result.n_differs:
        raise typer.Exit(4)


@app.command()
def trace(
    cohort: CohortArgument,
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="Identifier of the patient.")],
    json: JsonOption = False,
    output: OutputOption = None,
    force: ForceOption = False,
    protocol: ProtocolOption = None,
    horizon: HorizonOption = None,
    death: DeathOption = None,
    ci: CiOption = None,
    level: LevelOption = None,
    confirm_weeks: ConfirmOption = None,
    new_lesion: NewLesionOption = None,
    encoding: EncodingOption = None,
    date_format: DateFormatOption = None,
) -> None:
    """Show one patient's course, and the line of the file that decided each endpoint."""
    chosen = _chosen_protocol(
        find_protocol(protocol or "default"),
        horizon_years=horizon,
        death=death,
        ci_method=ci,
        confidence_level=level,
        worsening_confirm_weeks=confirm_weeks,
        new_lesion=new_lesion,
    )
    data = _read(cohort, encoding, date_format)
    from ahsct_trial.tracing import trace as trace_patient

    result = trace_patient(data, patient, chosen)
    if json:
        _write_json(result, output, force=force)
        return
    from ahsct_trial.rendering.sections import trace_sections

    _write_sections(trace_sections(result), Format.TABLE, output, force=force)


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
    from ahsct_trial.loading.problems import DataProblems
    from ahsct_trial.results import Validation

    try:
        read = _read(cohort, encoding, date_format)
    except DataProblems as problems:
        if json:
            _write_json(problems.as_validation(), output, force=force)
        raise
    if json:
        result = Validation(
            file=read.source.file,
            n_problems=0,
            problems=(),
            account=read.account,
            warnings=read.warnings,
        )
        _write_json(result, output, force=force)
        return
    from ahsct_trial.rendering.sections import validation_sections

    sections = validation_sections(read.source, read.account, read.warnings)
    _write_sections(sections, Format.TABLE, output, force=force)


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
    from ahsct_trial.rendering.sections import dictionary_sections

    if format not in {None, Format.TABLE, Format.MARKDOWN}:
        raise UsageError(f"The data dictionary has no format {format}. Choose table or markdown.")
    _write_sections(dictionary_sections(), format or Format.TABLE, output, force=force)


@app.command()
def schema(output: OutputOption = None, force: ForceOption = False) -> None:
    """Print the JSON Schema of what `summarize --json` writes."""
    from ahsct_trial.rendering.documents import write_schema

    write(write_schema(), output, force=force)


def _write_json(result: Any, output: Path | None, *, force: bool) -> None:
    from ahsct_trial.rendering.documents import write_json

    write(write_json(result), output, force=force)


def _write_sections(sections: Any, form: Format, output: Path | None, *, force: bool) -> None:
    if form is Format.MARKDOWN:
        from ahsct_trial.rendering.markdown import write_markdown

        write(write_markdown(sections), output, force=force)
        return
    from ahsct_trial.rendering.tables import draw

    write(draw(sections, None if output else sys.stdout), output, force=force)


def main() -> None:
    """Run `ahsct`; a known error is printed in words and decides the exit code."""
    try:
        app()
    except AhsctError as error:
        print(f"ahsct: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
