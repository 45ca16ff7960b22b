"""What is wrong with a table of cells, said so that a person can put it right.

The same problem in many rows is one message with their number and the first of their lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from string import Formatter
from typing import Protocol

import numpy as np

from ahsct_trial.columns import PATIENT_ID
from ahsct_trial.errors import DataError
from ahsct_trial.escaping import shown
from ahsct_trial.records import IntArray
from ahsct_trial.results import SCHEMA_VERSION, TOOL, Notice, ProblemInfo, Validation
from ahsct_trial.trial import Places

#: Messages that are shown; each kind of problem is among them, and the rest are counted.
SHOWN = 200
#: What is said of a table of headings alone, such as an empty sheet that nobody has filled in.
ROW_RULE = "a cohort has a row per patient, or one per observation"
FILL_IN = "Fill in a row for each; if there should be some already, export the data again."
#: Values of one column that break one rule and are each told; the others are counted.
_SHOWN_OF_KIND = 10
#: Lines of these others that are named.
_SHOWN_LINES_OF_KIND = 40
#: Lines that are named of a problem in many rows.
_SHOWN_LINES = 3


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing to put right: where it stands, what it is, the rule it breaks, and what to do.

    Attributes
    ----------
    file, sheet
        The table; `sheet` is None where a file holds one.
    what, rule, fix
        What is found, the rule it breaks, and what to do about it; the latter two may be empty.
    line
        The first line on which it stands; None where it is about no line.
    lines, n_rows
        The first of its lines and how many rows have it, where it may stand in many.
    patient
        The identifier, where one row has it.
    column, value
        The column's canonical name and the cell's text.
    """

    file: str
    what: str
    rule: str
    fix: str
    sheet: str | None = None
    line: int | None = None
    lines: tuple[int, ...] = ()
    n_rows: int = 1
    patient: str | None = None
    column: str | None = None
    value: str | None = None

    @property
    def table(self) -> str:
        """The file, and the sheet where there are several."""
        return shown(self.file) + ("" if self.sheet is None else f", sheet {shown(self.sheet)}")

    def __str__(self) -> str:
        place = self.table
        if self.line is not None:
            place += f":{in_words(self.lines or (self.line,), self.n_rows)}"
        patient = "" if self.patient is None else f" patient {shown(self.patient)}"
        told = f"{self.what}; {self.rule}. {self.fix}" if self.rule else self.what
        return f"{place}{patient}: {told}"


class DataProblems(DataError):
    """Everything that is wrong with the data: the first problems in the order of the file, and the total.

    `notices` are what should be looked at beside them.
    """

    def __init__(
        self, file: str, problems: Sequence[Problem], n_problems: int, notices: Sequence[Notice] = ()
    ) -> None:
        self.file = file
        self.problems = tuple(problems)
        self.n_problems = n_problems
        self.notices = tuple(notices)
        noun = "problem" if n_problems == 1 else "problems"
        lines = [f"{shown(file)} has {n_problems:,} {noun}; nothing was computed.", *_told(self.problems)]
        if n_problems > len(self.problems):
            lines.append(f"… and {n_problems - len(self.problems):,} more.")
        lines += [f"Look at this too: {notice.text}" for notice in self.notices]
        super().__init__("\n".join(lines))

    def as_validation(self) -> Validation:
        """The problems as a result, for other programs."""
        return Validation(
            schema_version=SCHEMA_VERSION,
            tool=TOOL,
            file=self.file,
            n_problems=self.n_problems,
            problems=tuple(
                ProblemInfo(
                    file=problem.file,
                    sheet=problem.sheet,
                    line=problem.line,
                    lines=problem.lines,
                    n_rows=problem.n_rows,
                    patient=problem.patient,
                    column=problem.column,
                    value=problem.value,
                    rule=problem.rule,
                    fix=problem.fix,
                    text=str(problem),
                )
                for problem in self.problems
            ),
            account=None,
            notices=self.notices,
        )


def _told(problems: Sequence[Problem]) -> Iterator[str]:
    """The problems in words: of many of one column that are put right alike, the first ones and their lines."""

    def kind_of(problem: Problem) -> tuple[str | bool | None, ...]:
        # Without the values in it a rule is the same for all; a number below 0 is another slip than one above.
        rule = re.sub(r"[0-9]+|'[^']*'", "", problem.rule)
        what = None if problem.column is not None else re.sub(r"[0-9]+|'[^']*'", "", problem.what)
        is_below = (problem.value or "").startswith("-")
        return problem.file, problem.sheet, problem.column, what, rule, problem.fix, is_below

    of_kind: dict[tuple[str | bool | None, ...], list[Problem]] = {}
    for problem in problems:
        of_kind.setdefault(kind_of(problem), []).append(problem)
    told: Counter[tuple[str | bool | None, ...]] = Counter()
    for problem in problems:
        kind = kind_of(problem)
        told[kind] += 1
        rest = of_kind[kind][_SHOWN_OF_KIND:]
        if len(rest) <= 1 or told[kind] <= _SHOWN_OF_KIND:
            yield str(problem)
        elif told[kind] == _SHOWN_OF_KIND + 1:
            lines = [line for each in rest for line in each.lines or (each.line,) if line is not None]
            where = (
                f", on {on_lines(lines, sum(each.n_rows for each in rest), _SHOWN_LINES_OF_KIND)}"
                if lines
                else ""
            )
            yield f"{problem.table}: … and {len(rest):,} more like the one before{where}."


