"""Runs the benchmarks one after another: prints their tables, writes `var/bench/<name>.json`.

    python -m tests.bench [--only NAME]… [--texts FOLDER]

Each is a module `tests/bench/bench_<name>.py`, run as a program of its own, that prints its result
as one line of JSON (or as lines of text, which are kept as they are). Both sides of a comparison
are measured in one run, so read the ratios: the times are those of a machine that does other things
too. Nothing is asserted.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import report

_FOLDER = Path(__file__).parent
_OUT = Path("var/bench")
#: Arguments of the programs that do not take `--json`.
_ARGUMENTS = {"assembly": ["1", "mp3"]}
#: Left out where nothing is asked for by name: they speak both books four times over, and run
#: 100 000 tasks.
_LONG = frozenset({"speech", "memory"})
#: Seconds after which a benchmark is ended.
_LIMIT_S = 4 * 3600


def names() -> list[str]:
    """Every benchmark."""
    return sorted(path.stem.removeprefix("bench_") for path in _FOLDER.glob("bench_*.py"))


def _arguments(name: str, environ: Mapping[str, str]) -> list[str]:
    if name == "speech":
        folder = Path(environ.get("VOXTRACE_BENCH_TEXTS", "tests/data/texts"))
        return [str(path) for path in sorted([*folder.glob("*.en.txt"), *folder.glob("*.zh.txt")])]
    return _ARGUMENTS.get(name, ["--json"])


def run(name: str, environ: dict[str, str]) -> bool:
    """Runs one, prints and writes what it found; False where it failed."""
    print(f"\n== {name}", flush=True)
    start_s = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-m", f"tests.bench.bench_{name}", *_arguments(name, environ)],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"{name} FAILED: not over after {_LIMIT_S} s", file=sys.stderr)
        return False
    if done.returncode != 0:
        print(f"{name} FAILED with {done.returncode}\n{done.stdout}", file=sys.stderr)
        return False
    result = _result_of(done.stdout)
    print(f"({time.monotonic() - start_s:.0f} s)")
    _OUT.mkdir(parents=True, exist_ok=True)
    path = _OUT / f"{name}.json"
    path.write_text(json.dumps({**_about(name), "result": result}, indent=2) + "\n")
    return True


def _result_of(output: str) -> Any:
    """The JSON in the last line, shown as tables; output without any is shown and kept as it is."""
    last = output.strip().rpartition("\n")[2]
    try:
        result = json.loads(last)
    except ValueError:
        print(output.rstrip())
        return output.splitlines()
    if report.SKIPPED in result or all(isinstance(row, dict) for row in result.values()):
        print(report.table(result))
    else:
        print(json.dumps(result, indent=2))
    return result


def _about(name: str) -> dict[str, object]:
    return {
        "benchmark": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }


def main() -> int:
    """Runs what was asked for; 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=names(), metavar="NAME",
                        help=f"one of {', '.join(names())}; may be repeated")  # fmt: skip
    parser.add_argument("--texts", type=Path, help="folder of the books (tests/data/texts)")
    options = parser.parse_args()
    environ = dict(os.environ)
    if options.texts is not None:
        environ["VOXTRACE_BENCH_TEXTS"] = str(options.texts)
    chosen = options.only or [name for name in names() if name not in _LONG]
    failed = [name for name in chosen if not run(name, environ)]
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
