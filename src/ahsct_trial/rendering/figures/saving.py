"""Files of a figure: SVG with its text as text, PDF with its fonts, PNG for print; always the same bytes."""

from __future__ import annotations

import io
import re
from html import escape

from ahsct_trial.rendering.figures.page import MM_PER_INCH, Drawing, journal_style
from ahsct_trial.results import TOOL

_PRINT_DPI = 300
_PROGRAM = f"{TOOL.name} {TOOL.version}"
#: What a journal sets; the figure is laid out in the wider font that comes last, so that each of them fits.
_FONTS = "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_TAG = re.compile(r"<[^<>]+>")
_ID = re.compile(r'(?<= id=")|(?<=href="#)|(?<=url\(#)')
#: Places to a hundredth of a point, finer than any print: more digits only tell a single patient's day.
_DIGITS = re.compile(r"\d+\.\d{3,}")
_RULE_FOR_ALL = re.compile(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>\s*", re.DOTALL)
_VIEW_BOX = re.compile(r'viewBox="[^"]+"')


def as_svg(drawing: Drawing, name: str) -> str:
    """Give a figure as an SVG element that can stand in a page of HTML, or alone in a file.

    Parameters
    ----------
    drawing
        The figure and its words, which become the element's `title` and `desc`.
    name
        Begins each `id` in it; two figures on one page need two names.

    Returns
    -------
    str
        The element without a prolog: on a white ground, so that it can be read on a dark page, with its
        own size in millimetres and a `viewBox`, so that a style sheet can scale it.
    """
    stream = io.StringIO()
    with journal_style():
        # Neither a date nor a version: the same figure is the same file.
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        drawing.figure.savefig(stream, format="svg", metadata=metadata)
    svg = stream.getvalue()
    root, content = svg[svg.index("<svg") :].split(">", maxsplit=1)
    content = _RULE_FOR_ALL.sub("", content, count=1)
    # In tags alone: a text of the file may look like one of these attributes.
    content = _TAG.sub(lambda tag: _mended(tag[0], name), content)
    width, height = (inches * MM_PER_INCH for inches in drawing.figure.get_size_inches())
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width:.4g}mm" height="{height:.4g}mm" {_VIEW_BOX.findall(root)[0]} role="img" '
        f'aria-labelledby="{name}-title {name}-description" '
        'style="stroke-linejoin: round; stroke-linecap: butt">\n'
        f' <title id="{name}-title">{escape(drawing.title)}</title>\n'
        f' <desc id="{name}-description">{escape(drawing.description)}</desc>{content}'
    )


def _mended(tag: str, name: str) -> str:
    """A tag with its numbers rounded, the name before its ids, and the fonts of a reader."""
    rounded = _DIGITS.sub(lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), tag)
    return _ID.sub(f"{name}-", rounded).replace("'DejaVu Sans'", _FONTS)


def as_file(drawing: Drawing, ending: str) -> bytes:
    """Give the content of a figure's file: ``svg``, ``pdf``, or ``png`` with 300 dots per inch."""
    if ending == "svg":
        return f'<?xml version="1.0" encoding="utf-8"?>\n{as_svg(drawing, "ahsct")}'.encode()
    metadata = {
        "pdf": {
            "Title": drawing.title,
            "Subject": drawing.description,
            "Creator": _PROGRAM,
            "Producer": None,
            "CreationDate": None,
        },
        "png": {"Title": drawing.title, "Description": drawing.description, "Software": _PROGRAM},
    }
    stream = io.BytesIO()
    with journal_style():
        drawing.figure.savefig(stream, format=ending, dpi=_PRINT_DPI, metadata=metadata[ending])
    return stream.getvalue()
