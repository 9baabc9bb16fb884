"""Parsers of settings: text to value, or a ValueError that says what is allowed."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit


def whole(low: int, high: int) -> tuple[Callable[[str], int], str]:
    """A parser of whole numbers in a range, and the range in words."""
    allowed = f"a whole number from {low} to {high}"

    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,18}", text.strip()) or not low <= int(text) <= high:
            raise ValueError(allowed)
        return int(text)

    return parse, allowed


def number(low: float, high: float) -> tuple[Callable[[str], float], str]:
    """A parser of numbers in a range, and the range in words."""
    allowed = f"a number from {low:g} to {high:g}"

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(allowed) from None
        if not low <= value <= high:
            raise ValueError(allowed)
        return value

    return parse, allowed


def number_or_none(low: float, high: float) -> tuple[Callable[[str], float], str]:
    """A parser of numbers in a range, or of 0, which stands for none; and that in words."""
    within, words = number(low, high)

    def parse(text: str) -> float:
        try:
            return 0.0 if float(text) == 0 else within(text)
        except ValueError:
            raise ValueError(allowed) from None

    allowed = f"0 or {words}"
    return parse, allowed


def flag(text: str) -> bool:
    """1 or 0 as a bool."""
    value = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(
        text.strip().lower()
    )
    if value is None:
        raise ValueError(FLAG)
    return value


FLAG = "1 or 0"


def matching(pattern: str, allowed: str) -> tuple[Callable[[str], str], str]:
    """A parser of texts that match a pattern, and what is allowed in words."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(allowed)
        return text

    return parse, allowed


secret, SECRET = matching(
    r"[\x21-\x7e]{16,512}", "16 to 512 visible ASCII characters without spaces"
)


def bind(text: str) -> str:
    """HOST:PORT, unchanged."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ValueError(BIND)
    return text


BIND = "HOST:PORT, such as 127.0.0.1:8082 or [::1]:8082"


def names(text: str) -> tuple[str, ...]:
    """Names separated by commas, in order, each once."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names or not all(re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name) for name in names):
        raise ValueError(NAMES)
    return names


NAMES = "names of installed engines, separated by commas"


def hosts(text: str) -> tuple[str, ...]:
    """Host names separated by commas, in lower case."""
    names = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not all(re.fullmatch(r"[a-z0-9._:\[\]-]+", name) for name in names):
        raise ValueError(HOSTS)
    return names


HOSTS = "host names, separated by commas"


def database_url(text: str) -> str:
    """A database URL; `postgresql://` gets the driver that we use."""
    if not text.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
        raise ValueError(DATABASE)
    return re.sub("^postgresql://", "postgresql+psycopg://", text)


DATABASE = "sqlite:///PATH or postgresql://USER@HOST/NAME"


def url(text: str) -> str:
    """An http or https address, without a slash at its end."""
    if not _is_address(text) or re.search(r"\s", text) or any(urlsplit(text)[3:]):
        raise ValueError(URL)
    return text.rstrip("/")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def without_user(url: str) -> str:
    """The address without a user and a password, as it may be shown."""
    return re.sub(r"(?i)^(https?://)[^/?#]*@", r"\1", url)


URL = "an http:// or https:// address"


def call_url(text: str) -> str:
    """An http or https address that can be called as it is, unchanged."""
    is_plain = re.fullmatch(r"https?://[\x21-\x7e]{1,2000}", text) is not None
    if not _is_address(text) or not is_plain or "#" in text:
        raise ValueError(CALL_URL)
    return text


CALL_URL = "an http:// or https:// address in ASCII, without a #part"
