"""Nothing of another namespace can be read, guessed, counted, changed or run into.

Two servers: on one somebody else has something of everything, the other is empty. A stranger's key
asks both the same, by the ids and names of what is there; the answers must be the same, too.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.support.access import Guarded, guarded_server, migrated_database, new_key
from tests.support.recipes import RECIPES, fill

from monometer.app import create_app
from monometer.config import Settings
from monometer.store.tables import entitlement, metadata

OWNER, STRANGER = "owner", "stranger"
DOCUMENT: Final = create_app(Settings()).openapi()
OPERATIONS: Final = {
    operation["operationId"]: (method.upper(), path)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
# What changes nothing, though some of it is posted.
QUESTIONS: Final = {"queryMeterPost", "query-meter", "explainMeterQuery"} | {
    operation_id for operation_id, (method, _) in OPERATIONS.items() if method == "GET"
}
# Tells how long it took, and from where, which is up to what was folded by then.
NEVER_THE_SAME: Final = {"explainMeterQuery"}


def _turn(operation_id: str) -> tuple[bool, bool, int]:
    """First questions, while the stranger has nothing of its own under the owner's names.

    Then it makes and changes what it can, owners before what they own; then it deletes.
    """
    method, path = OPERATIONS[operation_id]
    return operation_id not in QUESTIONS, method == "DELETE", path.count("{")


WALKED: Final = sorted(OPERATIONS, key=_turn)
# What the server makes up for each answer or row: time, id, UUID of an id, key, portal token. Use
# is noted in the background.
_MADE_UP = re.compile(
    r',"lastUsedAt":"[^"]*"|'
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b|\bmm_[\w-]+|\bum\.\w+\.\w+|"
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b|\beyJ[\w-]+(\.[\w-]+){2}"
)
# These tell nothing of anybody, or are not for a stranger.
ALIKE_FOR_ALL: Final = {"listCurrencies", "getProgress", "live", "ready", "metrics", "version"}
# What is in no namespace, and why that is right.
WITHOUT_NAMESPACE: Final = {
    "cohort": "how far projections of all namespaces are",
    "hourly_by_group": "cells of a projection, which has a namespace",
    "hourly_by_subject": "the same",
    "entitlement_grant": "rows of an entitlement, which has a namespace",
    "usage_reset": "the same",
}
# Kept up in the background, so it changes by itself.
DERIVED: Final = {"projection"}


@dataclass(frozen=True, slots=True)
class Walk:
    """`facts` are the owner's names and ids. The clients of the stranger differ in the server.

    For the one operation that wants no key but a portal token, `portals` has for each client one
    that holds such a token: of the same namespace, for the owner's subject, for every meter.
    """

    facts: Mapping[str, str]
    owner: httpx.Client
    stranger: httpx.Client
    alone: httpx.Client
    portals: Mapping[httpx.Client, httpx.Client]
    database_url: str

    def answers(self, client: httpx.Client, operation_id: str) -> list[tuple[int, str]]:
        """Status and body of each call of the operation's recipe, without what is made up."""
        method, template = OPERATIONS[operation_id]
        if operation_id == "queryPortalMeter":
            client = self.portals[client]
        answers = []
        for call in RECIPES[operation_id]:
            answer = call.send(client, method, template, self.facts)
            answers.append((answer.status_code, self._comparable(answer.text)))
        return answers

    def _comparable(self, text: str) -> str:
        known = self.facts.values()
        return _MADE_UP.sub(lambda found: found[0] if found[0] in known else "MADE UP", text)


@pytest.fixture(scope="module")
async def databases(postgres_url: str) -> AsyncIterator[tuple[str, str]]:
    async with migrated_database(postgres_url) as full, migrated_database(postgres_url) as empty:
        yield full, empty


@pytest.fixture(scope="module")
async def tokens(databases: tuple[str, str]) -> tuple[str, str, str]:
    """The owner's on the full database, the stranger's on both."""
    full, empty = databases
    return (
        await new_key(full, OWNER),
        await new_key(full, STRANGER),
        await new_key(empty, STRANGER),
    )


@pytest.fixture(scope="module")
def walk(
    databases: tuple[str, str],
    tokens: tuple[str, str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Walk]:
    with ExitStack() as stack:
        full, empty = (
            stack.enter_context(guarded_server(url, tmp_path_factory.mktemp("walked")))
            for url in databases
        )
        servers = (full, full, empty)
        clients = owner, stranger, alone = tuple(
            stack.enter_context(_client(server, token))
            for server, token in zip(servers, tokens, strict=True)
        )
        facts = fill(owner)
        portals = {
            client: stack.enter_context(_client(server, portal_token(client, facts["subject"])))
            for server, client in zip(servers, clients, strict=True)
        }
        yield Walk(facts, owner, stranger, alone, portals, databases[0])


def _client(server: Guarded, token: str) -> httpx.Client:
    client = server.client(token)
    client.headers["x-request-id"] = "walk"  # it is in every problem
    return client


def portal_token(client: httpx.Client, subject: str) -> str:
    created = client.post("/api/v1/portal/tokens", json={"subject": subject}).raise_for_status()
    return str(created.json()["token"])


def rows_of(table: Table, namespace: str) -> ColumnElement[bool]:
    """The condition that a row belongs to a namespace, by itself or by its entitlement."""
    if "namespace" in table.c:
        return table.c.namespace == namespace
    entitlements = select(entitlement.c.id).where(entitlement.c.namespace == namespace)
    return table.c.entitlement_id.in_(entitlements)


async def belongings(database_url: str, namespace: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a namespace, by table."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        found = {
            table.name: sorted(
                tuple(map(str, row))
                for row in await connection.execute(
                    select(*(one for one in table.c if one.name != "last_used_at")).where(
                        rows_of(table, namespace)
                    )
                )
            )
            for table in metadata.sorted_tables
            if {"namespace", "entitlement_id"} & {*table.c.keys()} and table.name not in DERIVED
        }
    await engine.dispose()
    return found


def test_every_table_has_a_namespace() -> None:
    without = {table.name for table in metadata.sorted_tables if "namespace" not in table.c}
    assert without == WITHOUT_NAMESPACE.keys()


async def test_owner_has_something_of_everything(walk: Walk) -> None:
    empty = {
        table for table, rows in (await belongings(walk.database_url, OWNER)).items() if not rows
    }
    assert empty == set()


def test_every_operation_has_a_recipe_and_no_recipe_is_left_over() -> None:
    assert RECIPES.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("operation_id", WALKED)
async def test_stranger_is_answered_as_on_an_empty_server(walk: Walk, operation_id: str) -> None:
    before = await belongings(walk.database_url, OWNER)
    reads = operation_id in QUESTIONS - NEVER_THE_SAME
    of_owner = walk.answers(walk.owner, operation_id) if reads else []

    of_stranger = walk.answers(walk.stranger, operation_id)
    assert of_stranger == walk.answers(walk.alone, operation_id)
    assert [status for status, _ in of_stranger if status >= HTTPStatus.INTERNAL_SERVER_ERROR] == []

    assert await belongings(walk.database_url, OWNER) == before
    if reads:
        assert walk.answers(walk.owner, operation_id) == of_owner
        # Otherwise a call would ask for nothing that there is.
        alike = operation_id in ALIKE_FOR_ALL
        assert alike or {status for status, _ in of_owner} == {HTTPStatus.OK}
        told = [one != other for one, other in zip(of_owner, of_stranger, strict=True)]
        assert told == [not alike] * len(told)
