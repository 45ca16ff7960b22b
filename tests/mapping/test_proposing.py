"""What is proposed for headings and values: right, or marked as not sure; never wrong and sure."""

from __future__ import annotations

import pytest

from ahsct_trial.loading.problems import DataProblems
from ahsct_trial.mapping import apply_map, propose_map, read_map
from ahsct_trial.mapping.dates import iso_day
from ahsct_trial.mapping.headings import DATES, MEASURES, PATIENT, has_other_words, meaning


def proposed(folder, **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return propose_map([folder])


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("Date of death", "death"), ("Todesdatum", "death"), ("verstorben am", "death"), ("Date de décès", "death"),
        ("fecha_muerte", "death"), ("data di morte", "death"), ("Data do óbito", "death"), ("DTHDTC", "death"),
        ("Transplant date", "transplant"), ("Datum Stammzelltransplantation", "transplant"), ("Date de greffe", "transplant"),
        ("fecha del trasplante", "transplant"), ("data trapianto", "transplant"), ("txDate", "transplant"),
        ("last seen", "last_contact"), ("letzter Kontakt", "last_contact"), ("dernières nouvelles", "last_contact"),
        ("última visita", "last_contact"), ("ultimo contatto", "last_contact"), ("último contacto", "last_contact"),
        ("Relapse onset", "relapse"), ("Schubbeginn", "relapse"), ("Date de la poussée", "relapse"),
        ("fecha brote", "relapse"), ("data ricaduta", "relapse"), ("data do surto", "relapse"),
        ("MRT-Datum", "mri"), ("IRM date", "mri"), ("Datum", "visit"), ("Fecha", "visit"), ("Geburtsdatum", "birth"),
        ("MS onset date", "other"), ("Diagnosedatum", "other"),
    ],
)  # fmt: skip
def test_headings_of_dates_in_six_languages(heading: str, role: str) -> None:
    found = meaning(heading, DATES)
    assert found is not None
    assert found.role == role


@pytest.mark.parametrize("heading", ["today", "ID", "Bemerkung", "consent", "mode"])
def test_headings_without_a_meaning(heading: str) -> None:
    assert meaning(heading, MEASURES) is None
    assert meaning(heading, DATES[1:2]) is None  # of death


@pytest.mark.parametrize("heading", ["Pat-Nr", "patient_id", "USUBJID", "record_id", "Patienten-ID", "N° patient", "ID paciente", "codice paziente"])  # fmt: skip
def test_headings_of_identifiers(heading: str) -> None:
    found = meaning(heading, PATIENT)
    assert found is not None
    assert found.is_sure


@pytest.mark.parametrize(
    "heading", ["Last relapse before transplant", "transplant 2", "EDSS before transplant", "relapse end"]
)
def test_a_heading_that_says_more_is_not_sure(heading: str) -> None:
    found = meaning(heading, DATES)
    assert found is not None
    assert has_other_words(heading, found)


@pytest.mark.parametrize(
    ("dates", "line"),
    [
        (
            ["13/01/2015", "05/02/2016"],
            'date_format = ["%d/%m/%Y"]   # the day comes first: in 1 of 2 it is above 12',
        ),
        (
            ["01/13/2015", "02/05/2016"],
            'date_format = ["%m/%d/%Y"]   # the month comes first: in 1 of 2 the day is above 12',
        ),
        (["03/04/2015", "05/02/2016"], 'date_format = ["?"]   # %d/%m/%Y or %m/%d/%Y? no day is above 12'),
        (
            ["13/01/2015", "01/13/2015"],
            'date_format = ["?"]   # %d/%m/%Y or %m/%d/%Y? the dates contradict each other',
        ),
        (
            ["13.01.15", "05.02.16"],
            'date_format = ["%d.%m.%y"]   # the day comes first: in 1 of 2 it is above 12',
        ),
        (["13JAN2015", "05FEB2016"], 'date_format = ["%d%b%Y"]'),
        (["2015-01-13", "2016-02-05T10:00"], None),
    ],
)
def test_day_and_month_are_not_guessed(tmp_path, dates: list[str], line: str | None) -> None:
    text = proposed(tmp_path, visits="id,date,EDSS\n" + "".join(f"1,{day},3\n" for day in dates))
    if line is None:
        assert "date_format" not in text
    else:
        assert f"\n{line}\n" in text
    assert 'kind = "edss"\ndate = "date"\nedss = "EDSS"\n' in text


