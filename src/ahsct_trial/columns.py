"""The data dictionary: every column that `ahsct` reads, its kind, range, meaning and other names.

This is the one place where a column is described. Loading checks against it, the documentation is
generated from it (`ahsct columns`), and error messages quote it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "level", "years", "count", "edss"]

#: Column kinds that hold a number.
NUMERIC_KINDS: frozenset[Kind] = frozenset({"years", "count", "edss"})


@dataclass(frozen=True)
class Column:
    """One column of the input.

    Attributes
    ----------
    name
        Canonical name; times carry their origin and unit.
    kind
        ``text`` as it stands in the file; ``level`` one of `levels`; ``years`` a time or an age;
        ``count`` a whole number; ``edss`` the Expanded Disability Status Scale.
    meaning
        What the column says, in one sentence.
    high
        Largest accepted value; the smallest is 0 for every numeric kind.
    levels
        The accepted texts of a ``level`` column.
    cdisc
        The counterpart in CDISC's SDTM or ADaM, where there is one.
    aliases
        Other header names that are read as this column, compared without regard to case.
    is_required
        Whether a file without it cannot be read.
    """

    name: str
    kind: Kind
    meaning: str
    high: float = float("inf")
    levels: tuple[str, ...] = ()
    cdisc: str = ""
    aliases: tuple[str, ...] = ()
    is_required: bool = False

    @property
    def values(self) -> str:
        """The values the column accepts, in a few words."""
        match self.kind:
            case "text":
                return "text"
            case "level":
                return ", ".join(self.levels)
            case "years":
                return f"years, 0 to {self.high:g}"
            case "count":
                return f"whole number, 0 to {self.high:g}"
            case "edss":
                return "0 to 10 in half points, without 0.5"

    @property
    def rule(self) -> str:
        """The values the column accepts, as the second half of a sentence about a wrong one."""
        match self.kind:
            case "text":
                return "any text"
            case "level":
                return "it is one of " + ", ".join(self.levels)
            case "years":
                return f"years are a number from 0 to {self.high:g}"
            case "count":
                return f"a count is a whole number from 0 to {self.high:g}"
            case "edss":
                return "EDSS goes from 0 to 10 in half points, without 0.5"


#: No human follow-up or age is longer; a larger number is days or months in the wrong column.
_LONGEST_YEARS = 120.0
#: No patient has more relapses, scans or lesions; a larger number is a slip of the keyboard.
_LARGEST_COUNT = 100_000.0


def _years(name: str, meaning: str, **other: object) -> Column:
    return Column(name, "years", meaning, high=_LONGEST_YEARS, **other)  # type: ignore[arg-type]


def _count(name: str, meaning: str, **other: object) -> Column:
    return Column(name, "count", meaning, high=_LARGEST_COUNT, **other)  # type: ignore[arg-type]


def _edss(name: str, meaning: str) -> Column:
    return Column(name, "edss", meaning, high=10.0, cdisc="QS.QSSTRESN, QSTESTCD=EDSS0101")


PATIENT_ID = Column(
    "patient_id",
    "text",
    "Identifier of the patient, unique in the file; leading zeros are kept.",
    cdisc="USUBJID",
    aliases=("usubjid", "subjid", "subject_id", "subject", "patient", "id"),
    is_required=True,
)

#: What is known of a patient before transplant; a patient table and a baseline record share these.
ATTRIBUTES: tuple[Column, ...] = (
    Column("site", "text", "Hospital.", cdisc="SITEID", aliases=("siteid", "hospital", "centre", "center")),
    Column("arm", "text", "Treatment arm.", cdisc="ARM", aliases=("trt01p", "treatment_arm")),
    Column("sex", "level", "Sex.", levels=("female", "male"), cdisc="SEX (F, M)"),
    _years("age_years", "Age at transplant.", cdisc="AGE", aliases=("age",)),
    Column(
        "ms_course", "level", "Course of the disease.", levels=("RRMS", "SPMS", "PPMS"), cdisc="MH.MHTERM"
    ),
    Column(
        "prior_therapy",
        "level",
        "Whether immunosuppressive therapy before transplant had failed to control the disease.",
        levels=("yes", "no"),
        cdisc="CM.CMOCCUR",
    ),
    Column("conditioning", "text", "Conditioning regimen, e.g. Bu/Cy/ATG.", cdisc="PR.PRTRT"),
    Column("graft", "text", "Graft, e.g. CD34-selected.", cdisc="PR.PRTRT"),
)

#: One row per patient, in the order in which the columns are documented.
PATIENT_TABLE: tuple[Column, ...] = (
    PATIENT_ID,
    *ATTRIBUTES,
    _years("years_observed_before", "Time before transplant over which `relapses_before` were counted."),
    _count("relapses_before", "Relapses in that time."),
    _count("scans_before", "MRI scans before transplant."),
    _count("lesions_before", "Gadolinium-enhancing lesions on those scans, summed."),
    _years(
        "follow_up_years",
        "Transplant to last contact or death.",
        cdisc="ADTTE.AVAL (years)",
        aliases=("follow_up", "followup_years"),
        is_required=True,
    ),
    _count("relapses_after", "Relapses from transplant to the end of follow-up."),
    _years("years_to_first_relapse", "Transplant to the first relapse after it.", cdisc="ADTTE.AVAL, CNSR=0"),
    _count("scans_after", "MRI scans after transplant."),
    _count("scans_with_new_lesions_after", "Those of `scans_after` with at least one new lesion."),
    _count(
        "new_lesions_after",
        "New lesions on `scans_after`, summed: gadolinium-enhancing or new or enlarging T2.",
    ),
    _years(
        "years_to_first_new_lesion",
        "Transplant to the first scan with a new lesion.",
        cdisc="ADTTE.AVAL, CNSR=0",
    ),
    _years(
        "years_to_last_scan", "Transplant to the last scan; without the column, `follow_up_years` stands in."
    ),
    _years(
        "years_to_last_edss",
        "Transplant to the last EDSS visit; without the column, `follow_up_years` stands in.",
    ),
    _edss("edss_baseline", "EDSS at baseline."),
    _edss("edss_last", "EDSS at the last visit after transplant."),
    _years(
        "years_to_worsening",
        "Transplant to the onset of EDSS worsening that was then confirmed.",
        cdisc="ADTTE.AVAL, CNSR=0",
    ),
    _years(
        "years_to_improvement",
        "Transplant to the onset of EDSS improvement that was then confirmed.",
        cdisc="ADTTE.AVAL, CNSR=0",
    ),
    _years(
        "years_to_death", "Transplant to death; equal to `follow_up_years`.", cdisc="ADTTE.AVAL, PARAMCD=OS"
    ),
    Column(
        "cause_of_death",
        "level",
        "Cause of death.",
        levels=("transplant", "ms", "other"),
        cdisc="DD.DDSTRESC, DDTESTCD=PRCDTH",
    ),
)
