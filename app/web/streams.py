"""Server-sent events: the present state first, then what changes, until the end or half a minute.

A stream waits for the process's one watcher and holds no database connection. Its event ids name
rows, so a client that connects again (to any web process) misses nothing. Where half of the threads
are held already, a stream tells the present state, asks to be called again, and ends.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from flask import Response, json, request

from app import clock
from app.domain.errors import VoxtraceError
from app.domain.records import EventRecord
from app.service import glance as glances
from app.service import report
from app.service.glance import Glance, Key
from app.service.shared_monitor import MonitorGlance
from app.service.watch import AnyGlance, Watcher
from app.web import legacy_shapes, shapes, task_shapes
from app.web.shapes import Json
from app.web.state import WebState, state

#: Seconds that a stream lives, and between its signs of life.
LIFE_S: Final = 28.0
HEARTBEAT_S: Final = 5.0
#: Milliseconds after which a client calls again: after an end, and where threads are short.
RETRY_MS: Final = 1000
BUSY_RETRY_MS: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One server-sent event; `name` is None for the default one."""

    id: str
    data: Json
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a stream tells next.

    Attributes:
        events: Since the last glance; at the beginning, since the client's last event.
        is_first: Whether it begins the stream.
    """

    value: AnyGlance
    events: Sequence[EventRecord]
    is_first: bool


#: Tells a glance of a text or a task, and what comes with it, as messages.
Teller = Callable[[Glance, News], Iterator[Message]]


def of_text(key: Key) -> Response:
    """A text's stream in the shape of the old service."""
    return _follow(key, _tell_legacy)


def of_task(key: Key) -> Response:
    """A task's stream in the shape of v1."""
    return _follow(key, _tell_task)


def of_monitor() -> Response:
    """The monitor's stream; what it begins with was read within a second, for all who watch."""
    return _respond(state().watcher.monitor.recent(), _tell_task, ())


def monitor_view(found: WebState) -> report.MonitorView:
    """What the monitor shows now."""
    return report.monitor(found.core, outbox=found.outbox.read(), exports=found.exports)


def _follow(key: Key, tell: Teller) -> Response:
    core = state().core
    first = glances.take(core, key)
    seen = glances.event_of(request.headers.get("Last-Event-ID"))
    if seen is not None and first.is_final and seen == first.event_id:
        return Response(status=204)  # tells an EventSource to stay away: nothing more will come
    missed = glances.missed(core, first, seen) if seen is not None else []
    return _respond(first, tell, missed)


def _respond(first: AnyGlance, tell: Teller, missed: Sequence[EventRecord]) -> Response:
    """The stream that begins with a glance; a short one where half of the threads are held."""
    found = state()
    is_held = found.holds.take_stream()
    retry_ms = RETRY_MS if is_held else BUSY_RETRY_MS
    body = _stream(found, first, tell, missed, retry_ms=retry_ms, goes_on=is_held)
    response = Response(body, content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache, no-store"
    response.headers["X-Accel-Buffering"] = "no"
    if is_held:
        response.call_on_close(found.holds.give_back)
    return response


def _stream(
    found: WebState,
    first: AnyGlance,
    tell: Teller,
    missed: Sequence[EventRecord],
    *,
    retry_ms: int,
    goes_on: bool,
) -> Iterator[str]:
    yield f"retry: {retry_ms}\n\n"
    yield from _framed(tell, News(value=first, events=missed, is_first=True))
    if not goes_on or _is_final(first):
        return
    key = Key("monitor", 0) if isinstance(first, MonitorGlance) else first.key
    with found.watcher.watching(key):
        for value in _changes(found.watcher, first):
            if value is None:
                yield _alive(found.watcher.seen(key) or first, tell)
                continue
            try:
                events = _events_between(found, first, value)
            except VoxtraceError:
                return
            yield from _framed(tell, News(value=value, events=events, is_first=False))
            first = value


def _changes(watcher: Watcher, last: AnyGlance) -> Iterator[AnyGlance | None]:
    """Each change until the end, the stop or the end of the stream's life; None as sign of life."""
    until_s = clock.monotonic_s() + LIFE_S
    while not watcher.is_stopping:
        left_s = until_s - clock.monotonic_s()
        if left_s <= 0:
            return
        value = watcher.wait(last, min(HEARTBEAT_S, left_s))
        if value is not None:
            last = value
        yield value
        if value is not None and _is_final(value):
            return


def _is_final(value: AnyGlance) -> bool:
    return isinstance(value, Glance) and value.is_final


def _events_between(found: WebState, before: AnyGlance, after: AnyGlance) -> Sequence[EventRecord]:
    """What happened to the task between two glances."""
    if not isinstance(before, Glance) or not isinstance(after, Glance):
        return ()
    if after.event_id == before.event_id:
        return ()
    return glances.missed(found.core, after, before.event_id)


def _framed(tell: Teller, news: News) -> Iterator[str]:
    value = news.value
    told = _tell_monitor(value) if isinstance(value, MonitorGlance) else tell(value, news)
    yield from map(framed, told)


def framed(message: Message) -> str:
    """A message as bytes of the stream (HTML, section 9.2.5)."""
    name = f"event: {message.name}\n" if message.name else ""
    return f"id: {message.id}\n{name}data: {json.dumps(message.data)}\n\n"


def _alive(value: AnyGlance, tell: Teller) -> str:
    """A sign of life: when it was last looked, and found that nothing moved."""
    if tell is _tell_legacy:
        return ": alive\n\n"
    data: Json = {"now": shapes.moment(value.now)}
    if isinstance(value, MonitorGlance):
        data |= {"seen": value.seen, "ages_s": task_shapes.ages(value.view)}
    return f"event: alive\ndata: {json.dumps(data)}\n\n"


def _tell_legacy(value: Glance, news: News) -> Iterator[Message]:
    """Every event under its old name; the last one with the text as it is now."""
    named = [event for event in news.events if event.kind in legacy_shapes.EVENTS]
    for event in named[:-1]:
        data = legacy_shapes.past_event(value, event)
        yield Message(id=f"{event.id}.0.0", data=data)
    is_move = news.is_first or bool(named) or value.is_final
    name = legacy_shapes.event_of_state(value.state) if is_move else "progress"
    yield Message(id=value.version, data=legacy_shapes.stream_event(value, name))


def _tell_task(value: Glance, news: News) -> Iterator[Message]:
    data = task_shapes.glance(value) | {"events": [shapes.event(one) for one in news.events]}
    yield Message(id=value.version, data=data, name="task")


def _tell_monitor(value: MonitorGlance) -> Iterator[Message]:
    yield Message(id=value.seen, data=task_shapes.monitor(value.view), name="monitor")
