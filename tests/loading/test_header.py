"""The header line: delimiter, names, what is missing, twice there, or unknown."""

from __future__ import annotations

import pytest


def columns(cohort) -> list[str]:
    return cohort.data.patients.columns.tolist()


# ---- Delimiter ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_delimiter_is_found(read, delimiter):
    cohort = read("patient_id|site|follow_up_years\nP1|Ottawa|3\n".replace("|", delimiter))
    assert columns(cohort) == ["patient_id", "site", "follow_up_years"]
    assert cohort.data.patients.iloc[0].tolist() == ["P1", "Ottawa", 3]


def test_delimiter_is_the_one_that_gives_known_columns(read, notices):
    # Three commas and one semicolon: the semicolon alone gives columns that are known.
    cohort = read('patient_id;follow_up_years;"a, b, c, d, e"\nP1;3;x\n')
    assert columns(cohort) == ["patient_id", "follow_up_years"]
    assert notices(cohort) == ("Column not known here and left out: a, b, c, d, e.",)


def test_tab_file_whose_first_name_is_empty(read, notices):
    # As R and pandas write their row names.
    cohort = read("\tpatient_id\tfollow_up_years\n1\tP1\t3\n2\tP2\t4\n")
    assert cohort.data.patients["patient_id"].tolist() == ["P1", "P2"]
    assert cohort.data.patients["follow_up_years"].tolist() == [3, 4]
    assert notices(cohort) == ("Column not known here and left out: (without a name).",)


def test_tab_file_whose_first_cell_is_empty(read):
    cohort = read("site\tpatient_id\tfollow_up_years\n\tP1\t3\n")
    assert cohort.data.patients["patient_id"].tolist() == ["P1"]
    assert cohort.data.patients["site"].isna().tolist() == [True]


# ---- Names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["USUBJID", "usubjid", "SubjId", "subject_id", "ID", " Patient ", '"id"'])
def test_names_of_the_identifier(read, name):
    cohort = read(f"{name},Followup_Years\n007,3\n")
    assert columns(cohort) == ["patient_id", "follow_up_years"]
    assert cohort.data.patients["patient_id"].tolist() == ["007"]


def test_columns_keep_the_order_of_the_file(read):
    assert columns(read("follow_up,AGE,id\n3,40,P1\n")) == ["follow_up_years", "age_years", "patient_id"]


def test_names_may_be_quoted_and_hold_line_breaks(read, messages, notices):
    text = 'patient_id,"follow_up_years","what the\r\ndoctor, ""said"""\r\nP1,3,x\r\n'
    cohort = read(text)
    # The header takes lines 1 and 2.
    assert cohort.places.lines.tolist() == [3]
    assert notices(cohort) == ('Column not known here and left out: what the\\r\\ndoctor, "said".',)
    assert messages(text + "P2,-1,y\n")[0].startswith("cohort.csv:4 patient P2: follow_up_years is -1;")


def test_quote_within_a_name_is_text(read):
    # A quote that does not begin a cell is text; it must not swallow the first row.
    cohort = read('patient_id,follow_up_years,a "b\nP1,3,"x"\nP2,4,"y"\n')
    assert cohort.data.patients["patient_id"].tolist() == ["P1", "P2"]
    cohort = read('patient_id,follow_up_years,5" "c"\nP1,3,"x"\n')
    assert cohort.data.patients["patient_id"].tolist() == ["P1"]


def test_blank_lines_before_and_after_the_header_count(read):
    cohort = read("\n  \r\npatient_id,follow_up_years\n\nP1,3\n")
    assert cohort.places.lines.tolist() == [5]


def test_unknown_columns_are_named_and_left_out(read, notices):
    cohort = read("patient_id,weight,follow_up_years,,[bold]\nP1,80,3,,x\n")
    assert columns(cohort) == ["patient_id", "follow_up_years"]
    assert notices(cohort) == ("Columns not known here and left out: weight, (without a name), [bold].",)


def test_many_unknown_columns_are_counted(read, notices):
    names = ",".join(f"x{number}" for number in range(1, 5001))
    cohort = read(f"patient_id,{names},follow_up_years\nP1,{',' * 4999},3\n")
    assert cohort.data.patients["follow_up_years"].tolist() == [3]
    told = ", ".join(f"x{number}" for number in range(1, 101))
    assert notices(cohort) == (f"Columns not known here and left out: {told} and 4,900 more.",)


