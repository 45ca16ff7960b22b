"""What only the report says: the headline in sentences, and the flow of patients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ahsct_trial.catalogue import HEADLINE
from ahsct_trial.catalogue import SurvivalEndpoint as Endpoint
from ahsct_trial.escaping import shown
from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.figures.curves import n_patients
from ahsct_trial.rendering.sections import sentences
from ahsct_trial.rendering.sections.summarize import event_free_in_words, headline_section
from ahsct_trial.results import Account, Comparison, Group, Summary, SurvivalEndpoint
from ahsct_trial.wording import in_a_sentence, in_years, plural


@dataclass(frozen=True)
class Step:
    """One box of the flow: how many go on, and in words who does not."""

    n: str
    words: str
    aside: tuple[str, ...] = ()


def headline_sentences(summary: Summary) -> list[str]:
    """The headline with all that it must not be quoted without: counts, intervals, the event."""
    endpoint: SurvivalEndpoint = getattr(summary.endpoints, HEADLINE.key)
    said = headline_section(summary)
    definition = [] if endpoint.n_patients is None else sentences(endpoint.definition)[:1]
    return [*said.lead, *definition, *said.notes]


def flow_steps(summary: Summary) -> list[Step]:
    """From the rows of the data to the patients behind the headline."""
    endpoint: SurvivalEndpoint = getattr(summary.endpoints, HEADLINE.key)
    horizon, n = in_years(endpoint.horizon_years), summary.cohort.n_patients
    steps = [*_rows(summary.account), Step(fmt.count(n), plural("patient", n))]
    if endpoint.n_event_free is None:
        return steps
    died = endpoint.n_censored_died
    return [
        *steps,
        Step(
            fmt.count(endpoint.n_patients),
            f"in the Kaplan–Meier estimate of {endpoint.label}",
            (f"{fmt.count(endpoint.n_unknown)} left out: a component is unknown",),
        ),
        Step(
            fmt.count(endpoint.n_evaluable),
            f"evaluable at {horizon}",
            (
                f"{fmt.count(endpoint.n_not_followed)} not observed to {horizon}",
                *((f"{died:,} of those censored had died",) if died else ()),
                *(
                    (f"{endpoint.n_late_events:,} with a late event, censored before it",)
                    if endpoint.n_late_events
                    else ()
                ),
            ),
        ),
        Step(
            fmt.count(endpoint.n_event_free),
            f"event-free at {horizon}",
            (f"{fmt.count(endpoint.n_events)} with an event",),
        ),
    ]


def _rows(account: Account) -> Iterator[Step]:
    """From the rows of the data to those that were used, where these may be shown."""
    if account.rows_read is None or account.rows_used is None:
        return
    yield Step(fmt.count(account.rows_read), f"{plural('row', account.rows_read)} read")
    yield Step(
        fmt.count(account.rows_used),
        f"{plural('row', account.rows_used)} used",
        tuple(f"{each.count:,} set aside: {each.reason}" for each in account.set_aside) or ("0 set aside",),
    )


@dataclass(frozen=True)
class Stage:
    """A stage of a group's flow, as CONSORT names it: how many, and in words who they are."""

    title: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class GroupedFlow:
    """The flow of patients into groups: the steps that all share, and the stages of each group by name."""

    steps: tuple[Step, ...]
    groups: tuple[tuple[str, tuple[Stage, ...]], ...]
    note: str


def grouped_flow(comparison: Comparison, endpoint: Endpoint | None) -> GroupedFlow:
    """From the rows of the data to the patients of each group behind an endpoint, in CONSORT's stages.

    It says what the data hold and no more: why follow-up ended is not among it. A line that is 0 in every
    group and would be 0 in most trials stands in none.

    Hopewell S, Chan AW, Collins GS, et al. CONSORT 2025 statement: updated guideline for reporting randomised
    trials. BMJ 2025;389:e081123.
    """
    by = comparison.by
    in_groups = n_patients(comparison)
    aside = [
        *([f"{by.n_not_selected:,} not selected (--where)"] if by.n_not_selected else []),
        f"{fmt.count(by.n_without_level)} left out: no {shown(by.column)} is given",
    ]
    steps = [*_rows(comparison.account)]
    if by.n_not_selected is not None and by.n_without_level is not None:
        n_all = in_groups + by.n_without_level + by.n_not_selected
        steps.append(Step(fmt.count(n_all), plural("patient", n_all)))
    return GroupedFlow(
        steps=(
            *steps,
            Step(fmt.count(in_groups), f"in {len(comparison.groups)} groups by {by.column}", tuple(aside)),
        ),
        groups=tuple(
            (shown(group.level), tuple(_stages(comparison, group, endpoint))) for group in comparison.groups
        ),
        note="The data do not say why follow-up ended: at the end of the study, or by loss of the patient.",
    )


def _stages(comparison: Comparison, group: Group, endpoint: Endpoint | None) -> Iterator[Stage]:
    horizon, flow, n = in_years(comparison.protocol.horizon_years), group.flow, group.cohort.n_patients
    is_randomised = comparison.protocol.time_zero == "randomisation"
    if comparison.by.column == "arm":
        put = "randomised to" if is_randomised else "allocated to"
        lines = [(fmt.count(n), f"{put} {shown(group.level)}")]
    else:
        lines = [(fmt.count(n), f"with {comparison.by.column} {shown(group.level)}")]
    if flow.n_transplanted is not None:
        lines += [
            (fmt.count(flow.n_transplanted), "transplanted"),
            (fmt.count(n - flow.n_transplanted), "not transplanted"),
        ]
    yield Stage("Allocation" if comparison.by.column == "arm" else "Group", tuple(lines))
    if flow.n_followed is not None:  # else small counts are not shown
        yield Stage(
            "Follow-up",
            (
                (fmt.count(flow.n_followed), f"followed to {horizon}"),
                *([(fmt.count(flow.n_died), f"died by {horizon}")] if flow.n_died is not None else []),
                (fmt.count(flow.n_ended_before), f"follow-up ended before {horizon}"),
            ),
        )
    if endpoint is not None:
        yield Stage("Analysis", tuple(_analysed(comparison, group, endpoint)))


def _analysed(comparison: Comparison, group: Group, endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    result: SurvivalEndpoint = getattr(group.endpoints, endpoint.key)
    horizon = in_years(result.horizon_years)
    yield fmt.count(result.n_patients), f"analysed for {in_a_sentence(result.label)}"
    yield fmt.count(result.n_unknown), "excluded from the analysis: a component is unknown"
    yield fmt.count(result.n_events), f"with an event by {horizon}"
    yield fmt.count(result.n_event_free), f"event-free at {horizon}"
    yield fmt.count(result.n_not_followed), f"not observed to {horizon}"
    if any(getattr(each.endpoints, endpoint.key).n_late_events for each in comparison.groups):
        yield fmt.count(result.n_late_events), "with a late event, censored before it"


def group_sentences(comparison: Comparison, endpoint: Endpoint) -> list[tuple[str, list[str]]]:
    """What is known of each group, by its name, with what must not be left out."""
    return [
        (shown(group.level), [*event_free_in_words(result), *filter(None, [result.note])])
        for group in comparison.groups
        for result in [getattr(group.endpoints, endpoint.key)]
    ]
