"""Where a figure that somebody quotes is published, what it counts there, and what contradicts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from ahsct_trial.catalogue import Topic
from ahsct_trial.claiming.reading import Claim, read_claim, set_aside
from ahsct_trial.errors import UsageError
from ahsct_trial.published import Figure, Publication, library
from ahsct_trial.published.relations import (
    Relation,
    as_number,
    decimals,
    is_printed_as,
    is_rate,
    ratio,
    related_figures,
    rounds_to,
)
from ahsct_trial.reconciling import Reconciliation, reconcile, reconcile_rate
from ahsct_trial.results import SCHEMA_VERSION, TOOL, Tool
from ahsct_trial.wording import in_years, listed

#: How a published figure is the quoted one: printed so, the same share told otherwise, or rounded to it.
Match = Literal["printed", "same share", "rounded"]
Known = tuple[tuple[Publication, Figure], ...]

_MOST_NEAREST = 3
#: Who says so, by mark, with the verb.
_READERS = {
    "V": "the source itself gives",
    "S": "a secondary source gives",
    "D": "this program computed",
}
#: Denominators that are searched for a percentage without limits, and the most that can be.
_MOST_PATIENTS = 100
LARGEST_N = 10_000
#: What can be more than that which it is counted in.
_MAY_EXCEED = re.compile(r"\byears?\b|\b(?:scans|relapses|lesions|events|infections)\b", re.IGNORECASE)
#: The time of a figure by day 100, which stands in its path [years].
_DAY_100 = 100 / 365.25


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedFigure:
    """A published figure as it is `printed`, in its parts, and where it was read.

    `n_patients` are those of the publication, `confidence_level` is that of its limits.
    """

    publication: str
    title: str
    n_patients: int | None
    label: str
    printed: str
    value: str
    of: str | None
    ci: tuple[str, str] | None
    unit: str
    confidence_level: float
    definition: str
    horizon_years: float | None
    where: dict[str, tuple[str, ...]]
    about: tuple[Topic, ...]
    mark: str
    source: str
    read_in: str | None
    disputed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Related:
    """Another figure of the same trial for the same endpoint, of the same patients.

    `why` says why the two differ, as far as the publications tell; None where they agree or none does.
    """

    figure: PublishedFigure
    relation: Relation
    why: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A published figure that is the quoted one, how it is, and what else its trial prints for it."""

    figure: PublishedFigure
    match: Match
    related: tuple[Related, ...]
    uncertain: tuple[str, ...]

    @property
    def contradicted_by(self) -> tuple[Related, ...]:
        """What contradicts it."""
        return tuple(each for each in self.related if each.relation == "contradicts")


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimAnswer:
    """What is known of a quoted figure.

    Attributes
    ----------
    is_widened
        Whether the words named a time or a topic that nothing is published for, so that it was left out of
        `claim`.
    sentence
        The answer in one sentence.
    published
        Where it is published: printed so, then the same share told otherwise, then rounded to it.
    impossible
        Why no such figure can be, if so; null for any other.
    nearest
        Where it is not, or what it counts is not clear: the nearest figures of the kind.
    arithmetic
        The counts and interval methods that give it, of a share; None for any other figure.
    """

    schema_version: int
    tool: Tool
    claim: Claim
    is_widened: bool
    sentence: str
    impossible: str | None
    published: tuple[Found, ...]
    nearest: tuple[PublishedFigure, ...]
    arithmetic: Reconciliation | None


