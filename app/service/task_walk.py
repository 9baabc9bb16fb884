"""A walk along the indexes of a list: the keys of a page, and how far the looking goes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app import clock
from app.domain.query.order import Cursor, Key, Order
from app.store.database import Connection
from app.store.lists import statements
from app.store.lists.conditions import Asking, condition
from app.store.lists.paths import Path
from app.store.lists.statements import Conditions

#: Tasks that a page looks at, at most, for terms that no index answers.
MAX_EXAMINED: Final = 50_000
#: Seconds after which no more are looked at: in the order of a duration each lies elsewhere.
MAX_S: Final = 0.25
#: Tasks that are looked at first; each piece after it is four times as long.
_PIECE: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """The keys of a page, in the order of the list, and its neighbours.

    Attributes:
        searched_to: Where the looking ended before the page was full.
        is_whole: Whether there is nothing beyond this page.
    """

    keys: Sequence[Key]
    next: Cursor | None
    previous: Cursor | None
    searched_to: Key | None
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Walker:
    """What a list walks along, in one snapshot.

    Attributes:
        examined: Tasks that are looked at, at most, for what the path leaves to look at.
    """

    conn: Connection
    path: Path
    asking: Asking
    examined: int = MAX_EXAMINED

    @property
    def conditions(self) -> Conditions:
        """What the indexes of the path do not answer."""
        return [condition(term, self.asking) for term in self.path.rest]

    def walk(self, begin: Cursor, limit: int) -> Walked:
        """A page of so many keys, in order; backwards too, from its end to its begin."""
        way = begin.order.turned if begin.is_backwards else begin.order
        found: list[Key] = []
        until: Key | None = None
        for after, until in self.pieces(way, begin.key):
            found += self._keys(way, after, until, limit + 1 - len(found))
            if len(found) > limit:
                break
        shown = found[:limit]
        # where the walk may go on: after the last that is shown, or where the looking ended
        ahead = shown[-1] if len(found) > limit else until
        behind = shown[0] if shown else None
        on = _cursor(begin.order, ahead, is_backwards=begin.is_backwards)
        off = _cursor(begin.order, behind, is_backwards=not begin.is_backwards)
        return Walked(
            keys=shown[::-1] if begin.is_backwards else shown,
            next=off if begin.is_backwards else on,
            previous=on if begin.is_backwards else off,
            searched_to=until if len(found) <= limit else None,
            is_whole=ahead is None,
        )

    def pieces(self, way: Order, after: Key) -> Iterator[tuple[Key, Key | None]]:
        """Pieces of a walk, as the key before each and its last key; None: the rest of the way.

        They end after `examined` tasks, or `MAX_S`; where indexes answer every term there is one.
        """
        if self.path.is_short or not self.path.rest:
            yield after, None
            return
        started_s = clock.monotonic_s()
        seen, length = 0, min(_PIECE, self.examined)
        while seen < self.examined and (seen == 0 or clock.monotonic_s() - started_s < MAX_S):
            until = self._horizon(way, after, length)
            yield after, until
            if until is None:
                return
            seen += length
            after, length = until, min(4 * length, max(1, self.examined - seen))

    def _horizon(self, way: Order, after: Key, length: int) -> Key | None:
        """The last key of a piece of so many tasks; None: there are fewer."""
        arms = self.path.arms
        share = max(1, length // max(1, len(arms)))
        found = [
            key
            for arm in arms
            if (key := statements.horizon(self.conn, arm, way, after=after, count=share))
        ]
        return None if not found else min(found) if way.is_ascending else max(found)

    def _keys(self, way: Order, after: Key, until: Key | None, limit: int) -> list[Key]:
        found = [
            key
            for arm in self.path.arms
            for key in statements.keys(
                self.conn, arm, way, self.conditions, after=after, until=until, limit=limit
            )
        ]
        return sorted(found, reverse=not way.is_ascending)


def _cursor(order: Order, key: Key | None, *, is_backwards: bool) -> Cursor | None:
    return None if key is None else Cursor(order=order, key=key, is_backwards=is_backwards)
