"""The options that commands share, in groups: how the data are read, what is chosen, where results go.

A group is a dataclass whose fields are options. A command takes a group as one argument, and `grouped`
spreads it out for typer as one panel of the help.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache, wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_type_hints

import typer
from typer.models import OptionInfo

from ahsct_trial.catalogue import SURVIVAL_ENDPOINTS
from ahsct_trial.columns import ATTRIBUTES
from ahsct_trial.errors import UsageError
from ahsct_trial.escaping import shown
from ahsct_trial.output import refuse_output
from ahsct_trial.protocol import (
    BUILT_IN,
    CHOICES,
    SETTINGS,
    Overrides,
    Protocol,
    find_protocol,
    with_settings,
)
from ahsct_trial.wording import is_it_meant, listed

if TYPE_CHECKING:
    from ahsct_trial.suppression import Suppression


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


def with_default(words: str, default: str) -> str:
    """The words of an option's help with its default, where None stands for it."""
    return f"{words} [dim]\\[default: {default}][/dim]"


def _completed_from(words: Iterable[str]) -> Callable[[str], list[str]]:
    """What a shell completes the beginning of an option's value to."""

    def completed(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return completed


#: What names an endpoint, and what a group is made by.
_KEYS = tuple(each.key for each in SURVIVAL_ENDPOINTS)
ENDPOINT_KEYS = listed(_KEYS, "or")
GROUPS = listed((column.name for column in ATTRIBUTES if column.kind in {"text", "level"}), "or")
EndpointOption = Annotated[
    str,
    typer.Option(
        "--endpoint", metavar="KEY", help=f"{ENDPOINT_KEYS}.", autocompletion=_completed_from(_KEYS)
    ),
]


def _setting(setting: str, option: str, words: str, unit: str | None = None) -> Any:
    """The option that changes a setting; its help names the choices and the default protocol's own."""
    default_value = getattr(BUILT_IN["default"], setting)
    if setting in CHOICES:
        words = f"{words}: {listed(CHOICES[setting], 'or')}."
    default = default_value if isinstance(default_value, str) else f"{default_value:g}"
    return typer.Option(
        option,
        metavar=unit or "CHOICE",
        help=with_default(words, default),
        autocompletion=_completed_from(CHOICES.get(setting, ())),
    )


MaxInputOption = Annotated[
    str | None,
    typer.Option("--max-input", metavar="SIZE", help=with_default("Read no more than this of a file.", "4G")),
]


@dataclass(frozen=True, kw_only=True)
class Data:
    """Which data a command reads, and how."""

    panel: ClassVar = "Reading the data"

    cohort: Annotated[
        str,
        typer.Argument(
            metavar="COHORT",
            help="A CSV file, plain or gzipped; with --map also a workbook, another format or a folder; "
            "- for standard input.",
            show_default=False,
        ),
    ]
    map: Annotated[
        str | None,
        typer.Option("--map", metavar="NAME|FILE", help="Read tables made by others through this map."),
    ] = None
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="COLUMN=VALUE",
            help="Only these patients; again for another column, or another VALUE of this one.",
        ),
    ] = None
    pool: Annotated[bool, typer.Option("--pool", help="Take several arms as one group.")] = False
    missing: Annotated[
        list[str] | None,
        typer.Option(
            "--missing", metavar="TOKEN", help="A cell with this text is empty; repeat it for more."
        ),
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option("--encoding", help="Encoding of the file where it is not UTF-8, e.g. cp1252."),
    ] = None
    date_format: Annotated[
        str | None,
        typer.Option("--date-format", metavar="FORM", help="Form of dates, e.g. %d.%m.%Y or dd.mm.yyyy."),
    ] = None
    max_input: MaxInputOption = None
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

    panel: ClassVar = "Choices behind the figures"

    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol",
            metavar="NAME|FILE",
            help=with_default(f"{', '.join(BUILT_IN)}, or a TOML file.", "default"),
        ),
    ] = None
    horizon_years: Annotated[
        float | None, _setting("horizon_years", "--horizon", "Landmark of the headline figures.", "YEARS")
    ] = None
    landmark_window_days: Annotated[
        float | None,
        _setting(
            "landmark_window_days",
            "--window-days",
            "A last assessment this long before a landmark reaches it.",
            "DAYS",
        ),
    ] = None
    observation_end: Annotated[
        str | None, _setting("observation_end", "--observation-end", "When a patient's observation ends")
    ] = None
    death: Annotated[str | None, _setting("death", "--death", "Whether a death is an event")] = None
    death_reach_days: Annotated[
        float | None,
        _setting(
            "death_reach_days",
            "--death-reach-days",
            "A death this soon after the last assessment counts.",
            "DAYS",
        ),
    ] = None
    therapy: Annotated[
        str | None, _setting("therapy", "--therapy", "What a therapy is that starts after time zero")
    ] = None
    worsening_confirm_weeks: Annotated[
        float | None,
        _setting(
            "worsening_confirm_weeks",
            "--confirm-weeks",
            "Worsening must hold this long (records only).",
            "WEEKS",
        ),
    ] = None
    unconfirmed: Annotated[
        str | None,
        _setting(
            "unconfirmed",
            "--unconfirmed",
            "Worsening at the last visit, which nothing can confirm (records only)",
        ),
    ] = None
    baseline: Annotated[
        str | None, _setting("baseline", "--baseline", "Which EDSS is the baseline (records only)")
    ] = None
    relapse_gap_days: Annotated[
        float | None,
        _setting(
            "relapse_gap_days",
            "--relapse-gap-days",
            "A relapse that begins sooner after another is the same one (records only).",
            "DAYS",
        ),
    ] = None
    new_lesion: Annotated[
        str | None, _setting("new_lesion", "--new-lesion", "Which lesions are an event (records only)")
    ] = None
    mri_from_day: Annotated[
        float | None,
        _setting(
            "mri_from_day", "--mri-from-day", "Scans up to this day set the reference (records only).", "DAY"
        ),
    ] = None
    time_zero: Annotated[str | None, _setting("time_zero", "--time-zero", "What makes day 0")] = None
    ci_method: Annotated[
        str | None,
        _setting("ci_method", "--ci", "Kaplan–Meier interval", "METHOD"),
    ] = None
    confidence_level: Annotated[
        float | None, _setting("confidence_level", "--level", "Confidence level.", "LEVEL")
    ] = None

    def overrides(self) -> Overrides:
        """The settings that the options change, and all of a protocol that ``--protocol`` names.

        Raises
        ------
        UsageError
            If there is no such protocol.
        """
        named: dict[str, Any] = {}
        if self.protocol is not None:
            chosen = find_protocol(self.protocol)
            named = {name: getattr(chosen, name) for name in SETTINGS}
        return {**named, **self._given()}

    def chosen(self) -> Protocol:
        """The protocol that the options come to.

        Raises
        ------
        UsageError
            If there is no such protocol, or a value is outside its range.
        """
        base = find_protocol(self.protocol) if self.protocol else BUILT_IN["default"]
        return with_settings(base, self._given())

    def _given(self) -> Overrides:
        """The settings that have an option of their own, as far as it was used."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name in SETTINGS}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the options name."""
        return (self.protocol,) if self.protocol and self.protocol.endswith(".toml") else ()


