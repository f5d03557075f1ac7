"""The pure floor: what usage is. No clock, no I/O, no framework; the standard library only."""
