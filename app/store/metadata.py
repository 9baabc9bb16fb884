"""What all tables share: names of constraints, the key type, the values of CHECKs."""

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
)

from app.domain import task
from app.domain.audio import FORMATS

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: 64-bit key; SQLite assigns its row id only to a column declared INTEGER.
BigKey = BigInteger().with_variant(Integer, "sqlite")

#: Values of the CHECKs, as SQL lists.
STATUSES = ", ".join(f"'{status}'" for status in task.Status)
SOURCES = ("page", "api", "legacy", "cli", "canary", "import")
SOURCE_LIST = ", ".join(f"'{source}'" for source in SOURCES)
#: How attempts end that count in the search for causes: completed, or failed one way or another.
#: One that was cancelled, handed back or waited for capacity says nothing of a fault.
FAILED_OUTCOMES = ", ".join(f"'{outcome}'" for outcome in task.FAILED_OUTCOMES)
COUNTED_OUTCOMES = f"'completed', {FAILED_OUTCOMES}"
FORMAT_LIST = ", ".join(f"'{name}'" for name in FORMATS)


def id_column() -> Column[int]:
    """A key that the database assigns; never used again after a DELETE."""
    return Column("id", BigKey, primary_key=True, autoincrement=True)
