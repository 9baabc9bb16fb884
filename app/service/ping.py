"""Ping: calls a place outside while all is well; what matters is that it notices the silence.

Only silence says that something is wrong. An address of another kind ("…/fail") would be known by
some places and counted as a sign of life by others.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override

from app.service.health import Health
from telemetry.otlp_http import reason_of

#: Seconds that the other side may take to connect, and for each piece of its answer.
TIMEOUT_S: Final = 10.0
#: Seconds that a call may take from its first to its last byte; then it is cut.
TOTAL_S: Final = 15.0
#: Seconds between two cuts of a call that does not end by the first.
_CUT_S: Final = 0.2


def held_by(health: Health) -> list[str]:
    """The parts for whose sake it is not called: what is required, and the canary.

    A canary that is on, but has proven nothing yet, holds it too.
    """
    bad = [one.name for one in health.checks.values() if one.level == "bad" and one.is_required]
    canary = health.checks["canary"]
    return [*bad, "canary"] if canary.level in {"bad", "unknown"} else bad


def call(url: str, *, within_s: float = TOTAL_S) -> str | None:
    """Calls the address once: a GET, which must be answered with 2xx; its body is not read.

    Args:
        url: The address.
        within_s: Seconds after which it is cut, however busily it answers.

    Returns:
        None where it was accepted; else why not, in words without the address, which is a secret.
    """
    wires = _Wires()
    try:
        with requests.Session() as session, _cut_after(within_s, wires):
            session.auth = _as_it_is
            session.mount("http://", wires)
            session.mount("https://", wires)
            with session.get(
                url, timeout=(TIMEOUT_S, TIMEOUT_S), allow_redirects=False, stream=True
            ) as answer:
                status = answer.status_code
        trouble = None
    except (requests.RequestException, OSError) as error:
        status, trouble = 0, reason_of(error)
    if wires.is_cut:
        # http.client takes the cut for the end of the headers, and answers
        trouble = f"it was not over after {within_s:g} s"
    if trouble is not None:
        return f"no answer: {trouble}"
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"it answers {status}, a redirect: set the address that it leads to"
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    return f"it answers {status} {phrase}".rstrip()


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Nothing of a ~/.netrc is added."""
    return request


class _Wires(HTTPAdapter):
    """The connections of one call, kept so that another thread can cut them.

    A timeout of requests bounds the wait for a piece of the answer, and no number of pieces.
    """

    def __init__(self) -> None:
        super().__init__()
        self._made: list[Any] = []
        self.is_cut = False

    @override
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = self._kept(pool.ConnectionCls)
        return pool

    def _kept(self, make: Callable[..., Any]) -> Callable[..., Any]:
        def made(**kwargs: Any) -> Any:
            self._made.append(make(**kwargs))
            return self._made[-1]

        return made

    def cut(self) -> None:
        """Ends what is open below TLS, whose own way to end would disturb who reads."""
        self.is_cut = True
        for one in list(self._made):
            if isinstance(one.sock, socket.socket):
                with suppress(OSError):
                    socket.socket.shutdown(one.sock, socket.SHUT_RDWR)


@contextmanager
def _cut_after(within_s: float, wires: _Wires) -> Iterator[None]:
    over = threading.Event()

    def watch() -> None:
        if not over.wait(within_s):
            wires.cut()
            while not over.wait(_CUT_S):
                wires.cut()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
