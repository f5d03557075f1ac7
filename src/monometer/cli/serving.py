"""The work of `monometer serve`."""

import asyncio
import gc
import math
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn

import structlog
import typer
import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from monometer import __version__, logs
from monometer.api.deps import Services
from monometer.app import create_app, create_app_from_env
from monometer.cli.errors import CliError
from monometer.cli.settings import database, read_settings
from monometer.config import ConfigError, Settings, pass_to_workers
from monometer.core.errors import DomainError
from monometer.embedded import kept_portal_secret

BACKLOG = 2048  # connections waiting to be accepted; the kernel may allow fewer
WORKER_SILENCE_S = 30  # a worker that answers nothing for so long is replaced
log = structlog.get_logger(__name__)
GC_THRESHOLD = 50_000  # objects made and kept since the last look for garbage

STARTED_IN_VAIN = "the server did not start: see the log above"


def run_server(config: Path | None, *, address: str | None, workers: int | None) -> None:
    """Run until a signal asks to stop; then drain and return.

    Raises CliError for wrong settings, a taken address, and a server that does not start.
    """
    settings = read_settings(config, address=address, workers=workers)
    logs.configure(settings.log_level, settings.log_format)
    for warning in settings.warnings:
        log.warning(warning)
    for note in settings.notes:
        log.info(note)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    with listen(settings) as listener, database(settings) as found:
        settings = settings.model_copy(
            update={"database_url": found.url, "portal_token_secret": _portal_secret(settings)}
        )
        asyncio.run(_rehearse(settings, found.place))
        if settings.exposed and not settings.auth_required:
            log.error(
                "auth.off",
                address=settings.address,
                meaning="whoever reaches this address may read and change everything",
            )
        typer.echo(f"monometer {__version__}: {url_of(listener)}, data in {found.place}")
        # One way for one process and for many: workers read what is passed down here.
        pass_to_workers(settings)
        if settings.workers == 1:
            _run_here(settings, listener)
        else:
            _run_workers(settings, listener)


def _portal_secret(settings: Settings) -> str | None:
    """The given one; beside an embedded database else the one that its directory keeps.

    Raises CliError when that cannot be read.
    """
    is_given = settings.portal_token_secret is not None or settings.database_url is not None
    if is_given or settings.portal_enabled is False:
        return settings.portal_token_secret
    try:
        return kept_portal_secret(settings.data_dir)
    except ConfigError as error:
        raise CliError(str(error)) from error


def listen(settings: Settings) -> socket.socket:
    """The server's socket, bound before anything else is started.

    Raises CliError, one line, when the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise CliError(f"cannot listen on {settings.address}: {error.strerror}") from error
    except OSError as error:
        # create_server adds the address to the text, in Python's notation.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise CliError(f"cannot listen on {settings.address}: {reason}") from error


def url_of(listener: socket.socket) -> str:
    """The URL to reach a listener from its own machine."""
    host, port = listener.getsockname()[:2]
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (any address)
    return f"http://[{local}]:{port}" if ":" in local else f"http://{local}:{port}"


async def _rehearse(settings: Settings, place: str) -> None:
    """Start the application and stop it, before anyone listens.

    What keeps it from starting (no database, a meter that differs) is then one line, CliError,
    where uvicorn would print a traceback; and workers find the database migrated.
    """
    app = create_app(settings)
    try:
        async with app.router.lifespan_context(app):
            if settings.auth_required and settings.admin_key is None:
                await _mention_missing_key(app.state.services)
    except ConfigError as error:
        raise CliError(str(error)) from error
    except DomainError as error:
        raise CliError(f"{place}: {error}") from error


async def _mention_missing_key(services: Services) -> None:
    if not await services.keys.any_usable():
        log.warning(
            "auth.no_key",
            meaning="requests need an API key, and there is none yet",
            remedy="monometer key create NAME --scope admin",
        )


def _uvicorn_config(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        "monometer.cli.serving:served_app",
        factory=True,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # the application logs requests, with their ids
        server_header=False,
        proxy_headers=False,  # nobody asks who a client is, and headers can lie
        backlog=BACKLOG,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_grace_s),
        timeout_worker_healthcheck=WORKER_SILENCE_S,
    )


def _run_here(settings: Settings, listener: socket.socket) -> None:
    server = uvicorn.Server(_uvicorn_config(settings))

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # uvicorn takes the signals over, and after draining raises them again, for us: nothing to do
    # but to return, and exit with 0.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        server.run(sockets=[listener])
    except SystemExit as error:
        raise CliError(STARTED_IN_VAIN) from error


def _run_workers(settings: Settings, listener: socket.socket) -> None:
    with tempfile.TemporaryDirectory(prefix="monometer-metrics-") as directory:
        # prometheus_client of each worker writes its counts there, and /metrics adds them up.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory  # noqa: TID251 (written, not read)
        supervisor = _Supervisor(_uvicorn_config(settings), sockets=[listener])
        supervisor.run()
        if any(
            process.exitcode == uvicorn.config.STARTUP_FAILURE for process in supervisor.processes
        ):
            raise CliError(STARTED_IN_VAIN)


class _Supervisor(Multiprocess):
    """Closes what only its workers have a use for.

    Their end of the pipe: one killed in the middle of a health check is missed at once, not after
    WORKER_SILENCE_S. And at a stop the socket: a new connection is refused, not left waiting.
    """

    def keep_subprocess_alive(self) -> None:
        for one in self.processes:
            one.child_conn.close()
        super().keep_subprocess_alive()

    def terminate_all(self) -> None:
        for one in self.sockets:
            one.close()
        super().terminate_all()


def served_app() -> FastAPI:
    """What a server process serves. A worker stops when its parent is gone, whoever killed that.

    Otherwise it would keep the address, and no server could be started in the parent's place.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:

        def follow() -> None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=follow, name="follow-parent", daemon=True).start()
    app = create_app_from_env()
    # What is there by now stays. Looking for garbage in it, every few hundred requests, took a
    # third of the time of a busy server.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    return app


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
