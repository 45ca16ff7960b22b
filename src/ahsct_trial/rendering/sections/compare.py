"""What `ahsct compare` shows: who is in each group, each group's figures, and what separates them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ahsct_trial.catalogue import DISABILITY, NEDA3, RATE_ENDPOINTS, SURVIVAL_ENDPOINTS
from ahsct_trial.escaping import shown
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.sections import (
    Section,
    account_section,
    look_first,
    notes,
    protocol_sentence,
    public,
    shared_notes,
    survival_shown,
)
from ahsct_trial.results import Comparison, Contrast, Estimate, Group, SurvivalContrast
from ahsct_trial.wording import in_years


def comparison_sections(comparison: Comparison) -> list[Section]:
    """Everything that `ahsct compare` shows, from what must be looked at first to the account of rows."""
    notices = public(comparison.notices)
    return [
        *look_first(notices),
        _groups(comparison),
        _event_free(comparison),
        *(_survival_contrast(comparison, contrast) for contrast in comparison.contrasts),
        *_tests_over_all(comparison),
        _rates(comparison),
        _shares(comparison),
        _methods(comparison),
        *notes(notices),
        account_section(comparison.source, comparison.account),
    ]


def _groups(comparison: Comparison) -> Section:
    by = comparison.by
    horizon = in_years(comparison.protocol.horizon_years)
    rows = []
    for group in comparison.groups:
        cohort = group.cohort
        follow_up = cohort.follow_up
        female = cohort.sex.get("female")
        rows.append(
            (
                shown(group.level),
                fmt.count(cohort.n_patients),
                fmt.with_limits(follow_up.reverse_kaplan_meier).replace(" years", ""),
                fmt.percent(follow_up.completeness.value),
                fmt.number(cohort.age_years.median, 0),
                fmt.NOTHING if not cohort.sex else fmt.fraction(female or 0, sum(cohort.sex.values())),
                fmt.number(cohort.edss_baseline.median, 1),
            )
        )
    strata = "" if by.strata is None else f", compared within the levels of {shown(by.strata)}"
    return Section(
        f"{fmt.listed([shown(level) for level in by.levels])} by {shown(by.column)}",
        lead=(f"Reference: {shown(by.reference)}{strata}. Patients as they were assigned to groups by the file.",),
        headings=("", "Patients", "Follow-up,\nyears", f"Complete to\n{horizon}", "Age", "Female", "EDSS"),
        rows=tuple(rows),
        notes=("Follow-up: reverse Kaplan–Meier median with its interval. Age, EDSS at baseline: medians.",),
    )


def _event_free(comparison: Comparison) -> Section:
    rows = []
    for declared in SURVIVAL_ENDPOINTS:
        for at, group in enumerate(comparison.groups):
            endpoint = getattr(group.endpoints, declared.key)
            if endpoint.n_patients is None:
                continue
            rows.append(
                (
                    "" if at else declared.short,
                    shown(group.level),
                    fmt.count(endpoint.n_events),
                    fmt.fraction(endpoint.n_event_free, endpoint.n_evaluable),
                    fmt.with_limits(survival_shown(endpoint)),
                )
            )
    confidence = fmt.level(comparison.protocol.confidence_level)
    return Section(
        f"Event-free at {in_years(comparison.protocol.horizon_years)}",
        headings=("", "Group", "Events", "Event-free", f"Kaplan–Meier ({confidence} CI)"),
        rows=tuple(rows),
        texts=frozenset({0, 1}),
        notes=shared_notes(
            (
                (declared.short, getattr(group.endpoints, declared.key).note)
                for declared in SURVIVAL_ENDPOINTS
                for group in comparison.groups
            ),
            between=", ",
        ),
    )


def _survival_contrast(comparison: Comparison, contrast: Contrast) -> Section:
    rows = []
    for declared in SURVIVAL_ENDPOINTS:
        found: SurvivalContrast = getattr(contrast.endpoints, declared.key)
        if found.log_rank.df is None and found.survival_difference.value is None:
            continue
        rows.append(
            (
                declared.short,
                fmt.with_limits(found.survival_difference).replace(" points", ""),
                fmt.with_limits(found.hazard_ratio),
                _p(found.hazard_ratio_p),
                fmt.method(found.hazard_ratio).partition(",")[0],
                _p(found.log_rank.p_exact if found.log_rank.p_exact is not None else found.log_rank.p),
            )
        )
    level, reference = shown(contrast.level), shown(contrast.reference)
    said = [
        (declared.short, note)
        for declared in SURVIVAL_ENDPOINTS
        for found in (getattr(contrast.endpoints, declared.key),)
        for note in (found.note, _why_firth(found))
    ]
    confidence = fmt.level(comparison.protocol.confidence_level)
    return Section(
        f"{level} against {reference}: event-free",
        headings=(
            "",
            f"Difference at\n{in_years(comparison.protocol.horizon_years)}, points",
            f"Hazard ratio\n({confidence} CI)",
            "p",
            "By",
            "Log-\nrank p",
        ),
        rows=tuple(rows),
        texts=frozenset({0, 4}),
        notes=(
            f"Difference: {level} − {reference}, event-free. Hazard ratio: {level} ÷ {reference}, over all follow-up.",
            *shared_notes(said, between=", "),
        ),
    )


def _why_firth(found: SurvivalContrast) -> str | None:
    ratio = found.hazard_ratio
    if ratio.value is None:
        return ratio.note
    return f"Firth's likelihood: {ratio.note}" if ratio.ci_method == "firth-profile" else None


def _tests_over_all(comparison: Comparison) -> Iterator[Section]:
    """Gray's tests, and where there are more than two groups the log-rank test over all of them."""
    is_many = len(comparison.groups) > 2
    rows = []
    for declared in SURVIVAL_ENDPOINTS:
        tests = comparison.tests[declared.key]
        if tests.log_rank.df is None:
            continue
        gray = "; ".join(f"{name.replace('_', ' ')} {_p(test.p)}" for name, test in tests.gray.items())
        statistic = fmt.number(tests.log_rank.statistic, 2)
        log_rank = (f"χ² {statistic}, {tests.log_rank.df} df", _p(tests.log_rank.p)) if is_many else ()
        rows.append((declared.short, *log_rank, gray or fmt.NOTHING))
    if rows:
        yield Section(
            "Tests over all groups and all follow-up" if is_many else "First events by type over all follow-up",
            headings=("", *(("Log-rank", "p") if is_many else ()), "Gray's test of each type, p"),
            rows=tuple(rows),
            texts=frozenset({0, 1, 3} if is_many else {0, 1}),
        )


