"""From tables that others made to records or a patient table, by a map that says how."""

from __future__ import annotations

from ahsct_trial.mapping.applying import MappedTable, apply_map
from ahsct_trial.mapping.model import Map
from ahsct_trial.mapping.reading import MapError, built_in_maps, parse_map, read_map

__all__ = ["Map", "MapError", "MappedTable", "apply_map", "built_in_maps", "parse_map", "read_map"]
