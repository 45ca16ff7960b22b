"""A publication from its TOML; everything that is wrong with the text is said at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import msgspec

from ahsct_trial.catalogue import Topic
from ahsct_trial.columns import ATTRIBUTES
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown, shown_path
from ahsct_trial.published.model import Eligibility, Figure, Publication, Unit
from ahsct_trial.published.paths import (
    estimate_at,
    fault_of_figure,
    is_of_contrast,
    is_proportion,
    topic_of,
    units_at,
)
from ahsct_trial.toml import parse_toml, read_toml

_MOST_SHOWN = 20
_EVERY_FIGURE = "every_figure"
_NUMBER = r"-?[0-9]{1,12}(\.[0-9]{1,12})?"
_PRINTED = re.compile(_NUMBER)
_SPREAD = re.compile(rf"SD {_NUMBER}|(range|IQR) {_NUMBER}–{_NUMBER}")
_P_VALUE = re.compile(r"(< )?0\.[0-9]{1,12}|1(\.0{1,12})?")

#: What each key accepts, as the second half of a sentence about a wrong or missing one.
RULES = {
    "id": 'a short name in quotes, not "all"',
    "trial": "text in quotes, the same in each publication of one trial",
    "title": "text in quotes",
    "citation": "text in quotes",
    "year": "a whole number",
    "n_patients": "a whole number",
    "n_sites": "a whole number",
    "ms_course": 'a list of "RRMS", "SPMS" and "PPMS"',
    "uncertain": "a list of sentences in quotes",
    "protocol": "a table of settings, see docs/protocol.md",
    "inferred": "a list of settings in quotes, each one of [protocol]",
    "eligibility": "a table of age_years, edss_baseline, prior_therapy",
    "every_figure": "a table of keys that hold for every figure without its own",
    "figures": "one table or more, each under [[figures]]",
    "age_years": "two numbers, the lower first: [18, 50]",
    "edss_baseline": "two numbers, the lower first: [3.0, 6.0]",
    "prior_therapy": '"yes" or "no"',
    "label": "text in quotes",
    "value": 'the figure in quotes, as printed: "69.6"',
    "of": 'a number above 0 in quotes, as printed: "24"',
    "ci": 'two numbers in quotes, as printed, the lower first: ["46.6", "84.2"]',
    "se": "the standard error in quotes, as printed",
    "spread": 'text in quotes such as "SD 1.5", "range 6–85" or "IQR 3.4–7.5"',
    "p": 'the p-value in quotes, as printed: "0.03" or "< 0.001"',
    "unit": "one of " + ", ".join(filter(None, get_args(Unit))) + " in quotes; left out for a count",
    "definition": "text in quotes; where it is not stated, say so",
    "horizon_years": "a number of years above 0 and at most 120",
    "where": 'accepted texts by column: { arm = ["transplant"] }',
    "contrast": 'two arms: { level = "transplant", reference = "control" }',
    "level": "text in quotes, the name of an arm",
    "reference": "text in quotes, the name of an arm",
    "mark": "V (read in the source), S (in a secondary source) or D (computed)",
    "source": "text in quotes that says where it was read",
    "read_in": 'text in quotes that names the part of the source: "Abstract"',
    "figure": 'a path in quotes: "endpoints.activity_free_survival.survival.value"',
    "figure_of": 'a path in quotes: "endpoints.activity_free_survival.proportion.of"',
    "is_complement": "true or false",
    "is_headline": "true or false",
    "about": "a list in quotes of " + ", ".join(get_args(Topic)),
    "differs": "text in quotes",
    "not_stated": 'a list of "definition" and "death"',
    "disputed": "true or false",
    "no_counterpart": "text in quotes",
}


def read_publication(path: Path) -> Publication:
    """Read a publication from a file of one's own.

    Raises
    ------
    UsageError
        If it cannot be read, is not TOML, or is no publication; the text names each wrong line or key, what
        it accepts and what stands there.
    """
    return _publication(read_toml(path, "Publication"), shown_path(path))


def parse_publication(text: bytes, name: str) -> Publication:
    """Make a publication of its TOML; `name` is what errors call the file.

    Raises
    ------
    UsageError
        As `read_publication`.
    """
    return _publication(parse_toml(text, name), name)


def _publication(given: Mapping[str, Any], name: str) -> Publication:
    tables, faults = _with_shared_keys(given)
    faults += _faults(tables)
    if faults:
        said = [f"{name}: {fault}" + ("" if fault.endswith("?") else ".") for fault in faults[:_MOST_SHOWN]]
        n_more = len(faults) - len(said)
        more = [f"And {n_more} more."] if n_more else []
        plural = "" if len(faults) == 1 else "s"
        first = f"{name} is not a complete publication: {len(faults)} problem{plural}. See docs/published.md."
        raise UsageError("\n".join([first, *said, *more]))
    return msgspec.convert(tables, Publication)


def _with_shared_keys(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Give each figure the keys of ``[every_figure]`` that it lacks, and say what is wrong with these."""
    tables = dict(given)
    shared = tables.pop(_EVERY_FIGURE, {})
    if not isinstance(shared, dict):
        return tables, [_refused(_EVERY_FIGURE, shared)]
    fields = {field.name: field for field in msgspec.structs.fields(Figure)}
    faults = [f"{_EVERY_FIGURE}: {fault}" for fault in _wrong_keys(shared, fields)]
    accepted = {key: value for key, value in shared.items() if key in fields}
    if isinstance(tables.get("figures"), list) and not faults:
        tables["figures"] = [
            accepted | figure if isinstance(figure, dict) else figure for figure in tables["figures"]
        ]
    return tables, faults


