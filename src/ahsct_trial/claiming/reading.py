"""The figure that somebody quotes, read from their words.

What is understood is taken out of the words one after another: what stands beside a figure (a p-value, a spread),
its limits, times; of what is left one number is the figure. Where several could be, or something makes another
figure of it, the claim is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, get_args

from ahsct_trial.catalogue import Topic
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.published import printed_figure
from ahsct_trial.published.relations import is_printed_as, ratio
from ahsct_trial.wording import is_it_meant, listed
from ahsct_trial.written_numbers import (
    COUNT,
    LIMITS,
    MAY_BE_THOUSANDS,
    NUMBER,
    PERCENT,
    TIME_UNIT,
    in_digits,
    with_point,
    without_limits,
)

#: What text copied from a terminal may hold.
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_MINUS = re.compile(r"\b(?:minus|negative)\s+(?=[0-9])", re.IGNORECASE)
_P_VALUE = (
    r"\bp(?:[- ]?values?)?\s*(?:(?:[<>=≤≥]|of\b|was\b|is\b)\s*(?:[<>=≤≥]\s*)?[0-9]*|0)[.,·]?[0-9]+"
    r"(?: against the other arm)?"
)
_SPREAD = (
    r"(?:±|\b(?:SD|SEM?|IQR|(?:interquartile )?range|standard (?:deviation|error))\b)[\s:=,]*"
    rf"(?:of |from )?(?:{LIMITS}|{NUMBER})"
)
#: What may stand beside a figure, in brackets of its own or not, and is not looked up.
_BESIDE = {
    name: re.compile(rf"[(\[]\s*{pattern}\s*[)\]]|[,;]?\s*{pattern}", re.IGNORECASE)
    for name, pattern in (("p-value", _P_VALUE), ("spread", _SPREAD))
}
#: Numbers that are names: of an endpoint, a grade of toxicity, a calendar year.
_NAMED = re.compile(
    r"\bNEDA[ -]?[34]\b|\bgrade [0-9](?: or (?:higher|more|above|worse))?\b"
    r"|\b(?:before|since|until) (?:19|20)[0-9]{2}\b",
    re.IGNORECASE,
)
#: A fraction in words, of which the number words alone would be another figure.
_FRACTION = re.compile(
    r"\bhalf\b|\b(?:an?|one|two|three|four|nine|[0-9]+)[ -](?:halves|thirds?|quarters?|fifths?|tenths?|fourths?)\b",
    re.IGNORECASE,
)
#: Measures that no publication is looked up for: the number would be taken for another figure.
_OTHER_MEASURE = re.compile(
    r"\b(?:odds ratio|relative risk|risk ratio|(?:relative |absolute )?risk reduction|number needed to treat"
    r"|percentage points?|times (?:as|more|less|fewer|lower|higher)|(?-i:OR|NNT)(?=[ =:]*[0-9]))\b|[0-9][ -]?fold\b"
    r"|\byears?[ -]old\b",
    re.IGNORECASE,
)
_PERCENTAGE_PER_YEAR = re.compile(
    rf"{PERCENT}\s*(?:(?:per|an?|each|every|/)\s*(?:patient-|person-)?(?:{TIME_UNIT}|annum)\b|(?:annual|year|month)ly\b)",
    re.IGNORECASE,
)
#: A rate per so many person-years, or per thousand of what is not said.
_PER_PERSON_YEARS = re.compile(
    r"(?:\bper|/)\s*(?P<years>10{2,4}|10?[,. ]000)"
    r"(?:\s*(?:(?:person|patient)[- ]?years?|PY)\b|(?<=000)(?!\s*[\w%]))",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?P<cue>\b(?:at|after|by|within|for|in|over|during|until|through)\s+(?:the\s+)?(?:first\s+)?|\(\s*)?"
    r"(?:(?<![\w.,·])(?P<number>[0-9]{1,4}(?:[.,·][0-9]{1,12})?)(?P<hyphen>[ -]?)"
    rf"(?P<unit>{TIME_UNIT})\b(?![ -]*old)"
    r"|\b(?P<named>year|month|week|day) (?P<at>[0-9]{1,4})(?![\w%]|[.,·][0-9]))"
    r"(?P<later>\s+(?:after|later|post|of follow-up)\b)?",
    re.IGNORECASE,
)
_PER_TIME = re.compile(rf"\b(?:per|every|each) [0-9]+ {TIME_UNIT}\b", re.IGNORECASE)
#: How many of a unit of time are a year.
_PER_YEAR = {"years": 1, "months": 12, "weeks": 365.25 / 7, "days": 365.25}
_LONGEST_YEARS = 50
#: Of what a time itself may be the figure.
_DURATION = re.compile(r"\b(?:median|mean|longest|shortest|duration)\b", re.IGNORECASE)
_FOLLOW_UP = re.compile(r"\bfollow", re.IGNORECASE)
#: Of how many patients a figure is.
_GROUP = re.compile(
    r"\b(?:in|of|among)\s+(?:the\s+)?(?P<n>[0-9]{1,9})\s+(?:patients|people|participants)\b", re.IGNORECASE
)
#: What makes a bound of the number that follows or stands before it, or denies it.
_BEFORE_A_BOUND = re.compile(
    r"(?:\b(?:\w+ than|at (?:least|most|best|worst)|(?:max|min)(?:imum)?|never|hardly|twice"
    r"|up to|over|under|above|below|exceed(?:s|ed|ing)?|beyond|between|not|but|except"
    r"|all|every|each)|[<>≤≥])(?: (?:for|of|the))*\s*$",
    re.IGNORECASE,
)
#: "Almost none of 24" is some of them.
_NEARLY = re.compile(r"\b(?:almost|nearly|virtually|practically)\s*$", re.IGNORECASE)
_AFTER_A_BOUND = re.compile(
    rf"(?:{PERCENT})?\s*(?:\+|\bor (?:more|fewer|less|higher|lower|above|below|over|under)\b)", re.IGNORECASE
)
#: What says that a number is what something else is of: "most of 24"; but "EDSS of 4" is a figure.
_OF_SOMETHING = re.compile(
    r"(?<!\bedss )(?<!\btotal )(?<!\bnumber )(?<!\bscore )(?<!\brate )"
    r"\b(?:of|in|among|on)(?: (?:the|those|these))?\s*$",
    re.IGNORECASE,
)
#: Patients or events, of which a bare number is a count.
_COUNTED = re.compile(
    r"\s+(?:[a-z-]+\s+){0,2}?"
    r"(?:patients?|persons?|people|participants?|relapses?|deaths?|lesions?|scans?|events?|infections?)\b",
    re.IGNORECASE,
)
#: What a bare number in a group of patients may be, other than a count of them.
_SCORE = re.compile(r"\bEDSS\b", re.IGNORECASE)
#: The unit that the words ask for, the first that is found.
_UNITS = tuple(
    (unit, re.compile(pattern, re.IGNORECASE))
    for unit, pattern in (
        ("hazard ratio", r"hazard ratio|\bHR\b"),
        ("rate ratio", r"rate ratio|\bRR\b"),
        ("standardised mean difference", r"standardi[sz]ed mean difference|\bSMD\b"),
        ("mean difference", r"mean difference"),
        ("per year", r"(?:\ba|per|each|every|/)\s*(?:patient-|person-)?year\b|annual"),
        ("per scan", r"(?:\ba|per|each|every|/)\s*scan\b"),
        ("%", PERCENT),
        ("mean", r"\bmean\b"),
        ("median", r"\bmedian\b"),
    )
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
    is_count
        Whether they say that it counts patients or events.
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
    is_count: bool
    horizon_years: float | None
    about: tuple[Topic, ...]

    @property
    def printed(self) -> str:
        """The figure as papers print it."""
        return printed_figure(self.value, self.of, self.ci, self.unit)


class _Time(NamedTuple):
    """A time, where it was found; `is_cued` where the words say that something was so then or by then."""

    found: re.Match[str]
    value: str
    unit: str
    is_cued: bool


class _Quoted(NamedTuple):
    """What the words quote: a number and what it is of, its unit, and the time that is named beside it."""

    value: str
    of: str | None
    unit: str
    horizon_years: float | None
    is_count: bool = False


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
        If the words hold no figure, or several, or what makes another figure of it.
    """
    words = " ".join(_COLOUR.sub(" ", text).split())
    rest = _MINUS.sub("-", words)
    for pattern in (_NAMED, *_BESIDE.values()):
        rest = pattern.sub(" ", rest)
    rest, limits = without_limits(rest)
    rest = " ".join(rest.split())
    if _FRACTION.search(rest):
        raise _refused(text, "a fraction in words, which is not looked up")
    if (other := _OTHER_MEASURE.search(rest)) is not None:
        raise _refused(text, f"{shown(repr(other[0]))}, which is not looked up")
    if _PERCENTAGE_PER_YEAR.search(rest) or _PER_TIME.search(in_digits(rest)):
        raise _refused(text, "a rate of a kind that is not looked up")
    if len(limits) > 1:
        raise _refused(text, "several figures")
    rate = _PER_PERSON_YEARS.search(rest)
    rest = _PER_PERSON_YEARS.sub(" ", rest)
    quoted = _quoted(text, in_digits(rest)) or _quoted(text, in_digits(rest, also_alone=True), is_last=True)
    if quoted is None:
        beside = [f"{name}s" for name in set_aside(words)]
        unlike = f" that is looked up: {listed(beside)} are not" if beside else ""
        raise _refused(text, f"no figure{unlike}")
    value, *ci = (with_point(each) for each in (quoted.value, *(limits[0] if limits else ())))
    unit = quoted.unit
    if rate is not None:
        if quoted.of is not None:
            raise _refused(text, "several figures")
        # Published are rates per 1,000: per 100 they are a tenth.
        shift = 4 - len(re.sub("[^0-9]", "", rate["years"]))
        value, *ci = (f"{Decimal(each).scaleb(shift):f}" for each in (value, *ci))
        unit = "per 1,000 person-years"
    said = tuple(topic for topic, pattern in _TOPIC_WORDS if re.search(pattern, words, re.IGNORECASE))
    return Claim(
        text=text,
        value=value,
        of=quoted.of,
        ci=(ci[0], ci[1]) if ci else None,
        unit=unit,
        is_count=quoted.is_count and rate is None,
        horizon_years=quoted.horizon_years,
        about=said if about is None else (about,),
    )


