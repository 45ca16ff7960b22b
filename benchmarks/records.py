"""A records file of ten million rows: the whole `ahsct summarize` against `pandas.read_csv` of the same file.

    python benchmarks/records.py
    python benchmarks/records.py --shuffle                # rows in random order
    python benchmarks/records.py --dated                  # dates instead of days
    python benchmarks/records.py --bad-cell               # and with one wrong cell near the end of the file
    python benchmarks/records.py --polars ENV/bin/python  # and against a script of the same endpoints in polars
    python benchmarks/records.py --write FILE.csv         # only the input

``ENV`` is an environment with polars and numpy; the script in polars knows days and no dates. Exits with 1 if a
limit is exceeded, or if the wrong cell is not reported with its line.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from harness import AHSCT, READ_CSV, SEED, Command, argument_parser, compare, generate, run

TIME_LIMIT = 2.0
MEMORY_LIMIT = 1.0
#: A file with a wrong cell against the same file without it.
BAD_CELL_LIMIT = 3.0
#: Against what a user would write instead, `polars_script.py`.
POLARS_LIMIT = 0.8
ROWS_PER_PATIENT = 100
BATCH = 1_000_000
#: 1 January 2002, in days since 1970.
FIRST_TRANSPLANT = 11_688

#: The kinds of record in the order in which those of one day are written.
KINDS = ["baseline", "observed_from", "transplant", "relapse", "edss", "mri", "last_contact", "death"]
IN_POINTS = ["0.0", *(f"{step / 2:.1f}" for step in range(2, 21))]
CAUSES = ["transplant", "ms", "other"]
ATTRIBUTES = {
    "site": [f"Hospital {number:02d}" for number in range(1, 41)],
    "arm": ["transplant", "control"],
    "sex": ["female", "female", "male"],
    "age_years": [str(age) for age in range(18, 61)],
    "ms_course": ["RRMS", "RRMS", "RRMS", "SPMS", "PPMS"],
    "prior_therapy": ["yes", "yes", "yes", "no"],
    "conditioning": ["Bu/Cy/ATG", "BEAM/ATG", "Cy/ATG"],
    "graft": ["CD34-selected", "unselected"],
}


def write(file: Path, n_patients: int, *, is_shuffled: bool, is_dated: bool, has_bad_cell: bool) -> None:
    """Write the records of all patients, one hundred each, sorted by patient and day or shuffled.

    With dates the transplants lie within ten years, so that most patients have different ones.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    records = draw(n_patients)
    names = pa.array([f"P{number:07d}" for number in range(1, n_patients + 1)])
    order = np.lexsort((records["kind"], records["day"], records["kind"] > 0, records["patient"]))
    if is_shuffled:
        order = np.random.default_rng(SEED + 1).permutation(order)
    bad_row = bad_cell_row(len(order)) if has_bad_cell else -1
    writer = None
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        part = {name: values[rows] for name, values in records.items()}
        is_kind = {kind: part["kind"] == code for code, kind in enumerate(KINDS)}

        def texts(column: str, of: list[str], is_there: Any, part: dict[str, Any] = part) -> Any:
            return pc.take(pa.array(of, pa.string()), pa.array(part[column], pa.int32(), mask=~is_there))

        def count(column: str, is_there: Any, part: dict[str, Any] = part) -> Any:
            return pa.array(part[column], pa.int16(), mask=~is_there)

        day = pa.array(part["day"], mask=is_kind["baseline"])
        if is_dated:
            day_0 = FIRST_TRANSPLANT + part["patient"] * 7919 % 3652
            day = pa.array(day_0 + part["day"], pa.int32(), mask=is_kind["baseline"]).cast(pa.date32())
        if start <= bad_row < start + BATCH:
            at = bad_row - start
            day = pa.concat_arrays(
                [day[:at].cast(pa.string()), pa.array(["soon"]), day[at + 1 :].cast(pa.string())]
            )
        columns = {
            "patient_id": names.take(pa.array(part["patient"])),
            "record": pc.take(pa.array(KINDS), pa.array(part["kind"])),
            ("date" if is_dated else "day"): day.cast(pa.string()),
            **{
                name: texts(name, [*dict.fromkeys(values)], is_kind["baseline"])
                for name, values in ATTRIBUTES.items()
            },
            "edss": texts("edss", IN_POINTS, is_kind["edss"]),
            "gd_lesions": count("gd_lesions", is_kind["mri"]),
            # The first scan has no earlier one in which a T2 lesion would be missing.
            "new_t2_lesions": count("new_t2_lesions", is_kind["mri"] & (part["day"] > 0)),
            "cause_of_death": texts("cause", CAUSES, is_kind["death"]),
        }
        batch = pa.table(columns)
        if writer is None:
            options = csv.WriteOptions(quoting_style="none", quoting_header="none")
            writer = csv.CSVWriter(file, batch.schema, write_options=options)
        writer.write_table(batch)
    if writer is not None:
        writer.close()


