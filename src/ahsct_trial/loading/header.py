"""The header line: which character separates, which columns there are, and where the rows begin."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ahsct_trial.columns import PATIENT_ID, PATIENT_TABLE, RECORDS, Column
from ahsct_trial.escaping import shown
from ahsct_trial.loading.problems import FILL_IN, ROW_RULE, DataProblems, Problem, fatal
from ahsct_trial.loading.source import Source
from ahsct_trial.results import Notice

_DELIMITERS = (",", ";", "\t")
# Searched with an offset, so that no part of a large file is copied.
_VISIBLE = re.compile(rb"\S")
#: What Excel writes for itself above the header.
_SEPARATOR_LINE = re.compile(rb'"?sep=[^\r\n]"?\r?\n', re.IGNORECASE)


#: Lines that may stand above the headings: a title, the day of an export.
_MOST_TITLES = 20
#: Names of columns that were left out are listed up to this number.
_SHOWN_NAMES = 100
#: Words of a heading that name another unit than years.
_UNITS = {
    "days": {"day", "days", "d", "tage", "tagen", "jours", "giorni", "dias", "dagen"},
    "weeks": {"week", "weeks", "wochen", "semaines", "settimane", "semanas", "weken"},
    "months": {"month", "months", "mo", "mos", "monat", "monate", "mois", "mesi", "meses", "maanden"},
}
#: Words for a death, in a heading that is not known here.
_OF_DEATH = re.compile(
    r"death|died|\bdth|deceas|verstorb|\btod(es|\b)|gestorb|d[eé]c[eéè][sd]|\bmort|muert|fallec|\b[oó]bito|falec|exitus"
    r"|vital.?stat|overle(d|ij)|(?<![^\W_])(dead|alive|tot|os)(?![^\W_])"
)


@dataclass(frozen=True)
class Header:
    """What the header line says.

    Attributes
    ----------
    delimiter
        The character between cells.
    names
        The names as the header has them, one per cell.
    columns
        The column that each cell is read as; None where it is unknown.
    body_offset, body_line
        Offset in the source's data and line number at which the first row begins.
    notices
        What a person should know about columns that were left out.
    """

    delimiter: str
    names: tuple[str, ...]
    columns: tuple[Column | None, ...]
    body_offset: int
    body_line: int
    notices: tuple[Notice, ...]

    @property
    def known(self) -> dict[int, Column]:
        """Position of each known column, in the order of the file."""
        return {position: column for position, column in enumerate(self.columns) if column is not None}


def find_shape(source: Source) -> Sequence[Column]:
    """The dictionary of a file's header line, however its cells are separated."""
    start = _first_visible_line(source)
    return shape_of([name for delimiter in _DELIMITERS for name in _names(source, start, delimiter)[0]])


def read_header(source: Source, dictionary: Sequence[Column]) -> Header:
    """Find the delimiter and the columns.

    The delimiter is the one of comma, semicolon and tab under which the header has the most known
    columns, then the most cells; a tie goes to the first of these.

    Raises
    ------
    DataProblems
        If a required column is missing, a column stands there twice, a quote is never closed, or there
        is no row.
    """
    start = _first_visible_line(source)
    header_line = source.line_of(start)
    readings = {delimiter: _names(source, start, delimiter) for delimiter in _DELIMITERS}
    delimiter, (names, end) = max(
        readings.items(),
        key=lambda reading: (
            sum(column is not None for column in _recognised(reading[1][0], dictionary)),
            len(reading[1][0]),
        ),
    )
    refuse_titles(source.file, header_line, names, _lower_lines(source, start))
    try:
        columns, notices = recognise(source.file, header_line, names, dictionary)
        problems = None
    except DataProblems as error:
        problems = error
    # A quote that is open under one delimiter may be mere text under another, and hide all columns there.
    if problems is not None and any(not other for other, _ in readings.values()):
        raise fatal(
            source.file,
            "a quote in the header is opened and never closed",
            "a quoted name ends with a quote",
            "Close or remove it.",
            line=header_line,
        )
    if len(names) == 1:
        raise fatal(
            source.file,
            f"the header is one cell, '{shown(names[0])}'",
            "cells are separated by commas, semicolons or tabs",
            "Export the data as CSV again.",
            line=header_line,
        )
    if problems is not None:
        raise problems
    if not _VISIBLE.search(source.data, end):
        raise fatal(
            source.file,
            "there is a header and no row",
            ROW_RULE,
            FILL_IN,
            line=header_line,
        )
    return Header(
        delimiter,
        tuple(names),
        columns,
        body_offset=end,
        body_line=source.line_of(end),
        notices=notices,
    )