def set_aside(text: str) -> tuple[str, ...]:
    """What stands beside the figure and is not looked up: p-value, spread."""
    return tuple(name for name, pattern in _BESIDE.items() if pattern.search(text))


def _quoted(text: str, words: str, *, is_last: bool = False) -> _Quoted | None:
    """The one figure of the words; None where there is none, or a time that may be none and is one `is_last`."""
    times = [_time(found, words) for found in _TIME.finditer(words) if not _is_exposure(found)]
    rest = _TIME.sub(lambda found: found[0] if _is_exposure(found) else " ", words)
    count = COUNT.search(rest)
    if count is not None:
        _refuse_bound(text, rest, count)
        value, of = with_point(count["value"]), with_point(count["of"])
        if any(_is_another(number, value, of) for number in _beside(rest, count)):
            raise _refused(text, "several figures")
        return _Quoted(value, of, "", _horizon(text, times), is_count=True)
    group = _GROUP.search(rest)
    rest = _GROUP.sub(" ", rest)
    numbers = list(re.finditer(NUMBER, rest))
    open_times = [time for time in times if not time.is_cued]
    is_of_time = bool(_DURATION.search(rest) or _FOLLOW_UP.search(rest))
    if len(numbers) > 1 or (numbers and open_times and is_of_time):
        raise _refused(text, "several figures")
    if numbers:
        number = numbers[0]
        unit = _unit(text, rest, number)
        is_bare = not unit and number[0].isdecimal()
        is_count = is_bare and _COUNTED.match(rest[number.end() :]) is not None
        is_of_group = is_count or (is_bare and not _SCORE.search(rest))
        n_patients = group["n"] if group is not None and is_of_group else None
        return _Quoted(number[0], n_patients, unit, _horizon(text, times), is_count)
    if not open_times or not (is_of_time or is_last):
        return None
    time, *others = open_times
    if others:
        raise _refused(text, "several figures")
    _refuse_bound(text, words, time.found)
    return _Quoted(time.value, None, time.unit, _horizon(text, [each for each in times if each is not time]))


