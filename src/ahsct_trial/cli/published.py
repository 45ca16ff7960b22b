"""Commands about published figures: check, published, claim, reconcile."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ahsct_trial.cli.application import DIFFERS, PUBLISHED, Outcome, app
from ahsct_trial.cli.options import (
    Choices,
    Data,
    Disclosure,
    Document,
    as_text,
    grouped,
    split_pair,
    with_default,
)
from ahsct_trial.cli.reading import read, refuse_pooling
from ahsct_trial.cli.writing import write_result
from ahsct_trial.errors import UsageError
from ahsct_trial.protocol import BUILT_IN, with_settings
from ahsct_trial.rendering.progress import progress

_DEFAULT_PUBLICATION = "atkins2016-summary"
_ALL_PUBLICATIONS = "all"

ArmOption = Annotated[
    list[str] | None,
    typer.Option("--arm", metavar="THEIRS=OWN", help="What the file calls an arm of the publication."),
]


def cohort_arms(pairs: list[str] | None) -> dict[str, str]:
    """A trial's arms by the publication's, from ``THEIRS=OWN``."""
    return dict(split_pair("--arm", pair, "THEIRS=OWN, as in --arm transplant=HSCT") for pair in pairs or ())


@app.command(rich_help_panel=PUBLISHED)
@grouped
def check(
    data: Data,
    choices: Choices,
    disclosure: Disclosure,
    document: Document,
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="ID|FILE|all",
            help="A publication (see `ahsct published`), a TOML file, or all publications in one table.",
        ),
    ] = _DEFAULT_PUBLICATION,
    arm: ArmOption = None,
) -> Outcome:
    """Compare the cohort with published figures: reproduced, compatible, or differs (exit 4).

    For example:
      ahsct check cohort.csv
      ahsct check cohort.csv --against all
    """
    file = against if against.endswith(".toml") else None
    document.refuse_unwritable(data.cohort, data.map, file, *choices.files)
    from ahsct_trial.published import find_publication, publications

    arms, overrides = cohort_arms(arm), choices.overrides()
    publication = None
    if against == _ALL_PUBLICATIONS:
        if arms:
            raise UsageError("--arm goes with one publication. Name it with --against, or leave --arm out.")
        unchanged = BUILT_IN["default"]
    else:
        publication = find_publication(against).with_arms(arms)
        unchanged = publication.own_protocol()
    # A wrong setting is an error before the file is read.
    protocol = with_settings(unchanged, overrides)
    with progress() as step:
        trial = read(data, protocol, step, disclosure)
        if publication is None or not publication.arms:
            refuse_pooling(trial, data)
        from ahsct_trial.checking import check as check_trial
        from ahsct_trial.checking import set_alongside

        result: Any
        if publication is None:
            result = set_alongside(trial, publications().values(), overrides, disclosure.suppression())
        else:
            result = check_trial(trial, publication, overrides, disclosure.suppression())
    if publication is None:
        from ahsct_trial.rendering.sections.against_all import alongside_sections

        write_result(result, alongside_sections, document.form(), document)
        return Outcome(result=result)
    from ahsct_trial.rendering.sections.check import check_sections

    write_result(result, check_sections, document.form(), document)
    return Outcome(result=result, exit_code=DIFFERS if result.n_differs else 0)


@app.command(rich_help_panel=PUBLISHED)
@grouped
def published(
    document: Document,
    publication: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]", help="One publication, or a TOML file of one's own.", show_default=False
        ),
    ] = None,
) -> Outcome:
    """Show the publications known here, or one of them: its figures, their sources, what is uncertain.

    For example:
      ahsct published
      ahsct published mist2019
    """
    document.refuse_unwritable(publication if publication and publication.endswith(".toml") else None)
    from ahsct_trial.published import entry, library
    from ahsct_trial.rendering.sections.published import entry_sections, library_sections

    if publication is None:
        everything = library()
        write_result(everything, library_sections, document.form(), document)
        return Outcome(result=everything)
    found = entry(publication)
    write_result(found, entry_sections, document.form(), document)
    return Outcome(result=found)


@app.command(rich_help_panel=PUBLISHED)
@grouped
def claim(
    document: Document,
    text: Annotated[
        str,
        typer.Argument(metavar="TEXT", help="A figure in any words: 23 of 24, 69,6 %, hazard ratio 0.07."),
    ],
    about: Annotated[
        str | None,
        typer.Option(
            "--about",
            metavar="TOPIC",
            help="Only figures about relapse, lesion, worsening, improvement, activity, death, edss, safety.",
        ),
    ] = None,
) -> Outcome:
    """Say where a quoted figure is published, what it counts there, and what contradicts it.

    For example:
      ahsct claim "23 of 24"
      ahsct claim "1.2 relapses a year"
    """
    document.refuse_unwritable(None)
    from ahsct_trial.claiming import answer_claim, topic_named
    from ahsct_trial.rendering.sections.claim import claim_sections

    topic = None if about is None else topic_named(about)
    with progress() as step:
        step("Searching")
        answer = answer_claim(as_text("The claim", text), topic)
    write_result(answer, claim_sections, document.form(), document)
    return Outcome(result=answer)


@app.command(rich_help_panel=PUBLISHED)
@grouped
def reconcile(
    document: Document,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="The figure as printed: 69.6, 69,6 or a count as 23/24.")
    ],
    ci: Annotated[
        str | None, typer.Option("--ci", metavar="LOW:HIGH", help="Its interval as printed, e.g. 46.6:84.2.")
    ] = None,
    n: Annotated[
        str | None,
        typer.Option("--n", metavar="A:B", help="Numbers of patients to search [1:5000]."),
    ] = None,
    level: Annotated[
        float | None,
        typer.Option("--level", help=with_default("Confidence level of the interval.", "0.95")),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(
            "--rate", metavar="EVENTS/TIME", help="VALUE is the rate of these counts, e.g. 167/140."
        ),
    ] = None,
) -> Outcome:
    """Find the counts and methods that give a published percentage or rate; exit 4 if nothing does.

    For example:
      ahsct reconcile 69.6 --ci 46.6:84.2
      ahsct reconcile 1.19 --rate 167/140 --ci 1.02:1.39
    """
    if rate is not None and n is not None:
        raise UsageError("--n and --rate contradict each other: the counts of a rate are given.")
    from ahsct_trial import reconciling
    from ahsct_trial.reconciling import arguments
    from ahsct_trial.rendering.sections.reconcile import rate_sections, reconcile_sections

    result: Any
    sections: Any
    with progress() as step:
        step("Searching")
        level = arguments.one_level(value, level)
        value, limits = arguments.split_figure(value)
        if ci is not None:
            if limits is not None:
                raise UsageError("The limits stand beside the figure and in --ci. Give them once.")
            limits = arguments.split_limits(ci)
        if rate is not None:
            counts = arguments.split_counts(rate)
            result = reconciling.reconcile_rate(value, counts, limits, level)
            sections = rate_sections
        else:
            numbers = None if n is None else arguments.split_range(n)
            result = reconciling.reconcile(value, limits, numbers, level)
            sections = reconcile_sections
    write_result(result, sections, document.form(), document)
    return Outcome(result=result, exit_code=0 if result.is_explained else DIFFERS)
