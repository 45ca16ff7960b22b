"""The command line as a person and a script meet it: results, exit codes, options, streams and files.

Tests read the results that `main` gives back. A process is run where it is one that is tested: its exit code,
its streams, what it imports. What the machine around it can do to it is in test_faults.py.
"""

from __future__ import annotations

import gzip
import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer

from ahsct_trial.__main__ import run
from ahsct_trial.cli.application import app
from ahsct_trial.cli.options import Choices, Data
from ahsct_trial.protocol import BUILT_IN, CHOICES

Ahsct = Callable[..., Any]

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = "data/sample_cohort.csv"
RECORDS = "data/sample_records.csv"
LANCET = "data/atkins2016_lancet.csv"
TRIAL = "data/sample_trial.csv"

COMMANDS: dict[str, typer.core.TyperCommand] = {
    **{name: each for name, each in typer.main.get_command(app).commands.items() if name != "plot"},
    **{f"plot {name}": each for name, each in typer.main.get_command(app).commands["plot"].commands.items()},
}
#: Commands that read a cohort, each with what it needs beside it.
READING = {
    "summarize": [],
    "compare": ["--by", "arm"],
    "sensitivity": [],
    "check": [],
    "trace": ["P01"],
    "validate": [],
    "report": ["-o", "report.html"],
    "plot survival": [],
    "plot incidence": ["-o", "figure.svg"],
    "plot forest": ["-o", "figure.svg"],
    "plot timeline": ["-o", "figure.svg"],
    "export": [],
}
#: Those of them that would take all arms as one group.
POOLING = ["summarize", "sensitivity", "check", "report", "plot survival"]


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a process of its own, piped."""
    return subprocess.run(
        [sys.executable, "-m", "ahsct_trial", *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "COLUMNS": "80", **environment},
    )


def command(name: str, path: str | Path, *options: str) -> list[str]:
    """A command that reads a file, with what else it needs."""
    return [*name.split(), str(path), *READING[name], *options]


def written(folder: Path, text: str, name: str = "cohort.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# ---- Results ------------------------------------------------------------------------------------------
#
# The popular summary (2016): 23 of 24 at 3 years, 1.2 relapses a year before and none after, 93 lesions on
# 24 scans before, a new lesion on 1 of 327 scans after, one death.


@pytest.mark.parametrize("path", [SAMPLE, RECORDS])
def test_summarize_gives_the_published_figures(ahsct: Ahsct, path: str) -> None:
    endpoints = ahsct("summarize", path).result.endpoints
    headline = endpoints.activity_free_survival
    assert (headline.n_event_free, headline.n_evaluable) == (23, 24)
    # survival 3.5-3 in R 4.2.2 on one event in 24: 0.958333, log-log 0.7392–0.9940
    assert headline.survival.value == pytest.approx(23 / 24, abs=1e-12)
    assert headline.survival.ci_low == pytest.approx(0.7392, abs=5e-5)
    assert headline.survival.ci_high == pytest.approx(0.9940, abs=5e-5)
    before, after = endpoints.relapse_rate.before, endpoints.relapse_rate.after
    assert (before.n_events, round(before.exposure, 3), after.n_events) == (167, 140, 0)
    lesions = endpoints.lesions
    assert (lesions.before.n_events, lesions.before.exposure) == (93, 24)
    assert (lesions.after.scans_with_lesions.n, lesions.after.scans_with_lesions.of) == (1, 327)
    assert (endpoints.mortality.transplant_related.n, endpoints.mortality.transplant_related.of) == (1, 24)


def test_summarize_gives_the_abstracts_figure_with_the_death_censored(ahsct: Ahsct) -> None:
    # Abstract: 69.6 % (46.6-84.2) of 23; R gives 0.695652 (0.465642-0.841721), tests/reference.
    headline = ahsct("summarize", LANCET, "--death", "censor").result.endpoints.activity_free_survival
    assert (headline.n_event_free, headline.n_evaluable) == (16, 23)
    found = (headline.survival.value, headline.survival.ci_low, headline.survival.ci_high)
    assert found == pytest.approx((0.695652173913043, 0.465641749762004, 0.841721291391763), rel=1e-9)


def test_compare_gives_the_counts_of_the_randomised_trial(ahsct: Ahsct) -> None:
    # MIST (Burt 2019): 55 patients in each arm, 3 and 34 progressed, no deaths.
    comparison = ahsct("compare", TRIAL).result
    assert [(group.level, group.cohort.n_patients) for group in comparison.groups] == [
        ("AHSCT", 55),
        ("DMT", 55),
    ]
    assert [group.endpoints.disability.worsened.n for group in comparison.groups] == [3, 34]
    assert [group.endpoints.mortality.all_cause.n for group in comparison.groups] == [0, 0]
    assert (comparison.by.column, comparison.by.reference) == ("arm", "AHSCT")
    other = ahsct("compare", TRIAL, "--by", "ARM".lower(), "--reference", "dmt").result
    assert [(each.level, each.reference) for each in other.contrasts] == [("AHSCT", "DMT")]


def test_what_is_printed_as_json_is_the_result(ahsct: Ahsct) -> None:
    done = ahsct("summarize", SAMPLE, "--json")
    document = json.loads(done.out)
    assert document["schema_version"] == 2
    survival = done.result.endpoints.activity_free_survival.survival
    assert document["endpoints"]["activity_free_survival"]["survival"] == {
        each.name: getattr(survival, each.name) for each in fields(survival)
    }


def test_json_is_strict_and_follows_its_schema(ahsct: Ahsct, tmp_path: Path) -> None:
    schema = json.loads(ahsct("schema").out)
    bare = written(tmp_path, "patient_id,follow_up_years\nP1,2\n")

    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is not strict JSON")

    for path in (SAMPLE, RECORDS, bare):
        document = json.loads(ahsct("summarize", path, "--json").out, parse_constant=refuse)
        jsonschema.validate(document, schema)
        assert set(document) == set(schema["$defs"]["Summary"]["properties"])


def test_json_has_every_key_where_the_file_has_no_columns(ahsct: Ahsct, tmp_path: Path) -> None:
    def keys(value: object) -> object:
        if isinstance(value, dict):
            return {key: keys(each) for key, each in value.items()}
        return None

    bare = written(tmp_path, "patient_id,follow_up_years\nP1,2\n")
    full = json.loads(ahsct("summarize", SAMPLE, "--json").out)["endpoints"]
    empty = json.loads(ahsct("summarize", bare, "--json").out)["endpoints"]
    for name in ("events_by_type", "incidence"):  # by the types that count
        full["activity_free_survival"].pop(name)
        empty["activity_free_survival"].pop(name)
    assert keys(full["activity_free_survival"]) == keys(empty["activity_free_survival"])
    assert set(full) == set(empty)
    assert empty["activity_free_survival"]["survival"]["value"] is None
    assert "years_to_first_relapse" in empty["activity_free_survival"]["note"]


# ---- Options ------------------------------------------------------------------------------------------


def options_of(name: str) -> set[str]:
    return {text for parameter in COMMANDS[name].params for text in parameter.opts}


@pytest.mark.parametrize("name", [name for name in READING if name != "validate"])
def test_every_command_that_computes_has_every_option_of_the_protocol(name: str) -> None:
    asked_for = {
        *("--horizon", "--window-days", "--observation-end", "--death", "--death-reach-days", "--therapy"),
        *("--unconfirmed", "--baseline", "--mri-from-day", "--relapse-gap-days", "--confirm-weeks"),
        *("--new-lesion", "--time-zero", "--ci", "--level", "--protocol"),
    }
    assert asked_for <= options_of(name)


@pytest.mark.parametrize("name", READING)
def test_every_command_that_reads_has_every_option_of_reading(name: str) -> None:
    asked_for = {"--where", "--pool", "--map", "--missing", "--encoding", "--date-format", "--strict"}
    assert asked_for <= options_of(name)


@pytest.mark.parametrize(
    ("options", "setting", "value"),
    [
        (["--horizon", "2"], "horizon_years", 2),
        (["--window-days", "45"], "landmark_window_days", 45),
        (["--observation-end", "follow-up"], "observation_end", "follow-up"),
        (["--death", "censor"], "death", "censor"),
        (["--death-reach-days", "90"], "death_reach_days", 90),
        (["--therapy", "event"], "therapy", "event"),
        (["--unconfirmed", "event"], "unconfirmed", "event"),
        (["--baseline", "first-stable"], "baseline", "first-stable"),
        (["--mri-from-day", "180"], "mri_from_day", 180),
        (["--relapse-gap-days", "30"], "relapse_gap_days", 30),
        (["--confirm-weeks", "12"], "worsening_confirm_weeks", 12),
        (["--new-lesion", "gd"], "new_lesion", "gd"),
        (["--ci", "beta-product"], "ci_method", "beta-product"),
        (["--level", "0.9"], "confidence_level", 0.9),
    ],
)
def test_an_option_changes_its_setting_and_the_name_says_so(
    ahsct: Ahsct, options: list[str], setting: str, value: object
) -> None:
    protocol = ahsct("summarize", RECORDS, *options).result.protocol
    assert getattr(protocol, setting) == value
    assert protocol.name == f"default, changed: {setting}"


def test_a_protocol_file_and_an_option_on_top(ahsct: Ahsct, tmp_path: Path) -> None:
    mine = written(tmp_path, 'horizon_years = 5\ndeath = "censor"\n', "mine.toml")
    used = ahsct("summarize", RECORDS, "--protocol", mine, "--horizon", "2").result.protocol
    assert (used.name, used.horizon_years, used.death) == ("mine.toml, changed: horizon_years", 2.0, "censor")
    mine.write_text("horizon_year = 5\n", encoding="utf-8")
    done = ahsct("summarize", RECORDS, "--protocol", mine)
    assert (done.exit_code, "Is horizon_years meant?" in done.err) == (2, True)


def test_a_protocol_on_the_command_line_replaces_the_publications_own(ahsct: Ahsct) -> None:
    # Abstract's cohort, a death as an event: 16 of 24, in R 66.7 % (44.3-81.7).
    arguments = ("check", LANCET, "--against", "atkins2016-lancet")
    for options in (("--protocol", "default"), ("--death", "event")):
        check = ahsct(*arguments, *options).result
        assert not check.is_own_protocol
        assert check.figures[0].value == pytest.approx(16 / 24, rel=1e-12)
    assert ahsct(*arguments).result.is_own_protocol


# ---- Which patients -----------------------------------------------------------------------------------


def test_where_keeps_the_patients_it_names(ahsct: Ahsct) -> None:
    def n(*options: str) -> int:
        return ahsct("summarize", TRIAL, *options).result.cohort.n_patients

    assert n("--pool") == 110
    assert n("--where", "arm=AHSCT") == n("--where", "arm= ahsct ") == 55
    # Two texts of one column are alternatives, two columns are both asked for.
    assert n("--where", "arm=AHSCT", "--where", "arm=DMT", "--pool") == 110
    by_site = [
        n("--where", "arm=AHSCT", "--where", f"site={site}")
        for site in ("Chicago", "Sao Paulo", "Sheffield", "Uppsala")
    ]
    assert sum(by_site) == 55
    assert all(by_site)
    assert ahsct("compare", TRIAL, "--where", "site=Chicago").result.groups[0].cohort.n_patients < 55


def test_where_says_who_was_kept_and_that_notices_are_of_the_whole_file(ahsct: Ahsct, tmp_path: Path) -> None:
    # The median follow-up of all five is 30 years, that of the two of arm A 15.5; P2's 99 relapses may be a code.
    cohort = written(
        tmp_path,
        "patient_id,arm,follow_up_years,relapses_after,years_to_first_relapse\n"
        "P1,A,28,0,\nP2,A,3,99,1\nP3,B,30,0,\nP4,B,40,0,\nP5,B,41,0,\n",
    )
    notices = ahsct("summarize", cohort, "--where", "arm=a").result.notices
    texts = [notice.text for notice in notices]
    assert "Only 2 of 5 patients: arm a." in texts
    urgent = [notice.text for notice in notices if notice.severity == "look first"]
    assert len(urgent) == 2
    assert all(text.startswith("In the whole file: ") for text in urgent)
    whole = [notice.text for notice in ahsct("summarize", cohort, "--pool").result.notices]
    assert not any("whole file" in text or "Only" in text for text in whole)


def test_a_patient_table_does_not_say_what_its_times_run_from(ahsct: Ahsct) -> None:
    def codes(*arguments: str) -> list[str]:
        return [notice.code for notice in ahsct(*arguments).result.notices]

    assert "time-zero-not-in-file" in codes("summarize", SAMPLE, "--time-zero", "randomisation")
    assert "time-zero-not-in-file" in codes("compare", TRIAL, "--time-zero", "randomisation")
    assert "time-zero-not-in-file" not in codes("summarize", SAMPLE)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (["arm=AHSTC"], "No patient has arm AHSTC. Is AHSCT meant?"),
        (["arm=AHSCT", "arm=DMTT"], "No patient has arm DMTT. Is DMT meant?"),
        (["arn=AHSCT"], "This file has no attribute 'arn'. Is arm meant?"),
        (["cause_of_death=ms"], "This file has no attribute 'cause_of_death'."),
        (["patient_id=P01"], "This file has no attribute 'patient_id'."),
        (["age_years=30"], "This file has no attribute 'age_years'."),
        (["site=nowhere"], "This file has Chicago, Sao Paulo, Sheffield, Uppsala."),
        (["arm"], "write COLUMN=VALUE"),
        (["=AHSCT"], "write COLUMN=VALUE"),
        (["arm="], "write COLUMN=VALUE"),
    ],
)
@pytest.mark.parametrize("name", ["summarize", "compare", "validate"])
def test_where_answers_what_nobody_has_with_the_closest(
    ahsct: Ahsct, name: str, where: list[str], words: str
) -> None:
    options = [text for each in where for text in ("--where", each)]
    done = ahsct(*command(name, TRIAL, *options))
    assert (done.exit_code, done.out) == (2, "")
    assert words in done.err


@pytest.mark.parametrize("name", POOLING)
def test_arms_are_not_pooled_in_silence(ahsct: Ahsct, tmp_path: Path, name: str) -> None:
    target = [str(tmp_path / "report.html")] if name == "report" else []
    arguments = [text for text in command(name, TRIAL) if text != "report.html"] + target
    done = ahsct(*arguments)
    assert (done.exit_code, done.out) == (2, "")
    for way in ("ahsct compare --by arm", "--where arm=AHSCT", "--pool"):
        assert way in done.err
    if name != "plot survival":  # this trial has no MRI, so no curve of the headline
        assert ahsct(*arguments, "--pool").exit_code in {0, 4}
    assert list(tmp_path.iterdir()) == [Path(each) for each in target if name == "report"]


@pytest.mark.parametrize("name", POOLING)
def test_one_arm_is_read_as_ever(ahsct: Ahsct, tmp_path: Path, name: str) -> None:
    rows = (ROOT / SAMPLE).read_text(encoding="utf-8").splitlines()
    cohort = written(
        tmp_path, "".join(f"{row},{'arm' if not n else 'AHSCT'}\n" for n, row in enumerate(rows))
    )
    options = [str(tmp_path / "report.html") if text == "report.html" else text for text in READING[name]]
    assert ahsct(*name.split(), cohort, *options).exit_code == 0


def test_a_publication_that_names_arms_is_checked_with_both(ahsct: Ahsct) -> None:
    assert ahsct("check", TRIAL, "--against", "mist2019").exit_code in {0, 4}
    assert ahsct("check", TRIAL, "--against", "all").exit_code == 2
    assert ahsct("check", TRIAL, "--against", "all", "--pool").exit_code == 0


@pytest.mark.parametrize("name", READING)
def test_strict_stops_at_what_should_be_looked_at_first(ahsct: Ahsct, tmp_path: Path, name: str) -> None:
    # A median follow-up of 48 years looks like months.
    header = (
        "patient_id,arm,follow_up_years,years_to_first_relapse,years_to_first_new_lesion,edss_baseline,"
        "years_to_worsening,years_to_death\n"
    )
    rows = [f"P0{n},{'AB'[n % 2]},{time},,,3,,\n" for n, time in enumerate((48, 49, 50, 47, 46, 45))]
    cohort = written(tmp_path, header + "".join(rows))
    strict = strictly(ahsct, tmp_path, name, cohort)
    assert "months" in strict.err


@pytest.mark.parametrize("name", READING)
def test_strict_stops_every_command_at_what_only_the_endpoints_show(
    ahsct: Ahsct, tmp_path: Path, name: str
) -> None:
    # P01 was last scanned at 1 year and relapsed at 2: the relapse is late for the composite.
    header = (
        "patient_id,arm,follow_up_years,years_to_first_relapse,years_to_first_new_lesion,years_to_last_scan,"
        "edss_baseline,years_to_worsening,years_to_death\n"
    )
    cohort = written(tmp_path, header + "P01,A,4,2,,1,3,,\nP02,B,4,,,4,3,,\n")
    assert "after their observation had ended" in strictly(ahsct, tmp_path, name, cohort).err


@pytest.mark.parametrize("name", ["compare", "report", "plot survival"])
def test_strict_stops_at_patients_without_a_group(ahsct: Ahsct, tmp_path: Path, name: str) -> None:
    rows = [f"P{n},{'AB '[n % 3].strip()},3,,,3,,\n" for n in range(9)]
    header = (
        "patient_id,arm,follow_up_years,years_to_first_relapse,years_to_first_new_lesion,edss_baseline,"
        "years_to_worsening,years_to_death\n"
    )
    cohort = written(tmp_path, header + "".join(rows))
    assert "without arm" in strictly(ahsct, tmp_path, name, cohort, "--by", "arm").err


@pytest.mark.parametrize("name", ["summarize", "report"])
def test_strict_tells_no_small_count(ahsct: Ahsct, name: str, tmp_path: Path) -> None:
    options = [str(tmp_path / text) if "." in text else text for text in READING[name]]
    strict = ahsct(name, RECORDS, *options, "--strict", "--suppress-below", "5")
    assert strict.exit_code == 3
    assert "not shown, since it may tell numbers below 5: worsening unconfirmed" in strict.err


def strictly(ahsct: Ahsct, tmp_path: Path, name: str, cohort: Path, *more: str) -> Any:
    """Run a command that does its work without ``--strict`` with it: it stops, and writes nothing."""
    options = [str(tmp_path / text) if "." in text else text for text in READING[name]]
    arguments = [*name.split(), str(cohort), *options, "--pool", *more]
    assert ahsct(*arguments).exit_code in {0, 4}
    written_before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    strict = ahsct(*arguments, "--strict", *(["--force"] if "-o" in options else []))
    assert (strict.exit_code, strict.out) == (3, "")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == written_before
    assert strict.err.startswith(f"ahsct: {cohort.name} has 1 problem; nothing was computed.")
    return strict


# ---- Usage errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["summarise", SAMPLE], "Did you mean 'summarize'? See ahsct --help."),
        (["plot", "survial", SAMPLE], "Did you mean 'survival'? See ahsct plot --help."),
        (["summarize", SAMPLE, "--horzon", "5"], "--horizon"),
        (["summarize", SAMPLE, "--death", "evnt"], "Is event meant?"),
        (["summarize", SAMPLE, "--observation-end", "followup"], "Is follow-up meant?"),
        (["summarize", SAMPLE, "--ci", "loglog"], "Is log-log meant?"),
        (["summarize", SAMPLE, "--format", "tabel"], "Is table meant?"),
        (["sensitivity", SAMPLE, "--endpoint", "overal_survival"], "Is overall_survival meant?"),
        (["compare", TRIAL, "--by", "amr"], "Is arm meant?"),
        (["compare", TRIAL, "--reference", "DTM"], "Is DMT meant?"),
        (["compare", TRIAL, "--strata", "sit"], "Is site meant?"),
        (["check", SAMPLE, "--against", "atkins"], "Closest: atkins2016-lancet, atkins2016-summary."),
        (["published", "halt"], "Closest: halt-ms2017"),
        (["trace", SAMPLE, "p22"], "Closest: P22"),
        (["summarize", SAMPLE, "--protocol", "halt"], "Is halt-ms meant?"),
        (["sensitivity", SAMPLE, "--endpoint", "relapse"], "Is relapse_free_survival meant?"),
        (["plot", "survival", SAMPLE, "--endpoint", "overall"], "Is overall_survival meant?"),
        (["plot", "survival", SAMPLE, "--palette", "gray", "-o", "f.svg"], "Is grey meant?"),
        (["convert", SAMPLE, "--map", "sdmt"], "Is sdtm meant?"),
        (["map", "--show", "sdmt"], "Is sdtm meant?"),
        (["claim", "23 of 24", "--about", "relapses"], "Is relapse meant?"),
        (["summarize", "data/sample-cohrt.csv"], "Is data/sample_cohort.csv meant?"),
        (["summarize", "Dat/sample_cohort"], "Is data/sample_cohort.csv meant?"),
        (["summarize", "sample_cohort.csv"], "Is data/sample_cohort.csv meant?"),
        (["check", SAMPLE, "--against", "docs/example.toml"], "no file docs/example.toml. Check the name"),
        (
            ["check", SAMPLE, "--against", "docs/exmple-publication.toml"],
            "docs/example-publication.toml meant",
        ),
    ],
)
def test_a_misspelt_name_is_answered_with_the_closest(ahsct: Ahsct, arguments: list[str], words: str) -> None:
    done = ahsct(*arguments)
    assert (done.exit_code, done.out) == (2, "")
    assert words in done.err
    assert done.err.startswith("ahsct: ")
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["summarize", "no-such-file.csv"], "There is no file no-such-file.csv"),
        (["summarize", ""], "The name of the file is empty."),
        (["summarize", "data"], "is a folder"),
        (["summarize", SAMPLE, "--horizon", "0"], "horizon_years"),
        (["summarize", SAMPLE, "--horizon", "nan"], "horizon_years"),
        (["summarize", SAMPLE, "--level", "95"], "confidence_level"),
        (["summarize", SAMPLE, "--ci", "wald"], "ci_method"),
        (["summarize", SAMPLE, "--protocol", "none"], "There is no protocol 'none'"),
        (["summarize", SAMPLE, "--json", "--format", "csv"], "contradict"),
        (["summarize", SAMPLE, "--encoding", "klingon"], "no encoding 'klingon'"),
        (["compare", SAMPLE], "no attribute 'arm'"),
        (["compare", TRIAL, "--where", "arm=DMT"], "one level, DMT"),
        (["check", SAMPLE, "--against", "nobody"], "atkins2016-summary"),
        (["check", SAMPLE, "--against", "no-such.toml"], "There is no file no-such.toml"),
        (["check", SAMPLE, "--against", "mist2019", "--arm", "A"], "write THEIRS=OWN"),
        (["check", SAMPLE, "--against", "mist2019", "--arm", "A=B"], "arms are HSCT, DMT"),
        (["check", SAMPLE, "--against", "all", "--arm", "A=B"], "--arm goes with one publication"),
        (["check", SAMPLE, "--against", "all", "--horizon", "0"], "horizon_years"),
        (["columns", "--format", "json"], "table, markdown"),
        (["example", "--records", "--trial"], "two samples"),
        (["plot", "survival", SAMPLE, "--endpoint", "neda3"], "--endpoint is one of"),
        (["plot", "survival", SAMPLE, "--width", "90"], "-o FILE"),
        (["plot", "survival", SAMPLE, "-o", "figure.jpg"], ".svg, .pdf or .png"),
        (["plot", "timeline", SAMPLE, "-o", "figure"], ".svg, .pdf or .png"),
        (["plot", "timeline", SAMPLE, "-o", "figure.svg", "--width", "79"], "from 80 to 420 mm"),
        (["plot", "timeline", SAMPLE, "-o", "figure.svg", "--width", "nan"], "from 80 to 420 mm"),
        (["plot", "timeline", SAMPLE], "--output"),
        (["report", SAMPLE], "--output"),
        (["report", SAMPLE, "-o", "report.pdf"], "must end in .html"),
        (["report", SAMPLE, "-o", "no-such/report.html"], "There is no folder no-such."),
        (["report", SAMPLE, "-o", "report.html", "--against", "nobody"], "atkins2016-summary"),
        (["report", SAMPLE, "-o", "report.html", "--arm", "A=B"], "--arm goes with a publication"),
        (["nonsense"], "nonsense"),
        (["reconcile", "169.6"], "from 0 to 100"),
        (["reconcile", "-5"], "-5"),
        (["reconcile", ""], "The percentage is ''"),
        (["reconcile", "69.6", "--ci", "84.2:46.6"], "lower limit first"),
        (["reconcile", "69.6", "--ci", "70:80"], "outside its interval"),
        (["reconcile", "69.6", "--ci", "46.6"], "LOW:HIGH"),
        (["reconcile", "69.6", "--ci", ""], "LOW:HIGH"),
        (["reconcile", "69.6", "--n", "0"], "at least 1 patient"),
        (["reconcile", "69.6", "--n", "24:20"], "20:24"),
        (["reconcile", "69.6", "--n", "20,24"], "write A:B"),
        (["reconcile", "23/24", "--n", "24"], "leave out n"),
        (["reconcile", "69.6", "--n", "1:1000000"], "at most 10,000"),
        (["reconcile", "69.6", "--level", "95"], "0.95"),
        (["reconcile", "1.19", "--rate", "167"], "EVENTS/TIME"),
        (["reconcile", "1.19", "--rate", "167/140", "--n", "24"], "contradict"),
    ],
)
def test_usage_errors(ahsct: Ahsct, arguments: list[str], words: str) -> None:
    done = ahsct(*arguments)
    assert (done.exit_code, done.out) == (2, "")
    assert words in done.err


# ---- Problems of the data -----------------------------------------------------------------------------

BAD = b"patient_id,follow_up_years,edss_baseline\nP-07,2,3.2\n[bold]x[/bold],six,4\n"


def test_data_problems_are_shown_together_and_nothing_is_computed(ahsct: Ahsct, tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    done = ahsct("summarize", "-", "-o", target, stdin=BAD)
    assert (done.exit_code, done.out) == (3, "")
    assert not target.exists()
    first, *problems = done.err.splitlines()
    assert first == "ahsct: - has 2 problems; nothing was computed."
    assert problems[0].startswith("-:2 patient P-07: edss_baseline is ")
    assert problems[1].startswith("-:3 patient [bold]x[/bold]: follow_up_years is 'six'; ")
    assert [(each.line, each.column, each.value) for each in done.result.problems] == [
        (2, "edss_baseline", "3.2"),
        (3, "follow_up_years", "six"),
    ]


@pytest.mark.parametrize("name", READING)
def test_every_command_that_reads_stops_at_a_problem(ahsct: Ahsct, tmp_path: Path, name: str) -> None:
    options = [str(tmp_path / each) if "." in each else each for each in READING[name]]
    done = ahsct(*name.split(), written(tmp_path, BAD.decode("utf-8")), *options)
    assert (done.exit_code, done.out) == (3, "")
    assert "2 problems" in done.err
    assert [each.name for each in tmp_path.iterdir()] == ["cohort.csv"]


def test_validate_tells_scripts_of_the_problems(ahsct: Ahsct) -> None:
    done = ahsct("validate", "-", "--json", stdin=BAD)
    assert done.exit_code == 3
    found = json.loads(done.out)
    assert found["n_problems"] == 2
    assert [(each["line"], each["patient"], each["column"], each["value"]) for each in found["problems"]] == [
        (2, "P-07", "edss_baseline", "3.2"),
        (3, "[bold]x[/bold]", "follow_up_years", "six"),
    ]
    fine = json.loads(ahsct("validate", SAMPLE, "--json").out)
    assert (fine["n_problems"], fine["account"]["rows_read"]) == (0, 24)


def test_validate_says_what_strict_would_stop_at(ahsct: Ahsct, tmp_path: Path) -> None:
    # Two relapses 20 days apart, which the relapses show and not the reading of the file.
    text = "patient_id,record,day\nA,transplant,0\nA,relapse,100\nA,relapse,120\nA,last_contact,1100\n"
    cohort = written(tmp_path, text)
    said = "1 relapse begins within 30 days of another"
    assert said in " ".join(ahsct("validate", cohort).out.split())
    [notice] = json.loads(ahsct("validate", cohort, "--json").out)["notices"]
    assert (notice["code"], notice["severity"]) == ("relapses-close-together", "look first")
    strict = ahsct("validate", cohort, "--strict")
    assert strict.exit_code == 3
    assert said in strict.err


def test_text_of_the_file_is_text_on_the_screen(ahsct: Ahsct, tmp_path: Path) -> None:
    cohort = written(
        tmp_path,
        "patient_id,follow_up_years,site\nP1,2,[bold]General[/bold]\nP2,2,\x1b[31mred\n",
        "[red]cohort.csv",
    )
    screen = ahsct("summarize", cohort, columns=120).out
    assert "[bold]General[/bold] 1" in screen
    assert "\\x1b[31mred 1" in screen
    assert "[red]cohort.csv" in screen
    assert "\x1b" not in screen
    assert ",site,[bold]General[/bold],categorical,n," in ahsct("summarize", cohort, "--format", "csv").out


def test_text_of_a_publication_is_text_on_the_screen(ahsct: Ahsct, tmp_path: Path) -> None:
    example = (ROOT / "docs" / "example-publication.toml").read_text(encoding="utf-8")
    mine = written(
        tmp_path,
        example.replace('"example2020"', '"[bold]x"')
        .replace('"An invented trial"', '"""[red]An\n\\u001b[31minvented"""')
        .replace('label = "NEDA at 2 years"', 'label = "[i]NEDA\\n\\u202e"'),
        "mine.toml",
    )
    for arguments in (["check", SAMPLE, "--against", mine], ["published", mine]):
        done = ahsct(*arguments, columns=120)
        assert done.err == ""
        assert "[bold]x" in done.out
        assert "[red]An \\x1b[31minvented" in done.out
        assert "[i]NEDA\\n\\u202e" in done.out
        assert "\x1b" not in done.out


# ---- Published figures --------------------------------------------------------------------------------


def test_check_exits_with_4_where_a_figure_differs(ahsct: Ahsct, tmp_path: Path) -> None:
    # Without a lesion and with two relapses per year the cohort contradicts the summary.
    header = "patient_id,follow_up_years,years_observed_before,relapses_before\n"
    cohort = written(tmp_path, header + "".join(f"P{n},4,10,50\n" for n in range(10)))
    done = ahsct("check", cohort)
    assert done.exit_code == 4
    verdicts = {each.label: each.verdict for each in done.result.figures}
    assert verdicts["Relapses per year before"] == "differs"
    assert verdicts["MS activity-free at 3 years"] == "not computable"
    assert ahsct("check", SAMPLE).exit_code == 0


def test_a_bare_file_is_compared_with_what_it_gives(ahsct: Ahsct, tmp_path: Path) -> None:
    done = ahsct("check", written(tmp_path, "patient_id,follow_up_years\nP1,2\n"), "--against", "all")
    assert (done.exit_code, done.err) == (0, "")
    assert {each.value for each in done.result.figures} == {None}
    assert any("years_to_first_relapse" in each.note for each in done.result.figures)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reconcile", "69.6", "--ci", "46.6:84.2", "--n", "20:22"], "Nothing gives this for n 20 to 22"),
        (["reconcile", "69.6", "--n", "10:12"], "Nearest: 7 of 10, 70.00 %"),
        # The effective n is 64.4, and 75 patients are the fewest that may have 10 events and this interval.
        (["reconcile", "85.5", "--ci", "76.9:94.1", "--n", "74"], "but in 74 patients no number of events"),
        (["reconcile", "1.30", "--ci", "1.02:1.39", "--rate", "167/140"], "nothing gives this"),
        (["reconcile", "90", "--ci", "40:91"], "Nor is the interval symmetric"),
        (["reconcile", "17/23", "--ci", "46.6:84.2"], "No method gives this interval"),
    ],
)
def test_reconcile_exits_with_4_where_nothing_fits(ahsct: Ahsct, arguments: list[str], words: str) -> None:
    done = ahsct(*arguments)
    assert (done.exit_code, done.err) == (4, "")
    assert words in done.out
    assert not done.result.is_explained
    assert done.result.nearest.off > 0


# ---- Streams and files --------------------------------------------------------------------------------


def test_the_samples_are_the_files_of_the_repository(ahsct: Ahsct) -> None:
    for options, path in (([], SAMPLE), (["--records"], RECORDS), (["--trial"], TRIAL)):
        assert ahsct("example", *options).out.encode("utf-8") == (ROOT / path).read_bytes()


def test_standard_input_and_gzip(ahsct: Ahsct, tmp_path: Path) -> None:
    content = (ROOT / SAMPLE).read_bytes()
    packed = tmp_path / "cohort.csv.gz"
    packed.write_bytes(gzip.compress(content))
    plain = json.loads(ahsct("summarize", SAMPLE, "--json").out)["endpoints"]
    assert json.loads(ahsct("summarize", "-", "--json", stdin=content).out)["endpoints"] == plain
    assert json.loads(ahsct("summarize", packed, "--json").out)["endpoints"] == plain


def test_output_is_whole_and_kept(ahsct: Ahsct, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    done = ahsct("summarize", SAMPLE, "--json", "-o", target)
    assert (done.exit_code, done.out) == (0, "")
    first = target.read_text(encoding="utf-8")
    assert json.loads(first)["schema_version"] == 2
    done = ahsct("summarize", RECORDS, "--json", "-o", target)
    assert (done.exit_code, "--force" in done.err) == (2, True)
    assert target.read_text(encoding="utf-8") == first
    assert ahsct("summarize", RECORDS, "--json", "-o", target, "--force").exit_code == 0
    assert json.loads(target.read_text(encoding="utf-8"))["source"]["shape"] == "records"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.parametrize("name", ["no/out.txt", "", "x" * 300])
def test_output_that_cannot_be_written(ahsct: Ahsct, tmp_path: Path, name: str) -> None:
    done = ahsct("summarize", SAMPLE, "-o", tmp_path / name)
    assert done.exit_code == 2
    assert done.err.startswith("ahsct: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["survival", SAMPLE], ["timeline", RECORDS]])
def test_figures_are_written_whole_and_kept(ahsct: Ahsct, arguments: list[str], tmp_path: Path) -> None:
    beginnings = {"svg": b"<?xml", "pdf": b"%PDF-", "PNG": b"\x89PNG"}
    for ending, beginning in beginnings.items():
        target = tmp_path / f"figure.{ending}"
        done = ahsct("plot", *arguments, "-o", target)
        assert (done.exit_code, done.err) == (0, "")
        content = target.read_bytes()
        assert content.startswith(beginning)
        again = ahsct("plot", *arguments, "-o", target)
        assert (again.exit_code, "--force" in again.err) == (2, True)
        assert ahsct("plot", *arguments, "-o", target, "--force").exit_code == 0
        assert target.read_bytes() == content
    nowhere = ahsct("plot", *arguments, "-o", tmp_path / "no" / "figure.svg")
    assert (nowhere.exit_code, "There is no folder" in nowhere.err) == (2, True)
    assert len(list(tmp_path.iterdir())) == len(beginnings)


def test_a_figure_cannot_replace_its_input(ahsct: Ahsct, tmp_path: Path) -> None:
    cohort = tmp_path / "cohort.svg"
    cohort.write_bytes((ROOT / SAMPLE).read_bytes())
    done = ahsct("plot", "survival", cohort, "-o", cohort, "--force")
    assert (done.exit_code, "is an input" in done.err) == (2, True)


def test_a_report_is_written_whole_and_kept(ahsct: Ahsct, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = ahsct("report", SAMPLE, "-o", page, "--against", "atkins2016-summary")
    assert (done.exit_code, done.out, done.err) == (0, "", "")
    content = page.read_text(encoding="utf-8")
    assert content.startswith("<!doctype html>")
    assert content.rstrip().endswith("</html>")
    # Neither where the file is nor who runs this; and no patient.
    assert not re.search(rf"{ROOT}|{tmp_path}|/home|/data/|\bP\d\d\b", content)
    again = ahsct("report", "no-such.csv", "-o", page)  # refused before anything is read
    assert (again.exit_code, "--force" in again.err) == (2, True)
    assert page.read_text(encoding="utf-8") == content
    differing = ahsct("report", LANCET, "-o", page, "--against", "atkins2016-summary", "--force")
    assert (differing.exit_code, differing.err) == (4, "")
    courses = ahsct("report", RECORDS, "-o", page, "--with-patients", "--force")
    assert courses.exit_code == 0
    assert ">P22</text>" in page.read_text(encoding="utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_a_report_of_groups_holds_no_patient_and_the_check_of_its_arms(ahsct: Ahsct, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    arguments = ["report", TRIAL, "--by", "arm", "--reference", "DMT", "-o", page]
    done = ahsct(*arguments, "--against", "mist2019", "--arm", "HSCT=AHSCT")
    assert (done.exit_code, done.out, done.err) == (0, "", "")
    assert done.result.by.reference == "DMT"
    content = page.read_text(encoding="utf-8")
    assert not re.search(rf"{ROOT}|{tmp_path}|/home|/data/|\bT\d\d\d\b", content)
    assert "6 reproduced, 1 compatible" in content
    assert ahsct(*arguments, "--with-patients", "--force").exit_code == 0
    assert "AHSCT (55 patients)" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--reference", "DMT"], "--reference need groups: name what makes them with --by COLUMN."),
        (["--reference", "DMT", "--strata", "site"], "--reference and --strata need groups"),
        (["--by", "amr"], "Is arm meant?"),
        (["--by", "sex"], "which are not pooled in silence"),
        (["--by", "arm", "--against", "atkins2016-summary"], "which are not pooled in silence"),
    ],
)
def test_what_a_report_of_groups_refuses(
    ahsct: Ahsct, tmp_path: Path, options: list[str], words: str
) -> None:
    done = ahsct("report", TRIAL, *options, "-o", tmp_path / "report.html")
    assert (done.exit_code, done.out) == (2, "")
    assert words in " ".join(done.err.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", [["compare"], ["plot", "survival"], ["plot", "incidence", "-o", "figure.svg"]]
)
def test_groups_by_another_attribute_do_not_pool_arms(ahsct: Ahsct, command: list[str]) -> None:
    done = ahsct(*command, TRIAL, "--by", "sex")
    assert (done.exit_code, done.out) == (2, "")
    for way in ("--by arm", "--where arm=AHSCT", "--pool"):
        assert way in done.err


def test_groups_by_another_attribute_within_an_arm(ahsct: Ahsct) -> None:
    done = ahsct("compare", TRIAL, "--by", "sex", "--where", "arm=AHSCT", "--json")
    assert done.exit_code == 0
    assert done.result.by.n_not_selected == 55


# ---- Help ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_examples_that_are_commands(ahsct: Ahsct, name: str) -> None:
    done = ahsct(*name.split(), "--help", columns=100)
    assert (done.exit_code, done.err) == (0, "")
    lines = [line.strip() for line in done.out.splitlines()]
    examples = lines[lines.index("For example:") + 1 :]
    examples = examples[: examples.index("")]
    assert 2 <= len(examples) <= 3
    for example in examples:
        first = example.split(" | ")[0].split()
        assert first[: 1 + len(name.split())] == ["ahsct", *name.split()]
        options = {text for text in first if text.startswith("-") and text != "-"}
        assert options <= options_of(name)
        arguments = [text.strip('"') for text in first[1 + len(name.split()) :]]
        assert max(map(len, [example])) <= 76, "an example breaks at 80 columns"
        assert (
            arguments
            or not inspect.signature(COMMANDS[name].callback).parameters
            or name
            in {
                "example",
                "columns",
                "schema",
                "published",
            }
        )


def test_help_shows_each_settings_own_default(ahsct: Ahsct) -> None:
    printed = re.sub(r"[│\s]+", " ", ahsct("summarize", "--help", columns=200).out)
    for setting in (each.name for each in fields(Choices) if each.name != "protocol"):
        default = getattr(BUILT_IN["default"], setting)
        shown = default if setting in CHOICES else f"{default:g}"
        (option,) = (
            parameter.opts[0] for parameter in COMMANDS["summarize"].params if parameter.name == setting
        )
        assert re.search(rf"{option} .*?\[default: {shown}\]", printed)
    for panel in (Data.panel, Choices.panel, "Output"):
        assert panel in printed


def in_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import sys\nfrom ahsct_trial.cli import main\n{code}"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


HEAVY = ("pandas", "numpy", "pyarrow", "scipy")


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], (*HEAVY, "msgspec", "matplotlib")),
        (["summarize", "--help"], (*HEAVY, "msgspec", "matplotlib")),
        (["published", "mist2019"], HEAVY),
        (["claim", "23 of 24"], ("pandas", "pyarrow")),
        (["example"], HEAVY),
        (["columns"], HEAVY),
        (["summarize", SAMPLE], ("matplotlib", "jinja2")),
        (["plot", "survival", SAMPLE], ("matplotlib", "jinja2")),
    ],
)
def test_a_command_imports_nothing_that_it_does_not_need(
    arguments: list[str], heavy: tuple[str, ...]
) -> None:
    done = in_python(f"main({arguments!r})\nprint([m for m in {heavy!r} if m in sys.modules])")
    assert (done.stdout.splitlines()[-1], done.stderr) == ("[]", "")


def test_importing_the_package_is_cheap() -> None:
    code = f"import sys, ahsct_trial; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "package"),
    [
        (["report", SAMPLE, "-o", "{target}.html"], "jinja2"),
        (["plot", "survival", SAMPLE, "-o", "{target}.svg"], "matplotlib"),
        (["plot", "timeline", SAMPLE, "-o", "{target}.svg"], "matplotlib"),
    ],
)
def test_without_the_extra_the_remedy_is_one_line(arguments: list[str], package: str, tmp_path: Path) -> None:
    given = [text.format(target=tmp_path / "picture") for text in arguments]
    done = in_python(f"sys.modules[{package!r}] = None\nprint(main({given!r}).exit_code)")
    assert done.stdout == "2\n"
    assert done.stderr.startswith(
        f"ahsct: This needs {package}. Install it with: pip install 'ahsct-trial[report]'"
    )
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


# ---- The process --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["summarize", SAMPLE], 0),
        (["--version"], 0),
        (["--help"], 0),
        ([], 2),
        (["summarize", SAMPLE, "--horizon", "0"], 2),
        (["summarize", "pyproject.toml"], 3),
        (["check", LANCET], 4),
    ],
)
def test_the_exit_code_of_the_process(arguments: list[str], exit_code: int) -> None:
    done = process(*arguments)
    assert done.returncode == exit_code
    assert "Traceback" not in done.stderr
    assert bool(done.stderr) == (exit_code in {2, 3} and bool(arguments))
    assert "\x1b" not in done.stdout  # a pipe has no colour


@pytest.mark.parametrize(
    "arguments",
    [
        ["{}"],
        ["--{}"],
        ["summarize", SAMPLE, "--protocol", "{}.toml"],
        ["summarize", "{}"],
        ["summarize", SAMPLE, "--format", "{}"],
        ["trace", SAMPLE, "{}"],
        ["check", SAMPLE, "--against", "{}"],
        ["summarize", SAMPLE, "--death", "{}"],
        ["summarize", SAMPLE, "-o", "{}/none"],
        ["summarize", SAMPLE, "--encoding", "{}"],
        ["reconcile", "{}"],
        ["plot", "survival", SAMPLE, "--endpoint", "{}"],
        ["plot", "survival", SAMPLE, "-o", "{}"],
    ],
)
def test_control_characters_in_arguments_are_shown_and_never_sent(ahsct: Ahsct, arguments: list[str]) -> None:
    done = ahsct(*(each.format("\x1b]0;X\x07") for each in arguments))
    assert done.exit_code in {2, 3}
    assert not {"\x1b", "\x07"} & {*done.out, *done.err}
    assert r"x1b]0;X" in done.err


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("ahsct su", ["summarize"]),
        ("ahsct plot ", ["survival", "incidence", "forest", "timeline"]),
        ("ahsct summarize --hor", ["--horizon"]),
        ("ahsct summarize --death c", ["censor"]),
        ("ahsct sensitivity --endpoint overall", ["overall_survival"]),
    ],
)
def test_a_shell_completes_commands_options_and_choices(words: str, completed: list[str]) -> None:
    # As the script that `ahsct --show-completion` prints for bash asks.
    count = str(len(words.split(" ")) - 1)
    done = process(_AHSCT_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=count)
    assert (done.stdout.split(), done.stderr) == (completed, "")


def test_the_console_script_is_the_same_process() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, function = project["scripts"]["ahsct"].partition(":")
    assert getattr(import_module(module), function) is run


def test_no_color_leaves_bold_and_dim_alone(ahsct: Ahsct, monkeypatch: pytest.MonkeyPatch) -> None:
    # https://no-color.org: colour is meant. 30 to 37 and 90 to 97 are the codes of colours.
    colour = re.compile(r"\x1b\[(?:\d+;)*[39][0-7]m")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert colour.search(ahsct("check", LANCET).out)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = ahsct("check", LANCET).out
    assert "\x1b[1m" in plain
    assert not colour.search(plain)


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
def test_a_closed_pipe_ends_quietly() -> None:
    pipeline = f"{sys.executable} -m ahsct_trial summarize {SAMPLE} --json | head -n 1"
    done = subprocess.run(["bash", "-c", pipeline], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{\n", "")
