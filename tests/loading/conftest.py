"""Reading a text as if it stood in a file named ``cohort.csv``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ahsct_trial.cohort import Cohort
from ahsct_trial.loading import read_cohort
from ahsct_trial.loading.problems import DataProblems


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loading") / "cohort.csv"


@pytest.fixture(scope="session")
def read(file: Path) -> Callable[..., Cohort]:
    def read(content: str | bytes, encoding: str | None = None) -> Cohort:
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return read_cohort(file, encoding=encoding)

    return read


@pytest.fixture(scope="session")
def refused(read: Callable[..., Cohort]) -> Callable[..., DataProblems]:
    """What is said of a text that has problems."""

    def refused(content: str | bytes, encoding: str | None = None) -> DataProblems:
        with pytest.raises(DataProblems) as caught:
            read(content, encoding)
        return caught.value

    return refused


@pytest.fixture(scope="session")
def messages(refused: Callable[..., DataProblems]) -> Callable[..., list[str]]:
    """Each problem of a text as it is shown."""

    def messages(content: str | bytes, encoding: str | None = None) -> list[str]:
        return [str(problem) for problem in refused(content, encoding).problems]

    return messages
