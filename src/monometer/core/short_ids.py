"""Ids of twenty characters, as Togai's clients hold them: views of the first bits of a ULID.

`um.` and sixteen letters and digits say 93 bits, which are the first nineteen characters of a ULID;
the rest of it is found by a range of the index.
"""

import string

from monometer.core.uuids import ALPHABET, ULID_CHARS

PREFIX = "um."

_ULID_PART = 19
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PLACES = (11, 5)


def short_id(ulid: str) -> str:
    number = 0
    for character in ulid[:_ULID_PART]:
        number = number * len(ALPHABET) + ALPHABET.index(character)
    digits = ""
    for _ in range(sum(_PLACES)):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return f"{PREFIX}{digits[: _PLACES[0]]}.{digits[_PLACES[0] :]}"


def ulids_of(text: str) -> tuple[str, str] | None:
    """The first and the last ULID that have this id; None for what is no id."""
    head, _, tail = text.removeprefix(PREFIX).partition(".")
    if (len(head), len(tail)) != _PLACES or not text.startswith(PREFIX):
        return None
    number = 0
    for character in head + tail:
        digit = _DIGITS.find(character)
        if digit < 0:
            return None
        number = number * len(_DIGITS) + digit
    characters = ""
    for _ in range(_ULID_PART):
        number, digit = divmod(number, len(ALPHABET))
        characters = ALPHABET[digit] + characters
    if number:
        return None
    rest = ULID_CHARS - _ULID_PART
    return characters + ALPHABET[0] * rest, characters + ALPHABET[-1] * rest
