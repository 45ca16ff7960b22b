"""How long the README and the first screen may be, and how the documents are written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ahsct_trial import __version__
from ahsct_trial.cli import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
#: All but the data dictionary, which names American headings that are read as well.
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "*/README.md")
    for path in ROOT.glob(pattern)
    if path.name != "data-dictionary.md"
)
#: Spellings and turns that a British reader stops at, beside titles that are quoted.
STRANGE = re.compile(
    r"\b(colors?|centers?|behaviors?|analyz\w+|randomiz\w+|hospitaliz\w+|annualiz\w+|favor\w*|gray|"
    r"held against|hold the cohort against|how to go on|deaths of the transplant|"
    r"no ordinary file|renew the measured figures)\b",
    re.IGNORECASE,
)


def test_the_readme_has_at_most_1400_words() -> None:
    assert len(README.split()) <= 1400


@pytest.mark.parametrize("sample", ["sample_cohort.csv", "sample_records.csv", "atkins2016_lancet.csv"])
def test_the_first_screen_has_at_most_70_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, sample: str
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["summarize", str(ROOT / "data" / sample)]).exit_code == 0
    assert len(capsys.readouterr().out.splitlines()) <= 70


@pytest.mark.parametrize("marker", ["install-and-run", "install-and-test"])
def test_the_readme_keeps_one_command_below_each_marker(marker: str) -> None:
    (block,) = re.findall(rf"<!-- {marker} -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert len(block.splitlines()) == 1


def test_the_citation_names_the_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [__version__]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_are_in_plain_british_english(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`]*`|Gray\S*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert STRANGE.findall(text) == []
