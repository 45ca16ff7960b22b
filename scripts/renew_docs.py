"""Renew what documents show of the program: the output in them, and the data dictionary.

Usage: python scripts/renew_docs.py        rewrites them in place
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Documents that show commands with their output.
WITH_OUTPUT = ("README.md", "docs/claim.md", "docs/figures.md", "docs/published.md", "docs/reconcile.md")
_CONSOLE = re.compile(r"(```console\n\$ )(.+?)\n(.*?)(```)", re.DOTALL)
_DICTIONARY_HEAD = (
    "# Data dictionary\n\nWritten by `ahsct columns --format markdown`; "
    "the source is `src/ahsct_trial/columns.py`.\n\n"
)


def run(command: str) -> str:
    """Run a command of a document as a reader would, at 80 columns and without colour."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment,
        text=True,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout


def renewed_console(text: str) -> str:
    """A document whose console blocks show what their commands print now."""
    return _CONSOLE.sub(lambda block: f"{block[1]}{block[2]}\n{run(block[2])}{block[4]}", text)


def renewed_dictionary() -> str:
    """The data dictionary as the program prints it now."""
    return _DICTIONARY_HEAD + run("ahsct columns --format markdown")


def main() -> None:
    """Rewrite the documents."""
    for name in WITH_OUTPUT:
        document = ROOT / name
        document.write_text(renewed_console(document.read_text(encoding="utf-8")), encoding="utf-8")
    (ROOT / "docs" / "data-dictionary.md").write_text(renewed_dictionary(), encoding="utf-8")


if __name__ == "__main__":
    main()
