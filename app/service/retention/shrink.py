"""Shrink: pages of a SQLite file that removed rows left behind go back to the disk, some at a time.

Some stay, for the rows to come. PostgreSQL does the like by itself.
"""

from typing import Final

from app.service.core import Core
from app.store import free_pages

#: Pages that one short transaction gives back.
PAGES: Final = 256
#: Unused pages that stay: this share of the file, and so many at least.
SPARE_RATIO: Final = 0.1
SPARE_PAGES: Final = 2048


def shrink(core: Core) -> int:
    """Gives some unused pages back; returns how many bytes, 0 where there are few or none.

    Raises:
        DatabaseBusyError: The lock could not be had.
    """
    if not core.database.is_sqlite:
        return 0
    with core.database.read() as conn:
        before = free_pages.pages(conn)
    if before.unused <= max(SPARE_PAGES, SPARE_RATIO * before.total):
        return 0
    core.database.pragma(f"incremental_vacuum({PAGES})")
    with core.database.read() as conn:
        after = free_pages.pages(conn)
    return max(0, before.total - after.total) * before.page_bytes
