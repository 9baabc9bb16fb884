"""The dimensions: what attempts are told apart by, in the order in which they are given."""

from typing import Final

#: What the cube knows of an attempt.
DIMENSIONS: Final = (
    "worker",
    "host",
    "engine",
    "voice",
    "language",
    "release",
    "length",
    "source",
)
#: The hour of the day (UTC) in which it ended, `00` to `23`: of long windows only.
HOUR: Final = "hour"
#: What its row knows.
ROW_DIMENSIONS: Final = (*DIMENSIONS, HOUR)
