"""What `ahsct validate` shows."""

from __future__ import annotations

from collections.abc import Sequence

from ahsct_trial.rendering.sections import Section, closing_section, look_first, provenance
from ahsct_trial.results import Account, Notice, SourceInfo


def validation_sections(source: SourceInfo, account: Account, notices: Sequence[Notice]) -> list[Section]:
    """What `ahsct validate` shows of data without problems; unlike the results, it names patients."""
    return [
        *provenance(source),
        Section("No problems found", lead=()),
        *look_first(notices),
        closing_section(source, account, notices),
    ]