def fatal(file: str, what: str, rule: str, fix: str, line: int | None = None) -> DataProblems:
    """One problem that makes it pointless to look for others."""
    return DataProblems(file, [Problem(file=file, what=what, rule=rule, fix=fix, line=line)], 1)


def refuse_what_to_look_at_first(file: str, notices: Iterable[Notice]) -> None:
    """Take what should be looked at first as what is wrong with the data.

    Raises
    ------
    DataProblems
        If one of the notices is of that severity.
    """
    urgent = [notice for notice in notices if notice.severity == "look first"]
    if urgent:
        problems = [
            Problem(file=file, what=f"With --strict this stops: {notice.text}", rule="", fix="")
            for notice in urgent
        ]
        raise DataProblems(file, problems, len(problems))


def in_words(lines: Sequence[int], n: int, n_shown: int = _SHOWN_LINES) -> str:
    """The first of some lines and how many more there are: ``2, 3, 5 and 27 more``."""
    shown_lines = lines[:n_shown]
    more = f" and {n - len(shown_lines):,} more" if n > len(shown_lines) else ""
    return ", ".join(map(str, shown_lines)) + more


def on_lines(lines: Sequence[int], n: int, n_shown: int = _SHOWN_LINES) -> str:
    """The same within a sentence: ``line 2``, ``lines 2, 3, 5 and 27 more``."""
    return f"{'line' if n == 1 else 'lines'} {in_words(lines, n, n_shown)}"


def of_rows(places: Places, rows: IntArray) -> str:
    """Where some rows stand, within a sentence: their lines, with the tables where there are several."""
    if places.table is None:
        return on_lines(places.lines[rows[:_SHOWN_LINES]].tolist(), len(rows))
    named_rows = ", ".join(str(places.of(int(row))) for row in rows[:_SHOWN_LINES])
    n_more = len(rows) - _SHOWN_LINES
    return named_rows + (f" and {n_more:,} more" if n_more > 0 else "")


def named(text: str | None) -> str:
    """A cell's value within a sentence: plain numbers as they are, the rest in quotes."""
    if text is None:
        return "empty"
    return shown(text) if re.fullmatch(r"[-.]*[0-9][-0-9.]*", text) else f"'{shown(text)}'"


@dataclass(frozen=True)
class Violation:
    """Rows, ascending, that break one rule about a column.

    A column's name in braces in `rule` stands for its value, ``{other}`` for the line of the row in
    `other_rows` that each of them contradicts.
    """

    rows: IntArray
    column: str
    rule: str
    fix: str
    other_rows: IntArray | None = None


class Cells(Protocol):
    """What must be known of the rows in which something is wrong."""

    def has(self, *names: str) -> bool:
        """Whether there are these columns."""

    def keyed(self, name: str, rows: IntArray) -> tuple[IntArray, Callable[[int], str | None]]:
        """A number for each row's cell of a column, alike where cells are, and the text of such a number."""

    @property
    def lines(self) -> IntArray:
        """The line of each row."""

    @property
    def table(self) -> IntArray | None:
        """The number of the table from which each row comes; None for one table."""


@dataclass(frozen=True)
class Group:
    """Rows of one table that have the same problem: the same value of a column breaks the same rule.

    Attributes
    ----------
    kind
        The column, and the rule before values are filled in.
    table
        Number of the table.
    column, value, what, rule, fix
        As of a `Problem`; a NUL in the rule stands for the lines that are contradicted.
    lines, n_rows, others, patient
        The first lines, the number of rows, the tables and lines that the first contradict, and the first
        patient.
    n_more
        Groups of the same kind that were found with it and are only counted.
    """

    kind: tuple[str | None, str]
    what: str
    rule: str
    fix: str
    lines: tuple[int, ...]
    n_rows: int = 1
    table: int = 0
    column: str | None = None
    value: str | None = None
    others: tuple[tuple[int, int], ...] = ()
    patient: str | None = None
    n_more: int = 0

    @property
    def key(self) -> tuple[object, ...]:
        """What rows with the same problem share."""
        return (self.kind, self.table, self.value, self.what, self.rule, self.fix)

    def below(self, n_lines: int) -> Group:
        """The same, so many lines further down."""
        return replace(self, lines=tuple(line + n_lines for line in self.lines))

    def problem(self, tables: Sequence[tuple[str, str | None]]) -> Problem:
        """The group as it is told."""
        file, sheet = tables[self.table]
        tables_of_others = [table for table, _ in self.others]
        places = Places(
            np.array([line for _, line in self.others]),
            tuple(tables),
            None if tables_of_others == [self.table] * len(self.others) else np.array(tables_of_others),
        )
        lines = tuple(dict.fromkeys(self.lines))  # a row of the source may give several records
        return Problem(
            file=file,
            sheet=sheet,
            what=self.what,
            rule=self.rule.replace("\0", of_rows(places, np.arange(len(self.others)))),
            fix=self.fix,
            line=lines[0],
            lines=lines,
            n_rows=self.n_rows - len(self.lines) + len(lines),
            patient=self.patient if self.n_rows == 1 else None,
            column=self.column,
            value=self.value,
        )


