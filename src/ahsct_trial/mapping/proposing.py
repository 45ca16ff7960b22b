"""A map to start from, by looking at the headings and values of tables.

What is not certain is marked: a text to be filled in (``"?"``, which the map's reader asks for), or a
comment. Order of day and month, units and codes are never guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from ahsct_trial.columns import ATTRIBUTES, CAUSE_OF_DEATH
from ahsct_trial.errors import AhsctError
from ahsct_trial.escaping import shown
from ahsct_trial.loading.formats.cells import CellTable
from ahsct_trial.loading.formats.tables import read_tables
from ahsct_trial.loading.problems import DataProblems
from ahsct_trial.loading.values import MISSING
from ahsct_trial.mapping import headings
from ahsct_trial.mapping.dates import SERIAL, Wrong, iso_day
from ahsct_trial.mapping.faults import Faults
from ahsct_trial.mapping.headings import meaning, plain
from ahsct_trial.mapping.model import TO_FILL_IN
from ahsct_trial.mapping.reading import built_in_maps, read_map, with_options
from ahsct_trial.mapping.rows import read_table
from ahsct_trial.mapping.sources import files_of, find_tables

_EDSS = frozenset(f"{score / 2:g}" for score in (0, *range(2, 21)))
_SEPARATED = re.compile(r"([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})([ T][0-9: ]*(?:[AaPp][Mm])?)?")
_WITH_MONTH = ("%d-%b-%Y", "%d%b%Y", "%d %b %Y", "%Y/%m/%d")
#: How a time of day behind a date is written.
_TIMES_OF_DAY = tuple(
    (re.compile(rf"[ T][0-9]{{1,2}}:[0-9]{{2}}{seconds}{half}"), form)
    for seconds, half, form in (
        ("", "", "%H:%M"),
        (":[0-9]{2}", "", "%H:%M:%S"),
        ("", " [AaPp][Mm]", "%I:%M %p"),
        (":[0-9]{2}", " [AaPp][Mm]", "%I:%M:%S %p"),
    )
)
#: Whole numbers that may be days, as a spreadsheet or SAS counts them, between 1990 and 2035.
_SERIAL_RANGES = (range(32_874, 49_311), range(10_957, 27_394))
#: Rows in which headings are looked for below titles and notes.
_MOST_ROWS_ABOVE = 20
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
_MOST_CODES = 30
#: Letters of a text that says yes or no, alive or dead.
_LONGEST_FLAG = 12
#: What the time of a kind of record is, in a question.
_TIMES = {
    "transplant": "date of transplant",
    "death": "date of death",
    "last_contact": "last contact",
    "edss": "date of the EDSS visit",
    "mri": "date of the scan",
    "relapse": "onset of the relapse",
}
_LESIONS = ("gd_lesions", "new_t2_lesions")
_LEVELS = {column.name: column for column in (*ATTRIBUTES, CAUSE_OF_DEATH) if column.kind == "level"}


@dataclass
class SourceColumn:
    """A column of the source, and what it may be.

    Attributes
    ----------
    name, texts
        Its heading, and the texts under it with their number.
    role, is_sure, doubt
        What it may be, whether heading and texts leave no doubt, and what the doubt is.
    is_either
        Whether it may as well be something else, so that a person must say: it is not filled in.
    """

    name: str
    texts: Counter[str]
    role: str = ""
    is_sure: bool = True
    doubt: str = ""
    is_either: bool = False

    @property
    def seen(self) -> str:
        """The commonest texts with their number, as a comment shows them."""
        listed = ", ".join(f"{shown(text)} ({n})" for text, n in self.texts.most_common(8))
        return listed + (", …" if len(self.texts) > 8 else "")


@dataclass
class Looked:
    """A table that was looked at.

    Attributes
    ----------
    table
        The table.
    columns
        Its columns that have a heading.
    missing
        Texts that mean that nothing is known.
    forms
        Forms of its dates, with a comment; ``"?"`` where day and month cannot be told apart.
    heading_row
        Row of the headings where titles stand above them; None for the first.
    """

    table: CellTable
    columns: list[SourceColumn]
    missing: Counter[str] = field(default_factory=Counter)
    forms: dict[str, str] = field(default_factory=dict)
    heading_row: int | None = None

    @property
    def n_meant(self) -> int:
        """How many columns have a meaning."""
        return sum(bool(column.role) for column in self.columns)

    @property
    def n_bare(self) -> int:
        """How many columns have cells and no heading."""
        columns = zip(self.table.names, self.table.columns, strict=True)
        return sum(not name and texts.null_count < len(texts) for name, texts in columns)

    @property
    def is_one_per_patient(self) -> bool:
        """Whether no patient has two rows."""
        patients = self.of("patient_id")
        return bool(patients) and max(patients[0].texts.values(), default=0) <= 1

    def of(self, *roles: str) -> list[SourceColumn]:
        """Its columns of these roles."""
        return [column for column in self.columns if column.role in roles]


def propose_map(sources: Sequence[str | Path], *, encoding: str | None = None) -> str:
    """Write a map for some files or folders, as TOML.

    Where a map that comes with the program finds its tables and columns there, that map is given.

    Parameters
    ----------
    sources
        Files or folders.
    encoding
        Encoding of text files where it is not UTF-8; the map says it.

    Raises
    ------
    UsageError, DataProblems
        If a file cannot be read.
    """
    files = files_of(list(sources))
    for name, text in built_in_maps().items():
        if name != "redcap" and _fits(name, files, encoding):
            options = f"--map {name}" + f" --encoding {encoding}" * bool(encoding)
            return f"# These tables have the names of the map {name}: {options} is enough.\n\n{text}"
    looked = [each for file in files for each in _look_at(file, encoding)]
    has_transplant = any(each.of("transplant") or _names_transplant(each) for each in looked)
    lines = [
        'name = "my-map"',
        '# Written by looking at headings and values. Fill in each "?", and check every line:',
        "#   ahsct validate SOURCE --map THIS_FILE",
        *([f"encoding = {_quoted(encoding)}"] if encoding else ()),
    ]
    if not has_transplant:
        lines.append("# No column looks like the date of transplant, which makes day 0.")
    for each in looked:
        lines += ["", *_table_lines(each, has_transplant=has_transplant)]
    return "\n".join(lines) + "\n"


def _fits(name: str, files: Sequence[Path], encoding: str | None) -> bool:
    """Whether the source has every table and column that a built-in map needs."""
    rules = with_options(read_map(name), encoding=encoding)
    try:
        tables = find_tables(rules, files).tables
    except AhsctError:
        return False
    faults = Faults()
    for rule, table in zip(rules.tables, tables, strict=True):
        if table is not None:
            read_table(table, rule, faults)
    return not faults.problems


# ---- Looking -------------------------------------------------------------------------------------------


def _look_at(file: Path, encoding: str | None) -> Iterator[Looked]:
    """Look at the tables of a file, below the titles that may stand above the headings."""
    try:
        tables = read_tables(file, encoding=encoding)
    except DataProblems:
        # Rows are longer than a title that is taken for the headings.
        for number in range(2, _MOST_ROWS_ABOVE):
            try:
                (table,) = read_tables(file, encoding=encoding, heading_row=number)
            except (DataProblems, ValueError):
                continue
            looked = replace(_look(table), heading_row=number)
            if looked.of("patient_id") and looked.n_meant > 1:
                yield looked
                return
        raise
    for table in tables:
        looked = _look(table)
        is_doubtful = looked.n_meant < 2 or looked.n_bare > 0
        row = _row_of_headings(table) if is_doubtful else None
        if row is not None:
            (below,) = read_tables(file, encoding=encoding, sheet=table.sheet, heading_row=row)
            looked = max(looked, replace(_look(below), heading_row=row), key=lambda each: each.n_meant)
        yield looked


def _row_of_headings(table: CellTable) -> int | None:
    """The first row with the heading of a column that identifies the patient, beside another cell."""
    for place in range(min(len(table), _MOST_ROWS_ABOVE)):
        cells = [text for column in table.columns if (text := column[place].as_py())]
        if len(cells) == 1 and table.sheet is None:
            cells = re.split("[\t;,]", cells[0])
        if len(cells) > 1 and any(meaning(cell, headings.PATIENT) for cell in cells):
            return int(table.lines[place])
    return None


def _look(table: CellTable) -> Looked:
    always = {token.casefold() for token in MISSING}
    looked = Looked(table, [])
    for name, texts in zip(table.names, table.columns, strict=True):
        counts: Counter[str] = Counter()
        for pair in texts.drop_null().value_counts().to_pylist():
            text = pair["values"].strip()
            if text and text.casefold() not in always:
                counts[text] += pair["counts"]
        if name:
            looked.columns.append(SourceColumn(name, counts))
    for column in looked.columns:
        _give_role(looked, column)
    _find_patient(looked)
    _find_changing_attributes(looked)
    _find_forms(looked)
    return looked


def _give_role(looked: Looked, column: SourceColumn) -> None:
    """Find what a column may be, from its heading and its texts together."""
    known = Counter({text: n for text, n in column.texts.items() if text.casefold() not in headings.UNKNOWN})
    dates = Counter({text: n for text, n in known.items() if _is_date_like(text)})
    numbers = Counter({text: n for text, n in known.items() if _NUMBER.fullmatch(text)})
    attribute = meaning(column.name, headings.ATTRIBUTES) if not dates else None
    if attribute is not None and (known or attribute.role == "cause_of_death"):
        column.role = attribute.role
        column.is_sure = attribute.is_sure and not headings.has_other_words(column.name, attribute)
        return
    date, measure = meaning(column.name, headings.DATES), meaning(column.name, headings.MEASURES)
    is_serial = date is not None and bool(known) and all(map(_is_serial_like, known))
    if date is not None and (not known or is_serial or 2 * dates.total() >= known.total()):
        role, fitting = date, known if is_serial else dates
    elif measure is not None and (not known or 2 * numbers.total() >= known.total()):
        role, fitting = measure, numbers
    elif found := meaning(column.name, headings.DAYS) if numbers.total() == known.total() else None:
        role, fitting = found, numbers
    else:
        return
    column.role = role.role
    named = {each.role for each in headings.DATES if each.pattern.search(plain(column.name))}
    column.is_either = len(named & headings.ONE_OF) > 1
    column.is_sure = role.is_sure and bool(known) and not headings.has_other_words(column.name, role)
    if role.role == "edss" and not all(_score(text) in _EDSS for text in numbers):
        column.is_sure = False
    if role.role in _LESIONS and "1" in numbers and set(numbers) <= {"0", "1"}:
        column.is_sure, column.doubt = False, "0 and 1 alone: are they counts, or no and yes?"
    if is_serial:
        column.is_sure, column.doubt = False, "numbers: are they dates, and in which form?"
    if role.role == "relapse" and headings.ONE_OF_SEVERAL.search(plain(column.name)):
        column.is_sure, column.doubt = False, "one relapse of a patient: rates would leave out the others"
        column.is_either = True
    odd = [text for text in known if text not in fitting]
    if odd:
        column.is_sure = False
        column.doubt = f"what does {', '.join(map(shown, odd[:5]))} mean?"
    looked.missing.update({text: n for text, n in column.texts.items() if text not in known})
    column.texts = fitting


def _is_date_like(text: str) -> bool:
    if found := _SEPARATED.fullmatch(text):
        return not found[5] or _time_of_day(found[5]) is not None
    return isinstance(iso_day(text, _WITH_MONTH, "missing"), str)


def _time_of_day(text: str) -> str | None:
    """The form of the time that stands behind a date, with the sign before it."""
    return next((text[0] + form for pattern, form in _TIMES_OF_DAY if pattern.fullmatch(text)), None)


def _is_serial_like(text: str) -> bool:
    return text.isdecimal() and any(int(text) in days for days in _SERIAL_RANGES)


def _score(text: str) -> str:
    try:
        return f"{float(text.replace(',', '.')):g}"
    except ValueError:
        return text


def _find_patient(looked: Looked) -> None:
    """Find the column that identifies the patient; two that may are not sure."""
    candidates = [
        (place, column)
        for column in looked.columns
        if column.role in {"", "day"}
        for place, found in enumerate(headings.PATIENT)
        if found.pattern.search(plain(column.name))
    ]
    if not candidates:
        return
    best = min(place for place, _ in candidates)
    chosen = [column for place, column in candidates if place == best]
    n_rows = len(looked.table)
    chosen[0].role = "patient_id"
    is_filled = sum(chosen[0].texts.values()) == n_rows
    # Beside a column for the patient, an ID may be that of the visit.
    has_rival = len(chosen) > 1 or (best > 0 and any(column is not chosen[0] for _, column in candidates))
    chosen[0].is_sure = headings.PATIENT[best].is_sure and not has_rival and is_filled


def _find_changing_attributes(looked: Looked) -> None:
    """Find columns that look like what is known of a patient, and change from row to row of one."""
    patients = looked.of("patient_id")
    if not patients:
        return
    texts_of = dict(zip(looked.table.names, looked.table.columns, strict=True))
    identifiers = texts_of[patients[0].name].to_pylist()
    for column in looked.of("sex", "ms_course", "age_years", "site", "arm"):
        first: dict[str, str] = {}
        for identifier, text in zip(identifiers, texts_of[column.name].to_pylist(), strict=True):
            known = (text or "").strip()
            if identifier and known in column.texts and first.setdefault(identifier, known) != known:
                column.is_sure, column.is_either = False, True
                break


def _find_forms(looked: Looked) -> None:
    """Find the forms of the table's dates: which part is the day shows where it is above 12."""
    first_above: Counter[tuple[str, int, str]] = Counter()
    second_above: Counter[tuple[str, int, str]] = Counter()
    seen: Counter[tuple[str, int, str]] = Counter()
    for column in looked.columns:
        if column.role not in {role.role for role in headings.DATES}:
            continue
        for text, n in column.texts.items():
            found = _SEPARATED.fullmatch(text)
            if _is_serial_like(text):
                told = ", ".join(f"{form!r} makes it {iso_day(text, (form,), None)}" for form in SERIAL)
                looked.forms[TO_FILL_IN] = f"{text} in {shown(column.name)} is a number: {told}"
                continue
            if found is None:
                for form in _WITH_MONTH:
                    if isinstance(iso_day(text, (), None), Wrong) and isinstance(
                        iso_day(text, (form,), None), str
                    ):
                        looked.forms[form] = ""
                continue
            key = (found[2], len(found[4]), _time_of_day(found[5]) or "" if found[5] else "")
            seen[key] += n
            first_above[key] += n * (int(found[1]) > 12)
            second_above[key] += n * (int(found[3]) > 12)
    for key, n in seen.items():
        sign, n_digits, time = key
        year = ("%Y" if n_digits == 4 else "%y") + time
        day_first, month_first = sign.join(("%d", "%m", year)), sign.join(("%m", "%d", year))
        if first_above[key] and not second_above[key]:
            looked.forms[day_first] = f"the day comes first: in {first_above[key]} of {n} it is above 12"
        elif second_above[key] and not first_above[key]:
            looked.forms[month_first] = (
                f"the month comes first: in {second_above[key]} of {n} the day is above 12"
            )
        else:
            why = "the dates contradict each other" if first_above[key] else "no day is above 12"
            looked.forms[TO_FILL_IN] = f"{day_first} or {month_first}? {why}"


