"""A check in a forked child: its answer comes back, and nothing of the child is left behind."""

import os
import signal
from collections.abc import Callable


def holds_in_child(check: Callable[[], bool], *, timeout_s: int = 10) -> bool:
    """Whether `check` is true in a child that is forked now.

    False where it is not, raises, or does not end in time; the child never runs anything else.
    """
    pid = os.fork()
    if pid == 0:
        holds = False
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(timeout_s)
            holds = check()
        finally:
            os._exit(0 if holds else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
