"""A place that is pinged: a real HTTP server that keeps what it is asked, and fails on command."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from typing_extensions import override


class PingPlace:
    """Listens on 127.0.0.1 while it is in `with`.

    Attributes:
        calls: Paths that were asked for, with their queries.
        headers: Of the last request.
        status: What it answers; 0 closes the connection without an answer.
        drips_s: Seconds between the bytes of a header that never ends; None answers at once.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.headers: dict[str, str] = {}
        self.status = 200
        self.drips_s: float | None = None
        self._gone = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self)

    @property
    def url(self) -> str:
        """Its address, with a secret in it."""
        return f"http://127.0.0.1:{self._server.server_port}/a-secret-path/?key=secret"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def drip(self, write: Callable[[bytes], object]) -> None:
        """Answers a status line, then byte after byte until the caller hangs up."""
        write(f"HTTP/1.1 {self.status} OK\r\n".encode())
        with suppress(OSError):
            while not self._gone.wait(self.drips_s):
                write(b"x")

    def __exit__(self, *_: object) -> None:
        self._gone.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], place: PingPlace) -> None:
        self.place = place
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        place = self.server.place
        place.calls.append(self.path)
        place.headers = {name.lower(): value for name, value in self.headers.items()}
        if not place.status:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if place.drips_s is not None:
            place.drip(self.wfile.write)
            return
        self.send_response(place.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the output of tests clean."""
