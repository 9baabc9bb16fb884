"""Processes: who started whom, and how none outlives the one that answers for it.

Linux tells a child of its parent's death by PR_SET_PDEATHSIG (prctl(2)); it fires when the *thread*
that forked ends, so processes are started from the main thread only. Where /proc or prctl is
missing these functions do less, and say so in what they return.
"""

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

#: Environment variable: the pid of the process that started this one.
PARENT_PID = "VOXTRACE_PARENT_PID"
#: Environment variable: `<home>|<pid>|<start ticks>` of the top process of one start, inherited by
#: everything it starts, so that leftovers of a dead start can be told from everything else.
RUN_MARK = "VOXTRACE_RUN"

#: Seconds before a program that ended is started again: the first time, and at most.
RESTART_S = 0.5
RESTART_MAX_S = 30.0

#: Heaps of the C library that the threads of a process share.
HEAPS = 2

_PR_SET_PDEATHSIG = 1
#: mallopt(3).
_M_ARENA_MAX, _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -8, -3, -1
#: Bytes from which a block is large, and free ones at the end of a heap that are given back.
_LARGE_BYTES = 65_536
_TRIM_BYTES = 131_072
_HEAP_OPTIONS = (
    (_M_ARENA_MAX, HEAPS),
    (_M_MMAP_THRESHOLD, _LARGE_BYTES),
    (_M_TRIM_THRESHOLD, _TRIM_BYTES),
)


def settle() -> None:
    """Sets aside what starting made: a collection of garbage walks through it no more.

    And collections come sooner: Python looks through its oldest objects only once there are a
    quarter more of them. Beside the 160 000 of a web process that has started, cycles of 40 000
    objects waited, 8 MB; beside none, some thousand.
    """
    gc.collect()
    gc.freeze()


def die_with_parent() -> None:
    """Asks the kernel to SIGKILL this process when its parent ends; ends at once if it already has.

    Call it first thing in a program. Only one that was started with `child_environment` has such a
    parent: a shell or an init script that starts a program by hand may end before it.
    """
    expected = os.environ.get(PARENT_PID, "")
    if not expected.isdigit():
        return
    set_parent_death_signal()
    if os.getppid() != int(expected):
        os._exit(1)


def set_parent_death_signal(signum: int = signal.SIGKILL) -> bool:
    """PR_SET_PDEATHSIG for this process; False where the system has no prctl."""
    if not sys.platform.startswith("linux"):
        return False
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return bool(prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0) == 0)


def bound_heaps() -> bool:
    """Lets all threads share two heaps of the C library (glibc), before any thread has begun.

    Else each gets one of its own and keeps what its largest request took: of 76 MB that a web
    process held after 70 000 tasks, 40 MB were free memory of 13 such heaps, and grew on. What is
    large does not come from a heap at all, so that it leaves no hole there: the library would
    raise what it calls large with each such block that it frees.

    Returns:
        False where it is left as it is: `MALLOC_ARENA_MAX` is set, or it is another library.
    """
    if "MALLOC_ARENA_MAX" in os.environ:
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(mallopt(name, value) == 1 for name, value in _HEAP_OPTIONS)


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment for a program it starts, with itself named as the parent."""
    return {**os.environ, PARENT_PID: str(os.getpid()), **(extra or {})}


def restart_wait_s(last_wait_s: float | None, ran_s: float) -> float:
    """Seconds to wait before a program is started again that has ended after `ran_s`.

    Twice the last wait, so that one that cannot run costs little; from the beginning (None, or
    after a run as long as the longest wait), so that one that ran well is back at once.
    """
    if last_wait_s is None or ran_s >= RESTART_MAX_S:
        return RESTART_S
    return min(RESTART_MAX_S, 2 * last_wait_s)


def start_ticks(pid: int) -> int | None:
    """Clock ticks after boot at which `pid` was started (field 22 of /proc/pid/stat); None if gone.

    Together with the pid it names one process for ever (a pid alone is used again).
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def is_alive(pid: int, ticks: int | None) -> bool:
    """Whether the very process that had `pid` and `ticks` still runs (a zombie does not)."""
    now = start_ticks(pid)
    return now is not None and (ticks is None or now == ticks)