def test_two_dates_or_two_scores_are_a_question(tmp_path) -> None:
    text = proposed(tmp_path, visits="id,visit date,entry date,EDSS\n1,2015-01-13,2015-01-14,3\n")
    assert 'date = "?"   # which? visit date, entry date\n' in text
    text = proposed(tmp_path, visits="id,date,EDSS,EDSS 12 months\n1,2015-01-13,3,4\n")
    assert 'edss = "?"   # not sure: EDSS (3 (1)); EDSS 12 months (4 (1))\n' in text


def test_scores_that_are_no_edss_are_a_question(tmp_path) -> None:
    text = proposed(tmp_path, visits="id,date,EDSS\n1,2015-01-13,3.2\n1,2015-02-13,12\n")
    assert 'edss = "?"   # not sure: EDSS' in text


def test_an_identifier_with_gaps_or_a_rival_is_a_question(tmp_path) -> None:
    text = proposed(tmp_path, visits="patient_id,date,EDSS\n1,2015-01-13,3\n,2015-02-13,3\n")
    assert 'patient_id = "?"   # perhaps patient_id, which is not sure\n' in text
    text = proposed(tmp_path, visits="name,date,EDSS\nx,2015-01-13,3\n")
    assert 'patient_id = "?"   # which column identifies the patient?\n' in text


def test_texts_that_may_be_none_are_not_taken_for_missing(tmp_path) -> None:
    text = proposed(tmp_path, scans="id,MRI date,Gd\n1,2015-01-13,0\n1,2015-02-13,none\n1,2015-03-13,2\n")
    assert "missing" not in text
    assert 'gd_lesions = "?"' in text


def test_the_transplant_among_treatments(tmp_path) -> None:
    text = proposed(
        tmp_path, treatments="id,treatment,start date\n1,AHSCT,2015-01-13\n1,Natalizumab,2014-01-13\n"
    )
    assert (
        'kind = "transplant"\ndate = "start date"\nwhere = { treatment = ["AHSCT"] }   # not: Natalizumab\n'
        in text
    )


def test_free_text_and_identifiers_are_not_repeated(tmp_path) -> None:
    text = proposed(
        tmp_path, visits="id,date,EDSS,remark\n1,2015-01-13,3,calls on Mondays\n2,2015-01-14,3,fine\n"
    )
    assert "remark" in text
    assert "Mondays" not in text


def test_headings_that_toml_must_quote(tmp_path) -> None:
    text = proposed(tmp_path, visits='id,"date ""of"" visit",EDSS\n1,2015-01-13,3\n')
    import tomllib

    (table,) = tomllib.loads(text)["table"]
    assert table["record"][0]["date"] == 'date "of" visit'


def test_a_heading_of_two_dates_is_a_question(tmp_path) -> None:
    text = proposed(
        tmp_path, patients="id,Date of HSCT,Date of death or last contact\n1,2015-01-15,2018-02-01\n"
    )
    assert 'kind = "transplant"\ndate = "Date of HSCT"\n' in text
    assert (
        'kind = "death"\ndate = "?"   # perhaps Date of death or last contact, which may be another date\n'
        in text
    )


def test_beside_a_sure_column_an_unsure_one_gives_no_second_transplant(tmp_path) -> None:
    text = proposed(
        tmp_path,
        patients="id,HSCT date,Last relapse before HSCT\n1,2015-01-15,2014-09-10\n2,2015-02-15,2014-09-10\n",
    )
    assert text.count('kind = "transplant"') == 1
    assert 'kind = "transplant"\ndate = "HSCT date"\n' in text
    text = proposed(tmp_path, patients="id,HSCT date,Transplant date\n1,2015-01-15,2014-09-10\n")
    assert 'date = "?"   # which? HSCT date, Transplant date\n' in text


def test_what_is_no_autologous_transplant_is_a_question(tmp_path) -> None:
    text = proposed(
        tmp_path, treatments="id,treatment,start date\n1,AHSCT,2015-01-13\n2,allo-HSCT,2014-01-13\n"
    )
    assert 'where = { treatment = ["?"] }   # which are autologous transplants? AHSCT, allo-HSCT\n' in text


def test_a_row_number_beside_the_patient_is_not_the_patient(tmp_path) -> None:
    text = proposed(tmp_path, visits="ID,Patient No,date,EDSS\n1,7,2015-01-13,3\n2,7,2015-07-13,3\n")
    assert 'patient_id = "Patient No"\n' in text
    text = proposed(tmp_path, visits="ID,Patient,date,EDSS\n1,7,2015-01-13,3\n2,7,2015-07-13,3\n")
    assert 'patient_id = "?"   # perhaps ID, which is not sure\n' in text


