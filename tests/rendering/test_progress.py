"""A sign of life: on a terminal alone, after a while, and whatever the step is called."""

from __future__ import annotations

import io
import threading
import time
from contextlib import redirect_stderr

import pytest

from ahsct_trial.rendering import progress as module
from ahsct_trial.rendering.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def wait_for(text: str, stream: io.StringIO, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while text not in stream.getvalue() and time.monotonic() < end:
        time.sleep(0.01)
    return text in stream.getvalue()


def test_nothing_where_standard_error_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(threading, "Timer", None)  # none is asked for
    with redirect_stderr(stream), progress() as name:
        name("Reading")
    assert stream.getvalue() == ""


def test_nothing_where_the_work_is_short(terminal: Terminal) -> None:
    with redirect_stderr(terminal), progress() as name:
        name("Reading")
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("step", ["Reading [/bold] x.csv", "Reading [red]x.csv", "[link=y]x[/link]"])
def test_a_name_that_looks_like_markup_is_shown_as_it_is(
    step: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0)
    with redirect_stderr(terminal), progress() as name:
        assert wait_for("Working", terminal)
        name(step)
        assert wait_for(step, terminal)


def test_a_name_given_before_patience_ends(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.2)
    with redirect_stderr(terminal), progress() as name:
        name("Reading [/bold] x.csv")
        assert wait_for("Reading [/bold] x.csv", terminal)
    assert "Working" not in terminal.getvalue()


def test_it_ends_with_the_work_even_where_that_fails(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0)
    before = set(threading.enumerate())

    def work() -> None:
        with redirect_stderr(terminal), progress():
            assert wait_for("Working", terminal)
            raise ValueError("of the work")

    with pytest.raises(ValueError, match="of the work"):
        work()
    # What draws is told to stop, and ends with its present turn.
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert "\x1b[?25h" in terminal.getvalue()  # the cursor is back
