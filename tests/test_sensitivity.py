"""Sensitivity: every combination of choices, the range over them, and which choice moves the figure."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from record_files import read, records

import ahsct_trial.derivation
import ahsct_trial.endpoints.time_to_event
from ahsct_trial import Cohort, Protocol, Records, Sensitivity, read_cohort, sensitivity_of, summarize
from ahsct_trial.endpoints.time_to_event import DEFINITIONS
from ahsct_trial.errors import UsageError
from ahsct_trial.protocol import BUILT_IN
from ahsct_trial.rendering.sections.sensitivity import sensitivity_sections
from ahsct_trial.rendering.tables import draw
from ahsct_trial.sensitivity_analysis import VARIED, Choice, Combination, Influence, YearRange

ROOT = Path(__file__).resolve().parents[1]
SAMPLE, RECORDS = "data/sample_cohort.csv", "data/sample_records.csv"
LANCET = "data/atkins2016_lancet.csv"
KEYS = [definition.key for definition in DEFINITIONS]
FIGURES = tuple(
    field.name for field in fields(Combination) if field.name not in {*VARIED, "years", "is_protocol"}
)


def figures(result: object) -> dict[str, object]:
    return {name: getattr(result, name) for name in FIGURES}


def pick(result: Sensitivity, **choices: object) -> Combination:
    """The only combination with these choices; the horizon and the log-log interval where left out."""
    wanted = {"years": result.years[-1].years, "ci_method": "log-log"} | choices
    (found,) = (
        each for each in result.combinations if all(getattr(each, key) == wanted[key] for key in wanted)
    )
    return found


def influence(year: YearRange, setting: str) -> tuple[float | None, float | None, float | None]:
    (found,) = (each for each in year.influences if each.setting == setting)
    return found.estimate_change, found.limits_change, found.proportion_change


# Against a summary of its own for each combination.


@pytest.mark.parametrize(("name", "n"), [(SAMPLE, 2 * 5), (LANCET, 2 * 5), (RECORDS, 2 * 3 * 3 * 5)])
def test_each_combination_of_a_sample_is_that_of_a_summary(name: str, n: int) -> None:
    data = read_cohort(ROOT / name)
    protocol = replace(BUILT_IN["atkins2016-lancet" if name == LANCET else "default"], horizon_years=2.5)
    results = {key: sensitivity_of(data, protocol, key) for key in KEYS}
    headline = results["activity_free_survival"]
    assert [(each.years, each.n_combinations) for each in headline.years] == [(1, n), (2, n), (2.5, n)]
    assert len(headline.combinations) == len(set(headline.combinations)) == 3 * n
    for combination in headline.combinations:
        chosen = {key: getattr(combination, key) for key in VARIED if getattr(combination, key) is not None}
        summary = summarize(data, replace(protocol, horizon_years=combination.years, **chosen))
        for key, result in results.items():
            own = {
                setting: None if setting in {each.setting for each in result.not_varied} else value
                for setting, value in chosen.items()
            }
            assert figures(pick(result, years=combination.years, **own)) == figures(
                getattr(summary.endpoints, key)
            )


def test_the_protocols_own_combination_is_marked_and_is_the_summary() -> None:
    data = read_cohort(ROOT / RECORDS)
    protocol = Protocol(
        death="censor", new_lesion="gd", worsening_confirm_weeks=16, ci_method="plain", confidence_level=0.9
    )
    result = sensitivity_of(data, protocol)
    own = [each for each in result.combinations if each.is_protocol]
    assert [each.years for each in own] == [1, 2, 3]
    expected = summarize(data, protocol)
    assert figures(own[-1]) == figures(expected.endpoints.activity_free_survival)
    assert result.definition == expected.endpoints.activity_free_survival.definition
    assert result.protocol == expected.protocol
    values = {choice.setting: (choice.values, choice.protocol_value) for choice in result.choices}
    # Its own length stands among the three.
    assert values["worsening_confirm_weeks"] == ((12, 16, 24, 48), 16)
    assert values["death"] == (("event", "censor"), "censor")


@pytest.mark.parametrize(
    ("endpoint", "shape", "varied"),
    [
        ("activity_free_survival", RECORDS, VARIED),
        ("mri_activity_free_survival", RECORDS, ("death", "new_lesion", "ci_method")),
        ("worsening_free_survival", RECORDS, ("death", "worsening_confirm_weeks", "ci_method")),
        ("relapse_free_survival", RECORDS, ("death", "ci_method")),
        ("overall_survival", RECORDS, ("ci_method",)),
        ("activity_free_survival", SAMPLE, ("death", "ci_method")),
        ("overall_survival", SAMPLE, ("ci_method",)),
        ("activity_free_survival", LANCET, ("death", "ci_method")),
    ],
)
def test_what_cannot_matter_is_not_varied_and_named(endpoint: str, shape: str, varied: tuple[str]) -> None:
    result = sensitivity_of(read_cohort(ROOT / shape), endpoint=endpoint)
    assert tuple(choice.setting for choice in result.choices) == varied
    assert {each.setting for each in result.not_varied} == set(VARIED) - set(varied)
    assert all(each.reason for each in result.not_varied)
    for each in result.combinations:
        assert {name for name in VARIED if getattr(each, name) is not None} == set(varied)


@pytest.mark.parametrize(
    ("horizon", "years"), [(0.5, [0.5]), (1, [1]), (2, [1, 2]), (3.25, [1, 2, 3, 3.25]), (120, range(1, 121))]
)
def test_years(horizon: float, years: list[float]) -> None:
    result = sensitivity_of(read_cohort(ROOT / SAMPLE), Protocol(horizon_years=horizon))
    assert [each.years for each in result.years] == list(years)


# Hand-worked.


def lancet_like(folder: Path) -> Cohort:
    """24 patients: 16 without an event for 4 years and more, 7 who worsen before year 3, one early death."""
    free = [f"F{number},{4 + number},0,,4,,4.0,," for number in range(16)]
    worse = [f"W{number},6,0,,4,,4.0,{0.5 + number / 4}," for number in range(7)]
    path = folder / "cohort.csv"
    path.write_text(
        "patient_id,follow_up_years,relapses_after,years_to_first_relapse,scans_after,"
        "years_to_first_new_lesion,edss_baseline,years_to_worsening,years_to_death\n"
        + "\n".join([*free, *worse, "D,0.2,0,,1,,4.0,,0.2\n"]),
        encoding="utf-8",
    )
    found = read_cohort(path)
    assert isinstance(found, Cohort)
    return found


def test_two_figures_for_one_trial(tmp_path: Path) -> None:
    """Death counted: 16 of 24. Death censored before the first event: 16 of 23, the abstract's 69.6 %."""
    result = sensitivity_of(lancet_like(tmp_path), Protocol(death="censor"))
    with (ROOT / "tests/reference/lancet2016_check.csv").open(encoding="utf-8", newline="") as file:
        by_method = {
            row["conf_type"]: row for row in csv.DictReader(file) if row["case"].startswith("B n=24")
        }
    censored = {each.ci_method: each for each in result.combinations if each.death == "censor"}
    for method in ("log-log", "log", "plain", "logit", "arcsin"):
        # R: survfit with one of 24 censored on day 60, 7 events in the 23 others.
        expected = [float(by_method[method][name]) for name in ("surv", "lower", "upper")]
        each = censored[method]
        assert [each.estimate, each.ci_low, each.ci_high] == pytest.approx(expected, rel=1e-9)
        assert (each.n_event_free, each.n_evaluable, each.n_censored) == (16, 23, 1)
    counted = pick(result, death="event")
    assert (counted.n_event_free, counted.n_evaluable, counted.n_events) == (16, 24, 8)
    assert counted.estimate == pytest.approx(16 / 24, rel=1e-12)

    at_3 = result.years[-1]
    assert (at_3.estimate_low, at_3.estimate_high) == pytest.approx((16 / 24, 16 / 23), rel=1e-12)
    assert (at_3.proportion_low, at_3.proportion_high) == pytest.approx((16 / 24, 16 / 23), rel=1e-12)
    # Without the other death rule no limit is above that of R's log interval.
    assert at_3.ci_high == pytest.approx(float(by_method["log"]["upper"]), rel=1e-9)
    # publications' 8 events in 24, log-log: 44.3–81.7; no other method goes as low.
    assert at_3.ci_low is not None
    assert round(100 * at_3.ci_low, 1) == 44.3
    estimate, _, crude = influence(at_3, "death")
    assert estimate == pytest.approx(16 / 23 - 16 / 24, rel=1e-9)
    assert crude == pytest.approx(16 / 23 - 16 / 24, rel=1e-9)
    # The upper limits lie furthest apart: log 91.16, log-log 84.17.
    estimate, limits, crude = influence(at_3, "ci_method")
    highest, lowest = (float(by_method[method]["upper"]) for method in ("log", "log-log"))
    assert limits == pytest.approx(highest - lowest, rel=1e-9)
    assert (estimate, crude) == (0, 0)
    assert (at_3.estimate_moved_most_by, at_3.limits_moved_most_by) == (("death",), ("ci_method",))


