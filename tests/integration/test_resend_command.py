"""`voxtrace resend` as a user types it."""

import json
from typing import Any

import click
import pytest
from sqlalchemy import text

from app.cli import resend as command
from app.service import window
from telemetry import outbox
from tests.support import service
from tests.support.home import Home


def _send_all(home: Home, *, refused: int = 0) -> int:
    """As after a forwarder's work: all rows are sent, some of them refused; how many were sent."""
    with home.core.database.write() as conn:
        rows = outbox.next_batch(conn, max_bytes=10**9, max_rows=10_000)
        for row in rows[:refused]:
            outbox.mark_poison(conn, row.id, "400 no")
        ids = [row.id for row in rows[refused:]]
        return outbox.mark_sent(conn, ids, home.core.database.now_us(conn))


def test_resend_says_what_goes_again(home: Home) -> None:
    """By time, by task, and what was refused; in words, and as JSON for programs."""
    first = service.spoken(home.core, "The first.")
    service.spoken(home.core, "The second.")
    sent = _send_all(home, refused=1)
    done = home.run("resend", "--since", "1h", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["rows"], told["tasks"]) == (0, sent, 2)
    assert told["spans"] > sent
    assert window.measure(home.core).pending == sent
    assert "nothing to send again" in home.run("resend", "--since", "1h").stdout
    done = home.run("resend", "--poison")
    assert done.stdout == "1 row with 2 spans of 1 task go again\n", done.stderr
    _send_all(home)
    with home.core.database.write() as conn:
        conn.execute(text("DELETE FROM span_outbox WHERE rank = 0"))
    done = home.run("resend", "--task", str(first.id))
    assert done.returncode == 0, done.stderr
    assert "of 1 task go again\n1 task span made again from the table" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("", 2, "say what goes again"),
        ("--since soon --task 0", 2, "must be so long ago"),
        ("--task 99", 1, "task 99 does not exist"),
    ],
)
def test_resend_refuses_what_means_nothing(home: Home, words: str, code: int, said: str) -> None:
    """Exit code 2 for wrong usage, 1 for a task that is not there; a line that says what."""
    done = home.run("resend", *words.split())
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"since": 1, "task": (1,)}, "exclude each other"),
        ({"until": 1, "poison": True}, "--until needs --since"),
        ({"since": 2, "until": 2}, "--since must be before --until"),
        ({"since": 2**60}, "before now"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    home: Home, options: dict[str, Any], said: str
) -> None:
    """Before anything is touched."""
    wanted = {"since": None, "until": None, "task": (), "poison": False, "json": False} | options
    with pytest.raises(click.UsageError, match=said):
        command.resend(home.settings, wanted)
