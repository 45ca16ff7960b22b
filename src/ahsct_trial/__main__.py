"""The process `ahsct`, which is also `python -m ahsct_trial`."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from typing import NoReturn

#: Memory [KB] that numpy, scipy, pandas and pyarrow need to be imported and to start their threads, by the option of
#: ``ulimit`` that limits it. Measured on two cores: address space below 475,000 KB always an error, from 600,000 KB on
#: never; data below 200,000 KB always, from 220,000 KB on never.
_LEAST_MEMORY = {"-v": 700_000, "-d": 300_000}

#: Characters; the longest path has 4,096.
_LONGEST_ARGUMENT = 5_000

#: New objects after which the interpreter looks for reference cycles; its default is 700. Importing the libraries makes
#: hundreds of thousands, none of which goes.
_NEW_OBJECTS = 100_000

#: What suits the libraries better than their defaults, and the form of what the user's environment may say instead: for
#: other text numpy and pyarrow have an error. Measured on two processors of a virtual machine; benchmarks/README.md has
#: the figures.
_LIBRARIES = {
    # OpenBLAS has little to do here, and starts a thread per processor when numpy and again when scipy is imported, all
    # of which wait busily: a third of the processor time that a small file takes, and more on more processors.
    "OPENBLAS_NUM_THREADS": ("1", "[0-9]+"),
    # A virtual machine has to ask its host for huge pages: without them large files take 0.87 of the time.
    "NUMPY_MADVISE_HUGEPAGE": ("0", "[01]"),
    # One allocator for numpy and pyarrow, so that one uses again what the other has freed: 0.85 of the time of a large
    # patient table, 1.03 of that of records. pyarrow's own also reserves 1 GB at once, which a limit may not leave.
    "ARROW_DEFAULT_MEMORY_POOL": ("system", "system|jemalloc|mimalloc"),
}


def run() -> NoReturn:
    """Run the command line and end the process with its exit code.

    By default the interpreter would look for reference cycles among the libraries' objects while they are imported, and
    again at the end: a fifth of the time that a small file takes.
    """
    signal.signal(signal.SIGINT, _end_interrupted)
    gc.set_threshold(_NEW_OBJECTS)
    code = _exit_code()
    gc.freeze()
    sys.exit(code)


def _exit_code() -> int:
    """Run the command line; whatever goes wrong is one sentence on standard error."""
    from ahsct_trial.errors import AhsctError
    from ahsct_trial.output import finish_standard_output, gather_standard_output, say

    try:
        _refuse_little_memory()
        _refuse_long_arguments()
        _correct_environment()
        gather_standard_output()
        code = _run_command()
        finish_standard_output()
    except AhsctError as error:
        say(str(error))
        return error.exit_code
    except RecursionError:
        say("Something is nested too deeply to be read.")
        return 1
    except Exception as error:
        if _is_for_want_of_memory(error):
            say("There is not enough memory. Allow the process more, or give it a smaller file.")
        elif isinstance(error, OSError):
            say(f"The operating system refuses what is needed: {error.strerror}.")
        else:
            raise  # a fault of the program, which its traceback helps to find
        return 1
    return code


def _run_command() -> int:
    from ahsct_trial.cli import main

    try:
        return main().exit_code
    except SystemExit as done:  # shell completion ends the process itself
        return done.code if isinstance(done.code, int) else int(done.code is not None)


def _refuse_little_memory() -> None:
    """Say at once that a limit is too low, and let pyarrow start one thread below one that is not.

    A library that gets no memory for its threads asks again for ever.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    from ahsct_trial.errors import AhsctError

    for option, kind in (("-v", resource.RLIMIT_AS), ("-d", resource.RLIMIT_DATA)):
        limit, _ = resource.getrlimit(kind)
        if limit == resource.RLIM_INFINITY:
            continue
        if limit < _LEAST_MEMORY[option] * 1024:
            raise AhsctError(
                f"There is not enough memory: the process may have {limit // 1024:,} KB (ulimit {option}), and needs "
                f"{_LEAST_MEMORY[option]:,} KB."
            )
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def _refuse_long_arguments() -> None:
    """Refuse what no name and no option needs; messages repeat arguments."""
    from ahsct_trial.errors import UsageError
    from ahsct_trial.escaping import shown

    for argument in sys.argv[1:]:
        if len(argument) > _LONGEST_ARGUMENT:
            raise UsageError(f"An argument has {len(argument):,} characters: {shown(argument)}")


def _correct_environment() -> None:
    """Leave out of the environment what would end a library with an error; say what suits the libraries.

    rich believes any number of columns; matplotlib cannot be imported with a settings file that it cannot
    read or with a backend that it does not know, and figures have a style and a backend of their own.
    """
    for name in ("COLUMNS", "LINES", "TERMINAL_WIDTH"):
        if not re.fullmatch(r"[1-9][0-9]{0,3}", os.environ.get(name, "80")):
            del os.environ[name]
    os.environ |= {"MATPLOTLIBRC": os.devnull, "MPLBACKEND": "agg"}
    for name, (value, form) in _LIBRARIES.items():
        if not re.fullmatch(form, os.environ.get(name, "")):
            os.environ[name] = value


def _is_for_want_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that led to it, says that memory or a thread could not be had."""
    words = ("failed to map segment", "annot allocate memory", "start new thread", "launch worker thread")
    while error is not None:
        if isinstance(error, MemoryError) or any(each in str(error) for each in words):
            return True
        error = error.__cause__ or error.__context__
    return False


def _end_interrupted(*_: object) -> NoReturn:
    """End at once and quietly: an exception would be lost in an import's callbacks, or printed by them."""
    if sys.stderr is not None and sys.stderr.isatty():
        os.write(2, b"\x1b[?25h\n")  # a line that shows progress hides the cursor
    os._exit(128 + signal.SIGINT)


if __name__ == "__main__":
    run()
