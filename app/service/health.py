"""Health: how every part of the service is, one list for all who ask."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from app import clock
from app.domain.errors import VoxtraceError
from app.service import report
from app.service.checks import check_host, check_recount, check_search
from app.service.checks.check import Check, Said, needing, unknown
from app.service.checks.checks import AREAS, OF_ROWS
from app.service.core import Core
from app.service.public_settings import export_of
from app.service.watch import OutboxGauge

#: Seconds that an answer is given again: /readyz needs no token, and writes.
KEPT_S: Final = 1.0
#: The same of an answer that is no: what has just begun shall be believed soon.
UNREADY_S: Final = 0.2
#: Seconds between two looks at the schema, which changes only by `voxtrace migrate`.
_SCHEMA_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Every part by name, in the order in which they are told; `now` is the database's time."""

    checks: Mapping[str, Check]
    now: int

    @property
    def is_ready(self) -> bool:
        """Whether the service can do its work: no required part is bad."""
        return not any(one.level == "bad" for one in self.checks.values() if one.is_required)

    @property
    def is_well(self) -> bool:
        """Whether no part at all is bad."""
        return not any(one.level == "bad" for one in self.checks.values())

    @property
    def needing(self) -> tuple[Check, ...]:
        """The parts that need a person, the worst first."""
        return needing(self.checks.values())


class HealthProbe:
    """Asks the parts, at most once a second however often it is asked.

    Args:
        core: What to look at.
        outbox: Measures the span outbox; None makes one.
        exports: Whether a collector is set; None reads the environment.
    """

    def __init__(
        self, core: Core, *, outbox: OutboxGauge | None = None, exports: bool | None = None
    ) -> None:
        self._core = core
        self._outbox = outbox or OutboxGauge(core)
        self._exports = export_of() is not None if exports is None else exports
        self._lock = threading.Lock()
        self._kept: Health | None = None
        self._kept_until_s = 0.0
        self._schema: Check | None = None
        self._schema_until_s = 0.0
        self._bad_since: dict[str, int] = {}

    def read(self) -> Health:
        """The state of all parts, a second old at most."""
        with self._lock:
            now_s = clock.monotonic_s()
            if self._kept is None or now_s >= self._kept_until_s:
                self._kept = self._look()
                kept_s = KEPT_S if self._kept.is_ready else UNREADY_S
                self._kept_until_s = clock.monotonic_s() + kept_s
            return self._kept

    def _look(self) -> Health:
        core = self._core
        written = check_host.database(core)
        found = [
            written,
            self._schema_check(),
            check_host.storage(core),
            check_host.disk(core),
            check_host.wal(core),
            _told("clock", lambda: check_host.clocks(core)),
            _told("search", lambda: check_search.search(core)),
        ]
        rows, now = self._rows()
        by_name = {one.name: one for one in [*found, *rows] if one is not None}
        by_name["recount"] = check_recount.beside(by_name["recount"], by_name["schema"])
        ordered = [by_name[name] for names in AREAS.values() for name in names if name in by_name]
        return Health(checks={one.name: self._dated(one, now) for one in ordered}, now=now)

    def _rows(self) -> tuple[tuple[Check, ...], int]:
        try:
            view = report.monitor(self._core, outbox=self._outbox.read(), exports=self._exports)
        except VoxtraceError:
            en, zh = "not known while the database does not answer", "数据库没有回应，无法得知"
            return tuple(unknown(name, en, zh) for name in OF_ROWS), clock.now_us()
        return view.checks, view.now

    def _schema_check(self) -> Check:
        """Looked at now and then while it counts, each time while it does not."""
        is_due = clock.monotonic_s() >= self._schema_until_s
        if self._schema is None or is_due or self._schema.level == "bad":
            self._schema = check_host.schema_of(self._core)
            self._schema_until_s = clock.monotonic_s() + _SCHEMA_S
        return self._schema

    def _dated(self, one: Check, now: int) -> Check:
        """With the moments that its maker does not know: first seen not well, last looked at."""
        if not one.needs_you:
            self._bad_since.pop(one.name, None)
            return one if one.seen_at is not None else replace(one, seen_at=now)
        first_at = self._bad_since.setdefault(one.name, now)
        return one if one.since is not None else replace(one, since=first_at)


def _told(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except VoxtraceError as error:
        said = Said(en=error.message, zh=f"无法得知：`{error.message}`")
        return Check(name=name, level="unknown", said=said)
