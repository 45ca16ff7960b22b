"""Records files: what is taken, what is refused, and what is said to the person who keeps the registry.

The expected messages are written by hand; line 1 is the header, so the first record stands on line 2.
"""

from __future__ import annotations

import csv
import io
import random
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from record_files import csv_of, differences, figures, read, records, rows_of

from ahsct_trial import Protocol, Trial, summarize
from ahsct_trial.columns import RECORD_KINDS
from ahsct_trial.errors import AhsctError, UsageError
from ahsct_trial.loading import values as meanings
from ahsct_trial.loading.date_formats import as_date_format
from ahsct_trial.loading.problems import DataProblems
from ahsct_trial.tracing import trace

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample_records.csv"

HEADER = "patient_id,record,day,edss,gd_lesions,new_t2_lesions,new_lesions,cause_of_death"
DATED = "patient_id,record,date,edss"
#: A patient who is as they should be, on lines 2 and 3.
GOOD = "P1,transplant,0\nP1,last_contact,900\n"
GOOD_DATED = "P1,transplant,2020-01-31\nP1,last_contact,2022-01-31\n"

# Sentences that many messages share.
DAY = "it must be a whole number of days from time zero, within 18,262 days of it. Correct it."
EDSS = "EDSS goes from 0 to 10 in half points, without 0.5. Correct it or leave it empty."
COUNT = "it must be a whole number from 0 to 100,000. Correct it or leave it empty."
KINDS = (
    "it must be baseline, transplant, randomisation, observed_from, relapse, edss, mri, therapy, death, "
    "last_contact or alive. Correct it, or give a map that translates it."
)
DATE = "it must be a date that exists, as YYYY-MM-DD (another form needs --date-format). Correct it."
NEEDS_DAY = "every record but a baseline needs it. Enter it."
NEEDS_COUNT = (
    "an mri record needs one of gd_lesions, new_t2_lesions, new_lesions. Enter it, or remove the record."
)
TAKEN = (
    "new_lesions is lower than gd_lesions or new_t2_lesions, and should hold each of these once. "
    "It is taken as it is."
)
OWN = "Move it to a record of its own, or leave it empty."
NO_FOLLOW_UP = (
    "the patient has no record from the transplant on, so no follow-up. "
    "Add a transplant and a last_contact record, or remove the patient."
)
NO_DAY_0 = "the patient has no transplant record, so no day 0. Add the transplant with its date."
NEGATIVE = (
    "the relapse history begins at or before the transplant. "
    "Correct it: days before the transplant are negative."
)


#: What is said of a file without a relapse.
NO_RELAPSE = "There is no relapse or observed_from record: relapse endpoints are not in this file."


def padded(header: str, body: str) -> str:
    """Rows with as many cells as the header; the last ones may be left out of `body`."""
    n_commas = header.count(",")
    return "".join(f"{row}{',' * (n_commas - row.count(','))}\n" for row in [header, *body.splitlines()])


def messages(text: str, **options: str) -> list[str]:
    """Each problem of a text as it is shown, without the name of the file."""
    with pytest.raises(DataProblems) as caught:
        read(text, **options)
    assert caught.value.n_problems == len(caught.value.problems)
    return [str(problem).removeprefix("records.csv:") for problem in caught.value.problems]


def taken(text: str, **options: str) -> Trial:
    found = read(text, **options)
    assert found.layout == "records"
    return found


def notices(found: Trial) -> tuple[str, ...]:
    return tuple(notice.text for notice in found.notices)


def in_file_order(found: Trial) -> list[tuple[str, int, int]]:
    """Kind, patient and day of each record."""
    rows = [
        (row, kind, patient, day)
        for kind, own in found.data.observations.items()
        for patient, day, row in zip(*(column.tolist() for column in own), strict=True)
    ]
    return [(kind, patient, day) for _, kind, patient, day in sorted(rows)]


def days(found: Trial) -> list[int]:
    """The day of each record, in the order of the file."""
    return [day for _, _, day in in_file_order(found)]


# ---- A file in which nothing is wrong --------------------------------------------------------------------


def test_records_are_coded_in_the_order_of_the_file():
    found = records(
        """
        P2 edss 90 edss=3.5
        P1 mri -4 gd=2
        P2 baseline - sex=female age_years=38 site=Ottawa
        P2 transplant 0
        P1 death 62 cause=transplant
        P2 edss -4 edss=4.0
        """
    )
    assert in_file_order(found) == [
        ("edss", 0, 90),
        ("mri", 1, -4),
        ("baseline", 0, 0),
        ("transplant", 0, 0),
        ("death", 1, 62),
        ("edss", 0, -4),
    ]
    assert found.places.lines.tolist() == [2, 3, 4, 5, 6, 7]
    assert found.data.patients["patient_id"].tolist() == ["P2", "P1"]
    # P1 has no baseline record, so nothing is known of him.
    assert found.data.patients["sex"].tolist()[0] == "female"
    assert found.data.patients["sex"].isna().tolist() == [False, True]
    assert found.data.patients["age_years"].tolist()[0] == 38
    assert np.isnan(found.data.patients["age_years"][1])
    # Visits come in the order of patient and day.
    assert found.data.edss_visits.day.tolist() == [-4, 90]
    assert found.data.edss_visits.edss.tolist() == [4.0, 3.5]
    assert found.data.scans.gd_lesions.tolist() == [2]
    assert np.isnan(found.data.scans.new_lesions).all()
    assert found.data.values["cause_of_death"].tolist() == ["transplant"]
    [source] = found.source.files
    assert (found.source.shape, source.n_rows, found.account.rows_used) == ("records", 6, 6)
    assert notices(found) == (NO_RELAPSE,)


