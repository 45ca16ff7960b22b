"""What `ahsct compare` shows: groups side by side, and what separates them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ahsct_trial.catalogue import (
    DISABILITY,
    EVENTS,
    MORTALITY,
    NEDA3,
    RATE_ENDPOINTS,
    SURVIVAL_ENDPOINTS,
)
from ahsct_trial.catalogue import SurvivalEndpoint as Endpoint
from ahsct_trial.columns import ATTRIBUTES
from ahsct_trial.escaping import shown
from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.sections import (
    Section,
    closing_section,
    look_first,
    protocol_definition,
    provenance,
    public,
    said_once,
    shared_notes,
    survival_shown,
)
from ahsct_trial.rendering.sections.summarize import (
    NOT_COUNTED,
    events_first,
    median_years,
    patients_in_words,
)
from ahsct_trial.results import (
    Comparison,
    Contrast,
    Endpoints,
    Estimate,
    EventRates,
    NedaContrast,
    RateContrast,
    ShareContrast,
    SurvivalContrast,
    SurvivalEndpoint,
)
from ahsct_trial.wording import in_a_sentence, in_years, plural

#: Whose likelihood a hazard ratio comes from, where there is no room for the method's full name.
LIKELIHOODS = {"cox-efron-profile": "Cox", "firth-profile": "Firth"}
#: The columns whose empty cells stand below the table of the groups' patients.
_DESCRIBED = {*(column.name for column in ATTRIBUTES), "edss_baseline"}


def comparison_sections(comparison: Comparison) -> list[Section]:
    """What `ahsct compare` shows, each group's follow-up before anything that separates them."""
    notices = public(comparison.notices)
    return [
        *provenance(comparison.source),
        *look_first(notices),
        groups_section(comparison),
        event_free_section(comparison),
        *(section for section in [counts_section(comparison)] if section.rows),
        *contrast_sections(comparison),
        *first_events_sections(comparison),
        _explained(comparison),
        closing_section(comparison.source, comparison.account, notices),
    ]


def contrast_sections(comparison: Comparison) -> list[Section]:
    """What separates each group from the reference, and for more than two the test over all."""
    return [
        *(
            section
            for contrast in comparison.contrasts
            for section in (
                _differences(comparison, contrast),
                _over_all_follow_up(comparison, contrast),
                _other_contrasts(comparison, contrast),
            )
            if section.rows
        ),
        *_log_rank_over_all(comparison),
    ]


def endpoints_in_file(comparison: Comparison) -> list[Endpoint]:
    """The survival endpoints of which some group has a figure."""
    return [
        declared
        for declared in SURVIVAL_ENDPOINTS
        if any(getattr(group.endpoints, declared.key).n_events is not None for group in comparison.groups)
    ]


def _confidence(comparison: Comparison) -> str:
    return fmt.level(comparison.protocol.confidence_level)


def headline_of(comparison: Comparison) -> Endpoint | None:
    """MS activity-free survival, or the first survival endpoint of which the file has a figure."""
    return next(iter(endpoints_in_file(comparison)), None)


def groups_section(comparison: Comparison) -> Section:
    """How many are in each group, and how they were followed: before anything that separates them."""
    by, horizon = comparison.by, in_years(comparison.protocol.horizon_years)
    rows = []
    for group in comparison.groups:
        cohort, follow_up = group.cohort, group.cohort.follow_up
        mark = " (reference)" if group.level == by.reference else ""
        rows.append(
            (
                f"{shown(group.level)}{mark}",
                fmt.count(cohort.n_patients),
                median_years(follow_up.reverse_kaplan_meier, cohort.n_patients),
                fmt.value(follow_up.completeness),
                fmt.number(cohort.age_years.median, 0),
                fmt.number(cohort.edss_baseline.median, 1),
            )
        )
    strata = "" if by.strata is None else f", within the levels of {shown(by.strata)}"
    return Section(
        f"By {shown(by.column)}{strata}",
        headings=(
            "",
            "Patients",
            f"Median follow-up, years\n({_confidence(comparison)} CI)",
            f"Complete to\n{horizon}",
            "Median\nage",
            "Median\nEDSS",
        ),
        rows=tuple(rows),
        notes=("Median follow-up by reverse Kaplan–Meier.",),
    )


