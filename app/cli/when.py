"""Moments on the command line: read as filters read them, and shown."""

from typing import Any, Final

import click
from typing_extensions import override

from app import clock
from app.domain.query.amounts import NoZoneError, moment
from app.domain.query.value import at_us

_ALLOWED: Final = (
    "so long ago (90s, 2h, 1h30m, 7d), a date (2026-03-01, UTC), a date and a time with a zone "
    "(2026-03-01T14:00Z, 2026-03-01T14:00+08:00) or seconds since 1970, up to the year 2999"
)


class When(click.ParamType[int]):
    """Microseconds since the epoch, out of "2h" (ago, by this host's clock) or a date."""

    name = "when"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).strip()
        try:
            return max(0, at_us(moment(text), clock.now_us()))
        except NoZoneError:
            self.fail(f"{text[:40]!r} needs a zone: Z for UTC, or such as +08:00", param, ctx)
        except ValueError:
            self.fail(f"must be {_ALLOWED}, got {text[:40]!r}", param, ctx)


def shown(at_us: int) -> str:
    """A moment to the second, local."""
    return f"{clock.to_datetime(at_us).astimezone():%Y-%m-%d %H:%M:%S}"


def shown_ms(at_us: int) -> str:
    """A moment to the millisecond, local."""
    return f"{shown(at_us)}.{at_us // 1000 % 1000:03d}"