def test_header_longer_than_a_cell_of_the_csv_module_may_be(read, messages):
    # 131,072 characters is the limit of a cell; under a wrong delimiter the header is one cell.
    names = ",".join(f"a_column_that_nobody_knows_{number}" for number in range(6000))
    assert len(names) > 131_072
    assert len(read(f"patient_id,{names},follow_up_years\nP1,{',' * 5999},3\n")) == 1
    assert messages(f"patient_id,{names}\nP1,{',' * 5999}\n") == [
        "cohort.csv:1: the header has no column follow_up_years; every file needs it. "
        "Add it: Time zero to last contact of any kind, or death. "
        "Or keep your own columns and read them through a map: `ahsct map cohort.csv` writes one."
    ]


def test_names_in_messages_are_escaped_and_cut(read, notices):
    cohort = read("patient_id,follow_up_years,\x1b[31m,\u202egnp," + "n" * 10_000 + "\nP1,3,,,\n")
    assert notices(cohort) == (f"Columns not known here and left out: \\x1b[31m, \\u202egnp, {'n' * 59}….",)


def test_trailing_delimiter_in_header_and_rows(read, notices):
    cohort = read("patient_id,follow_up_years,\nP1,3,\nP2,4,\n")
    assert len(cohort) == 2
    assert notices(cohort) == ("Column not known here and left out: (without a name).",)


# ---- What is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "patient_id,site",
            ["the header has no column follow_up_years; every file needs it. Add it: "
             "Time zero to last contact of any kind, or death."],
        ),
        (
            "patient_id,Follow-up Years",
            ["the header has no column follow_up_years; every file needs it. "
             "Rename 'Follow-up Years' if it is meant, or add it: "
             "Time zero to last contact of any kind, or death."],
        ),
        (
            "USUBJ_ID,followup_year",
            ["the header has no column patient_id; every file needs it. Rename 'USUBJ_ID' if it is meant, "
             "or add it: Identifier of the patient, unique in the file; leading zeros are kept.",
             "the header has no column follow_up_years; every file needs it. "
             "Rename 'followup_year' if it is meant, or add it: "
             "Time zero to last contact of any kind, or death."],
        ),
        (
            "patient_id,follow_up_years,patient_id",
            ["2 columns are named patient_id; each column stands there once. "
             "Remove or rename all but one."],
        ),
        (
            "patient_id,follow_up_years,AGE,Age",
            ["2 columns are named age; each column stands there once. Remove or rename all but one."],
        ),
        (
            "patient_id,follow_up_months",
            ["the header has no column follow_up_years; every file needs it. "
             "If 'follow_up_months' holds it in "
             'months, divide by 12 or give a map with unit = "months", or add it: '
             "Time zero to last contact of any kind, or death."],
        ),
        (
            "patient_id,follow_up_days",
            ["the header has no column follow_up_years; every file needs it. If 'follow_up_days' holds it in "
             'days, divide by 365.25 or give a map with unit = "days", or add it: '
             "Time zero to last contact of any kind, or death."],
        ),
        (
            "patient_id,follow_up",
            ["there is a header and no row; a cohort has a row per patient, or one per observation. "
                "Fill in a row for each; if there should be some already, export the data again."],
        ),
        (
            'patient_id,"follow_up_years',
            ["a quote in the header is opened and never closed; a quoted name ends with a quote. "
             "Close or remove it."],
        ),
        (
            '"patient_id,follow_up_years',
            ["a quote in the header is opened and never closed; a quoted name ends with a quote. "
             "Close or remove it."],
        ),
        (
            "patient_id|follow_up_years",
            ["the header is one cell, 'patient_id|follow_up_years'; "
             "cells are separated by commas, semicolons or tabs. Export the data as CSV again."],
        ),
    ],
    ids=["missing", "close", "close to an alias", "twice", "twice in two cases", "months", "days", "no row",
         "open quote",
         "open quote at the start", "another delimiter"],
)  # fmt: skip
def test_header_is_refused(messages, header, expected):
    rows = "" if "no row" in expected[0] else "P1,3\n" * 3
    assert messages(f"\n{header}\n{rows}\n \n") == [f"cohort.csv:2: {message}" for message in expected]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Cohort of 2016\n\npatient_id,follow_up_years\nP1,3\n", 3),
        ("Export;2026-01-05;;\nPat-Nr;von;bis;\nPatient;record;day;x\nP1;transplant;0;\n", 3),
        ('"A title\nof three\nlines"\nid\tfollow_up_years\nP1\t3\n', 4),
        ("\ufeffPatients,\n" + "note,\n" * 19 + "ID,Site,record,date\nP1,x,transplant,2020-01-01\n", 21),
    ],
)
def test_titles_above_the_headings(messages, text, line):
    assert messages(text) == [
        f"cohort.csv:1: these are not the headings; they seem to stand on line {line}; a file begins with its "
        f"headings. Remove the lines above them, or give a map with heading_row = {line}."
    ]


