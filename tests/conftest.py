"""What all tests share: golden files, the command line in this process, and how hypothesis searches."""

from __future__ import annotations

import difflib
import io
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from golden_text import is_alike
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).parent / "golden"

# Matrices here are small, and the tests share the processors: OpenBLAS's threads would wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A slow machine is no fault of the code; the benchmarks watch the time.
settings.register_profile("ahsct", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ahsct")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--renew-golden",
        action="store_true",
        help="write what the tests give to tests/golden, to be read as a diff",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with ``tests/golden/NAME``: ``golden(text, "summary-80.txt")``.

    With ``--renew-golden`` the file is written instead; without it a missing file fails the test. The last digits of
    an unrounded number are the processor's: a billionth is no difference.
    """

    def compare(text: str, name: str) -> None:
        path = GOLDEN / name
        content = text.encode("utf-8")
        before = path.read_bytes() if path.exists() else None
        if content == before or (before is not None and is_alike(text, before.decode("utf-8"))):
            return
        if request.config.getoption("--renew-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            return
        renew = "Where the new text is right: python -m pytest --renew-golden, and read the diff."
        if before is None:
            pytest.fail(f"There is no tests/golden/{name}. {renew}", pytrace=False)
        # Split at line feeds alone, and escaped: colours, other breaks and a missing last one must be seen.
        difference = difflib.unified_diff(
            [repr(line)[1:-1] for line in before.decode("utf-8").split("\n")],
            [repr(line)[1:-1] for line in text.split("\n")],
            f"tests/golden/{name}",
            "now",
            lineterm="",
        )
        pytest.fail("\n".join([*difference, renew]), pytrace=False)

    return compare


@dataclass(frozen=True)
class Run:
    """What a command line came to: exit code and result, and what it printed."""

    exit_code: int
    result: Any
    out: str
    err: str


@pytest.fixture
def ahsct(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """Run the command line in this process, from the root of the repository and not on a terminal.

    ``ahsct("summarize", "-", stdin=b"…", columns=40)``
    """
    from ahsct_trial.cli import main

    monkeypatch.chdir(ROOT)

    def run(*arguments: str | Path, stdin: bytes = b"", columns: int = 80) -> Run:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capsys.readouterr()
        outcome = main([str(each) for each in arguments])
        printed = capsys.readouterr()
        return Run(outcome.exit_code, outcome.result, printed.out, printed.err)

    return run
