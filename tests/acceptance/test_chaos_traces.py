"""Everything is killed at random, a real collector and a real Jaeger too: no trace is lost.

`make chaos-traces` runs it at full size (2000 tasks on each database); here it is a small one.
"""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

from app.service import limits
from tests.conftest import KINDS, database_url
from tests.support.backends import Backends, Pair
from tests.support.chaos import (
    PARTS,
    BackendChaos,
    Chaos,
    Step,
    final_count,
    killed,
    queue_lost,
    resent_count,
    submit_all,
    unseen_count,
    unsent_count,
)
from tests.support.home import Home
from tests.support.wait import wait_until

COUNT: Final = int(os.environ.get("VOXTRACE_TEST_CHAOS_TRACES", "20"))
SEED: Final = int(os.environ.get("VOXTRACE_TEST_CHAOS_SEED", "1"))
IS_FULL: Final = COUNT >= 1000
#: Seconds between two kills of a process of ours.
EVERY_S: Final = 0.25 if IS_FULL else 0.4
LIMIT: Final = 4

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200 if IS_FULL else 300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    """How often each thing happens to the backends, and how long all may take.

    Attributes:
        absent_s: How long the collector is away, once.
        every_s: Seconds between two blows.
    """

    collector_kills: int
    jaeger_kills: int
    queues_lost: int
    absent_s: float
    every_s: float
    patience_s: float


_SIZE: Final = (
    _Size(
        collector_kills=10,
        jaeger_kills=5,
        queues_lost=2,
        absent_s=60,
        every_s=5,
        patience_s=3600,
    )
    if IS_FULL
    else _Size(
        collector_kills=3, jaeger_kills=2, queues_lost=1, absent_s=3, every_s=0.5, patience_s=120
    )
)


def _plan(home: Home, pair: Pair) -> list[Step]:
    """The blows in any order; a queue is lost first, while tasks end."""
    every_s, collector, jaeger = _SIZE.every_s, pair.collector, pair.jaeger
    blows = [killed(collector, every_s=every_s, away_s=0.2)] * _SIZE.collector_kills
    blows += [killed(jaeger, every_s=every_s, away_s=0.5)] * _SIZE.jaeger_kills
    blows += [killed(collector, every_s=every_s, away_s=_SIZE.absent_s)]
    random.Random(SEED).shuffle(blows)  # noqa: S311 - a repeatable walk
    lost = [queue_lost(home, pair, every_s=every_s)] * _SIZE.queues_lost
    return [step for blow in [*lost, *blows] for step in blow]


@pytest.mark.parametrize("kind", KINDS)
def test_no_trace_is_lost_when_everything_is_killed(
    backends: Backends, tmp_path: Path, kind: str
) -> None:
    """Children, workers, web, duties, the collector and Jaeger are SIGKILLed at random.

    Once a collector even loses what it has acknowledged. Then, without a command by hand, the
    service looks into Jaeger and sends again what is missing; `voxtrace verify` finds every trace
    whole and equal to its rows.
    """
    pair = Pair.make(backends, tmp_path)
    environ = {
        "VOXTRACE_BACKOFF_S": "0.05",
        "VOXTRACE_MAX_CONCURRENT": str(LIMIT),
    }
    home = Home.make(tmp_path / "home", database_url(kind, tmp_path), **pair.environ, **environ)
    blows = BackendChaos(_plan(home, pair))
    hasty = replace(PARTS["duties"], module="tests.support.hasty_duties")
    parts = PARTS if IS_FULL else {**PARTS, "duties": hasty}
    chaos = Chaos(home, seed=SEED, every_s=EVERY_S, parts=parts, also=blows.step)
    began_s = time.monotonic()
    with pair, home, chaos:
        limits.set_max_concurrent(home.core, LIMIT)
        chaos.begin()
        ids = submit_all(home, COUNT)
        assert len(set(ids)) == COUNT
        _until(blows.done.is_set, "all backends were killed")
        _until(lambda: final_count(home) >= COUNT * 9 // 10, "nine of ten tasks are over")
        chaos.calm()
        calm_s = time.monotonic()
        _until(lambda: final_count(home) == COUNT, "all tasks are over")
        _until(lambda: unsent_count(home) == 0, "every span is sent")
        _until(lambda: unseen_count(home) == 0, "the look-up has seen every trace")
        seen_s, resent = time.monotonic(), resent_count(home)
        done = home.run("verify", "--json")
        told = json.loads(done.stdout)
        print(
            f"\n{COUNT} tasks on {kind}, {told['spans']} spans, in {seen_s - began_s:.0f} s"
            f" ({calm_s - began_s:.0f} s of chaos)\nkills: {dict(chaos.kills + blows.counts)};"
            f" sent again: {resent} traces; request spans lost: {told['parent_lost']}"
            f"\nends: {_ends(home)}"
        )
    assert told["differences"] == []
    assert (told["tasks"], told["equal"], done.returncode) == (COUNT, COUNT, 0)
    assert chaos.kills.total() > COUNT // 10
    assert blows.counts["collector killed"] == _SIZE.collector_kills + 1
    assert resent > 0


def _until(predicate: Callable[[], bool], what: str) -> None:
    wait_until(predicate, _SIZE.patience_s, what=what, every_s=0.2)


def _ends(home: Home) -> dict[str, int]:
    with home.core.database.read() as conn:
        found = conn.execute(text("SELECT status FROM task")).scalars()
        return dict(Counter(found))
