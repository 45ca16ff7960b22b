"""What the program promises for every file; told here by means of its own, not by the program's."""

from __future__ import annotations

import io
import json
import re
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ahsct_trial.cli import main

from .hostile import Hostile

NAME = "input.csv"
#: Longest message [characters] and longest work for a file of some kilobytes [seconds of the processor: a
#: machine with much else to do takes longer].
LONGEST_MESSAGE, LONGEST_WORK = 30_000, 30.0


@dataclass(frozen=True)
class Run:
    """What a command line gave."""

    exit_code: int | None
    out: bytes
    err: str
    seconds: float


def run(case: Hostile, folder: Path) -> Run:
    """Run the command line in this process; an exception that comes out is no exit code."""
    path = folder / NAME
    path.write_bytes(case.content)
    arguments = [each.replace("{}", str(path)) for each in case.arguments]
    before = sys.stdout, sys.stderr
    out, err = io.BytesIO(), io.StringIO()
    sys.stdout, sys.stderr = io.TextIOWrapper(out, encoding="utf-8", write_through=True), err
    began = time.process_time()
    code: int | None = None
    try:
        code = main(arguments).exit_code
    except (Exception, SystemExit):
        err.write(traceback.format_exc())
    finally:
        sys.stdout.flush()
        sys.stdout.detach()  # or it would close what it wrote to
        sys.stdout, sys.stderr = before
    return Run(code, out.getvalue(), err.getvalue(), time.process_time() - began)


def broken_promises(case: Hostile, done: Run) -> Iterator[str]:
    """Every promise that a run breaks, in words."""
    command = case.arguments[0]
    if done.exit_code is None or "Traceback" in done.err:
        yield f"an exception comes out: {done.err.strip().splitlines()[-1]}"
        return
    allowed = {0, 2, 3, 4} if command == "check" else {0, 2, 3}
    if done.exit_code not in allowed:
        yield f"exit code {done.exit_code}"
    if done.seconds > LONGEST_WORK:
        yield f"{done.seconds:.0f} seconds"
    if len(done.err) > LONGEST_MESSAGE:
        yield f"a message of {len(done.err)} characters"
    if re.search(r"[^\n -\uffff\U00010000-\U0010ffff]|[\x7f-\x9f\u200b-\u200f\u202a-\u202e\ufeff]", done.err):
        yield "a character on standard error that a terminal would obey or hide"
    if done.exit_code in {2, 3} and not done.err.startswith("ahsct: "):
        yield "no message"
    if done.exit_code == 3 and NAME not in done.err and "--strict" not in done.err:
        yield "a problem without its file"
    writes_problems = command == "validate" and case.is_json
    if done.exit_code in {2, 3} and done.out and not (writes_problems and done.exit_code == 3):
        yield "output beside an error"
    if done.exit_code in {0, 4}:
        yield from _broken_in_output(case, done)
    elif done.out and case.is_json:
        yield from _broken_in_json(done.out)


def _broken_in_output(case: Hostile, done: Run) -> Iterator[str]:
    if not done.out:
        yield "no output"
    if case.is_json:
        yield from _broken_in_json(done.out)
        return
    text = done.out.decode("utf-8")
    if "csv" not in case.arguments and re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text):
        yield "a character in the output that a terminal would obey"


def _broken_in_json(out: bytes) -> Iterator[str]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        document = json.loads(out.decode("utf-8"), parse_constant=refuse)
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except ValueError as error:
        yield f"not strict JSON in UTF-8: {error}"
        return
    account = document.get("account")
    if account is not None and not _adds_up(account):
        yield f"rows do not add up: {account}"


def _adds_up(account: dict[str, Any]) -> bool:
    set_aside = sum(each["count"] for each in account["set_aside"])
    is_hidden = account["rows_read"] is None  # small counts follow from it
    return is_hidden or bool(account["rows_read"] == account["rows_used"] + set_aside)
