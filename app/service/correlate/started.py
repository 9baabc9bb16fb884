"""Since when, for a release whose first attempt failed: since it was started.

Attempts alone tell it badly where few ran before, and not at all where none did. The start does:
before it nothing ran with this release, and the first attempt after it failed.
"""

from app.domain.correlation.found import Found, Onset
from app.service.correlate.question import Question
from app.store import system_events
from app.store.attempt_marks import Marks
from app.store.database import Connection

#: Starts of a window that are looked at, the last ones.
_MOST = 500


def since(conn: Connection, question: Question, found: Found, marks: Marks) -> Onset | None:
    """Between the release's first start in the window and the first failure; None: no such."""
    releases = {where["release"] for where in (found.where, *found.indistinguishable)
                if "release" in where}  # fmt: skip
    if len(releases) != 1 or not marks.is_case.any():
        return None
    workers = [found.where["worker"]] if "worker" in found.where else []
    events = system_events.between(
        conn, question.start, question.end, kinds=("release",), workers=workers, limit=_MOST
    )
    starts = [event.at for event in events if event.release in releases]
    first = int(marks.at[marks.is_case].min())
    if not starts or starts[0] > first or ((marks.at > starts[0]) & (marks.at < first)).any():
        return None
    at = (starts[0] + first) / 2
    later = marks.at >= at
    return Onset(
        at=at,
        low=starts[0],
        high=first,
        n=int(later.sum()),
        observed=int((later & marks.is_case).sum()),
    )
