"""Confirmed worsening: this package against pymsprog, both timed in the same run on the same patients.

    python benchmarks/worsening.py --peer-python ENV/bin/python
    python benchmarks/worsening.py --peer-python ENV/bin/python --reference tests/reference

``ENV`` is an environment of its own that holds pymsprog, which needs an older pandas; without the option one
is made in a temporary folder and thrown away. The first form prints times, ratio, agreement, linearity and
peak memory. The second writes pymsprog's results on seeded patients, which the tests compare with ours.

Every measurement has a process of its own, so that its peak memory is its own, and so has the drawing of the
patients, since a process starts with the peak of the one that started it. Ours is timed on both directions,
pymsprog on worsening alone.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np

PEER = "pymsprog==1.0.7"
SEED = 20160609
REFERENCE_PATIENTS = 1200
EDSS_VALUES = np.array([0.0, *np.arange(2, 21) / 2])
EVENTS = {"worsening": ("firstCDW", "CDW"), "improvement": ("firstCDI", "CDI")}

#: Settings of the reference, as fields of `ahsct_trial.protocol.Protocol`; what is left out is its default.
SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "msprog": {"worsening_confirm_weeks": 12.0, "confirm_late_days": 730.5, "baseline": "first-stable"},
    "84-days-0-none": {"worsening_confirm_weeks": 12.0, "confirm_early_days": 0.0},
    "168-days-0-none": {"confirm_early_days": 0.0, "baseline": "first-stable"},
    "168-days-7-730.5": {"confirm_late_days": 730.5},
    "84-days-7-7": {"worsening_confirm_weeks": 12.0, "confirm_late_days": 7.0},
    "no-relapse-rule": {"relapse_free_days": 0.0, "baseline": "first-stable"},
    "relapse-free-90": {"worsening_confirm_weeks": 12.0, "relapse_free_days": 90.0},
    "steps": {
        "worsening_confirm_weeks": 12.0,
        "step_from_zero": 1.0,
        "step_low": 1.5,
        "step_high": 1.0,
        "step_high_from": 6.0,
    },
}
DEFAULTS = {
    "worsening_confirm_weeks": 24.0,
    "confirm_early_days": 7.0,
    "confirm_late_days": None,
    "relapse_free_days": 30.0,
    "baseline": "last-before",
    "step_from_zero": 1.5,
    "step_low": 1.0,
    "step_high": 0.5,
    "step_high_from": 5.5,
}


def generate(n_patients: int, n_visits: int, seed: int = SEED) -> dict[str, np.ndarray]:
    """Draw EDSS courses and relapses, sorted by patient and day, with many distances on the rules' edges.

    Visits are 42, 84 or 168 days apart, give or take a few days, the second one about day 0, and about one in
    sixteen comes two years late. EDSS walks in half points. Relapses lie 0, 1, 29, 30, 31, … days before some
    of the visits.
    """
    random = np.random.default_rng(seed)
    shape = (n_patients, n_visits)
    interval = random.choice([42, 84, 84, 168], size=(n_patients, 1))
    day = interval * (np.arange(n_visits) - 1) + random.choice([-9, -7, -1, 0, 0, 0, 1, 7, 9], size=shape)
    gap = random.choice([0, 650, 730, 731, 850], p=[0.94, 0.015, 0.015, 0.015, 0.015], size=shape)
    gap[:, :2] = 0
    day += np.cumsum(gap, axis=1)
    step = random.choice([-3, -2, -1, 0, 1, 2, 3], p=[0.02, 0.06, 0.12, 0.56, 0.13, 0.08, 0.03], size=shape)
    step[:, 0] = random.integers(0, len(EDSS_VALUES), n_patients)
    edss = EDSS_VALUES[np.clip(np.cumsum(step, axis=1), 0, len(EDSS_VALUES) - 1)]
    relapse_at = np.flatnonzero(random.random(day.size) < 0.08)
    before = random.choice([-40, -1, 0, 1, 15, 29, 30, 31, 60, 89, 90], size=len(relapse_at))
    return {
        "patient": np.repeat(np.arange(n_patients, dtype=np.int32), n_visits),
        "day": day.astype(np.int32).ravel(),
        "edss": edss.ravel(),
        "relapse_patient": (relapse_at // n_visits).astype(np.int32),
        "relapse_day": (day.ravel()[relapse_at] - before).astype(np.int32),
    }


# --- the two sides, each in a process of its own --------------------------------------------------------


def run_ours(inputs: Path, repeats: int) -> dict[str, Any]:
    """Time the derivation with the default protocol; save who worsened when."""
    from ahsct_trial.derivation.disability import derive_disability
    from ahsct_trial.protocol import Protocol
    from ahsct_trial.records import EdssVisits, Relapses

    data = dict(np.load(inputs))
    visits = EdssVisits(data["patient"], data["day"], data["edss"])
    relapses = Relapses(data["relapse_patient"], data["relapse_day"])
    n_patients = int(visits.patient.max()) + 1
    before = peak_mb()
    times = []
    for _ in range(repeats):
        started = now()
        change = derive_disability(visits, relapses, n_patients, Protocol())
        times.append(now() - started)
    peak = peak_mb()
    found = np.flatnonzero(change.worsening.onset_row >= 0)
    rows = [change.baseline_row, change.worsening.onset_row, change.worsening.confirming_row]
    np.save(inputs.with_name("ours.npy"), np.column_stack([found, *(visits.day[row[found]] for row in rows)]))
    seconds, cpu_seconds = np.min(times, axis=0).tolist()
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "before_mb": before, "peak_mb": peak}


def run_peer(inputs: Path, settings: dict[str, Any], direction: str) -> dict[str, Any]:
    """Time ``MSprog`` with the arguments that state the same rule; runs in the peer's environment."""
    import pandas as pd
    from pymsprog import MSprog

    data = dict(np.load(inputs))
    visits = pd.DataFrame({"id": data["patient"], "day": data["day"], "EDSS": data["edss"]})
    relapses = pd.DataFrame({"id": data["relapse_patient"], "day": data["relapse_day"]})
    visits = cut_to_baseline(visits, relapses, settings)
    event, event_type = EVENTS[direction]
    days = int(settings["worsening_confirm_weeks"] * 7)
    late = settings["confirm_late_days"]

    def delta(baseline: float) -> float:
        if baseline == 0:
            return float(settings["step_from_zero"])
        is_low = baseline < settings["step_high_from"]
        return float(settings["step_low"] if is_low else settings["step_high"])

    uses_default_steps = all(settings[key] == DEFAULTS[key] for key in DEFAULTS if key.startswith("step"))
    before = peak_mb()
    started = now()
    _, results = MSprog(
        visits,
        "id",
        "EDSS",
        "day",
        "edss",
        relapse=relapses,
        delta_fun=None if uses_default_steps else delta,
        event=event,
        baseline="fixed",
        conf_days=days,
        conf_tol_days=[settings["confirm_early_days"], math.inf if late is None else late],
        relapse_to_bl=settings["relapse_free_days"],
        relapse_to_conf=settings["relapse_free_days"],
        date_format="day",
        include_dates=True,
        verbose=0,
    )
    seconds, cpu_seconds = (now() - started).tolist()
    columns = ["id", "bl_date", "date", f"conf{days}_date"]
    peak = peak_mb()
    events = results.loc[results["event_type"] == event_type, columns].sort_values("id").astype(int)
    np.save(inputs.with_name("theirs.npy"), events.to_numpy())
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "before_mb": before, "peak_mb": peak}


