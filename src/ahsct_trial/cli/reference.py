"""Commands to look things up: columns, schema."""

from __future__ import annotations

from typing import Annotated

import typer

from ahsct_trial.cli.application import REFERENCE, Outcome, app
from ahsct_trial.cli.options import Destination, Format, grouped, one_of
from ahsct_trial.cli.writing import write_result
from ahsct_trial.output import write
from ahsct_trial.wording import listed

#: Of the data dictionary; as data it is the JSON Schema.
_FORMATS = (Format.TABLE, Format.MARKDOWN)


@app.command(rich_help_panel=REFERENCE)
@grouped
def columns(
    destination: Destination,
    format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help=f"{listed(_FORMATS, 'or')}.")
    ] = Format.TABLE,
) -> Outcome:
    """Show the data dictionary: every column, its values and its meaning.

    For example:
      ahsct columns
      ahsct columns --format markdown -o dictionary.md
    """
    from ahsct_trial.rendering.sections.columns import dictionary_sections

    form = Format(one_of("--format", format, _FORMATS))
    write_result(None, lambda _: dictionary_sections(), form, destination)
    return Outcome()


@app.command(rich_help_panel=REFERENCE)
@grouped
def schema(destination: Destination) -> Outcome:
    """Print the JSON Schema of what `summarize --json` writes.

    For example:
      ahsct schema
      ahsct schema -o schema.json
    """
    from ahsct_trial.rendering.documents import write_schema

    text = write_schema()
    write(text, destination.output, force=destination.force)
    return Outcome(result=text)
