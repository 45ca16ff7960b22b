"""From TOML to a `Map`, with everything that is wrong with it told at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from ahsct_trial.columns import ATTRIBUTES, MEASUREMENTS, PATIENT_ID, PATIENT_TABLE, RECORD_KINDS, RECORDS
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.mapping.dates import strptime_form
from ahsct_trial.mapping.model import (
    TO_FILL_IN,
    UNITS,
    Cells,
    Flag,
    Map,
    Pivot,
    RecordRule,
    TableRule,
    Where,
    code_key,
)
from ahsct_trial.toml import parse_toml, read_toml
from ahsct_trial.wording import is_it_meant, plural

Given = Mapping[str, Any]

_NO_CELLS = Cells(const="")
_LEVELS = {column.name: column.levels for column in (*RECORDS, *PATIENT_TABLE)}
_MAP_KEYS = (
    "name", "about", "table", "missing", "date_format", "encoding", "partial_date", "same_day", "after_death",
    "without_transplant",
)  # fmt: skip
_TABLE_KEYS = (
    "file", "sheet", "heading_row", "optional", "encoding", "missing", "date_format", "partial_date",
    "same_day", "patient_id", "where", "pivot", "record", "patients",
)  # fmt: skip
_CELLS_KEYS = (
    "column", "const", "first", "sum", "years", "codes", "unit", "first_day", "event", "where", "empty",
    "optional", "date_format",
)  # fmt: skip
_MOST_FAULTS = 20
_ONE_OF = ("column", "const", "first", "sum", "years")


class MapError(UsageError):
    """A map that cannot be used as it is written."""

    def __init__(self, file: str, faults: Iterable[str]) -> None:
        faults = list(dict.fromkeys(faults))
        said = [
            f"Map {shown(file)} has {len(faults):,} {plural('fault', len(faults))}.",
            *faults[:_MOST_FAULTS],
        ]
        if len(faults) > _MOST_FAULTS:
            said.append(f"… and {len(faults) - _MOST_FAULTS:,} more.")
        super().__init__("\n".join(said))


def built_in_maps() -> dict[str, str]:
    """Text of each map that comes with the program, by its name."""
    folder = files("ahsct_trial") / "maps"
    texts = {
        entry.name.removesuffix(".toml"): entry.read_text("utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }
    return dict(sorted(texts.items()))


def no_such_map(name: str, known: Iterable[str]) -> UsageError:
    """The error that no map of that name comes with the program."""
    sentence = (
        f"There is no map '{shown(name)}'. Built in are {', '.join(known)}; the name of a file ends in .toml."
    )
    return UsageError(f"{sentence} {is_it_meant(name, known)}".rstrip())


def read_map(name_or_file: str | Path) -> Map:
    """Read a built-in map by its name, or a TOML file.

    Raises
    ------
    UsageError
        If there is neither, the file is not TOML, or what it says makes no map: all faults at once.
    """
    path = Path(name_or_file)
    texts = built_in_maps()
    if str(name_or_file) in texts:
        text = texts[str(name_or_file)]
        return parse_map(parse_toml(text.encode("utf-8"), f"Map {path}"), f"{path}.toml")
    if not path.suffix and not path.exists():
        raise no_such_map(str(path), texts)
    return parse_map(read_toml(path, "Map"), path.name)


def parse_map(document: Given, file: str) -> Map:
    """Make a map of a TOML document.

    Raises
    ------
    MapError
        All that is wrong with it.
    """
    faults: list[str] = []
    whole = _Keys("The map", document, _MAP_KEYS, faults)
    tables = tuple(
        _table(_Keys(f"Table {number}", given, _TABLE_KEYS, faults), whole)
        for number, given in enumerate(whole.tables("table"), start=1)
    )
    if not tables:
        faults.append("There is no [[table]]; a map names at least one.")
    times = {rule.time_name for table in tables for rule in table.records if rule.time_name}
    if len(times) == 2:
        faults.append("Some records have a date and others a day; a file of records has one of them.")
    if len({table.patients is None for table in tables}) == 2:
        faults.append("Some tables give records and others a patient table; a map gives one of them.")
    result = Map(
        name=whole.text("name") or file,
        file=file,
        tables=tables,
        after_death=whole.choice("after_death", ("drop",)),
        without_transplant=whole.choice("without_transplant", ("drop",)),
    )
    whole.text("about")
    if faults:
        raise MapError(file, faults)
    return result


def with_options(
    rules: Map,
    *,
    encoding: str | None = None,
    missing: tuple[str, ...] = (),
    date_format: str | None = None,
) -> Map:
    """A map with what the command line says of the files, for this one time.

    Parameters
    ----------
    rules
        The map.
    encoding, date_format
        Of all tables and their dates, in place of what the map says; None leaves that as it is.
    missing
        Texts that mean an empty cell, beside those of the map.

    Raises
    ------
    UsageError
        If the date format is not valid.
    """
    tables = (
        replace(table, encoding=encoding or table.encoding, missing=(*table.missing, *missing))
        for table in rules.tables
    )
    if date_format is not None:
        strptime_form(date_format)
        tables = (_with_date_format(table, date_format) for table in tables)
    return replace(rules, tables=tuple(tables))


def _with_date_format(table: TableRule, form: str) -> TableRule:
    """The rule of a table all of whose dates have this form, also those of columns with one of their own."""

    def of_table(cells: Mapping[str, Cells]) -> dict[str, Cells]:
        return {name: replace(each, date_formats=()) for name, each in cells.items()}

    return replace(
        table,
        date_formats=(form,),
        records=tuple(
            replace(
                rule, time=rule.time and replace(rule.time, date_formats=()), values=of_table(rule.values)
            )
            for rule in table.records
        ),
        patients=table.patients and of_table(table.patients),
    )


class _Keys:
    """The keys of one TOML table, each read as what it must be; what is wrong is added to the faults."""

    def __init__(self, place: str, given: Given, known: Iterable[str], faults: list[str]) -> None:
        self.place = place
        self.faults = faults
        self.given = given
        known = dict.fromkeys(known)  # of codes there may be many
        for key in given:
            if key not in known:
                close = get_close_matches(str(key), known, n=1)
                meant = f"is {close[0]} meant?" if close else f"known are {', '.join(known)}"
                self.fault(f"there is no key '{shown(str(key))}'; {meant}")

    def fault(self, what: str) -> None:
        self.faults.append(f"{self.place}: {what}{'' if what.endswith('?') else '.'}")

    def __contains__(self, key: str) -> bool:
        return key in self.given

    def within(self, key: str, known: Iterable[str]) -> _Keys:
        """The keys of the table under a key."""
        given = self.given.get(key, {})
        if not isinstance(given, Mapping):
            self.fault(f"{key} is {_named(given)}; it must be a table {{ … }}")
            given = {}
        return _Keys(f"{self.place}, {key}", given, known, self.faults)

    def tables(self, key: str) -> list[Given]:
        """The tables of an array ``[[key]]``."""
        given = self.given.get(key, [])
        if isinstance(given, list) and all(isinstance(each, Mapping) for each in given):
            return given
        self.fault(f"{key} must be written as [[{key}]]")
        return []

    def text(self, key: str) -> str | None:
        """A text, or a number or truth value as a text."""
        given = self.given.get(key)
        if given is None or isinstance(given, str | int | float):
            return None if given is None else _as_text(given)
        self.fault(f"{key} is {_named(given)}; it must be a text")
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A text or a list of texts."""
        given = self.given.get(key, [])
        given = given if isinstance(given, list) else [given]
        if all(isinstance(each, str | int | float) for each in given):
            return tuple(map(_as_text, given))
        self.fault(f"{key} must be a text or a list of texts")
        return ()

    def filled_in(self, key: str) -> tuple[str, ...]:
        """A text or a list of texts, in which nothing is left for a person to fill in."""
        texts = self.texts(key)
        if TO_FILL_IN in texts:
            self.fault(f"{key} is still {TO_FILL_IN!r}; fill it in")
        return texts

    def date_forms(self) -> tuple[str, ...]:
        """Forms of dates, under ``date_format``."""
        forms = self.filled_in("date_format")
        for form in forms:
            try:
                strptime_form(form)
            except UsageError as error:
                if form != TO_FILL_IN:
                    self.fault(str(error).rstrip("."))
        return forms

    def whole_number(self, key: str, low: int) -> int | None:
        given = self.given.get(key)
        if given is None or (type(given) is int and given >= low):
            return given
        self.fault(f"{key} is {_named(given)}; it must be a whole number from {low} on")
        return None

    def truth(self, key: str) -> bool:
        given = self.given.get(key, False)
        if not isinstance(given, bool):
            self.fault(f"{key} is {_named(given)}; it must be true or false")
        return given is True

    def choice(self, key: str, known: Iterable[str]) -> Any:
        given = self.text(key)
        if given is None or given in known:
            return given
        self.fault(f"{key} is {_named(given)}; it must be {' or '.join(known)}")
        return None

    def where(self) -> Where:
        """The rows that count, under ``where``."""
        given = self.given.get("where", {})
        keys = self.within("where", given if isinstance(given, Mapping) else ())
        return {column: keys.filled_in(column) for column in keys.given}

    def flag(self) -> Flag | None:
        """A flag, under ``event``."""
        if "event" not in self:
            return None
        keys = self.within("event", ("column", "is", "not", "optional"))
        if "column" not in keys or "is" not in keys:
            keys.fault('it is written as { column = "…", is = ["…"] }')
        yes = keys.filled_in("is")
        no = keys.filled_in("not") if "not" in keys else None
        for text in yes:
            if text != TO_FILL_IN and code_key(text) in {code_key(each) for each in no or ()}:
                keys.fault(f"'{shown(text)}' stands under is and under not; a code says one of them")
        return Flag(column=keys.text("column") or "", yes=yes, no=no, is_optional=keys.truth("optional"))

    def cells(self, key: str, column: str) -> Cells:
        """Where the cells of a canonical column come from: a heading, or a table."""
        given = self.given[key]
        if isinstance(given, str):
            if given == TO_FILL_IN:
                self.fault(f"{key} is still {TO_FILL_IN!r}; fill in the heading of its column")
            return Cells(column=given)
        return _cells(self.within(key, _CELLS_KEYS), column)