def _names_transplant(looked: Looked) -> bool:
    return any(
        headings.TRANSPLANT.search(plain(text)) for column in looked.of("treatment") for text in column.texts
    )


# ---- Writing -------------------------------------------------------------------------------------------


def _table_lines(looked: Looked, *, has_transplant: bool) -> Iterator[str]:
    table = looked.table
    records = list(_records(looked, has_transplant=has_transplant))
    if not has_transplant and (flags := _times_with_flag(looked)):
        records = [_patients(looked, flags)]
    yield f"# {table.label}: {len(table):,} rows"
    if not records:
        yield f"# Nothing was recognised here; its columns: {'; '.join(map(_with_codes, looked.columns))}"
        yield from _unnameable(looked)
        return
    yield "[[table]]"
    yield f"file = {_quoted(table.file)}"
    if table.sheet is not None:
        yield f"sheet = {_quoted(table.sheet)}"
    if looked.heading_row is not None:
        yield f"heading_row = {looked.heading_row}"
    yield from _unnameable(looked)
    yield from _patient_line(looked)
    if looked.forms:
        comments = "; ".join(comment for comment in looked.forms.values() if comment)
        yield f"date_format = [{', '.join(map(_quoted, looked.forms))}]" + _comment(comments)
    if looked.missing:
        listed = ", ".join(f"{shown(text)} {n}" for text, n in looked.missing.most_common())
        yield f"missing = [{', '.join(map(_quoted, looked.missing))}]" + _comment(
            f"cells with it: {listed}; where one means none or 0, take it out and give codes"
        )
    regions = looked.of("region") if looked.of("gd_lesions", "new_t2_lesions", "enlarging", "mri") else []
    if regions:
        yield f"where = {{ {_key(regions[0].name)} = [{_quoted(TO_FILL_IN)}] }}" + _comment(
            f"which are scans of the brain? seen: {regions[0].seen}"
        )
    yield from (line for record in records for line in record)
    used = {name for record in records for line in record for name in _names_in(line, looked)}
    unused = [
        column
        for column in looked.columns
        if column.name not in used and column not in regions and column.role != "patient_id"
    ]
    if unused:
        yield "# not read: " + "; ".join(map(_with_codes, unused))
    yield from _undated(looked, unused)