def bad_cell_row(n_rows: int) -> int:
    """The row, from 0, whose day is not a number."""
    return n_rows * 9 // 10


def draw(n: int) -> dict[str, Any]:
    """Draw all records: one array per column, with one element per record.

    Each patient has a baseline, a transplant, an ``observed_from``, relapses before and after, and
    ``last_contact`` or ``death`` as the last record; EDSS visits and scans in equal number fill up to
    `ROWS_PER_PATIENT`. The first visit and the first scan come before transplant. No two visits, scans or
    relapses of a patient share a day.
    """
    import numpy as np

    random = np.random.default_rng(SEED)
    everyone = np.arange(n, dtype=np.int32)
    is_dead = random.random(n) < 0.04
    end = np.where(is_dead, random.integers(95, 3650, n), random.integers(730, 4500, n))
    observed = random.integers(365, 2900, n)
    n_before = np.minimum(random.poisson(observed * 1.2 / 365), 20)
    n_after = np.minimum(random.poisson(0.5, n), 6)
    n_visits = (ROWS_PER_PATIENT - 4 - n_before - n_after) // 2
    n_scans = ROWS_PER_PATIENT - 4 - n_before - n_after - n_visits

    def spread(counts: Any, first: Any, last: Any) -> tuple[Any, Any, Any]:
        """Patient, number from 0 and day of `counts` records each, at distinct days from first to last."""
        patient = np.repeat(everyone, counts)
        number = np.arange(len(patient)) - np.repeat(np.cumsum(counts) - counts, counts)
        # The first half of each of `counts` equal parts, so that days two apart stay apart.
        share = (number + random.random(len(patient)) / 2) / counts[patient]
        start = first[patient]
        return patient, number, start + ((last[patient] - start) * share).astype(np.int32)

    def followed(counts: Any) -> tuple[Any, Any, Any]:
        """One record in the month before transplant and the others after it."""
        patient, number, day = spread(counts - 1, np.ones(n, np.int32), end)
        patient, number = np.concatenate([everyone, patient]), np.concatenate([0 * everyone, number + 1])
        return patient, number, np.concatenate([-random.integers(1, 31, n), day])

    parts: list[dict[str, Any]] = []

    def add(kind: str, patient: Any, day: Any, **values: Any) -> None:
        blank = np.zeros(len(patient), dtype=np.int8)
        part = {
            "patient": patient.astype(np.int32),
            "kind": np.full(len(patient), KINDS.index(kind), np.int8),
        }
        part["day"] = np.asarray(day, dtype=np.int16)
        for name in (*ATTRIBUTES, "edss", "gd_lesions", "new_t2_lesions", "cause"):
            part[name] = np.asarray(values.get(name, blank), dtype=np.int8)
        parts.append(part)

    attributes = {}
    for name, texts in ATTRIBUTES.items():
        distinct = [*dict.fromkeys(texts)]
        code = np.array([distinct.index(text) for text in texts])
        attributes[name] = code[random.integers(0, len(texts), n)]
    add("baseline", everyone, 0 * everyone, **attributes)
    add("observed_from", everyone, -observed)
    add("transplant", everyone, 0 * everyone)
    for patient, _, day in (
        spread(n_before, 1 - observed, 0 * end),
        spread(n_after, np.ones(n, np.int32), end),
    ):
        add("relapse", patient, day)

    patient, number, day = followed(n_visits)
    steps = random.choice([-2, -1, 0, 1, 2], p=[0.02, 0.06, 0.85, 0.05, 0.02], size=(n, n_visits.max()))
    steps[:, 0] = random.integers(3, 12, n)
    # An EDSS of 10 is death, and these patients were seen again.
    course = np.clip(np.cumsum(steps, axis=1, dtype=np.int16), 0, len(IN_POINTS) - 2)
    add("edss", patient, day, edss=course[patient, number])

    patient, number, day = followed(n_scans)
    gd = random.poisson(np.where(number == 0, 2.5, 0.03))
    add("mri", patient, day, gd_lesions=gd, new_t2_lesions=random.poisson(0.05, len(patient)) + gd)

    alive, dead = np.flatnonzero(~is_dead), np.flatnonzero(is_dead)
    add("last_contact", alive, end[alive])
    causes = np.where(end[dead] < 100, 0, random.integers(1, 3, len(dead)))
    add("death", dead, end[dead], cause=causes)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def main() -> None:
    """Generate the records and compare."""
    parser = argument_parser(__doc__, pairs=3)
    parser.add_argument(
        "--patients", type=int, default=100_000, help="with 100 rows each (default %(default)s)"
    )
    parser.add_argument("--shuffle", action="store_true", help="rows in random order")
    parser.add_argument("--dated", action="store_true", help="dates instead of days")
    parser.add_argument("--bad-cell", action="store_true", help="measure a file with one wrong cell too")
    parser.add_argument("--polars", metavar="PYTHON", help="measure against polars, of this interpreter")
    parser.add_argument("--write", type=Path, metavar="FILE", help="only write the records")
    options = parser.parse_args()
    if options.write:
        write(
            options.write,
            options.patients,
            is_shuffled=options.shuffle,
            is_dated=options.dated,
            has_bad_cell=options.bad_cell,
        )
        return
    n_rows = options.patients * ROWS_PER_PATIENT
    order = ("shuffled" if options.shuffle else "sorted") + (" and dated" if options.dated else "")
    flags = [flag for flag in ("shuffle", "dated") if getattr(options, flag)]
    chosen = ["--patients", str(options.patients), *(f"--{flag}" for flag in flags)]
    with tempfile.TemporaryDirectory() as folder:
        good = Path(folder) / "records.csv"
        generate(__file__, good, *chosen)
        ours = Command("ahsct summarize --json", [AHSCT, "summarize", str(good), "--json", "--pool"])
        is_kept = compare(
            f"A records file of {n_rows:,} rows, {order}",
            ours,
            Command("pandas.read_csv", [sys.executable, "-c", READ_CSV, str(good)]),
            pairs=options.pairs,
            time_limit=TIME_LIMIT,
            memory_limit=MEMORY_LIMIT,
        )
        if options.polars:
            script = str(Path(__file__).with_name("polars_script.py"))
            is_kept &= compare(
                "The same against a script in polars",
                ours,
                Command("polars_script.py", [options.polars, script, str(good)]),
                pairs=options.pairs,
                time_limit=POLARS_LIMIT,
            )
        if options.bad_cell:
            bad = Path(folder) / "wrong.csv"
            generate(__file__, bad, *chosen, "--bad-cell")
            wrong = Command(
                "with a wrong cell", [AHSCT, "summarize", str(bad), "--json", "--pool"], exit_code=3
            )
            place = f"{bad.name}:{bad_cell_row(n_rows) + 2}"
            messages = run(wrong).messages
            if place not in messages:
                raise SystemExit(f"the error does not name {place}:\n{messages[-2000:]}")
            is_kept &= compare(
                "The same with one wrong cell", wrong, ours, pairs=options.pairs, time_limit=BAD_CELL_LIMIT
            )
    raise SystemExit(0 if is_kept else 1)


if __name__ == "__main__":
    main()
