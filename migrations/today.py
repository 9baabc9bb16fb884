"""The triggers that must exist today: what all revisions made, and what took the place of what."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from migrations import attempts, requests, search, statistics, triggers

_TRIGGER: Final = re.compile(r"CREATE TRIGGER (\w+) AFTER .*? ON (\w+)", re.DOTALL)
_FUNCTION: Final = re.compile(r"CREATE OR REPLACE FUNCTION (\w+)\(\)")
_RUNS: Final = re.compile(r"EXECUTE FUNCTION (\w+)\(\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A trigger of this release.

    Attributes:
        statement: What makes it.
        function: What makes the function that it runs, or takes its place (PostgreSQL).
    """

    name: str
    table: str
    statement: str
    function: str | None


def made(dialect: str) -> dict[str, Trigger]:
    """The triggers by name, on `dialect` (`sqlite` or `postgresql`), in the order they are made."""
    first = _read((*triggers.statements(dialect), *triggers.count_statements(dialect)))
    kept = {name: one for name, one in first.items() if name not in statistics.REPLACED}
    later = (statistics, search, requests, attempts)
    return kept | _read(sql for one in later for sql in one.statements(dialect))


def tables(dialect: str) -> dict[str, str]:
    """Names of the triggers, and their tables."""
    return {name: one.table for name, one in made(dialect).items()}


def _read(statements: Iterable[str]) -> dict[str, Trigger]:
    """What statements make in the end: the last one of a name counts."""
    functions: dict[str, str] = {}
    found: dict[str, Trigger] = {}
    for sql in statements:
        if (function := _FUNCTION.match(sql)) is not None:
            functions[function[1]] = sql
        elif (trigger := _TRIGGER.match(sql)) is not None:
            runs = _RUNS.search(sql)
            found[trigger[1]] = Trigger(
                name=trigger[1],
                table=trigger[2],
                statement=sql,
                function=functions[runs[1]] if runs is not None else None,
            )
    return found
