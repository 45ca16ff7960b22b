"""Reading a text as if it stood in a file named ``cohort.csv``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ahsct_trial import DataProblems, Trial, read_cohort


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loading") / "cohort.csv"


@pytest.fixture(scope="session")
def read(file: Path) -> Callable[..., Trial]:
    def read(content: str | bytes, encoding: str | None = None, **options: Any) -> Trial:
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return read_cohort(file, encoding=encoding, **options)

    return read


@pytest.fixture(scope="session")
def refused(read: Callable[..., Trial]) -> Callable[..., DataProblems]:
    """What is said of a text that has problems."""

    def refused(content: str | bytes, encoding: str | None = None, **options: Any) -> DataProblems:
        with pytest.raises(DataProblems) as caught:
            read(content, encoding, **options)
        return caught.value

    return refused


@pytest.fixture(scope="session")
def messages(refused: Callable[..., DataProblems]) -> Callable[..., list[str]]:
    """Each problem of a text as it is shown."""

    def messages(content: str | bytes, encoding: str | None = None, **options: Any) -> list[str]:
        return [str(problem) for problem in refused(content, encoding, **options).problems]

    return messages


@pytest.fixture(scope="session")
def notices() -> Callable[[Trial], tuple[str, ...]]:
    """The texts of what a person should know of a reading."""
    return lambda trial: tuple(notice.text for notice in trial.notices)
