"""The window duty: the settings that bound the outbox, with and without a collector."""

import json

import pytest
from sqlalchemy import select, update

from app.duties.window import Window
from app.service import window
from app.store.tables import outbox_table
from telemetry import outbox
from tests.support.home import Home

_O = outbox_table.c
_HOUR_US = 3_600_000_000


def _put(home: Home, name: str, *, hours: float, is_sent: bool, size: int = 0) -> None:
    """A row of a span that was made, and perhaps sent, so long ago; its payload tells its name."""
    core = home.core
    with core.database.write() as conn:
        at = core.database.now_us(conn) - round(hours * _HOUR_US)
        payload = name.encode().ljust(size, b".")
        outbox.add(conn, payload=payload, n_spans=1, rank=outbox.RANK_DETAIL, created_at_us=at)
        if is_sent:
            mine = update(outbox_table).where(_O.payload == payload)
            conn.execute(mine.values(state="sent", sent_at=at))


def _left(home: Home) -> set[str]:
    with home.core.database.read() as conn:
        return {row.rstrip(b".").decode() for row in conn.scalars(select(_O.payload))}


@pytest.mark.parametrize("sends", [True, False], ids=["collector", "no_collector"])
def test_window_keeps_spans_for_the_hours_that_are_set(any_home: Home, *, sends: bool) -> None:
    """VOXTRACE_OUTBOX_KEEP counts since they left; without a collector, since they were made."""
    any_home.environ["VOXTRACE_OUTBOX_KEEP"] = "2"
    for hours, age in ((3, "old"), (1, "young")):
        _put(any_home, f"{age} sent", hours=hours, is_sent=True)
        _put(any_home, f"{age} unsent", hours=hours, is_sent=False)
    duty = Window(any_home.core, sends=sends)
    assert duty.step() == 60.0
    kept = {"young sent", "young unsent", *({"old unsent"} if sends else ())}
    assert _left(any_home) == kept
    assert json.loads(duty.state()) == {"removed": 4 - len(kept), "lost": 0}


@pytest.mark.parametrize("sends", [True, False], ids=["collector", "no_collector"])
def test_window_keeps_no_more_bytes_than_are_set(any_home: Home, *, sends: bool) -> None:
    """Above VOXTRACE_OUTBOX_MAX_BYTES what was sent goes first, then the oldest unsent: counted."""
    any_home.environ["VOXTRACE_OUTBOX_MAX_BYTES"] = "1000000"
    for name in ("sent", "first", "second", "third"):
        _put(any_home, name, hours=0, is_sent=name == "sent", size=400_000)
    duty = Window(any_home.core, sends=sends)
    assert duty.step() == 60.0
    assert _left(any_home) == {"second", "third"}
    assert json.loads(duty.state()) == {"removed": 1, "lost": 1}
    assert window.measure(any_home.core).lost_rows == 1
