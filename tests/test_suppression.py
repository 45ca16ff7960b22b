"""With small counts suppressed, none can be read off or worked out. Expected values: the definition of a small cell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ahsct_trial import compare, read_cohort, summarize
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
