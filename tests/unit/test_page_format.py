"""Numbers, durations, sizes and moments of the pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.service.figures import Language
from app.web import format as shapes
from app.web import moments

#: Thu 12 Mar 2026, 06:20:05.212 UTC.
NOW_US = 1_773_296_405_212_000
DAY_US = 86_400_000_000


def place(lang: Language = "en", zone: str = "Asia/Shanghai") -> moments.Place:
    """A reader in a zone at NOW_US."""
    return moments.Place(lang=lang, zone=moments.zone_of(zone), now_us=NOW_US)


@pytest.mark.parametrize(
    ("value_us", "en", "zh"),
    [
        (0, "0 ms", "0 毫秒"),
        (12_000, "12 ms", "12 毫秒"),
        (99_400, "99 ms", "99 毫秒"),
        (99_600, "0.1 s", "0.1 秒"),
        (400_000, "0.4 s", "0.4 秒"),
        (9_940_000, "9.9 s", "9.9 秒"),
        (9_960_000, "10 s", "10 秒"),
        (38_000_000, "38 s", "38 秒"),
        (59_600_000, "1 min", "1 分钟"),
        (242_000_000, "4 min 02 s", "4 分 02 秒"),
        (252_000_000, "4 min 12 s", "4 分 12 秒"),
        (2_400_000_000, "40 min", "40 分钟"),
        (3_599_600_000, "1 h", "1 小时"),
        (5_760_000_000, "1 h 36 min", "1 小时 36 分钟"),
        (183_600_000_000, "2 d 3 h", "2 天 3 小时"),
    ],
)
def test_duration_has_two_units_at_most(value_us: int, en: str, zh: str) -> None:
    """A duration is told in the units of its size, in both languages."""
    assert shapes.duration(value_us, "en") == en
    assert shapes.duration(value_us, "zh") == zh


def test_duration_of_nothing_is_a_dash() -> None:
    """No value is –, never 0."""
    assert shapes.duration(None) == "–"
    assert shapes.percent(None) == "–"


@given(st.integers(min_value=0, max_value=10**13))
def test_rough_never_promises_nothing(value_us: int) -> None:
    """For every estimate the words name a positive duration in two units at most."""
    told = shapes.rough(value_us)
    assert not told.startswith("0 ")
    assert len(told.split(" ")) in {2, 4}


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_number_keeps_every_digit(value: int) -> None:
    """For every whole number the thousands are set apart and nothing is lost."""
    told = shapes.number(value)
    assert int(told.replace(shapes.THIN, "").replace("−", "-")) == value
    assert all(len(group) == 3 for group in told.split(shapes.THIN)[1:])


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (7104, "7\u202f104"),
        (99_999, "99\u202f999"),
        (412_345, "412\u202fk"),
        (1_230_000, "1.2\u202fM"),
    ],
)
def test_compact_rounds_from_a_hundred_thousand(value: int, told: str) -> None:
    """Tables show 412 k from 100 000 on."""
    assert shapes.compact(value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (512, "512 B"),
        (38_400, "38 kB"),
        (999_400, "999 kB"),
        (999_600, "1 MB"),
        (20_000_000, "20 MB"),
        (28_100_000, "28.1 MB"),
        (1_900_000_000, "1.9 GB"),
    ],
)
def test_size_has_the_unit_of_its_amount(value: int, told: str) -> None:
    """Bytes are told in B, kB, MB, GB, with one decimal where it says something."""
    assert shapes.size(value) == told


@pytest.mark.parametrize(
    ("value_ms", "told"),
    [(0, "0:00"), (761_400, "12:41"), (761_600, "12:42"), (5_020_000, "1:23:40")],
)
def test_position_reads_as_a_clock(value_ms: int, told: str) -> None:
    """Places in audio read as 12:41 or 1:23:40."""
    assert shapes.position(value_ms) == told


def test_moments_are_short_today_and_dated_before() -> None:
    """Today has the time, another day has its date, another year has it too."""
    assert moments.short(place(), NOW_US) == "14:20:05"
    assert moments.short(place(), NOW_US - DAY_US) == "Wed 11 Mar, 14:20"
    assert moments.short(place(), NOW_US - 90 * DAY_US) == "Fri 12 Dec 2025, 14:20"
    assert moments.short(place("zh"), NOW_US - DAY_US) == "3 月 11 日 14:20"


def test_moments_follow_the_readers_zone() -> None:
    """The same moment is told on the clock of the reader, with the zone in its title."""
    assert moments.short(place(zone="America/New_York"), NOW_US) == "02:20:05"
    told = moments.exact(place(), NOW_US)
    assert told == "Thu 12 Mar 2026, 14:20:05.212 (UTC+8)"
    assert moments.exact(place("zh"), NOW_US) == "2026 年 3 月 12 日 周四 14:20:05.212（UTC+8）"
    assert moments.exact(place(zone="Asia/Kolkata"), NOW_US).endswith("(UTC+5:30)")


def test_unknown_zones_fall_back_to_the_server() -> None:
    """A zone that is none, or tries to leave its folder, is the server's own; nothing fails."""
    for name in (None, "", "Mars/Olympus", "../../etc/passwd", "x" * 500, "\x00"):
        assert moments.zone_of(name) is None


def test_day_says_today_and_yesterday() -> None:
    """Lists of texts say today and yesterday with the time, then the date."""
    assert moments.day(place(), NOW_US) == "today 14:20"
    assert moments.day(place(), NOW_US - DAY_US) == "yesterday 14:20"
    assert moments.day(place(), NOW_US - 4 * DAY_US) == "8 Mar"
    assert moments.day(place("zh"), NOW_US - DAY_US) == "昨天 14:20"


def test_ago_is_told_up_to_a_day() -> None:
    """An age has one unit; from a day on the date stands."""
    assert moments.ago(place(), NOW_US) == "1 s ago"
    assert moments.ago(place(), NOW_US - 14_900_000) == "14 s ago"
    assert moments.ago(place(), NOW_US - 200_000_000) == "3 min ago"
    assert moments.ago(place("zh"), NOW_US - 7_300_000_000) == "2 小时前"
    assert moments.ago(place(), NOW_US - DAY_US) == "Wed 11 Mar, 14:20"


def test_time_elements_carry_the_exact_moment() -> None:
    """Every time is a <time> with the machine's form and the exact moment as its title."""
    tag = moments.tag(place(), NOW_US)
    assert 'datetime="2026-03-12T14:20:05.212+08:00"' in tag
    assert 'title="Thu 12 Mar 2026, 14:20:05.212 (UTC+8)"' in tag
