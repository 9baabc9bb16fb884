"""Questions that take long: asked, joined by who asks the same, looked at, cancelled."""

import json
from collections.abc import Mapping
from typing import Final

from app.domain.errors import ConflictError, NotFoundError
from app.service.core import Core
from app.service.correlate import reading
from app.service.correlate.question import Asked, Question
from app.store import analyses
from app.store.analyses import Analysis
from app.store.database import Connection

__all__ = ["Analysis", "ask", "cancel", "get", "is_long", "said_of", "written"]

#: For how long an answer is fresh: the same question joins it.
FRESH_US: Final = 300_000_000
#: Rows that a request reads at most.
MAX_ROWS: Final = 500_000
#: Questions that wait or run at most.
MAX_OPEN: Final = 20
_JOINED: Final = frozenset({"waiting", "running", "done"})


def is_long(conn: Connection, question: Question) -> bool:
    """Whether a request should not wait for the answer."""
    if question.is_long:
        return True
    return not reading.is_of_cube(question) and reading.is_above(conn, question, MAX_ROWS)


def ask(core: Core, asked: Asked) -> Analysis:
    """The analysis of what is asked: one that was asked for the same lately, or a new one.

    Raises:
        AskedError: It cannot be asked.
        ConflictError: Too many wait already.
    """
    said = written(asked.said)

    def work(conn: Connection) -> Analysis:
        now = core.database.now_us(conn)
        asked.at(now)
        for known in analyses.asked_since(conn, now - FRESH_US):
            if known.question == said and known.state in _JOINED:
                return known
        if analyses.open_count(conn) >= MAX_OPEN:
            message = f"{MAX_OPEN} analyses wait or run already: wait for one, or cancel one"
            raise ConflictError(message)
        return _get(conn, analyses.add(conn, said, asked_at=now, asked_by=core.actor))

    return core.database.run(work)


def get(core: Core, analysis_id: int) -> Analysis:
    """An analysis.

    Raises:
        NotFoundError: There is none.
    """
    with core.database.read() as conn:
        return _get(conn, analysis_id)


def cancel(core: Core, analysis_id: int) -> Analysis:
    """Cancels an analysis that waits or runs; one that is cancelled already stays so.

    Raises:
        NotFoundError: There is none.
        ConflictError: It is over.
    """

    def work(conn: Connection) -> Analysis:
        now = core.database.now_us(conn)
        is_cancelled = analyses.cancel(conn, analysis_id, now=now)
        found = _get(conn, analysis_id)
        if not is_cancelled and found.state != "cancelled":
            message = f"analysis {analysis_id} is {found.state}: it cannot be cancelled any more"
            raise ConflictError(message)
        return found

    return core.database.run(work)


def written(said: Mapping[str, str]) -> str:
    """What was said, as it is kept: the same words give the same text."""
    return json.dumps(dict(sorted(said.items())), ensure_ascii=False)


def said_of(found: Analysis) -> dict[str, str]:
    """What was said, by `question.NAMES`."""
    said: dict[str, str] = json.loads(found.question)
    return said


def _get(conn: Connection, analysis_id: int) -> Analysis:
    found = analyses.get(conn, analysis_id)
    if found is None:
        message = f"there is no analysis {analysis_id}"
        raise NotFoundError(message)
    return found
