"""Renew what documents show of the program: the output in them, and the data dictionary.

Usage: python scripts/renew_docs.py        rewrites them in place, with the program of this tree
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Documents that show commands with their output, and the folders in which a reader runs them.
WITH_OUTPUT = {
    "README.md": "",
    "docs/claim.md": "",
    "docs/figures.md": "",
    "docs/published.md": "",
    "docs/reconcile.md": "",
    "docs/tutorial.md": "docs/your-data",
}
_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
_DICTIONARY_HEAD = (
    "# Data dictionary\n\nWritten by `ahsct columns --format markdown`; "
    "the source is `src/ahsct_trial/columns.py`.\n\n"
)


def run(command: str, folder: str = "") -> str:
    """Run a command of a document as a reader would, at 80 columns and without colour."""
    ahsct = f'ahsct() {{ {shlex.quote(sys.executable)} -m ahsct_trial "$@"; }}'
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "80", "NO_COLOR": "1"}
    done = subprocess.run(
        ["bash", "-c", f"{ahsct}\n{command}"],
        cwd=ROOT / folder,
        env=environment,
        text=True,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout


def renewed_console(text: str, folder: str = "") -> str:
    """A document whose console blocks show what their commands print now, without blank lines at the end."""

    def renewed(block: re.Match[str]) -> str:
        commands = [line[2:] for line in block[1].splitlines() if line.startswith("$ ")]
        shown = (f"$ {command}\n{run(command, folder).rstrip()}\n" for command in commands)
        return f"```console\n{''.join(shown)}```"

    return _CONSOLE.sub(renewed, text)


def renewed_dictionary() -> str:
    """The data dictionary as the program prints it now."""
    return _DICTIONARY_HEAD + run("ahsct columns --format markdown")


def main() -> None:
    """Rewrite the documents."""
    for name, folder in WITH_OUTPUT.items():
        document = ROOT / name
        document.write_text(renewed_console(document.read_text(encoding="utf-8"), folder), encoding="utf-8")
    (ROOT / "docs" / "data-dictionary.md").write_text(renewed_dictionary(), encoding="utf-8")


if __name__ == "__main__":
    main()
