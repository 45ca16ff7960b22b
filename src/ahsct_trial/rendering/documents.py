"""Results for other programs: JSON with its schema, and CSV with one row per statistic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ahsct_trial.rendering import numbers as fmt
from ahsct_trial.rendering.csv_rows import write_rows
from ahsct_trial.rendering.sections import public, source_name
from ahsct_trial.results import (
    Account,
    CohortInfo,
    Comparison,
    Curve,
    CurvePoint,
    Estimate,
    Notice,
    Summary,
    Unit,
)
from ahsct_trial.rounding import round_half_up

if TYPE_CHECKING:
    from ahsct_trial.sensitivity_analysis import Sensitivity

#: Column order of the Analysis Results Data of pharmaverse's cards.
ARD_COLUMNS = (
    "group1",
    "group1_level",
    "variable",
    "variable_level",
    "context",
    "stat_name",
    "stat_label",
    "stat",
    "stat_fmt",
    "fmt_fun",
    "warning",
    "error",
)

_LABELS = {
    "n": "N",
    "of": "Of",
    "ci_low": "Lower confidence limit",
    "ci_high": "Upper confidence limit",
    "n_at_risk": "Patients at risk at the horizon",
    "n_both": "Patients with worsening and improvement",
    "n_cause_unknown": "Deaths of unknown cause",
    "n_censored": "Patients censored up to the horizon",
    "n_censored_died": "Patients censored up to the horizon who had died by then",
    "n_evaluable": "Patients with an event by the horizon or followed to it",
    "n_event_free": "Patients event-free at the horizon",
    "n_events": "Events",
    "n_late_events": "Patients with an event after the end of observation, not counted",
    "n_neither": "Patients with neither worsening nor improvement",
    "n_no": "Patients with disease activity",
    "n_not_evaluable": "Patients not evaluable",
    "n_not_evaluable_died": "Patients not evaluable who had died",
    "n_not_followed": "Patients censored before the horizon",
    "n_patients": "Patients",
    "n_patients_in_ratio": "Patients known on both sides",
    "n_unknown": "Patients left out, a component unknown",
    "n_unknown_with_event": "Patients left out who had an event",
    "n_yes": "Patients without disease activity",
    "p": "p-value",
    "p_exact": "Exact p-value",
}
#: What is left out of a row's statistics: it stands in the row's other columns, or is no statistic.
_NO_STATISTICS = {"label", "note", "curve", "years", "unit"}
#: Why a statistic without a note is empty: a median that is not reached, a dispersion without events.
_UNDEFINED = "Undefined: too little was observed."
#: Columns that hold times; a time of one patient is given to a tenth of a year.
_TIMES = {"follow_up", "years_observed_before"}

#: A point of a curve as msgspec makes and writes it, in a third of the time of a dictionary.
_Point = msgspec.defstruct("_Point", CurvePoint.__slots__, gc=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Curve):
        return list(map(_Point, *value.columns()))
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def write_json(result: Any) -> str:
    """Write a result as strict JSON: every key, null where nothing applies, never NaN."""
    text = msgspec.json.encode(result, enc_hook=_plain)
    return msgspec.json.format(text, indent=2).decode("utf-8") + "\n"


def _schema_of(kind: type) -> dict[str, Any]:
    if kind is not Curve:
        raise TypeError(f"{kind.__name__} has no form in JSON")
    points = msgspec.json.schema(CurvePoint)["$defs"]["CurvePoint"]
    return {"type": "array", "items": points}


def write_schema() -> str:
    """Write the JSON Schema of the `summarize` document."""
    schema = msgspec.json.schema(Summary, schema_hook=_schema_of)
    for kind in schema["$defs"].values():
        if "properties" in kind:
            kind["required"] = list(
                kind["properties"]
            )  # keys are always there, those that have a default too
    text = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Summary of ahsct-trial",
        **schema,
    }
    return msgspec.json.format(msgspec.json.encode(text), indent=2).decode("utf-8") + "\n"


@dataclass(frozen=True)
class _Place:
    """What the statistics of a row belong to: a group, a variable, a part of it, and the kind of analysis."""

    variable: str
    context: str
    level: str = ""
    group: str = ""
    group_level: str = ""

    def within(self, part: str) -> _Place:
        """A part of the same variable."""
        return _Place(
            self.variable, self.context, f"{self.level} {part}".strip(), self.group, self.group_level
        )


def write_csv(result: Summary | Comparison | Sensitivity) -> str:
    """Write a result as CSV, no curve and no patient in it.

    Of a summary and a comparison one row per statistic, in the column order of an ARD. `variable` is the endpoint,
    or the column that is described; `variable_level` the part of it. `stat` is unrounded, but for times that are
    those of single patients, and `stat_fmt` rounded as `fmt_fun` says. Each statistic with an interval has a row
    `method`. `warning` carries the note, `error` why a statistic is empty. `group1` is the column of the groups and
    `group1_level` the level, or "LEVEL − REFERENCE" for a contrast.

    Of a sensitivity analysis one row per value of each choice, unrounded; the last columns name what made the
    figures.
    """
    if isinstance(result, Summary):
        return _written(_rows(result))
    if isinstance(result, Comparison):
        return _written(_comparison_rows(result))
    return _choices(result)


def _written(rows: Iterable[dict[str, Any]]) -> str:
    return write_rows(ARD_COLUMNS, ([row.get(column) for column in ARD_COLUMNS] for row in rows))


def _choices(result: Sensitivity) -> str:
    made_by = {
        "protocol": result.protocol.name,
        "source": source_name(result.source),
        "sha256": " ".join(each.sha256 for each in result.source.files),
        "tool_version": result.tool.version,
    }
    rows = [
        _flat(
            {"endpoint": result.endpoint, "years": result.horizon_years, "setting": choice.setting}
            | asdict(each)
        )
        | made_by
        for choice in result.choices
        for each in choice.alternatives
    ]
    names = list(rows[0]) if rows else []
    return write_rows(names, ([row[name] for name in names] for row in rows)) if rows else ""


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row with an estimate's parts as cells of their own, and a flag as yes or no."""
    cells: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            cells |= {name if part == "value" else f"{name}_{part}": inner for part, inner in value.items()}
        elif isinstance(value, bool):
            cells[name] = "yes" if value else "no"
        else:
            cells[name] = value
    return cells


