"""Input without end stops at a limit, which an option raises."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ahsct_trial.errors import UsageError
from ahsct_trial.loading.file_bytes import MOST_INPUT, as_size, read_within_limit
from ahsct_trial.loading.formats.tables import read_tables
from ahsct_trial.loading.problems import DataProblems
from ahsct_trial.loading.source import read_source


@pytest.fixture
def a_megabyte() -> Iterator[int]:
    before = MOST_INPUT.set(2**20)
    yield 2**20
    MOST_INPUT.reset(before)


def test_what_is_within_the_limit_is_read_whole(a_megabyte: int) -> None:
    assert read_within_limit(io.BytesIO(b"x" * a_megabyte), "it") == b"x" * a_megabyte


def test_what_is_larger_is_refused_with_the_option_that_raises_it(a_megabyte: int) -> None:
    with pytest.raises(UsageError, match=r"^it has more than 1 MB\. .* --max-input 4MB\.$"):
        read_within_limit(io.BytesIO(b"x" * (a_megabyte + 1)), "it")


@pytest.mark.usefixtures("a_megabyte")
def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(bytes(100 * 2**20)))
    with pytest.raises(UsageError, match=r"bomb\.csv\.gz has more than 1 MB"):
        read_source(path)


@pytest.mark.usefixtures("a_megabyte")
@pytest.mark.parametrize(
    "ending", [".sas7bdat", ".xpt", ".dta", ".sav", ".json", ".ndjson", ".xlsx", ".ods", ".csv"]
)
def test_no_format_is_read_beyond_the_limit(tmp_path: Path, ending: str) -> None:
    sas = bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
    magic = {
        ".xlsx": b"PK\x03\x04",
        ".ods": b"PK\x03\x04",
        ".sas7bdat": sas,
        ".xpt": b"HEADER RECORD*******LIB",
        ".dta": b"<stata_dta>",
        ".sav": b"$FL2",
    }
    path = tmp_path / f"large{ending}"
    path.write_bytes(magic.get(ending, b"") + b" " * (2**20 + 1))
    with pytest.raises(UsageError, match=rf"large\{ending} has more than 1 MB"):
        read_tables(path)


@pytest.mark.usefixtures("a_megabyte")
def test_a_workbook_that_unpacks_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 2**24)
    assert path.stat().st_size < 2**20
    with pytest.raises(UsageError, match=r"Unpacked, bomb\.xlsx has more than 1 MB\. .*--max-input 4MB"):
        read_tables(path)


@pytest.mark.parametrize(("n_characters", "is_read"), [(131_072, True), (131_073, False)])
def test_a_cell_of_any_length_gets_its_true_reason(tmp_path: Path, n_characters: int, is_read: bool) -> None:
    path = tmp_path / "long.csv"
    path.write_text(f"id,remark\nP1,short\nP2,{'x' * n_characters}\n", encoding="utf-8")
    if is_read:
        read_tables(path)
    else:
        with pytest.raises(DataProblems, match=r"long\.csv:3: a cell has more than 131,072 characters"):
            read_tables(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device")
@pytest.mark.usefixtures("a_megabyte")
def test_a_device_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match="/dev/zero has more than 1 MB"):
        read_source("/dev/zero")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device")
def test_standard_input_without_end_is_refused() -> None:
    command = [sys.executable, "-m", "ahsct_trial", "validate", "-", "--max-input", "5M"]
    with Path("/dev/zero").open("rb") as endless:
        done = subprocess.run(command, stdin=endless, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "ahsct: Standard input has more than 5 MB. If that is right, raise the limit: --max-input 20MB.\n"
    )


@pytest.mark.parametrize(
    ("text", "n_bytes"), [("4G", 4 * 2**30), ("500 MB", 500 * 2**20), ("1000", 1000), ("2kib", 2048)]
)
def test_sizes(text: str, n_bytes: int) -> None:
    assert as_size(text) == n_bytes


@pytest.mark.parametrize("text", ["", "0", "-1", "4X", "1e9", "\x1b", "9" * 400, "٣G"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match=r"it is a size such as 500M or 16G") as refused:
        as_size(text)
    assert str(refused.value).isprintable()
