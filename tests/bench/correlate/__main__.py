"""The scan among planted causes and among nulls, beside two rivals, in one run.

    make bench-correlate                             # judges: seeds that nothing was chosen by
    python -m tests.bench.correlate [--seed 5000000] [--suites pair,triple] [--count 60]

Prints a table, writes `var/bench/correlate.json`, and ends with 1 where a bar is missed. Constants
were chosen on seeds from 70000 to 99999; a run says whether it judges or tunes.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from app.domain.correlation.scan import scan
from tests.bench import report
from tests.bench.correlate import generate, other, rivals
from tests.bench.correlate.judge import Since, Verdict, is_right, judged, onset_of
from tests.bench.correlate.scenario import Scenario

_OUT: Final = Path("var/bench/correlate.json")
#: From here on seeds only judge.
JUDGING: Final = 1_000_000
#: The first of a run that says nothing else.
_SEED: Final = 5_000_000
#: Suites, and how many scenarios of each judge: 300 with something planted, 340 with nothing.
COUNTS: Final = {
    **{f"own:{suite}": 40 for suite in ("single", "pair", "triple", "two")},
    "own:onset": 40,
    **{f"own:null-{kind}": 60 for kind in ("pure", "chronic", "joint", "quiet")},
    "own:global": 50,
    "own:mix": 50,
    **{f"other:{suite}": 20 for suite in ("single", "pair", "triple", "two", "onset")},
    **{f"other:null-{kind}": 30 for kind in ("pure", "chronic")},
    "other:global": 50,
    "other:mix": 50,
}
_MAKERS: Final[dict[str, Callable[[str, int], Scenario]]] = {
    "own": generate.generate,
    "other": other.generate,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one scenario.

    Attributes:
        suite: Its suite, with the generator.
        seed: Its seed.
        scan, bubble_up, risk_ratio: What each method made of it.
        overall: Whether the scan is right about the whole; None: not judged.
        is_swapped: Whether a rise of everything is taken for a shifted mix, or the reverse.
        since: Of the first finding, where it is the planted one and began in the window.
        took_ms: Of the scan.
    """

    suite: str
    seed: int
    scan: Verdict
    bubble_up: Verdict
    risk_ratio: Verdict
    overall: bool | None
    is_swapped: bool
    since: Since | None
    took_ms: float


def main() -> int:
    """Runs what was asked for; 1 where a bar is missed."""
    options = _options()
    suites = [suite for suite in COUNTS if _is_asked(suite, options.suites)]
    jobs = [
        (suite, options.seed + number)
        for suite in suites
        for number in range(options.count or COUNTS[suite])
    ]
    start = time.monotonic()
    with multiprocessing.Pool(options.jobs) as pool:
        results = pool.starmap(run, jobs, chunksize=4)
    does = "judges" if options.seed >= JUDGING else "tunes"
    print(f"\n{len(results)} scenarios from seed {options.seed} on: this run {does}")
    print(report.table(_by_suite(results, suites)), "\n")
    print(report.table(_by_method(results)), "\n")
    bars = _bars(results)
    print(report.table(bars))
    missed = [name for name, bar in bars.items() if bar["is"] == "MISSED"]
    print(
        f"({time.monotonic() - start:.0f} s)" + (f"\nmissed: {', '.join(missed)}" if missed else "")
    )
    _write(options.seed, results, suites, bars)
    return int(bool(missed))


def run(suite: str, seed: int) -> Result:
    """Makes one scenario, and lets all methods look at it."""
    maker, _, name = suite.partition(":")
    scenario = _MAKERS[maker](name, seed)
    window, baseline = scenario.cubes()
    start = time.perf_counter()
    found = scan(window, baseline)
    took_ms = (time.perf_counter() - start) * 1000
    verdict = judged(scenario, [one.where for one in found.findings])
    is_told = bool(verdict.first) and scenario.onset is not None
    return Result(
        suite=suite,
        seed=seed,
        scan=verdict,
        bubble_up=judged(scenario, rivals.bubble_up(scenario)),
        risk_ratio=judged(scenario, rivals.risk_ratio(scenario)),
        overall=None if scenario.overall in {None, "none"} else is_right(scenario, found.overall),
        is_swapped={scenario.overall, found.overall.kind} == {"global_rise", "mix_shift"},
        since=onset_of(scenario, found.findings[0]) if is_told else None,
        took_ms=took_ms,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.correlate", description=__doc__)
    parser.add_argument("--seed", type=int, default=_SEED, help="of the first scenario")
    parser.add_argument("--suites", default="", help="own, other, pair, own:pair …; commas between")
    parser.add_argument("--count", type=int, default=0, help="scenarios of each suite")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at the same time")
    return parser.parse_args()


def _is_asked(suite: str, wanted: str) -> bool:
    maker, _, name = suite.partition(":")
    return not wanted or bool({maker, name, suite} & set(wanted.split(",")))


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / len(values), 4) if values else float("nan")