def test_a_header_with_aliases_and_a_semicolon_file():
    text = "USUBJID;record_type;day;edss\n007;transplant;0;\n007;edss;90;3,5\n007;last_contact;900;\n"
    found = taken(text)
    assert found.data.patients["patient_id"].tolist() == ["007"]
    assert found.data.edss_visits.edss.tolist() == [3.5]


def test_dates_become_days_from_each_patients_transplant():
    # 2020 is a leap year: 31 January to 1 March is 30 days. P2 is transplanted on his last row.
    found = taken(
        f"{DATED}\nP1,transplant,2020-01-31,\nP1,edss,2020-03-01,3.5\nP1,relapse,2020-01-30,\n"
        "P2,last_contact,2021-05-01,\nP1,baseline,,\nP2,transplant,2021-04-30,\n"
    )
    assert days(found) == [0, 30, -1, 1, 0, 0]


def test_a_date_before_1970_is_a_date():
    # 1 January 1965 to 31 January 2015: 50 years, of which 1968, 1972, …, 2012 (12) are leap, and 30 days;
    # that is 18,292 days, and the reach is 18,262.
    body = "P1,transplant,2014-12-31\nP1,last_contact,2016-12-31\nP1,observed_from,1965-01-01"
    assert days(taken(padded(DATED, body))) == [0, 731, -(49 * 365 + 12 + 364)]


@pytest.mark.parametrize(
    "contact",
    [
        "2020-03-01T11:45",
        "2020-03-01 00:00:00",
        "2020-03-01T09:30:15Z",
        " 2020-03-01 ",
        "2020-03-01T23:59:59.5+02:00",
    ],
)
def test_a_time_of_day_is_no_part_of_a_date(contact):
    text = padded(DATED, f"P1,transplant,2020-01-31\nP1,last_contact,{contact}")
    assert days(taken(text)) == [0, 30]


@pytest.mark.parametrize(
    ("form", "transplant", "contact"),
    [
        ("%d.%m.%Y", "31.01.2020", "1.3.2020"),
        ("%d.%m.%y", "31.01.20", "01.03.20"),
        ("%m/%d/%Y", "01/31/2020", "03/01/2020"),
        ("%Y%m%d", "20200131", "20200301"),
        ("%Y-%m-%d %H:%M", "2020-01-31 23:59", "2020-03-01 00:01"),
        ("%d %b %Y", "31 Jan 2020", "1 Mar 2020"),
        ("%Y-%m-%d", "2020-01-31", "2020-03-01"),
        ("dd.mm.yyyy", "31.01.2020", "01.03.2020"),
        ("mm/dd/yy", "01/31/20", "03/01/20"),
        ("DD-MMM-YYYY", "31-JAN-2020", "01-MAR-2020"),
    ],
)
def test_dates_of_another_form(form, transplant, contact):
    # A time of day is no part of a day: from late on the 31st to early on the 1st is 30 days too.
    text = padded(DATED, f"P1,transplant,{transplant}\nP1,last_contact,{contact}\nP1,baseline,")
    assert days(taken(text, date_format=form)) == [0, 30, 0]


def test_rows_without_a_value_are_set_aside():
    found = taken(padded(HEADER, f"{GOOD},\n,NA,NA\nP1,relapse,5"))
    assert found.places.lines.tolist() == [2, 3, 6]
    assert (found.account.rows_read, found.account.rows_used) == (5, 3)
    [aside] = found.account.set_aside
    assert (aside.reason, aside.count) == ("row without a value in a known column", 2)


def test_scores_of_one_day_that_agree_are_fine():
    found = taken(padded(HEADER, GOOD + "P1,edss,90,3.5\nP1,edss,90,3.50\nP1,edss,91,4"))
    assert found.data.edss_visits.edss.tolist() == [3.5, 3.5, 4.0]


# ---- The header -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            "patient_id,record,day,date",
            "the header has both day and date; records have whole days from transplant or dates. "
            "Keep one of the two columns.",
        ),
        (
            "patient_id,record,edss",
            "the header has neither day nor date; records have whole days from transplant or dates. "
            "Add one of the two columns.",
        ),
    ],
)
def test_day_or_date(header, said):
    assert messages(padded(header, "P1,transplant,0")) == [f" {said}"]


@pytest.mark.parametrize(
    "form", ["", "%", "%Q", "%d%d%m%Y", "%d.%m", "%Y", "%H:%M", "dd.mm", "tt.mm.jjjj", "\0", "%d.%y"]
)
def test_a_date_format_that_holds_no_date(form):
    with pytest.raises(
        UsageError,
        match=r"must have a day, a month and a year once each, for example %d\.%m\.%Y or dd\.mm\.yyyy\.",
    ):
        read(padded(DATED, GOOD_DATED), date_format=form)