@pytest.mark.parametrize(
    "text",
    [
        "number,follow_up_years\nP1,3\nsite,5\n",  # a heading among the values
        "number,follow_up_years\nid,3\n",  # alone no line of headings
        "Pat-Nr,visit,informant,edss\nP1,baseline,patient,4\nP1,follow_up,patient,4\n",
        "Pat-Nr,visit,informant,score\nP1,baseline,patient,4\nP1,follow_up,patient,4\n",
        "note\n" * 22 + "patient_id,follow_up_years\nP1,3\n",  # too far below
    ],
)
def test_lines_that_are_no_headings(messages, text):
    assert "seem to stand" not in "".join(messages(text))


def test_quote_that_is_open_over_a_long_file(messages):
    [message] = messages('patient_id,"follow_up_years\n' + "P1,3\n" * 50_000)
    assert message.startswith("cohort.csv:1: a quote in the header is opened and never closed;")


def test_one_long_line_without_any_delimiter(messages):
    [message] = messages("A" * 300_000 + "\nP1\n")
    assert message.startswith(f"cohort.csv:1: the header is one cell, '{'A' * 59}…';")


def test_missing_column_among_thousands_of_names(messages):
    names = ",".join(f"follow_up_year_{number}" for number in range(20_000))
    [message] = messages(f"id,{names}\n")
    assert message.startswith("cohort.csv:1: the header has no column follow_up_years;")
    assert len(message) < 300


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("realpses_after", "realpses_after (is relapses_after meant?)"),
        ("EDSS_baselin", "EDSS_baselin (is edss_baseline meant?)"),
        # There already, so it cannot be meant.
        ("follow_up_yeras", "follow_up_yeras"),
        ("weight", "weight"),
        # Of another unit: a new name alone would make months years.
        ("months_to_death", "months_to_death (years_to_death in months? It must be in years)"),
        ("days_to_last_scan", "days_to_last_scan (years_to_last_scan in days? It must be in years)"),
    ],
)
def test_a_misspelt_column_is_named_with_the_one_that_may_be_meant(read, name, said, notices):
    cohort = read(f"patient_id,follow_up_years,{name}\nP1,4.5,2\n")
    assert notices(cohort)[0] == f"Column not known here and left out: {said}."


@pytest.mark.parametrize(
    "first", ["sep=;\n", "sep=;\r\n", '"sep=;"\n', "SEP=;\n", "\ufeffsep=;\n", "sep=;\n\n"]
)
def test_the_line_that_excel_writes_for_itself_is_no_header(read, first):
    cohort = read(f"{first}patient_id;follow_up_years\nP1;4,5\nP2;4,6\n")
    assert cohort.data.numbers("follow_up_years").tolist() == [4.5, 4.6]
    n_before = first.count("\n")
    assert cohort.places.lines.tolist() == [n_before + 2, n_before + 3]


def test_a_header_that_begins_with_sep_is_a_header(read):
    cohort = read("sep=x,patient_id,follow_up_years\n1,P1,4.5\n")
    assert cohort.data.patients["patient_id"].tolist() == ["P1"]


def test_of_headings_that_meet_the_first_of_the_dictionary_is_taken(read, notices):
    # ARM stands before TRT01P in the dictionary, and a column's own name before all others.
    cohort = read("SUBJID,USUBJID,TRT01P,ARM,Age,age_years,follow_up\n1,AH-1,A,B,40,41,3\n")
    assert cohort.data.patients.iloc[0].tolist() == ["AH-1", "B", 41, 3]
    assert notices(cohort) == (
        "patient_id is read from USUBJID; passed over: SUBJID.",
        "arm is read from ARM; passed over: TRT01P.",
        "age_years is read from age_years; passed over: Age.",
    )


@pytest.mark.parametrize(
    "heading",
    [
        "Todesdatum",
        "date of death",
        "DTHDTC",
        "verstorben am",
        "Date de décès",
        "Fecha de muerte",
        "óbito",
        "date_deces",
        "décédé",
        "overleden",
        "dead",
        "vital_status",
        "OS_event",
        "alive",
        "exitus",
    ],
)
def test_a_column_that_may_tell_of_deaths_is_not_left_out_in_silence(read, heading):
    notices = [
        notice
        for notice in read(f"id,follow_up,{heading}\nP1,3,\n").notices
        if notice.severity == "look first"
    ]
    assert [notice.text for notice in notices] == [
        f"Left out, but may tell of deaths: {heading}. Enter them as years_to_death, or give a map; ahsct map writes "
        "one to start from."
    ]
    told = read(f"id,follow_up,years_to_death,{heading}\nP1,3,,\n").notices
    assert all(notice.severity == "note" for notice in told)