def event_free_section(comparison: Comparison) -> Section:
    """Each survival endpoint of each group at the horizon; a row of its own names it, so that 80 columns hold all."""
    rows = []
    for declared in endpoints_in_file(comparison):
        rows.append((declared.short, *[""] * 6))
        for group in comparison.groups:
            each: SurvivalEndpoint = getattr(group.endpoints, declared.key)
            rows.append(
                (
                    f"  {shown(group.level)}",
                    fmt.fraction(each.n_event_free, each.n_evaluable),
                    fmt.with_limits(survival_shown(each)),
                    events_first(each),
                    fmt.count(each.n_not_followed),
                    fmt.count(each.n_late_events),
                    fmt.count(each.n_unknown),
                )
            )
    title = f"Event-free at {in_years(comparison.protocol.horizon_years)}"
    if not rows:
        return Section(title, lead=_not_in_file(comparison))
    return Section(
        title,
        headings=(
            "",
            "Event-\nfree",
            f"Kaplan–Meier\n({_confidence(comparison)} CI)",
            "First events",
            "Lost",
            "Late",
            "Left\nout",
        ),
        rows=tuple(rows),
        texts=frozenset({0, 3}),
        notes=(
            NOT_COUNTED,
            *_beta_product(comparison),
            *_not_in_file(comparison),
        ),
    )


def _beta_product(comparison: Comparison) -> Iterator[str]:
    endpoints = (
        getattr(group.endpoints, declared.key)
        for group in comparison.groups
        for declared in SURVIVAL_ENDPOINTS
    )
    if any(survival_shown(each) is not each.survival for each in endpoints):
        yield "At 0 and 100 % the limits are those of the beta product interval."


def _not_in_file(comparison: Comparison) -> tuple[str, ...]:
    endpoints = comparison.groups[0].endpoints
    there = endpoints_in_file(comparison)
    return shared_notes(
        (
            (declared.short, getattr(endpoints, declared.key).note)
            for declared in SURVIVAL_ENDPOINTS
            if declared not in there
        ),
        between=", ",
    )


def counts_section(comparison: Comparison) -> Section:
    """The groups' other figures: a row for each, a column for each group."""
    figures: list[tuple[str, Callable[[Endpoints], str]]] = []
    for declared in RATE_ENDPOINTS:
        figures += [
            (f"{declared.short} {side}", _rate_of(declared.key, side)) for side in ("before", "after")
        ]
    figures += [
        ("Confirmed worsening", lambda each: fmt.share(each.disability.worsened)),
        ("Confirmed improvement", lambda each: fmt.share(each.disability.improved)),
        ("Deaths by day 100", lambda each: fmt.share(each.mortality.all_cause_by_day_100)),
    ]
    figures += [
        (f"{NEDA3.short} by year {at + 1}", _neda_of(at))
        for at in range(len(comparison.groups[0].endpoints.neda3))
    ]
    rows = [(name, *(figure(group.endpoints) for group in comparison.groups)) for name, figure in figures]
    return Section(
        f"Other figures of each group ({_confidence(comparison)} CI)",
        headings=("", *(shown(group.level) for group in comparison.groups)),
        rows=tuple(row for row in said_once(rows) if any(cell != fmt.NOTHING for cell in row[1:])),
        notes=(f"Intervals are exact{_but_negative_binomial(comparison)}.",),
    )


def _but_negative_binomial(comparison: Comparison) -> str:
    """Which rates of which groups have another interval, since their counts vary more than Poisson's."""
    found = [
        f"{declared.short.lower()} {side} in {shown(group.level)}"
        for declared in RATE_ENDPOINTS
        for side in ("before", "after")
        for group in comparison.groups
        if getattr(getattr(group.endpoints, declared.key), side).rate_negative_binomial.value is not None
    ]
    return f", but negative binomial for {fmt.listed(found)}" if found else ""


