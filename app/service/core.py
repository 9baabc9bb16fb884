"""What every service works with: made once for each process by bootstrap, and passed in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.config.settings import Settings
from app.speech.engine import Engine
from app.storage.storage import Storage
from app.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The implementations that bootstrap picked, and who acts through them.

    Attributes:
        host: Name of this host, on worker and attempt rows.
        actor: Who does what is done, as events name it: "web", "cli", "worker w1", "reaper on h".
        ring: Tells the workers of this host that there may be work or a cancellation.
    """

    settings: Settings
    database: Database
    host: str
    storage: Storage
    engines: Mapping[str, Engine]
    actor: str
    ring: Callable[[], None]
