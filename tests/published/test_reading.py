"""A user's own TOML: what is wrong with it is said, all at once, with the file and the line or key."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ahsct_trial.errors import UsageError
from ahsct_trial.published.model import Contrast, Eligibility, Figure, Publication
from ahsct_trial.published.paths import (
    depends_on_horizon,
    estimate_at,
    fault_of_figure,
    topic_of,
    units_at,
)
from ahsct_trial.published.reading import RULES, parse_publication, read_publication

HEAD = 'id = "mine"\ntitle = "Ours"\ncitation = "Nobody, 2020"\n'
FIGURE = """
[[figures]]
label = "Relapse-free at 2 years"
value = "80.0"
ci = ["55.1", "92.0"]
unit = "%"
figure = "endpoints.relapse_free_survival.survival.value"
definition = "No relapse"
horizon_years = 2
mark = "V"
source = "Table 2"
"""


def faults(text: str) -> list[str]:
    with pytest.raises(UsageError) as raised:
        parse_publication(text.encode("utf-8"), "mine.toml")
    first, *rest = str(raised.value).splitlines()
    assert first.startswith("mine.toml is not a complete publication: ")
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
    kinds = (Publication, Figure, Contrast, Eligibility)
    keys = {field.name for kind in kinds for field in msgspec.structs.fields(kind)}
    assert set(RULES) == keys | {"every_figure"}


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
        ("unit", '"percent"', "unit is 'percent'; it must be one of %, "),
        ("of", '"0"', "of is '0'; it must be a number above 0"),
        ("of", '""', "of is ''; it must be a number above 0"),
        ("of", '"24"', "a figure with the unit '%' has no of"),
        ("unit", '"hazard ratio"', "'endpoints.relapse_free_survival.survival.value' is %"),
        ("se", '"four"', "se is 'four'; it must be the standard error in quotes"),
        ("spread", '"SD"', "spread is 'SD'; it must be text in quotes such as \"SD 1.5\""),
        ("spread", '"range 2-4"', "spread is 'range 2-4'"),
        ("p", '"p < 0.01"', "p is 'p < 0.01'; it must be the p-value in quotes"),
        ("contrast", '{ level = "A" }', "contrast is {'level': 'A'}; it must be two arms"),
        ("contrast", '{ level = "A", reference = "B" }', "contrast belongs to a figure of contrasts"),
        (
            "figure",
            '"contrasts.endpoints.relapse_free_survival.survival_difference.value"',
            "contrast belongs to a figure of contrasts",
        ),
        ("about", '["relapse"]', "about follows from figure, which is about relapse: leave it out"),
        ("about", '["relapses"]', "about is ['relapses']; it must be a list in quotes of activity, relapse"),
        ("interval", '"endpoints.relapse_free_survival"', "there is no key 'interval'"),
        ("horizon_years", "0", "horizon_years is 0.0; it must be a number of years above 0"),
        ("horizon_years", "nan", "horizon_years is nan"),
        ("horizon_years", "true", "horizon_years is True"),
        ("source", '" "', "source is ' '; it must be text in quotes"),
        ("where", '{ arms = ["A"] }', "where names 'arms'; its columns are site, arm"),
        ("where", "{ arm = [] }", "where leaves arm without a text"),
        ("where", '{ arm = "A" }', "where is {'arm': 'A'}; it must be accepted texts by column"),
        ("figure", '"endpoints.relapse_free_survival.surviva"', "is survival meant?"),
        ("figure", '"contrasts.endpoints.relapse_rate.rati"', "is ratio meant?"),
        ("figure", '"endpoints.relapse_rate"', "is no number"),
        ("figure", '"source.shape"', "is no number"),
        ("figure", '""', "leads nowhere"),
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
    assert (
        str(raised.value).splitlines()[0].startswith("mine.toml is not a complete publication: 25 problems.")
    )
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
    with pytest.raises(UsageError, match=r"There is no file .*no\.toml\."):
        read_publication(tmp_path / "no.toml")
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    with pytest.raises(UsageError, match=r"folder\.toml cannot be read"):
        read_publication(folder)


def test_keys_of_every_figure_hold_where_a_figure_has_none_of_its_own() -> None:
    shared = '[every_figure]\nsource = "Table 1"\nmark = "S"\n'
    second = '[[figures]]\nlabel = "B"\nvalue = "3"\ndefinition = "D"\nno_counterpart = "W"\n'
    found = parse_publication((HEAD + shared + FIGURE + second).encode(), "mine.toml")
    assert [(one.mark, one.source) for one in found.figures] == [("V", "Table 2"), ("S", "Table 1")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("every_figure = 3\n", "every_figure is 3; it must be a table of keys"),
        ('[every_figure]\nmarc = "V"\n', "every_figure: there is no key 'marc'; is mark meant?"),
        ('[every_figure]\nmark = "X"\n', "every_figure: mark is 'X'; it must be V"),
    ],
)
def test_what_is_wrong_with_the_keys_of_every_figure(text: str, words: str) -> None:
    (fault,) = faults(HEAD + text + FIGURE)
    assert words in fault


def count(figure: str, of: str | None, more: str = "") -> str:
    """A figure of a count, or of a count of a count."""
    denominator = f'of = "24"\nfigure_of = "{of}"\n' if of else ""
    return (
        f'{HEAD}[[figures]]\nlabel = "A"\nvalue = "16"\n{denominator}figure = "{figure}"\n{more}'
        'definition = "D"\nmark = "V"\nsource = "S"\n'
    )


SURVIVAL = "endpoints.activity_free_survival"


@pytest.mark.parametrize(
    ("figure", "more", "words"),
    [
        (f"{SURVIVAL}.n_events", 'unit = "%"\n', "is a count"),
        (f"{SURVIVAL}.n_events", "is_complement = true\n", "is_complement needs a share"),
        (f"{SURVIVAL}.n_events", "is_headline = true\n", "is_headline needs a share"),
        ("endpoints.relapse_rate.ratio.value", 'unit = "%"\n', "is rate ratio"),
        ("endpoints.lesions.after.rate.value", 'unit = "per year"\n', "is per scan"),
        (f"{SURVIVAL}.n_events", 'ci = ["1", "20"]\n', "hold no interval of"),
        ("cohort.follow_up.median", 'ci = ["1", "20"]\n', "hold no interval of"),
        (f"{SURVIVAL}.survival.value", "", "unit is missing"),
    ],
)
def test_a_unit_or_an_interval_that_is_not_of_the_figure(figure: str, more: str, words: str) -> None:
    (fault,) = faults(count(figure, None, more))
    assert words in fault


@pytest.mark.parametrize(
    ("figure", "of", "estimate"),
    [
        (f"{SURVIVAL}.survival.value", None, f"{SURVIVAL}.survival"),
        (f"{SURVIVAL}.proportion.n", f"{SURVIVAL}.proportion.of", f"{SURVIVAL}.proportion"),
        (f"{SURVIVAL}.proportion.n", "endpoints.overall_survival.proportion.of", None),
        (f"{SURVIVAL}.n_events", f"{SURVIVAL}.n_evaluable", None),
        (
            "endpoints.lesions.after.scans_with_lesions.n",
            "endpoints.lesions.after.scans_with_lesions.of",
            "endpoints.lesions.after.scans_with_lesions",
        ),
        ("endpoints.neda3.at_horizon.lowest.n", "cohort.n_patients", None),
        ("endpoints.neda3.at_horizon.lowest.value", None, "endpoints.neda3.at_horizon.lowest"),
        ("contrasts.endpoints.lesions.ratio.value", None, "contrasts.endpoints.lesions.ratio"),
        ("cohort.n_patients", None, None),
        ("cohort.follow_up.reverse_kaplan_meier.value", None, "cohort.follow_up.reverse_kaplan_meier"),
    ],
)
def test_the_estimate_that_holds_a_figure(figure: str, of: str | None, estimate: str | None) -> None:
    assert estimate_at(figure, of) == estimate


@pytest.mark.parametrize(
    ("path", "is_at_horizon"),
    [
        (f"{SURVIVAL}.survival.value", True),
        (f"{SURVIVAL}.proportion.n", True),
        (f"{SURVIVAL}.median_years.value", False),
        ("endpoints.neda3.at_horizon.n_yes", True),
        ("endpoints.mortality.all_cause.n", True),
        ("endpoints.mortality.all_cause_by_day_100.n", False),
        ("endpoints.relapse_rate.after.rate.value", False),
        ("contrasts.endpoints.overall_survival.hazard_ratio.value", False),
        ("contrasts.endpoints.overall_survival.survival_difference.value", True),
    ],
)
def test_whether_a_path_depends_on_the_horizon(path: str, is_at_horizon: bool) -> None:
    assert depends_on_horizon(path) is is_at_horizon


@pytest.mark.parametrize(
    ("path", "units", "topic"),
    [
        (f"{SURVIVAL}.survival.value", ("%",), "activity"),
        (f"{SURVIVAL}.median_years.value", ("years", "months"), "activity"),
        ("endpoints.relapse_rate.before.rate.value", ("per year",), "relapse"),
        ("endpoints.lesions.after.rate_negative_binomial.value", ("per scan",), "lesion"),
        ("endpoints.lesions.after.scans_with_lesions.value", ("%",), "lesion"),
        ("endpoints.disability.worsened.value", ("%",), "worsening"),
        ("endpoints.disability.edss_last.median", ("median",), "edss"),
        ("endpoints.mortality.all_cause_by_day_100.n", (), "death"),
        ("contrasts.endpoints.overall_survival.hazard_ratio.value", ("hazard ratio",), "death"),
        ("contrasts.endpoints.disability.improved.risk_difference.value", ("%",), "improvement"),
        ("cohort.follow_up.survivors.max", ("years", "months"), "follow-up"),
        ("cohort.n_patients", (), "other"),
    ],
)
def test_the_unit_and_the_topic_of_a_path(path: str, units: tuple[str, ...], topic: str) -> None:
    assert fault_of_figure(path) is None
    assert units_at(path) == units
    assert topic_of(path) == topic


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
        "endpoints.activity_free_survival.survival.ci_low",
        "cohort.follow_up.survivors.median",
        "endpoints.lesions.after.scans_with_lesions.value",
        "endpoints.mortality.transplant_related_by_day_100.n",
        "contrasts.endpoints.neda3.at_horizon.risk_difference.value",
    ],
)
def test_paths_that_lead_to_numbers(path: str) -> None:
    assert fault_of_figure(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "endpoints.neda3.n_yes",
        "endpoints.neda3.0.n_yes",
        "cohort.ms_course.RRMS",
        "endpoints.",
        "notices",
        "endpoints.activity_free_survival.survival",
        "endpoints.activity_free_survival.incidence.death.value",
        "contrasts.0.endpoints.lesions.ratio.value",
        "contrasts",
    ],
)
def test_paths_that_do_not(path: str) -> None:
    assert fault_of_figure(path) is not None
