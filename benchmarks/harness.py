"""Two commands against each other: processes timed in turns, A B A B, with the peak memory of each.

The process that measures stays small, since a child's peak begins with the memory of the process that started
it: inputs are generated in processes of their own, and nothing heavy is imported here.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
SEED = 20160609
AHSCT = str(Path(sys.executable).with_name("ahsct"))
#: As most users have it: modules are compiled once, in the unmeasured run, and not at each start.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
READ_CSV = "import sys, pandas; pandas.read_csv(sys.argv[1])"


@dataclass(frozen=True)
class Command:
    """A command line, the name it has in the table, and the exit code that is right for it."""

    label: str
    words: Sequence[str]
    exit_code: int = 0


@dataclass(frozen=True)
class Run:
    """One process from start to exit: wall time and processor time [s], peak memory [MB], standard error."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    messages: str


def run(command: Command) -> Run:
    """Run a command with its output thrown away; stop the benchmark if its exit code is not the right one."""
    with tempfile.TemporaryFile() as messages:
        started = time.perf_counter()
        process = subprocess.Popen(
            command.words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=messages,
            cwd=ROOT,
            env=ENVIRONMENT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        messages.seek(0)
        text = messages.read().decode("utf-8", "replace")
    if process.returncode != command.exit_code:
        raise SystemExit(
            f"{command.label}: exit code {process.returncode}, expected {command.exit_code}\n{text[-2000:]}"
        )
    peak_mb = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return Run(seconds, usage.ru_utime + usage.ru_stime, peak_mb, text)


def compare(
    title: str,
    ours: Command,
    peer: Command,
    *,
    pairs: int,
    time_limit: float,
    memory_limit: float | None = None,
) -> bool:
    """Run both commands in turns and print a table; give whether the ratios keep the limits.

    Parameters
    ----------
    title
        What is compared.
    ours, peer
        The ratio is `ours` ÷ `peer`.
    pairs
        How often each runs, after one unmeasured run each. The ratio that counts is the median of the pairs'
        ratios, so that a load on the machine that comes and goes meets both sides.
    time_limit, memory_limit
        Largest ratio that passes.
    """
    run(ours)
    run(peer)
    runs = [(run(ours), run(peer)) for _ in range(pairs)]
    print(f"\n{title}\n  {'':40}{'minimum':>10}{'median':>10}{'processor':>11}{'peak MB':>9}")
    for command, own in ((ours, [a for a, _ in runs]), (peer, [b for _, b in runs])):
        seconds, cpu = [one.seconds for one in own], median(one.cpu_seconds for one in own)
        peak = max(one.peak_mb for one in own)
        print(f"  {command.label:40}{min(seconds):>8.3f} s{median(seconds):>8.3f} s{cpu:>9.3f} s{peak:>9.0f}")
    is_kept = _verdict("time", [a.seconds / b.seconds for a, b in runs], time_limit)
    _verdict("processor time", [a.cpu_seconds / b.cpu_seconds for a, b in runs], None)
    return _verdict("peak memory", [a.peak_mb / b.peak_mb for a, b in runs], memory_limit) and is_kept


def _verdict(label: str, ratios: list[float], limit: float | None) -> bool:
    ratio = median(ratios)
    is_kept = limit is None or ratio <= limit
    words = "" if limit is None else f", limit {limit:g}: {'kept' if is_kept else 'EXCEEDED'}"
    pairs = " ".join(f"{one:.2f}" for one in ratios)
    print(f"  {label} ratio {ratio:.2f}{words}   (pairs {pairs})", flush=True)
    return is_kept


def generate(script: str, file: Path, *options: str) -> None:
    """Let the benchmark's own script write its input, in a process of its own."""
    started = time.perf_counter()
    subprocess.run([sys.executable, script, "--write", str(file), *options], check=True, cwd=ROOT)
    size = file.stat().st_size / 2**20
    print(f"{file.name}: {size:,.0f} MB, written in {time.perf_counter() - started:.0f} s", flush=True)


def argument_parser(description: str | None, pairs: int) -> argparse.ArgumentParser:
    """The options that all benchmarks have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=pairs, help="runs of each command (default %(default)s)")
    return parser
