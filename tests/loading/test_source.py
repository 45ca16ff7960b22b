"""Bytes to text: compression, encodings, line breaks, and what is no text at all."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import sys
from pathlib import Path

import pytest

from ahsct_trial.errors import DataError, UsageError
from ahsct_trial.loading import read_cohort

GOOD = "patient_id,site,follow_up_years\nP1,Ottawa,3\nP2,Montréal,4.5\n"
ASCII = "patient_id,follow_up_years\nP1,3\nP2,4.5\n"
MARK = (
    "the line begins with a byte order mark (U+FEFF); that mark stands once, where a file begins. "
    "Files were joined, or it was written twice: remove it from this line."
)


def sites(cohort) -> list[str]:
    return cohort.data.patients["site"].tolist()


def follow_up(cohort) -> list[float]:
    return cohort.data.patients["follow_up_years"].tolist()


# ---- What is read ---------------------------------------------------------------------------------------


def test_plain(read):
    cohort = read(GOOD)
    assert sites(cohort) == ["Ottawa", "Montréal"]
    assert cohort.source.files[0].file == "cohort.csv"
    assert cohort.source.files[0].sha256 == hashlib.sha256(GOOD.encode()).hexdigest()
    assert cohort.source.files[0].n_rows == 2


def test_byte_order_mark_is_no_part_of_the_first_name(read):
    assert sites(read(codecs.BOM_UTF8 + GOOD.encode())) == ["Ottawa", "Montréal"]


def test_gzip_in_one_or_several_members(read):
    packed = gzip.compress(GOOD[:40].encode()) + gzip.compress(GOOD[40:].encode())
    cohort = read(packed)
    assert sites(cohort) == ["Ottawa", "Montréal"]
    # The digest names the file that was given, so that it can be found again.
    assert cohort.source.files[0].sha256 == hashlib.sha256(packed).hexdigest()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("path", ["-", Path("-")], ids=["text", "path"])
def test_standard_input(monkeypatch, pack, path):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(pack(GOOD.encode())), encoding="ascii"))
    cohort = read_cohort(path)
    assert sites(cohort) == ["Ottawa", "Montréal"]
    assert cohort.source.files[0].file == "-"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("ending", ["", "one", "three"])
def test_line_breaks(read, messages, line_break, ending):
    lines = ASCII.rstrip("\n").split("\n")
    tail = {"": "", "one": line_break, "three": line_break * 3}[ending]
    cohort = read(line_break.join(lines) + tail)
    assert follow_up(cohort) == [3, 4.5]
    assert cohort.places.lines.tolist() == [2, 3]
    [message] = messages(line_break.join([*lines, "P3,six"]) + tail)
    assert message.startswith("cohort.csv:4 patient P3: follow_up_years is 'six';")


def test_line_breaks_of_three_kinds_in_one_file(read):
    # A text editor counts each of the three as one break.
    cohort = read("patient_id,follow_up_years\r\nP1,1\rP2,2\nP3,3\r\n\rP4,4")
    assert follow_up(cohort) == [1, 2, 3, 4]
    assert cohort.places.lines.tolist() == [2, 3, 4, 6]


@pytest.mark.parametrize(
    "encoding", ["cp1252", "latin-1", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "mac-roman"]
)
def test_encoding_by_name(read, encoding):
    assert sites(read(GOOD.encode(encoding), encoding)) == ["Ottawa", "Montréal"]


def test_encoding_by_name_with_a_mark(read):
    assert sites(read(codecs.BOM_UTF16_LE + GOOD.encode("utf-16-le"), "utf-16-le")) == ["Ottawa", "Montréal"]


# ---- What is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b"",
            "cohort.csv: the file is empty; a cohort needs a header line and a row per patient. "
            "Export it again.",
        ),
        (
            codecs.BOM_UTF8 + b" \r\n\t\n",
            "cohort.csv: the file is empty; a cohort needs a header line and a row per patient. "
            "Export it again.",
        ),
        (
            gzip.compress(b""),
            "cohort.csv: the file is empty; a cohort needs a header line and a row per patient. "
            "Export it again.",
        ),
        (
            gzip.compress(GOOD.encode())[:-9],
            "cohort.csv: the gzip data is damaged or cut off; a compressed file must unpack completely. "
            "Copy or compress it again.",
        ),
        (
            gzip.compress(GOOD.encode()) + b"rest",
            "cohort.csv: the gzip data is damaged or cut off; a compressed file must unpack completely. "
            "Copy or compress it again.",
        ),
        (
            b"\x1f\x8b\x08\x00" + b"\xff" * 40,
            "cohort.csv: the gzip data is damaged or cut off; a compressed file must unpack completely. "
            "Copy or compress it again.",
        ),
        (
            b"PK\x03\x04\x14\x00\x06\x00[Content_Types].xml",
            "cohort.csv: the zip data of this workbook is damaged or cut off; "
            "a workbook must unpack completely. Copy it or save it again.",
        ),
        (
            GOOD.encode("utf-16"),
            "cohort.csv: the file begins with the mark of UTF-16; without an option the text is UTF-8. "
            "Add --encoding utf-16, or save it as CSV UTF-8.",
        ),
        (
            codecs.BOM_UTF16_BE + GOOD.encode("utf-16-be"),
            "cohort.csv: the file begins with the mark of UTF-16; without an option the text is UTF-8. "
            "Add --encoding utf-16, or save it as CSV UTF-8.",
        ),
        (
            GOOD.encode("utf-32"),
            "cohort.csv: the file begins with the mark of UTF-32; without an option the text is UTF-8. "
            "Add --encoding utf-32, or save it as CSV UTF-8.",
        ),
        # é in UTF-16 is no UTF-8 either; the NUL bytes say more about the file, and come first.
        (
            ("é" + GOOD).encode("utf-16-le"),
            "cohort.csv:1: there is a NUL byte; a CSV file is text. The file is binary or damaged, or in "
            "another encoding: export it again as CSV UTF-8, or name its encoding, for example "
            "--encoding utf-16.",
        ),
        (
            b"patient_id,follow_up_years\nP1,3\nP\x002,4\n",
            "cohort.csv:3: there is a NUL byte; a CSV file is text. The file is binary or damaged, or in "
            "another encoding: export it again as CSV UTF-8, or name its encoding, for example "
            "--encoding utf-16.",
        ),
        (
            GOOD.encode("cp1252"),
            "cohort.csv:3: byte 0xe9 is not UTF-8; without an option the text is UTF-8. If it was saved by "
            "Excel on Windows add --encoding cp1252, or save it as CSV UTF-8.",
        ),
        (
            "patient_id,follow_up_years,größe\nP1,3,1\n".encode("cp1252"),
            "cohort.csv:1: byte 0xf6 is not UTF-8; without an option the text is UTF-8. If it was saved by "
            "Excel on Windows add --encoding cp1252, or save it as CSV UTF-8.",
        ),
        (
            GOOD.replace("\n", "\r").encode("cp1252"),
            "cohort.csv:3: byte 0xe9 is not UTF-8; without an option the text is UTF-8. If it was saved by "
            "Excel on Windows add --encoding cp1252, or save it as CSV UTF-8.",
        ),
        (
            codecs.BOM_UTF8 + b"patient_id,follow_up_years\r\nP1,3\r\n" + codecs.BOM_UTF8 + b"P1,4\r\n",
            f"cohort.csv:3: {MARK}",
        ),
        (
            b"patient_id,follow_up_years\rP1,3\r" + codecs.BOM_UTF8 + b"P1,4\r",
            f"cohort.csv:3: {MARK}",
        ),
        (
            2 * codecs.BOM_UTF8 + b"patient_id,follow_up_years\nP1,3\n",
            f"cohort.csv:1: {MARK}",
        ),
    ],
    ids=[
        "empty",
        "blank",
        "gzip of nothing",
        "gzip cut off",
        "gzip with more behind it",
        "gzip in name only",
        "xlsx",
        "UTF-16",
        "UTF-16 big end first",
        "UTF-32",
        "UTF-16 without mark",
        "NUL",
        "cp1252 in a cell",
        "cp1252 in the header",
        "cp1252 with CR",
        "two files joined",
        "two files joined, with CR",
        "two marks",
    ],
)
def test_no_text(messages, content, expected):
    assert messages(content) == [expected]


def test_a_byte_order_mark_within_a_line_is_text(read):
    content = GOOD.replace("Ottawa", "\ufeffOttawa").encode()
    assert sites(read(content)) == ["\ufeffOttawa", "Montréal"]


def test_other_encoding_in_a_column_that_is_left_out_is_refused_too(messages):
    # Whether a file is UTF-8 does not depend on which of its columns are read.
    [message] = messages("patient_id,follow_up_years,notes\nP1,3,naïve\n".encode("cp1252"))
    assert message.startswith("cohort.csv:2: byte 0xef is not UTF-8;")


def test_zip_is_named_whatever_the_encoding(messages):
    [message] = messages(b"PK\x03\x04\x14\x00", "latin-1")
    assert "the zip data of this workbook is damaged" in message


@pytest.mark.parametrize(
    ("content", "encoding", "what"),
    [
        (b"patient_id\n\x81", "cp1252", "the text is not cp1252 at byte 12;"),
        (GOOD.encode("utf-16")[:-1], "utf-16", "the text is not utf-16 at byte 121;"),
        (GOOD.encode("cp1252"), "utf-8", "the text is not utf-8 at byte 53;"),
        # UTF-7 can spell half of a surrogate pair, which is no character.
        (b"patient_id,follow_up_years\n+2AA-,1\n", "utf-7", "the text is not utf-7;"),
    ],
)
def test_text_that_is_not_in_the_named_encoding(messages, content, encoding, what):
    [message] = messages(content, encoding)
    assert message == (
        f"cohort.csv: {what} every byte must be text in the named encoding. Name the encoding that the file "
        "was saved in with --encoding, or save it as CSV UTF-8."
    )


@pytest.mark.parametrize("encoding", ["klingon", "", "rot13", "base64", "utf-8\0"])
def test_unknown_encoding(read, encoding):
    with pytest.raises(UsageError, match=r"^There is no encoding '") as caught:
        read(ASCII, encoding)
    assert "cp1252" in str(caught.value)
    assert not isinstance(caught.value, DataError)


def test_missing_file(tmp_path):
    path = tmp_path / "nowhere.csv"
    with pytest.raises(UsageError) as caught:
        read_cohort(path)
    assert str(caught.value) == f"There is no file {path}. Check the name and the folder."


def test_folder(tmp_path):
    with pytest.raises(UsageError) as caught:
        read_cohort(str(tmp_path))
    assert str(caught.value) == f"{tmp_path} is a folder. Name the file in it."


@pytest.mark.parametrize("path", ["a\0b.csv", "x" * 5000, "cohort.csv/"], ids=["NUL", "long", "slash"])
def test_impossible_path(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        read_cohort(path)
    assert len(str(caught.value)) < 600


def test_control_characters_of_a_path_are_escaped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"There is no file \\x1b\[31mred\.csv\."):
        read_cohort("\x1b[31mred.csv")
