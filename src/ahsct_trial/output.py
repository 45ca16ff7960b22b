"""Where results go: standard output, or a file. What is written is whole, or it is an error."""

from __future__ import annotations

import errno
import io
import os
import select
import signal
import stat
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown_path, visible

#: Bytes written at a time; between them a signal that ends the process is obeyed.
_CHUNK = 2**20
#: What file systems without hard links (FAT, some network drives) answer to one.
_NO_HARD_LINKS = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL}
_ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def write(text: str, path: Path | None, *, force: bool = False, is_drawn: bool = False) -> None:
    """Write text to standard output, or to a file in one step; what is not Unicode is escaped.

    A file and a pipe get the text as it is, so that data come back as they were. On a terminal what it would obey
    or hide is escaped, unless the text `is_drawn` for it: then it has colours, and labels are escaped already.

    Raises
    ------
    UsageError
        If it cannot be written whole, or the file exists and `force` is not set.
    """
    if path is None:
        _write_to_standard_output(text, is_drawn=is_drawn)
    else:
        write_file(text.encode("utf-8", "backslashreplace"), path, force=force)


def write_file(content: bytes, path: Path, *, force: bool = False) -> None:
    """Write bytes to a file in one step: it is there whole and on the disk, or not at all.

    A file that appears while the content is written is not replaced without `force`; one that is replaced
    passes on its permissions where they are stricter than those of a new file. SIGINT, SIGTERM and SIGHUP
    leave no draft behind.

    Raises
    ------
    UsageError
        If the file exists and `force` is not set, or it cannot be written.
    """
    named = shown_path(path)
    with _signals_held() as refuse_if_ended:
        draft = None
        try:
            target = _target(path, named, force=force)
            # Beside the target, so that the last step is within one file system.
            draft = target.with_name(f".{target.name[:50]}.{os.urandom(8).hex()}")
            with _opened_draft(draft, target) as file:
                for start in range(0, len(content), _CHUNK):
                    refuse_if_ended()
                    file.write(content[start : start + _CHUNK])
                file.flush()
                os.fsync(file.fileno())
            refuse_if_ended()
            if force:
                draft.replace(target)
            else:
                _name(draft, target)
        except FileExistsError:
            raise UsageError(f"{named} has appeared meanwhile and is not replaced.") from None
        except OSError as error:
            raise UsageError(f"{named} cannot be written: {error.strerror}.") from None
        finally:
            if draft is not None:
                draft.unlink(missing_ok=True)


def refuse_output(path: Path | None, inputs: Iterable[str | Path] = (), *, force: bool = False) -> None:
    """Say before any work is done that an output file may not be written.

    Parameters
    ----------
    path
        The output file; None is standard output.
    inputs
        What the command reads: files, and ``-`` for standard input. Names that are no file do not matter.
    force
        Whether a file may be replaced.

    Raises
    ------
    UsageError
        If the file is one of the inputs or in a folder that is one, exists and `force` is not set, or cannot
        be replaced.
    """
    if path is None:
        return
    for each in inputs:
        if _is_input(path, str(each)):
            raise UsageError(f"{shown_path(path)} is an input. Choose another name for the output.")
    _target(path, shown_path(path), force=force)


def say(message: str) -> None:
    """Tell a person on standard error; where nobody can be told, the exit code still tells."""
    if sys.stderr is None:
        return
    try:
        print(f"ahsct: {message}", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        _let_go(sys.stderr)


def gather_standard_output() -> None:
    """Have all that is printed to standard output written whole, until `finish_standard_output` has done so.

    Python's own unbuffered output (``python -u``, usual in containers) drops what a full disk or a slow pipe
    did not take at once.
    """
    stream: Any = sys.stdout
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_StandardOutput(stream), buffer_size=_CHUNK),
        encoding=None if stream is None else stream.encoding,
        errors="backslashreplace",
    )


def finish_standard_output() -> None:
    """Write what is still held for standard output.

    Raises
    ------
    UsageError
        If it cannot be written whole.
    """
    sys.stdout.flush()
    # A network drive may say only when a file is closed that there was no room.
    with _explained_standard_output(), suppress(io.UnsupportedOperation):
        os.close(os.dup(sys.stdout.fileno()))


def _is_input(path: Path, name: str) -> bool:
    # A name that no file can have is not the output's, and an error when it is read.
    with suppress(OSError, ValueError):
        if name != "-":
            files = Path(name).iterdir() if Path(name).is_dir() else [Path(name)]
            return path.exists() and any(each.exists() and path.samefile(each) for each in files)
        if sys.stdin is not None:
            return os.path.samestat(path.stat(), os.fstat(sys.stdin.fileno()))
    return False


