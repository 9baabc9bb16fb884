"""Two attempts side by side as the v1 API shows them."""

from app.domain import lengths
from app.service.correlate import compare_words
from app.service.correlate.compare import Compared, Comparison
from app.service.correlate.spans_aligned import Line, Side
from app.service.figures import Language
from app.web import shapes
from app.web.shapes import Json


def comparison(found: Comparison, language: Language) -> Json:
    """Both attempts, in what they differ, their spans, and where they part."""
    parting = found.parting
    return {
        "left": _attempt(found.left),
        "right": _attempt(found.right),
        "attributes": [
            {"name": one.name, "left": one.left, "right": one.right} for one in found.attributes
        ],
        "spans": [_line(line) for line in found.lines],
        "parting": None
        if parting is None
        else {"place": parting.place, "side": parting.side, "reason": parting.reason},
        "words": compare_words.says(found, language),
        "source": found.source,
        "left_off": found.left_off,
    }


def _attempt(side: Compared) -> Json:
    record = side.record
    return {
        "task_id": record.task_id,
        "attempt": record.attempt,
        "trace_id": side.task.trace_id,
        "span_id": record.span_id,
        "outcome": record.outcome,
        "at": shapes.moment(side.at),
        "took_ms": None if side.took_us is None else side.took_us / 1000,
        "worker": record.worker_name,
        "host": record.host,
        "engine": record.engine,
        "voice": record.voice,
        "language": record.language,
        "release": record.release,
        "length": lengths.label(record.char_count),
        "source": record.source,
        "error_type": record.error_type,
        "fingerprint": record.fingerprint,
        "template": record.template,
        "url": side.url,
        "jaeger_url": side.jaeger_url,
    }


def _line(line: Line) -> Json:
    return {
        "level": line.level,
        "name": line.name,
        "segment": line.segment,
        "left": _side(line.left),
        "right": _side(line.right),
        "difference_ms": None if line.difference_us is None else line.difference_us / 1000,
        "ratio": line.ratio,
        "differs": [{"name": name, "left": a, "right": b} for name, a, b in line.differs],
    }


def _side(side: Side | None) -> Json | None:
    if side is None:
        return None
    return {
        "span_id": side.span_id,
        "name": side.name,
        "start_ms": side.start_us / 1000,
        "took_ms": None if side.took_us is None else side.took_us / 1000,
        "status": side.status,
    }
