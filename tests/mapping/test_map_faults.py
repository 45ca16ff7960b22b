"""What is wrong with a map, and what a source lacks: told at once, with the closest names."""

from __future__ import annotations

import pytest
from mapped import map_of, mapped_files, problems_of

from ahsct_trial.errors import UsageError
from ahsct_trial.loading.problems import DataProblems
from ahsct_trial.loading.trials import read_cells
from ahsct_trial.mapping import MapError, built_in_maps, read_map

VISITS = """
[[table]]
file = "visits"
patient_id = "id"
[[table.record]]
kind = "edss"
date = "when"
edss = "score"
"""


COURSES = """
[[table]]
file = "courses"
patient_id = "id"
[table.patients]
follow_up_years = { column = "months", unit = "months" }
years_to_death = { column = "months", unit = "months", event = { column = "dead", is = ["1"], not = ["0"] } }
"""
SEEN = """
[[table]]
file = "seen"
patient_id = "id"
[table.patients]
follow_up_years = { years = { from = "tx", to = "last" } }
years_to_death = { years = { from = "tx", to = "died" } }
"""


def faults_of(text: str) -> str:
    with pytest.raises(MapError) as error:
        map_of(text)
    assert error.value.exit_code == 2
    return str(error.value)


def test_all_faults_are_told_at_once_with_the_closest_names() -> None:
    told = faults_of(
        """
        nmae = "x"
        [[table]]
        file = "visits"
        [[table.record]]
        kind = "edds"
        date = "when"
        [[table.record]]
        kind = "baseline"
        sex = { column = "s", codes = { w = "femal", m = "?" }, unti = "days" }
        [[table.record]]
        kind = "relapse"
        """
    )
    assert told.startswith("Map map.toml has 7 faults.")
    assert "there is no key 'nmae'; is name meant?" in told
    assert "Table 1 (visits): it has no patient_id" in told
    assert "kind is 'edds'; is edss meant?" in told
    assert "there is no key 'unti'; is unit meant?" in told
    assert "'w' means 'femal'; is female meant?" in told
    assert "the meaning of 'm' is still '?'; fill it in: female, male" in told
    assert "record relapse: it needs a date or a day, one of them" in told


def test_of_many_faults_the_first_are_told_and_the_others_counted() -> None:
    lines = faults_of("".join(f"wrong_{number} = 1\n" for number in range(5000)) + VISITS).splitlines()
    assert lines[0] == "Map map.toml has 5,000 faults."
    assert lines[1].startswith("The map: there is no key 'wrong_0'")
    assert lines[21:] == ["… and 4,980 more."]


def test_of_many_codes_the_first_are_told_and_the_others_counted(tmp_path) -> None:
    codes = ", ".join(f'"{number}" = "male"' for number in range(40_000))
    rules = VISITS + f'sex = {{ column = "s", codes = {{ {codes} }} }}\n'
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, rules, visits="id,when,score,s\n1,2015-01-01,3,x\n")
    (problem,) = problems_of(error.value)
    assert problem.startswith("visits.csv:2: s is 'x'; the map knows '0', '1', '2',")
    assert problem.endswith("'19' and 39,980 more for sex. Name it in codes of the map, or correct the cell.")
    rules = (
        VISITS
        + f'event = {{ column = "s", is = [{", ".join(f"{number}" for number in range(100))}], not = ["n"] }}\n'
    )
    with pytest.raises(DataProblems, match=r"'19' and 81 more\. Name it under is or not in the map"):
        mapped_files(tmp_path, rules, visits="id,when,score,s\n1,2015-01-01,3,x\n")


