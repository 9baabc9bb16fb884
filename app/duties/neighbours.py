"""The neighbours duty: asks the web, the collector and Jaeger every few seconds if they answer."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from app import clock
from app.service import duty_state, neighbours
from app.service.core import Core
from app.service.database_clock import DatabaseClock
from app.service.neighbours import Neighbour
from telemetry import provider
from telemetry.export import ExportSettings
from telemetry.jaeger import JaegerClient, JaegerError
from telemetry.otlp import Verdict
from telemetry.otlp_client import make_client

#: Seconds between two looks.
ROUND_S: Final = 5.0

#: Where one is asked, and how: None where it answers, else what came instead.
_Asked = tuple[str, Callable[[], str | None]]


class Neighbours:
    """Asks without a trace: /healthz, an empty export, a trace that nobody has.

    What a former leader saw is taken over, so that "since" stays true.

    Args:
        core: What it works with.
        export: Where spans go; None for nowhere.
    """

    name = neighbours.DUTY
    needs_leader = True

    def __init__(self, core: Core, export: ExportSettings | None) -> None:
        self._core = core
        self._clock = DatabaseClock(core)
        self._asked: dict[str, _Asked] = {"web": _web(core)}
        if export is not None:
            self._asked["collector"] = _collector(export)
        if core.settings.jaeger_url is not None:
            self._asked["jaeger"] = _jaeger(core.settings.jaeger_url)
        self._seen: dict[str, Neighbour] | None = None
        self._rounds = 0

    def step(self) -> float:
        """Asks each of them once; at most three times `TIMEOUT_S`."""
        before = self._former() if self._seen is None else self._seen
        self._seen = {
            name: neighbours.asked(before.get(name), address, ask, now_us=self._clock.now_us)
            for name, (address, ask) in self._asked.items()
        }
        self._rounds += 1
        return ROUND_S

    def _former(self) -> dict[str, Neighbour]:
        """What the last leader saw; of the web only where it was on this host."""
        state = duty_state.read(self._core, self.name)
        known = {name: neighbours.from_json(state.get(name)) for name in self._asked}
        if state.get("host") != self._core.host:
            known.pop("web")
        return {name: one for name, one in known.items() if one is not None}

    def state(self) -> str:
        """How each was found last, as JSON; null for what is not set."""
        seen = self._seen or {}
        told: dict[str, Any] = {
            name: neighbours.as_json(seen.get(name)) for name in ("web", "collector", "jaeger")
        }
        told |= {"host": self._core.host, "rounds": self._rounds}
        return json.dumps(told | {"is_traced": provider.is_enabled()})


def _web(core: Core) -> _Asked:
    url = core.settings.local_url
    return url, lambda: neighbours.ask_web(url)


def _collector(export: ExportSettings) -> _Asked:
    client = make_client(replace(export, timeout_s=neighbours.TIMEOUT_S))

    def ask() -> str | None:
        answer = client.send(b"", now_us=clock.now_us())
        return (
            None if answer.verdict is Verdict.ACCEPTED else answer.words.removeprefix("no answer: ")
        )

    return export.shown_endpoint, ask


def _jaeger(url: str) -> _Asked:
    client = JaegerClient(url, timeout_s=neighbours.TIMEOUT_S)

    def ask() -> str | None:
        try:
            client.ping()
        except JaegerError as error:
            return str(error).removeprefix(f"{client.url} does not answer: ")
        return None

    return client.url, ask