def _rate_of(key: str, side: str) -> Callable[[Endpoints], str]:
    def words(endpoints: Endpoints) -> str:
        rates: EventRates = getattr(endpoints, key)
        rate = getattr(rates, side)
        other = rate.rate_negative_binomial
        return fmt.with_limits(rate.rate if other.value is None else other)

    return words


def _neda_of(at: int) -> Callable[[Endpoints], str]:
    return lambda endpoints: fmt.share(endpoints.neda3[at].proportion)


def _minus(contrast: Contrast) -> str:
    return f"{shown(contrast.level)} − {shown(contrast.reference)}"


def _differences(comparison: Comparison, contrast: Contrast) -> Section:
    """What separates a group from the reference at the horizon."""
    rows: list[tuple[str, ...]] = []
    said: list[tuple[str, str | None]] = []
    for declared in endpoints_in_file(comparison):
        endpoint: SurvivalContrast = getattr(contrast.endpoints, declared.key)
        rows.append(
            (
                declared.short,
                _bare(endpoint.survival_difference),
                _bare(endpoint.rmst_difference),
                _bare(endpoint.risk_difference),
                fmt.p_value(endpoint.p_exact),
            )
        )
        said.append(
            (
                declared.short,
                joined(
                    endpoint.note,
                    endpoint.survival_difference.note,
                    endpoint.rmst_difference.note,
                    endpoint.risk_difference.note,
                ),
            )
        )
    confidence = _confidence(comparison)
    return Section(
        f"{_minus(contrast)}: differences at {in_years(comparison.protocol.horizon_years)}",
        headings=(
            "",
            f"Survival, points\n({confidence} CI)",
            f"Mean event-free\nyears ({confidence} CI)",
            f"Crude risk, points\n({confidence} CI)",
            "Boschloo\np",
        ),
        rows=said_once(rows),
        notes=shared_notes(said, between=", "),
    )


def joined(*notes: str | None) -> str:
    """Notes as one text, each once."""
    return " ".join(dict.fromkeys(filter(None, notes)))


def _bare(estimate: Estimate) -> str:
    """A statistic with its limits, its unit standing at the head of the column."""
    if estimate.value is None:
        limits = fmt.limits(estimate)
        return fmt.NOTHING if limits == fmt.NOTHING else f"– ({limits})"
    words = fmt.bare(estimate.value, estimate.unit)
    limits = fmt.limits(estimate)
    return words if limits == fmt.NOTHING else f"{words} ({limits})"


def _over_all_follow_up(comparison: Comparison, contrast: Contrast) -> Section:
    rows: list[tuple[str, ...]] = []
    said: list[tuple[str, str | None]] = []
    for declared in endpoints_in_file(comparison):
        endpoint: SurvivalContrast = getattr(contrast.endpoints, declared.key)
        rows.append(
            (
                declared.short,
                _bare(endpoint.hazard_ratio),
                fmt.p_value(endpoint.hazard_ratio_p),
                fmt.p_value(endpoint.log_rank.p),
                fmt.p_value(endpoint.log_rank.p_exact),
            )
        )
        said.append((declared.short, joined(*_how(endpoint))))
    return Section(
        f"{shown(contrast.level)} ÷ {shown(contrast.reference)}: over all follow-up",
        headings=(
            "",
            f"Hazard ratio\n({_confidence(comparison)} CI)",
            "Likelihood-\nratio p",
            "Log-rank\np",
            "Permutation\np",
        ),
        rows=said_once(rows),
        notes=shared_notes(said, between=", "),
    )


def _how(contrast: SurvivalContrast) -> Iterator[str | None]:
    """How the ratio and the permutation p were found, or why there is none."""
    if contrast.hazard_ratio.value is not None:
        yield f"{fmt.method(contrast.hazard_ratio)}."
    yield contrast.hazard_ratio.note
    yield contrast.log_rank.note


