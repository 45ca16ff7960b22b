"""What only the report says: the headline in sentences, the flow of patients, methods with sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ahsct_trial.columns import SIMILAR_IDENTIFIERS
from ahsct_trial.escaping import shown
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.figures.curves import event_in_words
from ahsct_trial.rendering.sections import SHORT_NAMES, Section, in_years, plural, prose
from ahsct_trial.results import TOOL, Summary, SurvivalEndpoint

if TYPE_CHECKING:
    from ahsct_trial.checking import Check

#: The works that the methods cite; docs/endpoints.md and docs/worsening.md say for what.
_WORKS = {
    "kaplan-meier": "Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J Am Stat "
    "Assoc "
    "1958;53:457–481.",
    "greenwood": "Greenwood M. The natural duration of cancer. Reports on Public Health and Medical "
    "Subjects 33. "
    "London: HMSO; 1926:1–26.",
    "kalbfleisch-prentice": "Kalbfleisch JD, Prentice RL. The statistical analysis of failure time data. "
    "2nd ed. "
    "Wiley; 2002. Section 1.4.",
    "klein-moeschberger": "Klein JP, Moeschberger ML. Survival analysis: techniques for censored and "
    "truncated "
    "data. 2nd ed. Springer; 2003. Section 4.3.",
    "neda": "Giovannoni G, Turner B, Gnanapavan S, et al. Is it time to target no evident disease activity "
    "(NEDA) "
    "in multiple sclerosis? Mult Scler Relat Disord 2015;4:329–333.",
    "garwood": "Garwood F. Fiducial limits for the Poisson distribution. Biometrika 1936;28:437–442.",
    "przyborowski-wilenski": "Przyborowski J, Wilenski H. Homogeneity of results in testing samples from "
    "Poisson "
    "series. Biometrika 1940;31:313–323.",
    "mccullagh-nelder": "McCullagh P, Nelder JA. Generalized linear models. 2nd ed. Chapman & Hall; 1989.",
    "clopper-pearson": "Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the "
    "case "
    "of the binomial. Biometrika 1934;26:404–413.",
    "kmunicate": "Morris TP, Jarvis CI, Cragg W, et al. Proposals on Kaplan–Meier plots in medical research "
    "and a "
    "survey of stakeholder views: KMunicate. BMJ Open 2019;9:e030215.",
    "msprog": "Montobbio et al. Mult Scler 2024;30:1185. doi:10.1177/13524585241243157.",
}
_SCALES = {
    "log-log": "on the scale of log(−log)",
    "log": "on the logarithmic scale",
    "plain": "on the scale of the proportion itself",
    "logit": "on the logit scale",
    "arcsin": "on the scale of the arcsine of the square root",
}


@dataclass(frozen=True)
class Step:
    """One box of the flow: how many go on, and in words who does not."""

    n: str
    words: str
    aside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Methods:
    """Titled paragraphs as a paper's methods have them, and the works they cite by number."""

    paragraphs: tuple[tuple[str, str], ...]
    works: tuple[str, ...]


class _Citations:
    """Numbers works in the order in which they are cited."""

    def __init__(self) -> None:
        self.works: list[str] = []

    def __call__(self, *keys: str) -> str:
        for key in keys:
            if _WORKS[key] not in self.works:
                self.works.append(_WORKS[key])
        return f"[{', '.join(str(self.works.index(_WORKS[key]) + 1) for key in keys)}]"


def headline_sentences(summary: Summary) -> list[str]:
    """The headline with all that it must not be quoted without: denominator, intervals, event, deaths."""
    endpoint = summary.endpoints.activity_free_survival
    if endpoint.n_event_free is None:
        return [f"{endpoint.label} cannot be computed. {endpoint.note}"]
    return [*_estimates(endpoint), _event(endpoint), *([endpoint.note] if endpoint.note else [])]


