"""A collector that takes everything and keeps nothing, as a program of its own.

python -m tests.bench.sink http|grpc      prints its port, and answers until it is killed
"""

import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from typing_extensions import override

_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together

    def do_POST(self) -> None:
        """Takes a body, whatever it is."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Prints nothing."""


def _http() -> int:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def _grpc() -> tuple[int, grpc.Server]:
    server = grpc.server(ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(lambda _body, _context: b"")
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(_SERVICE, {"Export": handler}),)
    )
    port: int = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return port, server


def main() -> None:
    """Serves until it is killed."""
    kept: list[object] = []
    if sys.argv[1] == "http":
        port = _http()
    else:
        port, server = _grpc()
        kept.append(server)
    print(port, flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
