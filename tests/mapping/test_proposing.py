"""What is proposed for headings and values: right, or marked as not sure; never wrong and sure."""

from __future__ import annotations

import pytest

from ahsct_trial.mapping import propose_map
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
