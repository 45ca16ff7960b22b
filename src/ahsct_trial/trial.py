"""`Trial`: the data of a trial behind one face, whether they came as a patient table or as records."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.columns import ATTRIBUTES
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.patients import Layout, PatientTable
from ahsct_trial.protocol import Protocol, TimeZero
from ahsct_trial.provenance import provenance_of
from ahsct_trial.records import Records
from ahsct_trial.results import Account, Notice, SourceInfo
from ahsct_trial.wording import is_it_meant

if TYPE_CHECKING:
    import pandas as pd

    from ahsct_trial.derivation import Derivations

#: A comparison of more groups is a table that nobody can read.
MOST_GROUPS = 20
#: The attributes that make groups.
_GROUPING = tuple(column.name for column in ATTRIBUTES if column.kind in {"text", "level"})
_CODES = {column.name: column.codes for column in ATTRIBUTES}


@dataclass(frozen=True)
class Place:
    """Where a row stands in the files: the file's name, the sheet if it has several, and the line."""

    file: str
    sheet: str | None
    line: int

    def __str__(self) -> str:
        sheet = "" if self.sheet is None else f", sheet {shown(self.sheet)}"
        return f"{shown(self.file)}{sheet}:{self.line}"


@dataclass(frozen=True, eq=False)
class Places:
    """The way from the rows of the data back to the files.

    Attributes
    ----------
    lines
        Line of its file on which each row begins; shape (n_rows,).
    tables
        File and sheet of each table.
    table
        For each row the table it comes from; None where there is one table. Shape (n_rows,).
    """

    lines: NDArray[np.integer[Any]]
    tables: tuple[tuple[str, str | None], ...]
    table: NDArray[np.integer[Any]] | None = None

    def of(self, row: int) -> Place:
        """Where a row stands."""
        file, sheet = self.tables[0 if self.table is None else int(self.table[row])]
        return Place(file, sheet, int(self.lines[row]))


