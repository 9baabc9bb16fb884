"""A listener: a client of the monitor's stream, that connects again whenever it ends."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final, Self

from tests.support.home import Home
from tests.support.monotone import Answer
from tests.support.stats_told import Json, faults_of_monitor, of_monitor

_PATH: Final = "/api/v1/monitor/stream"
#: Seconds by which a snapshot may be older than the moment that is told of it, at most.
_SLACK_S: Final = 0.1


class Listener:
    """Hears the numbers of a stream, from entering to leaving; a sign of life tells none."""

    def __init__(self, home: Home) -> None:
        self.answers: list[Answer] = []
        self.faults: list[str] = []
        self._home = home
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)

    def _run(self) -> None:
        while not self._over.wait(0.2):
            try:
                for told in self._events():
                    self._note(told)
                    if self._over.is_set():
                        return
            except (OSError, http.client.HTTPException):
                continue

    def _events(self) -> Iterator[Json]:
        connection = http.client.HTTPConnection(self._home.environ["VOXTRACE_BIND"], timeout=40)
        try:
            connection.request("GET", _PATH)
            answer = connection.getresponse()
            event = ""
            while line := answer.readline().decode():
                name, _, value = line.rstrip("\n").partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event != "alive":
                    yield json.loads(value)
                elif not name:
                    event = ""
        finally:
            connection.close()

    def _note(self, told: Json) -> None:
        """What is told is of its own moment, however long it was on its way."""
        age_s = time.time() - datetime.fromisoformat(told["as_of"]).timestamp()
        ended_s = time.monotonic()
        self.faults += [f"stream: {fault}" for fault in faults_of_monitor(told)]
        self.answers.append(
            Answer(
                begun_s=ended_s - age_s - _SLACK_S,
                ended_s=ended_s,
                by="stream",
                told=of_monitor(told),
            )
        )