def _undated(looked: Looked, unused: Sequence[SourceColumn]) -> Iterator[str]:
    """Say of counts and scores in a table of one row per patient why records leave them unread."""
    starts, ends = looked.of("transplant"), looked.of("last_contact")
    numbers = [column for column in unused if column.texts and all(map(_NUMBER.fullmatch, column.texts))]
    if not looked.is_one_per_patient or not starts or not numbers:
        return
    yield (
        f"# Each patient has one row, and these numbers have no date, which a record needs: "
        f"{'; '.join(shown(column.name) for column in numbers)}"
    )
    to = _quoted(ends[0].name if ends else TO_FILL_IN)
    yield "# To read them write [table.patients] in place of the records, with the columns of the data dictionary:"
    yield f"#   follow_up_years = {{ years = {{ from = {_quoted(starts[0].name)}, to = {to} }} }}"
    yield '#   relapses_before = "…"    edss_baseline = "…"    (all of them: ahsct columns)'


def _unnameable(looked: Looked) -> Iterator[str]:
    """Say which columns a map cannot name: headings that stand twice, and columns without one."""
    n_of = Counter(column.name for column in looked.columns)
    if twice := [shown(name) for name, n in n_of.items() if n > 1]:
        yield f"# A map names a column by its heading; rename all but one of each that stands twice: {'; '.join(twice)}"
    if looked.n_bare:
        yield f"# Columns with cells and no heading, as merged headings leave them: {looked.n_bare}; give each its own."


