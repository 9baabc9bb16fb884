"""What failures have in common, asked of a full database: by its function, and over HTTP.

One answer reads the cubes of a window and of the seven days before it, scans them, and looks for
onsets, changes and examples. It is compared with the scan of the rows themselves.
"""

from dataclasses import replace
from functools import partial
from typing import Any, Final

from app.domain.correlation.found import Found, Scan
from app.domain.correlation.scan import scan
from app.domain.window import DAY_US, HOUR_US
from app.service.core import Core
from app.service.correlate import answering, reading, shape
from app.service.correlate.cubes import telling
from app.service.correlate.question import Question
from app.service.correlate.reading import Reading
from app.service.correlate.words import Reader
from tests.bench.report import Row
from tests.bench.stats import over_http
from tests.bench.stats import shape as population
from tests.bench.stats.measure import WrongError
from tests.bench.stats.place import Filled, Place
from tests.bench.stats.timing import Effort, once, timed

_HOURS: Final = (1, 24, 48)
#: What an answer may take, up to a million tasks, and with more.
_GOAL_MS: Final = 200
_GOAL_MANY_MS: Final = 1000
_MANY: Final = 1_000_000
#: Failures of the last hour among which the planted cause stands out.
_ENOUGH: Final = 50
#: SQL of the rows goes over a week of them.
_PATIENT_ROLE: Final = "migrate"


def measure(where: Place, filled: Filled, effort: Effort) -> dict[str, Row]:
    """A row for each window, by the function and over HTTP, the page too.

    Raises:
        WrongError: An answer is not what the rows say.
    """
    goal = _GOAL_MS if filled.count <= _MANY else _GOAL_MANY_MS
    rows: dict[str, Row] = {}
    core, patient = where.core("web"), where.core(_PATIENT_ROLE)
    try:
        for hours in _HOURS:
            question = _question(filled.end, hours)
            answer, times = timed(partial(_answer, core, question), effort)
            took_ms = _compared(core, patient, question, hours)
            rows[f"correlate, {hours} h"] = {
                **times.row(),
                "goal ms": goal,
                "from rows ms": round(took_ms),
                "equal": "yes",
                "attempts": answer["n"] + answer["baseline_n"],
                "tests": answer["tests"],
                "findings": len(answer["findings"]),
            }
    finally:
        core.database.close()
        patient.database.close()
    return rows | _over_http(where, filled, effort)


def _question(end: int, hours: int) -> Question:
    start = end - hours * HOUR_US
    return Question(start=start, end=end, baseline_start=start - 7 * DAY_US)


def _answer(core: Core, question: Question) -> dict[str, Any]:
    with core.database.read() as conn:
        found = answering.look(core, conn, question, question.end)
        return shape.answer(found, Reader(lang="en", now_us=question.end))


def _compared(core: Core, patient: Core, question: Question, hours: int) -> float:
    """Milliseconds that the same took from the rows.

    Raises:
        WrongError: It is not the same.
    """
    with core.database.read() as conn:
        cube = reading.read(core.database, conn, question)
    rows, took_ms = once(lambda: _rows(patient, question))
    if _counts(cube) != _counts(rows):
        message = f"{hours} h: cubes count {_counts(cube)}, rows {_counts(rows)}"
        raise WrongError(message)
    of_cube, of_rows = (_told(scan(*telling(one.window, one.baseline))) for one in (cube, rows))
    if of_cube != of_rows:
        message = f"{hours} h: cubes say {of_cube}, rows say {of_rows}"
        raise WrongError(message)
    is_enough = hours == _HOURS[0] and cube.window.failed >= _ENOUGH
    if is_enough and not any(map(_is_planted, of_cube[0])):
        message = f"the cause that was planted is not found: {of_cube[0]}"
        raise WrongError(message)
    return took_ms


def _rows(core: Core, question: Question) -> Reading:
    with core.database.read() as conn:
        return reading.of_rows(conn, question)


def _counts(one: Reading) -> tuple[int, ...]:
    window, baseline = one.window, one.baseline
    return window.total, window.failed, baseline.total, baseline.failed, one.repeats


def _told(found: Scan) -> tuple[list[Found], Any]:
    """What was found, as far as the order of adding up does not matter."""
    return [_rounded(one) for one in found.findings], _rounded(found.overall)


def _rounded(one: Any) -> Any:
    names = ("expected", "lift", "p", "q", "share")
    return replace(
        one, **{name: f"{getattr(one, name):.9g}" for name in names if hasattr(one, name)}
    )


def _is_planted(found: Found) -> bool:
    worker = population.WORKERS[population.PLANTED_WORKER]
    return found.where.get("worker") == worker


def _over_http(where: Place, filled: Filled, effort: Effort) -> dict[str, Row]:
    end = filled.end / 1e6
    paths = {
        f"GET {path}, {hours} h": f"{path}?from={end - 3600 * hours:.6f}&to={end:.6f}"
        for hours in _HOURS
        for path in ("/api/v1/correlate", "/correlate")
    }
    return over_http.asked(where, effort, paths)
