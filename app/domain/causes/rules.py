r"""What a rule is: it finds a part of a message, and says what stands there in the template.

Of a message, what varies from one failure to the next is replaced by a mark such as `<n>`; what
says why it failed stays: error codes above all. The tests run the example of every rule. Patterns
know ASCII only (`\w`, `\d`, `\b`), so that a number right beside a Chinese word is found; messages
are normalised (NFKC) before: full-width digits and punctuation are ASCII.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

#: Digits of error codes are these characters until every rule has run.
_KEPT: Final = str.maketrans({str(digit): chr(0xE000 + digit) for digit in range(10)})
_GIVEN_BACK: Final = str.maketrans({chr(0xE000 + digit): str(digit) for digit in range(10)})
_CODE: Final = re.compile("(?:[A-Za-z]+[ =:]{1,2})?[A-Za-z-]*[\ue000-\ue009]+")

Change = str | Callable[[re.Match[str]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: what it finds, what stands there then; a message, and the template of it."""

    name: str
    finds: re.Pattern[str]
    puts: Change
    example: str
    template: str


def found(pattern: str, *, any_case: bool = True) -> re.Pattern[str]:
    """A pattern that is written verbosely: spaces in it mean nothing."""
    return re.compile(pattern, re.ASCII | re.VERBOSE | (re.IGNORECASE if any_case else 0))


def keep(text: str) -> str:
    """The text with digits that no later rule takes for a number."""
    return text.translate(_KEPT)


def give_back(text: str) -> str:
    """The text with its digits again."""
    return text.translate(_GIVEN_BACK)


def kept(match: re.Match[str]) -> str:
    """What was found, as it is."""
    return keep(match[0])


def string(match: re.Match[str]) -> str:
    """The mark of a quoted string, with the error codes in it."""
    codes = " ".join(_CODE.findall(match[0]))
    return f"<str {codes}>" if codes else "<str>"