def _with_codes(column: SourceColumn) -> str:
    """A heading, with its texts where they are codes: free text and identifiers are not repeated."""
    is_coded = len(column.texts) <= 10 and column.texts.total() >= 2 * len(column.texts)
    return f"{shown(column.name)} ({column.seen})" if column.texts and is_coded else shown(column.name)


def _names_in(line: str, looked: Looked) -> list[str]:
    return [column.name for column in looked.columns if _quoted(column.name) in line]


def _patient_line(looked: Looked) -> Iterator[str]:
    columns = looked.of("patient_id")
    if not columns:
        yield f"patient_id = {_quoted(TO_FILL_IN)}" + _comment("which column identifies the patient?")
    elif columns[0].is_sure:
        yield f"patient_id = {_quoted(columns[0].name)}"
    else:
        yield f"patient_id = {_quoted(TO_FILL_IN)}" + _comment(
            f"perhaps {columns[0].name}, which is not sure"
        )


def _records(looked: Looked, *, has_transplant: bool) -> Iterator[list[str]]:
    """The records that the rows may give, as lines of TOML."""
    named = meaning(f"{Path(looked.table.file).stem} {looked.table.sheet or ''}", headings.TABLES)
    about = named.role if named else ""
    attributes = [line for column in looked.columns for line in _attribute_line(looked, column)]
    if attributes:
        yield ["[[table.record]]", 'kind = "baseline"', *attributes]
    causes = [line for cause in looked.of("cause_of_death") for line in _level_line(looked, cause)]
    if transplants := _likeliest(looked, "transplant"):
        yield _measured("transplant", transplants, [])
    contacts, deaths = looked.of("last_contact"), _likeliest(looked, "death")
    for column in contacts:
        yield _record("last_contact", column, *([] if deaths else _flag(looked, "last_contact")))
        if looked.of("vital_status") and not deaths:
            yield _record("death", column, *causes, *_flag(looked, "death"))
    # A death that the status tells must not be lost where its date is missing.
    if deaths or (looked.of("vital_status") and looked.is_one_per_patient and not contacts):
        yield _measured("death", deaths, [*causes, *_flag(looked, "death")])
    yield from _treatments(looked)
    time = _time(looked, has_transplant=has_transplant)
    edss = looked.of("edss")
    if pairs := _numbered_pairs(time, edss):
        for date, score in pairs:
            doubt = f"not sure: does {score.name} belong to {date.name}?"
            yield [
                *_record("edss", replace(date, is_sure=True)),
                f"edss = {_quoted(score.name)}" + _comment(doubt),
            ]
    elif edss:
        yield _measured("edss", time, [_measure_line("edss", edss)])
    if lesions := _lesion_lines(looked):
        yield _measured("mri", looked.of("mri") or time, lesions)
    relapses = looked.of("relapse") or (time if about == "relapse" else [])
    if (relapses and not looked.of("edss", "gd_lesions", "new_t2_lesions")) or looked.of("relapse"):
        yield _measured("relapse", relapses, [])


