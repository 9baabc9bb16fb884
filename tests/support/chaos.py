"""Everything is killed at random while tasks run: what voxtrace starts, what takes its spans."""

import math
import os
import random
import shutil
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, Self

import requests
from sqlalchemy import text

from tests.support.home import Home, children_of
from tests.support.wait import wait_until

if TYPE_CHECKING:
    from tests.support.backend import Backend
    from tests.support.backends import Pair
    from tests.support.home import Program

#: Seconds that a program lives, once it has children (they may die before); duties have none.
LIVES_S: Final = 3.0
_DUTIES_LIVE_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A program that is killed, and started again whenever it has ended.

    Attributes:
        words: What follows `voxtrace`.
        environ: Settings of its own.
        module: What runs in the place of the `voxtrace` command.
        has_children: Whether its children are killed too, and its life begins with them.
        lives_s: Seconds that it lives before it may be killed itself.
        rests_s: Seconds from its end to its next start.
    """

    words: str
    environ: Mapping[str, str] = field(default_factory=dict)
    module: str = "app"
    has_children: bool = True
    lives_s: float = LIVES_S
    rests_s: float = 0.0


def worker_part(name: str) -> Part:
    """A worker of this name."""
    return Part(words="worker --without-duties", environ={"VOXTRACE_WORKER_NAME": name})


PARTS: Final[Mapping[str, Part]] = {
    "web": Part(words="web"),
    "worker 1": worker_part("w1"),
    "worker 2": worker_part("w2"),
    "duties": Part(words="duties", has_children=False, lives_s=_DUTIES_LIVE_S),
}


def text_of(number: int) -> dict[str, object]:
    """One of six kinds of task; each text is different."""
    kinds = [
        "@sleep 0.1",
        "Spoken at once.",
        "@fail-until-attempt 2 retryable",
        "@fail permanent on purpose",
        "@spin 60",
        "@subprocess 60",
    ]
    kind = kinds[(number * 7) % 6 if number % 10 == 0 else number % 4]
    body: dict[str, object] = {"content": f"{kind}\nText number {number}.", "engine": "scripted"}
    if "60" in kind:
        body |= {"timeout_s": 1.0}
    return body


class Chaos:
    """Programs that are killed at random and started again, as an init system would.

    Args:
        home: Where they run.
        seed: Of the walk; the same seed takes the same choices.
        every_s: Seconds between two kills, on average.
        parts: What runs and is killed, by name.
        when: Whether it is time for another kill.
        also: Called after each kill, in the thread that starts everything.
    """

    def __init__(
        self,
        home: Home,
        *,
        seed: int,
        every_s: float,
        parts: Mapping[str, Part] = PARTS,
        when: Callable[[], bool] = lambda: True,
        also: Callable[[], None] = lambda: None,
    ) -> None:
        self.kills: Counter[str] = Counter()
        self._home = home
        self._every_s = every_s
        self._parts = parts
        self._retired: set[str] = set()
        self._gone: set[str] = set()
        self._when, self._also = when, also
        self._dice = random.Random(seed)  # noqa: S311 - a repeatable walk
        self._quiet = threading.Event()
        self._quiet.set()
        self._over = threading.Event()
        self._running: dict[str, Program] = {}
        #: Moments from which on a part may be killed itself, and started again (monotonic clock).
        self._grown_s: dict[str, float] = {}
        self._rested_s: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._quiet.set()
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(30)

    def begin(self) -> None:
        """Begins to kill."""
        self._quiet.clear()

    def calm(self) -> None:
        """Ends the killing; what ended is still started again."""
        self._quiet.set()

    def retire(self, *names: str) -> None:
        """Ends parts for good; returns once they have ended."""
        self._retired |= set(names)
        wait_until(lambda: self._retired <= self._gone, 30, what=f"{names} have ended")

    def pid_of(self, name: str) -> int:
        """The pid of a part that runs, or ran last."""
        return self._running[name].pid

    def _run(self) -> None:
        """Starts, kills and starts again, all in one thread.

        A program dies with the *thread* that started it (PDEATHSIG): this one lives to the end.
        """
        for name in self._parts:
            self._start(name)
        while not self._over.wait(self._every_s * (0.5 + self._dice.random())):
            if not self._quiet.is_set() and self._when():
                self._kill_one()
            self._also()
            self._revive()

    def _start(self, name: str) -> None:
        part = self._parts[name]
        self._grown_s.pop(name, None)
        self._rested_s.pop(name, None)
        self._running[name] = self._home.start(
            *part.words.split(), module=part.module, **part.environ
        )

    def _kill_one(self) -> None:
        """One of all children, and of the programs that had time to start."""
        victims: list[tuple[str, int | None]] = [
            (name, pid)
            for name, program in self._running.items()
            if self._parts[name].has_children
            for pid in children_of(program.pid)
        ]
        victims += [(name, None) for name in self._running if self._is_grown(name)]
        if not victims:
            return
        name, child = self._dice.choice(victims)
        part = name.split()[0]
        if child is None:
            self._running[name].kill()
            self.kills[part] += 1
        else:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            self.kills[f"{part} child"] += 1

    def _is_grown(self, name: str) -> bool:
        program, part, now_s = self._running[name], self._parts[name], time.monotonic()
        if not part.has_children or children_of(program.pid):
            self._grown_s.setdefault(name, now_s + part.lives_s)
        return program.popen.poll() is None and now_s >= self._grown_s.get(name, math.inf)

    def _revive(self) -> None:
        now_s = time.monotonic()
        for name, program in list(self._running.items()):
            if name in self._retired:
                program.kill()
                self._gone.add(name)
            elif program.popen.poll() is not None:
                rests_s = self._parts[name].rests_s
                if now_s >= self._rested_s.setdefault(name, now_s + rests_s):
                    self._start(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that is done to the backends.

    Attributes:
        after_s: Seconds after the step before, at least.
        act: What is done; it must not wait for a start.
        when: What must be true besides.
        counts: Name under which it is counted; "" for none.
    """

    after_s: float
    act: Callable[[], None]
    when: Callable[[], bool] = lambda: True
    counts: str = ""


