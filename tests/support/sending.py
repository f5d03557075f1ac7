"""Bodies of any kind to ingest, and what the lists say of them afterwards."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeAlias
from uuid import uuid4

import httpx
from tests.support.metering import TIMEOUT_S, refusal

INGEST = "/api/v1/events"
ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"
PAGES_MAX = 100

STRICT_LIMITS = {  # of a server that refuses what is not small
    "body_bytes_max": 20_000,
    "batch_events_max": 5,
    "data_bytes_max": 300,
    "json_depth_max": 4,
    "text_bytes_max": 32,
}

Event: TypeAlias = dict[str, Any]
Listed: TypeAlias = dict[str, Any]
Filters: TypeAlias = Mapping[str, Mapping[str, object]]


def event(**members: object) -> Event:
    """A whole event of its own type and subject; None leaves a member out."""
    whole = {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "test",
        "type": uuid4().hex,
        "subject": uuid4().hex,
        **members,
    }
    return {name: member for name, member in whole.items() if member is not None}


def with_member(name: str, text: str, **members: object) -> str:
    """The JSON of an event with one more member, whose JSON text is `text`, well-formed or not."""
    members.setdefault(name, None)
    return f'{json.dumps(event(**members))[:-1]},"{name}":{text}}}'


def with_data(text: str, **members: object) -> str:
    return with_member("data", text, **members)


class Sender:
    """A client of one server for ingest and the lists of events."""

    def __init__(self, base_url: str) -> None:
        self.http = httpx.Client(base_url=base_url, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.http.close()

    def send(
        self,
        body: str | bytes | Iterable[bytes] | list[Event] | Event,
        media_type: str | None = "application/json",
        **headers: str,
    ) -> httpx.Response:
        """Events become JSON, everything else is sent as it is; chunked when it is an iterator.

        An underscore in a header's name stands for a hyphen.
        """
        content: str | bytes | Iterable[bytes]
        content = json.dumps(body) if isinstance(body, dict | list) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if media_type is not None:
            named["content-type"] = media_type
        return self.http.post(INGEST, content=content, headers=named)

    def accept(
        self,
        body: str | bytes | Iterable[bytes] | list[Event] | Event,
        media_type: str | None = "application/json",
        **headers: str,
    ) -> None:
        answer = self.send(body, media_type, **headers)
        assert answer.status_code == HTTPStatus.NO_CONTENT, answer.text

    def reasons(
        self,
        body: str | bytes | Iterable[bytes] | list[Event] | Event,
        media_type: str | None = "application/json",
        **headers: str,
    ) -> dict[str, str]:
        """Field → message of the 400 that names what is wrong with events."""
        answer = self.send(body, media_type, **headers)
        status, detail = refusal(answer)
        assert status == HTTPStatus.BAD_REQUEST
        errors = answer.json()["extensions"]["validationErrors"]
        found = {error["field"]: error["message"] for error in errors}
        assert detail is not None
        assert detail.startswith("request body has an error: Error at ")
        assert all(f'Error at "{field}": {found[field]}' in detail for field in list(found)[:10])
        return found

    def page(self, **parameters: str) -> httpx.Response:
        """`GET /api/v2/events`."""
        return self.http.get("/api/v2/events", params=parameters)

    def listed(self, filters: Filters, *, limit: int = 100) -> list[Listed]:
        """Every event that the filters take, newest first, read page by page."""
        parameters = {"filter": json.dumps(filters), "limit": str(limit)}
        items: list[Listed] = []
        for _ in range(PAGES_MAX):
            answer = self.page(**parameters)
            assert answer.status_code == HTTPStatus.OK, answer.text
            body = json.loads(answer.text, parse_float=Decimal)
            items += body["items"]
            if "nextCursor" not in body:
                return items
            parameters["cursor"] = body["nextCursor"]
        raise AssertionError(f"more than {PAGES_MAX} pages")

    def of_subject(self, subject: str) -> list[Event]:
        return [item["event"] for item in self.listed({"subject": {"$eq": subject}})]

    def one_of(self, sent: str | Event) -> Event:
        """The only event of the subject of `sent`, an event or the JSON text of one."""
        whole: Event = json.loads(sent) if isinstance(sent, str) else sent
        [found] = self.of_subject(whole["subject"])
        return found
