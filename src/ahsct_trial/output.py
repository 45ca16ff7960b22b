"""Where results go: standard output, or a file that is written whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from ahsct_trial.errors import UsageError


def write(text: str, path: Path | None, *, force: bool = False) -> None:
    """Write text to standard output, or to a file in one step.

    Raises
    ------
    UsageError
        If the file exists and `force` is not set, or it cannot be written.
    """
    if path is None:
        _write_to_standard_output(text)
        return
    if path.is_dir():
        raise UsageError(f"{path} is a folder. Name a file in it.")
    if path.exists() and not force:
        raise UsageError(f"{path} exists. Choose another name, or add --force to replace it.")
    draft = None
    try:
        # Beside the target, so that the last step is a rename within one file system.
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=path.parent, prefix=f".{path.name[:50]}.", delete=False
        ) as file:
            draft = Path(file.name)
            file.write(text)
        # A temporary file is private; a result has the permissions of any new file.
        mask = os.umask(0)
        os.umask(mask)
        draft.chmod(0o666 & ~mask)
        draft.replace(path)
    except OSError as error:
        if draft is not None:
            draft.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


def _write_to_standard_output(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough. Python would complain once more at exit; let it write to nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise UsageError(f"Standard output cannot be written: {error.strerror}.") from None
