"""What is wrong with a file of rows, and where: the line and the column."""

import csv
import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

#: Columns that are no dimensions.
AT: Final = "at"
FAILED: Final = "failed"
FINGERPRINT: Final = "fingerprint"
_SHOWN: Final = 60


class WrongRowsError(ValueError):
    """A file is not as it has to be.

    Args:
        line: Where, counted from 1.
        column: The name of the column, None where it is of none.
        what: What was got, and what is allowed.
    """

    def __init__(self, line: int, column: str | None, what: str) -> None:
        place = f"line {line}" if column is None else f"line {line}, column {column}"
        super().__init__(f"{place}: {what}")
        self.line = line
        self.column = column


def guarded(reader: Any) -> Iterator[list[str]]:
    """The rows of a `csv.reader`; what it cannot read is told with its line.

    Raises:
        WrongRowsError: Quotes are not closed, or a field is too long.
    """
    line = 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise WrongRowsError(line + 1, None, _words(str(error))) from error
        if row is None:
            return
        line = reader.line_num
        yield row


def _words(error: str) -> str:
    if "unexpected end of data" in error:
        return "a quote opens here and is never closed"
    if "expected after" in error:
        return "a quote ends inside a value; a quote in a quoted value is written twice"
    if "field larger" in error:
        return f"a value has more than {csv.field_size_limit()} characters"
    return f"is no CSV: {error}"


def check_header(header: Sequence[str], line: int) -> None:
    """Raises what is wrong with the names of the columns."""
    shown = ", ".join(header)[: 4 * _SHOWN]
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise WrongRowsError(line, None, f"columns have to be separated by commas, got {shown!r}")
    for place, name in enumerate(header):
        if not name:
            raise WrongRowsError(line, str(place + 1), "has no name")
        if header.index(name) < place:
            raise WrongRowsError(line, name, "is there twice")
    for name in (AT, FAILED):
        if name not in header:
            raise WrongRowsError(line, name, f"is missing, got the columns {shown}")


def tell(header: Sequence[str], rows: Sequence[Sequence[str]], lines: Sequence[int]) -> NoReturn:
    """Raises what is wrong with the first wrong row of these.

    Args:
        header: Names of the columns.
        rows: At least one is wrong.
        lines: On which each begins.
    """
    for row, line in zip(rows, lines, strict=True):
        if len(row) < len(header):
            wanted = f"{len(header)} values are wanted, got {len(row)}"
            raise WrongRowsError(line, header[len(row)], f"is missing: {wanted}")
        if len(row) > len(header):
            wanted = f"{len(header)} values are wanted, got {len(row)}"
            raise WrongRowsError(line, str(len(header) + 1), f"has no name: {wanted}")
        given = dict(zip(header, row, strict=True))
        if not _is_moment(given[AT]):
            what = "must be seconds since the epoch, such as 1760000000.5"
            raise WrongRowsError(line, AT, f"{what}, got {_shown(given[AT])}")
        if given[FAILED].strip() not in {"0", "1"}:
            raise WrongRowsError(line, FAILED, f"must be 0 or 1, got {_shown(given[FAILED])}")
    message = "no row is wrong"
    raise AssertionError(message)


def _is_moment(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
