"""Sensitivity: an endpoint under each choice changed alone, and which choice moves it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from record_files import read, records
from trials import POOL, as_trial

from ahsct_trial import Protocol, Trial, read_cohort, sensitivity, summarize
from ahsct_trial.catalogue import SURVIVAL_ENDPOINTS
from ahsct_trial.errors import UsageError
from ahsct_trial.protocol import BUILT_IN
from ahsct_trial.results import SurvivalEndpoint
from ahsct_trial.sensitivity_analysis import VARIED, Alternative, Choice, Sensitivity

Ahsct = Callable[..., Any]

ROOT = Path(__file__).resolve().parents[1]
SAMPLE, RECORDS = "data/sample_cohort.csv", "data/sample_records.csv"
LANCET = "data/atkins2016_lancet.csv"
KEYS = [endpoint.key for endpoint in SURVIVAL_ENDPOINTS]
FIGURES = (
    *("n_patients", "n_unknown", "n_late_events", "n_events", "n_at_risk", "n_event_free", "n_evaluable"),
    *("proportion", "survival", "survival_beta_product", "note"),
)


def figures(result: Alternative | SurvivalEndpoint) -> dict[str, object]:
    return {name: getattr(result, name) for name in FIGURES}


def choice(found: Sensitivity, setting: str) -> Choice:
    [one] = [each for each in found.choices if each.setting == setting]
    return one


def under(found: Sensitivity, setting: str, value: object) -> Alternative:
    [one] = [each for each in choice(found, setting).alternatives if each.value == value]
    return one


def expected(trial: Trial, protocol: Protocol, key: str, setting: str, value: object) -> SurvivalEndpoint:
    changed: dict[str, object] = {setting: value}
    found: SurvivalEndpoint = getattr(
        summarize(trial, replace(protocol, **changed)).endpoints,
        key,  # type: ignore[arg-type]
    )
    return found


# ---- Against a summary of its own for each choice ---------------------------------------------------------


@pytest.mark.parametrize("name", [SAMPLE, LANCET, RECORDS])
@pytest.mark.parametrize("key", KEYS)
def test_each_choice_is_that_of_a_summary(name: str, key: str) -> None:
    trial = read_cohort(ROOT / name)
    protocol = replace(BUILT_IN["atkins2016-lancet" if name == LANCET else "default"], horizon_years=2.5)
    found = sensitivity(trial, protocol, key)
    summary = getattr(summarize(trial, protocol).endpoints, key)
    assert figures(found.under_protocol) == figures(summary)
    assert (found.definition, found.label) == (summary.definition, summary.label)
    for each in found.choices:
        for alternative in each.alternatives:
            own = expected(trial, protocol, key, each.setting, alternative.value)
            assert figures(alternative) == figures(own), each.setting
            assert alternative.is_protocol == (alternative.value == getattr(protocol, each.setting))


def test_its_own_row_is_the_summary_for_generated_cohorts() -> None:
    random = Random(100)
    for _ in range(15):
        trial = as_trial([random.choice(POOL) for _ in range(random.randint(1, 8))])
        protocol = Protocol(
            horizon_years=random.choice([1.0, 3.0]),
            death=random.choice(["event", "censor"]),
            therapy=random.choice(["ignore", "event", "censor"]),
            observation_end=random.choice(["last-assessment", "follow-up"]),
            ci_method=random.choice(["log-log", "arcsin"]),
        )
        key = random.choice(KEYS)
        found = sensitivity(trial, protocol, key)
        assert figures(found.under_protocol) == figures(getattr(summarize(trial, protocol).endpoints, key))
        rows = [row for each in found.choices for row in each.alternatives if row.is_protocol]
        assert all(figures(row) == figures(found.under_protocol) for row in rows)
        assert len(rows) == len(found.choices)


def test_what_is_not_varied_moves_nothing() -> None:
    other: dict[str, object] = {
        "death": "censor",
        "observation_end": "follow-up",
        "therapy": "event",
        "new_lesion": "gd",
        "mri_from_day": 180.0,
        "worsening_confirm_weeks": 12.0,
        "unconfirmed": "event",
        "baseline": "first-stable",
        "step_high": 1.0,
    }
    for name in (SAMPLE, RECORDS):
        trial = read_cohort(ROOT / name)
        for key in KEYS:
            found = sensitivity(trial, endpoint=key)
            for each in found.not_varied:
                if each.setting == "therapy":  # not in these files, so that counting it leaves nothing
                    continue
                moved = expected(trial, Protocol(), key, each.setting, other[each.setting])
                assert figures(moved) == figures(found.under_protocol), (key, each.setting)


# The settings that are of all endpoints that count something beside death, and those of lesions and of EDSS.
OF_ALL = {"death", "observation_end", "ci_method"}
OF_LESIONS = {"new_lesion", "mri_from_day"}
OF_EDSS = {"worsening_confirm_weeks", "unconfirmed", "baseline", "step_high"}


@pytest.mark.parametrize(
    ("endpoint", "name", "varied"),
    [
        ("activity_free_survival", RECORDS, OF_ALL | OF_LESIONS | OF_EDSS),
        ("mri_activity_free_survival", RECORDS, OF_ALL | OF_LESIONS),
        ("worsening_free_survival", RECORDS, OF_ALL | OF_EDSS),
        ("relapse_free_survival", RECORDS, OF_ALL),
        ("overall_survival", RECORDS, {"ci_method"}),
        ("activity_free_survival", SAMPLE, OF_ALL),
        ("overall_survival", SAMPLE, {"ci_method"}),
    ],
)
def test_what_cannot_matter_is_not_varied_and_named(endpoint: str, name: str, varied: set[str]) -> None:
    found = sensitivity(read_cohort(ROOT / name), endpoint=endpoint)
    assert {each.setting for each in found.choices} == varied
    assert {each.setting for each in found.not_varied} == set(VARIED) - varied
    assert all(each.reason for each in found.not_varied)


def test_therapy_is_varied_where_the_file_has_it() -> None:
    text = "patient_id,follow_up_years,years_to_first_relapse,years_to_death,years_to_therapy\n"
    trial = read(f"{text}A,5,,,1\nB,5,2,,\nC,5,3,,2\nD,5,,,\n")
    found = sensitivity(trial, endpoint="relapse_free_survival")
    # Ignored: 2 of 4 fail. As events: A, B and C. Ending the observation: B alone fails, of B, C and D.
    values = {rule: under(found, "therapy", rule).survival.value for rule in ("ignore", "event", "censor")}
    assert values == pytest.approx({"ignore": 1 / 2, "event": 1 / 4, "censor": 2 / 3})


def test_the_protocols_own_value_stands_among_the_others() -> None:
    protocol = Protocol(worsening_confirm_weeks=16, death="censor", new_lesion="gd", confidence_level=0.9)
    found = sensitivity(read_cohort(ROOT / RECORDS), protocol)
    values = [each.value for each in choice(found, "worsening_confirm_weeks").alternatives]
    assert sorted(values) == [12, 16, 24, 48]  # type: ignore[type-var]
    assert [each.is_protocol for each in choice(found, "worsening_confirm_weeks").alternatives].count(
        True
    ) == 1
    assert found.n_alternatives == 1 + sum(len(each.alternatives) - 1 for each in found.choices)


# ---- Worked by hand ---------------------------------------------------------------------------------------


def lancet_like(folder: Path) -> Trial:
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
    return read_cohort(path)


def by_method(found: Sensitivity) -> Iterator[Alternative]:
    yield from (each for each in choice(found, "ci_method").alternatives if each.value != "beta-product")


def test_two_figures_for_one_trial(tmp_path: Path) -> None:
    """Death counted: 16 of 24. Death censored before the first event: 16 of 23, the abstract's 69.6 %."""
    found = sensitivity(lancet_like(tmp_path), Protocol(death="censor"))
    with (ROOT / "tests/reference/lancet2016_check.csv").open(encoding="utf-8", newline="") as file:
        of_r = {row["conf_type"]: row for row in csv.DictReader(file) if row["case"].startswith("B n=24")}
    for each in by_method(found):
        # R: survfit with one of 24 censored on day 60, 7 events in the 23 others.
        figures_of_r = [float(of_r[str(each.value)][name]) for name in ("surv", "lower", "upper")]
        assert [each.survival.value, each.survival.ci_low, each.survival.ci_high] == pytest.approx(
            figures_of_r, rel=1e-9
        )
        assert (each.n_event_free, each.n_evaluable) == (16, 23)
    counted = under(found, "death", "event")
    assert (counted.n_event_free, counted.n_evaluable, counted.n_events) == (16, 24, 8)
    assert counted.survival.value == pytest.approx(16 / 24, rel=1e-12)
    assert (found.survival_lowest, found.survival_highest) == pytest.approx((16 / 24, 16 / 23), rel=1e-12)
    assert (found.proportion_lowest, found.proportion_highest) == pytest.approx((16 / 24, 16 / 23), rel=1e-12)
    death, methods = choice(found, "death"), choice(found, "ci_method")
    assert death.survival_change == pytest.approx(16 / 23 - 16 / 24, rel=1e-9)
    assert death.proportion_change == pytest.approx(16 / 23 - 16 / 24, rel=1e-9)
    assert (methods.survival_change, methods.proportion_change) == (0, 0)
    assert found.moved_most_by == ("death",)
    # Nobody had an assessment after which follow-up went on: that choice moves nothing.
    assert choice(found, "observation_end").survival_change == 0


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
        "S1 observed_from -365",
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


