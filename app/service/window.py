"""Window: what lies in the span outbox, and how long it stays."""

from app.service.core import Core
from app.store.database import Connection
from telemetry import outbox, outbox_prune
from telemetry.outbox import OutboxState
from telemetry.outbox_prune import Pruned


def prune(core: Core, *, sends: bool) -> Pruned:
    """Removes what is beyond the window, in one short transaction.

    Args:
        core: Whose settings bound the window.
        sends: Whether a collector is set. Without one, unsent spans are kept for the window too,
            so that setting one later sends the window.
    """
    keep_us = round(core.settings.outbox_keep_h * 3_600_000_000)

    def work(conn: Connection) -> Pruned:
        return outbox_prune.prune(
            conn,
            keep_us=keep_us,
            max_bytes=core.settings.outbox_max_bytes,
            now_us=core.database.now_us(conn),
            keep_unsent_us=None if sends else keep_us,
            limit=200,
        )

    return core.database.run(work)


def measure(core: Core) -> OutboxState:
    """What lies in the outbox now."""
    with core.database.read() as conn:
        return outbox.measure(conn)
