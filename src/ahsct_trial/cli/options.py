"""The options that commands share, in groups: how the data are read, what is chosen, where results go.

A group is a dataclass whose fields are options. A command takes a group as one argument, and `grouped` spreads
it out for typer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.output import refuse_output
from ahsct_trial.protocol import BUILT_IN, CHOICES, Overrides, Protocol, find_protocol, with_settings


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


def _words(setting: str) -> str:
    return "|".join(CHOICES[setting])


@dataclass(frozen=True, kw_only=True)
class Data:
    """Which data a command reads, and how."""

    cohort: Annotated[
        str,
        typer.Argument(
            metavar="COHORT",
            help="A CSV file, plain or gzipped; with --map also a workbook, another format or a folder; - for "
            "standard input.",
            show_default=False,
        ),
    ]
    map: Annotated[
        str | None,
        typer.Option("--map", metavar="NAME|FILE", help="Read tables made by others through this map."),
    ] = None
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="COLUMN=VALUE", help="Only these patients; again for more columns."),
    ] = None
    pool: Annotated[bool, typer.Option("--pool", help="Take several arms as one group.")] = False
    missing: Annotated[
        list[str] | None,
        typer.Option("--missing", metavar="TOKEN", help="A cell with this text is empty; again for more."),
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option("--encoding", help="Encoding of the file where it is not UTF-8, e.g. cp1252."),
    ] = None
    date_format: Annotated[
        str | None,
        typer.Option("--date-format", metavar="FORM", help="Form of dates, e.g. %d.%m.%Y or dd.mm.yyyy."),
    ] = None
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop (exit 3) at whatever a careful reader would look at first.")
    ] = False

    def selection(self) -> dict[str, tuple[str, ...]]:
        """The texts by column that ``--where`` asks for; several of one column are alternatives.

        Raises
        ------
        UsageError
            If one of them is no pair.
        """
        chosen: dict[str, tuple[str, ...]] = {}
        for pair in self.where or ():
            column, text = split_pair("--where", pair, "COLUMN=VALUE, as in --where arm=AHSCT")
            chosen[column] = (*chosen.get(column, ()), text)
        return chosen


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The protocol: a named one, and the settings that are changed in it."""

    protocol: Annotated[
        str | None,
        typer.Option("--protocol", metavar="NAME|FILE", help=f"{', '.join(BUILT_IN)}, or a TOML file."),
    ] = None
    horizon_years: Annotated[
        float | None,
        typer.Option("--horizon", metavar="YEARS", help="Landmark of the headline figures [3]."),
    ] = None
    landmark_window_days: Annotated[
        float | None,
        typer.Option(
            "--window-days",
            metavar="DAYS",
            help="A last assessment this long before a landmark reaches it [0].",
        ),
    ] = None
    observation_end: Annotated[
        str | None,
        typer.Option(
            "--observation-end",
            metavar=_words("observation_end"),
            help="When a patient's observation ends [last-assessment].",
        ),
    ] = None
    death: Annotated[
        str | None,
        typer.Option("--death", metavar=_words("death"), help="Whether a death is an event [event]."),
    ] = None
    death_reach_days: Annotated[
        float | None,
        typer.Option(
            "--death-reach-days",
            metavar="DAYS",
            help="A death this soon after the last assessment counts [365].",
        ),
    ] = None
    therapy: Annotated[
        str | None,
        typer.Option(
            "--therapy", metavar=_words("therapy"), help="What a therapy after transplant is [ignore]."
        ),
    ] = None
    worsening_confirm_weeks: Annotated[
        float | None,
        typer.Option(
            "--confirm-weeks", metavar="WEEKS", help="Worsening must hold this long (records) [24]."
        ),
    ] = None
    unconfirmed: Annotated[
        str | None,
        typer.Option(
            "--unconfirmed",
            metavar=_words("unconfirmed"),
            help="Worsening at the last visit, which nothing can confirm (records) [ignore].",
        ),
    ] = None
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", metavar=_words("baseline"), help="Which EDSS is the baseline (records)."),
    ] = None
    relapse_gap_days: Annotated[
        float | None,
        typer.Option(
            "--relapse-gap-days",
            metavar="DAYS",
            help="A relapse that begins sooner after another is the same one (records) [0].",
        ),
    ] = None
    new_lesion: Annotated[
        str | None,
        typer.Option(
            "--new-lesion",
            metavar=_words("new_lesion"),
            help="Which lesions are an event (records) [either].",
        ),
    ] = None
    mri_from_day: Annotated[
        float | None,
        typer.Option(
            "--mri-from-day", metavar="DAY", help="Scans up to this day set the reference (records) [0]."
        ),
    ] = None
    time_zero: Annotated[
        str | None,
        typer.Option("--time-zero", metavar=_words("time_zero"), help="What makes day 0 [transplant]."),
    ] = None
    ci_method: Annotated[
        str | None,
        typer.Option("--ci", metavar="METHOD", help=f"{', '.join(CHOICES['ci_method'])} [log-log]."),
    ] = None
    confidence_level: Annotated[
        float | None, typer.Option("--level", metavar="LEVEL", help="Confidence level [0.95].")
    ] = None

    def overrides(self) -> Overrides:
        """What the options change, and what a protocol of ``--protocol`` changes in the default.

        Raises
        ------
        UsageError
            If there is no such protocol.
        """
        named: dict[str, Any] = {}
        if self.protocol is not None:
            chosen = find_protocol(self.protocol)
            named = {each.name: getattr(chosen, each.name) for each in fields(chosen)}
        given = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "protocol"}
        return named | {name: value for name, value in given.items() if value is not None}

    def chosen(self) -> Protocol:
        """The protocol that the options come to.

        Raises
        ------
        UsageError
            If there is no such protocol, or a value is outside its range.
        """
        base = find_protocol(self.protocol) if self.protocol else BUILT_IN["default"]
        given = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "protocol"}
        return with_settings(base, {name: value for name, value in given.items() if value is not None})

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the options name."""
        return (self.protocol,) if self.protocol and self.protocol.endswith(".toml") else ()


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """How small a count may be shown."""

    suppress_below: Annotated[
        int | None,
        typer.Option(
            "--suppress-below", metavar="N", min=2, help="Show no count from 1 to N − 1, nor what tells it."
        ),
    ] = None

    def shown(self, result: Any) -> Any:
        """A summary or a comparison without small cells, if that is asked for."""
        if self.suppress_below is None:
            return result
        from ahsct_trial.suppression import suppress

        return suppress(result, self.suppress_below)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where results go."""

    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file instead of the screen.")
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Replace the output file if it exists.")] = False

    def refuse_unwritable(self, *inputs: str | None) -> None:
        """Refuse a file that may not be written before anything is read for nothing.

        Raises
        ------
        UsageError
            If it exists and is not to be replaced, is an input, or cannot be written.
        """
        refuse_output(self.output, [name for name in inputs if name is not None], force=self.force)


