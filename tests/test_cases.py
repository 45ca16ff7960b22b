"""Runs the cases of ``tests/cases``: real kinds of files, with what is right."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ahsct_trial.cli import main

CASES = Path(__file__).parent / "cases"
RUNS = [
    pytest.param(folder, run, id=f"{folder.name}-{number}")
    for folder in sorted(each.parent for each in CASES.glob("*/case.toml"))
    for number, run in enumerate(tomllib.loads((folder / "case.toml").read_text("utf-8"))["run"], start=1)
]


def at(document: Any, path: str) -> Any:
    """What stands at a path such as ``endpoints.neda3.0.n_yes``."""
    for name in path.split("."):
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document


@pytest.mark.parametrize(("folder", "run"), RUNS)
def test_case(
    folder: Path,
    run: dict[str, Any],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(folder, tmp_path / "case")
    monkeypatch.chdir(tmp_path / "case")
    monkeypatch.setenv("COLUMNS", "100")
    outcome = main(run["args"])
    out, err = capfd.readouterr()
    assert outcome.exit_code == run["exit"], err
    words = " ".join(f"{out} {err}".split())
    for text in run.get("says", ()):
        assert text in words
    for text in run.get("never_says", ()):
        assert text not in words
    for pattern in run.get("matches", ()):
        assert re.search(pattern, words), f"{pattern!r} is not in {words}"
    document = json.loads(out) if run.get("json") else None
    for path, value in run.get("json", {}).items():
        found = at(document, path)
        if isinstance(value, float):
            assert found == pytest.approx(value, abs=5e-7), path
        else:
            assert found == (None if value == "null" else value), path


def test_every_case_has_a_kind_and_a_source() -> None:
    for folder in sorted(each for each in CASES.iterdir() if each.is_dir()):
        case = tomllib.loads((folder / "case.toml").read_text("utf-8"))
        assert case["kind"]
        assert case["source"]
        assert case["run"]
