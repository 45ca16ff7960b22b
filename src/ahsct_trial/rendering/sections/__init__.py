"""What a screen says, as titled tables of text: made once, drawn by the terminal and by Markdown alike.

Each command has a module of its own here; this one holds what they share.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol as Shape

from ahsct_trial.escaping import shown
from ahsct_trial.protocol import Protocol
from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.results import TOOL, Account, Estimate, Notice, ProtocolInfo, SourceInfo
from ahsct_trial.wording import in_years, plural

_LONGEST_PROSE = 2000

#: Where one sentence of a definition or a note ends and the next begins.
_BETWEEN_SENTENCES = re.compile(r"(?<=[.;]) (?=[A-Z])|(?<=\.) (?=[a-z]+_)")


@dataclass(frozen=True)
class Section:
    """A titled part of a screen: paragraphs, then a table, then notes.

    Attributes
    ----------
    title
        What it is about; empty for a sentence that stands alone.
    headings
        Of the table's columns; without any the rows are a list of names and values.
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
    for broken, whole in (("-\n", "-"), ("–\n", "–"), ("\n", " ")):
        heading = heading.replace(broken, whole)
    return heading


def sentences(text: str) -> list[str]:
    """The sentences of a definition or a note."""
    return _BETWEEN_SENTENCES.split(text) if text else []


def shared_sentences(texts: Iterable[str]) -> list[str]:
    """The sentences that stand in more than one text, each once, in the order in which they come."""
    seen: dict[str, int] = {}
    for text in texts:
        for sentence in dict.fromkeys(sentences(text)):
            seen[sentence] = seen.get(sentence, 0) + 1
    return [sentence for sentence, n in seen.items() if n > 1]


