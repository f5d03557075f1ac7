"""`monometer ingest` against a server that is not well: an HTTP server of this test's own."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.support.server import clean_environment

EVENTS = '{"id":"a"}\n{"id":"b"}\n'
STORED = {"accepted": 2, "duplicate": 0, "rejected": 0, "results": []}


@contextmanager
def unwell_server(
    *answers: tuple[int, dict[str, str], object] | None,
) -> Iterator[tuple[str, list[float]]]:
    """URL of a server, and the times of its POSTs.

    Each POST gets the next of `answers`, the last one again and again; for None the connection is
    closed without an answer.
    """
    times: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, {}, {"version": "0"})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            times.append(time.monotonic())
            answer = answers[min(len(times), len(answers)) - 1]
            if answer is None:
                self.close_connection = True
            else:
                self._answer(*answer)

        def _answer(self, status: int, headers: dict[str, str], body: object) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, text in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", times
        finally:
            server.shutdown()
            thread.join()


def ingest(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monometer", "ingest", "-", "--url", url],
        input=EVENTS,
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment({}),
        check=False,
    )


def test_a_busy_server_is_asked_again_when_it_says() -> None:
    with unwell_server((503, {"Retry-After": "2"}, {}), None, (200, {}, STORED)) as (url, times):
        done = ingest(url)
    assert done.stdout.startswith("accepted 2, duplicate 0, rejected 0 ("), done.stderr
    assert done.returncode == 0
    assert len(times) == 3
    assert times[1] - times[0] >= 2


def test_a_server_that_takes_nothing_is_one_line_and_a_way_on() -> None:
    problem = {"title": "Unauthorized", "detail": "an API key\nis needed"}
    with unwell_server((401, {}, problem)) as (url, times):
        done = ingest(url)
    assert done.returncode == 1
    assert len(times) == 1
    hint, reason = done.stderr.splitlines()
    assert hint.startswith("Not finished. Run the same command again")
    assert reason == "monometer: the server answers 401 Unauthorized: an API key; is needed"


def test_an_answer_that_does_not_add_up_is_not_believed() -> None:
    with unwell_server((200, {}, {**STORED, "accepted": 1})) as (url, _):
        done = ingest(url)
    assert done.returncode == 1
    assert "does not add up" in done.stderr
