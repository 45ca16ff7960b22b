"""A cohort held against published figures: each verdict, worked out by hand on small cohorts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from ahsct_trial import Cohort, Protocol, read_cohort, summarize
from ahsct_trial.checking import Check, CheckedFigure, check
from ahsct_trial.errors import UsageError
from ahsct_trial.published import Eligibility, Figure, Mark, Publication, publication, publications
from ahsct_trial.results import Summary

Read = Callable[[str], Cohort]

ESTIMATE = "endpoints.relapse_free_survival.estimate"
SURVIVAL = "endpoints.relapse_free_survival"
EVENT_FREE = "endpoints.relapse_free_survival.n_event_free"
EVALUABLE = "endpoints.relapse_free_survival.n_evaluable"
CRUDE = "endpoints.relapse_free_survival.proportion"
SCANS = "endpoints.lesions.after.scans_with_lesions"
RATE_BEFORE = "endpoints.relapse_rate.before"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def from_text(text: str) -> Cohort:
        path = tmp_path / "cohort.csv"
        path.write_text(text, encoding="utf-8")
        cohort = read_cohort(path)
        assert isinstance(cohort, Cohort)
        return cohort

    return from_text


@pytest.fixture
def abstract(read: Read) -> Cohort:
    """23 patients of whom 7 relapse, one each quarter from 0.5 years on, and 16 are seen for 4 years.

    R's survival gives for it at 3 years 0.695652 (0.465642 to 0.841721) with log-log limits and 0.530878
    to 0.911568 with log limits, and the exact limits of 16 of 23 are 0.470808 and 0.867897: see
    tests/reference/lancet2016_check.csv, case A.
    """
    rows = [f"R{n},4,1,{0.5 + n / 4}\n" for n in range(7)] + [f"F{n},4,0,\n" for n in range(16)]
    header = "patient_id,follow_up_years,relapses_after,years_to_first_relapse,years_to_death\n"
    return read(header + "".join(f"{row[:-1]},\n" for row in rows))


def published(*figures: Figure, **other: Any) -> Publication:
    return Publication(id="here", title="Made for a test", citation="None", figures=figures, **other)


def figure(value: str, path: str, **other: Any) -> Figure:
    fixed = {"label": "A figure", "mark": "V", "source": "Table 1", "definition": "As counted"}
    return Figure(value=value, figure=path, **(fixed | other))


def checked(cohort: Cohort, each: Figure, protocol: Protocol | None = None) -> CheckedFigure:
    (found,) = check(cohort, published(each), protocol).figures
    return found


# ---- One figure ---------------------------------------------------------------------------------------


def percentage(value: str, *ci: str, **other: Any) -> Figure:
    return figure(value, ESTIMATE, unit="%", interval=SURVIVAL, ci=ci or None, **other)


def test_the_trials_own_figure_is_reproduced_with_its_interval(abstract: Cohort) -> None:
    found = checked(abstract, percentage("69.6", "46.6", "84.2", horizon_years=3))
    assert found.verdict == "reproduced"
    assert (found.published, found.published_ci, found.unit) == ("69.6", ("46.6", "84.2"), "%")
    assert found.value == pytest.approx(0.695652173913043, rel=1e-12)
    assert found.ci_low == pytest.approx(0.465641749762004, rel=1e-12)
    assert found.ci_high == pytest.approx(0.841721291391763, rel=1e-12)
    assert found.ci_method == "log-log"
    assert (found.mark, found.source, found.definition) == ("V", "Table 1", "As counted")


@pytest.mark.parametrize(
    ("each", "verdict"),
    [
        (percentage("69.6"), "reproduced"),
        (percentage("70"), "reproduced"),
        (percentage("69.57"), "reproduced"),
        (percentage("69.56"), "compatible"),
        (percentage("69.6", "46.6", "84.1"), "compatible"),
        (percentage("69.6", "46.5", "84.2"), "compatible"),
        (percentage("69.6", "47", "84"), "reproduced"),
        (percentage("69.5", "46.6", "84.2"), "compatible"),
        (percentage("46.6"), "compatible"),  # the lower limit is 46.564
        (percentage("46.5"), "differs"),
        (percentage("84.1"), "compatible"),  # the upper limit is 84.172
        (percentage("84.2"), "differs"),
        (figure("69.6", ESTIMATE, unit="%"), "reproduced"),
        (figure("69.5", ESTIMATE, unit="%"), "differs"),  # without an interval to lie in
        (figure("0.70", ESTIMATE, interval=SURVIVAL), "reproduced"),
        (figure("0.60", ESTIMATE, interval=SURVIVAL), "compatible"),
        (figure("69.6", ESTIMATE, interval=SURVIVAL), "differs"),  # no percentage
    ],
)
def test_verdict_on_a_percentage(abstract: Cohort, each: Figure, verdict: str) -> None:
    assert checked(abstract, each).verdict == verdict


def test_the_interval_is_the_protocols(abstract: Cohort) -> None:
    log = Protocol(ci_method="log")
    assert checked(abstract, percentage("69.6", "46.6", "84.2"), log).verdict == "compatible"
    assert checked(abstract, percentage("69.6", "53.1", "91.2"), log).verdict == "reproduced"


def count(value: str, of: str, interval: str | None = CRUDE) -> Figure:
    return figure(value, EVENT_FREE, of=of, figure_of=EVALUABLE, interval=interval)


@pytest.mark.parametrize(
    ("each", "verdict"),
    [
        (count("16", "23"), "reproduced"),
        (count("16", "24"), "compatible"),  # 0.667 in 0.4708 to 0.8679
        (count("11", "23"), "compatible"),  # 0.478
        (count("10", "23"), "differs"),  # 0.435
        (count("20", "23"), "differs"),  # 0.8696
        (count("32", "46"), "compatible"),  # the same share of others
        (count("16", "24", interval=None), "differs"),
        (count("16", "23", interval=None), "reproduced"),
    ],
)
def test_a_count_is_reproduced_only_with_what_it_is_counted_of(
    abstract: Cohort, each: Figure, verdict: str
) -> None:
    found = checked(abstract, each)
    assert found.verdict == verdict
    assert (found.value, found.of, found.published_of) == (16, 23, each.of)


@pytest.mark.parametrize(
    ("relapses", "value", "is_reproduced"),
    [(57, "0.29", True), (57, "0.28", False), (57, "0.285", True), (57, "0.3", True), (50, "0.3", True)],
)
def test_a_rate_is_rounded_half_up_as_printed(
    read: Read, relapses: int, value: str, is_reproduced: bool
) -> None:
    # 57 in 200 patient-years are 0.285, whose nearest binary number lies below it; 50 are 0.25.
    cohort = read(
        "patient_id,follow_up_years,years_observed_before,relapses_before\n"
        f"A,1,100,{relapses - 20}\nB,1,100,20\n"
    )
    found = checked(cohort, figure(value, f"{RATE_BEFORE}.rate"))
    assert found.verdict == ("reproduced" if is_reproduced else "differs")


@pytest.mark.parametrize(
    ("n_with_lesions", "of", "value", "verdict"),
    [
        (1, 16, "6.3", "reproduced"),  # 6.25
        (1, 16, "6.2", "differs"),
        (5, 8, "63", "reproduced"),  # 62.5
        (5, 8, "62", "differs"),
        (229, 400, "57.3", "reproduced"),  # 57.25; 0.5725 times 100 is 57.24999999999999
        (229, 400, "57.2", "differs"),
    ],
)
def test_a_percentage_is_rounded_half_up_as_printed(
    read: Read, n_with_lesions: int, of: int, value: str, verdict: str
) -> None:
    cohort = read(
        "patient_id,follow_up_years,scans_after,scans_with_new_lesions_after,new_lesions_after,"
        f"years_to_first_new_lesion\nA,4,{of},{n_with_lesions},{n_with_lesions},1\n"
    )
    assert checked(cohort, figure(value, f"{SCANS}.value", unit="%")).verdict == verdict


def test_what_the_file_lacks_is_not_computable(abstract: Cohort) -> None:
    for each in (
        figure("1.2", f"{RATE_BEFORE}.rate", interval=RATE_BEFORE),
        figure("0", f"{SCANS}.value", unit="%", interval=SCANS),
        figure("16", EVENT_FREE, of="23", figure_of="endpoints.lesions.after.n_scans"),
        figure("3", "cohort.n_sites"),
    ):
        found = checked(abstract, each)
        assert found.verdict == "not computable"
        assert found.value is None or found.of is None


def test_another_horizon_is_not_computable(abstract: Cohort) -> None:
    at_3, anywhere = percentage("69.6", horizon_years=3), percentage("69.6")
    assert checked(abstract, at_3, Protocol(horizon_years=3.5)).verdict == "not computable"
    assert checked(abstract, anywhere, Protocol(horizon_years=3.5)).verdict == "reproduced"
    assert checked(abstract, at_3, Protocol(horizon_years=3)).verdict == "reproduced"


def test_without_a_protocol_the_publications_own_applies(abstract: Cohort) -> None:
    # By 1 year three have relapsed, at 0.5, 0.75 and 1.0: 20 of 23 are 87.0 %.
    own = published(percentage("87.0", horizon_years=1), protocol={"horizon_years": 1.0})
    done = check(abstract, own)
    assert [each.verdict for each in done.figures] == ["reproduced"]
    assert (done.protocol.name, done.protocol.horizon_years) == ("here", 1.0)
    assert check(abstract, own, Protocol()).figures[0].verdict == "not computable"


def test_a_protocol_that_is_none_names_the_publication(abstract: Cohort) -> None:
    with pytest.raises(UsageError, match=r"here.*horizon_year\b"):
        check(abstract, published(protocol={"horizon_year": 1.0}))


# ---- The whole publication ----------------------------------------------------------------------------


def test_verdicts_are_counted_and_figures_keep_their_order(abstract: Cohort) -> None:
    figures = [
        percentage("69.6", label="a"),
        percentage("10.0", label="b"),
        percentage("60.0", label="c"),
        figure("3", "cohort.n_sites", label="d"),
        figure("23", "cohort.n_patients", label="e"),
    ]
    done = check(abstract, published(*figures, n_patients=24, n_sites=3, uncertain=("Two sources.",)))
    assert [each.label for each in done.figures] == list("abcde")
    counts = (done.n_reproduced, done.n_compatible, done.n_differs, done.n_not_computable)
    assert counts == (2, 1, 1, 1)
    assert (done.n_patients, done.n_sites) == (23, None)
    assert (done.publication.id, done.publication.n_patients, done.publication.n_sites) == ("here", 24, 3)
    assert done.publication.uncertain == ("Two sources.",)
    assert done.source == abstract.source


# ---- Whom the trial would have taken ------------------------------------------------------------------

RULES = Eligibility(age_years=(18, 50), edss_baseline=(3, 6), prior_therapy="yes")


def criteria(done: Check) -> list[tuple[str, int | None, int | None, int | None]]:
    return [(each.criterion, each.n_met, each.n_not_met, each.n_unknown) for each in done.eligibility]


def test_a_criterion_is_met_not_met_or_unknown(read: Read) -> None:
    cohort = read(
        "patient_id,follow_up_years,age_years,edss_baseline,prior_therapy\n"
        "A,4,18,3.0,yes\nB,4,50,6.0,yes\nC,4,17.9,2.5,no\nD,4,50.1,6.5,\nE,4,,,\nF,4,34,,no\nG,4,34,4.5,\n"
    )
    assert criteria(check(cohort, published(eligibility=RULES))) == [
        ("Age 18 to 50 years", 4, 2, 1),
        ("EDSS 3.0 to 6.0 at baseline", 3, 2, 2),
        ("Earlier therapy had failed", 2, 2, 3),
    ]
    untreated = Eligibility(prior_therapy="no")
    assert criteria(check(cohort, published(eligibility=untreated))) == [("No earlier therapy", 2, 2, 3)]


def test_a_criterion_of_a_missing_column_has_no_counts(abstract: Cohort) -> None:
    assert criteria(check(abstract, published(eligibility=RULES))) == [
        ("Age 18 to 50 years", None, None, None),
        ("EDSS 3.0 to 6.0 at baseline", None, None, None),
        ("Earlier therapy had failed", None, None, None),
    ]


def test_an_answer_that_nobody_gave(read: Read) -> None:
    cohort = read("patient_id,follow_up_years,prior_therapy\nA,4,no\nB,4,\n")
    rules = Eligibility(prior_therapy="yes")
    assert criteria(check(cohort, published(eligibility=rules))) == [("Earlier therapy had failed", 0, 1, 1)]


def test_without_criteria_there_are_none(abstract: Cohort) -> None:
    assert check(abstract, published()).eligibility == ()


# ---- What is shipped ----------------------------------------------------------------------------------


SHIPPED = [
    pytest.param(one, id=f"{each.id}-{number}")
    for each in publications().values()
    for number, one in enumerate(each.figures, start=1)
]


@pytest.fixture(scope="module")
def sample() -> Summary:
    """A cohort that has every figure."""
    return summarize(read_cohort(Path(__file__).parents[1] / "data" / "sample_records.csv"))


def at(summary: Summary, path: str) -> Any:
    found: Any = summary
    for name in path.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("one", SHIPPED)
def test_every_path_leads_to_a_figure(one: Figure, sample: Summary) -> None:
    numbers = [at(sample, one.figure)]
    if one.figure_of is not None:
        numbers.append(at(sample, one.figure_of))
    if one.interval is not None:
        numbers += [at(sample, f"{one.interval}.{limit}") for limit in ("ci_low", "ci_high")]
        assert isinstance(at(sample, f"{one.interval}.ci_method"), str)
    assert all(type(number) in {int, float} for number in numbers)


@pytest.mark.parametrize("one", SHIPPED)
def test_every_figure_says_how_and_where_it_was_read(one: Figure) -> None:
    assert one.mark in get_args(Mark)
    assert one.source.strip()
    assert one.label.strip()
    assert one.definition.strip()
    assert all(Decimal(printed).is_finite() for printed in (one.value, one.of or "1", *(one.ci or ())))


@pytest.mark.parametrize("one", SHIPPED)
def test_denominators_and_intervals_come_in_pairs(one: Figure, sample: Summary) -> None:
    assert (one.of is None) == (one.figure_of is None)
    if isinstance(at(sample, one.figure), int) and one.of is None:
        assert one.interval is None  # an interval of what share?
    if one.ci is not None:
        assert one.interval is not None
        assert Decimal(one.ci[0]) <= Decimal(one.value) <= Decimal(one.ci[1])
    if one.unit == "%":
        assert one.of is None
        assert 0 <= Decimal(one.value) <= 100


@pytest.mark.parametrize("each", [*publications().values()], ids=lambda each: each.id)
def test_every_publication_is_whole(each: Publication) -> None:
    assert each.figures
    assert each.title.strip()
    assert each.citation.strip()
    assert each.own_protocol().name == each.id
    assert publication(each.id) is each
    labels = [one.label for one in each.figures]
    assert len(set(labels)) == len(labels)


def test_an_unknown_publication_names_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no publication 'atkins'.*atkins2016-summary"):
        publication("atkins")