def _other_contrasts(comparison: Comparison, contrast: Contrast) -> Section:
    endpoints = contrast.endpoints
    rows = []
    for declared in RATE_ENDPOINTS:
        rate: RateContrast = getattr(endpoints, declared.key)
        other = rate.ratio_negative_binomial
        shown_ratio = rate.ratio if other.value is None and other.ci_high is None else other
        rows.append(
            (f"{declared.short} after, ratio", _bare(shown_ratio), fmt.NOTHING, fmt.method(shown_ratio))
        )
    shares: list[tuple[str, ShareContrast | NedaContrast]] = [
        (f"{DISABILITY.label}: worsened", endpoints.disability.worsened),
        (f"{DISABILITY.label}: improved", endpoints.disability.improved),
        (f"{MORTALITY.short} by day 100", endpoints.mortality.all_cause_by_day_100),
        *((f"{NEDA3.short} by year {year.years}", year) for year in endpoints.neda3),
    ]
    rows += [
        (
            f"{name}, points",
            _bare(share.risk_difference),
            fmt.p_value(share.p_exact),
            fmt.method(share.risk_difference),
        )
        for name, share in shares
    ]
    return Section(
        f"{shown(contrast.level)} against {shown(contrast.reference)}: other figures",
        headings=("", f"Ratio or difference\n({_confidence(comparison)} CI)", "Boschloo\np", "Interval"),
        rows=tuple(row for row in rows if row[1] != fmt.NOTHING),
        texts=frozenset({0, 3}),
        notes=shared_notes(
            ((name, share.risk_difference.note) for name, share in shares if share.risk_difference.ci_method),
            between=", ",
        ),
    )


def first_events_sections(comparison: Comparison) -> list[Section]:
    """The cumulative incidence of each type of first event that occurred, with Gray's test beside it."""
    rows = []
    for declared in endpoints_in_file(comparison):
        gray = comparison.tests[declared.key].gray
        for event in EVENTS:
            test = gray.get(event.key)
            if test is None:
                continue
            for at, group in enumerate(comparison.groups):
                each: SurvivalEndpoint = getattr(group.endpoints, declared.key)
                rows.append(
                    (
                        "" if at else f"{declared.short}: {event.heading.lower()}",
                        shown(group.level),
                        fmt.count(each.events_by_type[event.key]),
                        fmt.with_limits(each.incidence[event.key]),
                        *(
                            ("", "", "")
                            if at
                            else (fmt.number(test.statistic, 2), fmt.count(test.df), fmt.p_value(test.p))
                        ),
                    )
                )
    if not rows:
        return []
    section = Section(
        f"First events by {in_years(comparison.protocol.horizon_years)}, the others competing",
        headings=(
            "",
            "Group",
            "n",
            f"Cumulative incidence\n({_confidence(comparison)} CI)",
            "Gray's\nχ²",
            "df",
            "Gray's\np",
        ),
        rows=tuple(rows),
        texts=frozenset({0, 1}),
        notes=(
            f"Gray's test: of {'both' if len(comparison.groups) == 2 else 'all'} groups, over all follow-up.",
        ),
    )
    return [section]


def _log_rank_over_all(comparison: Comparison) -> list[Section]:
    """The log-rank test where there are more than two groups; that of two stands beside their contrast."""
    tests = {
        declared.short: comparison.tests[declared.key].log_rank for declared in endpoints_in_file(comparison)
    }
    n_groups = len(comparison.groups)
    if n_groups == 2:
        return []
    section = Section(
        f"Log-rank test over all {n_groups} groups and all follow-up",
        headings=("", "χ²", "df", "p"),
        rows=tuple(
            (name, fmt.number(test.statistic, 2), fmt.count(test.df), fmt.p_value(test.p))
            for name, test in tests.items()
        ),
        notes=(
            "It says whether the groups differ, not which or by how much: that is in the contrasts above.",
            *shared_notes(((name, test.note) for name, test in tests.items()), between=", "),
        ),
    )
    return [section]