def _rows(summary: Summary) -> Iterator[dict[str, Any]]:
    yield from _origin(summary)
    yield from _cohort(summary.cohort, "", "")
    yield from _endpoints(summary.endpoints, "", "")
    yield from _closing(summary.account, summary.notices)


def _comparison_rows(comparison: Comparison) -> Iterator[dict[str, Any]]:
    yield from _origin(comparison)
    by = comparison.by.column
    for group in comparison.groups:
        yield from _cohort(group.cohort, by, group.level)
        yield from _endpoints(group.endpoints, by, group.level)
    for contrast in comparison.contrasts:
        yield from _endpoints(contrast.endpoints, by, f"{contrast.level} − {contrast.reference}", "contrast")
    for key, tests in comparison.tests.items():
        yield from _statistics(_Place(key, "test", "", by), tests)
    yield from _closing(comparison.account, comparison.notices)


def _origin(result: Summary | Comparison) -> Iterator[dict[str, Any]]:
    """What made the figures; settings that do not apply are left out."""
    for part, holder in (("tool", result.tool), ("protocol", result.protocol)):
        for field in fields(holder):
            value = getattr(holder, field.name)
            if value is not None and not isinstance(value, tuple):
                yield _row(_Place(part, part), field.name, value)
    yield _row(_Place("source", "source"), "shape", result.source.shape)
    if result.source.provenance:
        yield _row(_Place("source", "source"), "provenance", result.source.provenance)
    for each in result.source.files:
        for field in fields(each):
            yield _row(_Place("source", "source", each.file), field.name, getattr(each, field.name))


def _cohort(cohort: CohortInfo, group: str, group_level: str) -> Iterator[dict[str, Any]]:
    """The columns of the cohort: counts by text, distributions, and numbers."""
    for field in fields(cohort):
        column, value = field.name, getattr(cohort, field.name)
        if isinstance(value, Mapping):
            context = "missing" if column == "n_missing" else "categorical"
            for level, n in value.items():
                yield _row(_Place(column, context, level, group, group_level), "n", n)
        elif is_dataclass(value):
            yield from _statistics(_Place(column, "continuous", "", group, group_level), value)
        else:
            yield _row(_Place("cohort", "cohort", "", group, group_level), column, value)


