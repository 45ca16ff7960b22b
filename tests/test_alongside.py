"""A cohort's event-free figure beside every publication's."""

from __future__ import annotations

from pathlib import Path

import pytest

from ahsct_trial import Protocol, read_cohort
from ahsct_trial.checking.alongside import Alongside, set_alongside
from ahsct_trial.protocol import RECORDS_ONLY
from ahsct_trial.published import publications

DATA = Path(__file__).parents[1] / "data"

#: What sets some published figures apart from MS activity-free survival at 3 years, a death counting as an
#: event, at
#: 95 %: what the publications say of themselves (tests/reference/published_figures.csv).
EXPECTED = {
    "atkins2016-summary": ("23", ("definition disputed", "death rule not stated")),
    "boffa2021": (
        "85.5",
        ("horizon", "endpoint", "definition not stated", "patients", "death rule not stated"),
    ),
    "kvistad2020": ("83", ("horizon not stated", "endpoint", "death rule not stated")),
    "atkins2016-lancet": ("69.6", ("death rule not stated",)),
    "halt-ms2017": ("69.2", ("horizon", "level")),
    "burman2014": ("68", ("horizon", "death rule not stated")),
    "hamerschlak2010": ("58.54", ("horizon not stated", "definition not stated", "death rule not stated")),
}


@pytest.fixture(scope="module")
def compared() -> Alongside:
    return set_alongside(read_cohort(DATA / "atkins2016_lancet.csv"), publications().values())


def test_publications_are_sorted_and_what_sets_them_apart_is_named(compared: Alongside) -> None:
    found = {each.publication: (each.published, each.differs_in) for each in compared.figures}
    assert {name: found[name] for name in EXPECTED} == EXPECTED
    shares = [each.published_share for each in compared.figures]
    assert shares == sorted(shares, reverse=True)
    assert next(each for each in compared.figures if each.published_of).published_share == 23 / 24
    assert "mist2019" in compared.without_headline
    assert {*found, *compared.without_headline} == set(publications())


def test_each_counterpart_is_computed_as_the_publication_does(compared: Alongside) -> None:
    # 7 of 23 survivors worsen by year 3 and nobody later; the 24th died on day 62.
    by_name = {each.publication: each for each in compared.figures}
    summary = by_name["atkins2016-summary"]
    assert (summary.value, summary.of) == (16, 24)
    assert by_name["atkins2016-lancet"].value == pytest.approx(16 / 23, rel=1e-12)
    assert by_name["burman2014"].value == pytest.approx(16 / 24, rel=1e-12)
    # R: 8 events in 24 at 95 %, tests/reference/lancet2016_check.csv, case C; narrower at 90 %.
    assert by_name["burman2014"].estimate.ci_low == pytest.approx(0.442799795987407, rel=1e-9)
    lancet = by_name["atkins2016-lancet"]
    assert (lancet.death, lancet.own_horizon_years, lancet.n_patients_own) == ("censor", 3, 24)
    burman = by_name["burman2014"]
    assert (burman.death, burman.own_horizon_years, burman.n_patients_own) == ("event", 5, 24)
    halt = by_name["halt-ms2017"]
    assert halt.confidence_level == 0.9
    assert halt.estimate is not None
    assert halt.estimate.ci_low is not None
    assert halt.estimate.ci_low > 0.442799795987407
    # Two of 12 patients with RRMS worsened.
    assert by_name["boffa2021"].value == pytest.approx(10 / 12, rel=1e-12)
    assert by_name["kvistad2020"].value == pytest.approx(16 / 23, rel=1e-12)


def test_the_cohorts_own_headline(compared: Alongside) -> None:
    own = compared.headline
    assert (own.label, own.horizon_years) == ("MS activity-free survival", 3)
    assert (own.n_event_free, own.n_evaluable) == (16, 24)
    assert own.survival.value == pytest.approx(2 / 3, rel=1e-12)


def test_a_horizon_of_ones_own_leaves_only_what_is_published_there() -> None:
    data = read_cohort(DATA / "sample_records.csv")
    done = set_alongside(data, publications().values(), {"horizon_years": 5.0})
    assert done.headline.horizon_years == 5
    by_name = {each.publication: each for each in done.figures}
    assert by_name["atkins2016-lancet"].value is None
    assert by_name["atkins2016-lancet"].note == "The published horizon is year 3, the protocol's is year 5."
    assert by_name["halt-ms2017"].value is not None
    assert by_name["halt-ms2017"].differs_in == ("level",)


def test_records_and_their_patient_table_compare_alike() -> None:
    # Apart from settings that a patient table has no use for.
    default = {name: getattr(Protocol(), name) for name in RECORDS_ONLY}
    table, records = (
        set_alongside(read_cohort(DATA / name), publications().values(), default)
        for name in ("sample_cohort.csv", "sample_records.csv")
    )
    for one, other in zip(table.figures, records.figures, strict=True):
        assert (one.publication, one.of) == (other.publication, other.of)
        if one.value is None:
            assert other.value is None
        else:
            assert one.value == pytest.approx(other.value, rel=1e-12)
