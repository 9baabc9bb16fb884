"""The table of settings: name, unit, default, range. A test compares `docs/settings.md` with it."""

from pathlib import Path

from app.config import parsers
from app.config.keep_specs import KEEP_SPECS
from app.config.spec import Spec
from app.config.watch_specs import WATCH_SPECS

_port_range = parsers.whole(1, 64)
_threads = parsers.whole(4, 512)
_concurrency = parsers.whole(1, 256)
_timeout = parsers.number(1, 604800)
_backoff = parsers.number(0.01, 300)
_limit = parsers.whole(1, 10_000)
_attempts = parsers.whole(1, 100)
_chars = parsers.whole(1, 100_000_000)
_drain = parsers.number(0, 3600)
_hours = parsers.number(0.01, 8760)
_log_lines = parsers.whole(0, 10_000)
_bytes = parsers.whole(1_000_000, 1_000_000_000_000)
_name = parsers.matching(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,119}", "1 to 120 of A-Z a-z 0-9 . _ : @ -")
_release = parsers.matching(
    r"[A-Za-z0-9][A-Za-z0-9._+:@/-]{0,79}", "1 to 80 of A-Z a-z 0-9 . _ + : @ / -"
)
_engine = parsers.matching(r"[a-z][a-z0-9_-]{0,39}", "one of the names in VOXTRACE_ENGINES")
_level = parsers.matching(r"(?i)debug|info|warning|error", "debug, info, warning or error")
_log_format = parsers.matching(r"text|json", "text or json")


