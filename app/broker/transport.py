"""The table transport: a kombu transport whose queue is the task table.

`get` IS the atomic claim, so no message exists that could be lost or disagree with a row. `put` is
reached only where Celery gives a message back (at a shutdown): the attempt is then given back too.
It declares itself asynchronous, which buys Celery's asynpool: a pipe for each child (a killed child
cannot take a shared lock with it) and precise timers.

Nothing here may raise into the hub: it would end the whole worker. A database that is busy means
"nothing to do now".
"""

import base64
import json
from collections.abc import Callable
from queue import Empty
from typing import Any, Protocol

from kombu.transport import TRANSPORT_ALIASES, virtual
from typing_extensions import override

from app.broker import timers
from app.domain.claim import Claim, parse_key
from app.domain.errors import VoxtraceError
from app.logs.logger import logger_of

log = logger_of(__name__)

#: Name of the transport in a broker URL, of its one queue, and of the one task.
SCHEME = "voxtrace"
QUEUE = "tts"
TASK = "tts"
#: Seconds between looks at the table where no bell rings.
SWEEP_S = 0.25


class Desk(Protocol):
    """What the transport asks of the worker's parent process."""

    def claim(self) -> Claim | None:
        """Claims the next task; None for nothing."""
        ...

    def give_back(self, task_id: int, attempt: int) -> None:
        """Takes back an attempt that Celery will not run."""
        ...

    def time_limit_s(self, claim: Claim) -> float:
        """Celery's own hard limit for a claim, in seconds: the backstop."""
        ...

    def start(self, hub: Any, look: Callable[[], None]) -> None:
        """Puts the parent's timers and the bell on the hub; `look` makes it look for work."""
        ...


_desk: Desk | None = None


def open_desk(desk: Desk) -> None:
    """Names the desk that claims; before it, the transport has nothing to give."""
    global _desk  # noqa: PLW0603 - kombu makes transports by a class name, so they meet here
    _desk = desk


class QoS(virtual.QoS):
    """Looks for work right after an acknowledgement: a child is free (512 tasks/s against 12)."""

    @override
    def ack(self, delivery_tag: str) -> None:
        """Acknowledges, and looks."""
        super().ack(delivery_tag)  # type: ignore[no-untyped-call]
        self.channel.connection.look()


class Channel(virtual.Channel):
    """A channel over the task table."""

    QoS = QoS  # type: ignore[mutable-override]
    do_restore = True

    @override
    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        del timeout
        if queue != QUEUE or _desk is None:
            raise Empty
        try:
            claim = _desk.claim()
        except VoxtraceError as error:
            log.warning("a claim failed", error=error.message)
            raise Empty from error
        if claim is None:
            raise Empty
        return _message(claim, _desk.time_limit_s(claim))

    @override
    def _put(self, queue: str, message: dict[str, Any], **_kwargs: Any) -> None:
        del queue
        self._give_back(str((message.get("headers") or {}).get("id", "")))

    @override
    def _restore(self, message: Any) -> None:
        self._give_back(str(message.headers.get("id", "")))

    _restore_at_beginning = _restore

    def _give_back(self, key: str) -> None:
        parsed = parse_key(key)
        if parsed is not None and _desk is not None:
            _desk.give_back(*parsed)

    @override
    def _size(self, queue: str) -> int:
        del queue
        return 0

    @override
    def _purge(self, queue: str) -> int:
        del queue
        return 0

    @override
    def _new_queue(self, queue: str, **kwargs: Any) -> None:
        del queue, kwargs

    @override
    def _has_queue(self, queue: str, **kwargs: Any) -> bool:
        del queue, kwargs
        return True


def _message(claim: Claim, time_limit_s: float) -> dict[str, Any]:
    """A claim as a Celery message (protocol 2)."""
    body = json.dumps(
        [[claim.to_json()], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    )
    headers = {
        "lang": "py",
        "task": TASK,
        "id": claim.key,
        "root_id": claim.key,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "eta": None,
        "expires": None,
        "timelimit": [time_limit_s, None],
        "argsrepr": claim.key,
        "kwargsrepr": "{}",
        "origin": "task table",
    }
    properties = {
        "correlation_id": claim.key,
        "reply_to": "",
        "delivery_mode": 2,
        "priority": 0,
        "body_encoding": "base64",
        "delivery_info": {"exchange": "", "routing_key": QUEUE},
        "delivery_tag": claim.key,
    }
    return {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": properties,
    }


class Transport(virtual.Transport):
    """The transport `voxtrace://`."""

    Channel = Channel  # type: ignore[mutable-override]
    driver_type = driver_name = SCHEME
    can_parse_url = True
    default_port = 0  # type: ignore[assignment]
    implements = virtual.Transport.implements.extend(
        asynchronous=True, exchange_type=frozenset(["direct"])
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._hub: Any = None
        self._is_looking = False

    @override
    def driver_version(self) -> str:
        """The transport has no driver."""
        return "0"

    @override
    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Called by Celery when its hub is ready: starts the sweep and the parent's timers."""
        del connection
        if self._hub is not None or _desk is None:
            return
        self._hub = loop
        loop.call_repeatedly(SWEEP_S, self.look)
        loop.call_repeatedly(timers.SWEEP_S, timers.sweep_cancelled, loop)
        _desk.start(loop, self.look)

    def look(self) -> None:
        """Looks for work at the hub's next turn (once, however often it is asked)."""
        if self._hub is not None and not self._is_looking:
            self._is_looking = True
            self._hub.call_soon(self._take_all)

    def _take_all(self) -> None:
        self._is_looking = False
        try:
            while True:
                self.cycle.get(self._deliver)  # type: ignore[union-attr]
        except Empty:
            pass


TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
