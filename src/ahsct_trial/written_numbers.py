"""Numbers, counts and limits as people write them, in words or in digits."""

from __future__ import annotations

import re

#: In capitals or not, but without the letters of other scripts that are like them.
_ASCII = re.IGNORECASE | re.ASCII
_UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TEN_TO_TWELVE, _TEENS = ("ten", "eleven", "twelve"), ("thir", "four", "fif", "six", "seven", "eigh", "nine")
_BELOW_TWENTY = (*_UNITS, *_TEN_TO_TWELVE, *(f"{teen}teen" for teen in _TEENS))
_VALUES = {
    **dict.fromkeys(("no", "none", "zero"), 0),
    **{word: n for n, word in enumerate(_BELOW_TWENTY, 1)},
    **{word: 10 * n for n, word in enumerate(_TENS, 2)},
    "a": 1,
    "dozen": 12,
    "hundred": 100,
    "thousand": 1000,
}
_BELOW_HUNDRED = rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_UNITS)}))?|{'|'.join(_BELOW_TWENTY)})\b"
_BELOW_THOUSAND = (
    rf"(?:(?:(?:a|{_BELOW_HUNDRED})[ -])hundred\b(?:(?: and)?[ -]{_BELOW_HUNDRED})?|{_BELOW_HUNDRED})"
)
_NUMBER_IN_WORDS = re.compile(
    rf"\b(?!one\b(?![ -](?:hundred|thousand|dozen)))"
    rf"(?:(?:a|{_BELOW_THOUSAND})[ -]thousand\b(?:(?: and)?[ -]{_BELOW_THOUSAND})?"
    rf"|(?:a|{_BELOW_HUNDRED})[ -]dozen\b|{_BELOW_THOUSAND}|zero\b)",
    _ASCII,
)
#: Words that may stand for a number or not: "no evidence", "one of the largest trials".
_NO_OR_ONE = r"\b(?:none|one|no(?! (?:evidence|longer|more|fewer|less|later|greater|higher|lower)\b))\b(?!-)"

_DIGITS = r"[0-9]{1,9}(?:[.,·][0-9]{1,12})?"
_ALONE = r"(?<![\w.,·])(?<![a-zA-Z][-‐-―−])"
#: A number, not the end of a name such as NEDA-3 or of a number of another form.
NUMBER = rf"{_ALONE}[-−]?{_DIGITS}(?!\w|[.,·][0-9])"
#: What may be a thousand and more, or a number with three decimals.
MAY_BE_THOUSANDS = re.compile("0*[1-9][0-9]{0,2},[0-9]{3}")
_WHOLE = rf"{_ALONE}[-−]?[0-9]{{1,9}}(?![.,·]?\w)"
PERCENT = r"\s*(?:%|per ?cent\b)"
TIME_UNIT = r"(?:years?|yrs?|y|months?|weeks?|days?)"
PEOPLE = r"(?:patients?|persons?|people|participants?|scans?)"
#: A word between a count and what it is of: "23 patients of 24", but not "2 dozen of 24" or "16 or more of 24".
_NOUN = (
    rf"(?!(?:per|percent|{TIME_UNIT}|hundreds?|thousands?|millions?|dozens?|pairs?|points?|and|or|to|than|but)\b)"
    r"[a-z-]+"
)
_OF = (
    r"(?:(?:/|\b(?:out of|of|among|on)\b)\s*(?:(?:the|those|these|all|every|its)\s+)*"
    # A year is no number of patients, unless they follow.
    rf"|\b(?:in|over|during)\s+(?:(?:the|those|these|all|every|its)\s+)*(?!(?:19|20)[0-9]{{2}}\b(?!\s+{PEOPLE}\b)))"
)
#: What a count is of: a number that is no time.
_DENOMINATOR = rf"{_WHOLE}(?![ -]?{TIME_UNIT}\b|{PERCENT})"
_PERCENTAGE_WITHIN = rf"\(\s*{NUMBER}\s*%\s*\)"
#: A count of something: "23 of 24", "23 (96 %) of the 24", "93 lesions on 24 scans".
COUNT = re.compile(
    rf"(?P<value>{_WHOLE})\s*(?:(?P<percentage>{_PERCENTAGE_WITHIN})\s*)?(?:{_NOUN}\s+){{0,3}}?"
    rf"{_OF}(?P<of>{_DENOMINATOR})",
    re.IGNORECASE,
)
_LIMIT = rf"[-−]?{_DIGITS}(?:\s*%)?"
#: Two limits: 46.6:84.2, 46.6-84.2, 46,6–84,2, "46.6 to 84.2", "46.6, 84.2", 46.6,84.2.
LIMITS = rf"({_LIMIT})\s*(?:[:;‐-―−-]|\bto\b|,\s|,(?=[0-9]+\.))\s*({_LIMIT})(?![\w]|[.,·][0-9])"

_INTERVAL = r"\b(?:CI|confidence (?:interval|limits))\b"
_CI = rf"(?:[0-9]{{2}}(?:[.,][0-9])?\s*%[\s-]*)?{_INTERVAL}[\s:,=]*(?:of |from )?"
_LEVEL = re.compile(rf"([0-9]{{2}}(?:[.,][0-9])?)\s*%[\s-]*{_INTERVAL}", re.IGNORECASE)
#: Limits beside a figure: in brackets, or with a word that says what they are.
_LIMITS_BESIDE = re.compile(
    rf"[(\[]\s*(?:{_CI})?(?:{LIMITS})\s*[;,]?\s*[)\]]|[,;]?\s*[(\[]?\s*{_CI}[(\[]?(?:{LIMITS})\s*[)\]]?",
    re.IGNORECASE,
)

