"""A question from a person: answered at once, or by a duty where that would take too long."""

from dataclasses import dataclass

from app import clock
from app.service.core import Core
from app.service.correlate import analyses, answer_span, answering
from app.service.correlate.answer import Answer
from app.service.correlate.answer_span import AnswerSpan
from app.service.correlate.progress import Tell, nobody
from app.service.correlate.question import Asked
from app.store import bulk_load
from app.store.analyses import Analysis
from telemetry.tracing import SpanContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer, and its span, which who asked keeps."""

    answer: Answer
    span: AnswerSpan


def ask(
    core: Core, asked: Asked, *, service: str, parent: SpanContext | None = None
) -> Answered | Analysis:
    """The answer; where it would take long, the analysis that will have it.

    Args:
        core: What it works with.
        asked: What is asked.
        service: Whose span it is.
        parent: What the span is a part of.

    Raises:
        AskedError: It cannot be asked.
        ConflictError: It takes long, and too many such questions wait already.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        question = asked.at(now)
        if not analyses.is_long(conn, question):
            span = answer_span.begun(clock.now_us(), parent, service)
            return Answered(answer=answering.look(core, conn, question, now), span=span)
    return analyses.ask(core, asked)


def answer(
    core: Core,
    asked: Asked,
    *,
    service: str,
    parent: SpanContext | None = None,
    tell: Tell = nobody,
) -> Answered:
    """The answer, however long it takes.

    Args:
        core: What it works with.
        asked: What is asked.
        service: Whose span it is.
        parent: What the span is a part of.
        tell: Told how far it is.

    Raises:
        AskedError: It cannot be asked.
    """
    span = answer_span.begun(clock.now_us(), parent, service)
    with core.database.read() as conn:
        bulk_load.without_limits(conn)
        now = core.database.now_us(conn)
        return Answered(answer=answering.look(core, conn, asked.at(now), now, tell), span=span)


def keep(core: Core, told: Answered) -> None:
    """Puts the span of an answer into the outbox."""
    core.database.run(lambda conn: told.span.store(core, conn, told.answer))
