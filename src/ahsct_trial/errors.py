"""The errors a user can meet, each with the exit code that the command line gives for it."""

from __future__ import annotations


class AhsctError(Exception):
    """A fault that has an explanation; the command line prints its text and never a traceback."""

    exit_code = 1


class UsageError(AhsctError):
    """What was asked for does not exist or contradicts itself: an option, a setting, a file name."""

    exit_code = 2


class DataError(AhsctError):
    """The data cannot be used as they are; the text says where and what to do about it."""

    exit_code = 3
