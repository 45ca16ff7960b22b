"""The data dictionary: every column that `ahsct` reads, its kind, range, meaning and other names.

This is the one place where a column is described. Loading checks against it, the documentation is
generated from it (`ahsct columns`), and error messages quote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ahsct_trial.wording import listed

Kind = Literal["text", "level", "years", "count", "edss", "day", "date"]

#: Column kinds that are read as a number; a date as its days since 1970.
NUMERIC_KINDS: frozenset[Kind] = frozenset({"years", "count", "edss", "day", "date"})


@dataclass(frozen=True)
class Column:
    """One column of the input.

    Attributes
    ----------
    name
        Canonical name; times carry their origin and unit.
    kind
        ``text`` as it stands in the file; ``level`` one of `levels`; ``years`` a time or an age;
        ``count`` a whole number; ``edss`` the Expanded Disability Status Scale; ``day`` whole days from
        transplant, negative before it; ``date`` a date.
    meaning
        What the column says, in one sentence.
    high, low
        Largest and smallest accepted value.
    levels
        The accepted texts of a ``level`` column, compared without regard to case and outer blanks.
    codes
        Other texts that everybody reads as one of the levels, in lower case.
    is_after_zero
        Whether a time must be above 0: a 0 is mostly a code for "none", for which an empty cell is right.
    cdisc
        The counterpart in CDISC's SDTM or ADaM, where there is one.
    aliases
        Other header names that are read as this column, compared without regard to case.
    is_required
        Whether a file without it cannot be read.
    is_within_follow_up
        Whether it is a time that cannot be later than ``follow_up_years``.
    first_record
        The kind of record whose first one after time zero it tells the time of, where no more decides it.
    """

    name: str
    kind: Kind
    meaning: str
    high: float = float("inf")
    low: float = 0.0
    levels: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict, hash=False)
    is_after_zero: bool = False
    cdisc: str = ""
    aliases: tuple[str, ...] = ()
    is_required: bool = False
    is_within_follow_up: bool = False
    first_record: str = ""

    @property
    def values(self) -> str:
        """The values the column accepts, in a few words."""
        return {
            "text": "text",
            "level": ", ".join(self.levels),
            "years": f"years, {'above 0' if self.is_after_zero else '0'} to {self.high:g}",
            "count": f"whole number, 0 to {self.high:,.0f}",
            "edss": "0 to 10 in half points, without 0.5",
            "day": "whole days from time zero, negative before it",
            "date": "date as YYYY-MM-DD",
        }[self.kind]

    @property
    def rule(self) -> str:
        """The values the column accepts, as the second half of a sentence about a wrong one."""
        return {
            "text": "any text",
            "level": f"it must be {listed(self.levels or ('',), 'or')}",
            "years": f"it must be a number of years {_from(self.is_after_zero)} {self.high:g}",
            "count": f"it must be a whole number from 0 to {self.high:,.0f}",
            "edss": "EDSS goes from 0 to 10 in half points, without 0.5",
            "day": f"it must be a whole number of days from time zero, within {self.high:,.0f} days of it",
            "date": "it must be a date that exists, as YYYY-MM-DD (another form needs --date-format)",
        }[self.kind]


def _from(is_after_zero: bool) -> str:
    return "above 0, up to" if is_after_zero else "from 0 to"


#: Nobody is older.
_OLDEST = 120.0
#: No trial or registry of this treatment has followed anybody longer; a larger number is days or months.
_LONGEST_YEARS = 50.0
#: No patient has more relapses, scans or lesions; a larger number is a slip of the keyboard.
_LARGEST_COUNT = 100_000.0
_EDSS_CDISC = "QS.QSSTRESN, QSTESTCD=EDSS0101"


def _years(name: str, meaning: str, **other: object) -> Column:
    return Column(name, "years", meaning, high=_LONGEST_YEARS, **other)  # type: ignore[arg-type]


def _count(name: str, meaning: str, **other: object) -> Column:
    return Column(name, "count", meaning, high=_LARGEST_COUNT, **other)  # type: ignore[arg-type]


def _edss(name: str, meaning: str) -> Column:
    return Column(name, "edss", meaning, high=10.0, cdisc=_EDSS_CDISC)


PATIENT_ID = Column(
    "patient_id",
    "text",
    "Identifier of the patient, unique in the file; leading zeros are kept.",
    cdisc="USUBJID",
    aliases=("usubjid", "subjid", "subject_id", "subject", "patient", "id"),
    is_required=True,
)

#: What is known of a patient before time zero; a patient table and a baseline record share these.
ATTRIBUTES: tuple[Column, ...] = (
    Column("site", "text", "Hospital.", cdisc="SITEID", aliases=("siteid", "hospital", "centre", "center")),
    Column("arm", "text", "Treatment arm.", cdisc="ARM", aliases=("trt01p", "treatment_arm")),
    Column(
        "sex",
        "level",
        "Sex.",
        levels=("female", "male"),
        codes={"f": "female", "m": "male"},
        cdisc="SEX (F, M)",
    ),
    Column("age_years", "years", "Age at time zero.", high=_OLDEST, cdisc="AGE", aliases=("age",)),
    Column(
        "ms_course",
        "level",
        "Course of the disease.",
        levels=("RRMS", "SPMS", "PPMS"),
        codes={"rr": "RRMS", "sp": "SPMS", "pp": "PPMS"},
        cdisc="MH.MHTERM",
    ),
    Column(
        "prior_therapy",
        "level",
        "Whether immunosuppressive therapy before transplant had failed to control the disease.",
        levels=("yes", "no"),
        codes={"y": "yes", "n": "no"},
        cdisc="CM.CMOCCUR",
    ),
    Column("conditioning", "text", "Conditioning regimen, e.g. Bu/Cy/ATG.", cdisc="PR.PRTRT"),
    Column("graft", "text", "Graft, e.g. CD34-selected.", cdisc="PR.PRTRT"),
)

CAUSE_OF_DEATH = Column(
    "cause_of_death",
    "level",
    "Cause of death.",
    levels=("transplant", "ms", "other"),
    cdisc="DD.DDSTRESC, DDTESTCD=PRCDTH",
)

#: One row per patient, in the order in which the columns are documented.
PATIENT_TABLE: tuple[Column, ...] = (
    PATIENT_ID,
    *ATTRIBUTES,
    _years("years_observed_before", "Time before time zero over which relapses_before were counted."),
    _count("relapses_before", "Relapses in that time."),
    _count("scans_before", "MRI scans before time zero."),
    _count("lesions_before", "Gadolinium-enhancing lesions on those scans, summed."),
    _years(
        "follow_up_years",
        "Time zero to last contact of any kind, or death.",
        cdisc="ADTTE.AVAL (years)",
        aliases=("follow_up", "followup_years"),
        is_required=True,
    ),
    _years(
        "years_to_last_visit",
        "Time zero to the last clinical contact, which could have shown a relapse; without the column, "
        "follow_up_years stands in.",
        is_within_follow_up=True,
    ),
    _count("relapses_after", "Relapses from time zero to the last visit."),
    _years(
        "years_to_first_relapse",
        "Time zero to the first relapse after it.",
        cdisc="ADTTE.AVAL, CNSR=0",
        is_after_zero=True,
        is_within_follow_up=True,
    ),
    _count("scans_after", "MRI scans after time zero."),
    _count("scans_with_new_lesions_after", "Those of scans_after with at least one new lesion."),
    _count(
        "new_lesions_after",
        "New lesions on scans_after, summed: gadolinium-enhancing or new or enlarging T2.",
    ),
    _years(
        "years_to_first_new_lesion",
        "Time zero to the first scan with a new lesion.",
        cdisc="ADTTE.AVAL, CNSR=0",
        is_after_zero=True,
        is_within_follow_up=True,
    ),
    _years(
        "years_to_last_scan",
        "Time zero to the last scan; without the column, follow_up_years stands in.",
        is_within_follow_up=True,
    ),
    _years(
        "years_to_last_edss",
        "Time zero to the last EDSS visit; without the column, follow_up_years stands in.",
        is_within_follow_up=True,
    ),
    _edss("edss_baseline", "EDSS at baseline."),
    _edss("edss_last", "EDSS at the last visit after time zero."),
    _years(
        "years_to_worsening",
        "Time zero to the onset of EDSS worsening that was then confirmed.",
        cdisc="ADTTE.AVAL, CNSR=0",
        is_after_zero=True,
        is_within_follow_up=True,
    ),
    _years(
        "years_to_improvement",
        "Time zero to the onset of EDSS improvement that was then confirmed.",
        cdisc="ADTTE.AVAL, CNSR=0",
        is_after_zero=True,
        is_within_follow_up=True,
    ),
    _years(
        "years_to_therapy",
        "Time zero to the start of the first disease-modifying therapy after transplant.",
        cdisc="ADTTE.AVAL, CNSR=0",
        is_after_zero=True,
        first_record="therapy",
        is_within_follow_up=True,
    ),
    _years("years_to_death", "Time zero to death; equal to follow_up_years.", cdisc="ADTTE.AVAL, PARAMCD=OS"),
    CAUSE_OF_DEATH,
)

#: A record's kind, and what it says.
RECORD_KINDS: dict[str, str] = {
    "baseline": "what is known of the patient before time zero; has no day",
    "transplant": "the transplant: day 0, and a file with dates needs one per patient; with time zero at "
    "randomisation it may stand on any day and be missing",
    "randomisation": "the randomisation: day 0 where the protocol puts time zero there",
    "observed_from": "start of the relapse history before time zero",
    "relapse": "onset of a relapse",
    "edss": "EDSS visit",
    "mri": "MRI scan",
    "therapy": "start of a disease-modifying therapy",
    "death": "death, with its cause",
    "last_contact": "last contact without any other observation",
    "alive": "known to be alive that day, from a registry: follow-up, and not a visit",
}

#: 50 years of 365.25 days.
_LONGEST_DAYS = 18_262.0

#: One row per observation.
RECORDS: tuple[Column, ...] = (
    replace(PATIENT_ID, meaning="Identifier of the patient; leading zeros are kept."),
    Column(
        "record",
        "level",
        "Kind of observation.",
        levels=tuple(RECORD_KINDS),
        aliases=("record_type",),
        is_required=True,
    ),
    Column(
        "day",
        "day",
        "Days from time zero, negative before it; in a file with date, left out.",
        high=_LONGEST_DAYS,
        low=-_LONGEST_DAYS,
        cdisc="--DY (which has no day 0)",
    ),
    Column(
        "date",
        "date",
        "Date of the observation; in a file with day, left out.",
        low=float("-inf"),
        cdisc="--DTC",
    ),
    *ATTRIBUTES,
    _edss("edss", "EDSS of an edss record."),
    _count("gd_lesions", "Gadolinium-enhancing lesions on the scan of an mri record."),
    _count("new_t2_lesions", "New or enlarging T2 lesions on that scan."),
    _count("new_lesions", "Lesions on that scan that are one or the other, each once."),
    CAUSE_OF_DEATH,
)

#: The measurements that a kind of record holds; a value of another kind is an error.
MEASUREMENTS: dict[str, tuple[str, ...]] = {
    "edss": ("edss",),
    "mri": ("gd_lesions", "new_t2_lesions", "new_lesions"),
    "death": ("cause_of_death",),
}
