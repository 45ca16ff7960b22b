"""Draw the figures of docs/figures.md from the files in data/.

Usage: python scripts/make_figures.py        rewrites docs/figures; needs the extra ahsct-trial[report]
"""

from __future__ import annotations

from pathlib import Path

from ahsct_trial.cli import main as ahsct

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "figures"
#: Files in data/, with the options that their figures are drawn with.
COHORTS = {
    "sample_cohort.csv": (),
    "sample_records.csv": (),
    "atkins2016_lancet.csv": ("--protocol", "atkins2016-lancet"),
}
KINDS = ("survival", "timeline")
#: All endpoints in one figure, of the cohort in which they differ.
ENDPOINTS = (
    "activity_free_survival",
    "relapse_free_survival",
    "mri_activity_free_survival",
    "worsening_free_survival",
    "overall_survival",
)


def draw(folder: Path, cohort: str, figure: str, *words: str) -> None:
    """Draw one figure of a file in data/; what is printed is its caption."""
    output = folder / f"{Path(cohort).stem}-{figure}.svg"
    done = ahsct([*words, str(ROOT / "data" / cohort), "-o", str(output), "--force"])
    if done.exit_code:
        raise SystemExit(done.exit_code)


def main(folder: Path = FIGURES) -> None:
    """Draw them all into a folder."""
    folder.mkdir(exist_ok=True)
    for cohort, options in COHORTS.items():
        for kind in KINDS:
            draw(folder, cohort, kind, "plot", kind, *options)
    several = [word for key in ENDPOINTS for word in ("--endpoint", key)]
    lancet = "atkins2016_lancet.csv"
    draw(folder, lancet, "endpoints", "plot", "survival", *COHORTS[lancet], *several)
    arms = ("--by", "arm", "--reference", "DMT", "--endpoint", "worsening_free_survival")
    draw(folder, "sample_trial.csv", "arms", "plot", "survival", *arms, "--time-zero", "randomisation")
    for kind in ("incidence", "forest"):
        draw(folder, "sample_cohort.csv", kind, "plot", kind)


if __name__ == "__main__":
    main()
