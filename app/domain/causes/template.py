"""The template of a message: what says why something failed, with what varies replaced by marks."""

import re
import unicodedata
from typing import Final

from app.domain.causes import amounts, codes, names
from app.domain.causes.rules import Rule, give_back

#: Characters of a message that are looked at, and of a template.
MAX_MESSAGE: Final = 2000
MAX_TEMPLATE: Final = 500
#: Every rule, in the order in which they run.
RULES: Final[tuple[Rule, ...]] = (
    *codes.RULES,
    *names.QUOTED,
    *amounts.DATES,
    *names.RULES,
    *amounts.RULES,
)

#: Signs that no template has: those of kept digits, control characters, halves of characters.
_SIGNS: Final = re.compile("[\ue000-\uf8ff\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
_SPACE: Final = re.compile(r"\s+")
#: Lines that are taken along after one that only announces them.
_MORE: Final = 3


def template_of(message: str) -> str:
    """What a message says, without what varies; at most 500 characters, "" for none.

    Of several lines the first one that is not empty counts; where it ends with a colon, what it
    announces, too; of a printed traceback, the last line.
    """
    line = _SIGNS.sub("", unicodedata.normalize("NFKC", _telling(message)[:MAX_MESSAGE]))
    line = _SPACE.sub(" ", line).strip()
    for rule in RULES:
        line = rule.finds.sub(rule.puts, line)
    line = _SPACE.sub(" ", give_back(line)).strip()
    return line.rstrip(" .。!;,")[:MAX_TEMPLATE]


def _telling(message: str) -> str:
    lines = [line.strip() for line in message[: 4 * MAX_MESSAGE].splitlines() if line.strip()]
    if not lines:
        return ""
    if lines[0].startswith("Traceback (most recent call last)"):
        return lines[-1]
    count = 1
    while count <= _MORE and count < len(lines) and lines[count - 1].endswith((":", "：")):
        count += 1
    return " ".join(lines[:count])
