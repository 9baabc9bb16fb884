"""What is wrong with a page's HTML that browsers mend in silence, and so differently than meant."""

from collections import Counter
from html.parser import HTMLParser
from typing import Final

from typing_extensions import override

_VOID: Final = frozenset(
    {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
#: What a person acts on: none of these may lie in another.
_ACTIVE: Final = frozenset({"a", "button", "select", "textarea", "summary", "label"})


def faults(html: str) -> list[str]:
    """Elements that are not closed in order, active ones inside each other, and ids used twice."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    left = [f"<{name}> is not closed" for name, _ in reader.open]
    twice = [f"id {one} stands {n} times" for one, n in reader.ids.items() if n > 1]
    return [*reader.faults, *left, *twice]


class _Reader(HTMLParser):
    """Keeps the elements that are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, int]] = []
        self.faults: list[str] = []
        self.ids: Counter[str] = Counter()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if one := told.get("id"):
            self.ids[one] += 1
        is_link = tag != "a" or "href" in told
        around = [name for name, _ in self.open if name in _ACTIVE - {"label"}]
        if tag in _ACTIVE and is_link and around:
            self.faults.append(f"line {self.getpos()[0]}: <{tag}> lies in <{around[-1]}>")
        if tag not in _VOID:
            self.open.append((tag, self.getpos()[0]))

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    @override
    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1][0] == tag:
            self.open.pop()
            return
        line = self.getpos()[0]
        self.faults.append(f"line {line}: </{tag}> ends {self.open[-1:] or 'nothing'}")
