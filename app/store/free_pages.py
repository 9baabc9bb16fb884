"""Pages of a SQLite file that hold nothing: rows that were there are gone."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Pages of the file, and those of them that are unused; each has `page_bytes`."""

    total: int
    unused: int
    page_bytes: int


def pages(conn: Connection) -> Pages:
    """The pages of the file, SQLite only (its header: a cost that does not grow)."""
    total, unused, page_bytes = (
        conn.execute(text(f"PRAGMA {name}")).scalar_one()
        for name in ("page_count", "freelist_count", "page_size")
    )
    return Pages(total=total, unused=unused, page_bytes=page_bytes)
