"""Which files, sheets or DataFrames the tables of a map are."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.file_names import no_such_file
from ahsct_trial.loading.file_bytes import STANDARD_INPUT
from ahsct_trial.loading.formats.cells import CellTable
from ahsct_trial.loading.formats.tables import read_tables, sheet_names
from ahsct_trial.loading.problems import DataProblems, Problem
from ahsct_trial.mapping.faults import files_with
from ahsct_trial.mapping.model import Map, TableRule
from ahsct_trial.wording import first_of

if TYPE_CHECKING:
    import pandas as pd

    Source = str | Path | Sequence[str | Path] | Mapping[str, pd.DataFrame]

#: Endings of files that hold tables, the longest first.
ENDINGS = (
    ".csv.gz", ".csv", ".tsv", ".tab", ".txt", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".xpt", ".sas7bdat",
    ".dta", ".sav", ".zsav", ".por", ".json", ".ndjson",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """The tables of a map in a source.

    Attributes
    ----------
    tables
        The table of each rule; None for an optional one that is not there.
    unused
        Files and sheets that the map does not name.
    """

    tables: tuple[CellTable | None, ...]
    unused: tuple[str, ...]


def files_of(source: str | Path | Sequence[str | Path]) -> list[Path]:
    """The files of a source: itself, those of a list, or those with a known ending in a folder."""
    paths = [source] if isinstance(source, str | Path) else list(source)
    files: list[Path] = []
    for path in map(Path, paths):
        files += _in_folder(path) if path.is_dir() else [path]
    return files


def find_tables(rules: Map, source: Source) -> Found:
    """Read the tables that a map names.

    Raises
    ------
    UsageError
        If a file cannot be read.
    DataProblems
        If tables are missing or two files may be meant: all such problems at once.
    """
    if isinstance(source, Mapping):
        return _find_frames(rules, source)
    files = files_of(source)
    for file in files:
        if not file.exists() and str(file) != STANDARD_INPUT:
            raise no_such_file(file)
    problems: list[Problem] = []
    tables = []
    used: set[tuple[Path, str | None]] = set()
    for rule in rules.tables:
        place = _place(rule, files, problems)
        table = None if place is None else _read(rule, *place, problems)
        if place is not None and table is not None:
            used.add((place[0], table.sheet))
        tables.append(table)
    if problems:
        raise DataProblems(files_with(problems), problems, len(problems))
    return Found(tuple(tables), tuple(_unused(files, used)))


def stem(file: str) -> str:
    """Name of a file without its known ending, for comparison."""
    name = unicodedata.normalize("NFC", file).casefold()
    return next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), name)


def _frame_table(name: str, frame: pd.DataFrame) -> CellTable:
    """A DataFrame as a table of cells under the name that the map has for it."""
    from ahsct_trial.loading.formats.frames import cells_of_frame

    return replace(cells_of_frame(frame), file=name)


def _in_folder(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"{shown(str(folder))} cannot be read: {error.strerror}.") from None
    # Excel keeps a file that begins with ~$ beside one that is open.
    files = [
        path
        for path in entries
        if path.is_file() and path.name.lower().endswith(ENDINGS) and not path.name.startswith((".", "~$"))
    ]
    if not files:
        raise UsageError(f"In {shown(str(folder))} there is no file that holds a table.")
    return files


def _place(rule: TableRule, files: Sequence[Path], problems: list[Problem]) -> tuple[Path, str | None] | None:
    """The file of a table, and its sheet where that is known; a problem is noted where there is none."""
    matching = _matching(rule.file, files)
    if len(matching) == 1:
        return matching[0], rule.sheet
    if len(matching) > 1:
        names = [shown(path.name) for path in matching]
        fix = "Name the file with its ending in the map, or leave one in the folder."
        problems.append(_ambiguous(rule, "files", names, fix))
        return None
    # A workbook may hold what others keep in files: DM, CE and QS as its sheets.
    sheets = [
        (path, sheet)
        for path in files
        if rule.sheet is None and rule.file is not None
        for sheet in sheet_names(path)
        if sheet.casefold() == stem(rule.file)
    ]
    if len(sheets) == 1:
        return sheets[0]
    if sheets:
        named = [f"{shown(path.name)}, sheet {shown(sheet)}" for path, sheet in sheets]
        problems.append(_ambiguous(rule, "sheets", named, "Name the file and its sheet in the map."))
        return None
    if not rule.is_optional:
        close = get_close_matches(stem(rule.file or ""), {stem(path.name): path for path in files}, n=1)
        meant = next((path.name for path in files if close and stem(path.name) == close[0]), None)
        listed = first_of([shown(path.name) for path in files])
        problems.append(
            Problem(
                file=rule.label,
                what="this table is not there",
                rule=f"the map names it; the source has {listed}",
                fix=f"Is {shown(meant)} meant?" if meant else "Add it, or take it out of the map.",
            )
        )
    return None


def _ambiguous(rule: TableRule, kind: str, names: Sequence[str], fix: str) -> Problem:
    return Problem(
        file=rule.label,
        what=f"{len(names)} {kind} may be this table: {first_of(names)}",
        rule=f"a table is one {kind.removesuffix('s')}",
        fix=fix,
    )


def _matching(file: str | None, files: Sequence[Path]) -> list[Path]:
    if file is None or [str(path) for path in files] == [STANDARD_INPUT]:
        return list(files)
    wanted = unicodedata.normalize("NFC", file).casefold()
    names = [(path, unicodedata.normalize("NFC", path.name).casefold()) for path in files]
    if "*" in wanted:
        return [path for path, name in names if fnmatchcase(name, wanted)]
    exact = [path for path, name in names if name == wanted]
    if exact or wanted.endswith(ENDINGS):
        return exact
    return [path for path, name in names if stem(name) == wanted]


def _read(rule: TableRule, path: Path, sheet: str | None, problems: list[Problem]) -> CellTable | None:
    sheets = sheet_names(path)
    if sheet is not None and sheet.casefold() not in [name.casefold() for name in sheets]:
        if rule.is_optional:
            return None
        close = get_close_matches(sheet.casefold(), [name.casefold() for name in sheets], n=1)
        meant = next((name for name in sheets if close and name.casefold() == close[0]), None)
        problems.append(
            Problem(
                file=path.name,
                what=f"there is no sheet '{shown(sheet)}'",
                rule=f"the sheets are {first_of([*map(shown, sheets)])}"
                if sheets
                else "this file has no sheets",
                fix=f"Is '{shown(meant)}' meant?" if meant else "Correct the map.",
            )
        )
        return None
    first = sheet if sheet is not None else next(iter(sheets), None)
    try:
        tables = read_tables(path, encoding=rule.encoding, sheet=first, heading_row=rule.heading_row)
    except DataProblems as error:
        problems.extend(error.problems)
        return None
    if not tables:
        problems.append(
            Problem(
                file=path.name,
                sheet=first,
                what="the sheet is empty",
                rule="a table has headings",
                fix="Name another sheet in the map.",
            )
        )
        return None
    return tables[0]


def _unused(files: Iterable[Path], used: set[tuple[Path, str | None]]) -> Iterable[str]:
    for path in files:
        sheets = {sheet for file, sheet in used if file == path}
        if not sheets:
            yield path.name
        elif sheets != {None}:
            yield from (f"{path.name}, sheet {sheet}" for sheet in sheet_names(path) if sheet not in sheets)


def _find_frames(rules: Map, frames: Mapping[str, pd.DataFrame]) -> Found:
    problems = []
    tables: list[CellTable | None] = []
    used = set()
    for rule in rules.tables:
        # The sheets of a workbook are told apart by their own names, its first may have that of the file.
        wanted = [stem(name) for name in (rule.sheet, rule.file) if name is not None]
        named = ([name for name in frames if stem(name) == each] for each in wanted)
        names = next(filter(None, named), []) if wanted else list(frames)
        if len(names) > 1:
            problems.append(_ambiguous(rule, "DataFrames", names, "Leave one of them out."))
        if not names and not rule.is_optional:
            problems.append(
                Problem(
                    file=rule.label,
                    what="this table is not there",
                    rule=f"the map names it; given are {first_of([*map(shown, frames)]) or 'none'}",
                    fix="Add a DataFrame under this name.",
                )
            )
        used.update(names[:1])
        tables.append(_frame_table(names[0], frames[names[0]]) if names else None)
    if problems:
        raise DataProblems(files_with(problems), problems, len(problems))
    return Found(tuple(tables), tuple(name for name in frames if name not in used))
