"""What `ahsct validate` shows."""

from __future__ import annotations

from ahsct_trial.rendering.sections import Section, account_section, warnings_section
from ahsct_trial.results import Account, SourceInfo


def validation_sections(source: SourceInfo, account: Account, warnings: tuple[str, ...]) -> list[Section]:
    """What `ahsct validate` shows of a file without problems."""
    return [
        Section("No problems found", lead=()),
        *warnings_section(warnings),
        account_section(source, account),
    ]
