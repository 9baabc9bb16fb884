"""Whether a column has a text in it, in either case of every letter, on both databases.

LIKE of SQLite and ILIKE of PostgreSQL in the C locale know the cases of a to z only. A pattern with
other letters that have cases is sought with both of each, which LIKE cannot say: by GLOB, and by a
regular expression.
"""

import re
from collections.abc import Callable
from typing import Final

from sqlalchemy import ColumnElement

_ESCAPE: Final = "!"
_ESCAPED: Final = r"!\g<0>"
_LIKE_SPECIAL: Final = re.compile(r"[%_!]")
_GLOB_SPECIAL: Final = frozenset("*?[")
_REGEX_SPECIAL: Final = re.compile(r"[^\w\s]", re.ASCII)


def contains(column: ColumnElement[str], part: str, dialect: str) -> ColumnElement[bool]:
    """Whether `part` stands in the column; no character of it is special."""
    if not any(has_case(char) and not char.isascii() for char in part):
        pattern = f"%{_LIKE_SPECIAL.sub(_ESCAPED, part)}%"
        if dialect == "sqlite":
            return column.like(pattern, escape=_ESCAPE)
        return column.ilike(pattern, escape=_ESCAPE)
    if dialect == "sqlite":
        return column.bool_op("GLOB")(f"*{''.join(_either(char, _glob) for char in part)}*")
    return column.bool_op("~")("".join(_either(char, _regex) for char in part))


def glob(column: ColumnElement[str], parts: tuple[str, ...], dialect: str) -> ColumnElement[bool]:
    """Whether the column is these parts with anything between them, case and all."""
    if dialect == "sqlite":
        return column.bool_op("GLOB")("*".join("".join(map(_glob, part)) for part in parts))
    pattern = "%".join(_LIKE_SPECIAL.sub(_ESCAPED, part) for part in parts)
    return column.like(pattern, escape=_ESCAPE)


def has_case(char: str) -> bool:
    """Whether a character is written in two cases."""
    return char.lower() != char.upper()


def _either(char: str, escape: Callable[[str], str]) -> str:
    """A class of both cases of a letter; whatever has but one form stands for itself."""
    forms = [one for one in dict.fromkeys((char, char.lower(), char.upper())) if len(one) == 1]
    return f"[{''.join(forms)}]" if len(forms) > 1 else escape(char)


def _glob(char: str) -> str:
    return f"[{char}]" if char in _GLOB_SPECIAL else char


def _regex(char: str) -> str:
    return _REGEX_SPECIAL.sub(r"\\\g<0>", char)
