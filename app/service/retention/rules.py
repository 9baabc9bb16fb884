"""Rules of retention: of each kind of task, what ended before which moment may go."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.config.settings import Settings
from app.domain.task import Status
from app.service.core import Core

DAY_US: Final = 86_400_000_000
#: The kind of what belongs to texts that people deleted, whatever its status.
DELETED: Final = "deleted"
#: Statuses in the order in which they are walked: the answer of a text is its last task to go, and
#: that is mostly one that completed.
STATUSES: Final = (Status.FAILED, Status.TIMEOUT, Status.CANCELLED, Status.COMPLETED)
KINDS: Final = (*(status.value for status in STATUSES), DELETED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What of one kind may go.

    Attributes:
        kind: A final status, or `deleted`.
        before: What ended (of `deleted`: was deleted) before this moment has had its time.
        deleted_before: Texts that were deleted before it want nothing any more; 0: all do.
    """

    kind: str
    before: int
    deleted_before: int = 0

    @property
    def status(self) -> Status | None:
        """The status that it is about; None for `deleted`."""
        return None if self.kind == DELETED else Status(self.kind)


def days_of(settings: Settings) -> dict[str, float]:
    """For how many days each kind is kept; 0: for ever."""
    return {
        Status.COMPLETED.value: settings.keep_completed_d,
        Status.FAILED.value: settings.keep_failed_d,
        Status.TIMEOUT.value: settings.keep_timeout_d,
        Status.CANCELLED.value: settings.keep_cancelled_d,
        DELETED: settings.keep_deleted_d,
    }


def rules_of(settings: Settings, now: int) -> tuple[Rule, ...]:
    """The rules of the settings at a moment; none for what is kept for ever."""
    before = {kind: now - round(days * DAY_US) for kind, days in days_of(settings).items() if days}
    return rules_before(before)


def rules_now(core: Core) -> tuple[Rule, ...]:
    """The rules of the settings, by the database's clock."""
    with core.database.read() as conn:
        return rules_of(core.settings, core.database.now_us(conn))


def rules_before(before: Mapping[str, int]) -> tuple[Rule, ...]:
    """The rules for a moment of each kind, in the order in which they are walked."""
    deleted_before = before.get(DELETED, 0)
    return tuple(
        Rule(kind=kind, before=before[kind], deleted_before=deleted_before)
        for kind in KINDS
        if kind in before
    )
