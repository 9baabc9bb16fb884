"""What a webhook is told, in short: what waits, and how the last call went."""

from dataclasses import dataclass

from app.domain.finding import DeliveryRecord
from app.service.core import Core
from app.store import webhook_deliveries
from app.store.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """What is told.

    Attributes:
        is_set: Whether a webhook is set for the process that asks.
        waiting: How many wait.
        first: The first of those.
        ended: The newest that was delivered or given up.
    """

    is_set: bool = False
    waiting: int = 0
    first: DeliveryRecord | None = None
    ended: DeliveryRecord | None = None


def read(core: Core, conn: Connection) -> Deliveries:
    """How it stands now; nothing is looked for where no webhook is set."""
    if core.settings.webhook_url is None:
        return Deliveries()
    return Deliveries(
        is_set=True,
        waiting=webhook_deliveries.waiting(conn).n,
        first=webhook_deliveries.oldest_waiting(conn),
        ended=webhook_deliveries.last_ended(conn),
    )
