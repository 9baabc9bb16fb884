"""What tests of the pages start from: a web that answers, and texts in several states."""

from dataclasses import dataclass
from typing import Any, Self

import requests

from app.service import task_list
from app.service.failures import actions
from tests.support.home import Home, Program
from tests.support.wait import wait_until

CHINESE = "晋太元中，武陵人捕鱼为业。缘溪行，忘路之远近。忽逢桃花林，夹岸数百步，中无杂树。"
ENGLISH = (
    "Alice was beginning to get very tired of sitting by her sister on the bank. "
    "So she was considering in her own mind, as well as she could. "
    "There was nothing so very remarkable in that.\n\n"
) * 4


def start_web(home: Home, **environ: str) -> Program:
    """Starts the web of a home and waits until it answers."""
    web = home.start("web", **environ)
    wait_for_web(home, web)
    return web


def wait_for_web(home: Home, web: Program) -> None:
    """Waits until the web answers."""
    wait_until(lambda: web.popen.poll() is None and _answers(home), 60, what="the web answers")


def _answers(home: Home) -> bool:
    try:
        return requests.get(f"{home.url}/healthz", timeout=2).ok
    except requests.RequestException:
        return False


def submit(home: Home, content: str, **fields: Any) -> dict[str, Any]:
    """Submits a text over the API; returns the answer."""
    body = {"content": content, "engine": "tone"} | fields
    answer = requests.post(f"{home.url}/api/v1/texts", json=body, timeout=30)
    assert answer.ok, answer.text
    found: dict[str, Any] = answer.json()
    return found


def status_of(home: Home, task_id: int) -> str:
    """A task's status, from its row."""
    return task_list.get(home.core, task_id).status


def until(home: Home, task_id: int, *statuses: str, timeout_s: float = 60) -> None:
    """Waits until a task has one of the statuses."""
    wait_until(lambda: status_of(home, task_id) in statuses, timeout_s, what=f"task is {statuses}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Ids of tasks of texts in several states; `group`, with a note, is that of the failed one."""

    english: int
    chinese: int
    same: int
    failed: int
    timeout: int
    group: str

    @classmethod
    def fill(cls, home: Home) -> Self:
        """Submits the texts and waits until they have ended."""
        slow = "First line.\n@sleep 60\nSecond line."
        tasks = {
            "english": submit(home, ENGLISH, title="Down the rabbit-hole"),
            "chinese": submit(home, CHINESE, title="桃花源记"),
            "failed": submit(
                home, "@fail permanent no\nHello.", title="Will fail", engine="scripted"
            ),
            "timeout": submit(home, slow, title="Too slow", engine="scripted", timeout_s=1),
        }
        ids = {name: answer["task"]["id"] for name, answer in tasks.items()}
        for name, task_id in ids.items():
            until(home, task_id, name if name in {"failed", "timeout"} else "completed")
        ids["same"] = submit(home, CHINESE, title="桃花源记，又一次")["task"]["id"]
        group = task_list.get(home.core, ids["failed"]).fingerprint or ""
        actions.act(home.core, group, actions.done("note", {"note": "See the log of amy."}))
        return cls(**ids, group=group)
