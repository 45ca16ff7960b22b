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
from ahsct_trial.escaping import shown
from ahsct_trial.rendering import formats as fmt
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
from ahsct_trial.rendering.sections.summarize import NOT_COUNTED, events_first, median_years
from ahsct_trial.results import (
    Comparison,
    Contrast,
    Endpoints,
    Estimate,
    EventRates,
    RateContrast,
    ShareContrast,
    SurvivalContrast,
    SurvivalEndpoint,
)
from ahsct_trial.wording import in_years, plural


def comparison_sections(comparison: Comparison) -> list[Section]:
    """What `ahsct compare` shows, each group's follow-up before anything that separates them."""
    notices = public(comparison.notices)
    contrasts = [
        section
        for contrast in comparison.contrasts
        for section in (
            _differences(comparison, contrast),
            _over_all_follow_up(comparison, contrast),
            _other_contrasts(comparison, contrast),
        )
    ]
    return [
        *provenance(comparison.source),
        *look_first(notices),
        _groups(comparison),
        _event_free(comparison),
        _counts(comparison),
        *contrasts,
        *_tests(comparison),
        _explained(comparison),
        closing_section(comparison.source, comparison.account, notices),
    ]


def _in_file(comparison: Comparison) -> list[Endpoint]:
    """The survival endpoints of which some group has a figure."""
    return [
        declared
        for declared in SURVIVAL_ENDPOINTS
        if any(getattr(group.endpoints, declared.key).n_events is not None for group in comparison.groups)
    ]


def _confidence(comparison: Comparison) -> str:
    return fmt.level(comparison.protocol.confidence_level)


def _groups(comparison: Comparison) -> Section:
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