def _estimates(endpoint: SurvivalEndpoint) -> Iterator[str]:
    horizon, confidence = in_years(endpoint.horizon_years), fmt.level(endpoint.confidence_level)
    if endpoint.estimate is not None:
        limits = (
            f"its {endpoint.ci_method} interval is undefined there"
            if endpoint.ci_low is None
            else f"{confidence} CI {fmt.percent_range(endpoint.ci_low, endpoint.ci_high)}, "
            f"{endpoint.ci_method}"
        )
        n_events, n = endpoint.n_events or 0, endpoint.n_patients or 0
        yield (
            f"{endpoint.label} at {horizon} was {fmt.percent(endpoint.estimate)} by Kaplan–Meier ({limits}), "
            f"with {n_events:,} {plural('event', n_events)} in {n:,} {plural('patient', n)}."
        )
    share = endpoint.proportion
    limits = fmt.percent_range(share.ci_low, share.ci_high)
    exact = (
        ""
        if share.value is None
        else f" ({fmt.percent(share.value)}; exact {confidence} CI {limits}, Clopper–Pearson)"
    )
    yield (
        f"{fmt.fraction(endpoint.n_event_free, endpoint.n_evaluable)} evaluable patients were event-free at "
        f"{horizon}{exact}."
    )


def _event(endpoint: SurvivalEndpoint) -> str:
    rule = (
        "A patient who dies without one is censored at death."
        if endpoint.events_by_type.death is None
        else "A death counts as an event."
    )
    return f"The event is {event_in_words(endpoint)}. {rule}"


def flow_steps(summary: Summary) -> list[Step]:
    """From the rows of the file to the patients behind the headline."""
    account, endpoint = summary.account, summary.endpoints.activity_free_survival
    horizon, n = in_years(endpoint.horizon_years), summary.cohort.n_patients
    steps = [
        Step(fmt.count(account.rows_read), f"{plural('row', account.rows_read)} read"),
        Step(
            fmt.count(account.rows_used),
            f"{plural('row', account.rows_used)} used",
            tuple(f"{each.count:,} set aside: {each.reason}" for each in account.set_aside)
            or ("0 set aside",),
        ),
        Step(fmt.count(n), plural("patient", n)),
    ]
    if endpoint.n_event_free is None:
        return steps
    return [
        *steps,
        Step(
            fmt.count(endpoint.n_patients),
            f"in the Kaplan–Meier estimate of {endpoint.label}",
            (f"{fmt.count(endpoint.n_unknown)} left out: outcome unknown",),
        ),
        Step(
            fmt.count(endpoint.n_evaluable),
            f"evaluable at {horizon}",
            (f"{_lost(endpoint)} lost before {horizon}",),
        ),
        Step(
            fmt.count(endpoint.n_event_free),
            f"event-free at {horizon}",
            (f"{fmt.count(endpoint.n_events)} with an event",),
        ),
    ]


def _lost(endpoint: SurvivalEndpoint) -> str:
    """Patients who were lost before the horizon: neither an event nor followed to it."""
    if endpoint.n_patients is None or endpoint.n_evaluable is None:
        return fmt.NOTHING
    return fmt.count(endpoint.n_patients - endpoint.n_evaluable)


def flow_section(summary: Summary) -> Section:
    """How many patients each endpoint counts, and how many it cannot."""
    endpoints = summary.endpoints
    horizon = in_years(endpoints.activity_free_survival.horizon_years)
    survival = [(name, getattr(endpoints, key)) for key, name in SHORT_NAMES.items()]
    counts = (
        ("Relapses before", endpoints.relapse_rate.before),
        ("Relapses after", endpoints.relapse_rate.after),
        ("Lesions before", endpoints.lesions.before),
        ("Lesions after", endpoints.lesions.after),
        ("Disability", endpoints.disability),
        ("Deaths of the transplant", endpoints.transplant_related_mortality),
    )
    return Section(
        f"Whom each endpoint counts, of {fmt.count(summary.cohort.n_patients)} "
        f"{plural('patient', summary.cohort.n_patients)}",
        headings=("", "Unknown,\nleft out", "Counted", f"Lost before\n{horizon}", f"Evaluable at\n{horizon}"),
        rows=(
            *(
                (
                    name,
                    fmt.count(each.n_unknown),
                    fmt.count(each.n_patients),
                    _lost(each),
                    fmt.count(each.n_evaluable),
                )
                for name, each in survival
            ),
            *((name, fmt.count(each.n_unknown), fmt.count(each.n_patients), "", "") for name, each in counts),
        ),
        notes=("–: not to be counted from this file.",)
        if any(each.n_patients is None for _, each in (*survival, *counts))
        else (),
    )


def public_warnings(warnings: tuple[str, ...], *, with_patients: bool) -> tuple[str, ...]:
    """The warnings; without patients those that name patients do not name them."""
    if with_patients:
        return warnings
    return tuple(
        f"{SIMILAR_IDENTIFIERS}; `ahsct validate` names them. Is it one patient?"
        if warning.startswith(SIMILAR_IDENTIFIERS)
        else warning
        for warning in warnings
    )


