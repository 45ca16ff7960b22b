"""Groups side by side: what must hold of every comparison, whatever the groups are."""

from __future__ import annotations

from dataclasses import asdict, replace
from random import Random
from typing import Any

import numpy as np
import pytest
from record_files import differences, figures, flat, read, records
from trials import as_trial

from ahsct_trial import Comparison, Protocol, Trial, compare, summarize
from ahsct_trial.catalogue import SURVIVAL_ENDPOINTS
from ahsct_trial.errors import UsageError
from ahsct_trial.results import Contrast, Estimate

KEYS = [endpoint.key for endpoint in SURVIVAL_ENDPOINTS]


def some_patients(seed: int, n: int, arms: list[str | None]) -> list[dict[str, Any]]:
    """Patients with attributes and events of every kind, of whom arms differ in nothing but their name."""
    random = Random(seed)
    rows = []
    for number in range(n):
        end = random.choice([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        has_died = random.random() < 0.2

        def event(chance: float, end: float = end) -> float | None:
            return round(random.uniform(0.1, end), 2) if random.random() < chance else None

        relapse, lesion = event(0.4), event(0.3)
        rows.append(
            {
                "arm": arms[number % len(arms)],
                "site": random.choice(["Ottawa", "Genoa", "Uppsala", None]),
                "sex": random.choice(["female", "male"]),
                "follow_up_years": end,
                "years_to_last_visit": round(random.uniform(0.5, 1) * end, 2),
                "relapses_after": 0 if relapse is None else random.randint(1, 4),
                "years_to_first_relapse": relapse,
                "years_observed_before": 2.0,
                "relapses_before": random.randint(0, 5),
                "scans_after": 4,
                "new_lesions_after": 0 if lesion is None else 2,
                "years_to_first_new_lesion": lesion,
                "years_to_last_scan": round(random.uniform(0.6, 1) * end, 2),
                "edss_baseline": random.choice([3.0, 4.0, None, 6.0]),
                "years_to_worsening": event(0.3),
                "years_to_improvement": event(0.2),
                "years_to_last_edss": end,
                "years_to_death": end if has_died else None,
                "cause_of_death": "transplant" if has_died else None,
            }
        )
    return rows


def courses(seed: int, n: int) -> str:
    """Records of two arms."""
    random = Random(seed)
    lines = []
    for number in range(n):
        end = random.randint(400, 2000)
        lines.append(f"P{number} baseline - arm={'AB'[number % 2]} sex={random.choice(['female', 'male'])}")
        lines += [f"P{number} observed_from -700", f"P{number} last_contact {end}"]
        lines += [f"P{number} relapse {random.randint(1, end)}" for _ in range(random.randint(0, 2))]
        edss = 3.0
        for day in range(random.choice([-20, 0, 90]), end, 120):
            edss = random.choice([edss, edss, 3.0, 4.0, 5.0])
            lines.append(f"P{number} edss {day} edss={edss}")
        lines += [f"P{number} mri {day} gd={int(random.random() < 0.1)} t2=0" for day in range(100, end, 300)]
    return "\n".join(lines)


#: So few that every labelling of the permutation tests is looked at.
ROWS = some_patients(7, 20, ["A", "B"])
TABLE = as_trial(ROWS)
RECORDS = records(courses(11, 18))
both = pytest.mark.parametrize("trial", [TABLE, RECORDS], ids=["table", "records"])
PROTOCOLS = [Protocol(), Protocol(horizon_years=2, death="censor", confidence_level=0.9, ci_method="plain")]


def contrast(found: Comparison, level: str) -> Contrast:
    [one] = [each for each in found.contrasts if each.level == level]
    return one


def estimates(value: Any, path: str = "") -> dict[str, Estimate]:
    """Every estimate of a contrast by its path."""
    if isinstance(value, Estimate):
        return {path: value}
    if isinstance(value, tuple):
        items = [(str(place), each) for place, each in enumerate(value)]
    elif hasattr(value, "__slots__"):
        items = [(name, getattr(value, name)) for name in value.__slots__]
    else:
        return {}
    return {key: leaf for name, each in items for key, leaf in estimates(each, f"{path}.{name}").items()}


def p_values(value: Any) -> dict[str, Any]:
    """Every p-value and statistic of a contrast by its path."""
    return {
        path: leaf
        for path, leaf in flat(listed(asdict(value))).items()
        if path.endswith(("p", "exact", "statistic"))
    }


def listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: listed(inner) for key, inner in value.items()}
    return [listed(inner) for inner in value] if isinstance(value, list | tuple) else value


# ---- Each group alone -------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_groups_figures_are_those_it_has_alone(trial: Trial, protocol: Protocol) -> None:
    found = compare(trial, "arm", protocol)
    assert found.by.levels == ("A", "B")
    for group in found.groups:
        alone = summarize(trial.where({"arm": [group.level]}), protocol)
        of_group = replace(alone, cohort=group.cohort, endpoints=group.endpoints)
        assert differences(figures(of_group), figures(alone), 0) == []
    assert sum(group.cohort.n_patients for group in found.groups) == len(trial)


@both
def test_a_contrast_is_of_the_groups_own_figures(trial: Trial) -> None:
    found = compare(trial, "arm", Protocol(horizon_years=2))
    base, other = found.groups
    between = contrast(found, "B").endpoints
    n_compared = 0
    for key in KEYS:
        one, two, each = (getattr(value, key) for value in (other.endpoints, base.endpoints, between))
        if one.survival.value is not None and two.survival.value is not None:
            assert each.survival_difference.value == pytest.approx(one.survival.value - two.survival.value)
            n_compared += 1
        assert each.risk_difference.value == pytest.approx(
            one.n_events / one.n_evaluable - two.n_events / two.n_evaluable
        )
    assert n_compared >= 3
    for key in ("relapse_rate", "lesions"):
        one, two = (getattr(group.endpoints, key).after.rate for group in (other, base))
        assert getattr(between, key).ratio.value == pytest.approx(one.value / two.value)
    for one, two, each in zip(other.endpoints.neda3, base.endpoints.neda3, between.neda3, strict=True):
        assert each.risk_difference.value == pytest.approx(one.proportion.value - two.proportion.value)


# ---- The names of groups ----------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_swapping_groups_inverts_ratios_and_negates_differences(trial: Trial, protocol: Protocol) -> None:
    one = contrast(compare(trial, "arm", protocol, reference="A"), "B")
    other = contrast(compare(trial, "arm", protocol, reference="b"), "A")
    assert (one.reference, other.reference) == ("A", "B")
    here, there = estimates(one.endpoints), estimates(other.endpoints)
    assert here.keys() == there.keys()
    n_compared = 0
    for path, each in here.items():
        turned = there[path]
        if turned.value is None:
            assert each.value is None or turned.unit == "ratio"
            continue
        low, high = (
            (lambda x: None if not x else 1 / x)
            if each.unit == "ratio"
            else (lambda x: None if x is None else -x)
            for _ in range(2)
        )
        close = {"rel": 1e-5, "abs": 1e-7}  # a profile limit is found to so many digits
        if each.value:
            assert each.value == pytest.approx(low(turned.value), **close), path
            n_compared += 1
        if turned.ci_low and turned.ci_high:
            assert each.ci_low == pytest.approx(low(turned.ci_high), **close), path
            assert each.ci_high == pytest.approx(high(turned.ci_low), **close), path
        assert each.ci_method == turned.ci_method
    assert n_compared > 10
    # A test has no direction.
    assert differences(p_values(one.endpoints), p_values(other.endpoints), 1e-6) == []


@pytest.mark.parametrize("names", [("A", "B"), ("Zeta", "alpha"), ("1", "10")])
def test_relabelling_changes_nothing(names: tuple[str, str]) -> None:
    renamed = [row | {"arm": names["AB".index(row["arm"])]} for row in ROWS]
    before = contrast(compare(TABLE, "arm", reference="A"), "B").endpoints
    found = contrast(compare(as_trial(renamed), "arm", reference=names[0]), names[1]).endpoints
    assert flat(listed(asdict(found))) == flat(listed(asdict(before)))


@both
def test_the_order_of_patients_does_not_matter(trial: Trial) -> None:
    if trial is TABLE:
        shuffled = as_trial(Random(3).sample(ROWS, len(ROWS)))
    else:
        lines = courses(11, 18).splitlines()
        shuffled = records("\n".join(Random(3).sample(lines, len(lines))))
    one, other = (contrast(compare(each, "arm"), "B").endpoints for each in (trial, shuffled))
    assert differences(listed(asdict(one)), listed(asdict(other)), 1e-6, 1e-9) == []


@both
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_group_compared_with_itself(trial: Trial, protocol: Protocol) -> None:
    """Every patient once in each arm: ratios are 1, differences 0, and no test sees anything."""
    if trial is TABLE:
        twice = as_trial([row | {"arm": arm} for row in ROWS for arm in "AB"])
    else:
        lines = [line for line in courses(11, 18).splitlines() if " baseline " not in line]
        text = [f"{arm}{line}" for line in lines for arm in "XY"]
        text += [f"{arm}P{number} baseline - arm={arm}" for number in range(18) for arm in "XY"]
        twice = records("\n".join(text))
    [found] = compare(twice, "arm", protocol).contrasts
    n_ratios = n_differences = 0
    for path, each in estimates(found.endpoints).items():
        if each.value is None:
            continue
        if each.unit == "ratio":
            assert each.value == pytest.approx(1, abs=1e-6), path
            n_ratios += 1
        else:
            assert each.value == pytest.approx(0, abs=1e-12), path
            n_differences += 1
        if each.ci_low is not None and each.ci_high is not None:
            assert each.ci_low <= each.value <= each.ci_high
    assert n_ratios >= 5
    assert n_differences >= 10
    for key in KEYS:
        test = getattr(found.endpoints, key).log_rank
        if test.statistic is not None:
            assert test.statistic == pytest.approx(0, abs=1e-12)
            assert test.p == pytest.approx(1)
            assert test.p_exact == pytest.approx(1)


# ---- Levels -----------------------------------------------------------------------------------------------


def test_patients_without_a_level_are_in_no_group_and_counted() -> None:
    rows = [row | {"arm": None if number < 5 else row["arm"]} for number, row in enumerate(ROWS)]
    found = compare(as_trial(rows), "arm")
    assert found.by.n_without_level == 5
    assert sum(group.cohort.n_patients for group in found.groups) == 15
    [notice] = [each for each in found.notices if each.code == "without-level"]
    assert (notice.severity, notice.text) == ("look first", "5 patients without arm left out: in no group.")
    whole = contrast(compare(as_trial(rows[5:]), "arm"), "B").endpoints
    assert flat(listed(asdict(contrast(found, "B").endpoints))) == flat(listed(asdict(whole)))


@pytest.mark.parametrize("seed", range(6))
def test_a_level_with_one_patient(seed: int) -> None:
    rows = some_patients(seed, 12, ["A", "A", "A"])
    rows[0]["arm"] = "B"
    found = compare(as_trial(rows), "arm")
    assert [group.cohort.n_patients for group in found.groups] == [11, 1]
    for path, each in estimates(contrast(found, "B").endpoints).items():
        for number in (each.value, each.ci_low, each.ci_high):
            assert number is None or np.isfinite(number), path
        if each.value is None:
            assert each.note or each.ci_low is not None, path
        elif each.ci_low is not None and each.ci_high is not None:
            assert each.ci_low <= each.value <= each.ci_high, path


@pytest.mark.parametrize("n_levels", [3, 20])
def test_several_levels_each_against_the_reference(n_levels: int) -> None:
    arms = [f"S{number:02}" for number in range(n_levels)]
    rows = some_patients(5, 4 * n_levels, list(arms))
    found = compare(as_trial(rows), "arm", reference=arms[1])
    assert [group.level for group in found.groups] == arms
    assert [each.level for each in found.contrasts] == [arm for arm in arms if arm != arms[1]]
    for each in (found.contrasts[0], found.contrasts[-1]):
        two = as_trial([row for row in rows if row["arm"] in {each.level, arms[1]}])
        [alone] = compare(two, "arm", reference=arms[1]).contrasts
        assert flat(listed(asdict(alone.endpoints))) == flat(listed(asdict(each.endpoints)))
    test = found.tests["relapse_free_survival"].log_rank
    assert (test.df, test.p_exact) == (n_levels - 1, None)


@pytest.mark.parametrize(
    ("arms", "options", "message"),
    [
        (["A"], {}, "arm has one level, A: there is nothing to compare it with."),
        ([None], {}, "arm is empty for every patient"),
        ([f"S{number}" for number in range(21)], {}, "arm has 21 levels; at most 20 groups are compared."),
        (["A", "B"], {"reference": "C"}, "No patient has arm C. This file has A, B."),
        (["A", "B"], {"strata": "colour"}, "no attribute 'colour'"),
        (["A", "B"], {"strata": "patient_id"}, "no attribute 'patient_id'"),
    ],
)
def test_what_cannot_be_compared(arms: list[str | None], options: dict[str, str], message: str) -> None:
    trial = as_trial(some_patients(1, max(2 * len(arms), 10), arms))
    with pytest.raises(UsageError) as refused:
        compare(trial, "arm", **options)
    assert message in str(refused.value)


# ---- Strata -----------------------------------------------------------------------------------------------


def test_one_stratum_is_none() -> None:
    rows = [row | {"sex": "female"} for row in ROWS]
    plain, stratified = (
        contrast(compare(as_trial(rows), "arm", strata=strata), "B").endpoints for strata in (None, "sex")
    )
    assert differences(listed(asdict(plain)), listed(asdict(stratified)), 1e-9) == []


def test_strata_move_what_compares_within_them_and_nothing_else() -> None:
    plain, stratified = (
        contrast(compare(TABLE, "arm", strata=strata), "B").endpoints for strata in (None, "site")
    )
    moved = {
        difference.split(":")[0].split(".")[1]
        for difference in differences(listed(asdict(plain)), listed(asdict(stratified)), 1e-9)
        if ".note" not in difference
    }
    assert moved == {"hazard_ratio", "hazard_ratio_p", "log_rank"}


def test_a_stratum_with_one_arm_alone_tells_nothing() -> None:
    # Whoever is alone in a stratum with their arm is compared with nobody.
    rows = [row | {"site": "Ottawa"} for row in ROWS]
    alone = [row | {"site": "Genoa", "arm": "A"} for row in some_patients(9, 10, ["A"])]
    with_them, without = (
        contrast(compare(as_trial(own), "arm", strata="site"), "B").endpoints for own in (rows + alone, rows)
    )
    for key in KEYS:
        one, other = getattr(with_them, key), getattr(without, key)
        assert one.log_rank.statistic == pytest.approx(other.log_rank.statistic, rel=1e-9)
        if one.hazard_ratio.ci_method == other.hazard_ratio.ci_method:  # by the number of all events
            assert one.hazard_ratio.value == pytest.approx(other.hazard_ratio.value, rel=1e-6)


# ---- What a file lacks ------------------------------------------------------------------------------------


def test_endpoints_that_are_not_in_the_file_are_there_and_null() -> None:
    trial = read("patient_id,follow_up_years,arm\nA,5,X\nB,5,Y\n")
    [found] = compare(trial, "arm").contrasts
    assert {each.value for each in estimates(found.endpoints).values()} == {None}
    assert set(p_values(found.endpoints).values()) == {None}
    assert found.endpoints.activity_free_survival.note.startswith("Not in this file: ")


def test_patients_who_enter_later_in_one_arm_alone() -> None:
    """Baselines after day 0 in one arm: the other arm is at risk from time zero on."""
    text = courses(13, 30)
    early = [line for line in text.splitlines() if not (int(line.split()[0][1:]) % 2 and " edss 0 " in line)]
    early += [f"P{number} edss 0 edss=3.0" for number in range(0, 30, 2) if f"P{number} edss 0 " not in text]
    trial, protocol = records("\n".join(early)), Protocol(baseline="first-stable")
    found = compare(trial, "arm", protocol)
    entries = {
        level: part.table(protocol).numbers("years_to_baseline")
        for level, part in trial.groups("arm").items()
    }
    assert np.nanmax(entries["A"]) == 0 < np.nanmax(entries["B"])
    for group in found.groups:
        alone = summarize(trial.where({"arm": [group.level]}), protocol)
        assert differences(figures(replace(alone, endpoints=group.endpoints)), figures(alone), 0) == []
    worsening = contrast(found, "B").endpoints.worsening_free_survival
    assert worsening.log_rank.statistic is not None
    assert worsening.hazard_ratio.value is not None


def test_every_group_is_described() -> None:
    found = compare(as_trial(some_patients(2, 30, ["A", "B", "C"])), "arm")
    for group in found.groups:
        assert group.cohort.arm == {group.level: 10}
        assert group.cohort.follow_up.completeness.value is not None


# ---- The flow of patients ---------------------------------------------------------------------------------

#: Day 1095 is the third anniversary at its earliest; 2.99 years are day 1092.
FOLLOWED = """patient_id,arm,site,follow_up_years,years_to_death
A1,A,X,5,
A2,A,X,2.9979,
A3,A,X,2.99,
A4,A,X,1,1
A5,A,X,4,4
B1,B,X,0.5,
B2,B,X,3,3
B3,B,Y,5,
C1,,X,5,
"""


def test_each_patient_of_a_group_is_in_one_box_of_the_flow() -> None:
    found = compare(read(FOLLOWED).where({"site": ("X",)}), "arm")
    # A5 died after the horizon, so was followed to it; B2 died at it.
    assert [asdict(group.flow) for group in found.groups] == [
        {"n_transplanted": None, "n_died": 1, "n_followed": 3, "n_ended_before": 1},
        {"n_transplanted": None, "n_died": 1, "n_followed": 0, "n_ended_before": 1},
    ]
    assert (found.by.n_not_selected, found.by.n_without_level) == (1, 1)
    no_deaths = compare(read(FOLLOWED.replace("years_to_death", "note")), "arm")
    assert [group.flow.n_died for group in no_deaths.groups] == [None, None]


def test_the_flow_counts_transplants_where_the_data_know_their_day() -> None:
    rows = "patient_id,record,day,arm\n" + "".join(
        f"{patient},baseline,,{patient[0]}\n{patient},randomisation,0,\n{patient},last_contact,1200,\n"
        for patient in ("A1", "A2", "A3", "B1", "B2")
    )
    rows += "A1,transplant,30,\nA2,transplant,41,\n"
    protocol = Protocol(time_zero="randomisation")
    found = compare(read(rows, time_zero="randomisation"), "arm", protocol)
    assert [group.flow.n_transplanted for group in found.groups] == [2, 0]


# ---- What must be said ------------------------------------------------------------------------------------


def test_a_reference_that_nobody_named_is_told() -> None:
    [notice] = [each for each in compare(TABLE, "arm").notices if each.code == "reference-chosen"]
    assert notice.text == (
        "The reference is A, the first level in alphabetical order: nobody named one. "
        "--reference LEVEL names another."
    )
    assert "reference-chosen" not in {each.code for each in compare(TABLE, "arm", reference="A").notices}


def test_a_p_that_is_not_computed_is_told() -> None:
    rows = [{"arm": "AB"[n % 2], "follow_up_years": 5.0, "years_to_death": None} for n in range(5_002)]
    rows[0]["years_to_death"] = 1.0
    [found] = compare(as_trial(rows), "arm").contrasts
    for each in (found.endpoints.overall_survival, found.endpoints.mortality.all_cause_by_day_100):
        assert each.p_exact is None
        assert each.risk_difference.value is not None
        assert each.risk_difference.note == "Boschloo's p is not computed for more than 5,000 patients."


def test_no_test_without_an_event_while_both_groups_are_at_risk() -> None:
    # The only death, in A, comes after everybody in B was last seen.
    trial = read(
        "patient_id,arm,follow_up_years,years_to_death\nA1,A,2,2\nA2,A,5,\nB1,B,1,\nB2,B,1,\n",
    )
    test = contrast(compare(trial, "arm"), "B").endpoints.overall_survival.log_rank
    assert (test.statistic, test.p, test.p_exact) == (None, None, None)
    assert test.note == "No log-rank test: no event happened while groups were at risk together."
