"""Statistics on plain arrays: survival curves, event rates, proportions."""