def _numbered_pairs(
    dates: Sequence[SourceColumn], scores: Sequence[SourceColumn]
) -> list[tuple[SourceColumn, SourceColumn]]:
    """Dates and scores that stand side by side in a row, as Visit 1, EDSS 1, Visit 2, EDSS 2; all or none."""
    date_of = {_number_in(date): date for date in dates}
    if len(scores) < 2 or None in date_of or len(date_of) < len(dates):
        return []
    numbers = [_number_in(score) for score in scores]
    if len(set(numbers)) < len(numbers) or not set(numbers) <= set(date_of):
        return []
    return [(date_of[number], score) for number, score in zip(numbers, scores, strict=True)]


def _number_in(column: SourceColumn) -> int | None:
    """The one number in a heading."""
    numbers = re.findall("[0-9]+", column.name)
    return int(numbers[0]) if len(numbers) == 1 else None


def _likeliest(looked: Looked, role: str) -> list[SourceColumn]:
    """The columns of a date that a patient has once: those that are sure, else all that may be."""
    return [column for column in looked.of(role) if column.is_sure] or looked.of(role)


def _times_with_flag(looked: Looked) -> list[tuple[SourceColumn, SourceColumn]]:
    """Columns of numbers each with a flag of two codes beside it, in a table of one row per patient."""
    if not looked.is_one_per_patient:
        return []
    return [
        (time, flag)
        for time, flag in pairwise(looked.columns)
        if time.role in {"", "day"}
        and len(time.texts) > 2
        and all(map(_NUMBER.fullmatch, time.texts))
        and flag.role in {"", "vital_status"}
        and len(flag.texts) <= 2
        and max(map(len, flag.texts), default=0) <= _LONGEST_FLAG
    ]


