"""Results for other programs: JSON with its schema, and CSV with one row per statistic."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict, fields, is_dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ahsct_trial.escaping import spreadsheet_safe
from ahsct_trial.rendering import formats as fmt
from ahsct_trial.results import Curve, CurvePoint, Endpoints, EventsByType, Summary

if TYPE_CHECKING:
    from ahsct_trial.sensitivity import Sensitivity

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
    "ci_low": "Lower confidence limit",
    "ci_high": "Upper confidence limit",
    "n_at_risk": "Patients at risk at the horizon",
    "n_both": "Patients with worsening and improvement",
    "n_censored": "Patients censored up to the horizon",
    "n_censored_died": "Patients censored up to the horizon who had died by then",
    "n_deaths": "Deaths",
    "n_evaluable": "Patients with an event by the horizon or followed to it",
    "n_event_free": "Patients event-free at the horizon",
    "n_events": "Events up to the horizon",
    "n_lesions": "Lesions",
    "n_neither": "Patients with neither worsening nor improvement",
    "n_no": "Patients with disease activity",
    "n_not_evaluable": "Patients not evaluable",
    "n_not_evaluable_died": "Patients not evaluable who had died",
    "n_not_followed": "Patients censored before the horizon",
    "n_patients": "Patients",
    "n_relapses": "Relapses",
    "n_scans": "Scans",
    "n_scans_with_lesions": "Scans with lesions",
    "n_unknown": "Patients left out, outcome unknown",
    "n_yes": "Patients without disease activity",
}
#: Why a statistic without a note is empty: a median that is not reached, a dispersion without events.
_UNDEFINED = "Undefined: too little was observed."
_PROPORTIONS = {"estimate", "value", "ci_low", "ci_high"}


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
    text = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Summary of ahsct-trial",
        **schema,
    }
    return msgspec.json.format(msgspec.json.encode(text), indent=2).decode("utf-8") + "\n"


def write_csv(summary: Summary) -> str:
    """Write one row per statistic in the column order of an ARD.

    `variable` is the endpoint, or the column that is described; `variable_level` the part of it.
    `stat` is unrounded, `stat_fmt` rounded as `fmt_fun` says. Each figure with an interval has a row
    `method`. `warning` carries the endpoint's note, `error` why a statistic is empty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(ARD_COLUMNS)
    for row in _rows(summary):
        writer.writerow([_cell(row.get(column, "")) for column in ARD_COLUMNS])
    return text.getvalue()


def write_sensitivity_csv(result: Sensitivity) -> str:
    """Write one row per combination and year, unrounded; empty where nothing applies.

    The last columns name what made the figures.
    """
    made_by = {
        "confidence_level": result.protocol.confidence_level,
        "protocol": result.protocol.name,
        "file": result.source.file,
        "sha256": result.source.sha256,
        "tool_version": result.tool.version,
    }
    rows = [_flat({"endpoint": result.endpoint} | asdict(each) | made_by) for each in result.combinations]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return spreadsheet_safe(value) if isinstance(value, str) else value


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row with an interval's parts as cells of their own, and a flag as yes or no."""
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
    for part in ("tool", "source", "protocol"):
        yield from _provenance(part, getattr(summary, part))
    for key in (field.name for field in fields(summary.cohort)):
        yield from _described(key, getattr(summary.cohort, key))
    for key in (field.name for field in fields(Endpoints)):
        value = getattr(summary.endpoints, key)
        if key == "neda3":
            for year in value:
                yield from _statistics(key, f"year {year.years}", key, year)
        else:
            yield from _statistics(key, "", key, value)
    yield _row("account", "", "account", "rows_read", summary.account.rows_read)
    yield _row("account", "", "account", "rows_used", summary.account.rows_used)
    for aside in summary.account.set_aside:
        yield _row("account", aside.reason, "account", "rows_set_aside", aside.count)
    for number, warning in enumerate(summary.warnings, start=1):
        yield _row("warning", str(number), "warning", "text", warning)


def _provenance(part: str, result: Any) -> Iterator[dict[str, Any]]:
    """What made the figures; settings that do not apply are left out."""
    for field in fields(result):
        value = getattr(result, field.name)
        if value is not None and not isinstance(value, tuple):
            yield _row(part, "", part, field.name, value)


def _described(column: str, value: Any) -> Iterator[dict[str, Any]]:
    """One column of the cohort: counts by text, a distribution, or a number."""
    if isinstance(value, dict):
        for level, n in value.items():
            yield _row(column, level, "missing" if column == "n_missing" else "categorical", "n", n)
    elif is_dataclass(value):
        yield from _statistics(column, "", "continuous", value)
    else:
        yield _row("cohort", "", "cohort", column, value)


def _statistics(
    variable: str, level: str, context: str, result: Any, outer_note: str = ""
) -> Iterator[dict[str, Any]]:
    """The statistics of one result, and of the results within it, with the level that leads to them."""
    note = " ".join(dict.fromkeys(filter(None, (outer_note, getattr(result, "note", None)))))
    for field in fields(result):
        value = getattr(result, field.name)
        if field.name in {"label", "note", "curve", "years"}:
            continue
        if value is None and (field.name == "total" or isinstance(result, EventsByType)):
            continue  # a sum of ages, or an event that the endpoint does not count, means nothing
        if is_dataclass(value):
            inner = f"{level} {field.name}".strip()
            yield from _statistics(variable, inner, context, value, note)
            continue
        name = "method" if field.name == "ci_method" else field.name
        yield _row(variable, level, context, name, value, note)


def _row(variable: str, level: str, context: str, name: str, value: Any, note: str = "") -> dict[str, Any]:
    formatted, how = _formatted(context, level, name, value)
    is_absent = value is None
    return {
        "variable": variable,
        "variable_level": level,
        "context": context,
        "stat_name": name,
        "stat_label": _LABELS.get(name, name.replace("_", " ").capitalize()),
        "stat": "" if is_absent else value,
        "stat_fmt": formatted,
        "fmt_fun": how,
        "warning": "" if is_absent else note,
        "error": (note or _UNDEFINED) if is_absent else "",
    }


def _formatted(context: str, level: str, name: str, value: Any) -> tuple[str, str]:
    if value is None:
        return "", ""
    if isinstance(value, str):
        return value, "as is"
    if isinstance(value, int):
        return fmt.count(value), "count"
    is_rate = context in {"relapse_rate", "lesions"} and "scans_with_lesions" not in level
    if name in _PROPORTIONS and not is_rate:
        return fmt.percent(value), "percent, 1 decimal, half up"
    return fmt.significant(value), "2 decimals or 2 significant digits, half up"
