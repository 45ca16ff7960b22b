"""What a figure costs: `ahsct plot survival` on the sample cohort against bare imports.

    python benchmarks/plot.py

Exits with 1 if the limit is exceeded, or if `ahsct summarize` imports matplotlib or jinja2.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from harness import AHSCT, ROOT, Command, argument_parser, compare

LIMIT = 2.0
BARE_IMPORTS = "import pandas, matplotlib.figure"
SAMPLE = "data/sample_cohort.csv"
#: Packages of the extra, which no other command may load.
EXTRA = {"matplotlib", "jinja2"}


def imports_of_summarize() -> set[str]:
    """The top-level packages that `ahsct summarize` imports."""
    words = [sys.executable, "-X", "importtime", "-m", "ahsct_trial", "summarize", SAMPLE]
    told = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT).stderr
    lines = (line for line in told.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def main() -> None:
    """Run both checks."""
    pairs = argument_parser(__doc__, pairs=15).parse_args().pairs
    peer = Command("bare imports", [sys.executable, "-c", BARE_IMPORTS])
    is_kept = True
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("svg", "pdf", "png"):
            output = str(Path(folder) / f"figure.{ending}")
            ours = Command(
                f"ahsct plot survival -o FIG.{ending}",
                [AHSCT, "plot", "survival", SAMPLE, "-o", output, "--force"],
            )
            is_kept &= compare(f"A figure as {ending}", ours, peer, pairs=pairs, time_limit=LIMIT)
    extra = EXTRA & imports_of_summarize()
    print(f"\nPackages of the extra that ahsct summarize imports: {', '.join(sorted(extra)) or 'none'}")
    raise SystemExit(0 if is_kept and not extra else 1)


if __name__ == "__main__":
    main()