def answer_claim(text: str, about: Topic | None = None) -> ClaimAnswer:
    """Say where a quoted figure is published, what it counts there, and what contradicts it.

    Parameters
    ----------
    text
        The figure in any words: ``"23 of 24"``, ``"69,6 %"``, ``"hazard ratio 0.07"``,
        ``"1.2 relapses a year"``.
    about
        The topic to look at; without it that of the words, if a figure about it is found, else all.

    Returns
    -------
    ClaimAnswer
        It says nothing that stands in no source, but for what `arithmetic` computes.

    Raises
    ------
    UsageError
        If the words hold no figure, or several.
    """
    claim = read_claim(text, about)
    known = tuple((each, one) for each in library().publications for one in each.figures)
    found = _published(claim, known)
    asked = claim
    # The words may name a time or a topic that nothing is published for; then the figure alone is looked for.
    for wider in (replace(asked, horizon_years=None), replace(asked, horizon_years=None, about=())):
        if not found and (about is None or wider.about):
            found = _published(wider, known)
            claim = wider if found else asked
    impossible = _impossible(claim, is_found=bool(found))
    if impossible:
        claim, found = asked, ()
    is_clear = any(each.related or not each.figure.disputed for each in found)
    nearest = () if is_clear or impossible else _nearest(claim, known)
    return ClaimAnswer(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        claim=claim,
        is_widened=claim != asked,
        sentence=(impossible or _sentence(claim, asked, found, nearest)) + _unsearched(text),
        impossible=impossible,
        published=found,
        nearest=nearest,
        arithmetic=None if impossible else _arithmetic(claim, found),
    )


def _published(claim: Claim, known: Known) -> tuple[Found, ...]:
    matched = [
        (publication, figure, match)
        for publication, figure in known
        if _is_asked_for(claim, figure) and (match := _match(claim, publication, figure)) is not None
    ]
    matched.sort(
        key=lambda each: (
            each[1].disputed and each[1].figure is None,
            each[2] != "printed",
            each[1].figure is None,
            "VSD".index(each[1].mark),
            each[2] == "rounded",
        )
    )
    return tuple(
        Found(
            figure=_as_published(publication, figure),
            match=match,
            related=tuple(_related(publication, figure, known)),
            uncertain=publication.uncertain,
        )
        for publication, figure, match in matched
    )


def _is_asked_for(claim: Claim, figure: Figure) -> bool:
    is_about = not claim.about or bool({*claim.about} & {*figure.topics})
    time = _DAY_100 if "by_day_100" in (figure.figure or "") else figure.horizon_years
    return is_about and (claim.horizon_years is None or claim.horizon_years == time)


def _match(claim: Claim, publication: Publication, figure: Figure) -> Match | None:
    """How a published figure is the quoted one; None if it is another, or has other limits."""
    of = claim.of
    match = _match_of_number(claim, figure) if of is None else _match_of_count(claim.value, of, figure)
    return match if match is None or _may_have_limits(claim, publication, figure) else None


def _may_have_limits(claim: Claim, publication: Publication, figure: Figure) -> bool:
    """Whether the limits quoted are those of a figure, as far as either has digits, or any that its count has."""
    if claim.ci is None:
        return True
    if figure.ci is not None:
        return all(map(_is_same_limit, claim.ci, figure.ci))
    if figure.of is None:
        # A number that could be anything is told by its limits.
        return bool(claim.unit)
    level = publication.own_protocol().confidence_level
    with suppress(UsageError):  # a count of other than patients, or limits that do not enclose it
        if is_rate(figure):
            rate = claim.value if claim.of is None else f"{float(as_number(claim) or 0):.12f}"
            return reconcile_rate(rate, (figure.value, figure.of), claim.ci, level).is_explained
        return reconcile(f"{figure.value}/{figure.of}", claim.ci, level=level).is_explained
    return False


def _is_same_limit(quoted: str, published: str) -> bool:
    """Whether one of two limits is the other, or that rounded to its digits."""
    fewer, more = sorted(map(Decimal, (quoted, published)), key=decimals)
    return rounds_to(Fraction(more), fewer)


def _match_of_number(claim: Claim, figure: Figure) -> Match | None:
    quoted, printed = Decimal(claim.value), Decimal(figure.value)
    if figure.of is not None:
        is_precise = claim.unit == "%" or decimals(quoted) > 0
        factor = _factors_of_count(figure).get(claim.unit, 0)
        if is_precise and _gives(figure.value, figure.of, factor, quoted):
            return "same share"
        return "printed" if quoted == printed and not claim.unit else None
    if claim.is_count and figure.unit:
        return None
    if claim.unit and claim.unit != figure.unit.removesuffix(" (prevalence)"):
        return None
    if quoted == printed:
        return "printed"
    # A 0 has no digit of the figure that it would be rounded from.
    is_shorter = (
        bool(quoted) and decimals(printed) > decimals(quoted) and bool(claim.unit or decimals(quoted))
    )
    return "rounded" if is_shorter and rounds_to(Fraction(printed), quoted) else None


