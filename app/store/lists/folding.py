"""What the index of SQLite takes for one letter, beside what a look at rows takes for one.

FTS5 folds letters by a table of its own: it takes a long s for an s and all three sigmas for one,
which `contains` does not, and knows nothing of the two cases of Georgian or Cherokee.
"""

import re
from typing import Final

from app.store.lists.contains import has_case

#: What FTS5 takes for another letter, too: the long s, the sign of the kelvin; for what is none.
_MORE: Final = frozenset("sSkK\ufffd\ufffe\uffff")
#: Latin, Greek, Cyrillic, Armenian, full-width: letters beyond a to z of which it knows both cases.
_KNOWN: Final = re.compile(
    "[\u0080-\u0130\u0132-\u024f\u0386-\u03ce\u0400-\u0527\u0531-\u0587\u1e00-\u1eff\uff21-\uff5a]"
)


def finds_all(pattern: str) -> bool:
    """Whether the index finds whatever a look at rows finds."""
    return all(char.isascii() or not has_case(char) or _KNOWN.match(char) for char in pattern)


def finds_more(pattern: str) -> bool:
    """Whether the index may find what a look at rows does not."""
    return any(char in _MORE or (not char.isascii() and has_case(char)) for char in pattern)