def _event_free(comparison: Comparison) -> Section:
    rows = []
    for declared in _in_file(comparison):
        for at, group in enumerate(comparison.groups):
            each: SurvivalEndpoint = getattr(group.endpoints, declared.key)
            rows.append(
                (
                    "" if at else declared.short,
                    shown(group.level),
                    fmt.fraction(each.n_event_free, each.n_evaluable),
                    fmt.with_limits(survival_shown(each)),
                    events_first(each),
                    fmt.count(each.n_not_followed),
                    fmt.count(each.n_late_events),
                    fmt.count(each.n_unknown),
                )
            )
    return Section(
        f"Event-free at {in_years(comparison.protocol.horizon_years)}",
        headings=(
            "",
            "Group",
            "Event-\nfree",
            f"Kaplan–Meier\n({_confidence(comparison)} CI)",
            "First events",
            "Lost",
            "Late",
            "Left\nout",
        ),
        rows=tuple(rows),
        texts=frozenset({0, 1, 4}),
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
    there = _in_file(comparison)
    return shared_notes(
        (
            (declared.short, getattr(endpoints, declared.key).note)
            for declared in SURVIVAL_ENDPOINTS
            if declared not in there
        ),
        between=", ",
    )


def _counts(comparison: Comparison) -> Section:
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
        f"Other figures of each group (exact {_confidence(comparison)} CI)",
        headings=("", *(shown(group.level) for group in comparison.groups)),
        rows=tuple(row for row in said_once(rows) if any(cell != fmt.NOTHING for cell in row[1:])),
    )


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
    for declared in _in_file(comparison):
        own: SurvivalContrast = getattr(contrast.endpoints, declared.key)
        rows.append(
            (
                declared.short,
                _bare(own.survival_difference),
                _bare(own.rmst_difference),
                _bare(own.risk_difference),
                fmt.p_value(own.p_exact),
            )
        )
        said.append(
            (
                declared.short,
                joined(
                    own.note, own.survival_difference.note, own.rmst_difference.note, own.risk_difference.note
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
            "p",
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
    for declared in _in_file(comparison):
        own: SurvivalContrast = getattr(contrast.endpoints, declared.key)
        rows.append(
            (
                declared.short,
                _bare(own.hazard_ratio),
                fmt.p_value(own.hazard_ratio_p),
                fmt.p_value(own.log_rank.p),
                fmt.p_value(own.log_rank.p_exact),
            )
        )
        method = fmt.method(own.hazard_ratio)
        said.append(
            (
                declared.short,
                joined(f"{method}." if method else None, own.hazard_ratio.note, own.log_rank.note),
            )
        )
    return Section(
        f"{shown(contrast.level)} ÷ {shown(contrast.reference)}: over all follow-up",
        headings=(
            "",
            f"Hazard ratio\n({_confidence(comparison)} CI)",
            "p",
            "Log-rank p",
            "by permutation",
        ),
        rows=said_once(rows),
        notes=shared_notes(said, between=", "),
    )


def _other_contrasts(comparison: Comparison, contrast: Contrast) -> Section:
    own = contrast.endpoints
    rows = []
    for declared in RATE_ENDPOINTS:
        rate: RateContrast = getattr(own, declared.key)
        other = rate.ratio_negative_binomial
        shown_ratio = rate.ratio if other.value is None and other.ci_high is None else other
        rows.append(
            (f"{declared.short} after, ratio", _bare(shown_ratio), fmt.NOTHING, fmt.method(shown_ratio))
        )
    shares: list[tuple[str, ShareContrast]] = [
        (f"{DISABILITY.label}: worsened", own.disability.worsened),
        (f"{DISABILITY.label}: improved", own.disability.improved),
        (f"{MORTALITY.short} by day 100", own.mortality.all_cause_by_day_100),
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
    rows += [
        (
            f"{NEDA3.short} by year {year.years}, points",
            _bare(year.risk_difference),
            fmt.p_value(year.p_exact),
            fmt.method(year.risk_difference),
        )
        for year in own.neda3
    ]
    return Section(
        f"{shown(contrast.level)} against {shown(contrast.reference)}: other figures",
        headings=("", f"Ratio or difference\n({_confidence(comparison)} CI)", "p", "Interval"),
        rows=tuple(row for row in rows if row[1] != fmt.NOTHING),
        texts=frozenset({0, 3}),
    )


def _tests(comparison: Comparison) -> list[Section]:
    """Tests over all groups: log-rank where there are more than two, Gray's of each type of first event."""
    rows = []
    for declared in _in_file(comparison):
        tests = comparison.tests[declared.key]
        own = [("log-rank", tests.log_rank)] if len(comparison.groups) > 2 else []
        own += [
            (f"Gray: {event.heading.lower()}", tests.gray[event.key])
            for event in EVENTS
            if event.key in tests.gray
        ]
        for at, (name, test) in enumerate(own):
            rows.append(
                (
                    "" if at else declared.short,
                    name,
                    fmt.number(test.statistic, 2),
                    fmt.count(test.df),
                    fmt.p_value(test.p),
                )
            )
    if not rows:
        return []
    return [
        Section(
            f"Tests over {'both' if len(comparison.groups) == 2 else 'all'} groups and all follow-up",
            headings=("", "Test", "Chi-squared", "df", "p"),
            rows=tuple(rows),
            texts=frozenset({0, 1}),
        )
    ]


def _explained(comparison: Comparison) -> Section:
    n = len(comparison.contrasts)
    return Section(
        "How to read this",
        lead=(
            ": ".join(protocol_definition(comparison.protocol)),
            f"Differences are level − reference, ratios level ÷ reference; the reference is "
            f"{shown(comparison.by.reference)}.",
            "Survival: square and add from each group's limits. Crude risk: of an event, of those who had "
            "one or were "
            "observed to the horizon; Miettinen and Nurminen's limits, p by Boschloo's test. Mean "
            "event-free years: "
            "restricted to the horizon. Log-rank by permutation: for two groups.",
            f"{n:,} {plural('contrast', n)} of several endpoints each: no p-value is adjusted for their "
            "number.",
            *(
                f"{endpoint.label}: {endpoint.definition}"
                for endpoint in (
                    getattr(comparison.groups[0].endpoints, each.key) for each in _in_file(comparison)[:1]
                )
            ),
        ),
    )
