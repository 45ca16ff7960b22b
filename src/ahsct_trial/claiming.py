"""Where a figure that somebody quotes is published, what it counts there, and what contradicts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal, get_args

from ahsct_trial.catalogue import Topic
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.published import Figure, Publication, library, printed_figure
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
from ahsct_trial.reconciling import Reconciliation, reconcile
from ahsct_trial.results import SCHEMA_VERSION, TOOL, Tool
from ahsct_trial.wording import is_it_meant

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
#: What text copied from a terminal may hold.
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
#: Denominators that are searched for a percentage without limits, and the most that can be.
_MOST_PATIENTS = 100
LARGEST_N = 10_000
_NUMBER = r"(?<![\w.,·])[-−]?[0-9]{1,9}(?:[.,·][0-9]{1,12})?(?!\w|[.,·][0-9])"
_WHOLE = r"(?<![\w.,·])[-−]?[0-9]{1,9}(?![.,·]?\w)"
_COUNT = re.compile(
    rf"({_WHOLE})\s*(?:[a-z-]+\s+){{0,3}}?(?:/|out of|of|on|in|among)\s*"
    rf"(?:(?:the|those|these|all|its)\s+)?({_WHOLE})",
    re.IGNORECASE,
)
#: How many patients a figure is of that is no count itself.
_GROUP = re.compile(
    rf"\b(?:in|of|among)\s+(?:the\s+)?{_WHOLE}\s+(?:patients|people|participants)\b", re.IGNORECASE
)
_PERCENTAGE = re.compile(rf"({_NUMBER})\s*(?:%|per ?cent\b)", re.IGNORECASE)
_LIMITS = re.compile(
    rf"[(\[]\s*({_NUMBER})\s*(?:[-‐-―−:;]|to)\s*([0-9]{{1,9}}(?:[.,·][0-9]{{1,12}})?)\s*[)\]]"
)
#: A p-value, which no publication here is searched for.
_P_VALUE = re.compile(
    r",?\s*\bp(?:[- ]?values?)?\s*(?:[<>=≤≥]|of\b|was\b|is\b)\s*(?:[<>=≤≥]\s*)?[0-9]*[.,·]?[0-9]+",
    re.IGNORECASE,
)
#: A fraction in words, of which the number words alone would be another figure.
_FRACTION = re.compile(r"\b(?:half|halves|thirds?|quarters?|fifths?|tenths?)\b", re.IGNORECASE)
#: What can be more than that which it is counted in.
_MAY_EXCEED = re.compile(r"\byears?\b|\b(?:scans|relapses|lesions|events|infections)\b", re.IGNORECASE)
_MINUS = re.compile(r"\b(?:minus|negative)\s+(?=[0-9])", re.IGNORECASE)
_LEVEL = re.compile(r"[0-9]{2}(?:[.,][0-9])?\s*%\s*(?:CI|confidence interval)[\s:,]*", re.IGNORECASE)
_HORIZON = re.compile(
    r"(?:(?:at|after|by|within|for|in)\s+)?"
    r"(?:(?<![\w.,·])([0-9]{1,2})[ -]?(?:years?|y)\b(?!\s*old)|\byear ([0-9]{1,2})\b)",
    re.IGNORECASE,
)
_UNITS_IN_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TENS_IN_WORDS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_BELOW_TWENTY = (
    *_UNITS_IN_WORDS,
    *(
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ),
)
_NUMBER_WORDS = {
    **dict.fromkeys(("no", "none", "nobody", "zero"), 0),
    **{word: n for n, word in enumerate(_BELOW_TWENTY, 1)},
    **{word: 10 * n for n, word in enumerate(_TENS_IN_WORDS, 2)},
}
_NUMBER_WORD = (
    rf"\b(?:(?:{'|'.join(_TENS_IN_WORDS)})[ -](?:{'|'.join(_UNITS_IN_WORDS)})|{'|'.join(_NUMBER_WORDS)})\b"
)
#: A number in words before what it is of.
_COUNT_IN_WORDS = re.compile(
    rf"{_NUMBER_WORD}(?=(?: [a-z-]+){{0,3}} (?:of(?: the| those| these| all| its)? [0-9]|"
    r"(?:in|on|among) (?:the |those |these |all )?[0-9][0-9.,]* (?:patient|person|people|participant|scan)))",
    re.IGNORECASE,
)
#: The unit that words in a claim ask for, the first that is found.
_UNITS = (
    ("hazard ratio", r"hazard ratio|\bHR\b"),
    ("rate ratio", r"rate ratio|\bRR\b"),
    ("per 1,000 person-years", r"(?:per|/)\s*1[,. ]?000"),
    ("per year", r"(?:\ba|per|each|every|/)\s*(?:patient-|person-)?year\b|annual"),
    ("%", r"%|\bper ?cent\b"),
    ("mean difference", r"mean difference"),
    ("mean", r"\bmean\b"),
    ("median", r"\bmedian\b"),
    ("years", r"[.,·][0-9]+ ?years?\b"),
    ("months", r"\bmonths?\b"),
    ("days", r"\bdays?\b"),
)
_TOPIC_WORDS: tuple[tuple[Topic, str], ...] = (
    ("relapse", r"relaps"),
    ("lesion", r"lesion|\bscans?\b|\bMRI\b"),
    ("worsening", r"worse|progress|deteriorat"),
    ("improvement", r"improv|better"),
    ("death", r"death|\bdead\b|\bdied?\b|mortality|overall survival|alive"),
    ("activity", r"activity|\bNEDA\b|event-free|disease-free"),
    ("edss", r"\bEDSS\b"),
    ("follow-up", r"follow"),
    ("safety", r"adverse|neutropenia|thyroid|infection"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A figure as somebody quotes it.

    Attributes
    ----------
    text
        The words.
    value, of, ci
        The number as it is written, with a point before its decimals; what it is of; its limits.
    unit
        What the words say that it is, as in `Figure`; empty where they do not.
    horizon_years
        The time that the words name [years].
    about
        The topics that are looked at: those asked for, else those of the words; empty for all.
    """

    text: str
    value: str
    of: str | None
    ci: tuple[str, str] | None
    unit: str
    horizon_years: float | None
    about: tuple[Topic, ...]

    @property
    def printed(self) -> str:
        """The figure as papers print it."""
        return printed_figure(self.value, self.of, self.ci, self.unit)


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


