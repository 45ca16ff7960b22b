"""The command line as a person and a script meet it: exit codes, streams, files, and the screens."""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import jsonschema
import pytest

from ahsct_trial.__main__ import run

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = "data/sample_cohort.csv"
RECORDS = "data/sample_records.csv"
LANCET = "data/atkins2016_lancet.csv"
SEVERAL = ["--endpoint", "worsening_free_survival", "--endpoint", "relapse_free_survival"]
PUBLISHED = ("reconcile", "69.6", "--ci", "46.6:84.2")
HALT_MS = ("--level", "0.9", "--n", "24")


def ahsct(
    *arguments: str, stdin: bytes | None = None, columns: int = 80, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the program as a process of its own, piped, at a width."""
    done = subprocess.run(
        [sys.executable, "-m", "ahsct_trial", *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        check=False,
        env={**os.environ, "COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8", **environment},
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    )


# The screens. Renewed by `python -m pytest --renew-golden`; a person reads the difference.


@pytest.mark.parametrize(
    ("name", "arguments", "columns"),
    [
        ("summarize-80.txt", ["summarize", SAMPLE], 80),
        ("summarize-120.txt", ["summarize", SAMPLE], 120),
        ("summarize-40.txt", ["summarize", SAMPLE], 40),
        ("summarize-100.txt", ["summarize", SAMPLE], 100),
        ("summarize-full-100.txt", ["summarize", RECORDS, "--full"], 100),
        ("summarize-records-80.txt", ["summarize", RECORDS], 80),
        ("summarize-censor-80.txt", ["summarize", SAMPLE, "--death", "censor", "--ci", "plain"], 80),
        ("summarize.md", ["summarize", SAMPLE, "--format", "markdown"], 80),
        ("summarize.csv", ["summarize", SAMPLE, "--format", "csv"], 80),
        ("summarize.json", ["summarize", SAMPLE, "--json"], 80),
        ("check-80.txt", ["check", SAMPLE], 80),
        ("check.json", ["check", SAMPLE, "--json"], 80),
        ("check-lancet-120.txt", ["check", LANCET, "--against", "atkins2016-lancet"], 120),
        ("check-all-80.txt", ["check", LANCET, "--against", "all"], 80),
        ("check-all-40.txt", ["check", LANCET, "--against", "all"], 40),
        ("check-all.json", ["check", LANCET, "--against", "all", "--json"], 80),
        ("published-80.txt", ["published"], 80),
        ("published-mist2019-80.txt", ["published", "mist2019"], 80),
        ("published-lancet-80.txt", ["published", "atkins2016-lancet"], 80),
        ("published-lancet.json", ["published", "atkins2016-lancet", "--json"], 80),
        ("claim-80.txt", ["claim", "23 of 24"], 80),
        ("claim-40.txt", ["claim", "hazard ratio 0.07"], 40),
        ("claim-nearest-80.txt", ["claim", "42.3 % relapse-free"], 80),
        ("claim.json", ["claim", "1.2 relapses a year", "--json"], 80),
        ("trace-records-80.txt", ["trace", RECORDS, "P06"], 80),
        ("trace-cohort-80.txt", ["trace", SAMPLE, "P22"], 80),
        ("trace.json", ["trace", RECORDS, "P19", "--json"], 80),
        ("validate-80.txt", ["validate", SAMPLE], 80),
        ("validate.json", ["validate", SAMPLE, "--json"], 80),
        ("compare-100.txt", ["compare", "data/sample_trial.csv", "--by", "arm"], 100),
        ("plot-80.txt", ["plot", "survival", SAMPLE], 80),
        ("plot-40.txt", ["plot", "survival", RECORDS, "--endpoint", "overall_survival"], 40),
        (
            "plot-120.txt",
            ["plot", "survival", SAMPLE, *SEVERAL, "--death", "censor", "--horizon", "5"],
            120,
        ),
        ("columns-100.txt", ["columns"], 100),
        ("schema.json", ["schema"], 80),
        ("reconcile-80.txt", [*PUBLISHED, "--n", "20:24"], 80),
        ("reconcile-40.txt", [*PUBLISHED, "--n", "20:24"], 40),
        ("reconcile.json", [*PUBLISHED, "--n", "20:24", "--json"], 80),
        ("reconcile-halt-ms-120.txt", ["reconcile", "91.3", "--ci", "74.7:97.2", "--level", "0.90"], 120),
        ("reconcile-many-80.txt", ["reconcile", "70", "--ci", "60:79"], 80),
        ("reconcile-fraction-80.txt", ["reconcile", "0.696"], 80),
        ("reconcile-scale-80.txt", ["reconcile", "69.2", "--ci", "50.2–82.1", *HALT_MS], 80),
        ("reconcile-scale-40.txt", ["reconcile", "69.2", "--ci", "50.2–82.1", *HALT_MS], 40),
        ("reconcile-scale.json", ["reconcile", "69.2", "--ci", "50.2–82.1", *HALT_MS, "--json"], 80),
        ("reconcile-cut-off-80.txt", ["reconcile", "66,6", "--n", "3:3"], 80),
        ("reconcile-count-80.txt", ["reconcile", "23/24"], 80),
        ("reconcile-rate-80.txt", ["reconcile", "1.19", "--ci", "1.02:1.39", "--rate", "167/140"], 80),
        ("reconcile-rate-120.txt", ["reconcile", "1.20", "--ci", "1.03:1.39", "--rate", "167/140"], 120),
        (
            "reconcile-rate.json",
            ["reconcile", "1.19", "--ci", "1.02:1.39", "--rate", "167/140", "--json"],
            80,
        ),
    ],
)
def test_screens(golden: Callable[[str, str], None], name: str, arguments: list[str], columns: int) -> None:
    done = ahsct(*arguments, columns=columns)
    assert (done.returncode, done.stderr) == (0, "")
    golden(done.stdout, name)


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_screens_fit_the_width(columns: int) -> None:
    for arguments in (
        ["summarize", SAMPLE],
        ["check", SAMPLE],
        ["check", LANCET, "--against", "atkins2016-summary"],
        ["check", SAMPLE, "--against", "mist2019"],
        ["check", SAMPLE, "--against", "all"],
        ["published"],
        ["published", "atkins2016-lancet"],
        ["claim", "1 of 327"],
        ["trace", RECORDS, "P06"],
        ["plot", "survival", SAMPLE],
        PUBLISHED,
    ):
        assert max(map(len, ahsct(*arguments, columns=columns).stdout.splitlines())) <= columns


def test_a_pipe_has_no_colour() -> None:
    assert "\x1b" not in ahsct("summarize", SAMPLE).stdout


# The popular summary (2016): 23 of 24 at 3 years, 1.2 relapses a year before and none after, 93 lesions on
# 24 scans before, a new lesion on 1 of 327 scans after, one death.


def test_json_gives_the_published_figures() -> None:
    for path in (SAMPLE, RECORDS):
        endpoints = json.loads(ahsct("summarize", path, "--json").stdout)["endpoints"]
        headline = endpoints["activity_free_survival"]
        assert (headline["n_event_free"], headline["n_evaluable"]) == (23, 24)
        # survival 3.5-3 in R 4.2.2 on one event in 24: 0.958333, log-log 0.7392–0.9940
        assert headline["estimate"] == pytest.approx(23 / 24, abs=1e-12)
        assert headline["ci_low"] == pytest.approx(0.7392, abs=5e-5)
        assert headline["ci_high"] == pytest.approx(0.9940, abs=5e-5)
        before, after = endpoints["relapse_rate"]["before"], endpoints["relapse_rate"]["after"]
        assert (before["n_relapses"], round(before["person_years"], 3), after["n_relapses"]) == (167, 140, 0)
        lesions = endpoints["lesions"]
        assert (lesions["before"]["n_lesions"], lesions["before"]["n_scans"]) == (93, 24)
        assert (lesions["after"]["n_scans_with_lesions"], lesions["after"]["n_scans"]) == (1, 327)
        assert endpoints["transplant_related_mortality"]["n_deaths"] == 1


def test_json_is_strict_and_follows_its_schema(tmp_path: Path) -> None:
    schema = json.loads(ahsct("schema").stdout)
    bare = tmp_path / "bare.csv"
    bare.write_text("patient_id,follow_up_years\nP1,2\n", encoding="utf-8")

    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is not strict JSON")

    for path in (SAMPLE, RECORDS, str(bare)):
        document = json.loads(ahsct("summarize", path, "--json").stdout, parse_constant=refuse)
        jsonschema.validate(document, schema)
        assert set(document) == set(schema["$defs"]["Summary"]["properties"])


def test_json_has_every_key_where_the_file_has_no_columns(tmp_path: Path) -> None:
    def keys(value: object) -> object:
        if isinstance(value, dict):
            return {key: keys(each) for key, each in value.items()}
        return None

    bare = tmp_path / "bare.csv"
    bare.write_text("patient_id,follow_up_years\nP1,2\n", encoding="utf-8")
    full = json.loads(ahsct("summarize", SAMPLE, "--json").stdout)["endpoints"]
    empty = json.loads(ahsct("summarize", str(bare), "--json").stdout)["endpoints"]
    assert keys(full) == keys(empty)
    assert empty["activity_free_survival"]["estimate"] is None
    assert "relapses_after" in empty["activity_free_survival"]["note"]


# Streams and files.


def test_standard_input_gzip_and_example(tmp_path: Path) -> None:
    example = ahsct("example").stdout.encode("utf-8")
    assert example == (ROOT / SAMPLE).read_bytes()
    assert ahsct("example", "--records").stdout.encode("utf-8") == (ROOT / RECORDS).read_bytes()
    packed = tmp_path / "cohort.csv.gz"
    packed.write_bytes(gzip.compress(example))
    plain = json.loads(ahsct("summarize", SAMPLE, "--json").stdout)
    for arguments, stdin in ((["-"], example), ([str(packed)], None)):
        other = json.loads(ahsct("summarize", *arguments, "--json", stdin=stdin).stdout)
        assert other["endpoints"] == plain["endpoints"]


def test_output_is_whole_and_kept(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    done = ahsct("summarize", SAMPLE, "--json", "-o", str(target))
    assert (done.returncode, done.stdout) == (0, "")
    first = target.read_text(encoding="utf-8")
    assert json.loads(first)["schema_version"] == 1
    done = ahsct("summarize", RECORDS, "--json", "-o", str(target))
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert target.read_text(encoding="utf-8") == first
    assert ahsct("summarize", RECORDS, "--json", "-o", str(target), "--force").returncode == 0
    assert json.loads(target.read_text(encoding="utf-8"))["source"]["shape"] == "records"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    missing = ahsct("summarize", SAMPLE, "-o", str(tmp_path / "no" / "out.txt"))
    folder = ahsct("summarize", SAMPLE, "-o", str(tmp_path))
    for done in (missing, folder):
        assert done.returncode == 2
        assert done.stderr.startswith("ahsct: ")
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


needs_full_device = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs a device that is always full"
)


@needs_full_device
def test_full_device() -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m ahsct_trial summarize {SAMPLE} > /dev/full"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("ahsct: The output could not be written whole")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["summarize", SAMPLE], ["report", SAMPLE], ["plot", "survival", SAMPLE]])
def test_a_name_that_no_file_can_have_is_a_clear_error(command: list[str], tmp_path: Path) -> None:
    ending = {"summarize": ".json", "report": ".html", "plot": ".svg"}[command[0]]
    done = ahsct(*command, "-o", str(tmp_path / ("x" * 300 + ending)))
    assert done.returncode == 2
    assert done.stderr.endswith("cannot be written: File name too long.\n")
    assert "Traceback" not in done.stderr


def test_output_that_was_closed_before_the_start_is_a_clear_error() -> None:
    command = f"{shlex.quote(sys.executable)} -m ahsct_trial --version >&-"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "ahsct: Standard output is closed.\n")


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        ("summarize - <&-", 2),
        ("summarize {good} 2>&-", 0),
        ("validate {wrong} 2>&-", 3),
        ("validate {wrong} 2>&1 | true", 3),
        pytest.param("validate {wrong} 2>/dev/full", 3, marks=needs_full_device),
    ],
)
def test_the_exit_code_is_right_where_nobody_can_be_told(
    arguments: str, exit_code: int, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("patient_id,follow_up_years\nP1,six\n", encoding="utf-8")
    files = arguments.format(good=SAMPLE, wrong=shlex.quote(str(wrong)))
    command = f"{shlex.quote(sys.executable)} -m ahsct_trial {files}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == exit_code
    assert "Traceback" not in done.stderr
    if exit_code == 0:
        assert "MS activity-free survival" in done.stdout


def test_the_console_script_is_the_same_process() -> None:
    (script,) = entry_points(group="console_scripts", name="ahsct")
    assert script.load() is run


def test_closed_pipe_ends_quietly() -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m ahsct_trial summarize {SAMPLE} --json | head -n 1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


# Errors.


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["summarize", "no-such-file.csv"], 2, "There is no file no-such-file.csv"),
        (["summarize", "data"], 2, "is a folder"),
        (["summarize", SAMPLE, "--horizon", "0"], 2, "horizon_years"),
        (["summarize", SAMPLE, "--horizon", "nan"], 2, "horizon_years"),
        (["summarize", SAMPLE, "--level", "95"], 2, "confidence_level"),
        (["summarize", SAMPLE, "--ci", "wald"], 2, "ci_method"),
        (["summarize", SAMPLE, "--death", "maybe"], 2, "death"),
        (["summarize", SAMPLE, "--protocol", "none"], 2, "There is no protocol 'none'"),
        (["summarize", SAMPLE, "--json", "--format", "csv"], 2, "contradict"),
        (["summarize", SAMPLE, "--encoding", "klingon"], 2, "no encoding 'klingon'"),
        (["check", SAMPLE, "--against", "nobody"], 2, "atkins2016-summary"),
        (["check", SAMPLE, "--against", "atkins"], 2, "Closest: atkins2016-lancet, atkins2016-summary."),
        (["check", SAMPLE, "--against", "no-such.toml"], 2, "no-such.toml cannot be read"),
        (["check", SAMPLE, "--against", "mist2019", "--arm", "A"], 2, "write THEIRS=OWN"),
        (["check", SAMPLE, "--against", "mist2019", "--arm", "A=B"], 2, "arms are HSCT, DMT"),
        (["check", SAMPLE, "--against", "all", "--arm", "A=B"], 2, "--arm goes with one publication"),
        (["check", SAMPLE, "--against", "all", "--horizon", "0"], 2, "horizon_years"),
        (["published", "halt"], 2, "Closest: halt-ms2017"),
        (["trace", SAMPLE, "p22"], 2, "Closest: P22"),
        (["columns", "--format", "json"], 2, "table or markdown"),
        (["plot", "survival", SAMPLE, "--endpoint", "neda3"], 2, "--endpoint is one of"),
        (["plot", "survival", SAMPLE, "--width", "90"], 2, "a screen has its own"),
        (["plot", "survival", SAMPLE, "-o", "figure.jpg"], 2, ".svg, .pdf or .png"),
        (["plot", "timeline", SAMPLE, "-o", "figure"], 2, ".svg, .pdf or .png"),
        (["plot", "timeline", SAMPLE, "-o", "figure.svg", "--width", "79"], 2, "from 80 to 420 mm"),
        (["plot", "timeline", SAMPLE, "-o", "figure.svg", "--width", "nan"], 2, "from 80 to 420 mm"),
        (["plot", "timeline", SAMPLE], 2, "--output"),
        (["report", SAMPLE], 2, "--output"),
        (["report", SAMPLE, "-o", "report.pdf"], 2, "Name it .html."),
        (["report", SAMPLE, "-o", "no-such/report.html"], 2, "cannot be written"),
        (["report", SAMPLE, "-o", "report.html", "--against", "nobody"], 2, "atkins2016-summary"),
        (["report", SAMPLE, "-o", "report.html", "--arm", "A=B"], 2, "--arm goes with a publication"),
        (["nonsense"], 2, "nonsense"),
        (["reconcile", "169.6"], 2, "from 0 to 100"),
        (["reconcile", "-5"], 2, "-5"),
        (["reconcile", ""], 2, "The percentage is ''"),
        (["reconcile", "69.6", "--ci", "84.2:46.6"], 2, "lower limit first"),
        (["reconcile", "69.6", "--ci", "70:80"], 2, "outside its interval"),
        (["reconcile", "69.6", "--ci", "46.6"], 2, "LOW:HIGH"),
        (["reconcile", "69.6", "--ci", ""], 2, "LOW:HIGH"),
        (["reconcile", "69.6", "--n", "0"], 2, "at least 1 patient"),
        (["reconcile", "69.6", "--n", "24:20"], 2, "20:24"),
        (["reconcile", "69.6", "--n", "20,24"], 2, "write A:B"),
        (["reconcile", "23/24", "--n", "24"], 2, "leave out n"),
        (["reconcile", "69.6", "--n", "1:1000000"], 2, "at most 10,000"),
        (["reconcile", "69.6", "--level", "95"], 2, "0.95"),
        (["reconcile", "1.19", "--rate", "167"], 2, "EVENTS/TIME"),
        (["reconcile", "1.19", "--rate", "167/140", "--n", "24"], 2, "contradict"),
    ],
)
def test_usage_errors(arguments: list[str], code: int, words: str) -> None:
    done = ahsct(*arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


BAD = b"patient_id,follow_up_years,edss_baseline\nP-07,2,3.2\n[bold]x[/bold],six,4\n"


def test_data_problems_are_shown_together_and_nothing_is_computed(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    done = ahsct("summarize", "-", "-o", str(target), stdin=BAD)
    assert (done.returncode, done.stdout) == (3, "")
    assert not target.exists()
    first, *problems = done.stderr.splitlines()
    assert first == "ahsct: - has 2 problems; nothing was computed."
    assert problems[0] == (
        "-:2 patient P-07: edss_baseline is 3.2; EDSS goes from 0 to 10 in half points, without 0.5. "
        "Correct it or leave it empty."
    )
    assert problems[1].startswith("-:3 patient [bold]x[/bold]: follow_up_years is 'six'; ")


def test_validate_tells_scripts_of_the_problems() -> None:
    done = ahsct("validate", "-", "--json", stdin=BAD)
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert found["n_problems"] == 2
    assert [(each["line"], each["patient"], each["column"], each["value"]) for each in found["problems"]] == [
        (2, "P-07", "edss_baseline", "3.2"),
        (3, "[bold]x[/bold]", "follow_up_years", "six"),
    ]
    fine = json.loads(ahsct("validate", SAMPLE, "--json").stdout)
    assert (fine["n_problems"], fine["account"]["rows_read"]) == (0, 24)


def test_text_of_the_file_is_text_on_the_screen(tmp_path: Path) -> None:
    cohort = tmp_path / "[red]cohort.csv"
    cohort.write_text(
        "patient_id,follow_up_years,site\nP1,2,[bold]General[/bold]\nP2,2,\x1b[31mred\n", encoding="utf-8"
    )
    done = ahsct("summarize", str(cohort), columns=120)
    assert "[bold]General[/bold] 1" in done.stdout
    assert "\\x1b[31mred 1" in done.stdout
    assert "[red]cohort.csv" in done.stdout
    assert "\x1b" not in done.stdout
    csv = ahsct("summarize", str(cohort), "--format", "csv").stdout
    assert ",site,[bold]General[/bold],categorical,n," in csv


def test_text_of_a_publication_is_text_on_the_screen(tmp_path: Path) -> None:
    example = (ROOT / "docs" / "example-publication.toml").read_text(encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text(
        example.replace('"example2020"', '"[bold]x"')
        .replace('"An invented trial"', '"""[red]An\n\\u001b[31minvented"""')
        .replace('label = "NEDA at 2 years"', 'label = "[i]NEDA\\n\\u202e"'),
        encoding="utf-8",
    )
    for arguments in (["check", SAMPLE, "--against", str(mine)], ["published", str(mine)]):
        done = ahsct(*arguments, columns=120)
        assert done.stderr == ""
        assert "[bold]x" in done.stdout
        assert "[red]An \\x1b[31minvented" in done.stdout
        assert "[i]NEDA\\n\\u202e" in done.stdout
        assert "\x1b" not in done.stdout


def test_a_bare_file_is_compared_with_what_it_gives(tmp_path: Path) -> None:
    bare = tmp_path / "bare.csv"
    bare.write_text("patient_id,follow_up_years\nP1,2\n", encoding="utf-8")
    done = ahsct("check", str(bare), "--against", "all")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Not in this file: relapses_after" in done.stdout
    document = json.loads(ahsct("check", str(bare), "--against", "all", "--json").stdout)
    assert [each["value"] for each in document["figures"]] == [None] * 12


def test_check_exits_with_4_where_a_figure_differs(tmp_path: Path) -> None:
    # Without a lesion and with two relapses per year the cohort contradicts the summary.
    cohort = tmp_path / "cohort.csv"
    cohort.write_text(
        "patient_id,follow_up_years,years_observed_before,relapses_before\n"
        + "".join(f"P{n},4,10,50\n" for n in range(10)),
        encoding="utf-8",
    )
    done = ahsct("check", str(cohort), "--json")
    assert done.returncode == 4
    verdicts = {each["label"]: each["verdict"] for each in json.loads(done.stdout)["figures"]}
    assert verdicts["Relapses per year before"] == "differs"
    assert verdicts["MS activity-free at 3 years"] == "not computable"
    assert ahsct("check", SAMPLE).returncode == 0


def test_the_two_accounts_of_the_trial_cannot_both_be_reproduced() -> None:
    own = ahsct("check", LANCET, "--against", "atkins2016-lancet", "--json")
    assert own.returncode == 0
    assert json.loads(own.stdout)["n_reproduced"] == 15
    assert json.loads(own.stdout)["schema_version"] == 1


def test_the_screen_says_why_the_abstract_is_not_the_summary(golden: Callable[[str, str], None]) -> None:
    done = ahsct("check", LANCET, "--against", "atkins2016-summary")
    assert (done.returncode, done.stderr) == (4, "")
    golden(done.stdout, "check-differs-80.txt")


def test_a_protocol_on_the_command_line_replaces_the_publications_own() -> None:
    # Abstract's cohort, a death as an event: 16 of 24, in R 66.7 % (44.3-81.7).
    arguments = ("check", LANCET, "--against", "atkins2016-lancet", "--json")
    for options in (("--protocol", "default"), ("--death", "event")):
        done = json.loads(ahsct(*arguments, *options).stdout)
        assert not done["is_own_protocol"]
        assert done["figures"][0]["value"] == pytest.approx(16 / 24, rel=1e-12)
    at_2 = ahsct("check", RECORDS, "--against", "sormani2017", "--horizon", "2", "--json")
    verdicts = {each["label"]: each["verdict"] for each in json.loads(at_2.stdout)["figures"]}
    assert verdicts["NEDA at 5 years"] == "not computable"
    assert verdicts["NEDA at 2 years"] != "not computable"


def test_arms_are_named_as_the_file_names_them(tmp_path: Path) -> None:
    # Of each arm's two patients one worsens: 1 beside the published 3 and 34.
    cohort = tmp_path / "arms.csv"
    cohort.write_text(
        "patient_id,arm,follow_up_years,edss_baseline,edss_last,years_to_worsening,years_to_improvement\n"
        "A,HSCT,4,3,4,1,\nB,HSCT,4,3,3,,\nC,Drug,4,3,4,1,\nD,Drug,4,3,3,,\n",
        encoding="utf-8",
    )
    arms = [
        f'[[figures]]\nlabel = "{arm}"\nvalue = "{n}"\nof = "2"\nfigure = "endpoints.disability.n_worsened"\n'
        f'figure_of = "endpoints.disability.n_patients"\nwhere = {{ arm = ["{arm}"] }}\nmark = "V"\n'
        'definition = "Worse"\nsource = "Table 1"\n'
        for arm, n in (("transplant", 1), ("comparator", 2))
    ]
    mine = tmp_path / "mine.toml"
    mine.write_text('id = "mine"\ntitle = "Mine"\ncitation = "None"\n' + "".join(arms), encoding="utf-8")
    arguments = ("check", str(cohort), "--against", str(mine), "--json")
    unnamed = json.loads(ahsct(*arguments).stdout)["figures"]
    assert "--arm transplant=" in unnamed[0]["note"]
    named = ahsct(*arguments, "--arm", "transplant=HSCT", "--arm", "comparator=Drug")
    figures = json.loads(named.stdout)["figures"]
    assert [(each["value"], each["verdict"]) for each in figures] == [(1, "reproduced"), (1, "differs")]
    assert named.returncode == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reconcile", "69.6", "--ci", "46.6:84.2", "--n", "20:22"], "Nothing gives this for n 20 to 22"),
        (["reconcile", "69.6", "--n", "10:12"], "Nearest: 7 of 10, 70.00 %"),
        (["reconcile", "1.30", "--ci", "1.02:1.39", "--rate", "167/140"], "nothing gives this"),
        (["reconcile", "90", "--ci", "40:91"], "Nor is the interval symmetric"),
        (["reconcile", "17/23", "--ci", "46.6:84.2"], "No method gives this interval"),
    ],
)
def test_reconcile_exits_with_4_where_nothing_fits(arguments: list[str], words: str) -> None:
    done = ahsct(*arguments)
    assert (done.returncode, done.stderr) == (4, "")
    assert words in done.stdout
    assert json.loads(ahsct(*arguments, "--json").stdout)["nearest"]["off"] > 0


def test_protocol_file_and_option_on_top(tmp_path: Path) -> None:
    protocol = tmp_path / "mine.toml"
    protocol.write_text('horizon_years = 5\ndeath = "censor"\n', encoding="utf-8")
    document = json.loads(
        ahsct("summarize", RECORDS, "--json", "--protocol", str(protocol), "--horizon", "2").stdout
    )
    used = document["protocol"]
    assert (used["name"], used["horizon_years"], used["death"]) == (
        "mine.toml, changed: horizon_years",
        2.0,
        "censor",
    )
    protocol.write_text("horizon_year = 5\n", encoding="utf-8")
    done = ahsct("summarize", RECORDS, "--protocol", str(protocol))
    assert done.returncode == 2
    assert "Is horizon_years meant?" in done.stderr


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['ahsct', '--help']\n"
        "from ahsct_trial.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('pandas', 'numpy', 'pyarrow', 'scipy', 'msgspec') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_library_is_shown_without_pandas() -> None:
    code = (
        "import sys; sys.argv = ['ahsct', 'published', 'mist2019']\n"
        "from ahsct_trial.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('pandas', 'numpy', 'pyarrow', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_importing_the_package_is_cheap() -> None:
    code = "import sys, ahsct_trial; print([m for m in ('pandas', 'numpy', 'pyarrow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# Figures.


@pytest.mark.parametrize("command", [["survival", SAMPLE], ["timeline", RECORDS]])
def test_figures_are_written_whole_and_kept(command: list[str], tmp_path: Path) -> None:
    beginnings = {"svg": b"<?xml", "pdf": b"%PDF-", "PNG": b"\x89PNG"}
    for ending, beginning in beginnings.items():
        target = tmp_path / f"figure.{ending}"
        done = ahsct("plot", *command, "-o", str(target))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        content = target.read_bytes()
        assert content.startswith(beginning)
        again = ahsct("plot", *command, "-o", str(target))
        assert again.returncode == 2
        assert "--force" in again.stderr
        assert ahsct("plot", *command, "-o", str(target), "--force").returncode == 0
        assert target.read_bytes() == content
    nowhere = ahsct("plot", *command, "-o", str(tmp_path / "no" / "figure.svg"))
    assert (nowhere.returncode, "cannot be written" in nowhere.stderr) == (2, True)
    assert len(list(tmp_path.iterdir())) == len(beginnings)


def test_a_figure_cannot_replace_its_input(tmp_path: Path) -> None:
    cohort = tmp_path / "cohort.svg"
    cohort.write_bytes((ROOT / SAMPLE).read_bytes())
    done = ahsct("plot", "survival", str(cohort), "-o", str(cohort), "--force")
    assert (done.returncode, "is an input" in done.stderr) == (2, True)


def test_a_report_is_written_whole_and_kept(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = ahsct("report", SAMPLE, "-o", str(page), "--against", "atkins2016-summary")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    content = page.read_text(encoding="utf-8")
    assert content.startswith("<!doctype html>")
    assert content.rstrip().endswith("</html>")
    assert "6 reproduced of 6 published figures." in content
    # Neither where the file is nor who runs this; and no patient.
    assert not re.search(rf"{ROOT}|{tmp_path}|/home|/data/|\bP\d\d\b", content)
    again = ahsct("report", "no-such.csv", "-o", str(page))  # refused before anything is read
    assert (again.returncode, "--force" in again.stderr) == (2, True)
    assert page.read_text(encoding="utf-8") == content
    differing = ahsct("report", LANCET, "-o", str(page), "--against", "atkins2016-summary", "--force")
    assert (differing.returncode, differing.stderr) == (4, "")
    assert "Why it differs" in page.read_text(encoding="utf-8")
    courses = ahsct("report", RECORDS, "-o", str(page), "--with-patients", "--force")
    assert courses.returncode == 0
    assert ">P22</text>" in page.read_text(encoding="utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_a_report_without_the_extra_names_the_remedy(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = _run_in_python(
        "sys.modules['jinja2'] = None\n"
        f"sys.argv = ['ahsct', 'report', {SAMPLE!r}, '-o', {str(page)!r}]\nmain()"
    )
    assert done.stderr == "ahsct: This needs jinja2. Install it with: pip install 'ahsct-trial[report]'\n"
    assert (done.returncode, page.exists()) == (2, False)


def _run_in_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import sys\nfrom ahsct_trial.cli import main\n{code}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("kind", ["survival", "timeline"])
def test_without_the_extra_the_remedy_is_one_line(kind: str, tmp_path: Path) -> None:
    target = tmp_path / "figure.svg"
    done = _run_in_python(
        "sys.modules['matplotlib'] = None\n"
        f"sys.argv = ['ahsct', 'plot', '{kind}', '{SAMPLE}', '-o', {str(target)!r}]\nmain()"
    )
    assert done.returncode == 2
    assert done.stderr == "ahsct: This needs matplotlib. Install it with: pip install 'ahsct-trial[report]'\n"
    assert not target.exists()


@pytest.mark.parametrize("command", [["summarize", SAMPLE], ["plot", "survival", SAMPLE]])
def test_the_screen_needs_no_extra(command: list[str]) -> None:
    done = _run_in_python(
        f"sys.argv = ['ahsct', *{command!r}]\n"
        "try: main()\nfinally: print([m for m in ('matplotlib', 'jinja2') if m in sys.modules])"
    )
    assert done.stdout.splitlines()[-1] == "[]"
