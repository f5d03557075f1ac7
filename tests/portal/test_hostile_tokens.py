"""Tokens by those who want more than they were given: each is 401 with its reason, none is 500."""

import base64
import json
import time
from http import HTTPStatus
from typing import Any, Final

import pytest
from jose import jwk
from tests.support.metering import Meter, rows_of
from tests.support.portal import (
    HEADER,
    PORTAL_SECRET,
    Portal,
    claims_of,
    encoded,
    refused,
    signed,
    token_of,
)

NOW: Final = int(time.time())
MALFORMED: Final = "invalid token: it is malformed"
FORGED: Final = "invalid token: its signature is invalid"
ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

ATTACKERS: Final = "attacker's own key of 32 bytes ..."
A_PUBLIC_KEY: Final = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
-----END PUBLIC KEY-----
"""


@pytest.fixture(scope="module")
def good(portal: Portal) -> str:
    token: str = portal.create("ann")["token"]
    return token


def test_token_made_by_hand_like_these_is_good_when_nothing_is_wrong(
    portal: Portal, meter: Meter
) -> None:
    assert rows_of(portal.query(meter, token_of(claims_of())))


# Who signed it, and how


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, 0, [], ["HS256"], {}])
def test_token_without_an_algorithm_is_refused(portal: Portal, meter: Meter, alg: object) -> None:
    unsigned = (
        f"{encoded(json.dumps({'alg': alg}).encode())}.{encoded(json.dumps(claims_of()).encode())}."
    )
    assert refused(portal.query(meter, unsigned)) == MALFORMED
    a_signature = unsigned + "A" * 43
    assert "it is not signed with HS256" in refused(portal.query(meter, a_signature))


@pytest.mark.parametrize(
    "alg",
    [
        "HS384",
        "HS512",
        "hs256",
        "HS256 ",
        "RS256",
        "RS512",
        "ES256",
        "PS256",
        "EdDSA",
        "dir",
        "A256GCM",
    ],
)
def test_other_algorithm_is_refused_though_the_signature_would_hold(
    portal: Portal, meter: Meter, alg: str
) -> None:
    token = token_of(claims_of(), header={"alg": alg, "typ": "JWT"})
    assert "it is not signed with HS256" in refused(portal.query(meter, token))


@pytest.mark.parametrize("digest", ["sha384", "sha512"])
def test_signature_of_a_longer_hash_is_refused(portal: Portal, meter: Meter, digest: str) -> None:
    alg = {"sha384": "HS384", "sha512": "HS512"}[digest]
    for header in ({"alg": alg}, HEADER):
        parts = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims_of()))
        assert refused(portal.query(meter, signed(parts, digest=digest))) == MALFORMED


@pytest.mark.parametrize(
    "secret",
    ["", " ", "secret", PORTAL_SECRET[:-1], PORTAL_SECRET + " ", PORTAL_SECRET.upper(), "null"],
)
def test_other_secret_is_refused(portal: Portal, meter: Meter, secret: str) -> None:
    assert refused(portal.query(meter, token_of(claims_of(), secret=secret))) == FORGED


@pytest.mark.parametrize(
    "members",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {"jku": "http://127.0.0.1:1/keys.json"},
        {"x5u": "http://127.0.0.1:1/cert.pem"},
        {"jwk": {"kty": "oct", "k": encoded(ATTACKERS.encode())}},
        {"x5c": ["MIIB"]},
    ],
)
def test_key_that_a_token_brings_along_is_not_used(
    portal: Portal, meter: Meter, members: dict[str, Any]
) -> None:
    header = {**HEADER, **members}
    forged = token_of(claims_of(), header=header, secret=ATTACKERS)
    assert refused(portal.query(meter, forged)) == FORGED


def test_extension_that_a_token_demands_is_refused(portal: Portal, meter: Meter) -> None:
    for crit in (["exp"], ["b64"], [], None):
        token = token_of(claims_of(), header={**HEADER, "b64": False, "crit": crit})
        assert refused(portal.query(meter, token)) == "invalid token: it demands an extension"


def test_public_key_is_no_secret_to_sign_with() -> None:
    with pytest.raises(Exception, match="should not be used as an HMAC secret"):
        jwk.construct(A_PUBLIC_KEY, "HS256")


def test_claims_of_one_token_with_the_signature_of_another_are_refused(
    portal: Portal, meter: Meter, good: str
) -> None:
    header, _, signature = good.split(".")
    other = token_of(claims_of("bob")).split(".")[1]
    assert refused(portal.query(meter, f"{header}.{other}.{signature}")) == FORGED


# How it is written


def test_any_changed_character_is_refused(portal: Portal, meter: Meter, good: str) -> None:
    """Also those in the last place of a part, some of whose bits no decoder needs."""
    edges = [at + step for at, one in enumerate(good) if one == "." for step in (-2, -1, 1, 2)]
    for place in {0, len(good) - 1, *range(0, len(good), 37), *edges}:
        if good[place] == ".":
            continue
        other = ALPHABET[(ALPHABET.index(good[place]) + 1) % 64]
        tampered = good[:place] + other + good[place + 1 :]
        assert portal.query(meter, tampered).status_code == HTTPStatus.UNAUTHORIZED, place


def test_last_character_with_other_idle_bits_is_refused(
    portal: Portal, meter: Meter, good: str
) -> None:
    """They decode to the same signature: one token would have four spellings."""
    same = [good[:-1] + ALPHABET[ALPHABET.index(good[-1]) ^ bits] for bits in (1, 2, 3)]
    decoded = {base64.urlsafe_b64decode(one.rpartition(".")[2] + "=") for one in (good, *same)}
    assert len(decoded) == 1
    for one in same:
        assert refused(portal.query(meter, one)) == MALFORMED


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t + "=",
        lambda t: t.replace(".", "=.", 1),
        lambda t: t + ".",
        lambda t: "." + t,
        lambda t: t + ".e30",
        lambda t: t.replace(".", "..", 1),
        lambda t: t.partition(".")[2],
        lambda t: t.rpartition(".")[0],
        lambda t: t.rpartition(".")[0] + ".",
        lambda t: t[:40] + "+" + t[41:],
        lambda t: t[:40] + "/" + t[41:],
        lambda t: t[:40] + "\t" + t[40:],
        lambda t: t[:40] + "%41" + t[41:],
        lambda t: f'"{t}"',
        lambda _: "om_portal_0123456789abcdef",
        lambda _: "...",
        lambda _: "a.b.c",
        lambda _: "A",
    ],
)
def test_other_spelling_is_refused(portal: Portal, meter: Meter, good: str, change: Any) -> None:
    assert refused(portal.query(meter, change(good))) == MALFORMED


@pytest.mark.parametrize("length", [8_200, 60_000])
def test_giant_token_is_refused_before_it_is_read(
    portal: Portal, meter: Meter, length: int
) -> None:
    claims = token_of(claims_of("a" * length))
    assert "it is longer than" in refused(portal.query(meter, claims))
    assert "it is longer than" in refused(portal.query(meter, "." * length))


@pytest.mark.parametrize(
    "header", [b"", b"null", b"[]", b'"HS256"', b"{", b"\xff", b"\xef\xbb\xbf{}", b"[" * 3000]
)
def test_header_that_is_no_object_is_refused(portal: Portal, meter: Meter, header: bytes) -> None:
    answer = refused(portal.query(meter, token_of(claims_of(), header=header)))
    assert answer in {"invalid token: its header cannot be read", MALFORMED}


def test_header_that_says_it_twice_is_refused(portal: Portal, meter: Meter) -> None:
    for header in (b'{"alg":"none","alg":"HS256"}', b'{"alg":"HS256","alg":"none"}'):
        answer = portal.query(meter, token_of(claims_of(), header=header))
        assert refused(answer) == "invalid token: its header cannot be read"
