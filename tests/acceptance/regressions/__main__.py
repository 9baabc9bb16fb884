"""Puts each of the report's problems back, one at a time, and sees its acceptance test fail.

    python -m tests.acceptance.regressions [p1 p7 row8 ...]

Each runs in a work tree of HEAD with one patch, with the code of that work tree and the libraries
of this interpreter. Exit code 1 where a patch does not apply, or a problem is not seen.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.acceptance.regressions.problems import PROBLEMS, TESTS, Problem

ROOT: Final = Path(__file__).parents[3]
#: Seconds that one test may take.
LIMIT_S: Final = 900
#: Prints where the code of the product and of its tests comes from.
_WHERE: Final = "import app, telemetry, tests.support.wait as w; print(app.__file__, w.__file__)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one problem: whether its test saw it, and the words that say so."""

    problem: Problem
    is_seen: bool
    words: str


def main(names: Sequence[str]) -> int:
    """Runs the problems named, or all; returns the exit code."""
    unknown = set(names) - {problem.name for problem in PROBLEMS}
    if unknown:
        known = ", ".join(problem.name for problem in PROBLEMS)
        print(f"no such problem: {', '.join(sorted(unknown))}; there are {known}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the work tree is removed
    if _git(ROOT, "status", "--porcelain").stdout.strip():
        print("note: HEAD is tested, without what is not committed")
    outcomes = []
    for problem in PROBLEMS:
        if not names or problem.name in names:
            outcomes.append(_try(problem))
            print(_row(outcomes[-1]), flush=True)
    missed = [outcome.problem.name for outcome in outcomes if not outcome.is_seen]
    print(f"NOT SEEN: {', '.join(missed)}" if missed else f"all {len(outcomes)} are seen")
    return 1 if missed else 0


def _row(outcome: Outcome) -> str:
    problem = outcome.problem
    sign = "seen" if outcome.is_seen else "MISS"
    return f"{problem.name:<5} {sign}  {problem.words:<60} {outcome.words}"


def _try(problem: Problem) -> Outcome:
    with _work_tree() as tree:
        applied = _git(tree, "apply", str(problem.patch))
        if applied.returncode != 0:
            words = f"the patch does not apply: {applied.stderr.strip()}"
            return Outcome(problem=problem, is_seen=False, words=words)
        environ = _environment(tree)
        where = _run(tree, environ, "-c", _WHERE).stdout.split()
        if len(where) != 2 or not all(Path(path).is_relative_to(tree) for path in where):
            words = f"another code would be tested: {where}"
            return Outcome(problem=problem, is_seen=False, words=words)
        return judge(problem, _test(tree, environ, problem))


def _test(
    tree: Path, environ: Mapping[str, str], problem: Problem
) -> subprocess.CompletedProcess[str]:
    options = ("-p", "no:cacheprovider", "--tb=short", "-q", "-rfE")
    return _run(tree, environ, "-m", "pytest", *options, f"{TESTS}::{problem.test}")


def judge(problem: Problem, done: subprocess.CompletedProcess[str]) -> Outcome:
    """Whether pytest tells of one failed assertion, at the line that stands for the problem."""
    ends = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    said = ends[0].partition(" - ")[2] if ends else ""
    if done.returncode == 0:
        words, is_seen = "its test passes with the problem back", False
    elif not said.startswith(("assert ", "AssertionError")) or not ends[0].startswith("FAILED"):
        words, is_seen = f"no failed assertion: {ends or done.stdout[-500:]}", False
    elif problem.line not in done.stdout:
        words, is_seen = f"failed somewhere else: {said}", False
    else:
        words, is_seen = said[:100], True
    return Outcome(problem=problem, is_seen=is_seen, words=words)


@contextmanager
def _work_tree() -> Iterator[Path]:
    """A work tree of HEAD in a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="regression-") as folder:
        tree = (Path(folder) / "tree").resolve()
        made = _git(ROOT, "worktree", "add", "--quiet", "--detach", str(tree), "HEAD")
        if made.returncode != 0:
            sys.exit(f"git worktree: {made.stderr.strip()}")
        try:
            yield tree
        finally:
            _git(ROOT, "worktree", "remove", "--force", str(tree))


def _environment(tree: Path) -> dict[str, str]:
    """This environment with the work tree's code first; wide lines, so that none is cut."""
    return {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "500"}


def _run(
    tree: Path, environ: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env=dict(environ),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def _git(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments], cwd=where, capture_output=True, text=True, check=False
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
