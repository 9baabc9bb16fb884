"""What a group's row says, as it is shown."""

from typing import Final

from app.domain.fingerprint import frames_of
from app.domain.records import FailureGroupRecord
from app.domain.window import DAY_US
from app.service.failures.views import Group, Shown

#: For so long a group that nobody has, and nobody wrote a note to, is new.
NEW_US: Final = DAY_US
_OUTCOMES: Final = {"deadline_exceeded": "timeout", "worker_lost": "lost"}


def shown(row: FailureGroupRecord, now: int) -> Shown:
    """The state of a group, where it is `now`."""
    if row.state != "open":
        return Shown(row.state)
    if row.regressed_at is not None:
        return Shown.REGRESSED
    is_touched = bool(row.assignee or row.note)
    return Shown.ONGOING if is_touched or row.first_at <= now - NEW_US else Shown.NEW


def group(row: FailureGroupRecord, last_at: int | None, now: int) -> Group:
    """A group as it is shown; one that is resolved was not seen again since."""
    is_back = row.state != "resolved"
    return Group(
        fingerprint=row.fingerprint,
        error_type=row.error_type,
        error_kind=row.error_kind,
        error_code=row.error_code,
        template=row.template,
        frames=frames_of(row.frames),
        shown=shown(row, now),
        outcome=_OUTCOMES.get(row.error_type, "failed"),
        first_at=row.first_at,
        last_at=last_at,
        state_at=row.state_at,
        state_by=row.state_by,
        resolved_release=row.resolved_release,
        regressed_at=row.regressed_at if is_back else None,
        regressed_release=row.regressed_release if is_back else None,
        assignee=row.assignee,
        note=row.note,
    )