def _cells(keys: _Keys, column: str) -> Cells:
    sources = [key for key in _ONE_OF if key in keys]
    if len(sources) != 1:
        keys.fault(f"it needs one of {', '.join(_ONE_OF)}" + (f", not {len(sources)}" if sources else ""))
    years = keys.within("years", ("from", "to")) if "years" in keys else None
    if years is not None and not ("from" in years and "to" in years):
        years.fault('it is written as { from = "…", to = "…" }')
    return Cells(
        column=keys.text("column"),
        const=keys.text("const"),
        first=keys.filled_in("first"),
        total=keys.filled_in("sum"),
        years=(years.text("from") or "", years.text("to") or "") if years else None,
        codes=_codes(keys, column) if "codes" in keys else None,
        unit=keys.choice("unit", tuple(UNITS)),
        first_day=keys.whole_number("first_day", 0) or 0,
        event=keys.flag(),
        where=keys.where(),
        empty=keys.text("empty"),
        is_optional=keys.truth("optional"),
        date_formats=keys.date_forms(),
    )


def _codes(keys: _Keys, column: str) -> dict[str, str]:
    given = keys.within("codes", keys.given["codes"] if isinstance(keys.given["codes"], Mapping) else ())
    levels = _LEVELS.get(column, ())
    codes: dict[str, str] = {}
    alike: dict[str, str] = {}
    for code in given.given:
        meaning = given.text(code) or ""
        if meaning == TO_FILL_IN:
            rule = f": {', '.join(levels)}" if levels else ""
            given.fault(f"the meaning of '{shown(code)}' is still {TO_FILL_IN!r}; fill it in{rule}")
        elif levels and meaning not in ("", *levels):
            close = get_close_matches(meaning.casefold(), levels, n=1)
            hint = f"is {close[0]} meant?" if close else f"it must be {' or '.join(levels)}"
            given.fault(f"'{shown(code)}' means '{shown(meaning)}'; {hint}")
        other = alike.setdefault(code_key(code), code)
        if codes.get(other, meaning) != meaning:
            given.fault(
                f"'{shown(other)}' and '{shown(code)}' are one code, since case and a trailing .0 do not count; "
                f"it means '{shown(codes[other])}' and '{shown(meaning)}'"
            )
        codes[code] = meaning
    return codes


