"""The duties program: one process per host, of which one leads."""

import os
import secrets
import signal
import threading
from typing import TYPE_CHECKING

from app import bootstrap, process
from app.config.settings import Settings
from app.duties.analyst import Analyst
from app.duties.canary import Canary
from app.duties.forwarder import Forwarder, export_settings
from app.duties.janitor import Janitor
from app.duties.leadership import Leadership
from app.duties.look_up import LookUp
from app.duties.loop import Loop
from app.duties.metrics import Metrics, metric_settings
from app.duties.neighbours import Neighbours
from app.duties.ping import Ping
from app.duties.reaper import Reaper
from app.duties.recount import Recount
from app.duties.relay import LineRelay
from app.duties.retention import Retention
from app.duties.sweeper import Sweeper
from app.duties.told import counts_of
from app.duties.watch import WatchDuty
from app.duties.webhook import Webhook
from app.duties.window import Window
from app.service.canaries.canary import Watch
from app.service.neighbours import TIMEOUT_S
from app.service.process_counts import CountsThread, ProcessCounts
from app.service.watch import OutboxGauge
from telemetry.jaeger import JaegerClient
from telemetry.names import SERVICE_DUTIES

if TYPE_CHECKING:
    from app.duties.duty import Duty
    from app.service.core import Core
    from telemetry.export import ExportSettings
    from telemetry.log_export import LogExport


def run_duties(settings: Settings) -> int:
    """Runs the duties until SIGTERM or SIGINT; returns the exit code."""
    process.die_with_parent()
    process.bound_heaps()
    os.environ.setdefault(process.RUN_MARK, process.new_run_mark(settings.home))
    export, metrics = export_settings(), metric_settings()
    core = bootstrap.make_core(settings, role="duties", actor="", pool_size=3)
    core = bootstrap.with_actor(core, f"reaper on {core.host}")
    bootstrap.check_schema(core)
    leadership = Leadership(core, f"{core.host}/{os.getpid()}/{secrets.token_hex(4)}")
    ships: list[Duty] = [Forwarder(core, export)] if export is not None else []
    log = bootstrap.start_log(core, program="duties", service=SERVICE_DUTIES)
    lines = _relay(settings, log.export)
    judging = Loop(core, [Reaper(core), Janitor(core)], leadership, renews=True)
    looker = bootstrap.with_actor(core, f"look-up on {core.host}")
    looks: list[Duty] = [LookUp(looker, settings.jaeger_url)] if settings.jaeger_url else []
    gauge = OutboxGauge(core)
    tells: list[Duty] = []
    if metrics is not None:
        tells = [Metrics(core, metrics, gauge, exports=export is not None)]
    counts = CountsThread(core, ProcessCounts("duties", counts_of([*ships, *looks])))
    others = [
        Loop(core, ships, leadership),
        Loop(core, looks, leadership),
        *(Loop(core, [one], leadership) for one in _watches(core, gauge, export)),
        Loop(core, tells, leadership),
        Loop(core, [Window(core, sends=export is not None), Sweeper(core)], leadership),
        Loop(core, [Recount(core)], leadership),
        Loop(core, [Analyst(core, leadership.holder)], leadership),
        Loop(core, [Retention(core, sends=export is not None)], leadership),
    ]
    counts.start()
    _run(judging, others)
    leadership.step_down()
    if lines is not None:
        lines.stop()
    log.stop()
    counts.stop()
    return 0


def _watches(core: "Core", gauge: OutboxGauge, export: "ExportSettings | None") -> "list[Duty]":
    """What watches the service as its users do, from outside and the whole way.

    Each gets a loop of its own: one that waits for a stranger's network must blind no other.
    """
    url = core.settings.jaeger_url
    jaeger = JaegerClient(url, timeout_s=TIMEOUT_S) if url is not None else None
    watch = Watch(exports=export is not None, jaeger=jaeger)
    exports = export is not None
    return [
        Neighbours(core, export),
        Canary(core, watch),
        Ping(core, gauge, exports=exports),
        WatchDuty(core),
        Webhook(core),
    ]


def _relay(settings: Settings, export: "LogExport | None") -> LineRelay | None:
    """Exports the lines of processes that may have no thread; None where no line is exported."""
    if export is None:
        return None
    relay = LineRelay(export, lambda: bootstrap.relay_socket(settings))
    relay.start()
    return relay


def _run(judging: Loop, others: list[Loop]) -> None:
    """The judging loop in this thread, the others beside it; all end with the first signal."""
    loops = [judging, *others]

    def stop(_signum: int, _frame: object) -> None:
        for loop in loops:
            loop.stop()

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    threads = [threading.Thread(target=loop.run, daemon=True) for loop in others]
    for thread in threads:
        thread.start()
    judging.run()
    for thread in threads:
        thread.join(3)