@dataclass(frozen=True, eq=False)
class Trial:
    """The data of a trial.

    Attributes
    ----------
    data
        One row per patient, or one per observation.
    source, account
        The files, and what became of their rows.
    places
        The way back to the files.
    notices
        What a person should know about the reading.
    time_zero
        What makes day 0 of records, which is settled when they are read; None for a patient table, of whose
        times the protocol says what they run from.
    is_member
        The patients of a part of a trial, shape (all patients,); None for all.
    """

    data: PatientTable | Records
    source: SourceInfo
    account: Account
    places: Places
    notices: tuple[Notice, ...] = ()
    time_zero: TimeZero | None = None
    is_member: NDArray[np.bool_] | None = None
    # Shared by all parts of a trial, so that nothing is derived twice; None for a patient table.
    _derivations: Derivations | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        provenance = provenance_of(file.sha256 for file in self.source.files)
        if provenance != self.source.provenance:
            object.__setattr__(self, "source", replace(self.source, provenance=provenance))
        if self._derivations is None and isinstance(self.data, Records):
            from ahsct_trial.derivation import Derivations  # which a patient table does without

            object.__setattr__(self, "_derivations", Derivations(self.data))

    @property
    def layout(self) -> Layout:
        """How the data came."""
        return "records" if isinstance(self.data, Records) else self.data.layout

    @property
    def attributes(self) -> pd.DataFrame:
        """Identifier and attributes of the patients, one row each."""
        patients = self.data.patients
        return patients if self.is_member is None else patients[self.is_member].reset_index(drop=True)

    def __len__(self) -> int:
        """Number of patients."""
        n_all = len(self.data.patients)
        return n_all if self.is_member is None else int(np.count_nonzero(self.is_member))

    def table(self, protocol: Protocol) -> PatientTable:
        """The patient table: as it was read, or derived from records under a protocol.

        It is derived once for each way to derive it, and once for all parts of a trial.

        Raises
        ------
        UsageError
            If the records were read with another time zero than that of the protocol.
        """
        whole = self._whole_table(protocol)
        if self.is_member is None:
            return whole
        return replace(whole.among(self.is_member), notices=_of_the_whole_file(whole.notices))

    def _whole_table(self, protocol: Protocol) -> PatientTable:
        if isinstance(self.data, PatientTable):
            return self.data
        if protocol.time_zero != self.time_zero:
            raise UsageError(
                f"These records were read with day 0 at {self.time_zero}, and the protocol has time zero at "
                f"{protocol.time_zero}. Read them with that time zero."
            )
        assert self._derivations is not None
        return self._derivations.table(protocol)

    def where(self, selection: Mapping[str, Sequence[str]]) -> Trial:
        """The patients whose attribute is one of some texts or codes, for each of the columns; case does not matter.

        A notice counts them, and notices of what to look at first say that they are of the whole file.

        Raises
        ------
        UsageError
            If the data have no such attribute, or nobody has one of the texts.
        """
        if not selection:
            return self
        is_meant = np.ones(len(self.data.patients), dtype=bool) if self.is_member is None else self.is_member
        for column, texts in selection.items():
            is_meant = is_meant & self._has_level(column, texts)
        wanted = " and ".join(f"{column} {shown(' or '.join(texts))}" for column, texts in selection.items())
        if not is_meant.any():
            known = "; ".join(f"{column} {self._listed(column)}" for column in selection)
            raise UsageError(f"No patient has {wanted}. This file has {known}.")
        kept = Notice(
            code="patients-selected",
            text=f"Only {np.count_nonzero(is_meant):,} of {len(self):,} patients: {wanted}.",
        )
        notices = self.notices if self.is_member is not None else _of_the_whole_file(self.notices)
        return replace(self, is_member=is_meant, notices=(kept, *notices))

    def levels(self, column: str) -> tuple[str, ...]:
        """The texts of an attribute that some patient has, in alphabetical order.

        Raises
        ------
        UsageError
            If the data have no such attribute.
        """
        return tuple(sorted(self._texts(column).dropna().unique().astype(str)))

    def level(self, column: str, text: str) -> str:
        """The level of an attribute as the data write it; case does not matter.

        Raises
        ------
        UsageError
            If the data have no such attribute, or no patient has that level; the text names the closest.
        """
        for level in self.levels(column):
            if _folded(level) == _wanted(column, text):
                return level
        meant = is_it_meant(text, self.levels(column)) or f"This file has {self._listed(column)}."
        raise UsageError(f"No patient has {column} {shown(text)}. {meant}")

    def groups(self, column: str) -> dict[str, Trial]:
        """The patients by level of an attribute; those without one are in no group.

        Raises
        ------
        UsageError
            If the data have no such attribute, or it has more than `MOST_GROUPS` levels or none.
        """
        levels = self.levels(column)
        if not levels:
            raise UsageError(f"{shown(column)} is empty for every patient: there is nothing to compare.")
        if len(levels) > MOST_GROUPS:
            raise UsageError(
                f"{shown(column)} has {len(levels):,} levels; at most {MOST_GROUPS} groups are compared."
            )
        return {level: self.where({column: (level,)}) for level in levels}

    def _texts(self, column: str) -> pd.Series[Any]:
        """An attribute of the patients of this part."""
        attributes = self.attributes
        known = [name for name in _GROUPING if name in attributes]
        if column not in known:
            meant = is_it_meant(column, known) or f"It has {', '.join(known) or 'none'}."
            raise UsageError(f"This file has no attribute '{shown(column)}'. {meant}")
        return attributes[column]

    def _listed(self, column: str) -> str:
        """The first levels of an attribute, as a message lists them."""
        levels = self.levels(column)
        return ", ".join(map(shown, levels[:MOST_GROUPS])) + (", …" if len(levels) > MOST_GROUPS else "")

    def _has_level(self, column: str, texts: Sequence[str]) -> NDArray[np.bool_]:
        self._texts(column)
        values = self.data.patients[column]
        wanted = {_wanted(column, text) for text in texts}
        meant = [text for text in values.cat.categories if _folded(str(text)) in wanted]
        return np.asarray(values.isin(meant))


def _of_the_whole_file(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    """What is told of all patients, said so beside the results of some of them."""
    return tuple(
        replace(notice, text=f"In the whole file: {notice.text}")
        if notice.severity == "look first"
        else notice
        for notice in notices
    )


def _wanted(column: str, text: str) -> str:
    """A text that somebody asks for as labels are compared; a code of the data dictionary is its level."""
    folded = _folded(text)
    return _folded(_CODES[column].get(folded, folded))


def _folded(text: str) -> str:
    """A label as labels are compared."""
    return unicodedata.normalize("NFC", text.strip()).casefold()