def _factors_of_count(figure: Figure) -> dict[str, int]:
    """By what the share that a count makes is multiplied, in each unit that it may be quoted in."""
    if not is_rate(figure):
        return {"": 100, "%": 100}
    if "lesion" in figure.topics:
        return {"": 1, "per scan": 1}
    return {"": 1, "per year": 1, "per 1,000 person-years": 1000}


def _match_of_count(value: str, of: str, figure: Figure) -> Match | None:
    if figure.of is not None:
        is_same = Decimal(value) == Decimal(figure.value) and Decimal(of) == Decimal(figure.of)
        return "printed" if is_same else None
    factor = {"%": 100, "per scan": 1}.get(figure.unit, 0)
    return "same share" if _gives(value, of, factor, Decimal(figure.value)) else None


def _gives(value: str, of: str, factor: int, printed: Decimal) -> bool:
    """Whether a count of something gives a share or rate as it is printed; a count of 0 says too little."""
    share = ratio(value, of)
    return bool(share and factor and printed) and is_printed_as(factor * Fraction(share or 0), printed)


def _related(publication: Publication, figure: Figure, known: Known) -> Iterator[Related]:
    for other_publication, other, relation in related_figures(publication, figure, known):
        why = None if relation == "agrees" else figure.differs or other.differs
        yield Related(figure=_as_published(other_publication, other), relation=relation, why=why)


def _nearest(claim: Claim, known: Known) -> tuple[PublishedFigure, ...]:
    """The nearest figures of the kind, each of another publication."""
    quoted = as_number(claim)
    is_share = claim.of is not None or claim.unit == "%"
    distances: dict[str, tuple[Fraction, Publication, Figure]] = {}
    for publication, figure in known:
        theirs = as_number(figure)
        is_kind = figure.unit == claim.unit
        if is_share:
            is_kind = figure.unit == "%" or (figure.of is not None and not (claim.unit and is_rate(figure)))
        is_meaningless = figure.disputed and figure.figure is None
        if theirs is None or quoted is None or not is_kind or is_meaningless:
            continue
        if not _is_asked_for(claim, figure):
            continue
        distance = abs(theirs - quoted)
        if publication.id not in distances or distance < distances[publication.id][0]:
            distances[publication.id] = (distance, publication, figure)
    nearest = sorted(distances.values(), key=lambda each: each[0])[:_MOST_NEAREST]
    return tuple(_as_published(publication, figure) for _, publication, figure in nearest)


def _impossible(claim: Claim, *, is_found: bool) -> str | None:
    """Why there can be no such figure, if so; a count that is found as it is quoted may be a rate's."""
    value = Decimal(claim.value)
    whole = None if claim.of is None else Decimal(claim.of)
    if not _is_within_limits(claim):
        return f"{claim.printed} cannot be: the figure is outside its own interval."
    if is_found:
        return None
    of_patients = claim.unit == "%" or whole is not None
    reasons = (
        (whole == 0, "cannot be: nothing is a share of 0"),
        (of_patients and value < 0, "cannot be a share of patients: it is below 0"),
        (
            whole is not None and value > whole and not _MAY_EXCEED.search(claim.text),
            "cannot be a count of patients: it is more than all of them",
        ),
        (claim.unit == "%" and value > 100, "cannot be a share of patients: it is above 100 %"),
        (claim.unit.endswith("ratio") and value < 0, "cannot be: no ratio is below 0"),
    )
    reason = next((why for is_so, why in reasons if is_so), None)
    return None if reason is None else f"{claim.printed} {reason}."


def _is_within_limits(claim: Claim) -> bool:
    """Whether a figure lies within its limits; a count as its share, as a percentage or not."""
    if claim.ci is None:
        return True
    low, high = (Fraction(limit) for limit in claim.ci)
    share = Fraction(claim.value) if claim.of is None else ratio(claim.value, claim.of)
    factors = (1,) if claim.of is None else (1, 100)
    return share is not None and any(low <= factor * share <= high for factor in factors)


