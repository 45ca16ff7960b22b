"""A trial's event-free figure beside every publication's."""

from __future__ import annotations

from pathlib import Path

import pytest

from ahsct_trial import read_cohort
from ahsct_trial.checking import Alongside, set_alongside
from ahsct_trial.protocol import RECORDS_ONLY
from ahsct_trial.published import publications

DATA = Path(__file__).parents[2] / "data"
UNSAID = ("definition not stated", "death rule not stated")


@pytest.fixture(scope="module")
def beside() -> Alongside:
    return set_alongside(read_cohort(DATA / "atkins2016_lancet.csv"), publications().values())


def test_publications_stand_by_falling_share(beside: Alongside) -> None:
    shares = [each.published_share for each in beside.figures]
    assert shares == sorted(shares, reverse=True)
    names = [each.publication for each in beside.figures]
    assert sorted([*names, *beside.without_headline]) == sorted(publications())
    assert "mist2019" in beside.without_headline
    by_name = dict(zip(names, shares, strict=True))
    assert (by_name["atkins2016-summary"], by_name["boffa2021"], by_name["hamerschlak2010"]) == (
        23 / 24,
        0.855,
        0.5854,
    )


@pytest.mark.parametrize(
    ("name", "differs_in"),
    [
        # Apart from MS activity-free survival at 3 years, a death counting as an event, at 95 %.
        ("atkins2016-summary", ("definition disputed", "death rule not stated")),
        ("atkins2016-lancet", ("death rule not stated",)),
        ("boffa2021", ("horizon", "endpoint", UNSAID[0], "patients", UNSAID[1])),
        ("kvistad2020", ("horizon not stated", "endpoint", "death rule not stated")),
        ("shevchenko2015", ("horizon not stated", *UNSAID)),
        ("sormani2017", ("horizon", "endpoint", *UNSAID)),
        ("halt-ms2017", ("horizon", "level")),
    ],
)
def test_what_sets_a_publication_apart_is_named(
    beside: Alongside, name: str, differs_in: tuple[str, ...]
) -> None:
    (found,) = (each for each in beside.figures if each.publication == name)
    assert found.differs_in == differs_in


def test_each_counterpart_is_computed_as_the_publication_does(beside: Alongside) -> None:
    # 7 of 23 survivors worsen by year 3 and nobody later; the 24th died on day 62.
    by_name = {each.publication: each for each in beside.figures}
    summary = by_name["atkins2016-summary"]
    assert (summary.value, summary.of) == (16, 24)
    lancet, burman, halt = (by_name[name] for name in ("atkins2016-lancet", "burman2014", "halt-ms2017"))
    assert lancet.value == pytest.approx(16 / 23, rel=1e-12)
    assert (lancet.death, lancet.own_horizon_years, lancet.n_patients_own) == ("censor", 3, 24)
    assert burman.value == pytest.approx(16 / 24, rel=1e-12)
    assert (burman.death, burman.own_horizon_years, burman.n_patients_own) == ("event", 5, 24)
    # R: 8 events in 24 at 95 %, tests/reference/lancet2016_check.csv, case C; narrower at 90 %.
    assert burman.estimate is not None
    assert burman.estimate.ci_low == pytest.approx(0.442799795987407, rel=1e-9)
    assert halt.confidence_level == 0.9
    assert halt.estimate is not None
    assert halt.estimate.ci_low is not None
    assert halt.estimate.ci_low > 0.442799795987407
    # Two of 12 patients with RRMS worsened.
    assert by_name["boffa2021"].value == pytest.approx(10 / 12, rel=1e-12)
    assert by_name["kvistad2020"].value == pytest.approx(16 / 23, rel=1e-12)


def test_the_cohorts_own_headline(beside: Alongside) -> None:
    own = beside.headline
    assert (own.label, own.horizon_years) == ("MS activity-free survival", 3)
    assert (own.n_event_free, own.n_evaluable) == (16, 24)
    assert own.survival.value == pytest.approx(2 / 3, rel=1e-12)


def test_patients_whom_the_file_does_not_have_are_named(beside: Alongside) -> None:
    for each in beside.figures:
        assert (each.value is None) == (each.estimate is None and each.of is None)
        if each.value is None:
            assert each.where
            assert each.note


def test_a_horizon_of_ones_own_leaves_only_what_is_published_there() -> None:
    trial = read_cohort(DATA / "sample_records.csv")
    done = set_alongside(trial, publications().values(), {"horizon_years": 5.0})
    assert done.headline.horizon_years == 5
    by_name = {each.publication: each for each in done.figures}
    assert by_name["atkins2016-lancet"].value is None
    assert by_name["atkins2016-lancet"].note == "The published horizon is year 3, the protocol's is year 5."
    assert by_name["halt-ms2017"].value is not None
    assert by_name["halt-ms2017"].differs_in == ("level",)


def test_records_and_their_patient_table_stand_alike() -> None:
    table, records = (
        set_alongside(read_cohort(DATA / name), publications().values())
        for name in ("sample_cohort.csv", "sample_records.csv")
    )
    for one, other in zip(table.figures, records.figures, strict=True):
        assert (one.publication, one.of) == (other.publication, other.of)
        if set(publications()[one.publication].protocol) & set(RECORDS_ONLY):
            continue  # a patient table cannot answer to its settings
        if one.value is None:
            assert other.value is None
        else:
            assert one.value == pytest.approx(other.value, rel=1e-12), one.publication
