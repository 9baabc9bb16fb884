"""Calls of places outside whose addresses are secrets: one request, cut when it takes too long.

No redirect is followed, nothing of a ~/.netrc is added, the body of the answer is not read.
"""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override

from telemetry.otlp_http import reason_of

#: Seconds that the other side may take to connect, and for each piece of its answer.
TIMEOUT_S: Final = 10.0
#: Seconds that a call may take from its first to its last byte; then it is cut.
TOTAL_S: Final = 15.0
#: Seconds between two cuts of a call that does not end by the first.
_CUT_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """How a call went.

    Attributes:
        status: Of the answer; None where there was none.
        error: Why it was not accepted, in words without the address; None where it was (2xx).
    """

    status: int | None
    error: str | None


def call(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    within_s: float = TOTAL_S,
) -> Called:
    """Calls an address once.

    Args:
        url: The address.
        method: GET or POST.
        body: What is sent; None for nothing.
        headers: Beside the usual ones.
        within_s: Seconds after which it is cut, however busily it answers.
    """
    wires = _Wires()
    try:
        with requests.Session() as session, _cut_after(within_s, wires):
            session.auth = _as_it_is
            session.mount("http://", wires)
            session.mount("https://", wires)
            with session.request(
                method,
                url,
                data=body,
                headers=dict(headers or {}),
                timeout=(TIMEOUT_S, TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            ) as answer:
                status = answer.status_code
        trouble = None
    except (requests.RequestException, OSError) as error:
        status, trouble = 0, reason_of(error)
    if wires.is_cut:
        # http.client takes the cut for the end of the headers, and answers
        trouble = f"it was not over after {within_s:g} s"
    if trouble is not None:
        return Called(status=None, error=f"no answer: {trouble}")
    return Called(status=status, error=_refusal(status))


def _refusal(status: int) -> str | None:
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
