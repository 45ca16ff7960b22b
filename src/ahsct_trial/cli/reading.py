"""From the options of a command to a trial."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ahsct_trial.errors import DataError, UsageError
from ahsct_trial.escaping import shown, shown_path

if TYPE_CHECKING:
    from ahsct_trial.cli.options import Data
    from ahsct_trial.protocol import TimeZero
    from ahsct_trial.results import Notice
    from ahsct_trial.trial import Trial


def read(data: Data, time_zero: TimeZero, step: Callable[[str], None]) -> Trial:
    """Read the data that a command names, and keep the patients that it asks for.

    Raises
    ------
    UsageError, DataProblems
        As `loading.read_cohort`, and if nobody is as ``--where`` says.
    """
    selection = data.selection()
    step(f"Reading {shown_path(data.cohort)}")
    from ahsct_trial.loading.limits import MOST_INPUT, as_size

    if data.max_input is not None:
        MOST_INPUT.set(as_size(data.max_input))
    files: dict[str, Any] = {
        "encoding": data.encoding,
        "missing": tuple(data.missing or ()),
        "date_format": data.date_format,
    }
    if data.map is None:
        from ahsct_trial.loading import read_cohort

        trial = read_cohort(data.cohort, **files, time_zero=time_zero, is_strict=data.strict)
    else:
        from ahsct_trial.mapping import read_map, read_mapped, with_defaults

        rules = with_defaults(read_map(data.map), **files)
        trial = read_mapped(data.cohort, rules, time_zero=time_zero, is_strict=data.strict)
    for column, texts in selection.items():
        for text in texts:
            trial.level(column, text)  # an alternative that nobody has is misspelt
    step("Computing")
    return trial.where(selection)


def heed(notices: Iterable[Notice], data: Data) -> None:
    """With ``--strict`` stop where a person should look first.

    Raises
    ------
    DataError
        If one of the notices is of that severity.
    """
    if not data.strict:
        return
    texts = [notice.text for notice in notices if notice.severity == "look first"]
    if texts:
        raise DataError("\n".join(["With --strict nothing is computed from these data:", *texts]))


def refuse_pooling(trial: Trial, data: Data) -> None:
    """Refuse to take several arms as one group unless that is asked for.

    Raises
    ------
    UsageError
        If the patients are of more than one arm; the text names the ways on.
    """
    if data.pool or "arm" not in trial.attributes:
        return
    arms = trial.levels("arm")
    if len(arms) < 2:
        return
    listed = ", ".join(shown(arm) for arm in arms[:10]) + (", …" if len(arms) > 10 else "")
    raise UsageError(
        f"{shown_path(data.cohort)} has {len(arms)} arms ({listed}), which are not pooled in silence. "
        f"Compare them (ahsct compare --by arm {shown_path(data.cohort)}), take one of them "
        f"(--where arm={shown(arms[0])}), or take all as one group (--pool)."
    )
