"""A wrong filter on the command line: what is wrong, and where."""

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
    click.echo(f"voxtrace: {error.message}\n  {shown}\n  {before}{wrong}", err=True)
    return USAGE


def _width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(2 if ord(char) >= 0x1100 else 1 for char in text)
