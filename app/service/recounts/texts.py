"""Texts: what each shows against what must be shown, and how many show it."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Final

from app.domain.drift import Difference, Scope
from app.service.core import Core
from app.service.recounts import cells
from app.service.recounts.found import Found, snapshot, write
from app.store import recount_counters, recount_mend, recount_rows

#: Texts that one look reads.
PAGE: Final = 5_000
#: The place of what texts show.
TEXTS: Final = "text"


def look(core: Core) -> Found:
    """Counts all texts by what they show, in one snapshot.

    One statement reads the whole table: a text is in one state at every moment of the snapshot,
    and no part of the counters is of some texts alone. While it runs, SQLite's log cannot shrink.
    """
    with snapshot(core) as now:
        recount_rows.lift_time_limit(now.conn)
        states = {(state,): (n,) for state, n in recount_rows.texts_by_state(now.conn).items()}
        counted = recount_counters.whole(now.conn, "stat_text")
    return Found(
        scope=Scope(parts=(("stat_text", "all time "),)),
        moment=now.moment,
        n=sum(n for (n,) in states.values()),
        differences=tuple(cells.timeless("stat_text", states, counted)),
    )


def count(core: Core) -> int:
    """No more texts than this are there (the largest id)."""
    with core.database.read() as conn:
        return recount_rows.last_text(conn)


def look_at_states(core: Core) -> Found:
    """Looks at what each text shows, `PAGE` at a time: a text and its task change together."""
    with snapshot(core) as now:
        last = recount_rows.last_text(now.conn)
    kinds = Counter((wanted, state) for _, state, wanted in _wrong(core, last))
    differences = [
        Difference(
            place=TEXTS,
            name=f"{wanted} shown as {state}",
            columns=("n",),
            expected=(0,),
            got=(n,),
        )
        for (wanted, state), n in sorted(kinds.items())
    ]
    scope = Scope(parts=((TEXTS, ""),))
    return Found(
        scope=scope,
        moment=now.moment,
        differences=tuple(differences),
    )


def mend_states(core: Core) -> int:
    """Lets texts show what they must, where they still show what was seen; returns how many."""
    with core.database.read() as conn:
        last = recount_rows.last_text(conn)
    return sum(
        write(core, partial(recount_mend.set_state, text_id=text_id, was=state, state=wanted))
        for text_id, state, wanted in _wrong(core, last)
    )


def _wrong(core: Core, last: int) -> Iterator[tuple[int, str, str]]:
    """Texts that show something else than they must: id, what they show, what they must."""
    for after in range(0, last, PAGE):
        with core.database.read() as conn:
            found = recount_rows.wrong_states(conn, after, after + PAGE)
        yield from found
