"""The work of `monometer key`: API keys, in the settings' database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from monometer import logs
from monometer.api.wire import instant_from_wire
from monometer.app import new_id, now
from monometer.cli.errors import CliError
from monometer.cli.settings import database, read_settings
from monometer.cli.tables import print_table
from monometer.config import Settings
from monometer.core.access import ApiKey, KeyScope
from monometer.core.errors import DomainError
from monometer.services.keys import Keys
from monometer.store.engine import create_engine
from monometer.store.migrate import upgrade

Result = TypeVar("Result")


def create(
    config: Path | None,
    *,
    name: str,
    scopes: list[str],
    namespace: str | None,
    expires: str | None,
) -> tuple[ApiKey, str]:
    """The new key, and what is to be sent as the bearer token. Raises CliError."""
    settings = read_settings(config)
    wanted = [_scope_from_text(scope) for scope in scopes]
    try:
        expires_at = None if expires is None else instant_from_wire(expires)
    except ValueError as error:
        raise CliError(f"--expires {error}") from None
    return _in_database(
        settings,
        lambda keys: keys.create_key(
            settings.namespace if namespace is None else namespace,
            name=name,
            scopes=wanted,
            expires_at=expires_at,
        ),
    )


def print_list(config: Path | None, *, namespace: str | None, revoked: bool) -> None:
    """One line a key, those of all namespaces unless one is given."""
    keys = _in_database(
        read_settings(config), lambda keys: keys.keys(namespace, include_revoked=revoked)
    )
    columns = ["id", "namespace", "name", "begins with", "scopes", "created", "last used", "ends"]
    print_table(columns, [_line(key) for key in keys])


def revoke(config: Path | None, id_: str) -> ApiKey:
    """Of whichever namespace. Raises CliError."""
    return _in_database(read_settings(config), lambda keys: keys.revoke_key(None, id_))


def _line(key: ApiKey) -> list[str]:
    ends = f"revoked {_text(key.revoked_at)}" if key.revoked_at else _text(key.expires_at)
    scopes = ",".join(scope for scope in KeyScope if scope in key.scopes)
    times = [_text(key.created_at), _text(key.last_used_at), ends]
    return [key.id, key.namespace, key.name, key.prefix, scopes, *times]


def _text(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""


def _scope_from_text(text: str) -> KeyScope:
    try:
        return KeyScope(text)
    except ValueError:
        raise CliError(f"no such scope: {text}; there are {', '.join(KeyScope)}") from None


def _in_database(settings: Settings, work: Callable[[Keys], Awaitable[Result]]) -> Result:
    async def run(url: str) -> Result:
        await upgrade(url)  # the first key may be made before the first start
        engine = create_engine(
            url,
            connections_max=1,
            wait_s=settings.pool_wait_s,
            statement_timeout_s=settings.query_timeout_s,
        )
        try:
            return await work(Keys(engine, now=now, new_id=new_id))
        finally:
            await engine.dispose()

    # To standard error: on standard output there is the key, and nothing else.
    logs.configure(settings.log_level, settings.log_format)
    with database(settings) as found:
        try:
            return asyncio.run(run(found.url))
        except DomainError as error:
            raise CliError(str(error)) from error
