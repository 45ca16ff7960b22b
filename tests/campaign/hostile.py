"""Files as hospitals, spreadsheets and bad luck make them: a sane table, up to four things wrong with it."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

Rows = list[list[str]]

_COUNTS = [str(n) for n in range(20)]
#: What cells of a column are drawn from, beside the identifier.
PATIENT_COLUMNS = {
    "follow_up_years": ["0.13", "0.9", "2", "3", "3.01", "4.57", "7.16", "11.2"],
    "arm": ["AHSCT", "DMT"],
    "site": ["Ottawa", "Ottawa", "Montréal", ""],
    "sex": ["F", "male", ""],
    "age_years": [str(n) for n in range(18, 60)],
    "relapses_before": _COUNTS[:9],
    "years_observed_before": _COUNTS[1:9],
    "relapses_after": ["0"],
    "scans_after": _COUNTS,
    "edss_baseline": ["3", "3.5", "6.0", ""],
    "edss_last": ["2", "3.5", "6.5", ""],
    "years_to_death": [""],
}
RECORD_COLUMNS = ["patient_id", "record", "day", "edss", "gd_lesions", "new_t2_lesions", "arm"]

#: Texts that people, programs and attackers leave in a cell.
TEXTS = [
    *[
        "",
        " ",
        "NA",
        ".",
        "-9",
        "99",
        "999",
        "0",
        "-1",
        "10",
        "0.5",
        "7.25",
        "1e400",
        "-0",
        "+3",
        "0x10",
        "1_000",
    ],
    *[
        "nan",
        "inf",
        "True",
        "1,5",
        "1.5.2",
        "1 5",
        "١٢",
        "𝟛",
        "½",
        "1e-320",
        "9" * 400,
        "1" * 5000,
        "12 months",
    ],
    *["2020-02-30", "2020-13-01", "2020-05", "2020-01-01T00:00", "01.02.2020", "9999-12-31"],
    *[
        "P1",
        " P1",
        "p1",
        "P１",
        "P1.0",
        "001",
        "Total",
        "Mean",
        "\u200b",
        "\u202eP1",
        "\ufeffP1",
        "é",
        "e\u0301",
    ],
    *[
        "=1+1",
        "'=1",
        "@SUM(1)",
        "-2+3",
        "\x1b[31mred",
        "\x07",
        "<b>x</b>",
        "{{x}}",
        "[red]x",
        "%s",
        "a\nb",
        "a\rb",
    ],
    *[
        "transplant",
        "relapse",
        "edss",
        "death",
        "mri",
        "x" * 3000,
        'a"b',
        "a,b",
        "a;b",
        "a\tb",
        "\U0001f600",
        "\\N",
    ],
]
HEADINGS = [
    "",
    " ",
    "patient_id",
    "record",
    "day",
    "date",
    "USUBJID",
    "SUBJID",
    "PATIENT_ID",
    "x" * 3000,
    "\x1b[1m",
]


@dataclass(frozen=True)
class Hostile:
    """A file and the command line that reads it; ``{}`` stands for its path."""

    content: bytes
    arguments: list[str]

    @property
    def is_json(self) -> bool:
        return "--json" in self.arguments


def hostile(seed: int, number: int) -> Hostile:
    """The same file and command for the same seed and number, always."""
    draw = Random(f"{seed}:{number}")
    rows = _records(draw) if draw.random() < 0.45 else _patients(draw)
    for _ in range(draw.choice([0, 0, 1, 1, 2, 4])):
        draw.choice(_ROW_FAULTS)(draw, rows)
    content = _written(draw, rows)
    for _ in range(draw.choice([0, 0, 0, 0, 1, 2])):
        content = draw.choice(_BYTE_FAULTS)(draw, content)
    return Hostile(content, _arguments(draw))


def _patients(draw: Random) -> Rows:
    required, *others = PATIENT_COLUMNS
    kept = [required, *(name for name in others if draw.random() < 0.7)]
    n_rows = draw.choice([0, 1, 2, 5, 5, 20, 20, 20])
    rows = [[f"P{n}", *(draw.choice(PATIENT_COLUMNS[name]) for name in kept)] for n in range(n_rows)]
    return [["patient_id", *kept], *rows]


def _records(draw: Random) -> Rows:
    rows = [RECORD_COLUMNS]
    for n in range(draw.choice([1, 2, 5])):
        arm = draw.choice(["AHSCT", "DMT"])
        rows.append([f"P{n}", "transplant", "0", "", "", "", arm])
        rows += (
            [f"P{n}", "edss", str(day), draw.choice(["3", "4.5", "6"]), "", "", ""]
            for day in sorted(draw.sample(range(-100, 3000), draw.randint(1, 8)))
        )
        rows.append([f"P{n}", "mri", str(draw.randint(1, 3000)), "", str(draw.randint(0, 2)), "1", ""])
        rows.append([f"P{n}", draw.choice(["relapse", "last_contact", "alive"]), "900", "", "", "", ""])
    return rows


def _arguments(draw: Random) -> list[str]:
    command = draw.choice(
        [
            *[["summarize", "{}", "--json"]] * 5,
            *[["validate", "{}", "--json"]] * 2,
            ["summarize", "{}"],
            ["summarize", "{}", "--full", "--format", "markdown"],
            ["summarize", "{}", "--format", "csv"],
            ["validate", "{}"],
            ["sensitivity", "{}", "--json"],
            ["compare", "{}", "--by", "arm", "--json"],
            ["compare", "{}", "--by", "site"],
            ["trace", "{}", "P1", "--json"],
            ["check", "{}", "--json"],
        ]
    )
    options = [
        *[[]] * 9,
        ["--strict"],
        ["--missing", "-9"],
        ["--encoding", "utf-16"],
        ["--encoding", "cp1252"],
        ["--date-format", "%d.%m.%Y"],
        ["--where", "arm=AHSCT"],
        ["--horizon", "0.5"],
        ["--death", "censor"],
        ["--suppress-below", "5"],
    ]
    return [*command, "--pool", *draw.choice(options)]


def _change_cell(draw: Random, rows: Rows) -> None:
    row = draw.choice(rows[1:] or rows)
    if row:
        row[draw.randrange(len(row))] = draw.choice(TEXTS)


def _change_column(draw: Random, rows: Rows) -> None:
    place, text = draw.randrange(len(rows[0]) or 1), draw.choice(TEXTS)
    for row in rows[1:]:
        if place < len(row):
            row[place] = text


def _change_heading(draw: Random, rows: Rows) -> None:
    rows[0] = [*rows[0]]
    if rows[0]:
        rows[0][draw.randrange(len(rows[0]))] = draw.choice(HEADINGS)


def _repeat_row(draw: Random, rows: Rows) -> None:
    rows.insert(draw.randint(0, len(rows)), [*draw.choice(rows)])


def _shorten_row(draw: Random, rows: Rows) -> None:
    row = draw.choice(rows)
    del row[draw.randint(0, len(row)) :]


def _lengthen_row(draw: Random, rows: Rows) -> None:
    draw.choice(rows).extend([draw.choice(TEXTS)] * draw.choice([1, 1, 300]))


def _add_row(draw: Random, rows: Rows) -> None:
    cells = draw.choice([[], [""], ["", "", ""], ["Total", "99"], ["# note"], [""] * len(rows[0])])
    rows.insert(draw.randint(0, len(rows)), [*cells])


def _shuffle(draw: Random, rows: Rows) -> None:
    rows[1:] = draw.sample(rows[1:], len(rows) - 1)


_ROW_FAULTS: list[Callable[[Random, Rows], None]] = [
    *[_change_cell] * 6,
    _change_column,
    _change_heading,
    _repeat_row,
    _shorten_row,
    _lengthen_row,
    _add_row,
    _shuffle,
]


def _written(draw: Random, rows: Rows) -> bytes:
    text = io.StringIO()
    csv.writer(
        text,
        delimiter=draw.choice(",,,;\t"),
        lineterminator=draw.choice(["\n", "\n", "\r\n", "\r"]),
        quoting=draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    ).writerows(rows)
    return text.getvalue().encode("utf-8")


def _cut(draw: Random, content: bytes) -> bytes:
    return content[: draw.randint(0, len(content))]


def _flip(draw: Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice([1, 1, 5]) if changed else 0):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def _insert(draw: Random, content: bytes) -> bytes:
    place = draw.randint(0, len(content))
    part = draw.choice(
        [b"\0", b'"', b'""', b"\r", b"\n\n", b"\xff", b"\xef\xbb\xbf", b",", b"'", b"\xc3", b"\x1a"]
    )
    return content[:place] + part + content[place:]


def _recode(draw: Random, content: bytes) -> bytes:
    return content.decode("utf-8", "replace").encode(
        draw.choice(["utf-16", "cp1252", "utf-8-sig"]), "replace"
    )


def _compress(draw: Random, content: bytes) -> bytes:
    packed = gzip.compress(content, mtime=0)
    return packed if draw.random() < 0.7 else _cut(draw, packed)


def _replace(draw: Random, _: bytes) -> bytes:
    return draw.choice(
        [b"", b"\n", b" ", b"PK\x03\x04rest", b"\x1f\x8b", draw.randbytes(200), b"a" * 100_000, b'"']
    )


_BYTE_FAULTS: list[Callable[[Random, bytes], bytes]] = [
    _cut,
    _flip,
    _insert,
    _insert,
    _recode,
    _compress,
    _replace,
]
