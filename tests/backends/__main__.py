"""`make backends`: gets a collector and a Jaeger as native programs, and says what is used.

What is there already is used: see `programs`. Prometheus is Debian's, from PATH.
"""

import os
import shutil
import sys

from tests.backends.build import find_or_build
from tests.backends.programs import PROGRAMS, BackendError

#: Programs of Debian's package `prometheus`.
_OF_DEBIAN = ("prometheus", "promtool")


def main() -> int:
    """Builds what is missing; exit code 1 where that cannot be."""
    rows, troubles = [], []
    for program in PROGRAMS:
        try:
            found = find_or_build(program, os.environ, _say)
        except BackendError as error:
            troubles.append(str(error))
            rows.append((program.name, "-", "missing"))
        else:
            rows.append((program.name, str(found.path), found.source))
    for name in _OF_DEBIAN:
        path = shutil.which(name)
        rows.append((name, path or "-", "PATH" if path else "missing (apt-get install prometheus)"))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, path, source in rows:
        print(f"{name:{widths[0]}}  {path:{widths[1]}}  {source}")
    for trouble in troubles:
        print(f"error: {trouble}", file=sys.stderr)
    return 1 if troubles else 0


def _say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