def _table(keys: _Keys, whole: _Keys) -> TableRule:
    file = keys.text("file")
    keys.place += f" ({shown(file)})" if file else ""
    if "patient_id" not in keys:
        keys.fault("it has no patient_id; name the column that identifies the patient")
    if ("record" in keys) == ("patients" in keys):
        keys.fault("it needs [[table.record]] or [table.patients], one of them")
    kept = whole if "date_format" not in keys else keys
    return TableRule(
        file=file,
        sheet=keys.text("sheet"),
        patient_id=keys.cells("patient_id", PATIENT_ID.name) if "patient_id" in keys else _NO_CELLS,
        heading_row=keys.whole_number("heading_row", 1),
        is_optional=keys.truth("optional"),
        encoding=keys.text("encoding") or whole.text("encoding"),
        missing=(*whole.texts("missing"), *keys.texts("missing")),
        date_formats=kept.date_forms(),
        partial_date=_choice("partial_date", ("first", "middle", "last", "missing"), keys, whole),
        same_day=_choice("same_day", ("last", "worst"), keys, whole),
        where=keys.where(),
        pivot=_pivot(keys),
        records=tuple(_record(given, keys) for given in keys.tables("record")),
        patients=_patients(keys) if "patients" in keys else None,
    )


def _choice(key: str, known: tuple[str, ...], keys: _Keys, whole: _Keys) -> Any:
    return keys.choice(key, known) or whole.choice(key, known)


