"""Two kinds of address: where the server listens, and where its PostgreSQL is."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

PORT_MAX = 65535
POSTGRES_SCHEMES = ("postgres", "postgresql", "postgresql+asyncpg")
# What asyncpg takes from a URL; `sslmode` is libpq's word for its `ssl`.
PARAMETERS = frozenset({"host", "port", "ssl", "target_session_attrs"})
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")


def host_and_port(address: str) -> tuple[str, int]:
    """Split a listen address: `:8888`, `HOST:8888`, `127.0.0.1:8888`, `[::1]:8888`.

    No host means every IPv4 address. Port 0 lets the system choose.
    Raises ValueError with the reason.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > PORT_MAX:
        raise ValueError("must be HOST:PORT or :PORT with a port from 0 to 65535")
    try:
        return _host(host), int(port)
    except AddressValueError as error:
        raise ValueError(f"not an IP address: {error}") from None


def _host(host: str) -> str:
    if not host:
        return "0.0.0.0"  # noqa: S104 (":8888" says exactly that)
    if host.startswith("[") and host.endswith("]"):
        return str(IPv6Address(host[1:-1]))
    if ":" in host:
        raise ValueError("an IPv6 address goes in brackets: [::1]:8888")
    if re.fullmatch(r"[0-9.]+", host):
        return str(IPv4Address(host))
    if not _HOST_NAME.fullmatch(host):
        raise ValueError("the host is neither a name nor an IP address")
    return host


def is_loopback(host: str) -> bool:
    """Of names `localhost` alone: what another means, another server may decide."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def asyncpg_url(text: str) -> str:
    """A PostgreSQL URL in the form SQLAlchemy's asyncpg dialect takes.

    Accepts the schemes `postgres`, `postgresql` and `postgresql+asyncpg`; keeps `?host=DIRECTORY`
    (Unix socket) and turns `sslmode` into asyncpg's `ssl`. A URL it made passes unchanged.
    Raises ValueError whose message holds no part of the URL but parameter names.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(
            "not a PostgreSQL URL: expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
            " (percent-encode special characters in the password)"
        ) from None
    if url.drivername not in POSTGRES_SCHEMES:
        raise ValueError("the scheme must be postgresql://")
    if url.port is not None and not 1 <= url.port <= PORT_MAX:
        raise ValueError("the port must be from 1 to 65535")
    if not url.database:
        raise ValueError("the database name is missing: postgresql://HOST/DATABASE")
    return _with_asyncpg_parameters(url).render_as_string(hide_password=False)


def _with_asyncpg_parameters(url: URL) -> URL:
    query = dict(url.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    if query.get("ssl", "prefer") not in SSL_MODES:
        raise ValueError(f"sslmode must be one of {', '.join(SSL_MODES)}")
    # channel_binding comes with the URLs some providers hand out; asyncpg has no such switch.
    query.pop("channel_binding", None)
    unknown = sorted(query.keys() - PARAMETERS)
    if unknown:
        raise ValueError(
            f"parameter not supported: {', '.join(unknown)}"
            " (certificates are given by PGSSLROOTCERT, PGSSLCERT and PGSSLKEY)"
        )
    return url.set(drivername="postgresql+asyncpg", query=query)