def _first_visible_line(source: Source) -> int:
    """Offset of the first line that is not blank; in a tab file it may begin with an empty cell."""
    named = _SEPARATOR_LINE.match(source.data)
    begin = named.end() if named else 0
    first = _VISIBLE.search(source.data, begin)
    return max(begin, source.data.rfind(b"\n", 0, first.start()) + 1) if first else 0


def refuse_titles(
    file: str, line: int | None, names: Sequence[str], lower: Iterable[tuple[int, Sequence[str]]]
) -> None:
    """Refuse a first line without a heading that is known here where a lower one has the headings.

    Raises
    ------
    DataProblems
        If of one of the next lines, given with their texts, most are headings that are known, identifiers among them:
        a value may be called as a column is.
    """
    if _known_columns(names):
        return
    for row, texts in itertools.islice(lower, _MOST_TITLES):
        known = _known_columns(texts)
        if PATIENT_ID.name in known and 2 * len(known) > max(sum(map(bool, texts)), 3):
            raise fatal(
                file,
                f"these are not the headings; they seem to stand on line {row}",
                "a file begins with its headings",
                f"Remove the lines above them, or give a map with heading_row = {row}.",
                line=line,
            )


def _known_columns(names: Sequence[str]) -> set[str]:
    return {column.name for column in _recognised(names, shape_of(names)) if column is not None}


def _lower_lines(source: Source, start: int) -> Iterator[tuple[int, Sequence[str]]]:
    """The lines below one, by their cells under the delimiter that knows most of them."""
    while 0 < (start := source.data.find(b"\n", start) + 1) < len(source.data):
        readings = (_names(source, start, delimiter)[0] for delimiter in _DELIMITERS)
        yield source.line_of(start), max(readings, key=lambda names: len(_known_columns(names)))


def _names(source: Source, start: int, delimiter: str) -> tuple[list[str], int]:
    """Names of the header under one delimiter, and the offset behind it; no names if a quote never ends."""
    stream = io.BytesIO(source.data)
    stream.seek(start)
    end_of_file = "\0"  # which no source has
    lines = itertools.chain((line.decode("utf-8") for line in stream), [end_of_file])
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        names = next(reader)
    except csv.Error:  # a cell is too long: a quote over many lines, or a line without this delimiter
        names = [
            end_of_file if reader.line_num > 1 else source.data[start : start + 200].decode("utf-8", "ignore")
        ]
    return [] if not names or names[-1].endswith(end_of_file) else [
        name.strip() for name in names
    ], stream.tell()


def recognise(
    file: str, line: int | None, names: Sequence[str], dictionary: Sequence[Column]
) -> tuple[tuple[Column | None, ...], tuple[Notice, ...]]:
    """The column that each heading is read as, None where it is left out, and what should be known of these.

    Of several headings of one column the one that stands first in the dictionary is taken.

    Raises
    ------
    DataProblems
        If a required column is missing, or a heading stands there twice.
    """
    columns = _recognised(names, dictionary)
    problems = [
        *_missing(file, line, names, columns, dictionary),
        *_repeated(file, line, names, columns),
    ]
    if problems:
        raise DataProblems(file, problems, len(problems))
    notices = list(_left_out(names, columns, dictionary))
    for column in dict.fromkeys(column for column in columns if column is not None):
        places = [place for place, other in enumerate(columns) if other is column]
        if len(places) > 1:
            order = (column.name, *column.aliases)
            places.sort(key=lambda place: order.index(names[place].casefold()))
            for place in places[1:]:
                columns[place] = None
            passed = ", ".join(shown(names[place]) for place in places[1:])
            text = f"{column.name} is read from {shown(names[places[0]])}; passed over: {passed}."
            notices.append(Notice(code="headings-passed-over", text=text))
    return tuple(columns), tuple(notices)


def shape_of(names: Sequence[str]) -> Sequence[Column]:
    """The dictionary of some headings: records with `record` or a day, and no `follow_up_years`."""
    known = {
        column.name
        for column in (*_recognised(names, RECORDS), *_recognised(names, PATIENT_TABLE))
        if column is not None
    }
    is_records = bool(known & {"record", "day", "date"}) and "follow_up_years" not in known
    return RECORDS if is_records else PATIENT_TABLE


def _recognised(names: Sequence[str], dictionary: Sequence[Column]) -> list[Column | None]:
    by_name = {name: column for column in dictionary for name in (column.name, *column.aliases)}
    return [by_name.get(name.casefold()) for name in names]


