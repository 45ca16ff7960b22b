"""Which files are known to be synthetic: those that come with the program, by the digest of their bytes."""

from __future__ import annotations

from collections.abc import Iterable

_SUMMARY = (
    "Synthetic data: 24 invented patients, made to fit the popular summary of the Canadian trial of 2016. That they "
    "agree with it is no evidence."
)
_ABSTRACT = (
    "Synthetic data: 24 invented patients, made to fit the abstract of the Canadian trial (Atkins 2016). That they "
    "agree with it is no evidence."
)
_TRIAL = (
    "Synthetic data: 110 invented patients, made to fit the abstract of the MIST trial (Burt 2019). That they agree "
    "with it is no evidence."
)
#: What is said of each sample, by the SHA-256 of its file.
SYNTHETIC = {
    "af180588e0323ca6e261d5e99429803d95211e8bb771efb823185d807c39e042": _SUMMARY,  # sample_cohort.csv
    "49a3a079e7b42ef15478c4f8c722ea3a651a9f5336c533404a5dc50e2b1b8a0f": _SUMMARY,  # sample_records.csv
    "eadf8d1e34b5357fb86135aefd3ab40e474c3c884080651fc9b7567751409b91": _ABSTRACT,  # atkins2016_lancet.csv
    "a7dc212d501f3b8e90f202b98b7d5c61b9b5bedc89621551e2dd0d120e14d552": _TRIAL,  # sample_trial.csv
}


def provenance_of(digests: Iterable[str]) -> str | None:
    """What must be said of where files come from; None where nothing is known.

    Parameters
    ----------
    digests
        SHA-256 of each file, in hexadecimal digits.
    """
    return " ".join(dict.fromkeys(SYNTHETIC[each] for each in digests if each in SYNTHETIC)) or None