def _endpoints(endpoints: Any, group: str, group_level: str, context: str = "") -> Iterator[dict[str, Any]]:
    for field in fields(endpoints):
        value, place = (
            getattr(endpoints, field.name),
            _Place(field.name, context or field.name, "", group, group_level),
        )
        if isinstance(value, tuple):
            for year in value:
                yield from _statistics(place.within(f"year {year.years}"), year)
        else:
            yield from _statistics(place, value)


def _closing(account: Account, notices: Sequence[Notice]) -> Iterator[dict[str, Any]]:
    place = _Place("account", "account")
    yield _row(place, "rows_read", account.rows_read)
    yield _row(place, "rows_used", account.rows_used)
    for aside in account.set_aside:
        yield _row(place.within(aside.reason), "rows_set_aside", aside.count)
    for notice in public(notices):
        yield _row(_Place("notice", "notice", notice.severity), notice.code, notice.text)


def _statistics(place: _Place, result: Any, outer_note: str = "") -> Iterator[dict[str, Any]]:
    """The statistics of one result, and of the results within it, with the level that leads to them."""
    note = " ".join(dict.fromkeys(filter(None, (outer_note, getattr(result, "note", None)))))
    if isinstance(result, Estimate):
        yield from _estimate(place, result, note)
        return
    is_time = place.variable in _TIMES
    for field in fields(result):
        name, value = field.name, getattr(result, field.name)
        if name in _NO_STATISTICS or (name == "total" and value is None):
            continue  # a sum of ages means nothing
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if is_dataclass(inner):
                    yield from _statistics(place.within(f"{name} {key}"), inner, note)
                elif inner is not None:  # an event that the endpoint does not count
                    yield _row(place.within(f"{name} {key}"), "n", inner)
        elif is_dataclass(value):
            yield from _statistics(place.within(name), value, note)
        elif is_time and isinstance(value, float):
            yield _time(place, name, value, note)
        else:
            yield _row(place, name, value, note)


def _estimate(place: _Place, estimate: Estimate, note: str) -> Iterator[dict[str, Any]]:
    """A statistic, and its limits, method and counts where it has them."""
    if estimate.value is None and not (estimate.ci_method or note or estimate.n is not None):
        return  # it does not apply
    how = fmt.ROUNDING[estimate.unit]
    names = ["value", *(("ci_low", "ci_high") if estimate.ci_method else ())]
    for name in names:
        value = getattr(estimate, name)
        if estimate.unit == "years" and value is not None:
            yield _time(place, name, value, note)
        else:
            formatted = _figure(value, estimate.unit)
            yield _row(place, name, value, note, formatted=(formatted, "" if value is None else how))
    if estimate.ci_method:
        yield _row(place, "method", estimate.ci_method)
        yield _row(place, "confidence_level", estimate.confidence_level)
    for name in ("n", "of"):
        if getattr(estimate, name) is not None:
            yield _row(place, name, getattr(estimate, name))


def _figure(value: float | None, unit: Unit) -> str:
    """A value as screens print it; a share with its sign."""
    if value is None:
        return ""
    return fmt.percent(value) if unit == "share" else fmt.bare(value, unit)


def _time(place: _Place, name: str, years: float, note: str) -> dict[str, Any]:
    """A time, which may be that of one patient: to a tenth of a year."""
    rounded = round_half_up(years, 1)
    return _row(place, name, float(rounded), note, formatted=(rounded, fmt.ROUNDING["years"]))


def _row(
    place: _Place, name: str, value: Any, note: str = "", formatted: tuple[str, str] | None = None
) -> dict[str, Any]:
    shown, how = _formatted(value) if formatted is None else formatted
    is_absent = value is None
    return {
        "group1": place.group,
        "group1_level": place.group_level,
        "variable": place.variable,
        "variable_level": place.level,
        "context": place.context,
        "stat_name": name,
        "stat_label": _LABELS.get(name, name.replace("_", " ").capitalize()),
        "stat": "" if is_absent else value,
        "stat_fmt": shown,
        "fmt_fun": how,
        "warning": "" if is_absent else note,
        "error": (note or _UNDEFINED) if is_absent else "",
    }


def _formatted(value: Any) -> tuple[str, str]:
    """A value that is no estimate, and how it is rounded."""
    if value is None:
        return "", ""
    if isinstance(value, str):
        return value, "as is"
    if isinstance(value, int):
        return fmt.count(value), "count"
    return fmt.significant(value), fmt.ROUNDING["ratio"]
