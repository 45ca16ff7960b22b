"""The commands of docs/your-data.md run as they stand there, and give what the text says."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest

from ahsct_trial import read_map, read_mapped, summarize
from ahsct_trial.cli import main
from ahsct_trial.mapping import parse_map

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "your-data.md").read_text("utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
MAPS = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


def test_every_command_runs(tmp_path, monkeypatch, capfd) -> None:
    shutil.copytree(DOCS / "your-data", tmp_path / "your-data")
    monkeypatch.chdir(tmp_path / "your-data")
    assert len(COMMANDS) >= 10
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        assert program == "ahsct"
        outcome = main(arguments)
        out, err = capfd.readouterr()
        assert outcome.exit_code == 0, f"{command}: {err}"
        if arguments[0] == "validate":
            assert "Region is 'HWS'" in " ".join(out.split())
    assert (tmp_path / "your-data" / "records.csv").read_text("utf-8").startswith("patient_id,record,date,")
    assert (tmp_path / "your-data" / "adtte.csv").read_text("utf-8").startswith("USUBJID,PARAMCD,PARAM,AVAL,")


def test_every_command_of_the_readme_runs(tmp_path, monkeypatch, capfd) -> None:
    pytest.importorskip("matplotlib")
    shutil.copytree(DOCS, tmp_path / "docs")
    monkeypatch.chdir(tmp_path)
    readme = (DOCS.parent / "README.md").read_text("utf-8")
    (block,) = re.findall(r"<!-- your-data -->\n```sh\n(.*?)```", readme, re.DOTALL)
    change_folder, *commands = block.splitlines()
    monkeypatch.chdir(tmp_path / change_folder.removeprefix("cd "))
    for command in commands:
        program, *arguments = shlex.split(command, comments=True)
        assert program == "ahsct"
        outcome = main(arguments)
        assert outcome.exit_code == 0, f"{command}: {capfd.readouterr().err}"


def test_the_map_in_the_folder_is_the_proposed_one_filled_in(capfd) -> None:
    assert main(["map", str(DOCS / "your-data" / "studie.xlsx")]).exit_code == 0
    proposed = capfd.readouterr().out
    for question, answer in {
        'w = "?", m = "?"': 'w = "female", m = "male"',
        'schubfoermig = "?", sekundaer = "?"': 'schubfoermig = "RRMS", sekundaer = "SPMS"',
        'Transplantation = "?"': 'Transplantation = "transplant"',
        'Region = ["?"]': 'Region = ["Kopf"]',
    }.items():
        assert question in proposed
        proposed = proposed.replace(question, answer)
    filled_in = (DOCS / "your-data" / "clinic.toml").read_text("utf-8")
    assert tomllib.loads(filled_in) == tomllib.loads(proposed)


@pytest.mark.parametrize("text", [text for text in MAPS if "[[table]]" in text])
def test_maps_in_the_text_are_free_of_faults(text: str) -> None:
    assert parse_map(tomllib.loads(text), "text").tables


def test_every_key_of_a_map_is_in_the_text() -> None:
    from ahsct_trial.mapping import reading

    for key in {*reading._MAP_KEYS, *reading._TABLE_KEYS, *reading._CELLS_KEYS} - {"about"}:
        assert re.search(rf"\b{key}\b", TEXT), key


def test_python_with_data_frames_gives_the_same() -> None:
    import pandas as pd

    folder = Path(__file__).parent / "cases" / "map-05-msprog" / "data"
    tables = {name: pd.read_csv(folder / f"{name}.csv", dtype=str) for name in ("visits", "relapses")}
    for source in (tables, folder):
        trial = read_mapped(source, read_map("msprog"))
        # Patient 3 of three relapses, on day 620.
        assert summarize(trial).endpoints.relapse_free_survival.survival.value == pytest.approx(2 / 3)
