"""The manifest of a backup file: what it holds, of which schema, and how each part is checked."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from app.domain.errors import BackupError

#: Version of the file's form; a reader takes its own and older ones. From 2 on the manifest has a
#: checksum.
FORMAT: Final = 2
PRODUCT: Final = "voxtrace"
#: Name of the manifest in the file.
MANIFEST: Final = "manifest.json"
#: Name of its checksum, as `sha256sum` writes it.
CHECKSUM: Final = "manifest.sha256"
#: Bytes of a manifest at most.
MAX_MANIFEST_BYTES: Final = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One entry of the file: its size and its SHA-256, before compression."""

    entry: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePart(Part):
    """A table: one line for each row, in the order of its key.

    Attributes:
        columns: Names, in the order of the values, and their kinds.
        last_id: The highest id that the database ever gave here, to rows that are gone, too; None
            where it gives none.
    """

    table: str
    columns: Mapping[str, str]
    row_count: int
    last_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioPart(Part):
    """The audio files, as a tar archive.

    Attributes:
        missing_count: Files that rows name and that were not there, or not whole.
    """

    file_count: int
    missing_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup file holds.

    Attributes:
        release: The release that made it.
        schema: Revision of the schema that the rows have.
        made_at: The moment (microseconds) of which it tells the state, by the database's clock.
        database: `sqlite` or `postgresql`.
    """

    release: str
    schema: str
    made_at: int
    database: str
    tables: tuple[TablePart, ...]
    audio: AudioPart | None

    @property
    def row_count(self) -> int:
        """Rows in all."""
        return sum(part.row_count for part in self.tables)

    @property
    def entries(self) -> tuple[str, ...]:
        """The names of all parts."""
        return (*(part.entry for part in self.tables), *((self.audio.entry,) if self.audio else ()))


def to_json(manifest: Manifest) -> bytes:
    """The manifest as it stands in the file."""
    value = {"product": PRODUCT, "format": FORMAT, **asdict(manifest)}
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def checksum(data: bytes) -> bytes:
    """What stands beside a manifest."""
    return f"{hashlib.sha256(data).hexdigest()}  {MANIFEST}\n".encode()


def from_json(data: bytes, summed: bytes | None) -> Manifest:
    """The manifest of a file.

    Args:
        data: As it stands in the file.
        summed: Its checksum; None: there is none.

    Raises:
        BackupError: It is none, is not what its checksum says, or is one of a later form.
    """
    if summed is not None and summed != checksum(data):
        message = f"{MANIFEST} has another SHA-256 than {CHECKSUM} says: the file was changed"
        raise BackupError(message)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        message = f"{MANIFEST} is no JSON: the file was changed"
        raise BackupError(message) from error
    if not isinstance(value, dict) or value.get("product") != PRODUCT:
        message = f"{MANIFEST} is not of {PRODUCT}: the file was made by something else"
        raise BackupError(message)
    if value.get("format") not in range(1, FORMAT + 1):
        message = (
            f"the file has form {str(value.get('format'))[:20]!r}, this release reads up to "
            f"{FORMAT}: import it with the release that made it, {str(value.get('release'))[:40]!r}"
        )
        raise BackupError(message)
    if summed is None and value["format"] > 1:
        message = f"the file has no {CHECKSUM}: it was changed"
        raise BackupError(message)
    return _manifest(value)


def _manifest(value: dict[str, Any]) -> Manifest:
    audio = _field(value, "audio", (dict, type(None)))
    return Manifest(
        release=_field(value, "release", str),
        schema=_field(value, "schema", str),
        made_at=_count(value, "made_at"),
        database=_field(value, "database", str),
        tables=tuple(_table(part) for part in _field(value, "tables", list)),
        audio=None if audio is None else _audio(audio),
    )


def _table(value: Any) -> TablePart:
    columns = _field(value, "columns", dict)
    for name in columns:
        _field(columns, name, str)
    has_ids = _field(value, "last_id", (int, type(None))) is not None
    return TablePart(
        **_part(value),
        table=_field(value, "table", str),
        columns=columns,
        row_count=_count(value, "row_count"),
        last_id=_count(value, "last_id") if has_ids else None,
    )


def _audio(value: dict[str, Any]) -> AudioPart:
    return AudioPart(
        **_part(value),
        file_count=_count(value, "file_count"),
        missing_count=_count(value, "missing_count"),
    )


def _part(value: Any) -> dict[str, Any]:
    return {
        "entry": _field(value, "entry", str),
        "bytes": _count(value, "bytes"),
        "sha256": _field(value, "sha256", str),
    }


def _count(value: Any, name: str) -> int:
    found: int = _field(value, name, int)
    if isinstance(found, bool) or not 0 <= found < 2**63:
        raise _wrong(name, found)
    return found


def _field(value: Any, name: str, kinds: type | tuple[type, ...]) -> Any:
    found = value.get(name, ...) if isinstance(value, dict) else ...
    if not isinstance(found, kinds):
        raise _wrong(name, found)
    return found


def _wrong(name: str, found: object) -> BackupError:
    got = "nothing" if found is ... else repr(found)[:40]
    message = f"{MANIFEST} has {got} as {name!r}: the file was changed"
    return BackupError(message)
