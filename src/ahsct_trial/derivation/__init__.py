"""From records and a protocol to the patient table: each column from the records that decide it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pandas as pd

from ahsct_trial.cohort import Cohort
from ahsct_trial.columns import CAUSE_OF_DEATH
from ahsct_trial.derivation.disability import derive_disability
from ahsct_trial.derivation.follow_up import derive_follow_up
from ahsct_trial.derivation.lesions import NEEDED, derive_lesions
from ahsct_trial.derivation.patients import NO_ROW, Derived, rows_of
from ahsct_trial.derivation.relapses import derive_relapses
from ahsct_trial.protocol import DAYS_PER_YEAR, RECORDS_ONLY, NewLesion, Protocol
from ahsct_trial.records import IntArray, Records
from ahsct_trial.threads import side_by_side

#: Settings that the lesion columns depend on; the EDSS columns depend on all others that need records.
_LESION_SETTINGS = ("new_lesion", "mri_from_day")
_EDSS_SETTINGS = tuple(name for name in RECORDS_ONLY if name not in _LESION_SETTINGS)


class Parts:
    """The parts of one trial's patient table, each derived once for the settings that it depends on."""

    def __init__(self, records: Records) -> None:
        self.follow_up = cache(partial(derive_follow_up, records))
        self.relapses = cache(partial(derive_relapses, records))
        self._lesions = cache(partial(derive_lesions, records))
        self._edss = cache(partial(_derive_edss, records))

    def lesions(self, protocol: Protocol) -> Derived:
        """The lesion columns."""
        return self._lesions(_with_only(protocol, _LESION_SETTINGS))

    def edss(self, protocol: Protocol) -> Derived:
        """The EDSS columns."""
        return self._edss(_with_only(protocol, _EDSS_SETTINGS))


def _with_only(protocol: Protocol, names: tuple[str, ...]) -> Protocol:
    """The default protocol with these settings of another: equal for all that agree on them."""
    return Protocol(**{name: getattr(protocol, name) for name in names})


def as_cohort(data: Cohort | Records, protocol: Protocol) -> Cohort:
    """The patient table: as it was read, or derived from records under a protocol."""
    return data if isinstance(data, Cohort) else derive_cohort(data, protocol)


def derive_cohort(records: Records, protocol: Protocol, shared: Parts | None = None) -> Cohort:
    """Derive the patient table.

    Parameters
    ----------
    records
        The records of all patients.
    protocol
        Its settings on worsening, confirmation, relapses, baseline and lesions apply.
    shared
        Parts of the same records that other protocols share: what they agree on is derived once.

    Returns
    -------
    Cohort
        One row per patient. Without a single ``mri`` record there are no lesion columns, without an
        ``edss`` record no EDSS columns; without a ``relapse`` record relapses are none.
    """
    shared = shared or Parts(records)
    derivations: dict[str, Callable[[], Derived]] = {
        "follow_up": shared.follow_up,
        "relapse": shared.relapses,
    }
    warnings = list(records.warnings)
    if len(records.observations["mri"].row):
        missing = _missing_for_lesions(records, protocol.new_lesion)
        if missing:
            possible = [rule for rule in NEEDED if not _missing_for_lesions(records, rule)]
            is_or_are = "is" if len(missing) == 1 else "are"
            warnings.append(
                f"No lesion endpoints: {' and '.join(missing)} {is_or_are} not in this file, and "
                f"--new-lesion {protocol.new_lesion} needs {_lesion_columns(protocol.new_lesion)}. "
                f"The file has what --new-lesion {' or '.join(possible)} needs."
            )
        else:
            derivations["new_lesion"] = partial(shared.lesions, protocol)
    if len(records.observations["edss"].row):
        derivations["worsening"] = partial(shared.edss, protocol)
    # The two longest stand last; begun first, they do not wait for the others.
    derived = reversed(side_by_side(lambda derive: derive(), [*reversed(derivations.values())]))
    parts = dict(zip(derivations, derived, strict=True))
    warnings.extend(warning for part in parts.values() for warning in part.warnings)
    columns = dict(records.patients.items())
    lines: dict[str, IntArray] = {}
    for part in parts.values():
        columns |= {name: pd.Series(values) for name, values in part.values.items()}
        lines |= {
            name: np.where(rows == NO_ROW, 0, records.lines[rows]) for name, rows in part.decided_by.items()
        }
    columns["cause_of_death"] = _causes(records)
    return Cohort(
        patients=pd.DataFrame(columns, copy=False),
        lines=lines["follow_up_years"],
        source=records.source,
        account=records.account,
        warnings=tuple(warnings),
        decided_by=lines,
        remarks={key: part.remark for key, part in parts.items() if part.remark},
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

    return Derived(
        values={
            "years_to_last_edss": change.last_day / DAYS_PER_YEAR,
            "edss_baseline": change.baseline_edss,
            "edss_last": change.last_edss,
            "years_to_worsening": change.worsening.onset_day / DAYS_PER_YEAR,
            "years_to_improvement": change.improvement.onset_day / DAYS_PER_YEAR,
        },
        decided_by={
            "years_to_last_edss": rows_of(rows, change.last_row),
            "edss_baseline": rows_of(rows, change.baseline_row),
            "years_to_worsening": rows_of(rows, change.worsening.onset_row),
            "years_to_improvement": rows_of(rows, change.improvement.onset_row),
        },
        remark=_worsening_in_words(protocol),
    )


def _worsening_in_words(protocol: Protocol) -> str:
    """The rule of confirmed worsening with this protocol's settings."""
    baseline = {
        "last-before": "the last relapse-free EDSS at or before transplant",
        "first-stable": "the first relapse-free EDSS from day 0 on",
    }[protocol.baseline]
    late = protocol.confirm_late_days
    latest = "without a latest day" if late is None else f"at most {late:g} days after that"
    relapse_free = (
        f" A visit is relapse-free from {protocol.relapse_free_days:g} days after a relapse on."
        if protocol.relapse_free_days
        else ""
    )
    return (
        f"Worsening is an EDSS above the baseline ({baseline}) by at least "
        f"{protocol.step_from_zero:g} from 0, {protocol.step_low:g} from 1.0 and {protocol.step_high:g} from "
        f"{protocol.step_high_from:.1f} on, that each visit holds up to the confirming one: the first "
        f"relapse-free visit on a later day, {protocol.worsening_confirm_weeks:g} weeks later, at most "
        f"{protocol.confirm_early_days:g} days before that "
        f"and {latest}. Improvement is the mirror image.{relapse_free}"
    )


def _causes(records: Records) -> pd.Series[str]:
    """Cause of death of each patient, missing for the living and where it was not recorded."""
    deaths = records.observations["death"].patient
    given = records.values.get("cause_of_death", np.full(len(deaths), None))
    causes = pd.Categorical(given, categories=CAUSE_OF_DEATH.levels)
    codes = np.full(records.n_patients, -1, dtype=np.int8)
    codes[deaths] = causes.codes
    return pd.Series(pd.Categorical.from_codes(codes, dtype=causes.dtype))