def _missing(
    file: str,
    line: int | None,
    names: Sequence[str],
    columns: Sequence[Column | None],
    dictionary: Sequence[Column],
) -> list[Problem]:
    absent = [column for column in dictionary if column.is_required and column not in columns]
    unknown = [name for name, column in zip(names, columns, strict=True) if column is None]
    by_map = (
        f" Or keep your own columns and read them through a map: `ahsct map {file}` writes one."
        if 2 * len(unknown) > len(names)
        else ""
    )
    return [
        Problem(
            file=file,
            line=line,
            column=column.name,
            what=f"the header has no column {column.name}",
            rule="every file needs it",
            fix=_how_to_add(column, unknown) or f"Add it: {column.meaning}{by_map}",
        )
        for column in absent
    ]


def _how_to_add(column: Column, unknown: Sequence[str]) -> str:
    """What to do about a column that is missing, by the heading that comes closest to it; nothing if none is."""
    known = {_in_years(name)[0]: name for name in unknown}
    close = [near for name in (column.name, *column.aliases) if (near := _closest(name, [*known], 0.7))]
    if not close:
        return ""
    name = known[close[0]]
    unit = _in_years(name)[1]
    if column.kind != "years" or unit is None:
        return f"Rename '{shown(name)}' if it is meant, or add it: {column.meaning}"
    divisor = {"days": "365.25", "weeks": "52.18", "months": "12"}[unit]
    by_map = f' or give a map with unit = "{unit}",' if unit != "weeks" else ""
    return f"If '{shown(name)}' holds it in {unit}, divide by {divisor}{by_map} or add it: {column.meaning}"


def _in_years(name: str) -> tuple[str, str | None]:
    """A heading in lower case with the word for another unit replaced by ``years``, and this unit."""
    words = re.split(r"([^a-z]+)", name.casefold()[:100])
    for unit, spellings in _UNITS.items():
        if not spellings.isdisjoint(words):
            return "".join("years" if word in spellings else word for word in words), unit
    return name.casefold()[:100], None


def _closest(name: str, others: Sequence[str], cutoff: float) -> str | None:
    """The name that is most like another one, if one is; only the first of very many are looked at."""
    from difflib import get_close_matches

    close = get_close_matches(name, others[:1000], n=1, cutoff=cutoff)
    return close[0] if close else None


def _repeated(
    file: str, line: int | None, names: Sequence[str], columns: Sequence[Column | None]
) -> list[Problem]:
    known = Counter(
        name.casefold() for name, column in zip(names, columns, strict=True) if column is not None
    )
    column_of = {name.casefold(): column for name, column in zip(names, columns, strict=True)}
    return [
        Problem(
            file=file,
            line=line,
            column=getattr(column_of[name], "name", None),
            what=f"{n} columns are named {shown(name)}",
            rule="each column stands there once",
            fix="Remove or rename all but one.",
        )
        for name, n in known.items()
        if n > 1
    ]


def _left_out(
    names: Sequence[str], columns: Sequence[Column | None], dictionary: Sequence[Column]
) -> Iterator[Notice]:
    unknown = [name for name, column in zip(names, columns, strict=True) if column is None]
    if not unknown:
        return
    absent = [column for column in dictionary if column not in columns]
    told = [_with_meant(name, absent) if name else "(without a name)" for name in unknown[:_SHOWN_NAMES]]
    more = len(unknown) - len(told)
    listed = ", ".join(told) + (f" and {more:,} more" if more else "")
    noun = "Column" if len(unknown) == 1 else "Columns"
    yield Notice(code="unknown-columns", text=f"{noun} not known here and left out: {listed}.")
    deaths = [name for name in unknown if _OF_DEATH.search(name.casefold())]
    if deaths and not any(column is not None and column.name == "years_to_death" for column in columns):
        text = (
            f"Left out, but may tell of deaths: {', '.join(map(shown, deaths[:_SHOWN_NAMES]))}. Enter them as "
            f"{'death records' if dictionary is RECORDS else 'years_to_death'}, or give a map; ahsct map writes one to "
            "start from."
        )
        yield Notice(code="deaths-left-out", severity="look first", text=text)


def _with_meant(name: str, absent: Sequence[Column]) -> str:
    """A heading, and the column it may be a slip of the pen for."""
    folded, unit = _in_years(name)
    column_of = {column.name: column for column in absent}
    close = _closest(folded, [*column_of], 0.8)
    if close is None:
        return shown(name)
    if unit is not None and column_of[close].kind == "years":
        return f"{shown(name)} ({close} in {unit}? It must be in years)"
    return f"{shown(name)} (is {close} meant?)"
