"""What a golden file holds fast: everything but the last digits of unrounded numbers (tests/golden_text.py)."""

from __future__ import annotations

import pytest
from golden_text import is_alike


@pytest.mark.parametrize(
    ("text", "before", "is_same"),
    [
        ('"value": 3.875', '"value": 3.8750000000000036', True),
        ("5.97700946389511e-11,", "5.977009463895102e-11,", True),
        ('"value": 3.876', '"value": 3.8750000000000036', False),
        ("0.1234567", "0.1234568", False),
        ("95.8 %", "95.9 %", False),
        ('"value": 3.875', '"low": 3.875', False),
    ],
)
def test_last_digits_alone(text: str, before: str, is_same: bool) -> None:
    assert is_alike(text, before) is is_same