@pytest.mark.parametrize(
    ("setting", "value", "n_events", "n"),
    [
        # By default: the death, three lesions, and the worsenings confirmed at 24 weeks.
        ("death", "event", 6, 9),
        ("death", "censor", 5, 8),
        ("new_lesion", "gd", 4, 9),
        ("new_lesion", "t2", 5, 9),
        ("new_lesion", "either", 6, 9),
        ("worsening_confirm_weeks", 12.0, 7, 9),
        ("worsening_confirm_weeks", 24.0, 6, 9),
        ("worsening_confirm_weeks", 48.0, 5, 9),
        # The lesions are on day 400.
        ("mri_from_day", 180.0, 6, 9),
        ("unconfirmed", "event", 6, 9),
    ],
)
def test_a_trial_with_one_patient_for_each_difference(
    setting: str, value: object, n_events: int, n: int
) -> None:
    each = under(sensitivity(records(TRIAL), Protocol(horizon_years=2)), setting, value)
    # The death, on day 62, comes before every event: whether it counts or not, nobody else is lost by year 2.
    assert (each.n_events, each.n_evaluable, each.n_event_free) == (n_events, n, n - n_events)
    assert each.survival.value == pytest.approx((n - n_events) / n, rel=1e-12)


def test_how_far_each_choice_moves_that_trial() -> None:
    found = sensitivity(records(TRIAL), Protocol(horizon_years=2))
    changes = {each.setting: each.survival_change for each in found.choices}
    # Of 9: two lesions more or less, two worsenings more or less; 3 of 9 against 3 of 8.
    assert changes["new_lesion"] == pytest.approx(2 / 9, rel=1e-12)
    assert changes["worsening_confirm_weeks"] == pytest.approx(2 / 9, rel=1e-12)
    assert changes["death"] == pytest.approx(3 / 8 - 3 / 9, rel=1e-9)
    assert changes["observation_end"] == changes["mri_from_day"] == changes["unconfirmed"] == 0
    # With the EDSS of day 100 as the baseline nobody worsens, and D, who has none, is left out: 5 of 8 stay
    # free.
    assert changes["baseline"] == pytest.approx(5 / 8 - 3 / 9, rel=1e-12)
    assert found.moved_most_by == ("baseline",)


