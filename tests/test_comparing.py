"""A cohort's event-free figure beside every publication's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ahsct_trial import read_cohort
from ahsct_trial.comparing import Comparison, compare
from ahsct_trial.published import publications

DATA = Path(__file__).parents[1] / "data"

#: Published event-free figures (tests/reference/published_figures.csv) from the largest down, with what
#: sets each apart from MS activity-free survival at 3 years, a death counting as an event, at 95 %.
UNSAID = ("definition not stated", "death rule not stated")
EXPECTED = [
    ("atkins2016-summary", "23", ("definition disputed", "death rule not stated")),
    ("boffa2021", "85.5", ("horizon", "endpoint", UNSAID[0], "patients", UNSAID[1])),
    ("kvistad2020", "83", ("horizon not stated", "endpoint", "death rule not stated")),
    ("shevchenko2015", "80", ("horizon not stated", *UNSAID)),
    ("silfverberg2024", "73", ("horizon", "endpoint", *UNSAID)),
    ("atkins2016-lancet", "69.6", ("death rule",)),
    ("halt-ms2017", "69.2", ("horizon", *UNSAID, "level")),
    ("burman2014", "68", ("horizon", *UNSAID)),
    ("sormani2017", "67", ("horizon", "endpoint", *UNSAID)),
    ("nabizadeh2022", "63", ("horizon not stated", *UNSAID)),
    ("hamerschlak2010", "58.54", ("horizon not stated", *UNSAID)),
    ("muraro2017", "46", ("horizon", "endpoint", *UNSAID)),
]


@pytest.fixture(scope="module")
def compared() -> Comparison:
    return compare(read_cohort(DATA / "atkins2016_lancet.csv"), publications().values())


def test_publications_are_sorted_and_what_sets_them_apart_is_named(compared: Comparison) -> None:
    assert [(each.publication, each.published, each.differs_in) for each in compared.figures] == EXPECTED
    shares = [each.published_share for each in compared.figures]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 23 / 24
    assert compared.without_headline == ("mist2019",)


def test_each_counterpart_is_computed_as_the_publication_does(compared: Comparison) -> None:
    # 7 of 23 survivors worsen by year 3 and nobody later; the 24th died on day 62.
    by_name = {each.publication: each for each in compared.figures}
    summary = by_name["atkins2016-summary"]
    assert (summary.value, summary.of) == (16, 24)
    assert by_name["atkins2016-lancet"].value == pytest.approx(16 / 23, rel=1e-12)
    assert by_name["burman2014"].value == pytest.approx(16 / 24, rel=1e-12)
    # R: 8 events in 24 at 95 %, tests/reference/lancet2016_check.csv, case C; narrower at 90 %.
    assert by_name["burman2014"].ci_low == pytest.approx(0.442799795987407, rel=1e-9)
    lancet = by_name["atkins2016-lancet"]
    assert (lancet.death, lancet.own_horizon_years, lancet.share_of) == ("censor", 3, 24)
    burman = by_name["burman2014"]
    assert (burman.death, burman.own_horizon_years, burman.share_of) == ("event", 5, 24)
    halt = by_name["halt-ms2017"]
    assert halt.confidence_level == 0.9
    assert halt.ci_low is not None
    assert halt.ci_low > 0.442799795987407
    # Two of 12 patients with RRMS worsened.
    assert by_name["boffa2021"].value == pytest.approx(10 / 12, rel=1e-12)
    assert by_name["kvistad2020"].value == pytest.approx(16 / 23, rel=1e-12)


def test_the_cohorts_own_headline(compared: Comparison) -> None:
    own = compared.headline
    assert (own.label, own.horizon_years) == ("MS activity-free survival", 3)
    assert (own.n_event_free, own.n_evaluable) == (16, 24)
    assert own.estimate == pytest.approx(2 / 3, rel=1e-12)


def test_a_horizon_of_ones_own_leaves_only_what_is_published_there() -> None:
    data = read_cohort(DATA / "sample_records.csv")
    done = compare(data, publications().values(), lambda own: replace(own, horizon_years=5.0))
    assert done.headline.horizon_years == 5
    by_name = {each.publication: each for each in done.figures}
    assert by_name["atkins2016-lancet"].value is None
    assert by_name["atkins2016-lancet"].note == "The published horizon is year 3, the protocol's is year 5."
    assert by_name["halt-ms2017"].value is not None
    assert by_name["halt-ms2017"].differs_in == (*UNSAID, "level")


def test_records_and_their_patient_table_compare_alike() -> None:
    table, records = (
        compare(read_cohort(DATA / name), publications().values())
        for name in ("sample_cohort.csv", "sample_records.csv")
    )
    for one, other in zip(table.figures, records.figures, strict=True):
        assert (one.publication, one.of) == (other.publication, other.of)
        assert one.value == pytest.approx(other.value, rel=1e-12)
