"""Subjects and customers over HTTP, with names of their own."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeAlias
from uuid import uuid4

import httpx
from tests.support.metering import TIMEOUT_S, Metering

Record: TypeAlias = dict[str, Any]


def word() -> str:
    """One that nobody else has."""
    return f"w{uuid4().hex}"


class Owners(Metering):
    """A client of one server, with metering to ask whose usage it is."""

    def one(self, method: str, resource: str, id_or_key: str, **kwargs: Any) -> httpx.Response:
        """`id_or_key` percent-encoded whole, slashes too."""
        encoded = "".join(f"%{byte:02X}" for byte in id_or_key.encode())
        return self.http.request(method, f"/api/v1/{resource}/{encoded}", **kwargs)

    def upsert(self, *subjects: Record) -> list[Record]:
        answer = self.post("/api/v1/subjects", list(subjects))
        assert answer.status_code == HTTPStatus.OK, answer.text
        found: list[Record] = answer.json()
        return found

    def subject(self, id_or_key: str) -> Record:
        answer = self.one("GET", "subjects", id_or_key)
        assert answer.status_code == HTTPStatus.OK, answer.text
        found: Record = answer.json()
        return found

    def try_to_create_customer(self, *subject_keys: str, **members: object) -> httpx.Response:
        """Named like its key, unless `members` say otherwise; None leaves a member out."""
        attribution = {"subjectKeys": list(subject_keys)} if subject_keys else None
        customer = {"key": word(), "usageAttribution": attribution, **members}
        customer.setdefault("name", customer["key"] or "somebody")
        present = {name: member for name, member in customer.items() if member is not None}
        return self.post("/api/v1/customers", present)

    def customer(self, *subject_keys: str, **members: object) -> Record:
        answer = self.try_to_create_customer(*subject_keys, **members)
        assert answer.status_code == HTTPStatus.CREATED, answer.text
        created: Record = answer.json()
        return created

    def replaced(self, id_or_key: str, **members: object) -> Record:
        answer = self.one("PUT", "customers", id_or_key, json=members)
        assert answer.status_code == HTTPStatus.OK, answer.text
        changed: Record = answer.json()
        return changed

    def delete_customer(self, id_or_key: str) -> None:
        answer = self.one("DELETE", "customers", id_or_key)
        assert (answer.status_code, answer.content) == (HTTPStatus.NO_CONTENT, b"")

    def listed(self, **params: str | int) -> list[Record]:
        """Customers of a page."""
        answer = self.http.get("/api/v1/customers", params=params)
        assert answer.status_code == HTTPStatus.OK, answer.text
        items: list[Record] = answer.json()["items"]
        return items

    def at_once(self, requests: Sequence[tuple[str, str, object]]) -> list[httpx.Response]:
        """(method, path, body) each over a connection of its own, all at the same time."""

        def send(request: tuple[str, str, object]) -> httpx.Response:
            method, path, body = request
            return httpx.request(
                method, f"{self.http.base_url}".rstrip("/") + path, json=body, timeout=TIMEOUT_S
            )

        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(send, requests))