#: Seen for EDSS on the same days; last seen on day 800, for a lesion on day 799.
EDSS_DAYS = (-10, 100, 184, 268, 436, 520, 800)


def course(patient: str, scores: list[float], gd: int = 0, t2: int = 0, death: bool = False) -> str:
    visits = [
        f"{patient} edss {day} edss={score}" for day, score in zip(EDSS_DAYS, scores, strict=True) if score
    ]
    return "\n".join(
        [
            *visits,
            *(
                [f"{patient} mri 60 gd=0 t2=0", f"{patient} death 62 cause=transplant"]
                if death
                else [
                    f"{patient} mri 400 gd={gd} t2={t2}",
                    f"{patient} mri 799 gd=0 t2=0",
                    f"{patient} last_contact 800",
                ]
            ),
        ]
    )


STEADY = [4.0] * 7
#: From day 100 up to day 184 (12 weeks), to day 268 (24 weeks), to day 436 (48 weeks), then back.
FOR_12 = [4.0, 5.0, 5.0, 4.0, 4.0, 4.0, 4.0]
FOR_24 = [4.0, 5.0, 5.0, 5.0, 4.0, 4.0, 4.0]
FOR_48 = [4.0, 5.0, 5.0, 5.0, 5.0, 4.0, 4.0]

