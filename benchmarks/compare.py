"""Two arms side by side: the whole `ahsct compare` against `ahsct summarize` of the same file.

    python benchmarks/compare.py
    python benchmarks/compare.py --patients 100000    # smaller files

The files are those of patient_table.py and records.py, whose patients are of two arms. Exits with 1 if a
limit is exceeded.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness import AHSCT, Command, argument_parser, compare, generate

TIME_LIMIT = 1.5
#: Which script writes each file, and of how many patients, as a share of those asked for: a patient has one
#: row or a hundred.
INPUTS = {"patient_table.py": 1.0, "records.py": 0.1}


def main() -> None:
    """Generate both files and compare."""
    parser = argument_parser(__doc__, pairs=3)
    parser.add_argument(
        "--patients", type=int, default=1_000_000, help="rows of the patient table (default %(default)s)"
    )
    options = parser.parse_args()
    is_kept = True
    with tempfile.TemporaryDirectory() as folder:
        for script, share in INPUTS.items():
            file = Path(folder) / f"{Path(script).stem}.csv"
            n = max(round(options.patients * share), 2)
            generate(str(Path(__file__).with_name(script)), file, "--patients", str(n))
            is_kept &= compare(
                f"Two arms of {n:,} patients, {file.name}",
                Command(
                    "ahsct compare --by arm --json", [AHSCT, "compare", str(file), "--by", "arm", "--json"]
                ),
                Command("ahsct summarize --pool --json", [AHSCT, "summarize", str(file), "--pool", "--json"]),
                pairs=options.pairs,
                time_limit=TIME_LIMIT,
            )
    raise SystemExit(0 if is_kept else 1)


if __name__ == "__main__":
    main()
