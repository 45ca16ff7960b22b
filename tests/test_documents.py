"""What the documents show is what the program does."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import typer

ROOT = Path(__file__).resolve().parents[1]
SVG = "{http://www.w3.org/2000/svg}"
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")])


def anchor(heading: str) -> str:
    """What a link to a heading says: lower case, hyphens for blanks, no punctuation."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def script(name: str) -> ModuleType:
    """A script of the folder scripts."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def renew() -> ModuleType:
    """The script that renews the documents."""
    return script("renew_docs")


def test_documents_show_real_output(
    renew: ModuleType, ahsct: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program runs in this process, what its output is piped to in a shell."""
    in_a_shell = renew.run

    def output(command: str, folder: str) -> str:
        program, *filters = command.split(" | ")
        if not program.startswith("ahsct "):
            return in_a_shell(command, folder)
        monkeypatch.chdir(ROOT / folder)
        done = ahsct(*shlex.split(program)[1:])
        shown = done.out + done.err
        for each in filters:
            shown = subprocess.run(
                shlex.split(each), input=shown, stdout=subprocess.PIPE, encoding="utf-8", check=True
            ).stdout
        return shown

    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(renew, "run", output)
    assert README.count("```console") >= 3
    for name, folder in renew.WITH_OUTPUT.items():
        document = (ROOT / name).read_text(encoding="utf-8")
        assert renew.renewed_console(document, folder) == document


def test_the_example_of_a_publication_is_a_file() -> None:
    document = (ROOT / "docs" / "published.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", document, re.DOTALL)
    assert example == (ROOT / "docs" / "example-publication.toml").read_text(encoding="utf-8")


def test_the_document_on_publications_names_every_key() -> None:
    from ahsct_trial.published.reading import RULES

    document = (ROOT / "docs" / "published.md").read_text(encoding="utf-8")
    assert [key for key in RULES if f"`{key}`" not in document and f"[{key}]" not in document] == []


def test_data_dictionary_is_current(renew: ModuleType) -> None:
    document = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert renew.renewed_dictionary() == document


def test_examples_from_python_print_what_they_say(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    document = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", document, re.DOTALL):
        exec(code, names)
        said = [line[2:] for line in code.splitlines() if line.startswith("# ")]
        assert capsys.readouterr().out.splitlines() == said


def test_the_document_on_python_names_all_that_can_be_imported() -> None:
    import ahsct_trial

    document = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert [name for name in ahsct_trial.__all__ if not re.search(rf"\b{name}\b", document)] == []
    for name in ahsct_trial.__all__:
        assert getattr(ahsct_trial, name).__doc__, name


def test_python_example_of_reconcile_says_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    document = (ROOT / "docs" / "reconcile.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    exec(code, {})
    assert f"# {capsys.readouterr().out}" in code


def test_every_command_is_in_the_index() -> None:
    from ahsct_trial.cli import app

    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    commands = typer.main.get_command(app).commands
    assert [name for name in commands if f"`ahsct {name}" not in index] == []


def test_the_index_leads_to_every_document() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    names = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert {name for name in names if f"]({name})" not in index} == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file, _, heading = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        if heading and there.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in map(anchor, headings), target


def test_commands_of_the_tutorial_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ahsct_trial.cli import main

    shutil.copytree(ROOT / "docs" / "your-data", tmp_path / "your-data")
    monkeypatch.chdir(tmp_path / "your-data")
    tutorial = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", tutorial, re.DOTALL)
    for command in "".join(blocks).splitlines():
        assert main(shlex.split(command)[1:]).exit_code == 0, command
    written = {path.name for path in Path().iterdir()}
    assert {"my-map.toml", "report.html", "results.json", "figure.svg"} <= written


def test_documents_name_every_key_of_the_json() -> None:
    from dataclasses import fields

    from ahsct_trial.results import CurvePoint, Endpoints, Summary, SurvivalEndpoint

    document = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    keys = {
        field.name for kind in (Summary, Endpoints, SurvivalEndpoint, CurvePoint) for field in fields(kind)
    }
    assert {key for key in keys if f"`{key}`" not in document} == set()


def test_figures_of_the_documents_are_made_by_their_script(tmp_path: Path) -> None:
    document = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\]\(figures/(.+?\.svg)\)", document))
    script("make_figures").main(tmp_path)

    def texts(folder: Path) -> dict[str, list[str]]:
        # Where a text stands depends on the fonts of a machine; what it says does not.
        return {
            path.name: [
                "".join(each.itertext())
                for each in ET.parse(path).iter()
                if each.tag in {f"{SVG}title", f"{SVG}desc", f"{SVG}text"}
            ]
            for path in folder.iterdir()
        }

    there = texts(ROOT / "docs" / "figures")
    assert shown == set(there)
    assert texts(tmp_path) == there
