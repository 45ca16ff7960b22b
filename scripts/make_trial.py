"""Invent the sample of a randomised trial: 110 synthetic patients, 55 in each arm, none of whom is real.

It is made so that `ahsct check data/sample_trial.csv --against mist2019 --arm HSCT=AHSCT` finds what the abstract of
the MIST trial (Burt 2019, NCT00273364) prints: 55 and 55 patients, progression in 3 and in 34, a hazard ratio of
0.07, no deaths. Its agreement with that trial is therefore no evidence of anything. The printed interval, 0.02–0.24,
is Wald's, which these patients give too; the program's profile-likelihood limits are 0.02–0.20, and with 3 and 34
events no patients can bring their upper one to 0.24.

Run ``python scripts/make_trial.py``: it rewrites ``data/sample_trial.csv`` and its copy inside the package. It needs
only the standard library, and every draw comes from `random.Random.random`, the one method whose sequence Python
guarantees for a seed.
"""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[1]
FILES = (
    ROOT / "data" / "sample_trial.csv",
    ROOT / "src" / "ahsct_trial" / "samples" / "sample_trial.csv",
)

DAYS_PER_YEAR = 365.25
PER_ARM = 55
#: Patients who worsen, as the abstract counts them.
WORSEN = {"AHSCT": 3, "DMT": 34}
#: Years of the last yearly visit, and how many of 55 patients have it.
LAST_VISITS = {1: 17, 2: 17, 3: 7, 4: 4, 5: 10}
#: Chosen among others: the hazard ratio and Wald's limits round to the published ones.
SEED = 11513


def make(seed: int) -> list[dict[str, str]]:
    """The rows of the file, the arms mixed as in a list of randomisation."""
    random = Random(seed)
    rows = [row for arm in ("AHSCT", "DMT") for row in _arm(arm, random)]
    rows = _shuffled(rows, random)
    return [{"patient_id": f"T{number:03d}", **row} for number, row in enumerate(rows, start=1)]


def _arm(arm: str, random: Random) -> list[dict[str, str]]:
    years = _shuffled([year for year, n in LAST_VISITS.items() for _ in range(n)], random)
    order = _shuffled(list(range(PER_ARM)), random)
    worsens = set(order[: WORSEN[arm]])
    improves = set(order[WORSEN[arm] :][: 30 if arm == "AHSCT" else 4])
    return [
        _patient(arm, year, "worse" if at in worsens else "better" if at in improves else "stable", random)
        for at, year in enumerate(years)
    ]


def _patient(arm: str, last_visit: int, change: str, random: Random) -> dict[str, str]:
    last_day = round(DAYS_PER_YEAR * last_visit) + _whole(-14, 14, random)
    baseline = _whole(4, 12, random) / 2
    onset = _whole(60, last_day - 190, random) if change != "stable" else None
    relapses = 0 if arm == "AHSCT" and random.random() < 0.85 else _whole(0, 3, random)
    first_relapse = _whole(20, last_day - 10, random) if relapses else None
    step = (1.0 if baseline < 5.5 else 0.5) * {"worse": 1, "better": -1, "stable": 0}[change]
    return {
        "site": ("Chicago", "Sheffield", "Sao Paulo", "Uppsala")[_whole(0, 3, random)],
        "arm": arm,
        "sex": "female" if random.random() < 0.66 else "male",
        "age_years": str(_whole(20, 54, random)),
        "ms_course": "RRMS",
        "follow_up_years": _years(last_day),
        "years_to_last_visit": _years(last_day),
        "relapses_after": str(relapses),
        "years_to_first_relapse": _years(first_relapse),
        "edss_baseline": f"{baseline:.1f}",
        "edss_last": f"{baseline + step:.1f}",
        "years_to_last_edss": _years(last_day),
        "years_to_worsening": _years(onset if change == "worse" else None),
        "years_to_improvement": _years(onset if change == "better" else None),
        "years_to_death": "",
        "cause_of_death": "",
    }


def _years(day: int | None) -> str:
    return "" if day is None else f"{day / DAYS_PER_YEAR:.4f}"


def _whole(low: int, high: int, random: Random) -> int:
    return low + int(random.random() * (high - low + 1))


def _shuffled(items: list, random: Random) -> list:
    keyed = sorted((random.random(), at) for at in range(len(items)))
    return [items[at] for _, at in keyed]


def main() -> None:
    """Write the file and its copy."""
    rows = make(SEED)
    for path in FILES:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