def _unsearched(text: str) -> str:
    beside = set_aside(text)
    verb = "is" if len(beside) == 1 else "are"
    return f" Its {listed(beside)} {verb} not looked up." if beside else ""


def _arithmetic(claim: Claim, found: tuple[Found, ...]) -> Reconciliation | None:
    """The counts and interval methods that give a share; with the limits that are printed beside it."""
    if claim.of is not None:
        share = ratio(claim.value, claim.of)
        is_count = share is not None and 0 <= share <= 1 and "." not in claim.value + claim.of
        is_searched = is_count and int(claim.of) <= LARGEST_N
        return reconcile(f"{claim.value}/{claim.of}", claim.ci) if is_searched else None
    exact = (each.figure for each in found if each.match == "printed")
    printed = next((figure for figure in exact if figure.unit == "%"), None)
    is_percentage = claim.unit == "%" or (not claim.unit and printed is not None)
    if not is_percentage or not 0 <= Decimal(claim.value) <= 100:
        return None
    ci = claim.ci or (None if printed is None else printed.ci)
    n_to = _MOST_PATIENTS if printed is None or ci is None else printed.n_patients or _MOST_PATIENTS
    level = 0.95 if printed is None else printed.confidence_level
    return reconcile(f"{claim.value}%", ci, (1, min(n_to, LARGEST_N)), level)


def _as_published(publication: Publication, figure: Figure) -> PublishedFigure:
    return PublishedFigure(
        publication=publication.id,
        title=publication.title,
        n_patients=publication.n_patients,
        label=figure.label,
        printed=figure.printed,
        value=figure.value,
        of=figure.of,
        ci=figure.ci,
        unit=figure.unit,
        confidence_level=publication.own_protocol().confidence_level,
        definition=figure.definition,
        horizon_years=figure.horizon_years,
        where=figure.where,
        about=figure.topics,
        mark=figure.mark,
        source=figure.source,
        read_in=figure.read_in,
        disputed=figure.disputed,
    )


def _sentence(
    claim: Claim,
    asked: Claim,
    found: tuple[Found, ...],
    nearest: tuple[PublishedFigure, ...],
) -> str:
    if claim != asked:
        about = f" about {' or '.join(asked.about)}" if asked.about != claim.about else ""
        years = asked.horizon_years
        at = "" if years is None or years == claim.horizon_years else f" at {_time(years)}"
        answer = _sentence(claim, claim, found, nearest)
        return f"No publication known here prints {asked.printed}{about}{at}. Leaving that out: {answer}"
    if not found:
        about = f" about {' or '.join(claim.about)}" if claim.about else ""
        answer = f"No publication known here prints {claim.printed}{about}"
        if not nearest:
            return f"{answer}."
        return f"{answer}; the nearest is {nearest[0].printed}, {_named(nearest[0])}."
    first = found[0]
    figure = first.figure
    is_part = figure.of is not None and claim.of is None
    is_of = {
        "printed": f" is printed as {figure.printed}, which" if is_part else "",
        "same share": f" is {figure.printed}, which",
        "rounded": f" is, rounded, {figure.printed}, which",
    }[first.match]
    if figure.mark == "D":
        answer = f"{claim.printed}{is_of} is not printed: this program computed it, as {_named(figure)}"
    elif is_of:
        answer = f"{claim.printed}{is_of} {_READERS[figure.mark]} for {_named(figure)}"
    else:
        answer = f"{claim.printed} is what {_READERS[figure.mark]} for {_named(figure)}"
    if first.contradicted_by:
        against = min(first.contradicted_by, key=lambda each: "VSD".index(each.figure.mark)).figure
        reader = _READERS[against.mark]
        return f"{answer}; but for the same endpoint of the same trial {reader} {against.printed}."
    if figure.disputed:
        return f"{answer}; but what it counts is disputed or not clear."
    are_no_limits = claim.ci is not None and figure.ci is None and figure.of is None
    return f"{answer}{', where no limits are printed' if are_no_limits else ''}."


def _time(years: float) -> str:
    """A time in years, or where those are no whole or half ones, in days."""
    return in_years(years) if (2 * years).is_integer() else f"{365.25 * years:.0f} days"


def _named(figure: PublishedFigure) -> str:
    return f"“{figure.label}” in “{figure.title}”"
