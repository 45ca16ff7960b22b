"""What only the report says: the headline in sentences, the flow of patients, methods with sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ahsct_trial.catalogue import HEADLINE, LESIONS, RELAPSE_RATE, SURVIVAL_ENDPOINTS
from ahsct_trial.escaping import shown
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.figures.curves import keys_with_curve
from ahsct_trial.rendering.sections import prose, sentences, survival_shown
from ahsct_trial.rendering.sections.summarize import headline_section
from ahsct_trial.results import TOOL, Estimate, Summary, SurvivalEndpoint
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
    "aalen-johansen": "Aalen OO, Johansen S. An empirical transition matrix for non-homogeneous Markov "
    "chains "
    "based on censored observations. Scand J Stat 1978;5:141–150.",
    "choudhury": "Choudhury JB. Non-parametric confidence interval estimation for competing risks analysis: "
    "application to contraceptive data. Stat Med 2002;21:1129–1144.",
    "beta-product": "Fay MP, Brittain EH, Proschan MA. Pointwise confidence intervals for a survival "
    "distribution "
    "with small samples or heavy censoring. Biostatistics 2013;14:723–736.",
    "reverse": "Schemper M, Smith TL. A note on quantifying follow-up in studies of failure time. Control "
    "Clin "
    "Trials 1996;17:343–346.",
    "completeness": "Clark TG, Altman DG, De Stavola BL. Quantification of the completeness of follow-up. "
    "Lancet "
    "2002;359:1309–1310.",
    "negative-binomial": "Lawless JF. Negative binomial and mixed Poisson regression. Can J Stat "
    "1987;15:209–225.",
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
    """The headline with all that it must not be quoted without: counts, intervals, the event."""
    endpoint: SurvivalEndpoint = getattr(summary.endpoints, HEADLINE.key)
    said = headline_section(summary)
    definition = [] if endpoint.n_patients is None else sentences(endpoint.definition)[:1]
    return [*said.lead, *definition, *said.notes]


def flow_steps(summary: Summary) -> list[Step]:
    """From the rows of the data to the patients behind the headline."""
    account = summary.account
    endpoint: SurvivalEndpoint = getattr(summary.endpoints, HEADLINE.key)
    horizon, n = in_years(endpoint.horizon_years), summary.cohort.n_patients
    steps = [Step(fmt.count(n), plural("patient", n))]
    if account.rows_read is not None and account.rows_used is not None:
        aside = tuple(f"{each.count:,} set aside: {each.reason}" for each in account.set_aside)
        steps = [
            Step(fmt.count(account.rows_read), f"{plural('row', account.rows_read)} read"),
            Step(
                fmt.count(account.rows_used),
                f"{plural('row', account.rows_used)} used",
                aside or ("0 set aside",),
            ),
            *steps,
        ]
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


def methods(summary: Summary, check: Check | None) -> Methods:
    """How the figures were made, in sentences that a paper's methods section can use.

    What counts stands in the definitions; here is how it was estimated. An analysis that the file gives no
    result of is neither described nor cited.
    """
    cite = _Citations()
    paragraphs = {
        "Data.": _data(summary, cite),
        "Survival.": _survival(summary, cite),
        "Rates and shares.": _counts(summary, cite),
        "Published figures.": _publication(check, cite),
        "Software.": [
            f"All results not said otherwise were computed by {TOOL.name} {TOOL.version}, protocol "
            f"{shown(summary.protocol.name, longest=200)}."
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
    rows = f" of {n:,} {plural('patient', n)}"
    if account.rows_read is not None and account.rows_used is not None:
        rows = f": {account.rows_read:,} {plural('row', account.rows_read)} read, {account.rows_used:,} used,{rows}"
    yield f"{shape}{rows}."
    if summary.source.shape == "records" and summary.endpoints.disability.n_patients is not None:
        yield (
            "Confirmed worsening and improvement of EDSS were derived from the visits by the rule given "
            "under "
            f"Definitions, which follows msprog {cite('msprog')}."
        )
    yield f"Time was counted from {summary.protocol.time_zero} (day 0) in years of 365.25 days."


def _survival(summary: Summary, cite: _Citations) -> Iterator[str]:
    protocol = summary.protocol
    level, horizon = fmt.level(protocol.confidence_level), in_years(protocol.horizon_years)
    there: list[SurvivalEndpoint] = [getattr(summary.endpoints, key) for key in keys_with_curve(summary)]
    if there:
        yield (
            f"Survival endpoints were estimated at {horizon} by the method of Kaplan and Meier "
            f"{cite('kaplan-meier')}."
        )
    if protocol.ci_method in _SCALES and any(each.survival.ci_low is not None for each in there):
        yield (
            f"Pointwise {level} confidence intervals use Greenwood’s variance "
            f"{cite('greenwood', 'kalbfleisch-prentice')} {_SCALES[protocol.ci_method]} "
            f"{cite('klein-moeschberger')}."
        )
    if any(survival_shown(each).ci_method == "beta-product" for each in there):
        where = "" if protocol.ci_method == "beta-product" else " at 0 and 100 %"
        yield f"Limits{where} are those of the beta product method {cite('beta-product')}."
    if any(len(each.incidence) > 1 for each in there):
        yield (
            "The cumulative incidence of each type of first event, the others competing, was estimated "
            "after Aalen and "
            f"Johansen {cite('aalen-johansen')} with log-log intervals {cite('choudhury')}."
        )
    if any(each.proportion.value is not None for each in there):
        yield (
            "Beside the estimate stands the crude share of event-free patients among those who had an "
            "event by then or "
            "were observed to it."
        )
    if any(row.n_yes is not None for row in summary.endpoints.neda3):
        yield (
            f"No evidence of disease activity (NEDA-3) {cite('neda')} was counted at each whole year up to "
            "the horizon."
        )
    yield (
        f"Median follow-up is by the reverse Kaplan–Meier method {cite('reverse')}, and completeness the "
        "share of the "
        f"follow-up that was possible to {horizon} {cite('completeness')}."
    )
    if there:
        yield (
            f"Figures have the numbers at risk, censored and with events below the axis {cite('kmunicate')}."
        )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _counts(summary: Summary, cite: _Citations) -> Iterator[str]:
    endpoints = summary.endpoints
    relapses, lesions = endpoints.relapse_rate, endpoints.lesions
    sides = {
        f"{RELAPSE_RATE.events} per person-year": (relapses.before, relapses.after),
        f"{LESIONS.events} per scan": (lesions.before, lesions.after),
    }
    rates = [name for name, own in sides.items() if any(side.rate.value is not None for side in own)]
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
    if any(side.dispersion is not None for own in sides.values() for side in own):
        yield (
            "Overdispersion is Pearson’s statistic divided by its degrees of freedom "
            f"{cite('mccullagh-nelder')}."
        )
    negative_binomial = [side.rate_negative_binomial for own in sides.values() for side in own]
    negative_binomial += [relapses.ratio_negative_binomial, lesions.ratio_negative_binomial]
    if any(each.ci_method is not None for each in negative_binomial):
        yield (
            "Where counts are overdispersed a rate or ratio also has the profile-likelihood interval of "
            "the negative "
            f"binomial distribution {cite('negative-binomial')}."
        )
    has_shares = any(each.value is not None for each in _shares(summary))
    if has_shares:
        yield f"Shares have exact binomial intervals {cite('clopper-pearson')}."
    if rates or has_shares:
        yield (
            f"All intervals are two-sided at {fmt.level(summary.protocol.confidence_level)}; no hypothesis "
            "was tested, and nothing was adjusted for the number of endpoints."
        )


def _shares(summary: Summary) -> Iterator[Estimate]:
    """The crude shares on the page."""
    endpoints = summary.endpoints
    yield from (getattr(endpoints, declared.key).proportion for declared in SURVIVAL_ENDPOINTS)
    yield from (row.proportion for row in endpoints.neda3)
    yield endpoints.lesions.after.scans_with_lesions
    yield endpoints.disability.worsened
    yield endpoints.mortality.all_cause


def _publication(check: Check | None, cite: _Citations) -> Iterator[str]:
    if check is None:
        return
    whose = (
        "the publication’s own protocol"
        if check.is_own_protocol
        else f"protocol {shown(check.protocol.name, longest=200)}"
    )
    citation = prose(check.publication.citation)
    yield (
        f"The cohort was compared with the figures in {citation.rstrip('.')} {cite.of(citation)}, computed "
        "by "
        f"{whose}, which need not be that of the rest of this page."
    )
