"""Patients by confirmed change of EDSS, and by worsening at the last visit that nothing can confirm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ahsct_trial.catalogue import DISABILITY
from ahsct_trial.endpoints.cohort import distribution
from ahsct_trial.endpoints.estimates import absent, joined, not_in_file, patients, share
from ahsct_trial.patients import YEARS_TO_UNCONFIRMED_WORSENING, PatientTable
from ahsct_trial.protocol import Protocol
from ahsct_trial.results import Disability


def disability(table: PatientTable, protocol: Protocol) -> Disability:
    """Count the patients, of those with an EDSS at baseline and one since."""
    level = protocol.confidence_level
    definition = joined(
        [
            "Patients with a confirmed worsening and with a confirmed improvement of EDSS at any time of "
            "follow-up, of those with an EDSS at baseline and one since; a patient may have had both.",
            table.remarks.get("worsening"),
            "Unconfirmed: EDSS worse at the last visit, which nothing can confirm, without a confirmed "
            "worsening.",
        ]
    )
    baseline, last = distribution(table, "edss_baseline"), distribution(table, "edss_last")
    missing = table.lacking("edss_baseline", "years_to_worsening", "years_to_improvement")
    if missing:
        note = not_in_file(table, missing)
        nothing = absent("share", note)
        return Disability(
            label=DISABILITY.label,
            definition=definition or "",
            n_patients=None,
            n_both=None,
            n_neither=None,
            n_unknown=None,
            worsened=nothing,
            improved=nothing,
            unconfirmed=nothing,
            edss_baseline=baseline,
            edss_last=last,
            note=note,
        )
    has_worsened, has_improved = (
        ~np.isnan(table.numbers(column)) for column in ("years_to_worsening", "years_to_improvement")
    )
    is_known = has_worsened | has_improved | _has_edss_before_and_after(table)
    n_known = int(np.count_nonzero(is_known))
    n_worsened, n_improved = int(np.count_nonzero(has_worsened)), int(np.count_nonzero(has_improved))
    n_both = int(np.count_nonzero(has_worsened & has_improved))
    n_unknown = len(table) - n_known
    unconfirmed = absent("share", "A patient table holds confirmed changes alone.")
    if table.has(YEARS_TO_UNCONFIRMED_WORSENING):
        is_open = ~np.isnan(table.numbers(YEARS_TO_UNCONFIRMED_WORSENING))
        unconfirmed = share(int(np.count_nonzero(is_open)), n_known, level)
    return Disability(
        label=DISABILITY.label,
        definition=definition or "",
        n_patients=n_known,
        n_both=n_both,
        n_neither=n_known - n_worsened - n_improved + n_both,
        n_unknown=n_unknown,
        worsened=share(n_worsened, n_known, level),
        improved=share(n_improved, n_known, level),
        unconfirmed=unconfirmed,
        edss_baseline=baseline,
        edss_last=last,
        note=f"{patients(n_unknown)} left out: no EDSS at baseline or none since." if n_unknown else None,
    )


def _has_edss_before_and_after(table: PatientTable) -> NDArray[np.bool_]:
    """Who has an EDSS at baseline and one since, as far as the columns tell."""
    has_both = ~np.isnan(table.numbers("edss_baseline"))
    after = [name for name in ("edss_last", "years_to_last_edss") if table.has(name)]
    if after:
        has_both &= np.logical_or.reduce([~np.isnan(table.numbers(name)) for name in after])
    return has_both
