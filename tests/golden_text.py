"""When a text is that of a golden file: the last digits of unrounded numbers are the processor's."""

from __future__ import annotations

import math
import re

_DECIMAL = re.compile(r"([0-9]+\.[0-9]+(?:e[+-]?[0-9]+)?)")
#: Characters of a number that is written with all digits of a float.
_UNROUNDED = 15


def is_alike(text: str, before: str) -> bool:
    """Whether texts are the same but for the last digits of unrounded numbers."""
    now, then = _DECIMAL.split(text), _DECIMAL.split(before)
    return len(now) == len(then) and all(
        a == b
        or (
            place % 2 == 1
            and max(len(a), len(b)) >= _UNROUNDED
            and math.isclose(float(a), float(b), rel_tol=1e-9)
        )
        for place, (a, b) in enumerate(zip(now, then, strict=True))
    )
