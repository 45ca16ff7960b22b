"""From the options of a command to a trial."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ahsct_trial.cli.options import as_text
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown, shown_path
from ahsct_trial.parallel import import_meanwhile

if TYPE_CHECKING:
    from ahsct_trial.cli.options import Data, Disclosure
    from ahsct_trial.protocol import Protocol
    from ahsct_trial.results import Notice, SourceInfo
    from ahsct_trial.trial import Trial


#: What most commands need next, half a second to import: the file is read and parsed meanwhile.
NEEDED = (
    "ahsct_trial.loading.trials",
    "pandas",
    "ahsct_trial.endpoints",
    "scipy.special",
    "ahsct_trial.rendering.documents",
)


def read(
    data: Data,
    protocol: Protocol,
    step: Callable[[str], None],
    disclosure: Disclosure | None = None,
    *,
    needed: Iterable[str] = NEEDED,
) -> Trial:
    """Read the data that a command names, and keep the patients that it asks for.

    The modules `needed` next are imported meanwhile.

    Raises
    ------
    UsageError, DataProblems
        As `loading.read_cohort`, and if nobody is as ``--where`` says. With ``--strict`` every command stops at
        the same: whatever `summarize` would show above its headline.
    """
    selection = data.selection()
    step(f"Reading {shown_path(data.cohort)}")
    limit_input(data.max_input)
    files: dict[str, Any] = {
        "encoding": data.encoding,
        "missing": tuple(as_text("--missing", token) for token in data.missing or ()),
        "date_format": data.date_format,
    }
    if data.map is None:
        from ahsct_trial.loading import read_cohort

        import_meanwhile(needed)
        trial = read_cohort(data.cohort, **files, time_zero=protocol.time_zero)
    else:
        from ahsct_trial.mapping import read_map, read_mapped, with_options

        rules = with_options(read_map(data.map), **files)
        trial = read_mapped(data.cohort, rules, time_zero=protocol.time_zero)
    for column, texts in selection.items():
        for text in texts:
            trial.level(column, text)  # an alternative that nobody has is misspelt
    step("Computing")
    trial = trial.where(selection)
    if data.strict:
        from ahsct_trial.endpoints import summarize

        notices = summarize(trial, protocol).notices
        stop_if_strict(
            data, trial.source, notices if disclosure is None else disclosure.suppression().notices(notices)
        )
    return trial


def stop_if_strict(data: Data, source: SourceInfo, notices: Iterable[Notice]) -> None:
    """With ``--strict`` stop where a person should look first.

    Raises
    ------
    DataProblems
        If one of the notices is of that severity.
    """
    if data.strict:
        from ahsct_trial.loading.problems import refuse_what_to_look_at_first

        refuse_what_to_look_at_first(", ".join(file.file for file in source.files), notices)


def limit_input(size: str | None) -> None:
    """Read no more of a file than `--max-input` says.

    Raises
    ------
    UsageError
        If it is no size.
    """
    if size is not None:
        from ahsct_trial.loading.file_bytes import MOST_INPUT, as_size

        MOST_INPUT.set(as_size(size))


def refuse_pooling(trial: Trial, data: Data, by: str | None = None) -> None:
    """Refuse to take several arms as one group unless that is asked for; groups by `arm` are not pooled.

    Raises
    ------
    UsageError
        If the patients are of more than one arm; the text names the ways on. If there is no attribute `by`.
    """
    if by is not None:
        trial.levels(by)  # a misspelt attribute is told first
    if data.pool or by == "arm" or "arm" not in trial.attributes:
        return
    arms = trial.levels("arm")
    if len(arms) < 2:
        return
    listed = ", ".join(shown(arm) for arm in arms[:10]) + (", …" if len(arms) > 10 else "")
    raise UsageError(
        f"{shown_path(data.cohort)} has {len(arms)} arms ({listed}), which are not pooled in silence. "
        f"Three ways on: compare them (ahsct compare --by arm {shown_path(data.cohort)}; "
        "report and plot have --by too), "
        f"take one of them (--where arm={shown(arms[0])}), or take all as one group (--pool)."
    )
