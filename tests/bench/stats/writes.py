"""What counting costs a write: submit, claim and finish, with triggers and without, in turn.

All sides are one database, whose triggers are turned on and off between the rounds: the same
table, the same indexes, the same rows. What the rounds wrote is taken away in the end.
"""

import contextlib
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.service import presence
from app.store.database import Database
from tests.bench.stats import cpu, sides, write_ratios
from tests.bench.stats.place import Place
from tests.bench.stats.sides import Traces
from tests.bench.stats.write_ratios import Comparison
from tests.bench.stats.writer import Order, Took, Way, serve

#: Writer processes at the same time.
WRITERS: Final = (1, 4)
_WAYS: Final[tuple[Way, ...]] = ("statements", "services")
#: Tasks of a writer before each round that are not counted.
_WARM: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is measured: many short rounds, since the machine does other things too.

    Attributes:
        rounds: Of each side.
        tasks: Of all writers in each round.
    """

    rounds: int
    tasks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which sides are compared, by what, and how often."""

    compared: Comparison
    order: Order
    rounds: int


_QUICK: Final = Effort(rounds=6, tasks=4)
_FULL: Final = Effort(rounds=20, tasks=24)


def measure(
    where: Place,
    compared: Comparison = write_ratios.ALL,
    ways: Sequence[Way] = _WAYS,
    *,
    is_quick: bool,
    server: tuple[int, ...] = (),
) -> dict[str, dict[str, float | str]]:
    """Rows of ratios: with triggers over without.

    Args:
        where: The database.
        compared: With which triggers, and without which.
        ways: How the writers write.
        is_quick: Whether a look is enough.
        server: Processes that work for the writers.
    """
    filled = where.note.read_text()
    where.note.unlink()  # until everything is taken away again, this is no database to keep
    core = where.core("migrate")
    worker_id = presence.register(core, pid=os.getpid())
    traces = Traces(core.database)
    rows: dict[str, dict[str, float | str]] = {}
    effort = _QUICK if is_quick else _FULL
    try:
        for is_safe in (True, False):
            for number in WRITERS:
                with _team(where, number, worker_id, server, is_safe=is_safe) as team:
                    for way in ways:
                        name = f"{way}, {number} writer{'s' * (number > 1)}"
                        name += "" if is_safe else ", not waiting for the disk"
                        order = Order(way=way, tasks=max(1, effort.tasks // number))
                        plan = Plan(compared=compared, order=order, rounds=effort.rounds)
                        found = _compared(core.database, traces, team, plan)
                        rows[name] = write_ratios.row(found, compared)
    finally:
        traces.remove([worker_id])
        core.database.close()
    where.note.write_text(filled)
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Writers: pipes to them, and the processes that work, their server's too."""

    pipes: list[Any]
    pids: tuple[int, ...]

    def run(self, order: Order) -> list[Took]:
        """All of them at once; what each took."""
        for pipe in self.pipes:
            pipe.send(order)
        return [pipe.recv() for pipe in self.pipes]


def _compared(database: Database, traces: Traces, team: Team, plan: Plan) -> write_ratios.Found:
    found, sides_of = write_ratios.nothing(plan.compared), plan.compared.sides
    for number in range(plan.rounds):
        turn = number % len(sides_of)
        for side in (*sides_of[turn:], *sides_of[:turn]):
            sides.switch(database, side)
            sides.to_disk(database)
            with traces.of(side):
                team.run(replace(plan.order, tasks=_WARM))
                used_s = cpu.used_s(*team.pids)
                found[side].took.append(team.run(plan.order))
                found[side].cpu_s += cpu.used_s(*team.pids) - used_s
    return found


@contextlib.contextmanager
def _team(
    where: Place, count: int, worker_id: str, server: tuple[int, ...], *, is_safe: bool
) -> Iterator[Team]:
    """So many writer processes, which end with this context."""
    context = multiprocessing.get_context("spawn")
    started = []
    for number in range(count):
        ours, theirs = context.Pipe()
        process = context.Process(
            target=serve,
            args=(where, number, worker_id),
            kwargs={"is_safe": is_safe, "pipe": theirs},
            daemon=True,
        )
        process.start()
        theirs.close()
        started.append((process, ours))
    try:
        for _, pipe in started:
            pipe.recv()
        pids = tuple(process.pid for process, _ in started if process.pid is not None)
        yield Team(pipes=[pipe for _, pipe in started], pids=(*pids, *server))
    finally:
        for process, pipe in started:
            pipe.close()
            process.join(30)
