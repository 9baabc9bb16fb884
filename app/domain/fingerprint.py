"""Fingerprints of failures: the same cause gets the same key, in every worker and for ever."""

import hashlib
import re

_VARIABLE = (
    (re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"), "<uuid>"),
    (re.compile(r"https?://\S+"), "<url>"),
    (re.compile(r"(?:/[\w.+-]+){2,}"), "<path>"),
    (re.compile(r"\b[0-9a-fA-F]{16,}\b"), "<hex>"),
    (re.compile(r"(?<![\w.])\d+(?:\.\d+)?"), "<n>"),
)
#: A number right after one of these words is part of the cause and stays.
_CODE = re.compile(r"\b(code|errno|status|signal|exit)([ =:]+)(\d+)", re.IGNORECASE)


def template_of(message: str) -> str:
    """The first line of a message with what varies replaced, 500 characters at most."""
    line = next((part.strip() for part in message.splitlines() if part.strip()), "")[:500]
    line = _CODE.sub(lambda match: f"{match[1]}{match[2]}#{_letters(match[3])}", line)
    for pattern, mark in _VARIABLE:
        line = pattern.sub(mark, line)
    return line


def fingerprint(error_type: str, message: str, *, code: str | None = None) -> str:
    """`v1:` and 16 hex digits of what failed: type, provider code, message template."""
    text = "\x1f".join((error_type, code or "", template_of(message)))
    return "v1:" + hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _letters(digits: str) -> str:
    """Digits as letters, so that they are not taken for a number that varies."""
    return "".join(chr(ord("a") + int(digit)) for digit in digits)
