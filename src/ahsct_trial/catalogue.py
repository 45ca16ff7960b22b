"""Every kind of event and every endpoint, declared once: names, words, columns and sources.

Screens, documents, figures, reports and published paths take their names from here, and the endpoints take
from here what counts. A new endpoint from known events is one more declaration in `SURVIVAL_ENDPOINTS`, and its
field in `results.Endpoints` and `results.ContrastEndpoints`, so that types are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["survival", "share", "rate", "count"]
#: What a figure is about, in the words of `ahsct claim --about`.
Topic = Literal[
    "activity",
    "relapse",
    "lesion",
    "worsening",
    "improvement",
    "death",
    "edss",
    "follow-up",
    "safety",
    "other",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A kind of event, and the columns of the patient table that tell of it.

    Attributes
    ----------
    key
        Its name in documents, such as in ``events_by_type``.
    words
        What it is called within a sentence.
    heading
        What it is called at the head of a column.
    years
        Column of the time to its first occurrence; empty where it has not occurred.
    known_by
        Columns one of which has a value where it is known whether the event occurred; empty where an empty
        time is enough. A column that the file lacks asks nothing.
    needed
        Columns without which the event is not in a file.
    last_assessment
        Column of the last assessment that could have shown it; None for what is seen to the end of follow-up.
    assessment
        What that assessment is called.
    assessed_by
        Columns that show that there was an assessment after time zero: a value, or a count above 0.
    record
        The kind of record that tells of it.
    """

    key: str
    words: str
    heading: str
    years: str
    needed: tuple[str, ...]
    known_by: tuple[str, ...] = ()
    last_assessment: str | None = None
    assessment: str = "the end of follow-up"
    assessed_by: tuple[str, ...] = ()
    record: str


RELAPSE = Event(
    key="relapse",
    words="relapse",
    heading="Relapse",
    years="years_to_first_relapse",
    needed=("years_to_first_relapse",),
    known_by=("relapses_after",),
    last_assessment="years_to_last_visit",
    assessment="the last visit",
    assessed_by=("relapses_after",),
    record="relapse",
)
NEW_LESION = Event(
    key="new_lesion",
    words="new lesion",
    heading="New lesion",
    years="years_to_first_new_lesion",
    needed=("years_to_first_new_lesion",),
    known_by=("scans_after",),
    last_assessment="years_to_last_scan",
    assessment="the last scan",
    assessed_by=("scans_after",),
    record="mri",
)
WORSENING = Event(
    key="worsening",
    words="confirmed EDSS worsening",
    heading="Worsening",
    years="years_to_worsening",
    needed=("years_to_worsening",),
    known_by=("edss_baseline",),
    last_assessment="years_to_last_edss",
    assessment="the last EDSS visit",
    assessed_by=("edss_last",),
    record="edss",
)
THERAPY = Event(
    key="therapy",
    words="start of a disease-modifying therapy",
    heading="Therapy",
    years="years_to_therapy",
    needed=("years_to_therapy",),
    record="therapy",
)
DEATH = Event(
    key="death",
    words="death",
    heading="Death",
    years="years_to_death",
    needed=("years_to_death",),
    record="death",
)

#: In the order in which an event is named that coincides with another.
EVENTS: tuple[Event, ...] = (RELAPSE, NEW_LESION, WORSENING, THERAPY, DEATH)
#: What disease activity is made of.
ACTIVITY: tuple[Event, ...] = (RELAPSE, NEW_LESION, WORSENING)


@dataclass(frozen=True, kw_only=True, slots=True)
class SurvivalEndpoint:
    """A time-to-event endpoint: the events it counts beside death.

    Attributes
    ----------
    key, label, short
        Its name in documents, on screens, and where a column is narrow.
    share
        What the share of patients without an event is called.
    topic
        What it is about.
    code
        Its name where one has at most eight letters, as in ADaM's PARAMCD.
    components
        Events that count, beside death and therapy by the rules of the protocol; none for overall survival,
        where a death always counts and a therapy never does.
    """

    key: str
    label: str
    short: str
    share: str
    topic: Topic
    code: str
    components: tuple[Event, ...]


