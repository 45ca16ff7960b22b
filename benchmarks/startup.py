"""What a start costs: `ahsct` on the sample cohort against bare imports, its help against a hello-world.

    python benchmarks/startup.py

Exits with 1 if a limit is exceeded, or if `ahsct --help` imports pandas.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from harness import AHSCT, ROOT, Command, argument_parser, compare

SUMMARIZE_LIMIT = 1.25
HELP_LIMIT = 1.5
BARE_IMPORTS = "import pandas, pyarrow.csv, scipy.special, typer, rich.table"
HELLO_WORLD = '''\
import typer

app = typer.Typer()


@app.command()
def hello(name: str) -> None:
    """Say hello."""
    print(f"Hello {name}")


app()
'''
#: Packages that only a command may load.
HEAVY = {"pandas", "numpy", "pyarrow", "scipy", "msgspec"}


def imports_of_help() -> set[str]:
    """The top-level packages that `ahsct --help` imports."""
    words = [sys.executable, "-X", "importtime", "-m", "ahsct_trial", "--help"]
    told = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT).stderr
    lines = (line for line in told.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def main() -> None:
    """Run all three checks."""
    pairs = argument_parser(__doc__, pairs=15).parse_args().pairs
    is_kept = compare(
        "A small file",
        Command("ahsct summarize data/sample_cohort.csv", [AHSCT, "summarize", "data/sample_cohort.csv"]),
        Command("bare imports", [sys.executable, "-c", BARE_IMPORTS]),
        pairs=pairs,
        time_limit=SUMMARIZE_LIMIT,
    )
    with tempfile.TemporaryDirectory() as folder:
        hello = Path(folder) / "hello.py"
        hello.write_text(HELLO_WORLD, encoding="utf-8")
        is_kept &= compare(
            "Help",
            Command("ahsct --help", [AHSCT, "--help"]),
            Command("Typer hello-world --help", [sys.executable, str(hello), "--help"]),
            pairs=pairs,
            time_limit=HELP_LIMIT,
        )
    heavy = HEAVY & imports_of_help()
    print(f"\nHeavy packages that ahsct --help imports: {', '.join(sorted(heavy)) or 'none'}")
    raise SystemExit(0 if is_kept and not heavy else 1)


if __name__ == "__main__":
    main()
