"""What is wrong with a file, said so that a person can put it right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ahsct_trial.errors import DataError
from ahsct_trial.escaping import shown
from ahsct_trial.results import SCHEMA_VERSION, TOOL, ProblemInfo, Validation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: How many problems are shown; the rest are counted.
SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing to put right: where it stands, what it is, the rule it breaks, and what to do."""

    file: str
    what: str
    rule: str
    fix: str
    line: int | None = None
    patient: str | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        place = shown(self.file) if self.line is None else f"{shown(self.file)}:{self.line}"
        patient = "" if self.patient is None else f" patient {shown(self.patient)}"
        return f"{place}{patient}: {self.what}; {self.rule}. {self.fix}"


@dataclass(frozen=True)
class Finding:
    """All rows that break one rule; a `Problem` is made only for the rows that are shown.

    Attributes
    ----------
    lines
        Ascending numbers of the lines on which these rows begin.
    describe
        Gives the problem of the row on one of these lines.
    """

    lines: NDArray[np.int64]
    describe: Callable[[int], Problem]


class DataProblems(DataError):
    """Everything that is wrong with a file: the first problems in the order of the file, and the total."""

    def __init__(self, file: str, problems: Sequence[Problem], n_problems: int) -> None:
        self.file = file
        self.problems = tuple(problems)
        self.n_problems = n_problems
        noun = "problem" if n_problems == 1 else "problems"
        lines = [f"{shown(file)} has {n_problems:,} {noun}; nothing was computed.", *map(str, self.problems)]
        if n_problems > len(self.problems):
            lines.append(f"… and {n_problems - len(self.problems):,} more.")
        super().__init__("\n".join(lines))

    @classmethod
    def from_findings(cls, file: str, findings: Sequence[Finding]) -> DataProblems:
        """Show the first findings by line; within a row, its cells by their order, then what contradicts."""
        first = sorted(
            (int(line), order) for order, finding in enumerate(findings) for line in finding.lines[:SHOWN]
        )[:SHOWN]
        return cls(
            file,
            [findings[order].describe(line) for line, order in first],
            sum(len(finding.lines) for finding in findings),
        )

    def as_validation(self) -> Validation:
        """The problems as a result, for other programs."""
        return Validation(
            schema_version=SCHEMA_VERSION,
            tool=TOOL,
            file=self.file,
            n_problems=self.n_problems,
            problems=tuple(
                ProblemInfo(
                    line=problem.line,
                    patient=problem.patient,
                    column=problem.column,
                    value=problem.value,
                    rule=problem.rule,
                    fix=problem.fix,
                    text=str(problem),
                )
                for problem in self.problems
            ),
            account=None,
            notices=(),
        )


def fatal(file: str, what: str, rule: str, fix: str, line: int | None = None) -> DataProblems:
    """One problem that makes it pointless to look for others."""
    return DataProblems(file, [Problem(file=file, what=what, rule=rule, fix=fix, line=line)], 1)
