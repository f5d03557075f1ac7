"""Version 4 UUIDs for what has 128 bits of its own: ids, which are ULIDs, and keys of events.

A UUID is those bits with six of them set as version 4 demands, so it needs no place to be kept: of
the 64 values that it may stand for one exists, and indexes find that one.
"""

from hashlib import blake2b
from uuid import UUID

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32, as ULIDs have it
ULID_CHARS = 26

_DIGITS = {digit: value for value, digit in enumerate(ALPHABET)}
_VERSION, _VARIANT = 76, 62  # the lowest bits of the two fields
_FIXED = 0xF << _VERSION | 0x3 << _VARIANT


def uuid_of(bits: int) -> UUID:
    """The version 4 UUID of 128 bits."""
    return UUID(int=bits & ~_FIXED | 4 << _VERSION | 2 << _VARIANT)


def bits_of(uuid: UUID) -> list[int]:
    """Every value of which `uuid` is the UUID."""
    rest = uuid.int & ~_FIXED
    return [
        rest | version << _VERSION | variant << _VARIANT
        for version in range(16)
        for variant in range(4)
    ]


def uuid_of_id(ulid: str) -> UUID:
    bits = 0
    for digit in ulid:
        bits = bits << 5 | _DIGITS[digit]
    return uuid_of(bits)


def ids_of(uuid: UUID) -> list[str]:
    """Every ULID of which `uuid` is the UUID."""
    return [_ulid(bits) for bits in bits_of(uuid)]


def uuid_of_key(key: bytes) -> UUID:
    return uuid_of(int.from_bytes(key))


def keys_of(uuid: UUID) -> list[bytes]:
    """Every key of an event of which `uuid` is the UUID."""
    return [bits.to_bytes(16) for bits in bits_of(uuid)]


def paired(one: UUID, other: UUID) -> UUID:
    """The UUID of a pair; paired with `other` again it is `one`, so no table of pairs is needed."""
    return uuid_of(one.int ^ int.from_bytes(blake2b(other.bytes, digest_size=16).digest()))


def _ulid(bits: int) -> str:
    return "".join(ALPHABET[bits >> 5 * i & 31] for i in reversed(range(ULID_CHARS)))
