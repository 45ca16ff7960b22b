"""Which counts and which interval method lead to a published percentage or rate.

`printed` reads figures and says what rounds to them, `percentages` and `rates` answer, `counts` searches for
percentages, `scales` reads an interval without counts, `arguments` takes apart what is written on the command
line.
"""

from ahsct_trial.reconciling.percentages import Fit, InCommon, Reconciliation, reconcile
from ahsct_trial.reconciling.printed import PrintedFigure
from ahsct_trial.reconciling.rates import RateFit, RateReconciliation, reconcile_rate
from ahsct_trial.reconciling.scales import ScaleFit

__all__ = [
    "Fit",
    "InCommon",
    "PrintedFigure",
    "RateFit",
    "RateReconciliation",
    "Reconciliation",
    "ScaleFit",
    "reconcile",
    "reconcile_rate",
]
