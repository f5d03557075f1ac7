"""Three servers started at once where there is nothing yet, and stopped with nothing going on."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
from tests.chaos.servers import ServerProcess

SERVERS = 3
STOPPED_WITHIN_S = 15  # half the grace period, which nobody here has any use for
METERS = """
meters:
  - slug: together
    eventType: together
    aggregation: COUNT
"""


async def test_servers_started_together_become_ready_and_stop_despite_idle_connections(
    directory: Path,
) -> None:
    config = directory / "config.yaml"
    config.write_text(METERS)
    settings = {"data_dir": str(directory), "config": str(config)}
    async with AsyncExitStack() as stack:
        servers = [
            stack.enter_context(ServerProcess(directory, **settings)) for _ in range(SERVERS)
        ]
        await asyncio.gather(*(one.ready() for one in servers))
        # A kept connection to each, and one that never says a word.
        http = await stack.enter_async_context(httpx.AsyncClient())
        for one in servers:
            meters = (await http.get(f"{one.url}/api/v1/meters")).json()
            assert [meter["slug"] for meter in meters] == ["together"]
            _, silent = await asyncio.open_connection("127.0.0.1", one.port)
            stack.callback(silent.close)
        asked = time.monotonic()
        for one in servers:
            one.terminate()
        assert await asyncio.gather(*(one.ended() for one in servers)) == [0] * SERVERS
        assert time.monotonic() - asked < STOPPED_WITHIN_S