def test_m_is_male_beside_f_alone(tmp_path) -> None:
    # In Spanish M is mujer, a woman, and H hombre.
    assert '\nsex = "sexo"\n' in proposed(tmp_path, patients="id,sexo\n1,M\n2,F\n")
    assert 'codes = { M = "?" }' in proposed(tmp_path, patients="id,sexo\n1,M\n2,M\n")
    assert 'codes = { M = "?", H = "?" }' in proposed(tmp_path, patients="id,sexo\n1,M\n2,H\n")


@pytest.mark.parametrize("heading", ["Alter bei Diagnose", "Age at onset", "Klinik: Befund", "Blutgruppe"])
def test_an_attribute_of_something_else_is_not_taken(tmp_path, heading: str) -> None:
    text = proposed(tmp_path, patients=f"id;HSCT date;{heading}\n1;2015-01-15;22\n2;2015-01-15;22\n")
    assert f'= "{heading}"\n' not in text


def test_zeros_and_ones_may_be_no_and_yes(tmp_path) -> None:
    text = proposed(tmp_path, scans="id,MRI date,Gd\n1,2015-01-13,0\n1,2015-02-13,1\n")
    assert (
        'gd_lesions = "?"   # not sure: Gd (0 (1), 1 (1)): 0 and 1 alone: are they counts, or no and yes?\n'
        in text
    )


def test_a_death_that_only_a_flag_tells_is_asked_for(tmp_path) -> None:
    text = proposed(
        tmp_path,
        patients="id;Fecha de trasplante;Fecha de último contacto;Fallecido\n1;2015-01-15;2018-02-20;No\n2;2015-01-15;2018-02-20;Sí\n",
    )
    assert (
        'kind = "death"\ndate = "Fecha de último contacto"\nevent = { column = "Fallecido", is = ["?"]'
        in text
    )


# ---- Tables as clinicians keep them
# --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "heading",
    ["Schubende", "Schubdauer", "Stammzellmobilisierung", "Stammzellentnahme", "Transplantatentnahme", "posttransplant MRI"],
)  # fmt: skip
def test_a_word_that_goes_on_is_another_word(heading: str) -> None:
    found = meaning(heading, DATES)
    assert found is not None
    assert has_other_words(heading, found)


@pytest.mark.parametrize(
    "heading",
    ["Schubbeginn", "Transplantationsdatum", "Relapse onset", "Sterbedatum", "gestorben am", "Data TMO"],
)
def test_an_ending_or_a_word_of_time_adds_nothing(heading: str) -> None:
    found = meaning(heading, DATES)
    assert found is not None
    assert not has_other_words(heading, found)


def test_a_mobilisation_of_stem_cells_is_no_transplant(tmp_path) -> None:
    text = proposed(
        tmp_path,
        treatments="id,therapy,start date\n1,ASZT,2015-01-13\n1,Stammzellmobilisierung,2014-12-13\n2,autologe SZT,2015-02-13\n",
    )
    assert (
        'where = { therapy = ["?"] }   # which are autologous transplants? ASZT, Stammzellmobilisierung, autologe SZT\n'
        in text
    )


@pytest.mark.parametrize(
    "title", ["Register of the clinic", "Register;;", "Register; printed 2019", "Register\n\nNotes"]
)
def test_headings_below_titles_are_found(tmp_path, title: str) -> None:
    rows = "Patient ID;Date of HSCT;Sex\n1;2015-01-10;F\n2;2015-02-19;M\n"
    text = proposed(tmp_path, patients=f"{title}\n{rows}")
    assert f'\nheading_row = {title.count(chr(10)) + 2}\npatient_id = "Patient ID"\n' in text
    assert 'kind = "transplant"\ndate = "Date of HSCT"\n' in text
    # What is proposed runs: two baselines and two transplants.
    (tmp_path / "map.toml").write_text(text, encoding="utf-8")
    assert len(apply_map(read_map(tmp_path / "map.toml"), tmp_path / "patients.csv").table) == 4


def test_headings_that_a_map_cannot_name_are_told(tmp_path) -> None:
    text = proposed(tmp_path, visits="id,date,,EDSS,date\n1,2015-01-13,x,3,2015-01-14\n")
    assert "rename all but one of each that stands twice: date\n" in text
    assert (
        "# Columns with cells and no heading, as merged headings leave them: 1; give each its own.\n" in text
    )


def test_serial_numbers_under_a_date_are_a_question(tmp_path) -> None:
    # 42014 days after 1899-12-30 are 2015-01-10; 42014 days after 1960-01-01 are 2075-01-11.
    text = proposed(tmp_path, patients="id,HSCT date\n1,42014\n2,42014\n")
    assert (
        "date_format = [\"?\"]   # 42014 in HSCT date is a number: 'excel' makes it 2015-01-10, 'sas' makes it 2075-01-11\n"
        in text
    )
    assert 'date = "HSCT date"   # not sure: numbers: are they dates, and in which form?\n' in text