def test_no_limits_are_no_change_of_limits() -> None:
    """Nobody has an event: limits are undefined (log-log, logit, arcsin) or without width (log, plain)."""
    text = "\n".join(f"P{n} last_contact 2000\nP{n} relapse -5" for n in range(5))
    found = sensitivity(records(text), endpoint="relapse_free_survival")
    assert (found.survival_lowest, found.survival_highest) == (1, 1)
    limits = {each.value: (each.survival.ci_low, each.survival.ci_high) for each in by_method(found)}
    assert limits == {
        "log-log": (None, None),
        "log": (1, 1),
        "plain": (1, 1),
        "logit": (None, None),
        "arcsin": (None, None),
    }
    # Clopper–Pearson of 5 of 5: 0.025 ** (1 / 5).
    exact = under(found, "ci_method", "beta-product").survival
    assert (exact.ci_low, exact.ci_high) == pytest.approx((0.025 ** (1 / 5), 1))
    assert found.moved_most_by == ()


# ---- What a file cannot answer ----------------------------------------------------------------------------


def without_columns(*names: str) -> Trial:
    """The sample records without some columns."""
    text = (ROOT / RECORDS).read_text(encoding="utf-8")
    head, rest = text.split("\n", 1)
    kept = [f"other_{name}" if name in names else name for name in head.split(",")]
    return read("\n".join([",".join(kept), rest]))