# ---- One message for each thing that can be wrong ---------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "said"),
    [
        # Kinds
        ("P1,relaps,5", f"record is 'relaps'; {KINDS}"),
        ("P1,,5", "record is empty; it cannot be left empty. Enter it."),
        # A kind without its value
        (
            "P1,mri,5",
            f"gd_lesions is empty; {NEEDS_COUNT}",
        ),
        # A value of another kind
        (
            "P1,relapse,5,3.5",
            f"edss is 3.5; the record is 'relapse', and only an edss record holds it. {OWN}",
        ),
        (
            "P1,last_contact,5,,,2",
            f"new_t2_lesions is 2; the record is 'last_contact', and only an mri record holds it. {OWN}",
        ),
        (
            "P1,relapse,5,,,,,ms",
            f"cause_of_death is 'ms'; the record is 'relapse', and only a death record holds it. {OWN}",
        ),
        # Wrong values
        ("P1,edss,5,3.2", f"edss is 3.2; {EDSS}"),
        ("P1,edss,5,0.5", f"edss is 0.5; {EDSS}"),
        ("P1,edss,5,high", f"edss is 'high'; {EDSS} If it stands for missing, add --missing high."),
        ("P1,mri,5,,two", f"gd_lesions is 'two'; {COUNT} If it stands for missing, add --missing two."),
        (
            "P1,mri,5,,,,-1",
            f"new_lesions is -1; {COUNT} If it stands for missing, add --missing '-1'.",
        ),
        (
            "P1,death,900,,,,,cancer",
            "cause_of_death is 'cancer'; it must be transplant, ms or other. "
            "Correct it, or give a map that translates it.",
        ),
        # Days
        ("P1,relapse,", f"day is empty; {NEEDS_DAY}"),
        ("P1,relapse,NA", f"day is empty; {NEEDS_DAY}"),
        ("P1,relapse,12.5", f"day is 12.5; {DAY}"),
        ("P1,relapse,soon", f"day is 'soon'; {DAY}"),
        ("P1,relapse,18263", f"day is 18263; {DAY}"),
        ("P1,relapse,-1e300", f"day is '-1e300'; {DAY}"),
        ("P1,baseline,soon", f"day is 'soon'; {DAY}"),
        ("P1,relapse,2020-01-05", f"day is 2020-01-05; {DAY}"),
        # Records that cannot be where they are
        ("P1,observed_from,30", f"day is 30; {NEGATIVE}"),
        (
            "P1,death,-3",
            "day is -3; that is a death before the transplant. Correct it, or remove the patient.",
        ),
    ],
)
def test_one_wrong_row(row, said):
    assert messages(padded(HEADER, GOOD + row)) == [f"4 patient P1: {said}"]


def test_a_row_without_an_identifier():
    assert messages(padded(HEADER, GOOD + ",relapse,5")) == [
        "4: patient_id is empty; it cannot be left empty. Enter it, or remove a row of totals."
    ]


def test_a_column_that_the_file_lacks():
    text = padded("patient_id,record,day", GOOD + "P1,mri,5\nP1,mri,6")
    assert messages(text) == [f"4, 5: there is no column gd_lesions; {NEEDS_COUNT}"]


@pytest.mark.parametrize("header", [HEADER, "patient_id,record,day"])
def test_an_edss_visit_without_a_score_is_a_contact(header):
    found = taken(padded(header, "P1,edss,-5\nP1,edss,800\nP1,transplant,0"))
    assert in_file_order(found) == [("last_contact", 0, -5), ("last_contact", 0, 800), ("transplant", 0, 0)]
    assert "2 edss records have no score, and count as contacts only." in notices(found)


def test_a_scan_without_a_number_in_a_file_with_one_column_for_it():
    text = "patient_id,record,day,new_lesions\nP1,transplant,0,\nP1,mri,5,\nP1,mri,6,1\n"
    assert messages(text) == [f"3 patient P1: new_lesions is empty; {NEEDS_COUNT}"]


def test_a_transplant_on_another_day():
    text = padded(
        HEADER, "P1,transplant,1\nP1,last_contact,900\nP2,transplant,0\nP3,transplant,-1\nP3,edss,9,3"
    )
    assert messages(text) == [
        "2 patient P1: day is 1; the transplant is day 0. Count all days from the transplant.",
        "5 patient P3: day is -1; the transplant is day 0. Count all days from the transplant.",
    ]


def test_scores_of_one_day_that_disagree():
    # Each is held against the first of its day in the file: line 7 agrees with line 4.
    body = (
        GOOD + "P1,edss,90,3.5\nP1,edss,91,3.0\nP1,edss,90,3.0\nP1,edss,90,3.5\nP2,edss,90,3.0\nP1,edss,90,4"
    )
    assert messages(padded(HEADER, body)) == [
        "6 patient P1: edss is 3; another score of the same day stands on line 4. Keep the right one.",
        "9 patient P1: edss is 4; another score of the same day stands on line 4. Keep the right one.",
    ]


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("baseline,", "a baseline"),
        ("transplant,0", "a transplant"),
        ("observed_from,-90", "an observed_from"),
        ("death,900", "a death"),
    ],
)
def test_what_a_patient_has_once(row, named):
    kind = row.split(",", maxsplit=1)[0]
    body = f"P1,{row}\nP1,last_contact,5\nP2,{row}\nP1,{row}\nP2,last_contact,5\nP1,{row}"
    # These are alike in every cell but one, which nobody reads.
    rows = [f"{row},{number}" for number, row in enumerate(padded(HEADER, body).splitlines())]
    assert messages("\n".join(rows)) == [
        f"5, 7: record is '{kind}'; the patient has {named} record on lines 2, 2 already. Keep one of them."
    ]
    assert taken(padded(HEADER, body)).account.set_aside[0].lines == (5, 7)


def test_two_deaths_on_different_days_are_one_problem():
    # Neither the first death nor the last contact comes after both.
    body = GOOD + "P1,death,1000\nP1,death,950"
    assert messages(padded(HEADER, body)) == [
        "5 patient P1: record is 'death'; the patient has a death record on line 4 already. Keep one of them."
    ]


def test_records_after_death():
    body = "P2,transplant,0\nP1,relapse,801\nP1,death,800\nP1,edss,800,5\nP1,mri,900,,0\nP2,relapse,801"
    assert messages(padded(HEADER, body)) == [
        f"{line} patient P1: day is {day}; the patient died before, by the record on line 4. "
        "Correct one of the two."
        for line, day in ((3, 801), (6, 900))
    ]


