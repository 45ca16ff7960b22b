"""Which counts and which interval method lead to a published percentage or rate.

`printed` reads figures and says what rounds to them, `percentages` and `rates` answer, `counts` searches for
percentages, `arguments` takes apart what is written on the command line.
"""

from ahsct_trial.reconciling.percentages import DEFAULT_RANGE, Fit, Reconciliation, reconcile
from ahsct_trial.reconciling.printed import PrintedFigure
from ahsct_trial.reconciling.rates import RateFit, RateReconciliation, reconcile_rate

__all__ = [
    "DEFAULT_RANGE",
    "Fit",
    "PrintedFigure",
    "RateFit",
    "RateReconciliation",
    "Reconciliation",
    "reconcile",
    "reconcile_rate",
]