def test_a_lesion_rule_that_the_file_cannot_answer() -> None:
    found = sensitivity(without_columns("new_t2_lesions", "new_lesions"), Protocol(new_lesion="gd"))
    for each in choice(found, "new_lesion").alternatives:
        assert (each.survival.value is None) == (each.n_patients is None) == (each.value != "gd")
        assert each.value == "gd" or str(each.note).startswith("Not in this file")
    assert choice(found, "new_lesion").survival_change is None
    assert choice(found, "death").survival_change is not None


def test_a_table_without_deaths_is_answered_where_they_do_not_count() -> None:
    trial = read("patient_id,follow_up_years,relapses_after,years_to_first_relapse\nA,4,0,\nB,4,1,2\n")
    found = sensitivity(trial, endpoint="relapse_free_survival")
    assert under(found, "death", "censor").survival.value == 0.5
    assert under(found, "death", "event").survival.value is None
    assert "years_to_death" in (under(found, "death", "event").note or "")


def test_an_endpoint_that_is_not_in_the_file() -> None:
    found = sensitivity(read("patient_id,follow_up_years\nA,4\n"))
    assert (found.survival_lowest, found.ci_highest, found.proportion_lowest) == (None, None, None)
    assert str(found.under_protocol.note).startswith("Not in this file: ")
    assert found.moved_most_by == ()


def test_beyond_the_longest_follow_up() -> None:
    found = sensitivity(read_cohort(ROOT / SAMPLE), Protocol(horizon_years=20))
    assert (found.survival_lowest, found.moved_most_by) == (None, ())
    assert "No estimate at 20 years" in str(found.under_protocol.note)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("relapse_free", "Is relapse_free_survival meant?"),
        ("overal_survival", "Is overall_survival meant?"),
        ("neda3", "the endpoints are activity_free_survival, "),
        ("", "the endpoints are"),
        ("\x1b[31m", "'\\x1b[31m'"),
    ],
)
def test_no_such_endpoint(key: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        sensitivity(read_cohort(ROOT / SAMPLE), endpoint=key)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


# ---- The command line -------------------------------------------------------------------------------------


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
def test_screens(
    ahsct: Ahsct, golden: Callable[[str, str], None], name: str, arguments: list[str], columns: int
) -> None:
    done = ahsct("sensitivity", *arguments, columns=columns)
    assert (done.exit_code, done.err) == (0, "")
    assert max(map(len, done.out.splitlines())) <= columns or name.endswith((".csv", ".json", ".md"))
    golden(done.out, name)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([SAMPLE, "--endpoint", "mri_activity_free"], "Is mri_activity_free_survival meant?"),
        (["no-such-file.csv", "--endpoint", "mri_activity_free"], "Is mri_activity_free_survival meant?"),
        ([SAMPLE, "--horizon", "-1"], "horizon_years"),
        ([SAMPLE, "--json", "--format", "csv"], "contradict"),
    ],
)
def test_usage_errors(ahsct: Ahsct, arguments: list[str], words: str) -> None:
    done = ahsct("sensitivity", *arguments)
    assert (done.exit_code, done.out) == (2, "")
    assert words in done.err


def test_text_of_the_file_is_text(ahsct: Ahsct, tmp_path: Path) -> None:
    cohort = tmp_path / "[red]\x1b[31m,=1+1.csv"
    cohort.write_bytes((ROOT / SAMPLE).read_bytes())
    assert "\x1b" not in ahsct("sensitivity", cohort).out
