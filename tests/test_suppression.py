"""With small counts suppressed, none can be read off or worked out. Expected values: the definition of a small cell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ahsct_trial import compare, read_cohort, summarize
from ahsct_trial.errors import UsageError
from ahsct_trial.rendering.documents import write_json
from ahsct_trial.suppression import OTHERS, suppress

DATA = Path(__file__).parents[1] / "data"
FILES = ("sample_cohort.csv", "sample_records.csv", "atkins2016_lancet.csv", "sample_trial.csv")


def cells(document: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Each count of a document, and what is left of a share without it."""
    if isinstance(document, list):
        for each in document:
            yield from cells(each, name)
    elif isinstance(document, dict):
        if document.get("unit") == "share" and document.get("n") is not None:
            yield name, document["n"]
            yield name, document["of"] - document["n"]
        for key, value in document.items():
            if isinstance(value, int) and not isinstance(value, bool) and key != "schema_version":
                yield f"{name}.{key}", value
            elif isinstance(value, dict | list):
                yield from cells(value, f"{name}.{key}")


def patient_cells(document: Any) -> Iterator[tuple[str, float]]:
    for part in ("cohort", "endpoints", "groups", "contrasts"):
        yield from ((name, n) for name, n in cells(document.get(part, {}), part) if ".years" not in name)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("below", [5, 10])
def test_no_cell_is_small(file: str, below: int) -> None:
    summary = suppress(summarize(read_cohort(DATA / file)), below)
    document = json.loads(write_json(summary))
    small = {name: n for name, n in patient_cells(document) if 0 < n < below and "n_sites" not in name}
    assert small == {}


def test_no_cell_of_a_comparison_is_small() -> None:
    document = json.loads(write_json(suppress(compare(read_cohort(DATA / "sample_trial.csv"), "arm"), 5)))
    small = {
        name: n
        for name, n in patient_cells(document)
        if 0 < n < 5 and ".df" not in name and "n_sites" not in name
    }
    assert small == {}
    # 3 of 55 worsened in one arm: neither its figure nor the contrast that it is part of is shown.
    contrast = document["contrasts"][0]["endpoints"]["worsening_free_survival"]
    assert contrast["hazard_ratio"]["value"] is None
    assert contrast["risk_difference"]["value"] is None


def test_levels_that_are_too_small_stand_together(tmp_path: Path) -> None:
    rows = [f"P{n},1,{site}" for n, site in enumerate("A" * 9 + "B" * 6 + "C" * 3)]
    (tmp_path / "a.csv").write_text("\n".join(["patient_id,follow_up_years,site", *rows]))
    shown = suppress(summarize(read_cohort(tmp_path / "a.csv")), 5).cohort.site
    # 3 alone would follow from the 18 patients: the next smallest goes with it.
    assert shown == {"A": 9, OTHERS: 9}


@given(st.lists(st.sampled_from("ABCDEFG"), min_size=1, max_size=60), st.integers(2, 12))
def test_no_level_is_small_and_none_is_lost(sites: list[str], below: int) -> None:
    from collections import Counter

    from ahsct_trial.suppression import _together

    counts = dict(Counter(sites))
    shown = _together(counts, below)
    assert sum(shown.values()) == len(sites)
    is_hopeless = len(sites) < below
    assert is_hopeless or all(n >= below for n in shown.values())
    assert is_hopeless or not any(0 < n < below for n in counts.values()) or OTHERS in shown


def test_nothing_changes_where_no_cell_is_small() -> None:
    summary = summarize(read_cohort(DATA / "sample_trial.csv"))
    before = summary.endpoints.relapse_free_survival
    after = suppress(summary, 2).endpoints.relapse_free_survival
    assert (after.n_events, after.survival) == (before.n_events, before.survival)


def cohort(tmp_path: Path, rows: list[str]) -> Path:
    columns = "patient_id,arm,sex,follow_up_years,relapses_before,years_observed_before,relapses_after,years_to_death"
    (tmp_path / "cohort.csv").write_text("\n".join([columns, *rows]))
    return tmp_path / "cohort.csv"


def test_what_follows_from_other_counts_is_not_shown(tmp_path: Path) -> None:
    # Two patients without a sex, two followed for less than 100 days, three known before and after.
    rows = [
        f"P{n},A,{'' if n >= 38 else 'male' if n >= 25 else 'female'},{0.1 if n < 2 else 5},"
        f"{'2,2' if n >= 20 else ','},{'0' if n < 23 else ''},"
        for n in range(40)
    ]
    shown = suppress(summarize(read_cohort(cohort(tmp_path, rows))), 5)
    assert shown.cohort.sex == {"female": 25, OTHERS: 15}
    assert shown.endpoints.mortality.all_cause_by_day_100.of is None
    assert shown.endpoints.mortality.note == "Not shown: a count here, or the difference of two, is below 5."
    rates = shown.endpoints.relapse_rate
    assert (rates.before.n_patients, rates.after.n_patients) == (20, 23)
    assert (rates.n_patients_in_ratio, rates.ratio.value) == (None, None)
    # With numbers it would say who is left out.
    assert rates.before.note is None


def test_a_group_that_is_too_small_is_refused(tmp_path: Path) -> None:
    rows = [f"P{n},{'A' if n < 36 else 'B'},male,5,,,0," for n in range(40)]
    trial = read_cohort(cohort(tmp_path, rows))
    with pytest.raises(UsageError, match="arm B has fewer than 5 patients"):
        suppress(compare(trial, "arm"), 5)
    with pytest.raises(UsageError, match="There are fewer than 5 patients"):
        suppress(summarize(trial.where({"arm": ("B",)})), 5)


def test_no_small_count_is_the_difference_of_two() -> None:
    """At one site 7 worsen by year 3 and 8 ever (counted in the file): one patient worsens later."""
    frame = pd.read_csv(DATA / "sample_trial.csv")
    of_site = frame[frame["site"] == "Sheffield"].drop(columns="arm")
    worsened = of_site["years_to_worsening"].dropna()
    assert (len(worsened), (worsened <= 3).sum()) == (8, 7)
    shown = suppress(summarize(read_cohort(of_site)), 5).endpoints
    assert shown.worsening_free_survival.n_events == 7
    assert shown.disability.worsened.n is None


def test_texts_for_missing_count_no_deaths(tmp_path: Path) -> None:
    """Only years_to_death has them: 58 of 60 would say that 2 died."""
    rows = [f"P{n},5,{'3' if n < 2 else 'NA'}".replace(",5,3", ",3,3") for n in range(60)]
    (tmp_path / "a.csv").write_text("\n".join(["patient_id,follow_up_years,years_to_death", *rows]))
    assert suppress(summarize(read_cohort(tmp_path / "a.csv")), 5).account.missing == {}


def test_patients_in_no_group_do_not_follow_from_the_rows(tmp_path: Path) -> None:
    """40 of 60 are at X, and 2 of them have no sex: 60 - 20 - 18 - 20 would tell it."""
    sexes = ["female"] * 18 + ["male"] * 20 + [""] * 2
    rows = [f"P{n},{'X' if n < 40 else 'Y'},{(sexes * 2)[n]},3" for n in range(60)]
    (tmp_path / "a.csv").write_text("\n".join(["patient_id,site,sex,follow_up_years", *rows]))
    chosen = read_cohort(tmp_path / "a.csv").where({"site": ("X",)})
    result = suppress(compare(chosen, "sex"), 5)
    assert (result.by.n_not_selected, result.by.n_without_level) == (None, None)
    assert (result.account.rows_read, result.account.rows_used, result.source.files[0].n_rows) == (None,) * 3
