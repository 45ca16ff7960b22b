"""Whether the texts of a figure stand on its page, each apart from the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


def assert_apart(figure: Any, labels: Iterable[Any], *, smallest: float = 7.0) -> None:
    """No text of `labels` leaves the page, covers another or is smaller than `smallest` [points]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(figure).get_renderer()
    shown = [label for label in labels if label.get_text()]
    boxes = np.array([label.get_window_extent(renderer).extents for label in shown])
    low, high = boxes[:, :2], boxes[:, 2:]
    assert (low >= 0).all()
    assert (high <= [figure.bbox.x1, figure.bbox.y1]).all()
    # Boxes of lines below each other touch; letters do not.
    middle, half = (low + high) / 2, (high - low) / 2 * [0.98, 0.7]
    distance = np.abs(middle[:, None] - middle[None, :])
    is_covered = (distance <= half[:, None] + half[None, :]).all(axis=2)
    pairs = np.argwhere(np.triu(is_covered, k=1))
    assert [(shown[one].get_text(), shown[other].get_text()) for one, other in pairs] == []
    assert min(label.get_fontsize() for label in labels) >= smallest