def killed(backend: "Backend", *, every_s: float, away_s: float) -> list[Step]:
    """A backend is SIGKILLed after a while, and started again after another."""
    name = type(backend).__name__.lower()
    return [
        Step(after_s=every_s, act=backend.kill, counts=f"{name} killed"),
        Step(after_s=away_s, act=backend.launch),
    ]


def queue_lost(home: Home, pair: "Pair", *, every_s: float) -> list[Step]:
    """Jaeger is away; the collector acknowledges three task spans, and then loses its disk."""
    before = 0

    def go() -> None:
        nonlocal before
        pair.jaeger.kill()
        before = sent_task_count(home)

    def lose() -> None:
        pair.collector.kill()
        shutil.rmtree(pair.collector.folder / "queue")

    return [
        Step(after_s=every_s, act=go, counts="jaeger killed"),
        Step(
            after_s=0.5,
            when=lambda: sent_task_count(home) >= before + 3,
            act=lose,
            counts="collector's queue lost",
        ),
        Step(after_s=0.2, act=pair.collector.launch),
        Step(after_s=0.2, act=pair.jaeger.launch),
    ]


class BackendChaos:
    """Takes steps against backends one after the other; `step` is to be called often."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.done = threading.Event()
        self.counts: Counter[str] = Counter()
        self._steps = deque(steps)
        self._last_s = time.monotonic()

    def step(self) -> None:
        """Takes the next step where it is time."""
        if not self._steps:
            self.done.set()
        elif time.monotonic() - self._last_s >= self._steps[0].after_s and self._steps[0].when():
            step = self._steps.popleft()
            step.act()
            self.counts[step.counts] += bool(step.counts)
            self._last_s = time.monotonic()


def submit_all(home: Home, count: int) -> list[int]:
    """Submits over HTTP, four at once; a request that a kill cut is sent again under its key."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(partial(_submit, home), range(count)))


def _submit(home: Home, number: int) -> int:
    headers = {"Idempotency-Key": f"chaos-{number}"}

    def post() -> int | None:
        try:
            answer = requests.post(
                f"{home.url}/api/v1/texts", json=text_of(number), headers=headers, timeout=20
            )
        except requests.RequestException:
            return None
        assert answer.status_code in {200, 201, 503, 500}, answer.text
        return int(answer.json()["task"]["id"]) if answer.ok else None

    found = wait_until(post, 120, what=f"text {number} is accepted", every_s=0.1)
    assert found is not None
    return found


def final_count(home: Home) -> int:
    """Tasks that are over."""
    return _count(home, "SELECT count(*) FROM task WHERE finished_at IS NOT NULL")


def unsent_count(home: Home) -> int:
    """Rows of the outbox that no collector has acknowledged."""
    return _count(home, "SELECT count(*) FROM span_outbox WHERE state = 'new'")


def sent_task_count(home: Home) -> int:
    """Rows of the outbox with the span of a task that a collector has acknowledged."""
    return _count(home, "SELECT count(*) FROM span_outbox WHERE state = 'sent' AND rank = 0")


def unseen_count(home: Home) -> int:
    """Tasks whose traces the service has not seen in Jaeger."""
    return _count(home, "SELECT count(*) FROM task WHERE trace_seen_at IS NULL")


def resent_count(home: Home) -> int:
    """Tasks whose traces were sent again."""
    return _count(home, "SELECT count(*) FROM task WHERE trace_resends > 0")


def _count(home: Home, statement: str) -> int:
    with home.core.database.read() as conn:
        return int(conn.execute(text(statement)).scalar_one())
