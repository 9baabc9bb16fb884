"""The duties program: one process per host, of which one leads."""

import os
import secrets
import signal

from app import bootstrap, process
from app.config.settings import Settings
from app.duties.janitor import Janitor
from app.duties.loop import Loop
from app.duties.reaper import Reaper
from app.duties.sweeper import Sweeper


def run_duties(settings: Settings) -> int:
    """Runs the duties until SIGTERM or SIGINT; returns the exit code."""
    process.die_with_parent()
    os.environ.setdefault(process.RUN_MARK, process.new_run_mark(settings.home))
    core = bootstrap.make_core(settings, role="duties", actor="", pool_size=2)
    core = bootstrap.with_actor(core, f"reaper on {core.host}")
    bootstrap.check_schema(core)
    holder = f"{core.host}/{os.getpid()}/{secrets.token_hex(4)}"
    loop = Loop(core, [Reaper(core), Janitor(core), Sweeper(core)], holder=holder)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: loop.stop())
    loop.run()
    return 0