def _patients(looked: Looked, pairs: Sequence[tuple[SourceColumn, SourceColumn]]) -> list[str]:
    """A patient table, whose times and flags a person must name."""
    lines = ["[table.patients]"]
    lines += [line for column in looked.columns for line in _attribute_line(looked, column)]
    lines.append(
        f"follow_up_years = {_quoted(TO_FILL_IN)}"
        + _comment('the time to last contact or death: { column = "…", unit = "days", "months" or "years" }')
    )
    unknown = f"[{_quoted(TO_FILL_IN)}]"
    for time, flag in pairs:
        units = [unit for unit, pattern in headings.UNITS if pattern.search(plain(time.name))]
        unit = units[0] if len(units) == 1 else TO_FILL_IN
        lines += [
            f"# Is {shown(time.name)} a time, and {shown(flag.name)} its flag ({flag.seen})? Of what?",
            f"# years_to_… = {{ column = {_quoted(time.name)}, unit = {_quoted(unit)}, "
            f"event = {{ column = {_quoted(flag.name)}, is = {unknown}, not = {unknown} }} }}",
        ]
    return lines


def _record(kind: str, column: SourceColumn, *more: str) -> list[str]:
    time = "day" if column.role == "day" else "date"
    comment = "" if column.is_sure else f"not sure: {column.doubt or f'is this the {_TIMES[kind]}?'}"
    if column.is_either:
        comment = (
            f"perhaps {column.name}: {column.doubt}"
            if column.doubt
            else f"perhaps {column.name}, which may be another date"
        )
    return [
        "[[table.record]]",
        f'kind = "{kind}"',
        f"{time} = {_quoted(TO_FILL_IN if column.is_either else column.name)}" + _comment(comment),
        *more,
    ]


