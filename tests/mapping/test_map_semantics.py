"""Each key of a map on the smallest table that shows it; expected values by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapped import map_of, mapped_files, problems_of, rows_of

from ahsct_trial.errors import UsageError
from ahsct_trial.loading.problems import DataProblems
from ahsct_trial.mapping import apply_map, read_map, read_mapped, with_options
from ahsct_trial.mapping.dates import Wrong, iso_day
from ahsct_trial.rendering.workbook import Sheet, SheetColumn, write_workbook

TRANSPLANTS = """
[[table]]
file = "tx"
patient_id = "id"
[[table.record]]
kind = "transplant"
date = "tx"
"""
TX = "id,tx\n1,2015-01-10\n"


def visits(keys: str = 'date = "when"\nedss = "score"', table: str = "") -> str:
    head = f'{TRANSPLANTS}\n[[table]]\nfile = "visits"\npatient_id = "id"\n{table}\n'
    return f'{head}[[table.record]]\nkind = "edss"\n{keys}\n'


def edss_rows(folder, rules: str, table: str, tx: str = TX) -> list[tuple[str, str]]:
    rows = rows_of(mapped_files(folder, rules, tx=tx, visits=table))
    return [(row["date"], row["edss"]) for row in rows if row["record"] == "edss"]


def told(folder, rules: str, table: str) -> list[str]:
    with pytest.raises(DataProblems) as error:
        mapped_files(folder, rules, tx=TX, visits=table)
    return problems_of(error.value)


# ---- Dates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "forms", "partial", "day"),
    [
        ("2018-01-15", (), None, "2018-01-15"),
        ("2018-01-15T11:45", (), None, "2018-01-15"),
        ("2018-01-15 11:45:00.5", (), None, "2018-01-15"),
        ("15.01.2018", ("%d.%m.%Y",), None, "2018-01-15"),
        ("15.01.2018", ("dd.mm.yyyy",), None, "2018-01-15"),
        ("15JAN2018", ("%d%b%Y",), None, "2018-01-15"),
        ("15/01/2018", ("%m/%d/%Y", "%d/%m/%Y"), None, "2018-01-15"),
        ("43115", ("excel",), None, "2018-01-15"),  # as Excel shows for DATE(2018,1,15)
        ("21199", ("sas",), None, "2018-01-15"),  # '15JAN2018'd in SAS
        ("2018-02", (), "first", "2018-02-01"),
        ("2018-02", (), "middle", "2018-02-15"),
        ("2018-02", (), "last", "2018-02-28"),
        ("2018", (), "middle", "2018-07-01"),
        ("2018", (), "last", "2018-12-31"),
        ("2018-02", (), "missing", None),
        # In a form of the map without its day, or with a sign in its place: the 15th of March.
        ("03.2017", ("dd.mm.yyyy",), "middle", "2017-03-15"),
        ("00.03.2017", ("dd.mm.yyyy",), "middle", "2017-03-15"),
        ("UN.03.2017", ("%d.%m.%Y",), "middle", "2017-03-15"),
        ("xx.03.2017", ("%d.%m.%Y",), "middle", "2017-03-15"),
        ("??.3.2017", ("%d.%m.%Y",), "middle", "2017-03-15"),
        ("00.03.17", ("%d.%m.%y",), "middle", "2017-03-15"),
        ("03/2017", ("%m/%d/%Y", "%d/%m/%Y"), "middle", "2017-03-15"),
        ("2017/03", ("%Y/%m/%d",), "middle", "2017-03-15"),
        ("Mar 2017", ("dd mmm yyyy",), "middle", "2017-03-15"),
        ("March 2017", ("%B %d, %Y",), "middle", "2017-03-15"),
        ("MAR2017", ("%d%b%Y",), "middle", "2017-03-15"),
        ("UNMAR2017", ("%d%b%Y",), "middle", "2017-03-15"),
        ("201703", ("%Y%m%d",), "middle", "2017-03-15"),
        ("201712", ("%Y%m%d",), "middle", "2017-12-15"),
        ("20170300", ("%Y%m%d",), "middle", "2017-03-15"),
        ("2017-03-00", (), "middle", "2017-03-15"),
        ("2017-03-UN", (), "last", "2017-03-31"),
        ("2016-02", ("%d.%m.%Y",), "last", "2016-02-29"),
        # Without the month too: the first of July.
        ("00.00.2017", ("%d.%m.%Y",), "middle", "2017-07-01"),
        ("UNUNK2017", ("%d%b%Y",), "middle", "2017-07-01"),
        ("UNK2017", ("%d%b%Y",), "middle", "2017-07-01"),
        ("2017", ("%d.%m.%Y",), "middle", "2017-07-01"),
        ("2017---15", (), "middle", "2017-07-01"),
        ("15.XX.2017", ("%d.%m.%Y",), "middle", "2017-07-01"),
        ("20171205", ("%Y%m%d",), None, "2017-12-05"),
        ("2000", ("excel",), "middle", "1905-06-22"),  # as Excel shows for the number 2000
    ],
)
def test_dates_by_their_form(text: str, forms: tuple[str, ...], partial: str | None, day: str | None) -> None:
    assert iso_day(text, forms, partial) == day


@pytest.mark.parametrize(
    ("text", "forms", "rule"),
    [
        ("03/04/2018", ("%m/%d/%Y", "%d/%m/%Y"), "two forms of date read it as 2018-03-04 and 2018-04-03"),
        ("2018-02-30", (), "there is no such day"),
        ("2018-13", (), "there is no such month"),
        ("2018-02", (), "a date without a day cannot decide an endpoint"),
        ("42014", (), "a number is not a date"),
        ("15.01.2018", (), "it is not a date in the form YYYY-MM-DD"),
        ("03.2017", ("%d.%m.%Y",), "a date without a day cannot decide an endpoint"),
        ("00.00.2017", ("%d.%m.%Y",), "a date without a day cannot decide an endpoint"),
        ("13.2017", ("%d.%m.%Y",), "there is no such month"),
        # A month in a form that the map does not name is not guessed, nor a year of two digits alone.
        ("03/2017", ("%d.%m.%Y",), "it is not a date in the form %d.%m.%Y or YYYY-MM-DD and has no day"),
        ("Mar 2017", ("%d.%m.%Y",), "it is not a date in the form %d.%m.%Y or YYYY-MM-DD and has no day"),
        ("03.2017", (), "it is not a date in the form YYYY-MM-DD and has no day"),
        ("05.03", ("%d.%m.%y",), "it is not a date in the form"),
        ("99", ("%d.%m.%y",), "it is not a date in the form"),
        ("31.02.2017", ("%d.%m.%Y",), "it is not a date in the form"),
        ("00.00.0000", ("%d.%m.%Y",), "it is not a date in the form"),
        ("00/03/2017", ("%m/%d/%Y", "%d/%m/%Y"), "two forms of date read it as 2017 and 2017-03"),
        ("n.e.", ("%d.%m.%Y",), "it is not a date in the form %d.%m.%Y or YYYY-MM-DD"),
    ],
)
def test_texts_that_are_no_date(text: str, forms: tuple[str, ...], rule: str) -> None:
    wrong = iso_day(text, forms, None)
    assert isinstance(wrong, Wrong)
    assert wrong.rule.startswith(rule)


@given(
    st.dates(min_value=__import__("datetime").date(1900, 3, 1)),
    st.sampled_from(["%d.%m.%Y", "%Y/%m/%d", "%d-%b-%Y"]),
)
def test_a_date_in_a_named_form_is_its_day(day, form: str) -> None:
    assert iso_day(day.strftime(form), (form,), None) == day.isoformat()


def test_the_same_wrong_date_is_one_problem_with_its_lines(tmp_path) -> None:
    table = "id,when,score\n" + "1,20.01.2015,3\n" * 5
    assert told(tmp_path, visits(), table) == [
        "visits.csv:2, 3, 4 and 2 more: when is '20.01.2015'; it is not a date in the form YYYY-MM-DD. Correct it, name its "
        "form in date_format, or name it in missing."
    ]


def test_a_date_without_its_day_says_what_a_map_can_do(tmp_path) -> None:
    rules = 'date_format = ["dd.mm.yyyy"]\n' + visits()
    table = "id,when,score\n1,03.2017,3\n1,03/2017,3\n"
    choices = 'partial_date = "first", "middle", "last" or "missing".'
    assert told(tmp_path, rules, table) == [
        f"visits.csv:2: when is '03.2017'; a date without a day cannot decide an endpoint. Complete it, or choose in the map: {choices}",
        "visits.csv:3: when is '03/2017'; it is not a date in the form dd.mm.yyyy or YYYY-MM-DD and has no day. Complete it, or say "
        f'in the map its form with a day, as date_format = ["dd/mm/yyyy"] for 03/2017, and {choices}',
    ]
    rules = 'date_format = ["dd.mm.yyyy", "dd/mm/yyyy"]\npartial_date = "middle"\n' + visits()
    assert edss_rows(tmp_path, rules, table) == [("2017-03-15", "3")]  # two rows of one record


# ---- Cells
# --------------------------------------------------------------------------------------------------


def test_numbers_with_a_decimal_comma(tmp_path) -> None:
    table = "id;when;score\n1;2015-02-01;3,5\n1;2015-03-01;4,0\n"
    assert edss_rows(tmp_path, visits(), table) == [("2015-02-01", "3.5"), ("2015-03-01", "4.0")]


def test_a_comma_that_may_part_thousands_is_not_guessed(tmp_path) -> None:
    rules = '[[table]]\nfile = "a"\npatient_id = "id"\n[table.patients]\nfollow_up_years = { column = "d", unit = "days" }'
    with pytest.raises(DataProblems, match="its comma may part thousands or decimals"):
        mapped_files(tmp_path, rules, a='id,d\n1,"1,234"\n')


@pytest.mark.parametrize(
    ("unit", "number", "years"),
    [("days", "730.5", 2.0), ("weeks", "52", 52 * 7 / 365.25), ("months", "18", 1.5), ("years", "2", 2.0)],
)
def test_units_of_times(tmp_path, unit: str, number: str, years: float) -> None:
    rules = f'[[table]]\nfile = "a"\npatient_id = "id"\n[table.patients]\nfollow_up_years = {{ column = "t", unit = "{unit}" }}'
    (row,) = rows_of(mapped_files(tmp_path, rules, a=f"id,t\n1,{number}\n"))
    assert float(row["follow_up_years"]) == pytest.approx(years, abs=1e-12)


def test_days_counted_from_one(tmp_path) -> None:
    rules = (
        '[[table]]\nfile = "a"\npatient_id = "id"\n[table.patients]\n'
        'follow_up_years = { column = "AVAL", unit = "days", first_day = 1 }'
    )
    (row,) = rows_of(mapped_files(tmp_path, rules, a="id,AVAL\n1,1102\n"))
    assert float(row["follow_up_years"]) * 365.25 == pytest.approx(1101)


def test_years_between_two_dates(tmp_path) -> None:
    rules = (
        '[[table]]\nfile = "a"\npatient_id = "id"\ndate_format = "%d.%m.%Y"\n[table.patients]\n'
        'follow_up_years = { years = { from = "transplant", to = "last seen" } }'
    )
    (row,) = rows_of(mapped_files(tmp_path, rules, a="id,transplant,last seen\n1,10.01.2015,15.01.2018\n"))
    assert float(row["follow_up_years"]) * 365.25 == pytest.approx(1101)


def test_sums_first_constants_and_empty_cells(tmp_path) -> None:
    rules = TRANSPLANTS + (
        '[[table]]\nfile = "visits"\npatient_id = "id"\n[[table.record]]\nkind = "mri"\n'
        'date = { first = ["scan", "visit"] }\ngd_lesions = { column = "gd", empty = 0 }\n'
        'new_t2_lesions = { sum = ["new", "larger"] }\narm = { const = "AHSCT" }\n'
    )
    table = "id,scan,visit,gd,new,larger\n1,,2015-02-01,,1,2\n1,2015-03-01,2015-03-05,1,,\n"
    rows = [
        row for row in rows_of(mapped_files(tmp_path, rules, tx=TX, visits=table)) if row["record"] == "mri"
    ]
    assert rows == [
        {
            "patient_id": "1",
            "record": "mri",
            "date": "2015-02-01",
            "arm": "AHSCT",
            "gd_lesions": "0",
            "new_t2_lesions": "3",
        },
        {"patient_id": "1", "record": "mri", "date": "2015-03-01", "arm": "AHSCT", "gd_lesions": "1"},
    ]
    with pytest.raises(DataProblems, match="larger is empty; a sum of new and larger needs them all"):
        mapped_files(tmp_path, rules, tx=TX, visits="id,scan,visit,gd,new,larger\n1,2015-02-01,,,1,\n")


def test_each_part_of_a_sum_is_a_count(tmp_path) -> None:
    # -9 + 12 is 3 and 1.5 + 0.5 is 2: the sum hides a missing-code and a slip that a column of its own would show.
    rules = TRANSPLANTS + (
        '[[table]]\nfile = "visits"\npatient_id = "id"\n[[table.record]]\nkind = "mri"\ndate = "scan"\n'
        'new_t2_lesions = { sum = ["new", "larger"] }\n'
    )
    table = "id,scan,new,larger\n1,2015-03-01,-9,12\n1,2015-04-01,1.5,0.5\n1,2015-05-01,>10,1\n1,2015-06-01,2.0,1\n"
    rule = "a sum of counts adds whole numbers from 0 on. Correct it, or name it in missing of the map."
    assert told(tmp_path, rules, table) == [
        f"visits.csv:2: new is '-9'; {rule}",
        f"visits.csv:3: new is '1.5'; {rule}",
        f"visits.csv:4: new is '>10'; {rule}",
        f"visits.csv:3: larger is '0.5'; {rule}",
    ]


def test_a_code_that_the_map_does_not_name_is_an_error(tmp_path) -> None:
    rules = visits(
        'date = "when"\nedss = "score"\nsex = { column = "s", codes = { w = "female", m = "male", 9 = "" } }'
    )
    table = "id,when,score,s\n1,2015-02-01,3,W\n1,2015-03-01,3,9\n"
    assert edss_rows(tmp_path, rules, table)
    assert told(tmp_path, rules, table + "1,2015-04-01,3,d\n1,2015-05-01,3,d\n") == [
        "visits.csv:4, 5: s is 'd'; the map knows 'w', 'm', '9' for sex. Name it in codes of the map, or correct the cell."
    ]


@pytest.mark.parametrize(("code", "cell"), [("1", "1.0"), ("1.0", "1"), ("Yes", " yes "), ("é", "e\u0301")])
def test_codes_are_alike_without_case_blanks_and_a_trailing_0(tmp_path, code: str, cell: str) -> None:
    rules = visits(
        f'date = "when"\nedss = "score"\nsex = {{ column = "s", codes = {{ "{code}" = "female" }} }}'
    )
    rows = rows_of(mapped_files(tmp_path, rules, tx=TX, visits=f"id,when,score,s\n1,2015-02-01,3,{cell}\n"))
    assert [row["sex"] for row in rows if "sex" in row] == ["female"]


def test_01_is_another_code_than_1(tmp_path) -> None:
    rules = visits('date = "when"\nedss = "score"\nsex = { column = "s", codes = { 1 = "female" } }')
    assert "s is '01'" in told(tmp_path, rules, "id,when,score,s\n1,2015-02-01,3,01\n")[0]


# ---- Which rows give a record
# ----------------------------------------------------------------------------------


def test_a_visit_without_a_score_is_a_contact_and_a_score_without_a_date_an_error(tmp_path) -> None:
    rows = rows_of(mapped_files(tmp_path, visits(), tx=TX, visits="id,when,score\n1,2015-02-01,\n1,,\n"))
    assert [(row["record"], row["date"]) for row in rows] == [
        ("transplant", "2015-01-10"),
        ("last_contact", "2015-02-01"),
    ]
    assert told(tmp_path, visits(), "id,when,score\n1,,3\n") == [
        "visits.csv:2: score is '3'; without when this edss has no date. Fill in when; where there was no edss, empty the "
        "cell or name its text in missing."
    ]


DEATHS = TRANSPLANTS.replace(
    'date = "tx"\n', 'date = "tx"\n[[table.record]]\nkind = "death"\ndate = "died"\n'
)


def test_a_cause_or_flag_of_death_without_a_date_is_not_lost(tmp_path) -> None:
    with_cause = DEATHS + 'cause_of_death = "cause"\n'
    with pytest.raises(DataProblems, match="cause is 'ms'; without died this death has no date"):
        mapped_files(tmp_path, with_cause, tx="id,tx,died,cause\n1,2015-01-10,,ms\n")
    with_flag = DEATHS + 'event = { column = "dead", is = ["Y"], not = ["N", ""] }\n'
    with pytest.raises(DataProblems, match="dead is 'Y'; without died this death has no date"):
        mapped_files(tmp_path, with_flag, tx="id,tx,died,dead\n1,2015-01-10,,Y\n")
    with pytest.raises(DataProblems, match="dead is 'U'; the map knows 'Y', 'N', ''"):
        mapped_files(tmp_path, with_flag, tx="id,tx,died,dead\n1,2015-01-10,,U\n")


def test_deaths_of_two_tables_on_one_day_are_one_and_a_dateless_cause_joins_it(tmp_path) -> None:
    rules = DEATHS + (
        '[[table]]\nfile = "visits"\npatient_id = "id"\n[[table.record]]\nkind = "death"\ncause_of_death = "cause"\n'
    )
    mapped = mapped_files(
        tmp_path, rules, tx="id,tx,died\n1,2015-01-10,2015-03-01\n", visits="id,cause\n1,ms\n"
    )
    deaths = [row for row in rows_of(mapped) if row["record"] == "death"]
    assert deaths == [{"patient_id": "1", "record": "death", "date": "2015-03-01", "cause_of_death": "ms"}]
    assert all(table.rows_used == table.rows_read for table in mapped.account.tables)
    with pytest.raises(DataProblems, match="there is a cause of death but no death with a day"):
        mapped_files(tmp_path, rules, tx="id,tx,died\n1,2015-01-10,\n", visits="id,cause\n1,ms\n")
    with pytest.raises(DataProblems, match="the cause of death is"):
        mapped_files(
            tmp_path, rules, tx="id,tx,died\n1,2015-01-10,2015-03-01\n", visits="id,cause\n1,ms\n1,other\n"
        )


BASELINES = (
    TRANSPLANTS
    + """[[table.record]]