def _rates(comparison: Comparison) -> Section:
    rows = []
    for declared in RATE_ENDPOINTS:
        for at, group in enumerate(comparison.groups):
            side = getattr(group.endpoints, declared.key).after
            if side.n_patients is None:
                continue
            rate = _either(side.rate, side.rate_negative_binomial)
            exposure = f"{side.exposure:,.1f} years" if declared.unit == "per_year" else f"{side.exposure:,.0f} scans"
            rows.append(
                (
                    "" if at else f"{declared.short} after",
                    shown(group.level),
                    fmt.count(side.n_events),
                    exposure,
                    fmt.with_limits(rate).replace(" per year", "").replace(" per scan", ""),
                    fmt.method(rate),
                )
            )
        for contrast in comparison.contrasts:
            found = getattr(contrast.endpoints, declared.key)
            ratio = _either(found.ratio, found.ratio_negative_binomial)
            if ratio.value is not None or ratio.ci_high is not None:
                name = f"{shown(contrast.level)} ÷ {shown(contrast.reference)}"
                rows.append(("", name, "", "", fmt.with_limits(ratio), fmt.method(ratio)))
    confidence = fmt.level(comparison.protocol.confidence_level)
    return Section(
        "Relapses and lesions after time zero",
        lead=() if rows else ("Not in this file.",),
        headings=("", "Group", "Count", "Over", f"Rate ({confidence} CI)", "Interval") if rows else (),
        rows=tuple(rows),
        texts=frozenset({0, 1, 5}),
    )


