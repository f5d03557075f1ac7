"""What a token says. Only who has the secret can say anything; none of it may be a server error."""

import time
from typing import Any, Final

import pytest
from tests.support.metering import Meter, rows_of
from tests.support.portal import Portal, claims_of, parts_of, refused, token_of

NOW: Final = int(time.time())


@pytest.mark.parametrize(
    "payload",
    [
        b"null",
        b"[]",
        b"1",
        b"{",
        b"\xff\xfe",
        '{"iss":"openmeter"}'.encode("utf-16"),
        b"[" * 5000,
        b'{"a":' * 1000 + b"1" + b"}" * 1000,
        b'{"exp":' + b"9" * 4500 + b"}",
        b'{"sub":"ann","sub":"bob","iss":"openmeter","exp":9999999999}',
        b'{"sub":"ann","iss":"openmeter","exp":NaN}',
        b'{"sub":"ann","iss":"openmeter","exp":Infinity}',
    ],
)
def test_payload_that_is_no_plain_object_is_refused(
    portal: Portal, meter: Meter, payload: bytes
) -> None:
    assert refused(portal.query(meter, token_of(payload))).startswith("invalid token: ")


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": None}, "it has another issuer"),
        ({"iss": "openmeter.cloud"}, "it has another issuer"),
        ({"iss": ["openmeter"]}, "it has another issuer"),
        ({"iss": "OpenMeter"}, "it has another issuer"),
        ({"exp": None}, "it never expires"),
        ({"exp": NOW - 1}, "token expired"),
        ({"exp": 0}, "token expired"),
        ({"exp": NOW + 3600.5}, "claim 'exp' is not a time"),
        ({"exp": 1e300}, "claim 'exp' is not a time"),
        ({"exp": 10**400}, "claim 'exp' is not a time"),
        ({"exp": 253_402_300_800}, "claim 'exp' is not a time"),
        ({"exp": -1}, "claim 'exp' is not a time"),
        ({"exp": True}, "claim 'exp' is not a time"),
        ({"exp": str(NOW + 3600)}, "claim 'exp' is not a time"),
        ({"exp": [NOW + 3600]}, "claim 'exp' is not a time"),
        ({"exp": {}}, "claim 'exp' is not a time"),
        ({"nbf": NOW + 600}, "it is not valid yet"),
        ({"nbf": "later"}, "claim 'nbf' is not a time"),
        ({"nbf": False}, "claim 'nbf' is not a time"),
        ({"iat": NOW + 600}, "it is not valid yet"),
        ({"iat": 1.5}, "claim 'iat' is not a time"),
        ({"iat": "now"}, "claim 'iat' is not a time"),
        ({"sub": None}, "invalid subject"),
        ({"sub": ""}, "invalid subject"),
        ({"sub": ["ann", "bob"]}, "invalid subject"),
        ({"sub": {"$ne": ""}}, "invalid subject"),
        ({"sub": 1}, "invalid subject"),
        ({"sub": True}, "invalid subject"),
        ({"sub": "ann\0"}, "invalid subject"),
        ({"sub": "\ud800"}, "invalid subject"),
        ({"Namespace": "another"}, "it is of another namespace"),
        ({"Namespace": "DEFAULT"}, "it is of another namespace"),
        ({"Namespace": ""}, "claim 'Namespace' is not a text"),
        ({"Namespace": ["default"]}, "claim 'Namespace' is not a text"),
        ({"Namespace": "a\0"}, "claim 'Namespace' is not a text"),
        ({"namespace": "another"}, "claim 'namespace' is spelled neither way"),
        ({"Id": ""}, "claim 'Id' is not a text"),
        ({"Id": 7}, "claim 'Id' is not a text"),
        ({"Id": "x" * 257}, "claim 'Id' is not a text"),
        ({"id": "x"}, "claim 'Id' is there in both spellings"),
        ({"ID": "x"}, "claim 'ID' is spelled neither way"),
        ({"AllowedMeterSlugs": ["other"]}, "meter slug not allowed"),
        ({"AllowedMeterSlugs": "tokens"}, "claim 'AllowedMeterSlugs' is not a list of texts"),
        ({"AllowedMeterSlugs": {}}, "claim 'AllowedMeterSlugs' is not a list of texts"),
        ({"AllowedMeterSlugs": [""]}, "claim 'AllowedMeterSlugs' is not a list of texts"),
        ({"AllowedMeterSlugs": [["tokens"]]}, "claim 'AllowedMeterSlugs' is not a list of texts"),
        ({"AllowedMeterSlugs": [None]}, "claim 'AllowedMeterSlugs' is not a list of texts"),
        ({"AllowedMeterSlugs": False}, "claim 'AllowedMeterSlugs' is not a list of texts"),
        ({"allowed_meter_slugs": ["other"]}, "claim 'AllowedMeterSlugs' is there in both"),
        ({"allowedMeterSlugs": ["other"]}, "claim 'allowedMeterSlugs' is spelled neither way"),
        ({"Allowed_Meter_Slugs": ["other"]}, "is spelled neither way"),
    ],
)
def test_claim_of_another_value_or_type_is_refused(
    portal: Portal, meter: Meter, claims: dict[str, Any], why: str
) -> None:
    assert why in refused(portal.query(meter, token_of(claims_of(**claims))))


def test_claims_of_no_meaning_here_are_ignored(portal: Portal, meter: Meter) -> None:
    more = {"aud": "https://elsewhere", "jti": [1], "subject": "bob", "scope": {"a": [None, 1e5]}}
    claims = {**claims_of("ann"), **more}
    assert {row.subject for row in rows_of(portal.query(meter, token_of(claims)))} == {"ann"}


def test_token_of_another_namespace_with_a_recorded_id_is_refused(
    portal: Portal, meter: Meter
) -> None:
    """Whoever has the secret gets no further than the namespace that it is for."""
    known = parts_of(portal.create("ann")["token"])[1]["Id"]
    for subject in ("ann", "bob"):
        token = token_of(claims_of(subject, Namespace="another", Id=known))
        assert refused(portal.query(meter, token)) == "invalid token: it is of another namespace"
