"""What `ahsct check` shows of one publication."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ahsct_trial.escaping import shown
from ahsct_trial.published import printed_figure
from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.sections import (
    Section,
    cohort_figure,
    file_section,
    look_first,
    notes,
    prose,
    protocol_sentence,
    provenance,
    public,
    setting_words,
    settings_by_origin,
    shared_notes,
    source_name,
)
from ahsct_trial.wording import plural

if TYPE_CHECKING:
    from ahsct_trial.checking import Check, CheckedFigure


def check_sections(check: Check) -> list[Section]:
    """What `ahsct check` shows, from the verdicts to the file."""
    notices = public(check.notices)
    return [
        *provenance(check.source),
        *look_first(notices),
        *verdict_sections(check),
        *notes(notices),
        file_section(check.source),
    ]


def verdict_sections(check: Check) -> list[Section]:
    """Figures with verdicts, why they differ, eligibility, and what is uncertain."""
    publication = check.publication
    confidence = fmt.level(check.protocol.confidence_level)
    verdicts = {
        "reproduced": check.n_reproduced,
        "compatible": check.n_compatible,
        "differs": check.n_differs,
        "not computable": check.n_not_computable,
    }
    total = ", ".join(f"{n} {verdict}" for verdict, n in verdicts.items() if n)
    return [
        Section(
            f"Checked against {shown(publication.id)}",
            lead=(
                f"{total or 'none'} of {sum(verdicts.values()):,} published figures{_computed_here(check)}.",
                *_contradictions(check),
                prose(publication.title),
                f"Published: {_size(publication.n_patients, publication.n_sites)}. "
                f"{source_name(check.source)}: {_size(check.n_patients, check.n_sites)}.",
                _protocol(check),
            ),
            headings=("Figure", "Published, mark", "This cohort", f"{confidence} CI", "Verdict"),
            rows=tuple(_check_row(figure) for figure in check.figures if figure.value is not None),
        ),
        *_reasons("Why it differs", [each for each in check.figures if each.verdict == "differs"]),
        *_reasons(
            "About some figures",
            [each for each in check.figures if each.value is not None and each.verdict != "differs"],
        ),
        *_not_computable(check),
        *_whom(check),
        Section(
            "How to read this",
            lead=(
                "Reproduced: the cohort's figure rounds to the published one, and its interval to the "
                "published interval if there is one. Compatible: the published figure lies in the cohort's "
                "interval. Differs: neither. Not computable: this cohort has no such figure; the reason is "
                "given above. n: what a percentage is of; a survival estimate is of all patients whose "
                "outcome is known, those lost before the horizon included.",
                protocol_sentence(check.protocol) + _other_horizons(check),
                *(prose(sentence) for sentence in publication.uncertain),
                f"Source: {prose(publication.citation)}. "
                + "Read in: "
                + "; ".join(
                    dict.fromkeys(f"{prose(each.source)} (mark {each.mark})" for each in check.figures)
                )
                + ". Marks: V in the source's own text or its abstract where quoted, S in a secondary "
                "source, D computed from V.",
            ),
        ),
    ]


def _contradictions(check: Check) -> Iterator[str]:
    """What the same trial prints elsewhere for the endpoint that the publication is known by."""
    if check.contradicted_by:
        listed = "; ".join(
            f"{shown(each.publication)} has {prose(each.printed)} for {prose(each.label)} (mark {each.mark}, "
            f"{prose(each.source)})"
            for each in check.contradicted_by
        )
        yield f"Another figure of the same trial for the same endpoint: {listed}."


def _computed_here(check: Check) -> str:
    return f"; {check.n_computed_here:,} computed here (mark D) not counted" if check.n_computed_here else ""


def _protocol(check: Check) -> str:
    """Whose protocol was applied, and what in it the publication states."""
    protocol = check.protocol
    if not check.is_own_protocol:
        return f"Protocol: {shown(protocol.name)} ({', '.join(setting_words(protocol).values())})."
    origins = settings_by_origin(
        protocol,
        horizons=check.horizons_stated,
        stated=check.settings_stated,
        inferred=check.settings_inferred,
    )
    return f"Protocol: {origins}."


def _size(n_patients: int | None, n_sites: int | None) -> str:
    patients = (
        "patients not stated" if n_patients is None else f"{n_patients:,} {plural('patient', n_patients)}"
    )
    return patients if n_sites is None else f"{patients}, {n_sites:,} {plural('site', n_sites)}"


def _other_horizons(check: Check) -> str:
    """Which figures stand at another horizon than the protocol's."""
    horizons = {each.horizon_years for each in check.figures if each.horizon_years and each.value is not None}
    others = [f"{horizon:g}" for horizon in sorted(horizons - {check.protocol.horizon_years})]
    return f" Figures published at {fmt.listed(others)} years are computed there." if others else ""


def _reasons(title: str, figures: Iterable[CheckedFigure]) -> Iterator[Section]:
    """The notes of some figures; those with the same note stand together."""
    said = shared_notes(((shown(each.label), each.note) for each in figures), between="; ")
    if said:
        yield Section(title, lead=said)


def _not_computable(check: Check) -> Iterator[Section]:
    """The published figures that this cohort has no counterpart of, and why."""
    said = shared_notes(
        (
            (f"{shown(each.label)} ({_published(each)})", each.note)
            for each in check.figures
            if each.value is None
        ),
        between="; ",
    )
    if said:
        yield Section("Not computable of this cohort", lead=said)


def _published(figure: CheckedFigure) -> str:
    """A published figure as it is printed, with its mark; a unit that its label names is not said again."""
    unit = "" if figure.unit and figure.unit in figure.label.casefold() else figure.unit
    return f"{printed_figure(figure.published, figure.published_of, figure.published_ci, unit)} {figure.mark}"


def _whom(check: Check) -> Iterator[Section]:
    if check.eligibility:
        yield Section(
            "Who would have been eligible for the trial",
            headings=("Criterion", "Met", "Not met", "Unknown"),
            rows=tuple(
                (each.criterion, fmt.count(each.n_met), fmt.count(each.n_not_met), fmt.count(each.n_unknown))
                for each in check.eligibility
            ),
        )


def _check_row(figure: CheckedFigure) -> tuple[str, ...]:
    estimate = figure.estimate
    limits = fmt.NOTHING if estimate is None else fmt.limits(estimate)
    is_share = estimate is not None and estimate.unit in {"share", "difference"} and limits != fmt.NOTHING
    of_cohort = cohort_figure(figure.value, figure.of, figure.unit, estimate)
    if figure.unit == "%" and figure.value is not None and estimate is not None and estimate.of is not None:
        of_cohort += f", n {estimate.of:,.0f}"
    return (
        shown(figure.label),
        _published(figure),
        of_cohort,
        f"{limits} %" if is_share else limits,
        figure.verdict,
    )