TRIAL = "\n".join(
    [
        course("S1", STEADY),
        course("S2", STEADY),
        course("G1", STEADY, gd=1),
        course("T1", STEADY, t2=1),
        course("T2", STEADY, t2=2),
        course("W12", FOR_12),
        course("W24", FOR_24),
        course("W48", FOR_48),
        course("D", [4.0, 0, 0, 0, 0, 0, 0], death=True),
    ]
)


@pytest.mark.parametrize("death", ["event", "censor"])
@pytest.mark.parametrize(("lesion", "with_lesion"), [("gd", 1), ("t2", 2), ("either", 3)])
@pytest.mark.parametrize(("weeks", "worse"), [(12.0, 3), (24.0, 2), (48.0, 1)])
def test_a_trial_with_one_patient_for_each_difference(
    death: str, lesion: str, with_lesion: int, weeks: float, worse: int
) -> None:
    each = pick(
        sensitivity_of(records(TRIAL), Protocol(horizon_years=2)),
        death=death,
        new_lesion=lesion,
        worsening_confirm_weeks=weeks,
    )
    n_events = with_lesion + worse + (death == "event")
    # The death, on day 62, comes before every event: whether it counts or not, nobody else is lost by year 2.
    n = 9 if death == "event" else 8
    assert (each.n_events, each.n_evaluable, each.n_event_free) == (n_events, n, n - n_events)
    assert each.n_censored == (death == "censor")
    assert each.estimate == pytest.approx((n - n_events) / n, rel=1e-12)


