"""What `ahsct check` shows of one publication."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ahsct_trial.escaping import shown
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.sections import (
    Section,
    file_section,
    prose,
    protocol_sentence,
    published_figure,
    setting_words,
    settings_by_origin,
    shared_notes,
    warnings_section,
)
from ahsct_trial.wording import plural

if TYPE_CHECKING:
    from ahsct_trial.checking import Check, CheckedFigure


def check_sections(check: Check) -> list[Section]:
    """What `ahsct check` shows, from the verdicts to the file."""
    return [*verdict_sections(check), *warnings_section(check.warnings), file_section(check.source)]


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
                f"{total} of {len(check.figures)} published figures.",
                prose(publication.title),
                f"Published: {_size(publication.n_patients, publication.n_sites)}. "
                f"{shown(check.source.file)}: {_size(check.n_patients, check.n_sites)}.",
                _protocol(check),
            ),
            headings=("Figure", "Published", "This cohort", f"{confidence} CI", "Verdict"),
            rows=tuple(_check_row(figure) for figure in check.figures),
        ),
        *_reasons("Why it differs", check, is_difference=True),
        *_reasons("About some figures", check, is_difference=False),
        *_whom(check),
        Section(
            "How to read this",
            lead=(
                "Reproduced: the cohort's figure rounds to the published one, and its interval to the "
                "published interval if there is one. Compatible: the published figure lies in the cohort's "
                "interval. Differs: neither. Not computable: no such figure of this cohort; the reason is "
                "given above. n: what a percentage is of; a survival estimate is of all patients whose "
                "outcome is known, also those who were lost before.",
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


def _reasons(title: str, check: Check, *, is_difference: bool) -> Iterator[Section]:
    """The notes of the figures that differ, or of the others; figures with the same note stand together."""
    chosen = (each for each in check.figures if (each.verdict == "differs") is is_difference)
    sentences = shared_notes(((shown(each.label), each.note) for each in chosen), between="; ")
    if sentences:
        yield Section(title, lead=sentences)


def _whom(check: Check) -> Iterator[Section]:
    if check.eligibility:
        yield Section(
            "Whom the trial would have taken",
            headings=("Criterion", "Met", "Not met", "Unknown"),
            rows=tuple(
                (each.criterion, fmt.count(each.n_met), fmt.count(each.n_not_met), fmt.count(each.n_unknown))
                for each in check.eligibility
            ),
        )


def _check_row(figure: CheckedFigure) -> tuple[str, ...]:
    is_share = figure.unit == "%" or (figure.of is not None and figure.ci_method != "garwood")
    span = fmt.percent_range if is_share else fmt.significant_range
    limits = span(figure.ci_low, figure.ci_high) + (" %" if is_share and figure.ci_low is not None else "")
    published = published_figure(figure.published, figure.published_of, figure.published_ci, figure.unit)
    return (
        shown(figure.label),
        published,
        fmt.own_figure(figure.value, figure.of, figure.unit, figure.share_of),
        limits,
        figure.verdict,
    )
