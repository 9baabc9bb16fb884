"""A place that is told of findings: a real HTTP server that keeps what comes, fails on command."""

import json
import socket
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from typing_extensions import override


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: names of headers in lower case, the body as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        """The body as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found


class HookPlace:
    """Listens on 127.0.0.1 while it is in `with`.

    Attributes:
        script: What the next calls are answered; 0 closes the connection. After it: 200.
    """

    def __init__(self) -> None:
        self.script: deque[int] = deque()
        self._changed = threading.Condition()
        self._calls: list[Call] = []
        self._may_answer = threading.Event()
        self._may_answer.set()
        self._server = _Server(("127.0.0.1", 0), self)

    @property
    def url(self) -> str:
        """Its address, with a secret in it."""
        return f"http://127.0.0.1:{self._server.server_port}/hook?key=a-secret-key"

    @property
    def calls(self) -> list[Call]:
        """What came, in order, answered or not."""
        with self._changed:
            return list(self._calls)

    def hold(self) -> None:
        """Keeps every answer back until `release`."""
        self._may_answer.clear()

    def release(self) -> None:
        """Answers what waits, and what comes."""
        self._may_answer.set()

    def until_called(self, n: int, timeout_s: float = 30.0) -> list[Call]:
        """The calls, once there are `n` of them."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self._calls) >= n, timeout_s)
            assert came, f"{len(self._calls)} calls of {n} after {timeout_s} s"
            return list(self._calls)

    def take(self, call: Call) -> int:
        """Keeps a call; what it is answered."""
        with self._changed:
            self._calls.append(call)
            status = self.script.popleft() if self.script else 200
            self._changed.notify_all()
        self._may_answer.wait(60)
        return status

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], place: HookPlace) -> None:
        self.place = place
        super().__init__(address, _Handler)

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that was killed is no error here."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, _Server)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers["content-length"]))
        status = self.server.place.take(Call(headers=headers, body=body))
        if not status:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the output of tests clean."""