def _either(exact: Estimate, negative_binomial: Estimate) -> Estimate:
    """The negative-binomial interval where there is one."""
    has_other = negative_binomial.value is not None or negative_binomial.ci_high is not None
    return negative_binomial if has_other else exact


def _shares(comparison: Comparison) -> Section:
    """Disability, deaths by day 100 and NEDA-3: each group's share, the difference and its p-value."""
    wanted: list[tuple[str, Callable[[Group], Estimate], Callable[[Contrast], tuple[Estimate, float | None]]]] = [
        (
            "Confirmed worsening",
            lambda group: group.endpoints.disability.worsened,
            lambda contrast: _difference(contrast.endpoints.disability.worsened),
        ),
        (
            "Confirmed improvement",
            lambda group: group.endpoints.disability.improved,
            lambda contrast: _difference(contrast.endpoints.disability.improved),
        ),
        (
            "Dead by day 100",
            lambda group: group.endpoints.mortality.all_cause_by_day_100,
            lambda contrast: _difference(contrast.endpoints.mortality.all_cause_by_day_100),
        ),
    ]
    for at, year in enumerate(comparison.groups[0].endpoints.neda3):
        wanted.append(
            (
                f"{NEDA3.short} at {in_years(year.years)}",
                lambda group, at=at: group.endpoints.neda3[at].proportion,  # type: ignore[misc]
                lambda contrast, at=at: _difference(contrast.endpoints.neda3[at]),  # type: ignore[misc]
            )
        )
    rows = []
    for name, of_group, of_contrast in wanted:
        shares = [(shown(group.level), of_group(group)) for group in comparison.groups]
        if all(share.value is None for _, share in shares):
            continue
        for at, (level, share) in enumerate(shares):
            rows.append(("" if at else name, level, fmt.counted(share), fmt.with_limits(share), ""))
        for contrast in comparison.contrasts:
            difference, p = of_contrast(contrast)
            title = f"{shown(contrast.level)} − {shown(contrast.reference)}"
            rows.append(("", title, "", fmt.with_limits(difference), _p(p)))
    confidence = fmt.level(comparison.protocol.confidence_level)
    return Section(
        f"{DISABILITY.label}, deaths, {NEDA3.short}",
        lead=() if rows else ("Not in this file.",),
        headings=("", "Group", "Patients", f"Share ({confidence} CI)", "p") if rows else (),
        rows=tuple(rows),
        texts=frozenset({0, 1}),
    )


def _difference(contrast: object) -> tuple[Estimate, float | None]:
    return contrast.risk_difference, contrast.p_exact  # type: ignore[attr-defined]


def _p(p: float | None) -> str:
    """A p-value: three decimals, and below 0.001 only that."""
    if p is None:
        return fmt.NOTHING
    return "<0.001" if p < 0.001 else fmt.number(p, 3)


def _methods(comparison: Comparison) -> Section:
    log_rank = next(
        (
            found.log_rank.note
            for contrast in comparison.contrasts
            for declared in SURVIVAL_ENDPOINTS
            for found in (getattr(contrast.endpoints, declared.key),)
            if found.log_rank.note and found.log_rank.df
        ),
        None,
    )
    permuted = "" if log_rank is None else f" Log-rank p: permutation of O − E. {log_rank}"
    return Section(
        "Methods",
        lead=(
            protocol_sentence(comparison.protocol),
            "Differences of survival: square-and-add from each group's own limits. Shares: Clopper–Pearson; their "
            "differences Miettinen–Nurminen, p by Boschloo's exact test. Hazard ratio: Cox with profile-likelihood "
            "limits and its likelihood-ratio p; Firth's penalised likelihood where a group has no event, one group "
            f"always fails first, or there are fewer than 10 events.{permuted}",
            "No p-value is adjusted for the number of comparisons. Groups that were not made by randomisation differ "
            "in more than their treatment.",
        ),
    )
