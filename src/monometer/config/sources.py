"""A value with the place it came from, so that an error can name it."""

from typing import NamedTuple


class Found(NamedTuple):
    """A raw value and the name its giver knows it by: a variable, a flag, a key in a file."""

    value: object
    origin: str
