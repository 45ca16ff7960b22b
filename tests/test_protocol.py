"""The protocol: what each setting accepts, the built-in ones, and protocols from files."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, asdict, replace
from pathlib import Path
from typing import Any

import pytest

from ahsct_trial import Protocol
from ahsct_trial.errors import UsageError
from ahsct_trial.protocol import (
    BUILT_IN,
    RECORDS_ONLY,
    SETTINGS,
    find_protocol,
    named_protocol,
    with_settings,
)

NAN, INF = float("nan"), float("inf")

OUTSIDE: dict[str, list[Any]] = {
    "time_zero": ["randomization", "", None],
    "landmark_window_days": [-1, 366, NAN, None, "30"],
    "observation_end": ["last", "follow_up", None],
    "death_reach_days": [-1, 20_001, NAN, INF, None],
    "therapy": ["censored", "", None],
    "unconfirmed": ["count", None, True],
    "relapse_gap_days": [-1, 10_001, NAN, None],
    "horizon_years": [0, -1, 120.1, NAN, INF, "3", None, True],
    "death": ["Event", "", None, 1, ["event"]],
    "ci_method": ["loglog", "log_log", "", None],
    "confidence_level": [0, 1, 1.0, 95, -0.1, NAN, "0.95", None],
    "worsening_confirm_weeks": [-1, 1001, NAN, "24", None],
    "confirm_early_days": [-1, 10_001, NAN, None],
    "confirm_late_days": [-1, 10_001, NAN, INF, "none"],
    "relapse_free_days": [-0.5, 10_001, NAN, None, False],
    "baseline": ["last_before", "first", None],
    "step_from_zero": [0, -1.5, 10.5, NAN, None],
    "step_low": [0, -1, 10.5, NAN, None],
    "step_high": [0, -0.5, 10.5, NAN, None],
    "step_high_from": [-0.5, 10.5, NAN, None],
    "new_lesion": ["GD", "any", None],
    "mri_from_day": [-1, 10_001, NAN, None],
}
INSIDE: dict[str, list[Any]] = {
    "time_zero": ["transplant", "randomisation"],
    "landmark_window_days": [0, 30, 365],
    "observation_end": ["last-assessment", "follow-up"],
    "death_reach_days": [0, 365, 20_000],
    "therapy": ["ignore", "event", "censor"],
    "unconfirmed": ["ignore", "event"],
    "relapse_gap_days": [0, 30, 30.5],
    "horizon_years": [0.5, 5, 120],
    "death": ["event", "censor"],
    "ci_method": ["log-log", "log", "plain", "logit", "arcsin", "beta-product"],
    "confidence_level": [0.5, 0.9, 0.999],
    "worsening_confirm_weeks": [0, 12, 12.86, 1000],
    "confirm_early_days": [0, 7.5],
    "confirm_late_days": [None, 0, 730.5],
    "relapse_free_days": [0, 30],
    "baseline": ["last-before", "first-stable"],
    "step_from_zero": [0.5, 10],
    "step_low": [0.5, 1],
    "step_high": [0.5, 1],
    "step_high_from": [0, 6, 10],
    "new_lesion": ["gd", "t2", "either"],
    "mri_from_day": [0, 180],
}


def test_every_setting_is_tried() -> None:
    assert set(OUTSIDE) == set(INSIDE) == set(SETTINGS)


@pytest.mark.parametrize(("setting", "value"), [(name, value) for name in OUTSIDE for value in OUTSIDE[name]])
def test_a_value_outside_its_range_is_refused_by_name(setting: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"^{setting} is ") as refused:
        replace(Protocol(), **{setting: value})
    assert repr(value) in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(("setting", "value"), [(name, value) for name in INSIDE for value in INSIDE[name]])
def test_a_value_inside_its_range_is_taken(setting: str, value: Any) -> None:
    assert getattr(replace(Protocol(), **{setting: value}), setting) == value


def test_messages_say_what_is_accepted() -> None:
    for setting, value, message in (
        ("death", "ignore", "death is 'ignore'; it is one of event, censor."),
        ("horizon_years", 0, "horizon_years is 0; it must be a number above 0 and at most 120 years."),
        (
            "confidence_level",
            1,
            "confidence_level is 1; it must be a number above 0 and below 1, for example 0.95.",
        ),
    ):
        with pytest.raises(UsageError) as refused:
            named_protocol("trial", {setting: value})
        assert str(refused.value) == f"Protocol trial: {message}"


def test_the_default() -> None:
    assert asdict(Protocol()) == {
        "name": "default",
        "time_zero": "transplant",
        "horizon_years": 3.0,
        "landmark_window_days": 0.0,
        "observation_end": "last-assessment",
        "death_reach_days": 365.0,
        "death": "event",
        "therapy": "ignore",
        "ci_method": "log-log",
        "confidence_level": 0.95,
        "worsening_confirm_weeks": 24.0,
        "confirm_early_days": 7.0,
        "confirm_late_days": None,
        "unconfirmed": "ignore",
        "relapse_free_days": 30.0,
        "relapse_gap_days": 0.0,
        "baseline": "last-before",
        "step_from_zero": 1.5,
        "step_low": 1.0,
        "step_high": 0.5,
        "step_high_from": 5.5,
        "new_lesion": "either",
        "mri_from_day": 0.0,
    }


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("default", {}),
        # Lancet 2016;388:576-585: the patient who died is censored.
        ("atkins2016-lancet", {"death": "censor"}),
        # HALT-MS: 90 % intervals at 5 years (Neurology 2017;88:842-852).
        ("halt-ms", {"confidence_level": 0.90, "horizon_years": 5.0}),
        # The R package msprog: confirmed at 84 days, window -7 to +730.5 days.
        (
            "msprog",
            {
                "worsening_confirm_weeks": 84 / 7,
                "confirm_early_days": 7.0,
                "confirm_late_days": 730.5,
                "baseline": "first-stable",
            },
        ),
    ],
)
def test_built_in_protocols(name: str, changed: dict[str, Any]) -> None:
    assert find_protocol(name) == BUILT_IN[name] == replace(Protocol(), name=name, **changed)


def test_there_is_no_other_built_in_protocol() -> None:
    assert list(BUILT_IN) == ["default", "atkins2016-lancet", "halt-ms", "msprog"]


def test_a_protocol_is_frozen_and_compares_by_value() -> None:
    assert Protocol() == Protocol()
    assert len({Protocol(), Protocol(), Protocol(death="censor")}) == 2
    with pytest.raises(FrozenInstanceError):
        Protocol().death = "censor"  # type: ignore[misc]


def test_settings_of_records_are_settings() -> None:
    assert set(RECORDS_ONLY) < set(SETTINGS)
    applied_to_a_table = {
        *("time_zero", "horizon_years", "landmark_window_days", "observation_end"),
        *("death_reach_days", "death", "therapy", "ci_method", "confidence_level"),
    }
    assert set(SETTINGS) - set(RECORDS_ONLY) == applied_to_a_table


def test_changed_settings_are_in_the_name() -> None:
    protocol = with_settings(BUILT_IN["halt-ms"], {"death": "censor", "horizon_years": 5.0})
    assert protocol == Protocol(
        name="halt-ms, changed: death", horizon_years=5.0, confidence_level=0.90, death="censor"
    )
    assert with_settings(protocol, {"death": "censor"}) is protocol


def test_an_unknown_setting_names_the_closest() -> None:
    with pytest.raises(UsageError, match=r"there is no setting 'horizon_year'\. Is horizon_years meant\?"):
        named_protocol("ours", {"horizon_year": 5})
    with pytest.raises(UsageError, match="Settings are time_zero, horizon_years, "):
        named_protocol("ours", {"colour": "blue"})


def test_a_protocol_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text('horizon_years = 5\ndeath = "censor"\nconfirm_late_days = 730.5\n', encoding="utf-8")
    protocol = find_protocol(str(path))
    assert protocol == Protocol(name="ours.toml", horizon_years=5, death="censor", confirm_late_days=730.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"horizon_years = 0", "Protocol ours.toml: horizon_years is 0"),
        (b'horizon_years = "5"', "Protocol ours.toml: horizon_years is '5'"),
        (b"horizon_years = nan", "Protocol ours.toml: horizon_years is nan"),
        (b"death = [1, 2]", "Protocol ours.toml: death is"),
        (b"deaths = 1", "there is no setting 'deaths'. Is death meant?"),
        (b"[default]\nhorizon_years = 5", "there is no setting 'default'"),
        (b"horizon_years 5", "is not TOML"),
        (b"\xff\xfe", "is not UTF-8 from byte 1 on"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "ours.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        find_protocol(str(path))
    assert message in str(refused.value)


def test_no_such_protocol(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no protocol 'halt'\. Built in are default, "):
        find_protocol("halt")
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(UsageError):
            find_protocol(str(path))
