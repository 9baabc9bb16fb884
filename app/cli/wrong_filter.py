"""A wrong filter on the command line: what is wrong, and where."""

import difflib
import re
from typing import Final

import click

from app.domain.errors import QueryError

#: Exit code of a filter that is wrong.
USAGE: Final = 2


def tell(query: str, error: QueryError) -> int:
    """Prints what is wrong, and the filter with the place underlined; the exit code."""
    shown = "".join(char if char.isprintable() else " " for char in query)
    before = " " * _width(shown[: error.position])
    wrong = "^" * _width(shown[error.position : error.position + error.length])
    guess = _near_option(query[error.position :]) if error.reason == "two_minus" else None
    hint = f"\ndid you mean {guess}?" if guess is not None else ""
    click.echo(f"voxtrace: {error.message}\n  {shown}\n  {before}{wrong}{hint}", err=True)
    return USAGE


def _near_option(rest: str) -> str | None:
    """The option of this command that a text begins with, but for a slip."""
    name = re.split(r"[\s=:]", rest, maxsplit=1)[0]
    options = [
        option
        for parameter in click.get_current_context().command.params
        for option in parameter.opts
        if option.startswith("--")
    ]
    return next(iter(difflib.get_close_matches(name, options, n=1, cutoff=0.6)), None)


def _width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(2 if ord(char) >= 0x1100 else 1 for char in text)
