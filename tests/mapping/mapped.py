"""What the tests of maps share: a map from TOML, and a mapped table as rows."""

from __future__ import annotations

import tomllib
from pathlib import Path

from ahsct_trial.mapping import Map, MappedTable, apply_map, parse_map

CASES = Path(__file__).parents[1] / "cases"


def map_of(text: str) -> Map:
    return parse_map(tomllib.loads(text), "map.toml")


def rows_of(mapped: MappedTable) -> list[dict[str, str]]:
    """Each row with the cells that have a value."""
    table = mapped.table
    columns = [column.to_pylist() for column in table.columns]
    return [
        {name: cell for name, cell in zip(table.names, cells, strict=True) if cell is not None}
        for cells in zip(*columns, strict=True)
    ]


def mapped_files(folder: Path, map_text: str, **files: str) -> MappedTable:
    """Write files by their name without .csv, and apply a map to the folder."""
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return apply_map(map_of(map_text), folder)


def problems_of(error: BaseException) -> list[str]:
    return [str(problem) for problem in error.problems]  # type: ignore[attr-defined]