kind = "baseline"
site = "site"
sex = { column = "sex", codes = { 1 = "female", 2 = "male" } }
age_years = "age"
[[table]]
file = "visits"
optional = true
patient_id = "id"
[[table.record]]
kind = "baseline"
site = "centre"
sex = "gender"
"""
)


def test_attributes_on_several_rows_are_one_baseline_and_each_row_has_its_fate(tmp_path) -> None:
    # As REDCap writes them: the site on each row, sex on that of one event and the age on that of another.
    tx = "id,tx,site,sex,age\n1,2015-01-10,Bern,,\n1,,Bern,1,\n1,,Bern,,40\n1,,Bern,,40\n1,,Bern,1,40.0\n"
    mapped = mapped_files(tmp_path, BASELINES, tx=tx)
    assert rows_of(mapped) == [
        {"patient_id": "1", "record": "baseline", "site": "Bern", "sex": "female", "age_years": "40"},
        {"patient_id": "1", "record": "transplant", "date": "2015-01-10"},
    ]
    (account,) = mapped.account.tables
    assert (account.rows_read, account.rows_used) == (5, 3)
    assert [(aside.reason, aside.lines) for aside in account.set_aside] == [
        ("adds nothing to the patient's other rows", (5, 6))
    ]


def test_attributes_of_two_tables_agree_where_only_the_spelling_differs(tmp_path) -> None:
    mapped = mapped_files(
        tmp_path,
        BASELINES,
        tx="id,tx,site,sex,age\n1,2015-01-10,Bern,1,\n",
        visits="id,centre,gender\n1,BERN,F\n",
    )
    assert [row["sex"] for row in rows_of(mapped) if row["record"] == "baseline"] == ["female"]
    assert [table.rows_used for table in mapped.account.tables] == [1, 0]


def test_attributes_that_disagree_are_an_error_with_both_places(tmp_path) -> None:
    tx = "id,tx,site,sex,age\n1,2015-01-10,Bern,1,40\n1,,,,41\n2,2015-01-10,Bern,2,\n3,2015-01-10,Bern,2,\n"
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, BASELINES, tx=tx, visits="id,centre,gender\n1,Basel,\n2,Genf,\n3,Genf,\n")
    fix = "Keep the right one; if one number is used at two sites, make identifiers that hold the site."
    assert problems_of(error.value) == [
        f"visits.csv:2 patient 1: site is 'Basel'; the same patient has another one on tx.csv:2. {fix}",
        f"visits.csv:3, 4: site is 'Genf'; the same patient has another one on tx.csv:4, tx.csv:5. {fix}",
        f"tx.csv:3 patient 1: age_years is 41; the same patient has another one on line 2. {fix}",
    ]
    # Who was not transplanted is not in the trial, whatever their rows say.
    tx, visits = "id,tx,site,sex,age\n1,2015-01-10,,,\n2,,Bern,1,\n", "id,centre,gender\n2,Basel,\n"
    mapped = mapped_files(tmp_path, 'without_transplant = "drop"\n' + BASELINES, tx=tx, visits=visits)
    assert {row["patient_id"] for row in rows_of(mapped)} == {"1"}
    assert [aside.reason for aside in mapped.account.set_aside] == ["patient without a transplant"] * 2


def test_an_attribute_of_another_record_disagrees_with_the_row_that_tells_it(tmp_path) -> None:
    # The baselines of tx and visits are one, of which the arm stands on that of visits alone.
    arms = (
        BASELINES.replace('gender"', 'gender"\narm = "arm"')
        + """
