"""TOML from outside: what is read, and what is refused before it overwhelms the parser."""

from __future__ import annotations

import time
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ahsct_trial.errors import UsageError
from ahsct_trial.toml import MOST_BYTES, parse_toml, read_toml


@pytest.mark.parametrize(
    "text",
    [
        "a = 1\n",
        'a = """"quoted""""" # [[[[\nb = 2',
        "a = '''it''s'''''\nb = [1, [2, {c = '['}]]",
        'a."b.c.d".e = "\\"[["\n[x.y]\nz = 2026-01-01T00:00:00.123Z',
        f"a = \"{'[' * 5000}\"\nb = '{'.' * 5000}' # {'9' * 5000}",
        f"[{'.'.join('abcdefghijklmnopqrst')}]\nx = 1",
        f"a = {'[' * 49}{']' * 49}",
        f"a = {'1' * 400}",
    ],
)
def test_within_the_limits_it_is_what_tomllib_gives(text: str) -> None:
    assert parse_toml(text.encode("utf-8"), "x.toml") == tomllib.loads(text)


def test_byte_order_mark_and_windows_line_ends_are_taken() -> None:
    assert parse_toml(b'\xef\xbb\xbfa = 1\r\nb = "\xc3\xbc"\r\n', "x.toml") == {"a": 1, "b": "ü"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 5000 + "]" * 5000, "x.toml:1 is nested more than 50 levels deep"),
        ("# x\n\na = " + "{a = " * 5000, "x.toml:3 is nested more than 50 levels deep"),
        # Brackets after a text that ends in five quotation marks are not hidden by it.
        ('a = ["""b""""", ' + "[" * 5000, "x.toml:1 is nested more than 50 levels deep"),
        ("a = " + "{a.a.a.a.a.a.a.a.a.a = " * 49 + "1" + "}" * 49, "x.toml is nested more than 50 levels"),
        ("horizon_years = " + "1" * 5000, "x.toml:1 has a number or key of more than 400 characters"),
        ("a = 0x" + "f" * 5000, "x.toml:1 has a number or key of more than 400 characters"),
        (".".join("a" * 60_000) + " = 1", "x.toml:1 has a key of more than 20 parts"),
        (
            "b = '''\n'''\n" + " . ".join(["'a'"] * 60_000) + " = 1",
            "x.toml:3 has a key of more than 20 parts",
        ),
        ("a 1", "x.toml is not TOML: Expected '='"),
        ("a = 1\na = 2", "x.toml is not TOML: Cannot overwrite a value"),
        ("#" * (MOST_BYTES + 1), "x.toml has more than 1,000,000 bytes"),
    ],
)
def test_what_goes_beyond_a_limit_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_toml(text.encode("utf-8"), "x.toml")
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_another_encoding_is_named_with_its_byte() -> None:
    with pytest.raises(UsageError, match=r"x\.toml is not UTF-8 from byte 6 on"):
        parse_toml(b'a = "\xfc"', "x.toml")


@pytest.mark.parametrize(
    "unit", ["a" * 300 + " ", '"', "'", '"""\\', "'''", "a.", "[a]\n", "{", "a = 1\n", "#", "\\", "[[a.b]]\n"]
)
def test_a_megabyte_of_anything_takes_seconds(unit: str) -> None:
    began = time.perf_counter()
    with suppress(UsageError):
        parse_toml((unit * (MOST_BYTES // len(unit))).encode("utf-8"), "x.toml")
    assert time.perf_counter() - began < 10


@settings(max_examples=200)
@given(st.text(alphabet="a1.=[]{}\"'\\# \n,-", max_size=60))
def test_any_text_is_read_as_tomllib_reads_it_or_refused(text: str) -> None:
    try:
        expected: dict[str, Any] | None = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        expected = None
    try:
        found = parse_toml(text.encode("utf-8"), "x.toml")
    except UsageError:
        found = None
    assert found == expected


def test_a_file_that_cannot_be_read_is_named_with_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^There is no file .*none\.toml\."):
        read_toml(tmp_path / "none.toml", "Map")
    with pytest.raises(UsageError, match=r"cannot be read: Is a directory"):
        read_toml(tmp_path, "Map")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device")
def test_a_device_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^Protocol /dev/zero has more than 1,000,000 bytes"):
        read_toml(Path("/dev/zero"), "Protocol")


def test_a_name_cannot_command_the_terminal(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        read_toml(tmp_path / "\x1b]0;X\x07\udcff.toml", "Protocol")
    assert r"\x1b]0;X\x07\udcff.toml. Check" in str(refused.value)