def group_members(pgid: int) -> list[int]:
    """Pids of the processes in group `pgid`; empty where /proc is missing."""
    return [pid for pid in _pids() if _group_of(pid) == pgid]


def kill_group(pgid: int, leader_ticks: int | None, *, mark: str | None = None) -> bool:
    """SIGKILLs process group `pgid` if it is still the one that was meant.

    Args:
        pgid: Id of the group, which is its leader's pid.
        leader_ticks: `start_ticks` of the leader when the group was made.
        mark: Where the leader is gone: kill members only if their
            environment has a RUN_MARK of the same home.

    Returns:
        True if a signal was sent. A pid cannot be used again while a group of that id lives, so a
        dead leader with living members is the old group unless the whole group died in between.
    """
    ticks = start_ticks(pgid)
    if ticks is not None and leader_ticks is not None and ticks != leader_ticks:
        return False
    if ticks is None and mark is not None:
        members = [pid for pid in group_members(pgid) if _is_of_home(run_mark_of(pid), mark)]
        return sum(_kill(pid) for pid in members) > 0
    try:
        os.killpg(pgid, signal.SIGKILL)
    except OSError:
        return False
    return True


def run_mark_of(pid: int) -> str | None:
    """The RUN_MARK in the environment `pid` was started with; None if absent or unreadable."""
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    prefix = f"{RUN_MARK}=".encode()
    for entry in raw.split(b"\0"):
        if entry.startswith(prefix):
            return entry[len(prefix) :].decode("utf-8", "replace")
    return None


def new_run_mark(home: Path) -> str:
    """A RUN_MARK for a start of voxtrace on `home` whose top process is this one."""
    return f"{home.resolve()}|{os.getpid()}|{start_ticks(os.getpid()) or 0}"


def own_mark() -> str | None:
    """The RUN_MARK that this process inherited; None where it was started by hand."""
    return os.environ.get(RUN_MARK)


def leftovers(home: Path) -> list[int]:
    """Pids of processes of earlier starts on `home` whose top process is dead."""
    prefix = f"{home.resolve()}|"
    found = []
    for pid in _pids():
        mark = run_mark_of(pid) if pid != os.getpid() else None
        if mark is None or not mark.startswith(prefix):
            continue
        _, top, ticks = mark.rsplit("|", 2)
        if start_ticks(pid) is not None and not is_alive(int(top), int(ticks) or None):
            found.append(pid)
    return found


def kill_leftovers(home: Path) -> int:
    """SIGKILLs what `leftovers` finds; returns how many."""
    return sum(_kill(pid) for pid in leftovers(home))


def kill_marked(mark: str) -> int:
    """SIGKILLs every other process that was started with this very mark; returns how many."""
    return sum(_kill(pid) for pid in _pids() if pid != os.getpid() and run_mark_of(pid) == mark)


def holder_of_port(port: int) -> str | None:
    """`name (pid N)` of a process that listens on a TCP port of this machine; None if unknown."""
    inodes = {
        fields[9]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for fields in _rows(table)
        if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port
    }
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for pid in _pids():
        if wanted & _links(Path(f"/proc/{pid}/fd")):
            return f"{_command_of(pid)} (pid {pid})"
    return None


def _rows(table: str) -> list[list[str]]:
    try:
        lines = Path(table).read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    return [line.split() for line in lines[1:]]


def _links(directory: Path) -> set[str]:
    found = set()
    try:
        for entry in directory.iterdir():
            found.add(str(entry.readlink()))
    except OSError:
        return found
    return found


def _command_of(pid: int) -> str:
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "a process"
    return " ".join(raw.decode("utf-8", "replace").split("\0"))[:120].strip() or "a process"


def _is_of_home(found: str | None, mark: str) -> bool:
    """Whether two marks are of starts on the same home."""
    return found is not None and found.rsplit("|", 2)[0] == mark.rsplit("|", 2)[0]


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return False
    return True


def _pids() -> Iterator[int]:
    try:
        names = [entry.name for entry in Path("/proc").iterdir()]
    except OSError:
        return
    yield from (int(name) for name in names if name.isdigit())


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None