@pytest.mark.parametrize(
    ("day", "form"),
    [
        ("13.01.2015 00:00", "%d.%m.%Y %H:%M"),
        ("13/01/2015 10:30:00", "%d/%m/%Y %H:%M:%S"),
        ("1/13/2015 12:00:00 AM", "%m/%d/%Y %I:%M:%S %p"),
    ],
)
def test_a_date_with_a_time_of_day_has_it_in_its_form(tmp_path, day: str, form: str) -> None:
    text = proposed(tmp_path, visits=f"id,date,EDSS\n1,{day},3\n")
    assert f'date_format = ["{form}"]' in text
    assert iso_day(day, (form,), None) == "2015-01-13"


def test_what_changes_from_row_to_row_is_no_attribute(tmp_path) -> None:
    text = proposed(
        tmp_path, relapses="id,Relapse date,Site\n1,2015-01-13,optic nerve\n1,2016-01-13,spinal cord\n"
    )
    assert 'site = "?"   # perhaps Site, which changes from row to row of a patient\n' in text


def test_a_region_of_patients_is_no_part_of_the_body(tmp_path) -> None:
    text = proposed(tmp_path, patients="id,HSCT date,Region\n1,2015-01-10,North\n2,2015-02-10,South\n")
    assert "where" not in text
    assert "# not read: Region" in text


def test_a_death_without_its_date_or_beside_it_is_not_lost(tmp_path) -> None:
    asked = 'event = { column = "Died", is = ["?"], not = ["?"] }'
    text = proposed(tmp_path, patients="id,HSCT date,Died\n1,2015-01-10,no\n2,2015-02-10,yes\n")
    assert f'kind = "death"\ndate = "?"   # which column is the date?\n{asked}' in text
    text = proposed(
        tmp_path, patients="id,HSCT date,Died,Date of death\n1,2015-01-10,no,\n2,2015-02-10,yes,2016-01-01\n"
    )
    assert f'kind = "death"\ndate = "Date of death"\n{asked}' in text


def test_a_first_relapse_is_no_history(tmp_path) -> None:
    text = proposed(tmp_path, patients="id,HSCT date,First relapse\n1,2015-01-10,2016-01-10\n2,2015-02-10,\n")
    assert (
        'date = "?"   # perhaps First relapse: one relapse of a patient: rates would leave out the others\n'
        in text
    )


def test_numbers_without_a_date_are_named_with_the_way_to_read_them(tmp_path) -> None:
    text = proposed(
        tmp_path,
        patients="id,HSCT date,Last contact,Relapses before,EDSS 6m\n1,2015-01-10,2018-01-10,2,3\n2,2015-02-10,2018-02-10,1,4\n",
    )
    assert "these numbers have no date, which a record needs: Relapses before; EDSS 6m\n" in text
    assert '#   follow_up_years = { years = { from = "HSCT date", to = "Last contact" } }\n' in text


def test_scores_beside_their_dates_are_a_record_each(tmp_path) -> None:
    text = proposed(
        tmp_path,
        patients="id,HSCT date,Visit 1,EDSS 1,Visit 2,EDSS 2\n1,2015-01-10,2014-12-10,3,2016-01-10,3.5\n",
    )
    for number in (1, 2):
        assert (
            f'kind = "edss"\ndate = "Visit {number}"\nedss = "EDSS {number}"   # not sure: does EDSS {number} belong to '
            f"Visit {number}?\n" in text
        )
    assert "# not read" not in text


def test_times_with_a_flag_in_words_and_a_unit_in_the_heading(tmp_path) -> None:
    text = proposed(
        tmp_path,
        outcomes="id,OS (months),Dead,PFS_days,event\n1,36.2,no,1100,no\n2,36.3,no,366,yes\n3,1.7,yes,52,no\n",
    )
    assert "[table.patients]\n" in text
    assert '# years_to_… = { column = "OS (months)", unit = "months", event = { column = "Dead",' in text
    assert '# years_to_… = { column = "PFS_days", unit = "days", event = { column = "event",' in text


def test_a_text_in_another_encoding(tmp_path) -> None:
    (tmp_path / "pacientes.csv").write_bytes(
        "Código paciente;Fecha de trasplante\n1;2015-01-10\n".encode("cp1252")
    )
    with pytest.raises(DataProblems, match="add --encoding cp1252"):
        propose_map([tmp_path])
    text = propose_map([tmp_path], encoding="cp1252")
    assert 'encoding = "cp1252"\n' in text
    assert 'patient_id = "Código paciente"\n' in text
