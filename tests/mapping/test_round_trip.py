"""The sample's records, split into what others keep, come back through the maps as the same records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import splitting
from mapped import map_of, rows_of

from ahsct_trial import read_cohort, read_mapped, summarize
from ahsct_trial.catalogue import SURVIVAL_ENDPOINTS
from ahsct_trial.columns import ATTRIBUTES
from ahsct_trial.mapping import Map, apply_map, read_map

SHAPES: dict[str, tuple[Callable[[Path], None], Callable[[], Map]]] = {
    "redcap": (splitting.as_redcap, lambda: map_of(splitting.REDCAP_MAP)),
    "workbook": (splitting.as_workbook, lambda: map_of(splitting.WORKBOOK_MAP)),
    "sdtm": (splitting.as_sdtm, lambda: read_map("sdtm")),
    "msbase": (splitting.as_msbase, lambda: read_map("msbase")),
}
#: What a shape cannot hold by the map that comes with the program.
LACKING = {
    "sdtm": {
        "kinds": {"observed_from"},
        "columns": {"ms_course", "prior_therapy", "conditioning", "graft", "new_lesions"},
    },
    "msbase": {
        "kinds": {"observed_from"},
        "columns": {"age_years", "prior_therapy", "conditioning", "graft", "new_lesions", "cause_of_death"},
    },
}


def alike(row: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """A record as text, numbers without a trailing .0."""
    return tuple(sorted((name, cell.removesuffix(".0")) for name, cell in row.items()))


def expected(shape: str) -> Counter[tuple[tuple[str, str], ...]]:
    lacking = LACKING.get(shape, {"kinds": set(), "columns": set()})
    return Counter(
        alike({name: cell for name, cell in row.items() if name not in lacking["columns"]})
        for row in splitting.dated_records()
        if row["record"] not in lacking["kinds"]
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_records_come_back(tmp_path, shape: str) -> None:
    split, rules = SHAPES[shape]
    split(tmp_path)
    mapped = apply_map(rules(), tmp_path)
    assert Counter(map(alike, rows_of(mapped))) == expected(shape)
    for table in mapped.account.tables:
        assert table.rows_read == table.rows_used + sum(aside.count for aside in table.set_aside)


def test_the_split_holds_every_attribute_of_the_sample() -> None:
    attributes = {column.name for column in ATTRIBUTES} - {"arm"}
    assert all(attributes <= row.keys() for row in splitting.of_kind("baseline"))


@pytest.mark.parametrize("shape", ["redcap", "workbook"])
def test_the_same_figures_come_back(tmp_path, shape: str) -> None:
    """Of shapes that hold everything; the sample counts days, its split is dated."""
    split, rules = SHAPES[shape]
    split(tmp_path)
    back = summarize(read_mapped(tmp_path, rules())).endpoints
    sample = summarize(read_cohort(splitting.SAMPLE)).endpoints
    for endpoint in SURVIVAL_ENDPOINTS:
        assert getattr(back, endpoint.key).survival == getattr(sample, endpoint.key).survival
    assert back.relapse_rate == sample.relapse_rate
    assert back.lesions == sample.lesions
    assert back.neda3 == sample.neda3
    assert back.disability == sample.disability
    assert back.mortality == sample.mortality
