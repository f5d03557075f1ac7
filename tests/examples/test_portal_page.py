"""The page of examples/portal, on an origin of its own, draws one customer's usage.

Read by Chromium where there is one; always by the requests that a browser makes for the page.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeAlias

import httpx
import pytest
from tests.support.metering import Metering, at
from tests.support.server import free_port

BACKEND: Final = Path(__file__).parents[2] / "examples" / "portal" / "backend.py"
CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
BROWSER_WAIT_S: Final = 180
NOW: Final = datetime.now(UTC)  # noqa: TID251 - the page shows the last days
BEFORE: Final = NOW - timedelta(days=3)

Reader: TypeAlias = Callable[[str], set[str]]


@pytest.fixture(scope="module")
def page(base_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the page, for ann, whose usage differs from bob's."""
    with Metering(base_url) as api:
        meter = api.create("SUM")
        api.send(
            meter,
            at(NOW.isoformat(), subject="ann", data={"v": 1.5}),
            at(BEFORE.isoformat(), subject="ann", data={"v": 20}),
            at(NOW.isoformat(), subject="bob", data={"v": 300}),
        )
    port = free_port()
    log = tmp_path_factory.mktemp("page") / "backend.log"
    command = [sys.executable, str(BACKEND), "--server", base_url, "--port", str(port)]
    command += ["--meter", meter["slug"], "--customer", "ann"]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output, text=True)
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(30)
            if process.stdout:
                process.stdout.close()


def by_http(page: str) -> set[str]:
    """What a browser does: the page, a token, a preflight, the query, and its rules on origins."""
    assert "Your usage" in httpx.get(page).raise_for_status().text
    given = httpx.post(f"{page}/token").raise_for_status().json()
    query = f"{given['url']}/api/v1/portal/meters/{given['meter']}/query"
    preflight = httpx.options(
        query,
        headers={
            "origin": page,
            "access-control-request-method": "GET",
            "access-control-request-headers": "authorization",
        },
    )
    assert preflight.status_code == HTTPStatus.OK
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    assert "GET" in preflight.headers["access-control-allow-methods"]
    headers = {"origin": page, "authorization": f"Bearer {given['token']}"}
    answer = httpx.get(query, params={"windowSize": "DAY"}, headers=headers)
    for one in (preflight, answer):
        assert one.headers["access-control-allow-origin"] == page
    rows = answer.raise_for_status().json()["data"]
    return {f"{row['windowStart'][:10]}: {row['value']}" for row in rows}


def by_chromium(page: str) -> set[str]:
    """The bars that are not empty, as the page names them."""
    with tempfile.TemporaryDirectory(prefix="monometer-chromium-") as profile:
        command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
        command += ["--no-first-run", "--disable-background-networking", "--disable-sync"]
        command += ["--disable-component-update", f"--user-data-dir={profile}"]
        command += ["--lang=en-US", "--virtual-time-budget=10000", "--dump-dom", page]
        looked = subprocess.run(
            command,
            env={"TZ": "UTC", "HOME": profile, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=BROWSER_WAIT_S,
            check=True,
        )
    assert "21.5 in the last 30 days" in looked.stdout, looked.stdout[-2000:]
    bars = re.findall(r"<title>([0-9-]{10}: [0-9.]+)</title>", looked.stdout)
    assert len(bars) == 30
    return {bar for bar in bars if not bar.endswith(": 0")}


READERS: Final[list[Reader]] = [by_http, by_chromium] if CHROMIUM else [by_http]


@pytest.mark.parametrize("read", READERS)
def test_page_of_another_origin_shows_its_customers_usage_and_nobody_elses(
    page: str, read: Reader
) -> None:
    assert read(page) == {f"{NOW.date()}: 1.5", f"{BEFORE.date()}: 20"}


def test_browser_gets_a_token_for_its_customer_and_no_secret(page: str) -> None:
    given = httpx.post(f"{page}/token").raise_for_status().json()
    assert set(given) == {"url", "meter", "token"}
    other = f"{given['url']}/api/v1/portal/meters/another/query"
    refused = httpx.get(other, headers={"authorization": f"Bearer {given['token']}"})
    assert refused.json()["detail"] == "meter slug not allowed"
