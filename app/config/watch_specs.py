"""The settings of what watches: canary, ping, the watch over failures and whom it tells."""

from app.config import parsers
from app.config.spec import Spec

_canary = parsers.number(0, 10_080)
_every = parsers.number_or_none(10, 3600)

WATCH_SPECS: tuple[Spec, ...] = (
    Spec(
        name="VOXTRACE_CANARY_MIN",
        field="canary_min",
        parse=_canary[0],
        default="10",
        unit="minutes",
        allowed=_canary[1],
        help="Pause between two canaries: tasks of our own that go the whole way. 0: none.",
    ),
    Spec(
        name="VOXTRACE_PING_URL",
        field="ping_url",
        parse=parsers.call_url,
        default=None,
        default_words="none",
        unit="URL",
        allowed=parsers.CALL_URL,
        help="Called every minute while all is well: silence there means that something is not.",
        is_secret=True,
    ),
    Spec(
        name="VOXTRACE_WATCH_EVERY_S",
        field="watch_every_s",
        parse=_every[0],
        default="120",
        unit="seconds",
        allowed=_every[1],
        help="Pause between two scans of the last hour's failures for what they share. 0: none.",
    ),
    Spec(
        name="VOXTRACE_WEBHOOK_URL",
        field="webhook_url",
        parse=parsers.call_url,
        default=None,
        default_words="none",
        unit="URL",
        allowed=parsers.CALL_URL,
        help="Told of each finding when it opens and when it closes.",
        is_secret=True,
    ),
    Spec(
        name="VOXTRACE_WEBHOOK_SECRET",
        field="webhook_secret",
        parse=parsers.secret,
        default=None,
        default_words="none; needed with VOXTRACE_WEBHOOK_URL",
        unit="secret",
        allowed=parsers.SECRET,
        help="Signs what the webhook is told (HMAC-SHA256).",
        is_secret=True,
    ),
    Spec(
        name="VOXTRACE_PUBLIC_URL",
        field="public_url",
        parse=parsers.url,
        default=None,
        default_words="none: they are paths",
        unit="URL",
        allowed=parsers.URL,
        help="Where a browser finds these pages: links in what the webhook is told lead there.",
    ),
)
