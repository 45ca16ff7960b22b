"""What a quoted figure is: `reading` takes it out of the words, `answers` says where it is published."""

from ahsct_trial.claiming.answers import (
    ClaimAnswer,
    Found,
    Match,
    PublishedFigure,
    Related,
    answer_claim,
)
from ahsct_trial.claiming.reading import Claim, read_claim, topic_named

__all__ = [
    "Claim",
    "ClaimAnswer",
    "Found",
    "Match",
    "PublishedFigure",
    "Related",
    "answer_claim",
    "read_claim",
    "topic_named",
]