def methods(summary: Summary, check: Check | None) -> Methods:
    """How the figures were made, in sentences that a paper's methods section can use."""
    cite = _Citations()
    paragraphs = [
        ("Data.", _data(summary, cite)),
        ("Survival.", _survival(summary, cite)),
        ("Rates and proportions.", _counts(summary, cite)),
    ]
    if check is not None:
        paragraphs.append(("Published figures.", _publication(check)))
    paragraphs.append(("Software.", _software(summary)))
    return Methods(tuple(paragraphs), tuple(cite.works))


def _data(summary: Summary, cite: _Citations) -> str:
    account = summary.account
    shape = {
        "records": "The data were records with one row per observation",
        "patient_table": "The data were a table with one row per patient",
    }[summary.source.shape]
    origin = (
        "Confirmed worsening and improvement of EDSS were derived from the visits by the rule given under "
        f"Definitions, which is that of msprog with a fixed baseline {cite('msprog')}; relapses, new "
        "lesions and the "
        "end of follow-up were derived from the records likewise."
        if summary.source.shape == "records"
        else "Events were taken as that table has them: how they were confirmed is not in the data."
    )
    return (
        f"{shape}: {account.rows_read:,} {plural('row', account.rows_read)} read, {account.rows_used:,} "
        "used, of "
        f"{summary.cohort.n_patients:,} {plural('patient', summary.cohort.n_patients)}. {origin} "
        "Time was counted from transplant (day 0) in years of 365.25 days. An empty cell was taken as "
        "unknown, never "
        "as zero."
    )


def _survival(summary: Summary, cite: _Citations) -> str:
    protocol = summary.protocol
    horizon, level = in_years(protocol.horizon_years), fmt.level(protocol.confidence_level)
    death = {
        "event": "A death counted as an event of every survival endpoint.",
        "censor": "A death was an event of overall survival alone; for the other endpoints it ended the "
        "observation "
        "(censored).",
    }[protocol.death]
    return (
        f"Survival endpoints were estimated at {horizon} by the method of Kaplan and Meier "
        f"{cite('kaplan-meier')}. "
        "A patient without an event was censored at the last assessment that could have shown one; a "
        "patient of "
        f"whom nobody can say whether there was one was left out and counted as unknown. {death} Pointwise "
        f"{level} "
        f"confidence intervals use Greenwood’s variance {cite('greenwood', 'kalbfleisch-prentice')} "
        f"{_SCALES[protocol.ci_method]} {cite('klein-moeschberger')}. Beside the estimate stands the crude "
        "proportion "
        "of event-free patients among those who had an event by then or were followed to it. "
        f"No evidence of disease activity (NEDA-3) {cite('neda')} was counted at each whole year up to the "
        "horizon. "
        f"Figures have the numbers at risk, censored and with events below the axis {cite('kmunicate')}."
    )


def _counts(summary: Summary, cite: _Citations) -> str:
    level = fmt.level(summary.protocol.confidence_level)
    return (
        "Relapses per person-year and lesions per scan were pooled over patients, with exact Poisson "
        "intervals "
        f"{cite('garwood')}; ratios of after to before have exact intervals conditional on the sum of both "
        "sides "
        f"{cite('przyborowski-wilenski')}. Overdispersion is Pearson’s statistic divided by its degrees of "
        "freedom "
        f"{cite('mccullagh-nelder')}. Proportions have exact binomial intervals {cite('clopper-pearson')}. "
        "All "
        f"intervals are two-sided at {level}; no hypothesis was tested, and nothing was adjusted for the "
        "number of "
        "endpoints."
    )


def _publication(check: Check) -> str:
    whose = (
        "the publication’s own protocol"
        if check.is_own_protocol
        else f"protocol {shown(check.protocol.name)}"
    )
    return (
        f"The cohort was held against the figures in {prose(check.publication.citation).rstrip('.')}, "
        "computed by "
        f"{whose}, which need not be that of the rest of this page. A figure is reproduced if the cohort’s "
        "rounds to "
        "it, and the interval to the published one; compatible if it lies in the cohort’s interval; else it "
        "differs."
    )


def _software(summary: Summary) -> str:
    return (
        f"All figures were computed by {TOOL.name} {TOOL.version}, protocol {shown(summary.protocol.name)}."
    )