def topic_named(word: str) -> Topic:
    """Find a topic by its name.

    Raises
    ------
    UsageError
        If there is none of that name; the text names the closest one, or all.
    """
    topics: tuple[Topic, ...] = get_args(Topic)
    found = next((topic for topic in topics if topic == word.strip().casefold()), None)
    if found is None:
        remedy = is_it_meant(word, topics) or f"It is one of {', '.join(topics)}."
        raise UsageError(f"--about is {shown(repr(word))}. {remedy}")
    return found


def read_claim(text: str, about: Topic | None = None) -> Claim:
    """Take a figure out of the words in which somebody quotes it.

    Raises
    ------
    UsageError
        If the words hold no figure, or several.
    """
    words = " ".join(_COLOUR.sub(" ", text).split())
    rest = _P_VALUE.sub("", _LEVEL.sub("", _MINUS.sub("-", words)))
    if not re.search("[0-9]", rest) and (_P_VALUE.search(words) or _FRACTION.search(rest)):
        raise _not_one(text, "no figure that is looked up: p-values and fractions in words are not")
    in_words = _COUNT_IN_WORDS if re.search("[0-9]", rest) else re.compile(_NUMBER_WORD, re.IGNORECASE)
    rest = in_words.sub(_in_digits, rest)
    rest = re.sub(r"1[,. ]?000(?= (?:person|patient)-years)", "thousand", rest)
    unit = next((unit for unit, pattern in _UNITS if re.search(pattern, words, re.IGNORECASE)), "")
    count = _COUNT.search(rest)
    horizon = _HORIZON.search(rest if count is None else rest[count.end() :])
    if count is not None:
        beside = _PERCENTAGE.findall(_LIMITS.sub(" ", rest))
        counts = {tuple(map(_plain, each)) for each in _COUNT.findall(rest)}
        if len(counts) > 1 or any(_is_another(percentage, count) for percentage in beside):
            raise _not_one(text, "several figures")
        value, of, ci = count[1], _plain(count[2]), None
    else:
        without_horizon = _GROUP.sub(" ", rest if horizon is None else rest.replace(horizon[0], " "))
        of, limits = None, _LIMITS.search(without_horizon)
        ci = None if limits is None else (_plain(limits[1]), _plain(limits[2]))
        numbers = re.findall(_NUMBER, _LIMITS.sub(" ", without_horizon))
        if not numbers and horizon is not None and (unit or re.search("follow", words, re.IGNORECASE)):
            numbers, horizon = [horizon[1] or horizon[2]], None
        if len(numbers) != 1:
            raise _not_one(text, "several figures" if numbers else "no figure")
        value = numbers[0]
    asked = () if about is None else (about,)
    said = tuple(topic for topic, pattern in _TOPIC_WORDS if re.search(pattern, words, re.IGNORECASE))
    return Claim(
        text=text,
        value=_plain(value),
        of=of,
        ci=ci,
        unit="" if of is not None else unit,
        horizon_years=None if horizon is None else float(horizon[1] or horizon[2]),
        about=asked or said,
    )


