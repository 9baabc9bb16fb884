"""A walk along the indexes of a list: the keys of a page, and how far the looking goes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app import clock
from app.domain.query.order import NEVER_US, Cursor, Key, Order, length_of
from app.store.database import Connection
from app.store.lists import statements
from app.store.lists.arms import Path
from app.store.lists.statements import Conditions
from app.store.lists.terms import Asking

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
        next: None: there is nothing after this page.
        previous: Where the page before ends, or will be.
        searched_to: Where the looking ended before the page was full.
        is_first: Whether there is nothing before this page.
    """

    keys: Sequence[Key]
    next: Cursor | None
    previous: Cursor
    searched_to: Key | None
    is_first: bool


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
        return [self.path.rows.condition(term, self.asking) for term in self.path.rest]

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
        # where the walk goes on: after the last that is shown, or where the looking ended
        ahead = shown[-1] if len(found) > limit else until
        behind = shown[0] if shown else _beside(begin, until)
        back = replace(begin, key=behind, is_backwards=not begin.is_backwards)
        on = None if ahead is None else replace(begin, key=ahead)
        # the first page leads to what will stand before it
        newest = replace(begin, key=shown[-1] if shown else begin.key)
        return Walked(
            keys=shown[::-1] if begin.is_backwards else shown,
            next=back if begin.is_backwards else on,
            previous=(on or newest) if begin.is_backwards else back,
            searched_to=until if len(found) <= limit else None,
            is_first=ahead is None if begin.is_backwards else not begin.key,
        )

    def pieces(self, way: Order, after: Key) -> Iterator[tuple[Key, Key | None]]:
        """Pieces of a walk, as the key before each and its last key; None: the rest of the way.

        They end after `examined` tasks, or `MAX_S`; where indexes answer every term there is one.
        """
        if not self.path.is_looked_at:
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


def _beside(begin: Cursor, until: Key | None) -> Key:
    """Where the way back begins from a page that shows nothing.

    With the task from which the page began, or, of a list without any, from its very end.
    """
    is_up = begin.order.is_ascending
    if begin.key:
        is_after = is_up is not begin.is_backwards
        return (*begin.key[:-1], max(0, begin.key[-1] + (1 if is_after else -1)))
    return until or (NEVER_US if is_up else 0,) * length_of(begin.order)
