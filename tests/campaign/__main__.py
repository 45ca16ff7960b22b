"""A campaign by hand: ``python -m tests.campaign --n 20000 --seed 7``; exit 1 if a promise was broken."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from .hostile import hostile
from .promises import broken_promises, run


def campaign() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="files (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same files")
    parser.add_argument("--only", type=int, help="the number of one file, to be shown with its result")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    codes: Counter[int | None] = Counter()
    n_broken = 0
    with TemporaryDirectory() as folder:
        for number in range(given.n) if given.only is None else [given.only]:
            case = hostile(given.seed, number)
            done = run(case, Path(folder))
            codes[done.exit_code] += 1
            for promise in broken_promises(case, done):
                n_broken += 1
                print(f"--only {number}: {' '.join(case.arguments)}: {promise}", flush=True)
            if given.only is not None:
                print(case.content[:3000], done.out.decode("utf-8", "replace")[-3000:], done.err, sep="\n\n")
    print(f"exit codes {dict(codes.most_common())}; {n_broken} broken promises")
    return int(n_broken > 0)


if __name__ == "__main__":
    sys.exit(campaign())
