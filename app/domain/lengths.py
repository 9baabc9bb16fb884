"""Lengths of texts in a few buckets, by which failures are told apart."""

from bisect import bisect_right
from typing import Final

#: Characters at which a bucket begins; the first one begins at 0.
STARTS: Final = (100, 500, 2_000, 5_000, 20_000)
#: What each bucket is called: the values of the dimension `length`.
LABELS: Final = ("<100", "100-499", "500-1999", "2000-4999", "5000-19999", ">=20000")


def bucket(char_count: int) -> int:
    """The number of the bucket of a text of so many characters, from 0."""
    return bisect_right(STARTS, char_count)


def label(char_count: int) -> str:
    """What the bucket of a text of so many characters is called."""
    return LABELS[bucket(char_count)]


def sql(column: str) -> str:
    """The number of the bucket as an SQL expression over a column of characters."""
    arms = " ".join(f"WHEN {column} < {start} THEN {place}" for place, start in enumerate(STARTS))
    return f"CASE {arms} ELSE {len(STARTS)} END"