ReferenceOption = Annotated[
    str | None,
    typer.Option(
        "--reference",
        metavar="LEVEL",
        help=with_default("What the other groups are compared with.", "the first by alphabet"),
    ),
]
StrataOption = Annotated[
    str | None,
    typer.Option("--strata", metavar="COLUMN", help="Compare within the levels of this attribute."),
]


def refuse_without_groups(by: str | None, **options: str | None) -> None:
    """Refuse options that choose how groups are compared where there are none.

    Raises
    ------
    UsageError
        If one of them was used without ``--by``.
    """
    used = [f"--{name}" for name, value in options.items() if value is not None]
    if by is None and used:
        raise UsageError(f"{' and '.join(used)} need groups: name what makes them with --by COLUMN.")


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """How small a count may be shown."""

    panel: ClassVar = "Output"

    suppress_below: Annotated[
        int | None,
        typer.Option(
            "--suppress-below", metavar="N", min=2, help="Show no count from 1 to N − 1, nor what tells it."
        ),
    ] = None

    def suppression(self) -> Suppression:
        """What leaves small cells out of all results of the command, if that is asked for."""
        from ahsct_trial.suppression import Suppression

        return Suppression(self.suppress_below)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where results go."""

    panel: ClassVar = "Output"

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
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=with_default(f"How to write the results: {listed(Format, 'or')}.", "table"),
        ),
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
    sentence = f"{option} is '{shown(given)}'; it is one of {', '.join(known)}."
    raise UsageError(f"{sentence} {is_it_meant(given, known)}".rstrip())


def as_text(option: str, given: str) -> str:
    """Words from the command line; unlike the name of a file they must be text.

    Raises
    ------
    UsageError
        If they hold bytes that are not UTF-8.
    """
    try:
        given.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{option} is '{shown(given)}', which is not text in UTF-8.") from None
    return given


def split_pair(option: str, pair: str, form: str) -> tuple[str, str]:
    """Both sides of ``NAME=VALUE``.

    Raises
    ------
    UsageError
        If it is no such pair; the text shows the form.
    """
    name, equals, value = pair.partition("=")
    if not (name.strip() and equals and value.strip()):
        raise UsageError(f"{option} is '{shown(pair)}'; write {form}.")
    return name.strip(), value.strip()


def grouped(command: Callable[..., Any]) -> Callable[..., Any]:
    """Spread a command's groups of options out for typer, and put them together again when it is called."""
    arguments = signature(command, eval_str=True).parameters
    groups: dict[str, Any] = {
        name: each.annotation for name, each in arguments.items() if is_dataclass(each.annotation)
    }
    parameters: list[Parameter] = []
    for name, each in arguments.items():
        parameters += (
            _options_of(groups[name]) if name in groups else [each.replace(kind=Parameter.KEYWORD_ONLY)]
        )

    @wraps(command)
    def run(**given: Any) -> Any:
        for name, group in groups.items():
            given[name] = group(**{option.name: given.pop(option.name) for option in fields(group)})
        return command(**given)

    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


@cache  # most commands share their groups, and looking at hints takes a millisecond
def _options_of(group: Any) -> list[Parameter]:
    """The options of a group as typer takes them."""
    hints = get_type_hints(group, include_extras=True)
    options: list[Parameter] = []
    for option in fields(group):
        (declared,) = hints[option.name].__metadata__
        if isinstance(declared, OptionInfo):
            declared.rich_help_panel = group.panel
        default = Parameter.empty if option.default is MISSING else option.default
        options.append(
            Parameter(option.name, Parameter.KEYWORD_ONLY, default=default, annotation=hints[option.name])
        )
    return options
