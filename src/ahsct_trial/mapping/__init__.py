"""From tables that others made to records or a patient table, by a map that says how."""

from __future__ import annotations

from ahsct_trial.mapping.applying import MappedTable, apply_map
from ahsct_trial.mapping.mapped_trial import read_mapped
from ahsct_trial.mapping.model import Map
from ahsct_trial.mapping.proposing import propose_map
from ahsct_trial.mapping.reading import (
    MapError,
    built_in_maps,
    no_such_map,
    parse_map,
    read_map,
    with_options,
)

__all__ = [
    "Map",
    "MapError",
    "MappedTable",
    "apply_map",
    "built_in_maps",
    "no_such_map",
    "parse_map",
    "propose_map",
    "read_map",
    "read_mapped",
    "with_options",
]
