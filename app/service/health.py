"""Health: whether the service can do its work now, part by part, and what to do where it cannot."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from app import clock
from app.domain.errors import VoxtraceError
from app.service.alerts import DUTY_LATE_US
from app.service.core import Core
from app.service.leader import LEADER
from app.service.task_view import is_alive
from app.store import duties, schema, settings, workers
from app.store.database import Connection

#: Key of the setting whose write proves that the database can be written.
_PROBE: Final = "probe.written_at"
#: Seconds that an answer is given again: /readyz needs no token, and writes.
KEPT_S: Final = 1.0
#: Seconds between two looks at the schema, which changes only by `voxtrace migrate`.
_SCHEMA_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part: whether it is well, what was found, and what to do (empty where it is well)."""

    ok: bool
    detail: str
    fix: str = ""
    facts: dict[str, int | float | str | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether everything answers, and each part by name."""

    checks: dict[str, Check]

    @property
    def ready(self) -> bool:
        """Whether every part is well."""
        return all(check.ok for check in self.checks.values())


class HealthProbe:
    """Asks the parts, at most once a second however often it is asked.

    Args:
        core: What to look at.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = threading.Lock()
        self._kept: Readiness | None = None
        self._kept_until_s = 0.0
        self._schema_until_s = 0.0

    def read(self) -> Readiness:
        """The state of all parts, a second old at most."""
        with self._lock:
            now_s = clock.monotonic_s()
            if self._kept is None or now_s >= self._kept_until_s:
                self._kept = self._look()
                self._kept_until_s = clock.monotonic_s() + KEPT_S
            return self._kept

    def _look(self) -> Readiness:
        parts: dict[str, Callable[[], Check]] = {
            "database": self._database,
            "schema": self._schema,
            "worker": self._worker,
            "duties": self._duties,
            "storage": self._storage,
        }
        return Readiness(checks={name: _told(look) for name, look in parts.items()})

    def _database(self) -> Check:
        """A small row is written and committed: a full disk or a lock shows here."""
        core = self._core
        begun_s = clock.monotonic_s()

        def write(conn: Connection) -> None:
            now = core.database.now_us(conn)
            settings.put(conn, _PROBE, now, now=now, by=core.actor)

        core.database.run(write)
        took_ms = round((clock.monotonic_s() - begun_s) * 1000, 1)
        return Check(ok=True, detail=f"written in {took_ms:g} ms", facts={"took_ms": took_ms})

    def _schema(self) -> Check:
        if clock.monotonic_s() >= self._schema_until_s:
            schema.check(self._core.database)
            self._schema_until_s = clock.monotonic_s() + _SCHEMA_S
        return Check(ok=True, detail="the schema is this release's")

    def _worker(self) -> Check:
        with self._core.database.read() as conn:
            now = self._core.database.now_us(conn)
            living = [worker for worker in workers.live(conn) if is_alive(worker, now)]
        up = [worker for worker in living if worker.state == "up"]
        slots = sum(worker.concurrency for worker in up)
        facts: dict[str, int | float | str | bool | None] = {"workers": len(up), "slots": slots}
        if not up:
            detail = "no worker lives" if not living else "every worker is draining"
            return Check(ok=False, detail=detail, fix="start one: `voxtrace worker`", facts=facts)
        return Check(ok=True, detail=f"{len(up)} live, {slots} slots", facts=facts)

    def _duties(self) -> Check:
        with self._core.database.read() as conn:
            now = self._core.database.now_us(conn)
            known = {duty.name: duty for duty in duties.every(conn)}
        leader, reaper = known.get(LEADER), known.get("reaper")
        fix = "start them: `voxtrace duties` (`voxtrace worker` keeps them running too)"
        if leader is None or leader.lease_until <= now:
            return Check(ok=False, detail="no duties process leads", fix=fix)
        silent_us = now - reaper.ticked_at if reaper is not None else None
        if silent_us is None or silent_us > DUTY_LATE_US["reaper"]:
            said = (
                "has not begun" if silent_us is None else f"is silent for {silent_us / 1e6:.0f} s"
            )
            return Check(ok=False, detail=f"the reaper {said}", fix=fix)
        return Check(
            ok=True,
            detail=f"led by {leader.holder.partition('/')[0]}",
            facts={"reaper_silent_s": round(silent_us / 1e6, 1)},
        )

    def _storage(self) -> Check:
        found = self._core.storage.probe()
        if not found.get("ok"):
            words = str(found.get("error", "it cannot be written"))
            return Check(
                ok=False,
                detail=words,
                fix="see that the audio folder in VOXTRACE_HOME can be written and has room",
            )
        free_bytes = found.get("free_bytes")
        return Check(ok=True, detail="written", facts={"free_bytes": free_bytes})


def _told(look: Callable[[], Check]) -> Check:
    try:
        return look()
    except VoxtraceError as error:
        fix = "see the log of the database and of this process"
        return Check(ok=False, detail=error.message, fix=fix)
