"""From a result to the screen or a file, in the format that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ahsct_trial.cli.options import Destination, Format
from ahsct_trial.errors import UsageError
from ahsct_trial.output import write, write_file

if TYPE_CHECKING:
    from ahsct_trial.rendering.figures import FigureFile
    from ahsct_trial.rendering.figures.page import Drawing
    from ahsct_trial.rendering.sections import Section


def write_result(
    result: Any,
    sections: Callable[[Any], list[Section]],
    form: Format,
    destination: Destination,
    *,
    has_csv: bool = False,
) -> None:
    """Write a result as JSON, as CSV, or as the sections that say it on a screen or in Markdown.

    Raises
    ------
    UsageError
        If CSV is asked for and it has none, or if it cannot be written.
    """
    is_drawn = False
    if form is Format.JSON:
        from ahsct_trial.rendering.documents import write_json

        text = write_json(result)
    elif form is Format.CSV:
        if not has_csv:
            raise UsageError("This has no CSV. Choose table, json or markdown.")
        from ahsct_trial.rendering.documents import write_csv

        text = write_csv(result)
    elif form is Format.MARKDOWN:
        from ahsct_trial.rendering.markdown import write_markdown

        text = write_markdown(sections(result))
    else:
        from ahsct_trial.rendering.terminal import draw

        text, is_drawn = draw(sections(result), None if destination.output else sys.stdout), True
    write(text, destination.output, force=destination.force, is_drawn=is_drawn)


def write_figure(drawing: Drawing, figure: FigureFile, *, force: bool, is_captioned: bool) -> None:
    """Write a drawing to its file, and its caption to the screen unless it stands in the picture."""
    from ahsct_trial.rendering.figures.saving import as_file

    write_file(as_file(drawing, figure.ending), figure.path, force=force)
    if not is_captioned:
        write(f"{drawing.title}. {drawing.caption}\n", None)
