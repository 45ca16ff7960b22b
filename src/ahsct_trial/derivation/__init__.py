"""From records and a protocol to the patient table: each column from the records that decide it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.columns import CAUSE_OF_DEATH, PATIENT_TABLE, Column
from ahsct_trial.derivation.disability import derive_disability
from ahsct_trial.derivation.follow_up import derive_first, derive_follow_up
from ahsct_trial.derivation.lesions import NEEDED, derive_lesions
from ahsct_trial.derivation.reductions import Derived, rows_of
from ahsct_trial.derivation.relapses import derive_relapses
from ahsct_trial.parallel import side_by_side
from ahsct_trial.patients import YEARS_TO_BASELINE, YEARS_TO_UNCONFIRMED_WORSENING, PatientTable
from ahsct_trial.protocol import DAYS_PER_YEAR, RECORDS_ONLY, NewLesion, Protocol
from ahsct_trial.records import Records
from ahsct_trial.results import Notice

if TYPE_CHECKING:
    import pandas as pd

#: Settings that some columns depend on; the EDSS columns depend on all others that need records.
_LESION_SETTINGS = ("new_lesion", "mri_from_day")
_RELAPSE_SETTINGS = ("relapse_gap_days",)
_EDSS_SETTINGS = tuple(name for name in RECORDS_ONLY if name not in {*_LESION_SETTINGS, *_RELAPSE_SETTINGS})
#: Columns that hold the time of the first record of one kind.
_FIRST_RECORDS = tuple(column for column in PATIENT_TABLE if column.first_record)


class Derivations:
    """The patient tables of one trial's records, each part derived once for the settings it depends on."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._found: dict[tuple[Any, ...], Any] = {}
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a copy, such as that for another process, derive anew: a lock has no copy."""
        return Derivations, (self._records,)

    def table(self, protocol: Protocol) -> PatientTable:
        """Derive the patient table.

        Parameters
        ----------
        protocol
            Its settings on worsening, confirmation, relapses, baseline and lesions apply.

        Returns
        -------
        PatientTable
            One row per patient. Without a single ``mri`` record there are no lesion columns, without an
            ``edss`` record no EDSS columns, without a ``relapse`` or ``observed_from`` record no relapse
            columns, and without a ``therapy`` record no therapy column.
        """
        with self._lock:  # the parts of a trial may ask at the same time, and share one table
            table: PatientTable = self._once("table", RECORDS_ONLY, protocol, self._join)
        return table

    def _once(
        self, part: str, settings: tuple[str, ...], protocol: Protocol, derive: Callable[[Protocol], Any]
    ) -> Any:
        key = (part, *(getattr(protocol, name) for name in settings))
        if key not in self._found:
            self._found[key] = derive(protocol)
        return self._found[key]

    def _join(self, protocol: Protocol) -> PatientTable:
        import pandas as pd  # not before it is needed: it may be imported while a file is read

        records = self._records
        notices: list[Notice] = []
        # Of each part the settings that it depends on, and what derives it.
        derive: dict[str, tuple[tuple[str, ...], Callable[[Protocol], Derived]]] = {
            "follow_up": ((), lambda _: derive_follow_up(records))
        }
        if self._has("relapse") or self._has("observed_from"):
            derive["relapse"] = _RELAPSE_SETTINGS, lambda chosen: derive_relapses(records, chosen)
        if self._has("mri"):
            missing = _missing_for_lesions(records, protocol.new_lesion)
            if missing:
                notices.append(_no_lesion_endpoints(records, protocol.new_lesion, missing))
            else:
                derive["new_lesion"] = _LESION_SETTINGS, lambda chosen: derive_lesions(records, chosen)
        if self._has("edss"):
            derive["worsening"] = _EDSS_SETTINGS, lambda chosen: _derive_edss(records, chosen)
        for column in _FIRST_RECORDS:
            if self._has(column.first_record):
                derive[column.name] = (), partial(_derive_first, records, column)
        derived = side_by_side(
            lambda part: self._once(part, derive[part][0], protocol, derive[part][1]),
            derive,
            n_rows=sum(len(observations.row) for observations in records.observations.values()),
        )
        parts: dict[str, Derived] = dict(zip(derive, derived, strict=True))
        columns = dict(records.patients.items())
        decided_by: dict[str, NDArray[np.integer[Any]]] = {}
        for part in parts.values():
            columns |= {name: pd.Series(values) for name, values in part.values.items()}
            decided_by |= part.decided_by
            notices += part.notices
        columns["cause_of_death"] = _causes(records)
        return PatientTable(
            patients=pd.DataFrame(columns, copy=False),
            layout="records",
            rows=decided_by["follow_up_years"],
            decided_by=decided_by,
            remarks={key: part.remark for key, part in parts.items() if part.remark},
            notices=tuple(notices),
        )

    def _has(self, kind: str) -> bool:
        return bool(len(self._records.observations[kind].row))


def _derive_first(records: Records, column: Column, _: Protocol) -> Derived:
    return derive_first(records, column)


def _no_lesion_endpoints(records: Records, rule: NewLesion, missing: tuple[str, ...]) -> Notice:
    possible = [other for other in NEEDED if not _missing_for_lesions(records, other)]
    is_or_are = "is" if len(missing) == 1 else "are"
    return Notice(
        code="no-lesion-endpoints",
        text=f"No lesion endpoints: {' and '.join(missing)} {is_or_are} not in this file, and "
        f"--new-lesion {rule} needs {_lesion_columns(rule)}. "
        f"The file has what --new-lesion {' or '.join(possible)} needs.",
    )


def _missing_for_lesions(records: Records, rule: NewLesion) -> tuple[str, ...]:
    """Columns that a lesion rule needs and the file lacks."""
    if rule == "either" and "new_lesions" in records.values:
        return ()
    return tuple(name for name in NEEDED[rule] if name not in records.values)


def _lesion_columns(rule: NewLesion) -> str:
    """The columns that a lesion rule needs, in words."""
    return " and ".join(NEEDED[rule]) + (", or new_lesions" if rule == "either" else "")


def _derive_edss(records: Records, protocol: Protocol) -> Derived:
    rows = records.observations["edss"].row
    change = derive_disability(records.edss_visits, records.relapses, records.n_patients, protocol)
    worsening_day, worsening_row = change.worsening.onset_day, change.worsening.onset_row
    if protocol.unconfirmed == "event":
        is_unconfirmed = change.unconfirmed_row >= 0
        worsening_day = np.where(is_unconfirmed, change.unconfirmed_day, worsening_day)
        worsening_row = np.where(is_unconfirmed, change.unconfirmed_row, worsening_row)
    values = {
        "years_to_last_edss": change.last_day / DAYS_PER_YEAR,
        "edss_baseline": change.baseline_edss,
        "edss_last": change.last_edss,
        "years_to_worsening": worsening_day / DAYS_PER_YEAR,
        "years_to_improvement": change.improvement.onset_day / DAYS_PER_YEAR,
        YEARS_TO_UNCONFIRMED_WORSENING: change.unconfirmed_day / DAYS_PER_YEAR,
    }
    if protocol.baseline == "first-stable":
        values[YEARS_TO_BASELINE] = change.baseline_day / DAYS_PER_YEAR
    return Derived(
        values=values,
        decided_by={
            "years_to_last_edss": rows_of(rows, change.last_row),
            "edss_baseline": rows_of(rows, change.baseline_row),
            "years_to_worsening": rows_of(rows, worsening_row),
            "years_to_improvement": rows_of(rows, change.improvement.onset_row),
            YEARS_TO_UNCONFIRMED_WORSENING: rows_of(rows, change.unconfirmed_row),
        },
        remark=_worsening_in_words(protocol),
    )


def _worsening_in_words(protocol: Protocol) -> str:
    """The rule of confirmed worsening with this protocol's settings."""
    baseline = {
        "last-before": f"the last relapse-free EDSS at or before {protocol.time_zero}",
        "first-stable": "the first relapse-free EDSS from day 0 on",
    }[protocol.baseline]
    late = protocol.confirm_late_days
    weeks, early = protocol.worsening_confirm_weeks, protocol.confirm_early_days
    when = (
        f"{weeks:g} weeks after the onset or later (at most {early:g} days sooner)"
        if late is None
        else f"{weeks:g} weeks after the onset (at most {early:g} days sooner and {late:g} later)"
    )
    relapse_free = (
        f" A visit is relapse-free from {protocol.relapse_free_days:g} days after a relapse on."
        if protocol.relapse_free_days
        else ""
    )
    at_end = (
        " Worsening at the last visit, which nothing can confirm, counts too."
        if protocol.unconfirmed == "event"
        else ""
    )
    return (
        f"Worsening is a rise in EDSS from the baseline ({baseline}) by at least "
        f"{protocol.step_from_zero:g} from 0, {protocol.step_low:g} from 1.0 and {protocol.step_high:g} from "
        f"{protocol.step_high_from:.1f} on, held at every visit up to the confirming one: the first "
        f"relapse-free visit on a later day, {when}. Improvement is the mirror image.{at_end}{relapse_free}"
    )


def _causes(records: Records) -> pd.Series[str]:
    """Cause of death of each patient, missing for the living and where it was not recorded."""
    import pandas as pd

    deaths = records.observations["death"].patient
    given = records.values.get("cause_of_death", np.full(len(deaths), None))
    causes = pd.Categorical(given, categories=CAUSE_OF_DEATH.levels)
    codes = np.full(records.n_patients, -1, dtype=np.int8)
    codes[deaths] = causes.codes
    return pd.Series(pd.Categorical.from_codes(codes, dtype=causes.dtype))
