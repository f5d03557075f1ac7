"""Where the secret comes from, who shares it, and that nobody tells it."""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.databases import new_database
from tests.support.metering import Metering, refusal
from tests.support.portal import PORTAL_SECRET, Portal, claims_of, refused, token_of
from tests.support.server import clean_environment, running_server

A_PEM = f"-----BEGIN PUBLIC KEY-----\n{'x' * 40}\n-----END PUBLIC KEY-----"
DISABLED = "not implemented error: portal is not enabled"
# Says whether two servers on one directory have one secret, without saying it.
FIRST_START = """
import sys
from pathlib import Path
from monometer.embedded import kept_portal_secret
print(hash(kept_portal_secret(Path(sys.argv[1]))))
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A short path that PostgreSQL's user may enter."""
    with tempfile.TemporaryDirectory(prefix="monometer-portal-") as directory:
        yield Path(directory)


def serve_in_vain(**settings: str) -> str:
    """The one line of a server that does not start."""
    variables = {f"MONOMETER_{name.upper()}": value for name, value in settings.items()}
    done = subprocess.run(
        [sys.executable, "-m", "monometer", "serve", "--address", "127.0.0.1:0"],
        env=clean_environment(variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return done.stderr


def test_embedded_database_brings_a_secret_that_is_kept_private_and_untold(
    data_dir: Path,
) -> None:
    with running_server("", data_dir) as url, Metering(url) as api:
        token = Portal(api).create()["token"]
        meter = api.create()
        assert Portal(api).query(meter, token).status_code == HTTPStatus.OK
        refused(Portal(api).query(meter, token[:-3] + "xyz"))
    file = data_dir / "portal.secret"
    secret = file.read_text()
    assert len(secret) >= 43  # 32 random bytes
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.stat().st_uid == os.geteuid()
    logged = (data_dir / "server.log").read_text()
    assert secret not in logged
    assert token not in logged
    with running_server("", data_dir, workers="2", log_level="debug") as url, Metering(url) as api:
        for _ in range(8):
            assert Portal(api).query(meter, token).status_code == HTTPStatus.OK
    assert file.read_text() == secret
    assert secret not in (data_dir / "server.log").read_text()


def test_first_ones_to_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FIRST_START, str(tmp_path)]
    environment = {**clean_environment({}), "PYTHONHASHSEED": "0"}
    together = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(8)
    ]
    assert len({process.communicate(timeout=60)[0] for process in together}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["portal.secret"]


def test_damaged_secret_stops_the_start_and_says_where_it_is(data_dir: Path) -> None:
    (data_dir / "portal.secret").write_text("short")
    said = serve_in_vain(data_dir=str(data_dir))
    assert "portal.secret is damaged" in said
    assert "Traceback" not in said


async def test_without_a_secret_the_portal_is_off_on_a_database_of_ones_own(
    postgres_url: str, tmp_path: Path
) -> None:
    async with new_database(postgres_url) as database:
        with running_server(database, tmp_path) as url, Metering(url) as api:
            assert_disabled(api)
        assert not (tmp_path / "portal.secret").exists()


async def test_portal_can_be_switched_off(postgres_url: str, tmp_path: Path) -> None:
    settings = {"portal_token_secret": PORTAL_SECRET, "portal_enabled": "false"}
    async with new_database(postgres_url) as database:
        with running_server(database, tmp_path, **settings) as url, Metering(url) as api:
            assert_disabled(api)


def assert_disabled(api: Metering) -> None:
    requests: list[tuple[str, Any]] = [
        ("/api/v1/portal/tokens", {"subject": "ann"}),
        ("/api/v1/portal/tokens/invalidate", {}),
    ]
    answers = [api.post(path, body) for path, body in requests]
    for answer in [*answers, api.http.get("/api/v1/portal/tokens")]:
        assert refusal(answer) == (HTTPStatus.NOT_IMPLEMENTED, DISABLED)
    assert api.post("/api/v1/portal/tokens", {}).status_code == HTTPStatus.BAD_REQUEST
    meter = api.create()
    answer = Portal(api).query(meter, token_of(claims_of()))
    assert refused(answer) == "invalid token: portal is not enabled"
    anonymous = httpx.get(f"{api.http.base_url}/api/v1/portal/meters/{meter['slug']}/query")
    assert refused(anonymous) == "missing authorization header"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"portal_token_secret": "x" * 31}, "portal_token_secret must have at least 32 bytes"),
        ({"portal_enabled": "true"}, "portal_token_secret is required"),
        (
            {"portal_token_secret": A_PEM},
            "portal_token_secret: it is a certificate or a public key, not a secret",
        ),
    ],
)
async def test_secret_that_is_none_stops_the_start_and_is_not_told(
    postgres_url: str, settings: dict[str, str], why: str
) -> None:
    async with new_database(postgres_url) as database:
        said = serve_in_vain(database_url=database, **settings)
    assert why in said
    assert "x" * 31 not in said
    assert "Traceback" not in said
