"""The visitor of a page: language, theme and time zone, as asked for or remembered in cookies."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from flask import Request, Response

from app import clock
from app.service.figures import LANGUAGES
from app.web import format as shapes
from app.web import moments, words
from app.web.words import Words

LANG_COOKIE: Final = "voxtrace_lang"
THEME_COOKIE: Final = "voxtrace_theme"
ZONE_COOKIE: Final = "voxtrace_zone"
THEMES: Final = ("light", "dark")
#: Seconds that a choice is remembered: a year.
REMEMBERED_S: Final = 31_536_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who reads the page; `theme` is None where the system decides."""

    t: Words
    theme: str | None
    place: moments.Place


def visitor_of(request: Request) -> Visitor:
    """The visitor of a request."""
    lang = words.choose(
        request.args.get("lang"),
        request.cookies.get(LANG_COOKIE),
        request.accept_languages.best_match(LANGUAGES),
    )
    theme = request.args.get("theme") or request.cookies.get(THEME_COOKIE)
    zone = moments.zone_of(request.cookies.get(ZONE_COOKIE))
    return Visitor(
        t=words.words_of(lang),
        theme=theme if theme in THEMES else None,
        place=moments.Place(lang=lang, zone=zone, now_us=clock.now_us()),
    )


def remember(request: Request, response: Response) -> Response:
    """Keeps what a page's address asked for (`?lang=`, `?theme=`) in cookies; not the API's."""
    if request.path.startswith("/api/"):
        return response
    lang, theme = request.args.get("lang"), request.args.get("theme")
    if lang in LANGUAGES:
        response.set_cookie(LANG_COOKIE, lang, max_age=REMEMBERED_S, samesite="Lax")
    if theme in THEMES:
        response.set_cookie(THEME_COOKIE, theme, max_age=REMEMBERED_S, samesite="Lax")
    elif theme == "system":
        response.delete_cookie(THEME_COOKIE, samesite="Lax")
    return response


def with_query(request: Request, **changes: object) -> str:
    """The address of this page with other parameters; None takes one away."""
    kept: dict[str, Any] = {
        key: value
        for key, value in request.args.items()
        if key not in {"lang", "theme"} and key not in changes
    }
    kept |= {key: value for key, value in changes.items() if value is not None}
    path = request.path if request.method == "GET" else "/"
    return f"{path}?{urlencode(kept)}" if kept else path


def offset_min(visitor: Visitor) -> int:
    """Minutes east of UTC in which the page's times are told, at this moment."""
    offset = moments.local(visitor.place, visitor.place.now_us).utcoffset()
    return round(offset.total_seconds() / 60) if offset else 0


def shapes_of(visitor: Visitor) -> Mapping[str, object]:
    """The functions with which templates write numbers and moments for this visitor."""
    lang = visitor.place.lang
    return {
        "number": shapes.number,
        "compact": shapes.compact,
        "percent": shapes.percent,
        "size": shapes.size,
        "position": shapes.position,
        "duration": partial(shapes.duration, language=lang),
        "time": partial(moments.tag, visitor.place),
        "tag_of": words.tag_of,
        "code": words.code,
        "mono": words.mono,
    }