def said_once(rows: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Rows of a table; neighbours that say the same under several names are one row with those names."""
    merged: list[tuple[str, ...]] = []
    for name, *cells in rows:
        is_same = bool(merged) and list(merged[-1][1:]) == cells and any(cells)
        merged.append((f"{merged.pop()[0]}, {name}" if is_same else name, *cells))
    return tuple(merged)


def prose(text: str) -> str:
    """Sentences of a publication's file: on one line, whatever lines they were written on."""
    return shown(" ".join(text.split()), longest=_LONGEST_PROSE)


def cohort_figure(value: float | None, of: float | None, unit: str, estimate: Estimate | None) -> str:
    """A cohort's figure beside a published one: a percentage, a count of a count, a rate, or a count."""
    if value is None:
        return fmt.NOTHING
    if unit == "%":
        return fmt.percent(value)
    if of is not None:
        return f"{value:,.0f} of {fmt.number(of, 0)}"
    if isinstance(value, int):
        return fmt.count(value)
    return fmt.significant(value) if estimate is None else fmt.bare(value, estimate.unit)


def shared_notes(notes: Iterable[tuple[str, str | None]], between: str) -> tuple[str, ...]:
    """Notes of what is named first; those with the same note stand together, with a mark between them."""
    names: dict[str, dict[str, None]] = {}
    for name, note in notes:
        if note:
            names.setdefault(note, {})[name] = None
    return tuple(f"{between.join(those)}: {prose(note)}" for note, those in names.items())


class WithSurvival(Shape):
    """What has a survival estimate, and one to stand in where its limits are undefined or without width."""

    @property
    def survival(self) -> Estimate:
        """By the protocol's interval method."""

    @property
    def survival_beta_product(self) -> Estimate:
        """With the beta-product limits."""


def survival_shown(endpoint: WithSurvival) -> Estimate:
    """The survival estimate with limits to show: the beta-product ones stand in for missing ones."""
    stands_in = endpoint.survival_beta_product
    return endpoint.survival if stands_in.value is None else stands_in


def source_name(source: SourceInfo) -> str:
    """What the results come from: the file, or the files of a source in several."""
    names = [shown(each.file, longest=255) for each in source.files]
    return names[0] if len(names) == 1 else f"{len(names)} files ({fmt.listed(names)})"


def protocol_sentence(protocol: ProtocolInfo | Protocol) -> str:
    """The protocol in one sentence."""
    return ": ".join(protocol_definition(protocol))


def protocol_definition(protocol: ProtocolInfo | Protocol) -> tuple[str, str]:
    """The protocol as a term and what it means."""
    rules = [
        {"event": "a death is an event", "censor": "a death is censored"}[protocol.death],
        {
            "last-assessment": "observed to the last assessment",
            "follow-up": "observed to the end of follow-up",
        }[protocol.observation_end],
        {
            "ignore": "a therapy is ignored",
            "event": "a therapy is an event",
            "censor": "a therapy is censored",
        }[protocol.therapy],
    ]
    return (
        f"Protocol {shown(protocol.name, longest=200)}",
        f"horizon {in_years(protocol.horizon_years)} from {protocol.time_zero}; {'; '.join(rules)}; "
        f"intervals at {fmt.level(protocol.confidence_level)}, of Kaplan–Meier estimates {protocol.ci_method}.",
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


def provenance(source: SourceInfo) -> list[Section]:
    """What must be said of the data beside every result, if anything."""
    return [Section("", lead=(source.provenance,))] if source.provenance else []


def public(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    """The notices that may stand in aggregate output; those that name patients are counted."""
    said = tuple(each for each in notices if not each.names_patients)
    if n := len(notices) - len(said):
        names, them = ("names a patient and is", "it") if n == 1 else ("name patients and are", "them")
        text = f"{n:,} {plural('notice', n)} {names} left out here: `ahsct validate` shows {them}."
        hidden = [each.severity for each in notices if each.names_patients]
        severity = "look first" if "look first" in hidden else "note"
        return (*said, Notice(code="patients-not-named", severity=severity, text=text))  # type: ignore[arg-type]
    return said


def look_first(notices: Sequence[Notice]) -> list[Section]:
    """What must be looked at before any figure, if there is anything."""
    return _notices("Look at this first", [each.text for each in notices if each.severity == "look first"])


def notes(notices: Sequence[Notice]) -> list[Section]:
    """The other notices, if there are any."""
    return _notices("Notes", [each.text for each in notices if each.severity == "note"])


def _notices(title: str, texts: list[str]) -> list[Section]:
    return [Section(title, lead=tuple(dict.fromkeys(texts)))] if texts else []


def closing_section(source: SourceInfo, account: Account, notices: Sequence[Notice]) -> Section:
    """The notices that are not urgent, and where the rows of the files went."""
    said = [section.lead for section in notes(notices)]
    return Section(
        "Notes and rows" if said else "Rows",
        lead=(*(text for lead in said for text in lead), *_accounts(source, account), *_digests(source)),
    )


def _accounts(source: SourceInfo, account: Account) -> Iterator[str]:
    if account.rows_read is None:
        yield f"{source_name(source)}: rows not shown."
        return
    aside = "".join(f" {each.count:,} set aside: {each.reason}." for each in account.set_aside)
    tokens = ", ".join(f"{shown(token)} {n:,}" for token, n in account.missing.items())
    missing = f" Cells read as missing: {tokens}." if tokens else ""
    yield (
        f"{source_name(source)}: {account.rows_read:,} {plural('row', account.rows_read)} read, "
        f"{fmt.count(account.rows_used)} used.{aside}{missing}"
    )
    for table in account.tables:
        sheet = "" if table.sheet is None else f", sheet {shown(table.sheet)}"
        aside = "".join(f" {each.count:,} set aside: {each.reason}." for each in table.set_aside)
        yield f"{shown(table.file)}{sheet}: {table.rows_read:,} read, {table.rows_used:,} used.{aside}"


def file_section(source: SourceInfo) -> Section:
    """Which files, and by which program."""
    known = [each.n_rows for each in source.files if each.n_rows is not None]
    rows = f"{sum(known):,} {plural('row', sum(known))}" if known else "rows not shown"
    return Section("File", lead=(f"{source_name(source)}: {rows}.", *_digests(source)))


def _digests(source: SourceInfo) -> Iterator[str]:
    program = f"{TOOL.name} {TOOL.version}."
    if len(source.files) == 1:
        yield f"SHA-256 {source.files[0].sha256}; {program}"
        return
    yield from (f"SHA-256 of {shown(each.file)}: {each.sha256}." for each in source.files)
    yield f"Computed by {program}"