def _unit(text: str, words: str, found: re.Match[str]) -> str:
    """The unit that a number has, or that the words say; empty where none is."""
    _refuse_bound(text, words, found)
    before, after = words[: found.start()], words[found.end() :]
    if re.match(PERCENT, after, re.IGNORECASE):
        return "%"
    if MAY_BE_THOUSANDS.fullmatch(found[0]):
        raise _refused(
            text, f"{found[0]}, which may be {found[0].replace(',', '')} or {with_point(found[0])}"
        )
    unit = next((unit for unit, pattern in _UNITS if pattern.search(words)), "")
    if not unit and found[0].isdecimal() and _OF_SOMETHING.search(before):
        raise _refused(text, f"the number of which something is, {found[0]}, and not what it is")
    return unit


def _time(found: re.Match[str], words: str) -> _Time:
    unit = (found["unit"] or found["named"]).casefold()
    unit = "years" if unit.startswith("y") else f"{unit.removesuffix('s')}s"
    cue = (found["cue"] or "").casefold()
    is_followed = cue.startswith("for ") and _FOLLOW_UP.search(words)
    is_cued = bool(cue or found["named"] or found["later"] or found["hyphen"] == "-") and not is_followed
    return _Time(found, with_point(found["number"] or found["at"]), unit, is_cued)