[[table]]
file = "seen"
patient_id = "id"
[[table.record]]
kind = "last_contact"
date = "when"
arm = "arm"
site = "centre"
"""
    )
    with pytest.raises(DataProblems) as error:
        mapped_files(
            tmp_path,
            arms,
            tx="id,tx,site,sex,age\n1,2015-01-10,Bern,1,40\n",
            visits="id,centre,gender,arm\n\n1,,F,A\n",
            seen="id,when,arm,centre\n1,2018-01-10,B,Basel\n",
        )
    fix = "Keep the right one; if one number is used at two sites, make identifiers that hold the site."
    assert problems_of(error.value) == [
        f"seen.csv:2 patient 1: site is 'Basel'; the same patient has another one on tx.csv:2. {fix}",
        f"seen.csv:2 patient 1: arm is 'B'; the same patient has another one on visits.csv:3. {fix}",
    ]


def test_a_cause_of_death_of_a_patient_without_a_transplant_is_set_aside_with_them(tmp_path) -> None:
    rules = 'without_transplant = "drop"\n' + DEATHS
    rules += '[[table]]\nfile = "visits"\npatient_id = "id"\n[[table.record]]\nkind = "death"\ncause_of_death = "cause"\n'
    tx = "id,tx,died\n1,2015-01-10,\n2,,2015-03-01\n"
    mapped = mapped_files(tmp_path, rules, tx=tx, visits="id,cause\n2,ms\n2,ms\n")
    assert [row["record"] for row in rows_of(mapped)] == ["transplant"]
    assert [(aside.reason, aside.lines) for aside in mapped.account.tables[1].set_aside] == [
        ("adds nothing to the patient's other rows", (3,)),
        ("patient without a transplant", (2,)),
    ]


def test_what_comes_after_death_is_dropped_where_the_map_says_so(tmp_path) -> None:
    rules = 'after_death = "drop"\n' + DEATHS + visits()[len(TRANSPLANTS) :]
    mapped = mapped_files(
        tmp_path,
        rules,
        tx="id,tx,died\n1,2015-01-10,2015-03-01\n",
        visits="id,when,score\n1,2015-02-01,3\n1,2015-04-01,3\n",
    )
    assert [row["date"] for row in rows_of(mapped) if row["record"] == "edss"] == ["2015-02-01"]
    (aside,) = mapped.account.set_aside
    assert (aside.reason, aside.count, aside.lines) == ("after the patient's death", 1, (3,))


@pytest.mark.parametrize(("choice", "score"), [("last", "3"), ("worst", "4.5")])
def test_two_scores_on_a_day(tmp_path, choice: str, score: str) -> None:
    table = "id,when,score\n1,2015-02-01,4.5\n1,2015-02-01,3\n"
    mapped = mapped_files(tmp_path, f'same_day = "{choice}"\n' + visits(), tx=TX, visits=table)
    assert [row["edss"] for row in rows_of(mapped) if row["record"] == "edss"] == [score]
    assert [aside.reason for aside in mapped.account.set_aside] == ["another score of that day"]


@pytest.mark.parametrize("choice", ["last", "worst"])
def test_a_wrong_score_is_told_and_stands_for_no_other(tmp_path, choice: str) -> None:
    table = "id,when,score\n1,2015-02-01,x\n1,2015-02-01,3\n1,2015-03-01,4\n1,2015-03-01,6.2\n"
    for name, text in {"tx": TX, "visits": table}.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataProblems) as error:
        read_mapped(tmp_path, map_of(f'same_day = "{choice}"\n' + visits()))
    assert [(problem.line, problem.value) for problem in error.value.problems] == [(2, "x"), (5, "6.2")]


@pytest.mark.parametrize(("choice", "severity"), [("missing", "look first"), ("last", "note")])
def test_dates_without_a_day_are_told(tmp_path, choice: str, severity: str) -> None:
    rules = f'partial_date = "{choice}"\n' + visits('date = "when"').replace('"edss"', '"death"')
    mapped = mapped_files(tmp_path, rules, tx=TX + "2,2015-01-10\n", visits="id,when\n1,2016-02\n2,2016\n")
    assert [row["date"] for row in rows_of(mapped) if row["record"] == "death"] == (
        [] if choice == "missing" else ["2016-02-29", "2016-12-31"]
    )
    (notice,) = [each for each in mapped.notices if each.code.startswith("dates-")]
    assert notice.severity == severity
    assert notice.text.startswith("In visits.csv 2 dates under when (lines 2, 3) without a day are ")


def test_patients_without_a_transplant(tmp_path) -> None:
    table = "id,when,score\n1,2015-02-01,3\n2,2015-02-01,3\n"
    (problem,) = told(tmp_path, visits(), table)
    assert problem.startswith("visits.csv:3: no row of the source gives a transplant for 2; ")
    mapped = mapped_files(tmp_path, 'without_transplant = "drop"\n' + visits(), tx=TX, visits=table)
    assert {row["patient_id"] for row in rows_of(mapped)} == {"1"}
    assert [aside.reason for aside in mapped.account.set_aside] == ["patient without a transplant"]


def test_a_row_without_a_patient_is_an_error(tmp_path) -> None:
    assert (
        "id is empty; each edss belongs to a patient"
        in told(tmp_path, visits(), "id,when,score\n,2015-02-01,3\n")[0]
    )


# ---- Pivots and conditions
# ---------------------------------------------------------------------------------------

FINDINGS = (
    TRANSPLANTS
    + """
