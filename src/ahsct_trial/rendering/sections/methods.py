"""How the figures of a report were made, in sentences that a paper's methods can use, with their sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ahsct_trial.catalogue import LESIONS, RELAPSE_RATE, SURVIVAL_ENDPOINTS
from ahsct_trial.escaping import shown
from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.figures.curves import n_patients
from ahsct_trial.rendering.sections import prose, survival_shown
from ahsct_trial.results import (
    TOOL,
    Comparison,
    ContrastEndpoints,
    Endpoints,
    Estimate,
    EventRates,
    NedaContrast,
    ShareContrast,
    Summary,
    SurvivalContrast,
    SurvivalEndpoint,
)
from ahsct_trial.wording import in_years, plural

if TYPE_CHECKING:
    from ahsct_trial.checking import Check

#: The works that the methods cite; docs/endpoints.md, docs/worsening.md and docs/compare.md say for what.
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
    "chains based on censored observations. Scand J Stat 1978;5:141–150.",
    "choudhury": "Choudhury JB. Non-parametric confidence interval estimation for competing risks analysis: "
    "application to contraceptive data. Stat Med 2002;21:1129–1144.",
    "beta-product": "Fay MP, Brittain EH, Proschan MA. Pointwise confidence intervals for a survival "
    "distribution with small samples or heavy censoring. Biostatistics 2013;14:723–736.",
    "reverse": "Schemper M, Smith TL. A note on quantifying follow-up in studies of failure time. Control "
    "Clin Trials 1996;17:343–346.",
    "completeness": "Clark TG, Altman DG, De Stavola BL. Quantification of the completeness of follow-up. "
    "Lancet 2002;359:1309–1310.",
    "negative-binomial": "Lawless JF. Negative binomial and mixed Poisson regression. Can J Stat "
    "1987;15:209–225.",
    "zou-donner": "Zou GY, Donner A. Construction of confidence limits about effect measures: a general "
    "approach. Stat Med 2008;27:1693–1702.",
    "miettinen-nurminen": "Miettinen O, Nurminen M. Comparative analysis of two rates. Stat Med "
    "1985;4:213–226.",
    "boschloo": "Boschloo RD. Raised conditional level of significance for the 2 × 2-table when testing the "
    "equality of two probabilities. Stat Neerl 1970;24:1–9.",
    "efron": "Efron B. The efficiency of Cox’s likelihood function for censored data. J Am Stat Assoc "
    "1977;72:557–565.",
    "venzon-moolgavkar": "Venzon DJ, Moolgavkar SH. A method for computing profile-likelihood-based "
    "confidence intervals. Appl Stat 1988;37:87–94.",
    "firth": "Firth D. Bias reduction of maximum likelihood estimates. Biometrika 1993;80:27–38.",
    "heinze-schemper": "Heinze G, Schemper M. A solution to the problem of monotone likelihood in Cox "
    "regression. Biometrics 2001;57:114–119.",
    "log-rank": "Kalbfleisch JD, Prentice RL. The statistical analysis of failure time data. "
    "2nd ed. Wiley; 2002. Section 1.5.",
    "hothorn-lausen": "Hothorn T, Lausen B. On the exact distribution of maximally selected rank "
    "statistics. Comput Stat Data Anal 2003;43:121–137.",
    "royston-parmar": "Royston P, Parmar MKB. Restricted mean survival time: an alternative to the hazard "
    "ratio for the design and analysis of randomized trials with a time-to-event outcome. BMC Med Res "
    "Methodol 2013;13:152.",
    "gray": "Gray RJ. A class of k-sample tests for comparing the cumulative incidence of a competing "
    "risk. Ann Stat 1988;16:1141–1154.",
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


def methods(result: Summary | Comparison, check: Check | None) -> Methods:
    """How the figures were made, in sentences that a paper's methods section can use.

    What counts stands in the definitions; here is how it was estimated. An analysis that the file gives no
    result of is neither described nor cited.
    """
    cite = _Citations()
    paragraphs = {
        "Data.": _data(result, cite),
        "Survival.": _survival(result, cite),
        "Rates and shares.": _counts(result, cite),
        "Contrasts.": _contrasts(result, cite) if isinstance(result, Comparison) else (),
        "Published figures.": _publication(check, cite),
        "Software.": [
            f"All results not said otherwise were computed by {TOOL.name} {TOOL.version}, protocol "
            f"{shown(result.protocol.name, longest=200)}."
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


def _endpoints(result: Summary | Comparison) -> list[Endpoints]:
    """Of all patients, or of each group."""
    if isinstance(result, Comparison):
        return [group.endpoints for group in result.groups]
    return [result.endpoints]


def _data(result: Summary | Comparison, cite: _Citations) -> Iterator[str]:
    account, n = result.account, n_patients(result)
    shape = {
        "records": "The data were records with one row per observation",
        "patient_table": "The data were a table with one row per patient",
    }[result.source.shape]
    rows = f" of {n:,} {plural('patient', n)}"
    if account.rows_read is not None and account.rows_used is not None:
        rows = f": {account.rows_read:,} {plural('row', account.rows_read)} read, {account.rows_used:,} used,{rows}"
    yield f"{shape}{rows}."
    has_worsening = any(each.disability.n_patients is not None for each in _endpoints(result))
    if result.source.shape == "records" and has_worsening:
        yield (
            "Confirmed worsening and improvement of EDSS were derived from the visits by the rule given "
            f"under Definitions, which follows msprog {cite('msprog')}."
        )
    yield f"Time was counted from {result.protocol.time_zero} (day 0) in years of 365.25 days."


def _survival(result: Summary | Comparison, cite: _Citations) -> Iterator[str]:
    protocol = result.protocol
    level, horizon = fmt.level(protocol.confidence_level), in_years(protocol.horizon_years)
    there: list[SurvivalEndpoint] = [
        endpoint
        for endpoints in _endpoints(result)
        for declared in SURVIVAL_ENDPOINTS
        if len((endpoint := getattr(endpoints, declared.key)).curve)
    ]
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
            f"after Aalen and Johansen {cite('aalen-johansen')} with log-log intervals {cite('choudhury')}."
        )
    if any(each.proportion.value is not None for each in there):
        yield (
            "Beside the estimate stands the crude share of event-free patients among those who had an "
            "event by then or were observed to it."
        )
    if any(row.n_yes is not None for endpoints in _endpoints(result) for row in endpoints.neda3):
        yield (
            f"No evidence of disease activity (NEDA-3) {cite('neda')} was counted at each whole year up to "
            "the horizon."
        )
    yield (
        f"Median follow-up is by the reverse Kaplan–Meier method {cite('reverse')}, and completeness the "
        f"share of the follow-up that was possible to {horizon} {cite('completeness')}."
    )
    if there:
        yield (
            f"Figures have the numbers at risk, censored and with events below the axis {cite('kmunicate')}."
        )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _counts(result: Summary | Comparison, cite: _Citations) -> Iterator[str]:
    relapses = [endpoints.relapse_rate for endpoints in _endpoints(result)]
    lesions = [endpoints.lesions for endpoints in _endpoints(result)]
    rates_by_name: dict[str, list[EventRates]] = {
        f"{RELAPSE_RATE.events} per person-year": relapses,
        f"{LESIONS.events} per scan": lesions,
    }
    sides = [side for each in (*relapses, *lesions) for side in (each.before, each.after)]
    ratios = [] if isinstance(result, Comparison) else [*relapses, *lesions]
    rates = [
        name
        for name, of_endpoint in rates_by_name.items()
        if any(side.rate.value is not None for each in of_endpoint for side in (each.before, each.after))
    ]
    if rates:
        yield (
            f"{_capital(fmt.listed(rates))} were pooled over patients, with exact Poisson intervals "
            f"{cite('garwood')}."
        )
    if any(each.ratio.value is not None for each in ratios):
        yield (
            "Ratios of after to before have exact intervals conditional on the sum of both sides "
            f"{cite('przyborowski-wilenski')}."
        )
    if any(side.dispersion is not None for side in sides):
        yield (
            "Overdispersion is Pearson’s statistic divided by its degrees of freedom "
            f"{cite('mccullagh-nelder')}."
        )
    negative_binomial = [side.rate_negative_binomial for side in sides]
    negative_binomial += [each.ratio_negative_binomial for each in ratios]
    if any(each.ci_method is not None for each in negative_binomial):
        yield (
            "Where counts are overdispersed a rate or ratio also has the profile-likelihood interval of "
            f"the negative binomial distribution {cite('negative-binomial')}."
        )
    has_shares = any(each.value is not None for each in _shares(result))
    if has_shares:
        yield f"Shares have exact binomial intervals {cite('clopper-pearson')}."
    if rates or has_shares:
        tested = (
            "p-values are two-sided too" if isinstance(result, Comparison) else "no hypothesis was tested"
        )
        yield (
            f"All intervals are two-sided at {fmt.level(result.protocol.confidence_level)}; {tested}, "
            "and nothing was adjusted for the number of endpoints."
        )


def _shares(result: Summary | Comparison) -> Iterator[Estimate]:
    """The crude shares on the page."""
    for endpoints in _endpoints(result):
        yield from (getattr(endpoints, declared.key).proportion for declared in SURVIVAL_ENDPOINTS)
        yield from (row.proportion for row in endpoints.neda3)
        yield endpoints.lesions.after.scans_with_lesions
        yield endpoints.disability.worsened
        yield endpoints.mortality.all_cause


def _contrasts(comparison: Comparison, cite: _Citations) -> Iterator[str]:
    """How what separates the groups was estimated and tested."""
    contrasts = [contrast.endpoints for contrast in comparison.contrasts]
    survival: list[SurvivalContrast] = [
        getattr(each, declared.key) for each in contrasts for declared in SURVIVAL_ENDPOINTS
    ]
    yield (
        f"Each group was compared with {shown(comparison.by.reference)}: differences are level − reference, "
        "ratios level ÷ reference."
    )
    yield from _differences(contrasts, survival, in_years(comparison.protocol.horizon_years), cite)
    yield from _over_all_follow_up(survival, comparison.by.strata, cite)
    yield from _ratios_of_rates(contrasts, cite)
    if any(test.gray for test in comparison.tests.values()):
        yield f"The incidences of each type of first event were compared by Gray’s test {cite('gray')}."


def _differences(
    contrasts: Sequence[ContrastEndpoints],
    survival: Sequence[SurvivalContrast],
    horizon: str,
    cite: _Citations,
) -> Iterator[str]:
    if any(each.survival_difference.value is not None for each in survival):
        yield (
            f"Differences of Kaplan–Meier estimates at {horizon} have limits by square and add from each "
            f"group’s own {cite('zou-donner')}."
        )
    if any(each.rmst_difference.value is not None for each in survival):
        yield (
            f"Mean event-free years, restricted to {horizon}, were compared by the areas under the curves "
            f"{cite('royston-parmar')}."
        )
    others: list[ShareContrast | NedaContrast] = []
    for contrast in contrasts:
        others += [
            contrast.disability.worsened,
            contrast.disability.improved,
            contrast.mortality.all_cause_by_day_100,
        ]
        others += contrast.neda3
    shares = [(each.risk_difference, each.p_exact) for each in (*survival, *others)]
    if any(difference.value is not None for difference, _ in shares):
        limits = f"Differences of crude shares have score limits {cite('miettinen-nurminen')}"
        if any(p is not None for _, p in shares):
            limits += f", and p-values by Boschloo’s exact test {cite('boschloo')}"
        yield f"{limits}."


def _over_all_follow_up(
    survival: Sequence[SurvivalContrast], strata: str | None, cite: _Citations
) -> Iterator[str]:
    methods = {each.hazard_ratio.ci_method for each in survival if each.hazard_ratio.value is not None}
    if "cox-efron-profile" in methods:
        yield (
            f"Hazard ratios are by Cox’s partial likelihood with Efron’s ties {cite('efron')}, "
            f"profile-likelihood limits {cite('venzon-moolgavkar')} and the p-value of the likelihood-ratio "
            "test."
        )
    if "firth-profile" in methods:
        yield (
            "Where a group had no event, one group always failed first, or there were fewer than ten events, "
            f"hazard ratios are by Firth’s penalised likelihood {cite('firth')} with profile-penalised limits "
            f"and p-values {cite('heinze-schemper')}."
        )
    if any(each.log_rank.p is not None for each in survival):
        tested = f"Curves were compared by the log-rank test {cite('log-rank')}"
        if any(each.log_rank.p_exact is not None for each in survival):
            tested += f", those of two groups also by permutation {cite('hothorn-lausen')}"
        if strata is not None:
            tested += f", within the levels of {shown(strata)}"
        yield f"{tested}."


def _ratios_of_rates(contrasts: Sequence[ContrastEndpoints], cite: _Citations) -> Iterator[str]:
    ratios = [rates for contrast in contrasts for rates in (contrast.relapse_rate, contrast.lesions)]
    if any(each.ratio.value is not None or each.ratio.ci_high is not None for each in ratios):
        yield (
            "Ratios of rates after time zero have exact intervals conditional on the sum of both groups "
            f"{cite('przyborowski-wilenski')}."
        )
    if any(each.ratio_negative_binomial.ci_method is not None for each in ratios):
        yield (
            "Where a group’s counts are overdispersed, the interval is that of the negative binomial "
            f"distribution {cite('negative-binomial')}."
        )


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
        f"by {whose}, which need not be that of the rest of this page."
    )
