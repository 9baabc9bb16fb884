"""The statistics page: figures, their series and their check, of one snapshot."""

from dataclasses import dataclass, replace
from typing import Final

from app.service.core import Core
from app.service.stats import series as series_service
from app.service.stats import stats_report
from app.service.stats.request import Asked
from app.service.stats.series import Series
from app.service.stats.stats_report import StatsReport

#: Points of the page's series: each is a bar that can be seen.
MAX_BARS: Final = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Figures and their series, of the same moment."""

    report: StatsReport
    series: Series


def overview(core: Core, asked: Asked) -> Overview:
    """What the page shows; the series has no groups.

    Raises:
        RequestError: It asks for what is not kept.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        request = asked.at(now)
        return Overview(
            report=stats_report.read(conn, request, now),
            series=series_service.read(conn, replace(request, by=None), None, now, most=MAX_BARS),
        )
