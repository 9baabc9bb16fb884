"""What a web process holds beside its Core; none of it is about any task's state."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from flask import Flask, current_app

from app.service.core import Core
from app.service.health import HealthProbe
from app.service.measures import Measures
from app.service.process_counts import CountsThread
from app.service.request_span import RequestSpanWriter
from app.service.traces.trace_state import TraceLook
from app.service.turn import Turns
from app.service.watch import OutboxGauge, Watcher
from app.web.holds import Holds

_KEY = "voxtrace"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebState:
    """The things of one web process.

    Attributes:
        counts: Tells what this process counts of itself; started once it serves.
        exports: Whether a collector is set, so that spans are on their way.
        failures: Counts requests that failed in a way nobody foresaw.
    """

    core: Core
    watcher: Watcher
    health: HealthProbe
    outbox: OutboxGauge
    measures: Measures
    counts: CountsThread
    request_spans: RequestSpanWriter
    turns: Turns
    holds: Holds
    traces: TraceLook
    exports: bool
    failures: Iterator[int] = field(default_factory=lambda: itertools.count(1))


def put(app: Flask, found: WebState) -> None:
    """Gives an application its state."""
    app.extensions[_KEY] = found


def of(app: Flask) -> WebState:
    """The state of an application."""
    found: WebState = app.extensions[_KEY]
    return found


def end(found: WebState) -> None:
    """Ends what a web process holds: its streams, its spans, its connections."""
    found.watcher.stop()
    found.request_spans.stop()
    found.counts.stop()
    found.core.database.close()


def state() -> WebState:
    """The state of the application that serves the present request."""
    return of(current_app)


def core() -> Core:
    """The Core of the application that serves the present request."""
    return state().core
