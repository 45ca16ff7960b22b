"""The cells of a source table as texts in canonical form: dates, days, years, numbers, levels.

Each different text is judged once, however many rows have it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from difflib import get_close_matches

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ahsct_trial.columns import ATTRIBUTES, NUMERIC_KINDS, PATIENT_TABLE, RECORDS, Column, Kind
from ahsct_trial.escaping import shown
from ahsct_trial.loading.formats.cells import CellTable
from ahsct_trial.loading.problems import Problem
from ahsct_trial.loading.values import EARLIEST, MISSING, today
from ahsct_trial.mapping.dates import Wrong, iso_day
from ahsct_trial.mapping.faults import Faults
from ahsct_trial.mapping.model import UNITS, WHOLE, Cells, Flag, TableRule, Where, code_key
from ahsct_trial.wording import first_of

KINDS: dict[str, Kind] = {column.name: column.kind for column in (*RECORDS, *PATIENT_TABLE, *ATTRIBUTES)}

_YEARS = {column.name: column for column in (*PATIENT_TABLE, *ATTRIBUTES) if column.kind == "years"}
_DAYS_PER_YEAR = UNITS["years"]
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
#: Three digits behind a comma may be thousands, unless a 0 alone stands before it.
_MAYBE_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]*,[0-9]{3}")
_FORMULA_ERRORS = ("#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!")
_MOST_VALUES = 50
_OR_EMPTY = "Correct it, or name it in missing of the map."

RowsArray = NDArray[np.int64]
Judge = Callable[[str], "str | Wrong | None"]


class SourceTable:
    """A table of the source and the rule that reads it: its cells by heading, empty where missing."""

    def __init__(self, table: CellTable, rule: TableRule, faults: Faults) -> None:
        self.table = table
        self.rule = rule
        self.faults = faults
        #: How many cells of the columns that are read have each missing token.
        self.n_missing: Counter[str] = Counter()
        #: Rows whose date has no day, by the heading that it stands under, where the map says what it counts as.
        self.dayless: dict[str, RowsArray] = {}
        self._missing = {token.strip().casefold() for token in (*MISSING, *rule.missing)}
        self._cells: dict[str, pa.StringArray] = {}
        self._places = _places(table.names)

    def __len__(self) -> int:
        return len(self.table)

    def has(self, heading: str) -> bool:
        """Whether the table has this column."""
        return _folded(heading) in self._places

    def cells(self, heading: str) -> pa.StringArray:
        """All cells under a heading, without blanks around them; null where they are missing."""
        if heading not in self._cells:
            places = self._places.get(_folded(heading), [])
            column = self.table.columns[places[0]] if places else None
            self._cells[heading] = (
                pa.nulls(len(self), pa.string()) if column is None else self._cleaned(column)
            )
        return self._cells[heading]

    def check_headings(self, headings: Iterable[str], optional: Iterable[str]) -> None:
        """Note each column that the map reads and the table lacks, or has twice."""
        allowed = set(optional)
        for heading in headings:
            n_columns = len(self._places.get(_folded(heading), []))
            if n_columns == 1 or (n_columns == 0 and heading in allowed):
                continue
            self.faults.add(self._repeated(heading) if n_columns else self._absent(heading))

    def _repeated(self, heading: str) -> Problem:
        return Problem(
            file=self.table.label,
            column=heading,
            what=f"two columns have the heading '{shown(heading)}'",
            rule="the map names one of them",
            fix="Rename one.",
        )

    def _absent(self, heading: str) -> Problem:
        names = [name for name in self.table.names if name]
        close = get_close_matches(_folded(heading), map(_folded, names), n=1)
        meant = next((name for name in names if close and _folded(name) == close[0]), None)
        row = self._row_with(heading)
        if row is not None:
            fix = f"It stands in row {row}: say heading_row = {row} in the map."
        elif meant is not None:
            fix = f"Is '{shown(meant)}' meant?"
        else:
            fix = "Correct the map, or add the column."
        listed = first_of([*map(shown, names)]) or "none"
        return Problem(
            file=self.table.label,
            column=heading,
            what=f"there is no column '{shown(heading)}'",
            rule=f"the map names it; the headings are {listed}",
            fix=fix,
        )

    def _row_with(self, heading: str) -> int | None:
        """The row among the first that has this heading in a cell: titles may stand above headings."""
        for place in range(min(len(self), 20)):
            if any(
                (text := column[place].as_py()) is not None and _folded(text) == _folded(heading)
                for column in self.table.columns
            ):
                return int(self.table.lines[place])
        return None

    def _cleaned(self, cells: pa.StringArray) -> pa.StringArray:
        coded = cells.dictionary_encode()
        counts = np.bincount(text_places(coded) + 1, minlength=len(coded.dictionary) + 1)[1:]
        cleaned: list[str | None] = []
        for text, count in zip(coded.dictionary.to_pylist(), counts.tolist(), strict=True):
            stripped = text.strip()
            is_missing = not stripped or stripped.casefold() in self._missing
            if is_missing and stripped:
                self.n_missing[stripped] += count
            cleaned.append(None if is_missing else stripped)
        return _recoded(coded, cleaned)

    # ---- Rows ----------------------------------------------------------------------------------------

    def holds(self, where: Where, rows: RowsArray) -> NDArray[np.bool_]:
        """Whether each of these rows fulfils every condition; shape (n_rows,)."""
        is_held = np.ones(len(rows), dtype=bool)
        for heading, allowed in where.items():
            keys = {code_key(text) for text in allowed}
            coded = self.cells(heading).dictionary_encode()
            texts = coded.dictionary.to_pylist()
            is_allowed = np.array(["" in keys, *(code_key(text) in keys for text in texts)])
            is_held &= is_allowed[text_places(coded)[rows] + 1]
        return is_held

    def happened(self, flag: Flag, rows: RowsArray, is_timed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether a flag says of each row that it has happened; shape (n_rows,).

        Where the map names both answers any other is wrong; an empty flag is wrong where there is a time.
        """
        if not self.has(flag.column):
            return is_timed
        yes = {code_key(text) for text in flag.yes}
        no = None if flag.no is None else {code_key(text) for text in flag.no}
        coded = self.cells(flag.column).dictionary_encode()
        indices = text_places(coded)[rows] + 1
        keys = ["", *map(code_key, coded.dictionary.to_pylist())]
        is_yes = np.array([key in yes for key in keys])
        is_known = np.array([key in yes or (key in no if no is not None else key != "") for key in keys])
        is_wrong = ~is_known[indices] & (is_timed | (indices > 0))
        known = first_of([repr(shown(text)) for text in (*flag.yes, *(flag.no or ()))], 20)
        self._note_wrong(
            flag.column,
            rows[is_wrong],
            Wrong(f"the map knows {known}", "Name it under is or not in the map, or correct the cell."),
        )
        happened: NDArray[np.bool_] = is_yes[indices]
        return happened

    # ---- Canonical texts -------------------------------------------------------------------------------

    def texts(self, cells: Cells, column: str, rows: RowsArray) -> pa.StringArray:
        """The cells of a canonical column in these rows, in its form; null where unknown; shape (n_rows,)."""
        kind = KINDS[column]
        texts = self._coded(cells, kind, column, rows)
        if cells.event is not None:
            is_timed = _given(texts)
            happened = self.happened(cells.event, rows, is_timed)
            self._note_untimed(cells, column, rows[happened & ~is_timed & ~self._has_time(cells, rows)])
            texts = pc.if_else(pa.array(happened), texts, pa.scalar(None, pa.string()))
        return texts if cells.empty is None else pc.fill_null(texts, cells.empty)

    def _has_time(self, cells: Cells, rows: RowsArray) -> NDArray[np.bool_]:
        """Whether there are the texts that make a time, right or wrong; shape (n_rows,)."""
        headings = cells.years or (*((cells.column,) if cells.column else ()), *cells.first)
        given = [_given(self.cells(heading).take(pa.array(rows))) for heading in headings]
        has_time: NDArray[np.bool_] = np.all(given, axis=0) if cells.years else np.any(given, axis=0)
        return has_time

    def _coded(self, cells: Cells, kind: Kind, column: str, rows: RowsArray) -> pa.StringArray:
        if cells.const is not None:
            return pa.array([cells.const or None], pa.string()).take(pa.array(np.zeros(len(rows), np.int64)))
        if cells.years is not None:
            return self._years_between(cells, rows)
        if cells.total:
            return self._sum(cells, kind, rows)
        texts = pa.nulls(len(rows), pa.string())
        for heading in (*((cells.column,) if cells.column is not None else ()), *cells.first):
            under_heading = self._one(cells, kind, column, heading, rows)
            texts = pc.coalesce(texts, under_heading)
        return texts

    def _one(self, cells: Cells, kind: Kind, column: str, heading: str, rows: RowsArray) -> pa.StringArray:
        """The cells under one heading in canonical form."""
        texts = self.cells(heading).take(pa.array(rows))
        if cells.codes is not None:
            texts = self._judged(heading, texts, _by_codes(cells.codes, column), rows)
            if "" in cells.codes:
                texts = pc.fill_null(texts, cells.codes[""])
            texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
        if kind == "date":
            return self._days(heading, texts, cells, rows)
        if kind in {"years", "count", "edss", "day"}:
            return self._numbers(heading, texts, column, cells, rows)
        return self._judged(heading, texts, _refuse_formula_error, rows)

    def _days(self, heading: str, texts: pa.StringArray, cells: Cells, rows: RowsArray) -> pa.StringArray:
        forms, partial = cells.date_formats or self.rule.date_formats, self.rule.partial_date
        if partial is not None:
            coded = texts.dictionary_encode()
            is_dayless = [
                isinstance(iso_day(text, forms, None), Wrong)
                and not isinstance(iso_day(text, forms, partial), Wrong)
                for text in coded.dictionary.to_pylist()
            ]
            found = rows[np.array([*is_dayless, False])[text_places(coded)]]
            self.dayless[heading] = np.union1d(self.dayless.get(heading, found), found)
        return self._judged(heading, texts, lambda text: iso_day(text, forms, partial), rows)

    def _possible_days(self, heading: str, cells: Cells, rows: RowsArray) -> pa.StringArray:
        """Dates of which only the time between them is kept, so that nobody else looks at them."""
        texts = self._days(heading, self.cells(heading).take(pa.array(rows)), cells, rows)
        return self._judged(heading, texts, _refuse_impossible_day, rows)

    def _numbers(
        self, heading: str, texts: pa.StringArray, column: str, cells: Cells, rows: RowsArray
    ) -> pa.StringArray:
        all_texts = self.cells(heading).dictionary_encode().dictionary.to_pylist()
        has_comma = any(map(_COMMA.fullmatch, all_texts))
        is_decimal = any(
            _COMMA.fullmatch(text) and not _MAYBE_THOUSANDS.fullmatch(text) for text in all_texts
        )
        has_point = has_comma and any("." in text for text in all_texts)

        def judge(text: str) -> str | Wrong:
            if _COMMA.fullmatch(text):
                if has_point or not is_decimal:
                    return Wrong(
                        "its comma may part thousands or decimals",
                        "Write the numbers of this column with a point.",
                    )
                text = text.replace(",", ".")
            return _in_unit(text, column, cells)

        return self._judged(heading, texts, judge, rows)

    def _years_between(self, cells: Cells, rows: RowsArray) -> pa.StringArray:
        assert cells.years is not None
        first, last = (
            pc.cast(self._possible_days(heading, cells, rows), pa.date32()) for heading in cells.years
        )
        days = pc.subtract(pc.cast(last, pa.int32()), pc.cast(first, pa.int32()))
        is_before = pc.fill_null(pc.less(days, 0), False)
        self._note_wrong(
            cells.years[1],
            rows[is_before.to_numpy(zero_copy_only=False)],
            Wrong(f"it lies before {shown(cells.years[0])}", "Correct one of the two."),
        )
        days = pc.if_else(is_before, None, days)
        coded = days.dictionary_encode()
        return _recoded(coded, [repr(day / _DAYS_PER_YEAR) for day in coded.dictionary.to_pylist()])

    def _sum(self, cells: Cells, kind: Kind, rows: RowsArray) -> pa.StringArray:
        """Numbers added up; null where none is given, wrong where some are."""
        parts = [self._one(cells, "count", "", heading, rows) for heading in cells.total]
        if cells.empty is not None:
            parts = [pc.fill_null(part, cells.empty) for part in parts]
        given = np.array([_given(part) for part in parts])
        is_partial = given.any(axis=0) & ~given.all(axis=0)
        for heading, is_given in zip(cells.total, given, strict=True):
            self._note_wrong(
                heading,
                rows[is_partial & ~is_given],
                Wrong(
                    f"a sum of {' and '.join(map(shown, cells.total))} needs them all",
                    'Fill it in; where an empty cell means none, say empty = "0" in the map.',
                ),
            )
        # Each part by itself: in a sum a missing-code such as -9 would no longer be seen.
        judge = _refuse_other_than_count if kind == "count" else _refuse_other_than_number
        numbers = [
            pc.cast(self._judged(heading, part, judge, rows), pa.float64())
            for heading, part in zip(cells.total, parts, strict=True)
        ]
        total = numbers[0]
        for more in numbers[1:]:
            total = pc.add(total, more)
        coded = total.dictionary_encode()
        return _recoded(coded, [f"{number:.15g}" for number in coded.dictionary.to_pylist()])

    # ---- Faults ------------------------------------------------------------------------------------------

    def _judged(self, heading: str, texts: pa.StringArray, judge: Judge, rows: RowsArray) -> pa.StringArray:
        """Judge each different text once; what is wrong is noted with its rows, and null."""
        coded = texts.dictionary_encode()
        judged = [judge(text) for text in coded.dictionary.to_pylist()]
        wrong = {place: found for place, found in enumerate(judged) if isinstance(found, Wrong)}
        if wrong:
            indices = text_places(coded)
            for place, found in list(wrong.items())[:_MOST_VALUES]:
                self._note_wrong(heading, rows[indices == place], found)
            self.faults.n_more += max(len(wrong) - _MOST_VALUES, 0)
        return _recoded(coded, [None if isinstance(found, Wrong) else found for found in judged])

    def _note_wrong(self, heading: str, rows: RowsArray, wrong: Wrong) -> None:
        """Note the cells of these rows, one problem for each different text."""
        if not rows.size:
            return
        coded = self.cells(heading).take(pa.array(rows)).dictionary_encode()
        indices = text_places(coded)
        for place in np.unique(indices)[:_MOST_VALUES].tolist():
            value = None if place < 0 else coded.dictionary[place].as_py()
            lines = self.table.lines[rows[indices == place]]
            self.faults.add_cells(self.table, lines, heading, value, wrong.rule, wrong.fix)

    def _note_untimed(self, cells: Cells, column: str, rows: RowsArray) -> None:
        assert cells.event is not None
        self._note_wrong(
            cells.event.column,
            rows,
            Wrong(
                f"it says that there was an event, but {column} has no time",
                "Give its time, or correct the flag.",
            ),
        )


