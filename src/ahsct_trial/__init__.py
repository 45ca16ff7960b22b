"""Turn the CSV of a stem-cell-transplant trial in multiple sclerosis into its published results.

>>> from ahsct_trial import read_cohort, summarize
>>> summary = summarize(read_cohort("data/sample_cohort.csv"))
>>> round(summary.endpoints.activity_free_survival.estimate, 4)
0.9583

Importing the package is cheap: pandas is loaded when a cohort is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Cohort",
    "Protocol",
    "Records",
    "Sensitivity",
    "Summary",
    "read_cohort",
    "reconcile",
    "reconcile_rate",
    "sensitivity_of",
    "summarize",
]

if TYPE_CHECKING:
    from ahsct_trial.cohort import Cohort
    from ahsct_trial.endpoints import summarize
    from ahsct_trial.loading import read_cohort
    from ahsct_trial.protocol import Protocol
    from ahsct_trial.reconciling import reconcile, reconcile_rate
    from ahsct_trial.records import Records
    from ahsct_trial.results import Summary
    from ahsct_trial.sensitivity import Sensitivity, sensitivity_of

_HOME = {
    "Cohort": "ahsct_trial.cohort",
    "Protocol": "ahsct_trial.protocol",
    "Records": "ahsct_trial.records",
    "Sensitivity": "ahsct_trial.sensitivity",
    "Summary": "ahsct_trial.results",
    "read_cohort": "ahsct_trial.loading",
    "reconcile": "ahsct_trial.reconciling",
    "reconcile_rate": "ahsct_trial.reconciling",
    "sensitivity_of": "ahsct_trial.sensitivity",
    "summarize": "ahsct_trial.endpoints",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