def test_patients_without_follow_up():
    # P4 is seen on day 0 and not after: that is a follow-up, of 0 years.
    body = GOOD + "P2,baseline,\nP3,edss,-5,3\nP3,relapse,-90\nP3,baseline,\nP4,edss,0,3"
    assert messages(padded(HEADER, body)) == [
        f"4 patient P2: record is 'baseline'; {NO_FOLLOW_UP}",
        f"5 patient P3: record is 'edss'; {NO_FOLLOW_UP}",
    ]


# ---- Dates that are wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2020-02-30", "2020-02-30"),
        ("2021-02-29", "2021-02-29"),
        ("20200105", "20200105"),
        ("2020-1-5", "2020-1-5"),
        ("05.01.2020", "05.01.2020"),
        ("01/05/2020", "'01/05/2020'"),
        ("2020-01-05 25:00", "'2020-01-05 25:00'"),
        ("2020-01-05T", "'2020-01-05T'"),
        ("2020-W01-1", "'2020-W01-1'"),
        ("0000-01-01", "0000-01-01"),
        ("today", "'today'"),
    ],
)
def test_what_is_no_date(text, shown):
    said = messages(padded(DATED, f"{GOOD_DATED}P1,relapse,{text}"))
    assert said == [f"4 patient P1: date is {shown}; {DATE}"]


@pytest.mark.parametrize("text", ["43835", "42065.5"])
def test_the_serial_number_of_a_spreadsheet_is_no_date(text):
    # No --date-format reads it, and which day it is depends on the program that counted.
    assert messages(padded(DATED, f"{GOOD_DATED}P1,relapse,{text}")) == [
        f"4 patient P1: date is {text}; a number is not a date; it may be the serial number of a spreadsheet "
        'or of SAS. Format the cells as dates and export the data again, or give a map with date_format = ["excel"] '
        'or ["sas"].'
    ]


PARTIAL = (
    "; it is a date without a day or a month, so its place in time is not known. "
    "Enter the day, or give a map that leaves the record out or takes another column."
)


@pytest.mark.parametrize(
    "text",
    ["2015-03", "2015", "2015-03-UN", "2015---", "2015-XX-XX", "2015-03-00", "2015-00-00", "2015-00-14"],
)
def test_a_partial_date(text):
    [said] = messages(padded(DATED, f"{GOOD_DATED}P1,relapse,{text}"))
    assert said.endswith(PARTIAL)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("dd.mm.yyyy", "03.2015"),
        ("dd.mm.yyyy", "2015"),
        ("dd.mm.yyyy", "00.03.2015"),
        ("dd.mm.yyyy", "xx.03.2015"),
        ("dd.mm.yyyy", "??.??.2015"),
        ("mm/dd/yyyy", "03/2015"),
        ("mm/dd/yyyy", "03/UN/2015"),
        ("%Y%m%d", "201503"),
        ("%Y%m%d", "201712"),
        ("%d-%b-%Y", "Mar-2015"),
        ("%d-%b-%Y", "UN-Mar-2015"),
        ("%d-%b-%Y", "OCT-2015"),
        ("%d%b%Y", "UNMAR2015"),
    ],
)
def test_a_partial_date_in_another_form(form, text):
    day_0 = date(2011, 12, 31).strftime(as_date_format(form))
    [said] = messages(padded(DATED, f"P1,transplant,{day_0}\nP1,relapse,{text}\n"), date_format=form)
    assert said.endswith(PARTIAL)


@pytest.mark.parametrize(
    "text",
    [
        "2020-06-01T09",
        "2020-06-01 09",
        "2020-06-01T09+02",
        "2020-06-01T-:30",
        "2020-06-01T-:-:15",
        "2020-06-01T24:00",
    ],
)
def test_a_time_that_is_known_to_the_hour_or_not_at_all(text):
    assert days(taken(padded(DATED, f"{GOOD_DATED}P1,relapse,{text}"))) == [0, 731, 122]


def test_dates_that_cannot_be(monkeypatch):
    monkeypatch.setattr(meanings, "today", lambda: date(2022, 6, 1).toordinal())
    sentinel = "Correct it, or leave the record out."
    rows = "P1,relapse,2022-06-01\nP1,relapse,2022-06-02\nP1,mri,2999-12-31\nP1,observed_from,1900-01-01"
    assert messages(padded(DATED, f"{GOOD_DATED}{rows}".replace("mri", "relapse"))) == [
        f"5 patient P1: date is 2022-06-02; the date lies after the day of reading. {sentinel}",
        f"6 patient P1: date is 2999-12-31; the date lies after the day of reading. {sentinel}",
        "7 patient P1: date is 1900-01-01; no date is before 1950; such a date mostly stands for unknown. "
        + sentinel,
    ]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%Y%m%d %H:%M", "20200601 9:05"),
        ("%Y%m%d %H:%M:%S.%f", "20200601 09:05:03.5"),
        ("%d.%m.%Y %H:%M", "1.6.2020 9:05"),
        ("ddmmyyyy", "01062020"),
    ],
)
def test_a_date_in_a_form_with_a_time(form, text):
    as_form = as_date_format(form)
    rows = "".join(
        f"P1,{kind},{datetime(*day).strftime(as_form)}\n"
        for kind, day in (("transplant", (2020, 1, 31)), ("last_contact", (2022, 1, 31)))
    )
    found = taken(padded(DATED, f"{rows}P1,relapse,{text}\n"), date_format=form)
    assert days(found) == [0, 731, 122]


