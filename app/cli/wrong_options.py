"""A wrong option on the command line: what is wrong, by the name that the option has here."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import click

from app.domain.errors import AskedError

#: Exit code of an option that is wrong.
USAGE: Final = 2
#: What a parameter of the API is called where the command has no option of that name.
_OTHERS: Final[Mapping[str, str]] = MappingProxyType({"from": "--since", "to": "--until"})
#: Parameters in the words of what is wrong: `from must be before to: …`.
_NAMED: Final = re.compile(r"^\w+\b|(?<= before )\w+(?=:)")


def tell(error: AskedError) -> int:
    """Prints what is wrong; the exit code."""
    options = {
        option: parameter.opts[0]
        for parameter in click.get_current_context().command.params
        for option in parameter.opts
    }
    said = _NAMED.sub(lambda found: _option(found[0], options), error.message)
    click.echo(f"voxtrace: {said}", err=True)
    return USAGE


def _option(name: str, options: Mapping[str, str]) -> str:
    """The option that a parameter is given by, by its first name; its own name where none is."""
    names = (f"--{name.replace('_', '-')}", _OTHERS.get(name, name))
    return next((options[one] for one in names if one in options), name)
