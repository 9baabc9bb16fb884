"""Keys of counters in words, as drift is named."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from app import clock
from app.domain.correlation.dimensions import DIMENSIONS
from app.domain.drift import Key
from app.domain.lengths import LABELS
from app.domain.window import Grain

#: How what knows no hour and no day begins.
ALL_TIME: Final = "all time"
_LENGTH: Final = DIMENSIONS.index("length")


_OF_REMOVED: Final = re.compile(r"(all time|sum of|at least 0:|(hour|day) \S+) removed ")


def is_of_removed(name: str) -> bool:
    """Whether drift of this name is of what was removed, so that no row can be counted."""
    return _OF_REMOVED.match(name) is not None


def period(grain: Grain, start: int) -> str:
    """`hour 2026-11-25T13:00Z`, `day 2026-11-25`."""
    at = clock.to_datetime(start)
    return f"hour {at:%Y-%m-%dT%H:%MZ}" if grain == "hour" else f"day {at:%Y-%m-%d}"


def tasks(when: str, key: Key) -> str:
    """Tasks by (archived, status, dimensions): `all time removed failed tone/v1/en/w1/h1/1.0`.

    What has no value is told as `-`.
    """
    archived, status, *dimensions = key
    parts = (when, _removed(archived), status, "/".join(one or "-" for one in dimensions))
    return " ".join(part for part in parts if part)


def durations(when: str, key: Key) -> str:
    """Durations by (archived, measure), and by lowest milliseconds: `all time run from 512 ms`."""
    archived, measure, *low_ms = key
    parts = (when, _removed(archived), measure, *(f"from {ms} ms" for ms in low_ms))
    return " ".join(part for part in parts if part)


def requests(when: str, key: Key) -> str:
    """Requests by (archived, disposition, engine): `day 2026-11-25 skipped tone`."""
    archived, disposition, engine = key
    parts = (when, _removed(archived), disposition, engine or "-")
    return " ".join(part for part in parts if part)


def texts(when: str, key: Key) -> str:
    """Texts by state: `all time completed`."""
    return " ".join((when, *key))


def attempts(when: str, key: Key) -> str:
    """Attempts by what their profile has: `day 2026-11-25 w3/h2/tone/v1/en/1.4/100-499/api v2:…`.

    Of a profile that is gone its number alone: `#17`. What has no value is told as `-`.
    """
    archived, *dimensions, failure, is_repeat = key
    dimensions[_LENGTH] = LABELS[dimensions[_LENGTH]] if dimensions[_LENGTH] >= 0 else ""
    told = (one or "-" for one in dimensions)
    parts = (when, _removed(archived), "/".join(told), failure or "completed")
    return " ".join((*(part for part in parts if part), *(["repeat"] if is_repeat else [])))


def latencies(when: str, of: tuple[str, str]) -> str:
    """Kept histograms by (dimension, value): `hour 2026-11-25T13:00Z engine tone`."""
    dimension, value = of
    return f"{when} {dimension} {value or '-'}" if dimension else f"{when} all tasks"


def _removed(archived: int) -> str:
    return "removed" if archived else ""


#: How the cells of each table are named.
OF_TABLE: Final[Mapping[str, Callable[[str, Key], str]]] = {
    "stat_total": tasks,
    "stat_period": tasks,
    "stat_cube": tasks,
    "stat_hist": durations,
    "stat_submission": requests,
    "stat_text": texts,
    "stat_attempt": attempts,
}
