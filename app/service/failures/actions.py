"""What people decide about a failure group: resolve, reopen, mute, unmute, assign, note.

An action that changes nothing (resolving what is resolved) is done and writes nothing. Reopening
and unmuting take the decision back: the group is what it was before, new or regressed too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from app.domain.records import FailureGroupRecord
from app.service.core import Core
from app.service.failures.asked import is_plain
from app.service.failures.faults import fault
from app.service.failures.group import required, shown
from app.service.failures.views import Group
from app.store import failure_groups, workers
from app.store.database import Connection


class Action(StrEnum):
    """What may be done to a group."""

    RESOLVE = "resolve"
    REOPEN = "reopen"
    MUTE = "mute"
    UNMUTE = "unmute"
    ASSIGN = "assign"
    NOTE = "note"


#: The state that an action leads to, and what its event is called.
_STATES: Final[Mapping[Action, tuple[str, str]]] = {
    Action.RESOLVE: ("resolved", "resolved"),
    Action.REOPEN: ("open", "reopened"),
    Action.MUTE: ("muted", "muted"),
    Action.UNMUTE: ("open", "unmuted"),
}
#: The field that an action needs, its most characters, and what its event is called.
_FIELDS: Final[Mapping[Action, tuple[str, int, str]]] = {
    Action.ASSIGN: ("assignee", 160, "assigned"),
    Action.NOTE: ("note", 2000, "noted"),
}
MAX_BY: Final = 80
#: Control characters that a note may have.
_WHITE: Final = str.maketrans("\n\t\r", "   ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What is to be done to a group.

    Attributes:
        value: Of assign the person, of note the note; "" takes it away. None: of the others.
        by: Who does it, as they call themselves; None: only the way it came is known.
    """

    action: Action
    value: str | None = None
    by: str | None = None


def done(action: str, fields: Mapping[str, str], by: str | None = None) -> Done:
    """An action in words.

    Raises:
        AskedError: It is none, a field is missing, too many, too long, or has control characters.
    """
    try:
        one = Action(action)
    except ValueError as error:
        allowed = ", ".join(Action)
        raise fault(reason="choice", name="action", got=action[:40], allowed=allowed) from error
    needed = _FIELDS.get(one)
    for name in fields:
        if needed is None or name != needed[0]:
            raise fault(reason="extra", action=str(one), name=name)
    signed = _clean("by", by or "", MAX_BY) or None
    if needed is None:
        return Done(action=one, by=signed)
    name, most, _ = needed
    if name not in fields:
        raise fault(reason="missing", action=str(one), name=name)
    return Done(action=one, value=_clean(name, fields[name], most), by=signed)


def act(core: Core, fingerprint: str, what: Done) -> Group:
    """Does it, and writes down who did and when; the group after it.

    Raises:
        NotFoundError: Nothing has failed so.
    """

    def work(conn: Connection) -> Group:
        now = core.database.now_us(conn)
        row = required(conn, fingerprint, lock=True)
        by = core.actor[:160] if what.by is None else f"{what.by} ({core.actor})"[:160]
        changed, kind, detail = _change(conn, row, what, by, now)
        if changed:
            failure_groups.change(conn, fingerprint, changed)
            event = {"fingerprint": fingerprint, "at": now, "kind": kind, "by": by}
            failure_groups.add_event(conn, event | {"detail": detail})
            row = required(conn, fingerprint)
        return shown(conn, row, failure_groups.last_at(conn, fingerprint), now)

    return core.database.run(work)


def _change(
    conn: Connection, row: FailureGroupRecord, what: Done, by: str, now: int
) -> tuple[dict[str, Any], str, str | None]:
    """The columns that change, the kind of the event, and its detail; no columns: nothing."""
    if what.action in _FIELDS:
        name, _, kind = _FIELDS[what.action]
        before = getattr(row, name) or ""
        return ({} if what.value == before else {name: what.value or None}), kind, what.value
    state, kind = _STATES[what.action]
    if row.state == state or (what.action is Action.UNMUTE and row.state != "muted"):
        return {}, kind, None
    if state == "open":
        return {"state": state, **_before(conn, row)}, kind, None
    values: dict[str, Any] = {"state": state, "state_at": now, "state_by": by}
    if what.action is Action.MUTE:
        return values, kind, None
    releases = ", ".join(sorted({worker.release for worker in workers.live(conn)}))[:400] or None
    return values | {"resolved_release": releases}, kind, releases


def _before(conn: Connection, row: FailureGroupRecord) -> dict[str, Any]:
    """What an open group tells of a decision: of one that is back, the resolution before that."""
    key = row.fingerprint
    past = None if row.regressed_at is None else failure_groups.broken_resolution(conn, key)
    return {
        "state_at": past and past.at,
        "state_by": past and past.by,
        "resolved_release": past and past.detail,
    }


def _clean(name: str, value: str, most: int) -> str:
    text = value.strip()
    if len(text) > most:
        raise fault(reason="long", name=name, most=most, got=len(text))
    if not is_plain(text.translate(_WHITE)):
        raise fault(reason="control", name=name)
    return text