[[table]]
file = "visits"
patient_id = "id"
pivot = { name = "TEST", value = "RES" }
[[table.record]]
kind = "mri"
date = "when"
gd_lesions = "GD"
new_t2_lesions = "T2"
"""
)


def test_findings_one_per_row_become_scans(tmp_path) -> None:
    table = "id,when,TEST,RES\n1,2015-02-01,GD,1\n1,2015-02-01,T2,0\n1,2015-03-01,T2,2\n1,2015-03-01,VOLUME,9\n1,2015-03-01,T2,3\n"
    mapped = mapped_files(tmp_path, FINDINGS, tx=TX, visits=table)
    scans = [row for row in rows_of(mapped) if row["record"] == "mri"]
    # A test that stands twice on a day is two rows: nothing is overwritten, and the reader sees two scans.
    assert [(row["date"], row.get("gd_lesions"), row["new_t2_lesions"]) for row in scans] == [
        ("2015-02-01", "1", "0"),
        ("2015-03-01", None, "2"),
        ("2015-03-01", None, "3"),
    ]
    account = mapped.account.tables[1]
    assert (account.rows_read, account.rows_used) == (5, 4)
    assert account.set_aside[0].reason == "TEST is 'VOLUME'"


def test_a_test_that_no_row_has_is_told(tmp_path) -> None:
    mapped = mapped_files(tmp_path, FINDINGS, tx=TX, visits="id,when,TEST,RES\n1,2015-02-01,T2,0\n")
    assert "visits.csv: no row has GD under TEST." in [notice.text for notice in mapped.notices]


COURSE = """
[[table]]
file = "a"
patient_id = "id"
pivot = { name = "p", value = "v" }
[table.patients]
follow_up_years = "FU"
years_to_death = { column = "DEATH", unit = "months" }
sex = "sex"
"""


def test_findings_one_per_row_become_a_patient_table(tmp_path) -> None:
    table = "id,sex,p,v\nA,F,FU,3\nA,F,DEATH,\nB,M,FU,1.5\nB,M,DEATH,18\nB,M,AGE,40\n"
    mapped = mapped_files(tmp_path, COURSE, a=table)
    assert rows_of(mapped) == [
        {"patient_id": "A", "sex": "F", "follow_up_years": "3"},
        {"patient_id": "B", "sex": "M", "follow_up_years": "1.5", "years_to_death": "1.5"},
    ]
    assert (mapped.account.rows_read, mapped.account.rows_used) == (5, 4)
    assert [(aside.reason, aside.lines) for aside in mapped.account.set_aside] == [("p is 'AGE'", (6,))]
    # An empty value is a value: there is a row for it.
    mapped = mapped_files(tmp_path, COURSE, a="id,sex,p,v\nA,F,FU,3\nA,F,DEATH,\n")
    assert "test-not-found" not in [notice.code for notice in mapped.notices]


@pytest.mark.parametrize("table", ["id,sex,p,v\nA,F,TIME,3\nA,F,DEATH,1\n", "id,sex,p,v\nA,F,TIME,3\n"])
def test_a_test_that_tells_what_is_required_and_that_no_row_has(tmp_path, table: str) -> None:
    with pytest.raises(
        DataProblems, match="no row has FU under p; the map takes follow_up_years from it; there are TIME"
    ):
        mapped_files(tmp_path, COURSE, a=table)


def test_two_parameters_in_one_column_of_a_patient_table_are_an_error(tmp_path) -> None:
    rules = '[[table]]\nfile = "a"\npatient_id = "id"\n[table.patients]\nfollow_up_years = "AVAL"'
    with pytest.raises(DataProblems, match="a patient has rows with different follow_up_years"):
        mapped_files(tmp_path, rules, a="id,PARAMCD,AVAL\n1,OS,2\n1,TTREL,1\n")


def test_rows_of_a_patient_table_that_are_alike_in_every_cell_are_one(tmp_path) -> None:
    rules = '[[table]]\nfile = "a"\npatient_id = "id"\n[table.patients]\nfollow_up_years = "srv"'
    mapped = mapped_files(tmp_path, rules, a="id,srv,note\n1,3,\n1,3,\n2,4,x\n1,3,\n2,4,y\n")
    assert [row["follow_up_years"] for row in rows_of(mapped)] == ["3", "4"]
    # The two rows of patient 2 differ in a cell that the map does not read, and both say 4.
    assert (mapped.account.rows_read, mapped.account.rows_used) == (5, 3)
    assert [(aside.reason, aside.count, aside.lines) for aside in mapped.account.set_aside] == [
        ("row that is alike in every cell with an earlier one", 2, (3, 5))
    ]
    assert read_mapped(tmp_path / "a.csv", map_of(rules)).account == mapped.account
    # Where they are wrong, each is to be put right.
    with pytest.raises(DataProblems, match=r"a\.csv:2, 3: srv is '99'; that is"):
        mapped_files(
            tmp_path,
            rules.replace('"srv"', '{ column = "srv", unit = "years", first_day = 1 }'),
            a="id,srv\n1,99\n1,99\n",
        )


def test_rows_of_findings_that_are_alike_in_every_cell_are_one(tmp_path) -> None:
    table = "id,sex,p,v\nA,F,FU,3\nA,F,FU,3\nA,F,DEATH,36\nA,F,AGE,1\nA,F,AGE,1\n"
    mapped = mapped_files(tmp_path, COURSE, a=table)
    assert rows_of(mapped) == [
        {"patient_id": "A", "sex": "F", "follow_up_years": "3", "years_to_death": "3.0"},
    ]
    assert (mapped.account.rows_read, mapped.account.rows_used) == (5, 2)
    assert [(aside.reason, aside.lines) for aside in mapped.account.set_aside] == [
        ("row that is alike in every cell with an earlier one", (3, 6)),
        ("p is 'AGE'", (5,)),
    ]
    table = "id,when,TEST,RES\n1,2015-02-01,T2,2\n1,2015-02-01,T2,2\n"
    mapped = mapped_files(tmp_path, FINDINGS, tx=TX, visits=table)
    assert [row["record"] for row in rows_of(mapped)] == ["transplant", "mri"]


def test_an_attribute_of_a_patient_table_may_stand_on_any_row(tmp_path) -> None:
    rules = '[[table]]\nfile = "a"\npatient_id = "id"\n[table.patients]\nfollow_up_years = "fu"\nsex = "sex"\nyears_to_death = "died"'
    mapped = mapped_files(tmp_path, rules, a="id,fu,sex,died\n1,3,,\n1,3,F,\n1,3.0,female,\n2,3,,\n")
    assert [row.get("sex") for row in rows_of(mapped)] == ["F", None]
    assert mapped.account.rows_used == 4
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, rules, a="id,fu,sex,died\n1,3,F,3\n1,3,M,\n")
    fix = "Name the rows that count with where = { … } in the map, or correct the table."
    assert problems_of(error.value) == [
        f"a.csv:2, 3: a patient has {what}; a patient table takes one row of a patient. {fix}"
        for what in ("rows with different sex", "years_to_death on one row and not on another")
    ]
    # Of one patient's three rows two pairs differ, and that is one patient.
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, rules, a="id,fu,sex,died\n1,3,F,\n1,4,F,\n1,5,F,\n")
    assert problems_of(error.value) == [
        f"a.csv:2, 3: a patient has rows with different follow_up_years; a patient table takes one row of a patient. {fix}"
    ]


TWO_TABLES = """
[[table]]
file = "a"
patient_id = "id"
[table.patients]
sex = "sex"
[[table]]
file = "b"
patient_id = "id"
[table.patients]
sex = "gender"
follow_up_years = "fu"
"""


def test_two_tables_that_give_a_column_must_agree(tmp_path) -> None:
    a = "id,sex\n1,F\n2,\n3,male\n"
    mapped = mapped_files(tmp_path, TWO_TABLES, a=a, b="id,gender,fu\n1,Female,1\n2,male,2\n3,,3\n")
    assert [row["sex"] for row in rows_of(mapped)] == ["F", "male", "male"]
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, TWO_TABLES, a=a, b="id,gender,fu\n1,female,1\n2,male,2\n3,female,3\n")
    assert problems_of(error.value) == [
        "b.csv patient 3: sex is 'female' here and 'male' in a table before; two tables that give a column must agree. "
        "Correct one of them, or take the column from one table in the map."
    ]


def test_two_tables_agree_where_only_the_spelling_differs(tmp_path) -> None:
    rules = TWO_TABLES.replace('sex = "sex"', 'site = "site"\nage_years = "age"')
    rules = rules.replace('sex = "gender"', 'site = "site"\nage_years = "age"')
    mapped = mapped_files(
        tmp_path, rules, a="id,site,age\n1,Ottawa,40.5\n", b="id,site,age,fu\n1,OTTAWA,40.50,1\n"
    )
    (row,) = rows_of(mapped)
    assert (row["site"], row["age_years"]) == ("Ottawa", "40.5")


def test_a_patient_without_a_row_in_the_table_that_tells_the_follow_up(tmp_path) -> None:
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, TWO_TABLES, a="id,sex\n1,F\n8,M\n9,M\n", b="id,gender,fu\n1,F,1\n")
    assert problems_of(error.value) == [
        "a.csv:3, 4: no row of b.csv gives follow_up_years for 8, 9; it must be known of each patient whom a table names. "
        "Add it there, or say with where = { … } in the map which patients are in the analysis.",
    ]


def test_a_table_of_which_nothing_is_made_is_said_first(tmp_path) -> None:
    # Ours are called CEREBRAL where the map looks for BRAIN: without a word the trial would have no scans.
    rules = visits(table='where = { region = ["BRAIN"] }')
    table = "id,when,score,region\n1,2015-02-01,3,CEREBRAL\n1,2015-03-01,3,SPINE\n1,2015-03-02,3,CEREBRAL\n"
    mapped = mapped_files(tmp_path, rules, tx=TX, visits=table)
    (notice,) = (notice for notice in mapped.notices if notice.code == "table-without-record")
    assert notice.severity == "look first"
    assert notice.text == (
        "visits.csv: the map makes nothing of its 3 rows: region is 'CEREBRAL' (2); region is 'SPINE' (1). "
        "Where some should count, name their texts in the map."
    )
    mapped = mapped_files(tmp_path, rules, tx=TX, visits=table + "1,2015-03-03,3,BRAIN\n")
    assert "table-without-record" not in [notice.code for notice in mapped.notices]


# ---- Sources
# -------------------------------------------------------------------------------------------------------


def test_files_are_found_without_case_and_with_any_ending(tmp_path) -> None:
    (tmp_path / "TX.CSV").write_text(TX)
    (tmp_path / "Visits.tsv").write_text("id\twhen\tscore\n1\t2015-02-01\t3\n")
    assert len(rows_of(apply_map(map_of(visits()), tmp_path))) == 2
    assert len(rows_of(apply_map(map_of(visits()), [tmp_path / "TX.CSV", tmp_path / "Visits.tsv"]))) == 2


def test_data_frames_by_the_names_of_tables() -> None:
    import pandas as pd

    frames = {
        "tx": pd.DataFrame({"id": ["007"], "tx": [pd.Timestamp("2015-01-10")]}),
        "visits": pd.DataFrame(
            {"id": ["007", "007"], "when": ["2015-02-01", None], "score": [3.5, float("nan")]}
        ),
        "notes": pd.DataFrame({"text": ["x"]}),
    }
    mapped = apply_map(map_of(visits()), frames)
    assert [(row["patient_id"], row["record"]) for row in rows_of(mapped)] == [
        ("007", "transplant"),
        ("007", "edss"),
    ]
    assert str(mapped.places.of(1)) == "visits:1"
    assert "notes" in next(notice.text for notice in mapped.notices if notice.code == "tables-not-in-map")


def test_data_frames_of_the_sheets_of_a_workbook() -> None:
    import pandas as pd

    # Both sheets are of one file, whose name the first DataFrame has: the second must not be read from it.
    rules = map_of(
        TRANSPLANTS.replace('"tx"', '"study.xlsx"', 1)
        + '[[table]]\nfile = "study.xlsx"\nsheet = "Visits"\npatient_id = "id"\n'
        '[[table.record]]\nkind = "edss"\ndate = "tx"\nedss = "score"\n'
    )
    first = pd.DataFrame({"id": ["1"], "tx": ["2015-01-10"], "score": [9]})
    visits = pd.DataFrame({"id": ["1"], "tx": ["2015-02-01"], "score": [3]})
    mapped = apply_map(rules, {"study": first, "visits": visits})
    assert [row["edss"] for row in rows_of(mapped) if row["record"] == "edss"] == ["3"]
    with pytest.raises(
        DataProblems, match="2 DataFrames may be this table: visits, Visits; a table is one DataFrame"
    ):
        apply_map(rules, {"study": first, "visits": visits, "Visits": visits})


def test_two_workbooks_with_a_sheet_of_the_name(tmp_path) -> None:
    for name in ("one", "two"):
        sheet = Sheet("tx", (SheetColumn("id"), SheetColumn("tx")), (("1", "2015-01-10"),))
        (tmp_path / f"{name}.xlsx").write_bytes(write_workbook([sheet]))
    told = "2 sheets may be this table: one.xlsx, sheet tx, two.xlsx, sheet tx; a table is one sheet"
    with pytest.raises(DataProblems, match=told):
        apply_map(map_of(TRANSPLANTS), tmp_path)
    assert len(rows_of(apply_map(map_of(TRANSPLANTS), tmp_path / "one.xlsx"))) == 1


def test_what_the_command_line_says_of_files_wins_over_the_map(tmp_path) -> None:
    (tmp_path / "tx.csv").write_bytes("id,tx,Größe\n1,10/01/2015,\n".encode("cp1252"))
    (tmp_path / "visits.csv").write_text("id,when,score\n1,01/02/2015,3\n1,-,\n1,?,\n")
    text = (
        'encoding = "utf-16"\nmissing = "-"\ndate_format = "%d.%m.%Y"\n'
        + TRANSPLANTS.replace('"id"', '"id"\nencoding = "utf-8"')
        + visits('date = { column = "when", date_format = "excel" }\nedss = "score"')[len(TRANSPLANTS) :]
    )
    rules = with_options(map_of(text), encoding="cp1252", missing=("?",), date_format="dd/mm/yyyy")
    mapped = apply_map(rules, tmp_path)
    assert [row["date"] for row in rows_of(mapped)] == ["2015-01-10", "2015-02-01"]
    assert mapped.account.missing == {"-": 1, "?": 1}
    with pytest.raises(UsageError, match="it must have a day, a month and a year once each"):
        with_options(map_of(TRANSPLANTS), date_format="dd/mm")


def test_the_form_of_dates_of_a_patient_table_given_by_hand(tmp_path) -> None:
    (tmp_path / "a.csv").write_text("id,tx,last\n1,10/01/2015,15/01/2018\n")
    rules = map_of(
        '[[table]]\npatient_id = "id"\n[table.patients]\n'
        'follow_up_years = { years = { from = "tx", to = "last" }, date_format = "sas" }'
    )
    (row,) = rows_of(apply_map(with_options(rules, date_format="%d/%m/%Y"), tmp_path))
    assert float(row["follow_up_years"]) * 365.25 == pytest.approx(1101)


def test_what_the_command_line_says_of_files_stands_where_the_map_says_nothing(tmp_path) -> None:
    (tmp_path / "tx.csv").write_text("id,tx\n1,10.01.2015\n")
    (tmp_path / "visits.csv").write_bytes(
        "id,when,score\n1,01.02.2015,3\n1,weiß nicht,weiß nicht\n".encode("cp1252")
    )
    rules = with_options(map_of(visits()), encoding="cp1252", missing=("weiß nicht",), date_format="%d.%m.%Y")
    mapped = apply_map(rules, tmp_path)
    assert [row["date"] for row in rows_of(mapped)] == ["2015-01-10", "2015-02-01"]
    assert mapped.account.missing == {"weiß nicht": 2}


@given(st.lists(st.tuples(st.sampled_from("12"), st.sampled_from(["2015-02-01", "2015-02-02", ""]), st.sampled_from(["3", ""])), max_size=8))  # fmt: skip
def test_rows_read_are_rows_used_and_set_aside_whatever_the_table(tmp_path_factory, cells) -> None:
    table = "id,when,score\n" + "".join(f"{patient},{when},{score}\n" for patient, when, score in cells)
    try:
        mapped = mapped_files(
            tmp_path_factory.mktemp("any"), visits(), tx="id,tx\n1,2015-01-10\n2,2015-01-10\n", visits=table
        )
    except DataProblems:
        assert any(score and not when for _, when, score in cells)
        return
    account = mapped.account.tables[1]
    assert (
        account.rows_read == len(cells) == account.rows_used + sum(aside.count for aside in account.set_aside)
    )
    assert account.rows_used == len({cell for cell in cells if cell[1]})


def test_an_edmus_export_in_utf_16(tmp_path) -> None:
    tables = {
        "CEN1-Personal-DEN": "Patient ID\tGender\tLast clinical assessment\n1\tF\t15/01/2018\n2\tM\t?\n",
        "CEN1-Diagnosis-DEN": "Patient ID\tDisease Course\n1\t2\n2\t6\n",
        "CEN1-Trt_DM-DEN": "Patient ID\tINN\tOnset date\n1\tAHSCT\t10/01/2015\n2\tNATALIZUMAB\t10/01/2014\n",
        "CEN1-Clinical-DEN": "Patient ID\tDate\tEDSS (entered)\n1\t20/12/2014\t3.5\n1\t10/01/2016\t?\n",
        "CEN1-Episodes-DEN": "Patient ID\tDate\n1\t12/09/2014\n",
    }
    for name, text in tables.items():
        (tmp_path / f"{name}.txt").write_bytes(text.encode("utf-16"))
    mapped = apply_map(read_map("edmus"), tmp_path)
    assert [(row["record"], row.get("date")) for row in rows_of(mapped)] == [
        ("baseline", None), ("relapse", "2014-09-12"), ("edss", "2014-12-20"),
        ("transplant", "2015-01-10"), ("last_contact", "2016-01-10"), ("last_contact", "2018-01-15"),
    ]  # fmt: skip
    # Sex is of Personal and the course of Diagnosis: one baseline. Patient 2 was not transplanted, in either table.
    assert rows_of(mapped)[0] == {
        "patient_id": "1", "record": "baseline", "sex": "female", "ms_course": "RRMS",
    }  # fmt: skip
    for table in mapped.account.tables[:2]:
        assert (table.rows_read, table.rows_used) == (2, 1)
        assert [(aside.reason, aside.lines) for aside in table.set_aside] == [
            ("patient without a transplant", (3,))
        ]
    assert read_mapped(tmp_path, "edmus").attributes["ms_course"].tolist() == ["RRMS"]
    # No deaths are known, which must be looked at first.
    assert ("map-without-death", "look first") in [
        (notice.code, notice.severity) for notice in mapped.notices
    ]


DM = "USUBJID,DTHDTC,DTHFL,RFPENDTC\n1,,,2018-01-10\n2,2015-03-01,Y,2015-03-01\n"
PR = "USUBJID,PRTRT,PRSTDTC\n1,AHSCT,2015-01-10\n2,AHSCT,2015-01-10\n"


def test_a_death_of_sdtm_is_not_lost_without_its_flag(tmp_path) -> None:
    def deaths(dm: str) -> list[str]:
        (tmp_path / "dm.csv").write_text(dm)
        (tmp_path / "pr.csv").write_text(PR)
        rows = rows_of(apply_map(read_map("sdtm"), tmp_path))
        return [f"{row['patient_id']} {row['date']}" for row in rows if row["record"] == "death"]

    assert deaths(DM) == ["2 2015-03-01"]
    # Without the column DTHFL, DTHDTC alone tells it.
    assert deaths(DM.replace(",DTHFL", "").replace(",,,", ",,").replace(",Y", "")) == ["2 2015-03-01"]
    with pytest.raises(DataProblems, match="DTHFL is empty; the map knows 'Y', 'N'"):
        deaths(DM.replace(",Y", ","))
    with pytest.raises(DataProblems, match="DTHFL is 'Y'; without DTHDTC this death has no date"):
        deaths(DM.replace("2,2015-03-01,Y", "2,,Y"))


def test_sdtm_counts_neither_scans_of_the_spinal_cord_nor_a_transplant_that_was_not_done(tmp_path) -> None:
    (tmp_path / "dm.csv").write_text(DM)
    (tmp_path / "pr.csv").write_text(
        "USUBJID,PRTRT,PROCCUR,PRSTDTC\n1,AHSCT,N,2014-12-01\n1,AHSCT,Y,2015-01-10\n2,AHSCT,Y,2015-01-10\n"
    )
    (tmp_path / "mo.csv").write_text(
        "USUBJID,MOTESTCD,MOSTRESN,MOLOC,MODTC\n1,LESGDENH,0,BRAIN,2016-01-10\n1,LESGDENH,1,SPINAL CORD,2016-01-10\n"
    )
    mapped = apply_map(read_map("sdtm"), tmp_path)
    rows = [(row["record"], row["date"], row.get("gd_lesions")) for row in rows_of(mapped)]
    assert [row for row in rows if row[0] in {"transplant", "mri"}] == [
        ("transplant", "2015-01-10", None),  # of patient 2, whose death comes first
        ("transplant", "2015-01-10", None),
        ("mri", "2016-01-10", "0"),
    ]
    aside = [f"{each.reason}: {each.count}" for each in mapped.account.set_aside]
    assert aside == ["PROCCUR is 'N': 1", "MOLOC is 'SPINAL CORD': 1"]


def test_a_row_of_adtte_that_stands_twice_is_set_aside(tmp_path) -> None:
    (tmp_path / "adsl.csv").write_text(ADSL)
    (tmp_path / "adtte.csv").write_text(ADTTE + ADTTE.splitlines()[2] + "\n")
    mapped = apply_map(read_map("adam"), tmp_path)
    assert [len(row) for row in rows_of(mapped)] == [3, 4]
    assert [(table.rows_read, table.rows_used) for table in mapped.account.tables] == [(2, 2), (3, 2)]
    assert [(aside.reason, aside.lines) for aside in mapped.account.set_aside] == [
        ("row that is alike in every cell with an earlier one", (4,))
    ]


ADSL = "USUBJID,SEX\n1,F\n2,M\n"
ADTTE = "USUBJID,PARAMCD,STARTDT,ADT,CNSR\n1,OS,2015-01-01,2018-01-01,1\n2,OS,2015-01-01,2016-01-01,0\n"


@pytest.mark.parametrize(
    ("adtte", "told"),
    [
        (
            ADTTE.replace("OS", "TTDEATH"),
            "adtte.csv: no row has OS under PARAMCD; the map takes follow_up_years from it; there are TTDEATH. Name yours "
            "in the map.",
        ),
        # CNSR is a number; Y may mean censored or the event.
        (ADTTE.replace(",1\n", ",Y\n"), "adtte.csv:2: CNSR is 'Y'; the map knows '0', '1',"),
        (ADTTE.replace(",0\n", ",\n"), "adtte.csv:3: CNSR is empty; the map knows '0', '1',"),
    ],
)
def test_an_adam_parameter_or_code_that_the_map_does_not_know(tmp_path, adtte: str, told: str) -> None:
    (tmp_path / "adsl.csv").write_text(ADSL)
    (tmp_path / "adtte.csv").write_text(adtte)
    with pytest.raises(DataProblems) as error:
        apply_map(read_map("adam"), tmp_path)
    assert str(error.value).startswith("adtte.csv has 1 problem")
    assert problems_of(error.value)[0].startswith(told)
