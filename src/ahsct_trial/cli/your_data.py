"""Commands that look at data, bring them in and take them out: validate, example, convert, map, template, export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from ahsct_trial.cli.application import YOUR_DATA, Outcome, app
from ahsct_trial.cli.options import Choices, Data, Destination, Document, MaxInputOption, as_text, grouped
from ahsct_trial.cli.reading import limit_input, read
from ahsct_trial.cli.writing import write_result
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown_path
from ahsct_trial.output import say, write, write_file
from ahsct_trial.rendering.progress import progress

if TYPE_CHECKING:
    from ahsct_trial.mapping import MappedTable
    from ahsct_trial.protocol import Protocol
    from ahsct_trial.results import Notice
    from ahsct_trial.trial import Trial

SOURCES = "Files that hold tables, or folders of them."


@dataclass(frozen=True, kw_only=True)
class Files:
    """Which tables a command reads, and how."""

    panel: ClassVar = "Reading the data"

    sources: Annotated[list[str], typer.Argument(metavar="SOURCE…", help=SOURCES, show_default=False)]
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Encoding of text, in place of the map's, e.g. cp1252.")
    ] = None
    missing: Annotated[
        list[str] | None,
        typer.Option("--missing", metavar="TOKEN", help="A cell with this text is empty; again for more."),
    ] = None
    date_format: Annotated[
        str | None,
        typer.Option("--date-format", metavar="FORM", help="Form of dates, in place of the map's."),
    ] = None
    max_input: MaxInputOption = None


@app.command(rich_help_panel=YOUR_DATA)
@grouped
def validate(data: Data, choices: Choices, document: Document) -> Outcome:
    """Look at the data and not at results: problems, notices and the account of the rows.

    For example:
      ahsct validate cohort.csv
      ahsct validate records.csv --strict
    """
    document.refuse_unwritable(data.cohort, data.map, *choices.files)
    protocol = choices.chosen()
    from ahsct_trial.loading.problems import DataProblems
    from ahsct_trial.results import SCHEMA_VERSION, TOOL, Validation

    try:
        with progress() as step:
            trial = read(data, protocol, step)
            notices = (*trial.notices, *_seen_in_results(trial, protocol))
    except DataProblems as problems:
        if document.json:
            from ahsct_trial.rendering.documents import write_json

            write(write_json(problems.as_validation()), document.output, force=document.force)
        raise
    from ahsct_trial.rendering.sections.validate import validation_sections

    result = Validation(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        file=trial.source.files[0].file,
        n_problems=0,
        problems=(),
        account=trial.account,
        notices=notices,
    )
    write_result(
        result,
        lambda _: validation_sections(trial.source, trial.account, notices),
        document.form(),
        document,
    )
    return Outcome(result=result)


def _seen_in_results(trial: Trial, protocol: Protocol) -> tuple[Notice, ...]:
    """What should be looked at first that only the results show, such as events after the end of observation."""
    from ahsct_trial.endpoints import summarize

    of_results = summarize(trial, protocol).notices[len(trial.notices) :]
    return tuple(notice for notice in of_results if notice.severity == "look first")


@app.command(rich_help_panel=YOUR_DATA)
@grouped
def example(
    destination: Destination,
    records: Annotated[bool, typer.Option("--records", help="The same patients as records.")] = False,
    trial: Annotated[
        bool, typer.Option("--trial", help="A randomised trial instead: 110 synthetic patients in two arms.")
    ] = False,
) -> Outcome:
    """Write the sample cohort, 24 synthetic patients, as CSV.

    For example:
      ahsct example -o cohort.csv
      ahsct example --records | ahsct summarize -
    """
    if records and trial:
        raise UsageError("--records and --trial are two samples. Give one of them.")
    from importlib.resources import files

    name = "sample_trial.csv" if trial else "sample_records.csv" if records else "sample_cohort.csv"
    text = files("ahsct_trial").joinpath("samples", name).read_text(encoding="utf-8")
    write(text, destination.output, force=destination.force)
    return Outcome(result=text)


@app.command(rich_help_panel=YOUR_DATA)
@grouped
def convert(
    files: Files,
    destination: Destination,
    map: Annotated[
        str, typer.Option("--map", metavar="NAME|FILE", help="The map that says how.", show_default=False)
    ],
) -> Outcome:
    """Write what a map makes of tables, records or a patient table, as CSV.

    For example:
      ahsct convert sdtm/ --map sdtm -o records.csv
      ahsct convert trial.xlsx --map clinic.toml
    """
    destination.refuse_unwritable(map, *files.sources)
    from ahsct_trial.mapping import apply_map, read_map, with_options
    from ahsct_trial.rendering.csv_rows import write_rows

    rules = with_options(
        read_map(map),
        encoding=files.encoding,
        missing=tuple(as_text("--missing", token) for token in files.missing or ()),
        date_format=files.date_format,
    )
    limit_input(files.max_input)
    with progress() as step:
        step(f"Reading {', '.join(shown_path(each) for each in files.sources)}")
        mapped = apply_map(rules, files.sources)
    columns = [column.to_pylist() for column in mapped.table.columns]
    text = write_rows(mapped.table.names, zip(*columns, strict=True))
    write(text, destination.output, force=destination.force)
    _tell(mapped)
    return Outcome(result=mapped)


def _tell(mapped: MappedTable) -> None:
    """Say on standard error what became of each table's rows, and what should be known."""
    for table in mapped.account.tables:
        named = table.file if table.sheet is None else f"{table.file}, sheet {table.sheet}"
        aside = "".join(f"; {each.count:,} set aside: {each.reason}" for each in table.set_aside)
        say(f"{named}: {table.rows_used:,} of {table.rows_read:,} rows used{aside}")
    for notice in mapped.notices:
        say(notice.text)


