"""More patients than are worked on at a time (`ahsct_trial.chunks`): each of the sample's stands there 3,000 times.

Shares, curves and rates are then those of the sample, and counts 3,000 times as many; the sample's own are checked in
`test_sample_figures.py`.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ahsct_trial import DataProblems, read_cohort, summarize
from ahsct_trial.results import Summary

SAMPLE = Path(__file__).parents[2] / "data" / "sample_cohort.csv"
TIMES = 3_000
CURVES = ("activity_free_survival", "relapse_free_survival", "mri_activity_free_survival", "overall_survival")


def tiled() -> pd.DataFrame:
    """The sample 3,000 times, with identifiers of their own."""
    sample = pd.read_csv(SAMPLE, dtype=str)
    many = pd.concat([sample] * TIMES, ignore_index=True)
    return many.assign(patient_id=[f"P{number:06}" for number in range(len(many))])


@pytest.fixture(scope="module")
def few() -> Summary:
    return summarize(read_cohort(SAMPLE))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    path = tmp_path_factory.mktemp("many") / "many.csv"
    tiled().to_csv(path, index=False)
    return summarize(read_cohort(path))


def counts(values: dict[str, Any]) -> dict[str, int]:
    return {key: n for key, n in values.items() if key.startswith("n_") and isinstance(n, int)}


@pytest.mark.parametrize("key", CURVES)
def test_survival(few: Summary, many: Summary, key: str) -> None:
    one, all_ = getattr(few.endpoints, key), getattr(many.endpoints, key)
    expected = {name: TIMES * n for name, n in counts(vars_of(one)).items()}
    assert expected["n_patients"] == 24 * TIMES
    assert counts(vars_of(all_)) == expected
    assert all_.proportion.value == one.proportion.value
    assert all_.survival.value == pytest.approx(one.survival.value, rel=1e-12)


def vars_of(result: Any) -> dict[str, Any]:
    return {name: getattr(result, name) for name in result.__dataclass_fields__ if name != "curve"}


def test_neda_and_deaths(few: Summary, many: Summary) -> None:
    for one, all_ in zip(few.endpoints.neda3, many.endpoints.neda3, strict=True):
        assert (all_.n_yes, all_.n_no, all_.n_not_evaluable) == (
            TIMES * one.n_yes,
            TIMES * one.n_no,
            TIMES * one.n_not_evaluable,
        )
    one, all_ = few.endpoints.mortality.all_cause, many.endpoints.mortality.all_cause
    assert (all_.n, all_.of) == (TIMES * one.n, TIMES * one.of)


def test_who_was_treated(few: Summary, many: Summary) -> None:
    for name in ("site", "sex", "ms_course", "conditioning", "graft", "prior_therapy"):
        expected = {text: TIMES * n for text, n in getattr(few.cohort, name).items()}
        assert getattr(many.cohort, name) == expected
    assert asdict(many.cohort.age_years)["median"] == few.cohort.age_years.median


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("key", ["relapse_rate", "lesions"])
def test_rates(few: Summary, many: Summary, key: str, side: str) -> None:
    one, all_ = (getattr(getattr(found.endpoints, key), side) for found in (few, many))
    assert (all_.n_events, all_.n_patients) == (TIMES * one.n_events, TIMES * one.n_patients)
    assert all_.rate.value == pytest.approx(one.rate.value, rel=1e-12)
    if one.dispersion is None:
        assert all_.dispersion is None
    else:  # the sum over those with exposure, divided by their number less one; P22 died before any scan
        n = 23 if (key, side) == ("lesions", "after") else one.n_patients
        expected = one.dispersion * (n - 1) * TIMES / (n * TIMES - 1)
        assert all_.dispersion == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("column", "cell"), [("edss_baseline", "0.5"), ("relapses_before", "1.5"), ("years_to_death", "0")]
)
def test_a_wrong_cell_in_the_last_row(tmp_path: Path, column: str, cell: str) -> None:
    table = tiled()
    table.loc[len(table) - 1, column] = cell
    path = tmp_path / "wrong.csv"
    table.to_csv(path, index=False)
    with pytest.raises(DataProblems) as told:
        read_cohort(path)
    [problem] = told.value.problems
    assert (problem.line, problem.column, problem.value) == (len(table) + 1, column, cell)
