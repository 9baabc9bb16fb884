"""Moments on the command line: read (`2h` ago, or a date and a time), and shown."""

import re
from datetime import datetime
from typing import Any, Final

import click
from typing_extensions import override

from app import clock

_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGO: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([smhdw])")
_ALLOWED: Final = "so long ago (90s, 15m, 2h, 7d, 1w), or a date and a time (2026-03-01T14:00, local, or with a zone)"  # noqa: E501 - one line for the reader


class When(click.ParamType[int]):
    """Microseconds since the epoch, out of "2h" (ago, by this host's clock) or an ISO 8601 date."""

    name = "when"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).strip()
        if (ago := _AGO.fullmatch(text)) is not None:
            return clock.now_us() - round(float(ago[1]) * _UNITS_S[ago[2]] * 1_000_000)
        try:
            moment = clock.to_us(datetime.fromisoformat(text).astimezone())
        except (ValueError, OverflowError):
            self.fail(f"must be {_ALLOWED}, got {text[:40]!r}", param, ctx)
        return moment


def shown(at_us: int) -> str:
    """A moment to the second, local."""
    return f"{clock.to_datetime(at_us).astimezone():%Y-%m-%d %H:%M:%S}"


def shown_ms(at_us: int) -> str:
    """A moment to the millisecond, local."""
    return f"{shown(at_us)}.{at_us // 1000 % 1000:03d}"
