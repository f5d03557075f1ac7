"""The HTTP client of the commands that talk to a running server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec
import typer

from monometer.cli.errors import CliError

DEFAULT_URL = "http://127.0.0.1:8888"
TIMEOUT = httpx.Timeout(60, connect=5)  # seconds
Kind = TypeVar("Kind")

UrlOption = Annotated[
    str, typer.Option("--url", envvar="MONOMETER_URL", help="Where the server is.")
]
TokenOption = Annotated[
    str | None,
    typer.Option("--token", envvar="MONOMETER_TOKEN", help="An API key of the server."),
]


class Client:
    """A server at `url`. Safe to share between threads.

    Every method raises CliError: for a server that cannot be reached, an answer that is no
    success (its problem+json as one line), and an answer that is not what a server sends.
    """

    def __init__(self, url: str, token: str | None = None, *, connections_max: int = 1) -> None:
        self.url = url
        headers = {"User-Agent": "monometer-cli"}
        if token:
            if not (token.isascii() and token.isprintable()):
                raise CliError("the token must be printable ASCII")
            headers["Authorization"] = f"Bearer {token}"
        try:
            self._http = httpx.Client(
                base_url=url,
                headers=headers,
                timeout=TIMEOUT,
                limits=httpx.Limits(max_connections=connections_max),
            )
        except httpx.InvalidURL as error:
            raise CliError(f"{url} is not a URL: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def try_send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, whatever its status. Raises httpx.TransportError when none was answered."""
        try:
            return self._http.request(method, path, **options)
        except httpx.UnsupportedProtocol as error:
            raise CliError(f"{self.url!r} must begin with http:// or https://") from error
        except (httpx.InvalidURL, httpx.DecodingError) as error:
            raise CliError(f"{self.url}: {error}") from error

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request that must succeed."""
        try:
            response = self.try_send(method, path, **options)
        except httpx.TransportError as error:
            raise self.unreachable(error) from error
        if not response.is_success:
            raise CliError(problem_line(response))
        return response

    @contextmanager
    def stream(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """One request that must succeed, its body not yet read."""
        try:
            with self._http.stream(method, path, **options) as response:
                if not response.is_success:
                    response.read()
                    raise CliError(problem_line(response))
                yield response
        except httpx.UnsupportedProtocol as error:
            raise CliError(f"{self.url!r} must begin with http:// or https://") from error
        except httpx.TransportError as error:
            raise self.unreachable(error) from error
        except (httpx.InvalidURL, httpx.DecodingError) as error:
            raise CliError(f"{self.url}: {error}") from error

    def unreachable(self, error: httpx.TransportError) -> CliError:
        """The line for a request without an answer."""
        if isinstance(error, httpx.ConnectError):
            return CliError(f"cannot reach {self.url} ({error}): is `monometer serve` running?")
        reason = str(error) or type(error).__name__
        return CliError(f"no answer from {self.url}: {reason}")


def problem_line(response: httpx.Response) -> str:
    """A refused request in one line: status, title and detail of its problem+json."""
    try:
        problem = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    title = problem.get("title") or response.reason_phrase or "error"
    detail = problem.get("detail")
    line = f"the server answers {response.status_code} {title}"
    return f"{line}: {detail}" if detail else line


def json_of(response: httpx.Response, kind: type[Kind]) -> Kind:
    """The body of an answer as `kind`; anything else is not a monometer server."""
    try:
        return msgspec.json.decode(response.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CliError(f"{response.url} does not answer like monometer: {error}") from error


def meter_path(id_or_slug: str, rest: str = "") -> str:
    return f"/api/v1/meters/{quote(id_or_slug, safe='')}{rest}"
