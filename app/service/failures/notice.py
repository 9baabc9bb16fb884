"""Notice a failure: its group is made with the first one, and opened again by one after a fix."""

from dataclasses import dataclass
from typing import Final

from app.domain.fingerprint import Cause
from app.service.core import Core
from app.store import failure_groups
from app.store.database import Connection

#: The type of error of tasks that failed without an attempt: they waited too long.
EXPIRED: Final = "queue_expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a failure tells of its group.

    Attributes:
        release: In which it failed; "" where none ran it.
    """

    cause: Cause
    error_type: str
    error_kind: str | None
    error_code: str | None
    release: str


def notice(core: Core, conn: Connection, failure: Failure, now: int) -> None:
    """Sees to the group of a failure, in the failure's transaction.

    Nothing is written while the group is open or muted. Of failures at the same moment, one makes
    the group, and one opens it again: the other finds it so.
    """
    key = failure.cause.fingerprint
    state = failure_groups.state_of(conn, key)
    if state is None and failure_groups.insert_new(conn, _row(failure, now)):
        _tell(core, conn, failure, "new", now)
    if state == "resolved" and failure_groups.regress(conn, key, now, failure.release):
        _tell(core, conn, failure, "regressed", now)


def _row(failure: Failure, now: int) -> dict[str, object]:
    return {
        "fingerprint": failure.cause.fingerprint,
        "error_type": failure.error_type[:80],
        "error_kind": failure.error_kind,
        "error_code": failure.error_code and failure.error_code[:80],
        "template": failure.cause.template,
        "frames": failure.cause.frames,
        "first_at": now,
    }


def _tell(core: Core, conn: Connection, failure: Failure, kind: str, now: int) -> None:
    event = {"fingerprint": failure.cause.fingerprint, "at": now, "kind": kind}
    detail = failure.release or None
    failure_groups.add_event(conn, event | {"by": core.actor[:160], "detail": detail})
