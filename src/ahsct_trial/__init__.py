"""Turn the data of a stem-cell-transplant trial in multiple sclerosis into its published results.

>>> from ahsct_trial import read_cohort, summarize
>>> summary = summarize(read_cohort("data/sample_cohort.csv"))
>>> round(summary.endpoints.activity_free_survival.survival.value, 4)
0.9583

Importing the package is cheap: pandas is loaded when a cohort is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"
__all__ = [
    "AhsctError",
    "Comparison",
    "DataError",
    "DataProblems",
    "Protocol",
    "Summary",
    "Trial",
    "UsageError",
    "check",
    "compare",
    "find_protocol",
    "find_publication",
    "plot_survival",
    "read_cohort",
    "read_map",
    "read_mapped",
    "reconcile",
    "reconcile_rate",
    "sensitivity",
    "summarize",
    "timeline",
    "trace",
]

if TYPE_CHECKING:
    from ahsct_trial.checking import check
    from ahsct_trial.endpoints import summarize
    from ahsct_trial.endpoints.groups import compare
    from ahsct_trial.errors import AhsctError, DataError, UsageError
    from ahsct_trial.loading import read_cohort
    from ahsct_trial.loading.problems import DataProblems
    from ahsct_trial.mapping import read_map, read_mapped
    from ahsct_trial.protocol import Protocol, find_protocol
    from ahsct_trial.published import find_publication
    from ahsct_trial.reconciling import reconcile, reconcile_rate
    from ahsct_trial.rendering.figures import plot_survival
    from ahsct_trial.results import Comparison, Summary
    from ahsct_trial.sensitivity_analysis import sensitivity
    from ahsct_trial.timelines import timeline
    from ahsct_trial.tracing import trace
    from ahsct_trial.trial import Trial

#: Where each name lives; pandas is loaded when one that needs it is asked for.
_HOME = {
    "AhsctError": "ahsct_trial.errors",
    "Comparison": "ahsct_trial.results",
    "DataError": "ahsct_trial.errors",
    "DataProblems": "ahsct_trial.loading.problems",
    "Protocol": "ahsct_trial.protocol",
    "Summary": "ahsct_trial.results",
    "Trial": "ahsct_trial.trial",
    "UsageError": "ahsct_trial.errors",
    "check": "ahsct_trial.checking",
    "compare": "ahsct_trial.endpoints.groups",
    "find_protocol": "ahsct_trial.protocol",
    "find_publication": "ahsct_trial.published",
    "plot_survival": "ahsct_trial.rendering.figures",
    "read_cohort": "ahsct_trial.loading",
    "read_map": "ahsct_trial.mapping",
    "read_mapped": "ahsct_trial.mapping",
    "reconcile": "ahsct_trial.reconciling",
    "reconcile_rate": "ahsct_trial.reconciling",
    "sensitivity": "ahsct_trial.sensitivity_analysis",
    "summarize": "ahsct_trial.endpoints",
    "timeline": "ahsct_trial.timelines",
    "trace": "ahsct_trial.tracing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