SURVIVAL_ENDPOINTS: tuple[SurvivalEndpoint, ...] = (
    SurvivalEndpoint(
        key="activity_free_survival",
        label="MS activity-free survival",
        short="MS activity-free",
        share="free of MS activity",
        topic="activity",
        code="MSAFS",
        components=ACTIVITY,
    ),
    SurvivalEndpoint(
        key="relapse_free_survival",
        label="Relapse-free survival",
        short="Relapse-free",
        share="free of relapse",
        topic="relapse",
        code="RFS",
        components=(RELAPSE,),
    ),
    SurvivalEndpoint(
        key="mri_activity_free_survival",
        label="MRI activity-free survival",
        short="MRI activity-free",
        share="free of new lesions",
        topic="lesion",
        code="MRIAFS",
        components=(NEW_LESION,),
    ),
    SurvivalEndpoint(
        key="worsening_free_survival",
        label="Worsening-free survival",
        short="Worsening-free",
        share="free of confirmed worsening",
        topic="worsening",
        code="WFS",
        components=(WORSENING,),
    ),
    SurvivalEndpoint(
        key="overall_survival",
        label="Overall survival",
        short="Alive",
        share="alive",
        topic="death",
        code="OS",
        components=(),
    ),
)
#: Every event that is a component of an endpoint.
COMPONENTS: tuple[Event, ...] = tuple(
    event for event in EVENTS if any(event in endpoint.components for endpoint in SURVIVAL_ENDPOINTS)
)
#: The survival endpoint that a trial is known by.
HEADLINE = SURVIVAL_ENDPOINTS[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherEndpoint:
    """An endpoint that is not a survival curve.

    Attributes
    ----------
    key, label, short, topic
        As in `SurvivalEndpoint`.
    kind
        What its figures are: shares of patients, rates over an exposure, or counts.
    """

    key: str
    label: str
    short: str
    topic: Topic
    kind: Kind


NEDA3 = OtherEndpoint(
    key="neda3",
    label="No evidence of disease activity (NEDA-3)",
    short="NEDA-3",
    topic="activity",
    kind="share",
)
MORTALITY = OtherEndpoint(key="mortality", label="Mortality", short="Deaths", topic="death", kind="share")
DISABILITY = OtherEndpoint(
    key="disability", label="Disability", short="Disability", topic="other", kind="share"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RateEndpoint:
    """Events over an exposure, before and after time zero.

    Attributes
    ----------
    key, label, short, topic
        As in `SurvivalEndpoint`.
    events, exposure
        What is counted and over what, in words.
    unit
        Unit of the rate, as in an `Estimate`.
    before, after
        For each side the column of the count and that of the exposure.
    after_stands_in
        Column that stands in for the exposure after, where the file lacks it; None where nothing does.
    """

    key: str
    label: str
    short: str
    topic: Topic
    events: str
    exposure: str
    unit: Literal["per_year", "per_scan"]
    before: tuple[str, str]
    after: tuple[str, str]
    after_stands_in: str | None = None


RELAPSE_RATE = RateEndpoint(
    key="relapse_rate",
    label="Annualised relapse rate",
    short="Relapses",
    topic="relapse",
    events="relapses",
    exposure="person-years",
    unit="per_year",
    before=("relapses_before", "years_observed_before"),
    after=("relapses_after", "years_to_last_visit"),
    after_stands_in="follow_up_years",
)
LESIONS = RateEndpoint(
    key="lesions",
    label="MRI lesions",
    short="Lesions",
    topic="lesion",
    events="lesions",
    exposure="scans",
    unit="per_scan",
    before=("lesions_before", "scans_before"),
    after=("new_lesions_after", "scans_after"),
)
RATE_ENDPOINTS: tuple[RateEndpoint, ...] = (RELAPSE_RATE, LESIONS)

#: All of them.
ENDPOINTS: tuple[SurvivalEndpoint | RateEndpoint | OtherEndpoint, ...] = (
    *SURVIVAL_ENDPOINTS,
    *RATE_ENDPOINTS,
    NEDA3,
    DISABILITY,
    MORTALITY,
)
