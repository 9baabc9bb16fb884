"""Leadership: of all duties processes one at a time leads, by a lease on a row."""

from app.domain.records import DutyRecord
from app.service.core import Core
from app.store import counts, duties
from app.store.database import Connection

#: Name of the row whose lease is leadership.
LEADER = "leader"
#: Microseconds a leader's lease lasts; it is renewed each second.
LEASE_US = 5_000_000
#: Microseconds without a renewal after which nobody leads: another has had its turn by then.
LEADER_LATE_US = 10_000_000


def lead(core: Core, holder: str) -> bool:
    """Takes or renews the lease; False while another process leads."""

    def work(conn: Connection) -> bool:
        now = core.database.now_us(conn)
        return duties.take_lease(conn, LEADER, holder, now=now, lease_us=LEASE_US)

    return core.database.run(work)


def step_down(core: Core, holder: str) -> None:
    """Gives the lease up, so that another process leads at once."""
    core.database.run(lambda conn: duties.release(conn, LEADER, holder, core.database.now_us(conn)))


def note_success(core: Core, name: str, holder: str, state: str = "{}") -> None:
    """Notes that a duty went well, and what it did (JSON)."""
    _note(core, name, holder, error=None, state=state)


def note_failure(core: Core, name: str, holder: str, error: str) -> None:
    """Notes that a duty failed, in words, and counts it."""
    _note(core, name, holder, error=error[:500], state=None)


def _note(core: Core, name: str, holder: str, *, error: str | None, state: str | None) -> None:
    def work(conn: Connection) -> None:
        now = core.database.now_us(conn)
        before = duties.get(conn, name)
        failures = 0 if error is None else (before.failure_count if before else 0) + 1
        values = {"holder": holder, "ticked_at": now, "failure_count": failures}
        if error is None:
            values |= {"succeeded_at": now, "last_error": None}
        else:
            values |= {"last_error": error}
            counts.add(conn, f"duty_failures.{name}")
        duties.note(conn, name, values if state is None else values | {"state": state})

    core.database.run(work)


def every(core: Core) -> list[DutyRecord]:
    """Every duty, by name."""
    with core.database.read() as conn:
        return duties.every(conn)