def _faults(given: Mapping[str, Any]) -> Iterator[str]:
    figures = given.get("figures")
    tables = figures if isinstance(figures, list) else []
    in_keys = [*_faults_of_keys(given, Publication, "")]
    if isinstance(given.get("eligibility"), dict):
        in_keys += _faults_of_keys(given["eligibility"], Eligibility, "eligibility: ")
    for number, table in enumerate(tables, start=1):
        if isinstance(table, dict):
            in_figure = [*_faults_of_keys(table, Figure, "")]
            in_figure = in_figure or [*_faults_of_figure(msgspec.convert(table, Figure))]
            label = table.get("label")
            named = f" ({shown(label)})" if isinstance(label, str) else ""
            in_keys += (f"figure {number}{named}: {fault}" for fault in in_figure)
    yield from in_keys or _faults_of_whole(msgspec.convert(given, Publication))


def _faults_of_keys(table: Mapping[str, Any], kind: type[msgspec.Struct], place: str) -> Iterator[str]:
    """Unknown, missing and mistyped keys of one table."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for fault in _wrong_keys(table, fields):
        yield f"{place}{fault}"
    for key, field in fields.items():
        if field.required and key not in table:
            yield f"{place}{key} is missing; it must be {RULES[key]}"


def _wrong_keys(table: Mapping[str, Any], fields: Mapping[str, msgspec.structs.FieldInfo]) -> Iterator[str]:
    """Unknown and mistyped keys of one table."""
    for key, value in table.items():
        if key not in fields:
            close = get_close_matches(key, fields, n=1)
            remedy = f"is {close[0]} meant?" if close else f"keys are {', '.join(fields)}"
            yield f"there is no key '{shown(key)}'; {remedy}"
        elif not _is_accepted(value, fields[key]):
            yield _refused(key, value)


def _is_accepted(value: Any, field: msgspec.structs.FieldInfo) -> bool:
    if field.name in {"figures", "eligibility"}:  # what stands in them is judged key by key
        is_table = isinstance(value, dict)
        is_list = isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)
        return is_list if field.name == "figures" else is_table
    try:
        msgspec.convert(value, field.type)
    except msgspec.ValidationError:
        return False
    return not (isinstance(value, str) and not value.strip() and field.required)


def _refused(key: str, value: object) -> str:
    return f"{key} is {shown(repr(value))}; it must be {RULES[key]}"


def _faults_of_figure(figure: Figure) -> Iterator[str]:
    """What contradicts itself in a figure whose keys are of the right type."""
    yield from _faults_of_numbers(figure)
    yield from _faults_of_where(figure)
    yield from _faults_of_paths(figure)
    is_share = figure.unit == "%" or figure.of is not None
    if figure.unit and figure.of is not None:
        yield f"a figure with the unit {figure.unit!r} has no of; give the count or the figure with its unit"
    if figure.is_complement and not is_share:
        yield 'is_complement needs a share: the unit "%", or a count and its of'
    if figure.is_headline and not is_share:
        yield 'is_headline needs a share: the unit "%", or a count and its of'


def _faults_of_where(figure: Figure) -> Iterator[str]:
    known = [each.name for each in ATTRIBUTES if each.kind in {"text", "level"}]
    for column, texts in figure.where.items():
        if column not in known:
            yield f"where names '{shown(column)}'; its columns are {', '.join(known)}"
        elif not texts:
            yield f"where leaves {column} without a text; it must be {RULES['where']}"


def _faults_of_paths(figure: Figure) -> Iterator[str]:
    if figure.figure is None:
        if figure.figure_of is not None:
            yield "figure_of needs a figure beside it"
        return
    if figure.no_counterpart is not None:
        yield "no_counterpart says why there is no figure; give one of the two"
    if figure.about:
        yield f"about follows from figure, which is about {topic_of(figure.figure)}: leave it out"
    for key, path in (("figure", figure.figure), ("figure_of", figure.figure_of)):
        fault = None if path is None else fault_of_figure(path)
        if fault is not None:
            yield f"{key} {shown(fault, longest=400)}"
            return
    if (figure.of is None) != (figure.figure_of is None):
        yield "of and figure_of belong together: give both or neither"
    if is_of_contrast(figure.figure) != (figure.contrast is not None):
        yield "contrast belongs to a figure of contrasts: give both or neither"
    yield from _faults_of_unit(figure, figure.figure)


def _faults_of_unit(figure: Figure, path: str) -> Iterator[str]:
    """A share without its unit, a unit that the number at the path cannot have, an interval that is in no result."""
    units = units_at(path)
    if is_proportion(path) and not figure.unit and figure.of is None:
        yield 'unit is missing: give unit = "%", or the count with its of'
    if figure.unit and figure.unit not in units:
        what = f"is {' or '.join(units)}" if units else "is a count"
        yield f"unit is {figure.unit!r}, and '{shown(path, longest=400)}' {what}"
    if figure.ci is not None and estimate_at(path, figure.figure_of) is None:
        yield f"ci has no counterpart: the results hold no interval of {shown(path, longest=400)}"


def _faults_of_numbers(figure: Figure) -> Iterator[str]:
    printed = {
        "value": (figure.value,),
        "of": (figure.of,) if figure.of else (),
        "ci": figure.ci or (),
        "se": () if figure.se is None else (figure.se,),
    }
    unreadable = [
        (key, text) for key, texts in printed.items() for text in texts if not _PRINTED.fullmatch(text)
    ]
    for key, text in unreadable:
        yield _refused(key, text)
    for key, pattern in (("spread", _SPREAD), ("p", _P_VALUE)):
        text = getattr(figure, key)
        if text is not None and not pattern.fullmatch(text):
            yield _refused(key, text)
    horizon = figure.horizon_years
    if horizon is not None and not 0 < horizon <= 120:
        yield _refused("horizon_years", horizon)
    if unreadable:
        return
    if figure.of is not None and Decimal(figure.of or "0") <= 0:
        yield _refused("of", figure.of)
    if figure.unit.startswith("%") and figure.contrast is None and not 0 <= Decimal(figure.value) <= 100:
        yield f"value is {figure.value!r}; a percentage goes from 0 to 100"
    if figure.ci is not None and not Decimal(figure.ci[0]) <= Decimal(figure.value) <= Decimal(figure.ci[1]):
        yield f"ci is {' to '.join(figure.ci)}, and the value {figure.value} does not lie in it"


def _faults_of_whole(publication: Publication) -> Iterator[str]:
    """What contradicts itself between the parts of a publication."""
    if publication.id == "all":
        yield _refused("id", publication.id)
    for key in ("n_patients", "n_sites"):
        n = getattr(publication, key)
        if n is not None and n < 1:
            yield _refused(key, n)
    for key in ("age_years", "edss_baseline"):
        limits = getattr(publication.eligibility, key)
        if limits is not None and not limits[0] <= limits[1]:
            yield f"eligibility: {_refused(key, list(limits))}"
    for name in publication.inferred:
        if name not in publication.protocol:
            yield f"inferred names {shown(name)}, which [protocol] does not set"
    try:
        publication.own_protocol()
    except UsageError as error:
        yield str(error).removesuffix(".")
    labels = [figure.label for figure in publication.figures]
    for label in dict.fromkeys(label for label in labels if labels.count(label) > 1):
        yield f"two figures have the label '{shown(label)}'; give each its own"
    if sum(figure.is_headline for figure in publication.figures) > 1:
        yield "is_headline is true for two figures; a publication has one"
