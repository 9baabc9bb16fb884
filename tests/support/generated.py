"""Parts of the documents that are made from the code.

    python -m tests.support.generated        # writes them anew

A part stands between `<!-- made by NAME -->` and `<!-- end -->`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from app.domain.query.grammar import ATTEMPTS, TASKS
from tests.support import draw, filters_table, scripted_table, settings_table

_DOCS = Path(__file__).parents[2] / "docs"

#: What makes a part, to its page and what it must be.
PARTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "tests/support/draw.py": ("state-machine.md", draw.drawing()),
        "tests/support/filters_table.py": ("api.md", filters_table.table(TASKS)),
        "tests/support/filters_table.py of attempts": ("api.md", filters_table.table(ATTEMPTS)),
        "tests/support/scripted_table.py": ("scripted-engine.md", scripted_table.table()),
        "tests/support/settings_table.py": ("settings.md", settings_table.table()),
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
    for maker, (name, part) in PARTS.items():
        path = _DOCS / name
        path.write_text(renewed(path.read_text(), maker, part))


if __name__ == "__main__":
    main()
