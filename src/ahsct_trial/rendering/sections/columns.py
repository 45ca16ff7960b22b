"""What `ahsct columns` shows."""

from __future__ import annotations

from collections.abc import Sequence

from ahsct_trial.columns import PATIENT_TABLE, RECORD_KINDS, RECORDS, Column
from ahsct_trial.rendering.sections import Section


def dictionary_sections() -> list[Section]:
    """The data dictionary of both shapes of input."""
    return [
        _dictionary("The patient table: one row per patient", PATIENT_TABLE),
        _dictionary("Records: one row per observation", RECORDS),
        Section("Kinds of record", rows=tuple(RECORD_KINDS.items())),
    ]


def _dictionary(title: str, columns: Sequence[Column]) -> Section:
    return Section(
        title,
        headings=("Column", "Values", "Meaning", "CDISC", "Also read as"),
        rows=tuple(
            (
                column.name + (" (required)" if column.is_required else ""),
                column.values,
                column.meaning,
                column.cdisc,
                ", ".join(column.aliases),
            )
            for column in columns
        ),
        texts=frozenset(range(5)),
    )