def test_what_is_no_date_of_the_named_form():
    text = padded(DATED, "P1,transplant,31.01.2020\nP1,edss,30.2.2022,3\nP1,relapse,2021-01-01")
    assert messages(text, date_format="%d.%m.%Y") == [
        f"{line} patient P1: date is {value}; "
        "it must be a date that exists, in the form %d.%m.%Y. Correct it."
        for line, value in ((3, "30.2.2022"), (4, "2021-01-01"))
    ]


def test_a_date_format_with_braces_and_controls_is_shown():
    text = padded(DATED, "P1,transplant,31.01.2020")
    [said] = messages(text, date_format="{day} %d.%m.%Y\x1b[31m")
    assert said == (
        "2 patient P1: date is 31.01.2020; it must be a date that exists, in the form "
        "{day} %d.%m.%Y\\x1b[31m. Correct it."
    )


def test_a_record_without_a_date():
    assert messages(padded(DATED, GOOD_DATED + "P1,relapse,")) == [
        f"4 patient P1: date is empty; {NEEDS_DAY}"
    ]


def test_a_date_too_far_from_the_transplant():
    # 18,262 days before 31 January 2020 is 1 February 1970: 50 years have 18,262 or 18,263 days.
    assert messages(padded(DATED, GOOD_DATED + "P1,relapse,1970-01-30\nP1,relapse,1970-02-01")) == [
        "4 patient P1: date is 1970-01-30; it is more than 18,262 days from the patient's transplant. "
        "Correct one of the two."
    ]


def test_dated_patients_without_a_transplant():
    # One problem for each such patient, at his first date; a baseline has no date to begin with.
    body = (
        GOOD_DATED + "P2,baseline,\nP2,relapse,2020-01-05\nP2,last_contact,2021-01-05\nP3,edss,2020-01-05,3"
    )
    assert messages(padded(DATED, body)) == [
        f"5 patient P2: record is 'relapse'; {NO_DAY_0}",
        f"7 patient P3: record is 'edss'; {NO_DAY_0}",
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("P2,transplant,", f"date is empty; {NEEDS_DAY}"),
        ("P2,transplant,2020-02-30", f"date is 2020-02-30; {DATE}"),
        ("P2,transplnt,2020-02-03", f"record is 'transplnt'; {KINDS}"),
    ],
)
def test_a_transplant_that_cannot_be_read_is_one_problem(row, said):
    text = padded(
        DATED, f"{GOOD_DATED}{row}\nP2,edss,2022-01-01,3\nP2,death,2019-01-01\nP2,relapse,2023-01-01"
    )
    assert messages(text) == [f"4 patient P2: {said}"]


def test_of_two_transplants_the_first_is_day_0():
    text = padded(DATED, GOOD_DATED + "P1,transplant,2021-01-31\nP1,death,2020-06-01")
    said = messages(text)
    assert said[0].startswith(
        "3 patient P1: date is 2022-01-31; the patient died before, by the record on line 5."
    )
    assert said[1].startswith(
        "4 patient P1: record is 'transplant'; the patient has a transplant record on line 2"
    )


def test_dated_records_before_death_and_after_the_transplant():
    body = GOOD_DATED + "P2,transplant,2020-01-31\nP2,death,2020-01-30\nP2,observed_from,2020-02-01"
    assert messages(padded(DATED, body)) == [
        "5 patient P2: date is 2020-01-30; that is a death before the transplant. "
        "Correct it, or remove the patient.",
        "6 patient P2: date is 2020-02-01; the relapse history begins at or before the transplant. "
        "Correct it.",
    ]


# ---- Wrong cells beside wrong records ---------------------------------------------------------------------


def test_what_cannot_be_read_is_held_against_no_other_rule():
    """A cell that is wrong in itself makes no second problem, on its row or another."""
    body = (
        "P1,transplant,0\n"
        "P1,edss,90,3.2\n"  # not comparable with the next two
        "P1,edss,90,high\n"
        "P1,edss,90,3.5\n"
        "P1,edss,12.5,4\n"  # on no day, so neither on the same one as the next
        "P1,edss,12,3.5\n"
        "P1,death,50000\n"  # on no day, so nothing comes after it
        "P1,last_contact,900\n"
        "P2,last_contact,soon\n"  # may well be after transplant
        "P3,observed_from,12.5\n"
        "P3,transplant,0\n"
        "P4,relaps,5\n"  # so he was followed
        ",edss,90,3\n"
        ",edss,90,4\n"
        ",death,3\n"
        ",last_contact,8\n"
        ",transplant,0\n"
        ",transplant,0"
    )
    assert messages(padded(HEADER, body)) == [
        f"3 patient P1: edss is 3.2; {EDSS}",
        f"4 patient P1: edss is 'high'; {EDSS} If it stands for missing, add --missing high.",
        f"6, 11: day is 12.5; {DAY}",
        f"8 patient P1: day is 50000; {DAY}",
        f"10 patient P2: day is 'soon'; {DAY}",
        f"13 patient P4: record is 'relaps'; {KINDS}",
        "14, 15, 16 and 3 more: patient_id is empty; it cannot be left empty. Enter it, or remove a row of totals.",
    ]


def test_independent_problems_are_all_found():
    body = (
        "P1,transplant,0\nP1,edss,5,x\nP1,death,100\nP1,relapse,200\n"
        "P2,baseline,\nP1,edss,7,3\nP1,edss,7,4\nP1,mri,9"
    )
    said = messages(padded(HEADER, body))
    assert [text.split(";")[0] for text in said] == [
        "3 patient P1: edss is 'x'",
        "5 patient P1: day is 200",
        "6 patient P2: record is 'baseline'",
        "8 patient P1: edss is 4",
        "9 patient P1: gd_lesions is empty",
    ]