SPECS: tuple[Spec, ...] = (
    Spec(
        name="VOXTRACE_HOME",
        field="home",
        parse=lambda text: Path(text).expanduser().absolute(),
        default="./var",
        unit="directory",
        allowed="a directory that can be made and written",
        help="Where the database, the audio and the sockets are.",
    ),
    Spec(
        name="VOXTRACE_BIND",
        field="bind",
        parse=parsers.bind,
        default="127.0.0.1:8082",
        unit="address",
        allowed=parsers.BIND,
        help="Where the web listens. Anything but loopback needs VOXTRACE_API_TOKEN.",
    ),
    Spec(
        name="VOXTRACE_WEB_PROCESSES",
        field="web_processes",
        parse=_port_range[0],
        default="4",
        unit="processes",
        allowed=_port_range[1],
        help="Web processes (gunicorn workers).",
    ),
    Spec(
        name="VOXTRACE_WEB_THREADS",
        field="web_threads",
        parse=_threads[0],
        default="64",
        unit="threads",
        allowed=_threads[1],
        help="Threads of each web process; half of them may hold streams and downloads.",
    ),
    Spec(
        name="VOXTRACE_WORKER_CONCURRENCY",
        field="worker_concurrency",
        parse=_concurrency[0],
        default=None,
        default_words="the number of cores",
        unit="children",
        allowed=_concurrency[1],
        help="Pool children of a worker; each runs one attempt at a time.",
    ),
    Spec(
        name="VOXTRACE_WORKER_NAME",
        field="worker_name",
        parse=_name[0],
        default=None,
        default_words="the host's name and `-1`",
        unit="name",
        allowed=_name[1],
        help="The worker's name, stable over restarts.",
    ),
    Spec(
        name="VOXTRACE_DATABASE_URL",
        field="database_url",
        parse=parsers.database_url,
        default=None,
        default_words="`voxtrace.db` in the home (SQLite)",
        unit="URL",
        allowed=parsers.DATABASE,
        help="The database.",
        is_secret=True,
    ),
    Spec(
        name="VOXTRACE_ENGINES",
        field="engines",
        parse=parsers.names,
        default="espeak,tone",
        unit="names",
        allowed=parsers.NAMES,
        help="Speech engines to offer (`scripted`, for drills, only where it is named here:"
        " docs/scripted-engine.md).",
    ),
    Spec(
        name="VOXTRACE_DEFAULT_ENGINE",
        field="default_engine",
        parse=_engine[0],
        default=None,
        default_words="the first of VOXTRACE_ENGINES",
        unit="name",
        allowed=_engine[1],
        help="The engine of a text that names none.",
    ),
    Spec(
        name="VOXTRACE_TASK_TIMEOUT_S",
        field="task_timeout_s",
        parse=_timeout[0],
        default="2400",
        unit="seconds",
        allowed=_timeout[1],
        help="Time an attempt may take; its deadline is this after its claim.",
    ),
    Spec(
        name="VOXTRACE_MAX_CONCURRENT",
        field="max_concurrent",
        parse=_limit[0],
        default=None,
        default_words="the number of children",
        unit="tasks",
        allowed=_limit[1],
        help="Start value of the limit of tasks that run at once; `voxtrace limit N` changes it.",
    ),
    Spec(
        name="VOXTRACE_MAX_ATTEMPTS",
        field="max_attempts",
        parse=_attempts[0],
        default="3",
        unit="tries",
        allowed=_attempts[1],
        help="Tries of a task that fails with retryable errors.",
    ),
    Spec(
        name="VOXTRACE_BACKOFF_S",
        field="backoff_s",
        parse=_backoff[0],
        default="1",
        unit="seconds",
        allowed=_backoff[1],
        help="Wait before the second try; it doubles with each, up to five minutes.",
    ),
    Spec(
        name="VOXTRACE_MAX_TEXT_CHARS",
        field="max_text_chars",
        parse=_chars[0],
        default="5000000",
        unit="characters",
        allowed=_chars[1],
        help="Longest text; above it a request gets 413.",
    ),
    Spec(
        name="VOXTRACE_GIVE_UP_H",
        field="give_up_h",
        parse=_hours[0],
        default="24",
        unit="hours",
        allowed=_hours[1],
        help="How long after its submission a task may still wait; then it fails (queue_expired).",
    ),
    *KEEP_SPECS,
    Spec(
        name="VOXTRACE_DRAIN_S",
        field="drain_s",
        parse=_drain[0],
        default="10",
        unit="seconds",
        allowed=_drain[1],
        help="How long a stop waits before running attempts are handed back at their checkpoint.",
    ),
    Spec(
        name="VOXTRACE_API_TOKEN",
        field="api_token",
        parse=parsers.secret,
        default=None,
        default_words="none",
        unit="secret",
        allowed=parsers.SECRET,
        help="With it every route but /healthz and /readyz needs it (Bearer, or /login).",
        is_secret=True,
    ),
    Spec(
        name="VOXTRACE_LEGACY_OPEN",
        field="legacy_open",
        parse=parsers.flag,
        default="0",
        unit="flag",
        allowed=parsers.FLAG,
        help="1: the legacy routes need no token (with a warning at the start).",
    ),
    Spec(
        name="VOXTRACE_HOSTS",
        field="hosts",
        parse=parsers.hosts,
        default="",
        unit="names",
        allowed=parsers.HOSTS,
        help="Host names under which the web answers, beside localhost and the bound address.",
    ),
    Spec(
        name="VOXTRACE_RELEASE",
        field="release",
        parse=_release[0],
        default=None,
        default_words="the package's version",
        unit="name",
        allowed=_release[1],
        help="What runs; on every attempt and task row and span.",
    ),
    Spec(
        name="VOXTRACE_TRUST_TRACEPARENT",
        field="trust_traceparent",
        parse=parsers.flag,
        default="1",
        unit="flag",
        allowed=parsers.FLAG,
        help="0: a caller's trace is linked to, not continued.",
    ),
    Spec(
        name="VOXTRACE_JAEGER_URL",
        field="jaeger_url",
        parse=parsers.url,
        default=None,
        default_words="none",
        unit="URL",
        allowed=parsers.URL,
        help="Jaeger's query address: traces are looked up there, and sent again if missing.",
    ),
    Spec(
        name="VOXTRACE_JAEGER_PUBLIC_URL",
        field="jaeger_public_url",
        parse=parsers.url,
        default=None,
        default_words="VOXTRACE_JAEGER_URL",
        unit="URL",
        allowed=parsers.URL,
        help="Where a browser finds Jaeger's pages; links lead there.",
    ),
    Spec(
        name="VOXTRACE_JAEGER_RETENTION",
        field="jaeger_retention_h",
        parse=_hours[0],
        default="168",
        unit="hours",
        allowed=_hours[1],
        help="How long Jaeger keeps traces (`ttl` in deploy/jaeger.yaml); no older is sought.",
    ),
    Spec(
        name="VOXTRACE_OUTBOX_KEEP",
        field="outbox_keep_h",
        parse=_hours[0],
        default="168",
        unit="hours",
        allowed=_hours[1],
        help="How long spans stay in the outbox after they were sent (without a collector: made).",
    ),
    Spec(
        name="VOXTRACE_OUTBOX_MAX_BYTES",
        field="outbox_max_bytes",
        parse=_bytes[0],
        default="500000000",
        unit="bytes",
        allowed=_bytes[1],
        help="Most bytes the outbox keeps; above it the oldest detail goes first.",
    ),
    Spec(
        name="VOXTRACE_TASK_LOG_LINES",
        field="task_log_lines",
        parse=_log_lines[0],
        default="200",
        unit="lines",
        allowed=_log_lines[1],
        help="Log lines that are kept of each task, the newest; 0: none.",
    ),
    *WATCH_SPECS,
    Spec(
        name="VOXTRACE_LOG_LEVEL",
        field="log_level",
        parse=_level[0],
        default="info",
        unit="level",
        allowed=_level[1],
        help="Least severe line that is logged.",
    ),
    Spec(
        name="VOXTRACE_LOG_FORMAT",
        field="log_format",
        parse=_log_format[0],
        default="text",
        unit="word",
        allowed=_log_format[1],
        help="How lines are written: key=value for people, or one JSON object a line.",
    ),
)