def cut_to_baseline(visits: Any, relapses: Any, settings: dict[str, Any]) -> Any:
    """Leave out the visits that pymsprog, which knows no day 0, must not see.

    Its fixed baseline is the first relapse-free visit it is given. So it is given those from day 0 on, or,
    for ``last-before``, the last relapse-free one up to day 0 and those after day 0.
    """
    if settings["baseline"] == "first-stable":
        return visits[visits["day"] >= 0]
    onsets: dict[int, list[int]] = {}
    for patient, day in relapses.itertuples(index=False):
        onsets.setdefault(patient, []).append(day)
    baseline: dict[int, int] = {}
    for patient, day, _ in visits.itertuples(index=False):
        distances = [day - onset for onset in onsets.get(patient, [])]
        if day <= 0 and not any(0 <= distance < settings["relapse_free_days"] for distance in distances):
            baseline[patient] = max(day, baseline.get(patient, day))
    is_baseline = visits["day"] == visits["id"].map(baseline)
    return visits[is_baseline | (visits["id"].isin(baseline) & (visits["day"] > 0))]


def read_events(folder: Path, side: str) -> list[list[int]]:
    """Read patient, baseline day, onset day and confirming day of those who worsened, or improved."""
    return np.load(folder / f"{side}.npy").tolist()


def now() -> np.ndarray:
    """Read the clock on the wall and the processor time of this process [seconds]."""
    return np.array([time.perf_counter(), time.process_time()])


def peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def in_process(python: str, *arguments: object) -> dict[str, Any]:
    command = [python, __file__, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


# --- the two jobs ---------------------------------------------------------------------------------------


def compare(peer: str, folder: Path, n_patients: int, n_large: int, n_visits: int) -> None:
    """Print times, ratio, agreement, linearity and peak memory.

    Both sides use one thread. So the ratios are of processor time, into which other work on the machine does
    not enter as it does into the clock's.
    """
    print(f"{'':34}{'patients':>10}{'visits':>12}{'seconds':>11}{'CPU':>11}{'peak MB':>9}{'of it data':>12}")

    def show(label: str, n: int, run: dict[str, Any]) -> dict[str, Any]:
        sizes = f"{n:>10,}{n * n_visits:>12,}{run['seconds']:>11.4f}{run['cpu_seconds']:>11.4f}"
        print(f"{label:34}{sizes}{run['peak_mb']:>9.0f}{run['before_mb']:>12.0f}", flush=True)
        return run

    def measure(label: str, n: int, *, is_shuffled: bool = False) -> dict[str, Any]:
        inputs = folder / "inputs.npz"
        shuffle = ["--shuffle"] if is_shuffled else []
        in_process(sys.executable, "--draw", inputs, "--patients", n, "--visits", n_visits, *shuffle)
        return show(label, n, in_process(sys.executable, "--ours", inputs, "--repeats", 7))

    large = measure("ahsct-trial", n_large)
    measure("ahsct-trial, rows shuffled", n_large, is_shuffled=True)
    ours = measure("ahsct-trial", n_patients)
    theirs = in_process(peer, "--peer", folder / "inputs.npz", "--settings", json.dumps(DEFAULTS))
    show(PEER.replace("==", " "), n_patients, theirs)
    growth = large["cpu_seconds"] / ours["cpu_seconds"] / (n_large / n_patients)
    found = [{tuple(event) for event in read_events(folder, side)} for side in ("ours", "theirs")]
    print(f"\n{theirs['cpu_seconds'] / ours['cpu_seconds']:,.0f} times faster on {n_patients:,} patients")
    print(f"{growth:.2f} times the time per visit at {n_large:,} patients as at {n_patients:,}")
    same = len(found[0] & found[1])
    print(f"worsened: {len(found[0])} here, {len(found[1])} there, {same} with the same days")


def draw(inputs: Path, n_patients: int, n_visits: int, *, is_shuffled: bool) -> None:
    data = generate(n_patients, n_visits)
    if is_shuffled:
        order = np.random.default_rng(SEED).permutation(len(data["day"]))
        data.update({column: data[column][order] for column in ("patient", "day", "edss")})
    np.savez(inputs, **data)


def write_reference(peer: str, inputs: Path, target: Path) -> None:
    """Write the seeded visits, the settings, and what pymsprog finds under each of them."""
    draw(inputs, REFERENCE_PATIENTS, 15, is_shuffled=False)
    data = dict(np.load(inputs))
    events = []
    for name, chosen in SETTINGS.items():
        for direction in EVENTS:
            settings = json.dumps(DEFAULTS | chosen)
            run = in_process(peer, "--peer", inputs, "--settings", settings, "--direction", direction)
            found = read_events(inputs.parent, "theirs")
            events += [(name, direction, *event) for event in found]
            print(f"{name}, {direction}: {len(found)} patients, {run['seconds']:.1f} s", flush=True)
    visits = zip(data["patient"].tolist(), data["day"].tolist(), data["edss"].tolist(), strict=True)
    relapses = zip(data["relapse_patient"].tolist(), data["relapse_day"].tolist(), strict=True)
    header = "setting direction patient baseline_day onset_day confirming_day"
    write_csv(target / "pymsprog_events.csv.gz", header, events)
    write_csv(target / "pymsprog_visits.csv.gz", "patient day edss", visits)
    write_csv(target / "pymsprog_relapses.csv.gz", "patient day", relapses)
    (target / "pymsprog_settings.json").write_text(json.dumps(SETTINGS, indent=2) + "\n", encoding="utf-8")


def write_csv(path: Path, header: str, rows: Any) -> None:
    """Write rows without name and time in the archive, so that the same rows give the same bytes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header.split())
    writer.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer-python", help="Python of an environment with pymsprog; else one is made")
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000, help="patients for the linearity")
    parser.add_argument("--visits", type=int, default=15)
    parser.add_argument("--reference", type=Path, metavar="DIR", help="write pymsprog's results there")
    # What follows is for the processes that this one starts.
    parser.add_argument("--draw", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--shuffle", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--peer", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--settings", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--direction", default="worsening", choices=EVENTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.draw:
        draw(options.draw, options.patients, options.visits, is_shuffled=options.shuffle)
        print("{}")
        return
    if options.ours:
        print(json.dumps(run_ours(options.ours, options.repeats)))
        return
    if options.peer:
        print(json.dumps(run_peer(options.peer, options.settings, options.direction)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peer = options.peer_python
        if peer is None:
            venv.create(folder / "peer", with_pip=True)
            peer = str(folder / "peer" / "bin" / "python")
            subprocess.run([peer, "-m", "pip", "install", "--quiet", PEER], check=True)
        if options.reference:
            write_reference(peer, folder / "inputs.npz", options.reference)
        else:
            compare(peer, folder, options.patients, options.large, options.visits)


if __name__ == "__main__":
    main()
