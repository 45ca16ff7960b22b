"""Files of other programs, and tables in memory, as tables of cells that are text."""
