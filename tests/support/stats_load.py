"""Load for statistics: everything that changes a number, at random, over HTTP."""

import random
import threading
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, Final, Self

import requests
from sqlalchemy import text

from tests.support.home import Home
from tests.support.wait import wait_until

#: Texts that later requests are about; tasks that may wait or run at once.
_RECENT: Final = 40
_LIVE: Final = 24
#: Seconds between two requests of a client, on average.
_PAUSE_S: Final = 0.1
_LIVING: Final = text("SELECT count(*) FROM task WHERE finished_at IS NULL")

#: What becomes of a text, and how often: the scripted engine's commands, the tone engine for "".
_KINDS: Final[Mapping[str, int]] = {
    "": 5,
    "Spoken at once.": 4,
    "@sleep 0.3": 4,
    "@fail-until-attempt 2 retryable": 3,
    "@fail permanent on purpose": 2,
    "@sleep 60": 2,
    "@spin 60": 1,
}
#: The one that waits for capacity takes a quarter of a minute: only the first few of a run do.
_CAPACITY: Final = "@fail-until-attempt 2 capacity"
_CAPACITY_COUNT: Final = 3


def _name(method: str, path: str) -> str:
    """What a request about something asks for, in a word."""
    return "delete" if method == "DELETE" else path.rpartition("/")[2]


def _dice(seed: int, n: int) -> list[random.Random]:
    """Dice of so many clients, that fall alike for the same seed."""
    return [random.Random(f"{seed}.{client}") for client in range(n)]  # noqa: S311 - repeatable


class Load:
    """Clients that submit, follow, cancel, retry and delete, while the context is open.

    Args:
        home: Whose web they use.
        seed: Of what they do.
        clients: How many.
    """

    def __init__(self, home: Home, *, seed: int, clients: int) -> None:
        #: Ids of tasks that were made for a request, by what the answers said.
        self.made: set[int] = set()
        self.done: Counter[str] = Counter()
        #: Requests whose answer was lost with the web process, and that may have made a task.
        self.lost = 0
        self._home = home
        self._recent: deque[tuple[dict[str, Any], int, int]] = deque(maxlen=_RECENT)
        self._number = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(dice,), daemon=True)
            for dice in _dice(seed, clients)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, dice: random.Random) -> None:
        while not self._over.wait(2 * _PAUSE_S * dice.random()):
            if self._living() < _LIVE:
                self._step(dice)

    def _living(self) -> int:
        with self._home.core.database.read() as conn:
            return int(conn.execute(_LIVING).scalar_one())

    def _step(self, dice: random.Random) -> None:
        with self._lock:
            body, text_id, task_id = dice.choice(self._recent) if self._recent else ({}, 0, 0)
        what = dice.choices(("new", "again", "cancel", "retry", "delete"), (60, 20, 8, 6, 6))[0]
        if what == "new" or not body:
            self.submit(self._body(dice))
        elif what == "again":
            self.submit(body)
        elif what == "cancel":
            self._act("POST", f"/api/v1/tasks/{task_id}/cancel", {"everyone": True})
        elif what == "retry":
            self._act("POST", f"/api/v1/texts/{text_id}/retry", {})
        else:
            self._act("DELETE", f"/api/v1/texts/{text_id}", None)

    def _body(self, dice: random.Random) -> dict[str, Any]:
        with self._lock:
            self._number += 1
            number = self._number
        [kind] = dice.choices(list(_KINDS), list(_KINDS.values()))
        if number <= _CAPACITY_COUNT:
            kind = _CAPACITY
        return {
            "content": f"{kind}\nText {number}.",
            "engine": "scripted" if kind else "tone",
            "voice": dice.choice(("tone-low", "tone-high")),
            **({"timeout_s": 1.0} if "60" in kind else {}),
        }

    def submit(self, body: dict[str, Any]) -> int:
        """Submits under a key until it is answered; the id of the task that answers."""
        with self._lock:
            self._number += 1
            headers = {"Idempotency-Key": f"load-{self._number}"}
        answer = wait_until(
            lambda: self._try("POST", "/api/v1/texts", body, headers), 120, what="it is accepted"
        )
        assert answer is not None
        made = answer.json()
        self._note(made)
        task_id = int(made["task"]["id"])
        with self._lock:
            self._recent.append((body, made["text"]["id"], task_id))
        return task_id

    def _act(self, method: str, path: str, body: dict[str, Any] | None) -> None:
        """One request about something that may be over, or gone: 404 and 409 are answers, too."""
        answer = self._try(method, path, body, {})
        if answer is not None and answer.ok and path.endswith("retry"):
            self._note(answer.json())
        elif answer is not None:
            with self._lock:
                self.done[f"{_name(method, path)} {answer.status_code}"] += 1

    def _try(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> requests.Response | None:
        """The answer; None where there was none, or the database was too busy."""
        url = f"{self._home.url}{path}"
        try:
            answer = requests.request(method, url, json=body, headers=headers, timeout=30)
        except requests.RequestException as error:
            if "Connection refused" in str(error):
                return None
            answer = None
        if answer is not None and answer.status_code < 500:
            assert answer.ok or answer.status_code in {404, 409}, f"{path}: {answer.text}"
            return answer
        with self._lock:
            self.lost += 1
        return None

    def _note(self, made: dict[str, Any]) -> None:
        with self._lock:
            self.done[made["disposition"]] += 1
            if made["disposition"] == "new":
                self.made.add(made["task"]["id"])
