"""The command line: options, exit codes, and one call per command.

Nothing heavy is imported before a command runs, so that `ahsct --help` answers at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from ahsct_trial.cli import data, pictures, published, results  # noqa: F401  # each adds its commands
from ahsct_trial.cli.application import Outcome, app
from ahsct_trial.errors import AhsctError, UsageError
from ahsct_trial.output import say

__all__ = ["Outcome", "main"]


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
        done = app(args=argv, prog_name="ahsct", standalone_mode=False)
    except AhsctError as error:
        say(str(error))
        return Outcome(exit_code=error.exit_code, result=error)
    except click.exceptions.NoArgsIsHelpError as error:
        say(error.format_message())
        return Outcome(exit_code=UsageError.exit_code, result=error)
    except click.ClickException as error:
        say(_worded(error))
        return Outcome(exit_code=UsageError.exit_code, result=error)
    return done if isinstance(done, Outcome) else Outcome(exit_code=int(done or 0))


def _worded(error: click.ClickException) -> str:
    """What is wrong with a command line, and where to read on."""
    context = getattr(error, "ctx", None)
    where = "" if context is None else f" See {context.command_path} --help."
    return f"{error.format_message().rstrip('.')}.{where}"
