"""`Protocol`: every choice that an endpoint depends on, and the protocols that are built in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown, shown_path
from ahsct_trial.wording import is_it_meant

DAYS_PER_YEAR = 365.25
DAYS_PER_WEEK = 7

TimeZero = Literal["transplant", "randomisation"]
ObservationEnd = Literal["last-assessment", "follow-up"]
DeathRule = Literal["event", "censor"]
TherapyRule = Literal["ignore", "event", "censor"]
CiMethod = Literal["log-log", "log", "plain", "logit", "arcsin", "beta-product"]
Unconfirmed = Literal["ignore", "event"]
Baseline = Literal["last-before", "first-stable"]
NewLesion = Literal["gd", "t2", "either"]

#: Settings that only raw records can answer to: a patient table holds what they lead to.
RECORDS_ONLY = (
    "worsening_confirm_weeks",
    "confirm_early_days",
    "confirm_late_days",
    "unconfirmed",
    "relapse_free_days",
    "relapse_gap_days",
    "baseline",
    "step_from_zero",
    "step_low",
    "step_high",
    "step_high_from",
    "new_lesion",
    "mri_from_day",
)

#: The settings that take one of a few words, and the words.
CHOICES: dict[str, tuple[str, ...]] = {
    "time_zero": get_args(TimeZero),
    "observation_end": get_args(ObservationEnd),
    "death": get_args(DeathRule),
    "therapy": get_args(TherapyRule),
    "ci_method": get_args(CiMethod),
    "unconfirmed": get_args(Unconfirmed),
    "baseline": get_args(Baseline),
    "new_lesion": get_args(NewLesion),
}
#: Lowest and highest value of each numeric setting.
_RANGES = {
    "horizon_years": (0.0, 120.0, "above 0 and at most 120 years"),
    "landmark_window_days": (0.0, 365.0, "from 0 to 365 days"),
    "death_reach_days": (0.0, 20_000.0, "from 0 to 20000 days"),
    "confidence_level": (0.0, 1.0, "above 0 and below 1, for example 0.95"),
    "worsening_confirm_weeks": (0.0, 1000.0, "from 0 to 1000 weeks"),
    "confirm_early_days": (0.0, 10_000.0, "from 0 to 10000 days"),
    "confirm_late_days": (0.0, 10_000.0, "from 0 to 10000 days, or left out for no limit"),
    "relapse_free_days": (0.0, 10_000.0, "from 0 to 10000 days"),
    "relapse_gap_days": (0.0, 10_000.0, "from 0 to 10000 days"),
    "step_from_zero": (0.0, 10.0, "above 0 and at most 10 EDSS points"),
    "step_low": (0.0, 10.0, "above 0 and at most 10 EDSS points"),
    "step_high": (0.0, 10.0, "above 0 and at most 10 EDSS points"),
    "step_high_from": (0.0, 10.0, "from 0 to 10 EDSS points"),
    "mri_from_day": (0.0, 10_000.0, "from 0 to 10000 days"),
}
#: Ends of these ranges that are not accepted themselves: they would mean nothing.
_OPEN_ENDS = {
    ("horizon_years", 0),
    ("confidence_level", 0),
    ("confidence_level", 1),
    ("step_from_zero", 0),
    ("step_low", 0),
    ("step_high", 0),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Protocol:
    """The choices behind every figure; a frozen value that is printed with the results.

    Attributes
    ----------
    name
        Name of the built-in protocol, or of the file it was read from.
    time_zero
        What makes day 0: ``transplant`` or ``randomisation``.
    horizon_years
        Landmark of the headline figures [years].
    landmark_window_days
        How long before a landmark the last assessment may lie and still reach it [days].
    observation_end
        ``last-assessment``: a patient's observation ends at the earliest of the last assessments that could
        have shown each component; ``follow-up``: at the end of follow-up, so that a patient who is no longer
        assessed is presumed free.
    death_reach_days
        A death this soon after the last common assessment still counts [days].
    death
        ``event`` counts a death as an event, ``censor`` ends the observation there.
    therapy
        A therapy started after time zero is ignored, is an ``event``, or ends the observation (``censor``):
        the strategies of ICH E9(R1) for an intercurrent event.
    ci_method
        Scale of the Kaplan–Meier interval.
    confidence_level
        Two-sided confidence level of every interval, between 0 and 1.
    worsening_confirm_weeks
        Worsening must still be there this much later [weeks].
    confirm_early_days, confirm_late_days
        How far before and after that date the confirming visit may lie [days]; None is no limit.
    unconfirmed
        Worsening at a patient's last visit, which nothing can confirm, is ignored or is an ``event``.
    relapse_free_days
        An EDSS visit this soon after a relapse neither sets the baseline nor confirms [days].
    relapse_gap_days
        A relapse that begins within this many days of the previous one's onset is the same relapse [days].
    baseline
        ``last-before``: the last EDSS at or before time zero; ``first-stable``: the first one from day 0 on
        that is relapse-free, from which day on the patient is at risk of worsening.
    step_from_zero, step_low, step_high, step_high_from
        EDSS rise that counts: from 0; from 1.0 to below `step_high_from`; from there up [EDSS points].
    new_lesion
        Which lesions are an event: gadolinium-enhancing, new T2, or either.
    mri_from_day
        Scans up to this day after time zero set the reference and are not events [days].

    Raises
    ------
    UsageError
        If a setting is outside its range; the text names the setting and what it accepts.
    """

    name: str = "default"
    time_zero: TimeZero = "transplant"
    horizon_years: float = 3.0
    landmark_window_days: float = 0.0
    observation_end: ObservationEnd = "last-assessment"
    death_reach_days: float = 365.0
    death: DeathRule = "event"
    therapy: TherapyRule = "ignore"
    ci_method: CiMethod = "log-log"
    confidence_level: float = 0.95
    worsening_confirm_weeks: float = 24.0
    confirm_early_days: float = 7.0
    confirm_late_days: float | None = None
    unconfirmed: Unconfirmed = "ignore"
    relapse_free_days: float = 30.0
    relapse_gap_days: float = 0.0
    baseline: Baseline = "last-before"
    step_from_zero: float = 1.5
    step_low: float = 1.0
    step_high: float = 0.5
    step_high_from: float = 5.5
    new_lesion: NewLesion = "either"
    mri_from_day: float = 0.0

    def __post_init__(self) -> None:
        for setting, choices in CHOICES.items():
            value = getattr(self, setting)
            if value not in choices:
                rule = f"{setting} is {shown(repr(value))}; it is one of {', '.join(choices)}."
                raise UsageError(f"{rule} {is_it_meant(str(value), choices)}".rstrip())
        for setting, (low, high, rule) in _RANGES.items():
            value = getattr(self, setting)
            if value is None and setting == "confirm_late_days":
                continue
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            # `not low <= value` also refuses NaN, which compares false with everything.
            if not is_number or not low <= value <= high or (setting, value) in _OPEN_ENDS:
                raise UsageError(f"{setting} is {shown(repr(value))}; it must be a number {rule}.")


#: The settings that a user changes in the protocol that a command or a publication starts from.
Overrides = Mapping[str, Any]

BUILT_IN: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(),
        Protocol(name="atkins2016-lancet", death="censor"),
        Protocol(name="halt-ms", horizon_years=5.0, confidence_level=0.90),
        Protocol(
            name="msprog",
            worsening_confirm_weeks=12.0,
            confirm_early_days=7.0,
            confirm_late_days=730.5,
            baseline="first-stable",
        ),
    )
}

#: The names of all settings, in the order in which they are printed.
SETTINGS = tuple(field.name for field in fields(Protocol) if field.name != "name")


def named_protocol(name: str, settings: Mapping[str, Any]) -> Protocol:
    """Make a protocol of its own from settings that differ from the default.

    Raises
    ------
    UsageError
        If a key is no setting, with the closest one, or its value is outside its range.
    """
    for key in settings:
        if key not in SETTINGS:
            meant = is_it_meant(key, SETTINGS) or f"Settings are {', '.join(SETTINGS)}."
            raise UsageError(f"Protocol {shown(name)}: there is no setting '{shown(key)}'. {meant}")
    try:
        return replace(BUILT_IN["default"], name=name, **settings)
    except UsageError as error:
        raise UsageError(f"Protocol {shown(name)}: {error}") from None


def with_settings(protocol: Protocol, settings: Overrides) -> Protocol:
    """Change some settings of a protocol; its name then says which.

    Raises
    ------
    UsageError
        If a value is outside its range.
    """
    changed = {name: value for name, value in settings.items() if getattr(protocol, name) != value}
    if not changed:
        return protocol
    return replace(protocol, name=f"{protocol.name}, changed: {', '.join(changed)}", **changed)


def find_protocol(name_or_file: str) -> Protocol:
    """Find a built-in protocol by name, or read one from a TOML file that changes the default.

    Raises
    ------
    UsageError
        If there is neither, or the file is not a protocol; the text says which and what to do.
    """
    if name_or_file in BUILT_IN:
        return BUILT_IN[name_or_file]
    path = Path(name_or_file)
    if path.suffix != ".toml":
        sentence = (
            f"There is no protocol {shown_path(name_or_file)!r}. Built in are {', '.join(BUILT_IN)}; or name a "
            "file that ends in .toml."
        )
        raise UsageError(f"{sentence} {is_it_meant(name_or_file, BUILT_IN)}".rstrip())
    from ahsct_trial.toml import read_toml

    return named_protocol(shown(path.name, longest=255), read_toml(path, "Protocol"))
