"""A trial behind one face: the same of a patient table and of records, and of a part of either."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from record_files import read, records

from ahsct_trial import Protocol, Trial, summarize
from ahsct_trial.errors import UsageError

TABLE = read(
    "patient_id,follow_up_years,site,sex,arm,years_to_death,age_years\n"
    "A,1,Ottawa,female,BEAM,1,30\nB,2,ottawa ,male,,,40\nC,3,Genoa,,Cy,,50\nD,4,,female,Cy,4,60\n"
)
RECORDS = records(
    """
    A baseline - site=Ottawa sex=female arm=BEAM age_years=30
    A transplant 0
    A death 365
    B baseline - site=Ottawa sex=male age_years=40
    B last_contact 731
    C baseline - site=Genoa arm=Cy age_years=50
    C last_contact 1096
    D baseline - sex=female arm=Cy age_years=60
    D death 1461
    """
)
both = pytest.mark.parametrize("trial", [TABLE, RECORDS], ids=["table", "records"])


def names(trial: Trial) -> list[str]:
    return trial.attributes["patient_id"].tolist()


@both
def test_a_part_of_the_patients(trial: Trial) -> None:
    assert (len(trial), names(trial)) == (4, ["A", "B", "C", "D"])
    for selection, expected in (
        ({"site": ["Ottawa"]}, ["A", "B"]),
        ({"site": ["OTTAWA", " genoa"]}, ["A", "B", "C"]),
        ({"site": ["Ottawa"], "sex": ["female"]}, ["A"]),
        ({"site": ["Ottawa"], "sex": ["F"]}, ["A"]),
        ({}, ["A", "B", "C", "D"]),
    ):
        part = trial.where(selection)
        assert names(part) == expected
        assert len(part) == len(part.table(Protocol())) == len(expected)
        assert part.table(Protocol()).patients["patient_id"].tolist() == expected
        assert summarize(part).cohort.n_patients == len(expected)


@both
def test_a_part_of_a_part(trial: Trial) -> None:
    assert names(trial.where({"sex": ["female"]}).where({"site": ["Ottawa"]})) == ["A"]
    with pytest.raises(UsageError, match="No patient has site Genoa"):
        trial.where({"sex": ["female"]}).where({"site": ["Genoa"]})


@both
def test_levels_and_groups(trial: Trial) -> None:
    assert trial.levels("site") == ("Genoa", "Ottawa")
    assert trial.where({"sex": ["female"]}).levels("site") == ("Ottawa",)
    groups = trial.groups("arm")
    # B has no arm, and is in no group.
    assert {level: names(part) for level, part in groups.items()} == {"BEAM": ["A"], "Cy": ["C", "D"]}


@both
@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("sites", "no attribute 'sites'. Is site meant?"),
        ("patient_id", "no attribute 'patient_id'"),
        ("age_years", "no attribute 'age_years'"),  # a number, not a level
        ("follow_up_years", "no attribute 'follow_up_years'"),
        ("\x1b[31m", r"no attribute '\x1b[31m'"),
    ],
)
def test_what_is_no_attribute(trial: Trial, column: str, message: str) -> None:
    for ask in (trial.levels, trial.groups, lambda name: trial.where({name: ["x"]})):
        with pytest.raises(UsageError) as refused:
            ask(column)
        assert message in str(refused.value)


@both
def test_nobody_has_the_level(trial: Trial) -> None:
    with pytest.raises(UsageError) as refused:
        trial.where({"site": ["Toronto"]})
    assert str(refused.value) == "No patient has site Toronto. This file has site Genoa, Ottawa."


def test_an_attribute_that_is_empty_for_everybody() -> None:
    trial = read("patient_id,follow_up_years,arm\nA,1,\nB,2,\n")
    with pytest.raises(UsageError, match="arm is empty for every patient"):
        trial.groups("arm")


@pytest.mark.parametrize("n", [20, 21])
def test_a_comparison_has_at_most_20_groups(n: int) -> None:
    rows = "".join(f"P{number},1,S{number}\n" for number in range(n))
    trial = read(f"patient_id,follow_up_years,site\n{rows}")
    if n == 20:
        assert len(trial.groups("site")) == 20
    else:
        with pytest.raises(UsageError, match="site has 21 levels; at most 20 groups are compared"):
            trial.groups("site")


@both
def test_the_way_back_to_the_file(trial: Trial) -> None:
    table = trial.where({"arm": ["Cy"]}).table(Protocol())
    lines = [trial.places.of(int(row)).line for row in table.rows]
    # C and D: their own lines in a table; of records, those that end follow-up.
    assert lines == ([4, 5] if trial is TABLE else [8, 10])
    assert str(trial.places.of(int(table.rows[0]))) == f"records.csv:{lines[0]}"


def test_records_are_derived_once_for_each_way_to_derive_them() -> None:
    protocols: list[dict[str, Any]] = [{}, {"horizon_years": 5.0}, {"death": "censor", "ci_method": "plain"}]
    tables = [RECORDS.table(Protocol(**changed)) for changed in protocols]
    assert all(table is tables[0] for table in tables)
    assert RECORDS.table(Protocol(relapse_gap_days=30)) is not tables[0]


@pytest.mark.parametrize("copied", [deepcopy, lambda trial: pickle.loads(pickle.dumps(trial))])
@both
def test_a_copy_gives_the_same_results(trial: Trial, copied: Callable[[Trial], Trial]) -> None:
    expected = summarize(trial)  # which derives the table
    assert (
        summarize(copied(trial)).endpoints.overall_survival.survival
        == expected.endpoints.overall_survival.survival
    )


def test_records_keep_the_time_zero_they_were_read_with() -> None:
    with pytest.raises(UsageError, match=r"read with day 0 at transplant.*time zero at randomisation"):
        summarize(RECORDS, Protocol(time_zero="randomisation"))
    # A patient table only says what its times run from.
    found = summarize(TABLE, Protocol(time_zero="randomisation"))
    assert found.endpoints.overall_survival.definition.startswith("Time from randomisation to death")