def _explained(comparison: Comparison) -> Section:
    return Section(
        "How to read this",
        lead=(
            ": ".join(protocol_definition(comparison.protocol)),
            *how_to_read(comparison),
            *(
                f"{endpoint.label}: {endpoint.definition}"
                for endpoint in (
                    getattr(comparison.groups[0].endpoints, each.key)
                    for each in endpoints_in_file(comparison)[:1]
                )
            ),
        ),
    )


def how_to_read(comparison: Comparison) -> tuple[str, ...]:
    """What must be known to read a contrast."""
    n = len(comparison.contrasts)
    return (
        "Differences are level − reference, ratios level ÷ reference; the reference is "
        f"{shown(comparison.by.reference)}.",
        "Survival: square and add from each group's limits. Crude risk: of an event, of those who had one or "
        "were observed to the horizon; Miettinen and Nurminen's limits, p by Boschloo's test. Mean event-free "
        "years: restricted to the horizon. Log-rank by permutation: for two groups.",
        f"{n:,} {plural('contrast', n)}, each of several endpoints: no p-value is adjusted for their number.",
    )


def ratio_in_words(comparison: Comparison, contrast: Contrast, key: str) -> str:
    """The hazard ratio with its interval and likelihood, and the log-rank p beside it, in one line."""
    endpoint: SurvivalContrast = getattr(contrast.endpoints, key)
    ratio = endpoint.hazard_ratio
    name = f"Hazard ratio, {shown(contrast.level)} ÷ {shown(contrast.reference)}"
    if ratio.value is None:
        return f"{name}: {in_a_sentence(ratio.note or 'none')}"
    level = fmt.level(ratio.confidence_level or 0)
    within = "" if comparison.by.strata is None else f", within the levels of {shown(comparison.by.strata)}"
    return (
        f"{name}: {fmt.value(ratio)} ({level} CI {fmt.limits(ratio)}), {LIKELIHOODS[ratio.ci_method or '']}; "
        f"log-rank p {fmt.p_value(endpoint.log_rank.p)}{within}"
    )


def contrast_in_words(comparison: Comparison, contrast: Contrast, key: str) -> list[str]:
    """What separates a group from the reference in an endpoint, in sentences."""
    endpoint: SurvivalContrast = getattr(contrast.endpoints, key)
    at = in_years(comparison.protocol.horizon_years)
    difference = endpoint.survival_difference
    said = fmt.with_interval(difference)
    if difference.value is None:
        said = in_a_sentence(difference.note or "no difference can be given")
    return [
        f"Survival at {at}, {_minus(contrast)}: {said}.",
        f"{ratio_in_words(comparison, contrast, key)}.",
    ]


def baseline_section(comparison: Comparison) -> Section:
    """Who is in each group: a column for each."""
    cohorts = [group.cohort for group in comparison.groups]
    words = [patients_in_words(cohort, is_full=True) for cohort in cohorts]
    rows = [
        ("Patients", *(fmt.count(cohort.n_patients) for cohort in cohorts)),
        ("Sites", *(fmt.counts(cohort.site) for cohort in cohorts)),
        *(
            (name, *(of_group[name] for of_group in words))
            for name in words[0]
            if name.lower() != comparison.by.column
        ),
    ]
    missing = {
        shown(group.level): ", ".join(
            f"{name} {n:,}" for name, n in group.cohort.n_missing.items() if n and name in _DESCRIBED
        )
        for group in comparison.groups
    }
    return Section(
        f"Who is in each group by {shown(comparison.by.column)}",
        headings=("", *(shown(group.level) for group in comparison.groups)),
        rows=tuple(row for row in rows if any(cell != fmt.NOTHING for cell in row[1:])),
        texts=frozenset(range(len(cohorts) + 1)),
        notes=tuple(f"{level}, without a value: {names}." for level, names in missing.items() if names),
    )
