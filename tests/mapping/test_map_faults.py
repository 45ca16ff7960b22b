"""What is wrong with a map, and what a source lacks: told at once, with the closest names."""

from __future__ import annotations

import pytest
from mapped import map_of, mapped_files, problems_of

from ahsct_trial.errors import UsageError
from ahsct_trial.loading.problems import DataProblems
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