def _measured(kind: str, times: Sequence[SourceColumn], lines: Sequence[str]) -> list[str]:
    if len(times) == 1:
        return _record(kind, times[0], *lines)
    listed = f"which? {', '.join(column.name for column in times)}" if times else "which column is the date?"
    return [
        "[[table.record]]",
        f'kind = "{kind}"',
        f"date = {_quoted(TO_FILL_IN)}" + _comment(listed),
        *lines,
    ]


def _time(looked: Looked, *, has_transplant: bool) -> list[SourceColumn]:
    """The columns that may be the time of a visit: days where there is no date of transplant."""
    days = looked.of("day")
    if days and not has_transplant:
        for column in days:
            column.is_sure = False
        return days
    return looked.of("visit") or looked.of("mri")


def _measure_line(name: str, columns: Sequence[SourceColumn]) -> str:
    first = columns[0]
    if len(columns) == 1 and first.is_sure:
        return f"{name} = {_quoted(first.name)}"
    listed = "; ".join(
        f"{column.name} ({column.seen})" + f": {column.doubt}" * bool(column.doubt) for column in columns
    )
    return f"{name} = {_quoted(TO_FILL_IN)}" + _comment(f"not sure: {listed}")


def _lesion_lines(looked: Looked) -> list[str]:
    gd, new, enlarging = (looked.of(role) for role in ("gd_lesions", "new_t2_lesions", "enlarging"))
    lines = [_measure_line("gd_lesions", gd)] if gd else []
    if new and enlarging:
        names = ", ".join(_quoted(column.name) for column in (new[0], enlarging[0]))
        lines.append(f"new_t2_lesions = {{ sum = [{names}] }}" + _comment("not sure: is no lesion in both?"))
    elif new:
        doubt = "" if new[0].is_sure else f"not sure: {new[0].doubt or 'are these T2 lesions?'}"
        line = f"new_t2_lesions = {_quoted(new[0].name)}" + _comment(doubt)
        lines.append(line if len(new) == 1 else _measure_line("new_t2_lesions", new))
    return lines


