"""The header line: delimiter, names, what is missing, twice there, or unknown."""

from __future__ import annotations

import pytest


def columns(cohort) -> list[str]:
    return cohort.patients.columns.tolist()


# ---- Delimiter ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_delimiter_is_found(read, delimiter):
    cohort = read("patient_id|site|follow_up_years\nP1|Ottawa|3\n".replace("|", delimiter))
    assert columns(cohort) == ["patient_id", "site", "follow_up_years"]
    assert cohort.patients.iloc[0].tolist() == ["P1", "Ottawa", 3]


def test_delimiter_is_the_one_that_gives_known_columns(read):
    # Three commas and one semicolon: the semicolon alone gives columns that are known.
    cohort = read('patient_id;follow_up_years;"a, b, c, d, e"\nP1;3;x\n')
    assert columns(cohort) == ["patient_id", "follow_up_years"]
    assert cohort.warnings == ("Column not known here and left out: a, b, c, d, e.",)


def test_tab_file_whose_first_name_is_empty(read):
    # As R and pandas write their row names.
    cohort = read("\tpatient_id\tfollow_up_years\n1\tP1\t3\n2\tP2\t4\n")
    assert cohort.patients["patient_id"].tolist() == ["P1", "P2"]
    assert cohort.patients["follow_up_years"].tolist() == [3, 4]
    assert cohort.warnings == ("Column not known here and left out: (without a name).",)


def test_tab_file_whose_first_cell_is_empty(read):
    cohort = read("site\tpatient_id\tfollow_up_years\n\tP1\t3\n")
    assert cohort.patients["patient_id"].tolist() == ["P1"]
    assert cohort.patients["site"].isna().tolist() == [True]


# ---- Names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["USUBJID", "usubjid", "SubjId", "subject_id", "ID", " Patient ", '"id"'])
def test_names_of_the_identifier(read, name):
    cohort = read(f"{name},Followup_Years\n007,3\n")
    assert columns(cohort) == ["patient_id", "follow_up_years"]
    assert cohort.patients["patient_id"].tolist() == ["007"]


def test_columns_keep_the_order_of_the_file(read):
    assert columns(read("follow_up,AGE,id\n3,40,P1\n")) == ["follow_up_years", "age_years", "patient_id"]


def test_names_may_be_quoted_and_hold_line_breaks(read, messages):
    text = 'patient_id,"follow_up_years","what the\r\ndoctor, ""said"""\r\nP1,3,x\r\n'
    cohort = read(text)
    # The header takes lines 1 and 2.
    assert cohort.lines.tolist() == [3]
    assert cohort.warnings == ('Column not known here and left out: what the\\r\\ndoctor, "said".',)
    assert messages(text + "P2,-1,y\n")[0].startswith("cohort.csv:4 patient P2: follow_up_years is -1;")


def test_quote_within_a_name_is_text(read):
    # A quote that does not begin a cell is text; it must not swallow the first row.
    cohort = read('patient_id,follow_up_years,a "b\nP1,3,"x"\nP2,4,"y"\n')
    assert cohort.patients["patient_id"].tolist() == ["P1", "P2"]
    cohort = read('patient_id,follow_up_years,5" "c"\nP1,3,"x"\n')
    assert cohort.patients["patient_id"].tolist() == ["P1"]


def test_blank_lines_before_and_after_the_header_count(read):
    cohort = read("\n  \r\npatient_id,follow_up_years\n\nP1,3\n")
    assert cohort.lines.tolist() == [5]


def test_unknown_columns_are_named_and_left_out(read):
    cohort = read("patient_id,weight,follow_up_years,,[bold]\nP1,80,3,,x\n")
    assert columns(cohort) == ["patient_id", "follow_up_years"]
    assert cohort.warnings == ("Columns not known here and left out: weight, (without a name), [bold].",)


def test_many_unknown_columns_are_counted(read):
    names = ",".join(f"x{number}" for number in range(1, 5001))
    cohort = read(f"patient_id,{names},follow_up_years\nP1,{',' * 4999},3\n")
    assert cohort.patients["follow_up_years"].tolist() == [3]
    assert cohort.warnings == (
        "Columns not known here and left out: x1, x2, x3, x4, x5, x6, x7, x8, x9, x10 and 4990 more.",
    )


