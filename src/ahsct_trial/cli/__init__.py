"""The command line: options, exit codes, and one call per command.

Nothing heavy is imported before a command runs, so that `ahsct --help` answers at once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from copy import copy
from functools import cache
from importlib import import_module
from typing import Any

from typer.main import get_command
from typer.models import CommandInfo, TyperInfo

from ahsct_trial.cli.application import Outcome, app
from ahsct_trial.errors import AhsctError, UsageError
from ahsct_trial.output import say

try:  # typer has a click of its own from 0.28 on
    from typer._click.exceptions import ClickException
except ImportError:
    from click.exceptions import ClickException  # type: ignore[assignment]

__all__ = ["Outcome", "main"]

_OF_SINGLE_PATIENTS = {"trace", "timeline", "validate", "convert", "export"}
#: Each adds its commands to the application, in the order in which the help shows them.
for _commands in ("results", "published", "your_data", "pictures", "reference"):
    import_module(f"ahsct_trial.cli.{_commands}")


def main(argv: Sequence[str] | None = None) -> Outcome:
    """Run a command line and give back what it came to; a known error is printed in words.

    Parameters
    ----------
    argv
        The arguments without the program's name; those of the process if left out.

    Returns
    -------
    Outcome
        The exit code, and the result object that was written.
    """
    try:
        words = sys.argv[1:] if argv is None else [*argv]
        done = _program(_named_command(words))(
            args=None if argv is None else words, prog_name="ahsct", standalone_mode=False
        )
    except AhsctError as error:
        say(str(error))
        return Outcome(exit_code=error.exit_code, result=error)
    except ClickException as error:
        if error.format_message():  # without arguments the help has been shown instead
            say(_worded(error))
        return Outcome(exit_code=UsageError.exit_code, result=error)
    return done if isinstance(done, Outcome) else Outcome(exit_code=int(done or 0))


def _named_command(words: Sequence[str]) -> str | None:
    """The command or group that the first word names; None for all of them."""
    registered: list[CommandInfo | TyperInfo] = [*app.registered_commands, *app.registered_groups]
    known = map(_name_of, registered)
    return words[0] if words and words[0] in known else None


def _name_of(registered: CommandInfo | TyperInfo) -> str:
    return str(registered.name or getattr(registered.callback, "__name__", ""))


@cache  # for whoever calls `main` again
def _program(named: str | None) -> Callable[..., Any]:
    """The application with its commands and options, or with the one command that is named.

    typer takes milliseconds to make each, of which one is run.
    """
    if named is None:
        return get_command(app)
    only = copy(app)
    only.registered_commands = [each for each in app.registered_commands if _name_of(each) == named]
    only.registered_groups = [each for each in app.registered_groups if _name_of(each) == named]
    return get_command(only)


def _worded(error: ClickException) -> str:
    """What is wrong with a command line, and where to read on."""
    context = getattr(error, "ctx", None)
    where = "" if context is None else f" See {context.command_path} --help."
    sentence = error.format_message().rstrip(".?")
    is_suppression = getattr(error, "option_name", None) == "--suppress-below"
    if is_suppression and context is not None and context.info_name in _OF_SINGLE_PATIENTS:
        sentence = (
            f"{context.command_path} shows single patients, of whom --suppress-below would leave nothing"
        )
    if re.fullmatch("-[0-9]", getattr(error, "option_name", "")):
        sentence += " (an argument that begins with a minus stands after --, as in: ahsct claim -- -0.07)"
    return f"{sentence}{'?' if 'Did you mean' in sentence else '.'}{where}"
