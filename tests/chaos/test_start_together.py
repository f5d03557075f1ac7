"""Three servers started at once where there is nothing yet: all become ready."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import httpx
from tests.chaos.servers import ServerProcess

SERVERS = 3
METERS = """
meters:
  - slug: together
    eventType: together
    aggregation: COUNT
"""


async def test_servers_started_together_on_an_empty_database_all_become_ready(
    directory: Path,
) -> None:
    config = directory / "config.yaml"
    config.write_text(METERS)
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                ServerProcess(directory, data_dir=str(directory), config=str(config))
            )
            for _ in range(SERVERS)
        ]
        await asyncio.gather(*(one.ready() for one in servers))
        async with httpx.AsyncClient() as http:
            for one in servers:
                meters = (await http.get(f"{one.url}/api/v1/meters")).json()
                assert [meter["slug"] for meter in meters] == ["together"]
        for one in servers:
            one.terminate()
        assert await asyncio.gather(*(one.ended() for one in servers)) == [0] * SERVERS
