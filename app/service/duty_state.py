"""What duties tell of themselves on their rows, read back."""

import json
from collections.abc import Mapping
from typing import Any

from app.domain.records import DutyRecord
from app.service.core import Core
from app.store import duties


def state_of(duty: DutyRecord | None) -> Mapping[str, Any]:
    """What a duty tells of itself; empty where it tells nothing."""
    if duty is None:
        return {}
    try:
        found = json.loads(duty.state)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def read(core: Core, name: str) -> Mapping[str, Any]:
    """What a duty told of itself last; empty where it never did."""
    with core.database.read() as conn:
        return state_of(duties.get(conn, name))