def _is_exposure(found: re.Match[str]) -> bool:
    """Whether so many years are those of many patients: nobody was followed so long."""
    years = found["number"] if (found["unit"] or "").casefold().startswith("y") else found["at"]
    return years is not None and float(with_point(years)) > _LONGEST_YEARS and not found["named"]


def _horizon(text: str, times: list[_Time]) -> float | None:
    horizons = {float(time.value) / _PER_YEAR[time.unit] for time in times}
    if len(horizons) > 1:
        raise _refused(text, "several times")
    return next(iter(horizons), None)


def _beside(words: str, count: re.Match[str]) -> Iterator[str]:
    """Numbers beside a count, each with its percent sign if it has one."""
    around = f"{words[: count.start()]} {count['percentage'] or ','} {words[count.end() :]}"
    for found in re.finditer(rf"{NUMBER}(?:{PERCENT})?", around, re.IGNORECASE):
        yield found[0]


def _is_another(number: str, value: str, of: str) -> bool:
    """Whether a number beside a count is neither a part of it nor its share."""
    digits = with_point(re.sub(PERCENT, "", number, flags=re.IGNORECASE))
    printed, share = Decimal(digits), ratio(value, of)
    if digits == number and printed in {Decimal(value), Decimal(of)}:
        return False
    factors = (100,) if digits != number else (1, 100) if "." in digits else ()
    return share is None or not any(is_printed_as(factor * share, printed) for factor in factors)


def _refuse_bound(text: str, words: str, found: re.Match[str]) -> None:
    before, after = _BEFORE_A_BOUND.search(words[: found.start()]), _AFTER_A_BOUND.match(words[found.end() :])
    is_not_none = found[0].startswith("0 ") and _NEARLY.search(words[: found.start()])
    if before or after or is_not_none:
        bound = f"{before[0] if before else ''}{found[0]}{after[0] if after else ''}"
        raise _refused(text, f"no figure but a bound or a denial, {shown(repr(bound))}")


def _refused(text: str, what: str) -> UsageError:
    return UsageError(
        f'The claim "{shown(text)}" has {what}. Quote one, such as "23 of 24", "69.6 %" or "hazard ratio 0.07".'
    )
