"""A report of 1,000,000 patients: time to write it, its size, and its load in Chromium if there is one.

    python benchmarks/report.py

The load is the time from the navigation to the page's load event, as the page itself tells.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from harness import AHSCT, ROOT, Command, argument_parser, generate, run

N_PATIENTS = 1_000_000
_LOAD_MS = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def loads(page: Path, times: int) -> list[float]:
    """How long the page takes to load and lay out [ms]; empty where there is no Chromium."""
    sys.path.insert(0, str(ROOT / "tests" / "rendering"))
    from browser import find_browser, running_browser

    executable = find_browser()
    if executable is None:
        return []
    found = []
    with running_browser(executable) as browser:
        for _ in range(times):
            browser.open(page, 800)
            found.append(float(browser.evaluate(_LOAD_MS)))
    return found


def main() -> None:
    """Write the report a few times, then load it as often."""
    times = argument_parser(__doc__, pairs=3).parse_args().pairs
    with tempfile.TemporaryDirectory() as folder:
        cohort, page = Path(folder) / "cohort.csv", Path(folder) / "report.html"
        generate("benchmarks/patient_table.py", cohort)
        words = [AHSCT, "report", str(cohort), "-o", str(page), "--force"]
        runs = [run(Command("ahsct report", words)) for _ in range(times)]
        seconds, peak = median(one.seconds for one in runs), max(one.peak_mb for one in runs)
        print(f"{N_PATIENTS:,} patients: written in {seconds:.1f} s, peak {peak:,.0f} MB")
        print(f"Page: {page.stat().st_size / 1e6:.1f} MB")
        loaded = loads(page, times)
        print(f"Loaded in {median(loaded):.0f} ms" if loaded else "No Chromium on the path: not loaded.")


if __name__ == "__main__":
    main()