def _target(path: Path, named: str, *, force: bool) -> Path:
    """Find the file to write; a link stays, and what it leads to is replaced."""
    try:
        target = path.resolve()
        if target.is_symlink():
            raise UsageError(f"{named} is a link that leads back to itself.")
        if target.is_dir():
            raise UsageError(f"{named} is a folder. Name a file in it.")
        if not target.parent.is_dir():
            raise UsageError(
                f"There is no folder {shown_path(path.parent)}. Make it, or choose another name."
            )
        if target.exists() and not target.is_file():
            raise UsageError(f"{named} is not a regular file. Write to standard output instead.")
        if target.exists() and not force:
            raise UsageError(f"{named} exists. Choose another name, or add --force to replace it.")
    except RuntimeError:  # what Python before 3.13 makes of it
        raise UsageError(f"{named} is a link that leads back to itself.") from None
    except OSError as error:
        raise UsageError(f"{named} cannot be written: {error.strerror}.") from None
    return target


def _opened_draft(draft: Path, target: Path) -> IO[bytes]:
    """A new file; its permissions are those of the file it will replace where these are stricter."""
    mode = 0o666
    with suppress(FileNotFoundError):
        mode &= stat.S_IMODE(target.stat().st_mode)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(draft, flags, mode), "wb")


def _name(draft: Path, target: Path) -> None:
    """Give the draft its name, unless a file has it already.

    Raises
    ------
    FileExistsError
        If one has.
    """
    try:
        target.hardlink_to(draft)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        # The name is taken by an empty file, which nobody else can then make, and the draft replaces that.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        draft.replace(target)


@contextmanager
def _signals_held() -> Iterator[Any]:
    """Let signals that end the process wait; the function given stops the work where one does."""
    came: list[int] = []

    def refuse_if_ended() -> None:
        if came:
            raise InterruptedError(errno.EINTR, "interrupted")

    if threading.current_thread() is not threading.main_thread():  # others receive no signals
        yield refuse_if_ended
        return
    before = {number: signal.getsignal(number) for number in _ENDING}
    before = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}
    for number in before:
        signal.signal(number, lambda signum, _: came.append(signum))
    try:
        yield refuse_if_ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        if came:
            signal.raise_signal(came[0])


class _StandardOutput(io.RawIOBase):
    """The bytes of standard output: each write is whole, or raises UsageError."""

    def __init__(self, stream: Any) -> None:
        # Below all buffers, which would try again at exit what could not be written.
        self._raw = None if stream is None else getattr(stream.buffer, "raw", stream.buffer)

    def write(self, content: Any) -> int:
        if self._raw is None:
            self._raw = io.BytesIO()  # for what a buffer above tries once more at exit
            raise UsageError("Standard output is closed.")
        with _explained_standard_output():
            rest = memoryview(content)
            while rest:
                n_taken = self._raw.write(rest[:_CHUNK])
                if n_taken is None:  # a pipe that does not block: wait until it takes more
                    select.select([], [self._raw], [])
                elif n_taken == 0:
                    raise OSError(errno.EIO, "nothing more is taken")
                else:
                    rest = rest[n_taken:]
        return len(content)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._raw is not None and self._raw.isatty()

    def fileno(self) -> int:
        return super().fileno() if self._raw is None else self._raw.fileno()


def _write_to_standard_output(text: str, *, is_drawn: bool) -> None:
    # A document is UTF-8 wherever it is written; what a terminal cannot show is better replaced than refused.
    if sys.stdout is not None and sys.stdout.isatty():
        content = (text if is_drawn else visible(text)).encode(sys.stdout.encoding or "utf-8", "replace")
    else:
        content = text.encode("utf-8", "backslashreplace")
    with _explained_standard_output():
        if sys.stdout is not None:
            sys.stdout.flush()
        _StandardOutput(sys.stdout).write(content)


def _let_go(stream: Any) -> None:
    """Lead a stream to nothing: what a buffer still holds would be tried, and complained of, at exit."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


@contextmanager
def _explained_standard_output() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _let_go(sys.stdout)
        # Whoever read from a closed pipe has seen enough.
        if not isinstance(error, BrokenPipeError):
            raise UsageError(
                f"The output could not be written whole to standard output: {error.strerror}."
            ) from None
