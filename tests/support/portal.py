"""Portal tokens as others make them, by hand, and as right or wrong as asked."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import httpx
from tests.support.metering import Meter, Metering, Params, refusal

# Of the servers that the tests start, and of nothing else.
PORTAL_SECRET: Final = "the-portal-secret-of-the-tests-0123456789"  # noqa: S105
HEADER: Final = {"alg": "HS256", "typ": "JWT"}


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def signed(signing_input: str, secret: str = PORTAL_SECRET, digest: str = "sha256") -> str:
    """The text with its signature."""
    signature = hmac.digest(secret.encode(), signing_input.encode(), digest)
    return f"{signing_input}.{encoded(signature)}"


def claims_of(subject: str = "ann", /, **claims: object) -> dict[str, Any]:
    """Claims that are good for an hour, in the newest spelling; None leaves one out."""
    now = int(time.time())
    made = {
        "iss": "openmeter",
        "sub": subject,
        "iat": now,
        "exp": now + 3600,
        "Namespace": "default",
        "Id": str(uuid4()),
        "AllowedMeterSlugs": [],
        **claims,
    }
    return {name: value for name, value in made.items() if value is not None}


def token_of(
    payload: Mapping[str, Any] | bytes,
    *,
    header: Mapping[str, Any] | bytes = HEADER,
    secret: str = PORTAL_SECRET,
) -> str:
    """What somebody else who has the secret makes of a payload."""
    parts = (
        part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)
    )
    return signed(".".join(map(encoded, parts)), secret)


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token, unverified."""
    header, payload, _ = token.split(".")
    first, second = (
        json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        for part in (header, payload)
    )
    return first, second


def reason(answer: httpx.Response) -> str:
    """Why a request is a bad one."""
    status, detail = refusal(answer)
    assert (status, detail is not None) == (httpx.codes.BAD_REQUEST, True), detail
    return detail or ""


def refused(answer: httpx.Response) -> str:
    """Why a token opens nothing."""
    status, detail = refusal(answer)
    assert (status, detail is not None) == (httpx.codes.UNAUTHORIZED, True), detail
    assert answer.headers["www-authenticate"] == "Bearer"
    return detail or ""


class Portal:
    """The four portal operations of one server."""

    def __init__(self, api: Metering) -> None:
        self.api = api

    def try_to_create(self, **members: object) -> httpx.Response:
        return self.api.post("/api/v1/portal/tokens", members)

    def create(self, subject: str = "ann", **members: object) -> dict[str, Any]:
        created = self.try_to_create(subject=subject, **members)
        assert created.status_code == httpx.codes.OK, created.text
        token: dict[str, Any] = created.json()
        return token

    def listed(self, limit: int = 100) -> list[dict[str, Any]]:
        answer = self.api.http.get("/api/v1/portal/tokens", params={"limit": limit})
        assert answer.status_code == httpx.codes.OK, answer.text
        tokens: list[dict[str, Any]] = answer.json()
        return tokens

    def invalidate(self, **which: str) -> None:
        answer = self.api.post("/api/v1/portal/tokens/invalidate", which)
        assert (answer.status_code, answer.content) == (httpx.codes.NO_CONTENT, b"")

    def query(
        self, meter: Meter, token: str, params: Params | None = None, **headers: str
    ) -> httpx.Response:
        return self.api.http.get(
            f"/api/v1/portal/meters/{meter['slug']}/query",
            params=params,
            headers={"authorization": f"Bearer {token}", **headers},
        )
