"""Faults of the machine around the program: it writes all and exits 0, or says in one line why not.

Each test runs a process, for a fault is one of a process: a full disk, a limit, a signal, a closed stream.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from tests.campaign.kills import broken_promises, kill
from tests.campaign.test_campaign import SEED

ROOT = Path(__file__).parents[1]
SAMPLE = str(ROOT / "data" / "sample_cohort.csv")
IS_POSIX = pytest.mark.skipif(os.name == "nt", reason="signals, limits and devices of POSIX")
HAS_FULL_DEVICE = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
HAS_MEMORY_LIMIT = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux keeps the limit of address space"
)
UNBUFFERED = pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])


def ahsct(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = os.environ | options.pop("env", {})
    return subprocess.run(
        [sys.executable, "-m", "ahsct_trial", *arguments],
        env=environment,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
        **{"stdout": subprocess.PIPE, **options},
    )


@pytest.fixture(scope="session")
def without_faults() -> str:
    """What `summarize` prints of the sample where nothing goes wrong."""
    return ahsct("summarize", SAMPLE).stdout


def assert_one_line(done: subprocess.CompletedProcess[str], words: str, code: int = 2) -> None:
    assert re.fullmatch(rf"ahsct: [^\n]*{words}[^\n]*\n", done.stderr), done.stderr
    assert done.returncode == code


@HAS_FULL_DEVICE
@UNBUFFERED
@pytest.mark.parametrize(
    "arguments",
    [["summarize", SAMPLE, "--json"], ["--help"], ["summarize", "--help"], ["--version"], ["schema"]],
)
def test_a_full_disk(arguments: list[str], unbuffered: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = ahsct(*arguments, stdout=full, env={"PYTHONUNBUFFERED": unbuffered})
    assert_one_line(done, "could not be written whole.*No space left")


@IS_POSIX
@UNBUFFERED
def test_a_limit_on_the_size_of_files(tmp_path: Path, unbuffered: str) -> None:
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    environment = {"PYTHONUNBUFFERED": unbuffered, "PYTHONDONTWRITEBYTECODE": "1"}
    arguments = ["summarize", SAMPLE, "--json"]
    with (tmp_path / "out.json").open("wb") as out:
        done = ahsct(*arguments, stdout=out, preexec_fn=limit, env=environment)
    assert_one_line(done, "could not be written whole.*File too large")
    done = ahsct(*arguments, "-o", str(tmp_path / "new.json"), preexec_fn=limit, env=environment)
    assert_one_line(done, r"new\.json cannot be written: File too large")
    assert [each.name for each in tmp_path.iterdir()] == ["out.json"]


@IS_POSIX
@UNBUFFERED
def test_a_slow_pipe_that_does_not_block_gets_all(unbuffered: str) -> None:
    whole = ahsct("schema").stdout
    assert len(whole) > 10_000
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    # A pipe of one page is full long before the document ends.
    if sys.platform == "linux":
        import fcntl

        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
    parts: list[bytes] = []

    def read_slowly() -> None:
        while part := os.read(read_end, 3000):
            parts.append(part)
            time.sleep(0.01)

    reader = threading.Thread(target=read_slowly)
    reader.start()
    done = ahsct("schema", stdout=write_end, env={"PYTHONUNBUFFERED": unbuffered})
    os.close(write_end)
    reader.join()
    os.close(read_end)
    assert (done.returncode, done.stderr) == (0, "")
    assert b"".join(parts).decode("utf-8") == whole


@IS_POSIX
@UNBUFFERED
@pytest.mark.parametrize("arguments", [["--help"], ["schema"]])
def test_a_closed_pipe_ends_quietly(arguments: list[str], unbuffered: str) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = ahsct(*arguments, stdout=write_end, env={"PYTHONUNBUFFERED": unbuffered})
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, "")


@IS_POSIX
@pytest.mark.parametrize("arguments", [["--help"], ["summarize", SAMPLE]])
def test_standard_output_that_is_closed(arguments: list[str]) -> None:
    done = ahsct(*arguments, preexec_fn=lambda: os.close(1))
    assert_one_line(done, "Standard output is closed")


@HAS_FULL_DEVICE
def test_where_nobody_can_be_told_the_exit_code_tells() -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "ahsct_trial", "summarize", "none.csv"]
        assert subprocess.run(command, stderr=full, check=False).returncode == 2


@IS_POSIX
def test_a_signal_while_a_file_is_written_leaves_all_or_nothing(tmp_path: Path) -> None:
    """A few of them; tests/campaign/kills.py sends any number by hand."""
    for number in range(6):
        case = kill(SEED, number)
        assert [*broken_promises(case, tmp_path)] == [], f"AHSCT_SEED={SEED}: {case}"


@IS_POSIX
def test_a_signal_that_is_ignored_does_not_stop_the_writing(tmp_path: Path) -> None:
    code = (
        "import os, signal, pathlib, sys; from ahsct_trial import output\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGHUP)\n"
        "output.write('whole', pathlib.Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "result.txt")], check=True)
    assert (tmp_path / "result.txt").read_text(encoding="utf-8") == "whole"


@IS_POSIX
@pytest.mark.parametrize("seconds", [0, 0.1, 0.3, 1])
def test_an_interrupt_ends_quietly_at_any_time(seconds: float) -> None:
    """The process says when its own code begins: imports come first, then it waits for standard input."""
    code = (
        "import sys; from ahsct_trial import __main__ as program; inner = program._exit_code\n"
        "def said():\n    print('begins', file=sys.stderr, flush=True)\n    return inner()\n"
        "program._exit_code = said; program.run()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "summarize", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    assert process.stderr.readline() == b"begins\n"
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)  # with standard input open
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")


@IS_POSIX
def test_of_two_that_write_the_same_file_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "out"
    commands = [["schema", "-o", str(path)], ["example", "-o", str(path)]]
    running = [
        subprocess.Popen([sys.executable, "-m", "ahsct_trial", *each], stderr=subprocess.PIPE)
        for each in commands
    ]
    codes = [(process.communicate(timeout=60), process.returncode)[1] for process in running]
    assert sorted(codes) == [0, 2]
    assert path.read_text(encoding="utf-8") == ahsct(commands[codes.index(0)][0]).stdout
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


@IS_POSIX
def test_the_input_is_never_replaced(tmp_path: Path) -> None:
    cohort, protocol = tmp_path / "cohort.csv", tmp_path / "ours.toml"
    cohort.write_bytes(Path(SAMPLE).read_bytes())
    protocol.write_text("horizon_years = 2\n", encoding="utf-8")
    with cohort.open("rb") as standard_input:
        done = ahsct("summarize", "-", "-o", str(cohort), "--force", stdin=standard_input)
    assert_one_line(done, r"cohort\.csv is an input")
    done = ahsct("summarize", SAMPLE, "--protocol", str(protocol), "-o", str(protocol), "--force")
    assert_one_line(done, r"ours\.toml is an input")
    done = ahsct("check", SAMPLE, "--against", str(protocol), "-o", str(protocol), "--force")
    assert_one_line(done, r"ours\.toml is an input")
    assert cohort.read_bytes() == Path(SAMPLE).read_bytes()
    assert protocol.read_text(encoding="utf-8") == "horizon_years = 2\n"


@HAS_MEMORY_LIMIT
@pytest.mark.parametrize(
    ("kind", "kilobytes"),
    [
        ("AS", 150_000),
        ("AS", 340_000),
        ("AS", 699_999),
        ("DATA", 100_000),
        ("DATA", 160_000),
        ("DATA", 299_999),
    ],
)
def test_too_little_memory_is_said_at_once(kind: str, kilobytes: int) -> None:
    import resource

    def limit() -> None:
        resource.setrlimit(getattr(resource, f"RLIMIT_{kind}"), (kilobytes * 1024, kilobytes * 1024))

    done = ahsct("summarize", SAMPLE, preexec_fn=limit)
    assert_one_line(done, "not enough memory", code=1)


@HAS_MEMORY_LIMIT
@pytest.mark.parametrize(("kind", "kilobytes"), [("AS", 700_000), ("DATA", 300_000)])
def test_memory_that_is_just_enough_gives_the_whole_result(
    kind: str, kilobytes: int, without_faults: str
) -> None:
    import resource

    def limit() -> None:
        resource.setrlimit(getattr(resource, f"RLIMIT_{kind}"), (kilobytes * 1024, kilobytes * 1024))

    done = ahsct("summarize", SAMPLE, preexec_fn=limit)
    assert (done.returncode, done.stdout) == (0, without_faults)


@pytest.mark.parametrize("error", ["MemoryError", "ImportError('libx.so: failed to map segment')"])
def test_memory_that_runs_out_later_is_one_sentence(error: str) -> None:
    code = (
        "from ahsct_trial import __main__, loading\n"
        f"def read_cohort(*_, **__): raise {error}\n"
        "loading.read_cohort = read_cohort; __main__.run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "summarize", SAMPLE], capture_output=True, encoding="utf-8", check=False
    )
    assert_one_line(done, "not enough memory", code=1)


@IS_POSIX
def test_an_argument_that_is_not_utf8_is_shown_escaped() -> None:
    done = ahsct("summarize", SAMPLE, "--ci", "\udcff\x1b]0;X\x07")
    assert_one_line(done, r"\\udcff\\x1b\]0;X\\x07")


@pytest.mark.skipif(sys.platform != "linux", reason="names of files that are not UTF-8")
@pytest.mark.parametrize(
    "arguments",
    [
        ["plot", "survival", SAMPLE, "--title", "t\udcff", "-o", "NEW.svg"],
        ["plot", "forest", SAMPLE, "--title", "t\udcff", "-o", "NEW.png"],
        ["claim", "23 of 24 \udcff", "--json"],
        ["summarize", SAMPLE, "--missing", "\udcff"],
        ["convert", SAMPLE, "--map", "msbase", "--missing", "\udcff"],
        ["summarize", SAMPLE, "--where", "site=\udcff"],
        ["trace", SAMPLE, "\udcff"],
        ["summarize", SAMPLE, "--encoding", "\udcff"],
    ],
)
def test_words_that_are_not_utf8_are_refused(arguments: list[str], tmp_path: Path) -> None:
    done = ahsct(*[each.replace("NEW", str(tmp_path / "new")) for each in arguments])
    assert_one_line(done, r"\\udcff")
    assert list(tmp_path.iterdir()) == []


def test_a_title_with_controls_leaves_the_picture_well_formed(tmp_path: Path) -> None:
    file = tmp_path / "figure.svg"
    done = ahsct("plot", "survival", SAMPLE, "--title", "Survie\u00a0: t\x01\x0b", "-o", str(file))
    assert done.returncode == 0
    assert "Survie\u00a0: t\\u0001\\u000b" in ET.parse(file).getroot()[0].text


def test_a_name_that_is_not_utf8_is_escaped_in_strict_json(tmp_path: Path) -> None:
    cohort, protocol = tmp_path / "no\udcff.csv", tmp_path / "p\udcff.toml"
    cohort.write_bytes(Path(SAMPLE).read_bytes())
    protocol.write_text("horizon_years = 2\n", encoding="utf-8")
    done = ahsct("summarize", str(cohort), "--protocol", str(protocol), "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["protocol"]["name"] == r"p\udcff.toml"
    assert r"no\udcff.csv" in json.dumps(found["source"]).replace(r"\\", "\\")


def test_an_argument_of_any_length_gives_a_short_message() -> None:
    for arguments in (
        ["x" * 100_000],
        ["--" + "x" * 100_000],
        ["summarize", SAMPLE, "--level", "1" * 100_000],
    ):
        done = ahsct(*arguments)
        assert_one_line(done, "An argument has 100,00[02] characters")
        assert len(done.stderr) < 200


@pytest.mark.parametrize(
    ("columns", "arguments"),
    [
        *((columns, ["--help"]) for columns in ("0", "x", "²", "9" * 30)),
        # The figure drawn in text takes all the width that it is given.
        *((columns, ["plot", "survival", SAMPLE]) for columns in ("0", "9" * 30)),
    ],
)
def test_a_width_that_makes_no_sense(columns: str, arguments: list[str]) -> None:
    done = ahsct(*arguments, env={"COLUMNS": columns})
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout) < 1_000_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NUMPY_MADVISE_HUGEPAGE", "abc"),
        ("NUMPY_MADVISE_HUGEPAGE", ""),
        ("ARROW_DEFAULT_MEMORY_POOL", "nonsense"),
        ("ARROW_DEFAULT_MEMORY_POOL", "jemalloc"),
        ("OPENBLAS_NUM_THREADS", "many"),
    ],
)
def test_settings_of_libraries_that_they_do_not_know(name: str, value: str, without_faults: str) -> None:
    done = ahsct("summarize", SAMPLE, env={name: value})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == without_faults


def test_a_wrong_option_is_told_before_anything_is_read() -> None:
    assert_one_line(
        ahsct("summarize", "no-such.csv", "--date-format", "nonsense"), "The date format is 'nonsense'"
    )


@IS_POSIX
@pytest.mark.parametrize("n_files", [5, 6, 8, 16])
def test_few_open_files(n_files: int, without_faults: str) -> None:
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (n_files, n_files))

    done = ahsct("summarize", SAMPLE, preexec_fn=limit)
    if done.returncode:
        assert_one_line(done, "Too many open files", code=1)
    else:
        assert done.stdout == without_faults


@IS_POSIX
def test_settings_of_matplotlib_that_cannot_be_read_change_no_figure(tmp_path: Path) -> None:
    broken, temporary = tmp_path / "matplotlibrc", tmp_path / "temporary"
    broken.write_bytes(b"figure.dpi: x\nnonsense: \xff\xfe\n")
    temporary.mkdir()
    environments = [
        {},
        {"MATPLOTLIBRC": str(broken), "MPLBACKEND": "nonsense"},
        # A home where nothing can be written, as in a container: no folder is left behind.
        {"HOME": os.devnull, "MPLCONFIGDIR": f"{os.devnull}/x", "TMPDIR": str(temporary)},
    ]
    figures = []
    for number, environment in enumerate(environments):
        path = tmp_path / f"{number}.svg"
        done = ahsct("plot", "survival", SAMPLE, "-o", str(path), env=environment)
        assert done.returncode == 0
        assert "Traceback" not in done.stderr
        figures.append(path.read_bytes())
    assert figures[1:] == figures[:1] * 2
    assert list(temporary.iterdir()) == []
