"""Where results go: standard output, or a file that is written whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown_path


def write(text: str, path: Path | None, *, force: bool = False) -> None:
    """Write text to standard output, or to a file in one step.

    Raises
    ------
    UsageError
        If the file exists and `force` is not set, or it cannot be written.
    """
    if path is None:
        _write_to_standard_output(text)
    else:
        write_file(text.encode("utf-8"), path, force=force)


def write_file(content: bytes, path: Path, *, force: bool = False) -> None:
    """Write bytes to a file in one step.

    Raises
    ------
    UsageError
        If the file exists and `force` is not set, or it cannot be written.
    """
    named = shown_path(path)
    draft = None
    try:
        target = _target(path, named, force=force)
        # Beside the target, so that the last step is a rename within one file system.
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f".{target.name[:50]}.", delete=False
        ) as file:
            draft = Path(file.name)
            file.write(content)
        # A temporary file is private; a result has the permissions of any new file.
        mask = os.umask(0)
        os.umask(mask)
        draft.chmod(0o666 & ~mask)
        draft.replace(target)
    except OSError as error:
        raise UsageError(f"{named} cannot be written: {error.strerror}.") from None
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)


def refuse_unwritable(path: Path, *, force: bool = False) -> None:
    """Say before any work is done that a file may not be written.

    Raises
    ------
    UsageError
        If the file exists and `force` is not set, or it is none that can be replaced.
    """
    _target(path, shown_path(path), force=force)


def _target(path: Path, named: str, *, force: bool) -> Path:
    """Find the file to write; a link stays, and what it leads to is replaced."""
    try:
        target = path.resolve()
        if target.is_symlink():
            raise UsageError(f"{named} is a link that leads back to itself.")
        if target.is_dir():
            raise UsageError(f"{named} is a folder. Name a file in it.")
        if target.exists() and not target.is_file():
            raise UsageError(f"{named} is no ordinary file. Write to standard output instead.")
        if target.exists() and not force:
            raise UsageError(f"{named} exists. Choose another name, or add --force to replace it.")
    except RuntimeError:  # what Python before 3.13 makes of it
        raise UsageError(f"{named} is a link that leads back to itself.") from None
    except OSError as error:
        raise UsageError(f"{named} cannot be written: {error.strerror}.") from None
    return target


def _write_to_standard_output(text: str) -> None:
    if sys.stdout is None:
        raise UsageError("Standard output is closed.")
    try:
        if sys.stdout.isatty():
            # What this terminal cannot show is better replaced than a reason to show nothing.
            encoding = sys.stdout.encoding or "utf-8"
            sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        else:
            # A document is UTF-8 wherever it is written.
            sys.stdout.flush()
            sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough. Python would complain once more at exit; let it write to nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise UsageError(f"Standard output cannot be written: {error.strerror}.") from None
