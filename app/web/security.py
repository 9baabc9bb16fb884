"""Who may ask: known host names, same-origin writes, the token; and the headers of every answer."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlsplit

from flask import Flask, Response, redirect, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized
from werkzeug.wrappers import Response as BaseResponse

from app.config.settings import Settings
from app.web.errors import wants_page

#: Name of the cookie that /login sets; its value is derived from the token, never the token itself.
COOKIE: Final = "voxtrace_session"
#: Seconds that a browser stays logged in.
COOKIE_MAX_AGE_S: Final = 30 * 86_400

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: Endpoints that need no token.
_OPEN: Final = frozenset({"health.healthz", "health.readyz", "login.form", "login.enter", "static"})
#: Where the `audio_url` of a legacy answer points: open where the legacy routes are.
_LEGACY_FILE: Final = "v1_audio.file"

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = (
    ("Content-Security-Policy", CSP),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)


def protect(app: Flask, settings: Settings) -> None:
    """Checks every request, and marks every answer."""
    app.before_request(check_host(settings))
    app.before_request(check_origin)
    app.before_request(check_token(settings))
    app.after_request(_mark)


def check_host(settings: Settings) -> Callable[[], None]:
    """Refuses host names under which this service is not known: a name can be pointed anywhere."""
    known = {"localhost", "127.0.0.1", "[::1]", _host_in_url(settings.bind_host)}
    known |= {_host_in_url(name.strip("[]")) for name in settings.hosts}

    def check() -> None:
        host = request.headers.get("Host", "")
        if host_name(host) not in known:
            message = (
                f"host {host[:100]!r} is not known here; allowed: {', '.join(sorted(known))} "
                "(VOXTRACE_HOSTS adds to them)"
            )
            raise Forbidden(message)

    return check


def host_name(host: str) -> str:
    """The name in a Host header, in lower case, without the port; IPv6 keeps its brackets."""
    name = host.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0].rstrip(".")


def _host_in_url(name: str) -> str:
    return f"[{name.lower()}]" if ":" in name else name.lower()


def check_origin() -> None:
    """Refuses writes that a page of another site makes with our visitor's browser."""
    if request.method in _SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site in {"cross-site", "same-site"}:
        message = f"a {site} request may not change anything here"
        raise Forbidden(message)
    origin = request.headers.get("Origin")
    if origin is not None and not is_own(origin, request.headers.get("Host", "")):
        message = f"origin {origin[:100]!r} may not change anything here"
        raise Forbidden(message)


def is_own(origin: str, host: str) -> bool:
    """Whether an Origin header names the host that was asked; a proxy may have ended the TLS."""
    try:
        parts = urlsplit(origin)
        own = urlsplit(f"{parts.scheme}://{host}")
        default = {"http": 80, "https": 443}.get(parts.scheme)
        asked = (own.hostname, own.port or default)
        named = (parts.hostname, parts.port or default)
    except ValueError:
        return False
    return default is not None and bool(parts.hostname) and named == asked


def check_token(settings: Settings) -> Callable[[], BaseResponse | None]:
    """Asks for the token wherever one is set; a browser that has none is sent to /login."""
    token = settings.api_token

    def check() -> BaseResponse | None:
        if has_token(token) or is_open(request.endpoint, legacy_open=settings.legacy_open):
            return None
        if request.method == "GET" and wants_page() and not request.path.startswith("/api/"):
            asked = request.full_path.rstrip("?")
            return redirect(f"/login?next={quote(asked)}", 302)
        raise unauthorized()

    return check


def unauthorized() -> Unauthorized:
    """The error of a request that must show the token and does not."""
    message = "a token is needed: `Authorization: Bearer TOKEN`, or the cookie of /login"
    challenge = WWWAuthenticate("bearer", {"realm": "voxtrace"})
    return Unauthorized(message, www_authenticate=challenge)


def is_open(endpoint: str | None, *, legacy_open: bool) -> bool:
    """Whether an endpoint needs no token."""
    if endpoint in _OPEN:
        return True
    is_legacy = (endpoint or "").startswith("legacy.") or endpoint == _LEGACY_FILE
    return legacy_open and is_legacy and request.method in {"GET", "HEAD", "POST", "DELETE"}


def has_token(token: str | None) -> bool:
    """Whether the request shows the token, or the cookie made from it (constant time).

    True where none is set (None).
    """
    if token is None:
        return True
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return is_token(shown.strip(), token)
    cookie = request.cookies.get(COOKIE, "")
    return hmac.compare_digest(cookie.encode(), cookie_value(token).encode())


def is_token(shown: str, token: str) -> bool:
    """Whether a shown token is the right one (constant time)."""
    return hmac.compare_digest(shown.encode(), token.encode())


def cookie_value(token: str) -> str:
    """The cookie of a browser that knew the token: it proves that, and does not tell it."""
    return hmac.new(token.encode(), b"voxtrace session 1", hashlib.sha256).hexdigest()


def local_path(path: str | None) -> str:
    """A path of this site to go to after /login; `/` for anything that could lead elsewhere."""
    wanted = path or "/"
    is_local = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    is_clean = all(" " <= char != "\\" for char in wanted)
    return wanted if is_local and is_clean and wanted.isprintable() else "/"


def _mark(response: Response) -> Response:
    for name, value in HEADERS:
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
