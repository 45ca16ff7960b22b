"""Patient-level data for R or SAS: the derived patient table, and the time of each endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ahsct_trial.catalogue import EVENTS, SURVIVAL_ENDPOINTS, SurvivalEndpoint
from ahsct_trial.endpoints.observation import Observation, components, needed_columns, observe
from ahsct_trial.protocol import BUILT_IN, DAYS_PER_YEAR, Protocol
from ahsct_trial.trial import Trial

if TYPE_CHECKING:
    import pandas as pd

_EVENT_WORDS = {event.key: event.words for event in EVENTS}


def export_patients(trial: Trial, protocol: Protocol = BUILT_IN["default"]) -> pd.DataFrame:
    """The patient table behind the figures: as it was read, or derived from records under a protocol.

    Returns
    -------
    DataFrame
        One row per patient with the columns of the data dictionary that the data have; times in years.
    """
    return trial.table(protocol).patients


def export_times(trial: Trial, protocol: Protocol = BUILT_IN["default"]) -> pd.DataFrame:
    """The time of each patient and survival endpoint, as ADaM's ADTTE has it.

    Returns
    -------
    DataFrame
        One row per patient and endpoint that the data can tell of: ``USUBJID``, ``PARAMCD``, ``PARAM``,
        ``AVAL`` [years], ``AVALU``, ``CNSR`` (0 for an event, 1 for none), ``EVNTDESC``, ``ADY`` (the day
        of it, where time zero is day 1, as ADaM counts), and ``STARTY`` [years], from when on the patient was under
        observation, where that is not time zero for all. Whoever is left out of an endpoint has neither AVAL
        nor CNSR, and EVNTDESC says so.
    """
    import pandas as pd

    table = trial.table(protocol)
    parts = components(table)
    frames = [
        _times(table.patients["patient_id"], endpoint, observe(table, endpoint, parts, protocol))
        for endpoint in SURVIVAL_ENDPOINTS
        if not table.lacking(*needed_columns(endpoint, protocol))
    ]
    times = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["USUBJID", "PARAMCD"])
    has_entry = "STARTY" in times and (times["STARTY"] > 0).any()
    return times if has_entry else times.drop(columns="STARTY", errors="ignore")


def _times(identifiers: pd.Series[str], endpoint: SurvivalEndpoint, observed: Observation) -> pd.DataFrame:
    import pandas as pd

    known = observed.is_known
    words = np.array([*(_EVENT_WORDS[key] for key in observed.types), "end of observation"], dtype=object)
    described = np.where(known, words[observed.event_type], "left out: a component is not known")
    late = observed.is_late & known
    described[late] = [f"end of observation; {words[kind]} after it" for kind in observed.late()[1][late]]
    entry = np.zeros(len(known)) if observed.entry is None else np.maximum(observed.entry, 0.0)
    return pd.DataFrame(
        {
            "USUBJID": identifiers.to_numpy(),
            "PARAMCD": endpoint.code,
            "PARAM": f"Time to event: {endpoint.label}",
            "AVAL": np.where(known, observed.years, np.nan),
            "AVALU": "YEARS",
            "CNSR": pd.array(np.where(observed.is_event, 0, 1), dtype="Int64").copy(),
            "EVNTDESC": described,
            "ADY": pd.array(np.rint(np.where(known, observed.years, 0.0) * DAYS_PER_YEAR) + 1, dtype="Int64"),
            "STARTY": entry,
        }
    ).assign(
        CNSR=lambda frame: frame["CNSR"].where(known),
        ADY=lambda frame: frame["ADY"].where(known),
    )
