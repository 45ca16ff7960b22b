"""Cells and rows of the patient table: what is taken, what is refused, and what is said."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from ahsct_trial.loading.problems import SHOWN

HEADER = "patient_id,follow_up_years"

# Sentences that many messages share.
YEARS = "it must be a number of years from 0 to 50. Correct it."
COUNT = "it must be a whole number from 0 to 100,000. Correct it or leave it empty."
EDSS = "EDSS goes from 0 to 10 in half points, without 0.5. Correct it or leave it empty."
HAVE = "the same identifier stands on"
ROW = ", and a patient has one row. Remove one or give it another identifier."
TOO_FEW = "Add the missing cells, if only as empty ones."
TOO_MANY = "Remove cells, or put a text that holds a comma in double quotes."
BROKEN = (
    "an identifier stands on one line. Correct it, and look for a quote that is opened there and not closed."
)
COMMA = "other numbers in this file have a decimal comma."
POINT = "other numbers in this file have a decimal point."


def values(cohort, column: str) -> list:
    """The cells of a column, None where missing."""
    return [None if pd.isna(value) else value for value in cohort.data.patients[column]]


# ---- Types ----------------------------------------------------------------------------------------------


def test_types(read):
    cohort = read(
        "id,site,sex,relapses_after,edss_last,follow_up\n1,A,male,0,3.5,1\n2,B,,,,2\n3,A,male,0,0,3\n"
    )
    patients = cohort.data.patients
    assert patients["patient_id"].dtype == "str"
    assert isinstance(patients["site"].dtype, pd.CategoricalDtype)
    assert isinstance(patients["sex"].dtype, pd.CategoricalDtype)
    assert patients[["relapses_after", "edss_last", "follow_up_years"]].dtypes.eq(np.float64).all()
    assert values(cohort, "sex") == ["male", None, "male"]
    assert values(cohort, "relapses_after") == [0, None, 0]
    assert list(patients.index) == [0, 1, 2]
    assert cohort.places.lines.tolist() == [2, 3, 4]
    assert cohort.data.lacking("arm", "site", "years_to_death") == ("arm", "years_to_death")


def test_identifiers_are_text(read):
    # A number's leading zeros, a date, and the words of missing values elsewhere belong to the identifier.
    texts = ["007", "7", "1e5", "2019-01-02", "nan", "None", "null", "-", "TRUE", " 7"]
    cohort = read(HEADER + "\n" + "".join(f"{text},3\n" for text in texts))
    assert values(cohort, "patient_id") == texts


@pytest.mark.parametrize(
    "missing", ["", "NA", '""', '"NA"', " ", "N/A", "n/a", "NaN", "NULL", ".", "#N/A", " NA", '"\u00a0"']
)
@pytest.mark.parametrize("extra", ["", '\nP2,1,,,,"a ""quoted"" one"'], ids=["plain", "quoted"])
def test_what_everybody_takes_for_missing(read, missing, extra):
    cohort = read(f"{HEADER},site,sex,relapses_after,notes\nP1,3,{missing},{missing},{missing},{extra}\n")
    assert [values(cohort, column)[0] for column in ("site", "sex", "relapses_after")] == [None, None, None]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3.0),
        ("3.25", 3.25),
        ("003.5", 3.5),
        ("3.", 3.0),
        (".5", 0.5),
        ("0", 0.0),
        ("-0", 0.0),
        ("+3", 3.0),
        ("1e1", 10.0),
        ("1E+1", 10.0),
        ("25e-1", 2.5),
        ("1e-400", 0.0),
        (" 3.5 ", 3.5),
        ('"3.5"', 3.5),
        ("50", 50.0),
        # 3.3 and its neighbours: the nearest double, as Python reads it.
        ("3.3000000000000000000000000000001", 3.3),
        ("0.1", 0.1),
    ],
)
@pytest.mark.parametrize("other", ["4", "+4"], ids=["fast", "exact"])
def test_numbers(read, text, value, other):
    assert read(f"{HEADER}\nP1,{text}\nP2,{other}\n").data.patients["follow_up_years"].tolist() == [value, 4]


@pytest.mark.parametrize(
    "text",
    [
        "nan", "None", "null", "na", "Na", "inf", "-inf", "Infinity", "1e400", "-1e400",
        "1e308", "-1e308", "six", "-", "--3", "3-", "3 years", "3y", ">3", "1_0", "0x10", "1e", "e1",
        "..", "٣", "３", "½", "1 0", "TRUE", "51", "-0.001", "3.5.1", "1,234.5", "NaN(1)",
        "3\u200b", "=3", "'3",
    ],
)  # fmt: skip
def test_what_is_no_number_of_years(refused, text):
    problems = refused(f'{HEADER}\nP1,1\nP2,"{text}"\nP3,3\n')
    [problem] = problems.problems
    assert (problem.line, problem.patient, problem.column, problem.value) == (
        3,
        "P2",
        "follow_up_years",
        text,
    )
    assert problem.rule == "it must be a number of years from 0 to 50"
    assert problem.fix == "Correct it."


@pytest.mark.parametrize(
    ("text", "value"), [("2", 2), ("2.0", 2), ("1e3", 1000), ("100000", 100_000), (" 2", 2), ("0", 0)]
)
def test_counts(read, text, value):
    assert values(read(f"{HEADER},relapses_before\nP1,3,{text}\n"), "relapses_before") == [value]


@pytest.mark.parametrize("text", ["2.5", "-1", "100001", "1e400", "2e-1", "two", "1e308", "0.1"])
def test_what_is_no_count(messages, text):
    quoted = text if text[-1].isdigit() and "e" not in text else f"'{text}'"
    tokens = {"two": "two", "-1": "'-1'"}
    missing = f" If it stands for missing, add --missing {tokens[text]}." if text in tokens else ""
    assert messages(f"{HEADER},relapses_before\nP-07,3,{text}\n") == [
        f"cohort.csv:2 patient P-07: relapses_before is {quoted}; {COUNT}{missing}"
    ]


@pytest.mark.parametrize("text", ["0", "1", "1.0", "1.5", "9.5", "10", "10.0"])
def test_edss(read, text):
    assert values(read(f"{HEADER},edss_last\nP1,3,{text}\n"), "edss_last") == [float(text)]


@pytest.mark.parametrize("text", ["3.2", "0.5", "11", "10.5", "-1", "-0.5", "0.25", "3.4999999"])
def test_what_is_no_edss(messages, text):
    assert messages(f"{HEADER},edss_baseline\nP-06,3,4\nP-07,3,{text}\n") == [
        f"cohort.csv:3 patient P-07: edss_baseline is {text}; {EDSS}"
        + " If it stands for missing, add --missing '-1'." * (text == "-1")
    ]


@pytest.mark.parametrize("text", ["1e308", "-1e308", "inf", "1e400"])
def test_huge_edss(messages, text):
    [message] = messages(f"{HEADER},edss_baseline\nP1,3,{text}\n")
    assert message.startswith(f"cohort.csv:2 patient P1: edss_baseline is '{text}'; EDSS goes from 0 to 10")


@pytest.mark.parametrize(
    ("column", "text", "rule"),
    [
        ("sex", "w", "it must be female or male"),
        ("sex", "fem", "it must be female or male"),
        ("sex", "nan", "it must be female or male"),
        ("ms_course", "CIS", "it must be RRMS, SPMS or PPMS"),
        ("prior_therapy", "1", "it must be yes or no"),
        ("cause_of_death", "TRM", "it must be transplant, ms or other"),
    ],
)
def test_what_is_no_level(messages, column, text, rule):
    named = text if text == "1" else f"'{text}'"
    missing = f" If it stands for missing, add --missing {text}." if text.isupper() else ""
    assert messages(f"{HEADER},{column}\nP1,3,\nP2,3,{text}\n") == [
        f"cohort.csv:3 patient P2: {column} is {named}; {rule}. "
        f"Correct it, or give a map that translates it.{missing}"
    ]


@pytest.mark.parametrize(
    ("column", "texts", "levels"),
    [
        (
            "sex",
            ["F", " m ", "Female", "MALE", "f", "M"],
            ["female", "male", "female", "male", "female", "male"],
        ),
        ("ms_course", ["RR", "sp", "rrms", "PP", "PPms"], ["RRMS", "SPMS", "RRMS", "PPMS", "PPMS"]),
        ("prior_therapy", ["Y", "n", "YES", "No"], ["yes", "no", "yes", "no"]),
    ],
)
def test_codes_that_everybody_knows(read, column, texts, levels):
    rows = "".join(f"{number},3,{text}\n" for number, text in enumerate(texts))
    assert values(read(f"{HEADER},{column}\n{rows}"), column) == levels


def test_labels_are_compared_without_blanks_case_and_form(read, notices):
    # ö in one and in two characters; a first spelling that is rarer than the second.
    cohort = read(
        f'{HEADER},arm,site\n1,3,hsct,"Malmo\u0308"\n2,3,HSCT,Malmö\n3,3, HSCT ,malmö\n4,3,BEAM,Lund\n'
    )
    assert values(cohort, "arm") == ["HSCT", "HSCT", "HSCT", "BEAM"]
    assert values(cohort, "site") == ["Malmö", "Malmö", "Malmö", "Lund"]
    assert notices(cohort) == (
        "Labels of arm that differ only by case were taken as one: hsct as HSCT.",
        "Labels of site that differ only by case were taken as one: malmö as Malmö.",
    )


def test_texts_for_missing_are_counted_and_more_are_added(read, messages):
    text = f"{HEADER},edss_last,site\nP1,3,.,NA\nP2,3,NaN,UNK\nP3,3, . ,Lund\nP4,3,-,Lund\n"
    assert messages(text) == [
        "cohort.csv:5 patient P4: edss_last is '-'; EDSS goes from 0 to 10 in half points, without 0.5. "
        "Correct it or leave it empty. If it stands for missing, add --missing '-'."
    ]
    cohort = read(text, missing=["-", "UNK"])
    assert cohort.account.missing == {".": 2, "NaN": 1, "-": 1, "NA": 1, "UNK": 1}
    assert values(cohort, "edss_last") == [None] * 4
    assert values(cohort, "site") == [None, None, "Lund", "Lund"]


# ---- Decimals -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [";", "\t"], ids=["semicolon", "tab"])
@pytest.mark.parametrize("mark", [".", ","], ids=["point", "comma"])
@pytest.mark.parametrize("sign", ["", "+"], ids=["fast", "exact"])
def test_decimals_of_semicolon_and_tab_files(read, delimiter, mark, sign):
    text = f"id;follow_up;edss_last;relapses_after\nP1;3.25;{sign}4.5;2.0\nP2;.5;3;0\n"
    cohort = read(text.replace(".", mark).replace(";", delimiter))
    assert values(cohort, "follow_up_years") == [3.25, 0.5]
    assert values(cohort, "edss_last") == [4.5, 3]
    assert values(cohort, "relapses_after") == [2, 0]


def test_decimal_comma_of_a_comma_file(messages):
    assert messages(HEADER + ',edss_last\nP1,3,"2,5"\nP2,"3,5",2.5\n') == [
        "cohort.csv:2 patient P1: edss_last is '2,5'; in a comma-separated file decimals have a point. "
        "Correct it.",
        "cohort.csv:3 patient P2: follow_up_years is '3,5'; in a comma-separated file decimals have a point. "
        "Correct it.",
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # The mark that fewer numbers have is the wrong one.
        ("P1;3,5;4,5\nP2;3,5;4.5\n", f"3 patient P2: edss_last is 4.5; {COMMA}"),
        ("P1;3.5;4,5\nP2;3.5;\n", f"2 patient P1: edss_last is '4,5'; {POINT}"),
        # At a tie the comma is right: it is why such a file has semicolons.
        ("P1;3,5;4.5\n", f"2 patient P1: edss_last is 4.5; {COMMA}"),
    ],
)  # fmt: skip
def test_mixed_decimals(messages, rows, expected):
    assert messages(f"id;follow_up;edss_last\n{rows}") == [f"cohort.csv:{expected} Correct it."]


def test_thousands_are_not_guessed(messages):
    # 1.234,5 could be 1234.5 elsewhere; here no number has both marks.
    assert messages("id;follow_up\nP1;1,5\nP2;1.234,5\n") == [
        f"cohort.csv:3 patient P2: follow_up_years is '1.234,5'; {YEARS}"
    ]


# ---- Missing cells, rows without any value --------------------------------------------------------------


def test_required_cells(messages):
    assert messages("id,follow_up,site\n,3,A\nP2,,A\n,,A\n") == [
        "cohort.csv:2, 4: patient_id is empty; it cannot be left empty. Enter it, or remove a row of totals.",
        "cohort.csv:3, 4: follow_up_years is empty; it cannot be left empty. Enter it.",
    ]


def test_rows_without_any_value_are_set_aside(read):
    cohort = read("id,notes,follow_up,site\n,,,\nP1,,3,A\nNA,,NA,\n,a remark,,\nP2,,4,\n,,,\n")
    assert values(cohort, "patient_id") == ["P1", "P2"]
    assert cohort.places.lines.tolist() == [3, 6]
    account = cohort.account
    assert (account.rows_read, account.rows_used) == (6, 2)
    assert [(aside.reason, aside.count, aside.lines) for aside in account.set_aside] == [
        ("row without a value in a known column", 4, (2, 4, 5, 7))
    ]


def test_nothing_set_aside(read):
    account = read("id,follow_up\nP1,3\n\n\nP2,4\n").account
    assert (account.rows_read, account.rows_used, account.set_aside) == (2, 2, ())


def test_empty_rows_do_not_stop_the_search_for_problems(messages):
    assert messages("id,follow_up\n,\nP2,-4\n,\n") == [
        f"cohort.csv:3 patient P2: follow_up_years is -4; {YEARS}"
    ]


def test_no_row_with_a_value(messages):
    assert messages("id,follow_up\n,\nNA,NA\n") == [
        "cohort.csv: no row below the headings has a value; a cohort has a row per patient, or one per "
        "observation. Fill in a row for each; if there should be some already, export the data again."
    ]


# ---- Identifiers ----------------------------------------------------------------------------------------


def test_duplicate_patient(messages):
    assert messages("id,follow_up\nP1,3\nP-07,3\n\nP2,4\nP-07,4\nP-07,5\nP2,1\n") == [
        f"cohort.csv:6, 7: patient_id is 'P-07'; {HAVE} lines 3, 3{ROW}",
        f"cohort.csv:8 patient P2: patient_id is 'P2'; {HAVE} line 5{ROW}",
    ]


def test_rows_that_are_alike_in_every_cell_are_one(read, messages):
    text = "id,follow_up,notes\nP1,3,x\nP2,4,\nP1,3,x\nP2,4,\nP1,3,x\n"
    cohort = read(text)
    assert values(cohort, "patient_id") == ["P1", "P2"]
    assert [cohort.places.of(row).line for row in cohort.data.rows.tolist()] == [2, 3]
    assert [(aside.reason, aside.count, aside.lines) for aside in cohort.account.set_aside] == [
        ("row that is alike in every cell with an earlier one", 3, (4, 5, 6))
    ]
    # A column that is not known here makes a difference too.
    assert messages(text + "P1,3,y\n") == [f"cohort.csv:7 patient P1: patient_id is 'P1'; {HAVE} line 2{ROW}"]


@pytest.mark.parametrize(
    "text",
    [
        "id,follow_up\r\nP1,3\r\nP2,4\r\nP2,4",  # without an end of the last line
        "id,follow_up\nP1,3\nP2,4\nP2,4\r\n",
        'id,follow_up\nP1,3\nP2,4\n"P2",4\n',
        'id;follow_up\nP1;3\n"P2";4\nP2;"4"\n',
        'id,follow_up,notes\nP1,3,\nP2,4,"a ""b"",\nc"\nP2,4,"a ""b"",\nc"\n',
    ],
)
def test_rows_whose_cells_are_alike_and_written_otherwise(read, text):
    cohort = read(text)
    assert values(cohort, "patient_id") == ["P1", "P2"]
    assert [aside.count for aside in cohort.account.set_aside] == [1]


def test_rows_with_line_breaks_that_differ_behind_them(messages):
    # Only their first lines are alike.
    text = 'id,follow_up,notes\nP1,3,"x\ny"\nP1,3,"x\nz"\n'
    assert messages(text) == [f"cohort.csv:4 patient P1: patient_id is 'P1'; {HAVE} line 2{ROW}"]


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\u2003 "])
def test_blank_identifier(messages, blank):
    assert messages(f'id,follow_up\n"{blank}",3\n') == [
        "cohort.csv:2: patient_id is empty; it cannot be left empty. Enter it, or remove a row of totals."
    ]


@pytest.mark.parametrize("unseen", ["\u200b", "\u2060\u200d", " \ufeff"])
def test_an_identifier_of_invisible_characters(messages, unseen):
    [message] = messages(f'id,follow_up\nP1,3\n"{unseen}",3\n')
    assert message.endswith("; it consists of invisible characters alone. Correct it.")


def test_two_open_quotes_that_join_rows(messages):
    # Two open quotes make a pair: the rows between them are one row, and each cell of it is text.
    assert messages('id,follow_up\nP1,3\n"P2,3\nP3,3\nP4",4\nP5,5\n') == [
        f"cohort.csv:3 patient P2,3\\nP3,3\\nP4: patient_id is 'P2,3\\nP3,3\\nP4'; {BROKEN}"
    ]


def test_a_line_break_in_a_cell_is_to_be_looked_at(read):
    cohort = read('id,follow_up,site\nP1,3,"Ghent\nP2,4,Leuven\nP3,5,Namur"\nP4,5,Liege\nP5,5,"a\nb"\n')
    assert values(cohort, "patient_id") == ["P1", "P4", "P5"]
    assert [(notice.severity, notice.text) for notice in cohort.notices] == [
        (
            "look first",
            "A quoted cell of lines 2, 6 holds a line break. "
            "Was a quote opened by mistake, and were rows swallowed?",
        )
    ]


ALIKE = "only by case, blanks, forms of letters, leading zeros or a final .0"


@pytest.mark.parametrize(
    ("identifiers", "said"),
    [
        (["P1", "p1", "P 1"], f"1 group of identifiers differs {ALIKE} (lines 2, 3, 4)."),
        (
            ["R\u00a01", "R1", "S1", "S\u200b1"],
            f"2 groups of identifiers differ {ALIKE} (lines 2, 3; lines 4, 5).",
        ),
        (["5", "005", "5.0", "014"], f"1 group of identifiers differs {ALIKE} (lines 2, 3, 4)."),
        (["Mu\u0308ller", "Müller"], f"1 group of identifiers differs {ALIKE} (lines 2, 3)."),
        (["Ａ7", "A7", "A70"], f"1 group of identifiers differs {ALIKE} (lines 2, 3)."),
        (["0", "00", "1"], f"1 group of identifiers differs {ALIKE} (lines 2, 3)."),
    ],
)
def test_identifiers_that_are_alike(read, identifiers, said):
    cohort = read("id,follow_up\n" + "".join(f'"{own}",3\n' for own in identifiers))
    assert values(cohort, "patient_id") == identifiers
    [notice] = cohort.notices
    assert notice.text == f"{said} Each identifier is a patient here: is it one patient?"
    assert (notice.severity, notice.names_patients) == ("look first", False)


def test_many_groups_of_identifiers_that_are_alike_are_counted(read, notices):
    rows = "".join(f"a{number},1\nA{number},1\n" for number in range(7))
    assert notices(read("id,follow_up\n" + rows)) == (
        f"7 groups of identifiers differ {ALIKE} (lines 2, 3; lines 4, 5; lines 6, 7; "
        f"lines 8, 9; lines 10, 11; "
        "and 2 more). Each identifier is a patient here: is it one patient?",
    )


@pytest.mark.parametrize("identifiers", [["Ab1", "", "cd"], ["\u200b", "\u00a0", "x"]])
def test_identifiers_of_which_one_is_missing_are_compared_without_it(messages, identifiers):
    # Letters of both cases, or one that is not of ASCII, call for a closer look at all identifiers.
    found = messages("id,follow_up\n" + "".join(f"{own},4\n" for own in identifiers))
    assert any("patient_id is empty; it cannot be left empty" in message for message in found)


@pytest.mark.parametrize(
    "identifiers",
    [["P1", "P 2", "p3", "Ä4"], ["005", "050", "500"], ["1.1", "1.10", "11"], ["P05", "P5"], ["10", "100"]],
)
def test_identifiers_that_are_not_alike(read, identifiers):
    assert read("id,follow_up\n" + "".join(f"{own},3\n" for own in identifiers)).notices == ()


# ---- Rows that are no patients --------------------------------------------------------------------------

TOTAL = "a row of totals or means is not a patient. Remove the row."


@pytest.mark.parametrize(
    "word",
    [
        "Total",
        "TOTAL",
        "Summe",
        "Moyenne",
        "Media",
        "Gemiddelde",
        "Mean:",
        " Sum ",
        "Średnia",
        "N",
        "n =",
        "n = 2",
        "Mean (SD)",
        "Mean ± SD",
        "Total (n=2)",
        "Total général",
        "Anzahl",
        "Écart-type",
        "Overall",
        "Median [IQR]",
        "Std. Dev.",
        "St Dev",
        "Totalt",
        "Total: 2",
        "Total N=2",
        "合計",
        "평균",
        "Zwischensumme",
        "Sous-total",
        "Sub total",
        "Subtotal",
        "Gesamtergebnis",
        "Écart type",
        "Varianz",
        "Medie",
        "Antal",
        "Percent",
        "Patients (n)",
        "No. of patients",
        "-- Total --",
        "'Mean'",
        "_SUM_",
    ],
)
def test_a_row_of_totals_at_the_end(messages, word):
    # Its other cells are held against no rule: a mean of relapses is no whole number.
    text = f"id,follow_up,relapses_after,years_to_first_relapse\nP-1,4,0,\nP-2,5,1,1\n{word},4.5,0.5,1\n"
    assert messages(text) == [f"cohort.csv:4 patient {word}: patient_id is '{word}'; {TOTAL}"]


@pytest.mark.parametrize("word", ["SD", "Max", "MW", "%", "Alle", "IQR", "Min–Max", "N: 2"])
def test_what_may_be_initials_is_a_summary_below_numbered_patients(messages, word):
    assert messages(f"id,follow_up\nP1,3\nP2,4\n{word},3.5\n") == [
        f"cohort.csv:4 patient {word}: patient_id is '{word}'; {TOTAL}"
    ]


def test_a_maximum_below_names(messages, read):
    names = "id,follow_up\nAnna,3\nBert,2\nClara,4\n"
    assert len(read(names + "Max,3\n")) == 4
    assert messages(names + "Min,2\nMax,4\n") == [
        f"cohort.csv:5 patient Min: patient_id is 'Min'; {TOTAL}",
        f"cohort.csv:6 patient Max: patient_id is 'Max'; {TOTAL}",
    ]


def test_a_row_of_totals_between_others(messages):
    assert messages("id,follow_up\nP1,3\nTotal,3\nP2,4\nP3,5\ntotal,9\nN,2\n") == [
        f"cohort.csv:3 patient Total: patient_id is 'Total'; {TOTAL}",
        f"cohort.csv:6 patient total: patient_id is 'total'; {TOTAL}",
        f"cohort.csv:7 patient N: patient_id is 'N'; {TOTAL}",
    ]


@pytest.mark.parametrize(
    "identifiers",
    [
        ["L", "M", "N"],
        ["N", "P1", "P2"],
        ["P1", "N", "P2"],
        ["Totalski", "P2"],
        ["SD", "MW", "AB"],
        ["TOTAL-001", "Total 002"],
        ["Max-Smith-1", "MEAN-A1"],
        ["NO:001", "SE:001", "SE:002"],
        ["Totaling", "Median-1", "Sub-1"],
        ["Istvan", "Antal", "Janos"],
        ["Istvan", "Janos", "Antal"],
    ],
)
def test_initials_are_no_row_of_totals(read, identifiers):
    assert len(read("id,follow_up\n" + "".join(f"{own},3\n" for own in identifiers))) == len(identifiers)


# ---- Numbers that stand for something else --------------------------------------------------------------


def test_a_column_of_missing_codes(messages, read):
    text = "id,follow_up,relapses_before,years_observed_before\nP1,5,999,2\nP2,5,,2\nP3,5,999.0,2\n"
    assert messages(text) == [
        "cohort.csv:2, 4: relapses_before is 999 in every row that has it; such a number mostly stands for "
        "missing. Leave the cells empty, or add --missing 999."
    ]
    # One cell alone may be a count, and so may other numbers.
    assert len(read(text.replace("999.0", ""))) == len(read(text.replace("999", "3"))) == 3
    cohort = read(text.replace("999.0", "999"), missing=["999"])
    assert cohort.account.missing == {"999": 2}


@pytest.mark.parametrize("odd", ["", "NA"], ids=["all are numbers", "another cell is a text"])
def test_a_number_stands_for_missing(read, odd):
    text = f"{HEADER},relapses_after,edss_last\nP1,3,0,{odd}\nP2,3,9,3\nP3,3,1,9\nP4,3,9,2\n"
    cohort = read(text, missing=["9"])
    assert values(cohort, "relapses_after") == [0, None, 1, None]
    assert values(cohort, "edss_last") == [None, 3, None, 2]
    assert cohort.account.missing["9"] == 3


def test_a_count_far_outside_the_others(read):
    text = "id,follow_up,scans_after\nP1,5,5\nP2,5,99\nP3,5,5\nP4,4,4\n"
    [notice] = read(text).notices
    assert (notice.severity, notice.text) == (
        "look first",
        "scans_after of line 3 is 99, far outside the others. Does it stand for missing, or is it a slip?",
    )
    # Two of ten.
    counts = [5, 4, 5, 6, 5, 4, 5, 5, 505, 606]
    several = "id,follow_up,scans_after\n" + "".join(f"P{n},5,{count}\n" for n, count in enumerate(counts))
    assert "lines 10, 11 is 505 to 606, far outside the others" in read(several).notices[0].text
    # Three of ten are no slip, nor a fifth of many.
    for counts in ([0, 1, 2, 0, 1, 2, 0, 35, 36, 37], [1] * 80 + [35] * 20):
        many = "id,follow_up,lesions_before\n" + "".join(f"P{n},5,{each}\n" for n, each in enumerate(counts))
        assert read(many).notices == ()
    # Counts that spread widely have no gap.
    spread = [0, 0, 1, 1, 2, 3, 5, 9, 20, 45]
    wide = "id,follow_up,lesions_before\n" + "".join(f"P{n},5,{count}\n" for n, count in enumerate(spread))
    assert read(wide).notices == ()
    # Ten times the ninetieth percentile, here 5, is 50; and 30 is far outside no small counts.
    assert read(text.replace("99", "50")).notices == ()
    assert (
        read("id,follow_up,lesions_before\n" + "".join(f"{n},5,0\n" for n in range(9)) + "9,5,30\n").notices
        == ()
    )


def test_a_code_for_missing_in_many_rows_does_not_hide_itself(read):
    # A fifth of the rows at 99: their ninetieth percentile would be 99 itself.
    counts = [0, 1, 0, 99, 99, 0, 2, 0, 0, 1]
    text = "id,follow_up,scans_after\n" + "".join(f"P{n},5,{count}\n" for n, count in enumerate(counts))
    [notice] = read(text).notices
    assert notice.text.startswith("scans_after of lines 5, 6 is 99, far outside the others.")
    [notice] = read("id,follow_up,scans_after\nP1,5,999\n").notices
    assert notice.text == "scans_after of line 2 is 999. Does it stand for missing, or is it a slip?"
    nines = "id,follow_up,scans_after\nP1,5,9\nP2,5,9\nP3,5,9\n"
    [notice] = read(nines).notices
    assert notice.text == "scans_after is 9 in every row that has it. Does it stand for missing?"
    assert read(nines.replace("P3,5,9", "P3,5,8")).notices == ()


def test_months_read_as_years(read, messages):
    cohort = read("id,follow_up\nP1,36\nP2,48\nP3,24\nP4,31\n")
    assert [(notice.severity, notice.text) for notice in cohort.notices] == [
        ("look first", "The median follow-up is 33.5 years. Were months read as years?")
    ]
    assert read("id,follow_up\nP1,25\nP2,25\n").notices == ()
    assert messages("id,follow_up\nP1,36\nP2,51\n") == [
        f"cohort.csv:3 patient P2: follow_up_years is 51; {YEARS}"
    ]


def test_a_last_edss_of_10_without_a_death(read):
    text = "id,follow_up,edss_last,years_to_death\nP1,3,10,\nP2,3,10,3\nP3,3,9.5,\n"
    [notice] = read(text).notices
    assert notice.text.startswith("1 patient has a last EDSS of 10, which is death due to MS, and no death.")


def test_what_is_to_be_looked_at_is_an_error_where_that_is_asked_for(refused):
    problems = refused("id,follow_up\nP1,36\nP2,48\n", is_strict=True)
    assert str(problems).split("\n") == [
        "cohort.csv has 1 problem; nothing was computed.",
        "cohort.csv: With --strict this stops: The median follow-up is 42.0 years. Were months read as years?",
    ]
    assert problems.exit_code == 3


def test_what_is_to_be_looked_at_is_told_beside_problems(refused):
    problems = refused("id,follow_up\nP1,36\nP2,48\nP3,-1\n")
    assert str(problems).split("\n")[-1] == (
        "Look at this too: The median follow-up is 42.0 years. Were months read as years?"
    )
    assert [notice.code for notice in problems.as_validation().notices] == ["long-follow-up"]


# ---- Text of the file in messages -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identifier", "shown"),
    [
        ("[bold]P1[/bold]", "[bold]P1[/bold]"),
        ("{P1}", "{P1}"),
        ("\x1b[31mP1\x07", "\\x1b[31mP1\\x07"),
        ("\u202eP1\u200f", "\\u202eP1\\u200f"),
        ("P\u00a01", "P\\xa01"),
        ("P" * 10_000, "P" * 59 + "…"),
        ("\x1b" * 10_000 + "P", "\\x1b" * 59 + "…"),
        ("患者1", "患者1"),
    ],
    ids=["markup", "braces", "escape", "right to left", "blank", "long", "long and escaped", "Chinese"],
)
def test_text_in_messages(messages, refused, identifier, shown):
    text = f"id,follow_up,site,sex\n{identifier},3,A,\n{identifier},3,A,{identifier}\n"
    assert messages(text) == [
        f"cohort.csv:3 patient {shown}: sex is '{shown}'; it must be female or male. "
        "Correct it, or give a map that translates it.",
        f"cohort.csv:3 patient {shown}: patient_id is '{shown}'; {HAVE} line 2{ROW}",
    ]
    # For programs the value is whole.
    assert {problem.value for problem in refused(text).problems} == {identifier}


def test_long_and_strange_identifiers_are_kept(read):
    texts = ["P" * 10_000, "[bold]", "\x1b[31m", "a,b", 'say "x"', "\u202e1"]
    quoted = ['"' + text.replace('"', '""') + '"' for text in texts]
    cohort = read("id,follow_up\n" + "".join(f"{text},3\n" for text in quoted))
    assert values(cohort, "patient_id") == texts


# ---- Rows, quotes and line numbers ----------------------------------------------------------------------


def test_line_numbers_after_quoted_line_breaks_and_blank_lines(messages, read):
    good = 'id,notes,follow_up\nP1,"one\n\ntwo",3\n\n\r\nP2,,4\n"P3","a ""b""\r\n",5\n'
    assert read(good).places.lines.tolist() == [2, 7, 8]
    # Line 10 begins after the break within the notes of P3.
    assert messages(good + "P4,,-1\n\nP5,x,-2") == [
        f"cohort.csv:10 patient P4: follow_up_years is -1; {YEARS}",
        f"cohort.csv:12 patient P5: follow_up_years is -2; {YEARS}",
    ]


def test_quotes_within_cells_are_text(read):
    # 5' 3" is a height; a quote that does not begin a cell opens nothing.
    cohort = read('id,site,follow_up\nP1,5\' 3",3\nP2,"a""b",4\nP3,"a"b,5\n')
    assert values(cohort, "site") == ["5' 3\"", 'a"b', "ab"]
    assert cohort.places.lines.tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("P1,3\n", [f"2: the row has 2 cells; the header has 3. {TOO_FEW}"]),
        ("P1\n", [f"2: the row has 1 cell; the header has 3. {TOO_FEW}"]),
        (" \nP1,3,A\n", [f"2: the row has 1 cell; the header has 3. {TOO_FEW}"]),
        ("P1,3,A\n\nP2,3,Ottawa, Canada\n", [f"4: the row has 4 cells; the header has 3. {TOO_MANY}"]),
        ("P1,3,A,\nP2,4,B,\n", [f"2, 3: the row has 4 cells; the header has 3. {TOO_MANY}"]),
    ],
    ids=["one too few", "one alone", "blanks alone", "one too many", "trailing delimiters"],
)  # fmt: skip
def test_ragged_rows(messages, rows, expected):
    assert messages(f"id,follow_up,site\n{rows}") == [f"cohort.csv:{message}" for message in expected]


def test_ragged_rows_among_other_problems_in_file_order(messages):
    found = messages("id,follow_up\nP1,-1\nP2\nP3,-3\nP4,4,4\nP5,-5\n")
    assert [message.split(":")[1].split(" ")[0] for message in found] == ["2", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ('P1,3,"A\nP2,4,B\nP3,5,C\n', 2),
        ('P1,3,A\n\nP2,4,"B\nP3,5,C', 4),
        ('P1,3,A\nP2,"4,B\n', 3),
        ('P1,3,A\n"P2,4,B\n', 3),
        ('P1,3,A\nP2,4,"B', 3),
        ('P1,3,A\nP2,4,"B\n\n\n', 3),
        ('P1,3,"A"\nP2,4,"\n', 3),
        # An even number of quotes, one of them within a text.
        ('P1,3,A"\nP2,4,"B\n', 3),
        ('P1,3,"A\n"\nP2",4,"B\nP3,5,C\n', 4),
        # Two open quotes are a pair that would join lines 3 to 5 to one row and lose P3 and P4.
        ('P1,3,A\nP2,4,"B\nP3,5,C\nP4,6,"D\nP5,7,E\n', 3),
        # So is an open quote before cells with sound ones.
        ('P1,3,"A"\nP2,4,"B\nP3,5,"C"\nP4,6,"D"\n"P5",7,"E"\n', 3),
    ],
)
def test_open_quote(messages, rows, line):
    assert messages(f"id,follow_up,site\n{rows}") == [
        f"cohort.csv:{line}: a quote is opened and not closed where its cell ends; "
        "a quoted cell begins and ends with a quote. Close or remove it."
    ]


def test_cells_longer_than_a_block(read, messages):
    # pyarrow reads blocks of one megabyte, and the csv module cells of 131,072 characters.
    note = "x" * 3_000_000
    text = f'id,follow_up,notes\nP1,3,"{note}\n{note}"\n'
    cohort = read(text + "P2,4,\n")
    assert cohort.places.lines.tolist() == [2, 4]
    assert messages(text + "P2,-4,\n")[0].startswith("cohort.csv:4 patient P2: follow_up_years is -4;")


# ---- All problems at once -------------------------------------------------------------------------------


def test_all_problems_at_once_in_file_order(refused):
    problems = refused(
        "id,sex,follow_up,edss_last,relapses_after\n"
        "P1,male,3,2,0\n"
        "P2,w,-1,3.2,1.5\n"
        "P3,male,3\n"
        "P2,male,six,,0\n"
    )
    assert str(problems).split("\n") == [
        "cohort.csv has 7 problems; nothing was computed.",
        "cohort.csv:3 patient P2: sex is 'w'; it must be female or male. "
        "Correct it, or give a map that translates it.",
        f"cohort.csv:3 patient P2: follow_up_years is -1; {YEARS}",
        f"cohort.csv:3 patient P2: edss_last is 3.2; {EDSS}",
        f"cohort.csv:3 patient P2: relapses_after is 1.5; {COUNT}",
        f"cohort.csv:4: the row has 3 cells; the header has 5. {TOO_FEW}",
        f"cohort.csv:5 patient P2: follow_up_years is 'six'; {YEARS}",
        f"cohort.csv:5 patient P2: patient_id is 'P2'; {HAVE} line 3{ROW}",
    ]
    assert problems.n_problems == 7
    assert problems.exit_code == 3


def test_one_problem(refused):
    assert str(refused("id,follow_up\nP1,-1\n")).startswith(
        "cohort.csv has 1 problem; nothing was computed.\n"
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("P{},six,3.2\n", ["follow_up_years is 'six'", "edss_last is 3.2"]),
        ("P{},3\n", ["the row has 2 cells"]),
    ],
    ids=["cells", "ragged"],
)
def test_the_same_problem_in_a_hundred_thousand_rows(refused, row, said):
    n_rows = 100_000
    problems = refused("id,follow_up,edss_last\n" + "".join(row.format(number) for number in range(n_rows)))
    assert problems.n_problems == len(said)
    assert [str(problem).split(";")[0] for problem in problems.problems] == [
        f"cohort.csv:2, 3, 4 and 99,997 more: {what}" for what in said
    ]


def test_of_many_problems_each_kind_is_shown(refused):
    n_rows = 100_000
    rows = "".join(f"P{number},-{number + 1}.5\n" for number in range(n_rows))
    problems = refused(f"id,follow_up\n{rows}Q\nP0,3\n")
    # Each wrong number is a problem of its own, and the two of other kinds stand behind them all.
    assert problems.n_problems > SHOWN == len(problems.problems) == 200
    assert [problem.line for problem in problems.problems] == [*range(2, 200), n_rows + 2, n_rows + 3]
    lines = str(problems).split("\n")
    assert len(lines) == 15  # ten of the first kind and their number, the two others, and the rest
    assert lines[-1] == f"… and {problems.n_problems - 200:,} more."


def test_the_last_of_many_rows(messages):
    # More than one block of pyarrow, so that rows are numbered over blocks.
    n_rows = 60_000
    good = "".join(f"P{number:06},3,{'x' * 30}\n" for number in range(n_rows))
    assert len(good) > 2_000_000
    assert messages(f"id,follow_up,notes\n{good}Q,3\nR,-1,\n")[0].startswith(
        f"cohort.csv:{n_rows + 2}: the row has"
    )
    assert messages(f"id,follow_up,notes\n{good}R,-1,\n")[0].startswith(
        f"cohort.csv:{n_rows + 2} patient R: "
    )


def test_thousands_of_columns_and_one_bad_cell(messages):
    names = ",".join(f"x{number}" for number in range(5000))
    row = "," * 5000
    [message] = messages(f"id,{names},follow_up\nP1{row},3\nP2{row},-3\n")
    assert message.startswith("cohort.csv:3 patient P2: follow_up_years is -3;")


def test_validation_for_programs(refused):
    validation = refused("id,follow_up,sex\nP1,2,w\nP2,-1,w\nP3,1,w\n").as_validation()
    of_several, of_one = validation.problems
    assert (validation.n_problems, validation.account) == (2, None)
    assert (of_one.file, of_one.sheet, of_one.line, of_one.lines, of_one.n_rows) == (
        "cohort.csv",
        None,
        3,
        (3,),
        1,
    )
    assert (of_one.patient, of_one.column, of_one.value) == ("P2", "follow_up_years", "-1")
    assert of_one.text.startswith("cohort.csv:3 patient P2: ")
    assert (of_several.line, of_several.lines, of_several.n_rows) == (2, (2, 3, 4), 3)
    assert (of_several.patient, of_several.column, of_several.value) == (None, "sex", "w")


def test_missing_numbers_are_nan_and_not_zero(read):
    cohort = read("id,follow_up,relapses_before\nP1,3,\nP2,3,0\n")
    assert math.isnan(cohort.data.numbers("relapses_before")[0])
    assert cohort.data.numbers("relapses_before")[1] == 0


@pytest.mark.parametrize(
    ("cell", "token"),
    [
        ("unknown", "unknown"),
        ("unbekannt", "unbekannt"),
        ("n.d.", "'n.d.'"),
        ("null", "null"),
        ("?", "'?'"),
        ("#NULL!", "'#NULL!'"),
        ("#N/A!", "'#N/A!'"),
        ("<NA>", "'<NA>'"),
    ],
)
def test_a_word_for_unknown_is_answered_with_missing(messages, cell, token):
    [message] = messages(f"id,follow_up,sex\nP1,3,{cell}\n")
    assert message.endswith(f" If it stands for missing, add --missing {token}.")


def test_the_one_slip_among_many_of_another_kind(refused):
    # Days that stand for years are in 30 rows; the number below 0 is another slip, and is told.
    days = "".join(f"P{n},{2000 + n}\n" for n in range(30))
    told = str(refused("id,follow_up\n" + days + "Q,-1\n")).splitlines()
    lines = ", ".join(map(str, range(12, 32)))
    assert told[11:] == [
        f"cohort.csv: … and 20 more like the one before, on lines {lines}.",
        "cohort.csv:32 patient Q: follow_up_years is -1; it must be a number of years from 0 to 50. Correct it.",
    ]


@pytest.mark.parametrize(("cell", "token"), [("-9", "'-9'"), ("99", "99"), ("-1", "'-1'")])
def test_a_number_for_missing_is_answered_with_missing(messages, cell, token):
    [message] = messages(f"id,follow_up,edss_baseline\nP1,3,{cell}\n")
    assert message.endswith(f" If it stands for missing, add --missing {token}.")
    [message] = messages("id,follow_up,edss_baseline\nP1,3,11\n")
    assert "--missing" not in message
