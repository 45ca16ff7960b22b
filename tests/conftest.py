"""What all tests share: golden files, and how hypothesis searches."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

GOLDEN = Path(__file__).parent / "golden"
_RENEWED = pytest.StashKey[list[str]]()

# A slow machine is no fault of the code; the benchmarks watch the time.
settings.register_profile("ahsct", deadline=None)
settings.load_profile("ahsct")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--renew-golden",
        action="store_true",
        help="write what the tests give to tests/golden, to be read as a diff",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_RENEWED] = []


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with ``tests/golden/NAME``: ``golden(text, "summary-80.txt")``.

    With ``--renew-golden`` the file is written instead; without it a missing file fails the test.
    """

    def compare(text: str, name: str) -> None:
        path = GOLDEN / name
        content = text.encode("utf-8")
        before = path.read_bytes() if path.exists() else None
        if content == before:
            return
        if request.config.getoption("--renew-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            request.config.stash[_RENEWED].append(name)
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name in sorted(set(config.stash[_RENEWED])):
        terminalreporter.write_line(f"renewed tests/golden/{name}")
