"""Signals at random moments while a file is written; by hand ``python -m tests.campaign.kills --n 200 --seed 7``.

A file has its whole old or its whole new content or is not there, and no draft stands beside it. Only where the
process had no chance to tidy up (SIGKILL) a draft may be left; half a file under the file's name never.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

#: The process says when it begins to write 32 MB.
_WRITES = (
    "import sys, pathlib; from ahsct_trial.output import write_file; content = b'n' * (1 << 25)\n"
    "print('writing', flush=True)\n"
    "write_file(content, pathlib.Path(sys.argv[1]), force=len(sys.argv) > 2)"
)
_NEW, _OLD = b"n" * (1 << 25), b"o" * 1000
#: How long a signal may wait [s]: writing takes a part of it.
_LONGEST = 0.15


@dataclass(frozen=True)
class Kill:
    """A signal that is sent so long after the process begins to write, and whether a file is replaced."""

    number: signal.Signals
    seconds: float
    is_replacing: bool


def kill(seed: int, number: int) -> Kill:
    """The same for the same seed and number, always."""
    draw = Random(f"{seed}:{number}")
    return Kill(
        draw.choice([signal.SIGTERM, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL]),
        draw.uniform(0, _LONGEST),
        draw.random() < 0.5,
    )


def broken_promises(case: Kill, folder: Path) -> Iterator[str]:
    """Write a file in an empty folder, send the signal, and say in words what was left that must not be."""
    path = folder / "result.bin"
    if case.is_replacing:
        path.write_bytes(_OLD)
    command = [sys.executable, "-c", _WRITES, str(path), *(["--force"] if case.is_replacing else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(case.seconds)
        process.send_signal(case.number)
        process.wait(timeout=60)
    found = path.read_bytes() if path.exists() else None
    if found not in ({_OLD, _NEW} if case.is_replacing else {None, _NEW}):
        yield "no file" if found is None else f"{len(found)} bytes"
    is_done = process.returncode == 0
    if is_done and found != _NEW:
        yield "exit 0 without the file"
    drafts = [each.name for each in folder.iterdir() if each != path]
    if drafts and case.number != signal.SIGKILL:
        yield f"a draft is left: {drafts}"
    for each in folder.iterdir():
        each.unlink()


def campaign() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.kills", description=__doc__)
    parser.add_argument("--n", type=int, default=200, help="signals (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed sends the same signals")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    sent: Counter[str] = Counter()
    n_broken = 0
    with TemporaryDirectory() as folder:
        for number in range(given.n):
            case = kill(given.seed, number)
            sent[case.number.name] += 1
            for promise in broken_promises(case, Path(folder)):
                n_broken += 1
                print(f"{number}: {case}: {promise}", flush=True)
    print(f"signals {dict(sent.most_common())}; {n_broken} broken promises")
    return int(n_broken > 0)


if __name__ == "__main__":
    sys.exit(campaign())
