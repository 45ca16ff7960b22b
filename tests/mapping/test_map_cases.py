"""Each map case: the canonical rows that its tables lead to, by hand.

The four patients of every case (tests/cases/map-*): 1 relapses before transplant alone; 2 worsens on day 366;
3 has two new T2 lesions on the scan of day 367 and relapses on day 620; 4 dies on day 52. Days are counted
from transplant.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from mapped import CASES, rows_of

from ahsct_trial.errors import DataError
from ahsct_trial.mapping import MappedTable, apply_map, propose_map, read_map

RECORD_CASES = {
    "map-01-msbase": ("data", "msbase"),
    "map-02-sdtm": ("data", "sdtm"),
    "map-03-redcap": ("ms.csv", "map.toml"),
    "map-06-german-tables": ("data", "map.toml"),
    "map-07-german-workbook": ("studie.xlsx", "map.toml"),
}
#: Days of each patient's records by kind, from the dates in the cases.
DAYS = {
    1: {"relapse": [-120], "edss": [-21, 365, 1101], "mri": [-21, 365, 1101], "transplant": [0]},
    2: {"edss": [-18, 366, 732, 1106], "mri": [-18, 366, 1106], "transplant": [0]},
    3: {"relapse": [-121, 620], "edss": [-30, 367, 1116], "mri": [-30, 367, 1116], "transplant": [0]},
    4: {"edss": [-20], "mri": [-20], "transplant": [0], "death": [52]},
}
EDSS = {1: [3.5] * 3, 2: [6.0, 6.5, 6.5, 6.5], 3: [4.0] * 3, 4: [5.0]}
LESIONS = {1: [(1, 0), (0, 0), (0, 0)], 2: [(0, 0)] * 3, 3: [(2, 0), (0, 2), (0, 0)], 4: [(0, 0)]}
SEX = {1: "female", 2: "male", 3: "female", 4: "male"}


def case(name: str) -> MappedTable:
    source, rules = RECORD_CASES[name] if name in RECORD_CASES else OTHER_CASES[name]
    folder = CASES / name
    return apply_map(read_map(folder / rules if rules.endswith(".toml") else rules), folder / source)


OTHER_CASES = {
    "map-04-adam": ("data", "adam"),
    "map-05-msprog": ("data", "msprog"),
    "map-08-time-and-flag": ("input.csv", "map.toml"),
}


@pytest.mark.parametrize("name", RECORD_CASES)
def test_records_of_the_four_patients(name: str) -> None:
    rows = rows_of(case(name))
    by_patient = {number: [row for row in rows if int(row["patient_id"][-1]) == number] for number in DAYS}
    assert sum(map(len, by_patient.values())) == len(rows)
    for number, own in by_patient.items():
        zero = next(date.fromisoformat(row["date"]) for row in own if row["record"] == "transplant")
        days: dict[str, list[int]] = {}
        for row in own:
            if "date" in row and row["record"] != "last_contact":
                days.setdefault(row["record"], []).append((date.fromisoformat(row["date"]) - zero).days)
        assert days == DAYS[number]
        assert [float(row["edss"]) for row in own if row["record"] == "edss"] == EDSS[number]
        assert [
            (int(row["gd_lesions"]), int(row["new_t2_lesions"])) for row in own if row["record"] == "mri"
        ] == LESIONS[number]
        assert {row["sex"] for row in own if "sex" in row} == {SEX[number]}


@pytest.mark.parametrize("name", RECORD_CASES)
def test_who_died_has_no_contact_on_the_day_of_death(name: str) -> None:
    contacts = Counter(
        row["patient_id"][-1] for row in rows_of(case(name)) if row["record"] == "last_contact"
    )
    assert contacts["4"] == 0


@pytest.mark.parametrize("name", [*RECORD_CASES, *OTHER_CASES])
def test_the_account_of_each_table_adds_up(name: str) -> None:
    account = case(name).account
    for table in account.tables:
        assert table.rows_read == table.rows_used + sum(aside.count for aside in table.set_aside)
    assert account.rows_read == sum(table.rows_read for table in account.tables)


@pytest.mark.parametrize(
    ("name", "reason", "table", "line"),
    [
        ("map-01-msbase", "EXAM_TYPE is 'SPINAL CORD'", "msb_mri.csv", 12),
        ("map-01-msbase", "TREATMENT is 'NATALIZUMAB'", "msb_treatment.csv", 6),
        ("map-02-sdtm", "RSSTAT is 'NOT DONE'", "rs.csv", 13),
        ("map-02-sdtm", "CEOCCUR is 'N'", "ce.csv", 5),
        ("map-03-redcap", "no date and no value that the map reads", "ms.csv", 34),
        ("map-06-german-tables", "Region is 'HWS'", "mrt.csv", 12),
        ("map-06-german-tables", "no date and no value that the map reads", "edss.csv", 13),
        ("map-07-german-workbook", "Region is 'HWS'", "studie.xlsx", 12),
    ],
)
def test_rows_set_aside_are_named_with_their_line(name: str, reason: str, table: str, line: int) -> None:
    asides = [
        (account.file, aside.lines)
        for account in case(name).account.tables
        for aside in account.set_aside
        if aside.reason == reason
    ]
    assert asides == [(table, (line,))]


def test_each_record_leads_to_its_table_sheet_and_line() -> None:
    mapped = case("map-07-german-workbook")
    rows = rows_of(mapped)
    (death,) = [number for number, row in enumerate(rows) if row["record"] == "death"]
    place = mapped.places.of(death)
    assert (place.file, place.sheet, place.line) == ("studie.xlsx", "Patienten", 5)
    assert rows[death]["patient_id"] == "004"
    assert rows[death]["cause_of_death"] == "transplant"


def test_adam_parameters_have_their_own_end_of_observation() -> None:
    rows = {row["patient_id"]: row for row in rows_of(case("map-04-adam"))}
    # AVAL 1102 is day 1101: AVAL = ADT - STARTDT + 1 (ADaM for time-to-event analyses 1.0, section 4).
    assert float(rows["AH9-1"]["follow_up_years"]) * 365.25 == pytest.approx(1101)
    assert "years_to_death" not in rows["AH9-1"]
    assert float(rows["AH9-2"]["years_to_worsening"]) * 365.25 == pytest.approx(366)
    assert "years_to_first_relapse" not in rows["AH9-2"]
    assert float(rows["AH9-2"]["years_to_last_visit"]) * 365.25 == pytest.approx(1106)
    assert float(rows["AH9-3"]["years_to_first_relapse"]) * 365.25 == pytest.approx(620)
    assert float(rows["AH9-3"]["years_to_last_edss"]) * 365.25 == pytest.approx(1116)
    assert float(rows["AH9-4"]["years_to_death"]) * 365.25 == pytest.approx(52)
    assert float(rows["AH9-4"]["years_to_last_visit"]) == 0
    assert not {"relapses_after", "scans_after"} & set(rows["AH9-1"])


def test_time_and_flag() -> None:
    rows = {row["patient_id"]: row for row in rows_of(case("map-08-time-and-flag"))}
    assert max(float(row["follow_up_years"]) for row in rows.values()) == pytest.approx(3.055441, abs=1e-6)
    assert [number for number, row in rows.items() if "years_to_death" in row] == ["4"]
    assert [number for number, row in rows.items() if "years_to_first_relapse" in row] == ["3"]
    assert [number for number, row in rows.items() if "years_to_worsening" in row] == ["2"]
    assert {number: row["sex"] for number, row in rows.items()} == {
        "1": "female",
        "2": "male",
        "3": "female",
        "4": "male",
    }


def test_msprog_days_and_the_notice_that_no_deaths_are_known() -> None:
    mapped = case("map-05-msprog")
    rows = rows_of(mapped)
    assert [int(row["day"]) for row in rows if row["record"] == "relapse"] == [-120, -121, 620]
    assert [int(row["day"]) for row in rows if row["patient_id"] == "2"] == [-18, 366, 732, 1106]
    codes = {notice.code: notice for notice in mapped.notices}
    assert codes["map-without-death"].severity == "look first"
    assert "map-without-mri" in codes


def test_a_status_of_1_0_is_1_and_an_unknown_one_an_error(tmp_path) -> None:
    text = (CASES / "map-03-redcap" / "ms.csv").read_text("utf-8")
    rules = read_map(CASES / "map-03-redcap" / "map.toml")
    (tmp_path / "ms.csv").write_text(text.replace("2015-07-01,1.0,2", "2015-07-01,dead,2"), "utf-8")
    with pytest.raises(DataError, match=r"ms\.csv.*33.*vital_status is 'dead'; the map knows '1', '0'"):
        apply_map(rules, tmp_path / "ms.csv")


@pytest.mark.parametrize("name", ["map-01-msbase", "map-02-sdtm", "map-04-adam", "map-05-msprog"])
def test_proposed_for_tables_with_known_names_is_the_map_that_knows_them(name: str) -> None:
    source, rules = {**RECORD_CASES, **OTHER_CASES}[name]
    assert f'\nname = "{rules}"\n' in propose_map([CASES / name / source])


def test_proposed_for_german_tables_and_their_workbook() -> None:
    tables = propose_map([CASES / "map-06-german-tables" / "data"])
    workbook = propose_map([CASES / "map-07-german-workbook" / "studie.xlsx"])
    for text in (tables, workbook):
        assert text.count('patient_id = "Pat-Nr"\n') == 4
        assert 'kind = "edss"\ndate = "Datum"\nedss = "EDSS"\n' in text
        assert 'kind = "relapse"\ndate = "Schubbeginn"\n' in text
        assert 'date = "OP-Datum"   # not sure' in text
        assert 'codes = { w = "?", m = "?" }' in text
        assert 'codes = { schubfoermig = "?", sekundaer = "?" }' in text
        assert 'codes = { Transplantation = "?" }' in text
        assert 'where = { Region = ["?"] }' in text
    assert tables.count('date_format = ["%d.%m.%Y"]') == 4
    assert "date_format" not in workbook


def test_proposed_and_filled_in_gives_the_same_records() -> None:
    text = propose_map([CASES / "map-06-german-tables" / "data"])
    answers = {
        'w = "?", m = "?"': 'w = "female", m = "male"',
        'schubfoermig = "?", sekundaer = "?"': 'schubfoermig = "RRMS", sekundaer = "SPMS"',
        'Transplantation = "?"': 'Transplantation = "transplant"',
        'Region = ["?"]': 'Region = ["Kopf"]',
    }
    for question, answer in answers.items():
        assert question in text
        text = text.replace(question, answer)
    import tomllib

    from ahsct_trial.mapping import parse_map

    mapped = apply_map(parse_map(tomllib.loads(text), "map.toml"), CASES / "map-06-german-tables" / "data")
    key = sorted(str(sorted(row.items())) for row in rows_of(mapped))
    assert key == sorted(str(sorted(row.items())) for row in rows_of(case("map-06-german-tables")))


def test_proposed_as_it_is_says_what_is_to_be_filled_in(tmp_path) -> None:
    (tmp_path / "map.toml").write_text(propose_map([CASES / "map-06-german-tables" / "data"]), "utf-8")
    with pytest.raises(
        Exception, match="the meaning of 'w' is still '\\?'; fill it in: female, male"
    ) as error:
        read_map(tmp_path / "map.toml")
    assert error.value.exit_code == 2
    assert str(error.value).count("still '?'") == 6


def test_proposed_for_redcap_and_for_times_with_a_flag() -> None:
    redcap = propose_map([CASES / "map-03-redcap" / "ms.csv"])
    assert 'patient_id = "record_id"\n' in redcap
    for kind, column in {
        "transplant": "tx_date",
        "edss": "visit_date",
        "relapse": "relapse_date",
        "mri": "mri_date",
    }.items():
        assert f'kind = "{kind}"\ndate = "{column}"\n' in redcap
    assert 'edss = "edss"\n' in redcap
    assert redcap.count('event = { column = "vital_status", is = ["?"], not = ["?"] }') == 2
    flags = propose_map([CASES / "map-08-time-and-flag" / "input.csv"])
    assert 'patient_id = "id"\n' in flags
    assert 'follow_up_years = "?"' in flags
    assert "Is srv a time, and srvstat its flag" in flags