def test_how_far_each_choice_moves_that_trial() -> None:
    at_2 = sensitivity_of(records(TRIAL), Protocol(horizon_years=2)).years[-1]
    # Of 9 with the death, of 8 without: 2 lesions more or less, 2 worsenings more or less.
    assert influence(at_2, "new_lesion")[0] == pytest.approx(2 / 8, rel=1e-12)
    assert influence(at_2, "worsening_confirm_weeks")[0] == pytest.approx(2 / 8, rel=1e-12)
    # The death moves most where most are event-free: 6 of 8 against 6 of 9.
    assert influence(at_2, "death")[0] == pytest.approx(6 / 8 - 6 / 9, rel=1e-9)
    assert at_2.estimate_moved_most_by == ("new_lesion", "worsening_confirm_weeks")
    assert (at_2.estimate_low, at_2.estimate_high) == pytest.approx((2 / 9, 6 / 8), rel=1e-12)
    assert (at_2.n_combinations, at_2.n_estimates, at_2.n_limits) == (90, 90, 90)


def test_the_first_year_of_that_trial_has_no_lesion() -> None:
    # The scans are on days 400 and 799.
    year_1 = sensitivity_of(records(TRIAL), Protocol(horizon_years=2)).years[0]
    assert influence(year_1, "new_lesion") == (0, 0, 0)
    assert year_1.estimate_moved_most_by == ("worsening_confirm_weeks",)


def test_no_limits_are_no_change_of_limits() -> None:
    """Nobody has an event: undefined limits (log-log, logit, arcsin) and those without width (log, plain)."""
    text = "\n".join(f"P{n} last_contact 2000\nP{n} relapse -5" for n in range(5))
    year = sensitivity_of(records(text), endpoint="relapse_free_survival").years[-1]
    assert (year.n_combinations, year.n_estimates, year.n_limits) == (10, 10, 4)
    assert (year.estimate_low, year.ci_low, year.ci_high) == (1, 1, 1)
    assert (year.estimate_moved_most_by, year.limits_moved_most_by) == ((), ())


# The derivation is shared.


def test_each_part_is_derived_once_and_each_curve_estimated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()

    def counted(module: object, name: str) -> None:
        original = getattr(module, name)

        def call(*arguments: object) -> object:
            calls[name] += 1
            return original(*arguments)

        monkeypatch.setattr(module, name, call)

    for name in ("derive_follow_up", "derive_relapses", "derive_lesions", "derive_disability"):
        counted(ahsct_trial.derivation, name)
    counted(ahsct_trial.endpoints.time_to_event, "kaplan_meier")
    sensitivity_of(read_cohort(ROOT / RECORDS))
    assert calls == {
        "derive_follow_up": 1,
        "derive_relapses": 1,
        "derive_lesions": 3,
        "derive_disability": 3,
        "kaplan_meier": 2 * 3 * 3,
    }


# What a file cannot answer.


def without_columns(*names: str) -> Records:
    """The sample records without some columns."""
    text = (ROOT / RECORDS).read_text(encoding="utf-8")
    head, rest = text.split("\n", 1)
    kept = [f"other_{name}" if name in names else name for name in head.split(",")]
    found = read("\n".join([",".join(kept), rest]))
    assert isinstance(found, Records)
    return found


def test_a_lesion_rule_that_the_file_cannot_answer() -> None:
    result = sensitivity_of(without_columns("new_t2_lesions", "new_lesions"), Protocol(new_lesion="gd"))
    for each in result.combinations:
        assert (each.estimate is None) == (each.n_patients is None) == (each.new_lesion != "gd")
        assert each.note is not None or each.new_lesion == "gd"
    at_3 = result.years[-1]
    assert (at_3.n_combinations, at_3.n_estimates) == (90, 30)
    assert influence(at_3, "new_lesion") == (None, None, None)
    screen = draw(sensitivity_sections(result))
    assert "Over the 30 of 90 that have an estimate" in screen
    assert "Lesion rule t2: Not in this file" in screen


