"""Where results go: a file that is written whole or not at all, and standard output in UTF-8."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ahsct_trial.errors import UsageError
from ahsct_trial.output import refuse_output, write

TEXT = "Überleben – 69.6 %\r\nline\n"


def test_a_new_file_has_the_text_byte_for_byte(tmp_path: Path) -> None:
    write(TEXT, tmp_path / "result.txt")
    assert (tmp_path / "result.txt").read_bytes() == TEXT.encode("utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["result.txt"]


def test_a_file_is_replaced_only_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "result.txt"
    path.write_text("before", encoding="utf-8")
    with pytest.raises(UsageError, match=r"exists.*--force"):
        write("after", path)
    assert path.read_text(encoding="utf-8") == "before"
    write("after", path, force=True)
    assert path.read_text(encoding="utf-8") == "after"


@pytest.mark.skipif(os.name == "nt", reason="no such files")
def test_what_is_no_ordinary_file_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="not a regular file"):
        write(TEXT, pipe, force=True)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="no such device")
@pytest.mark.parametrize("is_linked", [False, True])
def test_the_null_device_is_refused(is_linked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        pytest.fail("a device was about to be replaced")

    # Who may write to /dev would lose the device if the code under test were wrong.
    monkeypatch.setattr(Path, "replace", never)
    monkeypatch.setattr(Path, "hardlink_to", never)
    path = Path(os.devnull)
    if is_linked:
        path = tmp_path / "link"
        path.symlink_to(os.devnull)
    with pytest.raises(UsageError, match="not a regular file"):
        write(TEXT, path, force=True)


def test_a_folder_is_no_place_to_write_to(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        write(TEXT, tmp_path, force=True)


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no folder .*none\. Make it, or choose another name"):
        write(TEXT, tmp_path / "none" / "result.txt")


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write(TEXT, tmp_path / ("x" * 300))


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "elsewhere" / "result.txt", tmp_path / "link.txt"
    target.parent.mkdir()
    target.write_text("before", encoding="utf-8")
    link.symlink_to(target)
    with pytest.raises(UsageError, match=r"link\.txt exists"):
        write("after", link)
    write("after", link, force=True)
    assert link.readlink() == target
    assert target.read_text(encoding="utf-8") == "after"


def test_a_link_to_nothing_makes_the_file_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to("result.txt")
    write(TEXT, tmp_path / "link.txt")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "result.txt").read_bytes() == TEXT.encode("utf-8")


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(UsageError, match="leads back to itself"):
        write(TEXT, loop, force=True)
    assert loop.is_symlink()


@pytest.mark.skipif(os.name == "nt", reason="no such permissions")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_are_those_of_any_new_file(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write(TEXT, tmp_path / "result.txt")
        found = os.umask(mask)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "result.txt").stat().st_mode) == mode
    assert found == mask


def test_an_error_of_the_disk_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    (tmp_path / "result.txt").write_text("before", encoding="utf-8")
    with pytest.raises(UsageError, match=r"result\.txt cannot be written: No space left on device"):
        write(TEXT, tmp_path / "result.txt", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["result.txt"]
    assert (tmp_path / "result.txt").read_text(encoding="utf-8") == "before"


def test_an_interruption_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(TEXT, tmp_path / "result.txt")
    assert list(tmp_path.iterdir()) == []


def test_content_is_on_the_disk_before_it_takes_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "result.txt"
    had_name = []
    monkeypatch.setattr(os, "fsync", lambda _: had_name.append(path.exists()))
    write(TEXT, path)
    assert had_name == [False]


@pytest.mark.parametrize("is_linkable", [True, False])
def test_a_file_that_appears_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_linkable: bool
) -> None:
    path = tmp_path / "result.txt"

    def no_links(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if not is_linkable:  # as on a FAT file system
        monkeypatch.setattr(Path, "hardlink_to", no_links)
    write(TEXT, path)
    assert path.read_bytes() == TEXT.encode("utf-8")
    path.unlink()
    # Between the first look and the last step another process writes the same name.
    monkeypatch.setattr(os, "fsync", lambda _: path.write_text("theirs", encoding="utf-8"))
    with pytest.raises(UsageError, match="has appeared meanwhile"):
        write(TEXT, path)
    assert path.read_text(encoding="utf-8") == "theirs"
    assert [each.name for each in tmp_path.iterdir()] == ["result.txt"]


@pytest.mark.skipif(os.name == "nt", reason="no such permissions")
@pytest.mark.parametrize(
    ("before", "after"), [(0o600, 0o600), (0o640, 0o640), (0o666, 0o644), (0o755, 0o644)]
)
def test_a_file_that_replaces_another_keeps_its_stricter_permissions(
    tmp_path: Path, before: int, after: int
) -> None:
    path = tmp_path / "result.txt"
    path.write_text("before", encoding="utf-8")
    path.chmod(before)
    mask = os.umask(0o022)
    try:
        write(TEXT, path, force=True)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == after


def test_an_input_is_never_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cohort, other, link = tmp_path / "cohort.csv", tmp_path / "other.csv", tmp_path / "link.csv"
    cohort.write_text("patient_id,follow_up_years\n1,2\n", encoding="utf-8")
    other.touch()
    link.symlink_to(cohort)
    with cohort.open(encoding="utf-8") as standard_input:
        monkeypatch.setattr(sys, "stdin", standard_input)
        for output, inputs in [
            (cohort, [str(cohort)]),
            (link, [cohort]),
            (cohort, ["-"]),
            (other, ["-", other]),
        ]:
            with pytest.raises(UsageError, match=f"{output.name} is an input"):
                refuse_output(output, inputs, force=True)
        refuse_output(other, [str(cohort), "-", "atkins2016-summary", "no\0file"], force=True)
        refuse_output(None, [str(cohort)])


def test_text_that_is_not_unicode_is_escaped(tmp_path: Path) -> None:
    write("a\udcffb", tmp_path / "result.txt")
    assert (tmp_path / "result.txt").read_bytes() == rb"a\udcffb"


def test_a_name_cannot_command_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m"
    path.touch()
    with pytest.raises(UsageError) as caught:
        write(TEXT, path)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_standard_output_is_utf8_when_piped(encoding: str) -> None:
    code = f"from ahsct_trial.output import write; print('first'); write({TEXT!r}, None)"
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", code],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    first = f"first{os.linesep}".encode()
    assert done.stdout == first + TEXT.encode("utf-8")
    assert done.stderr == b""


@pytest.mark.skipif(os.name == "nt", reason="no such device")
def test_a_terminal_that_lacks_a_character_shows_the_rest() -> None:
    import pty

    parent, child = pty.openpty()
    code = "from ahsct_trial.output import write; write('a–b', None)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        stdin=subprocess.DEVNULL,
        stdout=child,
        stderr=subprocess.PIPE,
        check=False,
    )
    shown = os.read(parent, 100)
    os.close(child)
    os.close(parent)
    assert (done.returncode, done.stderr, shown) == (0, b"", b"a?b")


@pytest.mark.skipif(os.name == "nt", reason="no such device")
def test_a_closed_pipe_ends_quietly() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    code = "from ahsct_trial.output import write; write('x' * 100_000, None)"
    with os.fdopen(write_end, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=closed, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_standard_output_on_a_full_disk() -> None:
    code = (
        "from ahsct_trial.output import write\n"
        "from ahsct_trial.errors import UsageError\n"
        "import sys\n"
        "try: write('x', None)\n"
        "except UsageError as error: sys.exit(str(error))"
    )
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (
        done.stderr == "The output could not be written whole to standard output: No space left on device.\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="no pseudoterminals")
@pytest.mark.parametrize("command", ["summarize --format csv", "export", "summarize --json"])
def test_a_label_cannot_command_the_terminal_but_comes_back_from_a_file(tmp_path: Path, command: str) -> None:
    import pty

    label = "A\x1b[31m\x9b1m\u202eB"
    path = tmp_path / "cohort.csv"
    path.write_text(f"patient_id,follow_up_years,site\nP1,3,{label}\n", encoding="utf-8")
    name, *options = command.split()
    arguments = [sys.executable, "-m", "ahsct_trial", name, str(path), *options]
    piped = subprocess.run(arguments, capture_output=True, check=True).stdout.decode("utf-8")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        arguments, stdout=theirs, env={**os.environ, "PYTHONIOENCODING": "utf-8"}
    ) as process:
        os.close(theirs)
        seen = b""
        try:
            while part := os.read(ours, 65_536):
                seen += part
        except OSError:  # what Linux says when the other side is closed
            pass
        os.close(ours)
    assert process.returncode == 0
    on_screen = seen.decode("utf-8")
    assert not set("\x1b\x9b\u202e") & set(on_screen)
    assert "A\\u001b[31m\\u009b1m\\u202eB" in on_screen
    if name == "export":  # what is read again is as it was
        again = tmp_path / "again.csv"
        again.write_text(piped, encoding="utf-8")
        from ahsct_trial import read_cohort, summarize

        assert summarize(read_cohort(again)).cohort.site == {label: 1}


def test_no_table_of_a_folder_that_is_read_is_the_output(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "dm.csv").write_text("a\n")
    with pytest.raises(UsageError, match="is an input"):
        refuse_output(folder / "dm.csv", [folder], force=True)
    refuse_output(folder / "new.csv", [folder], force=True)
