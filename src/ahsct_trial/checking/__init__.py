"""A trial's figures compared with published ones."""

from ahsct_trial.checking.against_all import Alongside, set_alongside
from ahsct_trial.checking.verdicts import Check, CheckedFigure, check

__all__ = ["Alongside", "Check", "CheckedFigure", "check", "set_alongside"]
