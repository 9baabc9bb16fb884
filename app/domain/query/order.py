"""The order of a task list, and where in it a page begins: an opaque cursor."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from typing_extensions import override

from app.domain.errors import AskedError
from app.domain.query.query import Query

#: When a task that has not ended ends, for the order and for filters: after every moment.
NEVER_US: Final = 2**63 - 1
_ASCENDING: Final = "-asc"


class Sort(StrEnum):
    """What a list is sorted by; tasks of the same value stand by their number."""

    SUBMITTED = "submitted"
    ENDED = "ended"
    DUR = "dur"
    WAIT = "wait"
    TOTAL = "total"

    @property
    def is_duration(self) -> bool:
        """Whether only tasks that have ended have it."""
        return self in {Sort.DUR, Sort.WAIT, Sort.TOTAL}


#: Other words for a sort.
ALIASES: Final[Mapping[str, Sort]] = MappingProxyType(
    {"age": Sort.SUBMITTED, "duration": Sort.DUR, "run": Sort.DUR}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Latest or longest first; ascending: earliest or shortest first."""

    sort: Sort = Sort.SUBMITTED
    is_ascending: bool = False

    @override
    def __str__(self) -> str:
        return f"{self.sort}{_ASCENDING if self.is_ascending else ''}"

    @property
    def turned(self) -> "Order":
        """The other way round."""
        return Order(sort=self.sort, is_ascending=not self.is_ascending)


#: A task's place in an order: what it is sorted by, then its number; of `ended` the moment of its
#: submission stands between.
Key = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """When a walk through a list by ends began: what ended later stands where it lived.

    Attributes:
        at: Microseconds since the epoch.
        oldest: When the task was submitted that then lived longest; no task that lived then, or
            came later, was submitted before.
    """

    at: int
    oldest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a page begins: after the task of this key, or, backwards, before it; (): all of it.

    `begun` is None but for lists by ends.
    """

    order: Order
    key: Key = ()
    is_backwards: bool = False
    begun: Begun | None = None

    @override
    def __str__(self) -> str:
        way = "b" if self.is_backwards else "f"
        begun = () if self.begun is None else (self.begun.at, self.begun.oldest)
        told = ".".join((str(self.order), way, *(str(part) for part in (*self.key, *begun))))
        return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def length_of(order: Order) -> int:
    """The numbers of a key in an order."""
    return 3 if order.sort is Sort.ENDED else 2


def order_of(text: str) -> Order:
    """The order that a text names, such as `submitted` or `dur-asc`.

    Raises:
        AskedError: It names none.
    """
    name = text.removesuffix(_ASCENDING)
    sort = ALIASES.get(name) or next((one for one in Sort if one == name), None)
    if sort is None:
        message = (
            f"sort must be one of {', '.join(Sort)}, each also with {_ASCENDING} after it, "
            f"got {text[:40]!r}"
        )
        values = {"got": text[:40], "allowed": ", ".join(Sort)}
        raise AskedError(message, reason="sort", values=values)
    return Order(sort=sort, is_ascending=text.endswith(_ASCENDING))


def usual_order(query: Query) -> Order:
    """The order of a list that asks for none: by the end where the filter asks for the end."""
    by_end = any(term.name == "ended" and not term.is_negated for term in query.terms)
    return Order(sort=Sort.ENDED if by_end else Sort.SUBMITTED)


_CURSOR: Final = re.compile(r"([a-z-]{3,20})\.([fb])((?:\.\d{1,19}){2,5})", re.ASCII)


def cursor_of(text: str) -> Cursor:
    """The cursor that an earlier page gave.

    Raises:
        AskedError: No page gave it.
    """
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        told = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        match = _CURSOR.fullmatch(told)
        if match is None:
            raise _not_ours(text)
        order = order_of(match[1])
        numbers = tuple(int(part) for part in match[3].split(".")[1:])
    except (UnicodeError, binascii.Error, AskedError) as error:
        raise _not_ours(text) from error
    length = length_of(order)
    key, begun = numbers[:length], numbers[length:]
    if len(key) < length or len(begun) not in ((0, 2) if order.sort is Sort.ENDED else (0,)):
        raise _not_ours(text)
    if max(numbers) > NEVER_US:
        raise _not_ours(text)
    return Cursor(
        order=order,
        key=key,
        is_backwards=match[2] == "b",
        begun=Begun(at=begun[0], oldest=begun[1]) if begun else None,
    )


def _not_ours(text: str) -> AskedError:
    message = f"cursor must be one that an earlier page of this list gave, got {text[:60]!r}"
    return AskedError(message, reason="cursor", values={"got": text[:40]})