def test_of_many_texts_that_a_map_looks_for_the_first_are_told(tmp_path) -> None:
    texts = ", ".join(f'"T{number}"' for number in range(100))
    rules = COURSES.replace('unit = "months" }\nyears', f"where = {{ dead = [{texts}] }} }}\nyears")
    with pytest.raises(DataProblems, match=r"no row has T0 or T1 or .* or T11 and 88 more under dead"):
        mapped_files(tmp_path, rules, courses="id,months,dead\n1,3,1\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "There is no [[table]]"),
        ('[[table]]\npatient_id = "id"', "it needs [[table.record]] or [table.patients]"),
        (VISITS.replace('"score"', "{ column = 'a', const = '1' }"), "it needs one of column, const, first, sum, years"),
        (VISITS.replace('date = "when"', 'date = "when"\nday = "d"'), "it needs a date or a day, one of them"),
        (VISITS.replace('"score"', "[1]"), "edss is no text; it must be a table"),
        (VISITS + '\n[[table]]\npatient_id = "i"\n[table.patients]\nsex = "s"', "a map gives one of them"),
        (VISITS + VISITS.replace("date =", "day ="), "a file of records has one of them"),
        ('same_day = "first"\n' + VISITS, "same_day is 'first'; it must be last or worst"),
        (VISITS.replace('"when"', '"?"'), "date is still '?'; fill in the heading of its column"),
        # Codes are alike without case and a trailing .0, so that of two meanings one would win in silence.
        (VISITS + 'sex = { column = "s", codes = { M = "male", m = "female" } }', "'M' and 'm' are one code, since case and a trailing .0 do not count; it means 'male' and 'female'"),
        (VISITS + 'sex = { column = "s", codes = { 1 = "male", "1.0" = "" } }', "'1' and '1.0' are one code"),
        (VISITS + 'event = { column = "s", is = ["1", "2"], not = ["1.0", "0"] }', "event: '1' stands under is and under not; a code says one of them"),
    ],
)  # fmt: skip
def test_one_fault(text: str, told: str) -> None:
    assert told in faults_of(text)


def test_an_unknown_name_of_a_map() -> None:
    with pytest.raises(UsageError, match=r"There is no map 'stdm'\..* Is sdtm meant"):
        read_map("stdm")


@pytest.mark.parametrize("name", built_in_maps())
def test_built_in_maps_are_free_of_faults(name: str) -> None:
    if name == "redcap":
        with pytest.raises(MapError, match="fill in"):
            read_map(name)
    else:
        assert read_map(name).tables


def test_what_the_source_lacks_is_told_at_once(tmp_path) -> None:
    rules = (
        VISITS
        + VISITS.replace("visits", "relapses").replace("edss =", "edss =")
        + VISITS.replace('file = "visits"', 'file = "visit"')
    )
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, rules, visits="id,when,score\n1,2015-01-01,3\n", other="id\n1\n")
    assert error.value.exit_code == 3
    told = problems_of(error.value)
    assert told == [
        "relapses: this table is not there; the map names it; the source has other.csv, visits.csv. Add it, or take it "
        "out of the map.",
        "visit: this table is not there; the map names it; the source has other.csv, visits.csv. Is visits.csv meant?",
    ]


def test_columns_that_are_not_there_are_told_of_all_tables(tmp_path) -> None:
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, VISITS, visits="id,date,scores\n1,2015-01-01,3\n")
    assert problems_of(error.value) == [
        "visits.csv: there is no column 'when'; the map names it; the headings are id, date, scores. Correct the map, or "
        "add the column.",
        "visits.csv: there is no column 'score'; the map names it; the headings are id, date, scores. Is 'scores' meant?",
    ]


def test_columns_that_are_not_there_are_told_of_patient_tables_too(tmp_path) -> None:
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, COURSES, courses="id,month,dead\n1,36,1\n")
    assert problems_of(error.value) == [
        "courses.csv: there is no column 'months'; the map names it; the headings are id, month, dead. Is 'month' meant?"
    ]
    with pytest.raises(DataProblems) as error:
        mapped_files(
            tmp_path, COURSES + SEEN, courses="pat,months,dead\n1,3,1\n", seen="pat,tx,last,died\n1,,,\n"
        )
    assert [problem.split(";")[0] for problem in problems_of(error.value)] == [
        "courses.csv: there is no column 'id'",
        "seen.csv: there is no column 'id'",
    ]


def test_a_table_that_cannot_be_read_may_tell_what_a_patient_lacks(tmp_path) -> None:
    # Of patient 2 the other table may tell the follow-up; what is wrong in this one is told with it.
    rules = (
        COURSES.replace('unit = "months" }\nyears', 'unit = "months", where = { dead = ["1"] } }\nyears')
        + SEEN
    )
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, rules, courses="id,months,dead\n1,3,1\n2,x,0\n", seen="id,tx,last,die\n2,,,\n")
    assert [problem.split(";")[0] for problem in problems_of(error.value)] == [
        "seen.csv: there is no column 'died'",
        "courses.csv:3: months is 'x'",
    ]


