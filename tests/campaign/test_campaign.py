"""A few hundred hostile files in each run of the tests; the seed is that of the run, and printed."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from .hostile import Hostile, hostile
from .promises import Run, broken_promises, run

#: Another seed each day finds what one alone does not; AHSCT_SEED repeats a day.
SEED = int(os.environ.get("AHSCT_SEED", "20160607"))
N_FILES = 250


def test_every_promise_is_kept(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    codes: Counter[int | None] = Counter()
    broken = []
    for number in range(N_FILES):
        case = hostile(SEED, number)
        done = run(case, tmp_path)
        codes[done.exit_code] += 1
        broken += (f"--seed {SEED} --only {number}: {each}" for each in broken_promises(case, done))
    assert not broken, "\n".join(["python -m tests.campaign", *broken])
    # Files that are all refused, or all read, would ask little.
    assert codes[0] > N_FILES / 10
    assert codes[3] > N_FILES / 10


def test_the_same_seed_makes_the_same_file() -> None:
    assert hostile(7, 3) == hostile(7, 3)
    assert hostile(7, 3) != hostile(8, 3)


GOOD = b'{"account": {"rows_read": 2, "rows_used": 1, "set_aside": [{"reason": "x", "count": 1}]}}'


@pytest.mark.parametrize(
    ("done", "n_broken"),
    [
        (Run(0, GOOD, "", 1), 0),
        (Run(3, b"", "ahsct: input.csv:2: sex is 'w'", 1), 0),
        (Run(1, GOOD, "", 1), 1),
        (Run(None, b"", "Traceback\nValueError: x", 1), 1),
        (Run(3, b"", "ahsct: something is wrong", 1), 1),
        (Run(3, b"x", "ahsct: input.csv is wrong", 1), 2),
        (Run(2, b"", "", 1), 1),
        (Run(2, b"", "ahsct: \x1b[31m", 1), 1),
        (Run(2, b"", "ahsct: " + "x" * 40_000, 1), 1),
        (Run(0, b"", "", 1), 2),
        (Run(0, b'{"a": NaN}', "", 1), 1),
        (Run(0, b'{"a": "\\udcff"}', "", 1), 1),
        (Run(0, GOOD.replace(b'used": 1', b'used": 2'), "", 1), 1),
        (Run(0, GOOD, "", 100), 1),
    ],
)
def test_a_broken_promise_is_seen(done: Run, n_broken: int) -> None:
    """The oracle against runs made by hand, each with what it breaks."""
    assert len([*broken_promises(Hostile(b"", ["summarize", "{}", "--json"]), done)]) == n_broken
