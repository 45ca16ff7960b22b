"""What `ahsct summarize` shows."""

from __future__ import annotations

from collections.abc import Iterator

from ahsct_trial.columns import ATTRIBUTES
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.sections import (
    SHORT_NAMES,
    Section,
    account_section,
    protocol_definition,
    warnings_section,
)
from ahsct_trial.results import CohortInfo, Endpoints, Summary, SurvivalEndpoint
from ahsct_trial.wording import in_years, plural


def summary_sections(summary: Summary) -> list[Section]:
    """Everything that `ahsct summarize` shows, from the headline to the account of rows."""
    return [
        _headline(summary),
        patients_section(summary.cohort),
        *survival_sections(summary),
        *count_sections(summary),
        definitions_section(summary),
        *warnings_section(summary.warnings),
        account_section(summary.source, summary.account),
    ]


def survival_sections(summary: Summary) -> list[Section]:
    """The survival endpoints at the horizon, what their events were, and NEDA-3 by year."""
    return [_survival(summary), _first_events(summary), _neda(summary)]


def count_sections(summary: Summary) -> list[Section]:
    """Relapses, lesions, disability and deaths."""
    return [_relapses(summary), _lesions(summary), _disability(summary), _deaths(summary)]


def definitions_section(summary: Summary) -> Section:
    """The protocol, and what each endpoint counts."""
    return Section("Definitions", lead=tuple(f"{term}: {words}" for term, words in definitions(summary)))


def _endpoints(endpoints: Endpoints) -> Iterator[tuple[str, SurvivalEndpoint]]:
    for key, name in SHORT_NAMES.items():
        yield name, getattr(endpoints, key)


def _headline(summary: Summary) -> Section:
    endpoint = summary.endpoints.activity_free_survival
    title = f"{endpoint.label} at {in_years(endpoint.horizon_years)}"
    confidence = fmt.level(endpoint.confidence_level)
    if endpoint.n_event_free is None:
        return Section(title, lead=(endpoint.note or "",))
    proportion = endpoint.proportion
    exact = fmt.percent_range(proportion.ci_low, proportion.ci_high)
    lead = [
        f"{fmt.fraction(endpoint.n_event_free, endpoint.n_evaluable)} evaluable patients "
        f"({fmt.percent(proportion.value)}; exact {confidence} CI {exact})"
    ]
    if endpoint.estimate is not None:
        limits = fmt.percent_range(endpoint.ci_low, endpoint.ci_high)
        lead.append(
            f"Kaplan–Meier {fmt.percent(endpoint.estimate)} ({confidence} CI {limits}, {endpoint.ci_method})"
        )
    return Section(title, lead=tuple(lead), notes=(endpoint.note,) if endpoint.note else ())


def patients_section(cohort: CohortInfo) -> Section:
    """Who was treated."""
    sites = "" if cohort.n_sites is None else f" at {cohort.n_sites:,} {plural('site', cohort.n_sites)}"
    rows = [
        ("Patients", f"{cohort.n_patients:,}{sites}"),
        ("Site", fmt.counts(cohort.site)),
        ("Arm", fmt.counts(cohort.arm)),
        ("Age (years)", fmt.distribution(cohort.age_years, 0)),
        ("Sex", fmt.counts(cohort.sex)),
        ("Course", fmt.counts(cohort.ms_course)),
        ("EDSS at baseline", fmt.distribution(cohort.edss_baseline, 1)),
        ("Earlier therapy failed", fmt.counts(cohort.prior_therapy)),
        ("Conditioning", fmt.counts(cohort.conditioning)),
        ("Graft", fmt.counts(cohort.graft)),
        ("Follow-up (years)", fmt.distribution(cohort.follow_up_years, 1)),
        ("  of survivors", fmt.distribution(cohort.follow_up_years_of_survivors, 1)),
    ]
    missing = [
        f"{name}: {n:,}"
        for name, n in cohort.n_missing.items()
        if n and name in {*(column.name for column in ATTRIBUTES), "edss_baseline"}
    ]
    return Section(
        "Who was treated",
        rows=tuple(row for row in rows if row[1] != fmt.NOTHING),
        notes=(f"Without a value: {', '.join(missing)}.",) if missing else (),
    )


