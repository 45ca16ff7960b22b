"""What the documents show is what the program does."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import typer

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def renew() -> Iterator[ModuleType]:
    """The script that renews the documents; commands in them find the `ahsct` of this Python."""
    spec = importlib.util.spec_from_file_location("renew_docs", ROOT / "scripts" / "renew_docs.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
        yield script


def test_documents_show_real_output(renew: ModuleType) -> None:
    assert README.count("```console") >= 3
    for name in renew.WITH_OUTPUT:
        document = (ROOT / name).read_text(encoding="utf-8")
        assert renew.renewed_console(document) == document


def test_the_example_of_a_publication_is_a_file_and_its_check_is_real(renew: ModuleType) -> None:
    document = (ROOT / "docs" / "published.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", document, re.DOTALL)
    assert example == (ROOT / "docs" / "example-publication.toml").read_text(encoding="utf-8")
    assert renew.renewed_console(document) == document


def test_the_document_on_publications_names_every_key() -> None:
    from ahsct_trial.published.reading import RULES

    document = (ROOT / "docs" / "published.md").read_text(encoding="utf-8")
    assert [key for key in RULES if f"`{key}`" not in document and f"[{key}]" not in document] == []


def test_data_dictionary_is_current(renew: ModuleType) -> None:
    document = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert renew.renewed_dictionary() == document


def test_readme_python_example_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(code, {})
    # With the death censored: nobody of the 23 others has an event by year 3; the patient who died before
    # any scan is left out. 23 of 23, Kaplan–Meier 1.
    assert capsys.readouterr().out == "23 23 1.0\n"


def test_python_example_of_reconcile_says_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    document = (ROOT / "docs" / "reconcile.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    exec(code, {})
    assert f"# {capsys.readouterr().out}" in code


def test_every_command_is_in_the_readme() -> None:
    from ahsct_trial.cli import app

    commands = typer.main.get_command(app).commands
    missing = [name for name in commands if f"`ahsct {name}" not in README]
    assert not missing


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_the_readme_names_every_document(name: str) -> None:
    assert f"docs/{name}" in README


def test_documents_name_every_key_of_the_json() -> None:
    from dataclasses import fields

    from ahsct_trial.results import CurvePoint, Endpoints, Summary, SurvivalEndpoint

    document = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    keys = {
        field.name for kind in (Summary, Endpoints, SurvivalEndpoint, CurvePoint) for field in fields(kind)
    }
    assert {key for key in keys if f"`{key}`" not in document} == set()


def test_figures_of_the_documents_are_made_by_their_script() -> None:
    document = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\]\(figures/(.+?\.svg)\)", document))
    there = {path.name for path in (ROOT / "docs" / "figures").iterdir()}
    script = (ROOT / "scripts" / "make_figures.py").read_text(encoding="utf-8")
    cohorts = re.findall(r'"(\w+)\.csv"', script)
    assert shown == there
    assert {f"{cohort}-{kind}.svg" for cohort in cohorts for kind in ("survival", "timeline")} <= there
