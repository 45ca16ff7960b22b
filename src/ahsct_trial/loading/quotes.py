"""Quotes around cells: where they hide line breaks, and where one is never closed."""

from __future__ import annotations

import csv
import io

from ahsct_trial.loading.blocks import Block

# What the csv module says where a quote is open at the end.
_END_OF_DATA = "unexpected end of data"


def is_open_at_end(block: Block, delimiter: str) -> bool:
    """Whether a quote is open behind the last row of a block, seen from its last line alone."""
    data, end = block.data, block.end_of_text
    last_line = data[max(block.start, data.rfind(b"\n", block.start, end) + 1) : end]
    return b'"' in last_line and walk(last_line, delimiter)[1] == _END_OF_DATA


def walk(body: bytes, delimiter: str) -> tuple[list[int], str]:
    """Line, from 0, on which each record begins, and what is wrong with the quotes of the last one.

    Uses the csv module: slow, and exact where quotes hold line breaks. It is strict, because a quote that
    is left open joins rows up to the next quote, which then stands in the wrong place.
    """
    # Only ASCII characters matter here, and Latin-1 keeps each byte one character.
    text = io.TextIOWrapper(io.BytesIO(body), encoding="latin-1", newline="\n")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    starts, start = [], 0
    usual_limit = csv.field_size_limit(len(body) + 1)
    try:
        for record in reader:
            if record:
                starts.append(start)
            start = reader.line_num
    except csv.Error as error:
        return [*starts, start], str(error)
    finally:
        csv.field_size_limit(usual_limit)
    return starts, ""
