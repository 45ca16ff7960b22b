"""Text of a file in a cell of a CSV: a spreadsheet does not run it, and it can be had back."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ahsct_trial.escaping import SPREADSHEET_SAFE, shown, shown_path, spreadsheet_plain, spreadsheet_safe

CELLS = st.text(alphabet="'=+-@\t\r1.5eE,xé \n＝＠") | st.text()


@given(CELLS)
def test_a_safe_cell_does_not_run_and_comes_back_as_it_was(text: str) -> None:
    safe = spreadsheet_safe(text)
    assert safe[:1] not in {"=", "+", "@", "\t", "\r", "＝", "＋", "－", "＠"}
    if safe.startswith("-"):
        float(safe)
    assert spreadsheet_plain(safe) == text
    assert pc.replace_substring_regex(pa.array([safe]), SPREADSHEET_SAFE, r"\1")[0].as_py() == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ('=HYPERLINK("http://example.org")', '\'=HYPERLINK("http://example.org")'),
        ("+1", "'+1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("-2+3", "'-2+3"),
        ("\tx", "'\tx"),
        ("'=1", "''=1"),
        ("＝1+1", "'＝1+1"),
        ("-2.5", "-2.5"),
        ("-1e-07", "-1e-07"),
        ("-", "'-"),
        ("'t Hooft", "'t Hooft"),
        ("CD34-selected", "CD34-selected"),
        ("", ""),
    ],
)
def test_cells(text: str, safe: str) -> None:
    assert spreadsheet_safe(text) == safe


def test_no_cell_of_the_results_runs(ahsct: Callable[..., Any], tmp_path: Path) -> None:
    """The input of a reader's report: labels that begin with = + - @ and a tab."""
    cohort = tmp_path / "=cohort.csv"
    cohort.write_text(
        "patient_id,follow_up_years,site,conditioning\n"
        'P1,3,=HYPERLINK("http://example.org"),+1\n'
        'P2,4,@SUM(1),-2+3\nP3,4,"=1+1","\tx"\n',
        encoding="utf-8",
    )
    for arguments in (
        ["summarize", str(cohort), "--format", "csv"],
        ["sensitivity", str(cohort), "--endpoint", "overall_survival", "--format", "csv"],
    ):
        done = ahsct(*arguments)
        assert done.exit_code == 0
        cells = [cell for row in csv.reader(io.StringIO(done.out)) for cell in row]
        assert not [cell for cell in cells if re.match(r"[=+@\t\r]|-(?![0-9.]+$)", cell)]
        if arguments[0] == "summarize":
            assert {"'=1+1", "'@SUM(1)", "'-2+3"} <= set(cells)
    assert '"=1+1"' in json.dumps(json.loads(ahsct("summarize", cohort, "--json").out))


@given(st.text(), st.integers(2, 300))
def test_what_is_shown_is_printable_and_bounded(text: str, longest: int) -> None:
    assert shown(text, longest).isprintable()
    assert len(shown(text, longest)) <= 10 * longest  # \\U00010ffff is ten characters


def test_a_path_is_shown_to_its_end() -> None:
    assert shown_path("/a" * 500) == "/a" * 500