@pytest.mark.parametrize("rules", [VISITS, COURSES])
def test_a_source_without_any_of_the_tables(tmp_path, rules: str) -> None:
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, rules.replace("[[table]]", "[[table]]\noptional = true", 1), other="id\n1\n")
    names = "visits" if rules is VISITS else "courses"
    assert problems_of(error.value) == [
        f"other.csv: none of the tables that the map names is there; it names {names}. Name yours in the map."
    ]


def test_headings_below_a_title_are_found_and_the_row_is_named(tmp_path) -> None:
    titled = "Study export,,\nid,when,score\n1,2015-01-01,3\n"
    with pytest.raises(DataProblems, match="It stands in row 2: say heading_row = 2"):
        mapped_files(tmp_path, VISITS, visits=titled)


def test_a_heading_that_stands_twice(tmp_path) -> None:
    with pytest.raises(DataProblems, match="two columns have the heading 'score'"):
        mapped_files(tmp_path, VISITS, visits="id,when,score,Score\n1,2015-01-01,3,4\n")


def test_two_files_for_one_table(tmp_path) -> None:
    (tmp_path / "visits.tsv").write_text("id\twhen\tscore\n1\t2015-01-01\t3\n")
    with pytest.raises(DataProblems, match=r"2 files may be this table: visits\.csv, visits\.tsv"):
        mapped_files(tmp_path, VISITS, visits="id,when,score\n1,2015-01-01,3\n")


def test_the_problems_of_a_source_are_headed_by_its_files_not_by_the_map(tmp_path) -> None:
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, VISITS, visits="id,when,score\n1,13/01/2015,3\n")
    assert str(error.value).startswith(
        "visits.csv has 1 problem; nothing was computed.\nvisits.csv:2: when is"
    )
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, VISITS, visits="")
    assert str(error.value).startswith("visits.csv has 1 problem")


def test_a_time_out_of_range_is_told_as_it_stands_in_the_source(tmp_path) -> None:
    # 999 months are 83.25 years; the same cell makes two columns, and is one problem.
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, COURSES, courses="id,months,dead\n1,999,1\n2,36,0\n3,999,0\n4,-9,0\n")
    assert problems_of(error.value) == [
        "courses.csv:2, 4: months is '999'; that is 83.25 years; it must be a number of years from 0 to 50. Correct it, "
        "or name it in missing of the map.",
        "courses.csv:5: months is '-9'; that is -0.75 years; it must be a number of years from 0 to 50. Correct it, or "
        "name it in missing of the map.",
    ]


def test_dates_of_which_only_the_time_between_is_kept_are_looked_at_too(tmp_path) -> None:
    rows = "id,tx,last,died\n1,1900-01-01,2014-01-01,\n2,2015-01-01,2999-12-31,\n3,2015-01-01,2014-01-01,\n"
    with pytest.raises(DataProblems) as error:
        mapped_files(tmp_path, SEEN, seen=rows)
    fix = "Correct it, or name it in missing of the map."
    assert problems_of(error.value) == [
        f"seen.csv:2: tx is '1900-01-01'; no date is before 1950; such a date mostly stands for unknown. {fix}",
        f"seen.csv:3: last is '2999-12-31'; the date lies after the day of reading. {fix}",
        "seen.csv:4: last is '2014-01-01'; it lies before tx. Correct one of the two.",
    ]


@pytest.mark.parametrize("rows", ["", ",,,\n,,,\n"])
def test_headings_alone_are_to_be_filled_in(tmp_path, rows: str) -> None:
    with pytest.raises(DataProblems, match="no row has a value that the map reads") as error:
        mapped_files(tmp_path, SEEN, seen=f"id,tx,last,died\n{rows}")
    assert "Fill in a row for each" in str(error.value)


def test_a_row_that_gives_two_records_is_named_once(tmp_path) -> None:
    rules = VISITS + '[[table.record]]\nkind = "transplant"\ndate = "tx"\n'
    mapped = mapped_files(
        tmp_path, rules, visits="id,tx,when,score\n1,2015-01-01,2016-01-01,3\nTotal,2015-01-01,2016-01-01,3\n"
    )
    with pytest.raises(DataProblems) as error:
        read_cells(mapped.table, origins=mapped.places)
    assert problems_of(error.value) == [
        "visits.csv:3: patient_id is 'Total'; a row of totals or means is not a patient. Remove the row."
    ]