def _not_one(text: str, what: str) -> UsageError:
    return UsageError(
        f'The claim "{shown(text)}" has {what}. Quote one, such as "23 of 24", "69.6 %" or "hazard ratio 0.07".'
    )


def _in_digits(found: re.Match[str]) -> str:
    return str(sum(_NUMBER_WORDS[word] for word in re.split("[ -]", found[0].lower())))


def _is_another(percentage: str, count: re.Match[str]) -> bool:
    """Whether a percentage beside a count is not that count's."""
    share, percent = ratio(_plain(count[1]), _plain(count[2])), Decimal(_plain(percentage))
    return share is None or not is_printed_as(100 * share, percent)


def _plain(number: str) -> str:
    """A number with a hyphen before it and a point in it, whatever stood there."""
    return number.replace("−", "-").replace(",", ".").replace("·", ".")


def _published(claim: Claim, known: Known) -> tuple[Found, ...]:
    matched = [
        (publication, figure, match)
        for publication, figure in known
        if _is_asked_for(claim, figure) and (match := _match(claim, figure)) is not None
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
    return is_about and (claim.horizon_years is None or claim.horizon_years == figure.horizon_years)


def _match(claim: Claim, figure: Figure) -> Match | None:
    """How a published figure is the quoted one; None if it is another."""
    if claim.of is not None:
        return _match_of_count(claim.value, claim.of, figure)
    quoted, printed = Decimal(claim.value), Decimal(figure.value)
    if figure.of is not None:
        is_precise = claim.unit == "%" or decimals(quoted) > 0
        # Events over years are no percentage.
        factor = (0 if claim.unit == "%" else 1) if is_rate(figure) else 100
        if is_precise and _gives(figure.value, figure.of, factor, quoted):
            return "same share"
        return "printed" if quoted == printed and not claim.unit else None
    if claim.unit and claim.unit != figure.unit.removesuffix(" (prevalence)"):
        return None
    if quoted == printed:
        return "printed" if claim.ci in {None, figure.ci} else None
    # A 0 has no digit of the figure that it would be rounded from.
    is_shorter = (
        bool(quoted) and decimals(printed) > decimals(quoted) and bool(claim.unit or decimals(quoted))
    )
    return "rounded" if is_shorter and rounds_to(Fraction(printed), quoted) else None


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
    if claim.ci is not None and not Decimal(claim.ci[0]) <= value <= Decimal(claim.ci[1]):
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


def _unsearched(text: str) -> str:
    return " Its p-value is not looked up." if _P_VALUE.search(text) else ""


def _arithmetic(claim: Claim, found: tuple[Found, ...]) -> Reconciliation | None:
    """The counts and interval methods that give a share; with the limits that are printed beside it."""
    if claim.of is not None:
        share = ratio(claim.value, claim.of)
        is_count = share is not None and 0 <= share <= 1 and "." not in claim.value + claim.of
        is_searched = is_count and int(claim.of) <= LARGEST_N
        return reconcile(f"{claim.value}/{claim.of}") if is_searched else None
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
        at = f" at {asked.horizon_years:g} years" if asked.horizon_years != claim.horizon_years else ""
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
    return f"{answer}."


def _named(figure: PublishedFigure) -> str:
    return f"“{figure.label}” in “{figure.title}”"
