"""The screens and documents, compared with golden files.

Renewed by `python -m pytest --renew-golden tests/test_screens.py`; a person reads the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SAMPLE = "data/sample_cohort.csv"
RECORDS = "data/sample_records.csv"
LANCET = "data/atkins2016_lancet.csv"
TRIAL = "data/sample_trial.csv"
SEVERAL = ["--endpoint", "worsening_free_survival", "--endpoint", "relapse_free_survival"]
MIST = ["check", TRIAL, "--against", "mist2019", "--arm", "HSCT=AHSCT"]
PUBLISHED = ["reconcile", "69.6", "--ci", "46.6:84.2"]
HALT_MS = ["--level", "0.9", "--n", "24"]


@pytest.mark.parametrize(
    ("name", "arguments", "columns"),
    [
        ("summarize-80.txt", ["summarize", SAMPLE], 80),
        ("summarize-120.txt", ["summarize", SAMPLE], 120),
        ("summarize-40.txt", ["summarize", SAMPLE], 40),
        ("summarize-records-80.txt", ["summarize", RECORDS], 80),
        ("summarize-censor-80.txt", ["summarize", SAMPLE, "--death", "censor", "--ci", "plain"], 80),
        ("summarize-full-80.txt", ["summarize", SAMPLE, "--full"], 80),
        ("compare-80.txt", ["compare", TRIAL], 80),
        ("compare-120.txt", ["compare", TRIAL, "--reference", "DMT"], 120),
        ("compare.csv", ["compare", TRIAL, "--format", "csv"], 80),
        ("compare.md", ["compare", TRIAL, "--format", "markdown"], 80),
        ("summarize.md", ["summarize", SAMPLE, "--format", "markdown"], 80),
        ("summarize.csv", ["summarize", SAMPLE, "--format", "csv"], 80),
        ("summarize.json", ["summarize", SAMPLE, "--json"], 80),
        ("check-80.txt", ["check", SAMPLE], 80),
        ("check.json", ["check", SAMPLE, "--json"], 80),
        ("check-lancet-120.txt", ["check", LANCET, "--against", "atkins2016-lancet"], 120),
        ("check-all-80.txt", ["check", LANCET, "--against", "all"], 80),
        ("check-all-40.txt", ["check", LANCET, "--against", "all"], 40),
        ("check-all.json", ["check", LANCET, "--against", "all", "--json"], 80),
        ("check-mist-80.txt", MIST, 80),
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
def test_screens(
    ahsct: Callable[..., Any],
    golden: Callable[[str, str], None],
    name: str,
    arguments: list[str],
    columns: int,
) -> None:
    done = ahsct(*arguments, columns=columns)
    assert (done.exit_code, done.err) == (0, "")
    golden(done.out, name)


def test_the_screen_says_why_the_abstract_is_not_the_summary(
    ahsct: Callable[..., Any], golden: Callable[[str, str], None]
) -> None:
    done = ahsct("check", LANCET, "--against", "atkins2016-summary")
    assert (done.exit_code, done.err) == (4, "")
    golden(done.out, "check-differs-80.txt")


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize(
    "arguments",
    [
        ["summarize", SAMPLE],
        ["summarize", SAMPLE, "--full"],
        ["compare", TRIAL],
        ["check", SAMPLE],
        ["check", LANCET, "--against", "atkins2016-summary"],
        MIST,
        ["check", SAMPLE, "--against", "all"],
        ["sensitivity", SAMPLE],
        ["published"],
        ["published", "atkins2016-lancet"],
        ["trace", RECORDS, "P06"],
        ["validate", SAMPLE],
        ["plot", "survival", SAMPLE],
        PUBLISHED,
    ],
    ids=" ".join,
)
def test_screens_fit_the_width(ahsct: Callable[..., Any], arguments: list[str], columns: int) -> None:
    printed = ahsct(*arguments, columns=columns).out
    assert max(map(len, printed.splitlines())) <= columns
    assert "\x1b" not in printed
