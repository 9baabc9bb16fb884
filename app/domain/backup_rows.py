"""Rows as lines of a backup file: one JSON array each, checked before anything is written.

Bytes are base64, floats that JSON lacks are "inf", "-inf" and "nan". A line is checked against what
the columns take, so that a database never meets a value that it refuses in the middle.
"""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from json import JSONDecoder, JSONEncoder
from typing import Any, Final, Literal

Kind = Literal["int", "bool", "float", "text", "bytes"]
Row = Sequence[Any]

#: What stands in JSON for a value of each kind.
_JSON: Final[dict[Kind, tuple[type, ...]]] = {
    "int": (int,),
    "bool": (bool,),
    "float": (float, str),
    "text": (str,),
    "bytes": (str,),
}
_NOT_FINITE: Final = frozenset({"inf", "-inf", "nan"})
_ENCODE: Final = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as far as a value must fit.

    Attributes:
        max_chars: Of text; None: no limit.
        bits: Of an integer, sign included.
    """

    name: str
    kind: Kind
    is_nullable: bool
    max_chars: int | None = None
    bits: int = 64

    @property
    def is_wide(self) -> bool:
        """Whether a value may be megabytes."""
        return self.kind == "bytes" or (self.kind == "text" and self.max_chars is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableShape:
    """A table as a backup sees it; generated columns are left out.

    Attributes:
        key: Columns of the primary key, by which rows are ordered.
        id_column: The column whose values the database gives; None where it gives none.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    id_column: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in their order."""
        return tuple(column.name for column in self.columns)

    @property
    def wide_places(self) -> tuple[int, ...]:
        """Where the columns stand whose values may be megabytes."""
        return tuple(at for at, column in enumerate(self.columns) if column.is_wide)

    def in_order(self, names: Sequence[str]) -> "TableShape":
        """The same with its columns in the order of `names`, which are all of them."""
        by_name = {column.name: column for column in self.columns}
        return replace(self, columns=tuple(by_name[name] for name in names))


class RowWriter:
    """Makes lines of the rows of one table."""

    def __init__(self, shape: TableShape) -> None:
        self._bytes = _places(shape, "bytes")
        self._floats = _places(shape, "float")

    def line(self, row: Row) -> bytes:
        """The row as a line, its end included."""
        values = list(row)
        for at in self._bytes:
            if values[at] is not None:
                values[at] = base64.b64encode(values[at]).decode("ascii")
        for at in self._floats:
            if values[at] is not None and not math.isfinite(values[at]):
                values[at] = str(float(values[at]))
        return _ENCODE(values).encode() + b"\n"


class RowReader:
    """Makes rows of the lines of one table.

    Args:
        shape: The table, its columns in the order of the file.
        is_strict: PostgreSQL takes the rows: it holds lengths and widths, and takes no NUL.
    """

    def __init__(self, shape: TableShape, *, is_strict: bool) -> None:
        self._columns = shape.columns
        self._decode = JSONDecoder(parse_constant=_refuse_constant).decode
        self._seen: set[tuple[type, ...]] = set()
        self._bytes = _places(shape, "bytes")
        self._floats = _places(shape, "float")
        self._texts = [
            (at, column.max_chars if is_strict and column.max_chars else 2**62)
            for at, column in enumerate(shape.columns)
            if column.kind == "text"
        ]
        self._ints = [
            (at, 1 << ((column.bits if is_strict else 64) - 1))
            for at, column in enumerate(shape.columns)
            if column.kind == "int"
        ]
        self._takes_nul = not is_strict

    def row(self, line: bytes) -> list[Any]:
        """The row of a line.

        Raises:
            ValueError: It is no such row; says why, and never quotes a value.
        """
        values = self._values(line)
        for at, limit in self._ints:
            value = values[at]
            if value is not None and not -limit <= value < limit:
                raise self._wrong(at, f"must have {limit.bit_length()} bits at most")
        for at, most in self._texts:
            value = values[at]
            if value is not None and len(value) > most:
                raise self._wrong(at, f"must have {most} characters at most, got {len(value)}")
        if b"\\u" in line:
            self._check_characters(values)
        for at in self._bytes:
            if values[at] is not None:
                values[at] = self._bytes_of(at, values[at])
        for at in self._floats:
            if isinstance(values[at], str):
                values[at] = self._float_of(at, values[at])
        return values

    def _values(self, line: bytes) -> list[Any]:
        try:
            values = self._decode(line.decode())
        except (ValueError, RecursionError) as error:
            message = "is no JSON"
            raise ValueError(message) from error
        if not isinstance(values, list) or len(values) != len(self._columns):
            message = f"must be an array of {len(self._columns)} values"
            raise ValueError(message)
        kinds = tuple(map(type, values))
        if kinds not in self._seen:
            self._check_kinds(kinds)
            self._seen.add(kinds)
        return values

    def _check_kinds(self, kinds: tuple[type, ...]) -> None:
        for at, (column, found) in enumerate(zip(self._columns, kinds, strict=True)):
            if found is type(None):
                if not column.is_nullable:
                    raise self._wrong(at, "must not be null")
            elif found not in _JSON[column.kind]:
                raise self._wrong(at, f"must be of kind {column.kind}, got {found.__name__}")

    def _check_characters(self, values: list[Any]) -> None:
        for at, _ in self._texts:
            value = values[at] or ""
            if "\0" in value and not self._takes_nul:
                raise self._wrong(at, "has a NUL character, which PostgreSQL cannot hold")
            try:
                value.encode()
            except UnicodeEncodeError:
                raise self._wrong(at, "has half of a surrogate pair") from None

    def _bytes_of(self, at: int, value: str) -> bytes:
        try:
            return base64.b64decode(value, validate=True)
        except ValueError:
            raise self._wrong(at, "must be base64") from None

    def _float_of(self, at: int, value: str) -> float:
        if value not in _NOT_FINITE:
            raise self._wrong(at, "must be a number, or one of inf, -inf, nan")
        return float(value)

    def _wrong(self, at: int, words: str) -> ValueError:
        return ValueError(f"column {self._columns[at].name} {words}")


def _places(shape: TableShape, kind: Kind) -> list[int]:
    return [at for at, column in enumerate(shape.columns) if column.kind == kind]


def _refuse_constant(name: str) -> float:
    message = f"{name} is no JSON"
    raise ValueError(message)
