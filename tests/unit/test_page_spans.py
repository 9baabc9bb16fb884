"""The waterfall as it is drawn: critical path, folding, labels in both languages."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.service.waterfall import Row, Waterfall
from app.web import span_rows
from app.web.critical import critical_path
from app.web.words import words_of
from telemetry import names

SECOND_US = 1_000_000
#: What rows have in common.
PLAIN = Row(
    span_id="",
    parent_span_id=None,
    level=0,
    name=names.SPAN_TASK,
    service="voxtrace",
    kind="task",
    start_us=0,
    end_us=0,
    status="ok",
    is_rebuilt=False,
    notes=(),
    events=(),
    attempt=None,
    segment=None,
)


def row(span_id: str, parent: str | None, kind: str, start_s: float, end_s: float) -> Row:
    """A row of a kind between two seconds."""
    levels = {"task": 0, "wait": 1, "attempt": 1, "own": 2, "store": 2, "group": 2, "engine": 4}
    by_kind = {
        "task": names.SPAN_TASK,
        "wait": names.SPAN_QUEUE_WAIT,
        "attempt": names.SPAN_ATTEMPT,
        "own": names.SPAN_ENCODE,
        "store": names.SPAN_STORE,
        "engine": "text_to_speech tone",
        "group": "segments",
    }
    return replace(
        PLAIN,
        span_id=span_id,
        parent_span_id=parent,
        kind=kind,
        level=levels[kind],
        name=by_kind[kind],
        start_us=round(start_s * SECOND_US),
        end_us=round(end_s * SECOND_US),
    )


def segment(number: int, start_s: float, end_s: float) -> Row:
    """A segment of the attempt `a`."""
    made = row(f"s{number}", "a", "own", start_s, end_s)
    return replace(made, name=names.SPAN_SEGMENT, level=3, segment=number, attempt=1)


def waterfall(*rows: Row) -> Waterfall:
    """Rows with their width."""
    total_us = max(one.end_us or 0 for one in rows)
    return Waterfall(source="outbox", zero_at=0, total_us=total_us, rows=rows, left_off=0)


def task_of(*, segments: int) -> Waterfall:
    """A task of ten seconds: a wait, an attempt with segments in a group, encode, store."""
    step = 6 / max(1, segments)
    members = [segment(n, 2 + n * step, 2 + (n + 1) * step) for n in range(segments)]
    group = replace(row("g", "a", "group", 2, 8), segment=0, last_segment=segments - 1)
    return waterfall(
        row("t", None, "task", 0, 10),
        row("w", "t", "wait", 0, 2),
        replace(row("a", "t", "attempt", 2, 10), attempt=1, notes=(("worker", "w1"),)),
        group,
        *members,
        row("e", "a", "own", 8, 9.5),
        row("p", "a", "store", 9.5, 10),
    )


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=12))
def test_critical_path_covers_all_time_once(spans: list[tuple[int, int]]) -> None:
    """For every set of children the stretches of all rows fill the task's time without overlap."""
    children = [
        row(f"c{index}", "t", "own", min(pair), max(pair)) for index, pair in enumerate(spans)
    ]
    found = critical_path([row("t", None, "task", 0, 100), *children], 100 * SECOND_US)
    stretches = sorted((part.start_us, part.end_us) for parts in found.values() for part in parts)
    assert sum(end - start for start, end in stretches) == 100 * SECOND_US
    for (_, end), (start, _) in itertools.pairwise(stretches):
        assert end == start
    by_id = {child.span_id: child for child in children}
    for span_id, parts in found.items():
        for part in parts:
            if span_id in by_id:
                assert by_id[span_id].start_us <= part.start_us < part.end_us
                assert part.end_us <= (by_id[span_id].end_us or 0)


def test_critical_path_waits_for_the_last() -> None:
    """Of two spans at once, the one that ended last was waited for."""
    rows = [
        row("t", None, "task", 0, 10),
        row("short", "t", "own", 1, 4),
        row("long", "t", "own", 1, 9),
    ]
    found = critical_path(rows, 10 * SECOND_US)
    assert "short" not in found
    assert found["long"][0].start_us == SECOND_US


def test_groups_are_folded_and_carry_their_members() -> None:
    """A group is folded at first: its members are hidden, its bars and its path are theirs."""
    drawn = span_rows.drawn(task_of(segments=20), words_of("en"), shows_all=False, is_running=False)
    group = next(one for one in drawn.rows if one.label == "segments 1 to 20")
    assert group.is_folded
    assert len(group.bars) == 20
    assert len(group.critical) == 1
    hidden = [one for one in drawn.rows if one.is_hidden]
    assert [one.label for one in hidden] == [f"segment {n}" for n in range(1, 21)]
    assert "engine" in drawn.kinds


