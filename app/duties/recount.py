"""The recount: hours are counted anew once they are over, then again and again, gently."""

import json
from typing import TYPE_CHECKING, Final

from app import bootstrap, clock
from app.logs.logger import logger_of
from app.service.core import Core
from app.service.recounts import rounds
from app.service.recounts.found import Found
from app.service.recounts.work import check_hour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.domain.drift import Scope

log = logger_of(__name__)

#: The share of a core that it takes at most, and the shortest rest after a check, in seconds.
SHARE: Final = 0.01
LEAST_REST_S: Final = 1.0
#: Seconds between two looks at the triggers, which go on while it rests.
WATCH_S: Final = 10.0
#: Seconds between two looks for hours that wait for their first check, and at the totals.
LOOK_S: Final = 60.0
TOTALS_S: Final = 300.0
#: Seconds from the beginning of a round over everything to the next one, at least.
ROUND_S: Final = 3600.0


class Recount:
    """One check at a time, then a rest as long as its share asks for.

    An hour that has just closed comes first, then the totals, then the next part of the round.

    Args:
        core: What it works with.
        round_s: Seconds between two beginnings of a round; an hour rests as long.
        share: Of a core, what it takes at most.
        least_rest_s: Seconds of rest after each check, at least.
        watch_s: Seconds between two looks at the triggers, at least.
    """

    name = "recount"
    needs_leader = True

    def __init__(
        self,
        core: Core,
        *,
        round_s: float = ROUND_S,
        share: float = SHARE,
        least_rest_s: float = LEAST_REST_S,
        watch_s: float = WATCH_S,
    ) -> None:
        self._core = bootstrap.with_actor(core, f"recount on {core.host}")
        self._round_s, self._share, self._least_rest_s = round_s, share, least_rest_s
        self._watch_s, self._watch_at_s = watch_s, 0.0
        self._rest_until_s = self._look_at_s = self._totals_at_s = self._round_at_s = 0.0
        self._waiting: list[int] = []
        self._round: Iterator[Callable[[], Found]] = iter(())
        self._checks = self._drifts = self._rounds = 0
        self._told: dict[Scope, int] = {}

    def step(self) -> float:
        """One check, or some of the rest after the last one."""
        begun_s = clock.monotonic_s()
        self._watch(begun_s)
        if begun_s < self._rest_until_s:
            return min(self._rest_until_s - begun_s, WATCH_S)
        found = self._next(begun_s)
        if found is None:
            return WATCH_S
        self._tell(found)
        took_s = clock.monotonic_s() - begun_s
        rest_s = max(self._least_rest_s, took_s * (1 / self._share - 1))
        self._rest_until_s = begun_s + took_s + rest_s
        return min(rest_s, WATCH_S)

    def _watch(self, now_s: float) -> None:
        """Whoever reads a number shall know soon that a trigger does not count any more."""
        if now_s >= self._watch_at_s:
            self._watch_at_s = now_s + self._watch_s
            if (found := rounds.watch_triggers(self._core)) is not None:
                self._tell(found)

    def _next(self, now_s: float) -> Found | None:
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_S
            self._waiting = rounds.waiting(self._core)
        if self._waiting:
            start = self._waiting.pop(0)
            return check_hour(self._core, start, waiting_count=len(self._waiting))
        if now_s >= self._totals_at_s:
            self._totals_at_s = now_s + TOTALS_S
            return rounds.check_totals(self._core)
        return self._next_of_round(now_s)

    def _next_of_round(self, now_s: float) -> Found | None:
        check = next(self._round, None)
        if check is None and now_s >= self._round_at_s:
            self._round_at_s = now_s + self._round_s
            self._rounds += 1
            self._round = rounds.one_round(self._core, again_us=round(self._round_s * 1_000_000))
            check = next(self._round, None)
        return check() if check is not None else None

    def _tell(self, found: Found) -> None:
        """A line where something else differs than at the last look at the same."""
        self._checks += 1
        self._drifts += found.drift_count
        before = self._told.pop(found.scope, 0)
        if not found.drift_count:
            return
        self._told[found.scope] = found.drift_count
        if found.drift_count != before:
            first = found.drifts[0]
            log.warning(
                "statistics differ from the rows: `voxtrace reconcile` tells, --rebuild mends",
                differences=found.drift_count,
                first=f"{first.place} {first.name}",
                expected=first.expected,
                got=first.got,
            )

    def state(self) -> str:
        """Checks, drift that they met, and rounds that were begun, since this process began."""
        return json.dumps({"checks": self._checks, "drifts": self._drifts, "rounds": self._rounds})
