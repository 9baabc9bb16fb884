"""Parts of the documents that are made from the code.

    python -m tests.support.generated        # writes them anew

A part stands between `<!-- made by NAME -->` and `<!-- end -->`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tests.support import draw, filters_table, settings_table

_DOCS = Path(__file__).parents[2] / "docs"

#: Page to what its part must be.
PARTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "state-machine.md": ("tests/support/draw.py", draw.drawing()),
        "api.md": ("tests/support/filters_table.py", filters_table.table()),
        "settings.md": ("tests/support/settings_table.py", settings_table.table()),
    }
)


def renewed(page: str, maker: str, part: str) -> str:
    """The page with its part as it must be.

    Raises:
        ValueError: The page has no such part, or more than one.
    """
    begin, end = f"<!-- made by {maker} -->\n", "<!-- end -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(page)) != 1:
        message = f"there must be one part made by {maker}"
        raise ValueError(message)
    return pattern.sub(lambda _: f"{begin}{part}\n{end}", page)


def main() -> None:
    """Writes every part."""
    for name, (maker, part) in PARTS.items():
        path = _DOCS / name
        path.write_text(renewed(path.read_text(), maker, part))


if __name__ == "__main__":
    main()