def test_long_tables_leave_the_insides_to_a_link() -> None:
    """Above the bound the inside of groups is left off and counted; the link draws it all."""
    long = task_of(segments=span_rows.MANY_ROWS)
    short = span_rows.drawn(long, words_of("en"), shows_all=False, is_running=False)
    assert len(short.rows) == 6
    assert short.left_off == span_rows.MANY_ROWS
    whole = span_rows.drawn(long, words_of("en"), shows_all=True, is_running=False)
    assert whole.left_off == 0


def test_rows_are_labelled_in_the_language_of_the_page() -> None:
    """Labels, numbers and durations are told in both languages."""
    told = task_of(segments=3)
    english = [one.label for one in _drawn(told, "en")]
    chinese = [one.label for one in _drawn(told, "zh")]
    assert english[:4] == ["task", "wait in queue", "attempt 1", "segments 1 to 3"]
    assert chinese[:4] == ["任务", "排队等待", "第 1 次运行", "第 1 到 3 段"]
    assert _drawn(told, "zh")[1].took == "2.0 秒"


def _drawn(told: Waterfall, lang: str) -> list[span_rows.DrawnRow]:
    words = words_of("zh" if lang == "zh" else "en")
    return list(span_rows.drawn(told, words, shows_all=True, is_running=False).rows)


def test_killed_attempts_say_what_killed_them() -> None:
    """A rebuilt attempt is marked, with the signal's name beside it, in red."""
    notes = (("outcome", "lost"), ("exit_signal", 9), ("error_type", "worker_lost"))
    killed = replace(
        row("a", "t", "attempt", 0, 5), attempt=1, notes=notes, is_rebuilt=True, status="error"
    )
    drawn = _drawn(waterfall(row("t", None, "task", 0, 5), killed), "en")[1]
    assert drawn.is_rebuilt
    assert (drawn.note, drawn.note_level) == ("killed: SIGKILL", "bad")
    assert [mark.level for mark in drawn.marks] == ["bad"]


def test_passed_limits_are_amber() -> None:
    """A passed deadline is drawn as a line, and what it ended is amber, not red."""
    late = replace(
        segment(0, 1, 4), status="error", notes=(("error_type", "deadline_exceeded"),), level=2
    )
    attempt = replace(
        row("a", "t", "attempt", 0, 4),
        attempt=1,
        notes=(("outcome", "timeout"),),
        events=((names.EVENT_DEADLINE_EXCEEDED, 4 * SECOND_US),),
        status="error",
    )
    told = waterfall(row("t", None, "task", 0, 4), attempt, late)
    drawn = span_rows.drawn(told, words_of("en"), shows_all=True, is_running=False)
    assert drawn.deadline_x is not None
    assert drawn.rows[2].bars[0].kind == "sp-late"
    assert drawn.rows[2].note_level == "warn"
    assert {mark.level for mark in drawn.rows[1].marks} == {"warn"}


def test_open_spans_reach_to_now() -> None:
    """What still runs is drawn to the right edge, and its duration is a bound."""
    running = replace(row("a", "t", "attempt", 1, 5), end_us=None, attempt=1, status="open")
    task = replace(row("t", None, "task", 0, 5), end_us=None, status="open")
    told = Waterfall(
        source="rows", zero_at=0, total_us=5 * SECOND_US, rows=(task, running), left_off=0
    )
    drawn = span_rows.drawn(told, words_of("en"), shows_all=False, is_running=True)
    assert drawn.rows[1].took == "≥ 4.0 s"
    assert drawn.rows[1].bars[0].x + drawn.rows[1].bars[0].width == pytest.approx(100)


def test_ticks_of_a_short_axis_differ() -> None:
    """Along an axis of parts of a second no two ticks have the same words."""
    for width_us in (900, 4_000, 90_000, 238_900, 700_000, 2_000_000, 9_900_000, 90_000_000):
        one = replace(PLAIN, end_us=width_us)
        told = Waterfall(source="rows", zero_at=0, total_us=width_us, rows=(one,), left_off=0)
        ticks = span_rows.drawn(told, words_of("en"), shows_all=True, is_running=True).ticks
        words = [word for _, word in ticks]
        assert len(set(words)) == len(words), words