@app.command("map", rich_help_panel=YOUR_DATA)
@grouped
def propose(
    destination: Destination,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE…]", help=SOURCES, show_default=False)
    ] = None,
    show: Annotated[
        str | None, typer.Option("--show", metavar="NAME", help="Write a map that comes with the program.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Encoding of text that is not UTF-8, e.g. cp1252.")
    ] = None,
    max_input: MaxInputOption = None,
) -> Outcome:
    """Write a map to start from, by looking at headings and values; what is not certain is marked.

    For example:
      ahsct map trial.xlsx -o clinic.toml
      ahsct map --show sdtm
    """
    from ahsct_trial.mapping import built_in_maps, no_such_map, propose_map

    if (show is None) == (not sources):
        raise UsageError("Name either the tables to look at or, with --show, a map.")
    if show is not None:
        texts = built_in_maps()
        if show not in texts:
            raise no_such_map(show, texts)
        text = texts[show]
    else:
        destination.refuse_unwritable(*(sources or ()))
        limit_input(max_input)
        with progress() as step:
            step("Looking at the tables")
            text = propose_map(sources or (), encoding=encoding)
    write(text, destination.output, force=destination.force)
    return Outcome(result=text)


@app.command(rich_help_panel=YOUR_DATA)
@grouped
def template(
    destination: Destination,
    records: Annotated[
        bool, typer.Option("--records", help="A row per observation instead of per patient.")
    ] = False,
) -> Outcome:
    """Write an empty sheet to fill in, which is then read as it is: .xlsx with lists to choose from, or .csv.

    For example:
      ahsct template -o patients.xlsx
      ahsct template --records -o records.xlsx
    """
    from ahsct_trial.rendering.template import template_csv, template_workbook

    output = destination.output
    ending = ".csv" if output is None else output.suffix.lower()
    if ending not in {".csv", ".xlsx"}:
        raise UsageError(f"A template is an .xlsx or a .csv; {shown_path(output)} is neither.")
    if output is not None and ending == ".xlsx":
        write_file(template_workbook(is_records=records), output, force=destination.force)
        return Outcome()
    text = template_csv(is_records=records)
    write(text, output, force=destination.force)
    return Outcome(result=text)


@app.command(rich_help_panel=YOUR_DATA)
@grouped
def export(
    data: Data,
    choices: Choices,
    destination: Destination,
    adtte: Annotated[
        bool, typer.Option("--adtte", help="One row per patient and endpoint: AVAL, CNSR, EVNTDESC.")
    ] = False,
) -> Outcome:
    """Write the patient-level data behind the figures as CSV, for R or SAS. It names patients.

    For example:
      ahsct export records.csv -o patients.csv
      ahsct export records.csv --adtte -o adtte.csv
    """
    destination.refuse_unwritable(data.cohort, data.map, *choices.files)
    protocol = choices.chosen()
    with progress() as step:
        trial = read(data, protocol, step)
        from ahsct_trial.exporting import export_patients, export_times

        frame = export_times(trial, protocol) if adtte else export_patients(trial, protocol)
    from ahsct_trial.rendering.csv_rows import write_rows

    cells = frame.astype(object).where(frame.notna(), None)
    text = write_rows(list(frame.columns), cells.itertuples(index=False, name=None))
    write(text, destination.output, force=destination.force)
    return Outcome(result=frame)
