"""The commands of the scripted engine as a table for its page, from the module that knows them."""

import re

from app.speech import scripted

#: A command, or what goes on with the words about the one before.
_LINE = re.compile(r"^    (?:(@\S.*?)(?:  +|$))? *(\S.*)?$")


def commands() -> list[tuple[str, str]]:
    """Each command as it is written, and what it does, as the module tells it."""
    found: list[tuple[str, str]] = []
    for line in (scripted.__doc__ or "").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        if match[1]:
            found.append((match[1], match[2] or ""))
        else:
            usage, words = found[-1]
            found[-1] = (usage, f"{words} {match[2]}".strip())
    return found


def table() -> str:
    """The table, and the names that may be used."""
    rows = [
        f"| `{usage.replace('|', chr(92) + '|')}` | {words.replace('|', '/')} |"
        for usage, words in commands()
    ]
    voices = ", ".join(f"`{one.id}`" for one in scripted.create({}).voices())
    return "\n".join(["| line | what it does |", "|---|---|", *rows, "", f"Voices: {voices}."])
