"""What `ahsct summarize` shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ahsct_trial.catalogue import (
    DISABILITY,
    EVENTS,
    HEADLINE,
    LESIONS,
    NEDA3,
    RATE_ENDPOINTS,
    SURVIVAL_ENDPOINTS,
    RateEndpoint,
)
from ahsct_trial.columns import ATTRIBUTES
from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.sections import (
    Section,
    closing_section,
    look_first,
    protocol_definition,
    provenance,
    public,
    said_once,
    sentences,
    shared_notes,
    shared_sentences,
    survival_shown,
)
from ahsct_trial.results import (
    CohortInfo,
    Disability,
    Endpoints,
    Estimate,
    EventRate,
    EventRates,
    FollowUp,
    Mortality,
    NedaYear,
    ProtocolInfo,
    Summary,
    SurvivalEndpoint,
)
from ahsct_trial.wording import in_years, plural

#: What the columns of those who are not counted mean; it fits one line of 100 columns.
NOT_COUNTED = (
    "Lost: not observed that far. Late: event after observation ended. Left out: a component unknown."
)


def summary_sections(summary: Summary, *, is_full: bool = False) -> list[Section]:
    """Everything that `ahsct summarize` shows, from what must be looked at first to the account of rows.

    Parameters
    ----------
    summary
        The results.
    is_full
        Show each figure and definition, not the most important ones alone.
    """
    notices = public(summary.notices)
    results = results_in_full(summary) if is_full else _results(summary)
    return [
        *provenance(summary.source),
        *look_first(notices),
        headline_section(summary),
        *results,
        definitions_section(summary, is_full=is_full),
        closing_section(summary.source, summary.account, notices),
    ]


def _results(summary: Summary) -> list[Section]:
    return [
        patients_section(summary.cohort),
        _event_free(summary, is_full=False),
        _neda_in_lines(summary),
        _rates(summary, is_full=False),
        _disability_deaths_and_follow_up(summary),
    ]


def results_in_full(summary: Summary) -> list[Section]:
    """Each figure that the results have, but the curves."""
    return [
        patients_section(summary.cohort, is_full=True),
        *survival_sections(summary),
        *count_sections(summary),
    ]


def survival_sections(summary: Summary) -> list[Section]:
    """The survival endpoints at the horizon, what their first events were, and NEDA-3 by year."""
    return [
        _event_free(summary, is_full=True),
        _crude_and_medians(summary),
        _counts(summary),
        *_first_events(summary),
        _neda_by_year(summary),
    ]


def count_sections(summary: Summary) -> list[Section]:
    """Relapses and lesions, disability, deaths and follow-up."""
    return [
        _rates(summary, is_full=True),
        _disability(summary, is_full=True),
        _deaths_and_follow_up(summary, is_full=True),
    ]


def _endpoints(summary: Summary) -> Iterator[tuple[str, SurvivalEndpoint]]:
    """The survival endpoints with their short names."""
    for declared in SURVIVAL_ENDPOINTS:
        yield declared.short, getattr(summary.endpoints, declared.key)


def headline_section(summary: Summary) -> Section:
    """MS activity-free survival with its denominator, intervals and events."""
    endpoint: SurvivalEndpoint = getattr(summary.endpoints, HEADLINE.key)
    title = f"{endpoint.label} at {in_years(endpoint.horizon_years)}"
    lead = tuple(event_free_in_words(endpoint))
    if endpoint.n_event_free is None:
        return Section(title, lead=lead or (endpoint.note or "",))
    if endpoint.survival.value is None:
        return Section(title, lead=lead, notes=_without_repeats(endpoint.note))
    return Section(title, lead=lead, notes=_without_repeats(endpoint.note, endpoint.survival.note))


def event_free_in_words(endpoint: SurvivalEndpoint) -> list[str]:
    """The estimates with denominators, intervals and events; nothing where the data do not tell of it."""
    if endpoint.n_event_free is None:
        return []
    if endpoint.survival.value is None:
        # The crude share would be that of the patients with an event alone.
        return [f"No estimate: {events_in_words(endpoint)}."]
    lead = [
        f"{fmt.counted(endpoint.proportion)} evaluable patients event-free: "
        f"{fmt.with_interval(endpoint.proportion)}.",
        f"Kaplan–Meier {fmt.with_interval(survival_shown(endpoint))}: {events_in_words(endpoint)}.",
    ]
    if endpoint.median_years.value is not None:
        lead.append(f"Median time to the first event {fmt.with_interval(endpoint.median_years)}.")
    return lead


def _without_repeats(*texts: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))


def events_in_words(endpoint: SurvivalEndpoint) -> str:
    """How many had an event, of how many, and which came first."""
    n_events, n = endpoint.n_events or 0, endpoint.n_patients or 0
    types = f" ({events_first(endpoint)})" if n_events else ""
    return f"{n_events:,} {plural('event', n_events)} in {n:,} {plural('patient', n)}{types}"


def events_first(endpoint: SurvivalEndpoint) -> str:
    """The types of the first events with their counts: "new lesion 1, death 1"."""
    if endpoint.n_events is None:
        return fmt.NOTHING
    found = [
        f"{event.heading.lower()} {n:,}" for event in EVENTS if (n := endpoint.events_by_type.get(event.key))
    ]
    return ", ".join(found) or "none"


def patients_section(cohort: CohortInfo, *, is_full: bool = False) -> Section:
    """Who was treated."""
    sites = "" if cohort.n_sites is None else f" at {cohort.n_sites:,} {plural('site', cohort.n_sites)}"
    first = f"{cohort.n_patients:,} {plural('patient', cohort.n_patients)}{sites}"
    by_site = fmt.counts(cohort.site)
    lines = patients_in_words(cohort, is_full=is_full)
    missing = [
        f"{name} {n:,}"
        for name, n in cohort.n_missing.items()
        if n and name in {*(column.name for column in ATTRIBUTES), "edss_baseline"}
    ]
    return Section(
        "Who was treated",
        rows=(
            (first, "" if by_site == fmt.NOTHING else by_site),
            *((name, words) for name, words in lines.items() if words != fmt.NOTHING),
        ),
        notes=(f"Without a value: {', '.join(missing)}.",) if missing else (),
    )


def patients_in_words(cohort: CohortInfo, *, is_full: bool) -> dict[str, str]:
    """Attributes and baseline of the patients by their names; a dash for what the file lacks."""
    lines = {
        "Arm": fmt.counts(cohort.arm),
        "Sex, age (years)": _several(fmt.counts(cohort.sex), fmt.distribution(cohort.age_years, 0)),
        "Course, EDSS at baseline": _several(
            fmt.counts(cohort.ms_course), fmt.distribution(cohort.edss_baseline, 1)
        ),
        "Treatment": _several(
            fmt.counts(cohort.conditioning),
            fmt.counts(cohort.graft),
            f"earlier therapy had failed: {fmt.counts(cohort.prior_therapy)}"
            if cohort.prior_therapy
            else fmt.NOTHING,
        ),
    }
    if is_full:
        lines["Relapse history (years)"] = fmt.distribution(cohort.years_observed_before, 1)
    return lines


def _several(*parts: str) -> str:
    return "; ".join(part for part in parts if part != fmt.NOTHING) or fmt.NOTHING


def _event_free(summary: Summary, *, is_full: bool) -> Section:
    """Who is event-free at the horizon, with the first events of the others and who is not counted."""
    endpoints = list(_endpoints(summary))
    confidence, horizon = (
        fmt.level(summary.protocol.confidence_level),
        in_years(summary.protocol.horizon_years),
    )
    rows = (
        (
            name,
            fmt.fraction(each.n_event_free, each.n_evaluable),
            fmt.with_limits(survival_shown(each)),
            events_first(each),
            fmt.count(each.n_not_followed),
            fmt.count(each.n_late_events),
            fmt.count(each.n_unknown),
        )
        for name, each in endpoints
    )
    headings = (
        "",
        "Event-\nfree",
        f"Kaplan–Meier\n({confidence} CI)",
        "First events",
        "Lost",
        "Late",
        "Left\nout",
    )
    return Section(
        f"Event-free at {horizon}",
        headings=headings,
        rows=said_once(rows),
        texts=frozenset({0, len(headings) - 4}),
        notes=(NOT_COUNTED, *_beta_product(endpoints), *_notes_of(endpoints[1:], is_full=is_full)),
    )


def _notes_of(endpoints: Iterable[tuple[str, SurvivalEndpoint]], *, is_full: bool) -> tuple[str, ...]:
    """What must be said of the other endpoints; in short, only why there is no figure."""
    return shared_notes(
        ((name, each.note) for name, each in endpoints if is_full or each.survival.value is None),
        between=", ",
    )


def _beta_product(endpoints: Iterable[tuple[str, SurvivalEndpoint]]) -> Iterator[str]:
    if any(each.survival_beta_product.value is not None for _, each in endpoints):
        stands_in = fmt.method(Estimate(unit="share", ci_method="beta-product"))
        yield f"At 0 and 100 % the limits are those of the {stands_in} interval."


def _crude_and_medians(summary: Summary) -> Section:
    """The crude shares with their exact intervals, and the median times to an event."""
    confidence = fmt.level(summary.protocol.confidence_level)
    return Section(
        f"Crude share of the evaluable at {in_years(summary.protocol.horizon_years)}, and median years to "
        "the event",
        headings=("", "Event-free", f"Crude\n(exact {confidence} CI)", f"Median years\n({confidence} CI)"),
        rows=said_once(
            (
                name,
                fmt.counted(each.proportion),
                fmt.with_limits(each.proportion),
                median_years(each.median_years, each.n_patients),
            )
            for name, each in _endpoints(summary)
        ),
    )


def median_years(median: Estimate, n: int | None) -> str:
    """A median time with its limits, or that it is not reached, of so many patients."""
    if median.value is None:
        return "not reached" if n else fmt.NOTHING
    return f"{fmt.bare(median.value, median.unit)} ({fmt.limits(median)})"


def _counts(summary: Summary) -> Section:
    """The counts behind the survival estimates."""
    return Section(
        f"Counts up to {in_years(summary.protocol.horizon_years)}",
        headings=("", "Patients", "Events", "Censored", "of whom\ndied", "At risk", "Left out\nwith event"),
        rows=said_once(
            (
                name,
                fmt.count(each.n_patients),
                fmt.count(each.n_events),
                fmt.count(each.n_censored),
                fmt.count(each.n_censored_died),
                fmt.count(each.n_at_risk),
                fmt.count(each.n_unknown_with_event),
            )
            for name, each in _endpoints(summary)
        ),
    )


def _first_events(summary: Summary) -> list[Section]:
    """The cumulative incidence of each type of first event, of the endpoints that have more than one."""
    confidence = fmt.level(summary.protocol.confidence_level)
    rows = tuple(
        (
            f"{name}: {event.heading.lower()}",
            fmt.count(each.events_by_type[event.key]),
            fmt.with_limits(incidence),
        )
        for name, each in _endpoints(summary)
        if len(each.incidence) > 1
        for event in EVENTS
        if (incidence := each.incidence.get(event.key)) is not None
    )
    if not rows:
        return []
    return [
        Section(
            f"First events up to {in_years(summary.protocol.horizon_years)}, the others competing",
            headings=("", "Patients", f"Cumulative incidence\n({confidence} CI)"),
            rows=rows,
        )
    ]


def _neda_in_lines(summary: Summary) -> Section:
    """NEDA-3 by year, each in a line that says what its percentage leaves out."""
    rows = list(said_once((f"{year.years}", _neda_words(year)) for year in summary.endpoints.neda3))
    return Section(
        NEDA3.label,
        rows=tuple((f"By year {_and(years)}", words) for years, words in rows),
        notes=tuple(dict.fromkeys(year.note for year in summary.endpoints.neda3 if year.note)),
    )


def _and(years: str) -> str:
    return fmt.listed(years.split(", "))


def _neda_words(year: NedaYear) -> str:
    if year.n_yes is None:
        return fmt.NOTHING
    words = f"{fmt.counted(year.proportion)} evaluable"
    if year.proportion.value is not None:
        words += f", {fmt.with_interval(year.proportion)}"
    if year.n_not_evaluable:
        words += (
            f"; {year.n_not_evaluable:,} not evaluable{_of_whom_died(year)}: of all at least "
            f"{fmt.counted(year.lowest)} "
            f"({fmt.value(year.lowest)}), at most {fmt.counted(year.highest)} ({fmt.value(year.highest)})"
        )
    return words


def _of_whom_died(year: NedaYear) -> str:
    if not year.n_not_evaluable_died:
        return ""
    if year.n_not_evaluable_died == year.n_not_evaluable:
        return ", who died" if year.n_not_evaluable == 1 else ", all of whom died"
    return f", of whom {year.n_not_evaluable_died:,} died"


def _neda_by_year(summary: Summary) -> Section:
    years = summary.endpoints.neda3
    confidence = fmt.level(summary.protocol.confidence_level)
    return Section(
        NEDA3.label,
        headings=(
            "Year",
            "Yes",
            "No",
            "Not\nevaluable",
            "of whom\ndied",
            f"Yes of evaluable\n(exact {confidence} CI)",
            "Of all,\nat least",
            "Of all,\nat most",
        ),
        rows=said_once(
            (
                str(row.years),
                fmt.count(row.n_yes),
                fmt.count(row.n_no),
                fmt.count(row.n_not_evaluable),
                fmt.count(row.n_not_evaluable_died),
                fmt.with_limits(row.proportion),
                fmt.value(row.lowest),
                fmt.value(row.highest),
            )
            for row in years
        ),
        notes=tuple(dict.fromkeys(row.note for row in years if row.note)),
    )


def _rates(summary: Summary, *, is_full: bool) -> Section:
    """Relapses and lesions before and after, and their ratios."""
    confidence = fmt.level(summary.protocol.confidence_level)
    headings: tuple[str, ...]
    rates: dict[RateEndpoint, EventRates] = {
        declared: getattr(summary.endpoints, declared.key) for declared in RATE_ENDPOINTS
    }
    rows = [row for declared, each in rates.items() for row in _rate_rows(declared, each, is_full=is_full)]
    headings = ("", "Patients", "Count", "Over", "Rate", f"{confidence} CI", "Interval")
    if not is_full and {row[1] for row in rows} <= {fmt.count(summary.cohort.n_patients)}:
        # That it is all of them is known from above.
        headings, rows = (headings[0], *headings[2:]), [(row[0], *row[2:]) for row in rows]
    said = [
        (side, note)
        for declared, each in rates.items()
        for side, note in (
            (f"{declared.short} before", each.before.note),
            (f"{declared.short} after", each.after.note),
            (f"{declared.short}, ratio", each.note),
        )
    ]
    return Section(
        "Relapses and lesions",
        headings=headings,
        rows=tuple(rows),
        texts=frozenset({0, len(headings) - 1}),
        notes=(
            *_scans_with_lesions(rates[LESIONS].after),
            *(_dispersions(rates) if is_full else ()),
            *shared_notes(said, between=", "),
            " ".join(shared_sentences(each.definition for each in rates.values())),
        ),
    )


def _rate_rows(declared: RateEndpoint, rates: EventRates, *, is_full: bool) -> Iterator[tuple[str, ...]]:
    for name, side in (("before", rates.before), ("after", rates.after)):
        for at, each in enumerate(_intervals(side.rate, side.rate_negative_binomial, is_full=is_full)):
            counts = (
                fmt.count(side.n_patients),
                fmt.count(side.n_events),
                _exposure(declared, side.exposure),
                fmt.bare(each.value, each.unit),
            )
            yield (
                f"{declared.short} {name}",
                *(("",) * 4 if at else counts),
                fmt.limits(each),
                fmt.method(each),
            )
    for at, each in enumerate(_intervals(rates.ratio, rates.ratio_negative_binomial, is_full=is_full)):
        yield (
            "  after ÷ before",
            "" if at else fmt.count(rates.n_patients_in_ratio),
            "",
            "",
            "" if at and each.value == rates.ratio.value else fmt.bare(each.value, each.unit),
            fmt.limits(each),
            fmt.method(each),
        )


def _intervals(exact: Estimate, negative_binomial: Estimate, *, is_full: bool) -> list[Estimate]:
    """The statistic with the intervals to show: the negative-binomial one if there is one, in full both."""
    has_other = negative_binomial.value is not None or negative_binomial.ci_high is not None
    if is_full:
        return [exact, negative_binomial] if has_other else [exact]
    return [negative_binomial if has_other else exact]


def _exposure(declared: RateEndpoint, exposure: float | None) -> str:
    if exposure is None:
        return fmt.NOTHING
    if declared.unit == "per_year":
        return f"{exposure:,.1f} years"
    return f"{exposure:,.0f} {declared.exposure}"


def _scans_with_lesions(after: EventRate) -> Iterator[str]:
    scans = after.scans_with_lesions
    if scans.value is not None:
        yield f"Scans after with a new lesion: {fmt.counted(scans)}, {fmt.with_interval(scans)}."


def _dispersions(rates: dict[RateEndpoint, EventRates]) -> Iterator[str]:
    known = [
        f"{declared.short.lower()} {when} {fmt.number(side.dispersion, 2)}"
        for declared, each in rates.items()
        for when, side in (("before", each.before), ("after", each.after))
        if side.dispersion is not None
    ]
    if known:
        yield f"Dispersion: {', '.join(known)}."


def _disability(summary: Summary, *, is_full: bool) -> Section:
    disability = summary.endpoints.disability
    n = disability.n_patients
    edss = [
        f"{fmt.median_and_range(values, 1)} {when}"
        for when, values in (("at baseline", disability.edss_baseline), ("last", disability.edss_last))
        if values.n
    ]
    rows = (
        ("Confirmed worsening", fmt.share(disability.worsened)),
        ("Confirmed improvement", fmt.share(disability.improved)),
        *(
            (("Both", fmt.fraction(disability.n_both, n)), ("Neither", fmt.fraction(disability.n_neither, n)))
            if is_full
            else ()
        ),
        # In short the notice at the top says it.
        *((("Worse at the last visit, unconfirmed", fmt.share(disability.unconfirmed)),) if is_full else ()),
        ("EDSS, median (range)", "; ".join(edss) or fmt.NOTHING),
    )
    return Section(
        f"{DISABILITY.label} (exact {fmt.level(summary.protocol.confidence_level)} CI)",
        rows=tuple(row for row in rows if row[1] != fmt.NOTHING),
        notes=_without_repeats(disability.note),
    )


def _disability_deaths_and_follow_up(summary: Summary) -> Section:
    """In short, one list of both."""
    parts = (_disability(summary, is_full=False), _deaths_and_follow_up(summary, is_full=False))
    return Section(
        f"Disability, deaths (exact {fmt.level(summary.protocol.confidence_level)} CI) and follow-up",
        rows=tuple(row for part in parts for row in part.rows),
        notes=_without_repeats(*(note for part in parts for note in part.notes)),
    )


def _deaths_and_follow_up(summary: Summary, *, is_full: bool) -> Section:
    deaths = summary.endpoints.mortality
    horizon = in_years(summary.protocol.horizon_years)
    rows = [
        *_said_together(
            "Deaths",
            ("by day 100", fmt.share(deaths.all_cause_by_day_100)),
            (f"by {horizon}", fmt.share(deaths.all_cause)),
        ),
        *_said_together(
            "  transplant-related",
            (
                "by day 100",
                _between(
                    deaths.transplant_related_by_day_100,
                    deaths.transplant_related_by_day_100_lowest,
                    deaths.transplant_related_by_day_100_highest,
                ),
            ),
            (
                "ever",
                _between(
                    deaths.transplant_related,
                    deaths.transplant_related_lowest,
                    deaths.transplant_related_highest,
                ),
            ),
        ),
    ]
    if is_full:
        incidence = deaths.incidence_by_day_100
        counts = (
            f", with {fmt.counted(deaths.all_cause_by_day_100)} counted"
            if incidence.value is not None
            else ""
        )
        rows.append(("Incidence by day 100", f"{fmt.with_interval(incidence)}{counts}"))
    rows += _follow_up(summary.cohort.follow_up, horizon)
    return Section(
        f"Deaths (exact {fmt.level(summary.protocol.confidence_level)} CI) and follow-up",
        rows=tuple(row for row in rows if row[1] != fmt.NOTHING),
        notes=_without_repeats(deaths.note),
    )


def _between(share: Estimate, lowest: Estimate, highest: Estimate) -> str:
    """A share, or where causes are unknown what it is at least and at most."""
    if share.value is not None or lowest.n is None:
        return fmt.share(share)
    return f"at least {fmt.share(lowest)}; at most {fmt.share(highest)}"


def _said_together(what: str, *figures: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """One row for each time by which a death counts, or one for those that say the same."""
    for when, words in said_once(figures):
        yield f"{what} {fmt.listed(when.split(', '))}", words


def _follow_up(follow_up: FollowUp, horizon: str) -> Iterator[tuple[str, str]]:
    survivors = f"; survivors {fmt.median_and_range(follow_up.survivors, 1)}" if follow_up.survivors.n else ""
    yield "Follow-up, median years (range)", f"{fmt.median_and_range(follow_up, 1)}{survivors}"
    reverse, complete = follow_up.reverse_kaplan_meier, follow_up.completeness
    median = reverse.note or fmt.NOTHING
    if reverse.value is not None:
        confidence = fmt.level(reverse.confidence_level or 0)
        median = f"{fmt.bare(reverse.value, reverse.unit)} ({confidence} CI {fmt.limits(reverse)})"
    share = f"; {fmt.value(complete)} complete to {horizon}" if complete.value is not None else ""
    yield "  by reverse Kaplan–Meier", median + share


def definitions_section(summary: Summary, *, is_full: bool = True) -> Section:
    """The protocol, what each endpoint counts, and apart from them the rules that several share."""
    terms = definitions(summary.protocol, summary.endpoints, is_full=is_full)
    lead = tuple(f"{term}: {words}" for term, words in terms)
    title = "Definitions" if is_full else "Definitions (all of them, in full: --full)"
    return Section(title, lead=lead)


def definitions(
    protocol: ProtocolInfo, endpoints: Endpoints, *, is_full: bool = True
) -> Iterator[tuple[str, str]]:
    """The protocol, each endpoint and the rules that several share, as a term and what it means.

    In short: the headline's definition, and what the other survival endpoints count.
    """
    yield protocol_definition(protocol)
    survival: dict[str, SurvivalEndpoint] = {
        declared.key: getattr(endpoints, declared.key) for declared in SURVIVAL_ENDPOINTS
    }
    shared = shared_sentences(each.definition for each in survival.values())
    for endpoint in survival.values() if is_full else [survival[HEADLINE.key]]:
        unshared = [sentence for sentence in sentences(endpoint.definition) if sentence not in shared]
        yield endpoint.label, " ".join(unshared)
    if not is_full:
        yield "Likewise to the first of", f"{'; '.join(_counted(protocol, endpoints))}."
    if shared:
        yield "Shared by these", " ".join(shared)
    if not is_full:
        return
    for year in endpoints.neda3[:1]:
        yield NEDA3.short, year.definition
    rates: list[EventRates] = [getattr(endpoints, declared.key) for declared in RATE_ENDPOINTS]
    said = {*shared, *shared_sentences(each.definition for each in rates)}
    counted: tuple[EventRates | Disability | Mortality, ...] = (
        *rates,
        endpoints.disability,
        endpoints.mortality,
    )
    for each in counted:
        unshared = [sentence for sentence in sentences(each.definition) if sentence not in said]
        said.update(unshared)
        yield each.label, " ".join(unshared)


def _counted(protocol: ProtocolInfo, endpoints: Endpoints) -> Iterator[str]:
    """What the other survival endpoints count, from their definitions: "relapse and death (Relapse-free)"."""
    begin = f"Time from {protocol.time_zero} to "
    for declared in SURVIVAL_ENDPOINTS[1:]:
        first, *_ = sentences(getattr(endpoints, declared.key).definition)
        events = first.removeprefix(begin).removeprefix("the first of ").removesuffix(".")
        yield f"{events} ({declared.short})"
