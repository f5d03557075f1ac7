"""UUIDs of version 4 that stand for ids and keys."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from monometer.core.uuids import bits_of, ids_of, keys_of, paired, uuid_of, uuid_of_id, uuid_of_key

bits = st.integers(0, 2**128 - 1)
ulids = st.from_regex(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", fullmatch=True)


@given(bits)
def test_every_number_is_among_those_of_its_uuid(number: int) -> None:
    uuid = uuid_of(number)
    assert uuid.version == 4
    assert uuid.variant == "specified in RFC 4122"
    assert number in bits_of(uuid)
    assert len(set(bits_of(uuid))) == 64


@given(ulids)
def test_every_id_is_among_those_of_its_uuid(ulid: str) -> None:
    assert ulid in ids_of(uuid_of_id(ulid))


@given(st.binary(min_size=16, max_size=16))
def test_every_key_is_among_those_of_its_uuid(key: bytes) -> None:
    assert key in keys_of(uuid_of_key(key))


def test_a_uuid_of_version_4_stands_for_itself() -> None:
    one = uuid4()
    assert uuid_of(one.int) == one


def test_of_a_pair_one_follows_from_the_other() -> None:
    one, other = uuid4(), uuid4()
    pair = paired(one, other)
    assert isinstance(pair, UUID)
    assert pair.version == 4
    assert paired(pair, other) == one
    assert paired(other, one) != pair