def test_header_longer_than_a_cell_of_the_csv_module_may_be(read, messages):
    # 131,072 characters is the limit of a cell; under a wrong delimiter the header is one cell.
    names = ",".join(f"a_column_that_nobody_knows_{number}" for number in range(6000))
    assert len(names) > 131_072
    assert len(read(f"patient_id,{names},follow_up_years\nP1,{',' * 5999},3\n")) == 1
    assert messages(f"patient_id,{names}\nP1,{',' * 5999}\n") == [
        "cohort.csv:1: the header has no column follow_up_years; every file needs it. "
        "Add it: Transplant to last contact or death."
    ]


def test_names_in_messages_are_escaped_and_cut(read):
    cohort = read("patient_id,follow_up_years,\x1b[31m,\u202egnp," + "n" * 10_000 + "\nP1,3,,,\n")
    assert cohort.warnings == (f"Columns not known here and left out: \\x1b[31m, \\u202egnp, {'n' * 59}….",)


def test_trailing_delimiter_in_header_and_rows(read):
    cohort = read("patient_id,follow_up_years,\nP1,3,\nP2,4,\n")
    assert len(cohort) == 2
    assert cohort.warnings == ("Column not known here and left out: (without a name).",)


# ---- What is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "patient_id,site",
            ["the header has no column follow_up_years; every file needs it. Add it: "
             "Transplant to last contact or death."],
        ),
        (
            "patient_id,Follow-up Years",
            ["the header has no column follow_up_years; every file needs it. "
             "Rename 'Follow-up Years' if it is meant, or add it: Transplant to last contact or death."],
        ),
        (
            "USUBJ_ID,followup_year",
            ["the header has no column patient_id; every file needs it. Rename 'USUBJ_ID' if it is meant, "
             "or add it: Identifier of the patient, unique in the file; leading zeros are kept.",
             "the header has no column follow_up_years; every file needs it. "
             "Rename 'followup_year' if it is meant, or add it: Transplant to last contact or death."],
        ),
        (
            "patient_id,follow_up_years,patient_id",
            ["2 columns are patient_id (patient_id, patient_id); each column stands there once. "
             "Remove or rename all but one."],
        ),
        (
            "patient_id,ID,follow_up_years,Age,AGE_YEARS,subject",
            ["3 columns are patient_id (patient_id, ID, subject); each column stands there once. "
             "Remove or rename all but one.",
             "2 columns are age_years (Age, AGE_YEARS); each column stands there once. "
             "Remove or rename all but one."],
        ),
        (
            "patient_id,follow_up",
            ["there is a header and no row; a cohort has a row per patient. Export the data again."],
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
    ids=["missing", "close", "close to an alias", "twice", "alias and name", "no row", "open quote",
         "open quote at the start", "another delimiter"],
)  # fmt: skip
def test_header_is_refused(messages, header, expected):
    rows = "" if "no row" in expected[0] else "P1,3\n" * 3
    assert messages(f"\n{header}\n{rows}\n \n") == [f"cohort.csv:2: {message}" for message in expected]


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
    ],
)
def test_a_misspelt_column_is_named_with_the_one_that_may_be_meant(read, name, said):
    cohort = read(f"patient_id,follow_up_years,{name}\nP1,4.5,2\n")
    assert cohort.warnings == (f"Column not known here and left out: {said}.",)


@pytest.mark.parametrize(
    "first", ["sep=;\n", "sep=;\r\n", '"sep=;"\n', "SEP=;\n", "\ufeffsep=;\n", "sep=;\n\n"]
)
def test_the_line_that_excel_writes_for_itself_is_no_header(read, first):
    cohort = read(f"{first}patient_id;follow_up_years\nP1;4,5\nP2;4,6\n")
    assert cohort.numbers("follow_up_years").tolist() == [4.5, 4.6]
    n_before = first.count("\n")
    assert cohort.lines.tolist() == [n_before + 2, n_before + 3]


def test_a_header_that_begins_with_sep_is_a_header(read):
    cohort = read("sep=x,patient_id,follow_up_years\n1,P1,4.5\n")
    assert cohort.patients["patient_id"].tolist() == ["P1"]