def _by_suite(results: Sequence[Result], suites: Sequence[str]) -> dict[str, report.Row]:
    table: dict[str, report.Row] = {}
    for suite in suites:
        own = [one for one in results if one.suite == suite]
        firsts = [one.scan.first for one in own if one.scan.first is not None]
        threes = [one.scan.three for one in own if one.scan.three is not None]
        whole = [one.overall for one in own if one.overall is not None]
        since = [one.since.error for one in own if one.since is not None]
        table[suite] = {
            "n": len(own),
            "recall@1": _share(firsts) if firsts else "",
            "recall@3": _share(threes) if threes else "",
            "with findings": sum(one.scan.answers > 0 for one in own),
            "whole right": f"{sum(whole)} of {len(whole)}" if whole else "",
            "onset off, mean %": round(100 * statistics.fmean(since), 2) if since else "",
            "ms": round(statistics.median(one.took_ms for one in own)),
        }
    return table


def _by_method(results: Sequence[Result]) -> dict[str, report.Row]:
    methods: Mapping[str, Callable[[Result], Verdict]] = {
        "scan": lambda one: one.scan,
        "BubbleUp-like, by value": lambda one: one.bubble_up,
        "MacroBase, risk ratio": lambda one: one.risk_ratio,
    }
    table: dict[str, report.Row] = {}
    for name, of in methods.items():
        planted = [of(one) for one in results if of(one).first is not None]
        nulls = [of(one) for one in results if "null" in one.suite or "mix" in one.suite]
        table[name] = {
            "planted": len(planted),
            "recall@1": _share([bool(one.first) for one in planted]),
            "recall@3": _share([bool(one.three) for one in planted]),
            "nulls": len(nulls),
            "nulls with findings": sum(one.answers > 0 for one in nulls),
        }
    return table


def _bars(results: Sequence[Result]) -> dict[str, report.Row]:
    """What has to be reached; of suites that did not run nothing is said."""
    planted = [one.scan for one in results if one.scan.first is not None]
    nulls = [one.scan for one in results if "null" in one.suite]
    since = [one.since for one in results if one.since is not None]
    bars: dict[str, report.Row] = {}
    if planted:
        bars["recall@1"] = _bar(_share([bool(one.first) for one in planted]), 0.95)
        bars["recall@3"] = _bar(_share([bool(one.three) for one in planted]), 0.97)
    if nulls:
        quiet = _share([one.answers == 0 for one in nulls])
        bars[f"nulls without a finding, of {len(nulls)}"] = _bar(quiet, 1.0)
    for name in ("global", "mix"):
        own = [one for one in results if one.suite.endswith(f":{name}")]
        if own:
            apart = _share([not one.is_swapped for one in own])
            bars[f"{name} not taken for the other, of {len(own)}"] = _bar(apart, 1.0)
            whole = _share([bool(one.overall) for one in own])
            bars[f"{name} told as such, of {len(own)}"] = _bar(whole, 0.98)
    if since:
        error = [one.error for one in since]
        off = round(statistics.fmean(error), 4)
        reached = "reached" if off <= 0.05 else "MISSED"
        bars["onset off, mean part of the window"] = {"got": off, "at most": 0.05, "is": reached}
        bars["onset off by at most 5 %"] = _bar(_share([one <= 0.05 for one in error]), 0.9)
        bars["onset's interval holds"] = _bar(_share([one.is_inside for one in since]), 0.85)
    return bars


def _bar(got: float, wanted: float) -> report.Row:
    return {"got": got, "at least": wanted, "is": "reached" if got >= wanted else "MISSED"}


def _write(
    seed: int, results: Sequence[Result], suites: Sequence[str], bars: Mapping[str, report.Row]
) -> None:
    failures = [
        {"suite": one.suite, "seed": one.seed}
        for one in results
        if one.scan.first is False or one.scan.three is False or one.overall is False
        or ("null" in one.suite and one.scan.answers)
    ]  # fmt: skip
    _OUT.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "benchmark": "correlate",
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "judges": seed >= JUDGING,
        "suites": _by_suite(results, suites),
        "methods": _by_method(results),
        "bars": bars,
        "not right": failures,
    }
    _OUT.write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
