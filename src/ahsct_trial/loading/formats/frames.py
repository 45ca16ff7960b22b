"""A pandas DataFrame as a table of text cells, so that it meets the same checks as a file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ahsct_trial.loading.formats.cells import CellTable

FRAME = "(data frame)"


def cells_of_frame(frame: pd.DataFrame) -> CellTable:
    """The cells as a CSV would have them: numbers without a needless ``.0``, dates in ISO 8601.

    Rows are numbered from 1 in the place of lines.
    """
    columns = tuple(_texts(frame.iloc[:, place]) for place in range(frame.shape[1]))
    return CellTable(
        file=FRAME,
        sheet=None,
        names=tuple(str(name).strip() for name in frame.columns),
        columns=columns,
        lines=np.arange(1, len(frame) + 1),
        sha256=_digest(frame),
    )


def _texts(column: pd.Series[Any]) -> pa.StringArray:
    is_missing = column.isna().to_numpy()
    if pd.api.types.is_datetime64_any_dtype(column):
        texts = column.dt.strftime("%Y-%m-%d")
    elif pd.api.types.is_bool_dtype(column):
        texts = column.map({True: "yes", False: "no"})
    elif pd.api.types.is_float_dtype(column):
        texts = column.map(_number)
    else:
        texts = column.map(_text)
    return pa.array(texts.astype(object).where(~is_missing, None), pa.string(), from_pandas=True)


def _text(value: Any) -> str:
    """A cell of any type; a date is one without a time of day that is none."""
    if isinstance(value, float):
        return _number(value)
    return str(value)


def _number(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def _digest(frame: pd.DataFrame) -> str:
    """SHA-256 of the cells."""
    from hashlib import sha256

    return sha256(frame.to_csv(index=False).encode()).hexdigest()
