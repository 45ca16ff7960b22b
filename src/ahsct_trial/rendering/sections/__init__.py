"""What a screen says, as titled tables of text: made once, drawn by the terminal and by Markdown alike.

Each command has a module of its own here; this one holds what they share.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ahsct_trial.escaping import shown
from ahsct_trial.protocol import Protocol
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.results import TOOL, Account, ProtocolInfo, SourceInfo
from ahsct_trial.wording import in_years

_LONGEST_PROSE = 2000

#: The survival endpoints as the first column of a table names them.
SHORT_NAMES = {
    "activity_free_survival": "MS activity-free",
    "relapse_free_survival": "Relapse-free",
    "mri_activity_free_survival": "MRI activity-free",
    "worsening_free_survival": "Worsening-free",
    "overall_survival": "Alive",
}


@dataclass(frozen=True)
class Section:
    """A titled part of a screen: paragraphs, then a table, then notes.

    Attributes
    ----------
    title
        What it is about.
    headings
        Of the table's columns; without any the rows are a list of names and values. A soft hyphen before a
        line break is there for the break alone.
    rows
        The table's cells.
    texts
        Which columns hold text and stand to the left; the others hold figures and stand to the right.
    lead
        Sentences before the table; the first is the message.
    notes
        Sentences after it.
    """

    title: str
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    lead: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    texts: frozenset[int] = frozenset({0})


def one_line(heading: str) -> str:
    """A heading without the line break that keeps its column narrow."""
    for broken, whole in (("\N{SOFT HYPHEN}\n", ""), ("-\n", "-"), ("–\n", "–"), ("\n", " ")):
        heading = heading.replace(broken, whole)
    return heading


def prose(text: str) -> str:
    """Sentences of a publication's file: on one line, whatever lines they were written on."""
    return shown(" ".join(text.split()), longest=_LONGEST_PROSE)


def published_figure(value: str, of: str | None, ci: tuple[str, str] | None, unit: str) -> str:
    """A published figure as it is printed: "16 of 23", "69.6 % (46.6–84.2)"."""
    text = value + (f" {unit}" if unit else "")
    if of is not None:
        text = f"{text} of {of}"
    return text if ci is None else f"{text} ({ci[0]}–{ci[1]})"


def shared_notes(notes: Iterable[tuple[str, str | None]], between: str) -> tuple[str, ...]:
    """Notes of what is named first; those with the same note stand together, with a mark between them."""
    names: dict[str, list[str]] = {}
    for name, note in notes:
        if note:
            names.setdefault(note, []).append(name)
    return tuple(f"{between.join(those)}: {prose(note)}" for note, those in names.items())


def protocol_sentence(protocol: ProtocolInfo | Protocol) -> str:
    """The protocol in one sentence."""
    return ": ".join(protocol_definition(protocol))


def protocol_definition(protocol: ProtocolInfo | Protocol) -> tuple[str, str]:
    """The protocol as a term and what it means."""
    death = {"event": "counts as an event", "censor": "ends the observation (censored)"}[protocol.death]
    return (
        f"Protocol {shown(protocol.name)}",
        f"horizon {in_years(protocol.horizon_years)}; a death {death}; "
        f"Kaplan–Meier intervals {protocol.ci_method}, proportions Clopper–Pearson, rates Garwood, "
        f"ratios exact conditional, all at {fmt.level(protocol.confidence_level)}.",
    )


def setting_words(protocol: ProtocolInfo | Protocol) -> dict[str, str]:
    """The settings that decide most, in a few words each."""
    return {
        "horizon_years": in_years(protocol.horizon_years),
        "death": {"event": "a death is an event", "censor": "a death is censored"}[protocol.death],
        "ci_method": protocol.ci_method,
        "confidence_level": f"{fmt.level(protocol.confidence_level)} CI",
    }


def settings_by_origin(
    protocol: ProtocolInfo | Protocol,
    *,
    horizons: tuple[float, ...],
    stated: tuple[str, ...],
    inferred: tuple[str, ...],
) -> str:
    """A publication's settings: those it states, those that its figures follow, and the default ones."""
    words = setting_words(protocol)
    by_default = [name for name in words if name not in {*stated, *inferred}]
    if horizons:
        listed = fmt.listed(f"{horizon:g}" for horizon in horizons)
        words["horizon_years"] = in_years(horizons[0]) if len(horizons) == 1 else f"{listed} years"
    return "; ".join(
        f"{origin}: {', '.join(words.get(name, f'{name} {getattr(protocol, name)}') for name in names)}"
        for origin, names in (
            ("stated by the publication", stated),
            ("inferred from its figures", inferred),
            ("not stated, the program's default", by_default),
        )
        if names
    )


def warnings_section(warnings: tuple[str, ...]) -> list[Section]:
    """The warnings, if there are any."""
    return [Section("Warnings", lead=warnings)] if warnings else []


def account_section(source: SourceInfo, account: Account) -> Section:
    """Where the rows of the file went."""
    aside = "".join(f" {each.count:,} set aside: {each.reason}." for each in account.set_aside)
    return Section(
        "Rows",
        lead=(
            f"{shown(source.file)}: {account.rows_read:,} rows read, {account.rows_used:,} used.{aside}",
            _digest(source),
        ),
    )


def file_section(source: SourceInfo) -> Section:
    """Which file, and by which program."""
    return Section("File", lead=(f"{shown(source.file)}: {source.n_rows:,} rows.", _digest(source)))


def _digest(source: SourceInfo) -> str:
    return f"SHA-256 {source.sha256}; {TOOL.name} {TOOL.version}."