def test_a_table_without_deaths_is_answered_where_they_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text(
        "patient_id,follow_up_years,relapses_after,years_to_first_relapse\nA,4,0,\nB,4,1,2\n", "utf-8"
    )
    result = sensitivity_of(read_cohort(path), endpoint="relapse_free_survival")
    assert pick(result, death="censor").estimate == 0.5
    assert pick(result, death="event").estimate is None
    assert "years_to_death" in (pick(result, death="event").note or "")


def test_an_endpoint_that_is_not_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text("patient_id,follow_up_years\nA,4\n", encoding="utf-8")
    result = sensitivity_of(read_cohort(path))
    last = result.years[-1]
    assert (last.n_estimates, last.n_limits, last.estimate_low, last.ci_high) == (0, 0, None, None)
    screen = draw(sensitivity_sections(result))
    assert "Not in this file: relapses_after" in screen
    assert "Every distinct result" not in screen


def test_beyond_the_longest_follow_up() -> None:
    result = sensitivity_of(read_cohort(ROOT / SAMPLE), Protocol(horizon_years=20))
    at_20 = result.years[-1]
    assert (at_20.estimate_low, at_20.estimate_moved_most_by) == (None, ())
    screen = " ".join(draw(sensitivity_sections(result)).split())
    assert "no Kaplan–Meier estimate" in screen
    assert "No estimate at 20 years" in screen


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("relapse_free", "Is relapse_free_survival meant?"),
        ("overal_survival", "Is overall_survival meant?"),
        ("neda3", "The endpoints are activity_free_survival, "),
        ("", "The endpoints are"),
        ("\x1b[31m", "'\\x1b[31m'"),
    ],
)
def test_no_such_endpoint(key: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        sensitivity_of(read_cohort(ROOT / SAMPLE), endpoint=key)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


# The command line.


def ahsct(*arguments: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ahsct_trial", "sensitivity", *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "COLUMNS": str(columns)},
    )


@pytest.mark.parametrize(
    ("name", "arguments", "columns"),
    [
        ("sensitivity-80.txt", [SAMPLE], 80),
        ("sensitivity-records-80.txt", [RECORDS], 80),
        ("sensitivity-records-40.txt", [RECORDS, "--endpoint", "worsening_free_survival"], 40),
        ("sensitivity-records-120.txt", [RECORDS, "--death", "censor", "--horizon", "6.5"], 120),
        ("sensitivity.md", [RECORDS, "--endpoint", "overall_survival", "--format", "markdown"], 80),
        ("sensitivity.json", [SAMPLE, "--json", "--horizon", "1"], 80),
        ("sensitivity.csv", [RECORDS, "--format", "csv", "--horizon", "0.5"], 80),
    ],
)
def test_screens(golden: Callable[[str, str], None], name: str, arguments: list[str], columns: int) -> None:
    done = ahsct(*arguments, columns=columns)
    assert (done.returncode, done.stderr) == (0, "")
    golden(done.stdout, name)


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_screens_fit_the_width(columns: int) -> None:
    for arguments in ([RECORDS], [RECORDS, "--confirm-weeks", "16.5", "--horizon", "7"]):
        assert max(map(len, ahsct(*arguments, columns=columns).stdout.splitlines())) <= columns


def test_tables_with_every_choice_fit_80_columns_with_their_words_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = sensitivity_of(records(TRIAL), Protocol(horizon_years=2, worsening_confirm_weeks=16))
    sections = sensitivity_sections(result)
    results, limits = (each for each in sections if each.headings[:1] == ("No.",))
    # Nothing tells 16 weeks from 24.
    assert results.headings[:4] == ("No.", "Death", "Lesions", "Weeks")
    assert len(results.rows) == len(limits.rows) == 2 * 3 * 3
    assert results.rows[7][:4] == ("8*", "event", "either", "16, 24")
    assert results.rows[10][:4] == ("11", "censor", "gd", "16, 24")
    lines = draw([results, limits], io.StringIO()).splitlines()
    # A row is a line: two titles, two heads with their rules, and a blank line between.
    assert len(lines) == 2 * (1 + 18 + 1) + 2 + 1 + 1
    assert max(map(len, lines)) <= 80


def test_csv_holds_what_the_json_holds() -> None:
    document = json.loads(ahsct(RECORDS, "--json").stdout)
    rows = list(csv.DictReader(io.StringIO(ahsct(RECORDS, "--format", "csv").stdout)))
    assert len(rows) == len(document["combinations"]) == 270
    for row, each in zip(rows, document["combinations"], strict=True):
        proportion = each.pop("proportion")
        assert row["proportion_ci_low"] == repr(proportion["ci_low"])
        assert row["is_protocol"] == ("yes" if each.pop("is_protocol") else "no")
        for name, value in each.items():
            assert row[name] == ("" if value is None else value if isinstance(value, str) else repr(value))
        assert row["file"] == "sample_records.csv"
        assert row["sha256"] == document["source"]["sha256"]


def test_json_has_every_key_and_is_strict(tmp_path: Path) -> None:
    bare = tmp_path / "bare.csv"
    bare.write_text("patient_id,follow_up_years\nP1,2\n", encoding="utf-8")

    def keys(value: object) -> object:
        return {key: keys(each) for key, each in value.items()} if isinstance(value, dict) else None

    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is not strict JSON")

    full, empty = (
        json.loads(ahsct(str(path), "--json").stdout, parse_constant=refuse) for path in (SAMPLE, bare)
    )
    assert (full["schema_version"], full["tool"]["name"]) == (1, "ahsct-trial")
    assert set(full) == set(empty) == {field.name for field in fields(Sensitivity)}
    for part in ("combinations", "years", "choices"):
        assert keys(full[part][0]) == keys(empty[part][0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([SAMPLE, "--endpoint", "mri_free"], "Is mri_activity_free_survival meant?"),
        (["no-such-file.csv", "--endpoint", "mri_free"], "Is mri_activity_free_survival meant?"),
        ([SAMPLE, "--horizon", "-1"], "horizon_years"),
        ([SAMPLE, "--json", "--format", "csv"], "contradict"),
    ],
)
def test_usage_errors(arguments: list[str], words: str) -> None:
    done = ahsct(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_table_says_that_a_setting_for_records_changes_nothing() -> None:
    assert "worsening_confirm_weeks" in " ".join(
        json.loads(ahsct(SAMPLE, "--confirm-weeks", "12", "--json").stdout)["warnings"]
    )


def test_text_of_the_file_is_text(tmp_path: Path) -> None:
    cohort = tmp_path / "[red]\x1b[31m,=1+1.csv"
    cohort.write_bytes((ROOT / SAMPLE).read_bytes())
    screen = ahsct(str(cohort)).stdout
    assert "[red]\\x1b[31m,=1+1.csv" in screen
    (row, *_) = csv.DictReader(io.StringIO(ahsct(str(cohort), "--format", "csv").stdout))
    assert row["file"] == cohort.name


# The document.


def test_the_document_names_every_key_and_its_example_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "sensitivity.md").read_text(encoding="utf-8")
    keys = {field.name for kind in (Sensitivity, YearRange, Influence, Choice) for field in fields(kind)}
    assert {key for key in keys if f"`{key}`" not in text} == set()
    monkeypatch.chdir(ROOT)
    exec(text.split("```python\n")[1].split("```")[0], {})
    low, high, *moved = capsys.readouterr().out.split(maxsplit=2)
    assert 0 < float(low) < float(high) <= 1
    assert moved == ["('worsening_confirm_weeks',)\n"]
