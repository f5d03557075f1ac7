"""Features, entitlements and grants over HTTP, with everything that does not matter filled in."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
from tests.support.metering import Meter, Metering, at

Found = dict[str, Any]
MINUTE = timedelta(minutes=1)


def wire(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the server's clock cannot be set


def this_minute() -> datetime:
    return now().replace(second=0, microsecond=0)


# One minute for all tests of a process, so that none is torn apart by the next one.
STARTED = this_minute()


def ago(**units: float) -> str:
    """An instant a while before the tests started, on the wire."""
    return wire(STARTED - timedelta(**units))


class Entitling(Metering):
    """A client that makes features, subjects and entitlements of its own."""

    def feature(self, meter: Meter | None = None, **members: object) -> Found:
        slug = {"meterSlug": meter["slug"]} if meter else {}
        body = {"key": f"f_{uuid4().hex}", "name": "A feature", **slug, **members}
        return self.made(self.post("/api/v1/features", body))

    def metered(self, **members: object) -> tuple[str, Found, Meter]:
        """Subject, entitlement and meter: a month from now on, unless `members` say otherwise."""
        meter = self.create("SUM")
        subject = f"s-{uuid4().hex}"
        return subject, self.entitle(subject, self.feature(meter), **members), meter

    def try_to_entitle(self, subject: str, **members: object) -> httpx.Response:
        """A metered one, unless `members` say otherwise; None leaves a member out."""
        body = {"type": "metered", "usagePeriod": {"interval": "MONTH"}, **members}
        present = {name: member for name, member in body.items() if member is not None}
        return self.post(self.path(subject), present)

    def entitle(self, subject: str, feature: Found, **members: object) -> Found:
        return self.made(self.try_to_entitle(subject, featureKey=feature["key"], **members))

    def customer(self, **members: object) -> Found:
        body = {"name": "A customer", "key": f"c-{uuid4().hex}", **members}
        return self.made(self.post("/api/v1/customers", body))

    def grant(self, subject: str, key: str, **members: object) -> Found:
        return self.made(self.try_to_grant(subject, key, **members))

    def try_to_grant(self, subject: str, key: str, **members: object) -> httpx.Response:
        body = {
            "amount": 100,
            "effectiveAt": wire(this_minute()),
            "expiration": {"duration": "MONTH", "count": 1},
            **members,
        }
        present = {name: member for name, member in body.items() if member is not None}
        return self.post(f"{self.path(subject)}/{key}/grants", present)

    def use(self, meter: Meter, subject: str, amount: float | str, time: str | None = None) -> None:
        time = time or wire(now())
        self.send(meter, at(time, subject=subject, data={"v": str(amount)}))

    def worth(self, subject: str, key: str, time: str | None = None) -> Found:
        params = {"time": time} if time else {}
        value: Found = found(self.http.get(f"{self.path(subject)}/{key}/value", params=params))
        return value

    @staticmethod
    def path(subject: str) -> str:
        return f"/api/v1/subjects/{subject}/entitlements"

    @staticmethod
    def made(answer: httpx.Response) -> Found:
        assert answer.status_code == HTTPStatus.CREATED, answer.text
        made: Found = exact(answer)
        return made


def found(answer: httpx.Response) -> Any:
    assert answer.status_code == HTTPStatus.OK, answer.text
    return exact(answer)


def exact(answer: httpx.Response) -> Any:
    """The body, its numbers exact."""
    return json.loads(answer.text, parse_float=Decimal)


def numbers(value: Mapping[str, Any]) -> tuple[Any, ...]:
    """balance, usage, overage of a value."""
    return value["balance"], value["usage"], value["overage"]
