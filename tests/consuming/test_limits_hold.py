"""However many consume at once, on however many servers, a hard limit is met to the unit."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from tests.chaos.servers import ServerProcess
from tests.support.consuming import Consuming, connected, consume_at_once
from tests.support.databases import new_database
from tests.support.entitling import Found
from tests.support.server import running_server

CLIENTS = 100
LIMIT = 1_000
SEEDS = range(10)
ANSWERED_BEFORE_THE_KILL = 200


@pytest.fixture(scope="module")
async def shared_database(postgres_url: str) -> AsyncIterator[str]:
    async with new_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="module")
def servers(
    shared_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Two, each a process of its own, on one database."""
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(running_server(shared_database, tmp_path_factory.mktemp("one")))
            for _ in range(2)
        )
        yield one, other


@pytest.fixture(scope="module")
def api(servers: tuple[str, str]) -> Iterator[Consuming]:
    with Consuming(servers[0]) as client:
        yield client


def requests(seed: int, amounts: Sequence[int]) -> list[dict[str, Any]]:
    """More than the limit takes, in random order, some of them twice."""
    rng = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    bodies: list[dict[str, Any]] = []
    taken = 0
    while taken < LIMIT * 1.1:
        amount = rng.choice(amounts)
        taken += amount
        bodies.append({"id": uuid4().hex, "source": "test", "amount": amount})
    bodies += rng.sample(bodies, len(bodies) // 20)
    rng.shuffle(bodies)
    return bodies


def taken(decided: Mapping[str, Found]) -> int:
    return sum(one["amount"] for one in decided.values() if one["allowed"])


def assert_allowed_one_after_the_other(decided: Mapping[str, Found]) -> None:
    """Each found what the one before it had left, and what was left last was not enough."""
    allowed = sorted((one for one in decided.values() if one["allowed"]), key=lambda d: d["usage"])
    for before, after in pairwise(allowed):
        assert after["usage"] == before["usage"] + after["amount"]
    left = LIMIT - allowed[-1]["usage"]
    assert all(one["balance"] == LIMIT - one["usage"] for one in decided.values())
    denied = [one for one in decided.values() if not one["allowed"]]
    assert denied
    assert all(one["amount"] > one["balance"] >= left for one in denied)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_thousand_are_allowed_and_not_one_more(
    api: Consuming, servers: tuple[str, str], seed: int
) -> None:
    who, key = api.limited(LIMIT)
    bodies = requests(seed, [1])
    path = f"{api.path(who)}/{key}/consume"
    # Odd seeds ask one server, even ones both.
    decided = await consume_at_once(servers[: 2 - seed % 2], path, bodies, clients=CLIENTS)
    assert taken(decided) == LIMIT
    assert_allowed_one_after_the_other(decided)
    assert api.worth(who, key)["usage"] == LIMIT


async def test_amounts_of_many_sizes_are_decided_as_if_one_after_the_other(
    api: Consuming, servers: tuple[str, str]
) -> None:
    who, key = api.limited(LIMIT)
    path = f"{api.path(who)}/{key}/consume"
    bodies = requests(7, [1, 3, 10, 25])
    decided = await consume_at_once(servers, path, bodies, clients=CLIENTS)
    assert_allowed_one_after_the_other(decided)
    assert api.worth(who, key)["usage"] == taken(decided) <= LIMIT


async def test_one_event_asked_for_at_once_of_two_entitlements_is_consumed_of_one(
    api: Consuming, servers: tuple[str, str]
) -> None:
    names = [api.limited(LIMIT) for _ in servers]
    paths = [f"{api.path(who)}/{key}/consume" for who, key in names]
    async with connected(servers[0]) as one, connected(servers[1]) as other:
        for _ in range(20):
            body = {"id": uuid4().hex, "source": "test", "amount": 1}
            answers = await asyncio.gather(one(paths[0], body), other(paths[1], body))
            statuses = sorted(status for status, _ in answers)
            assert statuses == [HTTPStatus.OK, HTTPStatus.CONFLICT]
    assert sum(api.worth(who, key)["usage"] for who, key in names) == 20


@pytest.mark.parametrize("seed", range(2))
async def test_kill_nine_in_the_middle_is_settled_by_retries(
    api: Consuming, servers: tuple[str, str], shared_database: str, seed: int, tmp_path: Path
) -> None:
    who, key = api.limited(LIMIT)
    path = f"{api.path(who)}/{key}/consume"
    bodies = requests(seed, [1])
    with ServerProcess(tmp_path, database_url=shared_database, data_dir=str(tmp_path)) as hurt:
        await hurt.ready()
        acknowledged: dict[str, Found] = {}
        await _kill_while(hurt, path, bodies, acknowledged)
    assert ANSWERED_BEFORE_THE_KILL <= len(acknowledged) < len(bodies)
    decided = await consume_at_once(servers, path, bodies, clients=CLIENTS)
    assert taken(decided) == LIMIT
    assert api.worth(who, key)["usage"] == LIMIT
    for id_, first in acknowledged.items():
        if first["allowed"]:
            assert decided[id_] == {**first, "duplicate": True}


async def _kill_while(
    server: ServerProcess, path: str, bodies: Sequence[Found], acknowledged: dict[str, Found]
) -> None:
    """The server is lost once so many are answered; clients see their connections break."""

    class Answers(dict[str, Found]):
        def __setitem__(self, id_: str, decision: Found) -> None:
            acknowledged[id_] = decision
            if len(acknowledged) == ANSWERED_BEFORE_THE_KILL:
                server.kill_everything()

    with pytest.raises((OSError, EOFError)):
        await consume_at_once([server.url], path, bodies, clients=CLIENTS, decided=Answers())
