"""A backend that shows a customer their usage: the page, and a token for who is signed in.

    python examples/portal/backend.py --meter tokens --customer customer-1

Standard library only. Yours has a framework, and sessions in place of `--customer`.
"""

import argparse
import json
import urllib.error
import urllib.request
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = (Path(__file__).parent / "index.html").read_bytes()
TIMEOUT_S = 10


def new_token(server: str, api_key: str | None, subject: str, meter: str) -> str:
    """A token for one customer and one meter, good for an hour."""
    headers = {"Content-Type": "application/json"}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
    body = json.dumps({"subject": subject, "allowedMeterSlugs": [meter]}).encode()
    request = urllib.request.Request(f"{server}/api/v1/portal/tokens", body, headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        token: str = json.load(answer)["token"]
        return token


class Backend(BaseHTTPRequestHandler):
    options: argparse.Namespace

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(HTTPStatus.OK, "text/html; charset=utf-8", PAGE)
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found\n")

    def do_POST(self) -> None:
        if self.path != "/token":
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found\n")
            return
        chosen = self.options
        try:
            # Who is asking is for the session to say, never for the request.
            token = new_token(chosen.server, chosen.api_key, chosen.customer, chosen.meter)
        except urllib.error.URLError as error:
            self.log_error("no token: %s", error)
            self._answer(HTTPStatus.BAD_GATEWAY, "application/json", b'{"error": "no token"}')
            return
        answer = {"url": chosen.server, "meter": chosen.meter, "token": token}
        self._answer(HTTPStatus.OK, "application/json", json.dumps(answer).encode())

    def _answer(self, status: HTTPStatus, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    parser = argparse.ArgumentParser(description="A page with a customer's usage.")
    parser.add_argument("--server", default="http://127.0.0.1:8888", help="monometer's URL")
    parser.add_argument("--api-key", help="where the server asks for one")
    parser.add_argument("--meter", required=True, help="slug of the meter to show")
    parser.add_argument("--customer", required=True, help="the subject who is signed in")
    parser.add_argument("--port", type=int, default=3000)
    Backend.options = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", Backend.options.port), Backend)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