def test_rows_of_another_width_beside_wrong_records():
    assert messages("patient_id,record,day\nP1,transplant,0\nP1,relapse\nP1,relapse,\nP2,baseline,\n") == [
        "3: the row has 2 cells; the header has 3. Add the missing cells, if only as empty ones.",
        f"4 patient P1: day is empty; {NEEDS_DAY}",
        f"5 patient P2: record is 'baseline'; {NO_FOLLOW_UP}",
    ]


def test_identifiers_that_are_awkward():
    long = "X" * 10_000
    body = f"[bold]P2,relaps,5\n\x1b[31mP3,relapss,5\n{long},{{record}},5\n{{day}},{{0}},5"
    assert messages(padded(HEADER, GOOD + body)) == [
        f"4 patient [bold]P2: record is 'relaps'; {KINDS}",
        f"5 patient \\x1b[31mP3: record is 'relapss'; {KINDS}",
        f"6 patient {'X' * 59}…: record is '{{record}}'; {KINDS}",
        f"7 patient {{day}}: record is '{{0}}'; {KINDS}",
    ]


def test_awkward_identifiers_are_kept_as_they_are():
    names = ["[bold]P2", "\x1b[31mP3", "X" * 10_000, "007", "7", "nan", " P", "Ä,b"]
    rows = [{"patient_id": name, "record": "last_contact", "day": 5} for name in names]
    assert taken(csv_of(rows)).data.patients["patient_id"].tolist() == names


# ---- Notices -------------------------------------------------------------------------------------------


ALIKE = "only by case, blanks, forms of letters, leading zeros or a final .0"
DEAD = "which is death due to MS, and no death. Was it entered?"
ONE_PATIENT = "Each identifier is a patient here: is it one patient?"
AGAIN = "on a day on which the patient has another one already: each is counted. Is it entered twice?"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("p1,last_contact,8", f"1 group of identifiers differs {ALIKE} (lines 2, 4). {ONE_PATIENT}"),
        ("P1 ,last_contact,8", f"1 group of identifiers differs {ALIKE} (lines 2, 4). {ONE_PATIENT}"),
        ("P1,baseline,-3", "Not read on baseline records: day."),
        (
            "P1,mri,5,,1,0,0\nP1,mri,6,,1,1,1",
            f"On 1 scan {TAKEN}",
        ),
        (
            "P1,mri,5,,,2,1\nP1,mri,6,,1,,0\nP1,mri,7,,1,2,",
            f"On 2 scans {TAKEN}",
        ),
        (
            "P1,observed_from,-90\nP1,relapse,-91\nP1,relapse,-60",
            "1 relapse lies before observed_from, outside the observed time: left out of the rate before.",
        ),
        (
            "P1,observed_from,-90\nP1,relapse,-91\nP1,relapse,-900\nP2,relapse,-900\nP2,last_contact,0",
            "2 relapses lie before observed_from, outside the observed time: left out of the rate before.",
        ),
        ("P1,edss,900,10", f"1 patient has a last EDSS of 10, {DEAD}"),
    ],
)
def test_notices(body, said):
    found = notices(taken(padded(HEADER, GOOD + body)))
    assert tuple(notice for notice in found if notice != NO_RELAPSE) == (said,)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("P1,relapse,3,,,,,,a\nP1,relapse,3,,,,,,b\nP1,relapse,44,,,,,,c", f"1 relapse stands {AGAIN}"),
        ("P1,mri,-3,,0,0,,,a\nP1,mri,-3,,0,0,,,b", f"1 scan stands {AGAIN}"),
    ],
)
def test_two_records_of_a_day_that_differ_in_a_column_nobody_reads(rows, said):
    found = taken(padded(f"{HEADER},notes", GOOD + rows))
    assert said in notices(found)
    assert found.account.set_aside == ()


# ---- Rows that are alike ----------------------------------------------------------------------------------


def test_records_that_are_alike_in_every_cell_are_one():
    body = (
        "P1,edss,-5,4.0\nP1,relapse,50\nP2,relapse,50\nP1,relapse,50\nP1,edss,-5,4.0\nP1,baseline,\n"
        "P1,last_contact,900\nP1,baseline,\nP2,last_contact,900\nP1,edss,-5,4\nP1,relapse,50\n"
    )
    found = taken(padded(HEADER, body))
    # 4 is the same score as 4.0 and written in another way, so not alike in every cell.
    assert in_file_order(found) == [
        ("edss", 0, -5), ("relapse", 0, 50), ("relapse", 1, 50), ("baseline", 0, 0), ("last_contact", 0, 900),
        ("last_contact", 1, 900), ("edss", 0, -5),
    ]  # fmt: skip
    rows = np.concatenate([observations.row for observations in found.data.observations.values()])
    assert sorted(found.places.of(row).line for row in rows.tolist()) == [2, 3, 4, 7, 8, 10, 11]
    assert (found.account.rows_read, found.account.rows_used) == (11, 7)
    [aside] = found.account.set_aside
    assert (aside.count, aside.lines) == (4, (5, 6, 9, 12))


def test_a_dated_file_that_holds_every_record_twice():
    lines = padded(DATED, GOOD_DATED + "P1,relapse,2020-06-01\nP1,edss,2020-07-01,3.5").splitlines()
    found = taken("\n".join([lines[0], *lines[1:], *lines[1:]]))
    assert days(found) == [0, 731, 122, 152]
    assert found.account.set_aside[0].count == 4


# ---- Attributes -------------------------------------------------------------------------------------------