def _survival(summary: Summary) -> Section:
    endpoint = summary.endpoints.activity_free_survival
    confidence = fmt.level(endpoint.confidence_level)
    rows = tuple(
        (
            name,
            fmt.count(each.n_events),
            fmt.count(each.n_at_risk),
            fmt.fraction(each.n_event_free, each.n_evaluable),
            fmt.percent_range(each.proportion.ci_low, each.proportion.ci_high),
            fmt.percent(each.estimate),
            fmt.percent_range(each.ci_low, each.ci_high),
        )
        for name, each in _endpoints(summary.endpoints)
    )
    return Section(
        f"Event-free at {in_years(endpoint.horizon_years)}",
        headings=(
            "",
            "Events",
            "At risk",
            "Event-free",
            f"Exact\n{confidence} CI",
            "Kaplan–\nMeier",
            f"{confidence} CI\n{endpoint.ci_method}",
        ),
        rows=rows,
        notes=tuple(
            f"{name}: {each.note}" for name, each in list(_endpoints(summary.endpoints))[1:] if each.note
        ),
    )


def _first_events(summary: Summary) -> Section:
    endpoint = summary.endpoints.activity_free_survival
    rows = tuple(
        (
            name,
            fmt.count(each.events_by_type.relapse),
            fmt.count(each.events_by_type.new_lesion),
            fmt.count(each.events_by_type.worsening),
            fmt.count(each.events_by_type.death),
            fmt.count(each.n_censored),
            fmt.count(each.n_unknown),
        )
        for name, each in _endpoints(summary.endpoints)
    )
    return Section(
        f"First events up to {in_years(endpoint.horizon_years)}",
        headings=("", "Relapse", "New lesion", "Worsening", "Death", "Censored", "Unknown"),
        rows=rows,
    )


def _neda(summary: Summary) -> Section:
    years = summary.endpoints.neda3
    confidence = fmt.level(summary.protocol.confidence_level)
    return Section(
        "No evidence of disease activity (NEDA-3)",
        headings=(
            "By year",
            "Yes",
            "No",
            "Not evaluable",
            "Of them died",
            f"Yes of evaluable\n(exact {confidence} CI)",
        ),
        rows=tuple(
            (
                str(row.years),
                fmt.count(row.n_yes),
                fmt.count(row.n_no),
                fmt.count(row.n_not_evaluable),
                fmt.count(row.n_not_evaluable_died),
                fmt.proportion(row.proportion),
            )
            for row in years
        ),
        notes=tuple(dict.fromkeys(row.note for row in years if row.note)),
    )


def _ratio_notes(ratio_note: str | None, *side_notes: tuple[str, str | None]) -> tuple[str, ...]:
    notes = [f"{side}: {note}" for side, note in side_notes if note]
    return (*notes, ratio_note) if ratio_note else tuple(notes)


def _relapses(summary: Summary) -> Section:
    rates = summary.endpoints.relapse_rate
    confidence = fmt.level(summary.protocol.confidence_level)
    rows = [
        (
            side,
            fmt.count(rate.n_patients),
            fmt.count(rate.n_relapses),
            fmt.number(rate.person_years, 1),
            fmt.significant(rate.rate),
            fmt.significant_range(rate.ci_low, rate.ci_high),
            fmt.number(rate.dispersion, 2),
        )
        for side, rate in (("Before", rates.before), ("After", rates.after))
    ]
    ratio = rates.ratio
    rows.append(
        (
            "After ÷ before",
            "",
            "",
            "",
            fmt.significant(ratio.value),
            fmt.significant_range(ratio.ci_low, ratio.ci_high),
            "",
        )
    )
    return Section(
        "Relapses",
        headings=(
            "",
            "Patients",
            "Relapses",
            "Person-\nyears",
            "Per year",
            f"Exact\n{confidence} CI",
            "Disper\N{SOFT HYPHEN}\nsion",
        ),
        rows=tuple(rows),
        notes=_ratio_notes(rates.note, ("Before", rates.before.note), ("After", rates.after.note)),
    )


