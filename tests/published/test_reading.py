"""A user's own TOML: what is wrong with it is said, all at once, with the file and the line or key."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ahsct_trial.errors import UsageError
from ahsct_trial.published.figures import Eligibility, Figure, Publication
from ahsct_trial.published.paths import fault_of_figure, fault_of_interval, interval_of
from ahsct_trial.published.reading import RULES, parse_publication, read_publication

HEAD = 'id = "mine"\ntitle = "Ours"\ncitation = "Nobody, 2020"\n'
FIGURE = """
[[figures]]
label = "Relapse-free at 2 years"
value = "80.0"
ci = ["55.1", "92.0"]
unit = "%"
figure = "endpoints.relapse_free_survival.estimate"
interval = "endpoints.relapse_free_survival"
definition = "No relapse"
horizon_years = 2
mark = "V"
source = "Table 2"
"""


def faults(text: str) -> list[str]:
    with pytest.raises(UsageError) as raised:
        parse_publication(text.encode("utf-8"), "mine.toml")
    first, *rest = str(raised.value).splitlines()
    assert first.startswith("mine.toml is no publication yet: ")
    assert all(fault.startswith("mine.toml: ") for fault in rest)
    return [fault.removeprefix("mine.toml: ") for fault in rest]


def with_key(key: str, value: str) -> str:
    """The figure with one key written another way."""
    lines = [line for line in FIGURE.splitlines() if not line.startswith(f"{key} =")]
    return HEAD + "\n".join([*lines, f"{key} = {value}"]) + "\n"


def test_a_whole_publication_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("\ufeff" + HEAD + FIGURE, encoding="utf-8")
    found = read_publication(path)
    assert (found.id, found.figures[0].ci, found.figures[0].horizon_years) == ("mine", ("55.1", "92.0"), 2)


def test_every_key_has_a_rule() -> None:
    keys = {
        field.name for kind in (Publication, Figure, Eligibility) for field in msgspec.structs.fields(kind)
    }
    assert set(RULES) == keys


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("mark", '"X"', "mark is 'X'; it must be V (read in the source), S"),
        ("mark", "1", "mark is 1; it must be V"),
        ("value", "80.0", "value is 80.0; it must be the figure in quotes, as printed"),
        ("value", '"eighty"', "value is 'eighty'; it must be the figure in quotes"),
        ("value", '"nan"', "value is 'nan'"),
        ("value", '"1e5"', "value is '1e5'"),
        ("value", '"８0"', "value is '８0'"),
        ("value", '"101"', "a percentage goes from 0 to 100"),
        ("ci", '["92.0", "55.1"]', "the value 80.0 does not lie in it"),
        ("ci", '["55.1"]', "ci is ['55.1']; it must be two numbers"),
        ("ci", '["55.1", "?"]', "ci is '?'; it must be two numbers"),
        ("unit", '"percent"', "unit is 'percent'; it must be \"%\""),
        ("of", '"0"', "of is '0'; it must be a number above 0"),
        ("of", '""', "of is ''; it must be a number above 0"),
        ("of", '"24"', "a percentage has no of"),
        ("horizon_years", "0", "horizon_years is 0.0; it must be a number of years above 0"),
        ("horizon_years", "nan", "horizon_years is nan"),
        ("horizon_years", "true", "horizon_years is True"),
        ("source", '" "', "source is ' '; it must be text in quotes"),
        ("where", '{ arms = ["A"] }', "where names 'arms'; its columns are site, arm"),
        ("where", "{ arm = [] }", "where leaves arm without a text"),
        ("where", '{ arm = "A" }', "where is {'arm': 'A'}; it must be accepted texts by column"),
        ("figure", '"endpoints.relapse_free_survival.estimat"', "is estimate meant?"),
        ("figure", '"endpoints.relapse_rate"', "is no number"),
        ("figure", '"source.file"', "is no number"),
        ("interval", '"cohort.n_patients"', "has no ci_low and ci_high"),
        ("interval", '""', "leads nowhere"),
        ("figure_of", '"cohort.n_patients"', "of and figure_of belong together"),
        ("is_headline", '"yes"', "is_headline is 'yes'; it must be true or false"),
        ("wher", "{}", "there is no key 'wher'; is where meant?"),
        ("not_stated", '["dead"]', "not_stated is ['dead']; it must be a list of"),
        ("no_counterpart", '"Why"', "no_counterpart says why there is no figure"),
        ("colour", '"red"', "there is no key 'colour'; keys are label, value"),
    ],
)
def test_one_wrong_key_of_a_figure(key: str, value: str, words: str) -> None:
    found = faults(with_key(key, value))
    assert any(words in fault for fault in found), found
    assert all(fault.startswith("figure 1 (Relapse-free at 2 years): ") for fault in found)


@pytest.mark.parametrize("key", ["label", "value", "definition", "mark", "source"])
def test_a_missing_key_is_named(key: str) -> None:
    text = HEAD + "\n".join(line for line in FIGURE.splitlines() if not line.startswith(f"{key} ="))
    (fault,) = faults(text)
    assert f"{key} is missing; it must be " in fault


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "figures is missing"),
        ("figures = 3\n", "figures is 3; it must be one table or more"),
        ("figures = []\n", "figures is []"),
        ("figures = [3]\n", "figures is [3]"),
        ("[protocol]\nhorizon_year = 3\n" + FIGURE, "Is horizon_years meant?"),
        ('[protocol]\ndeath = "maybe"\n' + FIGURE, "death is 'maybe'"),
        ("[protocol]\ndeath = true\n" + FIGURE, "protocol is {'death': True}"),
        ("[eligibility]\nage_years = [50, 18]\n" + FIGURE, "eligibility: age_years is [50.0, 18.0]"),
        ("[eligibility]\nage = [18, 50]\n" + FIGURE, "eligibility: there is no key 'age'"),
        ('inferred = ["death"]\n' + FIGURE, "inferred names death, which [protocol] does not set"),
        ("n_patients = 0\n" + FIGURE, "n_patients is 0"),
        ("titel = 3\n" + FIGURE, "there is no key 'titel'; is title meant?"),
        (FIGURE + FIGURE, "two figures have the label 'Relapse-free at 2 years'"),
        (
            FIGURE
            + "is_headline = true\n"
            + FIGURE.replace("label = ", 'label = "B"#')
            + "is_headline = true\n",
            "is_headline is true for two figures",
        ),
    ],
)
def test_what_is_wrong_with_the_whole(text: str, words: str) -> None:
    found = faults(HEAD + text)
    assert any(words in fault for fault in found), found


def test_the_name_of_the_table_of_all_is_no_id() -> None:
    (fault,) = faults(HEAD.replace("mine", "all") + FIGURE)
    assert fault.startswith("id is 'all'")


def test_all_problems_are_found_together_and_the_first_20_shown() -> None:
    text = HEAD + with_key("mark", '"X"').removeprefix(HEAD) + "valu = 1\n" + FIGURE.replace('"V"', '"W"')
    assert len(faults(text)) == 3
    with pytest.raises(UsageError) as raised:
        parse_publication((HEAD + FIGURE.replace('"V"', '"W"') * 25).encode(), "mine.toml")
    assert str(raised.value).splitlines()[0].startswith("mine.toml is no publication yet: 25 problems.")
    assert str(raised.value).splitlines()[-1] == "And 5 more."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"id = \n", "is not TOML: .*line 1"),
        (HEAD.encode() + b'title = "again"\n', "is not TOML: .*line 4"),
        (b"x = " + b"[" * 100_000, "is nested more than 50 levels"),
        (b"x = " + b"9" * 10_000, "has a number or key of more than 400"),
        (b"\xff\xfe", "is not UTF-8 from byte 1 on"),
        (b"x = \x00", "is not TOML"),
    ],
)
def test_what_is_no_toml_names_the_line(text: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=f"mine.toml(:1)? {words}"):
        parse_publication(text, "mine.toml")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no\.toml cannot be read: No such file"):
        read_publication(tmp_path / "no.toml")
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    with pytest.raises(UsageError, match=r"folder\.toml cannot be read"):
        read_publication(folder)


def pair(figure: str, of: str | None, more: str = "") -> str:
    """A figure of a count, or of a count of a count."""
    denominator = f'of = "24"\nfigure_of = "{of}"\n' if of else ""
    return (
        f'{HEAD}[[figures]]\nlabel = "A"\nvalue = "16"\n{denominator}figure = "{figure}"\n{more}'
        'definition = "D"\nmark = "V"\nsource = "S"\n'
    )


SURVIVAL = "endpoints.activity_free_survival"


@pytest.mark.parametrize(
    ("figure", "of", "more", "words"),
    [
        (
            f"{SURVIVAL}.n_event_free",
            f"{SURVIVAL}.n_evaluable",
            'interval = "endpoints.relapse_rate.before"\n',
            f"its own is {SURVIVAL}.proportion",
        ),
        (
            "endpoints.neda3.at_horizon.n_yes",
            "cohort.n_patients",
            'interval = "endpoints.neda3.at_horizon.proportion"\n',
            "the results hold none of it: leave interval out",
        ),
        (f"{SURVIVAL}.n_events", None, f'interval = "{SURVIVAL}"\n', "the results hold none of it"),
        (f"{SURVIVAL}.estimate", None, f'interval = "{SURVIVAL}.proportion"\n', f"its own is {SURVIVAL}"),
        (f"{SURVIVAL}.n_events", None, 'unit = "%"\n', "is no proportion"),
        ("endpoints.relapse_rate.ratio.value", None, 'unit = "%"\n', "is no proportion"),
        ("endpoints.lesions.after.lesions_per_scan", None, 'unit = "%"\n', "is no proportion"),
        (f"{SURVIVAL}.median_years", None, 'ci = ["1", "20"]\n', "hold no interval of"),
    ],
)
def test_an_interval_or_a_percentage_that_is_not_of_the_figure(
    figure: str, of: str | None, more: str, words: str
) -> None:
    (fault,) = faults(pair(figure, of, more))
    assert words in fault


@pytest.mark.parametrize(
    ("figure", "of", "interval"),
    [
        (f"{SURVIVAL}.estimate", None, SURVIVAL),
        (f"{SURVIVAL}.n_event_free", f"{SURVIVAL}.n_evaluable", f"{SURVIVAL}.proportion"),
        (f"{SURVIVAL}.n_event_free", "endpoints.overall_survival.n_evaluable", None),
        (f"{SURVIVAL}.n_events", f"{SURVIVAL}.n_evaluable", None),
        (
            "endpoints.lesions.after.n_scans_with_lesions",
            "endpoints.lesions.after.n_scans",
            "endpoints.lesions.after.scans_with_lesions",
        ),
        (
            "endpoints.disability.n_improved",
            "endpoints.disability.n_patients",
            "endpoints.disability.improved",
        ),
        ("endpoints.neda3.at_horizon.n_yes", "cohort.n_patients", None),
        ("cohort.n_patients", None, None),
    ],
)
def test_the_interval_of_a_figure(figure: str, of: str | None, interval: str | None) -> None:
    assert interval_of(figure, of) == interval


TOML_VALUES = st.sampled_from(
    ['"x"', '""', "1", "-1", "nan", "inf", "true", "[]", '["a"]', "[1, 2]", "{}", "{ a = 1 }", "1979-05-27"]
)


@given(st.sampled_from(sorted(RULES)), TOML_VALUES, st.booleans())
def test_any_value_of_any_key_is_taken_or_refused_in_words(key: str, value: str, in_figure: bool) -> None:
    text = with_key(key, value) if in_figure else f"{key} = {value}\n" + HEAD + FIGURE
    with suppress(UsageError):
        assert parse_publication(text.encode("utf-8"), "mine.toml").figures


@pytest.mark.parametrize(
    "path",
    [
        "endpoints.neda3.at_horizon.n_yes",
        "endpoints.activity_free_survival.n_event_free",
        "cohort.follow_up_years_of_survivors.median",
        "endpoints.lesions.after.scans_with_lesions.value",
        "endpoints.transplant_related_mortality.by_day_100.n_deaths",
    ],
)
def test_paths_that_lead_to_numbers(path: str) -> None:
    assert fault_of_figure(path) is None


@pytest.mark.parametrize(
    "path",
    ["endpoints.neda3.n_yes", "endpoints.neda3.0.n_yes", "cohort.ms_course.RRMS", "endpoints.", "warnings"],
)
def test_paths_that_do_not(path: str) -> None:
    assert fault_of_figure(path) is not None
    assert fault_of_interval(path) is not None