@dataclass(frozen=True, kw_only=True)
class Document(Destination):
    """Where results go, and whether as JSON."""

    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False

    def form(self) -> Format:
        """How to write."""
        return Format.JSON if self.json else Format.TABLE


@dataclass(frozen=True, kw_only=True)
class Table(Destination):
    """Where results go, and in which format."""

    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False
    format: Annotated[
        str | None,
        typer.Option("--format", metavar="|".join(Format), help="How to write the results [table]."),
    ] = None

    def form(self) -> Format:
        """How to write.

        Raises
        ------
        UsageError
            If there is no such format, or it contradicts ``--json``.
        """
        chosen = None if self.format is None else one_of("--format", self.format, tuple(Format))
        if self.json and chosen not in {None, Format.JSON}:
            raise UsageError(f"--json and --format {chosen} contradict each other. Give one of them.")
        return Format.JSON if self.json else Format(chosen or Format.TABLE)


def one_of(option: str, given: str, known: tuple[str, ...]) -> str:
    """The value of an option that takes one of some words.

    Raises
    ------
    UsageError
        If it is none of them; the text names the closest.
    """
    if given in known:
        return given
    from difflib import get_close_matches

    close = get_close_matches(given.casefold(), known, n=1)
    meant = f" Is {close[0]} meant?" if close else ""
    raise UsageError(f"{option} is {shown(given)!r}; it is one of {', '.join(known)}.{meant}")


def split_pair(option: str, pair: str, form: str) -> tuple[str, str]:
    """Both sides of ``NAME=VALUE``.

    Raises
    ------
    UsageError
        If it is no such pair; the text shows the form.
    """
    name, equals, value = pair.partition("=")
    if not (name.strip() and equals and value.strip()):
        raise UsageError(f"{option} is {shown(pair)!r}; write {form}.")
    return name.strip(), value.strip()


def grouped(command: Callable[..., Any]) -> Callable[..., Any]:
    """Spread a command's groups of options out for typer, and put them together again when it is called."""
    own = signature(command, eval_str=True).parameters
    groups = {name: each.annotation for name, each in own.items() if is_dataclass(each.annotation)}
    parameters: list[Parameter] = []
    for name, each in own.items():
        if name not in groups:
            parameters.append(each.replace(kind=Parameter.KEYWORD_ONLY))
            continue
        hints = get_type_hints(groups[name], include_extras=True)
        for option in fields(groups[name]):
            default = Parameter.empty if _is_required(option) else option.default
            parameters.append(
                Parameter(option.name, Parameter.KEYWORD_ONLY, default=default, annotation=hints[option.name])
            )

    @wraps(command)
    def run(**given: Any) -> Any:
        for name, group in groups.items():
            given[name] = group(**{option.name: given.pop(option.name) for option in fields(group)})
        return command(**given)

    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _is_required(option: Any) -> bool:
    from dataclasses import MISSING

    return option.default is MISSING
