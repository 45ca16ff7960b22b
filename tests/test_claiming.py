"""What a quoted figure is: the expected figures are those of tests/reference/published_figures.csv."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ahsct_trial.catalogue import Topic
from ahsct_trial.claiming import ClaimAnswer, answer_claim, read_claim, topic_named
from ahsct_trial.errors import UsageError
from ahsct_trial.published import publications

Quoted = tuple[str, str | None, str, float | None]


def found(answer: ClaimAnswer) -> list[tuple[str, str, str]]:
    return [(each.match, each.figure.publication, each.figure.label) for each in answer.published]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("23 of 24", ("23", "24", "", None)),
        ("23/24", ("23", "24", "", None)),
        ("23 out of 24 patients", ("23", "24", "", None)),
        ("eight of those 23 improved", ("8", "23", "", None)),
        ("none of the 24", ("0", "24", "", None)),
        ("no relapses in 179 patient-years", ("0", "179", "", None)),
        ("93 lesions on 24 scans", ("93", "24", "", None)),
        ("167 relapses in 140 patient-years", ("167", "140", "", None)),
        ("23 of 24 were free at 3 years", ("23", "24", "", 3)),
        ("69.6 %", ("69.6", None, "%", None)),
        ("69,6", ("69.6", None, "", None)),
        ("69·6 per cent", ("69.6", None, "%", None)),
        ("69.6% (95% CI 46.6-84.2)", ("69.6", None, "%", None)),
        ("73 % at 5 years", ("73", None, "%", 5)),
        ("5-year 73%", ("73", None, "%", 5)),
        ("hazard ratio 0.07", ("0.07", None, "hazard ratio", None)),
        ("HR = 0.07", ("0.07", None, "hazard ratio", None)),
        ("1.2 relapses a year", ("1.2", None, "per year", None)),
        ("1.7 deaths per 1,000 person-years", ("1.7", None, "per 1,000 person-years", None)),
        ("EDSS changed by −0.09 per year", ("-0.09", None, "per year", None)),
        ("no relapses", ("0", None, "", None)),
        ("6.7 years", ("6.7", None, "years", None)),
    ],
)
def test_a_figure_in_the_words_of_people(text: str, quoted: Quoted) -> None:
    claim = read_claim(text)
    assert (claim.value, claim.of, claim.unit, claim.horizon_years) == quoted


@pytest.mark.parametrize(
    ("text", "value", "of"),
    [
        ("not one of 24 patients died", "0", "24"),
        ("not a single one of 23 patients relapsed", "0", "23"),
        ("not even one of the 24", "0", "24"),
        ("no one among the 24 patients relapsed", "0", "24"),
        ("nobody out of twenty-four", "0", "24"),
        ("none of 14", "0", "14"),
        ("zero relapses over 179 patient-years", "0", "179"),
        ("every one of the 24 patients", "24", "24"),
        ("all 24", "24", "24"),
        ("All of 24 patients", "24", "24"),
        ("each of 24", "24", "24"),
        ("all 24 of 24", "24", "24"),
        ("all but one of 24", "23", "24"),
        ("all except for three of the twenty-three", "20", "23"),
        ("all 24 patients but one", "23", "24"),
        ("everyone but 2 of 24", "22", "24"),
        ("one hundred of 110", "100", "110"),
        ("one hundred and ten of 120", "110", "120"),
        ("two hundred and forty-one of three hundred", "241", "300"),
        ("one thousand two hundred and five of 2000", "1205", "2000"),
        ("a dozen of 24", "12", "24"),
        ("13 of fourteen patients", "13", "14"),
        ("one in five", "1", "5"),
        ("one patient in twenty-four died", "1", "24"),
        ("a single patient of 24", "1", "24"),
        ("23 (96%) of 24", "23", "24"),
        ("none (0%) of 24", "0", "24"),
        ("24 patients, 23 of whom were free", "23", "24"),
        ("of 24 patients, 16 were free", "16", "24"),
        ("16 were free of all activity among 24 patients", "16", "24"),
        ("at three years 23 of 24", "23", "24"),
        ("48 of 69 had adverse events of grade 3 or higher", "48", "69"),
    ],
)
def test_a_count_however_it_is_said(text: str, value: str, of: str) -> None:
    claim = read_claim(text)
    assert (claim.value, claim.of, claim.unit) == (value, of, "")


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("one hundred percent", "100", "%"),
        ("a hundred per cent", "100", "%"),
        ("96 percent of 24 patients", "96", "%"),
        ("median 24 months", "24", "months"),
        ("24 months", "24", "months"),
        ("one hundred days", "100", "days"),
        ("median follow-up of 6.7 years (range 3.9-12.7)", "6.7", "years"),
        ("followed for 2 years", "2", "years"),
        ("mean difference −1.7", "-1.7", "mean difference"),
        ("1.2 per 100 person-years", "12", "per 1,000 person-years"),
        ("120 per 10,000 patient-years", "12.0", "per 1,000 person-years"),
        ("NEDA-3 in 72.3 %", "72.3", "%"),
        ("NEDA 3 in 72.3 %", "72.3", "%"),
        ("8.6 per 1000 PY", "8.6", "per 1,000 person-years"),
        ("24 (18–48) months", "24", "months"),
        ("69.6 ± 9.6 %", "69.6", "%"),
    ],
)
def test_a_number_in_its_unit(text: str, value: str, unit: str) -> None:
    claim = read_claim(text)
    assert (claim.value, claim.of, claim.unit, claim.horizon_years) == (value, None, unit, None)


@pytest.mark.parametrize(
    ("text", "value", "years"),
    [
        ("2 deaths in 5 years", "2", 5),
        ("10 relapses in 2 years", "10", 2),
        ("no relapse in 5 years", "0", 5),
        ("one death within 100 days", "1", 100 / 365.25),
        ("5 deaths by day 100", "5", 100 / 365.25),
        ("100 % alive at 30 months", "100", 2.5),
        ("69.6 percent at three years", "69.6", 3),
        ("1 in 24 within one year", "1", 1),
    ],
)
def test_a_time_is_no_denominator(text: str, value: str, years: float) -> None:
    claim = read_claim(text)
    assert (claim.value, claim.horizon_years) == (value, years)
    assert claim.of in {None, "24"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("fewer than one in 24", "no figure but a bound"),
        ("more than 20 of 24", "no figure but a bound"),
        ("at least 16 of 23", "no figure but a bound"),
        ("no more than one of 24", "no figure but a bound"),
        ("under 1 %", "no figure but a bound"),
        ("≥ 95 %", "no figure but a bound"),
        ("90 % or more", "no figure but a bound"),
        ("not 23 of 24", "no figure but a bound or a denial"),
        ("not all 24", "no figure but a bound or a denial"),
        ("at best 23 of 24", "no figure but a bound or a denial"),
        ("a maximum of 23 of 24", "no figure but a bound or a denial"),
        ("almost none of 24", "no figure but a bound or a denial"),
        ("minimum 90 %", "no figure but a bound or a denial"),
        ("167 relapses in 140 years", "several figures"),
        ("1.4% per yr", "a rate of a kind that is not looked up"),
        ("1.4% annually", "a rate of a kind that is not looked up"),
        ("odds ratio 0.50", "'odds ratio', which is not looked up"),
        ("OR = 0.5", "'OR', which is not looked up"),
        ("69.6 percentage points", "'percentage points', which is not looked up"),
        ("3 times as many", "'times as', which is not looked up"),
        ("a 2-fold rise", "'2-fold', which is not looked up"),
        ("35 years old", "'years old', which is not looked up"),
        ("three-fourths", "a fraction in words"),
        ("almost all 24", "no figure but a bound or a denial"),
        ("all but one", "no figure but a bound or a denial"),
        ("most of 24", "the number of which something is, 24"),
        ("half of 24", "a fraction in words"),
        ("two thirds of 24", "a fraction in words"),
        ("16-18 of 23", "several figures"),
        ("1 or 2 of 24", "several figures"),
        ("69.6-70 %", "several figures"),
        ("16 of 23 (70.6 %)", "several figures"),
        ("1 death in 2016", "several figures"),
        ("1,000 patients", "1,000, which may be 1000 or 1.000"),
        ("of 1,000 patients, 5 died", "several figures"),
        ("2.5 % per year", "a rate of a kind that is not looked up"),
        ("2 relapses per 2 years", "a rate of a kind that is not looked up"),
        ("70 % at 3 years and 5 years", "several times"),
    ],
)
def test_what_makes_another_figure_of_it_is_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=f"has {re.escape(what)}.*Quote one"):
        read_claim(text)


@pytest.mark.parametrize(
    ("text", "ci"),
    [
        ("69,6 % (46,6–84,2)", ("46.6", "84.2")),
        ("0.07 (95% CI 0.02–0.24)", ("0.02", "0.24")),
        ("median 24 months (95% CI 20–30)", ("20", "30")),
        ("mean difference -1.7 (-2.03 to -1.29)", ("-2.03", "-1.29")),
        ("-0.09 per year (95% CI −0.15−−0.04)", ("-0.15", "-0.04")),
        ("hazard ratio 0.07, 95% CI 0.02 to 0.24", ("0.02", "0.24")),
        ("hazard ratio of 0.07 (95% CI 0.02-0.24; p<0.001)", ("0.02", "0.24")),
        ("69.6% [46.6, 84.2]", ("46.6", "84.2")),
        ("69.6% [46.6,84.2]", ("46.6", "84.2")),
        ("91.3% (90% CI 74.7%-97.2%)", ("74.7", "97.2")),
        ("69.6 % (95 % confidence interval, 46.6 to 84.2)", ("46.6", "84.2")),
        ("0.86 per 100 person-years (95% CI 0.23-2.20)", ("2.3", "22.0")),
        ("16 of 23 (69.6 %; 95% CI 46.6–84.2)", ("46.6", "84.2")),
        ("8 days (range 2–14)", None),
    ],
)
def test_limits_that_are_quoted_with_it(text: str, ci: tuple[str, str] | None) -> None:
    assert read_claim(text).ci == ci


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("0.07 (95% CI 0.02–0.24)", ("printed", "mist2019", "Hazard ratio of progression")),
        ("69.6 % (47–84)", ("printed", "atkins2016-lancet", "MS activity-free at 3 years")),
        ("70 % (46.6–84.2)", ("rounded", "atkins2016-lancet", "MS activity-free at 3 years")),
        ("16 of 23 (46.6–84.2)", ("printed", "atkins2016-lancet", "MS activity-free at 3 years, counted")),
        # R: binom.test(1, 24)$conf.int is 0.0011 to 0.2112.
        ("4.2 % (0.1–21.1)", ("same share", "atkins2016-lancet", "Transplant-related deaths")),
        ("median 24 months (95% CI 20–30)", ("printed", "mist2019", "Time to progression, median, DMT arm")),
        (
            "167 relapses in 140 patient-years (1.02–1.39)",
            ("printed", "atkins2016-lancet", "Relapses before"),
        ),
        ("5 deaths by day 100", ("printed", "muraro2025-uk", "Deaths by day 100")),
    ],
)
def test_who_gives_a_figure_with_its_limits(text: str, first: tuple[str, str, str]) -> None:
    answer = answer_claim(text)
    assert found(answer)[0] == first
    assert not answer.is_widened


@pytest.mark.parametrize(
    "text",
    [
        "rate of 4.2 (3.56 to 4.84)",  # no interval of 1 of 24 is that
        "hazard ratio 0.07 (0.02–0.25)",
        "91.3 % (74.7–97.3)",
        "16 of 23 (46.6–84.3)",
        "1.2 per 1,000 person-years",  # 167 of 140 years are 1.19 a year
        "mean 4.17",  # 1 of 24 is no mean
        "24 patients",  # and no months
    ],
)
def test_another_figure_of_the_same_digits_is_none(text: str) -> None:
    assert not answer_claim(text).published


def test_limits_that_are_printed_nowhere_are_said_not_to_be() -> None:
    answer = answer_claim("72.3 % (60.0–81.4)")
    assert found(answer)[0] == ("printed", "muraro2025-uk", "NEDA-3 at 2 years")
    assert answer.sentence.endswith("where no limits are printed.")


def test_every_published_figure_is_found_as_it_is_printed() -> None:
    for publication in publications().values():
        for figure in publication.figures:
            answer = answer_claim(figure.printed)
            assert (publication.id, figure.label) in {
                (each.figure.publication, each.figure.label) for each in answer.published
            }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no figure"),
        ("relapse", "has no figure"),
        ("from 3.38 to 2.36", "has several figures"),
        ("\x1b[31m", r'"\\x1b\[31m" has no figure'),
    ],
)
def test_what_is_no_claim(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        answer_claim(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("24 of 23", "cannot be a count of patients"),
        ("110 %", "above 100 %"),
        ("hazard ratio -0.5", "no ratio is below 0"),
        ("1.2 % (1.4 to 1.6)", "outside its own interval"),
    ],
)
def test_a_figure_that_cannot_be_is_called_impossible_and_nothing_is_set_beside_it(
    text: str, words: str
) -> None:
    answer = answer_claim(text)
    assert words in answer.sentence
    assert (answer.sentence, answer.published, answer.nearest, answer.arithmetic) == (
        answer.impossible,
        (),
        (),
        None,
    )


@pytest.mark.parametrize("text", ["23 of 24", "167 of 140", "150 relapses in 130 patients", "100 %", "-0.09"])
def test_a_figure_that_can_be_is_not_called_impossible(text: str) -> None:
    assert answer_claim(text).impossible is None


def test_a_count_without_its_denominator_is_shown_with_it() -> None:
    assert answer_claim("one patient died").sentence.startswith("1 is printed as 1 of 109, which the source")


def test_a_p_value_beside_a_figure_is_set_aside_and_alone_refused() -> None:
    answer = answer_claim("hazard ratio 0.07, p<0.001")
    assert answer.claim.value == "0.07"
    assert answer.sentence.endswith("Its p-value is not looked up.")
    for alone in ("p = 0.002", "P-value of 0.03 for relapse"):
        with pytest.raises(UsageError, match="p-values"):
            answer_claim(alone)


def test_a_fraction_in_words_is_not_read_as_a_number() -> None:
    with pytest.raises(UsageError, match="a fraction in words"):
        answer_claim("two thirds were free of relapse")


def test_a_figure_without_a_clear_meaning_answers_nothing_alone() -> None:
    # giedraitiene2023.toml: the abstract does not say of which arm 69.6 % is, nor of what.
    answer = answer_claim("70 % relapse-free")
    assert found(answer)[0][1] == "giedraitiene2023"
    assert "not clear" in answer.sentence
    assert answer.nearest[0].publication == "burt2021-northwestern"


def test_23_of_24_is_named_told_apart_contradicted_and_computed() -> None:
    answer = answer_claim("23 of 24")
    assert found(answer) == [
        ("printed", "atkins2016-summary", "MS activity-free at 3 years"),
        ("printed", "atkins2016-summary", "No further relapse or new lesion"),
    ]
    composite, relapse_and_lesion = answer.published
    assert composite.figure.mark == "S"
    assert composite.figure.disputed
    assert relapse_and_lesion.figure.source == "https://www.bmj.com/content/353/bmj.i3269.full"
    assert "relapse or new brain lesion" in relapse_and_lesion.figure.definition
    against = {each.figure.printed: each.figure.mark for each in composite.contradicted_by}
    assert against == {"69.6 % (46.6–84.2)": "V", "16 of 23": "D", "7 of 23": "D"}
    assert "News reports say that 23 of 24" in (composite.contradicted_by[0].why or "")
    assert "69.6 % (46.6–84.2)" in answer.sentence
    # R: binom.test(23, 24)$conf.int is 0.7888 to 0.9989.
    assert answer.arithmetic is not None
    exact = {each.method: each for each in answer.arithmetic.exact}
    assert exact["clopper-pearson"].estimate == pytest.approx(23 / 24)
    assert exact["clopper-pearson"].ci_low == pytest.approx(0.7888, abs=5e-5)
    assert exact["clopper-pearson"].ci_high == pytest.approx(0.9989, abs=5e-5)


@pytest.mark.parametrize("text", ["23/24", "23 out of 24 patients", "twenty-three (23 of 24)"])
def test_other_words_for_the_same_give_the_same(text: str) -> None:
    assert answer_claim(text).published == answer_claim("23 of 24").published


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("69.6 %", ("printed", "atkins2016-lancet", "MS activity-free at 3 years")),
        ("69,6", ("printed", "atkins2016-lancet", "MS activity-free at 3 years")),
        ("69.6% (95% CI 46.6-84.2)", ("printed", "atkins2016-lancet", "MS activity-free at 3 years")),
        ("70 %", ("rounded", "atkins2016-lancet", "MS activity-free at 3 years")),
        ("95.8 %", ("same share", "atkins2016-summary", "MS activity-free at 3 years")),
        ("hazard ratio 0.07", ("printed", "mist2019", "Hazard ratio of progression")),
        ("1.2 relapses a year", ("printed", "atkins2016-summary", "Relapses per year before")),
        ("1.19", ("printed", "atkins2016-lancet", "Relapses per year before")),
        ("167 relapses in 140 patient-years", ("printed", "atkins2016-lancet", "Relapses before")),
        ("93 lesions on 24 scans", ("printed", "atkins2016-summary", "Lesions on scans before")),
        ("1 of 327", ("printed", "atkins2016-summary", "Scans with a new lesion after")),
        ("1 of 24 died", ("printed", "atkins2016-lancet", "Transplant-related deaths")),
        ("8 of 23", ("printed", "atkins2016-lancet", "Sustained EDSS improvement, counted")),
        ("73 % (66-81) at 5 years", ("printed", "silfverberg2024", "NEDA at 5 years")),
        ("16 of 27", ("printed", "msjetc2026", "NEDA-3, counted")),
        ("59.3 %", ("same share", "msjetc2026", "NEDA-3, counted")),
        ("0.19 % died", ("printed", "burt2021-northwestern", "Transplant-related mortality")),
        ("46 months", ("printed", "muraro2025-uk", "Follow-up, median")),
        ("1.7 deaths per 1,000 person-years", ("printed", "alping2021", "Death rate, AHSCT")),
        ("25 of 30", ("printed", "kvistad2020", "NEDA-3, counted")),
    ],
)
def test_who_gives_a_figure(text: str, first: tuple[str, str, str]) -> None:
    assert found(answer_claim(text))[0] == first


@pytest.mark.parametrize(
    ("text", "printed", "relation"),
    [
        ("69.6 %", "23 of 24", "contradicts"),
        ("69.6 %", "16 of 23", "agrees"),
        ("69.6 %", "7 of 23", "agrees"),
        ("1.2 relapses a year", "167 of 140", "agrees"),
        ("1.2 relapses a year", "1.19 per year (1.02–1.39)", "agrees"),
        ("93 lesions on 24 scans", "188 of 48", "counts otherwise"),
        ("1 of 327", "0 of 314", "contradicts"),
        ("1 of 24 died", "1 of 24", "agrees"),
        ("8 of 23", "35 %", "agrees"),
        ("16 of 27", "59.2 %", "agrees"),  # 59.26, cut off after one decimal
        ("1 of 507", "0.19 %", "agrees"),  # 0.197, cut off after two decimals
    ],
)
def test_what_the_same_trial_gives_for_the_same_endpoint(text: str, printed: str, relation: str) -> None:
    related = {each.figure.printed: each.relation for each in answer_claim(text).published[0].related}
    assert related[printed] == relation


def test_why_two_figures_differ_is_what_a_publication_says() -> None:
    (lesions,) = answer_claim("93 lesions on 24 scans").published[0].related
    assert (
        lesions.why
        == "The abstract counts 188 lesions on 48 scans, two a patient, which is the same rate per scan."
    )


@pytest.mark.parametrize(
    ("text", "about", "ids"),
    [
        ("69.6", "relapse", ["giedraitiene2023"]),
        ("69.6", "activity", ["atkins2016-lancet", "atkins2016-lancet"]),
        ("23 of 24", "relapse", ["atkins2016-summary"]),
        ("23 of 24", "lesion", ["atkins2016-summary"]),
        ("23 of 24", "death", []),
        ("83 %", "lesion", []),
    ],
)
def test_a_topic_narrows(text: str, about: Topic, ids: list[str]) -> None:
    answer = answer_claim(text, about)
    assert [each.figure.publication for each in answer.published] == ids
    assert all(about in each.figure.about for each in answer.published)


@pytest.mark.parametrize(
    ("word", "words"),
    [("relaps", "Is relapse meant?"), ("", "It is one of activity, relapse"), ("zzz", "It is one of")],
)
def test_a_topic_that_there_is_not(word: str, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        topic_named(word)
    assert topic_named(" Relapse") == "relapse"


def test_words_narrow_too_unless_nothing_is_about_them() -> None:
    by_words = answer_claim("69.6 % relapsed")
    assert {each.figure.publication for each in by_words.published} == {"giedraitiene2023"}
    assert not by_words.is_widened
    widened = answer_claim("23 of 24 improved")
    assert found(widened) == found(answer_claim("23 of 24"))
    assert widened.is_widened


def test_what_this_program_computed_is_said_so() -> None:
    answer = answer_claim("16 of 23")
    assert answer.published[0].figure.mark == "D"
    assert "is not printed: this program computed it" in answer.sentence


@pytest.mark.parametrize(
    ("text", "nearest", "words"),
    [
        ("HR 0.06", "hazard ratio 0.07 (0.02–0.24)", "No publication known here prints hazard ratio 0.06;"),
        ("42.3 % relapse-free", "52 %", "prints 42.3 % about relapse; the nearest is 52 %"),
        ("22 of 24", "91.3 % (74.7–97.2)", "prints 22 of 24;"),
    ],
)
def test_the_nearest_where_nothing_gives_it(text: str, nearest: str, words: str) -> None:
    answer = answer_claim(text)
    assert not answer.published
    assert answer.nearest[0].printed == nearest
    assert words in answer.sentence
    assert len({each.publication for each in answer.nearest}) == len(answer.nearest)


def test_the_counts_behind_a_percentage_with_its_limits() -> None:
    # tests/reference/lancet2016_check.csv: 16 of 23, log-log, and nothing else.
    arithmetic = answer_claim("69.6 %").arithmetic
    assert arithmetic is not None
    assert [(each.n_counted, each.n, each.method) for each in arithmetic.exact] == [(16, 23, "log-log")]
    assert answer_claim("91.3 %").arithmetic is not None
    # HALT-MS is printed with 90 % limits: 2 events in 23.
    halt = answer_claim("91.3 %").arithmetic
    assert halt is not None
    assert halt.confidence_level == 0.9
    assert [(each.n_counted, each.n) for each in halt.exact] == [(21, 23)]


@pytest.mark.parametrize("text", ["hazard ratio 0.07", "93 lesions on 24 scans", "46 months", "no relapses"])
def test_what_is_no_share_has_no_counts(text: str) -> None:
    assert answer_claim(text).arithmetic is None


def test_figures_of_every_publication_are_found_by_their_own_words() -> None:
    for publication in publications().values():
        for figure in publication.figures[::4]:
            answer = answer_claim(figure.value if not figure.of else f"{figure.value} of {figure.of}")
            assert (publication.id, figure.label) in {
                (each.figure.publication, each.figure.label) for each in answer.published
            }


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_any_words_are_answered_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert answer_claim(text).sentence.endswith(".")


@settings(max_examples=50)
@given(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1))
def test_any_two_counts_are_answered(value: int, of: int) -> None:
    assert answer_claim(f"{value} of {of}").sentence.endswith(".")


@pytest.mark.parametrize(
    ("text", "value", "of", "unit"),
    [
        ("twenty three of 24", "23", "24", ""),
        ("twenty-three of twenty-four", "23", "24", ""),
        ("thirteen out of 24 patients", "13", "24", ""),
        ("1,2 relapses per year in 23 patients", "1.2", None, "per year"),
        ("23 of 24 (95.8 %)", "23", "24", ""),
        ("\x1b[31m23 of 24", "23", "24", ""),
    ],
)
def test_words_and_groups_are_read_as_they_are_meant(
    text: str, value: str, of: str | None, unit: str
) -> None:
    claim = read_claim(text)
    assert (claim.value, claim.of, claim.unit) == (value, of, unit)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("23.5 of 24", "several figures"),
        ("23 of 24 and 69.6 %", "several figures"),
        ("relapse-free at 5 years", "no figure"),
        ("1 year after", "no figure"),
    ],
)
def test_a_time_is_no_figure_and_two_are_not_one(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=f"has {what}"):
        read_claim(text)


def test_an_answer_for_another_time_says_first_that_nothing_is_known_for_this() -> None:
    answer = answer_claim("23 of 24 at 10 years")
    assert answer.sentence.startswith(
        "No publication known here prints 23 of 24 at 10 years. Leaving that out:"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("minus 69.6 %", "-69.6 % cannot be a share of patients: it is below 0."),
        ("-23 of 24", "-23 of 24 cannot be a share of patients: it is below 0."),
        ("hazard ratio minus 0.07", "hazard ratio -0.07 cannot be: no ratio is below 0."),
        ("0 of 0", "0 of 0 cannot be: nothing is a share of 0."),
    ],
)
def test_a_minus_in_words_counts_and_nothing_is_of_0(text: str, why: str) -> None:
    assert answer_claim(text).impossible == why


def test_a_rate_is_no_percentage_and_0_is_rounded_from_nothing() -> None:
    # 167 relapses in 140 years are 1.19 a year; MIST's hazard ratio is 0.07.
    assert not answer_claim("1.2 %").published
    assert answer_claim("1.2 relapses a year").published
    assert not answer_claim("hazard ratio 0").published
    assert answer_claim("70 % at year 3").claim.horizon_years == 3


@pytest.mark.parametrize("text", ["23 of 24 and 16 of 23", "1.2.3 %"])
def test_two_counts_or_half_a_number_are_no_figure(text: str) -> None:
    with pytest.raises(UsageError, match="Quote one"):
        read_claim(text)
