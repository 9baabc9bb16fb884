"""The work on a long question: taken with a lease, told how far it is, stopped when cancelled."""

import json
from dataclasses import dataclass, replace
from typing import Final

from app import clock
from app.domain.errors import VoxtraceError
from app.logs.logger import logger_of
from app.service.core import Core
from app.service.correlate import answer_span, answering, shape
from app.service.correlate.analyses import said_of
from app.service.correlate.answer import Answer
from app.service.correlate.answer_span import AnswerSpan
from app.service.correlate.progress import Phase
from app.service.correlate.question import asked
from app.store import analyses, bulk_load
from app.store.analyses import Analysis
from app.store.database import Connection
from telemetry.names import SERVICE_DUTIES

log = logger_of(__name__)

#: Microseconds for which a holder is believed that has not told how far it is.
LEASE_US: Final = 60_000_000
#: Seconds between two notes of how far it is.
NOTE_S: Final = 0.5
#: How often one is begun: whoever works on it may be killed.
MAX_STARTS: Final = 3


class StoppedError(Exception):
    """The analysis is not held any more: it was cancelled, or somebody else works on it."""


def work_on_next(core: Core, holder: str) -> Analysis | None:
    """Answers the first question that waits; the analysis, None where none does.

    Args:
        core: What it works with.
        holder: Who does it; of two that hold the same one, the later start counts.
    """
    held = core.database.run(lambda conn: take(core, conn, holder))
    if held is None or held.state != "running":
        return held
    span = answer_span.begun(clock.now_us(), None, SERVICE_DUTIES)
    try:
        found = answer(core, held)
    except StoppedError:
        log.info("an analysis was stopped", analysis=held.id)
        return held
    except VoxtraceError as error:
        _fail(core, held, error.message)
        return held
    except Exception as error:
        _fail(core, held, f"an error inside voxtrace: {type(error).__name__}")
        raise
    core.database.run(lambda conn: _finish(core, conn, held, found, span))
    return held


def take(core: Core, conn: Connection, holder: str) -> Analysis | None:
    """The next one, in the holder's hands; where it was begun too often, it is over."""
    now = core.database.now_us(conn)
    found = analyses.next_open(conn, holder, now)
    if found is None:
        return None
    if found.starts >= MAX_STARTS:
        error = f"it was begun {found.starts} times, and whoever worked on it ended before it did"
        analyses.give_up(conn, found, now=now, error=error)
        return replace(found, state="failed")
    if not analyses.begin(conn, found, holder, now=now, lease_us=LEASE_US):
        return None
    return replace(found, state="running", starts=found.starts + 1, holder=holder)


def answer(core: Core, held: Analysis) -> Answer:
    """The answer to a question that is held.

    Raises:
        StoppedError: It is not held any more.
    """
    question = asked(said_of(held)).at(held.asked_at)
    with core.database.read() as conn:
        bulk_load.without_limits(conn)
        now = core.database.now_us(conn)
        return answering.look(core, conn, question, now, _Teller(core, held).tell)


@dataclass(slots=True)
class _Teller:
    """Notes how far an analysis is, now and then."""

    core: Core
    held: Analysis
    phase: Phase | None = None
    noted_s: float = 0.0

    def tell(self, phase: Phase, permille: int) -> None:
        """Notes it.

        Raises:
            StoppedError: It is not ours any more.
        """
        now_s = clock.monotonic_s()
        if phase == self.phase and now_s < self.noted_s + NOTE_S:
            return
        self.phase, self.noted_s = phase, now_s
        if not self.core.database.run(lambda conn: self._note(conn, phase, permille)):
            raise StoppedError

    def _note(self, conn: Connection, phase: Phase, permille: int) -> bool:
        until = self.core.database.now_us(conn) + LEASE_US
        return analyses.go_on(conn, self.held, phase=phase, permille=permille, lease_until=until)


def _finish(core: Core, conn: Connection, held: Analysis, found: Answer, span: AnswerSpan) -> None:
    """Writes the answer with its span; nothing where it is not ours any more."""
    now = core.database.now_us(conn)
    written = json.dumps(shape.in_languages(found), ensure_ascii=False)
    if analyses.finish(conn, held, now=now, answer=written):
        span.store(core, conn, found)


def _fail(core: Core, held: Analysis, error: str) -> None:
    log.warning("an analysis failed", analysis=held.id, error=error)
    core.database.run(
        lambda conn: analyses.finish(conn, held, now=core.database.now_us(conn), error=error[:400])
    )
