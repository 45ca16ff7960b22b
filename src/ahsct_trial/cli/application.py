"""The application that the commands belong to, its groups in the help, and what a command gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from ahsct_trial import __version__
from ahsct_trial.output import write

#: Groups of commands in the help.
RESULTS, PUBLISHED, YOUR_DATA, PICTURES, REFERENCE = (
    "Results",
    "Published figures",
    "Your data",
    "Pictures and pages",
    "Reference",
)


#: Exit code where published figures differ, or nothing explains one; those of errors stand in `errors`.
DIFFERS = 4


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a command came to: the result that it wrote, and the exit code."""

    exit_code: int = 0
    result: Any = None


app = typer.Typer(
    name="ahsct",
    help="Turn the data of an autologous stem-cell-transplant trial in multiple sclerosis into its results.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
plot = typer.Typer(help="Draw a figure: survival, incidence, forest or timeline.", no_args_is_help=True)
app.add_typer(plot, name="plot", rich_help_panel=PICTURES)


def _is_version_asked(is_asked: bool) -> None:
    if is_asked:
        write(f"ahsct {__version__}\n", None)
        raise typer.Exit


@app.callback()
def _all_commands(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_is_version_asked),
    ] = False,
) -> None:
    pass
