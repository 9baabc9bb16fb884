"""The frame of every page: navigation, health chips, switches; given to all templates."""

import json
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, g, request
from flask.sansio.app import App
from jinja2 import StrictUndefined

from app.domain.errors import VoxtraceError
from app.service.report import MonitorView
from app.service.shared_monitor import MonitorGlance, seen_of
from app.web import assets
from app.web import visitor as visitors
from app.web.monitor_page import area_of
from app.web.state import state
from app.web.visitor import Visitor
from app.web.words import NAMES, TAGS

#: Names of the server-sent events after which a page looks again.
STREAM_EVENTS: Final = "state monitor task started completed failed timeout"
#: Where a page that reads itself again says what it was told of.
SEEN_HEADER: Final = "X-Voxtrace-Seen"
#: Bytes that a character of a file may take.
_BYTES_PER_CHAR: Final = 4
#: Areas of health, in the order of the chips.
AREAS: Final = ("tasks", "workers", "monitoring")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An item of the navigation."""

    key: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """How an area is: ok, warn or bad."""

    area: str
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The way to the same page in another language."""

    path: str
    tag: str
    name: str
    is_here: bool


NAVIGATION: Final = (
    (
        Place(key="library", path="/"),
        Place(key="audios", path="/audios"),
        Place(key="upload", path="/upload"),
    ),
    (
        Place(key="monitor", path="/monitor"),
        Place(key="tasks", path="/tasks"),
        Place(key="failures", path="/failures"),
        Place(key="correlate", path="/correlate"),
        Place(key="stats", path="/stats"),
        Place(key="system", path="/system"),
        Place(key="settings", path="/settings"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLimits:
    """What a text may be, and how long its attempt may take by default."""

    max_text_chars: int
    max_file_bytes: int
    timeout_s: float


def text_limits() -> TextLimits:
    """The limits of this service."""
    settings = state().core.settings
    return TextLimits(
        max_text_chars=settings.max_text_chars,
        max_file_bytes=settings.max_text_chars * _BYTES_PER_CHAR,
        timeout_s=settings.task_timeout_s,
    )


def register(app: App) -> None:
    """Gives every template of the application its frame."""
    app.view_functions["static"] = assets.serve
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(_context)
    app.after_request(_remember)


def visitor() -> Visitor:
    """The visitor of the present request."""
    if "visitor" not in g:
        g.visitor = visitors.visitor_of(request)
    found: Visitor = g.visitor
    return found


def monitor_view() -> MonitorView:
    """The monitor of this moment; read once in a request.

    A page that was told of a change is content with a look that shows it, whoever it was read for;
    one that a person asks for is read anew.
    """
    return _glance().view


def seen() -> str:
    """Names what the page shows, drawn from rows that are no older; empty without a database."""
    try:
        return _glance().seen
    except VoxtraceError:
        return ""


def _glance() -> MonitorGlance:
    if "monitor_glance" not in g:
        shared = state().watcher.monitor
        told = seen_of(request.headers.get(SEEN_HEADER))
        g.monitor_glance = shared.fresh() if told is None else shared.since(told)
    found: MonitorGlance = g.monitor_glance
    return found


def switches(reader: Visitor) -> list[Switch]:
    """The page in each language."""
    return [
        Switch(
            path=visitors.with_query(request, lang=lang),
            tag=TAGS[lang],
            name=NAMES[lang],
            is_here=lang == reader.t.lang,
        )
        for lang in NAMES
    ]


def chips() -> list[Chip]:
    """The health of the areas; empty where the database does not answer (an error page)."""
    try:
        alerts = monitor_view().alerts
    except VoxtraceError:
        return []
    levels = {area_of(alert): alert.level for alert in reversed(alerts)}
    return [Chip(area=area, level=levels.get(area, "ok")) for area in AREAS]


def _remember(response: Response) -> Response:
    if request.args.keys() & {"lang", "theme"}:
        return visitors.remember(request, response)
    return response


def _context() -> dict[str, Any]:
    reader = visitor()
    is_inside = request.endpoint not in {"login.form", "login.enter"}
    switch = next(one for one in switches(reader) if not one.is_here)
    return {
        **visitors.shapes_of(reader),
        "t": reader.t,
        "lang": reader.t.lang,
        "theme": reader.theme,
        "static_url": assets.static_url,
        "with_query": lambda **changes: visitors.with_query(request, **changes),
        "navigation": NAVIGATION,
        "here": None,
        "is_inside": is_inside,
        "chips": chips,
        "seen": seen,
        "switch": switch,
        "zone_offset_min": visitors.offset_min(reader),
        "script_words": json.dumps(reader.t.under("js"), ensure_ascii=False),
        "stream_events": STREAM_EVENTS,
        "limits": text_limits(),
        "base_url": request.host_url.rstrip("/"),
    }
