"""A page of attempts as the v1 API shows it, and as `voxtrace attempts --json` prints it."""

from dataclasses import asdict

from app.domain import lengths
from app.service.attempt_list import AttemptPage, ListedAttempt
from app.web import shapes
from app.web.shapes import Json


def page(found: AttemptPage) -> Json:
    """The attempts, the filter that they fit, and the neighbours of the page."""
    searched_to = found.searched_to
    return {
        "attempts": [attempt(one) for one in found.attempts],
        "query": str(found.query),
        "next": None if found.next is None else str(found.next),
        "previous": str(found.previous),
        "searched_to": None if searched_to is None else shapes.moment(searched_to[0]),
        "count": _count(found),
    }


def attempt(one: ListedAttempt) -> Json:
    """What an attempt is told apart by, how it ended, and where it is shown."""
    row = one.row.attempt
    return {
        "task_id": row.task_id,
        "attempt": row.attempt,
        "title": one.row.title,
        "outcome": row.outcome,
        "at": shapes.moment(row.finished_at),
        "claimed_at": shapes.moment(row.claimed_at),
        "dur_ms": one.dur_ms,
        "worker": row.worker_name,
        "host": row.host,
        "engine": row.engine,
        "voice": row.voice,
        "language": row.language,
        "release": row.release,
        "length": lengths.label(row.char_count),
        "chars": row.char_count,
        "source": row.source,
        "error_type": row.error_type,
        "error_message": row.error_message,
        "fingerprint": row.fingerprint,
        "template": row.template,
        "is_repeat": row.is_repeat,
        "trace_id": one.row.trace_id,
        "span_id": row.span_id,
        "url": one.url,
        "jaeger_url": one.jaeger_url,
    }


def _count(found: AttemptPage) -> Json | None:
    if found.count is None:
        return None
    counted = asdict(found.count)
    counted.pop("removed")  # no counter knows of attempts by any filter
    return counted
