"""Synthetic data say so, whatever their file is called."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from ahsct_trial import read_cohort
from ahsct_trial.provenance import SYNTHETIC

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize("file", sorted(DATA.glob("*.csv")), ids=lambda file: file.name)
def test_each_sample_is_known_to_be_synthetic(file: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "cohort.csv"
    renamed.write_bytes(file.read_bytes())
    assert "Synthetic" in (read_cohort(renamed).source.provenance or "")


def test_other_data_say_nothing(tmp_path: Path) -> None:
    file = tmp_path / "cohort.csv"
    file.write_text("patient_id,follow_up_years\nA,1\n")
    assert read_cohort(file).source.provenance is None


def test_no_digest_is_of_a_file_that_is_gone() -> None:
    assert set(SYNTHETIC) == {sha256(file.read_bytes()).hexdigest() for file in DATA.glob("*.csv")}
