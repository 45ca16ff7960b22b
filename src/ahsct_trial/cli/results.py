"""Commands that compute results: summarize, compare, sensitivity, trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ahsct_trial.catalogue import HEADLINE
from ahsct_trial.cli.application import RESULTS, Outcome, app
from ahsct_trial.cli.options import (
    GROUPS,
    Choices,
    Data,
    Disclosure,
    Document,
    EndpointOption,
    ReferenceOption,
    StrataOption,
    Table,
    grouped,
)
from ahsct_trial.cli.reading import NEEDED, read, refuse_pooling, stop_if_strict
from ahsct_trial.cli.writing import write_result
from ahsct_trial.rendering.progress import progress

if TYPE_CHECKING:
    from ahsct_trial.rendering.sections import Section
    from ahsct_trial.results import Summary


@app.command(rich_help_panel=RESULTS)
@grouped
def summarize(
    data: Data,
    choices: Choices,
    disclosure: Disclosure,
    table: Table,
    full: Annotated[bool, typer.Option("--full", help="Every definition, every count, every year.")] = False,
) -> Outcome:
    """Show all results: who was treated, event-free survival, relapses, lesions, disability, deaths.

    For example:
      ahsct summarize cohort.csv
      ahsct summarize cohort.csv --horizon 5 --json -o results.json
    """
    table.refuse_unwritable(data.cohort, data.map, *choices.files)
    form, protocol = table.form(), choices.chosen()
    with progress() as step:
        trial = read(data, protocol, step, disclosure)
        refuse_pooling(trial, data)
        from ahsct_trial.endpoints import summarize as summarize_trial

        summary = summarize_trial(trial, protocol)
    summary = disclosure.suppression().of(summary)

    def sections(result: Summary) -> list[Section]:
        from ahsct_trial.rendering.sections.summarize import summary_sections

        return summary_sections(result, is_full=full)

    write_result(summary, sections, form, table, has_csv=True)
    return Outcome(result=summary)


@app.command(rich_help_panel=RESULTS)
@grouped
def compare(
    data: Data,
    choices: Choices,
    disclosure: Disclosure,
    table: Table,
    by: Annotated[
        str, typer.Option("--by", metavar="COLUMN", help=f"What makes the groups: {GROUPS}.")
    ] = "arm",
    reference: ReferenceOption = None,
    strata: StrataOption = None,
) -> Outcome:
    """Show groups side by side, and what separates them.

    For example:
      ahsct compare trial.csv --by arm --reference control
      ahsct compare registry.csv --by ms_course
    """
    table.refuse_unwritable(data.cohort, data.map, *choices.files)
    form, protocol = table.form(), choices.chosen()
    with progress() as step:
        needed = (*NEEDED, "ahsct_trial.endpoints.groups")
        trial = read(data, protocol, step, disclosure, needed=needed)
        refuse_pooling(trial, data, by)
        from ahsct_trial.endpoints.groups import compare as compare_groups

        comparison = compare_groups(trial, by, protocol, reference=reference, strata=strata)
    comparison = disclosure.suppression().of(comparison)
    stop_if_strict(data, comparison.source, comparison.notices)
    from ahsct_trial.rendering.sections.compare import comparison_sections

    write_result(comparison, comparison_sections, form, table, has_csv=True)
    return Outcome(result=comparison)


@app.command(rich_help_panel=RESULTS)
@grouped
def sensitivity(
    data: Data,
    choices: Choices,
    disclosure: Disclosure,
    table: Table,
    endpoint: EndpointOption = HEADLINE.key,
) -> Outcome:
    """Show an endpoint under every choice on which published figures differ.

    For example:
      ahsct sensitivity cohort.csv
      ahsct sensitivity cohort.csv --endpoint relapse_free_survival
    """
    table.refuse_unwritable(data.cohort, data.map, *choices.files)
    form, protocol = table.form(), choices.chosen()
    from ahsct_trial.sensitivity_analysis import find_endpoint
    from ahsct_trial.sensitivity_analysis import sensitivity as vary

    find_endpoint(endpoint)  # before a large file is read for nothing
    with progress() as step:
        trial = read(data, protocol, step, disclosure)
        refuse_pooling(trial, data)
        result = vary(trial, protocol, endpoint, disclosure.suppression())
    from ahsct_trial.rendering.sections.sensitivity import sensitivity_sections

    write_result(result, sensitivity_sections, form, table, has_csv=True)
    return Outcome(result=result)


@app.command(rich_help_panel=RESULTS)
@grouped
def trace(
    data: Data,
    choices: Choices,
    document: Document,
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="Identifier of the patient.")],
) -> Outcome:
    """Show one patient's course, and the line of the file that decided each endpoint.

    For example:
      ahsct trace cohort.csv P06
      ahsct trace records.csv P06 --confirm-weeks 12
    """
    document.refuse_unwritable(data.cohort, data.map, *choices.files)
    protocol = choices.chosen()
    with progress() as step:
        trial = read(data, protocol, step)
        from ahsct_trial.tracing import trace as trace_patient

        result = trace_patient(trial, patient, protocol)
    from ahsct_trial.rendering.sections.trace import trace_sections

    write_result(result, trace_sections, document.form(), document)
    return Outcome(result=result)