def _folded(heading: str) -> str:
    return " ".join(unicodedata.normalize("NFC", heading).split()).casefold()


def _places(names: Sequence[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(_folded(name), []).append(place)
    return places


def _by_codes(codes: Mapping[str, str], column: str) -> Judge:
    meanings = {code_key(code): meaning for code, meaning in codes.items()}
    known = first_of([repr(shown(code)) for code in codes], 20)

    def judge(text: str) -> str | Wrong:
        meaning = meanings.get(code_key(text))
        if meaning is None:
            return Wrong(
                f"the map knows {known} for {column}", "Name it in codes of the map, or correct the cell."
            )
        return meaning

    return judge


def _refuse_formula_error(text: str) -> str | Wrong:
    if text in _FORMULA_ERRORS:
        return Wrong("a formula of the sheet gives this error", "Mend the formula, or name it in missing.")
    return text


def _refuse_other_than_count(text: str) -> str | Wrong:
    return text if text.isdecimal() else Wrong("a sum of counts adds whole numbers from 0 on", _OR_EMPTY)


def _refuse_other_than_number(text: str) -> str | Wrong:
    return text if _NUMBER.fullmatch(text) else Wrong("a sum adds numbers from 0 on", _OR_EMPTY)


def _refuse_impossible_day(text: str) -> str | Wrong:
    day = date.fromisoformat(text)
    if day < EARLIEST:
        return Wrong(f"no date is before {EARLIEST.year}; such a date mostly stands for unknown", _OR_EMPTY)
    if day.toordinal() > today():
        return Wrong("the date lies after the day of reading", _OR_EMPTY)
    return text


def _in_unit(text: str, column: str, cells: Cells) -> str | Wrong:
    """A number in the unit of its column; one that is none stays to be judged with the canonical cells."""
    if isinstance(_refuse_formula_error(text), Wrong):
        return _refuse_formula_error(text)
    kind = KINDS.get(column, "count")
    target = _DAYS_PER_YEAR if kind == "years" else 1.0
    unit = target if cells.unit is None else UNITS[cells.unit]
    if kind not in {"years", "day"} or (unit == target and not cells.first_day):
        whole = WHOLE.fullmatch(text)
        return whole[1] if whole and kind != "edss" else text
    try:
        number = float(text) - cells.first_day
    except ValueError:
        return Wrong("it must be a number", "Correct it.")
    if kind == "years":
        years, range_of_column = number * unit / target, _YEARS[column]
        if range_of_column.low <= years <= range_of_column.high:
            return repr(years)
        return Wrong(f"that is {years:.4g} years; {range_of_column.rule}", _OR_EMPTY)
    days = number * unit
    return str(round(days)) if cells.unit not in {None, "days"} or days.is_integer() else f"{days:g}"


def _given(texts: pa.StringArray) -> NDArray[np.bool_]:
    given: NDArray[np.bool_] = pc.is_valid(texts).to_numpy(zero_copy_only=False)
    return given


def text_places(coded: pa.DictionaryArray) -> RowsArray:
    """Place of each row's text in the dictionary, -1 for none."""
    indices: RowsArray = pc.fill_null(coded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    return indices


def combined(keys: Sequence[RowsArray], n_rows: int) -> RowsArray:
    """One number for each different row of several keys; shape (n_rows,)."""
    number = np.zeros(n_rows, dtype=np.int64)
    for key in keys:
        shifted = key - key.min(initial=0)
        number = np.unique(number * (shifted.max(initial=0) + 1) + shifted, return_inverse=True)[1]
    return number


def meanings(column: Column, texts: pa.StringArray) -> RowsArray:
    """A number for each row's text, -1 for none, alike where texts mean the same; shape (n_rows,).

    F is female, SITE 1 is Site 1, 3.50 is 3.5.
    """
    coded = texts.dictionary_encode()
    number_of: dict[str | float, int] = {}
    numbers = [
        number_of.setdefault(_meant(column, text), len(number_of)) for text in coded.dictionary.to_pylist()
    ]
    return np.array([-1, *numbers])[text_places(coded) + 1]


def _meant(column: Column, text: str) -> str | float:
    """A text without what makes no difference."""
    if column.kind in NUMERIC_KINDS:
        with suppress(ValueError):  # what is no number is told of where the column is read
            return float(text)
    return code_key(column.codes.get(text.casefold(), text))


def _recoded(coded: pa.DictionaryArray, texts: Sequence[str | None]) -> pa.StringArray:
    return pa.array(texts, pa.string()).take(coded.indices)
