"""What `ahsct trace` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ahsct_trial.escaping import shown
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.rendering.sections import SHORT_NAMES, Section, file_section, protocol_sentence

if TYPE_CHECKING:
    from ahsct_trial.tracing import Trace


def trace_sections(trace: Trace) -> list[Section]:
    """What `ahsct trace` shows: the course, what decided each endpoint, and each change of EDSS."""
    has_days = trace.edss_changes is not None
    course = Section(
        f"Patient {shown(trace.patient)}",
        headings=("Day", "Years", "Line", "Record") if has_days else ("Years", "Line", "Column"),
        rows=tuple(
            (str(entry.day), fmt.number(entry.years, 2), str(entry.line), entry.what)
            if has_days
            else (fmt.number(entry.years, 4), str(entry.line), str(entry.column))
            for entry in trace.course
        ),
        texts=frozenset({3 if has_days else 2}),
    )
    endpoints = Section(
        "What decided the endpoints",
        headings=("", "Outcome", "Years", "Line", "Why"),
        rows=tuple(
            (
                SHORT_NAMES[each.endpoint],
                each.outcome,
                fmt.number(each.years, 2),
                fmt.NOTHING if each.line is None else str(each.line),
                each.reason,
            )
            for each in trace.endpoints
        ),
        texts=frozenset({0, 1, 4}),
        notes=(protocol_sentence(trace.protocol),),
    )
    sections = [course, endpoints]
    if trace.edss_changes:
        sections.append(Section("Changes of EDSS that reached the step", lead=trace.edss_changes))
    return [*sections, file_section(trace.source)]
