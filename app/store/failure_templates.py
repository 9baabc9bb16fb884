"""What failures of a group say: the type and the template, by fingerprint."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.store.tables import failure_group_table

_G = failure_group_table.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Why failures are one group."""

    error_type: str
    template: str


def of_groups(conn: Connection, fingerprints: Sequence[str]) -> dict[str, Template]:
    """What these groups say, those that are there (primary key)."""
    statement = select(_G.fingerprint, _G.error_type, _G.template).where(
        _G.fingerprint.in_(sorted(fingerprints))
    )
    return {
        row.fingerprint: Template(error_type=row.error_type, template=row.template)
        for row in conn.execute(statement)
    }