def _pivot(keys: _Keys) -> Pivot | None:
    if "pivot" not in keys:
        return None
    pivot = keys.within("pivot", ("name", "value", "by"))
    if "name" not in pivot or "value" not in pivot:
        pivot.fault('it is written as { name = "…", value = "…" }')
    return Pivot(pivot.text("name") or "", pivot.text("value") or "", pivot.texts("by"))


def _record(given: Given, table: _Keys) -> RecordRule:
    kind = given.get("kind")
    place = f"{table.place}, record {shown(kind)}" if isinstance(kind, str) else f"{table.place}, record"
    columns = [column.name for column in ATTRIBUTES] + list(MEASUREMENTS.get(str(kind), ()))
    keys = _Keys(place, given, ("kind", "where", "event", "date", "day", *columns), table.faults)
    if kind not in RECORD_KINDS:
        close = get_close_matches(str(kind), RECORD_KINDS, n=1)
        hint = f"is {close[0]} meant?" if close else f"it must be one of {', '.join(RECORD_KINDS)}"
        keys.fault(f"kind is {_named(kind)}; {hint}")
    times = [name for name in ("date", "day") if name in keys]
    if kind == "baseline" and times:
        keys.fault(f"a baseline record has no {times[0]}")
    elif (
        kind != "baseline"
        and len(times) != 1
        and not (kind == "death" and "cause_of_death" in keys and not times)
    ):
        keys.fault("it needs a date or a day, one of them")
    return RecordRule(
        kind=str(kind),
        time_name=times[0] if times else None,
        time=keys.cells(times[0], times[0]) if times else None,
        values={name: keys.cells(name, name) for name in columns if name in keys},
        where=keys.where(),
        event=keys.flag(),
    )


def _patients(table: _Keys) -> dict[str, Cells]:
    columns = [column.name for column in PATIENT_TABLE if column is not PATIENT_ID]
    keys = table.within("patients", columns)
    return {name: keys.cells(name, name) for name in columns if name in keys}


def _as_text(given: str | float) -> str:
    return str(given).lower() if isinstance(given, bool) else str(given)


def _named(given: object) -> str:
    return repr(shown(str(given))) if isinstance(given, str | int | float) else "no text"
