"""What `ahsct validate` shows."""

from __future__ import annotations

from collections.abc import Sequence

from ahsct_trial.rendering.sections import Section, account_section, look_first, notes
from ahsct_trial.results import Account, Notice, SourceInfo


def validation_sections(source: SourceInfo, account: Account, notices: Sequence[Notice]) -> list[Section]:
    """What `ahsct validate` shows of data without problems; unlike the results, it names patients."""
    return [
        Section("No problems found", lead=()),
        *look_first(notices),
        *notes(notices),
        account_section(source, account),
    ]
