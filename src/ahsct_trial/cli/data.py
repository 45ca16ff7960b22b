"""Commands that read data only, and the samples: validate, example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ahsct_trial.cli.application import YOUR_DATA, Outcome, app
from ahsct_trial.cli.options import Choices, Data, Destination, Document, grouped
from ahsct_trial.cli.reading import read
from ahsct_trial.cli.writing import write_result
from ahsct_trial.errors import UsageError
from ahsct_trial.output import write
from ahsct_trial.rendering.progress import progress

if TYPE_CHECKING:
    from ahsct_trial.protocol import Protocol
    from ahsct_trial.results import Notice
    from ahsct_trial.trial import Trial


@app.command(rich_help_panel=YOUR_DATA)
@grouped
def validate(data: Data, choices: Choices, document: Document) -> Outcome:
    """Only read the data: their problems, notices and the account of their rows.

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
