"""A server in Jaeger's place, which answers as a test says, and counts who asks at the same time.

with JaegerSite.running() as site:
    site.status, site.body = HTTPStatus.OK, answer(SPAN)
    …  # VOXTRACE_JAEGER_URL is `site.url`
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from typing_extensions import override

#: Seconds that requests wait for those that must come beside them.
_PATIENCE_S: Final = 5.0
SPAN: Final[dict[str, Any]] = {
    "traceId": "ab" * 16,
    "spanId": "cd" * 8,
    "parentSpanId": "",
    "name": "tts task",
    "kind": 1,
    "startTimeUnixNano": "1795625158052875000",
    "endTimeUnixNano": "1795625158230732000",
    "attributes": [
        {"key": "a", "value": {"intValue": "9007199254740993"}},
        {"key": "b", "value": {"doubleValue": 0.5}},
        {"key": "c", "value": {"boolValue": False}},
        {"key": "d", "value": {"stringValue": "é"}},
    ],
    "status": {"code": 2, "message": "timeout"},
}


def answer(*spans: dict[str, Any]) -> str:
    """The body of Jaeger's answer with these spans."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "voxtrace"}}]}
    scope_spans = [{"scope": {"name": "voxtrace"}, "spans": list(spans)}]
    return json.dumps(
        {"result": {"resourceSpans": [{"resource": resource, "scopeSpans": scope_spans}]}}
    )


class JaegerSite(ThreadingHTTPServer):
    """Answers each request with `status` and `body`; at first that it has no such trace.

    Attributes:
        together: Requests that must be in hand at once before the first one is answered.
        most: Requests that were in hand at once.
        connections: Connections that were made.
        asked: Paths that were asked for.
        authorization: What the last request showed.
    """

    status: int = HTTPStatus.NOT_FOUND
    body: str = json.dumps({"error": {"httpCode": 404, "message": "trace not found"}})
    together: int = 1
    authorization: str | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.most = self.connections = self._in_hand = 0
        self.asked: list[str] = []
        self._changed = threading.Condition()

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Self]:
        """A site that answers until the context ends."""
        with cls() as site:
            thread = threading.Thread(target=site.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield site
            finally:
                site.shutdown()
                thread.join()

    @property
    def url(self) -> str:
        """Value for VOXTRACE_JAEGER_URL."""
        return f"http://127.0.0.1:{self.server_port}"

    def connected(self) -> None:
        """Counts a connection."""
        with self._changed:
            self.connections += 1

    @contextmanager
    def in_hand(self, path: str) -> Iterator[None]:
        """Counts a request, and keeps it until enough have come beside it, or nobody comes."""
        with self._changed:
            self.asked.append(path)
            self._in_hand += 1
            self.most = max(self.most, self._in_hand)
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self.most >= self.together, _PATIENCE_S):
                self.together = 1
        try:
            yield
        finally:
            with self._changed:
                self._in_hand -= 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, as Jaeger keeps them

    @override
    def setup(self) -> None:
        super().setup()
        self._site.connected()

    def do_GET(self) -> None:
        with self._site.in_hand(self.path):
            self._site.authorization = self.headers.get("Authorization")
            body = self._site.body.encode()
            self.send_response(self._site.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    @override
    def log_message(self, *_: object) -> None:
        pass

    @property
    def _site(self) -> JaegerSite:
        assert isinstance(self.server, JaegerSite)
        return self.server