@dataclass
class Problems:
    """What is found wrong with the parts of a file, in their order."""

    groups: dict[tuple[object, ...], Group] = field(default_factory=dict)
    n_of_kind: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    n_more: int = 0

    def add(self, groups: Iterable[Group]) -> None:
        """Take up what is wrong; beyond `SHOWN` of a kind they are only counted."""
        for group in groups:
            self.n_more += group.n_more
            known = self.groups.get(group.key)
            if known is not None:
                self.groups[group.key] = replace(
                    known,
                    lines=(*known.lines, *group.lines)[:_SHOWN_LINES],
                    others=(*known.others, *group.others)[:_SHOWN_LINES],
                    n_rows=known.n_rows + group.n_rows,
                )
            elif self.n_of_kind[group.kind] < SHOWN:
                self.n_of_kind[group.kind] += 1
                self.groups[group.key] = group
            else:
                self.n_more += 1

    def raise_any(
        self, file: str, tables: Sequence[tuple[str, str | None]], notices: Sequence[Notice] = ()
    ) -> None:
        """Raise `DataProblems` if there is one, with the notices that should be looked at first."""
        if not self.groups:
            return
        ordered = sorted(self.groups.values(), key=lambda group: (group.table, group.lines[0]))
        chosen = ordered
        if len(ordered) > SHOWN:
            first = [*{group.kind: group for group in reversed(ordered)}.values()]
            others = [group for group in ordered if not any(group is one for one in first)]
            chosen = [*first, *others][: max(SHOWN, len(first))]
            chosen.sort(key=lambda group: (group.table, group.lines[0]))
        problems = [group.problem(tables) for group in chosen]
        raise DataProblems(file, problems, len(ordered) + self.n_more, notices)


def grouped(violation: Violation, cells: Cells) -> Iterator[Group]:
    """The rows of a violation by what is wrong with them, those of the first row first."""
    rows = violation.rows
    braced = [name for _, name, _, _ in Formatter().parse(violation.rule) if name and name != "other"]
    has_column = cells.has(violation.column)
    names = dict.fromkeys([*([violation.column] if has_column else []), *braced])
    keyed = {name: cells.keyed(name, rows) for name in names}
    patients, name_of = cells.keyed(PATIENT_ID.name, rows)
    tables = _tables(cells, rows)
    code = tables.astype(np.int64)
    for keys, _ in keyed.values():
        _, place = np.unique(keys, return_inverse=True)
        _, code = np.unique(code * (len(rows) + 1) + place, return_inverse=True)
    _, first, code, n_rows = np.unique(code, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(code, kind="stable")
    start = np.cumsum(n_rows) - n_rows
    in_order = np.argsort(first)
    for number in in_order[:SHOWN].tolist():
        places = order[start[number] : start[number] + min(n_rows[number], _SHOWN_LINES)]
        values = {name: text_of(int(keys[places[0]])) for name, (keys, text_of) in keyed.items()}
        others = violation.other_rows
        yield Group(
            kind=(violation.column, violation.rule),
            table=int(tables[places[0]]),
            column=violation.column,
            value=values.get(violation.column),
            what=(
                f"{violation.column} is {named(values[violation.column])}"
                if has_column
                else f"there is no column {violation.column}"
            ),
            rule=violation.rule.format(**{name: named(text) for name, text in values.items()}, other="\0"),
            fix=violation.fix,
            lines=tuple(cells.lines[rows[places]].tolist()),
            n_rows=int(n_rows[number]),
            others=() if others is None else _tables_and_lines(cells, others[places]),
            patient=name_of(int(patients[places[0]])),
            n_more=max(0, len(in_order) - SHOWN) if number == in_order[0] else 0,
        )


def _tables_and_lines(cells: Cells, rows: IntArray) -> tuple[tuple[int, int], ...]:
    return tuple(zip(_tables(cells, rows).tolist(), cells.lines[rows].tolist(), strict=True))


def _tables(cells: Cells, rows: IntArray) -> IntArray:
    """The number of the table from which each of some rows comes."""
    return np.zeros(len(rows), dtype=np.int8) if cells.table is None else cells.table[rows]
