"""What only the report says: the headline in sentences, the flow of patients, methods with sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ahsct_trial.columns import SIMILAR_IDENTIFIERS
from ahsct_trial.escaping import shown
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.figures.curves import event_in_words, keys_with_curve
from ahsct_trial.rendering.sections import SHORT_NAMES, Section, prose
from ahsct_trial.results import TOOL, Summary, SurvivalEndpoint
from ahsct_trial.wording import in_years, plural

if TYPE_CHECKING:
    from ahsct_trial.checking import Check

#: The works that the methods cite; docs/endpoints.md and docs/worsening.md say for what.
_WORKS = {
    "kaplan-meier": "Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. "
    "J Am Stat Assoc 1958;53:457–481.",
    "greenwood": "Greenwood M. The natural duration of cancer. Reports on Public Health and Medical "
    "Subjects 33. London: HMSO; 1926:1–26.",
    "kalbfleisch-prentice": "Kalbfleisch JD, Prentice RL. The statistical analysis of failure time data. "
    "2nd ed. Wiley; 2002. Section 1.4.",
    "klein-moeschberger": "Klein JP, Moeschberger ML. Survival analysis: techniques for censored and "
    "truncated data. 2nd ed. Springer; 2003. Section 4.3.",
    "neda": "Giovannoni G, Turner B, Gnanapavan S, et al. Is it time to target no evident disease activity "
    "(NEDA) in multiple sclerosis? Mult Scler Relat Disord 2015;4:329–333.",
    "garwood": "Garwood F. Fiducial limits for the Poisson distribution. Biometrika 1936;28:437–442.",
    "przyborowski-wilenski": "Przyborowski J, Wilenski H. Homogeneity of results in testing samples from "
    "Poisson series. Biometrika 1940;31:313–323.",
    "mccullagh-nelder": "McCullagh P, Nelder JA. Generalized linear models. 2nd ed. Chapman & Hall; 1989.",
    "clopper-pearson": "Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the "
    "case of the binomial. Biometrika 1934;26:404–413.",
    "kmunicate": "Morris TP, Jarvis CI, Cragg W, et al. Proposals on Kaplan–Meier plots in medical research "
    "and a survey of stakeholder views: KMunicate. BMJ Open 2019;9:e030215.",
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
        return self.of(*(_WORKS[key] for key in keys))

    def of(self, *works: str) -> str:
        """The numbers of works that are given in full."""
        self.works.extend(work for work in works if work not in self.works)
        return f"[{', '.join(str(self.works.index(work) + 1) for work in works)}]"


def headline_sentences(summary: Summary) -> list[str]:
    """The headline with all that it must not be quoted without: denominator, intervals, event, deaths."""
    endpoint = summary.endpoints.activity_free_survival
    if endpoint.n_event_free is None:
        return [f"{endpoint.label} cannot be computed. {endpoint.note}"]
    estimates = (
        [_no_estimate(endpoint)] if endpoint.estimate is None else [_estimate(endpoint), _crude(endpoint)]
    )
    return [*estimates, _event(endpoint), *([endpoint.note] if endpoint.note else [])]


def _no_estimate(endpoint: SurvivalEndpoint) -> str:
    """Why there is none; a crude proportion would be one of patients with an event alone."""
    horizon = in_years(endpoint.horizon_years)
    n, n_events, n_not_followed = (
        endpoint.n_patients or 0,
        endpoint.n_events or 0,
        endpoint.n_not_followed or 0,
    )
    why = (
        f"of {n:,} {plural('patient', n)} {n_events:,} had an event and {n_not_followed:,} "
        f"{_were(n_not_followed)} observed for less than {horizon} "
        f"(longest {in_years(round(float(endpoint.curve.years[-1]), 3))})"
        if n
        else "of no patient the outcome is known"
    )
    return f"{endpoint.label} at {horizon} cannot be estimated: {why}."


def _estimate(endpoint: SurvivalEndpoint) -> str:
    limits = (
        f"its {endpoint.ci_method} interval is undefined there"
        if endpoint.ci_low is None
        else f"{fmt.level(endpoint.confidence_level)} CI "
        f"{fmt.percent_range(endpoint.ci_low, endpoint.ci_high)}, {endpoint.ci_method}"
    )
    n_events, n = endpoint.n_events or 0, endpoint.n_patients or 0
    return (
        f"{endpoint.label} at {in_years(endpoint.horizon_years)} was {fmt.percent(endpoint.estimate)} by "
        f"Kaplan–Meier ({limits}), with {n_events:,} {plural('event', n_events)} "
        f"in {n:,} {plural('patient', n)}."
    )


def _crude(endpoint: SurvivalEndpoint) -> str:
    share, n = endpoint.proportion, endpoint.n_evaluable or 0
    return (
        f"{fmt.fraction(endpoint.n_event_free, n)} evaluable {plural('patient', n)} {_were(n)} event-free at "
        f"{in_years(endpoint.horizon_years)} ({fmt.percent(share.value)}; exact "
        f"{fmt.level(endpoint.confidence_level)} CI {fmt.percent_range(share.ci_low, share.ci_high)}, "
        "Clopper–Pearson)."
    )


def _were(n: int) -> str:
    return "was" if n == 1 else "were"


def _event(endpoint: SurvivalEndpoint) -> str:
    event = f"The event is {event_in_words(endpoint)}."
    if endpoint.events_by_type.death is not None:
        return f"{event} A death counts as an event."
    deaths = ["Deaths are not in this file."] if endpoint.n_censored_died is None else []
    deaths += [f"{patients} censored." for patients in _died_and(endpoint)]
    return " ".join([event, "A patient who dies without one is censored.", *deaths])


def _died_and(endpoint: SurvivalEndpoint) -> Iterator[str]:
    """How many died and were censored, if any; those left out of the endpoint are in its note."""
    if n := endpoint.n_censored_died:
        yield f"{n:,} {plural('patient', n)} died by {in_years(endpoint.horizon_years)} and {_were(n)}"


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
            (
                f"{fmt.count(endpoint.n_not_followed)} not followed to {horizon}",
                *(f"{patients} censored" for patients in _died_and(endpoint)),
            ),
        ),
        Step(
            fmt.count(endpoint.n_event_free),
            f"event-free at {horizon}",
            (f"{fmt.count(endpoint.n_events)} with an event",),
        ),
    ]


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
    is_death_censored = summary.protocol.death == "censor"
    headings = (
        "",
        "Unknown,\nleft out",
        "Counted",
        f"Not followed\nto {horizon}",
        f"Evaluable at\n{horizon}",
    )
    return Section(
        f"Whom each endpoint counts, of {fmt.count(summary.cohort.n_patients)} "
        f"{plural('patient', summary.cohort.n_patients)}",
        headings=(*headings, "Died and\ncensored") if is_death_censored else headings,
        rows=(
            *(
                (
                    name,
                    fmt.count(each.n_unknown),
                    fmt.count(each.n_patients),
                    fmt.count(each.n_not_followed),
                    fmt.count(each.n_evaluable),
                    *((fmt.count(each.n_censored_died),) if is_death_censored else ()),
                )
                for name, each in survival
            ),
            *(
                (
                    name,
                    fmt.count(each.n_unknown),
                    fmt.count(each.n_patients),
                    *[""] * (3 if is_death_censored else 2),
                )
                for name, each in counts
            ),
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
    """How the figures were made, in sentences that a paper's methods section can use.

    An analysis that the file gives no result of is neither described nor cited.
    """
    cite = _Citations()
    paragraphs = {
        "Data.": _data(summary, cite),
        "Survival.": _survival(summary, cite),
        "Rates and proportions.": _counts(summary, cite),
        "Published figures.": _publication(check, cite),
        "Software.": [
            f"All results not said otherwise were computed by {TOOL.name} {TOOL.version}, protocol "
            f"{shown(summary.protocol.name)}."
        ],
    }
    return Methods(
        tuple(
            (title, " ".join(sentences))
            for title, sentence in paragraphs.items()
            if (sentences := list(sentence))
        ),
        tuple(cite.works),
    )


def _data(summary: Summary, cite: _Citations) -> Iterator[str]:
    account, n = summary.account, summary.cohort.n_patients
    shape = {
        "records": "The data were records with one row per observation",
        "patient_table": "The data were a table with one row per patient",
    }[summary.source.shape]
    yield (
        f"{shape}: {account.rows_read:,} {plural('row', account.rows_read)} read, {account.rows_used:,} "
        f"used, of {n:,} {plural('patient', n)}."
    )
    known = _known(summary)
    if summary.source.shape == "records":
        if known["edss"]:
            yield (
                "Confirmed worsening and improvement of EDSS were derived from the visits by the rule given "
                f"under Definitions, which is that of msprog with a fixed baseline {cite('msprog')}."
            )
        others = [name for name in ("relapses", "new lesions") if known[name]]
        derived = _capital(fmt.listed([*others, "the end of follow-up"]))
        yield f"{derived} {'were' if others else 'was'} derived from the records."
    elif any(known.values()):
        yield "Events were taken as that table has them: how they were confirmed is not in the data."
    yield "Time was counted from transplant (day 0) in years of 365.25 days."
    yield from _empty_cells(summary, known)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _known(summary: Summary) -> dict[str, bool]:
    """Of which components and of deaths the file gives any result."""
    endpoints = summary.endpoints
    by_kind = {
        "relapses": (
            endpoints.relapse_free_survival,
            endpoints.relapse_rate.before,
            endpoints.relapse_rate.after,
        ),
        "new lesions": (endpoints.mri_activity_free_survival, endpoints.lesions.after),
        "edss": (endpoints.worsening_free_survival, endpoints.disability),
        "deaths": (endpoints.overall_survival, endpoints.transplant_related_mortality),
    }
    return {kind: any(each.n_patients is not None for each in those) for kind, those in by_kind.items()}


def _empty_cells(summary: Summary, known: dict[str, bool]) -> Iterator[str]:
    """What docs/endpoints.md says of cells without a value, as far as an endpoint depends on them."""
    rules = []
    if known["relapses"] or known["new lesions"]:
        rules.append("an empty count was taken as unknown, never as zero")
    if summary.source.shape == "patient_table" and any(known.values()):
        rules.append(
            "an empty time of an event was taken as no event by the end of follow-up"
            + (
                ", provided the component was assessed"
                if any(has for kind, has in known.items() if kind != "deaths")
                else ""
            )
        )
    columns = summary.cohort.n_missing
    is_worsening_there = summary.endpoints.worsening_free_survival.n_patients is not None
    if is_worsening_there and "years_to_last_edss" in columns:
        rules.append("a patient without an EDSS since transplant was censored for worsening at transplant")
    if rules:
        yield f"{_capital('; '.join(rules))}."
    looked_for = {
        "years_to_last_scan": ("the last scan", summary.endpoints.mri_activity_free_survival),
        "years_to_last_edss": ("the last EDSS visit", summary.endpoints.worsening_free_survival),
    }
    there = {column: words for column, (words, each) in looked_for.items() if each.n_patients is not None}
    absent = [words for column, words in there.items() if column not in columns]
    if absent:
        yield f"The end of follow-up stood in for {fmt.listed(absent)}, of which the file has no column."
    if summary.source.shape == "patient_table" and any(columns.get(column) for column in there):
        yield "An assessment without a time was taken to be at the end of follow-up."


def _survival(summary: Summary, cite: _Citations) -> Iterator[str]:
    protocol, endpoints = summary.protocol, summary.endpoints
    horizon = in_years(protocol.horizon_years)
    there = {key: getattr(endpoints, key) for key in keys_with_curve(summary)}
    of_disease = [key for key in there if key != "overall_survival"]
    if there:
        yield (
            f"Survival endpoints were estimated at {horizon} by the method of Kaplan and Meier "
            f"{cite('kaplan-meier')}. A patient without an event was censored at the last assessment that "
            "could have shown one."
        )
    if of_disease:
        yield "A patient of whom nobody can say whether there was one was left out and counted as unknown."
    if there:
        yield _deaths(summary, of_disease=bool(of_disease))
    if any(each.ci_low is not None or each.curve.n_events.any() for each in there.values()):
        yield (
            f"Pointwise {fmt.level(protocol.confidence_level)} confidence intervals use Greenwood’s variance "
            f"{cite('greenwood', 'kalbfleisch-prentice')} {_SCALES[protocol.ci_method]} "
            f"{cite('klein-moeschberger')}."
        )
    if any(each.proportion.value is not None for each in there.values()):
        yield (
            "Beside the estimate stands the crude proportion of event-free patients among those who had an "
            "event by then or were followed to it."
        )
    if any(row.n_yes is not None for row in endpoints.neda3):
        yield (
            f"No evidence of disease activity (NEDA-3) {cite('neda')} was counted at each whole year up to "
            "the horizon."
        )
    if there:
        yield (
            f"Figures have the numbers at risk, censored and with events below the axis {cite('kmunicate')}."
        )


def _deaths(summary: Summary, *, of_disease: bool) -> str:
    if summary.endpoints.overall_survival.n_patients is None:
        return "Deaths are not in the data."
    if not of_disease:
        return "The event of overall survival was death of any cause."
    return {
        "event": "A death counted as an event of every survival endpoint.",
        "censor": "A death was an event of overall survival alone; for the other endpoints it ended the "
        "observation (censored).",
    }[summary.protocol.death]


def _counts(summary: Summary, cite: _Citations) -> Iterator[str]:
    endpoints = summary.endpoints
    relapses, lesions = endpoints.relapse_rate, endpoints.lesions
    rates = [
        name
        for name, figures in (
            ("relapses per person-year", (relapses.before.rate, relapses.after.rate)),
            ("lesions per scan", (lesions.before.lesions_per_scan, lesions.after.lesions_per_scan)),
        )
        if any(figure is not None for figure in figures)
    ]
    if rates:
        yield (
            f"{_capital(fmt.listed(rates))} were pooled over patients, with exact Poisson intervals "
            f"{cite('garwood')}."
        )
    if relapses.ratio.value is not None or lesions.ratio.value is not None:
        yield (
            "Ratios of after to before have exact intervals conditional on the sum of both sides "
            f"{cite('przyborowski-wilenski')}."
        )
    sides = (relapses.before, relapses.after, lesions.before, lesions.after)
    if any(side.dispersion is not None for side in sides):
        yield (
            "Overdispersion is Pearson’s statistic divided by its degrees of freedom "
            f"{cite('mccullagh-nelder')}."
        )
    has_proportions = any(value is not None for value in _proportions(summary))
    if has_proportions:
        yield f"Proportions have exact binomial intervals {cite('clopper-pearson')}."
    if rates or has_proportions:
        yield (
            f"All intervals are two-sided at {fmt.level(summary.protocol.confidence_level)}; no hypothesis "
            "was tested, and nothing was adjusted for the number of endpoints."
        )


def _proportions(summary: Summary) -> Iterator[float | None]:
    """Every proportion on the page."""
    endpoints = summary.endpoints
    yield from (getattr(endpoints, key).proportion.value for key in SHORT_NAMES)
    yield from (row.proportion.value for row in endpoints.neda3)
    yield endpoints.lesions.after.scans_with_lesions.value
    yield endpoints.disability.worsened.value
    yield endpoints.disability.improved.value
    yield endpoints.transplant_related_mortality.value


def _publication(check: Check | None, cite: _Citations) -> Iterator[str]:
    if check is None:
        return
    whose = (
        "the publication’s own protocol"
        if check.is_own_protocol
        else f"protocol {shown(check.protocol.name)}"
    )
    citation = prose(check.publication.citation)
    yield (
        f"The cohort was held against the figures in {citation.rstrip('.')} {cite.of(citation)}, computed by "
        f"{whose}, which need not be that of the rest of this page. A figure is reproduced if the cohort’s "
        "rounds to it, and the interval to the published one; compatible if it lies in the cohort’s "
        "interval; not computable if the file does not give it, or not at the horizon asked for; else it "
        "differs."
    )
