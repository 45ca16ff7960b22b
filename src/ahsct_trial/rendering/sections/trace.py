"""What `ahsct trace` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ahsct_trial.catalogue import SURVIVAL_ENDPOINTS
from ahsct_trial.escaping import shown
from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.sections import Section, file_section, protocol_sentence, provenance

if TYPE_CHECKING:
    from ahsct_trial.tracing import Trace

_SHORT = {endpoint.key: endpoint.short for endpoint in SURVIVAL_ENDPOINTS}


def trace_sections(trace: Trace) -> list[Section]:
    """What `ahsct trace` shows: the course, what decided each endpoint, and each change of EDSS."""
    is_several = len({(each.file, each.sheet) for each in trace.course}) > 1
    has_days = any(each.day is not None for each in trace.course)
    course = Section(
        f"Patient {shown(trace.patient)}",
        headings=("Day", "Years", "Line", "Record") if has_days else ("Years", "Line", "Column"),
        rows=tuple(
            (
                *((fmt.NOTHING if entry.day is None else _day(entry.day),) if has_days else ()),
                fmt.number(entry.years, 2 if has_days else 4),
                _place(entry.file, entry.sheet, entry.line, is_several=is_several),
                entry.what if has_days else entry.column or entry.what,
            )
            for entry in trace.course
        ),
        texts=frozenset({2, 3} if has_days and is_several else {3} if has_days else {2}),
    )
    endpoints = Section(
        "What decided the endpoints",
        headings=("", "Outcome", "Years", "Line", "Why"),
        rows=tuple(
            (
                _SHORT[each.endpoint],
                each.outcome,
                fmt.number(each.years, 2),
                _place(each.file, each.sheet, each.line, is_several=is_several),
                each.reason,
            )
            for each in trace.endpoints
        ),
        texts=frozenset({0, 1, 4} | ({3} if is_several else set())),
        notes=(protocol_sentence(trace.protocol),),
    )
    sections = [*provenance(trace.source), course, endpoints]
    if trace.edss_changes:
        sections.append(Section("Changes of EDSS that reached the step", lead=trace.edss_changes))
    return [*sections, file_section(trace.source)]


def _day(day: int) -> str:
    return fmt.number(day, 0)


def _place(file: str | None, sheet: str | None, line: int | None, *, is_several: bool) -> str:
    """A line, with its file and sheet where the data come from several tables."""
    if line is None:
        return fmt.NOTHING
    if not is_several:
        return str(line)
    within = "" if sheet is None else f", {shown(sheet)}"
    return f"{shown(file or '')}{within}:{line}"