def test_attributes_may_stand_on_any_record():
    found = taken(
        "patient_id,record,day,site,sex,age\nP1,transplant,0,ottawa,,\nP1,last_contact,5,Ottawa,,38\n"
        "P2,relapse,9,,F,\nP2,last_contact,9,Ottawa,female,38.0\n"
    )
    patients = found.data.patients
    assert patients["site"].tolist() == ["Ottawa", "Ottawa"]
    assert patients["age_years"].tolist() == [38, 38]
    assert patients["sex"].isna().tolist() == [True, False]
    assert "Labels of site that differ only by case were taken as one: ottawa as Ottawa." in notices(found)


def test_two_values_of_an_attribute_contradict_each_other():
    body = (
        "1,relapse,50,Bergen,\n1,last_contact,1500,Bergen,\n1,last_contact,1400,Oslo,\n"
        "2,last_contact,1500,Bergen,40\n2,relapse,90,Lund,40.0\n2,last_contact,1200,,41\n"
    )
    fix = "Keep the right one; if one number is used at two sites, make identifiers that hold the site."
    assert messages(f"patient_id,record,day,site,age\n{body}") == [
        f"4 patient 1: site is 'Oslo'; the same patient has another one on line 2. {fix}",
        f"6 patient 2: site is 'Lund'; the same patient has another one on line 5. {fix}",
        f"7 patient 2: age_years is 41; the same patient has another one on line 5. {fix}",
    ]


# ---- What cannot follow -----------------------------------------------------------------------------------


def test_an_edss_of_10_and_alive():
    body = (
        "P1,edss,-5,5\nP1,edss,300,10\nP1,edss,600,4\nP2,edss,300,10\nP2,alive,301\nP3,edss,300,10\n"
        "P3,last_contact,310\nP3,death,320"
    )
    said = "edss is 10; an EDSS of 10 is death due to MS, and a record of a later day stands on"
    # P3 has died, if later.
    assert messages(padded(HEADER, body)) == [
        f"3, 5: {said} lines 4, 6. Correct the score, or enter the death and remove what follows."
    ]


def test_a_last_contact_before_day_0():
    dated = (
        "P1,transplant,2011-05-03\nP1,last_contact,2001-05-03\nP2,transplant,2011-05-03\nP2,alive,2015-05-04"
    )
    assert messages(padded(DATED, dated)) == [
        "3 patient P1: date is 2001-05-03; that is a last contact before the transplant "
        "of 2011-05-03 on line 2. "
        "Correct one of the two."
    ]
    assert messages(padded(HEADER, GOOD + "P1,last_contact,-9")) == [
        "4 patient P1: day is -9; that is a last contact before the transplant, which is day 0. "
        "Correct one of the two."
    ]


def test_a_last_contact_before_the_first_of_two_transplants():
    body = (
        "P1,transplant,2011-05-03\nP1,last_contact,2001-05-03\nP1,last_contact,2013-05-03\nP1,transplant,{}\n"
    )
    for second in ("soon", "", "2012-05-03"):
        assert (
            "3 patient P1: date is 2001-05-03; that is a last contact before the transplant of 2011-05-03 on line 2. "
            "Correct one of the two." in messages(padded(DATED, body.format(second)))
        )


# ---- Time zero --------------------------------------------------------------------------------------------


def test_days_from_randomisation():
    body = (
        "P1,randomisation,2020-01-31\nP1,transplant,2020-03-01\nP1,alive,2022-01-31\n"
        "P2,randomisation,2020-01-31\nP2,therapy,2020-02-01\nP2,last_contact,2021-01-30"
    )
    found = taken(padded(DATED, body), time_zero="randomisation")
    assert found.time_zero == "randomisation"
    # 2020 is a leap year: 31 January to 1 March is 30 days, and to 30 January of the next year 365.
    assert in_file_order(found) == [
        ("randomisation", 0, 0), ("transplant", 0, 30), ("alive", 0, 731), ("randomisation", 1, 0),
        ("therapy", 1, 1), ("last_contact", 1, 365),
    ]  # fmt: skip
    assert messages(padded(DATED, body)) == [
        "5 patient P2: record is 'randomisation'; the patient has no transplant record, so no day 0. "
        "Add the transplant with its date. In a randomised trial, count days from the randomisation: "
        "--time-zero randomisation."
    ]


def test_days_of_a_file_with_another_time_zero():
    body = "P1,randomisation,0\nP1,transplant,30\nP1,last_contact,900"
    assert days(taken(padded(HEADER, body), time_zero="randomisation")) == [0, 30, 900]
    assert messages(padded(HEADER, body)) == [
        "3 patient P1: day is 30; the transplant is day 0. Count all days from the transplant. "
        "In a randomised trial, count days from the randomisation: --time-zero randomisation."
    ]
    assert messages(padded(HEADER, GOOD), time_zero="randomisation") == [
        "2 patient P1: record is 'transplant'; the patient has no randomisation record, so no day 0. "
        "Add the randomisation on day 0, or let days count from transplant."
    ]
    body = "P1,randomisation,0\nP1,last_contact,900\nP2,baseline,\nP2,last_contact,900"
    assert messages(padded(HEADER, body), time_zero="randomisation") == [
        "5 patient P2: record is 'last_contact'; the patient has no randomisation record, so no day 0. "
        "Add the randomisation on day 0, or let days count from transplant."
    ]


def test_unknown_columns_are_named():
    found = taken("patient_id,record,day,notes\nP1,transplant,0,well\n")
    assert notices(found) == ("Column not known here and left out: notes.", NO_RELAPSE)


# ---- The order of rows ------------------------------------------------------------------------------------