def _attribute_line(looked: Looked, column: SourceColumn) -> list[str]:
    if column.role not in {"sex", "ms_course", "age_years", "site", "arm"}:
        return []
    if column.is_either:
        comment = f"perhaps {column.name}, which changes from row to row of a patient"
        return [f"{column.role} = {_quoted(TO_FILL_IN)}" + _comment(comment)]
    if column.role in {"sex", "ms_course"}:
        return _level_line(looked, column)
    doubt = "" if column.is_sure else f"not sure: is this the {column.role.removesuffix('_years')}?"
    if column.role == "age_years" and headings.AGE_ALONE.fullmatch(plain(column.name)):
        doubt = "not sure: at the time of transplant?"
    return [f"{column.role} = {_quoted(column.name)}" + _comment(doubt)]


def _level_line(looked: Looked, column: SourceColumn) -> list[str]:
    """A column of levels: as it is where its texts are known, else with codes to be filled in."""
    declared = _LEVELS[column.role]
    known = {level.casefold() for level in declared.levels} | set(declared.codes)
    texts = [text for text in column.texts if text not in looked.missing]
    folded = {text.casefold() for text in texts}
    # M is for mujer where men are H: it is male beside F alone.
    is_told = column.role != "sex" or "m" not in folded or bool(folded & {"f", "female"})
    if folded <= known and is_told:
        doubt = "" if column.is_sure else "not sure: is this meant?"
        return [f"{column.role} = {_quoted(column.name)}" + _comment(doubt)] if texts else []
    if len(texts) > _MOST_CODES:
        return [f"# {column.role} = {_quoted(column.name)}" + _comment(f"{len(texts)} different texts")]
    codes = ", ".join(f"{_key(text)} = {_quoted(TO_FILL_IN)}" for text in texts)
    meant = f"each is {', '.join(declared.levels)}, or empty for unknown; seen: {column.seen}"
    return [f"{column.role} = {{ column = {_quoted(column.name)}, codes = {{ {codes} }} }}" + _comment(meant)]


def _flag(looked: Looked, kind: str) -> list[str]:
    """The vital status as a flag that tells a death from a last contact on the same date."""
    columns = looked.of("vital_status")
    if not columns:
        return []
    column = columns[0]
    meant = "dead" if kind == "death" else "alive"
    unknown = f"[{_quoted(TO_FILL_IN)}]"
    comment = _comment(f"is: {meant}; not: the others; seen: {column.seen}")
    return [f"event = {{ column = {_quoted(column.name)}, is = {unknown}, not = {unknown} }}" + comment]


def _treatments(looked: Looked) -> Iterator[list[str]]:
    """The transplant among the rows of a table of treatments."""
    dates = looked.of("therapy", "visit")
    for column in looked.of("treatment"):
        texts = [text for text in column.texts if headings.TRANSPLANT.search(plain(text))]
        if not texts or looked.of("transplant"):
            continue
        is_sure = all(headings.TRANSPLANT_ALONE.fullmatch(plain(text)) for text in texts)
        named = ", ".join(map(_quoted, texts if is_sure else [TO_FILL_IN]))
        where = f"where = {{ {_key(column.name)} = [{named}] }}"
        others = [text for text in column.texts if text not in texts]
        which = "" if is_sure else f"which are autologous transplants? {', '.join(map(shown, texts[:8]))}"
        left_out = f"not: {', '.join(map(shown, others[:8]))}" if others else ""
        comment = _comment("; ".join(filter(None, (which, left_out))))
        starts = [
            date for date in dates if re.search(r"start|beg|debut|inizio|inicio|von|date$", plain(date.name))
        ]
        yield _measured("transplant", starts if len(starts) == 1 else dates, [where + comment])


def _quoted(text: str) -> str:
    """A TOML string."""
    if "'" not in text and ("\\" in text or '"' in text) and text.isprintable():
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\u{ord(char):04X}" for char in escaped) + '"'


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _quoted(text)


def _comment(text: str) -> str:
    return f"   # {shown(text, longest=400)}" if text else ""
