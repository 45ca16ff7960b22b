"""A patient table of a million rows: the whole `ahsct summarize` against `pandas.read_csv` of the same file.

    python benchmarks/patient_table.py
    python benchmarks/patient_table.py --write FILE.csv     # only the input

Exits with 1 if the limit is exceeded.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from harness import AHSCT, READ_CSV, SEED, Command, argument_parser, compare, generate

TIME_LIMIT = 2.0


def write(file: Path, n_patients: int) -> None:
    """Write a patient table with all columns but some, drawn from the seed; times are whole days in years."""
    import pyarrow as pa
    from pyarrow import csv

    from ahsct_trial.columns import PATIENT_TABLE

    columns = draw(n_patients)
    names = [column.name for column in PATIENT_TABLE if column.name in columns]
    table = pa.table({name: columns.pop(name) for name in names})
    if columns:
        raise SystemExit(f"not in the data dictionary: {', '.join(columns)}")
    csv.write_csv(table, file, csv.WriteOptions(quoting_style="none", quoting_header="none"))


def draw(n: int) -> dict[str, Any]:
    """Draw the columns; what contradicts itself in a patient's row is taken out before it is written."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    random = np.random.default_rng(SEED)
    always = np.ones(n, dtype=bool)

    def often(share: float) -> Any:
        return random.random(n) < share

    def coded(codes: Any, texts: Any, is_known: Any) -> Any:
        return pc.take(pa.array(texts, pa.string()), pa.array(codes, pa.int32(), mask=~is_known))

    def choice(texts: list[str], shares: list[float], is_known: Any = always) -> Any:
        return coded(random.choice(len(texts), p=shares, size=n), texts, is_known)

    def count(values: Any, is_known: Any) -> Any:
        return pa.array(values, pa.int32(), mask=~is_known)

    in_years = [f"{day / 365.25:.4f}" for day in range(20 * 366)]
    in_points = ["0.0", *(f"{step / 2:.1f}" for step in range(2, 21))]

    def days(values: Any, is_known: Any) -> Any:
        return coded(values, in_years, is_known)

    def edss(values: Any, is_known: Any) -> Any:
        return coded(np.clip(values, 0, len(in_points) - 1), in_points, is_known)

    is_dead = often(0.04)
    is_early = is_dead & often(0.2)
    follow_up = np.where(is_early, random.integers(5, 100, n), random.integers(100, 15 * 365, n))

    def day_by(limit: Any) -> Any:
        """A day from 1 to the limit."""
        return 1 + (random.random(n) * limit).astype(np.int32).clip(max=limit - 1)

    observed = random.integers(180, 10 * 365, n)
    has_history = ~often(0.02)
    has_relapses = ~often(0.02)
    relapses = random.poisson(0.15, n)
    scans = np.minimum(random.poisson(12, n), follow_up // 30)
    has_scans = ~often(0.02)
    was_scanned = has_scans & (scans > 0)
    has_lesion_counts = was_scanned & ~often(0.01)
    scans_with_new = np.minimum(scans, random.poisson(0.1, n))
    new_lesions = np.where(scans_with_new > 0, scans_with_new + random.poisson(1, n), 0)
    last_scan = np.maximum(follow_up - random.integers(0, 200, n), np.maximum(follow_up // 2, 1))
    has_new_lesion = has_lesion_counts & (scans_with_new > 0)
    has_baseline = ~often(0.03)
    was_seen = (follow_up > 60) & ~often(0.02)
    last_edss = np.maximum(follow_up - random.integers(0, 150, n), np.maximum(follow_up // 2, 1))
    points = random.integers(3, 13, n)
    is_changed = has_baseline & was_seen
    scans_before = random.poisson(1.5, n)
    has_scans_before = ~often(0.03)
    lesions_before = np.where(scans_before > 0, random.poisson(2.5 * scans_before), 0)
    return {
        "patient_id": pa.array([f"P{number:07d}" for number in range(1, n + 1)]),
        "site": choice([f"Hospital {number:02d}" for number in range(1, 41)], [1 / 40] * 40, ~often(0.001)),
        "arm": choice(["transplant", "control"], [0.5, 0.5]),
        "sex": choice(["female", "male"], [0.65, 0.35], ~often(0.005)),
        "age_years": count(random.integers(18, 61, n), ~often(0.01)),
        "ms_course": choice(["RRMS", "SPMS", "PPMS"], [0.7, 0.25, 0.05], ~often(0.01)),
        "prior_therapy": choice(["yes", "no"], [0.9, 0.1], ~often(0.02)),
        "conditioning": choice(["Bu/Cy/ATG", "BEAM/ATG", "Cy/ATG"], [0.2, 0.5, 0.3], ~often(0.02)),
        "graft": choice(["CD34-selected", "unselected"], [0.4, 0.6], ~often(0.05)),
        "years_observed_before": days(observed, has_history),
        "relapses_before": count(random.poisson(observed * 1.2 / 365), has_history),
        "scans_before": count(scans_before, has_scans_before),
        "lesions_before": count(lesions_before, has_scans_before & ~often(0.01)),
        "follow_up_years": days(follow_up, always),
        "relapses_after": count(relapses, has_relapses),
        "years_to_first_relapse": days(day_by(follow_up), has_relapses & (relapses > 0)),
        "scans_after": count(scans, has_scans),
        "scans_with_new_lesions_after": count(scans_with_new, has_lesion_counts),
        "new_lesions_after": count(new_lesions, has_lesion_counts),
        "years_to_first_new_lesion": days(day_by(last_scan), has_new_lesion),
        "years_to_last_scan": days(last_scan, was_scanned),
        "years_to_last_edss": days(last_edss, was_seen),
        "edss_baseline": edss(points, has_baseline),
        "edss_last": edss(points + random.integers(-3, 3, n), was_seen),
        "years_to_worsening": days(day_by(last_edss), is_changed & often(0.08)),
        "years_to_improvement": days(day_by(last_edss), is_changed & often(0.2)),
        "years_to_death": days(follow_up, is_dead),
        "cause_of_death": coded(
            np.where(is_early, 0, random.integers(1, 3, n)),
            ["transplant", "ms", "other"],
            is_dead & ~often(0.05),
        ),
    }


def main() -> None:
    """Generate the table and compare."""
    parser = argument_parser(__doc__, pairs=5)
    parser.add_argument("--patients", type=int, default=1_000_000, help="rows (default %(default)s)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="only write the table")
    options = parser.parse_args()
    if options.write:
        write(options.write, options.patients)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "patients.csv"
        generate(__file__, file, "--patients", str(options.patients))
        is_kept = compare(
            f"A patient table of {options.patients:,} rows",
            Command("ahsct summarize --json", [AHSCT, "summarize", str(file), "--json", "--pool"]),
            Command("pandas.read_csv", [sys.executable, "-c", READ_CSV, str(file)]),
            pairs=options.pairs,
            time_limit=TIME_LIMIT,
        )
    raise SystemExit(0 if is_kept else 1)


if __name__ == "__main__":
    main()