SAMPLE_ROWS = list(csv.DictReader(io.StringIO(SAMPLE.read_text(encoding="utf-8"))))
#: Three patients: worsening, a new lesion, and a death.
FEW = [row for row in SAMPLE_ROWS if row["patient_id"] in {"P06", "P19", "P22"}]


def decisions(found: Trial, patient: str) -> list[tuple]:
    return [
        (each.endpoint, each.outcome, each.event, each.years, each.column)
        for each in trace(found, patient, Protocol()).endpoints
    ]


@given(st.integers(0, 2**32))
@settings(max_examples=5)
def test_the_order_of_rows_changes_nothing(seed):
    shuffled = random.Random(seed).sample(FEW, len(FEW))
    here, there = taken(csv_of(FEW)), taken(csv_of(shuffled))
    # Sums over patients are added in another order.
    expected = figures(summarize(here, Protocol()))
    assert differences(figures(summarize(there, Protocol())), expected, 1e-12) == []
    for patient in ("P06", "P19", "P22"):
        assert decisions(here, patient) == decisions(there, patient)


def test_the_order_of_rows_changes_no_problem():
    rows = rows_of(
        """
        P1 transplant 0
        P1 edss 90 edss=3.5
        P1 death 100 cause=ms
        P1 relapse 101
        P2 baseline -
        P3 mri 5
        """
    )
    expected = {
        "patient P1: day is 101; the patient died before",
        f"patient P2: record is 'baseline'; {NO_FOLLOW_UP}",
        f"patient P3: gd_lesions is empty; {NEEDS_COUNT}",
    }
    for seed in range(10):
        shuffled = random.Random(seed).sample(rows, len(rows))
        said = messages(csv_of(shuffled, ["gd_lesions"]))
        assert {text.split(" ", 1)[1].split(", by the record")[0] for text in said} == expected


# ---- Anything at all ------------------------------------------------------------------------------------

NASTY = [
    *("", "NA", " ", "p1", "P9", "x", "nan", "inf", "1e300", "99999999999", "12.5", "0.5", "3.2", "a\nb"),
    *("2020-02-30", "0001-01-01", "9999-12-31", "[bold]", "{day}", "{0}", "\x1b[31m"),
]
RIGHT = {
    "patient_id": ["P1", "P2", "P3"],
    "record": list(RECORD_KINDS),
    "day": ["-5", "0", "90", "390"],
    "edss": ["", "3.5", "5.0"],
    "cause_of_death": ["", "ms"],
}
COUNTS = ["", "0", "2"]
BASE = rows_of(
    """
    P1 baseline - sex=female age_years=38
    P1 observed_from -700
    P1 relapse -90
    P1 edss -5 edss=3.5
    P1 mri -4 gd=2
    P1 transplant 0
    P1 edss 90 edss=5.0
    P1 mri 180 gd=0 t2=1 new=1
    P1 edss 300 edss=5.0
    P1 death 400 cause=other
    P2 transplant 0
    P2 edss 90 edss=5.0
    P2 edss 90 edss=5.0
    P2 relapse 95
    P2 last_contact 800
    """
)
NAMES = list(dict.fromkeys(name for row in BASE for name in row))
FIRST_DAY = np.datetime64("1998-10-24")  # 800 days before 1 January 2001


@st.composite
def changed_files(draw) -> str:
    """A good records file with cells, rows and names of columns changed, and rows in another order."""
    rows = [dict(row) for row in BASE]
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(rows) - 1))
        change = draw(st.sampled_from(["cell", "cell", "nasty", "remove", "repeat", "move"]))
        if change in {"cell", "nasty"}:
            name = draw(st.sampled_from(NAMES))
            cells = st.sampled_from(NASTY) | st.text(max_size=4)
            if change == "cell":
                cells = st.sampled_from(RIGHT.get(name, COUNTS))
            rows[place] = rows[place] | {name: draw(cells)}
        elif change == "remove":
            rows.pop(place)
        else:
            rows.append(rows[place] if change == "repeat" else rows.pop(place))
    names = list(NAMES)
    if draw(st.booleans()):
        names[names.index("day")] = "date"
        for row in rows:
            if row["day"] in {*RIGHT["day"], *(row["day"] for row in BASE)} - {""}:
                row["day"] = str(FIRST_DAY + 800 + int(row["day"]))
    if draw(st.integers(0, 4)) == 0:
        names[draw(st.integers(0, len(names) - 1))] = draw(
            st.sampled_from([*NAMES, "date", "site", "notes", ""])
        )
    text = csv_of([{name: row.get(name, "") for name in NAMES} for row in rows])
    return ",".join(names) + text[text.index("\n") :]


def test_any_records_file_is_read_or_explained():
    n_good = n_refused = 0

    @given(changed_files(), st.sampled_from([None, None, "%Y-%m-%d", "%d.%m.%Y"]))
    @settings(max_examples=100)
    @example("patient_id,record,day\n1\n", None)
    @example("patient_id,record,date\n,transplant,\n", None)
    @example("patient_id,record,date\n,baseline,\nP1,baseline,\n", None)
    def check(text: str, form: str | None) -> None:
        nonlocal n_good, n_refused
        try:
            found = read(text, date_format=form)
        except AhsctError as error:
            n_refused += 1
            message = str(error)
        else:
            n_good += 1
            # What is read can be computed with.
            assert summarize(found, Protocol()).cohort.n_patients == len(found)
            assert len(trace(found, found.data.patients["patient_id"].iloc[-1], Protocol()).endpoints) == 5
            return
        assert all(char.isprintable() or char == "\n" for char in message)

    check()
    # Otherwise the property would be empty.
    assert n_good > 15
    assert n_refused > 15