_NO_OR_ONE_OF = re.compile(
    rf"{_NO_OR_ONE}(?=(?: {_PERCENTAGE_WITHIN})?(?: {_NOUN}){{0,3}}\s*{_OF}{_DENOMINATOR}|[ -]{TIME_UNIT}\b)"
    rf"|(?:(?<=\bbut )|(?<=\bexcept )|(?<=\bexcept for ))one\b",
    _ASCII,
)
_NO_OR_ONE_ALONE = re.compile(_NO_OR_ONE, _ASCII)
_SAID_OTHERWISE = (
    (
        re.compile(
            r"\bnot (?:even )?(?:one|a single)(?: one)?\b(?!-)|\bno[ -]one\b|\bnobody\b", re.IGNORECASE
        ),
        "none",
    ),
    (re.compile(r"\b(?:a|one) single(?: one)?\b(?!-)", re.IGNORECASE), "one"),
    (re.compile(r"\b(?:every ?one|everybody|each(?: one)?)(?= (?:of|but|except)\b)", re.IGNORECASE), "all"),
)
_NOT_NEARLY = r"(?<!\bnot )(?<!almost )(?<!nearly )(?<!virtually )(?<!practically )"
_BUT = r"(?:but|except(?: for)?)"
_ALL_OF = rf"{_NOT_NEARLY}\ball (?:of )?(?:(?:the|those|these|its) )?(?P<of>{_DENOMINATOR})"
_ALL_BUT = (
    re.compile(
        rf"{_NOT_NEARLY}\ball {_BUT} (?P<others>{_WHOLE})(?: {_NOUN}){{0,2}}? {_OF}(?P<of>{_DENOMINATOR})",
        re.IGNORECASE,
    ),
    re.compile(rf"{_ALL_OF}(?: {_NOUN}){{0,2}}? {_BUT} (?P<others>{_WHOLE})", re.IGNORECASE),
)
_ALL = re.compile(rf"{_ALL_OF}(?!(?: {_NOUN})?\s*{_OF}[0-9])", re.IGNORECASE)
_ALL_BEFORE_A_COUNT = re.compile(rf"{_NOT_NEARLY}\ball (?=[0-9]+\s*{_OF}[0-9])", re.IGNORECASE)
_OF_WHOM = re.compile(
    rf"(?P<of>{_DENOMINATOR}) {PEOPLE},? (?:and )?(?P<value>{_WHOLE}) of (?:whom|them|which)\b",
    re.IGNORECASE,
)


def in_digits(text: str, *, also_alone: bool = False) -> str:
    """Write what is said in words as digits, and every way to say a count as "x of n".

    "Twenty-three of twenty-four" becomes "23 of 24", "not a single one of 24" "0 of 24", "all but one of 24"
    "23 of 24", and "every one of the 24" "24 of 24". *No*, *none* and *one* stand for numbers where they are of
    something or before a time; `also_alone` takes them for numbers everywhere.
    """
    for said, instead in _SAID_OTHERWISE:
        text = said.sub(instead, text)
    text = _NUMBER_IN_WORDS.sub(lambda found: str(_value(found[0])), text)
    no_or_one = _NO_OR_ONE_ALONE if also_alone else _NO_OR_ONE_OF
    text = no_or_one.sub(lambda found: str(_VALUES[found[0].lower()]), text)
    for all_but in _ALL_BUT:
        text = all_but.sub(_all_others, text)
    text = _ALL_BEFORE_A_COUNT.sub("", _ALL.sub(r"\g<of> of \g<of>", text))
    return _OF_WHOM.sub(r"\g<value> of \g<of>", text)


def without_limits(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Take out the limits that stand beside figures, with what says of which level they are."""
    limits = [[each for each in found.groups() if each] for found in _LIMITS_BESIDE.finditer(text)]
    rest = re.sub(_CI, "", _LIMITS_BESIDE.sub(" ", text), flags=re.IGNORECASE)
    return rest, [(low, high) for low, high in limits]


def level_beside(text: str) -> float | None:
    """The confidence level that stands before limits, as in "90 % CI"; None where none does."""
    found = _LEVEL.search(text)
    return None if found is None else float(with_point(found[1])) / 100


def with_point(number: str) -> str:
    """A number with a hyphen before it and a point in it, whatever stood there, and without a percent sign."""
    return number.rstrip("% ").replace("−", "-").replace(",", ".").replace("·", ".")


def _all_others(found: re.Match[str]) -> str:
    """The count of all but some."""
    others, of = (int(with_point(found[name])) for name in ("others", "of"))
    return f"{of - others} of {of}"


def _value(words: str) -> int:
    """The number that words stand for: hundreds multiply what stands before them, all else is added."""
    total = below_thousand = 0
    for word in re.split("[ -]", words.lower()):
        if word == "and":
            continue
        number = _VALUES[word]
        if word in {"dozen", "hundred"}:
            below_thousand *= number
        elif word == "thousand":
            total, below_thousand = total + below_thousand * number, 0
        else:
            below_thousand += number
    return total + below_thousand
