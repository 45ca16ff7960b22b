"""Memory that pyarrow and numpy share, against pyarrow's own way of giving values one by one."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ahsct_trial import threads
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


@given(st.lists(of_eight_bytes, min_size=1), st.text(max_size=9), st.text(max_size=9))
def test_words_out_of_a_longer_text(texts, before, behind):
    whole = (before + "".join(texts) + behind).encode()
    start = np.arange(len(texts), dtype=np.int32) * 8 + len(before.encode())
    characters = np.frombuffer(whole, np.uint8)
    words = arrow.words_at(characters, start, start + 8)
    assert arrow.as_strings(words).to_pylist() == texts
    end = start + 8
    end[-1] -= 1
    assert arrow.words_at(characters, start, end) is None


some_texts = st.lists(st.sampled_from("abcd") | st.none(), max_size=6)


@given(st.lists(some_texts, min_size=1, max_size=5), st.sampled_from([1, 2, 3, 9]))
def test_arrays_are_coded_together(texts, n_processors):
    with patch.object(threads, "N_PROCESSORS", n_processors):
        different, places = arrow.coded_together([pa.array(own, pa.string()) for own in texts])
    elements = [text for own in texts for text in own]
    # A dictionary keeps the order in which its keys came.
    assert different.to_pylist() == [text for text in dict.fromkeys(elements) if text is not None]
    assert [None if place < 0 else different[place].as_py() for place in places] == elements
    assert places.dtype == np.int32


lines = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", ",x", ",yy"])), max_size=6)


@given(st.lists(lines, min_size=1, max_size=5), st.integers(0, 1), st.sampled_from([1, 2, 3, 9]))
def test_every_other_part_of_a_text_alone_is_coded(texts, first, n_processors):
    def parted(own: list[tuple[str, str]]) -> pa.Array:
        parts = [part for line in own for part in line]
        bounds = np.cumsum([0, *map(len, parts)], dtype=np.int32)
        return arrow.every_other(np.frombuffer("".join(parts).encode(), np.uint8), bounds, first)

    with patch.object(threads, "N_PROCESSORS", n_processors):
        different, places = arrow.coded_together([parted(own) for own in texts], first)
    wanted = [line[first].encode() for own in texts for line in own]
    assert different.to_pylist() == [*dict.fromkeys(wanted)]
    assert [different[place].as_py() for place in places] == wanted


def test_more_texts_than_an_array_can_hold_are_no_strings():
    # Untouched pages of zeros take no memory.
    words = pa.array(np.zeros(2**28, dtype=np.uint64))
    with pytest.raises(pa.ArrowCapacityError):
        arrow.as_strings(words)
