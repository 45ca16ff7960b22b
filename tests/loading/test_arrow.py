"""Memory that pyarrow and numpy share, against pyarrow's own way of giving values one by one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ahsct_trial.loading import arrow

numbers = st.lists(st.none() | st.floats(allow_nan=False, width=32), max_size=40)


@given(numbers, st.integers(0, 10), st.integers(0, 40))
def test_given_values_and_their_rows(values, start, n):
    array = pa.array(values, pa.float64()).slice(min(start, len(values)), n)
    expected = [(row, value) for row, value in enumerate(array.to_pylist()) if value is not None]
    rows, found = arrow.given(array, np.float64)
    assert list(zip(rows.tolist(), found.tolist(), strict=True)) == expected


of_eight_bytes = st.text(min_size=8, max_size=8, alphabet="ab0") | st.sampled_from(["ÄÄÄÄ", "abÄ0Äc"])


@given(st.lists(of_eight_bytes, min_size=1, max_size=20) | st.lists(st.text(max_size=9), min_size=1))
@settings(max_examples=200)
def test_texts_of_eight_bytes_are_words_and_all_others_none(texts):
    words = arrow.as_words(pa.array(texts, pa.string()))
    assert (words is not None) == all(len(text.encode()) == 8 for text in texts)
    if words is not None:
        assert arrow.as_strings(words).to_pylist() == texts
        # What is equal as a word is equal as a text, and the other way round.
        assert words.dictionary_encode().indices == pa.array(texts).dictionary_encode().indices


@pytest.mark.parametrize("texts", [["ID-00001", None], ["ID-00001", "ID-1"], [None]])
def test_no_words_where_a_text_is_missing_or_shorter(texts):
    assert arrow.as_words(pa.array(texts, pa.string())) is None