def _lesions(summary: Summary) -> Section:
    lesions = summary.endpoints.lesions
    confidence = fmt.level(summary.protocol.confidence_level)
    rows = [
        (
            side,
            fmt.count(rate.n_scans),
            fmt.count(rate.n_lesions),
            fmt.significant(rate.lesions_per_scan),
            fmt.significant_range(rate.ci_low, rate.ci_high),
            fmt.number(rate.dispersion, 2),
            fmt.count(rate.n_scans_with_lesions),
        )
        for side, rate in (("Before (Gd)", lesions.before), ("After (new)", lesions.after))
    ]
    ratio = lesions.ratio
    rows.append(
        (
            "After ÷ before",
            "",
            "",
            fmt.significant(ratio.value),
            fmt.significant_range(ratio.ci_low, ratio.ci_high),
            "",
            "",
        )
    )
    scans = lesions.after.scans_with_lesions
    share = (
        f"After: {fmt.fraction(lesions.after.n_scans_with_lesions, lesions.after.n_scans)} scans with a "
        f"new lesion, {fmt.percent(scans.value)} "
        f"(exact {confidence} CI {fmt.percent_range(scans.ci_low, scans.ci_high)})."
    )
    notes = _ratio_notes(lesions.note, ("Before", lesions.before.note), ("After", lesions.after.note))
    return Section(
        "Lesions on MRI",
        headings=(
            "",
            "Scans",
            "Lesions",
            "Per scan",
            f"Exact\n{confidence} CI",
            "Disper\N{SOFT HYPHEN}\nsion",
            "Scans with\nlesions",
        ),
        rows=tuple(rows),
        notes=(share, *notes) if scans.value is not None else notes,
    )


def _disability(summary: Summary) -> Section:
    disability = summary.endpoints.disability
    confidence = fmt.level(summary.protocol.confidence_level)

    def of_known(n: int | None, interval: str = "") -> str:
        share = fmt.fraction(n, disability.n_patients)
        return f"{share}, {interval}" if interval and interval != fmt.NOTHING else share

    rows = (
        ("Confirmed worsening", of_known(disability.n_worsened, fmt.proportion(disability.worsened))),
        ("Confirmed improvement", of_known(disability.n_improved, fmt.proportion(disability.improved))),
        ("Both", of_known(disability.n_both)),
        ("Neither", of_known(disability.n_neither)),
        ("EDSS at baseline", fmt.distribution(disability.edss_baseline, 1)),
        ("EDSS at last visit", fmt.distribution(disability.edss_last, 1)),
    )
    return Section(
        f"Disability (exact {confidence} CI)",
        rows=rows,
        notes=(disability.note,) if disability.note else (),
    )


def _deaths(summary: Summary) -> Section:
    mortality = summary.endpoints.transplant_related_mortality
    survival = summary.endpoints.overall_survival
    confidence = fmt.level(summary.protocol.confidence_level)

    def row(
        name: str, n: int | None, value: float | None, low: float | None, high: float | None
    ) -> tuple[str, ...]:
        figure = fmt.fraction(n, mortality.n_patients)
        return (
            name,
            figure if value is None else f"{figure}, {fmt.percent(value)} ({fmt.percent_range(low, high)})",
        )

    early = mortality.by_day_100
    horizon = in_years(survival.horizon_years)
    deaths = (
        fmt.NOTHING
        if survival.n_events is None
        else f"{fmt.count(survival.events_by_type.death)} of {fmt.count(survival.n_patients)}"
    )
    return Section(
        f"Deaths (exact {confidence} CI)",
        rows=(
            (f"Any cause, up to {horizon}", deaths),
            row(
                "Of the transplant, ever",
                mortality.n_deaths,
                mortality.value,
                mortality.ci_low,
                mortality.ci_high,
            ),
            row("Of the transplant, by day 100", early.n_deaths, early.value, early.ci_low, early.ci_high),
        ),
        notes=(mortality.note,) if mortality.note else (),
    )


def definitions(summary: Summary) -> Iterator[tuple[str, str]]:
    """The protocol and each endpoint as a term and what it means."""
    yield protocol_definition(summary.protocol)
    for _, endpoint in _endpoints(summary.endpoints):
        yield endpoint.label, endpoint.definition
    yield (
        "NEDA-3",
        "no relapse, no new lesion and no confirmed worsening by that year. No: one of them came. "
        "Not evaluable: none came, and one is unknown or was last looked for before that year. A death alone "
        "is neither yes nor no.",
    )
    endpoints = summary.endpoints
    for counted in (
        endpoints.relapse_rate,
        endpoints.lesions,
        endpoints.disability,
        endpoints.transplant_related_mortality,
    ):
        yield counted.label, counted.definition
