"""A trial through a map: what the map makes goes through the same checks as a file that was read as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ahsct_trial.loading.formats.cells import unseen_errors
from ahsct_trial.loading.problems import refuse_what_to_look_at_first
from ahsct_trial.loading.trials import read_cells
from ahsct_trial.mapping.applying import apply_map
from ahsct_trial.mapping.model import Map
from ahsct_trial.mapping.reading import read_map
from ahsct_trial.protocol import TimeZero
from ahsct_trial.results import SourceInfo
from ahsct_trial.trial import Trial

if TYPE_CHECKING:
    from ahsct_trial.mapping.sources import Source


def read_mapped(
    source: Source, rules: Map | str | Path, *, time_zero: TimeZero = "transplant", is_strict: bool = False
) -> Trial:
    """Read tables that others made.

    Parameters
    ----------
    source
        A file, a folder, a list of files, or DataFrames by the names that the map has for its tables.
    rules
        The map: one that was read, the name of a built-in one, or a TOML file.
    time_zero
        What makes day 0 of records.
    is_strict
        Whether what should be looked at first is an error.

    Raises
    ------
    UsageError
        If the map cannot be used, or a file cannot be read.
    DataProblems
        Everything that is wrong with the tables: what the map cannot make canonical, or else what the checks
        of a file find in what it made, by the table and line that each row comes from.
    """
    mapped = apply_map(rules if isinstance(rules, Map) else read_map(rules), source)
    trial = read_cells(mapped.table, origins=mapped.places, time_zero=time_zero)
    notices = (*mapped.notices, *unseen_errors(file.file for file in mapped.files), *trial.notices)
    if is_strict:
        refuse_what_to_look_at_first(mapped.table.file, notices)
    return replace(
        trial,
        source=SourceInfo(files=mapped.files, shape=trial.source.shape),
        account=mapped.account,
        notices=notices,
    )
